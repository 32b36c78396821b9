/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-connections-page.h"

#include <glib/gi18n.h>

#include "weir-details.h"
#include "weir-notice-banner.h"
#include "weir-filter.h"
#include "weir-format.h"
#include "weir-traffic-card.h"

/* A spinner that flashes up is worse than none. */
#define SPINNER_DELAY_MS 300
/* The banner comes when more than this share is missing, and goes when it is less than half of it,
 * so that it does not come and go all the time. */
#define BANNER_SHARE 0.02

#define SHEET_MARGIN 12

/* More than the chart's minute holds at the shortest interval; the history is longer. */
#define CHART_SAMPLES 256

struct _WeirConnectionsPage
{
  AdwBin parent_instance;

  AdwMultiLayoutView *layouts;
  AdwOverlaySplitView *split;
  WeirNoticeBanner *notice_banner;
  AdwBanner *banner;
  GtkStack *stack;
  AdwStatusPage *failed_page;
  WeirTrafficCard *card;
  GtkStack *rows;
  WeirConnectionList *list;
  GtkLabel *narrow_rates;
  GtkRevealer *pause_bar;
  GtkLabel *pause_label;
  WeirDetails *details;

  WeirSession *session;
  WeirSlotModel *model;
  char *title_count;
  char *paused_at;
  guint spinner_source;
  gboolean narrow, medium, show_details, paused;
  gboolean pane_was_open; /* before it got narrow */
  gboolean filtered;
  gboolean banner_suppressed;
};

G_DEFINE_FINAL_TYPE (WeirConnectionsPage, weir_connections_page, ADW_TYPE_BIN)

enum
{
  PROP_NARROW = 1,
  PROP_MEDIUM,
  PROP_SHOW_DETAILS,
  PROP_PAUSED,
  PROP_TITLE_COUNT,
  PROP_TOTAL,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* ---- what is shown ---- */

static gboolean
has_rows (WeirConnectionsPage *self)
{
  return weir_flow_store_get_last_tick (weir_session_get_flows (self->session)) != NULL;
}

static gboolean
show_spinner (gpointer data)
{
  WeirConnectionsPage *self = data;

  self->spinner_source = 0;
  gtk_stack_set_visible_child_name (self->stack, "starting");
  return G_SOURCE_REMOVE;
}

static void
update_state (WeirConnectionsPage *self)
{
  const char *name;

  switch (weir_session_get_state (self->session))
    {
    case WEIR_SESSION_FAILED:
      {
        const GError *failure = weir_session_get_failure (self->session);
        g_autofree char *message =
            g_markup_escape_text (failure != NULL ? failure->message : "", -1);

        adw_status_page_set_description (self->failed_page, message);
        name = "failed";
      }
      break;
    case WEIR_SESSION_IDLE:
    case WEIR_SESSION_STARTING:
    case WEIR_SESSION_AUTHORISING:
    case WEIR_SESSION_RUNNING:
    case WEIR_SESSION_NOT_ANSWERING:
    case WEIR_SESSION_STOPPING:
    default:
      name = has_rows (self) ? "live" : "blank";
      break;
    }
  if (!g_str_equal (name, "blank"))
    {
      g_clear_handle_id (&self->spinner_source, g_source_remove);
      gtk_stack_set_visible_child_name (self->stack, name);
    }
  else if (self->spinner_source == 0 &&
           !g_str_equal (gtk_stack_get_visible_child_name (self->stack), "starting"))
    {
      gtk_stack_set_visible_child_name (self->stack, "blank");
      self->spinner_source = g_timeout_add (SPINNER_DELAY_MS, show_spinner, self);
    }
}

static void
update_rows (WeirConnectionsPage *self)
{
  guint n_rows = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  guint total = weir_slot_model_get_total (self->model);
  g_autofree char *count = NULL;

  /* Before the first tick no figure is true, not even 0. */
  if (!has_rows (self))
    count = g_strdup ("");
  else if (self->filtered)
    /* Translators: rows that match the filter, all rows. */
    count = g_strdup_printf (_ ("%'u of %'u"), n_rows, total);
  else
    count = g_strdup_printf ("%'u", total);

  gtk_stack_set_visible_child_name (self->rows, n_rows > 0                    ? "list"
                                                : self->filtered && total > 0 ? "no-results"
                                                                              : "empty");
  if (g_set_str (&self->title_count, count))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TITLE_COUNT]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TOTAL]);
}

