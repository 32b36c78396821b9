/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A join that hears of kernel programs, and what these could have read. */
#pragma once

#include "join-fixture.h"

#define N_SLOTS 64

/* Cookies of network namespaces */
#define OWN_NETNS   11
#define OTHER_NETNS 12

static const char *const OWN[] = { "192.0.2.1", NULL };

static inline void
set_up_bpf (struct fixture *fixture, gconstpointer data)
{
  set_up (fixture, data);
  g_assert_cmpint (weir_join_begin_bpf (&fixture->join, N_SLOTS, false), ==, 0);
  weir_join_set_netns_cookie (&fixture->join, 1, OWN_NETNS);
}

struct named_test
{
  const char *name;
  void (*run) (struct fixture *fixture, gconstpointer data);
};

/* All of them, below @prefix, each with a join of its own that hears of kernel programs. */
static inline int
run_bpf_tests (int argc, char **argv, const char *prefix, const struct named_test *tests, gsize n)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *path = g_strconcat (prefix, tests[i].name, NULL);

      g_test_add (path, struct fixture, OWN, set_up_bpf, tests[i].run, tear_down);
    }
  return g_test_run ();
}

static inline struct weir_bpf_process
process (guint32 pid, guint32 uid, const char *comm)
{
  struct weir_bpf_process made = { .pid = pid, .uid = uid, .cgroup_id = 9 };

  strncpy (made.comm, comm, sizeof made.comm - 1);
  return made;
}

/* A connection that process 7 made, two seconds after the start of the computer. */
static inline struct weir_bpf_reading
bpf_reading (guint32 slot, guint16 port)
{
  struct weir_bpf_reading made = {
    .slot = slot,
    .generation = 1,
    .flags = WEIR_BPF_WHOLE | WEIR_BPF_CONNECTED,
    .cookie = 1000 + port,
    .netns_cookie = OWN_NETNS,
    .protocol = IPPROTO_TCP,
    .family = 4,
    .direction = WEIR_DIRECTION_OUT,
    .local = endpoint ("192.0.2.1", port),
    .remote = endpoint ("198.51.100.7", 443),
    .ifindex = 2,
    .born = 2 * S,
  };

  made.opener = made.user = process (7, 1000, "program");
  return made;
}

static inline void
move (struct weir_bpf_reading *reading, guint64 rx, guint64 tx)
{
  reading->rx_bytes += rx;
  reading->tx_bytes += tx;
  reading->rx_packets += (rx + 1499) / 1500;
  reading->tx_packets += (tx + 1499) / 1500;
  reading->rx_payload += rx - rx / 25;
  reading->tx_payload += tx - tx / 25;
  reading->rx_extra += rx / 100;
}

static inline struct weir_flow *
flow_at (struct weir_join *join, guint16 port)
{
  return find_flow (join, IPPROTO_TCP, "192.0.2.1", port, "198.51.100.7", 443);
}

static inline void
assert_bytes (const struct weir_flow *flow, guint64 expected_rx, guint64 expected_tx)
{
  guint64 rx, tx;

  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->bytes_source, ==, WEIR_SOURCE_BPF);
  g_assert_true (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (rx, ==, expected_rx);
  g_assert_cmpuint (tx, ==, expected_tx);
}

/* Answers for one process, in that network namespace, as /proc would. */
static inline void
answer_process (struct weir_join *join, guint32 netns, guint32 pid, guint64 start_time,
                const char *comm, guint64 now)
{
  struct weir_looker_answer answer = {
    .verb = WEIR_LOOKER_PROCESSES,
    .value = pid,
    .pid = start_time != 0 ? pid : 0,
    .start_time = start_time,
    .netns = netns,
    .cgroup = "/group",
  };

  strncpy (answer.comm, comm, sizeof answer.comm - 1);
  weir_owners_answer (&join->owners, &answer, now);
}

static inline guint32
collect_processes (struct weir_join *join, guint64 now)
{
  guint64 pids[WEIR_LOOKER_BATCH];

  return weir_owners_collect_processes (&join->owners, false, now, pids);
}
