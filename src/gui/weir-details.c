/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-details.h"

#include <glib/gi18n.h>
#include <netinet/in.h>

#include "weir-columns.h"
#include "weir-format.h"
#include "weir-process-group.h"
#include "weir-source-words.h"
#include "weir-traffic-card.h"
#include "weir-words.h"

#define ICON_SIZE 40
/* Between two samples when the engine did not say. */
#define DEFAULT_INTERVAL G_GINT64_CONSTANT (1000000000)

struct _WeirDetails
{
  AdwBin parent_instance;

  GtkStack *stack;
  GtkImage *icon;
  GtkLabel *app;
  GtkLabel *remote;
  GtkWidget *closed;
  WeirTrafficCard *card;
  WeirProcessGroup *process_group;
  AdwActionRow *process_row, *opener_row, *owner_row;
  AdwActionRow *state_row, *direction_row, *local_row, *remote_row, *nat_row, *rtt_row,
      *retransmits_row;
  AdwActionRow *rx_row, *tx_row, *source_row;

  WeirAppIcons *icons;
  WeirFlow *flow;
  gint64 time, interval;
};

G_DEFINE_FINAL_TYPE (WeirDetails, weir_details, ADW_TYPE_BIN)

/* A selectable label loses its selection when its text is set, even to the same. */
static void
set_text (AdwActionRow *row, const char *text)
{
  if (g_strcmp0 (adw_action_row_get_subtitle (row), text) != 0)
    adw_action_row_set_subtitle (row, text);
}

static void
take_text (AdwActionRow *row, char *text)
{
  set_text (row, text);
  g_free (text);
}

/* Addresses stay left to right in every language: U+2066 and U+2069 isolate them. */
static void
set_address (AdwActionRow *row, const char *address)
{
  take_text (row, g_strdup_printf ("\342\201\246%s\342\201\251", address));
}

static void
refresh_header (WeirDetails *self)
{
  g_autoptr (GString) scratch = g_string_new (NULL);

  gtk_image_set_from_paintable (self->icon,
                                weir_app_icons_get_paintable (self->icons, self->flow, ICON_SIZE));
  gtk_label_set_text (self->app, weir_columns_app_text (self->flow, self->icons, scratch));
  gtk_label_set_text (self->remote, weir_flow_get_remote (self->flow));
  gtk_widget_set_visible (self->closed, weir_flow_is_closed (self->flow));
}

static void
refresh_chart (WeirDetails *self)
{
  WeirChart *chart = weir_traffic_card_get_chart (self->card);
  gboolean closed = weir_flow_is_closed (self->flow);
  float rx[WEIR_FLOW_HISTORY], tx[WEIR_FLOW_HISTORY];
  guint n_samples = weir_flow_copy_history (self->flow, rx, tx);

  weir_chart_clear (chart);
  for (guint i = 0; i < n_samples; i++)
    weir_chart_push (chart, self->time - (gint64) (n_samples - 1 - i) * self->interval,
                     (double) rx[i], (double) tx[i]);
  weir_chart_update (chart);
  weir_traffic_card_set_rates (self->card,
                               closed ? WEIR_ABSENT : weir_flow_get_rx_rate (self->flow),
                               closed ? WEIR_ABSENT : weir_flow_get_tx_rate (self->flow));
}

static void
refresh_owner (WeirDetails *self)
{
  g_autofree char *process = weir_words_process (self->flow);
  g_autofree char *opener = weir_words_opener (self->flow);

  set_text (self->process_row, process != NULL ? process : _ ("Unknown"));
  gtk_widget_set_visible (GTK_WIDGET (self->opener_row), opener != NULL);
  if (opener != NULL)
    set_text (self->opener_row, opener);
  set_text (self->owner_row, weir_words_owner (self->flow));
  weir_process_group_set_flow (self->process_group, self->flow);
}

static void
refresh_nat (WeirDetails *self, const struct weir_flow_record *record)
{
  gboolean ported = record->protocol == IPPROTO_TCP || record->protocol == IPPROTO_UDP ||
                    record->protocol == IPPROTO_SCTP;
  g_autofree char *local = NULL, *remote = NULL;

  gtk_widget_set_visible (GTK_WIDGET (self->nat_row), (record->groups & WEIR_FLOW_NAT) != 0);
  if ((record->groups & WEIR_FLOW_NAT) == 0)
    return;
  local = weir_format_endpoint (record->family, record->nat_local.address, record->nat_local.port,
                                ported);
  remote = weir_format_endpoint (record->family, record->nat_remote.address,
                                 record->nat_remote.port, ported);
  take_text (self->nat_row, g_strdup_printf ("\342\201\246%s → %s\342\201\251", local, remote));
}

