/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all commands share: a session until there is enough, or until somebody or something ends
 * it. */
#pragma once

#include "weir-cli-options.h"
#include "weir-cli-text.h"
#include "weir-session.h"

G_BEGIN_DECLS

typedef struct
{
  const WeirCliOptions *options;
  WeirSession *session;
  GMainLoop *loop;
  guint n_ticks;    /* in the view that was asked for */
  gpointer data;    /* the command's own */
  WeirCliExit exit; /* as things stand */
  gboolean ended;
  char *reason; /* of a failure, or NULL */
  guint deadline;
  GPtrArray *watches; /* of signals and standard output */
} WeirCliRun;

/* Options that mean something to a command. */
typedef enum
{
  WEIR_CLI_TAKES_DURATION = 1 << 0,
  WEIR_CLI_TAKES_OUTPUT = 1 << 1, /* and needs it */
  WEIR_CLI_TAKES_NO_FILTER = 1 << 2,
} WeirCliTakes;

struct _WeirCliCommand
{
  const char *name;
  const char *summary; /* to be translated */
  WeirCliTakes takes;
  gboolean writes_all; /* whatever there was, and not what one could look at */
  /* What does not measure does it all here, and has none of those below. */
  WeirCliExit (*run) (const WeirCliOptions *options);
  /* Before anything is measured; FALSE: it cannot run here. */
  gboolean (*begin) (WeirCliRun *run, GError **error);
  /* After each tick in the view that was asked for. */
  void (*tick) (WeirCliRun *run);
  /* When connections were told of before a tick; NULL: it does not want that. */
  void (*news) (WeirCliRun *run);
  /* Once, however it ends, if begin did well: the rest of the output.  Ticks may have been none. */
  void (*end) (WeirCliRun *run);
};

extern const WeirCliCommand weir_cli_stream, weir_cli_record, weir_cli_top, weir_cli_apps,
    weir_cli_listeners, weir_cli_sources, weir_cli_namespaces, weir_cli_ledger, weir_cli_selftest;

WeirCliExit
weir_cli_run (const WeirCliOptions *options);
/* There is enough. */
void
weir_cli_run_quit (WeirCliRun *run);
/* Quits; @message says why on standard error when the command has ended its output. */
void
weir_cli_run_fail (WeirCliRun *run, WeirCliExit exit, const char *message);

/* Writes a table (see weir_cli_text_make_table()) and what comes after it to standard output. */
void
weir_cli_run_write_table (WeirCliRun *run, const WeirCliColumn *columns, guint n_columns,
                          GPtrArray *rows, const char *rest);

/* "weir-cli: message" on standard error. */
void
weir_cli_complain (const char *message);

G_END_DECLS
