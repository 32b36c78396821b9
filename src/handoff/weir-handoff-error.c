/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-listener.h"

G_DEFINE_QUARK (weir - handoff - error - quark, weir_handoff_error)
