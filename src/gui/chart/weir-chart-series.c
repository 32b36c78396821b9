/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-chart-series.h"

typedef struct
{
  gint64 time;
  double value;
} Sample;

struct _WeirChartSeries
{
  Sample *samples;
  guint capacity;
  guint first;
  guint n_samples;
};

static const Sample *
get_sample (WeirChartSeries *self, guint position)
{
  return &self->samples[(self->first + position) % self->capacity];
}

/* Whether @position cannot be joined to the sample before it. */
static gboolean
begins_at (WeirChartSeries *self, guint position)
{
  const Sample *sample = get_sample (self, position), *previous;

  if (position == 0)
    return TRUE;
  previous = get_sample (self, position - 1);
  return previous->value < 0 || sample->time - previous->time > WEIR_CHART_GAP_NS;
}

/* Collects the points of one part of the span in the order of time. */
typedef struct
{
  WeirChartPoint low, high;
  gboolean any;
} Part;

static void
part_add (Part *part, WeirChartPoint point)
{
  if (!part->any)
    {
      part->low = part->high = point;
      part->any = TRUE;
      return;
    }
  if (point.value < part->low.value)
    part->low = point;
  if (point.value > part->high.value)
    part->high = point;
}

/* Stores at most @room points, and empties the part. */
static guint
part_flush (Part *part, gboolean begins, WeirChartPoint *ret_points, guint room)
{
  gboolean low_first = part->low.position <= part->high.position;
  WeirChartPoint first = low_first ? part->low : part->high;
  WeirChartPoint second = low_first ? part->high : part->low;

  if (!part->any || room == 0)
    return 0;
  part->any = FALSE;
  first.begins = begins;
  second.begins = FALSE;
  ret_points[0] = first;
  if (first.position == second.position || room == 1)
    return 1;
  ret_points[1] = second;
  return 2;
}

WeirChartSeries *
weir_chart_series_new (guint capacity)
{
  WeirChartSeries *self = g_new0 (WeirChartSeries, 1);

  g_return_val_if_fail (capacity > 0, self);
  self->samples = g_new0 (Sample, capacity);
  self->capacity = capacity;
  return self;
}

void
weir_chart_series_free (WeirChartSeries *self)
{
  g_free (self->samples);
  g_free (self);
}

void
weir_chart_series_clear (WeirChartSeries *self)
{
  self->first = 0;
  self->n_samples = 0;
}

void
weir_chart_series_push (WeirChartSeries *self, gint64 time, double value)
{
  Sample *sample;

  if (self->n_samples == self->capacity)
    self->first = (self->first + 1) % self->capacity;
  else
    self->n_samples++;
  sample = &self->samples[(self->first + self->n_samples - 1) % self->capacity];
  sample->time = time;
  sample->value = value;
}

guint
weir_chart_series_get_n_samples (WeirChartSeries *self)
{
  return self->n_samples;
}

gint64
weir_chart_series_get_newest_time (WeirChartSeries *self)
{
  return self->n_samples ? get_sample (self, self->n_samples - 1)->time : 0;
}

double
weir_chart_series_get_newest_value (WeirChartSeries *self)
{
  return self->n_samples ? get_sample (self, self->n_samples - 1)->value : -1;
}

double
weir_chart_series_get_maximum (WeirChartSeries *self, gint64 from)
{
  double maximum = 0;

  for (guint i = self->n_samples; i > 0; i--)
    {
      const Sample *sample = get_sample (self, i - 1);

      if (sample->time < from)
        break;
      maximum = MAX (maximum, sample->value);
    }
  return maximum;
}

/* The first sample to draw: one from before the span, so that the line does not start in mid-air.
 */
static guint
find_first (WeirChartSeries *self, gint64 from)
{
  guint first = 0;

  while (first < self->n_samples && get_sample (self, first)->time < from)
    first++;
  return first > 0 ? first - 1 : 0;
}

/* How many parts the span is cut into, 0 when every sample is a part.  A part takes two points, and
 * each gap begins one more. */
static guint
count_parts (WeirChartSeries *self, guint first, guint max_points)
{
  guint n_gaps = 0;

  if (self->n_samples - first <= max_points)
    return 0;
  for (guint i = first; i < self->n_samples; i++)
    n_gaps += begins_at (self, i);
  return max_points / 2 > n_gaps + 1 ? max_points / 2 - n_gaps : 1;
}

guint
weir_chart_series_reduce (WeirChartSeries *self, gint64 from, gint64 to, guint max_points,
                          WeirChartPoint *ret_points)
{
  guint first, n_parts, n_points = 0, current = G_MAXUINT;
  gboolean begins = FALSE;
  Part part = { 0 };

  g_return_val_if_fail (to > from && max_points >= 4, 0);

  first = find_first (self, from);
  n_parts = count_parts (self, first, max_points);
  for (guint i = first; i < self->n_samples && get_sample (self, i)->time <= to; i++)
    {
      const Sample *sample = get_sample (self, i);
      double position = (double) (sample->time - from) / (double) (to - from);
      guint index = n_parts == 0 ? i : (guint) (CLAMP (position, 0, 1) * (n_parts - 1));
      gboolean gap = begins_at (self, i);

      if (sample->value < 0)
        continue;
      if (index != current || gap)
        {
          n_points += part_flush (&part, begins, ret_points + n_points, max_points - n_points);
          current = index;
          begins = gap;
        }
      part_add (&part,
                (WeirChartPoint) { .position = (float) position, .value = (float) sample->value });
    }
  n_points += part_flush (&part, begins, ret_points + n_points, max_points - n_points);
  return n_points;
}
