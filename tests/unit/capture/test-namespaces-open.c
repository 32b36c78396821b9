/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As root, among namespaces that root and ordinary users made. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "in-child.h"
#include "source-sockdiag.h"
#include "weir-clock.h"
#include "weir-namespaces-find.h"
#include "weir-namespaces-open.h"

/* A process in a namespace of its own, that listens at one port of all addresses. */
struct place
{
  pid_t pid;
  uint32_t inode;
  uint16_t port;
};

static uint32_t
inode_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/ns/net", (int) pid);
  struct stat info;

  return stat (path, &info) == 0 ? (uint32_t) info.st_ino : 0;
}

static _Noreturn void
live (uid_t uid, uint16_t port, int ready)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  int fd;

  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (uid != 0 && (setgroups (0, NULL) < 0 || setgid (uid) < 0 || setuid (uid) < 0))
    _exit (1);
  if (unshare (uid != 0 ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET) < 0)
    _exit (2);
  fd = socket (AF_INET, SOCK_STREAM, 0);
  if (port != 0 &&
      (bind (fd, (const struct sockaddr *) &address, sizeof address) < 0 || listen (fd, 1) < 0))
    _exit (3);
  if (write (ready, "", 1) != 1)
    _exit (4);
  for (;;)
    pause ();
}

/* @port 0: no socket. */
static bool
settle_in (struct place *place, uid_t uid, uint16_t port)
{
  int ends[2];
  char byte;
  bool lives;

  if (pipe (ends) < 0)
    return false;
  place->port = port;
  place->pid = fork ();
  if (place->pid == 0)
    live (uid, port, ends[1]);
  close (ends[1]);
  lives = read (ends[0], &byte, 1) == 1;
  close (ends[0]);
  place->inode = inode_of (place->pid);
  return lives;
}

static void
leave (struct place *place)
{
  kill (place->pid, SIGKILL);
  waitpid (place->pid, NULL, 0);
}

static const struct weir_opened_namespace *
find (const struct weir_opened_namespaces *namespaces, uint32_t inode)
{
  for (uint32_t i = 0; i < namespaces->n; i++)
    if (namespaces->items[i].inode == inode)
      return &namespaces->items[i];
  return NULL;
}

static void
close_all (const struct weir_opened_namespaces *namespaces)
{
  for (uint32_t i = 0; i < namespaces->n; i++)
    {
      close (namespaces->items[i].sock_diag);
      close (namespaces->items[i].sock_events);
      close (namespaces->items[i].route);
    }
}

static void
ignore (void *data)
{
}

static void
note_port (const struct weir_socket_reading *reading, enum weir_sockdiag_event event, void *data)
{
  GArray *ports = data;

  g_array_append_val (ports, reading->local.port);
}

/* Whether exactly the one port is seen through the descriptor. */
static bool
shows_only (int fd, uint16_t port)
{
  g_autoptr (GArray) ports = g_array_new (FALSE, FALSE, sizeof (uint16_t));
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  struct weir_sockdiag diag;

  weir_sockdiag_init (&diag, fd);
  if (weir_sockdiag_start (&diag) < 0)
    return false;
  while (weir_sockdiag_read (&diag, 8, ignore, note_port, ports) == 0)
    if (poll (&poll_fd, 1, 2000) != 1)
      return false;
  return diag.error == 0 && ports->len == 1 && g_array_index (ports, uint16_t, 0) == port;
}

