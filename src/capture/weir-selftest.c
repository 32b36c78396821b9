/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each act is tried in a process of its own, confined by the very functions that confine the
 * engine: once with the whole plan, which gives the verdict, and once with each layer alone, which
 * tells what that layer is worth.  A layer that others stand behind would otherwise never be seen
 * to work, and never to fail.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-capabilities.h"
#include "weir-confine.h"
#include "weir-rights.h"
#include "weir-selftest.h"
#include "weir-strict.h"

/* Layers that a plan can do without. */
#define FENCES                                                                                     \
  (WEIR_LAYER_EMPTY_ROOT | WEIR_LAYER_EMPTY_NAMESPACES | WEIR_LAYER_LANDLOCK | WEIR_LAYER_SECCOMP)

/* How long one act may take. */
#define PATIENCE_S 10

/* Exit code of a process that could not be confined; no errno is as large. */
#define STUCK 250

struct test
{
  bool elevated;
  uid_t caller;
  uint32_t without; /* what the whole plan is to do without */
  uint64_t permitted;
  bool given_up; /* helpers are tested as they are after they have given up their capabilities */
  struct weir_users users;
  struct weir_stage stage;
};

struct outcome
{
  bool denied;
  char how[32];
};

/* Keeper and looker, when they have given up what they had. */
static const char *const names_without[WEIR_N_ROLES] = {
  [WEIR_ROLE_KEEPER] = "holder", [WEIR_ROLE_LOOKER] = "reader"
};

static const char *
get_name (const struct test *test, enum weir_role role)
{
  return test->given_up ? names_without[role] : weir_role_names[role];
}

/* ---- processes ---- */

static void
make_plan (const struct test *test, enum weir_role role, uint32_t without, struct weir_plan *plan)
{
  weir_plan_make (role, test->elevated, test->caller, &test->users, test->permitted, plan);
  plan->without = without;
  /* The longest list that it may have. */
  if ((role == WEIR_ROLE_KEEPER && !test->given_up) || role == WEIR_ROLE_TWIN)
    plan->accounting = &test->stage.accounting;
  plan->leash = getppid ();
}

static int
confine (const struct test *test, struct weir_plan *plan, struct weir_process_status *ret_process)
{
  struct weir_rights rights = { .status = -1 };
  int r;

  plan->ret_status = &rights.status;
  r = weir_confine (plan, &rights.process);
  if (r == 0 && test->given_up)
    r = weir_rights_give_up (&rights);
  if (r == 0)
    close (rights.status);
  *ret_process = rights.process;
  return r;
}

/* Tries one act, in a process that is then gone. */
static _Noreturn void
act (const struct test *test, enum weir_role role, uint32_t without, const struct weir_act *what)
{
  const int keep[] = { test->stage.udp,
                       test->stage.ns,
                       test->stage.mount,
                       test->stage.accounting.setting,
                       test->stage.accounting.record,
                       test->stage.conntrack };
  struct weir_process_status process;
  struct weir_plan plan;

  alarm (PATIENCE_S);
  make_plan (test, role, without, &plan);
  plan.keep = keep;
  plan.n_keep = sizeof keep / sizeof keep[0];
  if (confine (test, &plan, &process) < 0)
    _exit (STUCK);
  _exit (what->try (&test->stage));
}

static int
run (const struct test *test, enum weir_role role, uint32_t without, const struct weir_act *what,
     struct outcome *ret_outcome)
{
  struct outcome outcome = { .denied = true };
  const char *name;
  pid_t pid;
  int status;

  pid = fork ();
  if (pid < 0)
    return -errno;
  if (pid == 0)
    act (test, role, without, what);
  if (waitpid (pid, &status, 0) != pid)
    return -errno;

  if (WIFSIGNALED (status))
    {
      /* Something that hangs, or was ended from outside, was not denied. */
      outcome.denied = WTERMSIG (status) == SIGSYS || WTERMSIG (status) == SIGSEGV ||
                       WTERMSIG (status) == SIGXFSZ;
      name = sigabbrev_np (WTERMSIG (status));
      snprintf (outcome.how, sizeof outcome.how, "SIG%s", name != NULL ? name : "?");
    }
  else if (WEXITSTATUS (status) == STUCK)
    return -EPERM;
  else
    {
      outcome.denied = WEXITSTATUS (status) != 0;
      name = outcome.denied ? strerrorname_np (WEXITSTATUS (status)) : "-";
      snprintf (outcome.how, sizeof outcome.how, "%s", name != NULL ? name : "?");
    }
  *ret_outcome = outcome;
  return 0;
}

