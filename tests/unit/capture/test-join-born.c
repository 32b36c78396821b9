/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>

#include "bpf-readings.h"

static const struct weir_owner *
owner_of (struct weir_join *join, const struct weir_flow *flow)
{
  return weir_owners_get (&join->owners, flow->owner);
}

static void
test_owner (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading one = bpf_reading (1, 1), two = bpf_reading (2, 2);
  struct weir_flow *flow;
  guint64 values[WEIR_LOOKER_BATCH];

  move (&one, 1, 1);
  move (&two, 1, 1);
  two.born += S / 10;
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_bpf (join, &two, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_BORN);
  g_assert_cmpuint (flow->owner_missing, ==, WEIR_MISSING_NOTHING);
  g_assert_cmpuint (pid_of (join, flow), ==, 7);
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 0);
  g_assert_cmpuint (flow->uid, ==, 1000);
  g_assert_cmpuint (flow->cgroup_id, ==, 9);
  g_assert_cmpuint (weir_flow_get_bpf (flow)->opener, ==, 0);

  /* One process, one question, and none for the sockets. */
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 0);
  g_assert_cmpuint (collect_owners (&join->owners, 2 * S, values), ==, 0);
  answer_process (join, 0, 7, 150, "program", 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 150);
  g_assert_cmpstr (weir_owners_get_cgroup (&join->owners, owner_of (join, flow)), ==, "/group");

  /* A dump shows the socket: nobody is looked for. */
  {
    struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);

    socket.cookie = one.cookie;
    read_sockets (join, &socket, 1, 3 * S);
    weir_join_settle (join, 3 * S);
    g_assert_cmpuint (pid_of (join, flow), ==, 7);
    g_assert_cmpuint (collect_owners (&join->owners, 3 * S, values), ==, 0);
  }
}

/* The process that has the number now began after the socket was there. */
static void
test_reused_pid (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading one = bpf_reading (1, 1), two = bpf_reading (2, 2);
  struct weir_flow *flow;

  move (&one, 1, 1);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  answer_process (join, 0, 7, 201, "program", 2 * S);
  flow = flow_at (join, 1);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (flow->owner_how, ==, WEIR_OWNER_BORN);
  g_assert_cmpuint (pid_of (join, flow), ==, 7);
  g_assert_cmpstr (owner_of (join, flow)->comm, ==, "program");
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 0);

  /* That one makes a socket, too: it is another one, and known. */
  two.born = 3 * S;
  move (&two, 1, 1);
  weir_join_bpf (join, &two, WEIR_BPF_NEWS_BORN, 3 * S);
  g_assert_cmpuint (collect_processes (join, 3 * S), ==, 1);
  answer_process (join, 0, 7, 201, "program", 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (owner_of (join, flow_at (join, 2))->start_time, ==, 201);
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 0);
}

/* It had ended before anybody could look. */
static void
test_gone (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading one = bpf_reading (1, 1), two = bpf_reading (2, 2);
  const struct weir_owner *first;

  move (&one, 1, 1);
  weir_join_bpf (join, &one, WEIR_BPF_NEWS_BORN, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  answer_process (join, 0, 7, 0, "", 2 * S);
  weir_join_settle (join, 2 * S);
  first = owner_of (join, flow_at (join, 1));
  g_assert_cmpuint (first->pid, ==, 7);
  g_assert_cmpuint (first->start_time, ==, 0);
  g_assert_cmpuint (flow_at (join, 1)->owner_how, ==, WEIR_OWNER_BORN);

  /* Its number is somebody else's. */
  two.born = 3 * S;
  move (&two, 1, 1);
  weir_join_bpf (join, &two, WEIR_BPF_NEWS_BORN, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (flow_at (join, 1)->owner, !=, flow_at (join, 2)->owner);
}

static void
test_opener (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);
  const struct weir_owner *opener;
  struct weir_flow *flow;

  reading.opener = process (5, 0, "systemd");
  reading.user = process (7, 1000, "server");
  move (&reading, 1, 1);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  g_assert_cmpuint (pid_of (join, flow), ==, 7);
  opener = weir_owners_get (&join->owners, weir_flow_get_bpf (flow)->opener);
  g_assert_cmpuint (opener->pid, ==, 5);
  g_assert_cmpuint (opener->uid, ==, 0);
  g_assert_true (flow->dirty & WEIR_FLOW_OPENER);
  g_assert_cmpuint (flow->uid, ==, 0);

  /* It may have ended long before the first packet: that somebody older has its number now, under
   * another name, is not enough. */
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 2);
  answer_process (join, 0, 5, 100, "stranger", 2 * S);
  answer_process (join, 0, 7, 100, "server", 2 * S);
  g_assert_cmpuint (opener->start_time, ==, 0);
  g_assert_cmpstr (opener->comm, ==, "systemd");
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 100);

  /* Handed on to somebody who is younger than the flow. */
  reading.user = process (8, 1000, "worker");
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_CHANGED, 9 * S);
  g_assert_cmpuint (collect_processes (join, 9 * S), ==, 1);
  answer_process (join, 0, 8, 700, "worker", 9 * S);
  weir_join_settle (join, 9 * S);
  g_assert_cmpuint (pid_of (join, flow), ==, 8);
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 700);

  /* Nobody refers to them any more. */
  weir_join_retire (join, flow);
  weir_join_remove (join, flow);
  weir_owners_sweep_processes (&join->owners, 100 * S);
  for (guint32 i = 0; i < join->owners.n_slots; i++)
    g_assert_false (join->owners.items[i].in_use);
}

