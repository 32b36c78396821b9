/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-app-icons.h"

#include "weir-app-index.h"
#include "weir-tile.h"

#define ICON_UNKNOWN   "weir-unknown-symbolic"
#define ICON_PROGRAM   "weir-program-symbolic"
#define ICON_SERVICE   "weir-service-symbolic"
#define ICON_CONTAINER "weir-container-symbolic"

/* What the model calls the managers of containers. */
static const char *const container_ids[] = {
  "container", "containerd", "cri-o",  "docker", "lxc",
  "machine",   "nerdctl",    "nspawn", "podman", NULL,
};

struct _WeirAppIcons
{
  GObject parent_instance;

  GtkWidget *widget;
  WeirAppIndex *index;    /* NULL until the first one was read */
  GHashTable *paintables; /* "size key" → GdkPaintable */
  GAppInfoMonitor *monitor;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (WeirAppIcons, weir_app_icons, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static GAppInfo *
find_app (WeirAppIcons *self, WeirFlow *flow)
{
  return self->index != NULL ? weir_app_index_find (self->index, weir_flow_get_app_id (flow))
                             : NULL;
}

static void
forget_pictures (WeirAppIcons *self)
{
  g_hash_table_remove_all (self->paintables);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
read_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GList *applications = g_app_info_get_all ();

  g_task_return_pointer (task, weir_app_index_new (applications),
                         (GDestroyNotify) weir_app_index_free);
  g_list_free_full (applications, g_object_unref);
}

static void
read_done (GObject *source, GAsyncResult *result, gpointer data)
{
  WeirAppIcons *self = WEIR_APP_ICONS (source);
  WeirAppIndex *index = g_task_propagate_pointer (G_TASK (result), NULL);

  if (index == NULL)
    return;
  g_clear_pointer (&self->index, weir_app_index_free);
  self->index = index;
  forget_pictures (self);
}

static void
read_applications (WeirAppIcons *self)
{
  g_autoptr (GTask) task = NULL;

  g_cancellable_cancel (self->cancellable);
  g_set_object (&self->cancellable, NULL);
  self->cancellable = g_cancellable_new ();
  task = g_task_new (self, self->cancellable, read_done, NULL);
  g_task_set_source_tag (task, read_applications);
  g_task_run_in_thread (task, read_in_thread);
}

static GtkIconPaintable *
look_up_icon (WeirAppIcons *self, GIcon *icon, int size)
{
  GtkIconTheme *theme = gtk_icon_theme_get_for_display (gtk_widget_get_display (self->widget));

  return gtk_icon_theme_lookup_by_gicon (theme, icon, size,
                                         gtk_widget_get_scale_factor (self->widget),
                                         gtk_widget_get_direction (self->widget), 0);
}

/* The glyph for what no installed application is behind. */
static const char *
choose_symbol (WeirFlow *flow)
{
  const struct weir_flow_record *record = weir_flow_get_record (flow);
  const char *id = weir_flow_get_app_id (flow);

  if (weir_flow_get_app_name (flow) == NULL)
    return ICON_UNKNOWN;
  if (id != NULL && g_strv_contains (container_ids, id))
    return ICON_CONTAINER;
  if ((record->groups & WEIR_FLOW_OWNER) != 0 && g_str_has_suffix (record->cgroup, ".service"))
    return ICON_SERVICE;
  return ICON_PROGRAM;
}

static GdkPaintable *
make_paintable (WeirAppIcons *self, GAppInfo *app, const char *symbol_name, int size)
{
  g_autoptr (GIcon) icon = NULL;
  g_autoptr (GtkIconPaintable) symbol = NULL;

  if (app != NULL)
    return GDK_PAINTABLE (look_up_icon (self, g_app_info_get_icon (app), size));
  icon = g_themed_icon_new (symbol_name);
  symbol = look_up_icon (self, icon, size);
  if (g_str_equal (symbol_name, ICON_UNKNOWN))
    return GDK_PAINTABLE (g_steal_pointer (&symbol));
  return weir_tile_new (GTK_SYMBOLIC_PAINTABLE (symbol), size);
}

static void
weir_app_icons_dispose (GObject *object)
{
  WeirAppIcons *self = WEIR_APP_ICONS (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->monitor);
  G_OBJECT_CLASS (weir_app_icons_parent_class)->dispose (object);
}

static void
weir_app_icons_finalize (GObject *object)
{
  WeirAppIcons *self = WEIR_APP_ICONS (object);

  g_clear_pointer (&self->index, weir_app_index_free);
  g_hash_table_unref (self->paintables);
  G_OBJECT_CLASS (weir_app_icons_parent_class)->finalize (object);
}

static void
weir_app_icons_class_init (WeirAppIconsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_app_icons_dispose;
  G_OBJECT_CLASS (klass)->finalize = weir_app_icons_finalize;
  signals[CHANGED] = g_signal_new ("changed", WEIR_TYPE_APP_ICONS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 0);
}

static void
weir_app_icons_init (WeirAppIcons *self)
{
  self->paintables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  self->monitor = g_app_info_monitor_get ();
  g_signal_connect_object (self->monitor, "changed", G_CALLBACK (read_applications), self,
                           G_CONNECT_SWAPPED);
}

WeirAppIcons *
weir_app_icons_new (GtkWidget *widget)
{
  WeirAppIcons *self = g_object_new (WEIR_TYPE_APP_ICONS, NULL);
  GtkIconTheme *theme = gtk_icon_theme_get_for_display (gtk_widget_get_display (widget));

  self->widget = widget;
  g_signal_connect_object (theme, "changed", G_CALLBACK (forget_pictures), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (widget, "notify::scale-factor", G_CALLBACK (forget_pictures), self,
                           G_CONNECT_SWAPPED);
  read_applications (self);
  return self;
}

const char *
weir_app_icons_get_name (WeirAppIcons *self, WeirFlow *flow)
{
  GAppInfo *app = find_app (self, flow);

  return app != NULL ? g_app_info_get_display_name (app) : weir_flow_get_app_name (flow);
}

GdkPaintable *
weir_app_icons_get_paintable (WeirAppIcons *self, WeirFlow *flow, int size)
{
  GAppInfo *app = find_app (self, flow);
  const char *symbol_name = choose_symbol (flow);
  g_autofree char *key = NULL;
  GdkPaintable *paintable;

  /* By what is drawn, not by what the flow is called: names from outside shall not fill the table.
   */
  key = g_strdup_printf ("%d %s", size, app != NULL ? g_app_info_get_id (app) : symbol_name);
  paintable = g_hash_table_lookup (self->paintables, key);
  if (paintable == NULL)
    {
      paintable = make_paintable (self, app, symbol_name, size);
      g_hash_table_insert (self->paintables, g_steal_pointer (&key), paintable);
    }
  return paintable;
}
