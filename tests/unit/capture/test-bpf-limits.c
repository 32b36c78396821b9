/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More than there is room for: nothing is lost that is not counted. */
#include <netinet/ip.h>
#include <netinet/tcp.h>

#include "bpf-stage.h"

#define SLOTS 64
/* What is there for one user. */
#define ROOM (SLOTS * WEIR_BPF_ACCOUNT_TIMES / (WEIR_BPF_ACCOUNT_TIMES + 1))
/* And for another one. */
#define LATER_ROOM ((SLOTS - ROOM) * WEIR_BPF_ACCOUNT_TIMES / (WEIR_BPF_ACCOUNT_TIMES + 1))
#define IDLE_NS    UINT64_C (300000000)

static int group;
static char bytes[1 << 16];

/* The loopback's bytes since @before are in flows, or in one of the sums, but for @timewait each
 * way: what TIME_WAIT gets passes no socket, and what it answers passes one of the kernel's, which
 * is in no control group of ours.  Everything was read. */
static void
check_balance (struct stage *stage, uint64_t before, uint64_t timewait)
{
  const uint64_t sent = stage_get_loopback (NULL) - before;
  struct weir_bpf_totals totals;
  struct weir_bpf_sum flows = { 0 };
  const struct weir_bpf_sum *sums = totals.sums;

  stage_read (stage);
  weir_bpf_source_get_totals (&stage->source, &totals);
  for (guint i = 0; i < stage->readings->len; i++)
    {
      flows.tx_bytes += stage_nth (stage, i)->tx_bytes;
      flows.rx_bytes += stage_nth (stage, i)->rx_bytes;
    }
  g_assert_cmpuint (flows.tx_bytes + totals.unread.tx_bytes + sums[WEIR_BPF_SUM_NO_ROOM].tx_bytes +
                        sums[WEIR_BPF_SUM_LATE].tx_bytes + timewait,
                    ==, sent);
  g_assert_cmpuint (flows.rx_bytes + totals.unread.rx_bytes + sums[WEIR_BPF_SUM_NO_ROOM].rx_bytes +
                        sums[WEIR_BPF_SUM_LATE].rx_bytes + timewait,
                    ==, sent);
  g_assert_cmpuint (totals.torn, ==, 0);
}

static void
open_pair (int *ret_sender, int *ret_receiver)
{
  *ret_sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  *ret_receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_bind (*ret_receiver, "127.0.0.1", 0);
}

#define PAIRS 100

static void
test_no_room (void)
{
  int senders[PAIRS], receivers[PAIRS];
  const uint64_t before = stage_get_loopback (NULL);
  struct weir_bpf_totals totals;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  for (unsigned i = 0; i < PAIRS; i++)
    {
      open_pair (&senders[i], &receivers[i]);
      for (unsigned n = 0; n < 3; n++)
        stage_send_to (senders[i], bytes, 1000 + i, "127.0.0.1", stage_get_port (receivers[i]));
    }
  check_balance (&stage, before, 0);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (stage.readings->len, ==, ROOM);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_NO_ROOM].tx_packets, ==, (PAIRS - ROOM / 2) * 3);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_NO_ROOM], >, 0);
  for (unsigned i = 0; i < PAIRS; i++)
    {
      close (senders[i]);
      close (receivers[i]);
    }

  /* There is room again. */
  stage_begin (&stage);
  open_pair (&senders[0], &receivers[0]);
  stage_send_to (senders[0], bytes, 1, "127.0.0.1", stage_get_port (receivers[0]));
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  close (senders[0]);
  close (receivers[0]);
  stage_close (&stage);
}

