/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>

#include "model-samples.h"
#include "weir-flow-store-private.h"
#include "weir-ledger.h"

#define NETNS 4026531840u

typedef struct
{
  WeirFlowStore *store;
  WeirLedger *ledger;
  struct weir_interface_record interfaces[3]; /* loopback, a card, a tunnel */
  struct weir_tick tick;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  struct weir_interface_address address = { .family = 4, .prefix_length = 24 };
  struct weir_endpoint endpoint;

  fixture->store = weir_flow_store_new ();
  fixture->ledger = weir_ledger_new ();
  fixture->interfaces[0] =
      (struct weir_interface_record) { .index = 1,
                                       .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_LOOPBACK,
                                       .type = WEIR_INTERFACE_TYPE_LOOPBACK,
                                       .link_type = ARPHRD_LOOPBACK,
                                       .rx_bytes = 5000,
                                       .tx_bytes = 5000 };
  fixture->interfaces[1] =
      (struct weir_interface_record) { .index = 2,
                                       .flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED,
                                       .type = WEIR_INTERFACE_TYPE_VETH,
                                       .link_type = ARPHRD_ETHER,
                                       .rx_bytes = 70000,
                                       .tx_bytes = 7000 };
  fixture->interfaces[2] = (struct weir_interface_record) { .index = 3,
                                                            .flags = WEIR_INTERFACE_UP,
                                                            .type = WEIR_INTERFACE_TYPE_WIREGUARD,
                                                            .link_type = 0xfffe,
                                                            .n_addresses = 1 };
  sample_set_v4 (&endpoint, "10.9.0.1", 0);
  memcpy (address.address, endpoint.address, 16);
  fixture->interfaces[2].addresses[0] = address;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  weir_ledger_free (fixture->ledger);
  g_object_unref (fixture->store);
}

/* The parts add up, whatever they are. */
static void
check_balance (const WeirLedgerSheet *sheet)
{
  WeirLedgerSum sum = weir_ledger_sheet_get_sum (sheet);

  for (guint part = 0; part < WEIR_N_LEDGER_PARTS; part++)
    {
      sum.rx -= sheet->parts[part].rx;
      sum.tx -= sheet->parts[part].tx;
    }
  g_assert_cmpint (sum.rx, ==, 0);
  g_assert_cmpint (sum.tx, ==, 0);
}

static void
do_tick (Fixture *fixture, guint number)
{
  struct weir_tick tick = sample_tick (number);

  tick.flows_tracked = fixture->tick.flows_tracked;
  tick.flows_published = fixture->tick.flows_published;
  tick.others_rx_bytes = fixture->tick.others_rx_bytes;
  tick.others_tx_bytes = fixture->tick.others_tx_bytes;
  weir_flow_store_tick (fixture->store, &tick);
  weir_ledger_add (fixture->ledger, fixture->interfaces, G_N_ELEMENTS (fixture->interfaces),
                   weir_flow_store_get_rows (fixture->store), &tick, NETNS);
  check_balance (weir_ledger_get_last (fixture->ledger));
  check_balance (weir_ledger_get_total (fixture->ledger));
}

/* What conntrack says of flow @id: cumulative bytes and packets. */
static struct weir_flow_record
counted (guint64 id, guint64 rx, guint64 tx, guint64 rx_packets, guint64 tx_packets)
{
  struct weir_flow_record record = sample_record (id);

  record.bytes_source = WEIR_SOURCE_CONNTRACK;
  record.rx_bytes = rx;
  record.tx_bytes = tx;
  record.rx_packets = rx_packets;
  record.tx_packets = tx_packets;
  record.first_seen = sample_tick (100).monotonic;
  return record;
}

static void
apply (Fixture *fixture, struct weir_flow_record record)
{
  sample_add (fixture->store, &record);
}

