/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a looker says of network namespaces, asked as the meter asks it. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weir-looker.h"

/* A looker, and a process in a namespace of its own. */
struct fixture
{
  int fd;
  pid_t looker, stranger;
  uint32_t inode;
  GArray *answers;
  struct weir_looker_answer end;
};

static uint32_t
inode_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/net", (int) pid);
  struct stat info;

  return stat (path, &info) == 0 ? (uint32_t) info.st_ino : 0;
}

static int
bound_socket (int type, uint16_t port)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons (port) };
  int fd = socket (AF_INET6, type, 0);

  return fd >= 0 && bind (fd, (const struct sockaddr *) &address, sizeof address) == 0 ? fd : -1;
}

/* A listener at port 7000, a connection to it, and a datagram socket at 7001. */
static bool
make_sockets (void)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
                            .sin_port = htons (7000),
                            .sin_addr = { htonl (INADDR_LOOPBACK) } };
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  int listener = bound_socket (SOCK_STREAM, 7000), client = socket (AF_INET, SOCK_STREAM, 0);

  return listener >= 0 && client >= 0 && bound_socket (SOCK_DGRAM, 7001) >= 0 &&
         ioctl (client, SIOCSIFFLAGS, &request) == 0 && listen (listener, 1) == 0 &&
         connect (client, (const struct sockaddr *) &to, sizeof to) == 0 &&
         accept (listener, NULL, NULL) >= 0;
}

static _Noreturn void
be_stranger (int ready)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  prctl (PR_SET_NAME, "stranger");
  if (unshare (CLONE_NEWNET) < 0 || !make_sockets () || write (ready, "", 1) != 1)
    _exit (1);
  for (;;)
    pause ();
}

static void
set_up (struct fixture *fixture, const void *data)
{
  int ends[2], ready[2];
  char byte;

  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  fixture->stranger = fork ();
  if (fixture->stranger == 0)
    be_stranger (ready[1]);
  close (ready[1]);
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  fixture->inode = inode_of (fixture->stranger);

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
  fixture->looker = fork ();
  if (fixture->looker == 0)
    {
      close (ends[0]);
      _exit (weir_looker_serve (ends[1], NULL) == 0 ? 0 : 1);
    }
  close (ends[1]);
  fixture->fd = ends[0];
  fixture->answers = g_array_new (FALSE, FALSE, sizeof (struct weir_looker_answer));
}

static void
tear_down (struct fixture *fixture, const void *data)
{
  int status;

  /* First, because it may have inherited the looker's leash. */
  kill (fixture->stranger, SIGKILL);
  waitpid (fixture->stranger, NULL, 0);
  close (fixture->fd);
  g_assert_cmpint (waitpid (fixture->looker, &status, 0), ==, fixture->looker);
  g_assert_cmpint (status, ==, 0);
  g_array_unref (fixture->answers);
}

static void
ask (struct fixture *fixture, enum weir_looker_verb verb, uint64_t one, uint64_t two)
{
  g_autofree struct weir_looker_request *request = g_new0 (struct weir_looker_request, 1);

  request->verb = verb;
  request->serial = 7;
  if (verb == WEIR_LOOKER_SOCKETS)
    request->n_values = 2;
  request->values[0] = one;
  request->values[1] = two;
  g_array_set_size (fixture->answers, 0);
  g_assert_cmpint (send (fixture->fd, request, sizeof *request, 0), ==, sizeof *request);
  for (;;)
    {
      struct pollfd poll_fd = { .fd = fixture->fd, .events = POLLIN };

      g_assert_cmpint (poll (&poll_fd, 1, 5000), ==, 1);
      g_assert_cmpint (recv (fixture->fd, &fixture->end, sizeof fixture->end, 0), ==,
                       sizeof fixture->end);
      g_assert_cmpuint (fixture->end.serial, ==, 7);
      if (fixture->end.verb == 0)
        return;
      g_assert_cmpuint (fixture->end.verb, ==, verb);
      g_array_append_val (fixture->answers, fixture->end);
    }
}

