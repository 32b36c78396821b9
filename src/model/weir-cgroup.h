/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a path below the cgroup v2 root says beyond the application's identity.  @cgroup is raw, may
 * be NULL or empty; what is returned is safe for display. */

/* The units of systemd along the path, outermost first; never NULL. */
char **
weir_cgroup_get_units (const char *cgroup);
/* "Docker 0123456789ab", and in @ret_part the part of the path that is its control group; NULL
 * outside of containers. */
char *
weir_cgroup_get_container (const char *cgroup, char **ret_part);

G_END_DECLS
