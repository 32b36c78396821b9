/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-wire.h"

#include <glib.h>

G_BEGIN_DECLS

/* Names of the interfaces of this network namespace, which is also the engine's: flows carry only
 * the number.  Numbers of other namespaces mean other interfaces and have no name here.  Main
 * thread only. */

/* Replaces all that is known. */
void
weir_interface_names_set (const struct weir_interface_record *interfaces, guint n);
/* Safe for display; NULL when not known.  @netns: inode of the flow's namespace. */
const char *
weir_interface_names_get (guint32 netns, guint32 index);

/* The inode of that namespace; 0: /proc is not there. */
guint32
weir_interface_names_get_netns (void);

G_END_DECLS
