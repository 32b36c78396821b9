/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "netlink-builder.h"
#include "source-packet.h"

static void
begin_socket (struct builder *builder)
{
  const struct packet_diag_msg message = {
    .pdiag_family = AF_PACKET,
    .pdiag_type = SOCK_RAW,
    .pdiag_num = ETH_P_ALL,
    .pdiag_ino = 4711,
    .pdiag_cookie = { 0x11, 0x22 },
  };

  builder_begin (builder, SOCK_DIAG_BY_FAMILY, &message, sizeof message);
}

static void
test_whole (void)
{
  const struct packet_diag_info info = { .pdi_index = 3 };
  const struct packet_diag_mclist memberships[] = {
    { .pdmc_index = 3, .pdmc_count = 1, .pdmc_type = PACKET_MR_MULTICAST },
    { .pdmc_index = 3, .pdmc_count = 1, .pdmc_type = PACKET_MR_PROMISC },
  };
  const guint32 uid = 1000;
  struct weir_socket_reading reading;
  struct builder builder = { 0 };

  begin_socket (&builder);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_cmpuint (reading.kind, ==, WEIR_SOCKET_PACKET);
  g_assert_cmpuint (reading.ethertype, ==, ETH_P_ALL);
  g_assert_cmpuint (reading.inode, ==, 4711);
  g_assert_cmphex (reading.cookie, ==, 0x2200000011);
  g_assert_cmpuint (reading.ifindex, ==, 0);

  builder_attribute (&builder, PACKET_DIAG_INFO, &info, sizeof info);
  builder_attribute (&builder, PACKET_DIAG_UID, &uid, sizeof uid);
  builder_attribute (&builder, PACKET_DIAG_MCLIST, memberships, sizeof memberships[0]);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_cmpuint (reading.ifindex, ==, 3);
  g_assert_cmpuint (reading.uid, ==, 1000);
  g_assert_false (reading.is_promiscuous);

  builder_attribute (&builder, PACKET_DIAG_MCLIST, memberships, sizeof memberships);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_true (reading.is_promiscuous);
}

static void
test_hostile (void)
{
  const struct packet_diag_msg other = { .pdiag_family = AF_INET };
  const guint8 half[3] = { 0 };
  struct weir_socket_reading reading = { .inode = 99 };
  struct builder builder = { 0 };

  builder_begin (&builder, SOCK_DIAG_BY_FAMILY, &other, sizeof other);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, -EPROTO);
  builder_begin (&builder, SOCK_DIAG_BY_FAMILY + 1, &other, sizeof other);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, -EPROTO);
  begin_socket (&builder);
  builder_header (&builder)->nlmsg_len--;
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, -EPROTO);
  g_assert_cmpuint (reading.inode, ==, 99);

  /* Half a field is no field. */
  begin_socket (&builder);
  builder_attribute (&builder, PACKET_DIAG_INFO, half, sizeof half);
  builder_attribute (&builder, PACKET_DIAG_UID, half, sizeof half);
  builder_attribute (&builder, PACKET_DIAG_MCLIST, half, sizeof half);
  g_assert_cmpint (weir_packet_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_cmpuint (reading.ifindex, ==, 0);
  g_assert_false (reading.is_promiscuous);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-packet/whole", test_whole);
  g_test_add_func ("/source-packet/hostile", test_hostile);
  return g_test_run ();
}
