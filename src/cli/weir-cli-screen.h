/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One picture of `top`, as text: knows no terminal and reads nothing, so that it can be tested. */
#pragma once

#include "weir-slot-model.h"

G_BEGIN_DECLS

typedef struct
{
  guint columns, rows;
  gboolean colours;
  WeirSlotModel *view;
  WeirSort sort;
  guint offset;            /* of the first row shown */
  const char *view_name;   /* "Limited View" */
  double rx_rate, tx_rate; /* of the computer; WEIR_ABSENT: not known */
  const char *cadence;     /* how often, when that is not what was asked for, or NULL */
  gboolean paused;
  gboolean waiting;      /* nothing was measured yet */
  const char *filter;    /* in force; "" */
  const char *entry;     /* being typed, or NULL */
  const GError *mistake; /* of the entry, or NULL */
} WeirCliScreen;

/* With escape sequences: moves to the corner and fills every cell. */
char *
weir_cli_screen_make (const WeirCliScreen *screen);
/* Rows of the list that fit. */
guint
weir_cli_screen_get_list_rows (guint rows);

G_END_DECLS