/* One socket that talks to everybody leaves room for others. */
static void
test_share (void)
{
  int sender, receiver;
  const uint64_t before = stage_get_loopback (NULL);
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  open_pair (&sender, &receiver);
  for (uint16_t i = 0; i < 2 * SLOTS; i++)
    {
      char address[32];

      g_snprintf (address, sizeof address, "127.1.0.%u", i + 1);
      /* Nobody is there, which comes back as an error of the next call. */
      stage_connect (sender, address, 9);
      (void) !send (sender, bytes, 10, 0);
    }
  stage_read (&stage);
  for (guint i = 0; i < stage.readings->len; i++)
    g_assert_cmpuint (stage_nth (&stage, i)->tx_bytes, >, 0);
  g_assert_cmpuint (stage.readings->len, <=, SLOTS / WEIR_BPF_SOCKET_SHARE + 4);
  g_assert_cmpuint (stage.readings->len, >=, SLOTS / WEIR_BPF_SOCKET_SHARE);
  g_assert_cmpuint (stage_get_loopback (NULL), >, before);
  close (sender);
  close (receiver);
  stage_close (&stage);
}

/* Who has his share gets room for others when his own are idle, and takes it from nobody else; all
 * are told to be closed in the end. */
static void
test_share_again (void)
{
  const unsigned n = SLOTS / WEIR_BPF_SOCKET_SHARE;
  int idle_sender, idle_receiver, sender, peer;
  struct weir_bpf_totals totals;
  struct stage stage;

  stage_open_in (&stage, group, 4 * SLOTS, IDLE_NS);
  open_pair (&idle_sender, &idle_receiver);
  stage_send_to (idle_sender, bytes, 1, "127.0.0.1", stage_get_port (idle_receiver));
  sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  peer = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_bind (peer, "127.0.0.1", 0);
  /* Each address is another peer. */
  for (unsigned round = 0; round < 3; round++)
    {
      for (unsigned i = 0; i < 4 * n; i++)
        {
          char address[32];

          g_snprintf (address, sizeof address, "127.2.%u.%u", round + 1, i + 1);
          stage_send_to (sender, bytes, 100, address, 9);
        }
      stage_read (&stage);
      weir_bpf_source_get_totals (&stage.source, &totals);
      g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_NO_ROOM].tx_packets, ==, 0);
      g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_EVICTED], ==, round * 4 * n);
      g_usleep (2 * IDLE_NS / 1000);
    }
  g_assert_cmpuint (stage.ended, ==, 2 * 4 * n);

  /* Nobody else lost anything, so his flows are as new as they look. */
  stage_begin (&stage);
  stage_send_to (idle_sender, bytes, 1, "127.0.0.1", stage_get_port (peer));
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    g_assert_false (stage_nth (&stage, i)->flags & WEIR_BPF_CONTINUED);

  close (sender);
  close (idle_sender);
  close (idle_receiver);
  close (peer);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_BIRTHS], ==,
                    totals.counts[WEIR_BPF_COUNT_CLOSED] + totals.counts[WEIR_BPF_COUNT_EVICTED]);
  stage_close (&stage);
}

/* The idle give way, and are told to have. */
static void
test_eviction (void)
{
  int senders[ROOM], receivers[ROOM];
  const uint64_t before = stage_get_loopback (NULL);
  struct weir_bpf_totals totals;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  for (unsigned i = 0; i < ROOM; i++)
    {
      open_pair (&senders[i], &receivers[i]);
      if (i < ROOM / 2)
        stage_send_to (senders[i], bytes, 100, "127.0.0.1", stage_get_port (receivers[i]));
    }
  stage_read (&stage);
  g_assert_cmpuint (stage.born, ==, ROOM);
  g_usleep (2 * IDLE_NS / 1000);
  for (unsigned i = ROOM / 2; i < ROOM; i++)
    stage_send_to (senders[i], bytes, 100, "127.0.0.1", stage_get_port (receivers[i]));
  check_balance (&stage, before, 0);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_EVICTED], ==, ROOM);
  g_assert_cmpuint (stage.ended, ==, ROOM);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_NO_ROOM].tx_packets, ==, 0);

  /* One that comes back is known to have been there. */
  g_usleep (2 * IDLE_NS / 1000);
  stage_begin (&stage);
  stage_send_to (senders[0], bytes, 100, "127.0.0.1", stage_get_port (receivers[0]));
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, 2);
  g_assert_true (stage_nth (&stage, 0)->flags & WEIR_BPF_CONTINUED);
  g_assert_cmpuint (stage_nth (&stage, 0)->direction, ==, WEIR_DIRECTION_UNKNOWN);
  for (unsigned i = 0; i < ROOM; i++)
    {
      close (senders[i]);
      close (receivers[i]);
    }
  stage_close (&stage);
}

