/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-text-cache.h"

static GtkWidget *widget;

static void
test_shared (void)
{
  WeirTextCache *cache = weir_text_cache_new (widget);
  PangoLayout *layout = weir_text_cache_get (cache, WEIR_TEXT_BODY, "Web", 200, NULL);

  g_assert_true (weir_text_cache_get (cache, WEIR_TEXT_BODY, "Web", 300, NULL) == layout);
  g_assert_true (weir_text_cache_get (cache, WEIR_TEXT_NUMBER, "Web", 300, NULL) != layout);
  weir_text_cache_free (cache);
}

static void
test_fits (void)
{
  static const char *const address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:443";
  WeirTextCache *cache = weir_text_cache_new (widget);
  int whole, width;

  weir_text_cache_get (cache, WEIR_TEXT_ADDRESS, address, 10000, &whole);
  for (int limit = 60; limit < whole; limit += 13)
    {
      PangoLayout *layout = weir_text_cache_get (cache, WEIR_TEXT_ADDRESS, address, limit, &width);

      g_assert_cmpint (width, <=, limit);
      /* The port tells one service from another: it stays. */
      g_assert_true (g_str_has_suffix (pango_layout_get_text (layout), "…:443"));
    }
  weir_text_cache_get (cache, WEIR_TEXT_BODY, "A rather long name of an application", 50, &width);
  g_assert_cmpint (width, <=, 50);
  weir_text_cache_free (cache);
}

static void
test_left_to_right (void)
{
  WeirTextCache *cache;

  gtk_widget_set_direction (widget, GTK_TEXT_DIR_RTL);
  cache = weir_text_cache_new (widget);
  /* Both would otherwise take their direction from their own letters. */
  for (int i = 0; i < 2; i++)
    {
      PangoLayout *layout = weir_text_cache_get (
          cache, WEIR_TEXT_ADDRESS, i ? "198.51.100.7:443" : "host.example:443", 500, NULL);

      g_assert_false (pango_layout_get_auto_dir (layout));
      g_assert_cmpint (pango_context_get_base_dir (pango_layout_get_context (layout)), ==,
                       PANGO_DIRECTION_LTR);
    }
  weir_text_cache_free (cache);
  gtk_widget_set_direction (widget, GTK_TEXT_DIR_LTR);
}

static void
test_bounded (void)
{
  WeirTextCache *cache = weir_text_cache_new (widget);
  GObject *first = G_OBJECT (weir_text_cache_get (cache, WEIR_TEXT_BODY, "first", 500, NULL)),
          *kept = first;

  g_object_add_weak_pointer (first, (gpointer *) &kept);
  for (int i = 0; i < 3000; i++)
    {
      g_autofree char *text = g_strdup_printf ("%d", i);

      weir_text_cache_get (cache, WEIR_TEXT_NUMBER, text, 500, NULL);
    }
  g_assert_null (kept);
  weir_text_cache_free (cache);
}

static void
test_tabular (void)
{
  WeirTextCache *cache = weir_text_cache_new (widget);
  int narrow, wide;

  weir_text_cache_get (cache, WEIR_TEXT_NUMBER, "111", 500, &narrow);
  weir_text_cache_get (cache, WEIR_TEXT_NUMBER, "888", 500, &wide);
  g_assert_cmpint (narrow, ==, wide);
  g_assert_cmpint (weir_text_cache_get_line_height (cache, WEIR_TEXT_CAPTION_NUMBER), <,
                   weir_text_cache_get_line_height (cache, WEIR_TEXT_NUMBER));
  weir_text_cache_free (cache);
}

int
main (int argc, char **argv)
{
  int result;

  gtk_test_init (&argc, &argv, NULL);
  widget = g_object_ref_sink (gtk_label_new (NULL));
  g_test_add_func ("/text-cache/shared", test_shared);
  g_test_add_func ("/text-cache/fits", test_fits);
  g_test_add_func ("/text-cache/left-to-right", test_left_to_right);
  g_test_add_func ("/text-cache/bounded", test_bounded);
  g_test_add_func ("/text-cache/tabular", test_tabular);
  result = g_test_run ();
  g_object_unref (widget);
  return result;
}
