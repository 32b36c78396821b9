/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEIR_APP_UNKNOWN,
  WEIR_APP_PROGRAM, /* nothing but the name of the process */
  WEIR_APP_SERVICE,
  WEIR_APP_DESKTOP,
  WEIR_APP_SNAP,
  WEIR_APP_FLATPAK,
  WEIR_APP_CONTAINER,
} WeirAppKind;

/* Which application a process belongs to, as its control group says.  The strings are safe for
 * display and NULL when nobody knows. */
typedef struct
{
  WeirAppKind kind;
  char *name; /* for people */
  char *id;   /* to find an icon or a desktop entry with */
} WeirAppIdentity;

/* @cgroup: path below the cgroup v2 root, raw; @comm: name of the process, raw.  Each may be NULL
 * or empty. */
void
weir_app_identity_init (WeirAppIdentity *identity, const char *cgroup, const char *comm);
void
weir_app_identity_clear (WeirAppIdentity *identity);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeirAppIdentity, weir_app_identity_clear)

G_END_DECLS
