/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paths of control groups as they are found on computers, and all that is to be read from each.
 * They were taken from documentation and bug reports of the projects that make them; names of
 * machines and people in them were replaced. */
#include "weir-app-identity.h"
#include "weir-cgroup.h"

typedef struct
{
  const char *path;
  WeirAppKind kind;
  const char *app;
  const char *unit;
  const char *slice;
  const char *container; /* the whole chain */
  const char *pod;
  const char *session;
  gint64 uid; /* 0: none; nothing below is a session of root's */
} Row;

/* The name of the process when the path names nothing. */
#define COMM "comm"

#define USER1000 "/user.slice/user-1000.slice/user@1000.service"

#define HEX_A "3ad85da3fccbfd88a3f7b398a8adf6b5064a15a4bef5b6bfd687e1059d97f71e"
#define HEX_B "5eed917563583925ffdbd40a64efb2aaffe58638e57add8becaf460fe74f5b1c"
#define HEX_C "d0b3604b67ac7930dd34ba3a796627e3e4717d12309e90a4afe3f38b6816ac98"
#define HEX_D "f977b06e7dcb84063a68c1e5efe11ef0d14ef2628f62706cbd74948fa0204f70"
#define HEX_E "0411a2a82311fbc65b137ca550d5f7e6b6863bc734759be2f515b0b67062d49a"
#define HEX_F "c7bcf94f6dff735d99a74161201bd7b9272f113188b22b93ad48cd853966a22d"

#define PROGRAM(...)   { __VA_ARGS__, .kind = WEIR_APP_PROGRAM, .app = COMM }
#define CONTAINER(...) { __VA_ARGS__, .kind = WEIR_APP_CONTAINER }

