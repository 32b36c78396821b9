/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This runs as root, before the first byte from outside is read: libbpf reads the programs that
 * were compiled into the engine, and hands them to the kernel, which checks them once more.
 *
 * Of all descriptors two kinds stay: that of the ring buffer, which the meter waits with, and those
 * of the links, which keep the programs running.  Whoever has the descriptor of a memory map could
 * write it, with bpf(2), and without a privilege; so those are closed, and what is left of them is
 * mappings that cannot be made writable (bpf(2), BPF_F_MMAPABLE).
 */
#include "config.h"

#include "weir-bpf-load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-bpf-reason.h"
#include "weir-clock.h"

/* Made by bpftool, not by us. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wshadow"
#include "weir.bpf.skel.h"
#pragma GCC diagnostic pop

/* Handshakes that are looked after at the same time, for each of so many slots. */
#define SLOTS_PER_HANDSHAKE 4

/* PROC_PID_INIT_INO of the kernel. */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCU

/* Below this number are the standard descriptors. */
#define DESCRIPTORS_FROM 3

/* Room for what the verifier writes, which uses it only if it refuses a program: libbpf's own most.
 * With less than it needs, kernels before Linux 6.4 say that it was not enough (ENOSPC), and not
 * what was wrong. */
#define LOG_SIZE ((size_t) 16 * 1024 * 1024 - 1)

static int
fail (struct weir_bpf_opened *opened, enum weir_bpf_stage stage, int error, const char *what)
{
  opened->reason = (uint16_t) weir_bpf_find_reason (stage, error, "");
  opened->error = error;
  snprintf (opened->said, sizeof opened->said, "%s", what);
  return -1;
}

static int
fail_checks (struct weir_bpf_opened *opened, int error, const char *log)
{
  char line[WEIR_SAID_SIZE];

  weir_bpf_shorten_log (log, line, sizeof line);
  opened->reason = (uint16_t) weir_bpf_find_reason (WEIR_BPF_STAGE_LOAD, error, log);
  opened->error = error;
  snprintf (opened->said, sizeof opened->said, "%s", *line != '\0' ? line : "loading the programs");
  return -1;
}

/* To a power of two. */
static uint32_t
round_up (uint32_t number)
{
  uint32_t power = WEIR_BPF_CHANGES_MIN;

  while (power < number)
    power *= 2;
  return power;
}

static bool
has_helper (enum bpf_prog_type type, enum bpf_func_id helper)
{
  return libbpf_probe_bpf_helper (type, helper, NULL) == 1;
}

static bool
knows_current (enum bpf_prog_type type)
{
  return has_helper (type, BPF_FUNC_get_current_pid_tgid) &&
         has_helper (type, BPF_FUNC_get_current_uid_gid) &&
         has_helper (type, BPF_FUNC_get_current_comm) &&
         has_helper (type, BPF_FUNC_get_current_cgroup_id) &&
         has_helper (type, BPF_FUNC_skb_cgroup_id);
}

/* Sizes, and what this kernel knows. */
static int
prepare (struct weir_bpf *programs, uint32_t n_slots, uint64_t idle_ns,
         struct weir_bpf_opened *opened)
{
  const struct
  {
    struct bpf_map *map;
    uint32_t entries;
  } sizes[] = {
    { programs->maps.slots, n_slots },
    { programs->maps.freed, n_slots },
    /* Room for those that are on their way in, before others have left. */
    { programs->maps.flows, n_slots * 2 },
    { programs->maps.guesses, round_up (n_slots) },
    { programs->maps.shares, n_slots * 2 },
    { programs->maps.handshakes, n_slots / SLOTS_PER_HANDSHAKE },
    { programs->maps.changes, round_up (n_slots * WEIR_BPF_CHANGES_PER_SLOT) },
  };
  struct stat pid_namespace;
  int r;

  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    {
      r = bpf_map__set_max_entries (sizes[i].map, sizes[i].entries);
      if (r < 0)
        return fail (opened, WEIR_BPF_STAGE_LOAD, -r, "size of a map");
    }
  programs->rodata->n_slots = n_slots;
  programs->rodata->idle_epochs = idle_ns >> WEIR_BPF_EPOCH_SHIFT;
  programs->rodata->changes_mask = bpf_map__max_entries (programs->maps.changes) - 1;
  programs->rodata->guesses_mask = bpf_map__max_entries (programs->maps.guesses) - 1;
  programs->rodata->knows_netns = has_helper (BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_netns_cookie);
  programs->rodata->knows_sender = knows_current (BPF_PROG_TYPE_CGROUP_SKB);
  programs->rodata->knows_framer = knows_current (BPF_PROG_TYPE_SCHED_CLS);
  if (stat ("/proc/self/ns/pid", &pid_namespace) < 0)
    return fail (opened, WEIR_BPF_STAGE_LOAD, errno, "pid namespace");
  if (pid_namespace.st_ino != INITIAL_PID_NAMESPACE)
    {
      programs->rodata->pid_namespace_device = pid_namespace.st_dev;
      programs->rodata->pid_namespace_inode = pid_namespace.st_ino;
      programs->rodata->knows_pid_namespace =
          has_helper (BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_ns_current_pid_tgid) &&
          has_helper (BPF_PROG_TYPE_CGROUP_SOCK, BPF_FUNC_get_ns_current_pid_tgid) &&
          has_helper (BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_get_ns_current_pid_tgid) &&
          has_helper (BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_get_ns_current_pid_tgid);
      opened->has_no_pids = !programs->rodata->knows_pid_namespace;
    }
  return 0;
}

