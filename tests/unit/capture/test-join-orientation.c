/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which rows an entry of the connection tracking table has, which end is the local one, and who
 * began: for every way that packets take. */
#include <glib.h>

#include "join-fixture.h"

static const char *const OWN[] = { "192.0.2.1", "10.0.0.1", "2001:db8::1", NULL };

#define OUT       WEIR_DIRECTION_OUT
#define IN        WEIR_DIRECTION_IN
#define FORWARDED WEIR_DIRECTION_FORWARDED
#define LOCAL     WEIR_DIRECTION_LOCAL
#define UNKNOWN   WEIR_DIRECTION_UNKNOWN

#define OSPF           89
#define ECHO(type, id) ((type) << 16 | (id))

/* Each case: who sent the first packet, what an answer looks like, and the rows that must come out
 * of 1000 bytes forth and 300 back. */
static const struct
{
  const char *name;
  guint8 protocol;
  const char *addresses[4]; /* orig source and destination, reply source and destination */
  guint16 ports[4];
  guint n_rows;
  struct row rows[2];
  guint32 discriminator;
} cases[] = {
  /* ---- with an end here ---- */
  { "out",
    IPPROTO_TCP,
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 443, 443, 4000 },
    1,
    { { "192.0.2.1", 4000, "198.51.100.7", 443, OUT, 300, 1000 } } },
  { "in",
    IPPROTO_TCP,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 22, 22, 4000 },
    1,
    { { "192.0.2.1", 22, "198.51.100.7", 4000, IN, 1000, 300 } } },
  { "out by IPv6",
    IPPROTO_UDP,
    { "2001:db8::1", "2001:db8::9", "2001:db8::9", "2001:db8::1" },
    { 4000, 53, 53, 4000 },
    1,
    { { "2001:db8::1", 4000, "2001:db8::9", 53, OUT, 300, 1000 } } },
  { "in by IPv6",
    IPPROTO_TCP,
    { "2001:db8::9", "2001:db8::1", "2001:db8::1", "2001:db8::9" },
    { 4000, 22, 22, 4000 },
    1,
    { { "2001:db8::1", 22, "2001:db8::9", 4000, IN, 1000, 300 } } },
  /* ---- with both ends here ---- */
  { "loopback",
    IPPROTO_TCP,
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
    { 4000, 80, 80, 4000 },
    2,
    { { "127.0.0.1", 4000, "127.0.0.1", 80, LOCAL, 300, 1000 },
      { "127.0.0.1", 80, "127.0.0.1", 4000, LOCAL, 1000, 300 } } },
  { "loopback by IPv6",
    IPPROTO_TCP,
    { "::1", "::1", "::1", "::1" },
    { 4000, 80, 80, 4000 },
    2,
    { { "::1", 4000, "::1", 80, LOCAL, 300, 1000 },
      { "::1", 80, "::1", 4000, LOCAL, 1000, 300 } } },
  { "between own addresses",
    IPPROTO_TCP,
    { "192.0.2.1", "10.0.0.1", "10.0.0.1", "192.0.2.1" },
    { 4000, 80, 80, 4000 },
    2,
    { { "192.0.2.1", 4000, "10.0.0.1", 80, LOCAL, 300, 1000 },
      { "10.0.0.1", 80, "192.0.2.1", 4000, LOCAL, 1000, 300 } } },
  { "a socket connected to itself",
    IPPROTO_TCP,
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
    { 4000, 4000, 4000, 4000 },
    1,
    { { "127.0.0.1", 4000, "127.0.0.1", 4000, LOCAL, 300, 1000 } } },
  { "out, redirected to a program here",
    IPPROTO_TCP,
    { "192.0.2.1", "198.51.100.7", "127.0.0.1", "192.0.2.1" },
    { 4000, 80, 3128, 4000 },
    2,
    { { "192.0.2.1", 4000, "198.51.100.7", 80, LOCAL, 300, 1000, "192.0.2.1", 4000, "127.0.0.1",
        3128 },
      { "127.0.0.1", 3128, "192.0.2.1", 4000, LOCAL, 1000, 300, "198.51.100.7", 80, "192.0.2.1",
        4000 } } },
  /* ---- passing through ---- */
  { "forwarded",
    IPPROTO_TCP,
    { "10.0.0.2", "198.51.100.7", "198.51.100.7", "10.0.0.2" },
    { 4000, 443, 443, 4000 },
    1,
    { { "10.0.0.2", 4000, "198.51.100.7", 443, FORWARDED, 300, 1000 } } },
  { "forwarded by IPv6",
    IPPROTO_UDP,
    { "2001:db8:1::2", "2001:db8::9", "2001:db8::9", "2001:db8:1::2" },
    { 4000, 443, 443, 4000 },
    1,
    { { "2001:db8:1::2", 4000, "2001:db8::9", 443, FORWARDED, 300, 1000 } } },
  { "forwarded, masqueraded as us",
    IPPROTO_TCP,
    { "10.0.0.2", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 443, 443, 50000 },
    1,
    { { "10.0.0.2", 4000, "198.51.100.7", 443, FORWARDED, 300, 1000, "192.0.2.1", 50000,
        "198.51.100.7", 443 } } },
  { "forwarded, addressed to us",
    IPPROTO_TCP,
    { "198.51.100.7", "192.0.2.1", "10.0.0.2", "198.51.100.7" },
    { 4000, 8080, 80, 4000 },
    1,
    { { "198.51.100.7", 4000, "192.0.2.1", 8080, FORWARDED, 300, 1000, "198.51.100.7", 4000,
        "10.0.0.2", 80 } } },
  { "forwarded, from a neighbour by our address to another (hairpin)",
    IPPROTO_TCP,
    { "10.0.0.2", "192.0.2.1", "10.0.0.3", "10.0.0.1" },
    { 4000, 80, 8080, 50000 },
    1,
    { { "10.0.0.2", 4000, "192.0.2.1", 80, FORWARDED, 300, 1000, "10.0.0.1", 50000, "10.0.0.3",
        8080 } } },
  { "an echo forwarded, masqueraded as us",
    IPPROTO_ICMP,
    { "10.0.0.2", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 0 },
    1,
    { { "10.0.0.2", 0, "198.51.100.7", 0, FORWARDED, 300, 1000, "192.0.2.1", 0, "198.51.100.7",
        0 } },
    ECHO (8, 777) },
  /* ---- translated, with an end here ---- */
  { "out, to another destination",
    IPPROTO_TCP,
    { "192.0.2.1", "10.96.0.1", "10.0.0.2", "192.0.2.1" },
    { 4000, 443, 6443, 4000 },
    1,
    { { "192.0.2.1", 4000, "10.96.0.1", 443, OUT, 300, 1000, "192.0.2.1", 4000, "10.0.0.2",
        6443 } } },
  { "out, from another source",
    IPPROTO_UDP,
    { "10.0.0.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 53, 53, 50000 },
    1,
    { { "10.0.0.1", 4000, "198.51.100.7", 53, OUT, 300, 1000, "192.0.2.1", 50000, "198.51.100.7",
        53 } } },
  { "in, redirected to another port",
    IPPROTO_TCP,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 80, 8080, 4000 },
    1,
    { { "192.0.2.1", 8080, "198.51.100.7", 4000, IN, 1000, 300, "192.0.2.1", 80, "198.51.100.7",
        4000 } } },
  { "in, addressed to somebody else",
    IPPROTO_TCP,
    { "198.51.100.7", "203.0.113.5", "10.0.0.1", "198.51.100.7" },
    { 4000, 80, 8080, 4000 },
    1,
    { { "10.0.0.1", 8080, "198.51.100.7", 4000, IN, 1000, 300, "203.0.113.5", 80, "198.51.100.7",
        4000 } } },
  { "in, to a program on loopback",
    IPPROTO_TCP,
    { "198.51.100.7", "192.0.2.1", "127.0.0.1", "198.51.100.7" },
    { 4000, 80, 8080, 4000 },
    1,
    { { "127.0.0.1", 8080, "198.51.100.7", 4000, IN, 1000, 300, "192.0.2.1", 80, "198.51.100.7",
        4000 } } },
  /* ---- to groups ---- */
  { "multicast received",
    IPPROTO_UDP,
    { "192.0.2.9", "224.0.0.251", "224.0.0.251", "192.0.2.9" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "224.0.0.251", 5353, "192.0.2.9", 5353, IN, 1000, 300 } } },
  { "multicast sent",
    IPPROTO_UDP,
    { "192.0.2.1", "224.0.0.251", "224.0.0.251", "192.0.2.1" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "192.0.2.1", 5353, "224.0.0.251", 5353, OUT, 300, 1000 } } },
  { "multicast received by IPv6",
    IPPROTO_UDP,
    { "fe80::9", "ff02::fb", "ff02::fb", "fe80::9" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "ff02::fb", 5353, "fe80::9", 5353, IN, 1000, 300 } } },
  { "multicast sent by IPv6",
    IPPROTO_UDP,
    { "2001:db8::1", "ff02::fb", "ff02::fb", "2001:db8::1" },
    { 5353, 5353, 5353, 5353 },
    1,
    { { "2001:db8::1", 5353, "ff02::fb", 5353, OUT, 300, 1000 } } },
  { "broadcast received",
    IPPROTO_UDP,
    { "192.0.2.9", "192.0.2.255", "192.0.2.255", "192.0.2.9" },
    { 137, 137, 137, 137 },
    1,
    { { "192.0.2.255", 137, "192.0.2.9", 137, IN, 1000, 300 } } },
  { "broadcast sent",
    IPPROTO_UDP,
    { "192.0.2.1", "255.255.255.255", "255.255.255.255", "192.0.2.1" },
    { 4000, 67, 67, 4000 },
    1,
    { { "192.0.2.1", 4000, "255.255.255.255", 67, OUT, 300, 1000 } } },
  { "broadcast of somebody without an address, who may be us",
    IPPROTO_UDP,
    { "0.0.0.0", "255.255.255.255", "255.255.255.255", "0.0.0.0" },
    { 68, 67, 67, 68 },
    1,
    { { "255.255.255.255", 67, "0.0.0.0", 68, UNKNOWN, 1000, 300 } } },
  { "broadcast on a network that is not ours",
    IPPROTO_UDP,
    { "10.9.0.9", "10.9.0.255", "10.9.0.255", "10.9.0.9" },
    { 137, 137, 137, 137 },
    1,
    { { "10.9.0.9", 137, "10.9.0.255", 137, FORWARDED, 300, 1000 } } },
  /* ---- protocols of all kinds ---- */
  { "an echo sent",
    IPPROTO_ICMP,
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "198.51.100.7", 0, OUT, 300, 1000 } },
    ECHO (8, 777) },
  { "an echo received",
    IPPROTO_ICMP,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "198.51.100.7", 0, IN, 1000, 300 } },
    ECHO (8, 777) },
  { "an echo to ourselves",
    IPPROTO_ICMP,
    { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1" },
    { 0 },
    1,
    { { "127.0.0.1", 0, "127.0.0.1", 0, LOCAL, 300, 1000 } },
    ECHO (8, 777) },
  { "an echo sent by IPv6",
    IPPROTO_ICMPV6,
    { "2001:db8::1", "2001:db8::9", "2001:db8::9", "2001:db8::1" },
    { 0 },
    1,
    { { "2001:db8::1", 0, "2001:db8::9", 0, OUT, 300, 1000 } },
    ECHO (128, 1) },
  { "an echo received by IPv6",
    IPPROTO_ICMPV6,
    { "2001:db8::9", "2001:db8::1", "2001:db8::1", "2001:db8::9" },
    { 0 },
    1,
    { { "2001:db8::1", 0, "2001:db8::9", 0, IN, 1000, 300 } },
    ECHO (128, 1) },
  { "SCTP out",
    IPPROTO_SCTP,
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 2905, 2905, 4000 },
    1,
    { { "192.0.2.1", 4000, "198.51.100.7", 2905, OUT, 300, 1000 } } },
  { "SCTP in",
    IPPROTO_SCTP,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 2905, 2905, 4000 },
    1,
    { { "192.0.2.1", 2905, "198.51.100.7", 4000, IN, 1000, 300 } } },
  { "DCCP out",
    IPPROTO_DCCP,
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 4000, 5001, 5001, 4000 },
    1,
    { { "192.0.2.1", 4000, "198.51.100.7", 5001, OUT, 300, 1000 } } },
  { "UDP-Lite in",
    IPPROTO_UDPLITE,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 4000, 5001, 5001, 4000 },
    1,
    { { "192.0.2.1", 5001, "198.51.100.7", 4000, IN, 1000, 300 } } },
  { "a tunnel of ours (GRE)",
    IPPROTO_GRE,
    { "192.0.2.1", "198.51.100.7", "198.51.100.7", "192.0.2.1" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "198.51.100.7", 0, OUT, 300, 1000 } } },
  { "a tunnel begun by the other end (ESP)",
    IPPROTO_ESP,
    { "198.51.100.7", "192.0.2.1", "192.0.2.1", "198.51.100.7" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "198.51.100.7", 0, IN, 1000, 300 } } },
  { "a tunnel that passes through (ESP by IPv6)",
    IPPROTO_ESP,
    { "2001:db8:1::2", "2001:db8::9", "2001:db8::9", "2001:db8:1::2" },
    { 0 },
    1,
    { { "2001:db8:1::2", 0, "2001:db8::9", 0, FORWARDED, 300, 1000 } } },
  { "routing sent (OSPF)",
    OSPF,
    { "192.0.2.1", "224.0.0.5", "224.0.0.5", "192.0.2.1" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "224.0.0.5", 0, OUT, 300, 1000 } } },
  { "routing received (OSPF)",
    OSPF,
    { "192.0.2.9", "224.0.0.5", "224.0.0.5", "192.0.2.9" },
    { 0 },
    1,
    { { "224.0.0.5", 0, "192.0.2.9", 0, IN, 1000, 300 } } },
  { "membership of groups (IGMP)",
    IPPROTO_IGMP,
    { "192.0.2.1", "224.0.0.22", "224.0.0.22", "192.0.2.1" },
    { 0 },
    1,
    { { "192.0.2.1", 0, "224.0.0.22", 0, OUT, 300, 1000 } } },
};

