/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why the programs are not there, and what then is. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "in-child.h"
#include "weir-bpf-cgroups.h"
#include "weir-bpf-open.h"

static const struct weir_config config = { .bpf_flows_max = WEIR_BPF_FLOWS_MIN };

static bool
is_empty (const struct weir_bpf_opened *opened)
{
  return opened->state == WEIR_SOURCE_UNAVAILABLE && opened->slots == NULL &&
         opened->n_slots == 0 && opened->ring == -1 && opened->n_links == 0;
}

static void
test_switched_off (void)
{
  const struct weir_config off = { .off = WEIR_OFF_BPF, .bpf_flows_max = WEIR_BPF_FLOWS_MIN };
  struct weir_bpf_opened opened;

  weir_bpf_open (&off, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  g_assert_true (is_empty (&opened));
  g_assert_cmpuint (opened.reason, ==, WEIR_REASON_CONFIG);
  weir_bpf_close (&opened);
}

/* Not even looked for. */
static void
test_limited_view (void)
{
  struct weir_bpf_opened opened;

  weir_bpf_open (&config, WEIR_VIEW_LIMITED, UINT64_MAX, &opened);
  g_assert_true (is_empty (&opened));
  g_assert_cmpuint (opened.reason, ==, WEIR_REASON_NEEDS_FULL_VIEW);
  weir_bpf_close (&opened);
}

static void
test_here (void)
{
  struct weir_bpf_opened opened;

  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  g_assert_cmpuint (opened.state, !=, WEIR_SOURCE_UNAVAILABLE);
  g_assert_cmpint (opened.error, ==, 0);
  g_assert_cmpuint (opened.n_slots, ==, WEIR_BPF_FLOWS_MIN);
  g_assert_cmpuint (opened.n_links, ==, 12 + opened.n_interfaces);
  for (uint32_t i = 0; i < opened.n_links; i++)
    g_assert_cmpint (fcntl (opened.links[i], F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (opened.ring, F_GETFD), ==, FD_CLOEXEC);
  weir_bpf_close (&opened);
  g_assert_true (is_empty (&opened));
}

/* Everything that was opened before is closed again. */
static int
be_nobody (void *data)
{
  struct weir_bpf_opened opened;
  int first_free;

  HOLDS (setresgid (65534, 65534, 65534) == 0 && setresuid (65534, 65534, 65534) == 0);
  first_free = dup (0);
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (is_empty (&opened));
  HOLDS (opened.reason == WEIR_REASON_NO_RIGHT);
  HOLDS (opened.error == EPERM || opened.error == EACCES);
  HOLDS (opened.said[0] != '\0');
  HOLDS (dup (0) == first_free + 1);
  return 0;
}

/* The start of the engine has to come to an end. */
static void
test_late (void)
{
  struct weir_bpf_opened opened;
  const int first_free = dup (0);

  weir_bpf_open (&config, WEIR_VIEW_FULL, 0, &opened);
  g_assert_true (is_empty (&opened));
  g_assert_cmpint (opened.reason, ==, WEIR_REASON_TOO_SLOW);
  g_assert_cmpint (opened.error, ==, ETIMEDOUT);
  g_assert_cmpint (dup (0), ==, first_free + 1);
}

static void
test_refused (void)
{
  g_assert_cmpint (in_child (be_nobody, NULL), ==, 0);
}

/* Whatever is mounted, in a mount namespace of its own. */
static bool
unmount_groups (void)
{
  const char *rest;
  char path[4096];
  gchar *mounts;

  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      !g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL))
    return false;
  rest = mounts;
  while (weir_bpf_cgroups_next (&rest, path, sizeof path))
    (void) umount2 (path, MNT_DETACH);
  g_free (mounts);
  return true;
}

static int
have_no_groups (void *data)
{
  struct weir_bpf_opened opened;

  HOLDS (unmount_groups ());
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (is_empty (&opened));
  HOLDS (opened.reason == WEIR_REASON_NO_CGROUPS);
  return 0;
}

static void
test_no_groups (void)
{
  g_assert_cmpint (in_child (have_no_groups, NULL), ==, 0);
}

/* Mounted at an unusual place, whole or in part, as in a container. */
static int
have_groups_elsewhere (void *data)
{
  struct weir_bpf_opened opened;
  bool whole;
  int top;

  HOLDS (unmount_groups ());
  HOLDS (mkdir ("/run/odd place", 0700) == 0);
  HOLDS (mount ("none", "/run/odd place", "cgroup2", 0, NULL) == 0);
  top = weir_bpf_cgroups_open (&whole);
  HOLDS (top >= 0 && whole);
  close (top);
  HOLDS (mkdir ("/run/odd place/weir-test-part", 0700) == 0);
  HOLDS (mkdir ("/run/part", 0700) == 0);
  HOLDS (mount ("/run/odd place/weir-test-part", "/run/part", NULL, MS_BIND, NULL) == 0);
  HOLDS (umount2 ("/run/odd place", MNT_DETACH) == 0);
  weir_bpf_open (&config, WEIR_VIEW_FULL, UINT64_MAX, &opened);
  HOLDS (opened.state == WEIR_SOURCE_DEGRADED);
  HOLDS (opened.reason == WEIR_REASON_PART_OF_CGROUPS);
  HOLDS (opened.n_links >= 12);
  weir_bpf_close (&opened);
  HOLDS (umount2 ("/run/part", MNT_DETACH) == 0);
  HOLDS (mount ("none", "/run/odd place", "cgroup2", 0, NULL) == 0);
  HOLDS (rmdir ("/run/odd place/weir-test-part") == 0);
  HOLDS (umount2 ("/run/odd place", MNT_DETACH) == 0);
  HOLDS (rmdir ("/run/odd place") == 0 && rmdir ("/run/part") == 0);
  return 0;
}

static void
test_groups_elsewhere (void)
{
  g_assert_cmpint (in_child (have_groups_elsewhere, NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bpf/open/switched-off", test_switched_off);
  g_test_add_func ("/bpf/open/limited-view", test_limited_view);
  g_test_add_func ("/bpf/open/here", test_here);
  g_test_add_func ("/bpf/open/refused", test_refused);
  g_test_add_func ("/bpf/open/late", test_late);
  g_test_add_func ("/bpf/open/no-groups", test_no_groups);
  g_test_add_func ("/bpf/open/groups-elsewhere", test_groups_elsewhere);
  return g_test_run ();
}
