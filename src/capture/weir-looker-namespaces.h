/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network namespaces as processes show them: which there are, and what sockets are in one.
 *
 * For those that were made after the engine has given up what opens them: no process of it can look
 * into them any more, but /proc/PID/net lists the sockets of the namespace that a process is in. It
 * says nothing about bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-looker-pace.h"

/* Namespaces that one walk tells apart. */
#define WEIR_LOOKER_NAMESPACES_MAX 1024
/* Sockets that one namespace may show; beyond it they are not listed, and it says so. */
#define WEIR_LOOKER_SOCKETS_MAX 8192

struct weir_seen_namespace
{
  uint32_t inode;
  uint32_t pid; /* of the first process that was found in it */
  uint32_t uid; /* whose it is (weir_fair_get_uid) */
  uint64_t start_time;
  char comm[16];
};

/* A socket that a process can hold; what the kernel keeps for itself is left out. */
struct weir_listed_socket
{
  uint8_t local[16], remote[16]; /* IPv4 addresses are v4-mapped */
  uint16_t local_port, remote_port;
  uint32_t inode;
  uint32_t uid;
  uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
  uint8_t state;    /* enum weir_tcp_state */
  uint8_t on_v6_socket;
  uint8_t reserved;
};

/* Processes of which it is remembered where they were. */
#define WEIR_LOOKER_KNOWN_PROCESSES 16384

/* A process that was looked at. */
struct weir_known_process
{
  uint64_t entry; /* inode of its directory in /proc: that of another process is another one */
  uint32_t pid;   /* 0: none */
  uint32_t inode; /* of its network namespace */
  uint32_t looks; /* how often it was looked at */
};

/* By what everybody can see of a process in it, a namespace is known again. */
struct weir_known_namespace
{
  uint64_t mark;  /* inode of /proc/PID/net/dev, which each namespace has its own of */
  uint32_t inode; /* of the namespace; 0: none */
};

struct weir_namespace_walk
{
  bool blind; /* links can be read no more: only those that are known are told */
  struct weir_known_namespace marks[WEIR_LOOKER_NAMESPACES_MAX];
  uint32_t n_marks;
  off_t place;          /* in /proc, where the next request goes on; 0: from the beginning */
  uint32_t turn;        /* counts whole walks */
  bool thorough;        /* everybody is looked at in this one */
  uint32_t told;        /* of all namespaces that were told in this walk, whatever the order, */
  uint32_t told_before; /* ... and in the one before */
  uint32_t n_inodes;
  uint32_t inodes[2 * WEIR_LOOKER_NAMESPACES_MAX];              /* told in this walk, hashed */
  struct weir_known_process known[WEIR_LOOKER_KNOWN_PROCESSES]; /* by the end of their numbers */
  struct weir_listed_socket sockets[WEIR_LOOKER_SOCKETS_MAX];   /* scratch */
};

struct weir_namespace_walk_result
{
  bool unfinished;  /* the time was up before everybody had been looked at */
  uint32_t refused; /* processes in namespaces that were too many to be told apart */
};

/* Calls @func once in a whole walk for each namespace that a process is in, from where the last
 * request ended; when it is not unfinished, all have had their turn.  Where an old process was in
 * the walks before is believed for a while, as long as nothing else changes.  @proc: descriptor of
 * /proc.  A negative return of
 * @func ends the walk and is returned. */
typedef int (*weir_namespace_func) (const struct weir_seen_namespace *seen, void *data);
int
weir_looker_find_namespaces (struct weir_namespace_walk *walk, struct weir_pace *pace, int proc,
                             struct weir_namespace_walk_result *ret_result,
                             weir_namespace_func func, void *data);

/* The namespace of a process, of which @process is the directory.  0 or -ESRCH. */
int
weir_looker_read_namespace (int process, uint32_t *ret_inode);

/* Lists into @walk->sockets what is in the namespace @inode, as process @pid shows it.  Returns
 * their number; -ESRCH when the process has ended or is in another namespace (whatever was read is
 * then not believed), or -EPIPE.  *@ret_cut: there were more. */
int
weir_looker_list_sockets (struct weir_namespace_walk *walk, struct weir_pace *pace, int proc,
                          uint32_t inode, uint32_t pid, bool *ret_cut);