static bool
is_well_made (int fd)
{
  int protocol = 0;
  socklen_t size = sizeof protocol;

  return fd >= 0 && fcntl (fd, F_GETFD) == FD_CLOEXEC && (fcntl (fd, F_GETFL) & O_NONBLOCK) != 0 &&
         getsockopt (fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         (protocol == NETLINK_SOCK_DIAG || protocol == NETLINK_ROUTE);
}

/* No more memory of the kernel than anybody may have: a namespace's own root can fill it. */
static bool
is_small (int fd)
{
  g_autofree char *text = NULL;
  socklen_t size = sizeof (int);
  int buffer = 0;

  /* What the kernel says is twice what was asked for (socket(7)). */
  return g_file_get_contents ("/proc/sys/net/core/rmem_max", &text, NULL, NULL) &&
         getsockopt (fd, SOL_SOCKET, SO_RCVBUF, &buffer, &size) == 0 &&
         buffer <= 2 * MIN (atoi (text), 512 * 1024);
}

static int
count_descriptors (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  int n = 0;

  while (g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

/* Root's namespaces and those of unprivileged users; each socket shows its own one, and this
 * process stays where it is. */
static int
open_both (void *data)
{
  struct weir_opened_namespaces namespaces;
  const uint32_t own = inode_of (getpid ());
  struct place places[2];
  int n_before;

  HOLDS (settle_in (&places[0], 0, 7001));
  HOLDS (settle_in (&places[1], 1000, 7002));
  n_before = count_descriptors ();
  HOLDS (weir_namespaces_open (own, UINT64_MAX, &namespaces) == 0);
  HOLDS (!namespaces.unfinished);
  HOLDS (inode_of (getpid ()) == own);
  HOLDS (find (&namespaces, own) == NULL);
  HOLDS (count_descriptors () == n_before + 3 * (int) namespaces.n);
  /* The child that did it is gone, and the two that live here are all. */
  HOLDS (waitpid (-1, NULL, WNOHANG) == 0);
  for (unsigned i = 0; i < 2; i++)
    {
      const struct weir_opened_namespace *opened = find (&namespaces, places[i].inode);

      HOLDS (opened != NULL);
      HOLDS (is_well_made (opened->sock_diag) && is_well_made (opened->sock_events) &&
             is_well_made (opened->route));
      HOLDS (is_small (opened->sock_diag) && is_small (opened->sock_events) &&
             is_small (opened->route));
      HOLDS (shows_only (opened->sock_diag, places[i].port));
      leave (&places[i]);
      /* It lives on as long as it is held. */
      HOLDS (!shows_only (opened->sock_diag, places[i].port));
    }
  HOLDS (waitpid (-1, NULL, WNOHANG) < 0 && errno == ECHILD);
  close_all (&namespaces);
  HOLDS (count_descriptors () == n_before);
  return 0;
}

/* One user's hundred namespaces take no place from root's, nor from another user's. */
static int
crowd (void *data)
{
  struct weir_opened_namespaces namespaces;
  const uint32_t own = inode_of (getpid ());
  const struct rlimit limit = { 256, 256 };
  static struct place crowd[100];
  struct place other, roots;

  /* As the engine has it. */
  HOLDS (setrlimit (RLIMIT_NOFILE, &limit) == 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (crowd); i++)
    HOLDS (settle_in (&crowd[i], 1000, 0));
  HOLDS (settle_in (&other, 1001, 7003));
  HOLDS (settle_in (&roots, 0, 7004));
  HOLDS (weir_namespaces_open (own, UINT64_MAX, &namespaces) == 0);
  HOLDS (namespaces.n == WEIR_OPENED_NAMESPACES_MAX);
  HOLDS (namespaces.n_left_out >= G_N_ELEMENTS (crowd) + 2 - WEIR_OPENED_NAMESPACES_MAX);
  HOLDS (find (&namespaces, other.inode) != NULL && find (&namespaces, roots.inode) != NULL);
  close_all (&namespaces);
  for (unsigned i = 0; i < G_N_ELEMENTS (crowd); i++)
    leave (&crowd[i]);
  leave (&other);
  leave (&roots);
  return 0;
}

/* More of one user's than are opened at all are not even remembered: they would take the places of
 * others. */
static int
hoard (void *data)
{
  const uint32_t own = inode_of (getpid ());
  static struct place hoard[WEIR_OPENED_NAMESPACES_MAX + 6];
  struct weir_found_namespaces found;
  unsigned n = 0;

  for (unsigned i = 0; i < G_N_ELEMENTS (hoard); i++)
    HOLDS (settle_in (&hoard[i], 1000, 0));
  HOLDS (weir_find_namespaces (own, UINT64_MAX, &found) == 0);
  HOLDS (!found.unfinished);
  for (uint32_t i = 0; i < found.n; i++)
    n += !found.items[i].is_system && found.items[i].owner == 1000;
  HOLDS (n == WEIR_OPENED_NAMESPACES_MAX);
  HOLDS (found.n_left_out >= 6);
  free (found.items);
  for (unsigned i = 0; i < G_N_ELEMENTS (hoard); i++)
    leave (&hoard[i]);
  return 0;
}

/* A user's many processes do not come before everybody else's first ones. */
static int
order (void *data)
{
  struct weir_namespaces_process processes[] = { { 10, 1000, 0 }, { 11, 1000, 0 }, { 12, 1000, 0 },
                                                 { 13, 1000, 0 }, { 20, 0, 0 },    { 21, 1001, 0 },
                                                 { 22, 0, 0 },    { 1, 0, 0 } };
  static const pid_t expected[] = { 1, 10, 21, 11, 20, 12, 22, 13 };

  weir_namespaces_order (processes, G_N_ELEMENTS (processes));
  for (unsigned i = 0; i < G_N_ELEMENTS (expected); i++)
    HOLDS (processes[i].pid == expected[i]);
  weir_namespaces_order (NULL, 0);
  return 0;
}

/* When the time is up before anything was looked at, that is said. */
static int
too_late (void *data)
{
  struct weir_opened_namespaces namespaces;
  struct place place;

  HOLDS (settle_in (&place, 0, 0));
  HOLDS (weir_namespaces_open (inode_of (getpid ()), weir_clock_now (), &namespaces) == 0);
  HOLDS (namespaces.n == 0 && namespaces.unfinished);
  leave (&place);
  HOLDS (waitpid (-1, NULL, WNOHANG) < 0 && errno == ECHILD);
  return 0;
}

/* Who is to be caught: a child more than there are now. */
struct trap
{
  unsigned n_before;
  gint over; /* nobody comes any more */
};

/* Its number; 0: nobody came. */
static pid_t
await_child (struct trap *trap)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int) getpid ());

  while (!g_atomic_int_get (&trap->over))
    {
      g_autofree char *text = NULL;
      g_auto (GStrv) children = NULL;

      if (!g_file_get_contents (path, &text, NULL, NULL))
        return 0;
      children = g_strsplit (g_strstrip (text), " ", -1);
      if (g_strv_length (children) > trap->n_before)
        return atoi (children[trap->n_before]);
    }
  return 0;
}

