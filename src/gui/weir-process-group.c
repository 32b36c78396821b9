/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-process-group.h"

#include "weir-session-details.h"

struct _WeirProcessGroup
{
  AdwBin parent_instance;

  AdwActionRow *exe_row, *cwd_row, *command_row, *reason_row;
  GtkImage *reason_icon;

  WeirSession *session;
  GCancellable *asking;
  guint32 pid; /* whose details are shown or asked for; 0: nobody's */
  guint64 start_time;
};

G_DEFINE_FINAL_TYPE (WeirProcessGroup, weir_process_group, ADW_TYPE_BIN)

static void
set_row (AdwActionRow *row, const char *text)
{
  gtk_widget_set_visible (GTK_WIDGET (row), text != NULL);
  if (text != NULL && g_strcmp0 (adw_action_row_get_subtitle (row), text) != 0)
    adw_action_row_set_subtitle (row, text);
}

static void
set_reason (WeirProcessGroup *self, const char *reason, const char *icon)
{
  gtk_widget_set_visible (GTK_WIDGET (self->reason_row), reason != NULL);
  if (reason == NULL)
    return;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->reason_row), reason);
  gtk_image_set_from_icon_name (self->reason_icon, icon);
}

static void
show_details (WeirProcessGroup *self, const WeirProcessDetails *details)
{
  const gboolean refused = details->outcome == WEIR_DETAILS_REFUSED;

  set_row (self->exe_row, details->exe);
  set_row (self->cwd_row, details->cwd);
  set_row (self->command_row, details->command);
  set_reason (self, weir_process_details_get_reason (details),
              refused ? "system-lock-screen-symbolic" : "dialog-information-symbolic");
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
}

static void
forget (WeirProcessGroup *self)
{
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  self->pid = 0;
}

static void
on_details (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WeirProcessGroup) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WeirProcessDetails) details =
      weir_session_get_details_finish (WEIR_SESSION (source), result, &error);

  /* Somebody else is shown by now. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->asking);
  if (details != NULL)
    {
      show_details (self, details);
      return;
    }
  set_row (self->exe_row, NULL);
  set_row (self->cwd_row, NULL);
  set_row (self->command_row, NULL);
  set_reason (self, error->message, "dialog-information-symbolic");
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
}

/* Another engine may tell more, or less. */
static void
on_view_changed (WeirProcessGroup *self)
{
  forget (self);
}

static void
weir_process_group_dispose (GObject *object)
{
  WeirProcessGroup *self = WEIR_PROCESS_GROUP (object);

  forget (self);
  g_clear_object (&self->session);
  G_OBJECT_CLASS (weir_process_group_parent_class)->dispose (object);
}

static void
weir_process_group_class_init (WeirProcessGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = weir_process_group_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/weir/Weir/weir-process-group.ui");
  gtk_widget_class_bind_template_child (widget_class, WeirProcessGroup, exe_row);
  gtk_widget_class_bind_template_child (widget_class, WeirProcessGroup, cwd_row);
  gtk_widget_class_bind_template_child (widget_class, WeirProcessGroup, command_row);
  gtk_widget_class_bind_template_child (widget_class, WeirProcessGroup, reason_row);
  gtk_widget_class_bind_template_child (widget_class, WeirProcessGroup, reason_icon);
}

static void
weir_process_group_init (WeirProcessGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
weir_process_group_set_session (WeirProcessGroup *self, WeirSession *session)
{
  g_return_if_fail (WEIR_IS_PROCESS_GROUP (self) && self->session == NULL);

  self->session = g_object_ref (session);
  g_signal_connect_object (session, "notify::view", G_CALLBACK (on_view_changed), self,
                           G_CONNECT_SWAPPED);
}

void
weir_process_group_set_flow (WeirProcessGroup *self, WeirFlow *flow)
{
  const struct weir_flow_record *record = flow != NULL ? weir_flow_get_record (flow) : NULL;
  guint32 pid = 0;

  g_return_if_fail (WEIR_IS_PROCESS_GROUP (self));

  if (self->session != NULL && record != NULL && (record->groups & WEIR_FLOW_OWNER) != 0)
    pid = record->pid;
  if (pid != 0 && pid == self->pid && record->start_time == self->start_time)
    return;
  forget (self);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  if (pid == 0)
    return;
  self->pid = pid;
  self->start_time = record->start_time;
  self->asking = g_cancellable_new ();
  weir_session_get_details_async (self->session, pid, self->start_time, self->asking, on_details,
                                  g_object_ref (self));
}
