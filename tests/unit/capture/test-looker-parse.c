/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "weir-looker-namespaces.h"
#include "weir-looker-parse.h"

#define REST                                                                                       \
  " S 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 1 0 987654 21 22 18446744073709551615 0\n"

static void
test_decimal (void)
{
  static const char *const bad[] = { "",   "-1", "+1",   " 1",
                                     "01", "1a", "self", "18446744073709551616" };
  uint64_t value;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (weir_parse_decimal (bad[i], &value));
  g_assert_true (weir_parse_decimal ("0", &value));
  g_assert_cmpuint (value, ==, 0);
  g_assert_true (weir_parse_decimal ("18446744073709551615", &value));
  g_assert_cmpuint (value, ==, UINT64_MAX);
}

static void
test_socket_link (void)
{
  static const char *const bad[] = { "",
                                     "socket:[]",
                                     "socket:[1",
                                     "socket:1]",
                                     "pipe:[1]",
                                     "/socket:[1]",
                                     "socket:[1]x",
                                     "socket:[-1]",
                                     "socket:[1 ]",
                                     "socket:[99999999999999999999]" };
  uint64_t inode;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (weir_parse_socket_link (bad[i], strlen (bad[i]), &inode));
  g_assert_true (weir_parse_socket_link ("socket:[4026532]", 16, &inode));
  g_assert_cmpuint (inode, ==, 4026532);
  /* Only the bytes that readlink(2) gave count. */
  g_assert_true (weir_parse_socket_link ("socket:[12]34]", 11, &inode));
  g_assert_cmpuint (inode, ==, 12);
}

static void
test_namespace_link (void)
{
  static const char *const bad[] = { "",        "net:[]",   "net:[0]",  "net:[1",
                                     "mnt:[1]", "net:[1]x", "net:[-1]", "net:[4294967296]" };
  uint32_t inode;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (weir_parse_namespace_link (bad[i], strlen (bad[i]), &inode));
  g_assert_true (weir_parse_namespace_link ("net:[4026531840]", 16, &inode));
  g_assert_cmpuint (inode, ==, 4026531840);

  g_assert_false (weir_parse_user_namespace_link ("net:[4026531837]", 16, &inode));
  g_assert_false (weir_parse_user_namespace_link ("user:[]", 7, &inode));
  g_assert_true (weir_parse_user_namespace_link ("user:[4026531837]", 17, &inode));
  g_assert_cmpuint (inode, ==, 4026531837);
}

/* Lines as Linux 6.1 to 6.18 write them. */
static void
test_socket_line (void)
{
  static const char tcp[] =
      "   0: 0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000  1000        0 "
      "73510 2 0000000000000000 20 4 30 10 -1                    ";
  static const char tcp6[] =
      "  12: 0000000000000000FFFF00000100007F:0050 B80D0120000000000000000001000000:01BB 0A "
      "00000000:00000000 00:00000000 00000000 65534        0 4294967295 1 0000000000000000 100 0 0 "
      "10 0";
  static const char udp[] =
      " 3184: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
      "1122 2 0000000000000000 0        ";
  static const char *const bad[] = {
    "",
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode",
    "   0: 0100007f:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 1000 0 73510 2",
    "   0: 0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 1000 0 ",
    "   0: 0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 1000 0 4294967296 "
    "2",
    "   0: 0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 -1 0 73510 2",
    "   0: 0100007F0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 1 0 7 2",
    "   0 0100007F:1F90 0200000A:D431 01 00000000:00000000 02:000006D4 00000000 1000 0 73510 2",
  };
  const uint8_t local[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };
  const uint8_t remote[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 };
  const uint8_t remote6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
  struct weir_listed_socket socket;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (weir_parse_socket_line (bad[i], false, &socket));
  for (const char *end = strstr (tcp, " 2 0000"); end >= tcp; end--)
    {
      /* Cut before the end of the inode, in memory of its own so that a sanitizer sees what is
       * read. */
      g_autofree char *cut = g_strndup (tcp, (gsize) (end - tcp));

      g_assert_false (weir_parse_socket_line (cut, false, &socket));
    }
  g_assert_false (weir_parse_socket_line (tcp, true, &socket));
  g_assert_false (weir_parse_socket_line (tcp6, false, &socket));

  g_assert_true (weir_parse_socket_line (tcp, false, &socket));
  g_assert_cmpmem (socket.local, 16, local, 16);
  g_assert_cmpmem (socket.remote, 16, remote, 16);
  g_assert_cmpuint (socket.local_port, ==, 8080);
  g_assert_cmpuint (socket.remote_port, ==, 54321);
  g_assert_cmpuint (socket.state, ==, 1);
  g_assert_cmpuint (socket.uid, ==, 1000);
  g_assert_cmpuint (socket.inode, ==, 73510);
  g_assert_false (socket.on_v6_socket);

  g_assert_true (weir_parse_socket_line (tcp6, true, &socket));
  g_assert_cmpmem (socket.local, 16, local, 16);
  g_assert_cmpmem (socket.remote, 16, remote6, 16);
  g_assert_cmpuint (socket.remote_port, ==, 443);
  g_assert_cmpuint (socket.inode, ==, UINT32_MAX);
  g_assert_true (socket.on_v6_socket);

  g_assert_true (weir_parse_socket_line (udp, false, &socket));
  g_assert_cmpuint (socket.local_port, ==, 68);
  g_assert_cmpuint (socket.state, ==, 7);
}

