/* SPDX-License-Identifier: GPL-3.0-or-later */
/* engine.conf: what the administrator of a computer decides about the engine (docs/engine.conf.md).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir-wire.h"

/* A file that is larger is no configuration. */
#define WEIR_CONFIG_SIZE_MAX (64 * 1024)

/* Entries of one list of users or groups. */
#define WEIR_CONFIG_IDS_MAX 64

/* What of a process is told besides its name. */
enum weir_disclosure
{
  WEIR_DISCLOSE_OWN = 0,    /* of the caller's own processes */
  WEIR_DISCLOSE_ALL = 1,    /* of all processes */
  WEIR_DISCLOSE_NOTHING = 2 /* not even of the caller's own */
};

/* Bits of @off. */
enum weir_config_off
{
  WEIR_OFF_CONNTRACK = 1 << 0,
  WEIR_OFF_OWNERS = 1 << 1,
  WEIR_OFF_NAMESPACES = 1 << 2, /* no socket is opened in other network namespaces */
  WEIR_OFF_BPF = 1 << 3,        /* no program is loaded into the kernel */
};

struct weir_config_ids
{
  uint32_t ids[WEIR_CONFIG_IDS_MAX];
  uint32_t n;
  bool given; /* there is such a list: without an entry it is nobody's */
};

struct weir_config
{
  uint32_t min_interval_ms; /* [poll] */
  uint32_t rows_max;        /* [limits] */
  uint32_t flows_max;
  uint32_t engines_per_user;
  uint32_t bpf_flows_max; /* slots of the bpf source: kernel memory */
  uint32_t disclosure;    /* [process_details]: enum weir_disclosure, for those who are allowed */
  struct weir_config_ids allow_users, allow_groups;
  uint32_t strict; /* [confinement]: 0 or 1 */
  uint32_t keep_capabilities;
  uint32_t off; /* [sources]: enum weir_config_off */

  /* What is wrong with the file. */
  struct weir_notice notices[WEIR_NOTICES_MAX];
  size_t n_notices;
};

/* What holds without a file. */
extern const struct weir_config weir_config_defaults;

/* Reads and parses engine.conf in the folder @directory, an absolute path; it never fails: what
 * cannot be used is a notice, and the default holds.  @elevated: whether this is root, who can read
 * any file; to everybody else one that they may not read is as if it were not there. */
void
weir_config_load (const char *directory, bool elevated, struct weir_config *ret_config);

/* @config, or what holds without one when it is NULL. */
const struct weir_config *
weir_config_or_defaults (const struct weir_config *config);

/* What is told to a caller with this uid and these groups. */
enum weir_disclosure
weir_config_disclose (const struct weir_config *config, uid_t uid, const gid_t *groups,
                      size_t n_groups);

/* The same for whoever listens at the other end of @client, a connected socket: its groups are
 * those that the kernel noted when it began to listen (SO_PEERGROUPS). */
enum weir_disclosure
weir_config_disclose_to_peer (const struct weir_config *config, uid_t uid, int client);
