/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-history.h"

struct _WeirHistory
{
  GObject parent;
  WeirSample *samples;
  guint capacity;
  guint first;
  guint n;
};

G_DEFINE_FINAL_TYPE (WeirHistory, weir_history, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

static void
weir_history_finalize (GObject *object)
{
  WeirHistory *self = WEIR_HISTORY (object);

  g_free (self->samples);
  G_OBJECT_CLASS (weir_history_parent_class)->finalize (object);
}

static void
weir_history_class_init (WeirHistoryClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_history_finalize;
  signals[CHANGED] = g_signal_new ("changed", WEIR_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
weir_history_init (WeirHistory *self)
{
}

WeirHistory *
weir_history_new (guint capacity)
{
  WeirHistory *self = g_object_new (WEIR_TYPE_HISTORY, NULL);

  self->capacity = MAX (capacity, 1);
  self->samples = g_new0 (WeirSample, self->capacity);
  return self;
}

void
weir_history_add (WeirHistory *self, const WeirSample *sample)
{
  g_return_if_fail (WEIR_IS_HISTORY (self));

  self->samples[(self->first + self->n) % self->capacity] = *sample;
  if (self->n < self->capacity)
    self->n++;
  else
    self->first = (self->first + 1) % self->capacity;
  g_signal_emit (self, signals[CHANGED], 0);
}

void
weir_history_clear (WeirHistory *self)
{
  g_return_if_fail (WEIR_IS_HISTORY (self));

  self->first = self->n = 0;
  g_signal_emit (self, signals[CHANGED], 0);
}

guint
weir_history_get_n_samples (WeirHistory *self)
{
  g_return_val_if_fail (WEIR_IS_HISTORY (self), 0);
  return self->n;
}

const WeirSample *
weir_history_get_sample (WeirHistory *self, guint position)
{
  g_return_val_if_fail (WEIR_IS_HISTORY (self), NULL);
  g_return_val_if_fail (position < self->n, NULL);
  return &self->samples[(self->first + position) % self->capacity];
}
