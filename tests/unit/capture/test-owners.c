/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <string.h>

#include "readings-builder.h"
#include "weir-owners.h"

static struct weir_looker_answer
found (guint64 inode, guint32 pid, guint64 start_time, const char *comm, const char *cgroup)
{
  struct weir_looker_answer answer = {
    .verb = WEIR_LOOKER_OWNERS,
    .value = inode,
    .pid = pid,
    .start_time = start_time,
  };

  g_strlcpy (answer.comm, comm, sizeof answer.comm);
  g_strlcpy (answer.cgroup, cgroup, sizeof answer.cgroup);
  return answer;
}

static guint32
ask (struct weir_owners *owners, guint64 now)
{
  guint64 inodes[WEIR_LOOKER_BATCH];

  return collect_owners (owners, now, inodes);
}

static void
test_once (void)
{
  struct weir_looker_answer answer = found (5, 77, 1234, "program", "/user.slice");
  guint64 inodes[WEIR_LOOKER_BATCH];
  struct weir_owners owners;
  struct weir_owner *owner;
  guint32 number;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  number = weir_owners_need (&owners, 5, 50, 0, 1, 10 * S);
  g_assert_cmpuint (number, !=, 0);
  g_assert_cmpuint (weir_owners_need (&owners, 5, 50, 0, 1, 10 * S), ==, number);
  g_assert_cmpuint (weir_owners_need (&owners, 5, 51, 0, 1, 10 * S), !=, number);
  owner = weir_owners_get (&owners, number);
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOT_YET);
  g_assert_true (weir_owners_waits (&owners));

  g_assert_cmpuint (collect_owners (&owners, 10 * S, inodes), ==, 2);
  g_assert_cmpuint (inodes[0], ==, 5);
  /* Not twice at the same time. */
  g_assert_cmpuint (ask (&owners, 10 * S), ==, 0);
  weir_owners_answer (&owners, &answer, 10 * S);
  weir_owners_answered (&owners, 0, 10 * S);
  g_assert_false (weir_owners_waits (&owners));
  g_assert_cmpuint (owner->pid, ==, 77);
  g_assert_cmpuint (owner->start_time, ==, 1234);
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOTHING);
  g_assert_cmpstr (owner->comm, ==, "program");
  g_assert_cmpstr (weir_owners_get_cgroup (&owners, owner), ==, "/user.slice");
  /* And not again in the next ticks. */
  g_assert_cmpuint (ask (&owners, 11 * S), ==, 0);
  weir_owners_clear (&owners);
}

/* Nobody found: asked again with growing gaps, and at last no more. */
static void
test_retries (void)
{
  struct weir_looker_answer nobody = found (5, 0, 0, "", "");
  struct weir_owners owners;
  struct weir_owner *owner;
  guint asked = 0, round = 1;
  guint64 last = 0, gap = 0;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owner = weir_owners_get (&owners, weir_owners_need (&owners, 5, 50, 0, 1, S));
  for (guint64 now = S; now < 1000 * S; now += S / 10)
    {
      /* A dump shows that it still is there. */
      weir_owners_need (&owners, 5, 50, 0, ++round, now);
      if (ask (&owners, now) == 0)
        continue;
      g_assert_cmpuint (now - last, >=, gap);
      gap = asked > 0 ? now - last : 0;
      last = now;
      asked++;
      weir_owners_answer (&owners, &nobody, now);
      weir_owners_answered (&owners, 0, now);
    }
  g_assert_cmpuint (asked, ==, 6);
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOT_FOUND);

  /* Who is not seen any more is not asked for any more. */
  weir_owners_need (&owners, 6, 60, 0, round, 1000 * S);
  nobody.value = 6;
  g_assert_cmpuint (ask (&owners, 1000 * S), ==, 1);
  weir_owners_answer (&owners, &nobody, 1000 * S);
  weir_owners_answered (&owners, 0, 1000 * S);
  g_assert_cmpuint (ask (&owners, 1010 * S), ==, 0);
  weir_owners_need (&owners, 6, 60, 0, ++round, 1010 * S);
  g_assert_cmpuint (ask (&owners, 1010 * S), ==, 1);
  weir_owners_clear (&owners);
}

