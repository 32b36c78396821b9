/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a kernel lacks a function that programs call, the call is changed into one of a function
 * that no kernel has, and this kernel's verifier gets the program to check: it refuses it as the
 * other one would, and only if the call can be reached.
 */
#include "weir-kernels.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANY              -1
#define N_LACKING        24
#define N_REFUSALS       4
#define NO_SUCH_FUNCTION 0x7fff

/* As the kernel's linux/bpf.h numbers them: that of a builder may be older. */
#define TCX_EGRESS 47

struct lacking
{
  int type; /* of programs, or ANY */
  int function;
};

struct refusal
{
  int command;
  int type;         /* of programs or maps, by the command; of links: where they are attached */
  int error;        /* 0: none, and no further one */
  const char *log;  /* of the verifier */
  const char *name; /* of the program or map; NULL: any */
};

struct kernel
{
  const char *name;
  struct refusal refusals[N_REFUSALS];
  struct lacking lacking[N_LACKING];
};

#define WHO_RUNS(type)                                                                             \
  { type, BPF_FUNC_get_current_pid_tgid }, { type, BPF_FUNC_get_current_uid_gid },                 \
      { type, BPF_FUNC_get_current_comm },                                                         \
  {                                                                                                \
    type, BPF_FUNC_get_current_cgroup_id                                                           \
  }

#define NUMBERS_OF_NAMESPACES { ANY, BPF_FUNC_get_ns_current_pid_tgid }

static const struct kernel kernels[] = {
  /* Before Linux 6.15, 6.10 and 6.6. */
  { "6.12", .lacking = { { BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_netns_cookie } } },
  { "6.8", .lacking = { { BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_netns_cookie },
                        WHO_RUNS (BPF_PROG_TYPE_CGROUP_SKB),
                        WHO_RUNS (BPF_PROG_TYPE_SCHED_CLS),
                        NUMBERS_OF_NAMESPACES } },
  { "6.1",
    .lacking = { { BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_netns_cookie },
                 WHO_RUNS (BPF_PROG_TYPE_CGROUP_SKB),
                 WHO_RUNS (BPF_PROG_TYPE_SCHED_CLS),
                 NUMBERS_OF_NAMESPACES },
    .refusals = { { BPF_LINK_CREATE, TCX_EGRESS, EINVAL } } },
  /* What LOCKDOWN_BPF_READ_KERNEL and LOCKDOWN_BPF_WRITE_USER take away. */
  { "lockdown", .lacking = { { ANY, BPF_FUNC_probe_read },
                             { ANY, BPF_FUNC_probe_read_str },
                             { ANY, BPF_FUNC_probe_read_kernel },
                             { ANY, BPF_FUNC_probe_read_kernel_str },
                             { ANY, BPF_FUNC_probe_write_user } } },
  { "no-tcx", .refusals = { { BPF_LINK_CREATE, TCX_EGRESS, EINVAL } } },
  { "no-room-on-interfaces", .refusals = { { BPF_LINK_CREATE, TCX_EGRESS, ERANGE } } },
  { "5.15", .lacking = { { ANY, BPF_FUNC_loop } } },
  /* Before 5.11 the memory of maps counted as locked. */
  { "5.10", .refusals = { { BPF_MAP_CREATE, ANY, EPERM } },
    .lacking = { { ANY, BPF_FUNC_loop }, { ANY, BPF_FUNC_ktime_get_coarse_ns } } },
  { "no-bpf", .refusals = { { BPF_PROG_LOAD, ANY, ENOSYS }, { BPF_MAP_CREATE, ANY, ENOSYS } } },
  { "no-cgroup-bpf", .refusals = { { BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_SKB, EINVAL },
                                   { BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_SOCK, EINVAL },
                                   { BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, EINVAL } } },
  { "refuses", .refusals = { { BPF_PROG_LOAD, ANY, EPERM }, { BPF_MAP_CREATE, ANY, EPERM } } },
  { "verifier", .refusals = { { BPF_PROG_LOAD, ANY, EACCES,
                                "12: (79) r1 = *(u64 *)(r2 +8)\n"
                                "R2 invalid mem access 'scalar' at ffff888012345678\n"
                                "processed 13 insns (limit 1000000) max_states_per_insn 0\n",
                                "weir_egress" } } },
  { "verifier-complexity",
    .refusals = { { BPF_PROG_LOAD, ANY, E2BIG,
                    "BPF program is too large. Processed 1000001 insn\n"
                    "processed 1000001 insns (limit 1000000) max_states_per_insn 4\n",
                    "weir_egress" } } },
  { "not-shared", .refusals = { { BPF_LINK_CREATE, BPF_CGROUP_INET_EGRESS, EPERM } } },
  { "64-programs", .refusals = { { BPF_LINK_CREATE, BPF_CGROUP_INET4_CONNECT, E2BIG } } },
  { "no-memory", .refusals = { { BPF_MAP_CREATE, ANY, ENOMEM, NULL, "slots" } } },
};

