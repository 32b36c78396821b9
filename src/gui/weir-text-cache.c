/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-text-cache.h"

/* Some screens full of rows; a layout takes about 1 KiB. */
#define CAPACITY 2048

#define CAPTION_SCALE 0.82

typedef struct
{
  WeirText kind;
  int limit; /* the width that it was shortened to, 0 when it was not */
  char *text;
  int width;
  PangoLayout *layout;
  GList link; /* in the queue; the most recently used is the head */
} Entry;

struct _WeirTextCache
{
  GtkWidget *widget;
  GHashTable *entries;
  GQueue queue;
  PangoContext *left_to_right;
  PangoAttrList *attributes[WEIR_N_TEXTS];
  int line_heights[WEIR_N_TEXTS];
};

static guint
entry_hash (gconstpointer key)
{
  const Entry *entry = key;

  return g_str_hash (entry->text) ^ ((guint) entry->kind << 28) ^
         ((guint) entry->limit * 2654435761u);
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *first = a, *second = b;

  return first->kind == second->kind && first->limit == second->limit &&
         g_str_equal (first->text, second->text);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->text);
  g_object_unref (entry->layout);
  g_free (entry);
}

static PangoAttrList *
make_attributes (WeirText kind)
{
  PangoAttrList *attributes = pango_attr_list_new ();

  if (kind == WEIR_TEXT_NUMBER || kind == WEIR_TEXT_CAPTION_NUMBER)
    pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  if (kind == WEIR_TEXT_CAPTION_ADDRESS || kind == WEIR_TEXT_CAPTION_NUMBER)
    pango_attr_list_insert (attributes, pango_attr_scale_new (CAPTION_SCALE));
  return attributes;
}

/* Cuts an address at the end of its host part: the port is what tells one service from another. */
static void
shorten_address (PangoLayout *layout, const char *text, int limit)
{
  const char *port = strrchr (text, ':');
  glong n_kept = g_utf8_pointer_to_offset (text, port != NULL ? port : text + strlen (text)),
        low = 0;

  if (port == NULL)
    port = "";
  /* The longest beginning that still fits. */
  while (low < n_kept)
    {
      glong middle = (low + n_kept + 1) / 2;
      g_autofree char *beginning = g_utf8_substring (text, 0, middle);
      g_autofree char *shortened = g_strconcat (beginning, "…", port, NULL);
      int width;

      pango_layout_set_text (layout, shortened, -1);
      pango_layout_get_pixel_size (layout, &width, NULL);
      if (width <= limit)
        low = middle;
      else
        n_kept = middle - 1;
    }
  g_autofree char *beginning = g_utf8_substring (text, 0, low);
  g_autofree char *shortened = g_strconcat (beginning, "…", port, NULL);

  pango_layout_set_text (layout, shortened, -1);
}

static PangoLayout *
make_layout (WeirTextCache *self, WeirText kind, const char *text, int limit)
{
  PangoLayout *layout;

  if (kind == WEIR_TEXT_BODY)
    layout = gtk_widget_create_pango_layout (self->widget, NULL);
  else
    {
      /* Otherwise each address would take its direction from its own letters, and
       * "198.51.100.7:443" and "host.example:443" would stand at different edges in a right-to-left
       * language. */
      if (self->left_to_right == NULL)
        {
          self->left_to_right = gtk_widget_create_pango_context (self->widget);
          pango_context_set_base_dir (self->left_to_right, PANGO_DIRECTION_LTR);
        }
      layout = pango_layout_new (self->left_to_right);
      pango_layout_set_auto_dir (layout, FALSE);
    }
  pango_layout_set_attributes (layout, self->attributes[kind]);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_text (layout, text, -1);
  if (limit > 0 && (kind == WEIR_TEXT_ADDRESS || kind == WEIR_TEXT_CAPTION_ADDRESS))
    shorten_address (layout, text, limit);
  else if (limit > 0)
    {
      pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
      pango_layout_set_width (layout, limit * PANGO_SCALE);
    }
  return layout;
}

static Entry *
look_up (WeirTextCache *self, WeirText kind, const char *text, int limit)
{
  const Entry key = { .kind = kind, .limit = limit, .text = (char *) text };
  Entry *entry = g_hash_table_lookup (self->entries, &key);
  PangoRectangle extents;

  if (entry != NULL)
    {
      g_queue_unlink (&self->queue, &entry->link);
      g_queue_push_head_link (&self->queue, &entry->link);
      return entry;
    }
  if (self->queue.length >= CAPACITY)
    {
      Entry *oldest = self->queue.tail->data;

      g_queue_unlink (&self->queue, &oldest->link);
      g_hash_table_remove (self->entries, oldest);
    }
  entry = g_new0 (Entry, 1);
  entry->kind = kind;
  entry->limit = limit;
  entry->text = g_strdup (text);
  entry->layout = make_layout (self, kind, text, limit);
  pango_layout_get_pixel_extents (entry->layout, NULL, &extents);
  entry->width = extents.width;
  entry->link.data = entry;
  g_queue_push_head_link (&self->queue, &entry->link);
  g_hash_table_add (self->entries, entry);
  return entry;
}

WeirTextCache *
weir_text_cache_new (GtkWidget *widget)
{
  WeirTextCache *self = g_new0 (WeirTextCache, 1);

  self->widget = widget;
  self->entries = g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);
  g_queue_init (&self->queue);
  for (int i = 0; i < WEIR_N_TEXTS; i++)
    self->attributes[i] = make_attributes (i);
  return self;
}

void
weir_text_cache_free (WeirTextCache *self)
{
  g_hash_table_unref (self->entries);
  g_clear_object (&self->left_to_right);
  for (int i = 0; i < WEIR_N_TEXTS; i++)
    pango_attr_list_unref (self->attributes[i]);
  g_free (self);
}

void
weir_text_cache_invalidate (WeirTextCache *self)
{
  /* The links live in the entries. */
  g_queue_init (&self->queue);
  g_hash_table_remove_all (self->entries);
  g_clear_object (&self->left_to_right);
  for (int i = 0; i < WEIR_N_TEXTS; i++)
    self->line_heights[i] = 0;
}

PangoLayout *
weir_text_cache_get (WeirTextCache *self, WeirText kind, const char *text, int width,
                     int *ret_width)
{
  Entry *entry = look_up (self, kind, text, 0);

  if (entry->width > width)
    entry = look_up (self, kind, text, MAX (width, 1));
  if (ret_width != NULL)
    *ret_width = entry->width;
  return entry->layout;
}

int
weir_text_cache_get_line_height (WeirTextCache *self, WeirText kind)
{
  if (self->line_heights[kind] == 0)
    {
      g_autoptr (PangoLayout) layout = make_layout (self, kind, "0", 0);

      pango_layout_get_pixel_size (layout, NULL, &self->line_heights[kind]);
    }
  return self->line_heights[kind];
}