static void
test_missing_reasons (void)
{
  struct weir_looker_answer nobody = found (5, 0, 0, "", "");
  struct weir_owners owners;
  struct weir_owner *owner;
  guint32 number;

  /* The limited view could not look at everybody. */
  g_assert_cmpint (weir_owners_init (&owners, false), ==, 0);
  number = weir_owners_need (&owners, 5, 50, 0, 1, S);
  owner = weir_owners_get (&owners, number);
  g_assert_cmpuint (ask (&owners, S), ==, 1);
  nobody.unreadable = 3;
  weir_owners_answer (&owners, &nobody, S);
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_OTHER_USER);
  weir_owners_clear (&owners);

  /* The socket is gone before anybody was found. */
  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  number = weir_owners_need (&owners, 5, 50, 0, 1, S);
  owner = weir_owners_get (&owners, number);
  owner->flows = 1;
  weir_owners_sweep (&owners, 0, 2);
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_GONE);
  g_assert_cmpuint (ask (&owners, 100 * S), ==, 0);
  weir_owners_clear (&owners);
}

/* A known owner is looked at again now and then: descriptors are passed on, programs executed. */
static void
test_checked_again (void)
{
  struct weir_looker_answer first = found (5, 77, 1234, "sh", ""),
                            executed = found (5, 77, 1234, "curl", ""),
                            passed_on = found (5, 78, 2000, "curl", ""),
                            nobody = found (5, 0, 0, "", "");
  struct weir_owners owners;
  struct weir_owner *owner;
  guint8 version;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owner = weir_owners_get (&owners, weir_owners_need (&owners, 5, 50, 0, 1, S));
  g_assert_cmpuint (ask (&owners, S), ==, 1);
  weir_owners_answer (&owners, &first, S);
  version = owner->version;
  g_assert_cmpuint (ask (&owners, 2 * S), ==, 0);
  g_assert_cmpuint (ask (&owners, 6 * S), ==, 1);
  weir_owners_answer (&owners, &executed, 6 * S);
  g_assert_cmpstr (owner->comm, ==, "curl");
  g_assert_cmpuint (owner->version, !=, version);
  version = owner->version;
  g_assert_cmpuint (ask (&owners, 10 * S), ==, 0);
  g_assert_cmpuint (ask (&owners, 30 * S), ==, 1);
  weir_owners_answer (&owners, &passed_on, 30 * S);
  g_assert_cmpuint (owner->pid, ==, 78);
  g_assert_cmpuint (owner->start_time, ==, 2000);
  g_assert_cmpuint (owner->version, !=, version);
  g_assert_cmpuint (ask (&owners, 35 * S), ==, 1);
  weir_owners_answer (&owners, &nobody, 35 * S);
  g_assert_cmpuint (owner->pid, ==, 0);
  g_assert_cmpstr (owner->comm, ==, "");
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOT_YET);
  weir_owners_clear (&owners);
}

/* The looker stops when a request has cost enough: no answer, whatever it looks like. */
static void
test_unfinished (void)
{
  struct weir_looker_answer known = found (5, 77, 1234, "sh", ""),
                            unfinished = found (5, 0, 0, "", ""),
                            path = { .verb = WEIR_LOOKER_CGROUPS, .value = 900, .unfinished = 1 };
  guint64 values[WEIR_LOOKER_BATCH];
  struct weir_owners owners;
  struct weir_owner *owner;

  unfinished.unfinished = 1;
  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owner = weir_owners_get (&owners, weir_owners_need (&owners, 5, 50, 900, 1, S));
  for (guint64 now = S; now < 100 * S; now += S)
    {
      weir_owners_need (&owners, 5, 50, 900, (guint32) (now / S), now);
      g_assert_cmpuint (ask (&owners, now), ==, 1);
      weir_owners_answer (&owners, &unfinished, now);
      g_assert_cmpuint (weir_owners_collect_cgroups (&owners, now, values), ==, 1);
      weir_owners_answer (&owners, &path, now);
      weir_owners_answered (&owners, 0, now);
      g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOT_YET);
      /* No tick waits for it again, and nobody is asked at once. */
      g_assert_false (weir_owners_waits (&owners));
      g_assert_cmpuint (ask (&owners, now), ==, 0);
      g_assert_cmpuint (weir_owners_collect_cgroups (&owners, now, values), ==, 0);
    }
  weir_owners_need (&owners, 5, 50, 900, 100, 100 * S);
  g_assert_cmpuint (ask (&owners, 100 * S), ==, 1);
  weir_owners_answer (&owners, &known, 100 * S);
  g_assert_cmpuint (ask (&owners, 200 * S), ==, 1);
  weir_owners_answer (&owners, &unfinished, 200 * S);
  g_assert_cmpuint (owner->pid, ==, 77);
  weir_owners_clear (&owners);
}

