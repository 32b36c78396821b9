/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One computer or container a topology: what each interface is, and where bytes are counted once.
 */
#include <glib.h>
#include <linux/if_arp.h>

#include "weir-links.h"

enum
{
  COUNTED = 1 << 0,
  DOWN = 1 << 1,
  ELSEWHERE = 1 << 2, /* the other end is in another namespace */
  DEVICE = 1 << 3,    /* of a bus */
};

typedef struct
{
  const char *name;
  const char *kind; /* NULL: none is said */
  guint32 index, master, lower;
  guint flags;
  guint16 link_type; /* 0: Ethernet */
  guint8 type;       /* what is expected */
} Link;

typedef struct
{
  const char *name;
  Link links[12];
} Topology;

#define LO { "lo", NULL, 1, .link_type = ARPHRD_LOOPBACK, .type = WEIR_INTERFACE_TYPE_LOOPBACK }
#define ETH(name_, index_, ...)                                                                    \
  { name_,        NULL, index_, .flags = COUNTED | DEVICE, .type = WEIR_INTERFACE_TYPE_PHYSICAL,   \
    ##__VA_ARGS__ }

static const Topology topologies[] = {
  /* Laptop: what is on top of the network card is counted there. */
  { "laptop",
    { LO,
      ETH ("enp0s31f6", 2),
      { "wwan0", "wwan", 3, .flags = DEVICE | COUNTED, .link_type = ARPHRD_NONE,
        .type = WEIR_INTERFACE_TYPE_PHYSICAL },
      { "mon0", NULL, 4, .link_type = ARPHRD_IEEE80211_RADIOTAP, .flags = COUNTED,
        .type = WEIR_INTERFACE_TYPE_WIRELESS },
      { "wg0", "wireguard", 5, .link_type = ARPHRD_NONE, .type = WEIR_INTERFACE_TYPE_WIREGUARD },
      { "tun0", "tun", 6, .link_type = ARPHRD_NONE, .type = WEIR_INTERFACE_TYPE_TUN },
      { "ppp0", "ppp", 7, .link_type = ARPHRD_PPP, .type = WEIR_INTERFACE_TYPE_TUNNEL },
      { "dummy0", "dummy", 8, .type = WEIR_INTERFACE_TYPE_DUMMY },
      { "ifb0", "ifb", 9, .type = WEIR_INTERFACE_TYPE_OTHER },
      { "sit0", "sit", 10, .link_type = ARPHRD_SIT, .type = WEIR_INTERFACE_TYPE_TUNNEL } } },

  /* Containers behind a bridge with translation: their bytes pass the card. */
  { "docker",
    { LO,
      ETH ("eth0", 2),
      { "docker0", "bridge", 3, .type = WEIR_INTERFACE_TYPE_BRIDGE },
      { "veth1", "veth", 4, .master = 3, .flags = ELSEWHERE, .type = WEIR_INTERFACE_TYPE_VETH },
      { "veth2", "veth", 5, .master = 3, .flags = ELSEWHERE, .type = WEIR_INTERFACE_TYPE_VETH } } },

  /* Virtual machines on a bridge that has the card as a port. */
  { "bridged",
    { LO,
      ETH ("eno1", 2, .master = 3),
      { "br0", "bridge", 3, .type = WEIR_INTERFACE_TYPE_BRIDGE },
      { "vnet0", "tun", 4, .master = 3, .type = WEIR_INTERFACE_TYPE_TUN },
      { "macvtap0", "macvtap", 5, .lower = 2, .type = WEIR_INTERFACE_TYPE_MACVLAN } } },

  /* VLANs on a bond of two cards. */
  { "bond",
    { LO,
      ETH ("eno1", 2, .master = 4),
      ETH ("eno2", 3, .master = 4),
      { "bond0", "bond", 4, .type = WEIR_INTERFACE_TYPE_BOND },
      { "bond0.10", "vlan", 5, .lower = 4, .type = WEIR_INTERFACE_TYPE_VLAN },
      { "bond0.20", "vlan", 6, .lower = 4, .master = 7, .type = WEIR_INTERFACE_TYPE_VLAN },
      { "br20", "bridge", 7, .type = WEIR_INTERFACE_TYPE_BRIDGE } } },

  /* The ports of a switch are seen through the card that it hangs on. */
  { "switch",
    { LO,
      ETH ("eth0", 2),
      { "lan1", "dsa", 3, .lower = 2, .flags = DEVICE, .type = WEIR_INTERFACE_TYPE_OTHER },
      { "lan2", "dsa", 4, .lower = 2, .flags = DEVICE, .type = WEIR_INTERFACE_TYPE_OTHER } } },

  /* A card of the cloud with its virtual function; InfiniBand with a partition of it. */
  { "failover",
    { LO,
      ETH ("eth0", 2),
      { "enP1s1", NULL, 3, .master = 2, .flags = DEVICE, .type = WEIR_INTERFACE_TYPE_PHYSICAL },
      { "ib0", "ipoib", 4, .flags = DEVICE | COUNTED, .link_type = ARPHRD_INFINIBAND,
        .type = WEIR_INTERFACE_TYPE_PHYSICAL },
      { "ib0.8001", "ipoib", 5, .lower = 4, .flags = DEVICE, .link_type = ARPHRD_INFINIBAND,
        .type = WEIR_INTERFACE_TYPE_OTHER } } },

  /* A card that is down is hardware all the same: no door is counted in its place. */
  { "card-down",
    { LO,
      { "eth0", NULL, 2, .flags = DOWN | DEVICE, .type = WEIR_INTERFACE_TYPE_PHYSICAL },
      { "veth1", "veth", 3, .flags = ELSEWHERE, .type = WEIR_INTERFACE_TYPE_VETH } } },

  /* Containers: through the doors to other namespaces. */
  { "container",
    { LO,
      { "eth0", "veth", 2, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_VETH },
      { "wg0", "wireguard", 3, .type = WEIR_INTERFACE_TYPE_WIREGUARD },
      { "eth0.5", "vlan", 4, .lower = 2, .type = WEIR_INTERFACE_TYPE_VLAN },
      { "pair", "veth", 5, .lower = 6, .type = WEIR_INTERFACE_TYPE_VETH },
      { "riap", "veth", 6, .lower = 5, .type = WEIR_INTERFACE_TYPE_VETH } } },
  { "container-macvlan",
    { LO,
      { "eth0", "macvlan", 2, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_MACVLAN },
      { "eth1", "ipvlan", 3, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_MACVLAN },
      { "eth2", "vlan", 4, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_VLAN },
      { "gre1", "gre", 5, .flags = ELSEWHERE, .link_type = ARPHRD_IPGRE,
        .type = WEIR_INTERFACE_TYPE_TUNNEL } } },
  { "containers-in-container",
    { LO,
      { "eth0", "veth", 2, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_VETH },
      { "docker0", "bridge", 3, .type = WEIR_INTERFACE_TYPE_BRIDGE },
      { "veth1", "veth", 4, .master = 3, .flags = ELSEWHERE, .type = WEIR_INTERFACE_TYPE_VETH } } },
  { "router",
    { LO,
      { "wan", "veth", 2, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_VETH },
      { "lan", "netkit", 3, .flags = ELSEWHERE | COUNTED, .type = WEIR_INTERFACE_TYPE_VETH },
      { "off", "veth", 4, .flags = ELSEWHERE | DOWN, .type = WEIR_INTERFACE_TYPE_VETH } } },

  /* Rootless: a tap, served by a program outside; or nothing but a tunnel that was moved in. */
  { "rootless", { LO, { "tap0", "tun", 2, .flags = COUNTED, .type = WEIR_INTERFACE_TYPE_TUN } } },
  { "tunnel-only",
    { LO,
      { "wg0", "wireguard", 2, .flags = ELSEWHERE | COUNTED, .link_type = ARPHRD_NONE,
        .type = WEIR_INTERFACE_TYPE_WIREGUARD } } },

  /* Nothing leads out. */
  { "alone", { LO, { "dummy0", "dummy", 2, .type = WEIR_INTERFACE_TYPE_DUMMY } } },
};

static struct weir_link
make_link (const Link *from)
{
  struct weir_link link = {
    .record = { .index = from->index,
                .master = from->master,
                .lower = from->lower,
                .link_type = from->link_type != 0 ? from->link_type : ARPHRD_ETHER },
    .has_device = (from->flags & DEVICE) != 0,
  };

  g_strlcpy (link.record.name, from->name, sizeof link.record.name);
  g_strlcpy (link.record.kind, from->kind != NULL ? from->kind : "", sizeof link.record.kind);
  link.record.flags = (from->flags & DOWN ? 0 : WEIR_INTERFACE_UP) |
                      (from->flags & ELSEWHERE ? WEIR_INTERFACE_PEER_ELSEWHERE : 0) |
                      (from->link_type == ARPHRD_LOOPBACK ? WEIR_INTERFACE_LOOPBACK : 0);
  return link;
}

static void
test_topology (gconstpointer data)
{
  const Topology *topology = data;
  struct weir_link links[G_N_ELEMENTS (topology->links)];
  gsize n = 0;

  for (; n < G_N_ELEMENTS (links) && topology->links[n].name != NULL; n++)
    {
      links[n] = make_link (&topology->links[n]);
      weir_link_classify (&links[n]);
    }
  weir_links_choose_counted (links, n);
  for (gsize i = 0; i < n; i++)
    {
      const Link *expected = &topology->links[i];

      g_test_message ("%s", expected->name);
      g_assert_cmpuint (links[i].record.type, ==, expected->type);
      g_assert_cmpint ((links[i].record.flags & WEIR_INTERFACE_COUNTED) != 0, ==,
                       (expected->flags & COUNTED) != 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (topologies); i++)
    {
      g_autofree char *path = g_strconcat ("/links/", topologies[i].name, NULL);
      g_test_add_data_func (path, &topologies[i], test_topology);
    }
  return g_test_run ();
}
