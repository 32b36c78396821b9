/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-traffic-card.h"

#include "weir-format.h"

#define STRIP_HEIGHT 84
#define CARD_HEIGHT  110
/* Wide enough for "999 MB/s", so that the chart does not move when a figure grows. */
#define RATES_WIDTH 104

struct _WeirTrafficCard
{
  AdwBin parent_instance;

  GtkBox *box;
  GtkBox *rates;
  GtkLabel *received;
  GtkLabel *sent;
  WeirChart *chart;
  gboolean strip;
};

G_DEFINE_FINAL_TYPE (WeirTrafficCard, weir_traffic_card, ADW_TYPE_BIN)

enum
{
  PROP_STRIP = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void
set_strip (WeirTrafficCard *self, gboolean strip)
{
  if (strip == self->strip)
    return;
  self->strip = strip;
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->box),
                                  strip ? GTK_ORIENTATION_HORIZONTAL : GTK_ORIENTATION_VERTICAL);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->rates),
                                  strip ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_box_set_spacing (self->rates, strip ? 6 : 12);
  gtk_widget_set_size_request (GTK_WIDGET (self->rates), strip ? RATES_WIDTH : -1, -1);
  gtk_widget_set_valign (GTK_WIDGET (self->rates), strip ? GTK_ALIGN_CENTER : GTK_ALIGN_FILL);
  gtk_widget_set_size_request (GTK_WIDGET (self->chart), -1, strip ? STRIP_HEIGHT : CARD_HEIGHT);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STRIP]);
}

static void
weir_traffic_card_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_STRIP)
    g_value_set_boolean (value, WEIR_TRAFFIC_CARD (object)->strip);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_traffic_card_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_STRIP)
    set_strip (WEIR_TRAFFIC_CARD (object), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_traffic_card_class_init (WeirTrafficCardClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = weir_traffic_card_get_property;
  object_class->set_property = weir_traffic_card_set_property;
  properties[PROP_STRIP] =
      g_param_spec_boolean ("strip", NULL, NULL, FALSE,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  g_type_ensure (WEIR_TYPE_CHART);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-traffic-card.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirTrafficCard, box);
  gtk_widget_class_bind_template_child (widget_class, WeirTrafficCard, rates);
  gtk_widget_class_bind_template_child (widget_class, WeirTrafficCard, received);
  gtk_widget_class_bind_template_child (widget_class, WeirTrafficCard, sent);
  gtk_widget_class_bind_template_child (widget_class, WeirTrafficCard, chart);
}

static void
weir_traffic_card_init (WeirTrafficCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

WeirChart *
weir_traffic_card_get_chart (WeirTrafficCard *self)
{
  g_return_val_if_fail (WEIR_IS_TRAFFIC_CARD (self), NULL);
  return self->chart;
}

void
weir_traffic_card_set_rates (WeirTrafficCard *self, double rx, double tx)
{
  g_autofree char *received = weir_format_rate (rx, FALSE), *sent = weir_format_rate (tx, FALSE);

  g_return_if_fail (WEIR_IS_TRAFFIC_CARD (self));

  gtk_label_set_text (self->received, received);
  gtk_label_set_text (self->sent, sent);
}

void
weir_traffic_card_get_colors (WeirTrafficCard *self, GdkRGBA *ret_rx, GdkRGBA *ret_tx)
{
  g_return_if_fail (WEIR_IS_TRAFFIC_CARD (self));

  gtk_widget_get_color (GTK_WIDGET (self->received), ret_rx);
  gtk_widget_get_color (GTK_WIDGET (self->sent), ret_tx);
}
