/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "netlink-builder.h"
#include "readings-builder.h"
#include "weir-conntrack-parse.h"
#include "weir-netlink.h"

/* ---- messages that are built ---- */

static void
put_addresses (struct builder *builder, const char *source, const char *destination)
{
  gboolean v4 = strchr (source, ':') == NULL;
  gsize at = builder_open (builder, CTA_TUPLE_IP);
  guint8 address[16];

  inet_pton (v4 ? AF_INET : AF_INET6, source, address);
  builder_attribute (builder, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address, v4 ? 4 : 16);
  inet_pton (v4 ? AF_INET : AF_INET6, destination, address);
  builder_attribute (builder, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, address, v4 ? 4 : 16);
  builder_close (builder, at);
}

static void
put_u8 (struct builder *builder, guint16 type, guint8 value)
{
  builder_attribute (builder, type, &value, sizeof value);
}

static void
put_u16 (struct builder *builder, guint16 type, guint16 value)
{
  value = htons (value);
  builder_attribute (builder, type, &value, sizeof value);
}

static void
put_u32 (struct builder *builder, guint16 type, guint32 value)
{
  value = htonl (value);
  builder_attribute (builder, type, &value, sizeof value);
}

static void
put_u64 (struct builder *builder, guint16 type, guint64 value)
{
  value = htobe64 (value);
  builder_attribute (builder, type, &value, sizeof value);
}

/* A tuple up to the number of its protocol; it is closed by close_tuple(). */
struct open_tuple
{
  gsize tuple, protocol;
};

static struct open_tuple
open_tuple (struct builder *builder, guint16 type, guint8 protocol, const char *source,
            const char *destination)
{
  struct open_tuple made = { .tuple = builder_open (builder, type) };

  put_addresses (builder, source, destination);
  made.protocol = builder_open (builder, CTA_TUPLE_PROTO);
  put_u8 (builder, CTA_PROTO_NUM, protocol);
  return made;
}

static void
close_tuple (struct builder *builder, struct open_tuple tuple)
{
  builder_close (builder, tuple.protocol);
  builder_close (builder, tuple.tuple);
}

static void
put_tuple (struct builder *builder, guint16 type, guint8 protocol, const char *source,
           const char *destination, guint16 source_port, guint16 destination_port)
{
  struct open_tuple tuple = open_tuple (builder, type, protocol, source, destination);

  put_u16 (builder, CTA_PROTO_SRC_PORT, source_port);
  put_u16 (builder, CTA_PROTO_DST_PORT, destination_port);
  close_tuple (builder, tuple);
}

static void
begin_entry (struct builder *builder, guint8 family)
{
  struct nfgenmsg header = { .nfgen_family = family };

  *builder = (struct builder) { 0 };
  builder_begin (builder, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, &header, sizeof header);
}

/* Both tuples and an id: the least that is an entry. */
static void
begin_flow (struct builder *builder, guint8 protocol)
{
  begin_entry (builder, AF_INET);
  put_tuple (builder, CTA_TUPLE_ORIG, protocol, "10.0.0.2", "192.0.2.80", 4000, 80);
  put_tuple (builder, CTA_TUPLE_REPLY, protocol, "192.0.2.80", "203.0.113.1", 80, 5000);
  put_u32 (builder, CTA_ID, 0xdeadbeef);
}

static void
put_counters (struct builder *builder, guint16 type, guint64 packets, guint64 bytes)
{
  gsize at = builder_open (builder, type);

  put_u64 (builder, CTA_COUNTERS_PACKETS, packets);
  put_u64 (builder, CTA_COUNTERS_BYTES, bytes);
  builder_close (builder, at);
}

static void
put_state (struct builder *builder, guint16 type, guint8 state)
{
  gsize info = builder_open (builder, CTA_PROTOINFO);
  gsize inner = builder_open (builder, type);

  put_u8 (builder, CTA_PROTOINFO_TCP_STATE, state);
  put_u8 (builder, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, 77);
  builder_close (builder, inner);
  builder_close (builder, info);
}

static struct weir_conntrack_reading
parse (struct builder *builder)
{
  struct weir_conntrack_reading reading = { 0 };

  g_assert_cmpint (weir_conntrack_parse (builder_header (builder), &reading), ==, 0);
  return reading;
}