/* The same socket gets a place again that it lost: closing it comes to an end, and finds all. */
static void
test_eviction_of_own (void)
{
  const struct timespec pause = { 0, 2 * IDLE_NS };
  const unsigned n = SLOTS / WEIR_BPF_SOCKET_SHARE;
  struct weir_bpf_totals totals;
  int receivers[SLOTS], senders[SLOTS / 2], sender;
  struct timespec begin, end;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  for (unsigned i = 0; i < SLOTS / 2; i++)
    open_pair (&senders[i], &receivers[i]);
  for (unsigned round = 0; round < 4; round++)
    {
      for (unsigned i = 0; i < n; i++)
        stage_send_to (sender, bytes, 10, "127.0.0.1", stage_get_port (receivers[i + round % 2]));
      for (unsigned i = 0; i < SLOTS / 2; i++)
        stage_send_to (senders[i], bytes, 10, "127.0.0.1", stage_get_port (receivers[i]));
      nanosleep (&pause, NULL);
    }
  clock_gettime (CLOCK_MONOTONIC, &begin);
  close (sender);
  clock_gettime (CLOCK_MONOTONIC, &end);
  g_assert_cmpint ((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000, <,
                   100);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_EVICTED], >, 0);
  for (unsigned i = 0; i < SLOTS / 2; i++)
    {
      close (senders[i]);
      close (receivers[i]);
    }
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_BIRTHS], ==,
                    totals.counts[WEIR_BPF_COUNT_CLOSED] + totals.counts[WEIR_BPF_COUNT_EVICTED]);
  stage_close (&stage);
}

/* ---- users ---- */

/* What a user is told. */
#define GO_ON 'o'
#define END   'e'

/* A user who sends from @n sockets, and from one more whenever he is told to go on. */
struct user
{
  pid_t pid;
  int channel;
};

static void
be_user (uid_t uid, unsigned n, int channel)
{
  char byte = 0;

  if (setresuid (uid, uid, uid) < 0)
    _exit (1);
  for (unsigned i = 0; i < n; i++)
    stage_send_to (stage_socket (AF_INET, SOCK_DGRAM, 0), bytes, 10, "127.3.0.1", 9);
  while (send (channel, &byte, 1, 0) == 1 && recv (channel, &byte, 1, 0) == 1 && byte == GO_ON)
    stage_send_to (stage_socket (AF_INET, SOCK_DGRAM, 0), bytes, 10, "127.3.0.1", 9);
  _exit (0);
}

static struct user
begin_user (uid_t uid, unsigned n)
{
  struct user user;
  int ends[2];
  char byte;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
  user.channel = ends[0];
  user.pid = fork ();
  g_assert_cmpint (user.pid, >=, 0);
  if (user.pid == 0)
    {
      close (ends[0]);
      be_user (uid, n, ends[1]);
    }
  close (ends[1]);
  g_assert_cmpint (recv (user.channel, &byte, 1, 0), ==, 1);
  return user;
}

static void
send_once_more (const struct user *user)
{
  char byte = GO_ON;

  g_assert_cmpint (send (user->channel, &byte, 1, 0), ==, 1);
  g_assert_cmpint (recv (user->channel, &byte, 1, 0), ==, 1);
}

static void
end_user (const struct user *user)
{
  const char byte = END;

  g_assert_cmpint (send (user->channel, &byte, 1, 0), ==, 1);
  stage_await (user->pid);
  close (user->channel);
}

