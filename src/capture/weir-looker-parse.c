/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "weir-looker-namespaces.h"
#include "weir-looker-parse.h"

static bool
parse_digits (const char *text, size_t size, uint64_t *ret_value)
{
  uint64_t value = 0;

  if (size == 0 || (size > 1 && text[0] == '0'))
    return false;
  for (size_t i = 0; i < size; i++)
    if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow (value, 10, &value) ||
        __builtin_add_overflow (value, (uint64_t) (text[i] - '0'), &value))
      return false;
  *ret_value = value;
  return true;
}

bool
weir_parse_decimal (const char *text, uint64_t *ret_value)
{
  return parse_digits (text, strlen (text), ret_value);
}

bool
weir_parse_socket_link (const char *link, size_t size, uint64_t *ret_inode)
{
  static const char head[] = "socket:[";
  const size_t length = sizeof head - 1;

  return size > length + 1 && memcmp (link, head, length) == 0 && link[size - 1] == ']' &&
         parse_digits (link + length, size - length - 1, ret_inode);
}

static bool
parse_namespace (const char *link, size_t size, const char *head, uint32_t *ret_inode)
{
  const size_t length = strlen (head);
  uint64_t inode;

  if (size <= length + 1 || memcmp (link, head, length) != 0 || link[size - 1] != ']' ||
      !parse_digits (link + length, size - length - 1, &inode) || inode == 0 || inode > UINT32_MAX)
    return false;
  *ret_inode = (uint32_t) inode;
  return true;
}

bool
weir_parse_namespace_link (const char *link, size_t size, uint32_t *ret_inode)
{
  return parse_namespace (link, size, "net:[", ret_inode);
}

bool
weir_parse_user_namespace_link (const char *link, size_t size, uint32_t *ret_inode)
{
  return parse_namespace (link, size, "user:[", ret_inode);
}

/* ---- /proc/PID/net ---- */

static bool
skip (const char **at, char expected)
{
  if (**at != expected)
    return false;
  ++*at;
  return true;
}

/* Exactly @n_digits capital hexadecimal digits, at most eight. */
static bool
parse_hex (const char **at, unsigned n_digits, uint32_t *ret_value)
{
  uint32_t value = 0;

  for (unsigned i = 0; i < n_digits; i++)
    {
      const char digit = (*at)[i];

      if (digit >= '0' && digit <= '9')
        value = value << 4 | (uint32_t) (digit - '0');
      else if (digit >= 'A' && digit <= 'F')
        value = value << 4 | (uint32_t) (digit - 'A' + 10);
      else
        return false;
    }
  *at += n_digits;
  *ret_value = value;
  return true;
}

/* Addresses are written as numbers of 32 bits each, as this processor reads the bytes in memory. */
static bool
parse_endpoint (const char **at, bool v6, uint8_t ret_address[16], uint16_t *ret_port)
{
  static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
  uint32_t word, port;

  memcpy (ret_address, mapped, sizeof mapped);
  for (size_t place = v6 ? 0 : 12; place < 16; place += sizeof word)
    {
      if (!parse_hex (at, 8, &word))
        return false;
      memcpy (ret_address + place, &word, sizeof word);
    }
  if (!skip (at, ':') || !parse_hex (at, 4, &port))
    return false;
  *ret_port = (uint16_t) port;
  return true;
}

/* The decimal number behind any number of blanks. */
static bool
parse_column (const char **at, uint64_t *ret_value)
{
  size_t length = 0;

  if (**at != ' ')
    return false;
  while (**at == ' ')
    ++*at;
  while ((*at)[length] != ' ' && (*at)[length] != '\0')
    length++;
  if (!parse_digits (*at, length, ret_value))
    return false;
  *at += length;
  return true;
}

bool
weir_parse_socket_line (const char *line, bool v6, struct weir_listed_socket *ret_socket)
{
  struct weir_listed_socket socket = { .on_v6_socket = v6 };
  uint64_t number, uid, inode;
  uint32_t state, unused;
  const char *at = line;

  /* Number, addresses, state; queues, timer and retransmits, all of no use here; uid, the number of
   * probes, inode.  More follows, depending on protocol and kernel. */
  while (*at == ' ')
    at++;
  while (*at >= '0' && *at <= '9')
    at++;
  if (!skip (&at, ':') || !skip (&at, ' ') ||
      !parse_endpoint (&at, v6, socket.local, &socket.local_port) || !skip (&at, ' ') ||
      !parse_endpoint (&at, v6, socket.remote, &socket.remote_port) || !skip (&at, ' ') ||
      !parse_hex (&at, 2, &state) || !skip (&at, ' ') || !parse_hex (&at, 8, &unused) ||
      !skip (&at, ':') || !parse_hex (&at, 8, &unused) || !skip (&at, ' ') ||
      !parse_hex (&at, 2, &unused) || !skip (&at, ':') || !parse_hex (&at, 8, &unused) ||
      !skip (&at, ' ') || !parse_hex (&at, 8, &unused) || !parse_column (&at, &uid) ||
      !parse_column (&at, &number) || !parse_column (&at, &inode) || *at != ' ' ||
      uid > UINT32_MAX || inode > UINT32_MAX)
    return false;
  socket.state = (uint8_t) state;
  socket.uid = (uint32_t) uid;
  socket.inode = (uint32_t) inode;
  *ret_socket = socket;
  return true;
}