/* A name is whatever a program calls itself. */
static void
test_hostile_comm (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  memset (reading.user.comm, '\xff', sizeof reading.user.comm);
  memset (reading.opener.comm, '\n', sizeof reading.opener.comm);
  move (&reading, 1, 1);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (strlen (owner_of (join, flow_at (join, 1))->comm), ==, 15);
}

/* Threads are called otherwise than their process, which is one all the same. */
static void
test_threads (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading readings[] = { bpf_reading (1, 1), bpf_reading (2, 2),
                                         bpf_reading (3, 3) };
  const struct weir_owner *owner;

  for (size_t i = 0; i < G_N_ELEMENTS (readings); i++)
    {
      move (&readings[i], 1, 1);
      g_snprintf (readings[i].user.comm, sizeof readings[i].user.comm, "strand %zu", i);
      readings[i].user.has_threads_name = true;
      weir_join_bpf (join, &readings[i], WEIR_BPF_NEWS_BORN, 2 * S);
    }
  weir_join_settle (join, 2 * S);
  owner = owner_of (join, flow_at (join, 1));
  g_assert_cmpstr (owner->comm, ==, "strand 0");
  for (guint16 port = 1; port <= 3; port++)
    {
      g_assert_true (owner_of (join, flow_at (join, port)) == owner);
      /* Who made it is called "program", and no other process. */
      g_assert_cmpuint (weir_flow_get_bpf (flow_at (join, port))->opener, ==, 0);
    }

  /* The first thread has the name of them all. */
  weir_join_bpf (join, &readings[0], WEIR_BPF_NEWS_CLOSED, 2 * S);
  readings[0] = bpf_reading (4, 4);
  move (&readings[0], 1, 1);
  weir_join_bpf (join, &readings[0], WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_true (owner_of (join, flow_at (join, 4)) == owner);
  g_assert_cmpstr (owner->comm, ==, "program");
  g_assert_true (flow_at (join, 2)->dirty & WEIR_FLOW_OWNER);
}

/* Who made a socket as a thread is the process that /proc tells of, by its name. */
static void
test_opener_thread (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);
  const struct weir_owner *opener;

  reading.opener = process (5, 0, "strand");
  reading.opener.has_threads_name = true;
  move (&reading, 1, 1);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  opener = weir_owners_get (&join->owners, weir_flow_get_bpf (flow_at (join, 1))->opener);
  g_assert_cmpstr (opener->comm, ==, "strand");
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 2);
  answer_process (join, 0, 5, 100, "server", 2 * S);
  g_assert_cmpuint (opener->start_time, ==, 100);
  g_assert_cmpstr (opener->comm, ==, "server");
  /* That one is known by now: another name is another process. */
  g_assert_false (opener->has_threads_name);
}

