/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <string.h>

#include "weir-flow-table.h"

static struct weir_flow_key
make_key (guint number)
{
  struct weir_flow_key key;

  memset (&key, 0, sizeof key);
  key.local[15] = 1;
  key.remote[14] = (guint8) (number >> 16);
  key.remote_port = (guint16) number;
  key.protocol = 6;
  key.family = 6;
  return key;
}

static void
test_find (void)
{
  struct weir_flow_key one = make_key (1), other = make_key (2);
  struct weir_flow_table table;
  struct weir_flow *flow;

  g_assert_cmpint (weir_flow_table_init (&table, 100), ==, 0);
  g_assert_null (weir_flow_table_find (&table, &one));
  flow = weir_flow_table_add (&table, &one, 77);
  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->first_seen, ==, 77);
  g_assert_true (weir_flow_table_find (&table, &one) == flow);
  g_assert_null (weir_flow_table_find (&table, &other));
  /* Everything in the key counts. */
  one.netns = 9;
  g_assert_null (weir_flow_table_find (&table, &one));
  one.netns = 0;
  one.discriminator = 9;
  g_assert_null (weir_flow_table_find (&table, &one));
  one.discriminator = 0;

  weir_flow_table_set_cookie (&table, flow, 55);
  g_assert_true (weir_flow_table_find_cookie (&table, 55) == flow);
  weir_flow_table_set_cookie (&table, flow, 56);
  g_assert_null (weir_flow_table_find_cookie (&table, 55));
  g_assert_true (weir_flow_table_find_cookie (&table, 56) == flow);
  g_assert_null (weir_flow_table_find_cookie (&table, 0));

  weir_flow_table_rekey (&table, flow, &other);
  g_assert_null (weir_flow_table_find (&table, &one));
  g_assert_true (weir_flow_table_find (&table, &other) == flow);
  weir_flow_table_clear (&table);
}

/* A flow that ended stays in the table until that was published, while its key is another's. */
static void
test_unlink (void)
{
  struct weir_flow_key key = make_key (1);
  struct weir_flow_table table;
  struct weir_flow *old, *new;
  guint32 slot = 0;

  g_assert_cmpint (weir_flow_table_init (&table, 100), ==, 0);
  old = weir_flow_table_add (&table, &key, 1);
  weir_flow_table_set_cookie (&table, old, 5);
  weir_flow_table_unlink (&table, old);
  g_assert_null (weir_flow_table_find (&table, &key));
  g_assert_null (weir_flow_table_find_cookie (&table, 5));
  new = weir_flow_table_add (&table, &key, 2);
  g_assert_true (weir_flow_table_find (&table, &key) == new);
  g_assert_cmpuint (new->id, !=, old->id);
  g_assert_cmpuint (table.n_flows, ==, 2);
  weir_flow_table_remove (&table, old);
  g_assert_true (weir_flow_table_find (&table, &key) == new);
  g_assert_true (weir_flow_table_next (&table, &slot) == new);
  g_assert_null (weir_flow_table_next (&table, &slot));
  weir_flow_table_clear (&table);
}

static void
test_bounds (void)
{
  struct weir_flow_table table;
  struct weir_flow_key key;
  struct weir_flow *flow;
  guint64 last_id = 0;

  g_assert_cmpint (weir_flow_table_init (&table, 3000), ==, 0);
  for (guint i = 0; i < 3000; i++)
    {
      key = make_key (i);
      flow = weir_flow_table_add (&table, &key, i);
      g_assert_nonnull (flow);
      g_assert_cmpuint (flow->id, >, last_id);
      last_id = flow->id;
      weir_flow_table_set_cookie (&table, flow, i + 1);
    }
  key = make_key (3000);
  g_assert_null (weir_flow_table_add (&table, &key, 0));
  g_assert_null (weir_flow_table_add (&table, &key, 0));
  g_assert_cmpuint (table.refused, ==, 2);
  /* The indexes have grown on the way. */
  for (guint i = 0; i < 3000; i++)
    {
      key = make_key (i);
      flow = weir_flow_table_find (&table, &key);
      g_assert_nonnull (flow);
      g_assert_cmpuint (flow->first_seen, ==, i);
      g_assert_true (weir_flow_table_find_cookie (&table, i + 1) == flow);
    }
  /* A slot that is free again is used again, under a new id. */
  key = make_key (17);
  weir_flow_table_remove (&table, weir_flow_table_find (&table, &key));
  key = make_key (3000);
  flow = weir_flow_table_add (&table, &key, 0);
  g_assert_nonnull (flow);
  g_assert_cmpuint (flow->id, >, last_id);
  g_assert_cmpuint (flow->cookie, ==, 0);
  g_assert_cmpuint (table.n_flows, ==, 3000);
  weir_flow_table_clear (&table);
}

static void
test_random (void)
{
  g_autoptr (GHashTable) model = g_hash_table_new (NULL, NULL);
  struct weir_flow_table table;
  struct weir_flow *flow;
  guint n = 0;

  g_assert_cmpint (weir_flow_table_init (&table, WEIR_FLOWS_MAX), ==, 0);
  for (guint i = 0; i < 50000; i++)
    {
      guint number = (guint) g_test_rand_int_range (1, 5000);
      struct weir_flow_key key = make_key (number);

      flow = weir_flow_table_find (&table, &key);
      g_assert_true (flow == g_hash_table_lookup (model, GUINT_TO_POINTER (number)));
      if (flow != NULL)
        {
          weir_flow_table_remove (&table, flow);
          g_hash_table_remove (model, GUINT_TO_POINTER (number));
        }
      else
        {
          flow = weir_flow_table_add (&table, &key, 0);
          g_hash_table_insert (model, GUINT_TO_POINTER (number), flow);
        }
    }
  for (guint32 slot = 0; weir_flow_table_next (&table, &slot) != NULL;)
    n++;
  g_assert_cmpuint (n, ==, g_hash_table_size (model));
  g_assert_cmpuint (table.n_flows, ==, n);
  weir_flow_table_clear (&table);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow-table/find", test_find);
  g_test_add_func ("/flow-table/unlink", test_unlink);
  g_test_add_func ("/flow-table/bounds", test_bounds);
  g_test_add_func ("/flow-table/random", test_random);
  return g_test_run ();
}
