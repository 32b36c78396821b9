/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-exposure.h"

#include <netinet/in.h>
#include <string.h>

#include <glib/gi18n-lib.h>

/* The loopback interface has this number in every network namespace (LOOPBACK_IFINDEX of the
 * kernel's include/net/flow.h). */
#define LOOPBACK_INDEX 1

static const char *const names[] = {
  [WEIR_EXPOSURE_NONE] = N_ ("Nobody: it only sends"),
  [WEIR_EXPOSURE_LOOPBACK] = N_ ("This computer"),
  [WEIR_EXPOSURE_LINK] = N_ ("Attached networks"),
  [WEIR_EXPOSURE_ANYWHERE] = N_ ("Anywhere"),
};

static WeirExposure
find_by_v4 (const guint8 address[4])
{
  if (address[0] == 127)
    return WEIR_EXPOSURE_LOOPBACK;
  /* Link-local addresses (RFC 3927), and groups that no router passes on (RFC 5771). */
  if ((address[0] == 169 && address[1] == 254) ||
      (address[0] == 224 && address[1] == 0 && address[2] == 0))
    return WEIR_EXPOSURE_LINK;
  return WEIR_EXPOSURE_ANYWHERE;
}

static WeirExposure
find_by_v6 (const guint8 address[16])
{
  static const guint8 loopback[16] = { [15] = 1 };

  if (memcmp (address, loopback, sizeof loopback) == 0)
    return WEIR_EXPOSURE_LOOPBACK;
  if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)
    return WEIR_EXPOSURE_LINK;
  /* Groups tell their own scope (RFC 4291, 2.7). */
  if (address[0] == 0xff)
    {
      guint scope = address[1] & 0xf;
      return scope <= 1   ? WEIR_EXPOSURE_LOOPBACK
             : scope == 2 ? WEIR_EXPOSURE_LINK
                          : WEIR_EXPOSURE_ANYWHERE;
    }
  return WEIR_EXPOSURE_ANYWHERE;
}

WeirExposure
weir_exposure_find (const struct weir_receiver_record *record)
{
  if ((record->kind == WEIR_SOCKET_PACKET && record->protocol == 0) ||
      (record->kind == WEIR_SOCKET_RAW && record->protocol == IPPROTO_RAW))
    return WEIR_EXPOSURE_NONE;
  if (record->ifindex == LOOPBACK_INDEX)
    return WEIR_EXPOSURE_LOOPBACK;
  /* What an interface brings, a packet socket gets from whoever is attached there, and what a
   * router sends on for others as well. */
  if (record->kind == WEIR_SOCKET_PACKET)
    return WEIR_EXPOSURE_ANYWHERE;
  return record->family == 4 ? find_by_v4 (record->local.address + 12)
                             : find_by_v6 (record->local.address);
}

const char *
weir_exposure_get_name (WeirExposure exposure)
{
  g_return_val_if_fail ((guint) exposure < G_N_ELEMENTS (names), NULL);
  return g_dgettext (GETTEXT_PACKAGE, names[exposure]);
}