static void
update_banner (WeirConnectionsPage *self)
{
  double share = weir_session_get_unknown_share (self->session);
  double least = adw_banner_get_revealed (self->banner) ? BANNER_SHARE / 2 : BANNER_SHARE;
  WeirSessionState state = weir_session_get_state (self->session);
  gboolean running = state == WEIR_SESSION_RUNNING || state == WEIR_SESSION_AUTHORISING;
  gboolean reveal = running && share >= least && !self->paused && !self->banner_suppressed &&
                    weir_session_get_view (self->session) == WEIR_VIEW_LIMITED &&
                    weir_session_get_can_unlock (self->session);

  if (reveal)
    {
      int percent = (int) (share * 100 + 0.5);
      g_autofree char *title = g_strdup_printf (_ ("%d%% of traffic has no known app"), percent);

      adw_banner_set_title (self->banner, title);
    }
  adw_banner_set_revealed (self->banner, reveal);
}

static void
update_pause_bar (WeirConnectionsPage *self)
{
  guint n_waiting = weir_slot_model_get_waiting (self->model);
  g_autofree char *changes = NULL, *text = NULL;

  gtk_revealer_set_reveal_child (self->pause_bar, self->paused);
  if (!self->paused)
    return;
  changes = g_strdup_printf (ngettext ("%'u change waiting", "%'u changes waiting", n_waiting),
                             n_waiting);
  /* Translators: a time of day, and how much has happened since; keep the no-break space. */
  text = g_strdup_printf (_ ("Paused at %s\302\240· %s"), self->paused_at, changes);
  gtk_label_set_text (self->pause_label, text);
}

static void
update_colors (WeirConnectionsPage *self)
{
  GdkRGBA rx, tx;

  weir_traffic_card_get_colors (self->card, &rx, &tx);
  weir_connection_list_set_bar_colors (self->list, &rx, &tx);
}

/* ---- what happens ---- */

static void
fill_chart (WeirConnectionsPage *self)
{
  WeirHistory *history = weir_session_get_history (self->session);
  WeirChart *chart = weir_traffic_card_get_chart (self->card);
  guint n_samples = weir_history_get_n_samples (history);
  const WeirSample *newest = n_samples ? weir_history_get_sample (history, n_samples - 1) : NULL;
  double rx = newest != NULL ? newest->rx : WEIR_ABSENT,
         tx = newest != NULL ? newest->tx : WEIR_ABSENT;
  g_autofree char *received = weir_format_rate (rx, FALSE), *sent = weir_format_rate (tx, FALSE);
  g_autofree char *both = g_strdup_printf ("↓\302\240%s   ↑\302\240%s", received, sent);

  weir_chart_clear (chart);
  for (guint i = n_samples > CHART_SAMPLES ? n_samples - CHART_SAMPLES : 0; i < n_samples; i++)
    {
      const WeirSample *sample = weir_history_get_sample (history, i);

      weir_chart_push (chart, (gint64) sample->time, sample->rx, sample->tx);
    }
  weir_chart_update (chart);
  weir_traffic_card_set_rates (self->card, rx, tx);
  gtk_label_set_text (self->narrow_rates, both);
}

static void
on_history_changed (WeirConnectionsPage *self)
{
  if (!self->paused)
    fill_chart (self);
}

static void
on_tick (WeirConnectionsPage *self)
{
  const struct weir_tick *tick =
      weir_flow_store_get_last_tick (weir_session_get_flows (self->session));

  if (self->paused)
    update_pause_bar (self);
  else if (tick != NULL)
    weir_details_refresh (self->details, (gint64) tick->monotonic, (gint64) tick->interval);
  update_banner (self);
  update_state (self);
}

static void
on_refreshed (WeirConnectionsPage *self)
{
  update_colors (self);
  update_rows (self);
}

static void
on_session_changed (WeirConnectionsPage *self)
{
  update_state (self);
  update_banner (self);
}

static void
on_activated (WeirConnectionsPage *self, WeirFlow *flow)
{
  weir_details_set_flow (self->details, flow);
  g_object_set (self, "show-details", TRUE, NULL);
}

/* ---- properties ---- */

