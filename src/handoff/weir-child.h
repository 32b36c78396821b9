/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An engine that a launcher started.  It is watched through a pidfd and not reaped before this
 * object is disposed of, so that its number cannot be given to another process meanwhile.
 *
 * Signal: exited (WeirChild *, int wait_status) once, in the main context that made the object. */
#define WEIR_TYPE_CHILD (weir_child_get_type ())
G_DECLARE_FINAL_TYPE (WeirChild, weir_child, WEIR, CHILD, GObject)

/* Spawns @argv (absolute path first) with exactly @environment, default signal dispositions, an
 * empty mask, standard input and output /dev/null, standard error captured (bounded) and no other
 * descriptor.  @expected_uid is what SO_PEERCRED must show. */
WeirChild *
weir_child_spawn (const char *const *argv, const char *const *environment, uid_t expected_uid,
                  GError **error);
/* For launchers without a process: the peer is this very process (replay). */
WeirChild *
weir_child_new_self (void);

pid_t
weir_child_get_pid (WeirChild *self);
uid_t
weir_child_get_expected_uid (WeirChild *self);
/* Whether it still runs (a zombie does not). */
gboolean
weir_child_is_alive (WeirChild *self);
/* Where the kernel has SO_PEERPIDFD and unique pidfd inodes: whether @peer_pidfd is this process.
 * -1: cannot be told, compare the numbers. */
int
weir_child_compare_pidfd (WeirChild *self, int peer_pidfd);
/* What it wrote to standard error, at most 4 KiB, made valid UTF-8; never NULL. */
const char *
weir_child_get_stderr (WeirChild *self);

G_END_DECLS
