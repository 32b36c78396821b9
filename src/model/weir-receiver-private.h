/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the store. */
#pragma once

#include "weir-receiver.h"

G_BEGIN_DECLS

struct _WeirReceiver
{
  GObject parent;

  guint64 id; /* of the engine that speaks now */
  struct weir_receiver_record record;
  gint64 since; /* µs, -1: not known */
  gboolean is_gone;
  gboolean is_touched; /* since the last tick */
  char *protocol, *local, *app, *comm, *user;
};

WeirReceiver *
weir_receiver_new (const struct weir_receiver_record *record);
/* What @record says replaces what was known. */
void
weir_receiver_set_record (WeirReceiver *self, const struct weir_receiver_record *record);
/* @tick: the first one that shows it. */
void
weir_receiver_learn_since (WeirReceiver *self, const struct weir_tick *tick);

G_END_DECLS
