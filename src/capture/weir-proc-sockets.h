/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that sock_diag does not have: those for pings (ICMP without privileges) on every kernel,
 * raw ones on kernels without raw_diag.  /proc/net has them; its files are of the network namespace
 * in which they were opened, and are read again and again.
 *
 * They tell neither cookie nor control group nor interface. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "source-sockdiag.h"

enum weir_proc_table
{
  WEIR_PROC_RAW,
  WEIR_PROC_RAW6,
  WEIR_PROC_ICMP,
  WEIR_PROC_ICMP6,
  WEIR_PROC_TABLES
};

/* The name of a table's file below /proc/PID/net. */
const char *
weir_proc_sockets_get_name (enum weir_proc_table table);

/* What sockets are in a table: enum weir_socket_kind, and 4 or 6. */
uint8_t
weir_proc_sockets_get_kind (enum weir_proc_table table);
uint8_t
weir_proc_sockets_get_family (enum weir_proc_table table);

/* Reads one line, terminated, of such a file; false for what is none, such as the first. */
bool
weir_proc_sockets_parse (const char *line, enum weir_proc_table table,
                         struct weir_socket_reading *ret_reading);

/* Reads the whole file.  0 or a negative errno: then there may be more than was told. */
int
weir_proc_sockets_read (int fd, enum weir_proc_table table, weir_socket_func func, void *data);
