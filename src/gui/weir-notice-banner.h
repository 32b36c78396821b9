/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "weir-session.h"

G_BEGIN_DECLS

/* A banner for what an administrator should know: mistakes in engine.conf.  It goes when it has
 * been read. */
#define WEIR_TYPE_NOTICE_BANNER (weir_notice_banner_get_type ())
G_DECLARE_FINAL_TYPE (WeirNoticeBanner, weir_notice_banner, WEIR, NOTICE_BANNER, AdwBin)

/* Once. */
void
weir_notice_banner_set_session (WeirNoticeBanner *self, WeirSession *session);

G_END_DECLS
