/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The environment of an engine: an allowlist of names and of values. */
#include "weir-launcher-private.h"

static void
test_environment (void)
{
  const char *hostile[] = {
    "LANG=de_DE.UTF-8",
    "LANGUAGE=de:en_GB",
    "LC_ALL=/tmp/evil",
    "LC_CTYPE=../../tmp",
    "LC_MESSAGES=sr_RS@latin",
    "LC_TIME=",
    "LC_NUMERIC=de_DE\nLD_PRELOAD=/tmp/evil.so",
    "LC_PAPER=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "LC_NAME=%n",
    "LC_UNHEARD_OF=C",
    "LD_PRELOAD=/tmp/evil.so",
    "LD_LIBRARY_PATH=/tmp",
    "GLIBC_TUNABLES=x",
    "PATH=/tmp",
    "IFS=x",
    "HOME=/home/somebody",
    "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus",
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/bus",
    "XDG_RUNTIME_DIR=/tmp",
    "SHELL=/tmp/sh",
    "DISPLAY=:0",
    "LOCPATH=/tmp",
    "NLSPATH=/tmp",
    NULL,
  };
  const char *expected[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=de_DE.UTF-8",
                             "LANGUAGE=de:en_GB", "LC_MESSAGES=sr_RS@latin", NULL };
  g_auto (GStrv) built = weir_launcher_build_environment (hostile);

  g_assert_cmpstrv (built, expected);
}

static void
test_empty (void)
{
  const char *nothing[] = { NULL };
  const char *expected[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
  g_auto (GStrv) built = weir_launcher_build_environment (nothing);

  g_assert_cmpstrv (built, expected);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/launcher/environment", test_environment);
  g_test_add_func ("/handoff/launcher/empty", test_empty);
  return g_test_run ();
}
