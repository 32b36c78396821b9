/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire-samples.h"

#include <errno.h>
#include <string.h>

struct weir_flow_record
sample_flow (guint number)
{
  struct weir_flow_record record = {
    .id = G_GUINT64_CONSTANT (0x1122334455667788) + number,
    .change = WEIR_FLOW_ADDED,
    .groups = WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_BYTES | WEIR_FLOW_TCP | WEIR_FLOW_OWNER |
              WEIR_FLOW_NAT | WEIR_FLOW_CONNTRACK | WEIR_FLOW_OPENER,
    .family = 6,
    .protocol = 6,
    .netns = 4026531840u,
    .local = { .address = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, .port = 443 },
    .remote = { .address = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 }, .port = 65535 },
    .first_seen = 123456789012345,
    .state = WEIR_FLOW_STATE_OPEN,
    .direction = WEIR_DIRECTION_IN,
    .sources = 1 << WEIR_SOURCE_SOCKDIAG | 1 << WEIR_SOURCE_CONNTRACK,
    .ifindex = 7,
    .bytes_source = WEIR_SOURCE_CONNTRACK,
    .has_bytes = true,
    .has_packets = true,
    .has_rates = true,
    .rx_bytes = G_MAXUINT64,
    .tx_bytes = 2,
    .rx_packets = 3,
    .tx_packets = 4,
    .rx_rate = 5,
    .tx_rate = 6,
    .rtt_us = 23456,
    .retransmits = 9,
    .owner_how = WEIR_OWNER_TUPLE,
    .owner_missing = WEIR_MISSING_NOTHING,
    .pid = 4242,
    .start_time = 998877,
    .has_uid = true,
    .uid = 1000,
    .cgroup_id = 31337,
    .comm = "fifteen-letters",
    .nat_local = { .address = { [10] = 0xff, 0xff, 192, 0, 2, 1 }, .port = 1024 },
    .nat_remote = { .address = { [10] = 0xff, 0xff, 198, 51, 100, 2 }, .port = 80 },
    .zone = 65535,
    .zone_direction = WEIR_ZONE_REPLY,
    .has_mark = true,
    .has_tracking_state = true,
    .mark = 0xdeadbeef,
    .tracking_state = 3,
    .answered = true,
    .opener_pid = 77,
    .opener_start_time = 4711,
    .opener_uid = 1001,
    .opener_comm = "systemd",
  };

  g_snprintf (record.cgroup, sizeof record.cgroup, "/user.slice/app-%u.scope", number);
  return record;
}

struct weir_interface_record
sample_interface (guint number)
{
  struct weir_interface_record record = {
    .index = number + 1,
    .kind = "veth",
    .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED,
    .mtu = 1500,
    .rx_bytes = 1,
    .tx_bytes = 2,
    .rx_packets = 3,
    .tx_packets = 4,
    .rx_errors = 5,
    .tx_errors = 6,
    .rx_dropped = 7,
    .tx_dropped = 8,
    .has_rates = true,
    .rx_rate = 9,
    .tx_rate = 10,
    .n_addresses = 2,
    .addresses = {
      { .family = 4, .prefix_length = 32, .address = { [10] = 0xff, 0xff, 192, 0, 2, 7 } },
      { .family = 6, .prefix_length = 128, .address = { 0xfe, 0x80, [15] = 9 } },
    },
    .type = WEIR_INTERFACE_TYPE_VETH,
    .link_type = 1,
    .master = 11,
    .lower = 12,
  };

  g_snprintf (record.name, sizeof record.name, "veth%u", number);
  return record;
}

struct weir_namespace_record
sample_namespace (guint number)
{
  struct weir_namespace_record record = {
    .inode = 4026531840u + number,
    .how = WEIR_NAMESPACE_OPENED,
    .state = WEIR_NAMESPACE_FAILED,
    .error = ENOBUFS,
    .n_sockets = 12,
    .interval_ms = 1003,
    .losses = G_MAXUINT64 - number,
    .pid = 4711,
    .start_time = 99,
    .comm = "fifteen letters",
  };

  memset (record.name, 'n', sizeof record.name - 1);
  return record;
}

struct weir_hello
sample_hello (void)
{
  struct weir_hello hello = {
    .version = WEIR_PROTOCOL_VERSION,
    .pid = 77,
    .view = WEIR_VIEW_FULL,
    .engine_version = "0.1.0-with-the-longest-of-names",
  };

  for (guint i = 0; i < WEIR_NONCE_SIZE; i++)
    hello.nonce[i] = (uint8_t) (i * 7 + 1);
  return hello;
}

