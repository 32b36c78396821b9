/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weir-bpf-cgroups.h"

static void
test_lines (void)
{
  static const char mounts[] =
      "22 1 0:21 / /sys rw,nosuid - sysfs sysfs rw\n"
      "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
      "42 31 0:38 / /mnt/with\\040blank\\134 rw - cgroup2 none rw\n"
      "43 31 0:50 / /mnt/-\\040cgroup2\\040x rw - ext4 /dev/sda rw\n"
      "44 31 - cgroup2 x y\n"
      "45\n"
      "\n"
      "46 31 0:38 / /bad\\9\\04 rw - cgroup2 none rw";
  const char *rest = mounts;
  char path[64];

  g_assert_true (weir_bpf_cgroups_next (&rest, path, sizeof path));
  g_assert_cmpstr (path, ==, "/sys/fs/cgroup/unified");
  g_assert_true (weir_bpf_cgroups_next (&rest, path, sizeof path));
  g_assert_cmpstr (path, ==, "/mnt/with blank\\");
  g_assert_true (weir_bpf_cgroups_next (&rest, path, sizeof path));
  g_assert_cmpstr (path, ==, "/bad\\9\\04");
  g_assert_false (weir_bpf_cgroups_next (&rest, path, sizeof path));
  g_assert_cmpstr (rest, ==, "");
}

/* What does not fit is left out rather than cut. */
static void
test_too_long (void)
{
  const char *rest = "41 31 0:38 / /twelve-bytes rw - cgroup2 cgroup2 rw\n"
                     "41 31 0:38 / /short rw - cgroup2 cgroup2 rw\n";
  char path[13];

  g_assert_true (weir_bpf_cgroups_next (&rest, path, sizeof path));
  g_assert_cmpstr (path, ==, "/short");
}

static void
test_here (void)
{
  bool whole = false;
  struct stat info;
  int fd = weir_bpf_cgroups_open (&whole);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fstat (fd, &info), ==, 0);
  g_assert_true (S_ISDIR (info.st_mode));
  g_assert_true (whole == (info.st_ino == 1));
  g_assert_cmpint (faccessat (fd, "cgroup.procs", F_OK, 0), ==, 0);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bpf/cgroups/lines", test_lines);
  g_test_add_func ("/bpf/cgroups/too-long", test_too_long);
  g_test_add_func ("/bpf/cgroups/here", test_here);
  return g_test_run ();
}