static void
move (Fixture *fixture, guint interface, guint64 rx, guint64 tx)
{
  fixture->interfaces[interface].rx_bytes += rx;
  fixture->interfaces[interface].tx_bytes += tx;
}

static void
check_sum (WeirLedgerSum sum, gint64 rx, gint64 tx)
{
  g_assert_cmpint (sum.rx, ==, rx);
  g_assert_cmpint (sum.tx, ==, tx);
}

static void
check_part (Fixture *fixture, WeirLedgerPart part, gint64 rx, gint64 tx)
{
  g_test_message ("%s", weir_ledger_part_get_name (part));
  check_sum (weir_ledger_get_total (fixture->ledger)->parts[part], rx, tx);
}

/* Bytes from before are nobody's; what moves since is the app's, with its headers. */
static void
test_app (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record old = counted (1, 100000, 10000, 100, 50);

  old.has_rates = false;
  apply (fixture, old);
  do_tick (fixture, 0);
  check_sum (weir_ledger_sheet_get_sum (weir_ledger_get_total (fixture->ledger)), 0, 0);
  check_part (fixture, WEIR_LEDGER_APPS, 0, 0);

  apply (fixture, counted (1, 101000, 10200, 102, 53));
  apply (fixture, counted (2, 500, 50, 5, 1));
  move (fixture, 1, 1500 + 7 * 14 + 60, 250 + 4 * 14);
  move (fixture, 0, 333, 333);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_APPS, 1500, 250);
  check_part (fixture, WEIR_LEDGER_HEADERS, 7 * 14, 4 * 14);
  check_part (fixture, WEIR_LEDGER_LOCAL, 333, 333);
  check_part (fixture, WEIR_LEDGER_REST, 60, 0);
  g_assert_cmpfloat (weir_ledger_get_total (fixture->ledger)->seconds, ==, 1);
  g_assert_cmpuint (weir_ledger_get_total (fixture->ledger)->reasons, ==, WEIR_LEDGER_UNTRACKED);

  /* Once more the same figures: nothing has moved. */
  do_tick (fixture, 2);
  check_sum (weir_ledger_sheet_get_sum (weir_ledger_get_last (fixture->ledger)), 0, 0);
  check_part (fixture, WEIR_LEDGER_APPS, 1500, 250);
}

/* The last figures of a flow count once, however long its row is shown. */
static void
test_ended (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record last = counted (1, 1000, 100, 4, 3);

  do_tick (fixture, 0);
  apply (fixture, counted (1, 400, 40, 2, 1));
  do_tick (fixture, 1);
  last.change = WEIR_FLOW_ENDED;
  apply (fixture, last);
  move (fixture, 1, 1000 + 4 * 14, 100 + 3 * 14);
  for (guint number = 2; number < 30; number++)
    do_tick (fixture, number);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);
  check_part (fixture, WEIR_LEDGER_OTHERS, 0, 0);
}

static struct weir_flow_record
forwarded (const char *from, const char *to)
{
  struct weir_flow_record record = counted (1, 1000, 100, 10, 5);

  record.direction = WEIR_DIRECTION_FORWARDED;
  record.groups &= ~WEIR_FLOW_OWNER;
  sample_set_v4 (&record.local, from, 5000);
  sample_set_v4 (&record.remote, to, 80);
  return record;
}

/* Through two interfaces that count: in at one, out at the other, in both directions. */
static void
test_forwarded (Fixture *fixture, gconstpointer data)
{
  do_tick (fixture, 0);
  apply (fixture, forwarded ("192.0.2.9", "198.51.100.9"));
  move (fixture, 1, 1100 + 15 * 14, 1100 + 15 * 14);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_FORWARDED, 1100, 1100);
  check_part (fixture, WEIR_LEDGER_HEADERS, 15 * 14, 15 * 14);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);
}