static void
set_room (WeirConnectionsPage *self, gboolean narrow, gboolean medium)
{
  gboolean got_tight = (narrow || medium) && !(self->narrow || self->medium);
  gboolean got_wide = !(narrow || medium) && (self->narrow || self->medium);

  self->narrow = narrow;
  self->medium = medium;
  weir_connection_list_set_room (self->list, narrow, medium);
  /* A pane that was beside the list would now cover it. */
  if (got_tight)
    {
      self->pane_was_open = self->show_details;
      g_object_set (self, "show-details", FALSE, NULL);
    }
  adw_overlay_split_view_set_collapsed (self->split, narrow || medium);
  adw_multi_layout_view_set_layout_name (self->layouts, narrow ? "sheet" : "pane");
  /* Below the sheet's handle. */
  gtk_widget_set_margin_top (GTK_WIDGET (self->details), narrow ? SHEET_MARGIN : 0);
  if (got_wide && self->pane_was_open)
    g_object_set (self, "show-details", TRUE, NULL);
}

/* Opened without a row: the one that is selected, if any. */
static void
set_show_details (WeirConnectionsPage *self, gboolean show)
{
  WeirFlow *flow;

  if (show == self->show_details)
    return;
  self->show_details = show;
  if (show && weir_details_get_flow (self->details) == NULL)
    {
      flow = weir_connection_list_get_selected (self->list);
      weir_details_set_flow (self->details, flow);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOW_DETAILS]);
}

/* While paused, rows are copies of how the flows were: the details change over to the same. */
static void
follow_pause (WeirConnectionsPage *self)
{
  WeirFlow *flow = weir_details_get_flow (self->details), *other = NULL;
  guint position;

  if (flow == NULL)
    return;
  if (!self->paused)
    other =
        weir_flow_store_lookup (weir_session_get_flows (self->session), weir_flow_get_id (flow));
  else if ((position = weir_slot_model_find (self->model, weir_flow_get_id (flow))) !=
           GTK_INVALID_LIST_POSITION)
    {
      g_autoptr (WeirSlot) slot = g_list_model_get_item (G_LIST_MODEL (self->model), position);

      other = weir_slot_get_flow (slot);
    }
  if (other != NULL)
    weir_details_set_flow (self->details, other);
}

static void
set_paused (WeirConnectionsPage *self, gboolean paused)
{
  if (paused == self->paused)
    return;
  self->paused = paused;
  if (paused)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_local ();

      g_free (self->paused_at);
      self->paused_at = g_date_time_format (now, "%X");
    }
  weir_slot_model_set_frozen (self->model, paused);
  follow_pause (self);
  update_pause_bar (self);
  update_banner (self);
  if (!paused)
    {
      fill_chart (self);
      on_tick (self);
    }
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PAUSED]);
}

static void
weir_connections_page_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeirConnectionsPage *self = WEIR_CONNECTIONS_PAGE (object);

  switch (id)
    {
    case PROP_NARROW:
      g_value_set_boolean (value, self->narrow);
      break;
    case PROP_MEDIUM:
      g_value_set_boolean (value, self->medium);
      break;
    case PROP_SHOW_DETAILS:
      g_value_set_boolean (value, self->show_details);
      break;
    case PROP_PAUSED:
      g_value_set_boolean (value, self->paused);
      break;
    case PROP_TITLE_COUNT:
      g_value_set_string (value, self->title_count);
      break;
    case PROP_TOTAL:
      g_value_set_uint (value, self->model != NULL ? weir_slot_model_get_total (self->model) : 0);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weir_connections_page_set_property (GObject *object, guint id, const GValue *value,
                                    GParamSpec *pspec)
{
  WeirConnectionsPage *self = WEIR_CONNECTIONS_PAGE (object);

  switch (id)
    {
    case PROP_NARROW:
      set_room (self, g_value_get_boolean (value), self->medium);
      break;
    case PROP_MEDIUM:
      set_room (self, self->narrow, g_value_get_boolean (value));
      break;
    case PROP_SHOW_DETAILS:
      set_show_details (self, g_value_get_boolean (value));
      break;
    case PROP_PAUSED:
      set_paused (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* ---- construction ---- */

static void
weir_connections_page_dispose (GObject *object)
{
  WeirConnectionsPage *self = WEIR_CONNECTIONS_PAGE (object);

  g_clear_handle_id (&self->spinner_source, g_source_remove);
  g_clear_object (&self->model);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (weir_connections_page_parent_class)->dispose (object);
}

static void
weir_connections_page_finalize (GObject *object)
{
  WeirConnectionsPage *self = WEIR_CONNECTIONS_PAGE (object);

  g_free (self->title_count);
  g_free (self->paused_at);
  G_OBJECT_CLASS (weir_connections_page_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags read_flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  properties[PROP_NARROW] = g_param_spec_boolean ("narrow", NULL, NULL, FALSE,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_MEDIUM] = g_param_spec_boolean ("medium", NULL, NULL, FALSE,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  properties[PROP_SHOW_DETAILS] = g_param_spec_boolean ("show-details", NULL, NULL, FALSE, flags);
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE, flags);
  properties[PROP_TITLE_COUNT] = g_param_spec_string ("title-count", NULL, NULL, NULL, read_flags);
  properties[PROP_TOTAL] = g_param_spec_uint ("total", NULL, NULL, 0, G_MAXUINT, 0, read_flags);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
weir_connections_page_class_init (WeirConnectionsPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = weir_connections_page_get_property;
  object_class->set_property = weir_connections_page_set_property;
  object_class->dispose = weir_connections_page_dispose;
  object_class->finalize = weir_connections_page_finalize;
  install_properties (object_class);

  g_type_ensure (WEIR_TYPE_CONNECTION_LIST);
  g_type_ensure (WEIR_TYPE_DETAILS);
  g_type_ensure (WEIR_TYPE_NOTICE_BANNER);
  g_type_ensure (WEIR_TYPE_TRAFFIC_CARD);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-connections-page.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, layouts);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, split);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, notice_banner);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, banner);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, failed_page);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, card);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, rows);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, list);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, narrow_rates);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, pause_bar);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, pause_label);
  gtk_widget_class_bind_template_child (widget_class, WeirConnectionsPage, details);
}

