/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include "netlink-builder.h"
#include "readings-builder.h"
#include "source-interfaces.h"

struct description
{
  const char *name;
  const char *kind; /* NULL: hardware */
  guint32 index;
  guint32 master;
  gboolean peer_elsewhere;
  gboolean down;
  gboolean counted; /* what is expected */
  guint32 lower;
  const char *device; /* that is behind it, or NULL */
};

static void
add_link (struct weir_interfaces *interfaces, const struct description *link, guint64 rx,
          guint64 tx)
{
  struct ifinfomsg header = {
    .ifi_index = (int) link->index,
    .ifi_type = g_str_equal (link->name, "lo") ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
    .ifi_flags = (link->down ? 0 : IFF_UP) | (g_str_equal (link->name, "lo") ? IFF_LOOPBACK : 0),
  };
  struct rtnl_link_stats64 stats = {
    .rx_bytes = rx, .tx_bytes = tx, .rx_packets = 3, .tx_dropped = 4
  };
  struct builder builder = { 0 };
  guint32 mtu = 1500, netns = 0;

  builder_begin (&builder, RTM_NEWLINK, &header, sizeof header);
  builder_attribute (&builder, IFLA_IFNAME, link->name, strlen (link->name) + 1);
  builder_attribute (&builder, IFLA_MTU, &mtu, sizeof mtu);
  builder_attribute (&builder, IFLA_STATS64, &stats, sizeof stats);
  if (link->master != 0)
    builder_attribute (&builder, IFLA_MASTER, &link->master, sizeof link->master);
  if (link->lower != 0)
    builder_attribute (&builder, IFLA_LINK, &link->lower, sizeof link->lower);
  if (link->device != NULL)
    builder_attribute (&builder, IFLA_PARENT_DEV_NAME, link->device, strlen (link->device) + 1);
  if (link->peer_elsewhere)
    builder_attribute (&builder, IFLA_LINK_NETNSID, &netns, sizeof netns);
  if (link->kind != NULL)
    {
      gsize info = builder_open (&builder, IFLA_LINKINFO);

      builder_attribute (&builder, IFLA_INFO_KIND, link->kind, strlen (link->kind) + 1);
      builder_close (&builder, info);
    }
  weir_interfaces_message (interfaces, builder_header (&builder));
}

static void
add_address (struct weir_interfaces *interfaces, guint32 index, const char *address, guint8 prefix,
             const char *broadcast)
{
  gboolean v4 = strchr (address, ':') == NULL;
  struct ifaddrmsg header = {
    .ifa_family = v4 ? AF_INET : AF_INET6,
    .ifa_prefixlen = prefix,
    .ifa_index = index,
  };
  struct builder builder = { 0 };
  guint8 bytes[16];

  inet_pton (header.ifa_family, address, bytes);
  builder_begin (&builder, RTM_NEWADDR, &header, sizeof header);
  builder_attribute (&builder, IFA_ADDRESS, bytes, v4 ? 4 : 16);
  if (v4)
    builder_attribute (&builder, IFA_LOCAL, bytes, 4);
  if (broadcast != NULL)
    {
      inet_pton (AF_INET, broadcast, bytes);
      builder_attribute (&builder, IFA_BROADCAST, bytes, 4);
    }
  weir_interfaces_message (interfaces, builder_header (&builder));
}

static void
check_counted (const struct description *links, gsize n)
{
  struct weir_interfaces interfaces;
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  weir_interfaces_init (&interfaces, -1, &addresses);
  weir_interfaces_begin (&interfaces);
  for (gsize i = 0; i < n; i++)
    add_link (&interfaces, &links[i], 0, 0);
  weir_interfaces_complete (&interfaces, S);
  g_assert_cmpuint (interfaces.n, ==, n);
  for (gsize i = 0; i < n; i++)
    {
      gboolean counted = (interfaces.links[i].record.flags & WEIR_INTERFACE_COUNTED) != 0;

      g_assert_cmpstr (interfaces.links[i].record.name, ==, links[i].name);
      if (counted != links[i].counted)
        g_test_message ("%s", links[i].name);
      g_assert_cmpint (counted, ==, links[i].counted);
    }
  weir_interfaces_clear (&interfaces);
  weir_addresses_clear (&addresses);
}

static void
test_counted_machine (void)
{
  static const struct description links[] = {
    { "lo", NULL, 1 },
    { "eth0", NULL, 2, .counted = TRUE },
    { "wlan0", NULL, 3, .down = TRUE },
    { "docker0", "bridge", 4 },
    { "veth1", "veth", 5, .master = 4, .peer_elsewhere = TRUE },
    { "veth2", "veth", 6, .peer_elsewhere = TRUE },
    { "tun0", "tun", 7 },
    { "wg0", "wireguard", 8 },
    { "eth0.5", "vlan", 9 },
    { "dummy0", "dummy", 10 },
    { "bond0", "bond", 11 },
    /* The bond counts nothing of its own; its parts are where bytes pass. */
    { "eth1", NULL, 12, .master = 11, .counted = TRUE },
    { "eth2", NULL, 13, .master = 11, .counted = TRUE },
    /* A virtual function under its synthetic face: the same bytes twice. */
    { "eth3", NULL, 14, .counted = TRUE },
    { "vf3", NULL, 15, .master = 14 },
  };

  check_counted (links, G_N_ELEMENTS (links));
}

