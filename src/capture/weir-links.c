/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-links.h"

#include <linux/if_arp.h>
#include <string.h>

/* IFLA_INFO_KIND, as the drivers of the kernel call themselves. */
static const struct
{
  const char *kind;
  uint8_t type; /* enum weir_interface_type */
} kinds[] = {
  { "bridge", WEIR_INTERFACE_TYPE_BRIDGE },    { "openvswitch", WEIR_INTERFACE_TYPE_BRIDGE },
  { "bond", WEIR_INTERFACE_TYPE_BOND },        { "team", WEIR_INTERFACE_TYPE_BOND },
  { "veth", WEIR_INTERFACE_TYPE_VETH },        { "netkit", WEIR_INTERFACE_TYPE_VETH },
  { "vxcan", WEIR_INTERFACE_TYPE_VETH },       { "tun", WEIR_INTERFACE_TYPE_TUN },
  { "vlan", WEIR_INTERFACE_TYPE_VLAN },        { "macvlan", WEIR_INTERFACE_TYPE_MACVLAN },
  { "macvtap", WEIR_INTERFACE_TYPE_MACVLAN },  { "ipvlan", WEIR_INTERFACE_TYPE_MACVLAN },
  { "ipvtap", WEIR_INTERFACE_TYPE_MACVLAN },   { "wireguard", WEIR_INTERFACE_TYPE_WIREGUARD },
  { "vxlan", WEIR_INTERFACE_TYPE_TUNNEL },     { "geneve", WEIR_INTERFACE_TYPE_TUNNEL },
  { "gre", WEIR_INTERFACE_TYPE_TUNNEL },       { "gretap", WEIR_INTERFACE_TYPE_TUNNEL },
  { "erspan", WEIR_INTERFACE_TYPE_TUNNEL },    { "ip6gre", WEIR_INTERFACE_TYPE_TUNNEL },
  { "ip6gretap", WEIR_INTERFACE_TYPE_TUNNEL }, { "ip6erspan", WEIR_INTERFACE_TYPE_TUNNEL },
  { "ipip", WEIR_INTERFACE_TYPE_TUNNEL },      { "sit", WEIR_INTERFACE_TYPE_TUNNEL },
  { "ip6tnl", WEIR_INTERFACE_TYPE_TUNNEL },    { "vti", WEIR_INTERFACE_TYPE_TUNNEL },
  { "vti6", WEIR_INTERFACE_TYPE_TUNNEL },      { "xfrm", WEIR_INTERFACE_TYPE_TUNNEL },
  { "gtp", WEIR_INTERFACE_TYPE_TUNNEL },       { "bareudp", WEIR_INTERFACE_TYPE_TUNNEL },
  { "amt", WEIR_INTERFACE_TYPE_TUNNEL },       { "ovpn", WEIR_INTERFACE_TYPE_TUNNEL },
  { "ppp", WEIR_INTERFACE_TYPE_TUNNEL },       { "dummy", WEIR_INTERFACE_TYPE_DUMMY },
};

/* Where bytes are counted: at the first of these levels that the namespace has anything of. */
enum level
{
  LEVEL_HARDWARE, /* here they enter and leave the machine */
  LEVEL_DOOR,     /* a container has no hardware: they enter from another namespace */
  LEVEL_LAST,     /* a rootless container has nothing but a tap that a process outside serves */
  LEVEL_NEVER,
};

static const enum level levels[WEIR_N_INTERFACE_TYPES] = {
  /* What is not known is built on top of something that is counted, or leads nowhere. */
  [WEIR_INTERFACE_TYPE_OTHER] = LEVEL_NEVER,
  [WEIR_INTERFACE_TYPE_PHYSICAL] = LEVEL_HARDWARE,
  [WEIR_INTERFACE_TYPE_WIRELESS] = LEVEL_HARDWARE,
  /* Nothing leaves through it. */
  [WEIR_INTERFACE_TYPE_LOOPBACK] = LEVEL_NEVER,
  /* What enters or leaves passes one of its ports. */
  [WEIR_INTERFACE_TYPE_BRIDGE] = LEVEL_NEVER,
  /* Its slaves count: the bond adds up what they have. */
  [WEIR_INTERFACE_TYPE_BOND] = LEVEL_NEVER,
  /* On a machine with hardware their packets pass that too, or stay inside. */
  [WEIR_INTERFACE_TYPE_VETH] = LEVEL_DOOR,
  [WEIR_INTERFACE_TYPE_VLAN] = LEVEL_DOOR,
  [WEIR_INTERFACE_TYPE_MACVLAN] = LEVEL_DOOR,
  /* Their packets travel inside of packets that are counted where those leave. */
  [WEIR_INTERFACE_TYPE_TUN] = LEVEL_LAST,
  [WEIR_INTERFACE_TYPE_WIREGUARD] = LEVEL_LAST,
  [WEIR_INTERFACE_TYPE_TUNNEL] = LEVEL_LAST,
  [WEIR_INTERFACE_TYPE_DUMMY] = LEVEL_NEVER,
};

