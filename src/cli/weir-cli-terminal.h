/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal while a program has all of it: keys as they are pressed, another screen, no cursor.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  WEIR_CLI_KEY_CHARACTER,
  WEIR_CLI_KEY_ENTER,
  WEIR_CLI_KEY_ESCAPE,
  WEIR_CLI_KEY_BACKSPACE,
  WEIR_CLI_KEY_CLEAR,     /* Ctrl+U */
  WEIR_CLI_KEY_INTERRUPT, /* Ctrl+C */
  WEIR_CLI_KEY_SUSPEND,   /* Ctrl+Z */
  WEIR_CLI_KEY_REDRAW,    /* Ctrl+L */
  WEIR_CLI_KEY_UP,
  WEIR_CLI_KEY_DOWN,
  WEIR_CLI_KEY_PAGE_UP,
  WEIR_CLI_KEY_PAGE_DOWN,
  WEIR_CLI_KEY_HOME,
  WEIR_CLI_KEY_END,
} WeirCliKeyName;

typedef struct
{
  WeirCliKeyName name;
  gunichar character; /* CHARACTER: printable */
} WeirCliKey;

typedef struct _WeirCliTerminal WeirCliTerminal;

/* Whether keys can be read and screens shown: both standard streams are a terminal that knows
 * escape sequences. */
gboolean
weir_cli_terminal_is_possible (void);

WeirCliTerminal *
weir_cli_terminal_new (void);
/* Gives it back as it was, unless that was done, and frees. */
void
weir_cli_terminal_free (WeirCliTerminal *self);
/* How the terminal reads keys; what it shows is up to the two texts below. */
gboolean
weir_cli_terminal_take (WeirCliTerminal *self, GError **error);
void
weir_cli_terminal_give_back (WeirCliTerminal *self);
/* To be written when it was taken, and before it is given back. */
extern const char weir_cli_terminal_enter[];
extern const char weir_cli_terminal_leave[];

/* At least 1 by 1. */
void
weir_cli_terminal_get_size (guint *ret_columns, guint *ret_rows);

/* Takes one key from *@input, which has *@size bytes, and moves both on.  FALSE: nothing left that
 * is a key; the beginning of a character may be. */
gboolean
weir_cli_terminal_read_key (const char **input, gsize *size, WeirCliKey *ret_key);

G_END_DECLS