static unsigned
count_of (struct stage *stage, uid_t uid)
{
  unsigned n = 0;

  for (guint i = 0; i < stage->readings->len; i++)
    n += stage_nth (stage, i)->opener.uid == uid;
  return n;
}

/* Who has very many sockets leaves room for others, and gets room again from himself only. */
static void
test_users (void)
{
  struct weir_bpf_totals totals;
  struct user many, few;
  struct stage stage;
  int fd;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  fd = stage_socket (AF_INET, SOCK_DGRAM, 0);
  many = begin_user (1000, 2 * SLOTS);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (count_of (&stage, 1000), ==, ROOM);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_NO_ROOM].tx_packets, ==, 2 * SLOTS - ROOM);

  few = begin_user (1001, 4);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (count_of (&stage, 1001), ==, 4);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_NO_ROOM].tx_packets, ==, 2 * SLOTS - ROOM);

  /* All are idle. */
  g_usleep (2 * IDLE_NS / 1000);
  stage_begin (&stage);
  for (unsigned i = 0; i < ROOM; i++)
    send_once_more (&many);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_EVICTED], ==, ROOM);
  g_assert_cmpuint (count_of (&stage, 1000), ==, ROOM);

  /* Nobody else lost anything, so flows are as new as they look. */
  stage_send_to (fd, bytes, 10, "127.3.0.1", 9);
  stage_read (&stage);
  g_assert_false (stage_find (&stage, IPPROTO_UDP, stage_get_port (fd), 9)->flags &
                  WEIR_BPF_CONTINUED);
  close (fd);

  /* Who has little gets it from himself and from anybody, but no more than that. */
  g_usleep (2 * IDLE_NS / 1000);
  stage_begin (&stage);
  for (unsigned i = 0; i < SLOTS / 2; i++)
    send_once_more (&few);
  stage_read (&stage);
  g_assert_cmpuint (count_of (&stage, 1001), ==, SLOTS / WEIR_BPF_ACCOUNT_SHARE);
  g_assert_cmpuint (stage.ended, ==, 4 + SLOTS / WEIR_BPF_ACCOUNT_SHARE - LATER_ROOM);

  end_user (&many);
  end_user (&few);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_BIRTHS], ==,
                    totals.counts[WEIR_BPF_COUNT_CLOSED] + totals.counts[WEIR_BPF_COUNT_EVICTED]);
  g_assert_cmpuint (stage.source.opened.control->taken, ==, 0);
  stage_close (&stage);
}

/* What a user's programs have a container do is the same account for all its users. */
static void
test_subordinate_users (void)
{
  struct user users[4];
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  for (uid_t i = 0; i < G_N_ELEMENTS (users); i++)
    users[i] = begin_user (100000 + i, SLOTS / 3);
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, ==, ROOM);
  for (unsigned i = 0; i < G_N_ELEMENTS (users); i++)
    end_user (&users[i]);
  stage_close (&stage);
}

/* As many connections as there are slots, by this process. */
struct pairs
{
  int listener, clients[SLOTS], servers[SLOTS];
};

static void
pairs_open (struct pairs *pairs)
{
  stage_bind (pairs->listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (pairs->listener, 8), ==, 0);
  for (unsigned i = 0; i < SLOTS; i++)
    {
      pairs->clients[i] = stage_socket (AF_INET, SOCK_STREAM, 0);
      stage_connect (pairs->clients[i], "127.0.0.1", stage_get_port (pairs->listener));
      pairs->servers[i] = accept (pairs->listener, NULL, NULL);
      g_assert_cmpint (pairs->servers[i], >=, 0);
    }
}

static void
pairs_close (struct pairs *pairs)
{
  for (unsigned i = 0; i < SLOTS; i++)
    {
      close (pairs->clients[i]);
      close (pairs->servers[i]);
    }
  close (pairs->listener);
}