/* Holds it up once it has given up what it does not need, and tells what the kernel lets it do. */
static gpointer
hold_up (gpointer data)
{
  struct trap *trap = data;
  g_autofree char *path = NULL, *status = NULL;
  const char *found;
  pid_t pid;

  pid = await_child (trap);
  if (pid == 0)
    return NULL;
  path = g_strdup_printf ("/proc/%d/status", (int) pid);
  do
    {
      g_clear_pointer (&status, g_free);
      if (!g_file_get_contents (path, &status, NULL, NULL))
        return NULL;
    }
  while (strstr (status, "\nNoNewPrivs:\t1\n") == NULL && strstr (status, "\nState:\tZ") == NULL);
  if (kill (pid, SIGSTOP) < 0)
    return NULL;
  found = strstr (status, "\nCapPrm:\t");
  return found != NULL ? g_strndup (found + 9, 16) : NULL;
}

/* A child that does not come to its end is waited for no longer than it may take, and is gone
 * afterwards.  It holds what it takes to go into a namespace, and nothing else. */
static int
held_up (void *data)
{
  struct weir_opened_namespaces namespaces;
  const uint32_t own = inode_of (getpid ());
  static struct place places[100];

  /* Enough to do to be caught. */
  for (unsigned i = 0; i < G_N_ELEMENTS (places); i++)
    HOLDS (settle_in (&places[i], 1000, 0));
  for (unsigned tries = 0; tries < 50; tries++)
    {
      struct trap trap = { G_N_ELEMENTS (places), 0 };
      g_autofree char *capabilities = NULL;
      const uint64_t began = weir_clock_now ();
      GThread *thread = g_thread_new (NULL, hold_up, &trap);
      uint64_t took;

      HOLDS (weir_namespaces_open (own, UINT64_MAX, &namespaces) == 0);
      took = weir_clock_now () - began;
      g_atomic_int_set (&trap.over, 1);
      close_all (&namespaces);
      capabilities = g_thread_join (thread);
      if (capabilities == NULL || !namespaces.unfinished)
        continue;
      HOLDS (strcmp (capabilities, "0000000000280000") == 0);
      HOLDS (took < 5 * UINT64_C (1000000000));
      for (unsigned i = 0; i < G_N_ELEMENTS (places); i++)
        leave (&places[i]);
      HOLDS (waitpid (-1, NULL, WNOHANG) < 0 && errno == ECHILD);
      return 0;
    }
  return 1;
}

/* Processes that come and go while they are looked at: what is opened is what it is said to be. */
static int
haste (void *data)
{
  struct weir_opened_namespaces namespaces;
  const uint32_t own = inode_of (getpid ());
  pid_t pid = fork ();

  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      for (;;)
        {
          pid_t child = fork ();

          if (child == 0)
            _exit (unshare (CLONE_NEWNET));
          waitpid (child, NULL, 0);
        }
    }
  for (unsigned i = 0; i < 20; i++)
    {
      HOLDS (weir_namespaces_open (own, UINT64_MAX, &namespaces) == 0);
      for (uint32_t n = 0; n < namespaces.n; n++)
        HOLDS (namespaces.items[n].inode != own && namespaces.items[n].inode != 0);
      close_all (&namespaces);
    }
  kill (pid, SIGKILL);
  HOLDS (waitpid (pid, NULL, 0) == pid);
  return 0;
}

/* Without the capabilities nothing is tried. */
static int
as_user (void *data)
{
  struct weir_opened_namespaces namespaces;
  struct place place;

  HOLDS (settle_in (&place, 1000, 0));
  HOLDS (setgroups (0, NULL) == 0 && setgid (1000) == 0 && setuid (1000) == 0);
  HOLDS (weir_namespaces_open (1, UINT64_MAX, &namespaces) == 0);
  HOLDS (namespaces.n == 0 && namespaces.n_left_out == 0 && !namespaces.unfinished);
  leave (&place);
  return 0;
}

static void
test (gconstpointer data)
{
  g_assert_cmpint (in_child ((int (*) (void *)) data, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/namespaces-open/both", open_both, test);
  g_test_add_data_func ("/namespaces-open/crowd", crowd, test);
  g_test_add_data_func ("/namespaces-open/hoard", hoard, test);
  g_test_add_data_func ("/namespaces-open/order", order, test);
  g_test_add_data_func ("/namespaces-open/too-late", too_late, test);
  g_test_add_data_func ("/namespaces-open/held-up", held_up, test);
  g_test_add_data_func ("/namespaces-open/haste", haste, test);
  g_test_add_data_func ("/namespaces-open/user", as_user, test);
  return g_test_run ();
}
