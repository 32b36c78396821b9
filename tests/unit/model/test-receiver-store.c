/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <linux/if_ether.h>

#include "model-samples.h"
#include "weir-receiver-store.h"

struct fixture
{
  WeirReceiverStore *store;
  guint n_changed;
  GString *moves; /* positions, removed, added */
};

static void
on_changed (WeirReceiverStore *store, struct fixture *fixture)
{
  fixture->n_changed++;
}

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added,
                  struct fixture *fixture)
{
  g_string_append_printf (fixture->moves, "%u-%u+%u ", position, removed, added);
}

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  fixture->store = weir_receiver_store_new ();
  fixture->moves = g_string_new (NULL);
  g_signal_connect (fixture->store, "changed", G_CALLBACK (on_changed), fixture);
  g_signal_connect (fixture->store, "items-changed", G_CALLBACK (on_items_changed), fixture);
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->store);
  g_string_free (fixture->moves, TRUE);
}

static struct weir_receiver_record
listener (guint64 id)
{
  struct weir_receiver_record record = {
    .id = id,
    .change = WEIR_RECEIVER_ADDED,
    .kind = WEIR_SOCKET_PORT,
    .family = 4,
    .protocol = 6,
    .has_queue = true,
    .backlog = 128,
    .inode = 100 + (guint32) id,
    .cookie = id,
    .owner_how = WEIR_OWNER_TUPLE,
    .pid = 42,
    .has_uid = true,
    .uid = 0,
    .comm = "sshd",
    .cgroup = "/system.slice/ssh.service",
  };

  sample_set_v4 (&record.local, "0.0.0.0", 22);
  return record;
}

static void
tell (struct fixture *fixture, const struct weir_receiver_record *records, guint n,
      guint not_listed, guint tick_number)
{
  const struct weir_receivers_summary summary = { n + not_listed, not_listed };
  struct weir_tick tick = sample_tick (tick_number);

  for (guint i = 0; i < n; i++)
    weir_receiver_store_apply (fixture->store, &records[i]);
  if (records != NULL)
    weir_receiver_store_set_summary (fixture->store, &summary);
  weir_receiver_store_tick (fixture->store, &tick);
}

static guint
count (struct fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (fixture->store));
}

/* Borrowed. */
static WeirReceiver *
item (struct fixture *fixture, guint i)
{
  g_autoptr (WeirReceiver) receiver = g_list_model_get_item (G_LIST_MODEL (fixture->store), i);

  return receiver;
}

static void
test_life (struct fixture *fixture, gconstpointer data)
{
  struct weir_receiver_record records[] = { listener (1), listener (2), listener (3) };
  struct weir_receiver_record gone = { .id = 2, .change = WEIR_RECEIVER_GONE };
  WeirReceiver *first;

  g_assert_false (weir_receiver_store_is_known (fixture->store));
  tell (fixture, NULL, 0, 0, 0);
  g_assert_false (weir_receiver_store_is_known (fixture->store));
  g_assert_cmpuint (fixture->n_changed, ==, 0);

  tell (fixture, records, 3, 7, 1);
  g_assert_true (weir_receiver_store_is_known (fixture->store));
  g_assert_cmpuint (count (fixture), ==, 3);
  g_assert_cmpuint (weir_receiver_store_get_n_not_listed (fixture->store), ==, 7);
  first = item (fixture, 0);
  g_assert_cmpstr (weir_receiver_get_local (first), ==, "*:22");
  g_assert_cmpstr (weir_receiver_get_protocol (first), ==, "TCP");
  g_assert_cmpstr (weir_receiver_get_comm (first), ==, "sshd");
  g_assert_nonnull (weir_receiver_get_app_name (first));
  g_assert_nonnull (weir_receiver_get_user (first));
  g_assert_cmpint (weir_receiver_get_exposure (first), ==, WEIR_EXPOSURE_ANYWHERE);

  /* In place. */
  records[0].change = WEIR_RECEIVER_CHANGED;
  records[0].queue = 5;
  sample_set_v4 (&records[0].local, "127.0.0.1", 23);
  tell (fixture, records, 1, 0, 2);
  g_assert_true (item (fixture, 0) == first);
  g_assert_cmpuint (weir_receiver_get_record (first)->queue, ==, 5);
  g_assert_cmpstr (weir_receiver_get_local (first), ==, "127.0.0.1:23");
  g_assert_cmpint (weir_receiver_get_exposure (first), ==, WEIR_EXPOSURE_LOOPBACK);

  tell (fixture, &gone, 1, 0, 3);
  g_assert_cmpuint (count (fixture), ==, 2);
  g_assert_cmpuint (weir_receiver_get_record (item (fixture, 1))->id, ==, 3);
  tell (fixture, NULL, 0, 0, 4);
  g_assert_cmpuint (fixture->n_changed, ==, 3);
  g_assert_cmpstr (fixture->moves->str, ==, "0-0+3 1-1+0 ");
}