/* From a container behind a bridge: only the far side leads out. */
static void
test_forwarded_inside (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = forwarded ("172.17.0.2", "198.51.100.9");
  struct weir_endpoint bridge;

  fixture->interfaces[2].type = WEIR_INTERFACE_TYPE_BRIDGE;
  sample_set_v4 (&bridge, "172.17.0.1", 0);
  memcpy (fixture->interfaces[2].addresses[0].address, bridge.address, 16);
  fixture->interfaces[2].addresses[0].prefix_length = 16;
  do_tick (fixture, 0);
  apply (fixture, record);
  move (fixture, 1, 1000 + 140, 100 + 70);
  move (fixture, 2, 9999, 9999);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_FORWARDED, 1000, 100);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);

  /* A published port: the destination is translated to a container. */
  record = forwarded ("198.51.100.8", "192.0.2.1");
  record.id = 2;
  record.groups |= WEIR_FLOW_NAT;
  record.nat_local = record.local;
  sample_set_v4 (&record.nat_remote, "172.17.0.2", 80);
  apply (fixture, record);
  move (fixture, 1, 100 + 70, 1000 + 140);
  do_tick (fixture, 2);
  check_part (fixture, WEIR_LEDGER_FORWARDED, 1100, 1100);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);

  /* Between containers: nothing leaves. */
  record = forwarded ("172.17.0.2", "172.17.0.3");
  record.id = 3;
  apply (fixture, record);
  do_tick (fixture, 3);
  check_part (fixture, WEIR_LEDGER_FORWARDED, 1100, 1100);
}

static void
test_kernel_and_nobody (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record icmp = counted (1, 84, 84, 1, 1), nobody = counted (2, 1000, 100, 2, 1);
  struct weir_flow_record local = counted (3, 7777, 7777, 7, 7);
  struct weir_flow_record foreign = counted (4, 5555, 5555, 5, 5);

  icmp.protocol = IPPROTO_ICMP;
  icmp.local.port = icmp.remote.port = 0;
  icmp.groups &= ~WEIR_FLOW_OWNER;
  nobody.groups &= ~WEIR_FLOW_OWNER;
  local.direction = WEIR_DIRECTION_LOCAL;
  foreign.netns = 1;
  do_tick (fixture, 0);
  apply (fixture, icmp);
  apply (fixture, nobody);
  apply (fixture, local);
  apply (fixture, foreign);
  move (fixture, 1, 1084 + 3 * 14, 184 + 2 * 14);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_KERNEL, 84, 84);
  check_part (fixture, WEIR_LEDGER_NO_OWNER, 1000, 100);
  check_part (fixture, WEIR_LEDGER_APPS, 0, 0);
  check_part (fixture, WEIR_LEDGER_LOCAL, 0, 0);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);

  /* Its owner is found: all that it has moved is the app's. */
  apply (fixture, counted (2, 1500, 150, 3, 2));
  do_tick (fixture, 2);
  check_part (fixture, WEIR_LEDGER_NO_OWNER, 0, 0);
  check_part (fixture, WEIR_LEDGER_APPS, 1500, 150);
}

/* A flow that loses its row goes on in "others", and comes back without being counted twice. */
static void
test_folded (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record fold = { .id = 1, .change = WEIR_FLOW_ENDED };
  struct weir_flow_record back = counted (1, 5000, 500, 10, 5);

  do_tick (fixture, 0);
  apply (fixture, counted (1, 1000, 100, 0, 0));
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);

  /* 3000 bytes when its row went; 700 of somebody else's. */
  apply (fixture, fold);
  fixture->tick.others_rx_bytes = 3000 + 700;
  fixture->tick.others_tx_bytes = 300;
  fixture->tick.flows_tracked = 2;
  do_tick (fixture, 2);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_OTHERS, 2700, 200);
  g_assert_true (weir_ledger_get_total (fixture->ledger)->reasons & WEIR_LEDGER_FOLDED);

  fixture->tick.others_rx_bytes = 4000 + 700;
  fixture->tick.others_tx_bytes = 400;
  do_tick (fixture, 3);
  check_part (fixture, WEIR_LEDGER_OTHERS, 3700, 300);

  back.first_seen = sample_tick (1).monotonic;
  apply (fixture, back);
  fixture->tick.others_rx_bytes = 700;
  fixture->tick.others_tx_bytes = 0;
  fixture->tick.flows_published = 1;
  do_tick (fixture, 4);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_OTHERS, 4700, 400);

  apply (fixture, counted (1, 5100, 510, 10, 5));
  do_tick (fixture, 5);
  check_part (fixture, WEIR_LEDGER_APPS, 1100, 110);
  check_part (fixture, WEIR_LEDGER_OTHERS, 4700, 400);
}

