/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes traffic of one kind, known to the byte, with processes that cost little.
 *
 *   weir-flows KIND far=NAMESPACE [key=value]...
 *
 * The kinds are in a table below, the keys in another one.  The other end is in the network
 * namespace FAR (as made by `ip netns add`), and only there; it reads and answers what it is asked
 * to.  Each end of a flow that is here, and whose kind it is, prints one line of JSON when it
 * closes:
 *
 *   {"protocol":"TCP","netns":4026531840,"local":["10.80.0.1",40000],"remote":["10.80.0.2",9000],
 *    "pid":12,"start_time":345,"opener":[11,344],"sent":100,"received":200,"packets_sent":0,
 *    "packets_received":0,"opened":12.5}
 *
 * pid and start_time are those of the process that used the flow, `opener` those of the one that
 * opened it (mostly the same); sent and received are payload, of frames ("Frames") all of them,
 * with the datagrams in which the ends are; packets_… count datagrams (streams: 0); `opened` is
 * CLOCK_BOOTTIME just before the first packet.  Lines are written whole: several of these may write
 * to one file that was opened for appending.
 *
 * Ends with 0 when everything went as planned, with 77 and a reason when this kernel does not allow
 * the kind, otherwise with 1 and a message. */
#include "weir-flows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct options options = {
  .far = "",
  .here = "10.80.0.1",
  .there = "10.80.0.2",
  .there6 = "fd80::2",
  .peers = "10.90.0.1",
  .device = "here80",
  .mac = "",
  .cgroup = "",
  .port = 9000,
  .count = 10,
  .each = 10,
  .seconds = 5,
  .life_ms = 200,
  .up = 1000,
  .down = 500,
};

static const struct
{
  const char *key;
  const char **text;
  unsigned *number;
} keys[] = {
  { "far", &options.far, NULL },         { "here", &options.here, NULL },
  { "there", &options.there, NULL },     { "there6", &options.there6, NULL },
  { "peers", &options.peers, NULL },     { "device", &options.device, NULL },
  { "mac", &options.mac, NULL },         { "cgroup", &options.cgroup, NULL },
  { "port", NULL, &options.port },       { "count", NULL, &options.count },
  { "each", NULL, &options.each },       { "seconds", NULL, &options.seconds },
  { "life-ms", NULL, &options.life_ms }, { "up", NULL, &options.up },
  { "down", NULL, &options.down },
};

static const struct
{
  const char *name;
  void (*make) (void);
} kinds[] = {
  /* COUNT processes within SECONDS, one connection each, that end LIFE-MS after they began. */
  { "live", make_live },
  /* COUNT processes with EACH connections one after the other in SECONDS, open for LIFE-MS. */
  { "churn", make_churn },
  /* COUNT processes at once, with EACH (at most 64) connections at once. */
  { "bursts", make_bursts },
  /* One process, COUNT connections one after the other. */
  { "small", make_small },
  /* COUNT processes, one TCP connection each, about UP and DOWN bytes. */
  { "sendfile", make_sendfile },
  { "splice", make_splice },
  { "io-uring", make_uring },
  /* COUNT processes, one connected UDP socket each; datagrams of UP, answers of DOWN bytes. */
  { "mmsg", make_mmsg },
  { "udp", make_udp },
  /* COUNT processes, one UDP socket each that is not connected, EACH peers. */
  { "peers", make_peers },
  /* COUNT processes with a TCP connection, and as many with a UDP socket; loopback: both ends. */
  { "ipv6", make_ipv6 },
  { "dual-stack", make_dual },
  { "loopback", make_loopback },
  /* COUNT processes, each with a peer of its own; packets of UP bytes of payload, of "packet" one
   * more in each process. */
  { "raw", make_raw },
  { "icmp", make_icmp },
  { "packet", make_packet },
  /* A connection and a UDP socket that send a little twice a second, for SECONDS. */
  { "drip", make_drip },
  /* COUNT pairs of processes: one connects, the other one gets the descriptor and uses it. */
  { "passed", make_passed },
  /* COUNT connections that come from afar, to a listener that a program inherited. */
  { "inherited", make_inherited },
  /* COUNT processes in network, PID and user namespaces (and a control group) of their own. */
  { "container", make_container },
  /* Load, without truth: EACH connections that move until standard input ends; one for SECONDS. */
  { "moving", make_moving },
  { "bulk", make_bulk },
};

static unsigned
read_number (const char *text)
{
  char *end = NULL;
  unsigned long number = strtoul (text, &end, 10);

  if (*text < '0' || *text > '9' || *end != '\0' || number > 10000000)
    {
      errno = EINVAL;
      die (text);
    }
  return (unsigned) number;
}

static void
read_option (const char *word)
{
  for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
    {
      size_t n = strlen (keys[i].key);

      if (strncmp (word, keys[i].key, n) != 0 || word[n] != '=')
        continue;
      if (keys[i].text != NULL)
        *keys[i].text = word + n + 1;
      else
        *keys[i].number = read_number (word + n + 1);
      return;
    }
  errno = EINVAL;
  die (word);
}

/* As many connections as the kernel allows. */
static void
open_many (void)
{
  struct rlimit limit;

  must (getrlimit (RLIMIT_NOFILE, &limit), "limit of descriptors");
  limit.rlim_cur = limit.rlim_max;
  must (setrlimit (RLIMIT_NOFILE, &limit), "limit of descriptors");
}

/* `serve LISTENER LEASH PID START_TIME`: this program, called by itself; see make_inherited(). */
static void
serve_inherited (char **words)
{
  const struct process opener = { .pid = (int) read_number (words[2]),
                                  .start_time = strtoull (words[3], NULL, 10) };

  serve ((int) read_number (words[0]), -1, -1, (int) read_number (words[1]), true, &opener);
}

int
main (int argc, char **argv)
{
  if (argc == 6 && strcmp (argv[1], "serve") == 0)
    {
      serve_inherited (argv + 2);
      return 0;
    }
  for (int i = 2; i < argc; i++)
    read_option (argv[i]);
  open_many ();
  if (options.up < 8 || options.count == 0 || options.each == 0 || options.far[0] == '\0')
    {
      errno = EINVAL;
      die ("far=NAMESPACE is needed; up is 8 or more, count and each are 1 or more");
    }
  for (unsigned i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++)
    {
      if (strcmp (argv[1], kinds[i].name) == 0)
        {
          kinds[i].make ();
          return 0;
        }
    }
  errno = EINVAL;
  die ("the kind");
}