void
weir_link_classify (struct weir_link *link)
{
  struct weir_interface_record *record = &link->record;

  record->type = WEIR_INTERFACE_TYPE_OTHER;
  if (record->flags & WEIR_INTERFACE_LOOPBACK)
    record->type = WEIR_INTERFACE_TYPE_LOOPBACK;
  else if (record->link_type >= ARPHRD_IEEE80211 && record->link_type <= ARPHRD_IEEE80211_RADIOTAP)
    record->type = WEIR_INTERFACE_TYPE_WIRELESS;
  /* Modems and InfiniBand cards name a kind, too. */
  else if (record->kind[0] == '\0' || (link->has_device && record->lower == 0))
    record->type = WEIR_INTERFACE_TYPE_PHYSICAL;
  else
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
      if (strcmp (record->kind, kinds[i].kind) == 0)
        record->type = kinds[i].type;
}

static const struct weir_link *
find_master (const struct weir_link *links, size_t n, const struct weir_link *link)
{
  for (size_t i = 0; link->record.master != 0 && i < n; i++)
    {
      if (links[i].record.index == link->record.master)
        return &links[i];
    }
  return NULL;
}

static enum level
get_level (const struct weir_link *links, size_t n, const struct weir_link *link)
{
  const struct weir_link *master = find_master (links, n, link);
  enum level level = levels[link->record.type];

  switch (level)
    {
    case LEVEL_HARDWARE:
      /* Two faces of one device (virtual functions, failover): the master counts for both. */
      return master != NULL && levels[master->record.type] == LEVEL_HARDWARE ? LEVEL_NEVER : level;
    case LEVEL_DOOR:
      /* The port of a bridge leads from here to a container, not from here to the world. */
      return link->record.flags & WEIR_INTERFACE_PEER_ELSEWHERE && master == NULL ? level
                                                                                  : LEVEL_NEVER;
    case LEVEL_LAST:
      return master == NULL ? level : LEVEL_NEVER;
    case LEVEL_NEVER:
    default:
      return LEVEL_NEVER;
    }
}

void
weir_links_choose_counted (struct weir_link *links, size_t n)
{
  enum level first = LEVEL_NEVER;

  for (size_t i = 0; i < n; i++)
    {
      enum level level = get_level (links, n, &links[i]);

      if (level < first)
        first = level;
    }
  for (size_t i = 0; i < n && first != LEVEL_NEVER; i++)
    if (get_level (links, n, &links[i]) == first && links[i].record.flags & WEIR_INTERFACE_UP)
      links[i].record.flags |= WEIR_INTERFACE_COUNTED;
}

/* Drivers of real cards count what these say that they sent and received.  The virtual one's host
 * takes and gives segments in one piece, and its driver counts those pieces. */
static bool
is_wire (const struct weir_link *link)
{
  return levels[link->record.type] == LEVEL_HARDWARE && !link->is_virtio;
}

bool
weir_links_counts_segments (const struct weir_link *links, size_t n, const struct weir_link *link)
{
  switch (link->record.type)
    {
    case WEIR_INTERFACE_TYPE_PHYSICAL:
    case WEIR_INTERFACE_TYPE_WIRELESS:
      return is_wire (link);
    /* What enters or leaves passes a card below as well, and is counted there. */
    case WEIR_INTERFACE_TYPE_BRIDGE:
    case WEIR_INTERFACE_TYPE_BOND:
    case WEIR_INTERFACE_TYPE_VLAN:
    case WEIR_INTERFACE_TYPE_MACVLAN:
      for (size_t i = 0; i < n; i++)
        {
          if (links[i].record.flags & WEIR_INTERFACE_COUNTED && is_wire (&links[i]))
            return true;
        }
      return false;
    default:
      return false;
    }
}