/* Connections that somebody makes with everybody's servers are on no server's account. */
static void
test_accepted (void)
{
  struct pairs pairs = { .listener = stage_socket (AF_INET, SOCK_STREAM, 0) };
  struct stage stage;
  struct user user;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  pairs_open (&pairs);
  stage_read (&stage);
  g_assert_cmpuint (stage.readings->len, >=, ROOM);
  user = begin_user (1000, 4);
  stage_read (&stage);
  g_assert_cmpuint (count_of (&stage, 1000), ==, 4);
  end_user (&user);
  pairs_close (&pairs);
  g_assert_cmpuint (stage.source.opened.control->taken, ==, 0);
  stage_close (&stage);
}

/* Nobody takes everything, in whatever order he uses what he may use. */
static void
test_one_after_the_other (void)
{
  struct pairs pairs = { .listener = stage_socket (AF_INET, SOCK_STREAM, 0) };
  struct user many, other;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  many = begin_user (1000, 2 * SLOTS);
  pairs_open (&pairs);
  other = begin_user (1001, SLOTS);
  stage_read (&stage);
  g_assert_cmpuint (count_of (&stage, 1001), >, 0);
  g_assert_cmpuint (count_of (&stage, 1000), ==, ROOM);
  end_user (&many);
  end_user (&other);
  pairs_close (&pairs);
  g_assert_cmpuint (stage.source.opened.control->taken, ==, 0);
  stage_close (&stage);
}

/* A socket that gave up its slot, and gets none for what it is connected to now, gives it up once
 * only, however often it looks: a slot that was given up twice would be given to two. */
static void
test_given_up (void)
{
  int listener = stage_socket (AF_INET, SOCK_STREAM, 0), client, servers[2];
  const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
  struct weir_bpf_totals totals;
  struct user many, others[5];
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  client = stage_socket (AF_INET, SOCK_STREAM, 0);
  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  servers[0] = accept (listener, NULL, NULL);
  many = begin_user (0, SLOTS);
  others[0] = begin_user (1001, 4);
  g_assert_cmpint (connect (client, &nobody, sizeof nobody), ==, 0);
  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  servers[1] = accept (listener, NULL, NULL);
  for (unsigned i = 0; i < 4; i++)
    {
      stage_send (client, bytes, 10);
      stage_receive (servers[1], 10);
      g_usleep (2 * (UINT64_C (1) << WEIR_BPF_EPOCH_SHIFT) / 1000);
    }
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_CLOSED], ==, 1);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_NO_ROOM], >=, 5);
  g_assert_cmpuint (count_of (&stage, 1001), ==, 4);

  /* What is left, and the slot that was given up once; nobody gets one that somebody has. */
  for (uid_t i = 1; i < G_N_ELEMENTS (others); i++)
    others[i] = begin_user (1001 + i, SLOTS);
  stage_read (&stage);
  g_assert_cmpuint (stage.source.opened.control->taken, ==, SLOTS);
  g_assert_cmpuint (stage.ended, ==, 1);
  end_user (&many);
  for (unsigned i = 0; i < G_N_ELEMENTS (others); i++)
    end_user (&others[i]);
  close (client);
  close (servers[0]);
  close (servers[1]);
  close (listener);
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_BIRTHS], ==, totals.counts[WEIR_BPF_COUNT_CLOSED]);
  g_assert_cmpuint (stage.source.opened.control->taken, ==, 0);
  stage_close (&stage);
}

/* ---- more than is read ---- */

/* Nobody reads for long: events are missing, and slots were used again and again. */
static void
test_unread (void)
{
  const uint64_t before = stage_get_loopback (NULL);
  struct weir_bpf_totals totals;
  int sender, receiver;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  receiver = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_bind (receiver, "127.0.0.1", 0);
  for (unsigned i = 0; i < 15000; i++)
    {
      sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
      stage_send_to (sender, bytes, 100, "127.0.0.1", stage_get_port (receiver));
      close (sender);
      if (i % 64 == 0)
        while (recv (receiver, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
          continue;
    }
  check_balance (&stage, before, 0);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_RING_FULL], >, 0);
  g_assert_cmpuint (totals.unread.tx_bytes, >, 0);
  g_assert_cmpuint (totals.full_scans, >, 0);
  close (receiver);
  stage_close (&stage);
}

