/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chart/weir-chart-axis.h"

#include <math.h>

static void
test_ceiling (void)
{
  static const struct
  {
    double value, expected;
  } cases[] = {
    { 1, 1 },       { 1.2, 2 },      { 4.8e6, 5e6 }, { 5e6, 5e6 },      { 5.1e6, 6e6 },
    { 6.5e6, 8e6 }, { 8.1e6, 10e6 }, { 999, 1000 },  { 1e9, 1e9 },      { 0, 1 },
    { -3, 1 },      { INFINITY, 1 }, { NAN, 1 },     { 0.0012, 0.002 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpfloat_with_epsilon (weir_chart_axis_ceiling (cases[i].value), cases[i].expected,
                                    cases[i].expected * 1e-9);
}

static void
test_one_scale (void)
{
  WeirChartAxis axis;

  weir_chart_axis_init (&axis, 4e6, 2e6, 1000, 120);
  g_assert_cmpfloat_with_epsilon (axis.top, 4e6, 1);
  g_assert_cmpfloat_with_epsilon (axis.bottom, 2e6, 1);
  g_assert_cmpfloat (axis.base, ==, 80);
  g_assert_cmpfloat_with_epsilon (weir_chart_axis_up (&axis, 4e6), 0, 0.01);
  g_assert_cmpfloat_with_epsilon (weir_chart_axis_down (&axis, 2e6), 120, 0.01);
  /* The same number of bytes is the same number of pixels on both sides. */
  g_assert_cmpfloat_with_epsilon (80 - weir_chart_axis_up (&axis, 1e6),
                                  weir_chart_axis_down (&axis, 1e6) - 80, 0.01);
}

static void
test_smaller_side (void)
{
  WeirChartAxis axis;

  weir_chart_axis_init (&axis, 9e6, 10, 1000, 100);
  g_assert_cmpfloat_with_epsilon (axis.base, 75, 1);
  weir_chart_axis_init (&axis, 10, 9e6, 1000, 100);
  g_assert_cmpfloat_with_epsilon (axis.base, 25, 1);
}

static void
test_floor (void)
{
  WeirChartAxis axis;

  weir_chart_axis_init (&axis, 0, 0, 1000, 100);
  g_assert_cmpfloat (axis.top, ==, 1000);
  g_assert_cmpfloat (weir_chart_axis_up (&axis, 10), >, axis.base - 1.5);
}

static void
test_stays_inside (void)
{
  WeirChartAxis axis;

  weir_chart_axis_init (&axis, 1e6, 1e6, 1000, 100);
  g_assert_cmpfloat (weir_chart_axis_up (&axis, 1e12), >=, -0.01);
  g_assert_cmpfloat (weir_chart_axis_down (&axis, 1e12), <=, 100.01);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chart-axis/ceiling", test_ceiling);
  g_test_add_func ("/chart-axis/one-scale", test_one_scale);
  g_test_add_func ("/chart-axis/smaller-side", test_smaller_side);
  g_test_add_func ("/chart-axis/floor", test_floor);
  g_test_add_func ("/chart-axis/stays-inside", test_stays_inside);
  return g_test_run ();
}
