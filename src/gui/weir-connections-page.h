/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-connection-list.h"
#include "weir-session.h"

G_BEGIN_DECLS

/* The list of connections with the chart of the whole computer above it and the details of one of
 * them beside it or, where it is narrow, in a sheet.
 *
 * Properties, all readable, writable and notifying:
 *   narrow, medium  gboolean: how much room there is
 *   show-details    gboolean: whether the pane or the sheet is open
 *   paused          gboolean: nothing changes until it is off again
 *   title-count     string, not writable: "142 of 1,204"
 *   total           guint, not writable: rows before the filter */
#define WEIR_TYPE_CONNECTIONS_PAGE (weir_connections_page_get_type ())
G_DECLARE_FINAL_TYPE (WeirConnectionsPage, weir_connections_page, WEIR, CONNECTIONS_PAGE, AdwBin)

/* Once. */
void
weir_connections_page_set_session (WeirConnectionsPage *self, WeirSession *session,
                                   GSettings *settings);
/* An expression of the filter language; NULL or empty for all rows.  A mistake (WEIR_FILTER_ERROR)
 * leaves the last valid filter in force. */
gboolean
weir_connections_page_set_filter (WeirConnectionsPage *self, const char *text, GError **error);
/* A person who has dismissed the question is not asked again. */
void
weir_connections_page_suppress_banner (WeirConnectionsPage *self);
/* Whether Escape has to close the sheet before anything else. */
gboolean
weir_connections_page_close_sheet (WeirConnectionsPage *self);

WeirSlotModel *
weir_connections_page_get_model (WeirConnectionsPage *self);
WeirConnectionList *
weir_connections_page_get_list (WeirConnectionsPage *self);

G_END_DECLS
