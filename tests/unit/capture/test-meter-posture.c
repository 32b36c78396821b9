/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When helpers are told to give up their capabilities, and what is said after that. */
#include <linux/netlink.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "meter-fixture.h"
#include "readings-builder.h"
#include "weir-keeper.h"

/* The helpers' ends of what the meter talks to them by. */
static int keeper, looker;

static void
make_pair (int *ret_own, int *ret_helper)
{
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), ==, 0);
  *ret_own = pair[0];
  *ret_helper = pair[1];
}

/* A full view whose keeper and looker have something to give up, and whose computer forwards
 * nothing. */
static void
set_up_posture (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter_setup setup = { .n_processes = 2 };
  struct weir_meter *meter;
  int fd;

  set_up (fixture, data);
  meter = fixture->meter;
  meter->looks_at_all_users = true;
  meter->view = WEIR_VIEW_FULL;
  make_pair (&meter->fds.keeper, &keeper);
  make_pair (&fd, &looker);
  weir_owners_source_init (&meter->owners, fd);
  weir_details_source_init (&meter->details, -1, true);
  meter->fds.conntrack_dump = meter->fds.conntrack_events = meter->fds.accounting = -1;
  meter->fds.sock_diag = meter->fds.sock_events = meter->fds.route = -1;
  weir_forwarding_init (&meter->forwarding, -1);
  meter->forwarding.known = true;
  meter->join.own.addresses.known = meter->join.own.sockets_known = true;
  meter->join.conntrack_known = true;
  setup.processes[0] = (struct weir_process_status) {
    .role = WEIR_ROLE_KEEPER,
    .pid = 10,
    .cap_permitted = 4,
  };
  setup.processes[1] = (struct weir_process_status) {
    .role = WEIR_ROLE_LOOKER,
    .pid = 11,
    .cap_permitted = 4,
  };
  weir_meter_begin_posture (meter, &setup);
}

static void
tear_down_posture (struct fixture *fixture, gconstpointer data)
{
  close (fixture->meter->fds.keeper);
  if (fixture->meter->owners.fd >= 0)
    close (fixture->meter->owners.fd);
  close (keeper);
  close (looker);
  tear_down (fixture, data);
}

static void
advance (struct fixture *fixture, uint64_t ms)
{
  clocks.awake += ms * WEIR_MS;
  clocks.boot += ms * WEIR_MS;
  weir_meter_advance_posture (fixture->meter, clocks.awake);
}

/* What is said of @source when all is written. */
static struct weir_source_status
get_source (struct fixture *fixture, enum weir_source source)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_meter_write_sources (fixture->meter, &writer);
  weir_writer_clear (&writer);
  return fixture->meter->shown_sources[source];
}

/* The looker is asked about @inode and says that it @has_finished, and has found nobody. */
static void
answer_looker (struct fixture *fixture, uint32_t inode, bool has_finished)
{
  struct weir_meter *meter = fixture->meter;
  struct weir_looker_request request;
  struct weir_looker_answer answer = { .verb = WEIR_LOOKER_OWNERS, .value = inode };

  weir_owners_source_ask (&meter->owners, &meter->join.owners, clocks.boot);
  g_assert_cmpint (recv (looker, &request, sizeof request, 0), ==, sizeof request);
  g_assert_cmpuint (request.values[0], ==, inode);
  answer.serial = request.serial;
  answer.unfinished = !has_finished;
  g_assert_cmpint (send (looker, &answer, sizeof answer, 0), ==, sizeof answer);
  answer = (struct weir_looker_answer) { .serial = request.serial };
  g_assert_cmpint (send (looker, &answer, sizeof answer, 0), ==, sizeof answer);
  weir_owners_source_read (&meter->owners, &meter->join.owners, clocks.boot);
}

static void
give_up_lookers (struct fixture *fixture)
{
  const struct weir_process_status report = { .role = WEIR_ROLE_LOOKER, .pid = 11 };
  struct weir_meter *meter = fixture->meter;
  uint8_t verb = 0;

  weir_owners_source_ask (&meter->owners, &meter->join.owners, clocks.boot);
  g_assert_cmpint (recv (looker, &verb, sizeof verb, 0), ==, 1);
  g_assert_cmpuint (verb, ==, WEIR_RIGHTS_GIVE_UP);
  g_assert_cmpint (send (looker, &report, sizeof report, 0), ==, sizeof report);
  weir_owners_source_read (&meter->owners, &meter->join.owners, clocks.boot);
  advance (fixture, 0);
  g_assert_true (meter->join.owners.given_up);
}

/* A search that was not finished finds nobody, which says nothing. */
static void
test_looked_for (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;

  weir_owners_need (&meter->join.owners, 5, 50, 0, 1, clocks.boot);
  answer_looker (fixture, 5, false);
  advance (fixture, 250);
  g_assert_false (meter->posture.lookers_decided);
  /* It is looked for soon again, if it is still there. */
  g_assert_true (weir_meter_wants_sockets (meter, clocks.awake));
  answer_looker (fixture, 5, true);
  advance (fixture, 250);
  g_assert_true (meter->posture.lookers_decided);
  give_up_lookers (fixture);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_OWNERS).reason, ==,
                    WEIR_REASON_RIGHTS_GIVEN_UP);
}

