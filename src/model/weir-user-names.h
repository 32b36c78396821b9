/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Names of user numbers.  A name service may ask a server and take its time, so each number is
 * looked up once, in another thread.  Main thread only. */

/* The name, safe for display; NULL while it is being looked up and when there is none. */
const char *
weir_user_names_get (guint32 uid);
/* Grows each time that an answer has come: what was shown before may now have a name. */
guint
weir_user_names_get_generation (void);

G_END_DECLS