static void
test_stat_hostile_names (void)
{
  static const char *const names[] = {
    "cat",
    "",
    ")",
    "(",
    "()",
    ") R 1 2 3",
    "a b c",
    "x\ny",
    ") S 1 1 1 1 1",
    "((((",
    "))))",
    "\xff\xfe\x80",
    "=cmd|' /C'!A0",
    "%s%n",
  };

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *text = g_strconcat ("4711 (", names[i], ")" REST, NULL);
      uint64_t start_time = 0;
      char comm[16];

      g_assert_cmpint (weir_parse_stat (text, strlen (text), comm, &start_time), ==, 0);
      g_assert_cmpuint (start_time, ==, 987654);
      g_assert_cmpstr (comm, ==, names[i]);
    }
}

static void
test_stat_length (void)
{
  /* Kernel workers have names of up to 64 bytes. */
  static const char text[] = "2 (kworker/u32:5-events_unbound)" REST;
  uint64_t start_time;
  char comm[16];

  g_assert_cmpint (weir_parse_stat (text, strlen (text), comm, &start_time), ==, 0);
  g_assert_cmpstr (comm, ==, "kworker/u32:5-e");
}

static void
test_stat_bad (void)
{
  static const char good[] = "1 (x)" REST;
  static const char *const bad[] = { "",
                                     "1",
                                     "1 (",
                                     "1 )",
                                     ")(",
                                     "1 (x)",
                                     "1 (x) ",
                                     "1 (x) S 1 2",
                                     "1 (x)S 1 2 3 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 9 21",
                                     "1 (x) S 1 2 3 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 -9 21",
                                     "1 (x) S 1 2 3 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0  21" };
  uint64_t start_time;
  char comm[16];
  size_t n_good = 0;

  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_cmpint (weir_parse_stat (bad[i], strlen (bad[i]), comm, &start_time), ==, -EPROTO);
  /* Every prefix, in memory of exactly that size. */
  for (size_t size = 0; size < sizeof good; size++)
    {
      g_autofree char *copy = g_memdup2 (good, size);

      n_good += weir_parse_stat (copy != NULL ? copy : "", size, comm, &start_time) == 0;
    }
  g_assert_cmpuint (n_good, >, 0);
  g_assert_cmpuint (n_good, <, sizeof good - 20);
}

