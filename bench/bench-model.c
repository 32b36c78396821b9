/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tick, a sort and a filter cost in the model, without any widget: medians of the main
 * thread's CPU time. */
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>

#include "weir-slot-model.h"

#define RUNS 25

typedef struct
{
  WeirFlowStore *store;
  WeirSlotModel *view;
  guint n_rows;
  guint n_ticks;
  double *milliseconds;
  guint n_runs;
} Bench;

static double
now_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int
compare_doubles (const void *a, const void *b)
{
  double left = *(const double *) a, right = *(const double *) b;

  return (left > right) - (left < right);
}

static void
report (Bench *bench, const char *what)
{
  qsort (bench->milliseconds, bench->n_runs, sizeof (double), compare_doubles);
  g_print ("%6u rows  %-34s median %7.3f ms  worst %7.3f ms\n", bench->n_rows, what,
           bench->milliseconds[bench->n_runs / 2], bench->milliseconds[bench->n_runs - 1]);
  bench->n_runs = 0;
}

static void
add_run (Bench *bench, double start)
{
  bench->milliseconds[bench->n_runs++] = now_ms () - start;
}

/* One flow in a hundred belongs to "rare", and two in three to somebody with an "e". */
static struct weir_flow_record
make_record (guint number)
{
  static const char *const names[] = { "firefox", "node", "curl" };
  struct weir_flow_record record = {
    .id = number + 1,
    .change = WEIR_FLOW_ADDED,
    .groups = WEIR_FLOW_KEY | WEIR_FLOW_STATE | WEIR_FLOW_BYTES | WEIR_FLOW_OWNER,
    .family = 4,
    .protocol = IPPROTO_TCP,
    .netns = 1,
    .local = { { [10] = 0xff, 0xff, 192, 0, 2, 1 }, 1024 + number % 60000 },
    .remote = { { [10] = 0xff, 0xff, 198, 18, number >> 8, number }, 443 },
    .state = WEIR_FLOW_STATE_OPEN,
    .direction = WEIR_DIRECTION_OUT,
    .bytes_source = WEIR_SOURCE_BPF,
    .has_bytes = true,
    .has_rates = true,
    .pid = 1000 + number % 500,
  };

  g_snprintf (record.comm, sizeof record.comm, "%s-%u",
              number % 100 == 0 ? "rare" : names[number % 3], number % 500);
  return record;
}

static void
tick (Bench *bench)
{
  struct weir_tick time = { .sequence = bench->n_ticks,
                            .monotonic = (1000 + bench->n_ticks) * G_GUINT64_CONSTANT (1000000000),
                            .interval = 1000000000 };

  bench->n_ticks++;
  weir_flow_store_tick (bench->store, &time);
}

/* All flows have new figures. */
static void
apply_figures (Bench *bench)
{
  for (guint i = 0; i < bench->n_rows; i++)
    {
      struct weir_flow_record record = { .id = i + 1,
                                         .change = WEIR_FLOW_CHANGED,
                                         .groups = WEIR_FLOW_BYTES,
                                         .has_bytes = true,
                                         .has_rates = true };
      record.rx_rate = g_random_int_range (0, 10000000);
      record.tx_rate = g_random_int_range (0, 1000000);
      record.rx_bytes = bench->n_ticks * 1000 + record.rx_rate;
      weir_flow_store_apply (bench->store, &record);
    }
}

static void
measure_ticks (Bench *bench)
{
  g_autofree double *applying = g_new (double, RUNS);

  weir_slot_model_set_sort (bench->view, WEIR_SORT_RX_RATE, TRUE);
  for (guint i = 0; i < RUNS; i++)
    {
      double start = now_ms ();
      apply_figures (bench);
      applying[i] = now_ms () - start;
      start = now_ms ();
      tick (bench);
      add_run (bench, start);
    }
  report (bench, "tick, all changed, sorted by rate");
  for (guint i = 0; i < RUNS; i++)
    bench->milliseconds[bench->n_runs++] = applying[i];
  report (bench, "taking over all records");
}

static void
measure_sort (Bench *bench, const char *what, WeirSort sort)
{
  double start = now_ms ();

  weir_slot_model_set_sort (bench->view, sort, FALSE);
  add_run (bench, start);
  g_autofree char *first = g_strconcat (what, ", first time", NULL);
  report (bench, first);
  for (guint i = 0; i < RUNS; i++)
    {
      start = now_ms ();
      weir_slot_model_set_sort (bench->view, sort, i % 2 == 0);
      add_run (bench, start);
    }
  report (bench, what);
}

static void
measure_filter (Bench *bench, const char *what, const char *text)
{
  g_autoptr (WeirFilter) filter = weir_filter_new (text, NULL);

  for (guint i = 0; i < RUNS; i++)
    {
      double start = now_ms ();
      weir_slot_model_set_filter (bench->view, filter);
      add_run (bench, start);
      weir_slot_model_set_filter (bench->view, NULL);
    }
  report (bench, what);
}

static void
measure_filter_off (Bench *bench)
{
  g_autoptr (WeirFilter) filter = weir_filter_new ("rare", NULL);

  for (guint i = 0; i < RUNS; i++)
    {
      weir_slot_model_set_filter (bench->view, filter);
      double start = now_ms ();
      weir_slot_model_set_filter (bench->view, NULL);
      add_run (bench, start);
    }
  report (bench, "filter off");
}

static void
measure_freeze (Bench *bench)
{
  for (guint i = 0; i < RUNS; i++)
    {
      double start = now_ms ();
      weir_slot_model_set_frozen (bench->view, TRUE);
      add_run (bench, start);
      weir_slot_model_set_frozen (bench->view, FALSE);
    }
  report (bench, "freeze");
}

static void
measure (guint n_rows)
{
  Bench bench = { .n_rows = n_rows };

  bench.store = weir_flow_store_new ();
  bench.view = weir_slot_model_new (bench.store);
  bench.milliseconds = g_new (double, RUNS);
  for (guint i = 0; i < n_rows; i++)
    {
      struct weir_flow_record record = make_record (i);
      weir_flow_store_apply (bench.store, &record);
    }
  tick (&bench);

  measure_ticks (&bench);
  measure_sort (&bench, "sort by rate", WEIR_SORT_RX_RATE);
  measure_sort (&bench, "sort by app", WEIR_SORT_APP);
  measure_sort (&bench, "sort by remote", WEIR_SORT_REMOTE);
  weir_slot_model_set_sort (bench.view, WEIR_SORT_RX_RATE, TRUE);
  measure_filter (&bench, "filter to 1 %, first time included", "rare");
  measure_filter (&bench, "filter to 67 %", "e");
  measure_filter (&bench, "filter by a term to 1 %", "comm:rare-*");
  measure_filter (&bench, "filter by figures", "rate>5M and not port:80");
  measure_filter (&bench, "filter by a network", "ip:198.18.1.0/24");
  measure_filter (&bench, "filter by an expression", "/^rare-\\d+$/");
  measure_filter_off (&bench);
  measure_freeze (&bench);
  g_free (bench.milliseconds);
  g_object_unref (bench.view);
  g_object_unref (bench.store);
}

int
main (void)
{
  measure (4096);
  measure (100000);
  return 0;
}