struct weir_receiver_record
sample_receiver (guint number)
{
  struct weir_receiver_record record = {
    .id = G_GUINT64_CONSTANT (0x1122334455667788) + number,
    .change = WEIR_RECEIVER_ADDED,
    .kind = WEIR_SOCKET_PORT,
    .family = 6,
    .protocol = 6,
    .v6_only = true,
    .has_queue = true,
    .local = { .address = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, .port = 443 },
    .ifindex = 7,
    .netns = 4026531840u,
    .inode = 4711,
    .cookie = G_MAXUINT64,
    .first_seen = 123456789012345,
    .queue = 3,
    .backlog = 128,
    .owner_how = WEIR_OWNER_TUPLE,
    .pid = 4242,
    .start_time = 998877,
    .has_uid = true,
    .uid = 1000,
    .cgroup_id = 31337,
    .comm = "fifteen-letters",
  };

  g_snprintf (record.cgroup, sizeof record.cgroup, "/system.slice/server-%u.service", number);
  return record;
}

static void
write_receivers (struct weir_writer *writer)
{
  const struct weir_receivers_summary summary = { 5, 2 };
  struct weir_receiver_record listener = sample_receiver (0);
  struct weir_receiver_record packet = {
    .id = 8, .change = WEIR_RECEIVER_CHANGED, .kind = WEIR_SOCKET_PACKET, .protocol = 3
  };
  struct weir_receiver_record gone = { .id = 9, .change = WEIR_RECEIVER_GONE };
  struct weir_receivers_writer receivers;

  weir_receivers_writer_begin (&receivers, writer, &summary);
  weir_receivers_writer_add (&receivers, &listener);
  weir_receivers_writer_add (&receivers, &packet);
  weir_receivers_writer_add (&receivers, &gone);
  weir_receivers_writer_end (&receivers);
}

static void
write_lists (struct weir_writer *writer)
{
  const struct weir_source_status sources[] = {
    { WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_ACTIVE, WEIR_REASON_NONE, 0, 0, "" },
    { WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_REFUSED, EPERM, G_MAXUINT64,
      "said" },
  };
  const struct weir_process_status processes[] = {
    { .role = WEIR_ROLE_METER, .pid = 2, .uid = 998, .no_new_privs = 1, .layers_active = 7 },
    { .role = WEIR_ROLE_LOOKER,
      .pid = 3,
      .uid = 999,
      .cap_effective = 1 << 19,
      .layers_missing = 8 },
  };
  const struct weir_interface_record interfaces[] = { sample_interface (0), sample_interface (1) };
  const struct weir_namespace_record namespaces[] = { sample_namespace (0), sample_namespace (1) };
  struct weir_flows_writer *flows = weir_flows_writer_new (writer);

  weir_write_sources (writer, sources, G_N_ELEMENTS (sources));
  weir_write_confinement (writer, processes, G_N_ELEMENTS (processes));
  weir_write_interfaces (writer, interfaces, G_N_ELEMENTS (interfaces));
  weir_write_namespaces (writer, namespaces, G_N_ELEMENTS (namespaces), 3);
  for (guint i = 0; i < 3; i++)
    {
      struct weir_flow_record flow = sample_flow (i / 2);

      weir_flows_writer_add (flows, &flow);
    }
  weir_flows_writer_finish (flows);
  write_receivers (writer);
}

void
sample_write_all (struct weir_writer *writer)
{
  struct weir_hello hello = sample_hello ();
  struct weir_tick tick = { .sequence = 5, .monotonic = 6, .realtime = 7, .interval = 8 };
  struct weir_error error = { .code = WEIR_ERROR_INTERNAL, .error = ENOMEM, .what = "flow table" };

  const struct weir_details details = {
    .request = { 7, 4242, 998877 },
    .has = WEIR_DETAILS_EXE | WEIR_DETAILS_CWD | WEIR_DETAILS_COMMAND,
    .exe = "/usr/bin/example",
    .cwd = "/",
    .command = "example\0--all",
    .command_size = 13,
  };
  const struct weir_notice notices[] = {
    { WEIR_NOTICE_CONFIG_UNSAFE, 0, "/etc/weir" },
    { WEIR_NOTICE_CONFIG_BAD_VALUE, 12, "strict=perhaps" },
  };

  weir_write_hello (writer, &hello);
  write_lists (writer);
  weir_write_news (writer, 6);
  weir_write_tick (writer, &tick);
  weir_write_error (writer, &error);
  weir_write_notices (writer, notices, G_N_ELEMENTS (notices));
  weir_write_details (writer, &details);
  weir_write_bye (writer, WEIR_BYE_LEASH);
  weir_write_start (writer, &(struct weir_wish) { .interval_ms = 1000 });
  weir_write_interval (writer, &(struct weir_wish) { 250, 20, 9000 });
  weir_write_details_of (writer, &details.request);
  weir_write_stop (writer);
  g_assert_cmpint (writer->error, ==, 0);
}

