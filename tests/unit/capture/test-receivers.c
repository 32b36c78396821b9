/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib.h>
#include <linux/if_ether.h>

#include "readings-builder.h"
#include "weir-receivers.h"

#define NETNS 1

struct fixture
{
  struct weir_receivers receivers;
  struct weir_owners owners;
  struct weir_writer writer;
  GArray *told; /* struct weir_receiver_record */
  struct weir_receivers_summary summary;
  guint n_frames;
};

static void
set_up (struct fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (weir_receivers_init (&fixture->receivers), ==, 0);
  g_assert_cmpint (weir_owners_init (&fixture->owners, true), ==, 0);
  weir_writer_init (&fixture->writer);
  fixture->told = g_array_new (FALSE, FALSE, sizeof (struct weir_receiver_record));
}

static void
tear_down (struct fixture *fixture, gconstpointer data)
{
  weir_receivers_clear (&fixture->receivers);
  weir_owners_clear (&fixture->owners);
  weir_writer_clear (&fixture->writer);
  g_array_unref (fixture->told);
}

static void
on_record (const struct weir_receiver_record *record, void *data)
{
  g_array_append_vals (data, record, 1);
}

/* What a front end would be told now. */
static guint
publish (struct fixture *fixture, guint32 not_listed)
{
  gsize at = 0;

  fixture->writer.size = 0;
  g_array_set_size (fixture->told, 0);
  weir_receivers_publish (&fixture->receivers, &fixture->owners, not_listed, &fixture->writer);
  g_assert_cmpint (fixture->writer.error, ==, 0);
  for (fixture->n_frames = 0; at < fixture->writer.size; fixture->n_frames++)
    {
      const guint8 *header = fixture->writer.data + at;
      struct weir_frame frame = { .type = header[4], .body = header + WEIR_FRAME_HEADER_SIZE };

      for (guint i = 0; i < 4; i++)
        frame.size |= (gsize) header[i] << (8 * i);
      g_assert_cmpint (weir_read_receivers (&frame, &fixture->summary, on_record, fixture->told),
                       ==, 0);
      at += WEIR_FRAME_HEADER_SIZE + frame.size;
    }
  return fixture->told->len;
}

static const struct weir_receiver_record *
told (struct fixture *fixture, guint i)
{
  return &g_array_index (fixture->told, struct weir_receiver_record, i);
}

static struct weir_socket_reading
listener (guint32 inode)
{
  struct weir_socket_reading reading = socket_reading ("0.0.0.0", 22, "0.0.0.0", 0);

  reading.inode = inode;
  reading.cookie = inode;
  reading.state = WEIR_TCP_LISTEN;
  reading.backlog = 128;
  return reading;
}

static bool
see (struct fixture *fixture, guint32 round, const struct weir_socket_reading *reading, guint64 now)
{
  return weir_receivers_see (&fixture->receivers, NETNS, round, reading, 0, now);
}

