/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file is root's and nobody else's, which is checked before its first byte is read; but it is
 * read by root, in a process that has not given up anything yet, and people make mistakes.  So: one
 * pass over bytes with a length, no allocation, no locale, nothing that is taken over from the
 * file but numbers.
 *
 * A mistake costs the line, or the entry of a list, in which it is, and is told.  It never ends the
 * engine: who made the mistake has to be able to see that it was one.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "bpf/weir-bpf-layout.h"
#include "weir-config-parse.h"
#include "weir-slots.h"

/* Longer lines are no part of a configuration: 64 names of users fit. */
#define LINE_MAX_SIZE 4096

/* Names of users and groups that are looked up (LOGIN_NAME_MAX is 256). */
#define NAME_MAX_SIZE 256

struct slice
{
  const char *at;
  size_t size;
};

enum kind
{
  NUMBER,
  WORD,   /* of @words, by its place */
  SWITCH, /* yes or no */
  OFF,    /* no sets the bit @least */
  USERS,
  GROUPS,
};

struct option
{
  const char *section, *key;
  enum kind kind;
  size_t offset;        /* in struct weir_config */
  uint32_t least, most; /* of a number */
  const char *const *words;
};

static const char *const disclosures[] = { "owner", "permissive", "restricted", NULL };
static const char *const answers[] = { "no", "yes", NULL };

#define AT(field) offsetof (struct weir_config, field)

/* The whole language.  Numbers can only be made stricter than they are, but for the engines of one
 * user, which some machines have use for more of, and the kernel memory that bpf may take. */
static const struct option options[] = {
  { "poll", "min_interval_ms", NUMBER, AT (min_interval_ms), WEIR_INTERVAL_FLOOR_MS,
    WEIR_INTERVAL_CEILING_MS, NULL },
  { "limits", "rows_max", NUMBER, AT (rows_max), 1, WEIR_ROWS_MAX, NULL },
  { "limits", "flows_max", NUMBER, AT (flows_max), 1, WEIR_FLOWS_MAX, NULL },
  { "limits", "engines_per_user", NUMBER, AT (engines_per_user), 1, WEIR_ENGINES_PER_USER_MAX,
    NULL },
  { "limits", "bpf_flows_max", NUMBER, AT (bpf_flows_max), WEIR_BPF_FLOWS_MIN, WEIR_BPF_FLOWS_MAX,
    NULL },
  { "process_details", "disclosure", WORD, AT (disclosure), 0, 0, disclosures },
  { "process_details", "allow_users", USERS, AT (allow_users), 0, 0, NULL },
  { "process_details", "allow_groups", GROUPS, AT (allow_groups), 0, 0, NULL },
  { "confinement", "strict", SWITCH, AT (strict), 0, 0, NULL },
  { "confinement", "keep_capabilities", SWITCH, AT (keep_capabilities), 0, 0, NULL },
  { "sources", "conntrack", OFF, AT (off), WEIR_OFF_CONNTRACK, 0, NULL },
  { "sources", "owners", OFF, AT (off), WEIR_OFF_OWNERS, 0, NULL },
  { "sources", "namespaces", OFF, AT (off), WEIR_OFF_NAMESPACES, 0, NULL },
  { "sources", "bpf", OFF, AT (off), WEIR_OFF_BPF, 0, NULL },
};
#define N_OPTIONS (sizeof options / sizeof options[0])

struct parser
{
  struct weir_config *config;
  weir_config_find_func find;
  uint32_t line;
  const char *section; /* one of @options; NULL: none yet, or an unknown one */
  bool skipping;       /* an unknown one */
  bool given[N_OPTIONS];
};

const struct weir_config weir_config_defaults = {
  .min_interval_ms = WEIR_INTERVAL_FLOOR_MS,
  .rows_max = WEIR_ROWS_MAX,
  .flows_max = WEIR_FLOWS_MAX,
  .engines_per_user = WEIR_ENGINES_PER_USER,
  .bpf_flows_max = WEIR_BPF_FLOWS_DEFAULT,
  .disclosure = WEIR_DISCLOSE_OWN,
};

