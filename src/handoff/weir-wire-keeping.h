/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of CONFINEMENT. */
#pragma once

/* Why a process still has its capabilities. */
enum weir_keeping
{
  WEIR_KEEPING_NOTHING = 0,     /* it has none, or nothing is said about it */
  WEIR_KEEPING_UNDECIDED = 1,   /* whether they are needed is not known yet */
  WEIR_KEEPING_NO_PROGRAMS = 2, /* there are no kernel programs that would do without them */
  WEIR_KEEPING_FORWARDING = 3,  /* keeper: this computer passes on packets of others */
  WEIR_KEEPING_TRANSLATION = 4, /* keeper: addresses of connections are translated */
  WEIR_KEEPING_ACCOUNTING = 5,  /* keeper: it puts back what was switched on */
  WEIR_KEEPING_CONFIG = 6,      /* engine.conf wishes it */
  WEIR_KEEPING_HIDDEN = 7,      /* without them no other user's process can be seen at all */
  WEIR_KEEPING_UNKNOWN = 8,     /* whether they are needed, or given up, could not be found out */
  WEIR_KEEPING_PART = 9,        /* kernel programs reach only a part of the control groups */
  WEIR_KEEPING_NO_ROOM = 10,    /* keeper: kernel programs have no room for all connections */
  WEIR_KEEPING_NO_NUMBERS = 11, /* looker: kernel programs cannot tell which process it was */
};

/* The last one that a reader takes. */
#define WEIR_KEEPING_LAST 11
