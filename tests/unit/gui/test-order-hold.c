/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-order-hold.h"

#include "../model/model-samples.h"

typedef struct
{
  GtkWidget *view;
  WeirFlowStore *store;
  WeirSlotModel *model;
  WeirOrderHold *hold;
  guint n_ticks;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->view = g_object_ref_sink (gtk_label_new (NULL));
  fixture->store = weir_flow_store_new ();
  fixture->model = weir_slot_model_new (fixture->store);
  fixture->hold = weir_order_hold_new (fixture->view, fixture->model);
  weir_slot_model_set_sort (fixture->model, WEIR_SORT_RX_RATE, TRUE);
  for (guint id = 1; id <= 3; id++)
    {
      struct weir_flow_record record = sample_record (id);

      record.rx_rate = 100000 * id;
      sample_add (fixture->store, &record);
    }
  sample_do_tick (fixture->store, ++fixture->n_ticks);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->hold);
  g_object_unref (fixture->view);
  g_object_unref (fixture->model);
  g_object_unref (fixture->store);
}

/* The first flow gets by far the most. */
static void
overtake (Fixture *fixture)
{
  struct weir_flow_record change = sample_bytes (1, 90000000, 0);

  for (int i = 0; i < 4; i++)
    {
      sample_add (fixture->store, &change);
      sample_do_tick (fixture->store, ++fixture->n_ticks);
    }
}

static void
test_menu (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 2);
  weir_order_hold_set_menu_open (fixture->hold, TRUE);
  overtake (fixture);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 2);
  /* It catches up at once. */
  weir_order_hold_set_menu_open (fixture->hold, FALSE);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 0);
}

static void
press (Fixture *fixture, guint keyval)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (fixture->view);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);
      gboolean taken;

      if (!GTK_IS_EVENT_CONTROLLER_KEY (controller))
        continue;
      g_signal_emit_by_name (controller, "key-pressed", keyval, 0, 0, &taken);
      g_assert_false (taken);
    }
}

static void
test_keys (Fixture *fixture, gconstpointer data)
{
  press (fixture, GDK_KEY_a);
  overtake (fixture);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 0);
}

static gboolean
is_second_on_top (gpointer model)
{
  return weir_slot_model_find (model, 2) == 0;
}

static void
test_navigation (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record change = sample_bytes (2, 900000000, 0);

  overtake (fixture);
  press (fixture, GDK_KEY_Down);
  for (int i = 0; i < 6; i++)
    {
      sample_add (fixture->store, &change);
      sample_do_tick (fixture->store, ++fixture->n_ticks);
    }
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 0);
  /* Two seconds after the last key. */
  sample_wait (is_second_on_top, fixture->model);
}

/* The pointer rests, and something moves under it. */
static void
move (Fixture *fixture, double x, double y)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (fixture->view);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);

      if (GTK_IS_EVENT_CONTROLLER_MOTION (controller))
        g_signal_emit_by_name (controller, "motion", x, y);
    }
}

static void
test_pointer (Fixture *fixture, gconstpointer data)
{
  move (fixture, 0, 0);
  overtake (fixture);
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 0);
  move (fixture, 5, 5);
  for (int i = 0; i < 6; i++)
    {
      struct weir_flow_record change = sample_bytes (2, 900000000, 0);

      sample_add (fixture->store, &change);
      sample_do_tick (fixture->store, ++fixture->n_ticks);
    }
  g_assert_cmpuint (weir_slot_model_find (fixture->model, 1), ==, 0);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  ADD ("/order-hold/menu", test_menu);
  ADD ("/order-hold/keys", test_keys);
  ADD ("/order-hold/navigation", test_navigation);
  ADD ("/order-hold/pointer", test_pointer);
  return g_test_run ();
}