static void
weir_connections_page_init (WeirConnectionsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
weir_connections_page_set_session (WeirConnectionsPage *self, WeirSession *session,
                                   GSettings *settings)
{
  static const char *const watched[] = { "notify::state", "notify::view", "notify::can-unlock" };

  g_return_if_fail (WEIR_IS_CONNECTIONS_PAGE (self) && self->session == NULL);

  self->session = g_object_ref (session);
  self->model = weir_slot_model_new (weir_session_get_flows (session));
  /* Before the list connects its handler: its cells want the colours. */
  g_signal_connect_object (self->model, "refreshed", G_CALLBACK (on_refreshed), self,
                           G_CONNECT_SWAPPED);
  weir_connection_list_set_model (self->list, self->model, settings);
  weir_details_set_icons (self->details, weir_connection_list_get_icons (self->list));
  g_signal_connect_object (self->list, "activated", G_CALLBACK (on_activated), self,
                           G_CONNECT_SWAPPED);

  g_signal_connect_object (weir_session_get_history (session), "changed",
                           G_CALLBACK (on_history_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (weir_session_get_flows (session), "tick", G_CALLBACK (on_tick), self,
                           G_CONNECT_SWAPPED);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (session, watched[i], G_CALLBACK (on_session_changed), self,
                             G_CONNECT_SWAPPED);
  weir_notice_banner_set_session (self->notice_banner, session);
  weir_details_set_session (self->details, session);
  fill_chart (self);
  on_refreshed (self);
  on_session_changed (self);
}

gboolean
weir_connections_page_set_filter (WeirConnectionsPage *self, const char *text, GError **error)
{
  g_autoptr (WeirFilter) filter = NULL;

  g_return_val_if_fail (WEIR_IS_CONNECTIONS_PAGE (self), FALSE);

  filter = weir_filter_new (text, error);
  if (filter == NULL)
    return FALSE;
  self->filtered = !weir_filter_is_empty (filter);
  weir_slot_model_set_filter (self->model, filter);
  update_rows (self);
  return TRUE;
}

void
weir_connections_page_suppress_banner (WeirConnectionsPage *self)
{
  g_return_if_fail (WEIR_IS_CONNECTIONS_PAGE (self));
  self->banner_suppressed = TRUE;
  update_banner (self);
}

gboolean
weir_connections_page_close_sheet (WeirConnectionsPage *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTIONS_PAGE (self), FALSE);

  if (!self->show_details || !(self->narrow || self->medium))
    return FALSE;
  g_object_set (self, "show-details", FALSE, NULL);
  return TRUE;
}

WeirSlotModel *
weir_connections_page_get_model (WeirConnectionsPage *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTIONS_PAGE (self), NULL);
  return self->model;
}

WeirConnectionList *
weir_connections_page_get_list (WeirConnectionsPage *self)
{
  g_return_val_if_fail (WEIR_IS_CONNECTIONS_PAGE (self), NULL);
  return self->list;
}