static void
assert_refused (struct builder *builder)
{
  struct weir_conntrack_reading reading, untouched;

  memset (&reading, 0x5a, sizeof reading);
  memcpy (&untouched, &reading, sizeof reading);
  g_assert_cmpint (weir_conntrack_parse (builder_header (builder), &reading), ==, -EPROTO);
  g_assert_cmpmem (&reading, sizeof reading, &untouched, sizeof untouched);
}

static void
assert_endpoint (const struct weir_endpoint *found, const char *address, guint16 port)
{
  struct weir_endpoint expected = endpoint (address, port);

  g_assert_cmpmem (found->address, 16, expected.address, 16);
  g_assert_cmpuint (found->port, ==, port);
}

/* ---- each attribute ---- */

static void
test_tuples (void)
{
  static const guint8 with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP,
                                       IPPROTO_DCCP };
  struct builder builder;

  for (guint i = 0; i < G_N_ELEMENTS (with_ports); i++)
    {
      struct weir_conntrack_reading reading;

      begin_flow (&builder, with_ports[i]);
      reading = parse (&builder);
      g_assert_cmpuint (reading.protocol, ==, with_ports[i]);
      g_assert_cmpuint (reading.family, ==, 4);
      assert_endpoint (&reading.orig_src, "10.0.0.2", 4000);
      assert_endpoint (&reading.orig_dst, "192.0.2.80", 80);
      assert_endpoint (&reading.reply_src, "192.0.2.80", 80);
      assert_endpoint (&reading.reply_dst, "203.0.113.1", 5000);
      g_assert_cmpuint (reading.discriminator, ==, 0);
      g_assert_cmphex (reading.id, ==, 0xdeadbeef);
      g_assert_cmpuint (reading.zone, ==, 0);
      g_assert_cmphex (reading.status, ==, 0);
      g_assert_false (reading.has_mark);
      g_assert_false (reading.has_counters);
      g_assert_false (reading.has_state);
    }
}

static void
test_v6 (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder;

  begin_entry (&builder, AF_INET6);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "2001:db8::1", "2001:db8::2", 53, 54);
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_UDP, "2001:db8::2", "2001:db8::1", 54, 53);
  put_u32 (&builder, CTA_ID, 5);
  reading = parse (&builder);
  g_assert_cmpuint (reading.family, ==, 6);
  assert_endpoint (&reading.orig_src, "2001:db8::1", 53);
  assert_endpoint (&reading.orig_dst, "2001:db8::2", 54);
  assert_endpoint (&reading.reply_src, "2001:db8::2", 54);
  assert_endpoint (&reading.reply_dst, "2001:db8::1", 53);

  /* Addresses of the family that the header does not name are none. */
  begin_flow (&builder, IPPROTO_UDP);
  *(guint8 *) (builder_header (&builder) + 1) = AF_INET6;
  assert_refused (&builder);
  *(guint8 *) (builder_header (&builder) + 1) = AF_BRIDGE;
  assert_refused (&builder);
}

