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
check_container (const char *path, const char *chain, const char *part)
{
  g_auto (WeirCgroup) cgroup = { 0 };

  weir_cgroup_init (&cgroup, path);
  g_autofree char *found = weir_cgroup_dup_chain (&cgroup);
  g_assert_cmpstr (found, ==, chain);
  if (part == NULL)
    return;
  const WeirContainer *last = cgroup.containers->pdata[cgroup.containers->len - 1];
  g_assert_cmpstr (last->part, ==, part);
}

static void
test_containers (void)
{
  check_container (NULL, NULL, NULL);
  check_container ("", NULL, NULL);
  check_container ("/system.slice/docker-" HEX ".scope/init", "Docker 0123456789ab",
                   "docker-" HEX ".scope");
  check_container ("/machine.slice/libpod-" HEX ".scope/container", "Podman 0123456789ab",
                   "libpod-" HEX ".scope");
  check_container ("/lxc.payload.a/lxc.payload.b", "LXC a/LXC b", "lxc.payload.b");
}

/* Names that anybody can give, and parts that only look like something. */
static void
test_odd (void)
{
  static const char *const nothing[] = {
    "/docker-.scope",
    "/docker-0123.scope",
    "/docker-" HEX "0.scope",
    "/docker/0123456789AB",
    "/libpod-conmon-" HEX,
    "/lxc.payload.",
    "/lxc.payload",
    "/lxc/",
    "/lxc",
    "/pod/",
    "/a.slice:cri-containerd:0123",
    "/a:cri-containerd",
    "/ecs/0123456789abcdef0123456789abcdef-1",
    "/ecs/x/0123456789abcdef0123456789abcdef-",
    "/ecs/x/0123456789abcdef0123456789abcdef-1x",
    "/systemd-nspawn@.service",
    "/container@web.service",
    "/qemu-1-.libvirt-qemu",
    "/qemu-x.libvirt-qemu",
    "/machine-.scope",
    "////",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (nothing); i++)
    {
      g_test_message ("%s", nothing[i]);
      check_container (nothing[i], NULL, NULL);
    }
  /* A machine whose name is half of what libvirt writes is a machine. */
  check_container ("/machine-qemu\\x2d1.scope", "Machine qemu-1", NULL);
  check_container ("/lxc.payload.\x1b\xff", "LXC \ufffd\ufffd", "lxc.payload.\ufffd\ufffd");
  check_container ("/machine-\\x1b\\xe2\\x80\\xae.scope", "Machine \ufffd\ufffd", NULL);
}

static void
check_pod (const char *part, const char *pod)
{
  g_autofree char *found = weir_container_get_pod (part);

  g_assert_cmpstr (found, ==, pod);
}

static void
test_pods (void)
{
  check_pod ("", NULL);
  check_pod ("pod", NULL);
  check_pod ("kubepods", NULL);
  check_pod ("podruntime.slice", NULL);
  check_pod ("pod0123", NULL);
  check_pod ("tripod03f3f104-3215-44f2-9686-d4dd1f05a7ed", NULL);
  check_pod ("pod03f3f104-3215-44f2-9686-d4dd1f05a7ed", "03f3f104-3215-44f2-9686-d4dd1f05a7ed");
  check_pod ("pod03f3f104-3215-44f2-9686-d4dd1f05a7ed.scope", NULL);
  check_pod ("user-libpod_pod_0123.slice", NULL);
  check_pod ("user-libpod_pod_" HEX ".slice", "0123456789ab");
}

/* Users have numbers of their own inside of a container. */
static void
test_session_uid (void)
{
  static const struct
  {
    const char *path;
    gint64 uid;
  } cases[] = {
    { "/user.slice/user-1000.slice", 1000 },
    { "/user.slice/user-4294967295.slice", G_MAXUINT32 },
    { "/user.slice/user-4294967296.slice", -1 },
    { "/user.slice/user-a.slice", -1 },
    { "/user.slice/user-1000-x.slice", -1 },
    { "/lxc.payload.x/user.slice/user-1000.slice", -1 },
    { "/user.slice/user-5.slice/user@5.service/user.slice/libpod-" HEX
      ".scope/container/user.slice/user-0.slice",
      5 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (WeirCgroup) cgroup = { 0 };
      weir_cgroup_init (&cgroup, cases[i].path);
      g_assert_cmpint (cgroup.session_uid, ==, cases[i].uid);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cgroup/units", test_units);
  g_test_add_func ("/cgroup/containers", test_containers);
  g_test_add_func ("/cgroup/odd", test_odd);
  g_test_add_func ("/cgroup/pods", test_pods);
  g_test_add_func ("/cgroup/session-uid", test_session_uid);
  return g_test_run ();
}
