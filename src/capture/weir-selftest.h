/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `weir-engine --self-test`: shows what each process is kept from, by trying it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-accounting.h"
#include "weir-caller.h"
#include "weir-wire.h"

/* Whether the engine was started for this, by whoever sits in front of it: never through pkexec,
 * which was asked for something else, nor with privileges that a file brought. */
bool
weir_selftest_asked (const struct weir_origin *origin, int argc, char **argv);

/*   --self-test [--without LAYER]...
 *
 * As root it tries the full view, else the limited one.  Prints one line for each role and
 * forbidden act on standard output: role, act, "denied" or "NOT DENIED", how the kernel said it,
 * and every layer that denies it alone.  Returns an exit code of weir_exit, WEIR_EXIT_DONE only
 * when everything was denied. */
int
weir_selftest_run (int argc, char **argv);

/* ---- weir-selftest-acts.c ---- */

#define WEIR_SELFTEST_HANDLE_SIZE 128

/* What there is to reach for.  All of it is harmless to reach, and made for the purpose. */
struct weir_stage
{
  pid_t sibling;          /* a process of another role, confined like all */
  pid_t outside;          /* one that is not confined at all */
  int tcp_port, udp_port; /* somebody listens there on 127.0.0.1, in network byte order */
  int tcp, udp, local;    /* who that is, and an abstract socket's listener */
  int conntrack;          /* NETLINK_NETFILTER; -1: there is none */
  int ns;                 /* of the network namespace outside */
  int mount;              /* directory of the file system that @handle is of; -1: there is none */
  char directory[32];     /* everybody may write there */
  /* What keeper and twin hold: the setting, if there is one, and some file for the record. */
  struct weir_accounting accounting;
  char local_name[32]; /* of the abstract socket, behind its zero */
  _Alignas (uint64_t) unsigned char handle[WEIR_SELFTEST_HANDLE_SIZE];
};

struct weir_act
{
  const char *name;
  /* 0 when it was possible, else the errno (positive) with which it was refused. */
  int (*try) (const struct weir_stage *stage);
  unsigned roles; /* bit n: forbidden to role n ... */
  bool in_room;   /* ... but to the looker only in its room: an ordinary user's reads files */
  bool allowed;   /* ... as long as it has its capabilities: it is for that that it has them */
};

extern const struct weir_act weir_acts[];
extern const size_t weir_n_acts;

/* 0 or a negative errno; what was made until then is to be cleared in either case. */
int
weir_stage_make (struct weir_stage *stage);
void
weir_stage_clear (struct weir_stage *stage);