/* Who has a socket at the start is looked for until that is done everywhere: soon again, and no
 * answer that was not finished counts. */
static void
test_sought (void)
{
  struct weir_looker_answer unfinished = found (5, 0, 0, "", ""),
                            known = found (6, 77, 1234, "a", ""), nobody = found (5, 0, 0, "", "");
  struct weir_looker_request request = { 0 };
  struct weir_owners owners;

  unfinished.unfinished = 1;
  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owners.is_starting = true;
  weir_owners_need (&owners, 5, 50, 0, 1, S);
  weir_owners_need (&owners, 6, 60, 0, 1, S);
  owners.is_starting = false;
  weir_owners_need (&owners, 7, 70, 0, 1, S);
  g_assert_cmpuint (weir_owners_count_sought (&owners), ==, 2);
  g_assert_cmpuint (weir_owners_collect (&owners, S, &request), ==, 3);
  g_assert_cmpuint (request.depth, ==, WEIR_LOOKER_NEW);
  weir_owners_answer (&owners, &unfinished, S);
  weir_owners_answer (&owners, &known, S);
  weir_owners_answered (&owners, 0, S);
  g_assert_false (weir_owners_waits (&owners));
  g_assert_cmpuint (weir_owners_count_sought (&owners), ==, 1);
  /* No dump has to show it before, and the whole computer is looked at. */
  g_assert_cmpuint (weir_owners_collect (&owners, S + S / 4, &request), ==, 1);
  g_assert_cmpuint (request.values[0], ==, 5);
  g_assert_cmpuint (request.depth, ==, WEIR_LOOKER_WHOLE);
  weir_owners_answer (&owners, &nobody, S + S / 4);
  weir_owners_answered (&owners, 0, S + S / 4);
  g_assert_cmpuint (weir_owners_count_sought (&owners), ==, 0);
  weir_owners_clear (&owners);
}

/* How many were not looked for by the time that the right to is given up is known; those that have
 * ended by then are none of them. */
static void
test_unsought (void)
{
  struct weir_owners owners;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owners.is_starting = true;
  weir_owners_need (&owners, 5, 50, 0, 1, S);
  weir_owners_need (&owners, 6, 60, 0, 1, S);
  weir_owners_get (&owners, weir_owners_need (&owners, 7, 70, 0, 1, S))->flows = 1;
  weir_owners_need (&owners, 5, 50, 0, 2, S);
  weir_owners_need (&owners, 6, 60, 0, 2, S);
  weir_owners_sweep (&owners, 0, 2);
  weir_owners_give_up (&owners);
  g_assert_cmpuint (owners.n_unsought, ==, 2);
  g_assert_cmpuint (weir_owners_count_sought (&owners), ==, 0);
  weir_owners_clear (&owners);
}