/* Read-only, and for this process alone: none of its children needs what the meter reads. */
static void *
map_memory (int fd, off_t from, size_t size, int protection)
{
  void *memory = mmap (NULL, size, protection, MAP_SHARED, fd, from);

  if (memory == MAP_FAILED)
    return NULL;
  if (madvise (memory, size, MADV_DONTFORK) < 0)
    {
      munmap (memory, size);
      return NULL;
    }
  return memory;
}

static int
map_tables (const struct weir_bpf *programs, struct weir_bpf_opened *opened)
{
  opened->n_slots = bpf_map__max_entries (programs->maps.slots);
  opened->n_changes = bpf_map__max_entries (programs->maps.changes);
  opened->slots = map_memory (bpf_map__fd (programs->maps.slots), 0,
                              (size_t) opened->n_slots * sizeof *opened->slots, PROT_READ);
  opened->changes = map_memory (bpf_map__fd (programs->maps.changes), 0,
                                (size_t) opened->n_changes * sizeof *opened->changes, PROT_READ);
  opened->statistics = map_memory (bpf_map__fd (programs->maps.statistics), 0,
                                   WEIR_BPF_CPUS * sizeof *opened->statistics, PROT_READ);
  opened->control =
      map_memory (bpf_map__fd (programs->maps.control), 0, sizeof *opened->control, PROT_READ);
  if (opened->slots == NULL || opened->changes == NULL || opened->statistics == NULL ||
      opened->control == NULL)
    return fail (opened, WEIR_BPF_STAGE_MAP, errno, "mapping of tables");
  return 0;
}

/* As the kernel lays it out: a page for how far was read, one for how far was written, and the data
 * twice (kernel/bpf/ringbuf.c, ringbuf_map_mmap_user() and _kern()). */
static int
map_ring (const struct weir_bpf *programs, struct weir_bpf_opened *opened)
{
  const size_t page = (size_t) sysconf (_SC_PAGESIZE);
  const int fd = bpf_map__fd (programs->maps.events);

  opened->ring_size = bpf_map__max_entries (programs->maps.events);
  opened->ring = fcntl (fd, F_DUPFD_CLOEXEC, DESCRIPTORS_FROM);
  opened->ring_consumed = map_memory (fd, 0, page, PROT_READ | PROT_WRITE);
  opened->ring_produced =
      map_memory (fd, (off_t) page, page + 2 * (size_t) opened->ring_size, PROT_READ);
  if (opened->ring < 0 || opened->ring_consumed == NULL || opened->ring_produced == NULL)
    return fail (opened, WEIR_BPF_STAGE_MAP, errno, "mapping of events");
  opened->ring_data = (const uint8_t *) (uintptr_t) opened->ring_produced + page;
  return 0;
}

