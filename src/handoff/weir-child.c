/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-child-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "weir-listener.h"
#include "weir-watch.h"

/* Enough for what pkexec or a dying engine says; the rest is read and thrown away. */
#define STDERR_MAX 4096

/* f_type of pidfs (Linux 6.9): there a pidfd's inode number is that of one process for ever, before
 * it was the same for all. */
#define PIDFS_MAGIC 0x50494446

struct _WeirChild
{
  GObject parent_instance;

  pid_t pid;
  int pidfd;
  uid_t expected_uid;
  gboolean is_self;
  gboolean ended; /* exited was emitted */
  GMainContext *context;
  GSource *watch;
  GSource *readable;
  int stderr_fd;
  GString *stderr_bytes;
  char *stderr_text;
};

G_DEFINE_FINAL_TYPE (WeirChild, weir_child, G_TYPE_OBJECT)

enum
{
  EXITED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

/* Reads once; FALSE when there is nothing now, or never again. */
static gboolean
read_stderr (WeirChild *self)
{
  char bytes[STDERR_MAX];
  ssize_t n = read (self->stderr_fd, bytes, sizeof bytes);

  if (n < 0 && errno == EINTR)
    return TRUE;
  if (n < 0 && errno == EAGAIN)
    return FALSE;
  if (n <= 0)
    {
      weir_watch_clear (&self->readable);
      g_clear_fd (&self->stderr_fd, NULL);
      return FALSE;
    }
  g_string_append_len (self->stderr_bytes, bytes,
                       (gssize) MIN ((gsize) n, STDERR_MAX - self->stderr_bytes->len));
  return TRUE;
}

static gboolean
on_stderr (gint fd, GIOCondition condition, gpointer data)
{
  WeirChild *self = data;

  read_stderr (self);
  return self->readable != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* What waitid(2) told, in the form of waitpid(2). */
static int
wait_status_from_info (const siginfo_t *info)
{
  switch (info->si_code)
    {
    case CLD_EXITED:
      return W_EXITCODE (info->si_status, 0);
    case CLD_DUMPED:
      return W_EXITCODE (0, info->si_status) | WCOREFLAG;
    default:
      return W_EXITCODE (0, info->si_status);
    }
}

static gboolean
on_pidfd (gint fd, GIOCondition condition, gpointer data)
{
  g_autoptr (WeirChild) self = g_object_ref (WEIR_CHILD (data));
  siginfo_t info = { .si_pid = 0 };

  /* WNOWAIT: it stays a zombie, which keeps its number from being given to another process. */
  if (waitid (P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    {
      /* Somebody else in this process has reaped it: nothing is known any more. */
      g_warning ("waitid: %s", g_strerror (errno));
      info.si_pid = self->pid;
      info.si_code = CLD_KILLED;
      info.si_status = SIGKILL;
    }
  if (info.si_pid == 0)
    return G_SOURCE_CONTINUE;
  weir_watch_clear (&self->watch);
  /* Not until the end of file: a descendant may hold the other end open. */
  for (guint n = 0; n < 16 && self->stderr_fd >= 0 && read_stderr (self); n++)
    ;
  self->ended = TRUE;
  g_signal_emit (self, signals[EXITED], 0, wait_status_from_info (&info));
  return G_SOURCE_REMOVE;
}

/* A child that nobody is interested in any more: waits for its end without the object. */
static gboolean
on_orphan_exit (gint pidfd, GIOCondition condition, gpointer data)
{
  siginfo_t info = { .si_pid = 0 };

  if (waitid (P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
    return G_SOURCE_CONTINUE;
  close (pidfd);
  return G_SOURCE_REMOVE;
}

static void
let_go (WeirChild *self)
{
  int pidfd = g_steal_fd (&self->pidfd);
  siginfo_t info = { .si_pid = 0 };
  g_autoptr (GSource) reaper = NULL;

  if (pidfd < 0)
    return;
  if (self->is_self)
    {
      close (pidfd);
      return;
    }
  /* Refused when it runs as root: then closing its socket is what ends it. */
  if (pidfd_send_signal (pidfd, SIGKILL, NULL, 0) < 0 && errno != EPERM && errno != ESRCH)
    g_debug ("pidfd_send_signal: %s", g_strerror (errno));
  if (waitid (P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid != 0)
    {
      close (pidfd);
      return;
    }
  reaper = weir_watch_fd (self->context, pidfd, G_IO_IN, on_orphan_exit, NULL);
}

static void
weir_child_dispose (GObject *object)
{
  WeirChild *self = WEIR_CHILD (object);

  weir_watch_clear (&self->watch);
  weir_watch_clear (&self->readable);
  g_clear_fd (&self->stderr_fd, NULL);
  let_go (self);
  G_OBJECT_CLASS (weir_child_parent_class)->dispose (object);
}

static void
weir_child_finalize (GObject *object)
{
  WeirChild *self = WEIR_CHILD (object);

  g_string_free (self->stderr_bytes, TRUE);
  g_free (self->stderr_text);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (weir_child_parent_class)->finalize (object);
}

static void
weir_child_class_init (WeirChildClass *class)
{
  G_OBJECT_CLASS (class)->dispose = weir_child_dispose;
  G_OBJECT_CLASS (class)->finalize = weir_child_finalize;
  signals[EXITED] = g_signal_new ("exited", WEIR_TYPE_CHILD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
weir_child_init (WeirChild *self)
{
  self->pidfd = self->stderr_fd = -1;
  self->context = g_main_context_ref_thread_default ();
  self->stderr_bytes = g_string_new (NULL);
}

/* Nothing of this process goes along: the program may run with more rights than we have, and would
 * trust what it inherits. */
static int
spawn (const char *const *argv, const char *const *environment, int stderr_fd, pid_t *ret_pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t all, none;
  int r;

  sigfillset (&all);
  sigemptyset (&none);
  r = posix_spawn_file_actions_init (&actions);
  if (r != 0)
    return r;
  r = posix_spawnattr_init (&attributes);
  if (r != 0)
    {
      posix_spawn_file_actions_destroy (&actions);
      return r;
    }
  r = posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  if (r == 0)
    r = posix_spawnattr_setsigdefault (&attributes, &all);
  if (r == 0)
    r = posix_spawnattr_setsigmask (&attributes, &none);
  if (r == 0)
    r = posix_spawn_file_actions_adddup2 (&actions, stderr_fd, STDERR_FILENO);
  if (r == 0)
    r = posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (r == 0)
    r = posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (r == 0)
    r = posix_spawn_file_actions_addclosefrom_np (&actions, STDERR_FILENO + 1);
  if (r == 0)
    r = posix_spawn (ret_pid, argv[0], &actions, &attributes, (char *const *) argv,
                     (char *const *) environment);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return r;
}

/* A pipe whose ends are not 0, 1 or 2, in case this process was started without those. */
static gboolean
make_pipe (int *ret_read, int *ret_write)
{
  int ends[2];
  g_autofd int reading = -1, writing = -1;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return FALSE;
  reading = fcntl (ends[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  writing = fcntl (ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  close (ends[0]);
  close (ends[1]);
  if (reading < 0 || writing < 0 || fcntl (reading, F_SETFL, O_NONBLOCK) < 0)
    return FALSE;
  *ret_read = g_steal_fd (&reading);
  *ret_write = g_steal_fd (&writing);
  return TRUE;
}

/* A process that was started with SIGCHLD ignored has its children reaped by the kernel, and their
 * numbers given away while we still compare them. */
static void
keep_zombies (void)
{
  const struct sigaction by_default = { .sa_handler = SIG_DFL };
  struct sigaction current;

  if (sigaction (SIGCHLD, NULL, &current) == 0 &&
      (current.sa_handler == SIG_IGN || (current.sa_flags & SA_NOCLDWAIT) != 0))
    sigaction (SIGCHLD, &by_default, NULL);
}

/* Being called is all that it is for: by then the process has been reaped. */
static void
on_unwatched (GPid pid, gint wait_status, gpointer data)
{
}

WeirChild *
weir_child_spawn (const char *const *argv, const char *const *environment, uid_t expected_uid,
                  GError **error)
{
  g_autoptr (WeirChild) self = g_object_new (WEIR_TYPE_CHILD, NULL);
  g_autofd int writing = -1;
  pid_t pid;
  int r = 0;

  g_return_val_if_fail (argv != NULL && argv[0] != NULL && argv[0][0] == '/', NULL);
  g_return_val_if_fail (environment != NULL, NULL);

  keep_zombies ();
  if (!make_pipe (&self->stderr_fd, &writing))
    r = errno != 0 ? errno : EMFILE;
  if (r == 0)
    r = spawn (argv, environment, writing, &pid);
  if (r != 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR,
                   r == ENOENT ? WEIR_HANDOFF_ERROR_MISSING : WEIR_HANDOFF_ERROR_FAILED,
                   _ ("“%s” cannot be started: %s"), argv[0], g_strerror (r));
      return NULL;
    }
  /* Not reaped yet, hence no other process can have this number. */
  self->pidfd = pidfd_open (pid, 0);
  if (self->pidfd < 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                   _ ("“%s” cannot be watched: %s"), argv[0], g_strerror (errno));
      kill (pid, SIGKILL);
      g_child_watch_add (pid, on_unwatched, NULL);
      return NULL;
    }
  self->pid = pid;
  self->expected_uid = expected_uid;
  self->watch = weir_watch_fd (self->context, self->pidfd, G_IO_IN, on_pidfd, self);
  self->readable = weir_watch_fd (self->context, self->stderr_fd, G_IO_IN, on_stderr, self);
  return g_steal_pointer (&self);
}

WeirChild *
weir_child_new_self (void)
{
  WeirChild *self = g_object_new (WEIR_TYPE_CHILD, NULL);

  self->is_self = TRUE;
  self->pid = getpid ();
  self->expected_uid = geteuid ();
  self->pidfd = pidfd_open (self->pid, 0);
  return self;
}

void
weir_child_end_self (WeirChild *self, int wait_status)
{
  g_return_if_fail (WEIR_IS_CHILD (self) && self->is_self);

  if (self->ended)
    return;
  self->ended = TRUE;
  g_signal_emit (self, signals[EXITED], 0, wait_status);
}

pid_t
weir_child_get_pid (WeirChild *self)
{
  g_return_val_if_fail (WEIR_IS_CHILD (self), 0);
  return self->pid;
}

uid_t
weir_child_get_expected_uid (WeirChild *self)
{
  g_return_val_if_fail (WEIR_IS_CHILD (self), (uid_t) -1);
  return self->expected_uid;
}

gboolean
weir_child_is_alive (WeirChild *self)
{
  struct pollfd poll_fd;

  g_return_val_if_fail (WEIR_IS_CHILD (self), FALSE);
  if (self->ended)
    return FALSE;
  if (self->is_self)
    return TRUE;
  /* A pidfd is readable as soon as the process is a zombie. */
  poll_fd = (struct pollfd) { .fd = self->pidfd, .events = POLLIN };
  return self->pidfd >= 0 && poll (&poll_fd, 1, 0) == 0;
}

int
weir_child_compare_pidfd (WeirChild *self, int peer_pidfd)
{
  struct statfs own_fs, peer_fs;
  struct stat own, peer;

  g_return_val_if_fail (WEIR_IS_CHILD (self), 0);
  if (self->pidfd < 0 || fstatfs (self->pidfd, &own_fs) < 0 || fstatfs (peer_pidfd, &peer_fs) < 0 ||
      own_fs.f_type != PIDFS_MAGIC || peer_fs.f_type != PIDFS_MAGIC)
    return -1;
  if (fstat (self->pidfd, &own) < 0 || fstat (peer_pidfd, &peer) < 0)
    return -1;
  return own.st_dev == peer.st_dev && own.st_ino == peer.st_ino;
}

const char *
weir_child_get_stderr (WeirChild *self)
{
  g_return_val_if_fail (WEIR_IS_CHILD (self), "");
  g_free (self->stderr_text);
  self->stderr_text = g_utf8_make_valid (self->stderr_bytes->str, (gssize) self->stderr_bytes->len);
  return self->stderr_text;
}
