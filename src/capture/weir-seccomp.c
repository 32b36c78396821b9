/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last layer: whoever takes one of the processes over has what is in memory and the calls of
 * its list, and the first other call is its last.
 *
 * The whole process is killed, not one thread and not with an errno: code that goes on after an
 * unexpected refusal is where filters have been got around, and a dead helper is a state that
 * everybody here knows.  Calls of a foreign architecture (i386 and x32 on x86-64) have other
 * numbers and are killed whatever they are.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "weir-seccomp.h"

/* O_TMPFILE is this bit and O_DIRECTORY, which is for reading. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* A netlink request without an attribute. */
#define REQUEST_SIZE (sizeof (struct nlmsghdr) + sizeof (struct nfgenmsg))

/* Where ftruncate64(2) has its length, in two halves: behind the descriptor, but for the machines
 * that let such a pair begin with an even register (syscall(2)).  Machines of 64 bits have no such
 * call, and the library skips the rule. */
#if defined __arm__ || defined __mips__ || defined __powerpc__
#define WIDE_LENGTH 2
#else
#define WIDE_LENGTH 1
#endif

static int
add_accounting_rule (scmp_filter_ctx filter, const struct weir_seccomp_rule *rule,
                     const struct weir_accounting *accounting)
{
  const scmp_datum_t setting = (scmp_datum_t) accounting->setting;
  const scmp_datum_t record = (scmp_datum_t) accounting->record;
  int r;

  switch (rule->condition)
    {
    case WEIR_SECCOMP_SWITCHING:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 2,
                               SCMP_A0 (SCMP_CMP_EQ, setting), SCMP_A2 (SCMP_CMP_EQ, 1));
    case WEIR_SECCOMP_LOCKING:
      r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 2, SCMP_A0 (SCMP_CMP_EQ, record),
                            SCMP_A1 (SCMP_CMP_EQ, LOCK_EX | LOCK_NB));
      return r < 0
                 ? r
                 : seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 2,
                                     SCMP_A0 (SCMP_CMP_EQ, record), SCMP_A1 (SCMP_CMP_EQ, LOCK_UN));
    case WEIR_SECCOMP_EMPTYING:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 2, SCMP_A0 (SCMP_CMP_EQ, record),
                               SCMP_A1 (SCMP_CMP_EQ, 0));
    case WEIR_SECCOMP_EMPTYING_WIDE:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 3, SCMP_A0 (SCMP_CMP_EQ, record),
                               SCMP_CMP (WIDE_LENGTH, SCMP_CMP_EQ, 0),
                               SCMP_CMP (WIDE_LENGTH + 1, SCMP_CMP_EQ, 0));
    default:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 0);
    }
}

static int
add_rule (scmp_filter_ctx filter, const struct weir_seccomp_rule *rule,
          const struct weir_plan *plan)
{
  const int peer = plan->peer;
  int r = 0;

  switch (rule->condition)
    {
    case WEIR_SECCOMP_ALWAYS:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 0);
    case WEIR_SECCOMP_NOT_EXECUTABLE:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                               SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case WEIR_SECCOMP_GIVING_BACK:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                               SCMP_A2 (SCMP_CMP_EQ, MADV_DONTNEED));
    case WEIR_SECCOMP_ASKING:
      if (peer >= 0)
        r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                              SCMP_A0 (SCMP_CMP_EQ, (scmp_datum_t) peer));
      return r < 0 ? r
                   : seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                                       SCMP_A2 (SCMP_CMP_LE, REQUEST_SIZE));
    case WEIR_SECCOMP_READING:
      return seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                               SCMP_A2 (SCMP_CMP_MASKED_EQ, WRITES, 0));
    case WEIR_SECCOMP_REPORTING:
      return peer < 0 ? 0
                      : seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                                          SCMP_A0 (SCMP_CMP_EQ, (scmp_datum_t) peer));
    case WEIR_SECCOMP_TIMING:
      return !plan->tells ? 0
                          : seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 1,
                                              SCMP_A0 (SCMP_CMP_EQ, ITIMER_REAL));
    case WEIR_SECCOMP_GIVING_UP:
      return plan->ret_status == NULL ? 0
                                      : seccomp_rule_add (filter, SCMP_ACT_ALLOW, rule->call, 0);
    case WEIR_SECCOMP_WATCHING:
    case WEIR_SECCOMP_SWITCHING:
    case WEIR_SECCOMP_LOCKING:
    case WEIR_SECCOMP_EMPTYING:
    case WEIR_SECCOMP_EMPTYING_WIDE:
      return plan->accounting == NULL ? 0 : add_accounting_rule (filter, rule, plan->accounting);
    }
  return -EINVAL;
}

static int
fill (scmp_filter_ctx filter, const struct weir_plan *plan)
{
  int r;

  r = seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  /* It is set already, and verified; so the library need not. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_CTL_NNP, 0);
  for (size_t i = 0; i < weir_n_seccomp_rules && r == 0; i++)
    if ((weir_seccomp_rules[i].roles & 1U << plan->role) != 0)
      r = add_rule (filter, &weir_seccomp_rules[i], plan);
  return r;
}

int
weir_seccomp_load (const struct weir_plan *plan, struct weir_layers *layers)
{
  scmp_filter_ctx filter;
  int r;

  if ((plan->without & WEIR_LAYER_SECCOMP) != 0)
    return 0;
  filter = seccomp_init (SCMP_ACT_KILL_PROCESS);
  if (filter == NULL)
    return -ENOMEM;
  r = fill (filter, plan);
  if (r == 0)
    *(seccomp_load (filter) == 0 ? &layers->active : &layers->missing) |= WEIR_LAYER_SECCOMP;
  seccomp_release (filter);
  return r;
}
