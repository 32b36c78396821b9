/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-filter.h"

#include <string.h>

struct _WeirFilter
{
  GObject parent;
  char **words; /* folded like the text they are looked for in */
};

G_DEFINE_FINAL_TYPE (WeirFilter, weir_filter, G_TYPE_OBJECT)

static void
weir_filter_finalize (GObject *object)
{
  WeirFilter *self = WEIR_FILTER (object);

  g_strfreev (self->words);
  G_OBJECT_CLASS (weir_filter_parent_class)->finalize (object);
}

static void
weir_filter_class_init (WeirFilterClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_filter_finalize;
}

static void
weir_filter_init (WeirFilter *self)
{
}

static char **
split_words (const char *text)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  while (*text != '\0')
    {
      const char *end = text;
      while (*end != '\0' && !g_unichar_isspace (g_utf8_get_char (end)))
        end = g_utf8_next_char (end);
      if (end > text)
        g_strv_builder_take (words, g_strndup (text, end - text));
      text = *end != '\0' ? g_utf8_next_char (end) : end;
    }
  return g_strv_builder_end (words);
}

WeirFilter *
weir_filter_new (const char *text, GError **error)
{
  WeirFilter *self = g_object_new (WEIR_TYPE_FILTER, NULL);
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  g_autofree char *folded = weir_flow_fold_text (valid);

  self->words = split_words (folded);
  return self;
}

gboolean
weir_filter_is_empty (WeirFilter *self)
{
  g_return_val_if_fail (WEIR_IS_FILTER (self), TRUE);
  return self->words[0] == NULL;
}

gboolean
weir_filter_match (WeirFilter *self, WeirFlow *flow)
{
  g_return_val_if_fail (WEIR_IS_FILTER (self), FALSE);
  if (self->words[0] == NULL)
    return TRUE;

  const char *text = weir_flow_get_search_text (flow);
  for (char **word = self->words; *word != NULL; word++)
    if (strstr (text, *word) == NULL)
      return FALSE;
  return TRUE;
}