/* Inside of the tunnel and around it: once each, and once too often for the card. */
static void
test_tunnel (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record inner = counted (1, 1000, 100, 1, 1);
  struct weir_flow_record outer = counted (2, 1060, 160, 1, 1);

  sample_set_v4 (&inner.remote, "10.9.0.2", 80);
  outer.groups &= ~WEIR_FLOW_OWNER;
  do_tick (fixture, 0);
  apply (fixture, inner);
  apply (fixture, outer);
  move (fixture, 2, 1000, 100);
  move (fixture, 1, 1060 + 14, 160 + 14);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_NO_OWNER, 1060, 160);
  check_part (fixture, WEIR_LEDGER_TUNNELS, -1000, -100);
  check_part (fixture, WEIR_LEDGER_HEADERS, 14, 14);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);
}

/* What is not measured is said, never made up. */
static void
test_reasons (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record payload = sample_record (1), silent = sample_record (2);
  const WeirLedgerSheet *sheet = weir_ledger_get_total (fixture->ledger);

  payload.has_packets = false;
  payload.first_seen = sample_tick (100).monotonic;
  silent.groups &= ~WEIR_FLOW_BYTES;
  do_tick (fixture, 0);
  g_assert_cmpuint (sheet->reasons, ==, 0);
  g_assert_null (weir_ledger_describe_reasons (0));
  apply (fixture, payload);
  apply (fixture, silent);
  move (fixture, 1, 1200, 300);
  do_tick (fixture, 1);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_HEADERS, 0, 0);
  check_part (fixture, WEIR_LEDGER_REST, 200, 200);
  check_sum (sheet->payload_only, 1000, 100);
  g_assert_cmpuint (sheet->reasons, ==, WEIR_LEDGER_PAYLOAD_ONLY | WEIR_LEDGER_UNMEASURED);
  g_autofree char *text = weir_ledger_describe_reasons (sheet->reasons);
  g_assert_nonnull (strstr (text, "; "));

  /* A source that counts headers, too, takes over: the flow was watched from its beginning. */
  apply (fixture, counted (1, 1066, 166, 1, 1));
  do_tick (fixture, 2);
  check_part (fixture, WEIR_LEDGER_APPS, 1066, 166);
  check_sum (sheet->payload_only, 0, 0);
  g_assert_cmpuint (sheet->reasons, ==, WEIR_LEDGER_UNMEASURED | WEIR_LEDGER_UNTRACKED);

  /* One that ends without ever having been measured is a reason for good. */
  silent.change = WEIR_FLOW_ENDED;
  apply (fixture, silent);
  for (guint number = 3; number < 30; number++)
    do_tick (fixture, number);
  g_assert_cmpuint (sheet->reasons, ==, WEIR_LEDGER_UNMEASURED | WEIR_LEDGER_UNTRACKED);
  g_assert_cmpuint (weir_ledger_get_last (fixture->ledger)->reasons, ==, 0);
}