static void
test_counted_container (void)
{
  static const struct description links[] = {
    { "lo", NULL, 1 },
    { "eth0", "veth", 2, .peer_elsewhere = TRUE, .counted = TRUE },
    { "eth1", "macvlan", 3, .peer_elsewhere = TRUE, .counted = TRUE },
    { "pair", "veth", 4 },
    { "br0", "bridge", 5 },
    { "port", "veth", 6, .master = 5, .peer_elsewhere = TRUE },
    { "wg0", "wireguard", 7, .peer_elsewhere = TRUE },
    { "off", "veth", 8, .peer_elsewhere = TRUE, .down = TRUE },
  };

  check_counted (links, G_N_ELEMENTS (links));
}

/* Masters, what an interface is built on, and its other end, which may be elsewhere. */
static void
test_relations (void)
{
  static const struct description links[] = {
    { "br0", "bridge", 2 },
    { "eth0", NULL, 3, .master = 2, .device = "0000:02:00.0" },
    { "eth0.5", "vlan", 4, .lower = 3 },
    { "pair", "veth", 5, .lower = 9, .peer_elsewhere = TRUE },
    { "wwan0", "wwan", 6, .device = "mhi0" },
  };
  static const guint8 types[] = { WEIR_INTERFACE_TYPE_BRIDGE, WEIR_INTERFACE_TYPE_PHYSICAL,
                                  WEIR_INTERFACE_TYPE_VLAN, WEIR_INTERFACE_TYPE_VETH,
                                  WEIR_INTERFACE_TYPE_PHYSICAL };
  struct weir_interfaces interfaces;
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  weir_interfaces_init (&interfaces, -1, &addresses);
  weir_interfaces_begin (&interfaces);
  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    add_link (&interfaces, &links[i], 0, 0);
  weir_interfaces_complete (&interfaces, S);
  for (gsize i = 0; i < G_N_ELEMENTS (links); i++)
    {
      const struct weir_interface_record *record = &interfaces.links[i].record;

      g_assert_cmpuint (record->type, ==, types[i]);
      g_assert_cmpuint (record->link_type, ==, ARPHRD_ETHER);
      g_assert_cmpuint (record->master, ==, links[i].master);
      /* A number of another namespace means another interface here. */
      g_assert_cmpuint (record->lower, ==, links[i].peer_elsewhere ? 0 : links[i].lower);
      g_assert_cmpint ((record->flags & WEIR_INTERFACE_PEER_ELSEWHERE) != 0, ==,
                       links[i].peer_elsewhere);
    }
  weir_interfaces_clear (&interfaces);
  weir_addresses_clear (&addresses);
}

static void
take (const struct weir_interface_record *record, void *data)
{
  GPtrArray *records = data;

  g_ptr_array_add (records, g_memdup2 (record, sizeof *record));
}

static GPtrArray *
publish (struct weir_interfaces *interfaces)
{
  GPtrArray *records = g_ptr_array_new_with_free_func (g_free);
  struct weir_framer framer;
  struct weir_writer writer;
  struct weir_frame frame;
  gsize size;

  weir_writer_init (&writer);
  weir_framer_init (&framer, WEIR_FRAME_BODY_MAX);
  weir_interfaces_publish (interfaces, &writer);
  g_assert_cmpint (writer.error, ==, 0);
  if (writer.size > 0)
    {
      memcpy (weir_framer_reserve (&framer, &size), writer.data, writer.size);
      weir_framer_commit (&framer, writer.size);
      g_assert_cmpint (weir_framer_next (&framer, &frame), ==, 1);
      g_assert_cmpint (weir_read_interfaces (&frame, take, records), ==, 0);
    }
  weir_framer_clear (&framer);
  weir_writer_clear (&writer);
  return records;
}

static void
test_rates (void)
{
  static const struct description eth = { "eth0", NULL, 2 }, renamed = { "lan", NULL, 2 };
  struct weir_interfaces interfaces;
  struct weir_addresses addresses;
  const struct
  {
    const struct description *link;
    guint64 rx, tx, now;
    gboolean has_rates;
    guint64 rx_rate, tx_rate;
  } steps[] = {
    { &eth, 5000, 100, 10 * S, FALSE, 0, 0 }, /* nothing to compare with */
    { &eth, 8000, 100, 12 * S, TRUE, 1500, 0 },
    { &eth, 10, 100, 13 * S, FALSE, 0, 0 }, /* began anew */
    { &eth, 20, 110, 14 * S, TRUE, 10, 10 },
    { &renamed, 1000, 1000, 15 * S, FALSE, 0, 0 }, /* another one in its place */
  };

  weir_addresses_init (&addresses);
  weir_interfaces_init (&interfaces, -1, &addresses);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GPtrArray) records = NULL, again = NULL;
      const struct weir_interface_record *record;

      weir_interfaces_begin (&interfaces);
      add_link (&interfaces, steps[i].link, steps[i].rx, steps[i].tx);
      weir_interfaces_complete (&interfaces, steps[i].now);
      records = publish (&interfaces);
      g_assert_cmpuint (records->len, ==, 1);
      record = records->pdata[0];
      g_assert_cmpuint (record->rx_bytes, ==, steps[i].rx);
      g_assert_cmpuint (record->tx_dropped, ==, 4);
      g_assert_cmpint (record->has_rates, ==, steps[i].has_rates);
      g_assert_cmpuint (record->rx_rate, ==, steps[i].rx_rate);
      g_assert_cmpuint (record->tx_rate, ==, steps[i].tx_rate);
      /* Without a new reading nothing is said, least of all a rate of zero. */
      again = publish (&interfaces);
      g_assert_cmpuint (again->len, ==, 0);
    }
  weir_interfaces_clear (&interfaces);
  weir_addresses_clear (&addresses);
}

