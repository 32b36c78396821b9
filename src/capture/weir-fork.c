/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why two helpers.  A process with CAP_NET_ADMIN on these sockets can delete every firewall rule;
 * one with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH can read every file and any process's memory.
 * Together they are nearly root.  Apart, the first has no capability over files and the second none
 * over the network, nor a netlink descriptor.  What more each cannot do is a matter of the layers
 * that CONFINEMENT names as active (weir-confine.c).
 *
 * A third one is there only while accounting is switched on: the keeper's twin, which has the
 * setting, the record, and a socket by which it sees the keeper die.  It is there and confined
 * before the keeper switches anything on.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-clock.h"
#include "weir-confine.h"
#include "weir-fork.h"
#include "weir-keeper.h"
#include "weir-looker.h"
#include "weir-strict.h"
#include "weir-teller.h"

struct helper
{
  struct weir_plan plan;
  int parent_end, child_end;
  int conntrack;     /* the keeper's; -1 for all others */
  uint64_t deadline; /* when nobody waits for its report any more */
  int other;         /* by which keeper and twin see each other's end, or -1 */
  const struct weir_teller_policy *policy; /* the teller's; NULL for all others */
};

/* A session may be ended by a signal to everybody in it.  Keeper and twin end when the meter has,
 * after they have put back what they switched on. */
static void
outlive_goodbyes (void)
{
  static const int goodbyes[] = { SIGHUP, SIGINT, SIGTERM };

  for (size_t i = 0; i < sizeof goodbyes / sizeof goodbyes[0]; i++)
    if (signal (goodbyes[i], SIG_IGN) == SIG_ERR)
      _exit (WEIR_EXIT_CONFINEMENT);
}

static void
serve (const struct helper *helper, struct weir_rights *rights)
{
  switch (helper->plan.role)
    {
    case WEIR_ROLE_KEEPER:
      weir_keeper_serve (helper->child_end, helper->conntrack, helper->other,
                         helper->plan.accounting, rights);
      break;
    case WEIR_ROLE_TWIN:
      weir_accounting_wait (helper->other);
      break;
    default:
      if (helper->policy != NULL)
        weir_teller_serve (helper->child_end, "/proc", helper->policy, rights);
      else
        weir_looker_serve (helper->child_end, rights);
    }
}

static _Noreturn void
run_helper (struct helper *helper, struct weir_meter_setup *setup)
{
  const struct weir_accounting *accounting = helper->plan.accounting;
  const struct weir_bpf_opened *programs = &setup->bpf;
  int keep[5 + WEIR_BPF_LINKS_MAX] = {
    helper->child_end,
    helper->conntrack,
    helper->other,
    accounting != NULL ? accounting->setting : -1,
    accounting != NULL ? accounting->record : -1,
  };
  struct weir_rights rights = { .status = -1 };
  size_t n_keep = 5;
  int r;

  /* Only the meter says HELLO. */
  explicit_bzero (setup->nonce, sizeof setup->nonce);
  if (accounting != NULL)
    outlive_goodbyes ();
  /* So that people tell the two apart. */
  if (helper->policy != NULL && prctl (PR_SET_NAME, "weir-teller") < 0)
    _exit (WEIR_EXIT_CONFINEMENT);

  /* The keeper does nothing with them but to have them: when it ends, the programs do. */
  if (helper->plan.role == WEIR_ROLE_KEEPER)
    for (uint32_t i = 0; i < programs->n_links; i++)
      keep[n_keep++] = programs->links[i];
  helper->plan.peer = helper->child_end;
  helper->plan.keep = keep;
  helper->plan.n_keep = n_keep;
  /* Who has something to give up later has to show that it did. */
  if (helper->plan.capabilities != 0 && accounting == NULL)
    helper->plan.ret_status = &rights.status;
  r = weir_confine (&helper->plan, &rights.process);
  if (r < 0 && r != -EOPNOTSUPP)
    _exit (WEIR_EXIT_CONFINEMENT);

  /* With the very rights that it will be put back with, so that nothing is switched on that could
   * not be.  Whether it worked is seen by who waits for the report. */
  if (r == 0 && helper->plan.role == WEIR_ROLE_KEEPER && accounting != NULL)
    (void) !weir_accounting_switch_on (accounting);
  if (send (helper->child_end, &rights.process, sizeof rights.process, MSG_NOSIGNAL) ==
          sizeof rights.process &&
      r == 0)
    serve (helper, rights.status >= 0 ? &rights : NULL);
  if (accounting != NULL)
    weir_accounting_leave (accounting);
  _exit (r == 0 ? WEIR_EXIT_DONE : WEIR_EXIT_STRICT);
}

