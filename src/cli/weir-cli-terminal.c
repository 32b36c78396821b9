/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-cli-terminal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ttydefaults.h>
#include <termios.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib/gi18n.h>

#define ESCAPE 0x1b
#define DELETE 0x7f
/* Of UTF-8: what has so many bytes is not the beginning of one. */
#define CHARACTER_BYTES_MAX 4
#define COLUMNS_DEFAULT     80
#define ROWS_DEFAULT        24

/* Alternate screen, no cursor, no wrapping at the right edge; console_codes(4) and xterm. */
const char weir_cli_terminal_enter[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const char weir_cli_terminal_leave[] = "\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l";

struct _WeirCliTerminal
{
  struct termios before;
  gboolean taken;
};

/* What keys send after the escape character. */
static const struct
{
  const char *sequence;
  WeirCliKeyName name;
} sequences[] = {
  { "[A", WEIR_CLI_KEY_UP },   { "OA", WEIR_CLI_KEY_UP },       { "[B", WEIR_CLI_KEY_DOWN },
  { "OB", WEIR_CLI_KEY_DOWN }, { "[5~", WEIR_CLI_KEY_PAGE_UP }, { "[6~", WEIR_CLI_KEY_PAGE_DOWN },
  { "[H", WEIR_CLI_KEY_HOME }, { "OH", WEIR_CLI_KEY_HOME },     { "[1~", WEIR_CLI_KEY_HOME },
  { "[F", WEIR_CLI_KEY_END },  { "OF", WEIR_CLI_KEY_END },      { "[4~", WEIR_CLI_KEY_END },
};

static const struct
{
  char byte;
  WeirCliKeyName name;
} controls[] = {
  { '\r', WEIR_CLI_KEY_ENTER },         { '\n', WEIR_CLI_KEY_ENTER },
  { '\b', WEIR_CLI_KEY_BACKSPACE },     { DELETE, WEIR_CLI_KEY_BACKSPACE },
  { CTRL ('U'), WEIR_CLI_KEY_CLEAR },   { CTRL ('C'), WEIR_CLI_KEY_INTERRUPT },
  { CTRL ('Z'), WEIR_CLI_KEY_SUSPEND }, { CTRL ('L'), WEIR_CLI_KEY_REDRAW },
};

gboolean
weir_cli_terminal_is_possible (void)
{
  const char *name = g_getenv ("TERM");

  return isatty (STDIN_FILENO) && isatty (STDOUT_FILENO) && name != NULL && *name != '\0' &&
         !g_str_equal (name, "dumb");
}

WeirCliTerminal *
weir_cli_terminal_new (void)
{
  return g_new0 (WeirCliTerminal, 1);
}

void
weir_cli_terminal_free (WeirCliTerminal *self)
{
  weir_cli_terminal_give_back (self);
  g_free (self);
}

gboolean
weir_cli_terminal_take (WeirCliTerminal *self, GError **error)
{
  struct termios raw;

  if (tcgetattr (STDIN_FILENO, &self->before) == 0)
    {
      raw = self->before;
      /* Ctrl+C and Ctrl+Z come as keys, so that the screen is given back first. */
      raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO | ISIG | IEXTEN);
      raw.c_iflag &= ~(tcflag_t) (ICRNL | INLCR);
      raw.c_oflag &= ~(tcflag_t) OPOST;
      raw.c_cc[VMIN] = 1;
      raw.c_cc[VTIME] = 0;
      self->taken = tcsetattr (STDIN_FILENO, TCSADRAIN, &raw) == 0;
    }
  if (self->taken)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               _ ("The terminal cannot be used: %s"), g_strerror (errno));
  return FALSE;
}

void
weir_cli_terminal_give_back (WeirCliTerminal *self)
{
  /* A terminal that is gone needs nothing back. */
  if (self->taken && tcsetattr (STDIN_FILENO, TCSADRAIN, &self->before) < 0)
    g_debug ("tcsetattr: %s", g_strerror (errno));
  self->taken = FALSE;
}

void
weir_cli_terminal_get_size (guint *ret_columns, guint *ret_rows)
{
  struct winsize size = { 0 };

  /* A terminal without a size (a serial line) says 0. */
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
    size = (struct winsize) { 0 };
  *ret_columns = size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
  *ret_rows = size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
}

/* The whole of a sequence that is not in the table, so that its end is not taken for letters. */
static gsize
get_sequence_length (const char *input, gsize size)
{
  gsize length = 1;

  if (size < 2 || (input[0] != '[' && input[0] != 'O'))
    return 0;
  /* Parameters and intermediates, then one final byte: ECMA-48, 5.4. */
  while (length < size && input[length] >= 0x20 && input[length] < 0x40)
    length++;
  return MIN (length + 1, size);
}

/* After an escape character. */
static void
read_sequence (const char **input, gsize *size, WeirCliKey *ret_key)
{
  gsize length = get_sequence_length (*input, *size);

  /* Alone, it is the key. */
  ret_key->name = WEIR_CLI_KEY_ESCAPE;
  if (length == 0)
    return;
  ret_key->name = WEIR_CLI_KEY_CHARACTER;
  ret_key->character = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (sequences); i++)
    if (strlen (sequences[i].sequence) == length &&
        memcmp (sequences[i].sequence, *input, length) == 0)
      ret_key->name = sequences[i].name;
  *input += length;
  *size -= length;
}

static gboolean
read_one (const char **input, gsize *size, WeirCliKey *ret_key)
{
  const char *at = *input;

  *ret_key = (WeirCliKey) { WEIR_CLI_KEY_CHARACTER, 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (controls); i++)
    if (*at == controls[i].byte)
      {
        ret_key->name = controls[i].name;
        (*input)++;
        (*size)--;
        return TRUE;
      }
  if (*at == ESCAPE)
    {
      (*input)++;
      (*size)--;
      read_sequence (input, size, ret_key);
      return TRUE;
    }
  gunichar c = g_utf8_get_char_validated (at, *size);
  /* The same answer is given for a NUL, which Ctrl+Space sends, here or inside. */
  if (c == (gunichar) -2 && *size < CHARACTER_BYTES_MAX && memchr (at, '\0', *size) == NULL)
    return FALSE;
  gboolean is_character = c != (gunichar) -1 && c != (gunichar) -2;
  gsize length = is_character ? g_utf8_next_char (at) - at : 1;
  *input += length;
  *size -= length;
  if (is_character && g_unichar_isprint (c))
    ret_key->character = c;
  return TRUE;
}

gboolean
weir_cli_terminal_read_key (const char **input, gsize *size, WeirCliKey *ret_key)
{
  while (*size > 0)
    {
      if (!read_one (input, size, ret_key))
        return FALSE;
      /* Keys that mean nothing here are passed over. */
      if (ret_key->name != WEIR_CLI_KEY_CHARACTER || ret_key->character != 0)
        return TRUE;
    }
  return FALSE;
}