/* Whoever has many sockets is asked about once, and what became of him is so of all of them. */
static void
test_holders (void)
{
  struct weir_looker_answer gone = { .verb = WEIR_LOOKER_PROCESSES, .value = 1 };
  guint64 pids[WEIR_LOOKER_BATCH];
  struct weir_owners owners;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 1; i <= 1000; i++)
    {
      struct weir_looker_answer answer = found (i, i <= 900 ? 1 : i, 5, "a", "");

      weir_owners_need (&owners, i, i, 0, 1, S);
      weir_owners_get (&owners, i)->asked = true;
      weir_owners_answer (&owners, &answer, S);
    }
  weir_owners_give_up (&owners);
  g_assert_cmpuint (weir_owners_collect_holders (&owners, S, pids), ==, 101);
  g_assert_cmpuint (weir_owners_collect_holders (&owners, S, pids), ==, 0);
  g_assert_cmpuint (weir_owners_collect_holders (&owners, 2 * S, pids), ==, 101);
  weir_owners_answer (&owners, &gone, 2 * S);
  weir_owners_answered (&owners, 0, 2 * S);
  for (guint32 i = 1; i <= 1000; i++)
    g_assert_cmpuint (weir_owners_get (&owners, i)->pid, ==, i <= 900 ? 0 : i);
  weir_owners_clear (&owners);
}

/* However many processes change at once, a batch costs no more than it may, and none is forgotten.
 */
static void
test_many_holders (void)
{
  const guint32 n = 32 * WEIR_LOOKER_BATCH;
  guint64 pids[WEIR_LOOKER_BATCH];
  guint32 left[2] = { 0 };
  struct weir_owners owners;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 1; i <= n; i++)
    {
      struct weir_looker_answer answer = found (i, 1 + i % WEIR_LOOKER_BATCH, 5, "a", "");

      weir_owners_need (&owners, i, i, 0, 1, S);
      weir_owners_get (&owners, i)->asked = true;
      weir_owners_answer (&owners, &answer, S);
    }
  weir_owners_give_up (&owners);
  for (guint round = 0; round < 2; round++)
    {
      const guint32 n_pids = weir_owners_collect_holders (&owners, (1 + round) * S, pids);

      for (guint32 i = 0; i < n_pids; i++)
        {
          struct weir_looker_answer gone = { .verb = WEIR_LOOKER_PROCESSES, .value = pids[i] };

          weir_owners_answer (&owners, &gone, S);
        }
      weir_owners_answered (&owners, 0, S);
      for (guint32 i = 1; i <= n; i++)
        left[round] += weir_owners_get (&owners, i)->pid != 0;
    }
  /* Half of them lost all their sockets, and the other half one each. */
  g_assert_cmpuint (left[0], ==, WEIR_LOOKER_BATCH / 2 * 31);
  g_assert_cmpuint (left[1], ==, 0);
  weir_owners_clear (&owners);
}

/* Sockets that nobody shows do not keep the looker from new ones, and all get their turn. */
static void
test_turns (void)
{
  guint64 inodes[WEIR_LOOKER_BATCH];
  gboolean seen[2000] = { FALSE };
  struct weir_owners owners;
  guint n_seen = 0, n_new = 0;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 0; i < 1000; i++)
    weir_owners_need (&owners, i, i, 0, 1, S);
  for (guint round = 0; round < 4; round++)
    {
      g_assert_cmpuint (collect_owners (&owners, S, inodes), ==, round < 3 ? 256 : 232);
      weir_owners_answered (&owners, 0, S);
    }
  for (guint32 i = 1000; i < 2000; i++)
    weir_owners_need (&owners, i, i, 0, 1, 2 * S);
  for (guint round = 0; round < 4; round++)
    {
      guint32 n = collect_owners (&owners, 2 * S, inodes);

      for (guint32 i = 0; i < n; i++)
        n_new += inodes[i] >= 1000;
      weir_owners_answered (&owners, 0, 2 * S);
    }
  g_assert_cmpuint (n_new, ==, 1000);
  for (guint32 i = 0; i < 2000; i++)
    weir_owners_need (&owners, i, i, 0, 2, 3 * S);
  for (guint round = 0; round < 15; round++)
    {
      /* Not all at once: each costs a walk past everything that is open. */
      guint32 n = collect_owners (&owners, 4 * S + round * 2 * S, inodes);

      g_assert_cmpuint (collect_owners (&owners, 4 * S + round * 2 * S + S, inodes + n), ==, 0);

      g_assert_cmpuint (n, ==, WEIR_LOOKER_BATCH / 2);
      for (guint32 i = 0; i < n; i++)
        {
          g_assert_false (seen[inodes[i]]);
          seen[inodes[i]] = TRUE;
          n_seen++;
        }
      weir_owners_answered (&owners, 0, 2 * S);
    }
  g_assert_cmpuint (n_seen, ==, 15 * WEIR_LOOKER_BATCH / 2);
  weir_owners_clear (&owners);
}