/* What a process is called after it executed another program. */
static void
test_exec (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);
  guint64 pids[WEIR_LOOKER_BATCH];
  struct weir_flow *flow;

  move (&reading, 1, 1);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  answer_process (join, 0, 7, 100, "program", 2 * S);
  weir_join_settle (join, 2 * S);
  flow = flow_at (join, 1);
  flow->dirty = 0;
  g_assert_cmpuint (weir_owners_collect_processes (&join->owners, true, 3 * S, pids), ==, 0);
  g_assert_cmpuint (weir_owners_collect_processes (&join->owners, true, 7 * S, pids), ==, 1);
  g_assert_cmpuint (pids[0], ==, 7);
  answer_process (join, 0, 7, 100, "other", 7 * S);
  weir_join_settle (join, 7 * S);
  g_assert_cmpstr (owner_of (join, flow)->comm, ==, "other");
  g_assert_true (flow->dirty & WEIR_FLOW_OWNER);

  /* It ends: whose the flow was stays known, and nobody is asked any more. */
  g_assert_cmpuint (weir_owners_collect_processes (&join->owners, true, 12 * S, pids), ==, 1);
  answer_process (join, 0, 7, 900, "stranger", 12 * S);
  g_assert_cmpstr (owner_of (join, flow)->comm, ==, "other");
  g_assert_cmpuint (owner_of (join, flow)->start_time, ==, 100);
  g_assert_cmpuint (weir_owners_collect_processes (&join->owners, true, 20 * S, pids), ==, 0);
}

