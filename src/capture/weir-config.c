/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "weir-config-parse.h"
#include "weir-config-read.h"

/* NGROUPS_MAX of the kernel. */
#define GROUPS_MAX 65536

/* Not getpwnam(3) and getgrnam(3): the name service switch would load other people's code into a
 * root process.  Whom only a directory service knows is written down as a number. */
static int
find_user (const char *name, uint32_t *ret_id)
{
  struct passwd *entry;
  FILE *file = fopen ("/etc/passwd", "re");
  int r = -ENOENT;

  while (file != NULL && r < 0 && (entry = fgetpwent (file)) != NULL)
    if (strcmp (entry->pw_name, name) == 0)
      {
        *ret_id = entry->pw_uid;
        r = 0;
      }
  if (file != NULL)
    fclose (file);
  return r;
}

static int
find_group (const char *name, uint32_t *ret_id)
{
  struct group *entry;
  FILE *file = fopen ("/etc/group", "re");
  int r = -ENOENT;

  while (file != NULL && r < 0 && (entry = fgetgrent (file)) != NULL)
    if (strcmp (entry->gr_name, name) == 0)
      {
        *ret_id = entry->gr_gid;
        r = 0;
      }
  if (file != NULL)
    fclose (file);
  return r;
}

static int
find (bool group, const char *name, uint32_t *ret_id)
{
  return group ? find_group (name, ret_id) : find_user (name, ret_id);
}

void
weir_config_load (const char *directory, bool elevated, struct weir_config *ret_config)
{
  struct weir_notice problem = { 0 };
  char *text;
  ssize_t n;

  *ret_config = weir_config_defaults;
  text = malloc (WEIR_CONFIG_SIZE_MAX);
  if (text == NULL)
    {
      weir_config_note (ret_config, WEIR_NOTICE_CONFIG_UNREADABLE, ENOMEM, directory,
                        strlen (directory));
      return;
    }
  n = weir_config_read (directory, text, WEIR_CONFIG_SIZE_MAX, &problem);
  if (n >= 0)
    weir_config_parse (text, (size_t) n, find, ret_config);
  else if (n != -ENOENT && (elevated || n != -EACCES))
    weir_config_note (ret_config, (enum weir_notice_code) problem.code, problem.number,
                      problem.text, strlen (problem.text));
  free (text);
}

const struct weir_config *
weir_config_or_defaults (const struct weir_config *config)
{
  return config != NULL ? config : &weir_config_defaults;
}

static bool
lists (const struct weir_config_ids *list, uint32_t id)
{
  for (uint32_t i = 0; i < list->n; i++)
    if (list->ids[i] == id)
      return true;
  return false;
}

/* Without any list everybody is on it: whoever has an engine was authorised to.  One of which no
 * entry was understood is a list all the same. */
static bool
is_allowed (const struct weir_config *config, uid_t uid, const gid_t *groups, size_t n_groups)
{
  if (!config->allow_users.given && !config->allow_groups.given)
    return true;
  if (lists (&config->allow_users, uid))
    return true;
  for (size_t i = 0; i < n_groups; i++)
    if (lists (&config->allow_groups, groups[i]))
      return true;
  return false;
}

enum weir_disclosure
weir_config_disclose (const struct weir_config *config, uid_t uid, const gid_t *groups,
                      size_t n_groups)
{
  if (config->disclosure == WEIR_DISCLOSE_ALL && !is_allowed (config, uid, groups, n_groups))
    return WEIR_DISCLOSE_OWN;
  return (enum weir_disclosure) config->disclosure;
}

enum weir_disclosure
weir_config_disclose_to_peer (const struct weir_config *config, uid_t uid, int client)
{
  socklen_t size = (GROUPS_MAX + 1) * sizeof (gid_t), credentials_size = sizeof (struct ucred);
  enum weir_disclosure disclosure;
  struct ucred credentials;
  gid_t *groups;
  size_t n = 0;

  /* Who is not known to be in a group is in none. */
  groups = malloc (size);
  if (groups != NULL &&
      getsockopt (client, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_size) == 0)
    groups[n++] = credentials.gid;
  size -= sizeof (gid_t);
  if (n == 1 && getsockopt (client, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) == 0)
    n += size / sizeof (gid_t);
  disclosure = weir_config_disclose (config, uid, groups, n);
  free (groups);
  return disclosure;
}