static void
test_stat_own (void)
{
  static const char name[] = ") S (1\n2) Z";
  g_autofree char *text = NULL;
  uint64_t start_time = 0;
  char before[16] = "", comm[16];
  size_t size;

  g_assert_cmpint (prctl (PR_GET_NAME, before), ==, 0);
  g_assert_cmpint (prctl (PR_SET_NAME, name), ==, 0);
  g_assert_true (g_file_get_contents ("/proc/self/stat", &text, &size, NULL));
  g_assert_cmpint (prctl (PR_SET_NAME, before), ==, 0);
  g_assert_cmpint (weir_parse_stat (text, size, comm, &start_time), ==, 0);
  g_assert_cmpstr (comm, ==, name);
  g_assert_cmpuint (start_time, >, 0);
}

static void
test_cgroup (void)
{
  char path[32] = "untouched";

  g_assert_cmpint (weir_parse_cgroup ("0::/a/b.scope\n", path, sizeof path), ==, 0);
  g_assert_cmpstr (path, ==, "/a/b.scope");
  g_assert_cmpint (weir_parse_cgroup ("9:name=systemd:/0::/x\n8:pids:/\n0::/\n", path, sizeof path),
                   ==, 0);
  g_assert_cmpstr (path, ==, "/");
  g_assert_cmpint (weir_parse_cgroup ("0::/a 0::b:c\n", path, sizeof path), ==, 0);
  g_assert_cmpstr (path, ==, "/a 0::b:c");

  g_assert_cmpint (weir_parse_cgroup ("", path, sizeof path), ==, -ENOENT);
  g_assert_cmpint (weir_parse_cgroup ("1:cpu:/x\n", path, sizeof path), ==, -ENOENT);
  g_assert_cmpint (weir_parse_cgroup ("10::/x\n", path, sizeof path), ==, -ENOENT);
  g_assert_cmpint (weir_parse_cgroup ("0::/cut", path, sizeof path), ==, -ENAMETOOLONG);
  g_assert_cmpint (weir_parse_cgroup ("0::/3456789012345678901234567890123\n", path, sizeof path),
                   ==, -ENAMETOOLONG);
  g_assert_cmpstr (path, ==, "/a 0::b:c");
}

static void
test_mountinfo (void)
{
  static const char *const others[] = {
    "",
    "24 1 0:22 / /proc rw - proc proc rw",
    "24 1 0:22 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu",
    "24 1 0:22 / /x rw - tmpfs cgroup2 rw",
    "24 1 0:22 / /x rw shared:1 cgroup2 rw",
    "24 1 - cgroup2 none rw",
    " - cgroup2 none rw",
    "24 1 0:22 relative /x rw - cgroup2 none rw",
    "24 1 0:22 / relative rw - cgroup2 none rw",
    "24 1 0:22 / /\\000x rw - cgroup2 none rw",
    "24 1 0:22 / /123456789012345678901234567890123456789 rw - cgroup2 none rw",
  };
  char point[32], root[32];

  for (size_t i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (weir_parse_cgroup_mount (others[i], point, root, sizeof point));

  g_assert_true (weir_parse_cgroup_mount (
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw", point, root,
      sizeof point));
  g_assert_cmpstr (point, ==, "/sys/fs/cgroup");
  g_assert_cmpstr (root, ==, "/");
  g_assert_true (weir_parse_cgroup_mount (
      "30 24 0:26 /a\\040b /m\\134n\\011\\012 rw - cgroup2 none rw", point, root, sizeof point));
  g_assert_cmpstr (point, ==, "/m\\n\t\n");
  g_assert_cmpstr (root, ==, "/a b");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/looker-parse/decimal", test_decimal);
  g_test_add_func ("/looker-parse/socket-link", test_socket_link);
  g_test_add_func ("/looker-parse/namespace-link", test_namespace_link);
  g_test_add_func ("/looker-parse/socket-line", test_socket_line);
  g_test_add_func ("/looker-parse/stat/hostile-names", test_stat_hostile_names);
  g_test_add_func ("/looker-parse/stat/length", test_stat_length);
  g_test_add_func ("/looker-parse/stat/bad", test_stat_bad);
  g_test_add_func ("/looker-parse/stat/own", test_stat_own);
  g_test_add_func ("/looker-parse/cgroup", test_cgroup);
  g_test_add_func ("/looker-parse/mountinfo", test_mountinfo);
  return g_test_run ();
}