static void
test_life (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = listener (100);
  guint64 id;

  see (fixture, 1, &reading, 0);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_ADDED);
  g_assert_cmpuint (told (fixture, 0)->family, ==, 4);
  g_assert_cmpuint (told (fixture, 0)->protocol, ==, IPPROTO_TCP);
  g_assert_cmpuint (told (fixture, 0)->local.port, ==, 22);
  g_assert_cmpuint (told (fixture, 0)->first_seen, ==, 0);
  g_assert_true (told (fixture, 0)->has_queue);
  g_assert_cmpuint (told (fixture, 0)->backlog, ==, 128);
  g_assert_cmpuint (fixture->summary.total, ==, 1);
  id = told (fixture, 0)->id;

  /* As it was: nothing is said, not even a frame. */
  see (fixture, 2, &reading, 5);
  weir_receivers_sweep (&fixture->receivers, NETNS, 1);
  g_assert_cmpuint (publish (fixture, 0), ==, 0);
  g_assert_cmpuint (fixture->n_frames, ==, 0);

  reading.queue = 3;
  see (fixture, 3, &reading, 6);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_CHANGED);
  g_assert_cmpuint (told (fixture, 0)->id, ==, id);
  g_assert_cmpuint (told (fixture, 0)->queue, ==, 3);
  g_assert_cmpuint (told (fixture, 0)->first_seen, ==, 0);

  weir_receivers_sweep (&fixture->receivers, NETNS, 3);
  g_assert_cmpuint (publish (fixture, 0), ==, 0);
  weir_receivers_sweep (&fixture->receivers, NETNS + 1, 4);
  g_assert_cmpuint (publish (fixture, 0), ==, 0);
  weir_receivers_sweep (&fixture->receivers, NETNS, 4);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_GONE);
  g_assert_cmpuint (told (fixture, 0)->id, ==, id);
  g_assert_cmpuint (fixture->summary.total, ==, 0);
  g_assert_cmpuint (publish (fixture, 0), ==, 0);

  /* One that came while we looked. */
  see (fixture, 5, &reading, 77);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_ADDED);
  g_assert_cmpuint (told (fixture, 0)->id, !=, id);
  g_assert_cmpuint (told (fixture, 0)->first_seen, ==, 77);
}

/* Come and gone before anybody was told. */
static void
test_never_told (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = listener (100);

  see (fixture, 1, &reading, 1);
  weir_receivers_sweep (&fixture->receivers, NETNS, 2);
  g_assert_cmpuint (publish (fixture, 0), ==, 0);
  g_assert_cmpuint (fixture->n_frames, ==, 1);
  g_assert_cmpuint (fixture->summary.total, ==, 0);
}

/* A reader that was slow is told of an end before of a successor with the same inode. */
static void
test_same_inode (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = listener (100);

  see (fixture, 1, &reading, 1);
  publish (fixture, 0);
  weir_receivers_sweep (&fixture->receivers, NETNS, 2);
  reading.cookie = 200;
  see (fixture, 2, &reading, 2);
  reading.kind = WEIR_SOCKET_PACKET;
  reading.ethertype = ETH_P_IP;
  see (fixture, 2, &reading, 2);
  g_assert_cmpuint (publish (fixture, 0), ==, 3);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_GONE);
  g_assert_cmpuint (told (fixture, 1)->cookie, ==, 200);
  g_assert_cmpuint (told (fixture, 2)->protocol, ==, ETH_P_IP);
  g_assert_cmpuint (told (fixture, 2)->family, ==, 0);
}

static void
test_owner (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading reading = listener (100);
  struct weir_looker_answer answer = {
    .verb = WEIR_LOOKER_OWNERS,
    .value = 100,
    .pid = 42,
    .start_time = 7,
    .comm = "server",
    .cgroup = "/system.slice/server.service",
  };
  guint64 values[WEIR_LOOKER_BATCH];
  guint32 number = weir_owners_need (&fixture->owners, 100, 100, 0, 1, S);

  weir_receivers_see (&fixture->receivers, NETNS, 1, &reading, number, 0);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->owner_how, ==, WEIR_OWNER_NONE);
  g_assert_cmpuint (told (fixture, 0)->owner_missing, ==, WEIR_MISSING_NOT_YET);
  g_assert_true (told (fixture, 0)->has_uid);
  g_assert_cmpuint (told (fixture, 0)->uid, ==, 1000);

  collect_owners (&fixture->owners, S, values);
  weir_owners_answer (&fixture->owners, &answer, S);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->change, ==, WEIR_RECEIVER_CHANGED);
  g_assert_cmpuint (told (fixture, 0)->owner_how, ==, WEIR_OWNER_TUPLE);
  g_assert_cmpuint (told (fixture, 0)->pid, ==, 42);
  g_assert_cmpuint (told (fixture, 0)->start_time, ==, 7);
  g_assert_cmpstr (told (fixture, 0)->comm, ==, "server");
  g_assert_cmpstr (told (fixture, 0)->cgroup, ==, "/system.slice/server.service");

  /* The kernel's own has no inode, and the uid that it tells means nothing. */
  reading.inode = 0;
  see (fixture, 1, &reading, 0);
  g_assert_cmpuint (publish (fixture, 0), ==, 1);
  g_assert_cmpuint (told (fixture, 0)->owner_missing, ==, WEIR_MISSING_KERNEL);
  g_assert_false (told (fixture, 0)->has_uid);
}