static void
test_addresses (void)
{
  static const struct description eth = { "eth0", NULL, 2 };
  g_autoptr (GPtrArray) records = NULL;
  const struct weir_interface_record *record;
  struct weir_interfaces interfaces;
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  weir_interfaces_init (&interfaces, -1, &addresses);
  weir_interfaces_begin (&interfaces);
  add_link (&interfaces, &eth, 0, 0);
  add_address (&interfaces, 2, "192.0.2.1", 24, "192.0.2.255");
  add_address (&interfaces, 2, "2001:db8::1", 64, NULL);
  add_address (&interfaces, 2, "172.16.5.1", 20, NULL);
  add_address (&interfaces, 2, "203.0.113.6", 31, NULL);
  /* Of an interface that was not listed: own all the same. */
  add_address (&interfaces, 9, "198.51.100.1", 32, NULL);
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *text = g_strdup_printf ("10.0.0.%u", i);

      add_address (&interfaces, 2, text, 32, NULL);
    }
  weir_interfaces_complete (&interfaces, S);
  g_assert_true (weir_addresses_is_local (&addresses, endpoint ("192.0.2.1", 0).address));
  g_assert_true (weir_addresses_is_local (&addresses, endpoint ("2001:db8::1", 0).address));
  g_assert_true (weir_addresses_is_local (&addresses, endpoint ("198.51.100.1", 0).address));
  g_assert_true (weir_addresses_is_local (&addresses, endpoint ("10.0.0.99", 0).address));
  g_assert_true (weir_addresses_is_group (&addresses, endpoint ("192.0.2.255", 0).address));
  /* The kernel takes the last address of a network for its broadcast, told or not; of a network of
   * two it is a neighbour. */
  g_assert_true (weir_addresses_is_group (&addresses, endpoint ("172.16.15.255", 0).address));
  g_assert_false (weir_addresses_is_group (&addresses, endpoint ("172.16.5.255", 0).address));
  g_assert_false (weir_addresses_is_group (&addresses, endpoint ("203.0.113.7", 0).address));
  g_assert_false (weir_addresses_is_group (&addresses, endpoint ("198.51.100.1", 0).address));
  records = publish (&interfaces);
  record = records->pdata[0];
  g_assert_cmpuint (record->n_addresses, ==, WEIR_INTERFACE_ADDRESSES_MAX);
  g_assert_cmpuint (record->addresses[0].family, ==, 4);
  g_assert_cmpuint (record->addresses[0].prefix_length, ==, 24);
  g_assert_cmpuint (record->addresses[1].family, ==, 6);
  g_assert_cmpuint (record->addresses[1].prefix_length, ==, 64);
  weir_interfaces_clear (&interfaces);
  weir_addresses_clear (&addresses);
}

/* On the real kernel: every namespace has a loopback interface. */
static void
test_kernel (void)
{
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct weir_interfaces interfaces;
  struct weir_addresses addresses;

  weir_addresses_init (&addresses);
  weir_interfaces_init (&interfaces, fd, &addresses);
  g_assert_cmpint (weir_interfaces_start (&interfaces), ==, 0);
  while (weir_interfaces_read (&interfaces, S) == 0)
    ;
  g_assert_cmpint (interfaces.error, ==, 0);
  g_assert_true (addresses.known);
  g_assert_cmpuint (interfaces.n, >=, 1);
  g_assert_cmpstr (interfaces.links[0].record.name, ==, "lo");
  g_assert_true (interfaces.links[0].record.flags & WEIR_INTERFACE_LOOPBACK);
  g_assert_false (interfaces.links[0].record.flags & WEIR_INTERFACE_COUNTED);
  weir_interfaces_clear (&interfaces);
  weir_addresses_clear (&addresses);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-interfaces/counted/machine", test_counted_machine);
  g_test_add_func ("/source-interfaces/counted/container", test_counted_container);
  g_test_add_func ("/source-interfaces/relations", test_relations);
  g_test_add_func ("/source-interfaces/rates", test_rates);
  g_test_add_func ("/source-interfaces/addresses", test_addresses);
  g_test_add_func ("/source-interfaces/kernel", test_kernel);
  return g_test_run ();
}
