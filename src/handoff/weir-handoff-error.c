/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weir-listener.h"

GQuark
weir_handoff_error_quark (void)
{
  return g_quark_from_static_string ("weir-handoff-error-quark");
}
