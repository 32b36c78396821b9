/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recordings of what an engine sent: PROTOCOL.md, "Recordings". */
#pragma once

#include <gio/gio.h>

#include "weir-wire.h"

G_BEGIN_DECLS

#define WEIR_RECORDING_MAGIC   "WEIRREC\n"
#define WEIR_RECORDING_VERSION 1

/* Begins a recording of an engine that said @hello, whose nonce is left out.  The bytes are a whole
 * recording after every call; writing them to a file is the caller's. */
GByteArray *
weir_recording_new (const struct weir_hello *hello);
/* @offset_ns: since the beginning; a player shows frames in the order they were appended. */
void
weir_recording_append (GByteArray *recording, guint64 offset_ns, const struct weir_frame *frame);

/* Reads a recording that the caller keeps alive. */
struct weir_recording
{
  struct weir_reader reader;
  struct weir_hello hello; /* of the recorded engine, nonce all zero */
};

gboolean
weir_recording_open (struct weir_recording *recording, const void *data, gsize size,
                     GError **error);
/* 1: a frame, which points into the data; 0: the end; -EPROTO: damaged from here on. */
int
weir_recording_next (struct weir_recording *recording, guint64 *ret_offset_ns,
                     struct weir_frame *ret_frame);

G_END_DECLS