static void
test_icmp (void)
{
  static const struct
  {
    guint8 protocol;
    guint16 id, type, code;
  } kinds[] = {
    { IPPROTO_ICMP, CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE },
    { IPPROTO_ICMPV6, CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      struct weir_conntrack_reading reading;
      struct open_tuple tuple;
      struct builder builder;

      begin_entry (&builder, AF_INET);
      tuple = open_tuple (&builder, CTA_TUPLE_ORIG, kinds[i].protocol, "10.0.0.1", "10.0.0.2");
      put_u16 (&builder, kinds[i].id, 777);
      put_u8 (&builder, kinds[i].type, 8);
      put_u8 (&builder, kinds[i].code, 3);
      close_tuple (&builder, tuple);
      /* The answer: another type and, behind a translation, another identifier. */
      tuple = open_tuple (&builder, CTA_TUPLE_REPLY, kinds[i].protocol, "10.0.0.2", "10.0.0.1");
      put_u16 (&builder, kinds[i].id, 999);
      put_u8 (&builder, kinds[i].type, 0);
      close_tuple (&builder, tuple);
      put_u32 (&builder, CTA_ID, 5);
      reading = parse (&builder);
      g_assert_cmphex (reading.discriminator, ==, 0x03080000 | 777);
      g_assert_cmpuint (reading.orig_src.port, ==, 0);
      g_assert_cmpuint (reading.reply_dst.port, ==, 0);
    }
}

static void
test_without_ports (void)
{
  static const guint8 protocols[] = { IPPROTO_IGMP, IPPROTO_ESP, IPPROTO_AH, 89, 255, 0 };
  struct weir_conntrack_reading reading;
  struct builder builder;

  begin_flow (&builder, IPPROTO_GRE);
  reading = parse (&builder);
  g_assert_cmphex (reading.discriminator, ==, 4000 << 16 | 80);
  g_assert_cmpuint (reading.orig_src.port, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (protocols); i++)
    {
      begin_flow (&builder, protocols[i]);
      reading = parse (&builder);
      g_assert_cmpuint (reading.protocol, ==, protocols[i]);
      g_assert_cmphex (reading.discriminator, ==, 0);
      g_assert_cmpuint (reading.orig_src.port, ==, 0);
      g_assert_cmpuint (reading.orig_dst.port, ==, 0);
    }
}

static void
test_counters (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder;

  /* Wherever they lie: 64-bit numbers are aligned to 4 bytes only. */
  for (guint shift = 0; shift < 2; shift++)
    {
      begin_flow (&builder, IPPROTO_TCP);
      if (shift > 0)
        builder_attribute (&builder, CTA_COUNTERS_PAD, NULL, 0);
      put_counters (&builder, CTA_COUNTERS_ORIG, 3, 5000000000);
      put_counters (&builder, CTA_COUNTERS_REPLY, G_MAXUINT64, 0x0102030405060708);
      reading = parse (&builder);
      g_assert_true (reading.has_counters);
      g_assert_cmpuint (reading.orig_bytes, ==, 5000000000);
      g_assert_cmpuint (reading.orig_packets, ==, 3);
      g_assert_cmphex (reading.reply_bytes, ==, 0x0102030405060708);
      g_assert_cmphex (reading.reply_packets, ==, G_MAXUINT64);
    }

  /* One direction alone, or half of one, is no figure. */
  begin_flow (&builder, IPPROTO_TCP);
  put_counters (&builder, CTA_COUNTERS_ORIG, 3, 500);
  reading = parse (&builder);
  g_assert_false (reading.has_counters);
  {
    gsize at = builder_open (&builder, CTA_COUNTERS_REPLY);

    put_u64 (&builder, CTA_COUNTERS_BYTES, 5);
    put_u32 (&builder, CTA_COUNTERS_PACKETS, 5);
    builder_close (&builder, at);
  }
  reading = parse (&builder);
  g_assert_false (reading.has_counters);
}

static void
test_states (void)
{
  static const struct
  {
    guint8 protocol;
    guint16 type;
  } kinds[] = {
    { IPPROTO_TCP, CTA_PROTOINFO_TCP },
    { IPPROTO_SCTP, CTA_PROTOINFO_SCTP },
    { IPPROTO_DCCP, CTA_PROTOINFO_DCCP },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
        {
          struct weir_conntrack_reading reading;
          struct builder builder;

          begin_flow (&builder, kinds[i].protocol);
          put_state (&builder, kinds[k].type, (guint8) (k + 3));
          reading = parse (&builder);
          /* The state of another protocol is none of this one's. */
          g_assert_cmpint (reading.has_state, ==, i == k);
          g_assert_cmpuint (reading.state, ==, i == k ? k + 3 : 0);
        }
    }
}

static void
test_rest (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder;

  begin_flow (&builder, IPPROTO_UDP);
  put_u32 (&builder, CTA_STATUS, IPS_SEEN_REPLY | IPS_ASSURED);
  put_u32 (&builder, CTA_MARK, 0xcafe0001);
  put_u32 (&builder, CTA_TIMEOUT, 30);
  put_u16 (&builder, 4000, 30);
  put_u16 (&builder, CTA_ZONE, 65535);
  reading = parse (&builder);
  g_assert_cmphex (reading.status, ==, IPS_SEEN_REPLY | IPS_ASSURED);
  g_assert_true (reading.has_mark);
  g_assert_cmphex (reading.mark, ==, 0xcafe0001);
  g_assert_cmpuint (reading.zone, ==, 65535);
  g_assert_cmpuint (reading.zone_direction, ==, WEIR_ZONE_BOTH);

  /* A mark of zero is a mark, too. */
  begin_flow (&builder, IPPROTO_UDP);
  put_u32 (&builder, CTA_MARK, 0);
  reading = parse (&builder);
  g_assert_true (reading.has_mark);
}

static void
test_zones (void)
{
  for (guint reply = 0; reply < 2; reply++)
    {
      struct weir_conntrack_reading reading;
      struct builder builder;

      begin_entry (&builder, AF_INET);
      for (guint i = 0; i < 2; i++)
        {
          struct open_tuple tuple = open_tuple (&builder, i == 0 ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY,
                                                IPPROTO_ESP, "10.0.0.1", "10.0.0.2");

          builder_close (&builder, tuple.protocol);
          if (i == reply)
            put_u16 (&builder, CTA_TUPLE_ZONE, 6);
          builder_close (&builder, tuple.tuple);
        }
      put_u32 (&builder, CTA_ID, 5);
      reading = parse (&builder);
      g_assert_cmpuint (reading.zone, ==, 6);
      g_assert_cmpuint (reading.zone_direction, ==, reply ? WEIR_ZONE_REPLY : WEIR_ZONE_ORIG);
    }
}

/* What has another size than the kernel gives it is not what it is called. */
static void
test_sizes (void)
{
  static const guint8 zeros[16];
  struct weir_conntrack_reading reading;
  struct builder builder;

  begin_flow (&builder, IPPROTO_TCP);
  for (gsize size = 0; size < 8; size++)
    {
      if (size != 4)
        {
          builder_attribute (&builder, CTA_ID, zeros, size);
          builder_attribute (&builder, CTA_MARK, zeros, size);
          builder_attribute (&builder, CTA_STATUS, zeros, size);
        }
      if (size != 2)
        builder_attribute (&builder, CTA_ZONE, "\1\1\1\1\1\1\1\1", size);
    }
  reading = parse (&builder);
  g_assert_cmphex (reading.id, ==, 0xdeadbeef);
  g_assert_false (reading.has_mark);
  g_assert_cmpuint (reading.zone, ==, 0);

  begin_flow (&builder, IPPROTO_TCP);
  {
    gsize tuple = builder_open (&builder, CTA_TUPLE_ORIG);
    gsize part = builder_open (&builder, CTA_TUPLE_IP);

    for (gsize size = 0; size < 16; size++)
      {
        if (size != 4)
          builder_attribute (&builder, CTA_IP_V4_SRC, zeros, size);
      }
    builder_close (&builder, part);
    builder_close (&builder, tuple);
  }
  reading = parse (&builder);
  assert_endpoint (&reading.orig_src, "10.0.0.2", 4000);
}

static void
test_incomplete (void)
{
  struct nfgenmsg header = { .nfgen_family = AF_INET };
  struct builder builder;

  begin_entry (&builder, AF_INET);
  put_u32 (&builder, CTA_ID, 5);
  assert_refused (&builder);

  /* No answer's tuple. */
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 1, 2);
  assert_refused (&builder);
  /* Of another protocol. */
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_TCP, "10.0.0.1", "10.0.0.2", 1, 2);
  assert_refused (&builder);

  /* No id. */
  begin_entry (&builder, AF_INET);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 1, 2);
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_UDP, "10.0.0.2", "10.0.0.1", 2, 1);
  assert_refused (&builder);

  /* Another subsystem of nfnetlink, and no header at all. */
  begin_flow (&builder, IPPROTO_UDP);
  builder_header (&builder)->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8;
  assert_refused (&builder);
  builder = (struct builder) { 0 };
  builder_begin (&builder, NFNL_SUBSYS_CTNETLINK << 8, &header, 0);
  assert_refused (&builder);
}

