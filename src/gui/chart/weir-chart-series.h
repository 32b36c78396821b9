/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One quantity over time: a ring of samples.  Plain data that knows nothing of pixels or widgets.
 */
typedef struct _WeirChartSeries WeirChartSeries;

/* Two samples further apart than this are not joined by a line: what happened between them (a
 * suspend, a stopped engine) is not known.  A hidden window still gets a sample every five seconds.
 */
#define WEIR_CHART_GAP_NS (12 * G_GINT64_CONSTANT (1000000000))

/* A place on the line.  @position runs from 0 (the beginning of the span) to 1 (its end); the first
 * point may lie before 0, so that the line enters the picture from outside. */
typedef struct
{
  float position;
  float value;
  gboolean begins; /* the first point after a gap */
} WeirChartPoint;

WeirChartSeries *
weir_chart_series_new (guint capacity);
void
weir_chart_series_free (WeirChartSeries *self);
void
weir_chart_series_clear (WeirChartSeries *self);

/* @time in nanoseconds, growing; a negative @value is absent and makes a gap. */
void
weir_chart_series_push (WeirChartSeries *self, gint64 time, double value);

guint
weir_chart_series_get_n_samples (WeirChartSeries *self);
/* Of the newest sample; 0 when there is none. */
gint64
weir_chart_series_get_newest_time (WeirChartSeries *self);
/* Negative when absent. */
double
weir_chart_series_get_newest_value (WeirChartSeries *self);
/* Largest value not older than @from; 0 when there is none. */
double
weir_chart_series_get_maximum (WeirChartSeries *self, gint64 from);

/* The line between @from and @to in at most @max_points points (at least 4).  Where there are more
 * samples than that, the smallest and the largest of each part are kept, so that no peak is lost.
 * Returns how many points were stored. */
guint
weir_chart_series_reduce (WeirChartSeries *self, gint64 from, gint64 to, guint max_points,
                          WeirChartPoint *ret_points);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirChartSeries, weir_chart_series_free)

G_END_DECLS
