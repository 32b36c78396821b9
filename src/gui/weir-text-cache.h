/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shaped text, shared by all cells of a view: strings come back as rows move, so shaping each once
 * is most of the work saved.  The least recently used layout goes first. */
typedef struct _WeirTextCache WeirTextCache;

typedef enum
{
  WEIR_TEXT_BODY,    /* in the direction of its own letters */
  WEIR_TEXT_ADDRESS, /* left to right; shortened, it keeps its port */
  WEIR_TEXT_NUMBER,  /* left to right, tabular figures */
  WEIR_TEXT_CAPTION_ADDRESS,
  WEIR_TEXT_CAPTION_NUMBER,
  WEIR_N_TEXTS,
} WeirText;

/* @widget gives font and resolution and must outlive the cache. */
WeirTextCache *
weir_text_cache_new (GtkWidget *widget);
void
weir_text_cache_free (WeirTextCache *self);
/* Fonts or resolution have changed. */
void
weir_text_cache_invalidate (WeirTextCache *self);

/* A layout not wider than @width pixels; owned by the cache and valid until the next call. */
PangoLayout *
weir_text_cache_get (WeirTextCache *self, WeirText kind, const char *text, int width,
                     int *ret_width);
/* Of one line in pixels; depends on nothing but the font. */
int
weir_text_cache_get_line_height (WeirTextCache *self, WeirText kind);

G_END_DECLS