static int
start_helper (struct helper *helper, struct weir_meter_setup *setup)
{
  int ends[2];
  pid_t pid;

  /* Packets, so that neither side ever has to find where a message begins. */
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return -errno;
  helper->parent_end = ends[0];
  helper->child_end = ends[1];
  if (fcntl (helper->parent_end, F_SETFL, O_NONBLOCK) < 0)
    return -errno;

  /* The death signal would leave nobody to put anything back: end of file ends these. */
  helper->plan.leash = helper->plan.accounting != NULL ? 0 : getpid ();
  pid = fork ();
  if (pid < 0)
    return -errno;
  if (pid == 0)
    run_helper (helper, setup);
  close (helper->child_end);
  helper->child_end = -1;
  return 0;
}

/* The helper reports before it has read anything from outside. */
static int
await_report (const struct helper *helper, struct weir_process_status *ret_process)
{
  struct pollfd poll_fd = { .fd = helper->parent_end, .events = POLLIN };
  struct weir_process_status process;
  ssize_t n;
  int r;

  /* One that comes too late is too late even if it is there: nobody waits for the HELLO then. */
  r = weir_clock_left (helper->deadline, WEIR_REPORT_TIMEOUT_MS);
  if (r > 0)
    r = poll (&poll_fd, 1, r);
  if (r <= 0)
    return r < 0 ? -errno : -ETIMEDOUT;
  n = recv (helper->parent_end, &process, sizeof process, MSG_TRUNC);
  if (n != sizeof process || process.role != helper->plan.role)
    return -EPROTO;
  *ret_process = process;
  return 0;
}

static int
await (struct helper *helper, struct weir_meter_setup *setup)
{
  const int r = await_report (helper, &setup->processes[setup->n_processes]);

  if (r < 0)
    return r == -ETIMEDOUT ? WEIR_EXIT_LATE : WEIR_EXIT_CONFINEMENT;
  setup->n_processes++;
  return WEIR_EXIT_DONE;
}

static int
run (struct helper *helper, struct weir_meter_setup *setup)
{
  return start_helper (helper, setup) < 0 ? WEIR_EXIT_RESOURCES : await (helper, setup);
}

/* Capabilities reach no further than the user namespace in which they are held.  Its number there
 * is fixed (PROC_USER_INIT_INO of the kernel). */
static bool
is_in_initial_namespace (void)
{
  struct stat info;

  return stat ("/proc/self/ns/user", &info) == 0 && info.st_ino == 0xEFFFFFFDU;
}

/* ---- the pair ---- */

/* What only keeper and twin may have is closed here before anybody else is made: neither would see
 * the other's end otherwise, nor anybody that their lock is free. */
static int
run_pair (struct helper *keeper, struct helper *twin, struct weir_meter_setup *setup,
          struct weir_accounting *accounting)
{
  char what[128];
  int ends[2], code;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return WEIR_EXIT_RESOURCES;
  keeper->plan.accounting = twin->plan.accounting = accounting;
  twin->other = ends[0];
  keeper->other = ends[1];

  code = run (twin, setup);
  if (code == WEIR_EXIT_DONE)
    code = run (keeper, setup);
  else
    /* Nobody has begun to switch it on: the record must not outlive this. */
    weir_accounting_leave (accounting);
  close (ends[0]);
  close (ends[1]);
  if (twin->parent_end >= 0)
    close (twin->parent_end);
  weir_accounting_close (accounting);
  if (code != WEIR_EXIT_DONE)
    return code;

  setup->counts = weir_accounting_read (setup->fds.accounting) == 1;
  /* A keeper that was too strict to switch it on: that is told by the meter. */
  if (keeper->plan.strict &&
      weir_strict_refuses (setup->processes, setup->n_processes, what, sizeof what))
    return WEIR_EXIT_DONE;
  return setup->counts ? WEIR_EXIT_DONE : WEIR_EXIT_REFUSED;
}

/* ---- the lookers ---- */

/* The group that whoever listens had when it began to; (gid_t) -1: not known. */
static gid_t
get_peer_group (int client)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.gid : (gid_t) -1;
}

/* What a process may have and still be no more than the caller: nothing, but for root; and but for
 * the right to wake the computer, which systemd (since 254) gives to everything that is started in
 * a session at the computer. */
static uint64_t
get_common_capabilities (const struct weir_caller *caller, uint64_t permitted)
{
  return WEIR_CAPABILITY (CAP_WAKE_ALARM) | (caller->elevated && caller->uid == 0 ? permitted : 0);
}

