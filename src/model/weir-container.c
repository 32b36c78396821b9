/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-container.h"

#include <string.h>

#include "weir-cgroup-text.h"
#include "weir-format.h"

/* Digits of a container's number that its tools print, too. */
#define SHORT_ID 12
#define FULL_ID  64

/* Numbers of builds and tasks. */
#define BUILD_ID 25
#define TASK_ID  32

#define HEX   "0123456789abcdef"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UUID  (8 + 1 + 4 + 1 + 4 + 1 + 4 + 1 + 12)

/* How what is between prefix and suffix is read. */
typedef enum
{
  SHAPE_HEX,     /* the number of an OCI container */
  SHAPE_BUILD,   /* the number of a step of BuildKit */
  SHAPE_TASK,    /* number of a task, a dash, number of a container: ECS on Fargate */
  SHAPE_NAME,    /* as it is, unescaped */
  SHAPE_MACHINE, /* DRIVER-NUMBER-NAME, unescaped: libvirt */
} Shape;

typedef struct
{
  const char *manager;
  const char *prefix;
  const char *suffix;
  Shape shape;
  /* What the part before must be called, too, and the one before that; NULL: anything.  A star at
   * the end stands for any rest. */
  const char *parent;
  const char *grandparent;
} Pattern;

/* The first that fits a part names it.  With the systemd driver runtimes make scopes that carry
 * their name; with the cgroupfs driver often only the folder above does.  Monitors (libpod-conmon-,
 * crio-conmon-, lxc.monitor) run outside of the container and fit nothing here. */
static const Pattern patterns[] = {
  { "Docker", "docker-", ".scope", SHAPE_HEX, NULL, NULL },
  { "BuildKit", "docker-", ".scope", SHAPE_BUILD, NULL, NULL },
  { "Podman", "libpod-payload-", "", SHAPE_HEX, NULL, NULL },
  { "Podman", "libpod-", ".scope", SHAPE_HEX, NULL, NULL },
  { "Podman", "libpod-", "", SHAPE_HEX, NULL, NULL },
  { "CRI-O", "crio-", ".scope", SHAPE_HEX, NULL, NULL },
  { "CRI-O", "crio-", "", SHAPE_HEX, NULL, NULL },
  { "containerd", "cri-containerd-", ".scope", SHAPE_HEX, NULL, NULL },
  { "nerdctl", "nerdctl-", ".scope", SHAPE_HEX, NULL, NULL },
  { "Buildah", "crun-buildah-", ".scope", SHAPE_NAME, NULL, NULL },
  { "Buildah", "runc-buildah-", ".scope", SHAPE_NAME, NULL, NULL },
  { "Buildah", "buildah-buildah", "", SHAPE_NAME, NULL, NULL },
  { "Docker", "", "", SHAPE_HEX, "docker", NULL },
  { "BuildKit", "", "", SHAPE_BUILD, "buildkit", NULL },
  { "BuildKit", "system.slice:docker:", "", SHAPE_BUILD, NULL, NULL },
  { "Podman", "", "", SHAPE_HEX, "libpod_parent", NULL },
  { "containerd", "", "", SHAPE_HEX, "k8s.io", NULL },
  { "nerdctl", "", "", SHAPE_HEX, "default", NULL },
  { "Kubernetes", "", "", SHAPE_HEX, "pod*", NULL },
  { "ECS", "", "", SHAPE_HEX, NULL, "ecs" },
  { "ECS", "", "", SHAPE_TASK, NULL, "ecs" },
  { "Container", "", "", SHAPE_HEX, NULL, NULL },
  { "LXC", "lxc.payload.", "", SHAPE_NAME, NULL, NULL },
  { "LXC", "", "", SHAPE_NAME, "lxc.payload", NULL },
  { "LXC", "", "", SHAPE_NAME, "lxc", NULL },
  { "nspawn", "systemd-nspawn@", ".service", SHAPE_NAME, NULL, NULL },
  { "nspawn", "container@", ".service", SHAPE_NAME, "machine.slice", NULL },
  { "vmspawn", "systemd-vmspawn@", ".service", SHAPE_NAME, NULL, NULL },
  { "libvirt", "machine-", ".scope", SHAPE_MACHINE, NULL, NULL },
  { "libvirt", "", ".libvirt-qemu", SHAPE_MACHINE, NULL, NULL },
  { "libvirt", "", ".libvirt-lxc", SHAPE_MACHINE, NULL, NULL },
  { "Machine", "machine-", ".scope", SHAPE_NAME, NULL, NULL },
};

static char *
read_hex (const char *middle)
{
  if (strlen (middle) != FULL_ID || strspn (middle, HEX) != FULL_ID)
    return NULL;
  return g_strndup (middle, SHORT_ID);
}

/* Made by identity.NewID(): 25 characters of base 36. */
static char *
read_build (const char *middle)
{
  if (strlen (middle) != BUILD_ID || strspn (middle, "0123456789" LOWER) != BUILD_ID)
    return NULL;
  return g_strndup (middle, SHORT_ID);
}

