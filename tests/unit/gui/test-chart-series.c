/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chart/weir-chart-series.h"

#define SECOND G_GINT64_CONSTANT (1000000000)

static void
test_ring (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (3);

  g_assert_cmpuint (weir_chart_series_get_n_samples (series), ==, 0);
  g_assert_cmpint (weir_chart_series_get_newest_time (series), ==, 0);
  g_assert_cmpfloat (weir_chart_series_get_newest_value (series), <, 0);
  for (int i = 1; i <= 5; i++)
    weir_chart_series_push (series, i * SECOND, i);
  g_assert_cmpuint (weir_chart_series_get_n_samples (series), ==, 3);
  g_assert_cmpint (weir_chart_series_get_newest_time (series), ==, 5 * SECOND);
  g_assert_cmpfloat (weir_chart_series_get_newest_value (series), ==, 5);
  weir_chart_series_clear (series);
  g_assert_cmpuint (weir_chart_series_get_n_samples (series), ==, 0);
}

static void
test_maximum (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (10);

  g_assert_cmpfloat (weir_chart_series_get_maximum (series, 0), ==, 0);
  weir_chart_series_push (series, 1 * SECOND, 900);
  weir_chart_series_push (series, 2 * SECOND, 50);
  weir_chart_series_push (series, 3 * SECOND, -1);
  g_assert_cmpfloat (weir_chart_series_get_maximum (series, 0), ==, 900);
  g_assert_cmpfloat (weir_chart_series_get_maximum (series, 2 * SECOND), ==, 50);
}

static void
test_positions (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (100);
  WeirChartPoint points[64];
  guint n_points;

  for (int i = 0; i <= 20; i++)
    weir_chart_series_push (series, i * SECOND, i);
  n_points =
      weir_chart_series_reduce (series, 10 * SECOND, 20 * SECOND, G_N_ELEMENTS (points), points);
  /* One from before the span, and the eleven of it. */
  g_assert_cmpuint (n_points, ==, 12);
  g_assert_cmpfloat_with_epsilon (points[0].position, -0.1, 1e-5);
  g_assert_cmpfloat_with_epsilon (points[1].position, 0, 1e-5);
  g_assert_cmpfloat_with_epsilon (points[11].position, 1, 1e-5);
  g_assert_cmpfloat (points[11].value, ==, 20);
  for (guint i = 1; i < n_points; i++)
    g_assert_false (points[i].begins);
}

static void
test_gap_of_time (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (100);
  WeirChartPoint points[64];
  guint n_points, n_begins = 0;

  weir_chart_series_push (series, 1 * SECOND, 1);
  weir_chart_series_push (series, 2 * SECOND, 2);
  /* A suspend. */
  weir_chart_series_push (series, 2 * SECOND + WEIR_CHART_GAP_NS + 1, 3);
  weir_chart_series_push (series, 3 * SECOND + WEIR_CHART_GAP_NS + 1, 4);
  n_points = weir_chart_series_reduce (series, 1, 60 * SECOND, G_N_ELEMENTS (points), points);
  g_assert_cmpuint (n_points, ==, 4);
  for (guint i = 0; i < n_points; i++)
    n_begins += points[i].begins;
  g_assert_cmpuint (n_begins, ==, 2);
  g_assert_true (points[2].begins);
}

static void
test_gap_of_absence (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (100);
  WeirChartPoint points[64];

  weir_chart_series_push (series, 1 * SECOND, 1);
  weir_chart_series_push (series, 2 * SECOND, -1);
  weir_chart_series_push (series, 3 * SECOND, 3);
  g_assert_cmpuint (
      weir_chart_series_reduce (series, 1, 10 * SECOND, G_N_ELEMENTS (points), points), ==, 2);
  /* What was not measured is neither zero nor a line. */
  g_assert_true (points[1].begins);
  g_assert_cmpfloat (points[1].value, ==, 3);
}

static void
test_no_peak_lost (void)
{
  g_autoptr (WeirChartSeries) series = weir_chart_series_new (1000);
  WeirChartPoint points[40];
  guint n_points;
  float highest = 0, last = -1;

  for (int i = 0; i < 1000; i++)
    weir_chart_series_push (series, i * SECOND / 10, i == 617 ? 5000 : i % 7);
  n_points = weir_chart_series_reduce (series, 0, 100 * SECOND, G_N_ELEMENTS (points), points);
  g_assert_cmpuint (n_points, <=, G_N_ELEMENTS (points));
  g_assert_cmpuint (n_points, >=, 30);
  for (guint i = 0; i < n_points; i++)
    {
      highest = MAX (highest, points[i].value);
      g_assert_cmpfloat (points[i].position, >, last);
      last = points[i].position;
    }
  g_assert_cmpfloat (highest, ==, 5000);
  /* The newest part is there: its end is the end of the picture. */
  g_assert_cmpfloat (last, >, 0.95);
}

static void
test_never_too_many (void)
{
  WeirChartPoint points[200];

  for (guint room = 4; room < 100; room++)
    {
      g_autoptr (WeirChartSeries) series = weir_chart_series_new (300);

      for (int i = 0; i < 300; i++)
        weir_chart_series_push (series, i * SECOND, i % 5 == 0 ? -1 : i * 7919 % 13);
      g_assert_cmpuint (weir_chart_series_reduce (series, 0, 300 * SECOND, room, points), <=, room);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chart-series/ring", test_ring);
  g_test_add_func ("/chart-series/maximum", test_maximum);
  g_test_add_func ("/chart-series/positions", test_positions);
  g_test_add_func ("/chart-series/gap-of-time", test_gap_of_time);
  g_test_add_func ("/chart-series/gap-of-absence", test_gap_of_absence);
  g_test_add_func ("/chart-series/no-peak-lost", test_no_peak_lost);
  g_test_add_func ("/chart-series/never-too-many", test_never_too_many);
  return g_test_run ();
}
