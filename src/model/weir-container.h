/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A container or virtual machine, as one part of a control group's path names it. */
typedef struct
{
  const char *manager; /* who runs it, for people: "Docker"; static */
  char *name;          /* its name, or the short form of its number; safe for display */
  char *part;          /* the part of the path as it stands; safe for display */
} WeirContainer;

/* Whether @parts[@position] is the control group of a container; @parts is the whole path, split
 * and raw.  What is filled in is freed with weir_container_free(). */
WeirContainer *
weir_container_new (char *const *parts, guint position);
void
weir_container_free (WeirContainer *container);

/* The number of a Kubernetes or Podman pod that @part is the control group of, or NULL. */
char *
weir_container_get_pod (const char *part);

G_END_DECLS