/* Very many ports hide neither themselves nor who bypasses them. */
static void
test_bound (struct fixture *fixture, gconstpointer data)
{
  const guint room = WEIR_RECEIVERS_MAX - WEIR_RECEIVERS_RESERVED;
  struct weir_socket_reading packet = listener (1);
  guint refused = 0;

  for (guint32 i = 0; i < 10000; i++)
    {
      struct weir_socket_reading reading = listener (100 + i);

      refused += !see (fixture, 1, &reading, 0);
    }
  g_assert_cmpuint (refused, ==, 10000 - room);
  packet.kind = WEIR_SOCKET_PACKET;
  g_assert_true (see (fixture, 1, &packet, 0));
  g_assert_cmpuint (publish (fixture, refused), ==, room + 1);
  g_assert_cmpuint (fixture->summary.total, ==, 10001);
  g_assert_cmpuint (fixture->summary.not_listed, ==, refused);

  /* All of them make way for as many new ones at once. */
  weir_receivers_sweep (&fixture->receivers, NETNS, 2);
  for (guint32 i = 0; i < room; i++)
    {
      struct weir_socket_reading reading = listener (50000 + i);

      g_assert_true (see (fixture, 2, &reading, 0));
    }
  g_assert_cmpuint (publish (fixture, 0), ==, 2 * room + 1);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/receivers/" name, struct fixture, NULL, set_up, function, tear_down)

/* What a table that was too long did not come to stays, and its process with it; what is not in
 * that table goes. */
static void
test_keep (struct fixture *fixture, gconstpointer data)
{
  struct weir_socket_reading sockets[] = { listener (5), listener (6), listener (7) };

  sockets[0].kind = sockets[1].kind = WEIR_SOCKET_PING;
  sockets[1].local = endpoint ("::1", 22);
  for (guint i = 0; i < 3; i++)
    g_assert_true (weir_receivers_see (
        &fixture->receivers, NETNS, 1, &sockets[i],
        weir_owners_need (&fixture->owners, sockets[i].inode, sockets[i].cookie, 0, 1, S), S));
  g_assert_cmpuint (publish (fixture, 0), ==, 3);

  weir_receivers_keep (&fixture->receivers, &fixture->owners, NETNS, WEIR_SOCKET_PING, 4, 3);
  weir_receivers_sweep (&fixture->receivers, NETNS, 3);
  weir_owners_sweep (&fixture->owners, 0, 3);
  g_assert_cmpuint (publish (fixture, 0), ==, 2);
  g_assert_cmpuint (fixture->receivers.n, ==, 1);
  g_assert_true (weir_owners_get (&fixture->owners, 1)->in_use);
  g_assert_false (weir_owners_get (&fixture->owners, 2)->in_use);
  g_assert_false (weir_owners_get (&fixture->owners, 3)->in_use);

  /* Another namespace's are not ours to keep. */
  weir_receivers_keep (&fixture->receivers, &fixture->owners, NETNS + 1, WEIR_SOCKET_PING, 4, 5);
  weir_receivers_sweep (&fixture->receivers, NETNS, 5);
  g_assert_cmpuint (fixture->receivers.n, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("life", test_life);
  ADD ("never-told", test_never_told);
  ADD ("same-inode", test_same_inode);
  ADD ("owner", test_owner);
  ADD ("bound", test_bound);
  ADD ("keep", test_keep);
  return g_test_run ();
}
