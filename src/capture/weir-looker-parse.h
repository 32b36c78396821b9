/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parsers of what the looker reads.  Names of processes, control groups and mount points are chosen
 * by whoever made them, so everything here takes any bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A canonical decimal number that is all of @text; false also when it does not fit. */
bool
weir_parse_decimal (const char *text, uint64_t *ret_value);

/* The inode of `socket:[N]`, which must be all of the @size bytes. */
bool
weir_parse_socket_link (const char *link, size_t size, uint64_t *ret_inode);

/* The same of `net:[N]`, which is how /proc/PID/ns/net names a network namespace. */
bool
weir_parse_namespace_link (const char *link, size_t size, uint32_t *ret_inode);

/* The same of `user:[N]`. */
bool
weir_parse_user_namespace_link (const char *link, size_t size, uint32_t *ret_inode);

/* One line of /proc/PID/net/tcp, udp (or with a 6, then @v6): addresses, ports, state, uid, inode
 * and whether it is a socket of version 6; the protocol is the file's.  False for anything that the
 * kernel does not write, the heading among it. */
struct weir_listed_socket;
bool
weir_parse_socket_line (const char *line, bool v6, struct weir_listed_socket *ret_socket);

/* /proc/PID/stat (proc_pid_stat(5)): name, cut to 15 bytes, and start time in clock ticks since
 * boot. -EPROTO when it is malformed. */
int
weir_parse_stat (const char *text, size_t size, char ret_comm[16], uint64_t *ret_start_time);

/* The number of its parent, from the same. */
int
weir_parse_stat_parent (const char *text, size_t size, uint32_t *ret_parent);

/* The path of the version 2 hierarchy from /proc/PID/cgroup.  -ENOENT when there is none,
 * -ENAMETOOLONG when it does not fit (a cut path would name another group). */
int
weir_parse_cgroup (const char *text, char *ret_path, size_t size);

/* Finds where the version 2 hierarchy is mounted, in one line of /proc/PID/mountinfo without its
 * line break: @ret_point the mount point, @ret_root what part of the hierarchy is seen there.  Both
 * are decoded.  False for every other line. */
bool
weir_parse_cgroup_mount (const char *line, char *ret_point, char *ret_root, size_t size);
