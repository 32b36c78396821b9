/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* Received and sent rates of the whole computer over time: a ring of samples, each with its time,
 * so that a gap stays a gap.  Signal: changed (WeirHistory *) after each sample. */
#define WEIR_TYPE_HISTORY (weir_history_get_type ())
G_DECLARE_FINAL_TYPE (WeirHistory, weir_history, WEIR, HISTORY, GObject)

typedef struct
{
  guint64 time;     /* CLOCK_BOOTTIME, ns */
  double rx, tx;    /* bytes per second over the interval that ends at @time */
  guint64 interval; /* ns */
} WeirSample;

WeirHistory *
weir_history_new (guint capacity);
void
weir_history_add (WeirHistory *self, const WeirSample *sample);
void
weir_history_clear (WeirHistory *self);
guint
weir_history_get_n_samples (WeirHistory *self);
/* 0 is the oldest that is kept. */
const WeirSample *
weir_history_get_sample (WeirHistory *self, guint position);

G_END_DECLS