static void
test_cgroup_room (void)
{
  struct weir_owners owners;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 1; i <= WEIR_CGROUPS_MAX + 10; i++)
    g_assert_cmpuint (weir_owners_need (&owners, i, i, i, 1, S), !=, 0);
  g_assert_cmpuint (owners.refused, ==, 11);
  weir_owners_clear (&owners);
}

/* Each has one number, by whichever of id and path it is known, and what nobody has any more makes
 * room. */
static void
test_many_cgroups (void)
{
  const guint32 n = WEIR_CGROUPS_MAX / 4;
  g_autofree guint32 *by_id = g_new0 (guint32, n), *by_path = g_new0 (guint32, n);
  struct weir_owners owners;
  char path[32];

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint round = 0; round < 2; round++)
    {
      for (guint32 i = 0; i < n; i++)
        {
          g_snprintf (path, sizeof path, "/%u", i);
          if (round == 0)
            {
              by_id[i] = weir_owners_need_cgroup (&owners, i + 1);
              by_path[i] = weir_owners_need_path (&owners, path);
            }
          g_assert_cmpuint (by_id[i], !=, 0);
          g_assert_cmpuint (by_path[i], !=, 0);
          g_assert_cmpuint (weir_owners_need_cgroup (&owners, i + 1), ==, by_id[i]);
          g_assert_cmpuint (weir_owners_need_path (&owners, path), ==, by_path[i]);
          g_assert_cmpuint (owners.cgroups[by_id[i]].id, ==, i + 1);
          g_assert_cmpstr (owners.cgroups[by_path[i]].path, ==, path);
        }
    }
  g_assert_cmpuint (owners.n_cgroups, ==, 2 * n + 1);
  g_assert_cmpuint (weir_owners_need (&owners, 1, 1, 7, 1, S), ==, 1);
  weir_owners_sweep (&owners, 0, 0);
  g_assert_cmpuint (weir_owners_need_cgroup (&owners, 7), ==, by_id[6]);
  for (guint32 i = 0; i < 2 * n; i++)
    g_assert_cmpuint (weir_owners_need_cgroup (&owners, n + 1 + i), !=, 0);
  g_assert_cmpuint (owners.n_cgroups, ==, 2 * n + 2);
  g_assert_cmpuint (owners.refused, ==, 0);
  weir_owners_clear (&owners);
}

static void
test_cgroups (void)
{
  struct weir_looker_answer process = found (5, 77, 1, "x", "/of/the/process"), path = {
    .verb = WEIR_LOOKER_CGROUPS, .value = 900, .cgroup = "/of/the/socket"
  };
  guint64 values[WEIR_LOOKER_BATCH];
  struct weir_owners owners;
  struct weir_owner *owner, *other;
  guint32 number;
  guint8 version;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  number = weir_owners_need (&owners, 5, 50, 900, 1, S);
  g_assert_cmpuint (weir_owners_need (&owners, 6, 60, 900, 1, S), !=, 0);
  g_assert_cmpuint (weir_owners_need (&owners, 7, 70, 901, 1, S), !=, 0);
  owner = weir_owners_get (&owners, number);
  g_assert_cmpuint (collect_owners (&owners, S, values), ==, 3);
  weir_owners_answer (&owners, &process, S);
  weir_owners_answered (&owners, 0, S);
  g_assert_cmpstr (weir_owners_get_cgroup (&owners, owner), ==, "/of/the/process");

  g_assert_cmpuint (weir_owners_collect_cgroups (&owners, S, values), ==, 2);
  g_assert_cmpuint (weir_owners_collect_cgroups (&owners, S, values), ==, 0);
  version = owner->version;
  weir_owners_answer (&owners, &path, S);
  weir_owners_answered (&owners, 0, S);
  g_assert_cmpstr (weir_owners_get_cgroup (&owners, owner), ==, "/of/the/socket");
  g_assert_cmpuint (owner->version, !=, version);
  other = weir_owners_get (&owners, number + 1);
  g_assert_cmpstr (weir_owners_get_cgroup (&owners, other), ==, "/of/the/socket");
  /* Not answered is answered: not known, and not asked for again. */
  other = weir_owners_get (&owners, number + 2);
  g_assert_cmpstr (weir_owners_get_cgroup (&owners, other), ==, "");
  g_assert_cmpuint (weir_owners_collect_cgroups (&owners, S, values), ==, 0);
  g_assert_false (weir_owners_waits (&owners));
  weir_owners_clear (&owners);
}

