/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-view-button.h"

#include <glib/gi18n.h>

#include "weir-source-words.h"

struct _WeirViewButton
{
  AdwBin parent_instance;

  GtkMenuButton *button;
  GtkStack *symbols;
  GtkImage *shield;
  GtkLabel *label;
  GtkPopover *popover;
  GtkImage *large_shield;
  GtkLabel *heading;
  GtkLabel *body;
  GtkLabel *note;
  GtkLabel *counting;
  GtkButton *count;
  GtkButton *act;

  WeirSession *session;
  gboolean narrow;
};

G_DEFINE_FINAL_TYPE (WeirViewButton, weir_view_button, ADW_TYPE_BIN)

enum
{
  PROP_NARROW = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

/* What the button and its popover say. */
typedef struct
{
  const char *icon;
  const char *name;
  const char *body;
  const char *note; /* or NULL */
  const char *act;  /* or NULL: there is nothing to do */
  const char *action;
  gboolean suggested;
  const char *counting; /* or NULL */
  gboolean offers_counting;
} Words;

#define SHIELD_LIMITED "weir-shield-symbolic"
#define SHIELD_FULL    "weir-shield-full-symbolic"

static Words
get_limited_words (WeirSession *session)
{
  Words words = {
    .icon = SHIELD_LIMITED,
    .name = _ ("Limited View"),
    .body = _ ("Every connection of this computer is listed, with the apps behind your own. Apps "
               "of other users and of "
               "the system, forwarded traffic and exact totals are not visible."),
    .note = _ (
        "You will be asked to authenticate. Asking again within five minutes needs no password."),
    .act = _ ("Unlock Full View…"),
    .action = "view.unlock",
    .suggested = TRUE,
  };

  if (!weir_session_get_can_unlock (session))
    words.note = weir_session_get_unlock_reason (session);
  return words;
}

static Words
get_full_words (const char *cadence)
{
  return (Words) {
    .icon = SHIELD_FULL,
    .name = _ ("Full View"),
    .body = _ ("Every connection is listed with its owner, including those of other users and of "
               "the system, and "
               "forwarded traffic. What the connections carry is not visible to Weir."),
    .note = cadence != NULL ? cadence : _ ("Asking again within five minutes needs no password."),
    .act = _ ("Return to Limited View"),
    .action = "view.return",
  };
}

/* The bytes of a connection are the kernel's to count, and it does not unless told to.  What is
 * said besides the button is what it changes: for everybody, and for how long.  That no password is
 * needed again would be misunderstood here: for this one it is. */
static void
add_counting_words (WeirSession *session, const char *cadence, Words *words)
{
  if (weir_session_get_counts (session))
    words->counting = _ ("The kernel counts the bytes of every connection that was opened since. "
                         "It stops when Weir closes or returns to the limited view.");
  words->offers_counting = weir_session_get_can_count (session);
  if (words->offers_counting)
    words->counting =
        _ ("The bytes of UDP and forwarded connections are not counted. Weir can have "
           "the kernel count them: that changes a setting of this computer, which is "
           "set back when Weir closes, and asks for authentication each time.");
  if (words->counting != NULL)
    words->note = cadence;
}

static Words
get_silent_words (WeirSession *session)
{
  return (Words) {
    .icon = weir_session_get_view (session) == WEIR_VIEW_FULL ? SHIELD_FULL : SHIELD_LIMITED,
    .name = _ ("Not Answering"),
    .body = _ ("The part of Weir that measures has not answered for some seconds. It may have been "
               "stopped or frozen; "
               "figures go on as soon as it answers."),
    .act = _ ("Restart in Limited View"),
    .action = "view.restart",
  };
}

static void
apply (WeirViewButton *self, const Words *words)
{
  gboolean waiting = weir_session_get_state (self->session) == WEIR_SESSION_AUTHORISING;
  const char *name = waiting ? _ ("Waiting for Authentication") : words->name;

  gtk_stack_set_visible_child_name (self->symbols, waiting ? "spinner" : "shield");
  gtk_image_set_from_icon_name (self->shield, words->icon);
  gtk_image_set_from_icon_name (self->large_shield, words->icon);
  gtk_label_set_text (self->label, words->name);
  gtk_label_set_text (self->heading, words->name);
  gtk_label_set_text (self->body, words->body);
  gtk_label_set_text (self->note, words->note != NULL ? words->note : "");
  gtk_widget_set_visible (GTK_WIDGET (self->note), words->note != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->counting), words->counting != NULL);
  gtk_label_set_text (self->counting, words->counting != NULL ? words->counting : "");
  gtk_widget_set_visible (GTK_WIDGET (self->count), words->offers_counting);
  gtk_button_set_label (self->act, words->act);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->act), words->action);
  if (words->suggested)
    gtk_widget_add_css_class (GTK_WIDGET (self->act), "suggested-action");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->act), "suggested-action");

  gtk_widget_set_sensitive (GTK_WIDGET (self->button), !waiting);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), name);
  /* The part of a menu button that takes the focus is named by the whole. */
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  name, -1);
  if (waiting)
    gtk_popover_popdown (self->popover);
}

