/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filters, call by call.  What a whole process may still do is the self-test's to show. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-seccomp.h"

#define KILLED (256 + SIGSYS)
#define PEER   77

static const struct weir_accounting accounting = { 78, 79 };

/* One call, made under the filter of a role. */
struct attempt
{
  enum weir_role role;
  long call;
  long arguments[6];
  bool counts; /* with accounting in the plan */
  bool tells;  /* the looker that is the teller */
};

static bool
load_with (enum weir_role role, bool counts, bool tells)
{
  const struct weir_plan plan = {
    .role = role, .peer = PEER, .tells = tells, .accounting = counts ? &accounting : NULL
  };
  struct weir_layers layers = { 0 };

  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && weir_seccomp_load (&plan, &layers) == 0 &&
         layers.active == WEIR_LAYER_SECCOMP && layers.missing == 0;
}

static bool
load (enum weir_role role)
{
  return load_with (role, false, false);
}

/* 0: it came back, whatever it said. */
static int
make (void *data)
{
  const struct attempt *attempt = data;
  const long *a = attempt->arguments;

  HOLDS (load_with (attempt->role, attempt->counts, attempt->tells));
  syscall (attempt->call, a[0], a[1], a[2], a[3], a[4], a[5]);
  syscall (SYS_exit_group, 0);
  return 1;
}

static int
try (enum weir_role role, long call, long third)
{
  struct attempt attempt = { .role = role, .call = call, .arguments = { -1, -1, third } };

  return in_child (make, &attempt);
}

/* A number beyond the list, the list's own, and one of each kind in between. */
static void
test_kills (void)
{
  static const long calls[] = { SYS_socket,  SYS_execve,       SYS_clone,     SYS_ptrace,
                                SYS_ioctl,   SYS_fcntl,        SYS_kill,      SYS_prctl,
                                SYS_setuid,  SYS_write,        SYS_sendmsg,   SYS_dup3,
                                SYS_mkdirat, SYS_openat2,      SYS_prlimit64, SYS_getppid,
                                SYS_uname,   SYS_rt_sigreturn, 4095 };

  for (int role = 0; role < WEIR_N_ROLES; role++)
    for (size_t i = 0; i < G_N_ELEMENTS (calls); i++)
      g_assert_cmpint (try ((enum weir_role) role, calls[i], 0), ==, KILLED);
}

static void
test_roles (void)
{
  static const struct
  {
    long call;
    bool allowed[WEIR_N_ROLES]; /* meter, keeper, looker, twin */
  } cases[] = {
    { SYS_close, { true, true, true, true } },
    { SYS_sendto, { true, true, true, false } },
    { SYS_recvfrom, { true, true, true, true } },
    { SYS_recvmsg, { true, false, false, false } },
    { SYS_pread64, { true, true, true, true } },
    { SYS_read, { false, false, true, false } },
    { SYS_openat, { false, false, true, false } },
    { SYS_getdents64, { false, false, true, false } },
    { SYS_readlinkat, { false, false, true, false } },
    { SYS_getrandom, { true, false, false, false } },
    { SYS_getpid, { true, true, true, true } },
    { SYS_lseek, { false, false, true, false } },
    { SYS_mremap, { true, false, true, false } },
    { SYS_ppoll, { true, false, true, false } },
    { SYS_pwrite64, { false, false, false, false } },
    { SYS_flock, { false, false, false, false } },
    { SYS_ftruncate, { false, false, false, false } },
    { SYS_setitimer, { false, false, false, false } },
    /* Who has nothing to give up. */
    { SYS_capset, { false, false, false, false } },
    { SYS_capget, { false, false, false, false } },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int role = 0; role < WEIR_N_ROLES; role++)
      g_assert_cmpint (try ((enum weir_role) role, cases[i].call, 0), ==,
                       cases[i].allowed[role] ? 0 : KILLED);
}

