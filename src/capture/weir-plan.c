/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-capabilities.h"
#include "weir-normalise.h"
#include "weir-plan.h"

/* Both need some 4 MiB, most of it libraries; the looker's tree of control groups may take a few
 * more. */
#define HELPER_ADDRESS_SPACE ((rlim_t) 32 * 1024 * 1024)

/* A helper keeps what it needs if it is there: a container's root may lack it, an ordinary user has
 * none and looks at processes of the same user only.  The looker's two are of use together only:
 * the one lists descriptors, the other shows where they lead. */
static uint64_t
choose_capabilities (enum weir_role role, uint64_t permitted)
{
  const uint64_t looks = WEIR_CAPABILITY (CAP_SYS_PTRACE) | WEIR_CAPABILITY (CAP_DAC_READ_SEARCH);

  if (role == WEIR_ROLE_KEEPER || role == WEIR_ROLE_TWIN)
    return permitted & WEIR_CAPABILITY (CAP_NET_ADMIN);
  if (role == WEIR_ROLE_LOOKER && (permitted & looks) == looks)
    return looks;
  return 0;
}

void
weir_plan_make (enum weir_role role, bool elevated, uid_t caller, const struct weir_users *users,
                uint64_t permitted, struct weir_plan *ret_plan)
{
  const bool meter = role == WEIR_ROLE_METER;

  *ret_plan = (struct weir_plan) {
    .role = role,
    .elevated = elevated,
    .user = { .uid = caller },
    .capabilities = choose_capabilities (role, permitted),
    .peer = -1,
    .address_space = meter ? WEIR_METER_ADDRESS_SPACE : HELPER_ADDRESS_SPACE,
  };
  if (elevated)
    ret_plan->user = meter ? users->meter : users->helper;
}
