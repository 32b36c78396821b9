/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chart/weir-chart.h"

#include <adwaita.h>

#define SECOND G_GINT64_CONSTANT (1000000000)

static GtkWidget *window;
static WeirChart *chart;

/* What the chart draws at its present size, as text. */
static char *
draw (void)
{
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  while (g_main_context_iteration (NULL, FALSE))
    ;
  GTK_WIDGET_GET_CLASS (chart)->snapshot (GTK_WIDGET (chart), snapshot);
  node = gtk_snapshot_to_node (snapshot);
  g_assert_nonnull (node);
  bytes = gsk_render_node_serialize (node);
  return g_bytes_unref_to_data (g_steal_pointer (&bytes), &size);
}

static void
wait_until_drawn (void)
{
  gint64 end = g_get_monotonic_time () + 2 * G_TIME_SPAN_SECOND;

  while (gtk_widget_get_width (GTK_WIDGET (chart)) == 0 && g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (gtk_widget_get_width (GTK_WIDGET (chart)), >, 0);
}

static guint
count (const char *text, const char *word)
{
  guint n = 0;

  for (const char *at = strstr (text, word); at != NULL; at = strstr (at + 1, word))
    n++;
  return n;
}

static void
test_empty (void)
{
  g_autofree char *drawn = NULL;

  weir_chart_clear (chart);
  weir_chart_update (chart);
  drawn = draw ();
  /* The labels of both axes, and no line. */
  g_assert_cmpuint (count (drawn, "text {"), >=, 3);
  g_assert_cmpuint (count (drawn, "stroke {"), ==, 0);
  g_assert_cmpstr (weir_chart_get_summary (chart), ==, "Received —, at most —; sent —, at most —");
}

static void
test_both_sides (void)
{
  g_autofree char *drawn = NULL;

  weir_chart_clear (chart);
  for (int i = 1; i <= 30; i++)
    weir_chart_push (chart, i * SECOND, 1e6 + (i == 10) * 3e6, 2e5);
  weir_chart_update (chart);
  drawn = draw ();
  g_assert_cmpuint (count (drawn, "stroke {"), ==, 2);
  g_assert_cmpuint (count (drawn, "fill {"), ==, 2);
  g_assert_cmpstr (weir_chart_get_summary (chart), ==,
                   "Received 1.0\302\240MB/s, at most 4.0\302\240MB/s; sent 200\302\240kB/s, at "
                   "most 200\302\240kB/s");
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (chart), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       weir_chart_get_summary (chart));
}

/* The line is drawn in two pieces, and nothing joins them. */
static void
test_gap (void)
{
  g_autofree char *whole = NULL, *broken = NULL;

  weir_chart_clear (chart);
  for (int i = 1; i <= 40; i++)
    weir_chart_push (chart, i * SECOND, 1e6, 1e5);
  weir_chart_update (chart);
  whole = draw ();
  weir_chart_clear (chart);
  for (int i = 1; i <= 40; i++)
    weir_chart_push (chart, i * SECOND, i > 15 && i < 25 ? -1 : 1e6, i > 15 && i < 25 ? -1 : 1e5);
  weir_chart_update (chart);
  broken = draw ();
  /* Each side is a line and an area, and each of them begins once more. */
  g_assert_cmpuint (count (broken, "M "), ==, count (whole, "M ") + 4);
}

static void
test_role (void)
{
  gtk_test_accessible_assert_role (GTK_ACCESSIBLE (chart), GTK_ACCESSIBLE_ROLE_IMG);
}

int
main (int argc, char **argv)
{
  int result;

  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  window = gtk_window_new ();
  chart = WEIR_CHART (weir_chart_new ());
  gtk_window_set_default_size (GTK_WINDOW (window), 600, 200);
  gtk_window_set_child (GTK_WINDOW (window), GTK_WIDGET (chart));
  gtk_window_present (GTK_WINDOW (window));
  wait_until_drawn ();
  g_test_add_func ("/chart/empty", test_empty);
  g_test_add_func ("/chart/both-sides", test_both_sides);
  g_test_add_func ("/chart/gap", test_gap);
  g_test_add_func ("/chart/role", test_role);
  result = g_test_run ();
  gtk_window_destroy (GTK_WINDOW (window));
  return result;
}