static int
attach (struct bpf_program *program, int cgroup, uint64_t deadline, struct weir_bpf_opened *opened)
{
  int fd;

  /* The kernel does this for every control group there is, and anybody may have made very many. */
  if (weir_clock_now () >= deadline)
    return fail (opened, WEIR_BPF_STAGE_ATTACH, ETIMEDOUT, bpf_program__name (program));
  fd = bpf_link_create (bpf_program__fd (program), cgroup,
                        bpf_program__expected_attach_type (program), NULL);
  if (fd < 0)
    return fail (opened, WEIR_BPF_STAGE_ATTACH, -fd, bpf_program__name (program));
  opened->links[opened->n_links++] = fd;
  return 0;
}

/* What counts comes first, what says that everything was counted comes last. */
static int
attach_all (const struct weir_bpf *programs, int cgroup, uint64_t deadline,
            struct weir_bpf_opened *opened)
{
  struct bpf_program *const order[WEIR_BPF_LINKS_MAX - WEIR_BPF_INTERFACES_MAX] = {
    programs->progs.weir_release,      programs->progs.weir_egress,
    programs->progs.weir_ingress,      programs->progs.weir_connect4,
    programs->progs.weir_connect6,     programs->progs.weir_sendmsg4,
    programs->progs.weir_sendmsg6,     programs->progs.weir_bind4,
    programs->progs.weir_bind6,        programs->progs.weir_getpeername4,
    programs->progs.weir_getpeername6, programs->progs.weir_create,
  };

  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
    if (attach (order[i], cgroup, deadline, opened) < 0)
      return -1;
  return 0;
}

/* The number of BPF_TCX_EGRESS, which headers before Linux 6.6 do not have. */
#define TCX_EGRESS 47

/* What packet sockets send passes no control group.  It is no reason to do without all the rest, so
 * what goes wrong is only noted. */
static void
attach_to_interfaces (const struct weir_bpf *programs, struct weir_bpf_opened *opened)
{
  struct if_nameindex *all = if_nameindex ();
  int fd;

  if (all == NULL)
    {
      opened->frames_error = errno;
      return;
    }
  for (const struct if_nameindex *one = all; one->if_index != 0; one++)
    {
      fd = opened->n_interfaces == WEIR_BPF_INTERFACES_MAX
               ? -E2BIG
               : bpf_link_create (bpf_program__fd (programs->progs.weir_frames),
                                  (int) one->if_index, (enum bpf_attach_type) TCX_EGRESS, NULL);
      /* One that has gone meanwhile sends nothing more. */
      if (fd < 0 && fd != -ENODEV)
        opened->frames_error = -fd;
      if (fd >= 0)
        {
          opened->links[opened->n_links++] = fd;
          opened->n_interfaces++;
        }
    }
  if_freenameindex (all);
}

static struct weir_bpf *
load_programs (uint32_t n_slots, uint64_t idle_ns, char *log, struct weir_bpf_opened *opened)
{
  LIBBPF_OPTS (bpf_object_open_opts, options, .kernel_log_buf = log, .kernel_log_size = LOG_SIZE);
  struct weir_bpf *programs = weir_bpf__open_opts (&options);
  int r;

  if (programs == NULL)
    {
      (void) fail (opened, WEIR_BPF_STAGE_LOAD, errno, "reading the programs");
      return NULL;
    }
  r = prepare (programs, n_slots, idle_ns, opened);
  if (r == 0)
    {
      r = weir_bpf__load (programs);
      if (r < 0)
        r = fail_checks (opened, -r, log);
    }
  if (r == 0)
    return programs;
  weir_bpf__destroy (programs);
  return NULL;
}

int
weir_bpf_load (int cgroup, uint32_t n_slots, uint64_t idle_ns, uint64_t deadline,
               struct weir_bpf_opened *opened)
{
  char *log = mmap (NULL, LOG_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct weir_bpf *programs;
  int r;

  if (log == MAP_FAILED)
    return fail (opened, WEIR_BPF_STAGE_MAP, errno, "room for a log");
  /* Standard error is nobody's, and before that it was the caller's. */
  libbpf_set_print (NULL);
  programs = load_programs (n_slots, idle_ns, log, opened);
  munmap (log, LOG_SIZE);
  if (programs == NULL)
    return -1;
  r = map_tables (programs, opened);
  if (r == 0)
    r = map_ring (programs, opened);
  if (r == 0)
    r = attach_all (programs, cgroup, deadline, opened);
  if (r == 0)
    attach_to_interfaces (programs, opened);
  weir_bpf__destroy (programs);
  return r;
}