static void
test_arguments (void)
{
  static const int reading[] = { O_RDONLY, O_RDONLY | O_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC,
                                 O_NOFOLLOW | O_NONBLOCK };
  static const int writing[] = { O_WRONLY,
                                 O_RDWR,
                                 O_ACCMODE,
                                 O_CREAT,
                                 O_TRUNC,
                                 O_TMPFILE,
                                 O_TMPFILE & ~O_DIRECTORY,
                                 O_DIRECTORY | O_CREAT };

  for (size_t i = 0; i < G_N_ELEMENTS (reading); i++)
    g_assert_cmpint (try (WEIR_ROLE_LOOKER, SYS_openat, reading[i]), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (writing); i++)
    g_assert_cmpint (try (WEIR_ROLE_LOOKER, SYS_openat, writing[i]), ==, KILLED);

  for (int role = 0; role < WEIR_N_ROLES; role++)
    {
      g_assert_cmpint (try ((enum weir_role) role, SYS_mmap, PROT_READ | PROT_WRITE), ==, 0);
      g_assert_cmpint (try ((enum weir_role) role, SYS_mmap, PROT_READ | PROT_EXEC), ==, KILLED);
      g_assert_cmpint (try ((enum weir_role) role, SYS_mprotect, PROT_READ), ==, 0);
      g_assert_cmpint (try ((enum weir_role) role, SYS_mprotect, PROT_EXEC), ==, KILLED);
      g_assert_cmpint (try ((enum weir_role) role, SYS_madvise, MADV_DONTNEED), ==, 0);
      g_assert_cmpint (try ((enum weir_role) role, SYS_madvise, MADV_HWPOISON), ==, KILLED);
    }
}

/* Two requests in one are more than the keeper sends to anybody but the meter. */
static void
test_keeper_sends (void)
{
  struct attempt attempt = { .role = WEIR_ROLE_KEEPER, .call = SYS_sendto };

  attempt.arguments[0] = 5;
  attempt.arguments[2] = 20;
  g_assert_cmpint (in_child (make, &attempt), ==, 0);
  attempt.arguments[2] = 21;
  g_assert_cmpint (in_child (make, &attempt), ==, KILLED);
  attempt.arguments[2] = 60;
  g_assert_cmpint (in_child (make, &attempt), ==, KILLED);
  attempt.arguments[2] = -1;
  g_assert_cmpint (in_child (make, &attempt), ==, KILLED);
  attempt.arguments[0] = PEER;
  attempt.arguments[2] = 4096;
  g_assert_cmpint (in_child (make, &attempt), ==, 0);
}

/* Everything else about the two descriptors, and these calls for any other, is the end. */
static void
test_accounting (void)
{
  static const struct
  {
    long call;
    long arguments[4];
    bool allowed;
  } cases[] = {
    { SYS_pwrite64, { 78, 0, 1, 0 }, true },
    { SYS_pwrite64, { 78, 0, 2, 0 }, false },
    { SYS_pwrite64, { 79, 0, 1, 0 }, false },
    { SYS_pwrite64, { PEER, 0, 1, 0 }, false },
    { SYS_flock, { 79, LOCK_EX | LOCK_NB }, true },
    { SYS_flock, { 79, LOCK_UN }, true },
    { SYS_flock, { 79, LOCK_EX }, false },
    { SYS_flock, { 79, LOCK_SH | LOCK_NB }, false },
    { SYS_flock, { 78, LOCK_EX | LOCK_NB }, false },
    { SYS_ftruncate, { 79, 0 }, true },
    { SYS_ftruncate, { 79, 1 }, false },
    { SYS_ftruncate, { 78, 0 }, false },
    { SYS_write, { 78, 0, 1 }, false },
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int role = 0; role < WEIR_N_ROLES; role++)
      {
        const bool may = role == WEIR_ROLE_KEEPER || role == WEIR_ROLE_TWIN;
        struct attempt attempt = { (enum weir_role) role, cases[i].call, { 0 }, true, false };

        memcpy (attempt.arguments, cases[i].arguments, sizeof cases[i].arguments);
        g_assert_cmpint (in_child (make, &attempt), ==, may && cases[i].allowed ? 0 : KILLED);
      }
}

/* Of the lookers only the teller has a deadline, and only the kind of timer that it uses. */
static void
test_teller_times (void)
{
  struct attempt attempt = { .role = WEIR_ROLE_LOOKER, .call = SYS_setitimer, .tells = true };

  attempt.arguments[0] = ITIMER_REAL;
  g_assert_cmpint (in_child (make, &attempt), ==, 0);
  attempt.arguments[0] = ITIMER_PROF;
  g_assert_cmpint (in_child (make, &attempt), ==, KILLED);
}

/* The twin tells the meter about itself, and nobody anything else. */
static void
test_twin_sends (void)
{
  struct attempt attempt = { .role = WEIR_ROLE_TWIN, .call = SYS_sendto, .arguments = { PEER } };

  g_assert_cmpint (in_child (make, &attempt), ==, 0);
  attempt.arguments[0] = PEER + 1;
  g_assert_cmpint (in_child (make, &attempt), ==, KILLED);
}

