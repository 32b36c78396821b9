/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "netlink-builder.h"
#include "readings-builder.h"
#include "source-conntrack.h"

static void
put_tuple (struct builder *builder, guint16 type, guint8 protocol, const char *source,
           const char *destination, guint16 source_port, guint16 destination_port)
{
  gboolean v4 = strchr (source, ':') == NULL;
  guint16 ports[2] = { htons (source_port), htons (destination_port) };
  guint8 address[16];
  gsize tuple = builder_open (builder, type);
  gsize part = builder_open (builder, CTA_TUPLE_IP);

  inet_pton (v4 ? AF_INET : AF_INET6, source, address);
  builder_attribute (builder, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address, v4 ? 4 : 16);
  inet_pton (v4 ? AF_INET : AF_INET6, destination, address);
  builder_attribute (builder, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, address, v4 ? 4 : 16);
  builder_close (builder, part);
  part = builder_open (builder, CTA_TUPLE_PROTO);
  builder_attribute (builder, CTA_PROTO_NUM, &protocol, 1);
  if (protocol == IPPROTO_ICMP)
    {
      guint8 kind = type == CTA_TUPLE_ORIG ? 8 : 0, code = 0;

      builder_attribute (builder, CTA_PROTO_ICMP_ID, &ports[0], 2);
      builder_attribute (builder, CTA_PROTO_ICMP_TYPE, &kind, 1);
      builder_attribute (builder, CTA_PROTO_ICMP_CODE, &code, 1);
    }
  else
    {
      builder_attribute (builder, CTA_PROTO_SRC_PORT, &ports[0], 2);
      builder_attribute (builder, CTA_PROTO_DST_PORT, &ports[1], 2);
    }
  builder_close (builder, part);
  builder_close (builder, tuple);
}

static void
put_counters (struct builder *builder, guint16 type, guint64 packets, guint64 bytes)
{
  gsize at = builder_open (builder, type);
  guint64 value = htobe64 (packets);

  builder_attribute (builder, CTA_COUNTERS_PACKETS, &value, sizeof value);
  value = htobe64 (bytes);
  builder_attribute (builder, CTA_COUNTERS_BYTES, &value, sizeof value);
  builder_close (builder, at);
}

static void
begin_entry (struct builder *builder, guint8 family)
{
  struct nfgenmsg header = { .nfgen_family = family };

  builder_begin (builder, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, &header, sizeof header);
}

static void
put_rest (struct builder *builder, guint32 id, guint8 state)
{
  guint32 value = htonl (id), status = htonl (1 << 1);
  gsize info, tcp;

  builder_attribute (builder, CTA_ID, &value, sizeof value);
  builder_attribute (builder, CTA_STATUS, &status, sizeof status);
  info = builder_open (builder, CTA_PROTOINFO);
  tcp = builder_open (builder, CTA_PROTOINFO_TCP);
  builder_attribute (builder, CTA_PROTOINFO_TCP_STATE, &state, 1);
  builder_close (builder, tcp);
  builder_close (builder, info);
}

static void
build_tcp (struct builder *builder)
{
  begin_entry (builder, AF_INET);
  put_tuple (builder, CTA_TUPLE_ORIG, IPPROTO_TCP, "10.0.0.2", "192.0.2.80", 4000, 80);
  put_tuple (builder, CTA_TUPLE_REPLY, IPPROTO_TCP, "192.0.2.80", "203.0.113.1", 80, 5000);
  put_rest (builder, 0xdeadbeef, 3);
  put_counters (builder, CTA_COUNTERS_ORIG, 3, 5000000000);
  put_counters (builder, CTA_COUNTERS_REPLY, 2, 120);
}

static void
assert_endpoint (const struct weir_endpoint *found, const char *address, guint16 port)
{
  struct weir_endpoint expected = endpoint (address, port);

  g_assert_cmpmem (found->address, 16, expected.address, 16);
  g_assert_cmpuint (found->port, ==, port);
}

static void
test_tcp (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder = { 0 };

  build_tcp (&builder);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_cmpuint (reading.protocol, ==, IPPROTO_TCP);
  g_assert_cmpuint (reading.family, ==, 4);
  assert_endpoint (&reading.orig_src, "10.0.0.2", 4000);
  assert_endpoint (&reading.orig_dst, "192.0.2.80", 80);
  assert_endpoint (&reading.reply_src, "192.0.2.80", 80);
  assert_endpoint (&reading.reply_dst, "203.0.113.1", 5000);
  g_assert_cmphex (reading.id, ==, 0xdeadbeef);
  g_assert_true (reading.has_counters);
  g_assert_cmpuint (reading.orig_bytes, ==, 5000000000);
  g_assert_cmpuint (reading.orig_packets, ==, 3);
  g_assert_cmpuint (reading.reply_bytes, ==, 120);
  g_assert_cmpuint (reading.reply_packets, ==, 2);
  g_assert_true (reading.has_state);
  g_assert_cmpuint (reading.state, ==, 3);
  g_assert_true (reading.seen_reply);
}

