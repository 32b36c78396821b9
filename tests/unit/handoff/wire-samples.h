/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One of everything that travels, for tests that must hold for every message. */
#pragma once

#include <glib.h>

#include "weir-wire.h"

/* A flow with every group and every figure; @number makes it differ from others. */
struct weir_flow_record
sample_flow (guint number);
struct weir_interface_record
sample_interface (guint number);
struct weir_receiver_record
sample_receiver (guint number);
struct weir_namespace_record
sample_namespace (guint number);
struct weir_hello
sample_hello (void);

/* Writes frames of every message, those of an engine first. */
void
sample_write_all (struct weir_writer *writer);

/* Reads a frame with the reader of its type, as a front end or an engine does; 0 for unknown types.
 */
int
sample_read (const struct weir_frame *frame);

/* Cuts what was written; calls @func with each frame, whose body lies alone in memory so that a
 * sanitizer sees every read outside of it. */
typedef void (*SampleFunc) (const struct weir_frame *frame, gpointer data);
void
sample_foreach (const struct weir_writer *writer, SampleFunc func, gpointer data);