void
weir_config_note (struct weir_config *config, enum weir_notice_code code, uint32_t number,
                  const char *text, size_t size)
{
  struct weir_notice *notice;

  if (config->n_notices == WEIR_NOTICES_MAX)
    {
      notice = &config->notices[WEIR_NOTICES_MAX - 1];
      /* The one that gives up its place counts as well. */
      if (notice->code != WEIR_NOTICE_CONFIG_MORE)
        *notice = (struct weir_notice) { .code = WEIR_NOTICE_CONFIG_MORE, .number = 1 };
      notice->number++;
      return;
    }
  notice = &config->notices[config->n_notices++];
  *notice = (struct weir_notice) { .code = (uint16_t) code, .number = number };
  if (size > sizeof notice->text - 1)
    size = sizeof notice->text - 1;
  for (size_t i = 0; i < size; i++)
    {
      const unsigned char byte = (unsigned char) text[i];

      notice->text[i] = byte < ' ' || byte == 0x7f ? '?' : text[i];
    }
}

static void
complain (struct parser *parser, enum weir_notice_code code, struct slice about)
{
  weir_config_note (parser->config, code, parser->line, about.at, about.size);
}

/* ---- slices ---- */

static bool
is_blank (char byte)
{
  return byte == ' ' || byte == '\t';
}

static struct slice
trim (struct slice text)
{
  while (text.size > 0 && is_blank (text.at[0]))
    {
      text.at++;
      text.size--;
    }
  while (text.size > 0 && is_blank (text.at[text.size - 1]))
    text.size--;
  return text;
}

static bool
equals (struct slice text, const char *word)
{
  return text.size == strlen (word) && memcmp (text.at, word, text.size) == 0;
}

/* Digits only, in the one spelling that has no leading zero. */
static bool
read_number (struct slice text, uint32_t *ret_number)
{
  uint64_t number = 0;

  if (text.size == 0 || text.size > 10 || (text.size > 1 && text.at[0] == '0'))
    return false;
  for (size_t i = 0; i < text.size; i++)
    {
      if (text.at[i] < '0' || text.at[i] > '9')
        return false;
      number = number * 10 + (uint64_t) (text.at[i] - '0');
    }
  if (number > UINT32_MAX)
    return false;
  *ret_number = (uint32_t) number;
  return true;
}

static bool
read_word (struct slice text, const char *const *words, uint32_t *ret_place)
{
  for (uint32_t i = 0; words[i] != NULL; i++)
    if (equals (text, words[i]))
      {
        *ret_place = i;
        return true;
      }
  return false;
}

/* ---- values ---- */

/* A number, or the name of somebody.  The highest is the kernel's "nobody in particular". */
static bool
find_id (struct parser *parser, bool group, struct slice entry, uint32_t *ret_id)
{
  char name[NAME_MAX_SIZE];

  if (read_number (entry, ret_id))
    return *ret_id != UINT32_MAX;
  if (entry.size >= sizeof name || memchr (entry.at, '\0', entry.size) != NULL)
    return false;
  memcpy (name, entry.at, entry.size);
  name[entry.size] = '\0';
  return parser->find (group, name, ret_id) == 0;
}

static bool
is_separator (char byte)
{
  return is_blank (byte) || byte == ',';
}

static void
read_ids (struct parser *parser, const struct option *option, struct slice value)
{
  struct weir_config_ids *list =
      (struct weir_config_ids *) ((char *) parser->config + option->offset);
  size_t at = 0;

  list->given = true;
  while (at < value.size)
    {
      struct slice entry = { value.at + at, 0 };
      uint32_t id;

      while (at < value.size && !is_separator (value.at[at]))
        at++;
      entry.size = (size_t) (value.at + at - entry.at);
      while (at < value.size && is_separator (value.at[at]))
        at++;
      if (entry.size == 0)
        continue;
      if (list->n == WEIR_CONFIG_IDS_MAX)
        {
          complain (parser, WEIR_NOTICE_CONFIG_TOO_MANY,
                    (struct slice) { option->key, strlen (option->key) });
          return;
        }
      if (find_id (parser, option->kind == GROUPS, entry, &id))
        list->ids[list->n++] = id;
      else
        complain (parser, WEIR_NOTICE_CONFIG_UNKNOWN_NAME, entry);
    }
}