/* Another engine counts from another beginning; the interfaces go on. */
static void
test_engines (Fixture *fixture, gconstpointer data)
{
  do_tick (fixture, 0);
  apply (fixture, counted (1, 1000, 100, 0, 0));
  move (fixture, 1, 1000, 100);
  do_tick (fixture, 1);

  weir_flow_store_restart (fixture->store);
  apply (fixture, counted (9, 9000, 900, 0, 0));
  move (fixture, 1, 400, 40);
  struct weir_tick tick = sample_tick (2);
  tick.interval = 0;
  weir_flow_store_tick (fixture->store, &tick);
  weir_ledger_add (fixture->ledger, fixture->interfaces, G_N_ELEMENTS (fixture->interfaces),
                   weir_flow_store_get_rows (fixture->store), &tick, NETNS);
  check_part (fixture, WEIR_LEDGER_APPS, 1000, 100);
  check_part (fixture, WEIR_LEDGER_START, 400, 40);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);

  apply (fixture, counted (9, 9100, 910, 0, 0));
  move (fixture, 1, 100, 10);
  do_tick (fixture, 3);
  check_part (fixture, WEIR_LEDGER_APPS, 1100, 110);
  check_part (fixture, WEIR_LEDGER_REST, 0, 0);
}

static void
test_interfaces (Fixture *fixture, gconstpointer data)
{
  do_tick (fixture, 0);
  /* Began anew: nothing can be said of this interval. */
  fixture->interfaces[1].rx_bytes = 10;
  do_tick (fixture, 1);
  check_sum (weir_ledger_get_total (fixture->ledger)->counted, 0, 0);
  /* Another one in its place is new. */
  fixture->interfaces[1].index = 7;
  fixture->interfaces[1].rx_bytes = 50;
  fixture->interfaces[1].tx_bytes = 5;
  do_tick (fixture, 2);
  check_sum (weir_ledger_get_total (fixture->ledger)->counted, 50, 5);
  /* It was there all the time, but down. */
  fixture->interfaces[1].flags = 0;
  do_tick (fixture, 3);
  fixture->interfaces[1].flags = WEIR_INTERFACE_UP | WEIR_INTERFACE_COUNTED;
  move (fixture, 1, 3, 3);
  do_tick (fixture, 4);
  check_sum (weir_ledger_get_total (fixture->ledger)->counted, 53, 8);
  g_assert_cmpfloat (weir_ledger_get_total (fixture->ledger)->seconds, ==, 4);

  weir_ledger_reset (fixture->ledger);
  do_tick (fixture, 5);
  check_sum (weir_ledger_get_total (fixture->ledger)->counted, 0, 0);
  g_assert_cmpfloat (weir_ledger_get_total (fixture->ledger)->seconds, ==, 1);
}

/* Interfaces may be told of later than the first tick: what they had moved by then is not new. */
static void
test_late_interfaces (Fixture *fixture, gconstpointer data)
{
  struct weir_tick tick = sample_tick (0);

  weir_flow_store_tick (fixture->store, &tick);
  weir_ledger_add (fixture->ledger, NULL, 0, weir_flow_store_get_rows (fixture->store), &tick,
                   NETNS);
  do_tick (fixture, 1);
  check_sum (weir_ledger_sheet_get_sum (weir_ledger_get_total (fixture->ledger)), 0, 0);
  move (fixture, 1, 10, 1);
  do_tick (fixture, 2);
  check_sum (weir_ledger_sheet_get_sum (weir_ledger_get_total (fixture->ledger)), 10, 1);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/ledger/app", test_app },
    { "/ledger/ended", test_ended },
    { "/ledger/forwarded", test_forwarded },
    { "/ledger/forwarded-inside", test_forwarded_inside },
    { "/ledger/kernel-and-nobody", test_kernel_and_nobody },
    { "/ledger/folded", test_folded },
    { "/ledger/tunnel", test_tunnel },
    { "/ledger/reasons", test_reasons },
    { "/ledger/engines", test_engines },
    { "/ledger/interfaces", test_interfaces },
    { "/ledger/late-interfaces", test_late_interfaces },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