/* Accounting off: no counters, which is not the same as zero. */
static void
test_no_counters (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder = { 0 };
  guint32 id = htonl (5);

  begin_entry (&builder, AF_INET6);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "2001:db8::1", "2001:db8::2", 53, 54);
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_UDP, "2001:db8::2", "2001:db8::1", 54, 53);
  builder_attribute (&builder, CTA_ID, &id, sizeof id);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_false (reading.has_counters);
  g_assert_false (reading.has_state);
  g_assert_false (reading.seen_reply);
  g_assert_cmpuint (reading.family, ==, 6);
  assert_endpoint (&reading.orig_src, "2001:db8::1", 53);
}

static void
test_icmp (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder = { 0 };
  guint32 id = htonl (5);

  begin_entry (&builder, AF_INET);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_ICMP, "10.0.0.1", "10.0.0.2", 777, 0);
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_ICMP, "10.0.0.2", "10.0.0.1", 777, 0);
  builder_attribute (&builder, CTA_ID, &id, sizeof id);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, 0);
  g_assert_cmpuint (reading.discriminator, ==, 777);
  g_assert_cmpuint (reading.orig_src.port, ==, 0);
  g_assert_cmpuint (reading.reply_dst.port, ==, 0);
}

static void
test_incomplete (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder = { 0 };
  struct nfgenmsg header = { .nfgen_family = AF_INET };
  guint32 id = htonl (5);

  begin_entry (&builder, AF_INET);
  builder_attribute (&builder, CTA_ID, &id, sizeof id);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, -EPROTO);

  /* No answer's tuple. */
  begin_entry (&builder, AF_INET);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 1, 2);
  builder_attribute (&builder, CTA_ID, &id, sizeof id);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, -EPROTO);

  /* No id. */
  begin_entry (&builder, AF_INET);
  put_tuple (&builder, CTA_TUPLE_ORIG, IPPROTO_UDP, "10.0.0.1", "10.0.0.2", 1, 2);
  put_tuple (&builder, CTA_TUPLE_REPLY, IPPROTO_UDP, "10.0.0.2", "10.0.0.1", 2, 1);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, -EPROTO);

  /* Another subsystem of nfnetlink. */
  builder_begin (&builder, NFNL_SUBSYS_NFTABLES << 8, &header, sizeof header);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, -EPROTO);
  builder_begin (&builder, NFNL_SUBSYS_CTNETLINK << 8, NULL, 0);
  g_assert_cmpint (weir_conntrack_parse (builder_header (&builder), &reading), ==, -EPROTO);
}

/* Every cut, in memory that ends there: whatever is understood of it, nothing is read beyond. */
static void
test_truncated (void)
{
  struct weir_conntrack_reading reading;
  struct builder builder = { 0 };
  guint understood = 0;

  build_tcp (&builder);
  for (gsize size = NLMSG_HDRLEN; size < builder.size; size++)
    {
      g_autofree guint8 *copy = g_memdup2 (builder.data, size);
      struct nlmsghdr *message = (struct nlmsghdr *) (void *) copy;

      message->nlmsg_len = (guint32) size;
      understood += weir_conntrack_parse (message, &reading) == 0;
    }
  /* Without the last counter there is still all that makes an entry. */
  g_assert_cmpuint (understood, >, 0);
}

static void
do_nothing (void *data)
{
}

static void
count_entry (const struct weir_conntrack_reading *reading, enum weir_conntrack_event event,
             void *data)
{
  ++*(guint *) data;
}

static void
ask_for_dump (int fd, guint32 sequence)
{
  const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
  const struct
  {
    struct nlmsghdr header;
    struct nfgenmsg body;
  } request = { { sizeof request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                  NLM_F_REQUEST | NLM_F_DUMP, sequence, 0 },
                { AF_UNSPEC, NFNETLINK_V0, 0 } };

  g_assert_cmpint (
      sendto (fd, &request, sizeof request, 0, (const struct sockaddr *) &kernel, sizeof kernel),
      ==, sizeof request);
}

/* What is left of a dump that was given up is neither entries nor the end of the next one. */
static void
test_given_up (void)
{
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
  struct weir_conntrack_dump dump = { .fd = fd, .running = true, .sequence = 2 };
  guint n_entries = 0;

  g_assert_cmpint (fd, >=, 0);
  ask_for_dump (fd, 1);
  g_assert_cmpint (weir_conntrack_read (&dump, 100, do_nothing, count_entry, &n_entries), ==, 0);
  g_assert_true (dump.running);
  g_assert_cmpuint (n_entries, ==, 0);
  ask_for_dump (fd, 2);
  g_assert_cmpint (weir_conntrack_read (&dump, 100, do_nothing, count_entry, &n_entries), ==, 1);
  g_assert_false (dump.running);
  g_assert_cmpint (dump.error, ==, 0);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/source-conntrack/tcp", test_tcp);
  g_test_add_func ("/source-conntrack/no-counters", test_no_counters);
  g_test_add_func ("/source-conntrack/icmp", test_icmp);
  g_test_add_func ("/source-conntrack/incomplete", test_incomplete);
  g_test_add_func ("/source-conntrack/truncated", test_truncated);
  g_test_add_func ("/source-conntrack/given-up", test_given_up);
  return g_test_run ();
}
