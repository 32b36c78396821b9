/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets that nobody should send, through programs on whose answer every packet of the computer
 * depends; and what is left of them when the process that holds them is killed. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "bpf-stage.h"

#define ROUNDS     20000
#define PACKET_MAX 600
#define SEED       20261122

static uint32_t
get_program (int link)
{
  struct bpf_link_info info = { 0 };
  uint32_t size = sizeof info;

  g_assert_cmpint (bpf_obj_get_info_by_fd (link, &info, &size), ==, 0);
  return info.prog_id;
}

/* Headers that make sense, of all kinds that are looked into, then random bytes. */
static size_t
make_packet (GRand *random, uint8_t packet[PACKET_MAX], uint16_t udp_port, uint16_t tcp_port)
{
  static const uint8_t protocols[] = {
    1, 6, 17, 33, 47, 58, 132, 136, 253, 0, 43, 44, 51, 60, 135
  };
  const bool v6 = g_rand_boolean (random);
  const uint8_t protocol = protocols[g_rand_int_range (random, 0, G_N_ELEMENTS (protocols))];
  const size_t size = (size_t) g_rand_int_range (random, v6 ? 40 : 20, PACKET_MAX);
  const size_t header = v6 ? 40 : 20;
  const uint16_t to = htons (g_rand_boolean (random) ? udp_port : tcp_port);

  for (size_t i = 0; i < PACKET_MAX; i++)
    packet[i] = (uint8_t) g_rand_int (random);
  /* Small numbers, so that chains of extensions are long and lead somewhere. */
  for (size_t i = 40; v6 && i < 120; i += 8)
    {
      packet[i] = protocols[g_rand_int_range (random, 0, G_N_ELEMENTS (protocols))];
      packet[i + 1] = 0;
    }
  if (v6)
    {
      struct ip6_hdr ip = { .ip6_dst = IN6ADDR_LOOPBACK_INIT, .ip6_src = IN6ADDR_LOOPBACK_INIT };

      ip.ip6_flow = htonl (6U << 28);
      ip.ip6_plen = htons ((uint16_t) (size - 40));
      ip.ip6_nxt = protocol;
      ip.ip6_hlim = 64;
      memcpy (packet, &ip, sizeof ip);
    }
  else
    {
      struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = protocol };

      ip.saddr = ip.daddr = htonl (0x7f000001);
      ip.tot_len = htons ((uint16_t) size);
      ip.frag_off = g_rand_int_range (random, 0, 4) == 0 ? htons (0x2000) : 0;
      memcpy (packet, &ip, sizeof ip);
    }
  if (size > header + 4)
    memcpy (packet + header + 2, &to, sizeof to);
  /* Then spoil some of it. */
  for (gint n = g_rand_int_range (random, 0, 4); n > 0; n--)
    packet[g_rand_int_range (random, 0, 60)] = (uint8_t) g_rand_int (random);
  return size;
}

/* The kernel runs a program on a packet that is no more than that. */
static void
test_answers (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);
  struct stage stage;
  unsigned n_packet_programs = 0, n_answers = 0;

  stage_open (&stage, 1024);
  for (uint32_t i = 0; i < stage.source.opened.n_links; i++)
    {
      int program = bpf_prog_get_fd_by_id (get_program (stage.source.opened.links[i]));
      struct bpf_prog_info info = { 0 };
      uint32_t size = sizeof info;

      g_assert_cmpint (program, >=, 0);
      g_assert_cmpint (bpf_obj_get_info_by_fd (program, &info, &size), ==, 0);
      n_packet_programs += info.type == BPF_PROG_TYPE_CGROUP_SKB;
      for (unsigned round = 0; info.type == BPF_PROG_TYPE_CGROUP_SKB && round < ROUNDS; round++)
        {
          uint8_t frame[ETH_HLEN + PACKET_MAX] = "";
          LIBBPF_OPTS (bpf_test_run_opts, options, .data_in = frame);

          options.data_size_in =
              (uint32_t) (ETH_HLEN + make_packet (random, frame + ETH_HLEN, 1, 2));
          frame[12] = g_rand_boolean (random) ? 0x08 : 0x86;
          frame[13] = frame[12] == 0x08 ? 0x00 : 0xdd;
          /* Some it does not take for such a test. */
          if (bpf_prog_test_run_opts (program, &options) < 0)
            continue;
          g_assert_cmpuint (options.retval, ==, 1);
          n_answers++;
        }
      close (program);
    }
  g_assert_cmpuint (n_packet_programs, ==, 2);
  g_test_message ("%u answers", n_answers);
  g_assert_cmpuint (n_answers, >, ROUNDS);
  stage_close (&stage);
}