static void
begin (struct weir_join *join)
{
  g_assert_cmpint (weir_join_init (join, 1, true, 1000), ==, 0);
  weir_addresses_begin (&join->own.addresses);
  for (guint i = 0; OWN[i] != NULL; i++)
    weir_addresses_add (&join->own.addresses, endpoint (OWN[i], 0).address);
  weir_addresses_add_broadcast (&join->own.addresses, endpoint ("192.0.2.255", 0).address);
  weir_addresses_complete (&join->own.addresses);
  read_sockets (join, NULL, 0, S);
}

static void
test_case (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  struct weir_conntrack_reading reading = conntrack_reading (
      cases[i].addresses[0], cases[i].ports[0], cases[i].addresses[1], cases[i].ports[1]);
  struct weir_join join;

  reading.protocol = cases[i].protocol;
  reading.has_state = reading.protocol == IPPROTO_TCP;
  reading.discriminator = cases[i].discriminator;
  reading.reply_src = endpoint (cases[i].addresses[2], cases[i].ports[2]);
  reading.reply_dst = endpoint (cases[i].addresses[3], cases[i].ports[3]);
  begin (&join);
  /* Again and again: nothing of it may change what the rows are. */
  for (guint round = 1; round < 4; round++)
    {
      count (&reading, 1000, 300);
      read_entries (&join, &reading, 1, round * S);
      weir_join_settle (&join, round * S);
      g_assert_cmpuint (count_flows (&join), ==, cases[i].n_rows);
      for (guint row = 0; row < cases[i].n_rows; row++)
        {
          const struct weir_flow *flow = assert_row (&join, cases[i].protocol, &cases[i].rows[row]);

          g_assert_cmpint (flow->owner_missing == WEIR_MISSING_FORWARDED, ==,
                           flow->direction == FORWARDED);
        }
    }

  /* The end has the last figures, for every row. */
  count (&reading, 5000, 3000);
  weir_join_conntrack (&join, &reading, WEIR_CONNTRACK_DESTROY, 5 * S);
  weir_join_settle (&join, 5 * S);
  g_assert_cmpuint (count_flows (&join), ==, cases[i].n_rows);
  for (guint32 slot = 0, row = 0; row < cases[i].n_rows; row++)
    {
      struct weir_flow *flow = weir_flow_table_next (&join.table, &slot);

      g_assert_true (flow->flags & WEIR_FLOW_IS_ENDED);
      g_assert_cmpuint (flow->ct_rx_bytes + flow->ct_tx_bytes, ==, 8000);
    }
  weir_join_clear (&join);
}