/* ---- messages of a kernel ---- */

struct message
{
  char *name;
  guint8 *data;
  gsize size;
};

static void
clear_message (gpointer data)
{
  struct message *message = data;

  g_free (message->name);
  g_free (message->data);
}

/* The file was made by tests/tools/record-conntrack.py. */
static GArray *
load_corpus (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "capture", "conntrack-messages.txt", NULL);
  GArray *corpus = g_array_new (FALSE, FALSE, sizeof (struct message));
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_array_set_clear_func (corpus, clear_message);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i += 2)
    {
      struct message message = { .size = strlen (lines[i + 1]) / 2 };

      g_assert_true (g_str_has_prefix (lines[i], "# "));
      message.name = g_strdup (lines[i] + 2);
      message.data = g_malloc (message.size);
      for (gsize at = 0; at < message.size; at++)
        message.data[at] = (guint8) (g_ascii_xdigit_value (lines[i + 1][2 * at]) << 4 |
                                     g_ascii_xdigit_value (lines[i + 1][2 * at + 1]));
      g_array_append_val (corpus, message);
    }
  return corpus;
}

#define ICMP(type, id) ((type) << 16 | (id))
#define HERE           "192.0.2.1"
#define THERE          "192.0.2.2"
#define HERE6          "2001:db8::1"
#define THERE6         "2001:db8::2"