/* Both at once: each takes its time to confine itself.  The teller lists no descriptors, so that
 * the one capability is enough for it which shows where links lead. */
static int
run_lookers (struct helper *looker, struct helper *teller, struct weir_meter_setup *setup)
{
  int code = WEIR_EXIT_DONE;

  teller->plan = looker->plan;
  teller->plan.capabilities &= WEIR_CAPABILITY (CAP_SYS_PTRACE);
  teller->plan.tells = true;
  if (teller->policy->disclosure != WEIR_DISCLOSE_NOTHING && start_helper (teller, setup) < 0)
    return WEIR_EXIT_RESOURCES;
  if (start_helper (looker, setup) < 0)
    return WEIR_EXIT_RESOURCES;
  if (teller->parent_end >= 0)
    code = await (teller, setup);
  if (code == WEIR_EXIT_DONE)
    code = await (looker, setup);
  setup->fds.looker = looker->parent_end;
  setup->fds.teller = teller->parent_end;
  return code;
}

/* ---- the keeper ---- */

/* The keeper has them now, and nobody who is forked later does, nor the meter: who parses what
 * comes from outside could hand them on, or keep programs running that it says have ended. */
static void
leave_links (struct weir_bpf_opened *programs)
{
  for (uint32_t i = 0; i < programs->n_links; i++)
    close (programs->links[i]);
  programs->n_links = 0;
}

/* Without conntrack there is nothing to ask for, and no right to keep: it only has the links. */
static int
run_keepers (const struct weir_caller *caller, const struct weir_users *users, uint64_t permitted,
             const struct helper *none, struct weir_meter_setup *setup,
             struct weir_accounting *accounting)
{
  const bool strict = weir_config_or_defaults (setup->config)->strict != 0;
  struct helper keeper = *none, twin = *none;
  int code;

  keeper.conntrack = setup->fds.conntrack_dump;
  weir_plan_make (WEIR_ROLE_KEEPER, caller->elevated, caller->uid, users,
                  keeper.conntrack >= 0 ? permitted : 0, &keeper.plan);
  weir_plan_make (WEIR_ROLE_TWIN, caller->elevated, caller->uid, users, permitted, &twin.plan);
  keeper.plan.strict = twin.plan.strict = strict;
  code = accounting->setting >= 0 ? run_pair (&keeper, &twin, setup, accounting)
                                  : run (&keeper, setup);
  setup->fds.keeper = keeper.parent_end;
  leave_links (&setup->bpf);
  return code;
}

int
weir_fork (const struct weir_caller *caller, const struct weir_users *users,
           struct weir_meter_setup *setup, struct weir_accounting *accounting, uint64_t deadline)
{
  const struct weir_config *config = weir_config_or_defaults (setup->config);
  const struct helper none = {
    .parent_end = -1, .child_end = -1, .conntrack = -1, .deadline = deadline, .other = -1
  };
  struct weir_teller_policy policy = {
    .disclosure = weir_config_disclose_to_peer (config, caller->uid, setup->fds.client),
    .caller = caller->uid,
    .group = get_peer_group (setup->fds.client),
  };
  struct helper looker = none, teller = none;
  struct weir_capabilities now;
  int code;

  if (weir_capabilities_get (&now) < 0)
    return WEIR_EXIT_CONFINEMENT;
  policy.capabilities = get_common_capabilities (caller, now.permitted);

  setup->fds.keeper = -1;
  if (setup->fds.conntrack_dump >= 0 || setup->bpf.n_links > 0)
    {
      code = run_keepers (caller, users, now.permitted, &none, setup, accounting);
      if (code != WEIR_EXIT_DONE)
        return code;
    }

  setup->fds.looker = setup->fds.teller = -1;
  setup->tells_nothing =
      policy.disclosure == WEIR_DISCLOSE_NOTHING || (config->off & WEIR_OFF_OWNERS) != 0;
  if ((config->off & WEIR_OFF_OWNERS) != 0)
    return WEIR_EXIT_DONE;
  weir_plan_make (WEIR_ROLE_LOOKER, caller->elevated, caller->uid, users, now.permitted,
                  &looker.plan);
  looker.plan.strict = config->strict != 0;
  teller.policy = &policy;
  code = run_lookers (&looker, &teller, setup);
  if (code != WEIR_EXIT_DONE)
    return code;
  setup->looks_at_all_users = looker.plan.capabilities != 0 && is_in_initial_namespace ();
  if (!setup->looks_at_all_users)
    setup->view = WEIR_VIEW_LIMITED;
  return WEIR_EXIT_DONE;
}