int
weir_parse_stat (const char *text, size_t size, char ret_comm[16], uint64_t *ret_start_time)
{
  const char *end = text + size, *open, *close, *at;
  uint64_t start_time;
  size_t length;

  /* The name is between the first and the *last* parenthesis: it may hold parentheses, blanks, line
   * breaks and what looks like the rest of the line, while after it there are only numbers and one
   * letter. */
  open = memchr (text, '(', size);
  close = memrchr (text, ')', size);
  if (open == NULL || close == NULL || close < open)
    return -EPROTO;

  /* The state, field 3, follows the name; the start time is field 22. */
  at = close + 1;
  for (unsigned field = 3; field <= 22; field++)
    {
      if (at >= end || *at != ' ')
        return -EPROTO;
      at++;
      if (field == 22)
        break;
      at = memchr (at, ' ', (size_t) (end - at));
      if (at == NULL)
        return -EPROTO;
    }
  for (length = 0; at + length < end && at[length] != ' ' && at[length] != '\n'; length++)
    ;
  if (!parse_digits (at, length, &start_time))
    return -EPROTO;

  length = (size_t) (close - open - 1);
  if (length > 15)
    length = 15;
  memset (ret_comm, 0, 16);
  memcpy (ret_comm, open + 1, length);
  *ret_start_time = start_time;
  return 0;
}

int
weir_parse_stat_parent (const char *text, size_t size, uint32_t *ret_parent)
{
  const char *end = text + size, *at = memrchr (text, ')', size), *space;
  uint64_t parent;

  /* A blank, the state (one letter), a blank, the number. */
  if (at == NULL || end - at < 5 || at[1] != ' ' || at[3] != ' ')
    return -EPROTO;
  at += 4;
  space = memchr (at, ' ', (size_t) (end - at));
  if (space == NULL || !parse_digits (at, (size_t) (space - at), &parent) || parent > INT32_MAX)
    return -EPROTO;
  *ret_parent = (uint32_t) parent;
  return 0;
}

int
weir_parse_cgroup (const char *text, char *ret_path, size_t size)
{
  static const char head[] = "0::";

  for (const char *line = text; line != NULL && *line != '\0';)
    {
      const char *end = strchrnul (line, '\n');

      if (strncmp (line, head, sizeof head - 1) == 0)
        {
          const char *path = line + sizeof head - 1;
          const size_t length = (size_t) (end - path);

          /* A line without its end was cut by whoever read it. */
          if (length >= size || *end != '\n')
            return -ENAMETOOLONG;
          memcpy (ret_path, path, length);
          ret_path[length] = '\0';
          return 0;
        }
      line = *end == '\n' ? end + 1 : NULL;
    }
  return -ENOENT;
}

/* The field at @at up to the next blank, with \ooo decoded; NULL when it does not fit. */
static const char *
decode_field (const char *at, char *ret_text, size_t size)
{
  size_t length = 0;

  for (; *at != ' ' && *at != '\0'; at++)
    {
      char byte = *at;

      if (byte == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
          at[3] >= '0' && at[3] <= '7')
        {
          byte = (char) ((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
          at += 3;
        }
      if (byte == '\0' || length + 1 >= size)
        return NULL;
      ret_text[length++] = byte;
    }
  ret_text[length] = '\0';
  return at;
}

bool
weir_parse_cgroup_mount (const char *line, char *ret_point, char *ret_root, size_t size)
{
  const char *at = line, *type;

  /* Optional fields end with a lone hyphen; blanks inside fields are escaped. */
  type = strstr (line, " - ");
  if (type == NULL || strncmp (type + 3, "cgroup2 ", 8) != 0)
    return false;

  /* Mount id, parent id, device; then the root and the mount point. */
  for (unsigned field = 0; field < 3; field++)
    {
      at = strchr (at, ' ');
      if (at == NULL)
        return false;
      at++;
    }
  at = decode_field (at, ret_root, size);
  if (at == NULL || *at != ' ')
    return false;
  at = decode_field (at + 1, ret_point, size);
  return at != NULL && *at == ' ' && ret_point[0] == '/' && ret_root[0] == '/';
}