static const Row rows[] = {
  /* ---- systemd itself ---- */
  PROGRAM (.path = "/"),
  PROGRAM (.path = "/init.scope", .unit = "init.scope"),
  PROGRAM (.path = "/system.slice", .slice = "system.slice"),
  { .path = "/system.slice/systemd-udevd.service/udev",
    .kind = WEIR_APP_SERVICE,
    .app = "systemd-udevd",
    .unit = "systemd-udevd.service",
    .slice = "system.slice" },
  { .path = "/system.slice/system-getty.slice/getty@tty1.service",
    .kind = WEIR_APP_SERVICE,
    .app = "getty@tty1",
    .unit = "getty@tty1.service",
    .slice = "system-getty.slice" },
  { .path = "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service",
    .kind = WEIR_APP_SERVICE,
    .app = "serial-getty@ttyS0",
    .unit = "serial-getty@ttyS0.service",
    .slice = "system-serial\\x2dgetty.slice" },
  PROGRAM (.path = "/system.slice/boot-efi.mount", .unit = "boot-efi.mount",
           .slice = "system.slice"),
  PROGRAM (.path = "/system.slice/run-u1771.service", .unit = "run-u1771.service",
           .slice = "system.slice"),
  PROGRAM (.path = "/user.slice/user-1000.slice/session-2.scope", .unit = "session-2.scope",
           .slice = "user-1000.slice", .session = "2", .uid = 1000),
  PROGRAM (.path = "/user.slice/user-1001.slice/session-c112.scope", .unit = "session-c112.scope",
           .slice = "user-1001.slice", .session = "c112", .uid = 1001),
  PROGRAM (.path = USER1000 "/init.scope", .unit = "init.scope", .slice = "user-1000.slice",
           .uid = 1000),
  PROGRAM (.path = USER1000 "/app.slice/test.scope", .unit = "test.scope", .slice = "app.slice",
           .uid = 1000),
  { .path = USER1000 "/session.slice/pipewire-pulse.service",
    .kind = WEIR_APP_SERVICE,
    .app = "pipewire-pulse",
    .unit = "pipewire-pulse.service",
    .slice = "session.slice",
    .uid = 1000 },
  { .path = USER1000 "/background.slice/wayland-session-bindpid@373817.service",
    .kind = WEIR_APP_SERVICE,
    .app = "wayland-session-bindpid@373817",
    .unit = "wayland-session-bindpid@373817.service",
    .slice = "background.slice",
    .uid = 1000 },

  /* ---- desktops ---- */
  { .path = USER1000 "/app.slice/app-gnome-org.gnome.Nautilus-1205153.scope",
    .kind = WEIR_APP_DESKTOP,
    .app = "org.gnome.Nautilus",
    .unit = "app-gnome-org.gnome.Nautilus-1205153.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-org.gnome.Nautilus-d6bd9e4ae27d4d1c92a4e31f02b6f1a4.scope",
    .kind = WEIR_APP_DESKTOP,
    .app = "org.gnome.Nautilus",
    .unit = "app-org.gnome.Nautilus-d6bd9e4ae27d4d1c92a4e31f02b6f1a4.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-gnome-firefox\\x2desr-3421.scope",
    .kind = WEIR_APP_DESKTOP,
    .app = "firefox-esr",
    .unit = "app-gnome-firefox\\x2desr-3421.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-cosmic-com.system76.CosmicAppList-4376.scope",
    .kind = WEIR_APP_DESKTOP,
    .app = "com.system76.CosmicAppList",
    .unit = "app-cosmic-com.system76.CosmicAppList-4376.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-at\\x2dspi\\x2ddbus\\x2dbus@autostart.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "at-spi-dbus-bus",
    .unit = "app-at\\x2dspi\\x2ddbus\\x2dbus@autostart.service",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-pop\\x2dflatpak\\x2drepos@autostart.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "pop-flatpak-repos",
    .unit = "app-pop\\x2dflatpak\\x2drepos@autostart.service",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-rofi-easyeffects-19676.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "easyeffects",
    .unit = "app-rofi-easyeffects-19676.service",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-rofi-firefox\\x20\\x2d\\x2dname\\x20firefox-24101.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "firefox --name firefox",
    .unit = "app-rofi-firefox\\x20\\x2d\\x2dname\\x20firefox-24101.service",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-dbus\\x2d:1.37\\x2dorg.a11y.atspi.Registry.slice/"
                     "dbus-:1.37-org.a11y.atspi.Registry@0.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "org.a11y.atspi.Registry",
    .unit = "dbus-:1.37-org.a11y.atspi.Registry@0.service",
    .slice = "app-dbus\\x2d:1.37\\x2dorg.a11y.atspi.Registry.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/app-org.gnome.Terminal.slice/gnome-terminal-server.service",
    .kind = WEIR_APP_DESKTOP,
    .app = "org.gnome.Terminal",
    .unit = "gnome-terminal-server.service",
    .slice = "app-org.gnome.Terminal.slice",
    .uid = 1000 },
  PROGRAM (.path = USER1000 "/app.slice/app-org.gnome.Terminal.slice/"
                            "vte-spawn-0cd4f5a9-2a6a-4f4e-9f4f-0c6d4f3c3a5b.scope",
           .unit = "vte-spawn-0cd4f5a9-2a6a-4f4e-9f4f-0c6d4f3c3a5b.scope",
           .slice = "app-org.gnome.Terminal.slice", .uid = 1000),
  { .path = USER1000 "/app.slice/app-gnome\\x2dsession\\x2dmanager.slice/"
                     "gnome-session-manager@gnome.service",
    .kind = WEIR_APP_SERVICE,
    .app = "gnome-session-manager@gnome",
    .unit = "gnome-session-manager@gnome.service",
    .slice = "app-gnome\\x2dsession\\x2dmanager.slice",
    .uid = 1000 },

  /* ---- Flatpak, Snap ---- */
  { .path = USER1000 "/app.slice/app-flatpak-org.mozilla.firefox-9273.scope",
    .kind = WEIR_APP_FLATPAK,
    .app = "org.mozilla.firefox",
    .unit = "app-flatpak-org.mozilla.firefox-9273.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = USER1000 "/apps.slice/apps-org.gnome.Terminal.slice/"
                     "app-flatpak-com.spotify.Client-4012.scope",
    .kind = WEIR_APP_FLATPAK,
    .app = "com.spotify.Client",
    .unit = "app-flatpak-com.spotify.Client-4012.scope",
    .slice = "apps-org.gnome.Terminal.slice",
    .uid = 1000 },
  { .path = USER1000 "/app.slice/snap.firefox.firefox-6e19eb6a-7fcf-4fa0-9b52-6ae0c14be5a9.scope",
    .kind = WEIR_APP_SNAP,
    .app = "firefox",
    .unit = "snap.firefox.firefox-6e19eb6a-7fcf-4fa0-9b52-6ae0c14be5a9.scope",
    .slice = "app.slice",
    .uid = 1000 },
  { .path = "/user.slice/user-1000.slice/user@1000.service/"
            "snap.test-snapd-sh.sh.d1ea31e5-6b1b-4a5c-8a3c-2a1cb5ce2b63.scope",
    .kind = WEIR_APP_SNAP,
    .app = "test-snapd-sh",
    .unit = "snap.test-snapd-sh.sh.d1ea31e5-6b1b-4a5c-8a3c-2a1cb5ce2b63.scope",
    .slice = "user-1000.slice",
    .uid = 1000 },
  { .path = "/snap.foo.slice/snap.go-example-webserver.webserver.service",
    .kind = WEIR_APP_SNAP,
    .app = "go-example-webserver",
    .unit = "snap.go-example-webserver.webserver.service",
    .slice = "snap.foo.slice" },
  { .path = "/system.slice/snap.docker.dockerd.service",
    .kind = WEIR_APP_SNAP,
    .app = "docker",
    .unit = "snap.docker.dockerd.service",
    .slice = "system.slice" },

  /* ---- Docker ---- */
  CONTAINER (.path = "/system.slice/docker-" HEX_D ".scope", .app = "Docker f977b06e7dcb",
             .unit = "docker-" HEX_D ".scope", .slice = "system.slice",
             .container = "Docker f977b06e7dcb"),
  CONTAINER (.path = "/mycgroup.slice/docker-" HEX_D ".scope", .app = "Docker f977b06e7dcb",
             .unit = "docker-" HEX_D ".scope", .slice = "mycgroup.slice",
             .container = "Docker f977b06e7dcb"),
  CONTAINER (.path = "/system.slice/docker-" HEX_D ".scope/grp.scope", .app = "Docker f977b06e7dcb",
             .unit = "grp.scope", .slice = "system.slice", .container = "Docker f977b06e7dcb"),
  CONTAINER (.path = USER1000 "/user.slice/docker-" HEX_D ".scope", .app = "Docker f977b06e7dcb",
             .unit = "docker-" HEX_D ".scope", .slice = "user.slice",
             .container = "Docker f977b06e7dcb", .uid = 1000),
  CONTAINER (.path = "/docker/8c1e75bb325eb9c64571326952a6507132f1fc7eba7cd5b694422abe39fc7ed8",
             .app = "Docker 8c1e75bb325e", .container = "Docker 8c1e75bb325e"),
  CONTAINER (.path = "/system.slice/containerd.service/cpuset/"
                     "28b29b54a96c2523f0240e1cff00365e2f67d6e39103742cfa0321657466756e",
             .app = "Container 28b29b54a96c", .unit = "containerd.service", .slice = "system.slice",
             .container = "Container 28b29b54a96c"),
  CONTAINER (.path = "/azpl_job/f3e009088d7ae151c04ad40cc9f19addb7dc1a5dca6261bef78acd0c3c1f97d3",
             .app = "Container f3e009088d7a", .container = "Container f3e009088d7a"),
  { .path = "/system.slice/docker.service",
    .kind = WEIR_APP_SERVICE,
    .app = "docker",
    .unit = "docker.service",
    .slice = "system.slice" },

  /* ---- builds ---- */
  CONTAINER (.path = "/docker/buildkit/snschvixiy3s74w74fjantrdg", .app = "BuildKit snschvixiy3s",
             .container = "BuildKit snschvixiy3s"),
  CONTAINER (.path = "/buildkit/snschvixiy3s74w74fjantrdg", .app = "BuildKit snschvixiy3s",
             .container = "BuildKit snschvixiy3s"),
  CONTAINER (.path = "/system.slice:docker:snschvixiy3s74w74fjantrdg",
             .app = "BuildKit snschvixiy3s", .container = "BuildKit snschvixiy3s"),
  CONTAINER (.path = "/system.slice/docker-" HEX_D ".scope/buildkit/snschvixiy3s74w74fjantrdg",
             .app = "BuildKit snschvixiy3s", .unit = "docker-" HEX_D ".scope",
             .slice = "system.slice", .container = "Docker f977b06e7dcb/BuildKit snschvixiy3s"),
  CONTAINER (.path = "/system.slice/crun-buildah-buildah2365838308.scope",
             .app = "Buildah buildah2365838308", .unit = "crun-buildah-buildah2365838308.scope",
             .slice = "system.slice", .container = "Buildah buildah2365838308"),
  CONTAINER (.path = USER1000 "/app.slice/runc-buildah-buildah2754860408.scope",
             .app = "Buildah buildah2754860408", .unit = "runc-buildah-buildah2754860408.scope",
             .slice = "app.slice", .container = "Buildah buildah2754860408", .uid = 1000),

  /* ---- Podman ---- */
  CONTAINER (.path = "/machine.slice/libpod-" HEX_E ".scope", .app = "Podman 0411a2a82311",
             .unit = "libpod-" HEX_E ".scope", .slice = "machine.slice",
             .container = "Podman 0411a2a82311"),
  CONTAINER (.path = "/machine.slice/libpod-" HEX_E ".scope/container",
             .app = "Podman 0411a2a82311", .unit = "libpod-" HEX_E ".scope",
             .slice = "machine.slice", .container = "Podman 0411a2a82311"),
  PROGRAM (.path = "/machine.slice/libpod-conmon-" HEX_E ".scope",
           .unit = "libpod-conmon-" HEX_E ".scope", .slice = "machine.slice"),
  CONTAINER (.path = USER1000 "/user.slice/libpod-" HEX_E ".scope/container",
             .app = "Podman 0411a2a82311", .unit = "libpod-" HEX_E ".scope", .slice = "user.slice",
             .container = "Podman 0411a2a82311", .uid = 1000),
  PROGRAM (.path = USER1000 "/user.slice/podman-6696.scope", .unit = "podman-6696.scope",
           .slice = "user.slice", .uid = 1000),
  CONTAINER (.path = USER1000 "/app.slice/nextcloud.service/libpod-payload-" HEX_F,
             .app = "Podman c7bcf94f6dff", .unit = "nextcloud.service", .slice = "app.slice",
             .container = "Podman c7bcf94f6dff", .uid = 1000),
  { .path = "/srv.slice/container-homeassistant.service/runtime",
    .kind = WEIR_APP_SERVICE,
    .app = "container-homeassistant",
    .unit = "container-homeassistant.service",
    .slice = "srv.slice" },
  CONTAINER (.path =
                 "/machine.slice/machine-libpod_pod_"
                 "ddf44d54b520f0b4469fcd01c3155ca49e6911dc2175471eb3a7b789187a7a89.slice/"
                 "libpod-1dadda571b14eefb3158a15d0fff7e0089f9dd92f922679ed0116cccdfe8bb0f.scope/"
                 "container",
             .app = "Podman 1dadda571b14",
             .unit =
                 "libpod-1dadda571b14eefb3158a15d0fff7e0089f9dd92f922679ed0116cccdfe8bb0f.scope",
             .slice = "machine-libpod_pod_"
                      "ddf44d54b520f0b4469fcd01c3155ca49e6911dc2175471eb3a7b789187a7a89.slice",
             .container = "Podman 1dadda571b14", .pod = "ddf44d54b520"),
  CONTAINER (.path = "/libpod_parent/"
                     "libpod-90cf2badd9aeab1a70dc4821aee4039ab70eaac08121d8aeafcf8e5935ca810a",
             .app = "Podman 90cf2badd9ae", .container = "Podman 90cf2badd9ae"),

  /* ---- Kubernetes ---- */
  CONTAINER (.path = "/kubepods.slice/kubepods-burstable.slice/"
                     "kubepods-burstable-pod03f3f104_3215_44f2_9686_d4dd1f05a7ed.slice/"
                     "cri-containerd-" HEX_A ".scope",
             .app = "containerd 3ad85da3fccb", .unit = "cri-containerd-" HEX_A ".scope",
             .slice = "kubepods-burstable-pod03f3f104_3215_44f2_9686_d4dd1f05a7ed.slice",
             .container = "containerd 3ad85da3fccb", .pod = "03f3f104-3215-44f2-9686-d4dd1f05a7ed"),
  CONTAINER (.path = "/kubepods.slice/kubepods-burstable.slice/"
                     "kubepods-burstable-pod187bff14cccb94f179e943eacce55bb3.slice/"
                     "cri-containerd-" HEX_A ".scope",
             .app = "containerd 3ad85da3fccb", .unit = "cri-containerd-" HEX_A ".scope",
             .slice = "kubepods-burstable-pod187bff14cccb94f179e943eacce55bb3.slice",
             .container = "containerd 3ad85da3fccb", .pod = "187bff14cccb94f179e943eacce55bb3"),
  CONTAINER (.path = "/kubepods.slice/kubepods-burstable.slice/"
                     "kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice/"
                     "crio-" HEX_B ".scope",
             .app = "CRI-O 5eed91756358", .unit = "crio-" HEX_B ".scope",
             .slice = "kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice",
             .container = "CRI-O 5eed91756358", .pod = "a5c1f8d5-1919-434d-add7-4afaafdaef89"),
  PROGRAM (.path = "/kubepods.slice/kubepods-burstable.slice/"
                   "kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice/"
                   "crio-conmon-" HEX_B ".scope",
           .unit = "crio-conmon-" HEX_B ".scope",
           .slice = "kubepods-burstable-poda5c1f8d5_1919_434d_add7_4afaafdaef89.slice",
           .pod = "a5c1f8d5-1919-434d-add7-4afaafdaef89"),
  CONTAINER (.path =
                 "/kubepods.slice/kubepods-besteffort.slice/"
                 "kubepods-besteffort-pod9692aa0e_748e_11e8_8dfa_76d458035df6.slice/"
                 "docker-abddff03dfd7710c79a750ce3e730365cbb2c8247a974170c1062683bc3e9152.scope",
             .app = "Docker abddff03dfd7",
             .unit =
                 "docker-abddff03dfd7710c79a750ce3e730365cbb2c8247a974170c1062683bc3e9152.scope",
             .slice = "kubepods-besteffort-pod9692aa0e_748e_11e8_8dfa_76d458035df6.slice",
             .container = "Docker abddff03dfd7", .pod = "9692aa0e-748e-11e8-8dfa-76d458035df6"),
  CONTAINER (.path = "/kubepods.slice/kubepods-pod7d4424e6_bb13_42f4_a47a_45a4828bf54d.slice/"
                     "cri-containerd-" HEX_C ".scope",
             .app = "containerd d0b3604b67ac", .unit = "cri-containerd-" HEX_C ".scope",
             .slice = "kubepods-pod7d4424e6_bb13_42f4_a47a_45a4828bf54d.slice",
             .container = "containerd d0b3604b67ac", .pod = "7d4424e6-bb13-42f4-a47a-45a4828bf54d"),
  CONTAINER (.path = "/kubepods/besteffort/pod72f9a42e-50d3-47ee-8ec7-0bccfb6ea7ae/"
                     "52371e0edd6309da3d4eaee6d303aa3401abbef92c34c2b1ddba7b28d82d6cb0",
             .app = "Kubernetes 52371e0edd63", .container = "Kubernetes 52371e0edd63",
             .pod = "72f9a42e-50d3-47ee-8ec7-0bccfb6ea7ae"),
  CONTAINER (.path = "/kubepods/pod9a18ffb8-8513-11e7-b26e-7e29fbe2a5a3/"
                     "d28e0087cf8f3f0429f755d60b0de415b20fcf76736ded7bab6e30e7b739ee36",
             .app = "Kubernetes d28e0087cf8f", .container = "Kubernetes d28e0087cf8f",
             .pod = "9a18ffb8-8513-11e7-b26e-7e29fbe2a5a3"),
  CONTAINER (.path = "/system.slice/containerd.service/"
                     "kubepods-besteffort-pod0125ec2f_b64a_4868_8f5b_94b56cbab864.slice:"
                     "cri-containerd:"
                     "ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459",
             .app = "containerd ee4b20e90ac7", .unit = "containerd.service",
             .slice = "system.slice", .container = "containerd ee4b20e90ac7",
             .pod = "0125ec2f-b64a-4868-8f5b-94b56cbab864"),
  CONTAINER (.path = "/kubepods-besteffort-pod0125ec2f_b64a_4868_8f5b_94b56cbab864.slice:"
                     "cri-containerd:"
                     "ee4b20e90ac7f42a10bd004d05646b13d8ab5e2c5e7cbc01abf8006bac016459",
             .app = "containerd ee4b20e90ac7", .container = "containerd ee4b20e90ac7",
             .pod = "0125ec2f-b64a-4868-8f5b-94b56cbab864"),
  CONTAINER (.path = "/docker/d6701ec289c56e4391acb11d07474b3139466857a305490575508a8b7a9fcf22/"
                     "kubepods.slice/kubepods-besteffort.slice/"
                     "kubepods-besteffort-pod2ca4a155_3599_498d_bb9d_4446693fa3ea.slice/"
                     "crio-0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0.scope",
             .app = "CRI-O 0ba8ac17e4e7",
             .unit = "crio-0ba8ac17e4e7a31fb82279503552fe94e64bab4745bf6fd2ff231e7c8ca8bed0.scope",
             .slice = "kubepods-besteffort-pod2ca4a155_3599_498d_bb9d_4446693fa3ea.slice",
             .container = "Docker d6701ec289c5/CRI-O 0ba8ac17e4e7",
             .pod = "2ca4a155-3599-498d-bb9d-4446693fa3ea"),
  { .path = "/kubereserved.slice/docker.service",
    .kind = WEIR_APP_SERVICE,
    .app = "docker",
    .unit = "docker.service",
    .slice = "kubereserved.slice" },
  { .path = "/system.slice/kubelet.service",
    .kind = WEIR_APP_SERVICE,
    .app = "kubelet",
    .unit = "kubelet.service",
    .slice = "system.slice" },

  /* ---- ECS ---- */
  CONTAINER (.path = "/ecs/55091c13-b8cf-4801-b527-f4601742204d/"
                     "432624d2150b349fe35ba397284dea788c2bf66b885d14dfc1569b01890ca7da",
             .app = "ECS 432624d2150b", .container = "ECS 432624d2150b"),
  CONTAINER (.path = "/ecs/c23e5f76c09d438aa1824ca4058bdcab/"
                     "c23e5f76c09d438aa1824ca4058bdcab-1234678",
             .app = "ECS c23e5f76c09d438aa1824ca4058bdcab-1234678",
             .container = "ECS c23e5f76c09d438aa1824ca4058bdcab-1234678"),

  /* ---- LXC, Incus, LXD ---- */
  CONTAINER (.path = "/lxc/x1", .app = "LXC x1", .container = "LXC x1"),
  CONTAINER (.path = "/lxc/x1/system.slice/snapd.service", .app = "LXC x1", .unit = "snapd.service",
             .slice = "system.slice", .container = "LXC x1"),
  CONTAINER (.path = "/lxc/php/user.slice/user-0.slice/session-1.scope", .app = "LXC php",
             .unit = "session-1.scope", .slice = "user-0.slice", .container = "LXC php"),
  CONTAINER (.path = "/lxc.payload/mysql-1/init.scope", .app = "LXC mysql-1", .unit = "init.scope",
             .container = "LXC mysql-1"),
  CONTAINER (.path = "/lxc.payload.node-ct/.lxc", .app = "LXC node-ct", .container = "LXC node-ct"),
  PROGRAM (.path = "/lxc.monitor.node-ct"),
  PROGRAM (.path = "/lxc.monitor/mysql-1"),
  CONTAINER (.path = "/lxc.payload.node-ct/system.slice/docker-" HEX_D ".scope",
             .app = "Docker f977b06e7dcb", .unit = "docker-" HEX_D ".scope",
             .slice = "system.slice", .container = "LXC node-ct/Docker f977b06e7dcb"),
  CONTAINER (.path = "/docker/19c8414ae5278d14bcf9e8b25b44012ac696f4626867e47b749caa237d489a0b/"
                     "lxc/c",
             .app = "LXC c", .container = "Docker 19c8414ae527/LXC c"),

  /* ---- systemd-nspawn, machines ---- */
  CONTAINER (.path = "/machine.slice/systemd-nspawn@dev-web-00000000.service/payload/init.scope",
             .app = "nspawn dev-web-00000000", .unit = "init.scope", .slice = "machine.slice",
             .container = "nspawn dev-web-00000000"),
  CONTAINER (.path = "/machine.slice/systemd-nspawn@testarch.service/payload/system.slice/"
                     "dbus.service",
             .app = "nspawn testarch", .unit = "dbus.service", .slice = "system.slice",
             .container = "nspawn testarch"),
  CONTAINER (.path = "/machine.slice/container@docker.service/payload/system.slice/docker.service",
             .app = "nspawn docker", .unit = "docker.service", .slice = "system.slice",
             .container = "nspawn docker"),
  CONTAINER (.path = "/machine.slice/machine-rootfs.scope/payload", .app = "Machine rootfs",
             .unit = "machine-rootfs.scope", .slice = "machine.slice",
             .container = "Machine rootfs"),
  CONTAINER (.path = "/machine.slice/machine-qemu\\x2d2\\x2dinstance\\x2d00000001.scope/libvirt",
             .app = "libvirt instance-00000001",
             .unit = "machine-qemu\\x2d2\\x2dinstance\\x2d00000001.scope", .slice = "machine.slice",
             .container = "libvirt instance-00000001"),
  CONTAINER (.path = "/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt/vcpu0",
             .app = "libvirt vm1", .unit = "machine-qemu\\x2d1\\x2dvm1.scope",
             .slice = "machine.slice", .container = "libvirt vm1"),
  CONTAINER (.path = "/machine/qemu-1-instance1.libvirt-qemu/emulator", .app = "libvirt instance1",
             .container = "libvirt instance1"),
  CONTAINER (.path = "/machine/lxc-1268-sl.libvirt-lxc", .app = "libvirt sl",
             .container = "libvirt sl"),
  { .path = "/vm.slice/qemu-datapath@199.service",
    .kind = WEIR_APP_SERVICE,
    .app = "qemu-datapath@199",
    .unit = "qemu-datapath@199.service",
    .slice = "vm.slice" },

  /* ---- systemd below another root: WSL ---- */
  PROGRAM (.path = "/wsl-user/distro-1/systemd/user.slice/user-1000.slice/session-1.scope",
           .unit = "session-1.scope", .slice = "user-1000.slice", .session = "1", .uid = 1000),
  /* ---- seen from inside of a container, past its own root ---- */
  PROGRAM (.path = "/../../init.scope", .unit = "init.scope"),
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_auto (WeirCgroup) cgroup = { 0 };
  g_auto (WeirAppIdentity) identity = { 0 };

  weir_cgroup_init (&cgroup, row->path);
  weir_app_identity_init (&identity, row->path, COMM);
  g_autofree char *chain = weir_cgroup_dup_chain (&cgroup);
  g_test_message ("%s", row->path);
  g_assert_cmpint (identity.kind, ==, row->kind);
  g_assert_cmpstr (identity.name, ==, row->app);
  g_assert_cmpstr (cgroup.unit, ==, row->unit);
  g_assert_cmpstr (cgroup.slice, ==, row->slice);
  g_assert_cmpstr (chain, ==, row->container);
  g_assert_cmpstr (cgroup.pod, ==, row->pod);
  g_assert_cmpstr (cgroup.session, ==, row->session);
  g_assert_cmpint (cgroup.session_uid, ==, row->uid != 0 ? row->uid : -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cgroup-paths/%" G_GSIZE_FORMAT, i);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  return g_test_run ();
}
