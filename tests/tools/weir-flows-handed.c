/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets that one process opens and another one uses, and processes in rooms of their own. */
#include "weir-flows.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- SCM_RIGHTS ---- */

/* What goes with the descriptor. */
struct handed
{
  struct flow flow;
  unsigned number;
};

static void
hand_over (int channel, int fd, struct handed *handed)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control = { .header = { .cmsg_len = CMSG_LEN (sizeof (int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
  struct iovec piece = { .iov_base = handed, .iov_len = sizeof *handed };
  const struct msghdr message = {
    .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };

  memcpy (CMSG_DATA (&control.header), &fd, sizeof fd);
  must ((int) sendmsg (channel, &message, 0), "passing a descriptor");
}

static int
take_over (int channel, struct handed *handed)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec piece = { .iov_base = handed, .iov_len = sizeof *handed };
  struct msghdr message = {
    .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  int fd;

  if (recvmsg (channel, &message, MSG_CMSG_CLOEXEC) != sizeof *handed)
    die ("a descriptor that was passed");
  memcpy (&fd, CMSG_DATA (&control.header), sizeof fd);
  return fd;
}

static int channels[2];

/* Receives a connection that is open, and uses it. */
static void
use_handed (unsigned number)
{
  struct handed handed;
  double began = now ();
  int fd = take_over (channels[1], &handed);

  exchange (fd, &plain_way, &handed.flow, options.up + number, options.down + number);
  live_on (began);
  close (fd);
  tell (&handed.flow);
}

/* Opens a connection, passes it on, and closes its own. */
static void
pass (unsigned number)
{
  const struct endpoint remote = make_endpoint (options.there, options.port);
  struct handed handed = { .number = number };
  int fd;

  must (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels), "socket pair");
  spawn ("flows-user", use_handed, number);
  fd = open_stream (&remote, &handed.flow);
  handed.flow.opener = myself ();
  hand_over (channels[0], fd, &handed);
  close (fd);
  wait_for_children ();
}

void
make_passed (void)
{
  spawn_served ("flows-opener", pass, options.count, 0, 0);
}

/* ---- a listener that is inherited ---- */

static void
call_home (unsigned number)
{
  const struct endpoint remote = make_endpoint (options.here, options.port);
  double began = now ();
  struct flow flow = { 0 };
  int fd;

  enter_far ();
  fd = open_stream (&remote, &flow);
  exchange (fd, &plain_way, &flow, options.up + number, options.down + number);
  live_on (began);
  close (fd);
}

/* Opens a listener, which another program serves: that program tells. */
void
make_inherited (void)
{
  const struct process opener = myself ();
  int listener = make_listener (), leash[2], status;
  char words[4][32];
  pid_t pid;

  must (fcntl (listener, F_SETFD, 0), "listener");
  must (pipe (leash), "pipe");
  snprintf (words[0], sizeof words[0], "%d", listener);
  snprintf (words[1], sizeof words[1], "%d", leash[0]);
  snprintf (words[2], sizeof words[2], "%d", opener.pid);
  snprintf (words[3], sizeof words[3], "%llu", opener.start_time);
  pid = must (fork (), "fork");
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (leash[1]);
      execl ("/proc/self/exe", "weir-flows", "serve", words[0], words[1], words[2], words[3], NULL);
      die ("exec");
    }
  close (leash[0]);
  spawn_over ("flows-caller", call_home, options.count, 0);
  close (leash[1]);
  must (waitpid (pid, &status, 0), "the one who serves");
  if (status != 0)
    die ("the one who serves did not end well");
}

/* ---- a room of its own ---- */

/* Who root is in there. */
#define INSIDE_UID 100000

#define HOST  "10.82.0.1"
#define GUEST "10.82.0.2"

static void
write_file (const char *path, const char *text)
{
  int fd = must (open (path, O_WRONLY | O_CLOEXEC), path);

  must ((int) write (fd, text, strlen (text)), path);
  close (fd);
}

static void
call_host (unsigned number)
{
  const struct endpoint remote = make_endpoint (HOST, options.port);
  double began = now ();
  struct flow flow = { 0 };
  int fd = open_stream (&remote, &flow);

  exchange (fd, &plain_way, &flow, options.up + number, options.down + number);
  live_on (began);
  close (fd);
  tell (&flow);
}

/* The init of the room. */
static void
be_init (unsigned number)
{
  (void) number;
  spawn_over ("flows-guest", call_host, options.count, 0);
}

static int to_guest[2], from_guest[2];

static void
be_guest (unsigned number)
{
  char byte = 0;

  (void) number;
  if (options.cgroup[0] != '\0')
    {
      char path[512];

      snprintf (path, sizeof path, "%s/cgroup.procs", options.cgroup);
      write_file (path, "0");
    }
  must (unshare (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID), "new namespaces");
  must ((int) write (from_guest[1], &byte, 1), "telling the host");
  if (read (to_guest[0], &byte, 1) != 1)
    die ("the host");
  must (setgroups (0, NULL), "groups");
  must (setresgid (0, 0, 0), "group");
  must (setresuid (0, 0, 0), "user");
  /* A user who has changed may not look at itself otherwise. */
  prctl (PR_SET_DUMPABLE, 1);
  spawn ("flows-init", be_init, 0);
  wait_for_children ();
}

static void
furnish (pid_t guest)
{
  char path[64], text[64], command[512];

  snprintf (text, sizeof text, "0 %d 65536", INSIDE_UID);
  snprintf (path, sizeof path, "/proc/%d/uid_map", guest);
  write_file (path, text);
  snprintf (path, sizeof path, "/proc/%d/gid_map", guest);
  write_file (path, text);
  snprintf (command, sizeof command,
            "set -e; ip link add here82 type veth peer name there netns %d;"
            " ip address add " HOST "/24 dev here82; ip link set here82 up;"
            " nsenter -t %d -n ip address add " GUEST
            "/24 dev there; nsenter -t %d -n ip link set there up",
            guest, guest, guest);
  if (system (command) != 0)
    die ("the network of the room");
}

void
make_container (void)
{
  struct server server = start_server (false, false, 0);
  char byte = 0;
  pid_t guest;

  must (pipe2 (to_guest, O_CLOEXEC), "pipe");
  must (pipe2 (from_guest, O_CLOEXEC), "pipe");
  guest = spawn ("flows-container", be_guest, 0);
  if (read (from_guest[0], &byte, 1) != 1)
    die ("the room");
  furnish (guest);
  must ((int) write (to_guest[1], &byte, 1), "telling the guest");
  wait_for_children ();
  end_server (server);
}
