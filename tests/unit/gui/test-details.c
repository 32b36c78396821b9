/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-details.h"

#include <string.h>

#include "../model/model-samples.h"
#include "weir-application.h"
#include "widgets.h"

typedef struct
{
  GtkWidget *window;
  WeirDetails *details;
  WeirAppIcons *icons;
  WeirFlowStore *store;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->window = gtk_window_new ();
  fixture->details = g_object_new (WEIR_TYPE_DETAILS, NULL);
  fixture->icons = weir_app_icons_new (fixture->window);
  fixture->store = weir_flow_store_new ();
  weir_details_set_icons (fixture->details, fixture->icons);
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), 340, 1200);
  gtk_window_set_child (GTK_WINDOW (fixture->window), GTK_WIDGET (fixture->details));
  gtk_window_present (GTK_WINDOW (fixture->window));
  run_for (100);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  g_object_unref (fixture->icons);
  g_object_unref (fixture->store);
}

static void
show (Fixture *fixture, const struct weir_flow_record *record, guint tick)
{
  struct weir_flow_record own = *record;

  /* Nobody has this number, so that it needs no name. */
  own.uid = 54321;
  sample_add (fixture->store, &own);
  sample_do_tick (fixture->store, tick);
  if (weir_details_get_flow (fixture->details) == NULL)
    weir_details_set_flow (fixture->details, weir_flow_store_lookup (fixture->store, record->id));
  weir_details_refresh (fixture->details, 1000000000 * (gint64) tick, 1000000000);
  run_for (300);
}

static void
test_nothing (Fixture *fixture, gconstpointer data)
{
  wait_for_text (fixture->window, "No Connection Chosen");
}

static void
test_flow (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  show (fixture, &record, 1);
  g_assert_false (shows_text (fixture->window, "No Connection Chosen"));
  wait_for_text (fixture->window, "example");
  wait_for_text (fixture->window, "example · 1001 · 54321");
  wait_for_text (fixture->window, "A socket with exactly these addresses");
  wait_for_text (fixture->window, "TCP · Open");
  wait_for_text (fixture->window, "Opened by this computer");
  wait_for_text (fixture->window, "\342\201\246192.0.2.1:40001\342\201\251");
  wait_for_text (fixture->window, "12.4\302\240ms");
  wait_for_text (fixture->window, "3 segments");
  g_assert_false (shows_text (fixture->window, "Translated To"));
  g_assert_false (shows_text (fixture->window, "Closed"));
}

static void
test_stays_when_ended (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1), end = sample_ended (1);

  show (fixture, &record, 1);
  show (fixture, &end, 2);
  wait_for_text (fixture->window, "Closed");
  /* Long after its row has gone. */
  sample_do_tick (fixture->store, 60);
  g_assert_null (weir_flow_store_lookup (fixture->store, 1));
  weir_details_refresh (fixture->details, 60000000000, 1000000000);
  run_for (50);
  wait_for_text (fixture->window, "example · 1001 · 54321");
  wait_for_text (fixture->window, "TCP · Closed");
}

static void
test_missing_owner (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  record.owner_how = WEIR_OWNER_NONE;
  record.owner_missing = WEIR_MISSING_OTHER_USER;
  record.pid = 0;
  record.has_uid = false;
  record.comm[0] = record.cgroup[0] = '\0';
  show (fixture, &record, 1);
  wait_for_text (fixture->window, "Unknown App");
  wait_for_text (fixture->window, "Belongs to another user; the full view shows it");
}

/* Only where somebody else made the socket. */
static void
test_opener (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  show (fixture, &record, 1);
  wait_for_text (fixture->window, "example · 1001 · 54321");
  g_assert_false (shows_text (fixture->window, "Opened By"));

  record = sample_record (1);
  record.groups |= WEIR_FLOW_OPENER;
  record.opener_pid = 77;
  record.opener_uid = 54322;
  record.owner_how = WEIR_OWNER_BORN;
  strcpy (record.opener_comm, "<b>sys\ntemd");
  show (fixture, &record, 2);
  wait_for_text (fixture->window, "Opened By");
  wait_for_text (fixture->window, "<b>sys\357\277\275temd · 77 · 54322");
  /* Its user is who opened it; who uses it now was not there then. */
  wait_for_text (fixture->window, "example · 1001");
  wait_for_text (fixture->window, "Recorded when it used the connection");

  /* It is no longer so. */
  record.opener_pid = 0;
  record.opener_comm[0] = '\0';
  show (fixture, &record, 3);
  g_assert_false (shows_text (fixture->window, "Opened By"));
}

static void
test_translated (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  record.groups |= WEIR_FLOW_NAT;
  sample_set_v4 (&record.nat_local, "203.0.113.1", 61000);
  sample_set_v4 (&record.nat_remote, "198.51.100.7", 443);
  show (fixture, &record, 1);
  wait_for_text (fixture->window, "\342\201\246203.0.113.1:61000 → 198.51.100.7:443\342\201\251");
}

/* The name of a process is anybody's to choose. */
static void
test_no_markup (Fixture *fixture, gconstpointer data)
{
  struct weir_flow_record record = sample_record (1);

  strcpy (record.comm, "<b>a&b</b>");
  show (fixture, &record, 1);
  wait_for_text (fixture->window, "<b>a&b</b>");
  wait_for_text (fixture->window, "<b>a&b</b> · 1001 · 54321");
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  weir_gui_init ();
  adw_init ();
  ADD ("/details/nothing", test_nothing);
  ADD ("/details/flow", test_flow);
  ADD ("/details/stays-when-ended", test_stays_when_ended);
  ADD ("/details/missing-owner", test_missing_owner);
  ADD ("/details/opener", test_opener);
  ADD ("/details/translated", test_translated);
  ADD ("/details/no-markup", test_no_markup);
  return g_test_run ();
}