/* A confined process that does nothing until the other end of its socket is closed. */
static _Noreturn void
park (const struct test *test, enum weir_role role, int fd)
{
  struct weir_process_status process = { 0 };
  struct weir_plan plan;
  char byte;

  make_plan (test, role, test->without, &plan);
  plan.peer = fd;
  plan.keep = &fd;
  plan.n_keep = 1;
  if (confine (test, &plan, &process) < 0)
    _exit (STUCK);
  if (send (fd, &process, sizeof process, MSG_NOSIGNAL) == sizeof process)
    (void) !recv (fd, &byte, 1, 0);
  _exit (0);
}

/* Returns its pid, and in @ret_fd what keeps it alive. */
static pid_t
start_parked (const struct test *test, enum weir_role role, struct weir_process_status *ret_process,
              int *ret_fd)
{
  int ends[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return -errno;
  pid = fork ();
  if (pid == 0)
    {
      close (ends[0]);
      park (test, role, ends[1]);
    }
  close (ends[1]);
  if (pid > 0 && recv (ends[0], ret_process, sizeof *ret_process, 0) == sizeof *ret_process)
    {
      *ret_fd = ends[0];
      return pid;
    }
  close (ends[0]);
  if (pid > 0)
    waitpid (pid, NULL, 0);
  return -EPERM;
}

/* ---- reporting ---- */

static void
print_layers (uint32_t layers)
{
  const char *separator = "";

  for (size_t i = 0; i < WEIR_N_LAYERS; i++)
    if ((layers & 1U << i) != 0)
      {
        printf ("%s%s", separator, weir_layer_names[i]);
        separator = ", ";
      }
  if (layers == 0)
    printf ("none");
}

static void
print_process (const struct test *test, const struct weir_process_status *process)
{
  printf (
      "%s: uid %u, capabilities %llx, active: ", get_name (test, (enum weir_role) process->role),
      process->uid, (unsigned long long) process->cap_permitted);
  print_layers (process->layers_active);
  printf ("; missing: ");
  print_layers (process->layers_missing);
  printf ("\n");
}

/* What denies @what even without any other layer: uid, capabilities and limits, which cannot be
 * left out, or a kernel that does not have it. */
static int
print_base (const struct test *test, enum weir_role role, const struct weir_act *what,
            const char *separator)
{
  struct outcome outcome;
  int r;

  r = run (test, role, FENCES, what, &outcome);
  if (r < 0 || !outcome.denied)
    return r;
  printf ("%s%s", separator,
          strcmp (outcome.how, "ENOSYS") == 0 || strcmp (outcome.how, "SIGSEGV") == 0
              ? "kernel"
              : "privileges");
  return 0;
}

/* Returns 1 when it was denied, 0 when it was not. */
static int
judge (const struct test *test, const struct weir_process_status *process,
       const struct weir_act *what)
{
  const enum weir_role role = (enum weir_role) process->role;
  struct outcome whole, alone, none;
  const char *separator = "";
  int r;

  r = run (test, role, test->without, what, &whole);
  if (r == 0)
    r = run (test, role, FENCES, what, &none);
  if (r < 0)
    return r;
  printf ("%-7s %-43s %-10s  %-12s  ", get_name (test, role), what->name,
          whole.denied ? "denied" : "NOT DENIED", whole.how);
  for (size_t i = 0; i < WEIR_N_LAYERS; i++)
    {
      const uint32_t layer = 1U << i;

      if ((layer & FENCES & process->layers_active) == 0)
        continue;
      r = run (test, role, FENCES & ~layer, what, &alone);
      if (r < 0)
        return r;
      /* Not what is denied by something else already, unless the layer is the one that says it. */
      if (!alone.denied || (none.denied && strcmp (alone.how, none.how) == 0))
        continue;
      printf ("%s%s", separator, weir_layer_names[i]);
      separator = ", ";
    }
  r = print_base (test, role, what, separator);
  printf ("\n");
  fflush (stdout);
  return r < 0 ? r : whole.denied;
}

/* ---- the whole ---- */

static bool
is_forbidden (const struct test *test, enum weir_role role, const struct weir_act *what)
{
  if (what->try == NULL || (what->roles & 1U << role) == 0 || (what->allowed && !test->given_up))
    return false;
  return !what->in_room || role != WEIR_ROLE_LOOKER || test->elevated;
}

/* Returns the number of acts that were not denied. */
static int
test_role (struct test *test, enum weir_role role, enum weir_role other)
{
  struct weir_process_status process, sibling;
  int fds[2] = { -1, -1 }, n = 0, r;
  pid_t pid, pids[2];

  pids[0] = start_parked (test, role, &process, &fds[0]);
  pids[1] = start_parked (test, other, &sibling, &fds[1]);
  r = pids[0] < 0 ? pids[0] : pids[1] < 0 ? pids[1] : 0;
  if (r == 0)
    {
      print_process (test, &process);
      test->stage.sibling = pids[1];
      for (size_t i = 0; i < weir_n_acts && r >= 0; i++)
        if (is_forbidden (test, role, &weir_acts[i]))
          {
            r = judge (test, &process, &weir_acts[i]);
            n += r == 0;
          }
    }
  for (size_t i = 0; i < 2; i++)
    {
      if (fds[i] >= 0)
        close (fds[i]);
      pid = pids[i];
      if (pid > 0)
        waitpid (pid, NULL, 0);
    }
  return r < 0 ? r : n;
}

static int
test_without (struct test *test)
{
  int n, r;

  test->given_up = true;
  n = r = test_role (test, WEIR_ROLE_KEEPER, WEIR_ROLE_LOOKER);
  if (r >= 0)
    r = test_role (test, WEIR_ROLE_LOOKER, WEIR_ROLE_KEEPER);
  test->given_up = false;
  return r < 0 ? r : n + r;
}

static int
test_all (struct test *test)
{
  static const enum weir_role pair[] = { WEIR_ROLE_KEEPER, WEIR_ROLE_TWIN };
  int n = 0, r;

  printf ("%s view\n", test->elevated ? "full" : "limited");
  r = test_role (test, WEIR_ROLE_METER, WEIR_ROLE_LOOKER);
  if (r >= 0)
    n += r;
  /* Nobody who could ask for a conntrack dump: no keeper, nor its twin. */
  for (size_t i = 0; i < sizeof pair / sizeof pair[0] && r >= 0 && test->elevated; i++)
    {
      r = test_role (test, pair[i], WEIR_ROLE_LOOKER);
      n += r > 0 ? r : 0;
    }
  if (r >= 0)
    {
      r = test_role (test, WEIR_ROLE_LOOKER, test->elevated ? WEIR_ROLE_KEEPER : WEIR_ROLE_METER);
      n += r > 0 ? r : 0;
    }
  if (r >= 0 && test->elevated)
    {
      r = test_without (test);
      n += r > 0 ? r : 0;
    }
  return r < 0 ? r : n;
}

static int
parse (int argc, char **argv, uint32_t *ret_without)
{
  uint32_t without = 0;

  for (int i = 2; i < argc; i += 2)
    {
      size_t layer = 0;

      if (strcmp (argv[i], "--without") != 0 || i + 1 == argc)
        return -EINVAL;
      while (layer < WEIR_N_LAYERS && strcmp (argv[i + 1], weir_layer_names[layer]) != 0)
        layer++;
      if (layer == WEIR_N_LAYERS || (1U << layer & FENCES) == 0)
        return -EINVAL;
      without |= 1U << layer;
    }
  *ret_without = without;
  return 0;
}

bool
weir_selftest_asked (const struct weir_origin *origin, int argc, char **argv)
{
  return argc >= 2 && strcmp (argv[1], "--self-test") == 0 && !origin->secure &&
         !origin->has_pkexec_uid && origin->real_uid == origin->effective_uid &&
         origin->real_uid == origin->saved_uid;
}

int
weir_selftest_run (int argc, char **argv)
{
  struct test test = { .elevated = geteuid () == 0, .caller = getuid () };
  struct weir_capabilities now;
  int r;

  if (parse (argc, argv, &test.without) < 0)
    {
      fputs ("weir-engine --self-test [--without LAYER]..., where LAYER is empty-root, "
             "empty-namespaces, landlock or seccomp\n",
             stderr);
      return WEIR_EXIT_USAGE;
    }
  /* Ignored, it would take the children's ends away. */
  signal (SIGCHLD, SIG_DFL);
  weir_users_load ("/etc/passwd", test.caller, &test.users);
  r = weir_capabilities_get (&now);
  if (r == 0)
    {
      test.permitted = now.permitted;
      r = weir_stage_make (&test.stage);
      if (r == 0)
        r = test_all (&test);
      weir_stage_clear (&test.stage);
    }
  if (r < 0)
    {
      printf ("the test could not be made: %s\n", strerror (-r));
      return WEIR_EXIT_RESOURCES;
    }
  if (r > 0)
    printf ("%d not denied\n", r);
  else
    printf ("all denied\n");
  return r == 0 && fflush (stdout) == 0 ? WEIR_EXIT_DONE : WEIR_EXIT_CONFINEMENT;
}