static void
count_flow (const struct weir_flow_record *record, void *data)
{
  /* What a reader lets through can be shown: text ends, enumerations are known. */
  g_assert_cmpuint (strlen (record->comm), <, sizeof record->comm);
  g_assert_cmpuint (strlen (record->cgroup), <=, WEIR_STRING_MAX);
  g_assert_cmpuint (record->direction, <=, WEIR_DIRECTION_LOCAL);
  g_assert_cmpuint (record->state, <=, WEIR_FLOW_STATE_CLOSED);
  g_assert_cmpuint (record->owner_missing, <=, WEIR_MISSING_GIVEN_UP);
}

static void
count_namespace (const struct weir_namespace_record *record, void *data)
{
  g_assert_cmpuint (strlen (record->comm), <, sizeof record->comm);
  g_assert_cmpuint (strlen (record->name), <, sizeof record->name);
  g_assert_cmpuint (record->how, <=, WEIR_NAMESPACE_LISTED);
  g_assert_cmpuint (record->state, <=, WEIR_NAMESPACE_FAILED);
}

static void
count_interface (const struct weir_interface_record *record, void *data)
{
  g_assert_cmpuint (strlen (record->name), <, sizeof record->name);
  g_assert_cmpuint (record->n_addresses, <=, WEIR_INTERFACE_ADDRESSES_MAX);
}

static void
count_receiver (const struct weir_receiver_record *record, void *data)
{
  g_assert_cmpuint (strlen (record->comm), <, sizeof record->comm);
  g_assert_cmpuint (strlen (record->cgroup), <=, WEIR_STRING_MAX);
  g_assert_cmpuint (record->kind, <=, WEIR_SOCKET_PACKET);
  g_assert_cmpuint (record->owner_missing, <=, WEIR_MISSING_GIVEN_UP);
}

int
sample_read (const struct weir_frame *frame)
{
  struct weir_hello hello;
  struct weir_source_status sources[WEIR_N_SOURCES];
  struct weir_process_status processes[WEIR_N_ROLES];
  struct weir_receivers_summary summary;
  struct weir_tick tick;
  struct weir_error error;
  struct weir_notice notices[WEIR_NOTICES_MAX];
  struct weir_details_request request;
  struct weir_details details;
  enum weir_bye_reason reason;
  struct weir_wish wish;
  uint64_t monotonic;
  uint32_t left_out;
  size_t n;

  switch (frame->type)
    {
    case WEIR_MESSAGE_HELLO:
      return weir_read_hello (frame, &hello);
    case WEIR_MESSAGE_SOURCES:
      return weir_read_sources (frame, sources, G_N_ELEMENTS (sources), &n);
    case WEIR_MESSAGE_CONFINEMENT:
      return weir_read_confinement (frame, processes, G_N_ELEMENTS (processes), &n);
    case WEIR_MESSAGE_FLOWS:
      return weir_read_flows (frame, count_flow, NULL);
    case WEIR_MESSAGE_INTERFACES:
      return weir_read_interfaces (frame, count_interface, NULL);
    case WEIR_MESSAGE_LISTENERS:
      return weir_read_receivers (frame, &summary, count_receiver, NULL);
    case WEIR_MESSAGE_NAMESPACES:
      return weir_read_namespaces (frame, count_namespace, NULL, &left_out);
    case WEIR_MESSAGE_TICK:
      return weir_read_tick (frame, &tick);
    case WEIR_MESSAGE_NEWS:
      return weir_read_news (frame, &monotonic);
    case WEIR_MESSAGE_ERROR:
      return weir_read_error (frame, &error);
    case WEIR_MESSAGE_BYE:
      return weir_read_bye (frame, &reason);
    case WEIR_MESSAGE_NOTICES:
      return weir_read_notices (frame, notices, G_N_ELEMENTS (notices), &n);
    case WEIR_MESSAGE_DETAILS:
      return weir_read_details (frame, &details);
    case WEIR_MESSAGE_DETAILS_OF:
      return weir_read_details_of (frame, &request);
    case WEIR_MESSAGE_START:
      return weir_read_start (frame, &wish);
    case WEIR_MESSAGE_INTERVAL:
      return weir_read_interval (frame, &wish);
    default:
      return 0;
    }
}

void
sample_foreach (const struct weir_writer *writer, SampleFunc func, gpointer data)
{
  size_t at = 0;

  while (at < writer->size)
    {
      struct weir_reader header;
      struct weir_frame frame;
      g_autofree guint8 *body = NULL;

      weir_reader_init (&header, writer->data + at, writer->size - at);
      frame.size = weir_read_u32 (&header);
      frame.type = weir_read_u16 (&header);
      frame.flags = weir_read_u16 (&header);
      g_assert_false (header.failed);
      g_assert_cmpuint (frame.size, <=, (size_t) (header.end - header.at));
      body = g_memdup2 (header.at, frame.size);
      frame.body = body;
      at += WEIR_FRAME_HEADER_SIZE + frame.size;
      func (&frame, data);
    }
}
