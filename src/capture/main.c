/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * weir-engine: the only part of Weir that ever runs as root.
 *
 * It is started by the user directly (limited view) or through pkexec (full view); what it does is
 * the same, what it can see differs.  As root it opens a fixed set of descriptors, splits into
 * three processes and gives everything up, before it reads the first byte that somebody else chose,
 * with one exception: the handoff directory and its nonce, which it looks at with the caller's own
 * rights.
 *
 * Its standard descriptors are /dev/null; the exit code (enum weir_exit) tells the front end why it
 * ended.  It may be killed at any instruction: the one thing that it may change on this computer,
 * and only when it was started for that, is put back by a process that looks after the others
 * (weir-accounting.h).
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "weir-bpf-open.h"
#include "weir-caller.h"
#include "weir-clock.h"
#include "weir-config.h"
#include "weir-confine.h"
#include "weir-dial.h"
#include "weir-fork.h"
#include "weir-meter.h"
#include "weir-normalise.h"
#include "weir-open.h"
#include "weir-selftest.h"
#include "weir-slots.h"
#include "weir-users.h"

/* The meter is this very process: the pid that the front end spawned is the one that parses. */
static int
confine_meter (const struct weir_caller *caller, const struct weir_users *users, const int slots[2],
               struct weir_meter_setup *setup)
{
  const struct weir_descriptors *fds = &setup->fds;
  const int single[] = {
    fds->client,
    fds->sock_diag,
    fds->sock_events,
    fds->conntrack_dump,
    fds->conntrack_events,
    fds->route,
    fds->forwarding,
    fds->generic,
    fds->accounting,
    fds->keeper,
    fds->looker,
    fds->teller,
    fds->sock_exact,
    slots[0],
    slots[1],
    setup->bpf.ring,
    fds->proc_sockets[WEIR_PROC_RAW],
    fds->proc_sockets[WEIR_PROC_RAW6],
    fds->proc_sockets[WEIR_PROC_ICMP],
    fds->proc_sockets[WEIR_PROC_ICMP6],
  };
  int keep[sizeof single / sizeof single[0] +
           WEIR_OPENED_NAMESPACES_MAX * WEIR_DESCRIPTORS_PER_NAMESPACE];
  size_t n_keep = sizeof single / sizeof single[0];
  struct weir_plan plan;
  int r;

  weir_plan_make (WEIR_ROLE_METER, caller->elevated, caller->uid, users, 0, &plan);
  memcpy (keep, single, sizeof single);
  for (uint32_t i = 0; i < setup->namespaces.n; i++)
    {
      keep[n_keep++] = setup->namespaces.items[i].sock_diag;
      keep[n_keep++] = setup->namespaces.items[i].sock_events;
      keep[n_keep++] = setup->namespaces.items[i].route;
    }
  plan.keep = keep;
  plan.n_keep = n_keep;
  plan.strict = setup->config->strict != 0;
  r = weir_confine (&plan, &setup->processes[setup->n_processes]);
  /* A layer that is missing is what the meter then has to tell. */
  if (r == -EOPNOTSUPP)
    r = 0;
  if (r == 0)
    setup->n_processes++;
  return r;
}

/* Why an engine ends that got no slot. */
static int
explain_slot (int error)
{
  return error == -EUSERS ? WEIR_EXIT_RESOURCES : WEIR_EXIT_RUN_DIR;
}

int
main (int argc, char **argv)
{
  struct weir_config config;
  struct weir_meter_setup setup = { .config = &config };
  struct weir_origin origin;
  struct weir_caller caller;
  struct weir_users users;
  struct weir_accounting accounting;
  uint64_t deadline;
  int slots[2] = { -1, -1 };
  int code, r;

  weir_caller_note (&origin);
  if (weir_caller_inform (&origin, argc, argv))
    return WEIR_EXIT_DONE;
  if (weir_selftest_asked (&origin, argc, argv))
    return weir_selftest_run (argc, argv);

  /* 1. Normalise, and verify how it was started. */
  if (weir_normalise () < 0)
    return WEIR_EXIT_RESOURCES;
  if (weir_caller_verify (&origin, argc, argv, &caller) < 0)
    return WEIR_EXIT_USAGE;

  /* The administrator's word, before anything that the caller has chosen is touched. */
  weir_config_load (WEIR_CONFIG_DIR, caller.elevated, &config);

  /* One of the caller's own before the one step that a caller can make last long; one of those that
   * all share after it, so that nobody can hold that up. */
  if (caller.elevated &&
      (slots[0] = weir_slots_take_own ("/run", caller.uid, config.engines_per_user)) < 0)
    return explain_slot (slots[0]);

  /* 2. Dial. */
  r = weir_dial (&caller, &setup.fds.client, setup.nonce);
  if (r < 0)
    return r == -ENOTRECOVERABLE ? WEIR_EXIT_CONFINEMENT : WEIR_EXIT_HANDOFF;

  /* From now on the front end waits.  It is not to give up an engine that is about to serve, so the
   * engine gives up first. */
  deadline = weir_clock_after (WEIR_START_TIMEOUT_MS);

  if (caller.elevated && (slots[1] = weir_slots_take_shared ("/run")) < 0)
    return explain_slot (slots[1]);

  /* 3. Open. */
  if (weir_open (&setup, deadline) < 0)
    return WEIR_EXIT_CONFINEMENT;
  weir_bpf_open (&config, (enum weir_view) setup.view, deadline, &setup.bpf);
  code = weir_open_accounting (&caller, &setup, deadline, &config, &accounting);
  if (code != WEIR_EXIT_DONE)
    return code;
  if (weir_users_load ("/etc/passwd", caller.uid, &users) < 0 && caller.elevated)
    {
      weir_accounting_leave (&accounting);
      return WEIR_EXIT_CONFINEMENT;
    }

  /* 4. Fork; the helpers confine themselves. */
  code = weir_fork (&caller, &users, &setup, &accounting, deadline);
  if (code != WEIR_EXIT_DONE)
    return code;

  /* 5. Confine. */
  if (confine_meter (&caller, &users, slots, &setup) < 0)
    return WEIR_EXIT_CONFINEMENT;

  /* 6. Serve. */
  return weir_meter_run (&setup);
}