/* Ports of 0 are whatever the kernel chose. */
static const struct
{
  const char *name;
  guint8 protocol;
  const char *source, *destination;
  guint16 source_port, destination_port;
  guint32 discriminator;
  guint16 zone;
  guint8 zone_direction;
  guint8 entry_state;
  guint32 mark;
  guint64 bytes, packets;
  const char *reply_source, *reply_destination;
  guint16 reply_source_port, reply_destination_port;
} recorded[] = {
  { "tcp", IPPROTO_TCP, HERE, THERE, .destination_port = 80, .entry_state = 3 },
  { "tcp6", IPPROTO_TCP, HERE6, THERE6, .destination_port = 81, .entry_state = 3 },
  { "tcp-dnat", IPPROTO_TCP, HERE, "198.51.100.9", .destination_port = 80, .entry_state = 3,
    .reply_source = THERE, .reply_source_port = 8080 },
  { "udp", IPPROTO_UDP, HERE, THERE, 2000, 1000, .bytes = 32, .packets = 1 },
  { "udp6", IPPROTO_UDP, HERE6, THERE6, 2000, 1000, .bytes = 52, .packets = 1 },
  { "udp-zone", IPPROTO_UDP, HERE, THERE, 2000, 1005, .zone = 5, .bytes = 32, .packets = 1 },
  { "udp-zone-orig", IPPROTO_UDP, HERE, THERE, 2000, 1006, .zone = 6,
    .zone_direction = WEIR_ZONE_ORIG, .bytes = 32, .packets = 1 },
  { "udp-zone-reply", IPPROTO_UDP, HERE, THERE, 2000, 1007, .zone = 65535,
    .zone_direction = WEIR_ZONE_REPLY, .bytes = 32, .packets = 1 },
  { "udp-mark", IPPROTO_UDP, HERE, THERE, 2000, 1008, .mark = 0xdeadbeef, .bytes = 32,
    .packets = 1 },
  { "udp-snat", IPPROTO_UDP, HERE, THERE, 2000, 1009, .bytes = 32, .packets = 1,
    .reply_destination = HERE, .reply_destination_port = 40009 },
  { "udp-multicast", IPPROTO_UDP, HERE, "224.0.0.251", 5353, 5353, .bytes = 32, .packets = 1 },
  { "udplite", IPPROTO_UDPLITE, HERE, THERE, 2000, 1000, .bytes = 28, .packets = 1 },
  { "sctp", IPPROTO_SCTP, HERE, THERE, 2000, 1000, .entry_state = 1, .bytes = 52 },
  { "dccp", IPPROTO_DCCP, HERE, THERE, .bytes = 44, .packets = 1 },
  { "icmp-echo", IPPROTO_ICMP, HERE, THERE, .discriminator = ICMP (8, 777), .bytes = 44 },
  { "icmp-timestamp", IPPROTO_ICMP, HERE, THERE, .discriminator = ICMP (13, 777), .bytes = 44 },
  { "icmp6-echo", IPPROTO_ICMPV6, HERE6, THERE6, .discriminator = ICMP (128, 778), .bytes = 64 },
  { "gre", IPPROTO_GRE, HERE, THERE, .bytes = 44, .packets = 1 },
  { "esp", IPPROTO_ESP, HERE, THERE, .bytes = 52, .packets = 1 },
  { "esp6", IPPROTO_ESP, HERE6, THERE6, .bytes = 72, .packets = 1 },
  { "ospf", 89, HERE, "224.0.0.5", .bytes = 44, .packets = 1 },
};