static void
test_kernels (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  reading.flags = WEIR_BPF_KERNEL;
  reading.opener = reading.user = (struct weir_bpf_process) { 0 };
  move (&reading, 0, 40);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (flow_at (join, 1)->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_cmpuint (flow_at (join, 1)->owner_missing, ==, WEIR_MISSING_KERNEL);
}

/* A socket that was there before: its process is looked for as ever, once. */
static void
test_old_socket (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);
  struct weir_socket_reading socket = socket_reading ("192.0.2.1", 1, "198.51.100.7", 443);

  reading.flags = 0;
  reading.opener = reading.user = (struct weir_bpf_process) { 0 };
  move (&reading, 1, 1);
  weir_join_bpf (join, &reading, WEIR_BPF_NEWS_BORN, 2 * S);
  socket.cookie = reading.cookie;
  socket.inode = 77;
  read_sockets (join, &socket, 1, 2 * S);
  answer_all (join, 2 * S);
  weir_join_settle (join, 2 * S);
  g_assert_cmpuint (flow_at (join, 1)->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (pid_of (join, flow_at (join, 1)), ==, 77);
}

/* ---- who makes entries without end ---- */

static struct weir_named_process
named (guint32 pid, guint32 uid, guint n)
{
  struct weir_named_process made = { .pid = pid, .uid = uid };

  g_snprintf (made.comm, sizeof made.comm, "n%u", n);
  return made;
}

/* Another name before each socket: few entries, and all that is told of it stays true. */
static void
test_renaming (struct fixture *fixture, gconstpointer data)
{
  struct weir_owners *owners = &fixture->join.owners;
  guint32 last = 0, rest;

  for (guint i = 0; i < 10000; i++)
    {
      const struct weir_named_process process = named (7, 1000, i);

      last = weir_owners_need_process (owners, &process, 2 * S, false, 2 * S);
      g_assert_cmpuint (last, !=, 0);
    }
  g_assert_cmpuint (owners->n_slots, ==, WEIR_PROCESS_ENTRIES_MAX);
  g_assert_cmpuint (owners->n_new_processes, ==, WEIR_PROCESS_ENTRIES_MAX);
  g_assert_cmpuint (owners->items[last - 1].pid, ==, 7);

  /* Somebody else cannot be one of those: of that one only number and user are told, and nobody
   * looks for a process that would be believed to be it. */
  {
    const struct weir_named_process stranger = named (7, 1001, 0), other = named (7, 1001, 1);

    rest = weir_owners_need_process (owners, &stranger, 2 * S, false, 2 * S);
    g_assert_cmpuint (owners->items[rest - 1].uid, ==, 1001);
    g_assert_cmpstr (owners->items[rest - 1].comm, ==, "");
    g_assert_true (owners->items[rest - 1].is_gone);
    g_assert_cmpuint (weir_owners_need_process (owners, &other, 2 * S, false, 2 * S), ==, rest);
  }
  /* Also that has an end, for who may be many users. */
  for (guint i = 0; i < 1000; i++)
    {
      const struct weir_named_process process = named (7, 2000 + i, 0);

      (void) weir_owners_need_process (owners, &process, 2 * S, false, 2 * S);
    }
  g_assert_cmpuint (owners->n_slots, ==, 2 * WEIR_PROCESS_ENTRIES_MAX);
  g_assert_cmpuint (owners->refused, >, 0);

  /* Nothing of it stays. */
  {
    guint64 pids[WEIR_LOOKER_BATCH];

    while (weir_owners_collect_processes (owners, false, 2 * S, pids) > 0)
      continue;
    weir_owners_processes_answered (owners);
  }
  weir_owners_sweep_processes (owners, 100 * S);
  g_assert_cmpuint (owners->n_processes, ==, 0);
  for (guint i = 0; i < WEIR_USER_BUCKETS; i++)
    {
      g_assert_cmpuint (owners->users[i].processes, ==, 0);
      g_assert_cmpuint (owners->users[i].new_processes, ==, 0);
    }
}

/* One that makes sockets for long is one process with few entries, and looked at again. */
static void
test_long_lived (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  const struct weir_named_process process = named (7, 1000, 0);
  guint32 number = 0;
  guint64 now = 2 * S;

  for (guint i = 0; i < 2 * WEIR_PROCESS_ENTRIES_MAX; i++, now += S)
    {
      number = weir_owners_need_process (&join->owners, &process, now, false, now);
      g_assert_cmpuint (collect_processes (join, now), ==, 1);
      answer_process (join, 1, 7, 100, "n0", now);
      g_assert_cmpuint (join->owners.items[number - 1].start_time, ==, 100);
    }
  g_assert_cmpuint (join->owners.n_slots, ==, WEIR_PROCESS_ENTRIES_MAX);
}

/* However many processes a user has, others find room. */
static void
test_one_user (struct fixture *fixture, gconstpointer data)
{
  struct weir_owners *owners = &fixture->join.owners;
  const struct weir_named_process other = named (1, 0, 0);
  guint32 number;

  for (guint32 pid = 2; pid < WEIR_OWNERS_MAX; pid++)
    {
      const struct weir_named_process process = named (pid, 1000, 0);

      (void) weir_owners_need_process (owners, &process, 2 * S, false, 2 * S);
    }
  g_assert_cmpuint (owners->n_processes, ==, WEIR_OWNERS_OF_USER_MAX);
  g_assert_cmpuint (owners->n_new_processes, ==, WEIR_NEW_OF_USER_MAX);
  number = weir_owners_need_process (owners, &other, 2 * S, false, 2 * S);
  g_assert_cmpuint (number, !=, 0);
  g_assert_true (owners->items[number - 1].is_new);
}

/* Who was refused is not looked for again whenever something moves. */
static void
test_refused (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  struct weir_bpf_reading reading = bpf_reading (1, 1);

  join->owners.n_processes = WEIR_OWNERS_PROCESSES_MAX;
  for (guint i = 0; i < 3; i++)
    {
      move (&reading, 1, 1);
      weir_join_bpf (join, &reading, i == 0 ? WEIR_BPF_NEWS_BORN : WEIR_BPF_NEWS_CHANGED, 2 * S);
    }
  g_assert_cmpuint (flow_at (join, 1)->owner, ==, 0);
  g_assert_cmpuint (join->owners.refused, ==, 1);
  join->owners.n_processes = 0;
}

/* ---- sockets that anybody may send to ---- */

static struct weir_bpf_reading
named_reading (guint64 cookie)
{
  return (struct weir_bpf_reading) {
    .cookie = cookie,
    .born = 2 * S,
    .user = process (7, 1000, "program"),
  };
}

static struct weir_socket_reading
listener_reading (guint64 cookie)
{
  struct weir_socket_reading made = socket_reading ("192.0.2.1", 1, "0.0.0.0", 0);

  made.state = WEIR_TCP_LISTEN;
  made.cookie = cookie;
  made.inode = (guint32) cookie;
  return made;
}

/* Who holds the listener with that cookie, which was shown. */
static const struct weir_owner *
holder_of (struct weir_join *join, guint64 cookie)
{
  return weir_owners_get (&join->owners, weir_owners_need (&join->owners, (guint32) cookie, cookie,
                                                           0, join->own.round, 5 * S));
}

static void
test_listener (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  const struct weir_socket_reading sockets[] = { listener_reading (70), listener_reading (71),
                                                 listener_reading (72) };
  struct weir_bpf_reading named = named_reading (70), other = named_reading (71);
  guint64 pids[WEIR_LOOKER_BATCH];
  struct weir_looker_answer answer;

  weir_owners_give_up (&join->owners);
  weir_join_bpf (join, &named, WEIR_BPF_NEWS_NAMED, 2 * S);
  other.user.pid = 8;
  weir_join_bpf (join, &other, WEIR_BPF_NEWS_NAMED, 2 * S);
  read_sockets (join, sockets, G_N_ELEMENTS (sockets), 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (holder_of (join, 70)->pid, ==, 0);
  g_assert_cmpuint (collect_processes (join, 3 * S), ==, 2);
  answer_process (join, 0, 7, 150, "program", 3 * S);
  /* It has ended, so it is not known who has that one now. */
  answer_process (join, 0, 8, 0, "", 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (holder_of (join, 70)->pid, ==, 7);
  g_assert_cmpuint (holder_of (join, 70)->start_time, ==, 150);
  g_assert_cmpuint (holder_of (join, 70)->missing, ==, WEIR_MISSING_NOTHING);
  g_assert_cmpstr (holder_of (join, 70)->comm, ==, "program");
  g_assert_cmpstr (weir_owners_get_cgroup (&join->owners, holder_of (join, 70)), ==, "/group");
  for (guint64 cookie = 71; cookie <= 72; cookie++)
    {
      g_assert_cmpuint (holder_of (join, cookie)->pid, ==, 0);
      g_assert_cmpuint (holder_of (join, cookie)->missing, ==, WEIR_MISSING_GIVEN_UP);
    }
  g_assert_cmpuint (join->bpf.named->n, ==, 0);
  g_assert_cmpuint (join->bpf.named->n_listed, ==, 0);

  /* From then on it is one of those that are looked at, whether they are still there. */
  g_assert_cmpuint (weir_owners_collect_holders (&join->owners, 4 * S, pids), ==, 1);
  g_assert_cmpuint (pids[0], ==, 7);
  answer = (struct weir_looker_answer) { .verb = WEIR_LOOKER_PROCESSES, .value = 7 };
  weir_owners_answer (&join->owners, &answer, 4 * S);
  read_sockets (join, sockets, G_N_ELEMENTS (sockets), 5 * S);
  weir_join_settle (join, 5 * S);
  g_assert_cmpuint (holder_of (join, 70)->pid, ==, 0);
  g_assert_cmpuint (holder_of (join, 70)->missing, ==, WEIR_MISSING_GIVEN_UP);
}

/* As long as it may look, the looker knows better. */
static void
test_listener_looked_for (struct fixture *fixture, gconstpointer data)
{
  struct weir_join *join = &fixture->join;
  const struct weir_socket_reading socket = listener_reading (70);
  const struct weir_bpf_reading named = named_reading (70), closed = { .cookie = 71 };
  struct weir_bpf_reading other = named_reading (71);

  weir_join_bpf (join, &named, WEIR_BPF_NEWS_NAMED, 2 * S);
  weir_join_bpf (join, &other, WEIR_BPF_NEWS_NAMED, 2 * S);
  weir_join_bpf (join, &closed, WEIR_BPF_NEWS_RELEASED, 2 * S);
  g_assert_cmpuint (join->bpf.named->n, ==, 1);
  g_assert_cmpuint (collect_processes (join, 2 * S), ==, 1);
  answer_process (join, 0, 7, 150, "program", 2 * S);
  read_sockets (join, &socket, 1, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (holder_of (join, 70)->pid, ==, 0);
  g_assert_cmpuint (join->bpf.named->n, ==, 1);
  answer_all (join, 3 * S);
  weir_join_settle (join, 3 * S);
  g_assert_cmpuint (holder_of (join, 70)->pid, ==, 70);
  g_assert_cmpuint (join->bpf.named->n, ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct named_test tests[] = {
    { "owner", test_owner },
    { "reused-pid", test_reused_pid },
    { "gone", test_gone },
    { "opener", test_opener },
    { "hostile-comm", test_hostile_comm },
    { "exec", test_exec },
    { "threads", test_threads },
    { "opener-thread", test_opener_thread },
    { "kernels", test_kernels },
    { "old-socket", test_old_socket },
    { "renaming", test_renaming },
    { "long-lived", test_long_lived },
    { "one-user", test_one_user },
    { "refused", test_refused },
    { "listener", test_listener },
    { "listener-looked-for", test_listener_looked_for },
  };

  return run_bpf_tests (argc, argv, "/join/born/", tests, G_N_ELEMENTS (tests));
}
