/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

#include "weir-wire.h"

G_BEGIN_DECLS

/* From where a socket can be reached, as far as its address and its interface say.  Firewalls are
 * not looked at: one may keep out what is said to reach it here. */
typedef enum
{
  WEIR_EXPOSURE_NONE,     /* it only sends */
  WEIR_EXPOSURE_LOOPBACK, /* this computer alone */
  WEIR_EXPOSURE_LINK,     /* the networks that are attached, without a router between */
  WEIR_EXPOSURE_ANYWHERE, /* whoever has a route to this computer */
} WeirExposure;

WeirExposure
weir_exposure_find (const struct weir_receiver_record *record);

/* "This computer", translated. */
const char *
weir_exposure_get_name (WeirExposure exposure);

G_END_DECLS