static uint16_t
make_checksum (const void *data, size_t size, uint32_t sum)
{
  const uint16_t *words = data;

  for (; size > 1; size -= 2)
    sum += *words++;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t) ~sum;
}

static void
send_syn (int raw, uint16_t from, uint16_t to)
{
  struct
  {
    struct iphdr ip;
    struct tcphdr tcp;
  } packet = {
    .ip = { .version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_TCP },
    .tcp = { .source = htons (from), .dest = htons (to), .syn = 1, .doff = 5, .window = 9 },
  };
  struct
  {
    uint32_t source, destination;
    uint16_t protocol, size;
  } pseudo = { htonl (0x7f000909), htonl (0x7f000001), htons (IPPROTO_TCP), htons (20) };

  packet.ip.saddr = pseudo.source;
  packet.ip.daddr = pseudo.destination;
  packet.ip.tot_len = htons (sizeof packet);
  packet.tcp.check = make_checksum (&packet.tcp, sizeof packet.tcp,
                                    (uint16_t) ~make_checksum (&pseudo, sizeof pseudo, 0));
  stage_send_to (raw, &packet, sizeof packet, "127.0.0.1", 0);
}

/* Beginnings of connections that never are take no slot and send no event. */
static void
test_syn_flood (void)
{
  const uint32_t flood = 4000;
  struct weir_bpf_totals totals;
  struct stage stage;
  int raw, listener;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  raw = stage_socket (AF_INET, SOCK_RAW, IPPROTO_RAW);
  listener = stage_socket (AF_INET, SOCK_STREAM, 0);
  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 4096), ==, 0);
  for (uint32_t i = 0; i < flood; i++)
    send_syn (raw, (uint16_t) (20000 + i), stage_get_port (listener));
  stage_read (&stage);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_HANDSHAKES].rx_packets, >=, flood);
  g_assert_cmpuint (totals.sums[WEIR_BPF_SUM_HANDSHAKES].rx_bytes, >=, flood * 40);
  g_assert_cmpuint (totals.used_slots, <=, 4);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_BIRTHS], <=, 4);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_RING_FULL], ==, 0);
  close (raw);
  close (listener);
  stage_close (&stage);
}

/* What is sent after close(2) is counted, too. */
static void
test_late (void)
{
  int listener, client, server, size = 1 << 20;
  const uint64_t before = stage_get_loopback (NULL);
  const struct weir_bpf_reading *flow;
  struct stage stage;

  stage_open_in (&stage, group, SLOTS, WEIR_BPF_IDLE_NS);
  listener = stage_socket (AF_INET, SOCK_STREAM, 0);
  client = stage_socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (setsockopt (client, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size), ==, 0);
  size = 4096;
  g_assert_cmpint (setsockopt (listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), ==, 0);
  stage_bind (listener, "127.0.0.1", 0);
  g_assert_cmpint (listen (listener, 4), ==, 0);
  stage_connect (client, "127.0.0.1", stage_get_port (listener));
  server = accept (listener, NULL, NULL);
  for (unsigned i = 0; i < 5; i++)
    stage_send (client, bytes, sizeof bytes);
  close (client);
  stage_read (&stage);
  g_assert_cmpuint (stage.closed, ==, 1);
  stage_receive (server, 5 * sizeof bytes);
  g_usleep (100000);
  close (server);
  close (listener);
  /* The last FIN and its answer: the client's socket is none any more. */
  check_balance (&stage, before, 52);
  for (guint i = 0; i < stage.readings->len; i++)
    {
      flow = stage_nth (&stage, i);
      g_assert_cmpuint (flow->direction == WEIR_DIRECTION_OUT ? flow->tx_payload : flow->rx_payload,
                        >=, 5 * sizeof bytes);
    }
  stage_close (&stage);
}

