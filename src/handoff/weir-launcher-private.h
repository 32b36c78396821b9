/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What launchers share.  The functions that check take what they check as an argument, so that
 * tests can show them other files; the launcher itself passes constants only. */
#pragma once

#include "weir-launcher.h"

G_BEGIN_DECLS

/* argv[1] of the engine: what polkit tells its actions apart by. */
#define WEIR_LAUNCHER_HANDOFF            "--handoff"
#define WEIR_LAUNCHER_HANDOFF_ACCOUNTING "--handoff-accounting"

/* The environment that an engine starts with, made from @environment: the locale where its values
 * are plain names, and a fixed PATH.  Nothing that loads code or names a bus. */
char **
weir_launcher_build_environment (const char *const *environment);

/* Whether only root can change the program @path: it is the canonical path of an executable file,
 * and that file and every folder above it belong to root, are not writable by others, and are not
 * served by a user's process (FUSE).  Anything else must never be elevated. */
gboolean
weir_launcher_check_file_safe (const char *path, GError **error);

/* WEIR_HANDOFF_ERROR_SANDBOX where a set-user-ID program has no effect. */
gboolean
weir_launcher_check_not_sandboxed (GError **error);

/* The first of @candidates (NULL-terminated) that is a set-user-ID program of root. */
const char *
weir_launcher_find_setuid (const char *const *candidates, GError **error);

/* Whether polkit's answer to EnumerateActions has @action for exactly @path with @argv1.  Without
 * it pkexec would ask for the right to run anything as root. */
gboolean
weir_launcher_check_action (GVariant *actions, const char *action, const char *path,
                            const char *argv1, GError **error);

/* Words for the end of an engine, and of a pkexec before it became one. */
GError *
weir_launcher_explain_engine (int wait_status, const char *said);
GError *
weir_launcher_explain_pkexec (int wait_status, const char *said);

G_END_DECLS