/* Told of and gone before the tick; gone twice; gone and never told of. */
static void
test_odd (struct fixture *fixture, gconstpointer data)
{
  struct weir_receiver_record records[] = {
    listener (1),
    { .id = 1, .change = WEIR_RECEIVER_GONE },
    { .id = 1, .change = WEIR_RECEIVER_GONE },
    { .id = 9, .change = WEIR_RECEIVER_GONE },
  };

  tell (fixture, records, G_N_ELEMENTS (records), 0, 1);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_cmpstr (fixture->moves->str, ==, "");
  /* A change of what was never added begins it. */
  records[0].change = WEIR_RECEIVER_CHANGED;
  tell (fixture, records, 1, 0, 2);
  g_assert_cmpuint (count (fixture), ==, 1);
}

static void
test_since (struct fixture *fixture, gconstpointer data)
{
  struct weir_receiver_record records[] = { listener (1), listener (2), listener (3) };
  struct weir_tick tick = sample_tick (10);

  records[1].first_seen = tick.monotonic - G_GUINT64_CONSTANT (2000000000);
  /* Later than now: nonsense. */
  records[2].first_seen = tick.monotonic + 1;
  tell (fixture, records, 3, 0, 10);
  g_assert_cmpint (weir_receiver_get_since (item (fixture, 0)), ==, -1);
  g_assert_cmpint (weir_receiver_get_since (item (fixture, 1)), ==,
                   (gint64) (tick.realtime / 1000) - 2000000);
  g_assert_cmpint (weir_receiver_get_since (item (fixture, 2)), ==, -1);
}

/* Another engine lists what there is from the beginning, under other numbers. */
static void
test_restart (struct fixture *fixture, gconstpointer data)
{
  struct weir_receiver_record records[] = { listener (1), listener (2) };
  WeirReceiver *second;
  gint64 since;

  records[1].first_seen = sample_tick (1).monotonic;
  tell (fixture, records, 2, 0, 1);
  second = item (fixture, 1);
  since = weir_receiver_get_since (second);
  g_assert_cmpint (since, >, 0);
  weir_receiver_store_restart (fixture->store);
  tell (fixture, NULL, 0, 0, 2);
  g_assert_cmpuint (count (fixture), ==, 2);

  records[1].id = 1;
  records[1].first_seen = 0;
  tell (fixture, &records[1], 1, 0, 3);
  g_assert_cmpuint (count (fixture), ==, 1);
  g_assert_true (item (fixture, 0) == second);
  g_assert_cmpuint (weir_receiver_get_record (second)->id, ==, 1);
  g_assert_cmpint (weir_receiver_get_since (second), ==, since);
  records[1].change = WEIR_RECEIVER_GONE;
  tell (fixture, &records[1], 1, 0, 4);
  g_assert_cmpuint (count (fixture), ==, 0);
}

static void
test_texts (struct fixture *fixture, gconstpointer data)
{
  static const struct
  {
    guint8 kind, family;
    guint16 protocol;
    const char *protocol_text, *local_text;
  } cases[] = {
    { WEIR_SOCKET_PORT, 6, 17, "UDP", "*:22" },
    { WEIR_SOCKET_PORT, 6, 99, "99", "*:22" },
    { WEIR_SOCKET_RAW, 6, 58, "ICMPv6, raw", "*" },
    { WEIR_SOCKET_RAW, 4, 255, "Raw, sending only", "*" },
    { WEIR_SOCKET_PING, 4, 1, "ICMP, ping", "*:22" },
    { WEIR_SOCKET_PACKET, 0, ETH_P_ALL, "All packets", "*" },
    { WEIR_SOCKET_PACKET, 0, ETH_P_ARP, "ARP packets", "*" },
    { WEIR_SOCKET_PACKET, 0, 0x1234, "Packets of type 0x1234", "*" },
    { WEIR_SOCKET_PACKET, 0, 0, "Packets, sending only", "*" },
  };
  struct weir_receiver_record records[G_N_ELEMENTS (cases)];

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      records[i] = listener (i + 1);
      records[i].kind = cases[i].kind;
      records[i].protocol = cases[i].protocol;
      records[i].family = cases[i].family;
      if (cases[i].family != 4)
        memset (records[i].local.address, 0, 16);
      if (cases[i].kind == WEIR_SOCKET_RAW)
        records[i].local.port = 0;
      /* From outside, and not to be trusted. */
      g_strlcpy (records[i].comm, "a\033[1m\xff", sizeof records[i].comm);
      records[i].has_uid = false;
    }
  tell (fixture, records, G_N_ELEMENTS (records), 0, 1);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeirReceiver *receiver = item (fixture, i);

      g_assert_cmpstr (weir_receiver_get_protocol (receiver), ==, cases[i].protocol_text);
      g_assert_cmpstr (weir_receiver_get_local (receiver), ==, cases[i].local_text);
      g_assert_true (g_utf8_validate (weir_receiver_get_comm (receiver), -1, NULL));
      g_assert_null (strchr (weir_receiver_get_comm (receiver), '\033'));
      g_assert_null (weir_receiver_get_user (receiver));
    }
}

#define ADD(name, function)                                                                        \
  g_test_add ("/receiver-store/" name, struct fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("life", test_life);
  ADD ("odd", test_odd);
  ADD ("since", test_since);
  ADD ("restart", test_restart);
  ADD ("texts", test_texts);
  return g_test_run ();
}