/* What takes too long is over some time, and said. */
static void
test_not_all (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;
  struct weir_source_status status;

  weir_owners_need (&meter->join.owners, 5, 50, 0, 1, clocks.boot);
  advance (fixture, 250);
  answer_looker (fixture, 5, false);
  advance (fixture, 60000);
  g_assert_true (meter->posture.lookers_decided);
  give_up_lookers (fixture);
  status = get_source (fixture, WEIR_SOURCE_OWNERS);
  g_assert_cmpuint (status.state, ==, WEIR_SOURCE_DEGRADED);
  g_assert_cmpuint (status.reason, ==, WEIR_REASON_NOT_ALL_NAMED);
  g_assert_cmpuint (status.losses, ==, 1);
}

static void
retire_keeper (struct fixture *fixture)
{
  const struct weir_process_status report = { .role = WEIR_ROLE_KEEPER, .pid = 10 };
  struct weir_meter *meter = fixture->meter;
  uint8_t verb = 0;

  meter->fds.conntrack_dump = eventfd (0, 0);
  advance (fixture, 250);
  advance (fixture, 6000);
  g_assert_cmpint (recv (keeper, &verb, sizeof verb, 0), ==, 1);
  g_assert_cmpuint (verb, ==, WEIR_KEEPER_RETIRE);
  g_assert_cmpint (send (keeper, &report, sizeof report, 0), ==, sizeof report);
  weir_meter_read_keeper (meter);
  g_assert_true (meter->posture.left_conntrack);
}

/* Translation and forwarding may begin just after the start. */
static void
test_watched (struct fixture *fixture, gconstpointer data)
{
  advance (fixture, 250);
  advance (fixture, 2000);
  g_assert_false (fixture->meter->posture.keeper_asked);
  retire_keeper (fixture);
}

/* What was given up because there were programs is missing when there are none any more. */
static void
test_stopped_later (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;

  advance (fixture, 250);
  give_up_lookers (fixture);
  retire_keeper (fixture);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_CONNTRACK).reason, ==, WEIR_REASON_NOT_NEEDED);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_OWNERS).state, ==, WEIR_SOURCE_ACTIVE);
  weir_meter_lose_keeper (meter);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_CONNTRACK).reason, ==,
                    WEIR_REASON_STOPPED_LATER);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_OWNERS).state, ==, WEIR_SOURCE_DEGRADED);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_OWNERS).reason, ==, WEIR_REASON_STOPPED_LATER);
}

/* What an interrupted dump says, or one that something changed since, is not believed. */
static void
test_forwarding (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;
  const int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  uint8_t verb;

  meter->fds.conntrack_dump = eventfd (0, 0);
  weir_forwarding_init (&meter->forwarding, fd);
  weir_forwarding_ask (&meter->forwarding, clocks.awake);
  meter->forwarding.again = true;
  weir_forwarding_read (&meter->forwarding);
  g_assert_false (meter->forwarding.running);
  g_assert_false (meter->forwarding.known);
  weir_forwarding_ask (&meter->forwarding, clocks.awake + 2000 * WEIR_MS);
  weir_forwarding_read (&meter->forwarding);
  g_assert_true (meter->forwarding.known);
  meter->forwarding.on = false;
  meter->forwarding.again = true;
  advance (fixture, 250);
  g_assert_false (meter->posture.keeper_asked);
  meter->forwarding.again = false;
  advance (fixture, 6000);
  g_assert_cmpint (recv (keeper, &verb, sizeof verb, 0), ==, 1);
  close (meter->fds.conntrack_dump);
  close (fd);
}

static enum weir_keeping
get_keeping (struct fixture *fixture, enum weir_role role)
{
  const struct weir_posture *posture = &fixture->meter->posture;

  for (unsigned i = 0; i < posture->n_processes; i++)
    {
      if (posture->processes[i].role == role)
        return (enum weir_keeping) posture->processes[i].keeps;
    }
  g_assert_not_reached ();
}

/* What cannot be found out is not waited for without end, and said. */
static void
test_unknown (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->forwarding.known = false;
  advance (fixture, 250);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_UNDECIDED);
  advance (fixture, 60000);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_UNKNOWN);
  /* The looker was told, and has not answered. */
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_LOOKER), ==, WEIR_KEEPING_UNKNOWN);
}

/* A right that nothing can be done with is given up. */
static void
test_refused (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;

  meter->join.conntrack_known = false;
  meter->conntrack.error = EPERM;
  advance (fixture, 250);
  g_assert_false (meter->posture.keeper_asked);
  advance (fixture, 60000);
  retire_keeper (fixture);
  g_assert_cmpuint (get_source (fixture, WEIR_SOURCE_CONNTRACK).reason, ==, WEIR_REASON_REFUSED);
}