#define BINDS 20000

static void
bind_often (uid_t uid)
{
  if (setresuid (uid, uid, uid) < 0)
    _exit (1);
  for (unsigned i = 0; i < BINDS; i++)
    {
      int fd = stage_socket (AF_INET, SOCK_DGRAM, 0);

      stage_bind (fd, "127.0.0.1", 0);
      close (fd);
    }
  _exit (0);
}

/* How many sockets were named of users 0 and 1000. */
struct named
{
  unsigned ours, others;
};

static void
take_named (const struct weir_bpf_reading *reading, enum weir_bpf_news news, void *data)
{
  struct named *named = data;

  named->ours += news == WEIR_BPF_NEWS_NAMED && reading->user.uid == 0;
  named->others += news == WEIR_BPF_NEWS_NAMED && reading->user.uid == 1000;
}

/* Who binds without end leaves the ring of events to others. */
static void
test_binds (void)
{
  struct weir_bpf_totals totals;
  struct named named = { 0 };
  struct stage stage;
  gint64 began;
  guint64 epochs;
  int fd, status;
  pid_t pid;

  stage_open_in (&stage, group, SLOTS, IDLE_NS);
  fd = stage_socket (AF_INET, SOCK_DGRAM, 0);
  began = g_get_monotonic_time ();
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    bind_often (1000);
  while (waitpid (pid, &status, WNOHANG) == 0)
    {
      weir_bpf_source_read_events (&stage.source, 1000, take_named, &named);
      g_usleep (1000);
    }
  g_assert_cmpint (status, ==, 0);
  epochs = ((guint64) (g_get_monotonic_time () - began) * 1000 >> WEIR_BPF_EPOCH_SHIFT) + 2;
  stage_bind (fd, "127.0.0.1", 0);
  while (weir_bpf_source_read_events (&stage.source, 1000, take_named, &named))
    continue;
  g_test_message ("%u named in %" G_GUINT64_FORMAT " epochs", named.others, epochs);
  g_assert_cmpuint (named.others, >=, WEIR_BPF_NAMED_MAX);
  g_assert_cmpuint (named.others, <=, epochs * WEIR_BPF_NAMED_MAX);
  g_assert_cmpuint (named.ours, ==, 1);
  weir_bpf_source_get_totals (&stage.source, &totals);
  g_assert_cmpuint (totals.counts[WEIR_BPF_COUNT_RING_FULL], ==, 0);
  close (fd);
  stage_close (&stage);
}

int
main (int argc, char **argv)
{
  char name[64];
  int code;

  g_test_init (&argc, &argv, NULL);
  group = stage_enter_group (name);
  stage_isolate ();
  g_test_add_func ("/bpf/limits/no-room", test_no_room);
  g_test_add_func ("/bpf/limits/share", test_share);
  g_test_add_func ("/bpf/limits/share-again", test_share_again);
  g_test_add_func ("/bpf/limits/eviction", test_eviction);
  g_test_add_func ("/bpf/limits/eviction-of-own", test_eviction_of_own);
  g_test_add_func ("/bpf/limits/users", test_users);
  g_test_add_func ("/bpf/limits/subordinate-users", test_subordinate_users);
  g_test_add_func ("/bpf/limits/accepted", test_accepted);
  g_test_add_func ("/bpf/limits/one-after-the-other", test_one_after_the_other);
  g_test_add_func ("/bpf/limits/given-up", test_given_up);
  g_test_add_func ("/bpf/limits/unread", test_unread);
  g_test_add_func ("/bpf/limits/syn-flood", test_syn_flood);
  g_test_add_func ("/bpf/limits/late", test_late);
  g_test_add_func ("/bpf/limits/binds", test_binds);
  code = g_test_run ();
  stage_leave_group (group, name);
  return code;
}