static void
check_recorded (guint i, const struct weir_conntrack_reading *reading, gboolean entry)
{
  const char *reply_source = recorded[i].reply_source, *reply_destination;
  guint16 source_port = recorded[i].source_port, destination_port = recorded[i].destination_port;

  if (source_port == 0)
    source_port = reading->orig_src.port;
  if (destination_port == 0)
    destination_port = reading->orig_dst.port;
  reply_destination = recorded[i].reply_destination;
  g_assert_cmpuint (reading->protocol, ==, recorded[i].protocol);
  assert_endpoint (&reading->orig_src, recorded[i].source, source_port);
  assert_endpoint (&reading->orig_dst, recorded[i].destination, destination_port);
  assert_endpoint (&reading->reply_src, reply_source ? reply_source : recorded[i].destination,
                   reply_source ? recorded[i].reply_source_port : destination_port);
  assert_endpoint (&reading->reply_dst, reply_destination ? reply_destination : recorded[i].source,
                   reply_destination ? recorded[i].reply_destination_port : source_port);
  g_assert_cmphex (reading->discriminator, ==, recorded[i].discriminator);
  g_assert_cmpuint (reading->zone, ==, recorded[i].zone);
  g_assert_cmpuint (reading->zone_direction, ==, recorded[i].zone_direction);
  g_assert_cmphex (reading->mark, ==, recorded[i].mark);
  g_assert_cmphex (reading->id, !=, 0);
  g_assert_true (reading->status & IPS_CONFIRMED);
  if (!entry)
    return;
  g_assert_true (reading->has_mark);
  g_assert_true (reading->has_counters);
  g_assert_cmpint (reading->has_state, ==, recorded[i].entry_state != 0);
  g_assert_cmpuint (reading->state, ==, recorded[i].entry_state);
  if (recorded[i].protocol == IPPROTO_TCP)
    g_assert_cmpuint (reading->orig_bytes, >, 1000);
  else
    g_assert_cmpuint (reading->orig_bytes, ==, recorded[i].bytes);
  if (recorded[i].packets > 0)
    {
      g_assert_cmpuint (reading->orig_packets, ==, recorded[i].packets);
      g_assert_cmpuint (reading->reply_bytes, ==, 0);
    }
}

static void
test_corpus (void)
{
  g_autoptr (GArray) corpus = load_corpus ();
  guint n_entries = 0, n_events = 0, n_ends = 0;

  for (guint i = 0; i < corpus->len; i++)
    {
      const struct message *message = &g_array_index (corpus, struct message, i);
      const guint8 *at = message->data;
      struct weir_conntrack_reading reading;

      g_assert_cmpint (weir_conntrack_parse (weir_netlink_next (&at, at + message->size), &reading),
                       ==, 0);
      g_assert_true (at == message->data + message->size);
      if (g_str_has_suffix (message->name, " destroyed"))
        {
          n_ends++;
          g_assert_true (reading.has_counters);
          g_assert_cmpuint (reading.orig_bytes, >, 0);
          continue;
        }
      for (guint k = 0; k < G_N_ELEMENTS (recorded); k++)
        {
          g_autofree char *entry = g_strconcat (recorded[k].name, " entry new", NULL);
          g_autofree char *event = g_strconcat (recorded[k].name, " event new", NULL);
          gboolean is_entry = g_str_equal (message->name, entry);

          if (!is_entry && !g_str_equal (message->name, event))
            continue;
          n_entries += is_entry;
          n_events += !is_entry;
          check_recorded (k, &reading, is_entry);
        }
    }
  g_assert_cmpuint (n_entries, ==, G_N_ELEMENTS (recorded));
  g_assert_cmpuint (n_events, ==, G_N_ELEMENTS (recorded));
  g_assert_cmpuint (n_ends, >=, G_N_ELEMENTS (recorded));
}

/* ---- messages of no kernel ---- */

/* Reads what @data is now, in memory that ends where it does, as the engine would. */
static guint
read_mutation (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  const guint8 *at = copy;
  const struct nlmsghdr *message;
  guint understood = 0;

  while ((message = weir_netlink_next (&at, copy + size)) != NULL)
    {
      struct weir_conntrack_reading reading;

      if (weir_conntrack_parse (message, &reading) != 0)
        continue;
      understood++;
      g_assert_true (reading.family == 4 || reading.family == 6);
      if (reading.family == 4)
        g_assert_true (weir_address_is_v4 (reading.orig_src.address) &&
                       weir_address_is_v4 (reading.reply_dst.address));
      g_assert_cmpuint (reading.zone_direction, <=, WEIR_ZONE_REPLY);
    }
  return understood;
}