/* The looker is another process: what it says has bounds. */
static void
test_hostile_answers (void)
{
  struct weir_looker_answer answer = found (5, 77, 1, "", "");
  struct weir_owners owners;
  struct weir_owner *owner;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  owner = weir_owners_get (&owners, weir_owners_need (&owners, 5, 50, 0, 1, S));
  /* Never asked. */
  weir_owners_answer (&owners, &answer, S);
  g_assert_cmpuint (owner->pid, ==, 0);
  g_assert_cmpuint (ask (&owners, S), ==, 1);
  answer.value = G_MAXUINT64;
  weir_owners_answer (&owners, &answer, S);
  answer.value = 5 + (UINT64_C (1) << 32);
  weir_owners_answer (&owners, &answer, S);
  answer.verb = 99;
  answer.value = 5;
  weir_owners_answer (&owners, &answer, S);
  g_assert_cmpuint (owner->pid, ==, 0);
  answer.verb = WEIR_LOOKER_OWNERS;
  memset (answer.comm, 'c', sizeof answer.comm);
  memset (answer.cgroup, 'g', sizeof answer.cgroup);
  weir_owners_answer (&owners, &answer, S);
  g_assert_cmpuint (strlen (owner->comm), ==, sizeof answer.comm - 1);
  g_assert_cmpuint (strlen (weir_owners_get_cgroup (&owners, owner)), ==, WEIR_STRING_MAX);
  weir_owners_clear (&owners);
}

static void
test_sweep (void)
{
  struct weir_owners owners;
  guint32 kept, used;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  kept = weir_owners_need (&owners, 1, 10, 0, 5, S);
  used = weir_owners_need (&owners, 2, 20, 0, 1, S);
  weir_owners_get (&owners, used)->flows = 1;
  for (guint32 i = 100; i < 1000; i++)
    g_assert_cmpuint (weir_owners_need (&owners, i, i, i, 1, S), !=, 0);
  weir_owners_sweep (&owners, 0, 5);
  g_assert_cmpuint (weir_owners_need (&owners, 1, 10, 0, 5, S), ==, kept);
  g_assert_cmpuint (weir_owners_need (&owners, 2, 20, 0, 5, S), ==, used);
  /* Only what is left is asked for, and the slots are used again. */
  g_assert_cmpuint (ask (&owners, S), ==, 1);
  for (guint32 i = 2000; i < 2900; i++)
    g_assert_cmpuint (weir_owners_need (&owners, i, i, 0, 6, S), <=, 902);
  weir_owners_clear (&owners);
}

/* Makes @n sockets from @first on, and answers that process @pid holds each, at @now. */
static void
name_sockets (struct weir_owners *owners, guint32 first, guint32 n, guint32 pid, guint64 now)
{
  for (guint32 i = first; i < first + n; i++)
    {
      struct weir_looker_answer answer = found (i, pid, 1234, "program", "");
      guint32 number = weir_owners_need (owners, i, i, 0, 1, now);

      weir_owners_get (owners, number)->asked = true;
      weir_owners_answer (owners, &answer, now);
    }
}

/* One round of checks, at @now, each of which takes @cost.  Counts what is asked about in @asked.
 */