static const struct kernel *played;

bool
weir_kernels_play (const char *name)
{
  played = NULL;
  for (size_t i = 0; name != NULL && i < sizeof kernels / sizeof kernels[0]; i++)
    if (strcmp (kernels[i].name, name) == 0)
      played = &kernels[i];
  return name == NULL || played != NULL;
}

__attribute__ ((constructor)) static void
play_as_told (void)
{
  const char *name = getenv ("WEIR_KERNEL");

  if (name != NULL && !weir_kernels_play (name))
    _exit (99);
}

static bool
is_meant (const struct refusal *refusal, int command, const union bpf_attr *attr)
{
  const char *name = command == BPF_MAP_CREATE ? attr->map_name : attr->prog_name;
  int type = command == BPF_MAP_CREATE    ? (int) attr->map_type
             : command == BPF_LINK_CREATE ? (int) attr->link_create.attach_type
                                          : (int) attr->prog_type;

  return refusal->error != 0 && refusal->command == command &&
         (refusal->type == ANY || refusal->type == type) &&
         (refusal->name == NULL || strncmp (refusal->name, name, BPF_OBJ_NAME_LEN - 1) == 0);
}

static bool
is_lacking (const struct bpf_insn *call, uint32_t type)
{
  if (call->code != (BPF_JMP | BPF_CALL) || call->src_reg != 0)
    return false;
  for (size_t i = 0; i < N_LACKING && played->lacking[i].function != 0; i++)
    if (played->lacking[i].function == call->imm &&
        (played->lacking[i].type == ANY || played->lacking[i].type == (int) type))
      return true;
  return false;
}

static long (*pass_on) (long number, ...);

static long
load_program (union bpf_attr *attr, unsigned size)
{
  const size_t n = attr->insn_cnt;
  struct bpf_insn *copy = calloc (n, sizeof *copy);
  uint64_t original = attr->insns;
  long result;

  if (copy == NULL)
    abort ();
  memcpy (copy, (const void *) (uintptr_t) attr->insns, n * sizeof *copy);
  for (size_t i = 0; i < n; i++)
    if (is_lacking (&copy[i], attr->prog_type))
      copy[i].imm = NO_SUCH_FUNCTION;
  attr->insns = (uintptr_t) copy;
  result = pass_on (SYS_bpf, BPF_PROG_LOAD, attr, size);
  attr->insns = original;
  free (copy);
  return result;
}

static long
answer (int command, union bpf_attr *attr, unsigned size)
{
  for (size_t i = 0; i < N_REFUSALS; i++)
    {
      const struct refusal *refusal = &played->refusals[i];

      if (!is_meant (refusal, command, attr))
        continue;
      if (refusal->log != NULL && attr->log_level != 0 && attr->log_size > strlen (refusal->log))
        strcpy ((char *) (uintptr_t) attr->log_buf, refusal->log);
      errno = refusal->error;
      return -1;
    }
  if (command == BPF_PROG_LOAD)
    return load_program (attr, size);
  return pass_on (SYS_bpf, command, attr, size);
}

/* Takes the place of the C library's. */
long
syscall (long number, ...)
{
  long arguments[6];
  va_list list;

  if (pass_on == NULL)
    {
      void *found = dlsym (RTLD_NEXT, "syscall");

      memcpy (&pass_on, &found, sizeof pass_on);
    }
  va_start (list, number);
  for (size_t i = 0; i < sizeof arguments / sizeof arguments[0]; i++)
    arguments[i] = va_arg (list, long);
  va_end (list);
  if (number == SYS_bpf && played != NULL)
    return answer ((int) arguments[0], (union bpf_attr *) arguments[1], (unsigned) arguments[2]);
  return pass_on (number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                  arguments[5]);
}