/* Two pings at once, and what else has the same number. */
static void
test_echoes (void)
{
  static const guint32 kinds[] = { ECHO (8, 5), ECHO (8, 6), ECHO (13, 5) };
  struct weir_join join;

  begin (&join);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      struct weir_conntrack_reading reading = conntrack_reading ("192.0.2.1", 0, "192.0.2.9", 0);

      reading.protocol = IPPROTO_ICMP;
      reading.has_state = false;
      reading.discriminator = kinds[i];
      reading.id = i;
      weir_join_conntrack (&join, &reading, WEIR_CONNTRACK_NEW, S);
    }
  weir_join_settle (&join, S);
  g_assert_cmpuint (count_flows (&join), ==, 3);
  weir_join_clear (&join);
}

/* A transparent proxy: its sockets have the addresses of others, so that by addresses alone the
 * flow would pass through.  Whichever is known first, they are one row. */
static void
test_foreign_address (void)
{
  struct weir_conntrack_reading in = conntrack_reading ("10.0.0.2", 4000, "198.51.100.7", 80);
  struct weir_conntrack_reading out = conntrack_reading ("10.0.0.3", 5000, "198.51.100.8", 80);
  struct weir_socket_reading sockets[] = {
    socket_reading ("198.51.100.7", 80, "10.0.0.2", 4000),
    socket_reading ("10.0.0.3", 5000, "198.51.100.8", 80),
  };

  out.id = 8;
  sockets[1].cookie = 2;
  count (&in, 1000, 300);
  count (&out, 1000, 300);
  for (guint entries_first = 0; entries_first < 2; entries_first++)
    {
      struct weir_conntrack_reading entries[] = { in, out };
      struct weir_join join;

      begin (&join);
      if (entries_first)
        read_entries (&join, entries, 2, S);
      read_sockets (&join, sockets, 2, S);
      if (!entries_first)
        read_entries (&join, entries, 2, S);
      weir_join_settle (&join, S);
      g_assert_cmpuint (count_flows (&join), ==, 2);
      assert_row (&join, IPPROTO_TCP,
                  &(struct row) { "198.51.100.7", 80, "10.0.0.2", 4000, IN, 1000, 300 });
      assert_row (&join, IPPROTO_TCP,
                  &(struct row) { "10.0.0.3", 5000, "198.51.100.8", 80, OUT, 300, 1000 });
      weir_join_clear (&join);
    }
}