static void
refresh_connection (WeirDetails *self)
{
  const struct weir_flow_record *record = weir_flow_get_record (self->flow);
  gboolean tcp = (record->groups & WEIR_FLOW_TCP) != 0;
  g_autofree char *state = g_strdup_printf ("%s · %s", weir_flow_get_protocol (self->flow),
                                            weir_words_flow_state (self->flow));

  set_text (self->state_row, state);
  set_text (self->direction_row, weir_words_direction (self->flow));
  set_address (self->local_row, weir_flow_get_local (self->flow));
  set_address (self->remote_row, weir_flow_get_remote (self->flow));
  refresh_nat (self, record);
  gtk_widget_set_visible (GTK_WIDGET (self->rtt_row), tcp);
  gtk_widget_set_visible (GTK_WIDGET (self->retransmits_row), tcp);
  if (tcp)
    {
      take_text (self->rtt_row, weir_format_duration_us (record->rtt_us));
      take_text (self->retransmits_row,
                 g_strdup_printf (ngettext ("%'u segment", "%'u segments", record->retransmits),
                                  record->retransmits));
    }
}

static void
refresh_totals (WeirDetails *self)
{
  const struct weir_flow_record *record = weir_flow_get_record (self->flow);
  gboolean measured = (record->groups & WEIR_FLOW_BYTES) != 0 && record->has_bytes;

  take_text (self->rx_row, weir_format_bytes (weir_flow_get_rx_bytes (self->flow)));
  take_text (self->tx_row, weir_format_bytes (weir_flow_get_tx_bytes (self->flow)));
  gtk_widget_set_visible (GTK_WIDGET (self->source_row), measured);
  if (measured)
    set_text (self->source_row, weir_source_words_get_name (record->bytes_source));
}

static void
refresh (WeirDetails *self)
{
  if (self->flow == NULL)
    return;
  refresh_header (self);
  refresh_chart (self);
  refresh_owner (self);
  refresh_connection (self);
  refresh_totals (self);
}

static void
weir_details_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (weir_details_parent_class)->map (widget);
  refresh (WEIR_DETAILS (widget));
}

static void
weir_details_dispose (GObject *object)
{
  WeirDetails *self = WEIR_DETAILS (object);

  g_clear_object (&self->flow);
  g_clear_object (&self->icons);
  G_OBJECT_CLASS (weir_details_parent_class)->dispose (object);
}

static void
weir_details_class_init (WeirDetailsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = weir_details_dispose;
  widget_class->map = weir_details_map;

  g_type_ensure (WEIR_TYPE_PROCESS_GROUP);
  g_type_ensure (WEIR_TYPE_TRAFFIC_CARD);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-details.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, stack);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, icon);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, app);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, remote);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, closed);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, card);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, process_group);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, process_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, opener_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, owner_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, state_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, direction_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, local_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, remote_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, nat_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, rtt_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, retransmits_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, rx_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, tx_row);
  gtk_widget_class_bind_template_child (widget_class, WeirDetails, source_row);
}

static void
weir_details_init (WeirDetails *self)
{
  self->interval = DEFAULT_INTERVAL;
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
weir_details_set_icons (WeirDetails *self, WeirAppIcons *icons)
{
  g_return_if_fail (WEIR_IS_DETAILS (self));
  g_set_object (&self->icons, icons);
}

void
weir_details_set_session (WeirDetails *self, WeirSession *session)
{
  g_return_if_fail (WEIR_IS_DETAILS (self));
  weir_process_group_set_session (self->process_group, session);
}

void
weir_details_set_flow (WeirDetails *self, WeirFlow *flow)
{
  g_return_if_fail (WEIR_IS_DETAILS (self));

  g_set_object (&self->flow, flow);
  gtk_stack_set_visible_child_name (self->stack, flow != NULL ? "flow" : "none");
  refresh (self);
}

WeirFlow *
weir_details_get_flow (WeirDetails *self)
{
  g_return_val_if_fail (WEIR_IS_DETAILS (self), NULL);
  return self->flow;
}

void
weir_details_refresh (WeirDetails *self, gint64 time, gint64 interval)
{
  g_return_if_fail (WEIR_IS_DETAILS (self));

  self->time = time;
  if (interval > 0)
    self->interval = interval;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
}