static char *
read_task (const char *middle)
{
  if (strspn (middle, HEX) != TASK_ID || middle[TASK_ID] != '-' || middle[TASK_ID + 1] == '\0' ||
      middle[TASK_ID + 1 + strspn (middle + TASK_ID + 1, "0123456789")] != '\0')
    return NULL;
  return g_strdup (middle);
}

/* The number grows with each start and means nothing to people. */
static char *
read_machine (const char *middle)
{
  static const char *const drivers[] = { "qemu-", "lxc-", "ch-", "xen-" };
  g_autofree char *plain = weir_cgroup_unescape (middle);

  for (gsize i = 0; i < G_N_ELEMENTS (drivers); i++)
    {
      if (!g_str_has_prefix (plain, drivers[i]))
        continue;
      const char *number = plain + strlen (drivers[i]);
      gsize digits = strspn (number, "0123456789");
      if (digits > 0 && number[digits] == '-' && number[digits + 1] != '\0')
        return g_strdup (number + digits + 1);
    }
  return NULL;
}

static char *
read_middle (Shape shape, const char *middle)
{
  switch (shape)
    {
    case SHAPE_HEX:
      return read_hex (middle);
    case SHAPE_BUILD:
      return read_build (middle);
    case SHAPE_TASK:
      return read_task (middle);
    case SHAPE_MACHINE:
      return read_machine (middle);
    case SHAPE_NAME:
      return weir_cgroup_unescape (middle);
    default:
      g_assert_not_reached ();
    }
}

static gboolean
has_name (char *const *parts, guint position, guint up, const char *name)
{
  gsize length;

  if (name == NULL)
    return TRUE;
  if (position < up)
    return FALSE;
  length = strlen (name);
  if (name[length - 1] == '*')
    return strncmp (parts[position - up], name, length - 1) == 0;
  return g_str_equal (parts[position - up], name);
}

/* "kubepods-besteffort-pod….slice:cri-containerd:3f4e…": containerd with the cgroupfs driver that
 * was given a path for systemd. */
static const char *
get_last_of_three (const char *part, const char *manager)
{
  const char *first = strchr (part, ':');
  gsize length = strlen (manager);

  if (first == NULL || strncmp (first + 1, manager, length) != 0 || first[1 + length] != ':')
    return NULL;
  return first + 1 + length + 1;
}

static WeirContainer *
container_new (const char *manager, const char *name, const char *part)
{
  WeirContainer *container = g_new0 (WeirContainer, 1);

  container->manager = manager;
  container->name = weir_format_sanitise (name, -1);
  container->part = weir_format_sanitise (part, -1);
  return container;
}

WeirContainer *
weir_container_new (char *const *parts, guint position)
{
  const char *part = parts[position];
  gsize length = strlen (part);
  const char *number = get_last_of_three (part, "cri-containerd");
  g_autofree char *id = number != NULL ? read_hex (number) : NULL;

  if (id != NULL)
    return container_new ("containerd", id, part);
  for (gsize i = 0; i < G_N_ELEMENTS (patterns); i++)
    {
      const Pattern *pattern = &patterns[i];
      gsize around = strlen (pattern->prefix) + strlen (pattern->suffix);

      if (length <= around || !g_str_has_prefix (part, pattern->prefix) ||
          !g_str_has_suffix (part, pattern->suffix) ||
          !has_name (parts, position, 1, pattern->parent) ||
          !has_name (parts, position, 2, pattern->grandparent))
        continue;
      g_autofree char *middle = g_strndup (part + strlen (pattern->prefix), length - around);
      g_autofree char *name = read_middle (pattern->shape, middle);
      if (name != NULL && *name != '\0')
        return container_new (pattern->manager, name, part);
    }
  return NULL;
}

void
weir_container_free (WeirContainer *container)
{
  g_free (container->name);
  g_free (container->part);
  g_free (container);
}

/* Dashes part the slices of systemd, so a pod's number has underscores there; that of a static pod
 * is a hash without any. */
static char *
read_kubernetes_pod (const char *part)
{
  const char *pod = strstr (part, "pod");
  gsize length;

  /* "kubepods-burstable-pod…": not the one of "kubepods". */
  while (pod != NULL && pod != part && pod[-1] != '-')
    pod = strstr (pod + 1, "pod");
  if (pod == NULL)
    return NULL;
  pod += strlen ("pod");
  length = strspn (pod, HEX "-_");
  if (length != UUID && length != TASK_ID)
    return NULL;
  if (pod[length] != '\0' && !g_str_has_prefix (pod + length, ".slice"))
    return NULL;
  return g_strdelimit (g_strndup (pod, length), "_", '-');
}

char *
weir_container_get_pod (const char *part)
{
  static const char marker[] = "libpod_pod_";
  const char *pod = strstr (part, marker);

  if (pod == NULL)
    return read_kubernetes_pod (part);
  pod += strlen (marker);
  g_autofree char *number = g_strndup (pod, strspn (pod, HEX));
  return read_hex (number);
}