static const struct weir_looker_answer *
seen (struct fixture *fixture, uint32_t inode)
{
  for (guint i = 0; i < fixture->answers->len; i++)
    {
      struct weir_looker_answer *answer =
          &g_array_index (fixture->answers, struct weir_looker_answer, i);

      if (answer->value == inode)
        return answer;
    }
  return NULL;
}

/* Each namespace once, with a process that is in it. */
static void
test_namespaces (struct fixture *fixture, const void *data)
{
  const struct weir_looker_answer *answer;

  ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
  g_assert_cmpuint (fixture->end.unfinished, ==, 0);
  g_assert_cmpuint (fixture->end.unreadable, ==, 0);
  answer = seen (fixture, fixture->inode);
  g_assert_nonnull (answer);
  g_assert_cmpuint (answer->pid, ==, fixture->stranger);
  g_assert_cmpstr (answer->comm, ==, "stranger");
  g_assert_cmpuint (answer->uid, ==, 0);
  g_assert_cmpuint (answer->start_time, !=, 0);
  g_assert_nonnull (seen (fixture, inode_of (getpid ())));
  for (guint i = 0; i < fixture->answers->len; i++)
    g_assert_true (
        seen (fixture,
              (uint32_t) g_array_index (fixture->answers, struct weir_looker_answer, i).value) ==
        &g_array_index (fixture->answers, struct weir_looker_answer, i));

  /* When nobody is in it any more, it is not told any more. */
  kill (fixture->stranger, SIGKILL);
  waitpid (fixture->stranger, NULL, 0);
  ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
  g_assert_null (seen (fixture, fixture->inode));
}

static guint
count (struct fixture *fixture, uint8_t protocol, uint16_t local_port, uint8_t state)
{
  guint n = 0;

  for (guint i = 0; i < fixture->answers->len; i++)
    {
      const struct weir_looker_answer *answer =
          &g_array_index (fixture->answers, struct weir_looker_answer, i);

      g_assert_cmpuint (answer->n_sockets, <=, WEIR_LOOKER_SOCKETS_PER_ANSWER);
      for (guint j = 0; j < answer->n_sockets; j++)
        n += answer->sockets[j].protocol == protocol &&
             answer->sockets[j].local_port == local_port && answer->sockets[j].state == state &&
             answer->sockets[j].inode != 0;
    }
  return n;
}

/* Listener, both ends of a connection, and a datagram socket; nothing of any other namespace. */
static void
test_sockets (struct fixture *fixture, const void *data)
{
  guint n = 0;

  ask (fixture, WEIR_LOOKER_SOCKETS, fixture->inode, (uint64_t) fixture->stranger);
  g_assert_cmpuint (fixture->end.unfinished, ==, 0);
  g_assert_cmpuint (fixture->end.unreadable, ==, 0);
  for (guint i = 0; i < fixture->answers->len; i++)
    n += g_array_index (fixture->answers, struct weir_looker_answer, i).n_sockets;
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpuint (count (fixture, IPPROTO_TCP, 7000, 10), ==, 1);
  g_assert_cmpuint (count (fixture, IPPROTO_TCP, 7000, 1), ==, 1);
  g_assert_cmpuint (count (fixture, IPPROTO_UDP, 7001, 7), ==, 1);
}

/* A process that is not in it, or nobody, shows nothing. */
static void
test_elsewhere (struct fixture *fixture, const void *data)
{
  const uint64_t pids[] = { (uint64_t) getpid (), INT32_MAX };

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++)
    {
      ask (fixture, WEIR_LOOKER_SOCKETS, fixture->inode, pids[i]);
      g_assert_cmpuint (fixture->answers->len, ==, 0);
      g_assert_cmpuint (fixture->end.unreadable, !=, 0);
    }
}

/* A process that goes to another network namespace when it is told to: @to, or a new one when that
 * is negative. */
