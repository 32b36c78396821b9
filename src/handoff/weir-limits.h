/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every limit of the contract between the engine and a front end, each with its reason.  libc only.
 */
#pragma once

/* Raised whenever a message changes in a way that an older peer would misread. */
#define WEIR_PROTOCOL_VERSION 1

/* A frame's header on the wire: u32 length of the body, u16 type, u16 flags. */
#define WEIR_FRAME_HEADER_SIZE 8

/* Large enough for the FLOWS of some 4000 new rows; a peer that announces more is refused. */
#define WEIR_FRAME_BODY_MAX (1024 * 1024)

/* A peer has not proved anything before its HELLO, so it may not make us buffer more than this. */
#define WEIR_FRAME_BODY_MAX_BEFORE_HELLO 256

/* Requests of a front end are tiny: nothing larger is ever read by the engine. */
#define WEIR_REQUEST_BODY_MAX 64

/* 32 bytes of getrandom(2); in the nonce file as lower-case hexadecimal digits. */
#define WEIR_NONCE_SIZE     32
#define WEIR_NONCE_HEX_SIZE (2 * WEIR_NONCE_SIZE)

/* How long each of the engine's helpers may take to confine itself and to say so. */
#define WEIR_REPORT_TIMEOUT_MS 3000

/* How long the engine may take from its connecting to its HELLO, whatever each step alone may. */
#define WEIR_START_TIMEOUT_MS 9000

/* How long an accepted peer may take to send a whole HELLO.  Between connecting and HELLO the
 * engine opens its descriptors, which may load modules of the kernel, and starts its helpers: on a
 * busy machine that takes seconds. */
#define WEIR_HELLO_DEADLINE_MS 10000
_Static_assert (WEIR_START_TIMEOUT_MS + 1000 <= WEIR_HELLO_DEADLINE_MS,
                "an engine that is not given up yet would not be waited for");

/* Peers that may be connected and unproved at the same time; a newcomer never evicts one. */
#define WEIR_PENDING_PEERS_MAX 8

/* Rows that are published to a front end that does not say how many it wants: more than anybody
 * reads.  What is smaller is folded into "others" (sums stay true). */
#define WEIR_ROWS_DEFAULT 4096
/* The most that a front end gets if it asks for more, to write down what it is told: flows that
 * begin within one tick find a place, however short they are, and a tick still costs tens of
 * milliseconds and some ten megabytes. */
#define WEIR_ROWS_MAX 32768

/* Flows that the engine tracks; beyond it new flows are counted as lost, never silently dropped. */
#define WEIR_FLOWS_MAX 262144

/* Cadence: a front end may ask for anything, and gets something between these. */
#define WEIR_INTERVAL_DEFAULT_MS 1000
#define WEIR_INTERVAL_FLOOR_MS   250
#define WEIR_INTERVAL_CEILING_MS 60000

/* How often a front end may be told of flows that are new before the next tick.  Nobody sees more
 * than a hundred changes in a second, each costs the engine and the front end a wake-up, and what
 * comes faster than that is told together. */
#define WEIR_ANNOUNCE_FLOOR_MS 10

/* How long a flow may be held back until its owner is known, in ms: most are found in less than
 * that, and together with the floor a flow is told of 15 ms after the engine learnt of it. */
#define WEIR_ANNOUNCE_PATIENCE_MS 4

/* A request for an interval is forgotten after this time, so that a hidden or vanished window slows
 * the engine down to WEIR_INTERVAL_IDLE_MS; without any renewal for the leash time it ends. */
#define WEIR_RENEWAL_MS       10000
#define WEIR_INTERVAL_IDLE_MS 5000
#define WEIR_LEASH_MS         60000

/* Requests per second that the engine answers; more are dropped and counted. */
#define WEIR_REQUESTS_PER_SECOND 20

/* Strings on the wire (comm, unit, cgroup path ...) are cut at this many bytes. */
#define WEIR_STRING_MAX 1024

/* Addresses that one interface reports. */
#define WEIR_INTERFACE_ADDRESSES_MAX 64
#define WEIR_INTERFACES_MAX          1024

/* Network namespaces that are named: the engine's own, 64 that were opened and 64 that are listed.
 */
#define WEIR_NAMESPACES_MAX 129

/* What an administrator can be told about at once; mistakes beyond that are counted. */
#define WEIR_NOTICES_MAX 32

/* Sockets that can receive without being flows, as far as they are listed; the rest is counted. */
#define WEIR_RECEIVERS_MAX 4096

/* A command line is cut at so many bytes: enough to tell two programs of the same name apart. */
#define WEIR_COMMAND_MAX 4096

/* How long reading it may take, in ms.  The process can make that last (it holds the lock on its
 * map of memory while it changes it); who reads ends then. */
#define WEIR_COMMAND_PATIENCE_MS 2000
