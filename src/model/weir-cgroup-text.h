/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* systemd writes a byte that has a meaning in unit names as \xHH.  The result is raw: not safe for
 * display, and not necessarily UTF-8. */
char *
weir_cgroup_unescape (const char *text);

G_END_DECLS