static guint32
check (struct weir_owners *owners, guint64 now, guint64 cost, guint *asked)
{
  struct weir_looker_request request = { 0 };
  guint32 n = weir_owners_collect (owners, now, &request);

  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (request.depth, ==, WEIR_LOOKER_CHECK);
  for (guint32 i = 0; i < n; i++)
    {
      struct weir_looker_answer answer =
          found (request.values[i], request.hints[i].pid, 1234, "program", "");

      asked[request.values[i]]++;
      weir_owners_answer (owners, &answer, now);
    }
  weir_owners_answered (owners, n * cost, now);
  return n;
}

/* As many are looked at again as there is time for, and never none. */
static void
test_check_costs (void)
{
  g_autofree guint *asked = g_new0 (guint, 4000);
  struct weir_owners owners;
  guint64 now = 10 * S;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 0; i < 200; i++)
    name_sockets (&owners, i * 20, 20, 100 + i, S);
  for (guint i = 0; i < 20; i++)
    check (&owners, now += S, 5000, asked);
  g_assert_cmpuint (check (&owners, now += S, 5000, asked), ==, 128);
  for (guint i = 0; i < 20; i++)
    check (&owners, now += S, 50000, asked);
  g_assert_cmpuint (check (&owners, now += S, 50000, asked), ==, 20);
  for (guint i = 0; i < 20; i++)
    check (&owners, now += S, 10 * S, asked);
  g_assert_cmpuint (check (&owners, now += S, 10 * S, asked), ==, 8);
  /* Once in a round. */
  g_assert_cmpuint (ask (&owners, now + S / 2), ==, 0);
  weir_owners_clear (&owners);
}

/* Sockets of one process are looked at together, and who has very many keeps nobody waiting. */
static void
test_check_turns (void)
{
  g_autofree guint *asked = g_new0 (guint, 1000);
  struct weir_looker_request request = { 0 };
  struct weir_owners owners;
  GHashTable *pids = g_hash_table_new (NULL, NULL);
  guint64 now = 10 * S;
  guint32 n;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  /* Of ten processes, but one after the other. */
  for (guint32 i = 0; i < 400; i++)
    name_sockets (&owners, i, 1, 100 + i % 10, S);
  n = weir_owners_collect (&owners, now, &request);
  g_assert_cmpuint (n, >=, 30);
  for (guint32 i = 0; i < n; i++)
    g_hash_table_add (pids, GUINT_TO_POINTER (request.hints[i].pid));
  g_assert_cmpuint (g_hash_table_size (pids), <=, n / 4);
  g_hash_table_unref (pids);
  weir_owners_clear (&owners);

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 0; i < 1000; i++)
    name_sockets (&owners, i, 1, i % 10 != 0 ? 77 : 100 + i, S);
  for (guint round = 0; round < 125; round++)
    check (&owners, now += S, S, asked);
  for (guint32 i = 0; i < 1000; i++)
    g_assert_cmpuint (i % 10 != 0 ? 1 : asked[i], >, 0);
  for (guint round = 0; round < 250; round++)
    check (&owners, now += S, 1000, asked);
  for (guint32 i = 0; i < 1000; i++)
    g_assert_cmpuint (asked[i], >, 0);
  weir_owners_clear (&owners);
}

/* Very many sockets that there once were make nobody wait. */
static void
test_after_peak (void)
{
  struct weir_looker_answer nobody = found (5, 0, 0, "", "");
  struct weir_owners owners;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  name_sockets (&owners, 1000, 60000, 77, S);
  weir_owners_need (&owners, 5, 50, 0, 2, S);
  weir_owners_sweep (&owners, 0, 2);
  g_assert_cmpuint (ask (&owners, S), ==, 1);
  for (guint i = 0; i < 3; i++)
    {
      weir_owners_answer (&owners, &nobody, i * 10 * S + S);
      weir_owners_answered (&owners, 0, i * 10 * S + S);
      weir_owners_need (&owners, 5, 50, 0, 3 + i, i * 10 * S + 2 * S);
      g_assert_cmpuint (ask (&owners, i * 10 * S + 11 * S), ==, 1);
    }
  weir_owners_clear (&owners);
}

/* A process that does not hold the socket any more is looked for before those that were not found,
 * and not shown for long. */
