/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "weir-wire.h"

G_BEGIN_DECLS

/* What a process was started as: made safe to show, and never changed.  A field that is NULL was
 * not told. */
typedef struct
{
  enum weir_details_outcome outcome;
  char *exe;
  char *cwd;
  char *command;         /* as a shell would take it: arguments with blanks in them are quoted */
  gboolean command_late; /* the process kept its reader waiting */
  gboolean given_up;     /* path and folder: the engine may not see them any more */
} WeirProcessDetails;

/* What is cut ends in an ellipsis. */
WeirProcessDetails *
weir_process_details_new (const struct weir_details *details);
WeirProcessDetails *
weir_process_details_ref (WeirProcessDetails *self);
void
weir_process_details_unref (WeirProcessDetails *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeirProcessDetails, weir_process_details_unref)

/* Why there is nothing, or not all, in a sentence for people; NULL: there is all. */
const char *
weir_process_details_get_reason (const WeirProcessDetails *self);

G_END_DECLS
