/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <linux/genetlink.h>
#include <linux/nl80211.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink-builder.h"
#include "weir-wireless.h"

static void
take_family (struct weir_wireless *wireless, const char *name, guint16 number)
{
  struct genlmsghdr header = { .cmd = CTRL_CMD_NEWFAMILY };
  struct builder builder = { 0 };

  builder_begin (&builder, GENL_ID_CTRL, &header, sizeof header);
  builder_attribute (&builder, CTRL_ATTR_FAMILY_NAME, name, strlen (name) + 1);
  builder_attribute (&builder, CTRL_ATTR_FAMILY_ID, &number, sizeof number);
  weir_wireless_take_family (wireless, builder_header (&builder));
}

static void
take_interface (struct weir_wireless *wireless, guint32 index, gsize size)
{
  struct genlmsghdr header = { .cmd = NL80211_CMD_NEW_INTERFACE };
  struct builder builder = { 0 };
  guint32 phy = 0;

  builder_begin (&builder, 30, &header, sizeof header);
  builder_attribute (&builder, NL80211_ATTR_WIPHY, &phy, sizeof phy);
  builder_attribute (&builder, NL80211_ATTR_IFINDEX, &index, size);
  builder_attribute (&builder, NL80211_ATTR_IFNAME, "wlan0", 6);
  weir_wireless_take_interface (wireless, builder_header (&builder));
}

static void
test_family (void)
{
  struct weir_wireless wireless;

  weir_wireless_init (&wireless, -1);
  take_family (&wireless, "ethtool", 20);
  take_family (&wireless, "nl8021", 21);
  take_family (&wireless, "nl80211x", 22);
  g_assert_cmpuint (wireless.family, ==, 0);
  take_family (&wireless, "nl80211", 30);
  take_family (&wireless, "thermal", 31);
  g_assert_cmpuint (wireless.family, ==, 30);
}

static void
test_interfaces (void)
{
  struct weir_wireless wireless;

  weir_wireless_init (&wireless, -1);
  g_assert_false (weir_wireless_has (&wireless, 0));
  take_interface (&wireless, 3, sizeof (guint32));
  take_interface (&wireless, 4, sizeof (guint16));
  g_assert_true (weir_wireless_has (&wireless, 3));
  g_assert_false (weir_wireless_has (&wireless, 4));
  for (guint32 index = 100; index < 300; index++)
    take_interface (&wireless, index, sizeof index);
  g_assert_cmpuint (wireless.n, ==, WEIR_WIRELESS_MAX);
  g_assert_true (weir_wireless_has (&wireless, 100));
  g_assert_false (weir_wireless_has (&wireless, 299));
  /* Nobody is asked: nothing is known. */
  g_assert_cmpint (weir_wireless_read (&wireless), ==, 0);
  g_assert_false (weir_wireless_has (&wireless, 3));
}

/* On the real kernel, with or without any wireless card: the list ends, twice. */
static void
test_kernel (void)
{
  struct weir_wireless wireless;
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);

  weir_wireless_init (&wireless, fd);
  g_assert_cmpint (weir_wireless_read (&wireless), ==, 0);
  g_assert_cmpint (weir_wireless_read (&wireless), ==, 0);
  g_assert_false (weir_wireless_has (&wireless, 1));
  g_test_message ("family %u, %zu wireless interfaces", wireless.family, wireless.n);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wireless/family", test_family);
  g_test_add_func ("/wireless/interfaces", test_interfaces);
  g_test_add_func ("/wireless/kernel", test_kernel);
  return g_test_run ();
}
