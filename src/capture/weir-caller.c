/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "weir-caller.h"

void
weir_caller_note (struct weir_origin *ret_origin)
{
  struct weir_origin origin = { 0 };
  const char *text = getenv ("PKEXEC_UID");

  /* getresuid(2) fails for bad pointers only; were it ever to, nobody's uid is verified as nobody.
   */
  if (getresuid (&origin.real_uid, &origin.effective_uid, &origin.saved_uid) < 0)
    origin.real_uid = origin.effective_uid = origin.saved_uid = (uid_t) -1;
  origin.secure = getauxval (AT_SECURE) != 0;
  if (text != NULL)
    {
      size_t length = strlen (text);

      origin.has_pkexec_uid = true;
      if (length < sizeof origin.pkexec_uid)
        memcpy (origin.pkexec_uid, text, length + 1);
    }
  *ret_origin = origin;
}

bool
weir_caller_inform (const struct weir_origin *origin, int argc, char **argv)
{
  if (origin->effective_uid == 0 || origin->secure || argc != 2)
    return false;
  if (strcmp (argv[1], "--version") == 0)
    {
      puts ("weir-engine " WEIR_VERSION);
      return true;
    }
  if (strcmp (argv[1], "--help") == 0)
    {
      puts ("weir-engine measures the connections of this computer for Weir, which starts it:\n"
            "  weir-engine --handoff DIRECTORY              connect to DIRECTORY/socket\n"
            "  weir-engine --handoff-accounting DIRECTORY   the same, and count bytes\n"
            "  weir-engine --self-test [--without LAYER]... try what is forbidden to it\n"
            "  weir-engine --version");
      return true;
    }
  return false;
}

int
weir_caller_parse_uid (const char *text, uid_t *ret_uid)
{
  uint64_t value = 0;
  size_t i;

  /* Digits only, so neither a sign nor white space nor a base that strtoul(3) would accept; and
   * only the one spelling that pkexec prints. */
  for (i = 0; text[i] != '\0'; i++)
    {
      if (text[i] < '0' || text[i] > '9' || i >= 10)
        return -EINVAL;
      value = value * 10 + (uint64_t) (text[i] - '0');
    }
  if (i == 0 || (i > 1 && text[0] == '0') || value >= UINT32_MAX)
    return -EINVAL;
  *ret_uid = (uid_t) value;
  return 0;
}

/* PKEXEC_UID is a claim of whoever made our environment.  It is worth something only when that was
 * root: all three uids are 0 (an ordinary user cannot have that), and AT_SECURE is 0 (the uids are
 * not what a set-user-id bit or file capabilities made of an ordinary user's exec). */
static int
find_uid (const struct weir_origin *origin, uid_t *ret_uid, bool *ret_elevated)
{
  uid_t uid = origin->real_uid;

  /* Nobody installs the engine set-user-id; the caller of such a copy would be root only in part.
   */
  if (origin->effective_uid != uid || origin->saved_uid != uid || uid == (uid_t) -1)
    return -EINVAL;

  if (uid != 0)
    {
      *ret_uid = uid;
      *ret_elevated = false;
      return 0;
    }

  if (origin->secure)
    return -EINVAL;
  if (origin->has_pkexec_uid && weir_caller_parse_uid (origin->pkexec_uid, &uid) < 0)
    return -EINVAL;
  *ret_uid = uid;
  *ret_elevated = true;
  return 0;
}

int
weir_caller_verify (const struct weir_origin *origin, int argc, char **argv,
                    struct weir_caller *ret_caller)
{
  struct weir_caller caller = { 0 };
  size_t length;

  if (find_uid (origin, &caller.uid, &caller.elevated) < 0)
    return -EINVAL;

  /* argv[0] is the caller's choice and is never looked at.  polkit told the two actions apart by
   * argv[1], so nothing that follows it may change what the engine does. */
  if (argc != 3 || argv[1] == NULL || argv[2] == NULL)
    return -EINVAL;
  if (strcmp (argv[1], "--handoff-accounting") == 0)
    caller.accounting = true;
  else if (strcmp (argv[1], "--handoff") != 0)
    return -EINVAL;

  length = strnlen (argv[2], PATH_MAX);
  if (argv[2][0] != '/' || length >= PATH_MAX)
    return -EINVAL;
  caller.directory = argv[2];

  *ret_caller = caller;
  return 0;
}
