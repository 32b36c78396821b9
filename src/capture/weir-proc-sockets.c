/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-proc-sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "weir-addresses.h"

/* Longer than any line. */
#define LINE_MAX_SIZE 512
/* Some 2000 sockets: anybody can have ping sockets without end where the system lets everybody send
 * pings, and the kernel begins anew with each page that is read. */
#define FILE_MAX_SIZE (256 * 1024)

static const struct
{
  const char *name;
  uint8_t kind, ping_protocol;
  bool is_v6;
} tables[WEIR_PROC_TABLES] = {
  [WEIR_PROC_RAW] = { "raw", WEIR_SOCKET_RAW, 0, false },
  [WEIR_PROC_RAW6] = { "raw6", WEIR_SOCKET_RAW, 0, true },
  [WEIR_PROC_ICMP] = { "icmp", WEIR_SOCKET_PING, IPPROTO_ICMP, false },
  [WEIR_PROC_ICMP6] = { "icmp6", WEIR_SOCKET_PING, IPPROTO_ICMPV6, true },
};

const char *
weir_proc_sockets_get_name (enum weir_proc_table table)
{
  return tables[table].name;
}

uint8_t
weir_proc_sockets_get_kind (enum weir_proc_table table)
{
  return tables[table].kind;
}

uint8_t
weir_proc_sockets_get_family (enum weir_proc_table table)
{
  return tables[table].is_v6 ? 6 : 4;
}

/* ---- one line ---- */

struct cursor
{
  const char *at;
  bool failed;
};

static int
digit_of (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* A number that ends before something that is no digit; at most @max_digits. */
static uint32_t
take_number (struct cursor *cursor, int base, int max_digits)
{
  uint64_t value = 0;
  int n = 0;

  for (; n < max_digits && digit_of (*cursor->at) < base; n++)
    value = value * (uint64_t) base + (uint64_t) digit_of (*cursor->at++);
  if (n == 0 || value > UINT32_MAX)
    cursor->failed = true;
  return (uint32_t) value;
}

static void
take (struct cursor *cursor, char expected)
{
  if (*cursor->at == expected)
    cursor->at++;
  else
    cursor->failed = true;
}

static void
take_blanks (struct cursor *cursor)
{
  if (*cursor->at != ' ')
    cursor->failed = true;
  while (*cursor->at == ' ')
    cursor->at++;
}

/* Each 32 bits of an address are printed as a number of this machine's order. */
static void
take_endpoint (struct cursor *cursor, bool is_v6, struct weir_endpoint *endpoint)
{
  uint32_t words[4] = { 0 };

  for (int i = 0; i < (is_v6 ? 4 : 1); i++)
    words[i] = take_number (cursor, 16, 8);
  if (is_v6)
    memcpy (endpoint->address, words, 16);
  else
    weir_address_map_v4 (words, endpoint->address);
  take (cursor, ':');
  endpoint->port = (uint16_t) take_number (cursor, 16, 4);
}

bool
weir_proc_sockets_parse (const char *line, enum weir_proc_table table,
                         struct weir_socket_reading *ret_reading)
{
  struct weir_socket_reading reading = { .kind = tables[table].kind };
  struct cursor cursor = { .at = line };

  take_blanks (&cursor);
  take_number (&cursor, 10, 10);
  take (&cursor, ':');
  take_blanks (&cursor);
  take_endpoint (&cursor, tables[table].is_v6, &reading.local);
  take_blanks (&cursor);
  take_endpoint (&cursor, tables[table].is_v6, &reading.remote);
  take_blanks (&cursor);
  reading.state = (uint8_t) take_number (&cursor, 16, 2);
  take_blanks (&cursor);
  take_number (&cursor, 16, 8);
  take (&cursor, ':');
  reading.queue = take_number (&cursor, 16, 8);
  take_blanks (&cursor);
  take_number (&cursor, 16, 2);
  take (&cursor, ':');
  take_number (&cursor, 16, 8);
  take_blanks (&cursor);
  take_number (&cursor, 16, 8);
  take_blanks (&cursor);
  reading.uid = take_number (&cursor, 10, 10);
  take_blanks (&cursor);
  take_number (&cursor, 10, 10);
  take_blanks (&cursor);
  reading.inode = take_number (&cursor, 10, 10);
  if (cursor.failed)
    return false;

  reading.on_v6_socket = tables[table].is_v6;
  reading.family = tables[table].is_v6 ? 6 : 4;
  if (reading.kind == WEIR_SOCKET_PING)
    reading.protocol = tables[table].ping_protocol;
  else
    {
      /* A raw socket's port is its protocol. */
      reading.protocol = (uint8_t) reading.local.port;
      reading.local.port = reading.remote.port = 0;
    }
  *ret_reading = reading;
  return true;
}

/* ---- a file ---- */

int
weir_proc_sockets_read (int fd, enum weir_proc_table table, weir_socket_func func, void *data)
{
  char text[16384];
  size_t kept = 0;
  off_t offset = 0;

  while (offset < FILE_MAX_SIZE)
    {
      ssize_t n = pread (fd, text + kept, sizeof text - kept - 1, offset);
      char *line = text, *end;

      if (n < 0)
        return -errno;
      if (n == 0)
        return 0;
      offset += n;
      text[kept + (size_t) n] = '\0';
      for (; (end = strchr (line, '\n')) != NULL; line = end + 1)
        {
          struct weir_socket_reading reading;

          *end = '\0';
          if (weir_proc_sockets_parse (line, table, &reading))
            func (&reading, WEIR_SOCKDIAG_SOCKET, data);
        }
      kept = strlen (line);
      if (kept > LINE_MAX_SIZE)
        return -EPROTO;
      memmove (text, line, kept);
    }
  return -EFBIG;
}