static pid_t
start_mover (int to, int *ret_command, int *ret_answer)
{
  int command[2], answer[2];
  pid_t pid;
  char byte;

  g_assert_cmpint (pipe2 (command, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (answer, O_CLOEXEC), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      close (command[1]);
      if (read (command[0], &byte, 1) != 1 ||
          (to >= 0 ? setns (to, CLONE_NEWNET) : unshare (CLONE_NEWNET)) < 0 ||
          write (answer[1], "", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  close (command[0]);
  close (answer[1]);
  *ret_command = command[1];
  *ret_answer = answer[0];
  return pid;
}

static void
move (int command, int answer)
{
  char byte;

  g_assert_cmpint (write (command, "", 1), ==, 1);
  g_assert_cmpint (read (answer, &byte, 1), ==, 1);
  close (command);
  close (answer);
}

static void
end_process (pid_t pid)
{
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
walk_often (struct fixture *fixture)
{
  for (guint i = 0; i < 8; i++)
    {
      ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
      g_assert_cmpuint (fixture->end.unfinished, ==, 0);
      g_assert_nonnull (seen (fixture, fixture->inode));
      g_assert_nonnull (seen (fixture, inode_of (getpid ())));
    }
}

/* Who has stayed long in one namespace and then makes another is found after a few walks. */
static void
test_late_move (struct fixture *fixture, const void *data)
{
  int command, answer;
  pid_t mover = start_mover (-1, &command, &answer);
  gboolean found = FALSE;

  walk_often (fixture);
  move (command, answer);
  for (guint i = 0; i < 4 && !found; i++)
    {
      ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
      found = seen (fixture, inode_of (mover)) != NULL;
    }
  g_assert_true (found);
  g_assert_cmpuint (seen (fixture, inode_of (mover))->pid, ==, mover);
  end_process (mover);
}

/* Two walks in a row never miss a namespace into which somebody went long after it began. */
static void
test_heir (struct fixture *fixture, const void *data)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/net", (int) fixture->stranger);
  int command, answer, place = open (path, O_RDONLY | O_CLOEXEC);
  guint missed = 0;
  pid_t mover;

  g_assert_cmpint (place, >=, 0);
  for (guint i = 0; i < 4; i++)
    {
      /* One of them has its turn last, whatever its number. */
      mover = start_mover (place, &command, &answer);
      walk_often (fixture);
      move (command, answer);
      end_process (fixture->stranger);
      for (guint j = 0; j < 6; j++)
        {
          ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
          missed = seen (fixture, fixture->inode) != NULL ? 0 : missed + 1;
          g_assert_cmpuint (missed, <, 2);
        }
      g_assert_cmpuint (missed, ==, 0);
      fixture->stranger = mover;
    }
  close (place);
}

/* The number of a process that has ended is another's, which is elsewhere. */
static void
test_same_number (struct fixture *fixture, const void *data)
{
  int command, answer, control = open ("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
  pid_t first = start_mover (-1, &command, &answer), second;
  g_autofree char *last = g_strdup_printf ("%d", (int) first - 1);

  walk_often (fixture);
  close (command);
  close (answer);
  end_process (first);
  g_assert_cmpint (control, >=, 0);
  g_assert_cmpint (write (control, last, strlen (last)), ==, strlen (last));
  close (control);
  second = start_mover (-1, &command, &answer);
  g_assert_cmpint (second, ==, first);
  move (command, answer);
  ask (fixture, WEIR_LOOKER_NAMESPACES, 0, 0);
  g_assert_nonnull (seen (fixture, inode_of (second)));
  end_process (second);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add (name, struct fixture, NULL, set_up, func, tear_down)
  ADD ("/looker-namespaces/namespaces", test_namespaces);
  ADD ("/looker-namespaces/late-move", test_late_move);
  ADD ("/looker-namespaces/heir", test_heir);
  ADD ("/looker-namespaces/same-number", test_same_number);
  ADD ("/looker-namespaces/sockets", test_sockets);
  ADD ("/looker-namespaces/elsewhere", test_elsewhere);
#undef ADD
  return g_test_run ();
}
