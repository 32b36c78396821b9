/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weir-status.h"

/* The line of groups alone may hold 65536 numbers. */
#define STATUS_SIZE_MAX (1024 * 1024)

/* What follows "\nKEY:" on its only line.  The name of the process comes first in the file with
 * line breaks escaped by the kernel, so it cannot forge a line. */
static const char *
find_value (const char *text, const char *key)
{
  const size_t length = strlen (key);
  const char *found = NULL;

  for (const char *line = text; line != NULL && *line != '\0';)
    {
      if (strncmp (line, key, length) == 0 && line[length] == ':')
        {
          if (found != NULL)
            return NULL;
          found = line + length + 1;
        }
      line = strchr (line, '\n');
      if (line != NULL)
        line++;
    }
  return found;
}

static const char *
skip_blanks (const char *at)
{
  while (*at == ' ' || *at == '\t')
    at++;
  return at;
}

static bool
parse_numbers (const char *text, const char *key, uint32_t *numbers, size_t n_numbers)
{
  const char *at = find_value (text, key);

  if (at == NULL)
    return false;
  for (size_t i = 0; i < n_numbers; i++)
    {
      uint64_t value = 0;

      at = skip_blanks (at);
      if (*at < '0' || *at > '9')
        return false;
      for (; *at >= '0' && *at <= '9'; at++)
        {
          value = value * 10 + (uint64_t) (*at - '0');
          if (value > UINT32_MAX)
            return false;
        }
      numbers[i] = (uint32_t) value;
    }
  return *at == '\n' || *at == '\0';
}

static bool
parse_mask (const char *text, const char *key, uint64_t *mask)
{
  const char *at = find_value (text, key);
  uint64_t value = 0;
  size_t n_digits = 0;

  if (at == NULL)
    return false;
  for (at = skip_blanks (at); *at != '\n' && *at != '\0'; at++, n_digits++)
    {
      static const char digits[] = "0123456789abcdef";
      const char *digit = strchr (digits, *at);

      if (digit == NULL || n_digits == 16)
        return false;
      value = value << 4 | (uint64_t) (digit - digits);
    }
  *mask = value;
  return n_digits > 0;
}

static bool
count_groups (const char *text, size_t *n_groups)
{
  const char *at = find_value (text, "Groups");
  size_t n = 0;

  if (at == NULL)
    return false;
  for (at = skip_blanks (at); *at >= '0' && *at <= '9'; at = skip_blanks (at), n++)
    while (*at >= '0' && *at <= '9')
      at++;
  *n_groups = n;
  return *at == '\n' || *at == '\0';
}

int
weir_status_parse (const char *text, struct weir_status *ret_status)
{
  struct weir_status status = { 0 };
  uint32_t no_new_privs = 0;

  if (!parse_numbers (text, "Uid", status.uids, 4) ||
      !parse_numbers (text, "Gid", status.gids, 4) || !count_groups (text, &status.n_groups) ||
      !parse_mask (text, "CapInh", &status.cap_inheritable) ||
      !parse_mask (text, "CapPrm", &status.cap_permitted) ||
      !parse_mask (text, "CapEff", &status.cap_effective) ||
      !parse_mask (text, "CapBnd", &status.cap_bounding) ||
      !parse_mask (text, "CapAmb", &status.cap_ambient) ||
      !parse_numbers (text, "NoNewPrivs", &no_new_privs, 1) || no_new_privs > 1)
    return -EPROTO;
  /* The one field that may be absent, because there zero is the worse news. */
  if (strstr (text, "\nSeccomp:") != NULL &&
      (!parse_numbers (text, "Seccomp", &status.seccomp, 1) ||
       status.seccomp > WEIR_SECCOMP_FILTER))
    return -EPROTO;
  status.no_new_privs = no_new_privs == 1;
  *ret_status = status;
  return 0;
}

int
weir_status_read (int fd, struct weir_status *ret_status)
{
  size_t capacity = 8192, size = 0;
  char *text = NULL;
  int r = 0;

  for (;;)
    {
      char *larger = realloc (text, capacity);
      ssize_t n;

      if (larger == NULL)
        {
          r = -ENOMEM;
          break;
        }
      text = larger;
      n = pread (fd, text + size, capacity - size - 1, (off_t) size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        r = -errno;
      if (n <= 0)
        break;
      size += (size_t) n;
      if (size + 1 < capacity)
        continue;
      if (capacity == STATUS_SIZE_MAX)
        {
          r = -EFBIG;
          break;
        }
      capacity *= 2;
    }
  if (r == 0)
    {
      text[size] = '\0';
      r = strlen (text) == size ? weir_status_parse (text, ret_status) : -EPROTO;
    }
  free (text);
  return r;
}
