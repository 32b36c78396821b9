/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-app-icons.h"
#include "weir-flow.h"
#include "weir-slot-model.h"

G_BEGIN_DECLS

/* How a cell draws its text. */
typedef enum
{
  WEIR_CELL_TEXT,
  WEIR_CELL_APP,        /* an icon before the text */
  WEIR_CELL_ADDRESS,    /* always left to right; shortened, it keeps its port */
  WEIR_CELL_NUMBER,     /* at the end of the cell, with tabular figures, perhaps a bar */
  WEIR_CELL_CONNECTION, /* an icon and two lines: app, remote host */
  WEIR_CELL_RATES,      /* two lines: received, sent */
} WeirCellKind;

typedef enum
{
  WEIR_BAR_NONE,
  WEIR_BAR_RX,
  WEIR_BAR_TX,
} WeirBar;

/* The text of a cell: a string of the flow's, or one that was written into @scratch. @icons may be
 * NULL. */
typedef const char *(*WeirColumnText) (WeirFlow *flow, WeirAppIcons *icons, GString *scratch);

/* One entry of the one table from which the view, its menu and its settings follow. */
typedef struct
{
  const char *id; /* in the settings, in the action's name; never changes */
  const char *title;
  WeirSort sort;
  WeirCellKind kind;
  WeirBar bar;
  int width;        /* 0: takes what is left */
  gboolean visible; /* without the settings saying otherwise */
  gboolean narrow;  /* only in the narrow view, which shows no other */
  gboolean spare;   /* first to go when there is little room */
  WeirColumnText text;
  WeirColumnText second; /* the second line, or NULL */
} WeirColumn;

const WeirColumn *
weir_columns_get (guint *ret_n);
const WeirColumn *
weir_columns_find (const char *id);
/* "Unknown App" when nobody knows. */
const char *
weir_columns_app_text (WeirFlow *flow, WeirAppIcons *icons, GString *scratch);

G_END_DECLS
