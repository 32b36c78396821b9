/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "weir-launcher.h"

G_BEGIN_DECLS

/* Starts tests/unit/model/fake-engine, and explains its ends as a pkexec launcher would. */
#define FAKE_TYPE_LAUNCHER (fake_launcher_get_type ())
G_DECLARE_FINAL_TYPE (FakeLauncher, fake_launcher, FAKE, LAUNCHER, GObject)

FakeLauncher *
fake_launcher_new (const char *script);
/* What the next engine does. */
void
fake_launcher_set_script (FakeLauncher *self, const char *script);
/* What check_async says; NULL: possible. */
void
fake_launcher_set_impossible (FakeLauncher *self, const char *reason);
guint
fake_launcher_get_n_launched (FakeLauncher *self);
/* The last one, or NULL. */
pid_t
fake_launcher_get_pid (FakeLauncher *self);

G_END_DECLS
