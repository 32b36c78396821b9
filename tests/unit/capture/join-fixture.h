/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A join that knows this computer's addresses, a looker that answers, and rows to compare with. */
#pragma once

#include <string.h>

#include "readings-builder.h"
#include "weir-join.h"

struct fixture
{
  struct weir_join join;
};

/* @data: the own addresses, a list of strings that ends with NULL. */
static inline void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (weir_join_init (&fixture->join, 1, true, 1000), ==, 0);
  own_addresses (&fixture->join.own.addresses, data);
}

static inline void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_join_clear (&fixture->join);
}

/* Answers all that is asked for: inode n belongs to process n. */
static inline void
answer_all (struct weir_join *join, guint64 now)
{
  guint64 values[WEIR_LOOKER_BATCH];
  guint32 n = collect_owners (&join->owners, now, values);

  for (guint32 i = 0; i < n; i++)
    {
      struct weir_looker_answer answer = {
        .verb = WEIR_LOOKER_OWNERS,
        .value = values[i],
        .pid = (guint32) values[i],
        .start_time = 1,
        .comm = "program",
      };

      weir_owners_answer (&join->owners, &answer, now);
    }
  n = weir_owners_collect_cgroups (&join->owners, now, values);
  for (guint32 i = 0; i < n; i++)
    {
      struct weir_looker_answer answer = { .verb = WEIR_LOOKER_CGROUPS, .value = values[i] };

      g_snprintf (answer.cgroup, sizeof answer.cgroup, "/group-%u", (guint) values[i]);
      weir_owners_answer (&join->owners, &answer, now);
    }
  weir_owners_answered (&join->owners, 0, now);
}

static inline guint32
pid_of (struct weir_join *join, const struct weir_flow *flow)
{
  const struct weir_owner *owner = weir_owners_get (&join->owners, flow->owner);

  return owner != NULL ? owner->pid : 0;
}

struct row
{
  const char *local;
  guint16 local_port;
  const char *remote;
  guint16 remote_port;
  enum weir_direction direction;
  guint64 rx, tx;
  /* NULL: not translated */
  const char *nat_local;
  guint16 nat_local_port;
  const char *nat_remote;
  guint16 nat_remote_port;
};

static inline void
assert_endpoint (const struct weir_endpoint *found, const char *address, guint16 port)
{
  struct weir_endpoint expected = endpoint (address, port);

  g_assert_cmpmem (found->address, 16, expected.address, 16);
  g_assert_cmpuint (found->port, ==, port);
}

static inline struct weir_flow *
assert_row (struct weir_join *join, guint8 protocol, const struct row *row)
{
  struct weir_flow *flow =
      find_flow (join, protocol, row->local, row->local_port, row->remote, row->remote_port);
  guint64 rx, tx;

  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->direction, ==, row->direction);
  g_assert_true (weir_flow_get_bytes (flow, &rx, &tx));
  g_assert_cmpuint (rx, ==, row->rx);
  g_assert_cmpuint (tx, ==, row->tx);
  g_assert_cmpint ((flow->flags & WEIR_FLOW_HAS_NAT) != 0, ==, row->nat_local != NULL);
  if (row->nat_local == NULL)
    return flow;
  assert_endpoint (&flow->extra->nat_local, row->nat_local, row->nat_local_port);
  assert_endpoint (&flow->extra->nat_remote, row->nat_remote, row->nat_remote_port);
  return flow;
}
