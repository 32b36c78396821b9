/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exit codes of the engine; PROTOCOL.md says more.  126 and 127 are pkexec's. */
#pragma once

enum weir_exit
{
  WEIR_EXIT_DONE = 0,
  WEIR_EXIT_USAGE = 64,       /* argv or environment are not what a launcher makes */
  WEIR_EXIT_HANDOFF = 65,     /* the handoff directory, its nonce or socket were refused */
  WEIR_EXIT_RESOURCES = 66,   /* limits too low, out of memory, too many engines */
  WEIR_EXIT_CONFINEMENT = 67, /* a privilege could not be given up */
  WEIR_EXIT_SOURCES = 68,
  WEIR_EXIT_REFUSED = 69, /* accounting could not be switched on */
  WEIR_EXIT_RUN_DIR = 70, /* /run/weir is not root's alone, or could not be used */
  WEIR_EXIT_STRICT = 71,  /* engine.conf says strict, and a layer of confinement was refused */
  WEIR_EXIT_LATE = 72,    /* starting took longer than the front end waits */
};
