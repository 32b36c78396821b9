/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-bpf-open.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weir-bpf-cgroups.h"
#include "weir-bpf-load.h"
#include "weir-clock.h"

void
weir_bpf_opened_init (struct weir_bpf_opened *opened, enum weir_reason reason, int error,
                      const char *said)
{
  *opened = (struct weir_bpf_opened) {
    .state = WEIR_SOURCE_UNAVAILABLE,
    .reason = (uint16_t) reason,
    .error = error,
    .ring = -1,
  };
  snprintf (opened->said, sizeof opened->said, "%s", said);
}

static void
unmap (const volatile void *memory, size_t size)
{
  if (memory != NULL)
    munmap ((void *) (uintptr_t) memory, size);
}

void
weir_bpf_close (struct weir_bpf_opened *opened)
{
  const size_t page = (size_t) sysconf (_SC_PAGESIZE);

  unmap (opened->slots, (size_t) opened->n_slots * sizeof *opened->slots);
  unmap (opened->changes, (size_t) opened->n_changes * sizeof *opened->changes);
  unmap (opened->statistics, WEIR_BPF_CPUS * sizeof *opened->statistics);
  unmap (opened->control, sizeof *opened->control);
  unmap (opened->ring_consumed, page);
  unmap (opened->ring_produced, page + 2 * (size_t) opened->ring_size);
  if (opened->ring_size > 0 && opened->ring >= 0)
    close (opened->ring);
  for (uint32_t i = 0; i < opened->n_links; i++)
    close (opened->links[i]);
  weir_bpf_opened_init (opened, WEIR_REASON_STOPPED, 0, "");
}

#ifdef WEIR_HAVE_BPF

/* Loading takes a tenth of a second.  Where it takes so long, the engine does without: the rest of
 * its start needs time as well. */
#define TIME_MS 3000

static void
open_programs (uint32_t n_slots, uint64_t deadline, struct weir_bpf_opened *opened)
{
  struct weir_bpf_opened failed;
  bool whole;
  int cgroup = weir_bpf_cgroups_open (&whole);

  if (cgroup < 0)
    {
      weir_bpf_opened_init (opened, WEIR_REASON_NO_CGROUPS, -cgroup, "looking for cgroup v2");
      return;
    }
  weir_bpf_opened_init (opened, WEIR_REASON_NONE, 0, "");
  if (weir_bpf_load (cgroup, n_slots, WEIR_BPF_IDLE_NS, deadline, opened) == 0)
    {
      opened->state = whole ? WEIR_SOURCE_ACTIVE : WEIR_SOURCE_DEGRADED;
      opened->reason = whole ? WEIR_REASON_NONE : WEIR_REASON_PART_OF_CGROUPS;
    }
  else
    {
      weir_bpf_opened_init (&failed, (enum weir_reason) opened->reason, opened->error,
                            opened->said);
      weir_bpf_close (opened);
      *opened = failed;
    }
  close (cgroup);
}

#endif

void
weir_bpf_open (const struct weir_config *config, enum weir_view view, uint64_t deadline,
               struct weir_bpf_opened *ret_opened)
{
  if ((config->off & WEIR_OFF_BPF) != 0)
    {
      weir_bpf_opened_init (ret_opened, WEIR_REASON_CONFIG, 0, "");
      return;
    }
#ifdef WEIR_HAVE_BPF
  if (view == WEIR_VIEW_FULL)
    open_programs (config->bpf_flows_max, weir_clock_until (deadline, TIME_MS), ret_opened);
  else
    weir_bpf_opened_init (ret_opened, WEIR_REASON_NEEDS_FULL_VIEW, EPERM, "");
#else
  /* The full view would not help. */
  weir_bpf_opened_init (ret_opened, WEIR_REASON_NOT_BUILT, 0, "");
#endif
}