/* Where attributes begin, at any depth: whatever could be one is taken for one. */
static void
find_attributes (const guint8 *data, gsize at, gsize end, GArray *found)
{
  while (at + NLA_HDRLEN <= end)
    {
      struct nlattr header;

      memcpy (&header, data + at, sizeof header);
      if (header.nla_len < NLA_HDRLEN || header.nla_len > end - at)
        return;
      g_array_append_val (found, at);
      if (header.nla_type & NLA_F_NESTED)
        find_attributes (data, at + NLA_HDRLEN, at + header.nla_len, found);
      at += NLA_ALIGN ((gsize) header.nla_len);
    }
}

static guint
mutate_lengths (const struct message *message)
{
  g_autoptr (GArray) attributes = g_array_new (FALSE, FALSE, sizeof (gsize));
  guint n = 0;

  find_attributes (message->data, NLMSG_HDRLEN + sizeof (struct nfgenmsg), message->size,
                   attributes);
  g_assert_cmpuint (attributes->len, >=, 12);
  for (guint i = 0; i < attributes->len; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (message->data, message->size);
      gsize at = g_array_index (attributes, gsize, i);
      guint16 length;

      memcpy (&length, copy + at, sizeof length);
      for (gint step = -8; step <= 24; step++)
        {
          static const guint16 far[] = { 0, 1, 3, 4, 0x7fff, 0x8000, 0xfffc, 0xffff };
          guint16 changed = step > 16 ? far[step - 17] : (guint16) (length + step);

          memcpy (copy + at, &changed, sizeof changed);
          read_mutation (copy, message->size);
          n++;
        }
    }
  return n;
}

/* Deterministic: a mutation that does harm does it every time. */
static void
test_mutations (void)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (20261121);
  g_autoptr (GArray) corpus = load_corpus ();
  guint n = 0, understood = 0, refused;

  for (guint i = 0; i < corpus->len; i++)
    {
      const struct message *message = &g_array_index (corpus, struct message, i);
      g_autofree guint8 *copy = g_memdup2 (message->data, message->size);

      /* Cut at every byte, and said to be as long as what is left. */
      for (guint32 size = 0; size <= message->size; size++, n++)
        {
          memcpy (copy, message->data, message->size);
          if (size >= sizeof size)
            memcpy (copy, &size, sizeof size);
          understood += read_mutation (copy, size);
        }
      n += mutate_lengths (message);
      for (guint round = 0; round < 1500; round++, n++)
        {
          memcpy (copy, message->data, message->size);
          for (guint change = 0; change <= round % 8; change++)
            copy[g_rand_int_range (chance, 0, (gint32) message->size)] =
                (guint8) g_rand_int (chance);
          understood += read_mutation (copy, message->size);
        }
    }
  refused = n - MIN (n, understood);
  g_test_message ("%u mutations, at least %u refused", n, refused);
  g_assert_cmpuint (n, >=, 100000);
  /* Both ends of the parser were reached. */
  g_assert_cmpuint (understood, >, n / 10);
  g_assert_cmpuint (refused, >, n / 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conntrack-parse/tuples", test_tuples);
  g_test_add_func ("/conntrack-parse/v6", test_v6);
  g_test_add_func ("/conntrack-parse/icmp", test_icmp);
  g_test_add_func ("/conntrack-parse/without-ports", test_without_ports);
  g_test_add_func ("/conntrack-parse/counters", test_counters);
  g_test_add_func ("/conntrack-parse/states", test_states);
  g_test_add_func ("/conntrack-parse/rest", test_rest);
  g_test_add_func ("/conntrack-parse/zones", test_zones);
  g_test_add_func ("/conntrack-parse/sizes", test_sizes);
  g_test_add_func ("/conntrack-parse/incomplete", test_incomplete);
  g_test_add_func ("/conntrack-parse/corpus", test_corpus);
  g_test_add_func ("/conntrack-parse/mutations", test_mutations);
  return g_test_run ();
}
