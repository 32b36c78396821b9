/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Helpers of an engine that root started, and for how long they are waited for. */
#include "config.h"

#include <glib.h>
#include <sys/socket.h>

#include "in-child.h"
#include "weir-clock.h"
#include "weir-fork.h"

/* 0, or an exit code; the helpers end with this process. */
static int
start (void *data)
{
  const uint64_t *deadline = data;
  const struct weir_caller caller = { .uid = 1000, .elevated = true };
  struct weir_accounting accounting = { -1, -1 };
  struct weir_meter_setup setup = { 0 };
  struct weir_users users;
  int ends[2];

  HOLDS (weir_users_load ("/etc/passwd", caller.uid, &users) == 0);
  HOLDS (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  setup.fds.client = ends[0];
  setup.fds.conntrack_dump = -1;
  return weir_fork (&caller, &users, &setup, &accounting, *deadline);
}

static void
test_in_time (void)
{
  uint64_t deadline = weir_clock_after (WEIR_START_TIMEOUT_MS);

  g_assert_cmpint (in_child (start, &deadline), ==, WEIR_EXIT_DONE);
}

/* Nobody waits for an engine any more whose deadline has passed, so it waits for nobody. */
static void
test_too_late (void)
{
  const uint64_t began = weir_clock_now ();
  uint64_t deadline = began;

  g_assert_cmpint (in_child (start, &deadline), ==, WEIR_EXIT_LATE);
  g_assert_cmpuint (weir_clock_now () - began, <, WEIR_REPORT_TIMEOUT_MS * UINT64_C (1000000));
}

static void
test_clock (void)
{
  const uint64_t ms = 1000000, now = weir_clock_now ();

  g_assert_cmpint (weir_clock_left (now, 1000), ==, 0);
  g_assert_cmpint (weir_clock_left (0, 1000), ==, 0);
  g_assert_cmpint (weir_clock_left (UINT64_MAX, 1000), ==, 1000);
  g_assert_cmpint (weir_clock_left (now + 60000 * ms, 100000), <=, 60000);
  g_assert_cmpint (weir_clock_left (now + 60000 * ms, 100000), >, 50000);
  g_assert_cmpuint (weir_clock_after (1000), >=, now + 1000 * ms);
  g_assert_cmpuint (weir_clock_until (now, 1000), ==, now);
  g_assert_cmpuint (weir_clock_until (UINT64_MAX, 1000), <, now + 60000 * ms);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fork/clock", test_clock);
  g_test_add_func ("/fork/in-time", test_in_time);
  g_test_add_func ("/fork/too-late", test_too_late);
  return g_test_run ();
}