static bool
read_value (struct parser *parser, const struct option *option, struct slice value)
{
  uint32_t *field = (uint32_t *) ((char *) parser->config + option->offset);
  uint32_t number;

  switch (option->kind)
    {
    case NUMBER:
      if (!read_number (value, &number) || number < option->least || number > option->most)
        return false;
      *field = number;
      return true;
    case WORD:
      return read_word (value, option->words, field);
    case SWITCH:
      return read_word (value, answers, field);
    case OFF:
      if (!read_word (value, answers, &number))
        return false;
      *field |= number == 0 ? option->least : 0;
      return true;
    case USERS:
    case GROUPS:
      read_ids (parser, option, value);
      return true;
    }
  return false;
}

/* ---- lines ---- */

static void
read_section (struct parser *parser, struct slice name)
{
  parser->section = NULL;
  for (size_t i = 0; i < N_OPTIONS && parser->section == NULL; i++)
    if (equals (name, options[i].section))
      parser->section = options[i].section;
  parser->skipping = parser->section == NULL;
  if (parser->skipping)
    complain (parser, WEIR_NOTICE_CONFIG_UNKNOWN_SECTION, name);
}

static void
read_setting (struct parser *parser, struct slice line, struct slice key, struct slice value)
{
  for (size_t i = 0; i < N_OPTIONS; i++)
    {
      if (strcmp (options[i].section, parser->section) != 0 || !equals (key, options[i].key))
        continue;
      if (parser->given[i])
        complain (parser, WEIR_NOTICE_CONFIG_REPEATED, key);
      else if (!read_value (parser, &options[i], value))
        complain (parser, WEIR_NOTICE_CONFIG_BAD_VALUE, line);
      else
        parser->given[i] = true;
      return;
    }
  complain (parser, WEIR_NOTICE_CONFIG_UNKNOWN_KEY, key);
}

static void
read_line (struct parser *parser, struct slice line)
{
  const char *equal;
  struct slice key, value;

  line = trim (line);
  if (line.size == 0 || line.at[0] == '#' || line.at[0] == ';')
    return;
  if (line.size > LINE_MAX_SIZE)
    {
      complain (parser, WEIR_NOTICE_CONFIG_SYNTAX, line);
      return;
    }
  if (line.size >= 2 && line.at[0] == '[' && line.at[line.size - 1] == ']')
    {
      read_section (parser, trim ((struct slice) { line.at + 1, line.size - 2 }));
      return;
    }
  /* Nobody knows what is meant there: the section has been told about. */
  if (parser->skipping)
    return;
  equal = memchr (line.at, '=', line.size);
  if (equal == NULL || equal == line.at || parser->section == NULL)
    {
      complain (parser, WEIR_NOTICE_CONFIG_SYNTAX, line);
      return;
    }
  key = trim ((struct slice) { line.at, (size_t) (equal - line.at) });
  value = trim ((struct slice) { equal + 1, line.size - (size_t) (equal + 1 - line.at) });
  read_setting (parser, line, key, value);
}

void
weir_config_parse (const char *text, size_t size, weir_config_find_func find,
                   struct weir_config *config)
{
  struct parser parser = { .config = config, .find = find };

  while (size > 0)
    {
      const char *end = memchr (text, '\n', size);
      struct slice line = { text, end != NULL ? (size_t) (end - text) : size };
      const size_t taken = end != NULL ? line.size + 1 : line.size;

      parser.line++;
      if (line.size > 0 && line.at[line.size - 1] == '\r')
        line.size--;
      read_line (&parser, line);
      text += taken;
      size -= taken;
    }
}