#ifdef __x86_64__
/* getpid of i386, and of x32. */
static int
foreign (void *data)
{
  long number = 20;

  HOLDS (load (WEIR_ROLE_METER));
  if (data != NULL)
    syscall (0x40000000 | SYS_getpid);
  else
    __asm__ volatile ("int $0x80" : "+a"(number) : : "memory");
  syscall (SYS_exit_group, 0);
  return 1;
}

static void
test_foreign (void)
{
  int x32 = 1;

  g_assert_cmpint (in_child (foreign, NULL), ==, KILLED);
  g_assert_cmpint (in_child (foreign, &x32), ==, KILLED);
}
#endif

/* What the C library does of its own accord. */
static int
allocate (void *data)
{
  enum weir_role role = *(const enum weir_role *) data;
  struct timespec now;
  void *blocks[1000];
  char *large = NULL;

  HOLDS (load (role));
  for (int round = 0; round < 3; round++)
    {
      for (size_t i = 0; i < G_N_ELEMENTS (blocks); i++)
        {
          blocks[i] = malloc (i * 100 + 1);
          HOLDS (blocks[i] != NULL);
          memset (blocks[i], 1, i * 100 + 1);
        }
      for (size_t i = 0; i < G_N_ELEMENTS (blocks); i++)
        free (blocks[i]);
    }
  if (role != WEIR_ROLE_KEEPER && role != WEIR_ROLE_TWIN)
    for (size_t size = 1 << 16; size < 1 << 25; size *= 2)
      {
        char *larger = realloc (large, size);

        HOLDS (larger != NULL);
        large = larger;
        large[size - 1] = 1;
      }
  free (large);
  HOLDS (clock_gettime (CLOCK_BOOTTIME, &now) == 0);
  HOLDS (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return 0;
}

static void
test_allocate (void)
{
  for (int i = 0; i < WEIR_N_ROLES; i++)
    {
      enum weir_role role = (enum weir_role) i;

      g_assert_cmpint (in_child (allocate, &role), ==, 0);
    }
}

/* A poll goes on after the process was stopped: that is restart_syscall(2). */
static int
wait_a_second (void *data)
{
  struct pollfd nothing = { .fd = -1 };

  HOLDS (load (WEIR_ROLE_METER));
  HOLDS (poll (&nothing, 1, 1000) == 0);
  return 0;
}

static void
test_stopped (void)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (wait_a_second (NULL));
  for (int i = 0; i < 3; i++)
    {
      g_usleep (200000);
      g_assert_cmpint (kill (pid, SIGSTOP), ==, 0);
      g_assert_cmpint (waitpid (pid, &status, WUNTRACED), ==, pid);
      g_assert_true (WIFSTOPPED (status));
      g_assert_cmpint (kill (pid, SIGCONT), ==, 0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static int
without (void *data)
{
  static const struct weir_plan plan = { .without = WEIR_LAYER_SECCOMP };
  struct weir_layers layers = { 0 };

  HOLDS (weir_seccomp_load (&plan, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == 0);
  HOLDS (socket (AF_INET, SOCK_DGRAM, 0) >= 0);
  return 0;
}

/* An ordinary user's process that may still gain privileges gets no filter. */
static int
refused (void *data)
{
  static const struct weir_plan plan = { .role = WEIR_ROLE_METER };
  struct weir_layers layers = { 0 };

  HOLDS (setresuid (1000, 1000, 1000) == 0);
  HOLDS (weir_seccomp_load (&plan, &layers) == 0);
  HOLDS (layers.active == 0 && layers.missing == WEIR_LAYER_SECCOMP);
  return 0;
}

static void
test_absent (void)
{
  g_assert_cmpint (in_child (without, NULL), ==, 0);
  g_assert_cmpint (in_child (refused, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seccomp/kills", test_kills);
  g_test_add_func ("/seccomp/roles", test_roles);
  g_test_add_func ("/seccomp/arguments", test_arguments);
  g_test_add_func ("/seccomp/keeper-sends", test_keeper_sends);
  g_test_add_func ("/seccomp/accounting", test_accounting);
  g_test_add_func ("/seccomp/teller-times", test_teller_times);
  g_test_add_func ("/seccomp/twin-sends", test_twin_sends);
#ifdef __x86_64__
  g_test_add_func ("/seccomp/foreign", test_foreign);
#endif
  g_test_add_func ("/seccomp/allocate", test_allocate);
  g_test_add_func ("/seccomp/stopped", test_stopped);
  g_test_add_func ("/seccomp/absent", test_absent);
  return g_test_run ();
}