static void
test_lost (void)
{
  struct weir_looker_answer lost = found (7, 0, 0, "", ""), nobody = lost;
  guint64 inodes[WEIR_LOOKER_BATCH];
  struct weir_owners owners;
  struct weir_owner *owner;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  for (guint32 i = 100; i < 300; i++)
    weir_owners_need (&owners, i, i, 0, 1, S);
  g_assert_cmpuint (ask (&owners, S), ==, 200);
  for (nobody.value = 100; nobody.value < 300; nobody.value++)
    weir_owners_answer (&owners, &nobody, S);
  weir_owners_answered (&owners, 0, S);
  name_sockets (&owners, 7, 1, 77, S);
  owner = weir_owners_get (&owners, 201);
  g_assert_cmpuint (owner->pid, ==, 77);

  g_assert_cmpuint (ask (&owners, 10 * S), ==, 1);
  lost.unfinished = 1;
  weir_owners_answer (&owners, &lost, 10 * S);
  weir_owners_answered (&owners, 0, 10 * S);
  for (guint32 i = 100; i < 300; i++)
    weir_owners_need (&owners, i, i, 0, 2, 11 * S);
  weir_owners_need (&owners, 7, 7, 0, 2, 11 * S);
  g_assert_cmpuint (collect_owners (&owners, 12 * S, inodes), ==, WEIR_LOOKER_BATCH / 2);
  g_assert_cmpuint (inodes[0], ==, 7);
  g_assert_cmpuint (owner->pid, ==, 77);

  /* There was no time for all of it. */
  weir_owners_answer (&owners, &lost, 12 * S);
  weir_owners_answered (&owners, 0, 12 * S);
  ask (&owners, 14 * S);
  g_assert_cmpuint (owner->pid, ==, 77);
  ask (&owners, 15 * S);
  g_assert_cmpuint (owner->pid, ==, 0);
  g_assert_cmpstr (owner->comm, ==, "");
  g_assert_cmpuint (owner->missing, ==, WEIR_MISSING_NOT_YET);
  g_assert_cmpuint (owners.n_lost, ==, 0);
  weir_owners_clear (&owners);
}

static void
test_is_own (void)
{
  struct weir_owners owners;
  guint32 number;

  g_assert_cmpint (weir_owners_init (&owners, true), ==, 0);
  weir_owners_need (&owners, 5, 50, 0, 2, S);
  number = weir_owners_need (&owners, 6, 60, 0, 2, S);
  weir_owners_get (&owners, number)->netns = 4711;
  g_assert_true (weir_owners_is_own (&owners, 5));
  g_assert_false (weir_owners_is_own (&owners, 6));
  g_assert_false (weir_owners_is_own (&owners, 7));
  /* Two dumps without it. */
  weir_owners_get (&owners, 1)->flows = 1;
  weir_owners_sweep (&owners, 0, 4);
  g_assert_false (weir_owners_is_own (&owners, 5));
  weir_owners_clear (&owners);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/owners/once", test_once);
  g_test_add_func ("/owners/retries", test_retries);
  g_test_add_func ("/owners/missing-reasons", test_missing_reasons);
  g_test_add_func ("/owners/checked-again", test_checked_again);
  g_test_add_func ("/owners/unfinished", test_unfinished);
  g_test_add_func ("/owners/sought", test_sought);
  g_test_add_func ("/owners/unsought", test_unsought);
  g_test_add_func ("/owners/holders", test_holders);
  g_test_add_func ("/owners/many-holders", test_many_holders);
  g_test_add_func ("/owners/turns", test_turns);
  g_test_add_func ("/owners/cgroup-room", test_cgroup_room);
  g_test_add_func ("/owners/many-cgroups", test_many_cgroups);
  g_test_add_func ("/owners/cgroups", test_cgroups);
  g_test_add_func ("/owners/hostile-answers", test_hostile_answers);
  g_test_add_func ("/owners/sweep", test_sweep);
  g_test_add_func ("/owners/check-costs", test_check_costs);
  g_test_add_func ("/owners/check-turns", test_check_turns);
  g_test_add_func ("/owners/after-peak", test_after_peak);
  g_test_add_func ("/owners/lost", test_lost);
  g_test_add_func ("/owners/is-own", test_is_own);
  return g_test_run ();
}
