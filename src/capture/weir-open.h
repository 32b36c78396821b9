/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens, while the privileges are there, everything that is used after they are gone. */
#pragma once

#include "weir-meter.h"

/* Fills @setup's descriptors (except client, keeper and looker), view and netns.  Nothing here is
 * fatal: what is refused is -1 with its errno, and a source says so. */
void
weir_open (struct weir_meter_setup *setup);
