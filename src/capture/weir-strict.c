/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>

#include "weir-strict.h"

const char *const weir_layer_names[WEIR_N_LAYERS] = {
  "own-uid",          "capabilities", "no-new-privs", "empty-root",
  "empty-namespaces", "landlock",     "seccomp",
};
const char *const weir_role_names[WEIR_N_ROLES] = { "meter", "keeper", "looker", "twin" };

bool
weir_strict_refuses (const struct weir_process_status *processes, size_t n_processes,
                     char *ret_what, size_t size)
{
  for (size_t i = 0; i < n_processes; i++)
    {
      const char *separator = ":";
      size_t length;

      if (processes[i].layers_missing == 0)
        continue;
      length = (size_t) snprintf (ret_what, size, "%s", weir_role_names[processes[i].role]);
      for (size_t layer = 0; layer < WEIR_N_LAYERS && length < size; layer++)
        if ((processes[i].layers_missing & 1U << layer) != 0)
          {
            length += (size_t) snprintf (ret_what + length, size - length, "%s %s", separator,
                                         weir_layer_names[layer]);
            separator = ",";
          }
      return true;
    }
  return false;
}
