/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-container.h"

G_BEGIN_DECLS

/* What the path of a control group says of the processes in it.  Paths are those of the one
 * hierarchy that systemd manages: cgroup v2, its copy in a hybrid layout, or name=systemd of v1;
 * runtimes without systemd write theirs in the same way.  Texts are safe for display, NULL where
 * the path says nothing. */
typedef struct
{
  char *unit;         /* innermost unit of systemd that is no slice */
  char *slice;        /* innermost slice */
  char *session;      /* of logind: "3" */
  gint64 session_uid; /* whose session or user manager it is, as this computer numbers them; -1 */
  char *pod;          /* of Kubernetes or Podman */
  GPtrArray *containers; /* WeirContainer, outermost first; may be empty */
} WeirCgroup;

/* @path: raw, may be NULL or empty. */
void
weir_cgroup_init (WeirCgroup *self, const char *path);
void
weir_cgroup_clear (WeirCgroup *self);
/* "Docker 0123456789ab"; a container in another: "LXC web/Docker 0123456789ab".  NULL outside. */
char *
weir_cgroup_dup_chain (const WeirCgroup *self);

/* The units of systemd along the path, slices too, outermost first; never NULL. */
char **
weir_cgroup_get_units (const char *path);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeirCgroup, weir_cgroup_clear)

G_END_DECLS