struct receivers
{
  int udp, tcp, client, server, raw, icmp, udp6, raw6;
};

static void
open_receivers (struct receivers *receivers)
{
  receivers->udp = stage_socket (AF_INET, SOCK_DGRAM, 0);
  receivers->tcp = stage_socket (AF_INET6, SOCK_STREAM, 0);
  receivers->client = stage_socket (AF_INET, SOCK_STREAM, 0);
  receivers->raw = stage_socket (AF_INET, SOCK_RAW, 253);
  receivers->icmp = stage_socket (AF_INET, SOCK_RAW, IPPROTO_ICMP);
  receivers->udp6 = stage_socket (AF_INET6, SOCK_DGRAM, 0);
  receivers->raw6 = stage_socket (AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  stage_bind (receivers->udp, "127.0.0.1", 4001);
  stage_bind (receivers->udp6, "::1", 4001);
  stage_bind (receivers->tcp, "::", 4002);
  g_assert_cmpint (listen (receivers->tcp, 64), ==, 0);
  stage_connect (receivers->client, "127.0.0.1", 4002);
  receivers->server = accept (receivers->tcp, NULL, NULL);
}

/* On the wire, so to say: whatever the network layer lets through comes to sockets. */
static void
send_frames (GRand *random)
{
  int fd = stage_socket (AF_PACKET, SOCK_DGRAM, 0);
  struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1, .sll_halen = 6 };
  uint8_t packet[PACKET_MAX];

  for (unsigned i = 0; i < ROUNDS; i++)
    {
      const size_t size = make_packet (random, packet, 4001, 4002);

      to.sll_protocol = htons (packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
      (void) !sendto (fd, packet, (size_t) g_rand_int_range (random, 1, (gint32) size + 1), 0,
                      (struct sockaddr *) &to, sizeof to);
      (void) !sendto (fd, packet, size, 0, (struct sockaddr *) &to, sizeof to);
    }
  close (fd);
}

/* Out of a socket: a program that refuses a packet shows as EPERM. */
static unsigned
send_raw (GRand *random)
{
  int v4 = stage_socket (AF_INET, SOCK_RAW, IPPROTO_RAW),
      v6 = stage_socket (AF_INET6, SOCK_RAW, IPPROTO_RAW);
  uint8_t packet[PACKET_MAX];
  unsigned n_sent = 0;

  for (unsigned i = 0; i < ROUNDS; i++)
    {
      const size_t size = make_packet (random, packet, 4001, 4002);
      const bool is_v6 = packet[0] >> 4 == 6;
      socklen_t address_size;
      struct sockaddr_storage to = stage_address (is_v6 ? "::1" : "127.0.0.1", 0, &address_size);

      if (sendto (is_v6 ? v6 : v4, packet, size, 0, (struct sockaddr *) &to, address_size) >= 0)
        n_sent++;
      else
        g_assert_cmpint (errno, !=, EPERM);
    }
  close (v4);
  close (v6);
  return n_sent;
}

static void
drain (const struct receivers *receivers)
{
  char buffer[2048];

  while (recv (receivers->udp, buffer, sizeof buffer, MSG_DONTWAIT) >= 0)
    continue;
  while (recv (receivers->raw, buffer, sizeof buffer, MSG_DONTWAIT) >= 0)
    continue;
}

static void
test_packets (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);
  struct receivers receivers;
  const struct weir_bpf_reading *flow;
  struct stage stage;
  int sender;

  stage_open (&stage, 1024);
  open_receivers (&receivers);
  send_frames (random);
  g_assert_cmpuint (send_raw (random), >, ROUNDS / 4);

  /* What is decent still passes and is counted to the byte. */
  drain (&receivers);
  stage_begin (&stage);
  sender = stage_socket (AF_INET, SOCK_DGRAM, 0);
  stage_connect (sender, "127.0.0.1", 4001);
  stage_send (sender, "0123456789", 10);
  stage_receive (receivers.udp, 10);
  stage_send (receivers.client, "0123456789", 10);
  stage_receive (receivers.server, 10);
  stage_read (&stage);
  flow = stage_find (&stage, IPPROTO_UDP, stage_get_port (sender), 4001);
  g_assert_cmpuint (flow->tx_bytes, ==, 38);
  stage_close (&stage);
}