static const struct
{
  guint8 protocol, state;
  enum weir_flow_state expected;
} states[] = {
  { IPPROTO_TCP, 0, WEIR_FLOW_STATE_UNKNOWN },
  { IPPROTO_TCP, 1, WEIR_FLOW_STATE_OPENING }, /* SYN_SENT */
  { IPPROTO_TCP, 2, WEIR_FLOW_STATE_OPENING }, /* SYN_RECV */
  { IPPROTO_TCP, 3, WEIR_FLOW_STATE_OPEN },    /* ESTABLISHED */
  { IPPROTO_TCP, 4, WEIR_FLOW_STATE_CLOSING }, /* FIN_WAIT */
  { IPPROTO_TCP, 7, WEIR_FLOW_STATE_CLOSED },  /* TIME_WAIT */
  { IPPROTO_TCP, 9, WEIR_FLOW_STATE_OPENING }, /* SYN_SENT2 */
  { IPPROTO_TCP, 200, WEIR_FLOW_STATE_UNKNOWN },
  { IPPROTO_SCTP, 1, WEIR_FLOW_STATE_CLOSED },  /* CLOSED */
  { IPPROTO_SCTP, 2, WEIR_FLOW_STATE_OPENING }, /* COOKIE_WAIT */
  { IPPROTO_SCTP, 4, WEIR_FLOW_STATE_OPEN },    /* ESTABLISHED */
  { IPPROTO_SCTP, 7, WEIR_FLOW_STATE_CLOSING }, /* SHUTDOWN_ACK_SENT */
  { IPPROTO_SCTP, 8, WEIR_FLOW_STATE_OPENING }, /* HEARTBEAT_SENT */
  { IPPROTO_SCTP, 200, WEIR_FLOW_STATE_UNKNOWN },
  { IPPROTO_DCCP, 1, WEIR_FLOW_STATE_OPENING }, /* REQUEST */
  { IPPROTO_DCCP, 4, WEIR_FLOW_STATE_OPEN },    /* OPEN */
  { IPPROTO_DCCP, 6, WEIR_FLOW_STATE_CLOSING }, /* CLOSING */
  { IPPROTO_DCCP, 7, WEIR_FLOW_STATE_CLOSED },  /* TIMEWAIT */
  { IPPROTO_DCCP, 0, WEIR_FLOW_STATE_OPEN },    /* not followed */
  { IPPROTO_UDP, 0, WEIR_FLOW_STATE_OPEN },
  { IPPROTO_ESP, 0, WEIR_FLOW_STATE_OPEN },
};

static void
test_states (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      struct weir_conntrack_reading reading = conntrack_reading ("10.0.0.2", 1, "192.0.2.9", 2);
      struct weir_join join;

      reading.protocol = states[i].protocol;
      reading.state = states[i].state;
      reading.has_state = states[i].state != 0;
      begin (&join);
      weir_join_conntrack (&join, &reading, WEIR_CONNTRACK_NEW, S);
      weir_join_settle (&join, S);
      g_assert_cmpuint (find_flow (&join, states[i].protocol, "10.0.0.2", 1, "192.0.2.9", 2)->state,
                        ==, states[i].expected);
      weir_join_clear (&join);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/join-orientation/%s", cases[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_case);
    }
  g_test_add_func ("/join-orientation/echoes", test_echoes);
  g_test_add_func ("/join-orientation/foreign-address", test_foreign_address);
  g_test_add_func ("/join-orientation/states", test_states);
  return g_test_run ();
}
