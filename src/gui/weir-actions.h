/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The one table of what the application can be told to do.  From it follow the actions, their
 * accelerators, the dialog that lists them and a test.
 *
 * Scopes:
 *   app, win   made from the table, and seen on the session bus: nothing here may elevate or leak
 *   view       made by the window for widgets inside it only; never on the bus
 *   list       made by the list of connections; their keys work only while it has the focus
 *   window, "" the toolkit's own, or plain keys: listed, and given accelerators where there are any
 */
typedef enum
{
  WEIR_SECTION_GENERAL,
  WEIR_SECTION_LIST,
  WEIR_SECTION_WINDOW,
  WEIR_N_SECTIONS,
  WEIR_SECTION_NONE, /* not in the dialog */
} WeirActionSection;

typedef struct
{
  const char *name;  /* "win.pause" */
  const char *title; /* in the dialog; never NULL */
  WeirActionSection section;
  const char *accels[3]; /* NULL after the last */
  /* app and win: exactly one of these.  @owner is the application or the window. */
  void (*activate) (gpointer owner, GVariant *parameter);
  const char *property; /* of the owner: a boolean becomes a toggle */
  const char *parameter_type;
} WeirAction;

const WeirAction *
weir_actions_get (guint *ret_n);
const char *
weir_actions_get_section_title (WeirActionSection section);

/* Makes all actions of @scope ("app", "win") for @owner and adds them to @map. */
void
weir_actions_add (GActionMap *map, const char *scope, GObject *owner);
void
weir_actions_set_accels (GtkApplication *application);
/* For scopes whose keys must not work elsewhere: an entry keeps its own Ctrl+C. */
void
weir_actions_add_local_shortcuts (GtkShortcutController *controller, const char *scope);

G_END_DECLS
