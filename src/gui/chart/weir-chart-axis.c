/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-chart-axis.h"

#include <math.h>

/* The side that moves less gets at least this share of the other side's height: a quarter of all.
 */
#define SMALLER_SIDE (1.0 / 3.0)

double
weir_chart_axis_ceiling (double value)
{
  /* Halves of all of these are round, too: the grid has a line in the middle. */
  static const double steps[] = { 1, 2, 3, 4, 5, 6, 8, 10 };
  double magnitude;

  if (!(value > 0) || !isfinite (value))
    return 1;
  magnitude = pow (10, floor (log10 (value)));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (value <= steps[i] * magnitude * (1 + 1e-9))
      return steps[i] * magnitude;
  return 10 * magnitude;
}

void
weir_chart_axis_init (WeirChartAxis *axis, double max_up, double max_down, double floor,
                      float height)
{
  axis->top = weir_chart_axis_ceiling (MAX (max_up, floor));
  axis->bottom = weir_chart_axis_ceiling (MAX (max_down, floor * SMALLER_SIDE));
  axis->top = MAX (axis->top, axis->bottom * SMALLER_SIDE);
  axis->bottom = MAX (axis->bottom, axis->top * SMALLER_SIDE);
  axis->scale = (float) (height / (axis->top + axis->bottom));
  axis->base = roundf ((float) axis->top * axis->scale);
}

float
weir_chart_axis_up (const WeirChartAxis *axis, double value)
{
  return axis->base - (float) MIN (value, axis->top) * axis->scale;
}

float
weir_chart_axis_down (const WeirChartAxis *axis, double value)
{
  return axis->base + (float) MIN (value, axis->bottom) * axis->scale;
}
