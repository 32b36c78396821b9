/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-app-identity.h"

#define USER "/user.slice/user-1000.slice/user@1000.service"
#define HEX  "3f4e5d6c7b8a99887766554433221100ffeeddccbbaa99887766554433221100"
#define UUID "8f2c7e5a-1b2c-4d3e-9f00-aabbccddeeff"

typedef struct
{
  const char *cgroup;
  const char *comm;
  WeirAppKind kind;
  const char *name;
  const char *id;
} Case;

static const Case cases[] = {
  { USER "/app.slice/app-flatpak-org.mozilla.firefox-2879.scope", "firefox", WEIR_APP_FLATPAK,
    "org.mozilla.firefox", "org.mozilla.firefox" },
  { USER "/app.slice/app-flatpak-org.gnome.World\\x2dClocks-91.scope", "bwrap", WEIR_APP_FLATPAK,
    "org.gnome.World-Clocks", "org.gnome.World-Clocks" },
  { USER "/app.slice/snap.firefox.firefox-" UUID ".scope", "firefox", WEIR_APP_SNAP, "firefox",
    "firefox_firefox" },
  { USER "/app.slice/snap.chromium.chromium." UUID ".scope", "chrome", WEIR_APP_SNAP, "chromium",
    "chromium_chromium" },
  { "/system.slice/snap.cups.cupsd.service", "cupsd", WEIR_APP_SNAP, "cups", "cups_cupsd" },
  { USER "/app.slice/app-gnome-firefox\\x2desr-3421.scope", "firefox-esr", WEIR_APP_DESKTOP,
    "firefox-esr", "firefox-esr" },
  { USER "/app.slice/app-gnome-org.gnome.Epiphany-3001.scope", "epiphany", WEIR_APP_DESKTOP,
    "org.gnome.Epiphany", "org.gnome.Epiphany" },
  { USER "/app.slice/app-org.kde.konsole-1f2e3d.scope", "konsole", WEIR_APP_DESKTOP,
    "org.kde.konsole", "org.kde.konsole" },
  { USER "/app.slice/app-org.kde.dolphin@5f2e1d0c9b8a4756.service", "dolphin", WEIR_APP_DESKTOP,
    "org.kde.dolphin", "org.kde.dolphin" },
  { USER "/app.slice/app-org.gnome.Evolution\\x2dalarm\\x2dnotify@autostart.service",
    "evolution-alarm", WEIR_APP_DESKTOP, "org.gnome.Evolution-alarm-notify",
    "org.gnome.Evolution-alarm-notify" },
  { USER "/app.slice/app-dbus\\x2d:1.2\\x2dorg.gnome.Nautilus.slice/"
         "dbus-:1.2-org.gnome.Nautilus@0.service",
    "nautilus", WEIR_APP_DESKTOP, "org.gnome.Nautilus", "org.gnome.Nautilus" },
  { USER "/session.slice/org.gnome.Shell@wayland.service", "gnome-shell", WEIR_APP_SERVICE,
    "org.gnome.Shell@wayland", "org.gnome.Shell" },
  { USER "/app.slice/gvfs-daemon.service", "gvfsd-http", WEIR_APP_SERVICE, "gvfs-daemon",
    "gvfs-daemon" },
  { "/system.slice/ssh.service", "sshd", WEIR_APP_SERVICE, "ssh", "ssh" },
  { "/system.slice/system-openvpn.slice/openvpn@office.service", "openvpn", WEIR_APP_SERVICE,
    "openvpn@office", "openvpn" },
  { "/system.slice/systemd-udevd.service/udev", "systemd-udevd", WEIR_APP_SERVICE, "systemd-udevd",
    "systemd-udevd" },
  { "/system.slice/docker-" HEX ".scope", "nginx", WEIR_APP_CONTAINER, "Docker 3f4e5d6c7b8a",
    "docker" },
  { "/docker/" HEX, "nginx", WEIR_APP_CONTAINER, "Docker 3f4e5d6c7b8a", "docker" },
  { "/machine.slice/libpod-" HEX ".scope/container", "nginx", WEIR_APP_CONTAINER,
    "Podman 3f4e5d6c7b8a", "podman" },
  { USER "/user.slice/libpod-" HEX ".scope/container/system.slice/nginx.service", "nginx",
    WEIR_APP_CONTAINER, "Podman 3f4e5d6c7b8a", "podman" },
  { USER "/user.slice/libpod-conmon-" HEX ".scope", "conmon", WEIR_APP_PROGRAM, "conmon",
    "conmon" },
  { "/kubepods.slice/kubepods-burstable.slice/cri-containerd-" HEX ".scope", "etcd",
    WEIR_APP_CONTAINER, "containerd 3f4e5d6c7b8a", "containerd" },
  { "/lxc.payload.web/system.slice/apache2.service", "apache2", WEIR_APP_CONTAINER, "LXC web",
    "lxc" },
  { "/machine.slice/systemd-nspawn@build.service/payload/init.scope", "systemd", WEIR_APP_CONTAINER,
    "nspawn build", "nspawn" },
  { "/user.slice/user-1000.slice/session-3.scope", "ssh", WEIR_APP_PROGRAM, "ssh", "ssh" },
  { USER "/app.slice/vte-spawn-" UUID ".scope", "curl", WEIR_APP_PROGRAM, "curl", "curl" },
  { USER "/init.scope", "systemd", WEIR_APP_PROGRAM, "systemd", "systemd" },
  { "/init.scope", "systemd", WEIR_APP_PROGRAM, "systemd", "systemd" },
  { "/", "kthread", WEIR_APP_PROGRAM, "kthread", "kthread" },
  { "", "curl", WEIR_APP_PROGRAM, "curl", "curl" },
  { NULL, NULL, WEIR_APP_UNKNOWN, NULL, NULL },
  { "/user.slice", "", WEIR_APP_UNKNOWN, NULL, NULL },
  /* What anybody can call a unit of his own. */
  { USER "/app.slice/app-gnome-\\x1b\\xff\\xe2\\x80\\xae-1.scope", "x", WEIR_APP_DESKTOP,
    "\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd" },
  { USER "/app.slice/app-gnome-\\x-1.scope", "x", WEIR_APP_DESKTOP, "\\x", "\\x" },
  { USER "/app.slice/app-.scope", "x", WEIR_APP_PROGRAM, "x", "x" },
  { USER "/app.slice/app-nodash.scope", "x", WEIR_APP_PROGRAM, "x", "x" },
  { "/docker-nothex.scope", "x", WEIR_APP_PROGRAM, "x", "x" },
  { "/.service", "x", WEIR_APP_PROGRAM, "x", "x" },
};

static void
test_path (gconstpointer data)
{
  const Case *expected = data;
  g_auto (WeirAppIdentity) identity = { 0 };

  weir_app_identity_init (&identity, expected->cgroup, expected->comm);
  g_assert_cmpstr (identity.name, ==, expected->name);
  g_assert_cmpstr (identity.id, ==, expected->id);
  g_assert_cmpint (identity.kind, ==, expected->kind);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/app-identity/path/%" G_GSIZE_FORMAT, i);
      g_test_add_data_func (path, &cases[i], test_path);
    }
  return g_test_run ();
}
