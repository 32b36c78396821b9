/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "readings-builder.h"
#include "weir-proc-sockets.h"

#define RAW_LINE                                                                                   \
  "   8: 0100007F:0001 00000000:0000 07 00000000:00000010 00:00000000 00000000  1000        0 "    \
  "35615899 2 00000000ca65ac3f 0"
#define PING6_LINE                                                                                 \
  "   47: B80D0120000000000000000001000000:004D 00000000000000000000000000000000:0000 07 "         \
  "00000000:00000000 00:00000000 00000000     0        0 4294967295 2 00000000dc178f24 0"

static void
test_lines (void)
{
  struct weir_endpoint v4 = endpoint ("127.0.0.1", 0), v6 = endpoint ("2001:db8::1", 77);
  struct weir_socket_reading reading;

  g_assert_true (weir_proc_sockets_parse (RAW_LINE, WEIR_PROC_RAW, &reading));
  g_assert_cmpuint (reading.kind, ==, WEIR_SOCKET_RAW);
  g_assert_cmpuint (reading.protocol, ==, IPPROTO_ICMP);
  g_assert_cmpuint (reading.family, ==, 4);
  g_assert_cmpmem (reading.local.address, 16, v4.address, 16);
  g_assert_cmpuint (reading.local.port, ==, 0);
  g_assert_cmpuint (reading.queue, ==, 16);
  g_assert_cmpuint (reading.uid, ==, 1000);
  g_assert_cmpuint (reading.inode, ==, 35615899);

  g_assert_true (weir_proc_sockets_parse (PING6_LINE, WEIR_PROC_ICMP6, &reading));
  g_assert_cmpuint (reading.kind, ==, WEIR_SOCKET_PING);
  g_assert_cmpuint (reading.protocol, ==, IPPROTO_ICMPV6);
  g_assert_cmpuint (reading.family, ==, 6);
  g_assert_cmpmem (reading.local.address, 16, v6.address, 16);
  g_assert_cmpuint (reading.local.port, ==, 77);
  g_assert_cmpuint (reading.inode, ==, G_MAXUINT32);
}

static void
test_refused (void)
{
  static const char *const lines[] = {
    "",
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "   8: 0100007F:0001 00000000:0000",
    "   8: 100007F:0001 00000000:0000 07 00000000:00000010 00:00000000 00000000 0 0 4294967296 2",
    "   8: xyz0007F:0001 00000000:0000 07 00000000:00000010 00:00000000 00000000 0 0 1 2",
  };
  struct weir_socket_reading reading = { .inode = 99 };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    g_assert_false (weir_proc_sockets_parse (lines[i], WEIR_PROC_RAW, &reading));
  /* Every cut before the end of the inode's number. */
  for (gsize length = 0; length < strstr (RAW_LINE, "35615899") - RAW_LINE; length++)
    {
      g_autofree char *cut = g_strndup (RAW_LINE, length);

      g_assert_false (weir_proc_sockets_parse (cut, WEIR_PROC_RAW, &reading));
    }
  g_assert_cmpuint (reading.inode, ==, 99);
}

static void
count_reading (const struct weir_socket_reading *reading, enum weir_sockdiag_event event,
               void *data)
{
  ++*(guint *) data;
}