/* Only what the person did not bring about. */
static char *
make_cadence (WeirViewButton *self)
{
  guint interval_ms;
  enum weir_cadence cadence = weir_session_get_cadence (self->session, &interval_ms);

  if (cadence != WEIR_CADENCE_GOVERNED)
    return NULL;
  return weir_source_words_make_cadence (cadence, interval_ms);
}

static void
update (WeirViewButton *self)
{
  g_autofree char *cadence = make_cadence (self);
  Words words;

  if (weir_session_get_state (self->session) == WEIR_SESSION_NOT_ANSWERING)
    words = get_silent_words (self->session);
  else if (weir_session_get_view (self->session) == WEIR_VIEW_FULL)
    {
      words = get_full_words (cadence);
      add_counting_words (self->session, cadence, &words);
    }
  else
    words = get_limited_words (self->session);
  apply (self, &words);
}

static void
on_act (WeirViewButton *self)
{
  gtk_popover_popdown (self->popover);
}

static void
weir_view_button_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NARROW)
    g_value_set_boolean (value, WEIR_VIEW_BUTTON (object)->narrow);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_view_button_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NARROW)
    WEIR_VIEW_BUTTON (object)->narrow = g_value_get_boolean (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weir_view_button_dispose (GObject *object)
{
  g_clear_object (&WEIR_VIEW_BUTTON (object)->session);
  G_OBJECT_CLASS (weir_view_button_parent_class)->dispose (object);
}

static void
weir_view_button_class_init (WeirViewButtonClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = weir_view_button_get_property;
  object_class->set_property = weir_view_button_set_property;
  object_class->dispose = weir_view_button_dispose;
  properties[PROP_NARROW] = g_param_spec_boolean ("narrow", NULL, NULL, FALSE,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-view-button.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, button);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, symbols);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, shield);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, label);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, popover);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, large_shield);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, heading);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, body);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, note);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, act);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, counting);
  gtk_widget_class_bind_template_child (widget_class, WeirViewButton, count);
}

static void
weir_view_button_init (WeirViewButton *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (self->act, "clicked", G_CALLBACK (on_act), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->count, "clicked", G_CALLBACK (on_act), self, G_CONNECT_SWAPPED);
}

void
weir_view_button_set_session (WeirViewButton *self, WeirSession *session)
{
  static const char *const watched[] = { "notify::state", "notify::view", "notify::can-unlock",
                                         "notify::unlock-reason", "sources-changed" };

  g_return_if_fail (WEIR_IS_VIEW_BUTTON (self) && self->session == NULL);

  self->session = g_object_ref (session);
  for (guint i = 0; i < G_N_ELEMENTS (watched); i++)
    g_signal_connect_object (session, watched[i], G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  /* How often sources are read is said when somebody looks. */
  g_signal_connect_object (self->popover, "map", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
