/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of a handoff share: a runtime directory, the engine's side of it, and patience. */
#pragma once

#include "weir-listener.h"

/* A private folder of the test's own; removed with everything in it. */
char *
fixture_make_dir (void);
void
fixture_remove_dir (char *path);

/* Runs the main loop until @done is set; fails the test after ten seconds. */
void
fixture_wait (const gboolean *done);
/* Runs the main loop for that long. */
void
fixture_run (guint ms);

/* Connects as an engine does; blocking descriptor. */
int
fixture_dial (const char *directory);
/* HELLO with the nonce that lies in @directory. */
struct weir_hello
fixture_hello (const char *directory);
void
fixture_say_hello (int fd, const struct weir_hello *hello);
void
fixture_send (int fd, const void *bytes, gsize size);
/* Whether the other side has closed. */
gboolean
fixture_is_closed (int fd);

/* The result of an accept. */
struct fixture_accept
{
  gboolean done;
  WeirChannel *channel;
  GError *error;
};
void
fixture_on_accept (GObject *source, GAsyncResult *result, gpointer data);
void
fixture_accept_clear (struct fixture_accept *accept);