/* Only the ring buffer and the links: no other descriptor that could change what is counted. */
static void
test_descriptors (void)
{
  unsigned n_maps = 0, n_programs = 0, n_links = 0;
  struct stage stage;
  struct dirent *entry;
  DIR *folder;

  stage_open (&stage, 1024);
  folder = opendir ("/proc/self/fd");
  g_assert_nonnull (folder);
  while ((entry = readdir (folder)) != NULL)
    {
      char target[64] = "";

      (void) !readlinkat (dirfd (folder), entry->d_name, target, sizeof target - 1);
      n_maps += strstr (target, "bpf-map") != NULL;
      n_programs += strstr (target, "bpf-prog") != NULL;
      n_links += strstr (target, "bpf_link") != NULL || strstr (target, "bpf-link") != NULL;
    }
  closedir (folder);
  g_assert_cmpuint (n_maps, ==, 1);
  g_assert_cmpuint (n_programs, ==, 0);
  g_assert_cmpuint (n_links, ==, stage.source.opened.n_links);
  stage_close (&stage);
}

static bool
is_there (uint32_t program)
{
  int fd = bpf_prog_get_fd_by_id (program);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static void
test_killed (void)
{
  uint32_t programs[WEIR_BPF_LINKS_MAX] = { 0 };
  unsigned n = 0, left = 1;
  int ends[2];
  pid_t pid;

  g_assert_cmpint (pipe (ends), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      struct stage stage;

      stage_open (&stage, 1024);
      for (uint32_t i = 0; i < stage.source.opened.n_links; i++)
        programs[i] = get_program (stage.source.opened.links[i]);
      if (write (ends[1], programs, sizeof programs) != sizeof programs)
        _exit (1);
      for (;;)
        pause ();
    }
  g_assert_cmpint (read (ends[0], programs, sizeof programs), ==, sizeof programs);
  for (; n < WEIR_BPF_LINKS_MAX && programs[n] != 0; n++)
    g_assert_true (is_there (programs[n]));
  g_assert_cmpuint (n, >=, 12);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  for (unsigned i = 0; i < 500 && left > 0; i++)
    {
      left = 0;
      for (unsigned j = 0; j < n; j++)
        left += is_there (programs[j]);
      g_usleep (10000);
    }
  g_assert_cmpuint (left, ==, 0);
  close (ends[0]);
  close (ends[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  stage_isolate ();
  g_test_add_func ("/bpf/hostile/answers", test_answers);
  g_test_add_func ("/bpf/hostile/packets", test_packets);
  g_test_add_func ("/bpf/hostile/descriptors", test_descriptors);
  g_test_add_func ("/bpf/hostile/killed", test_killed);
  return g_test_run ();
}