static int
open_text (const char *text, gsize size)
{
  int fd = open ("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, size), ==, (gssize) size);
  return fd;
}

/* Lines that lie across the pieces in which the file is read. */
static void
test_long_file (void)
{
  g_autoptr (GString) text = g_string_new ("  sl  local_address\n");
  g_autofree char *endless = g_strnfill (100000, 'x');
  guint n = 0;
  int fd;

  for (guint i = 0; i < 1000; i++)
    g_string_append (text, RAW_LINE "\n");
  fd = open_text (text->str, text->len);
  g_assert_cmpint (weir_proc_sockets_read (fd, WEIR_PROC_RAW, count_reading, &n), ==, 0);
  g_assert_cmpuint (n, ==, 1000);
  close (fd);

  /* Longer than anybody has a reason for. */
  for (guint i = 0; i < 9000; i++)
    g_string_append (text, RAW_LINE "\n");
  fd = open_text (text->str, text->len);
  g_assert_cmpint (weir_proc_sockets_read (fd, WEIR_PROC_RAW, count_reading, &n), ==, -EFBIG);
  g_assert_cmpuint (n, <, 5000);
  close (fd);

  fd = open_text (endless, strlen (endless));
  g_assert_cmpint (weir_proc_sockets_read (fd, WEIR_PROC_RAW, count_reading, &n), ==, -EPROTO);
  close (fd);
  g_assert_cmpint (weir_proc_sockets_read (-1, WEIR_PROC_RAW, count_reading, &n), ==, -EBADF);
}

struct wanted
{
  guint32 inode;
  guint16 port;
  guint found;
};

static void
look (const struct weir_socket_reading *reading, enum weir_sockdiag_event event, void *data)
{
  struct wanted *wanted = data;

  if (reading->inode != wanted->inode)
    return;
  wanted->found++;
  wanted->port = reading->local.port;
  g_assert_cmpuint (reading->uid, ==, getuid ());
}

/* The kernel's own file, opened once and read again and again. */
static void
test_kernel (void)
{
  static const struct
  {
    enum weir_proc_table table;
    int family, type, protocol;
  } cases[] = {
    { WEIR_PROC_RAW, AF_INET, SOCK_RAW, IPPROTO_ICMP },
    { WEIR_PROC_RAW6, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
    { WEIR_PROC_ICMP, AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
    { WEIR_PROC_ICMP6, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
  };
  /* Of this network namespace, which is the tests' own. */
  int range = open ("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (write (range, "0 0", 3), ==, 3);
  close (range);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/proc/self/net/%s", weir_proc_sockets_get_name (cases[i].table));
      struct wanted wanted = { 0 };
      struct sockaddr_storage address = { .ss_family = (sa_family_t) cases[i].family };
      int fd = open (path, O_RDONLY | O_CLOEXEC), sock;
      struct stat info;

      g_assert_cmpint (fd, >=, 0);
      g_assert_cmpint (weir_proc_sockets_read (fd, cases[i].table, look, &wanted), ==, 0);
      sock = socket (cases[i].family, cases[i].type | SOCK_CLOEXEC, cases[i].protocol);
      g_assert_cmpint (sock, >=, 0);
      if (cases[i].type == SOCK_DGRAM)
        {
          ((struct sockaddr_in *) (void *) &address)->sin_port = htons (77);
          g_assert_cmpint (bind (sock, (struct sockaddr *) &address,
                                 cases[i].family == AF_INET ? sizeof (struct sockaddr_in)
                                                            : sizeof (struct sockaddr_in6)),
                           ==, 0);
        }
      g_assert_cmpint (fstat (sock, &info), ==, 0);
      wanted = (struct wanted) { .inode = (guint32) info.st_ino };
      g_assert_cmpint (weir_proc_sockets_read (fd, cases[i].table, look, &wanted), ==, 0);
      g_assert_cmpuint (wanted.found, ==, 1);
      g_assert_cmpuint (wanted.port, ==, cases[i].type == SOCK_DGRAM ? 77 : 0);
      close (sock);
      g_assert_cmpint (weir_proc_sockets_read (fd, cases[i].table, look, &wanted), ==, 0);
      g_assert_cmpuint (wanted.found, ==, 1);
      close (fd);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/proc-sockets/lines", test_lines);
  g_test_add_func ("/proc-sockets/refused", test_refused);
  g_test_add_func ("/proc-sockets/long-file", test_long_file);
  g_test_add_func ("/proc-sockets/kernel", test_kernel);
  return g_test_run ();
}
