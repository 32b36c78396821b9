/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-notice-banner.h"

#include <glib/gi18n.h>

#include "weir-notice-words.h"

struct _WeirNoticeBanner
{
  AdwBin parent_instance;

  AdwBanner *banner;
  WeirSession *session;
  char *read; /* what the person has read, or NULL */
};

G_DEFINE_FINAL_TYPE (WeirNoticeBanner, weir_notice_banner, ADW_TYPE_BIN)

static char *
get_words (WeirNoticeBanner *self)
{
  guint n;
  const struct weir_notice *notices = weir_session_get_notices (self->session, &n);

  return n > 0 ? weir_notice_words_get_all (notices, n) : NULL;
}

static void
update (WeirNoticeBanner *self)
{
  g_autofree char *words = get_words (self);

  /* The same engine configuration is read anew whenever the view changes. */
  adw_banner_set_revealed (self->banner, words != NULL && g_strcmp0 (words, self->read) != 0);
}

static void
on_show (WeirNoticeBanner *self)
{
  g_autofree char *words = get_words (self);
  AdwDialog *dialog;

  if (words != NULL)
    {
      dialog = adw_alert_dialog_new (_ ("Configuration of This Computer"), words);
      adw_alert_dialog_add_response (ADW_ALERT_DIALOG (dialog), "close", _ ("_Close"));
      adw_dialog_present (dialog, GTK_WIDGET (self));
    }
  g_set_str (&self->read, words);
  update (self);
}

static void
weir_notice_banner_dispose (GObject *object)
{
  WeirNoticeBanner *self = WEIR_NOTICE_BANNER (object);

  g_clear_object (&self->session);
  g_clear_pointer (&self->read, g_free);
  G_OBJECT_CLASS (weir_notice_banner_parent_class)->dispose (object);
}

static void
weir_notice_banner_class_init (WeirNoticeBannerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = weir_notice_banner_dispose;
}

static void
weir_notice_banner_init (WeirNoticeBanner *self)
{
  self->banner =
      ADW_BANNER (adw_banner_new (_ ("The administrator's settings (engine.conf) have mistakes")));
  adw_banner_set_use_markup (self->banner, FALSE);
  adw_banner_set_button_label (self->banner, _ ("Show…"));
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->banner));
  g_signal_connect_object (self->banner, "button-clicked", G_CALLBACK (on_show), self,
                           G_CONNECT_SWAPPED);
}

void
weir_notice_banner_set_session (WeirNoticeBanner *self, WeirSession *session)
{
  g_return_if_fail (WEIR_IS_NOTICE_BANNER (self) && self->session == NULL);

  self->session = g_object_ref (session);
  g_signal_connect_object (session, "notices-changed", G_CALLBACK (update), self,
                           G_CONNECT_SWAPPED);
  update (self);
}
