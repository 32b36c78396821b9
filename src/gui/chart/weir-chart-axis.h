/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers to pixels: one quantity grows upwards from a common base line, another one downwards, and
 * a pixel is worth the same on both sides.  Knows nothing of samples or widgets. */
typedef struct
{
  double top, bottom; /* the values at the upper and at the lower edge; both positive */
  float base;         /* distance of the base line from the upper edge */
  float scale;        /* pixels for one unit */
} WeirChartAxis;

/* The smallest round number that is not smaller than @value. */
double
weir_chart_axis_ceiling (double value);

/* @max_up and @max_down are the largest values to be shown in @height pixels.  Neither side gets
 * less than a quarter of the height, so that it stays readable when the other one is much larger;
 * when both are nearly nothing, the edges are at @floor, so that noise does not look like traffic.
 */
void
weir_chart_axis_init (WeirChartAxis *axis, double max_up, double max_down, double floor,
                      float height);

/* Distance from the upper edge. */
float
weir_chart_axis_up (const WeirChartAxis *axis, double value);
float
weir_chart_axis_down (const WeirChartAxis *axis, double value);

G_END_DECLS