/* Whoever has ended says nothing any more. */
static void
test_ended (struct fixture *fixture, gconstpointer data)
{
  struct weir_meter *meter = fixture->meter;
  const int fd = meter->owners.fd;

  weir_owners_need (&meter->join.owners, 5, 50, 0, 1, clocks.boot);
  shutdown (looker, SHUT_RDWR);
  weir_owners_source_read (&meter->owners, &meter->join.owners, clocks.boot);
  g_assert_true (meter->owners.stopped);
  weir_meter_lose_keeper (meter);
  meter->bpf.opened.state = WEIR_SOURCE_ACTIVE;
  advance (fixture, 250);
  advance (fixture, 10000);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_UNKNOWN);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_LOOKER), ==, WEIR_KEEPING_UNKNOWN);
  close (fd);
}

/* Why they stay where kernel programs do not tell all. */
static void
test_part (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->bpf.opened.state = WEIR_SOURCE_DEGRADED;
  advance (fixture, 250);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_PART);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_LOOKER), ==, WEIR_KEEPING_PART);
}

/* Programs count, but in a container an older kernel does not tell them whose process it is. */
static void
test_no_numbers (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->bpf.opened.has_no_pids = true;
  advance (fixture, 250);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_LOOKER), ==, WEIR_KEEPING_NO_NUMBERS);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), !=, WEIR_KEEPING_NO_NUMBERS);
}

static void
test_no_room (struct fixture *fixture, gconstpointer data)
{
  fixture->meter->bpf_totals.counts[WEIR_BPF_COUNT_NO_ROOM] = 1;
  advance (fixture, 250);
  g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_NO_ROOM);
}

/* An entry that was there and where nothing moves is no reason to keep a right. */
static void
test_stale (struct fixture *fixture, gconstpointer data)
{
  struct weir_conntrack_reading reading =
      conntrack_reading ("198.51.100.1", 1000, "198.51.100.7", 443);
  struct weir_meter *meter = fixture->meter;

  count (&reading, 1000, 1000);
  for (unsigned i = 0; i < 2; i++)
    {
      weir_join_conntrack_begin (&meter->join);
      weir_join_conntrack (&meter->join, &reading, WEIR_CONNTRACK_ENTRY, clocks.boot);
      weir_join_conntrack_end (&meter->join, true);
      weir_join_settle (&meter->join, clocks.boot);
    }
  g_assert_cmpuint (meter->join.table.n_flows, ==, 1);
  if (data != NULL)
    {
      count (&reading, 1000, 2000);
      weir_join_conntrack_begin (&meter->join);
      weir_join_conntrack (&meter->join, &reading, WEIR_CONNTRACK_ENTRY, clocks.boot);
      weir_join_conntrack_end (&meter->join, true);
      advance (fixture, 250);
      g_assert_cmpint (get_keeping (fixture, WEIR_ROLE_KEEPER), ==, WEIR_KEEPING_FORWARDING);
      return;
    }
  retire_keeper (fixture);
  /* It gives its row away, and is not said to have ended. */
  weir_join_settle (&meter->join, clocks.boot);
  g_assert_true (weir_flow_table_get (&meter->join.table, 1)->is_unwatched);
}

/* What a helper says of itself is believed in what it can have changed. */
static void
test_report (struct fixture *fixture, gconstpointer data)
{
  struct weir_process_status report = {
    .role = WEIR_ROLE_LOOKER,
    .pid = 11,
    .uid = 1234,
    .layers_missing = 7,
    .cap_permitted = 4,
    .keeps = WEIR_KEEPING_LAST + 1,
  };
  const struct weir_process_status *looker_now = &fixture->meter->posture.processes[1];

  weir_meter_take_report (fixture->meter, &report);
  g_assert_cmpuint (looker_now->uid, ==, 0);
  g_assert_cmpuint (looker_now->layers_missing, ==, 0);
  g_assert_cmpint (looker_now->keeps, ==, WEIR_KEEPING_UNKNOWN);
  report.keeps = WEIR_KEEPING_HIDDEN;
  weir_meter_take_report (fixture->meter, &report);
  g_assert_cmpint (looker_now->keeps, ==, WEIR_KEEPING_HIDDEN);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/meter/posture/" name, struct fixture, NULL, set_up_posture, function,              \
              tear_down_posture)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("looked-for", test_looked_for);
  ADD ("not-all", test_not_all);
  ADD ("watched", test_watched);
  ADD ("stopped-later", test_stopped_later);
  ADD ("forwarding", test_forwarding);
  ADD ("unknown", test_unknown);
  ADD ("refused", test_refused);
  ADD ("ended", test_ended);
  ADD ("part", test_part);
  ADD ("no-numbers", test_no_numbers);
  ADD ("no-room", test_no_room);
  ADD ("stale", test_stale);
  g_test_add ("/meter/posture/moving", struct fixture, "", set_up_posture, test_stale,
              tear_down_posture);
  ADD ("report", test_report);
  return g_test_run ();
}
