/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-cgroup.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
test_units (void)
{
  static const char *const cases[][2] = {
    { NULL, "" },
    { "", "" },
    { "/", "" },
    { "/init.scope", "init.scope" },
    { "/system.slice/sshd.service", "system.slice sshd.service" },
    { "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x-1.scope",
      "user.slice user-1000.slice user@1000.service app.slice app-x-1.scope" },
    { "/system.slice/docker-" HEX ".scope/init", "system.slice docker-" HEX ".scope" },
    { "/lxc.payload.web/.lxc", "" },
    { "/.service/a.service", "a.service" },
    { "/a\xff\x1b.service", "a\ufffd\ufffd.service" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) units = weir_cgroup_get_units (cases[i][0]);
      g_autofree char *joined = g_strjoinv (" ", units);
      g_assert_cmpstr (joined, ==, cases[i][1]);
    }
}

static void
test_containers (void)
{
  static const char *const cases[][3] = {
    { NULL, NULL, NULL },
    { "/system.slice/sshd.service", NULL, NULL },
    { "/system.slice/docker-" HEX ".scope/init", "Docker 0123456789ab", "docker-" HEX ".scope" },
    { "/machine.slice/libpod-" HEX ".scope/container", "Podman 0123456789ab",
      "libpod-" HEX ".scope" },
    { "/lxc.payload.web/system.slice/nginx.service", "LXC web", "lxc.payload.web" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *part = NULL;
      g_autofree char *name = weir_cgroup_get_container (cases[i][0], &part);
      g_autofree char *again = weir_cgroup_get_container (cases[i][0], NULL);
      g_assert_cmpstr (name, ==, cases[i][1]);
      g_assert_cmpstr (again, ==, cases[i][1]);
      g_assert_cmpstr (part, ==, cases[i][2]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cgroup/units", test_units);
  g_test_add_func ("/cgroup/containers", test_containers);
  return g_test_run ();
}
