/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* The dialog that lists the keys, made from the action table. */
AdwDialog *
weir_shortcuts_new (void);

G_END_DECLS
