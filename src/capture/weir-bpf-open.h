/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads the programs of the bpf source into the kernel and hangs them on the root of the control
 * groups, while the privileges are there.
 *
 * Nothing is pinned: programs, maps and links are gone when the last process ends that has the
 * descriptors of the links, however it ends. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/weir-bpf-layout.h"
#include "weir-config.h"

/* Interfaces on which frames of packet sockets are counted: those with the lowest numbers. */
#define WEIR_BPF_INTERFACES_MAX 16

/* One for each program that hangs on control groups, and one for each interface; @n_links says how
 * many there are. */
#define WEIR_BPF_LINKS_MAX (12 + WEIR_BPF_INTERFACES_MAX)

struct weir_bpf_opened
{
  /* What can be said so far: ACTIVE, or DEGRADED and UNAVAILABLE with the reason. */
  uint8_t state;             /* enum weir_source_state */
  uint16_t reason;           /* enum weir_reason */
  int error;                 /* errno behind it, or 0 */
  char said[WEIR_SAID_SIZE]; /* what was being done then, or what the kernel's verifier said */

  /* Frames that packet sockets send on the interfaces that were there, in the engine's own network
   * namespace.  PACKET_QDISC_BYPASS and AF_XDP go around it. */
  uint32_t n_interfaces; /* that they are counted on */
  int frames_error;      /* why not on all of them: errno, or 0 */

  /* Read-only mappings, and the sizes of their tables; NULL and 0 when UNAVAILABLE.  No child
   * inherits them. */
  const struct weir_bpf_slot *slots;
  uint32_t n_slots;
  const uint64_t *changes;
  uint32_t n_changes;                           /* a power of two */
  const struct weir_bpf_statistics *statistics; /* WEIR_BPF_CPUS of them */
  const struct weir_bpf_control *control;

  /* The ring buffer of events (struct weir_bpf_event): a descriptor to wait with, and its three
   * parts.  The first one is the only memory here that can be written. */
  int ring;
  volatile uint64_t *ring_consumed;
  const volatile uint64_t *ring_produced;
  const uint8_t *ring_data; /* mapped twice in a row, so that no record is in two pieces */
  uint32_t ring_size;       /* a power of two */

  /* Whoever has them keeps the programs running: in the end the keeper alone (weir-fork.c). */
  int links[WEIR_BPF_LINKS_MAX];
  uint32_t n_links;

  /* The engine is in a pid namespace whose numbers this kernel does not give to programs (before
   * Linux 6.10): they cannot name a process. */
  bool has_no_pids;
};

/* An @opened of which nothing is there, for that @reason. */
void
weir_bpf_opened_init (struct weir_bpf_opened *opened, enum weir_reason reason, int error,
                      const char *said);

/* As root, before anything from outside is read.  Never fatal: what went wrong is in @ret_opened.
 * @config: [limits] bpf_flows_max and [sources] bpf.  @view: the limited one may not.  @deadline
 * (weir-clock.h): by then it has ended, if need be with ETIMEDOUT, but for what one step of the
 * kernel takes. */
void
weir_bpf_open (const struct weir_config *config, enum weir_view view, uint64_t deadline,
               struct weir_bpf_opened *ret_opened);

/* Unmaps and closes everything, which ends the programs unless another process has the links. */
void
weir_bpf_close (struct weir_bpf_opened *opened);
