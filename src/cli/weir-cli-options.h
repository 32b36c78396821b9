/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was asked for on the command line. */
#pragma once

#include "weir-export.h"
#include "weir-filter.h"

G_BEGIN_DECLS

/* docs/cli.md; scripts rely on them. */
typedef enum
{
  WEIR_CLI_EXIT_DONE = 0, /* also when it was interrupted, or nobody reads any more */
  WEIR_CLI_EXIT_FAILED = 1,
  WEIR_CLI_EXIT_USAGE = 2,
  WEIR_CLI_EXIT_NOT_FULL = 3, /* the full view, or accounting, was asked for and is not to be had */
} WeirCliExit;

typedef struct _WeirCliCommand WeirCliCommand;

typedef struct
{
  const WeirCliCommand *command;
  WeirFilter *filter; /* never NULL */
  char *filter_text;
  guint interval_ms;
  double duration; /* seconds; -1: not said */
  gboolean full;
  gboolean accounting; /* only with @full */
  char *output;        /* a path, or NULL */
  WeirExportFormat format;
} WeirCliOptions;

/* Returns FALSE when all is said already: a mistake was explained, or help was printed;
 * @ret_exit is how to end then. */
gboolean
weir_cli_options_parse (WeirCliOptions *options, char **arguments, WeirCliExit *ret_exit);
void
weir_cli_options_clear (WeirCliOptions *options);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeirCliOptions, weir_cli_options_clear)

G_END_DECLS
