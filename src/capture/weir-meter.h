/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The meter: parses all that comes from outside, and holds no privilege. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weir-bpf-open.h"
#include "weir-config.h"
#include "weir-namespaces-open.h"
#include "weir-proc-sockets.h"
#include "weir-wire.h"

/* Descriptors that the root phase opened for it; -1 where the operation was refused, with the errno
 * in the field beside it.  All are non-blocking and close-on-exec. */
struct weir_descriptors
{
  int client;                     /* connected to the front end; nothing has been read from it */
  int sock_diag, sock_diag_error; /* NETLINK_SOCK_DIAG, for dumps */
  int sock_events, sock_events_error;           /* the same, bound to the TCP destroy groups */
  int conntrack_dump, conntrack_dump_error;     /* NETLINK_NETFILTER; only the keeper may send */
  int conntrack_events, conntrack_events_error; /* bound to NEW and DESTROY */
  int route, route_error;                       /* NETLINK_ROUTE */
  int accounting, accounting_error;             /* nf_conntrack_acct, read-only, or -1 */
  int keeper;                                   /* socket to the keeper, -1: there is none */
  int looker;                                   /* socket to the looker, -1: there is none */
  int teller;                                   /* socket to the teller, -1: there is none */
  int proc_sockets[WEIR_PROC_TABLES];           /* files below /proc/net */
  int sock_exact, sock_exact_error;             /* NETLINK_SOCK_DIAG, for questions */
  int generic;                                  /* NETLINK_GENERIC, or -1 */
  int forwarding; /* NETLINK_ROUTE, bound to what tells of forwarding, or -1 */
};

/* The same moment by several clocks, in ns. */
struct weir_moment
{
  uint64_t awake; /* CLOCK_MONOTONIC: for all that is waited for, which a suspend must not use up */
  uint64_t boot;  /* CLOCK_BOOTTIME: what goes on the wire, and what speeds are measured with */
  uint64_t cpu;   /* CPU time that the meter has taken so far */
};

struct weir_meter_setup
{
  void (*read_clocks) (struct weir_moment *ret_now); /* NULL: the system's */
  const struct weir_config *config;                  /* NULL: weir_config_defaults */
  struct weir_descriptors fds;
  struct weir_opened_namespaces namespaces; /* besides the engine's own */
  struct weir_bpf_opened bpf;               /* programs in the kernel */
  uint8_t nonce[WEIR_NONCE_SIZE];           /* wiped once the HELLO is built */
  enum weir_view view;                      /* from tried operations */
  uint32_t netns;                           /* inode of the network namespace */
  uint64_t netns_cookie;                    /* SO_NETNS_COOKIE of the same, 0: not known */
  bool tells_nothing;      /* details of processes: engine.conf does not allow them */
  bool looks_at_all_users; /* the looker holds its capabilities */
  bool counts;             /* accounting was switched on by us */
  struct weir_process_status processes[WEIR_PROCESSES_MAX]; /* verified states after dropping */
  unsigned n_processes;
};

/* Sends HELLO, then serves until the front end closes, says STOP or lets the leash run out.
 * Returns an exit code of weir_exit. */
int
weir_meter_run (struct weir_meter_setup *setup);
