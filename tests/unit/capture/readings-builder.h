/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Short ways to say what a source could have read. */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>

#include "weir-addresses.h"
#include "weir-join.h"

#define S UINT64_C (1000000000)

static inline struct weir_endpoint
endpoint (const char *address, guint16 port)
{
  struct weir_endpoint made = { .port = port };
  guint8 v4[4];

  if (inet_pton (AF_INET, address, v4) == 1)
    weir_address_map_v4 (v4, made.address);
  else
    g_assert_cmpint (inet_pton (AF_INET6, address, made.address), ==, 1);
  return made;
}

static inline void
own_addresses (struct weir_addresses *addresses, const char *const *list)
{
  weir_addresses_begin (addresses);
  for (; *list != NULL; list++)
    weir_addresses_add (addresses, endpoint (*list, 0).address);
  weir_addresses_complete (addresses);
}

static inline struct weir_socket_reading
socket_reading (const char *local, guint16 local_port, const char *remote, guint16 remote_port)
{
  struct weir_socket_reading made = {
    .protocol = IPPROTO_TCP,
    .state = WEIR_TCP_ESTABLISHED,
    .local = endpoint (local, local_port),
    .remote = endpoint (remote, remote_port),
    .cookie = 1,
    .inode = 100,
    .uid = 1000,
  };

  made.family = weir_address_is_v4 (made.remote.address) ? 4 : 6;
  return made;
}

/* An entry without translation, counted. */
static inline struct weir_conntrack_reading
conntrack_reading (const char *source, guint16 source_port, const char *destination,
                   guint16 destination_port)
{
  struct weir_conntrack_reading made = {
    .protocol = IPPROTO_TCP,
    .orig_src = endpoint (source, source_port),
    .orig_dst = endpoint (destination, destination_port),
    .id = 7,
    .has_counters = true,
    .has_state = true,
    .state = 3, /* ESTABLISHED */
  };

  made.family = weir_address_is_v4 (made.orig_src.address) ? 4 : 6;
  made.reply_src = made.orig_dst;
  made.reply_dst = made.orig_src;
  return made;
}

static inline void
count (struct weir_conntrack_reading *reading, guint64 orig, guint64 reply)
{
  reading->orig_bytes = orig;
  reading->orig_packets = orig / 100;
  reading->reply_bytes = reply;
  reading->reply_packets = reply / 100;
}

static inline struct weir_flow *
find_flow (struct weir_join *join, guint8 protocol, const char *local, guint16 local_port,
           const char *remote, guint16 remote_port)
{
  struct weir_endpoint l = endpoint (local, local_port), r = endpoint (remote, remote_port);
  struct weir_flow *flow;

  for (guint32 slot = 0; (flow = weir_flow_table_next (&join->table, &slot)) != NULL;)
    {
      if (flow->key.protocol == protocol && !(flow->flags & WEIR_FLOW_IS_ENDED) &&
          flow->key.local_port == local_port && flow->key.remote_port == remote_port &&
          memcmp (flow->key.local, l.address, 16) == 0 &&
          memcmp (flow->key.remote, r.address, 16) == 0)
        return flow;
    }
  return NULL;
}

static inline guint
count_flows (struct weir_join *join)
{
  guint n = 0;

  for (guint32 slot = 0; weir_flow_table_next (&join->table, &slot) != NULL;)
    n++;
  return n;
}

/* One whole dump of sockets, of any namespace ... */
static inline void
read_sockets_of (struct weir_join *join, struct weir_netns *netns,
                 const struct weir_socket_reading *readings, gsize n, guint64 now)
{
  weir_join_sockets_begin (join, netns);
  netns->asked_at = now;
  for (gsize i = 0; i < n; i++)
    weir_join_socket (join, netns, &readings[i], WEIR_SOCKDIAG_SOCKET, now);
  weir_join_sockets_complete (join, netns);
}

/* ... and of the engine's own. */
static inline void
read_sockets (struct weir_join *join, const struct weir_socket_reading *readings, gsize n,
              guint64 now)
{
  read_sockets_of (join, &join->own, readings, n, now);
}

/* One whole dump of entries. */
static inline void
read_entries (struct weir_join *join, const struct weir_conntrack_reading *readings, gsize n,
              guint64 now)
{
  weir_join_conntrack_begin (join);
  for (gsize i = 0; i < n; i++)
    weir_join_conntrack (join, &readings[i], WEIR_CONNTRACK_ENTRY, now);
  weir_join_conntrack_end (join, true);
}

/* What the looker would be asked for. */
static inline guint32
collect_owners (struct weir_owners *owners, guint64 now, guint64 *ret_inodes)
{
  struct weir_looker_request request = { 0 };
  guint32 n = weir_owners_collect (owners, now, &request);

  memcpy (ret_inodes, request.values, n * sizeof ret_inodes[0]);
  return n;
}
