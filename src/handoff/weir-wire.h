/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wire format between the engine and a front end: see PROTOCOL.md, which this header
 * implements.
 *
 * Little-endian, explicit readers and writers with bounds, no C struct on the wire, no assertion on
 * wire data.  libc only: this is the one library that is linked into the privileged program and
 * into every front end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir-exit.h"
#include "weir-wire-keeping.h"
#include "weir-limits.h"

/* Types below 64 go from the engine to the front end, the others the opposite way. */
enum weir_message
{
  WEIR_MESSAGE_HELLO = 1,
  WEIR_MESSAGE_SOURCES = 2,
  WEIR_MESSAGE_CONFINEMENT = 3,
  WEIR_MESSAGE_FLOWS = 4,
  WEIR_MESSAGE_INTERFACES = 5,
  WEIR_MESSAGE_TICK = 6,
  WEIR_MESSAGE_DETAILS = 7,
  WEIR_MESSAGE_ERROR = 8,
  WEIR_MESSAGE_BYE = 9,
  WEIR_MESSAGE_LISTENERS = 10,
  WEIR_MESSAGE_NOTICES = 11,
  WEIR_MESSAGE_NAMESPACES = 12,
  WEIR_MESSAGE_NEWS = 13,
  WEIR_MESSAGE_LAST_OF_ENGINE = 13, /* up to here they are known, or reserved */

  WEIR_MESSAGE_START = 64,
  WEIR_MESSAGE_INTERVAL = 65,
  WEIR_MESSAGE_DETAILS_OF = 66,
  WEIR_MESSAGE_STOP = 67,
};

/* ---- primitives ---- */

/* Reads from a body that the caller keeps alive.  After the first read beyond the end @failed is
 * set, and every further read gives zero: check it once, at the end. */
struct weir_reader
{
  const uint8_t *at;
  const uint8_t *end;
  bool failed;
};

void
weir_reader_init (struct weir_reader *reader, const void *data, size_t size);
uint8_t
weir_read_u8 (struct weir_reader *reader);
uint16_t
weir_read_u16 (struct weir_reader *reader);
uint32_t
weir_read_u32 (struct weir_reader *reader);
uint64_t
weir_read_u64 (struct weir_reader *reader);
/* Points into the body, or NULL (and @failed) when fewer than @size bytes are left. */
const uint8_t *
weir_read_bytes (struct weir_reader *reader, size_t size);
/* u16 length and that many bytes, copied and terminated; longer than @size - 1 is a failure, and so
 * is an embedded NUL. */
void
weir_read_string (struct weir_reader *reader, char *ret_string, size_t size);

/* Grows by malloc; after the first failure (out of memory, or over WEIR_FRAME_BODY_MAX in one
 * frame)
 * @error is a negative errno and further writes do nothing: check it once, at the end. */
struct weir_writer
{
  uint8_t *data;
  size_t size;
  size_t capacity;
  size_t frame_start; /* offset of the open frame's header */
  int error;
};

void
weir_writer_init (struct weir_writer *writer);
void
weir_writer_clear (struct weir_writer *writer);
/* Makes room for @size more bytes, which are then written without the data being copied to another
 * place. */
void
weir_writer_reserve (struct weir_writer *writer, size_t size);
void
weir_write_u8 (struct weir_writer *writer, uint8_t value);
void
weir_write_u16 (struct weir_writer *writer, uint16_t value);
void
weir_write_u32 (struct weir_writer *writer, uint32_t value);
void
weir_write_u64 (struct weir_writer *writer, uint64_t value);
void
weir_write_bytes (struct weir_writer *writer, const void *bytes, size_t size);
/* Cut at WEIR_STRING_MAX bytes; NULL is written as the empty string. */
void
weir_write_string (struct weir_writer *writer, const char *string);
/* Every frame is opened and closed; several frames may follow each other in one writer. */
void
weir_write_frame_begin (struct weir_writer *writer, enum weir_message type);
void
weir_write_frame_end (struct weir_writer *writer);

/* ---- frames ---- */

struct weir_frame
{
  uint16_t type;
  uint16_t flags; /* sender writes 0, receiver ignores what it does not know */
  const uint8_t *body;
  size_t size;
};

/* Cuts a byte stream into frames.  @body_max bounds what a peer can make us buffer. */
struct weir_framer
{
  uint8_t *data;
  size_t start, end, capacity;
  size_t body_max;
};

void
weir_framer_init (struct weir_framer *framer, size_t body_max);
void
weir_framer_clear (struct weir_framer *framer);
/* May be raised or lowered between frames. */
void
weir_framer_set_body_max (struct weir_framer *framer, size_t body_max);
/* Room for at least one byte to read(2) into, or NULL when out of memory. */
uint8_t *
weir_framer_reserve (struct weir_framer *framer, size_t *ret_size);
void
weir_framer_commit (struct weir_framer *framer, size_t size);
/* 1: @ret_frame points into the framer until the next reserve; 0: more bytes are needed;
 * -EMSGSIZE: the peer announced a body over the limit. */
int
weir_framer_next (struct weir_framer *framer, struct weir_frame *ret_frame);

/* ---- messages: each has one writer (a whole frame) and one reader (a body) ---- */
/* Readers return 0, or -EPROTO when the body is malformed (their out parameter is then unspecified
 * but initialised), or -EPROTONOSUPPORT for another protocol version.  Bytes that follow what is
 * known are ignored: that is how a later minor version adds a field.  A value of an enumeration
 * that is not below is malformed (PROTOCOL.md, "Versions"): who adds one raises the bound in its
 * reader. */

/* What the engine may see.  Decided from operations that it tried, never from its uid. */
enum weir_view
{
  WEIR_VIEW_LIMITED = 0,
  WEIR_VIEW_FULL = 1,
};

struct weir_hello
{
  uint16_t version;
  uint8_t nonce[WEIR_NONCE_SIZE];
  uint32_t pid; /* the engine's own number, 0 when it cannot know the front end's namespace */
  uint8_t view; /* enum weir_view */
  char engine_version[32];
};

void
weir_write_hello (struct weir_writer *writer, const struct weir_hello *hello);
int
weir_read_hello (const struct weir_frame *frame, struct weir_hello *ret_hello);

enum weir_source
{
  WEIR_SOURCE_SOCKDIAG = 0,
  WEIR_SOURCE_CONNTRACK = 1,
  WEIR_SOURCE_BPF = 2,
  WEIR_SOURCE_INTERFACES = 3,
  WEIR_SOURCE_OWNERS = 4,
  WEIR_SOURCE_NAMES = 5,
  WEIR_N_SOURCES,
  WEIR_SOURCE_NONE = 255,
};

enum weir_source_state
{
  WEIR_SOURCE_UNAVAILABLE = 0,
  WEIR_SOURCE_DEGRADED = 1,
  WEIR_SOURCE_ACTIVE = 2,
};

/* The front end words these and says what the user can do. */
enum weir_reason
{
  WEIR_REASON_NONE = 0,
  WEIR_REASON_NEEDS_FULL_VIEW = 1, /* the limited view may not use this source */
  WEIR_REASON_REFUSED = 2,         /* privileged, but the kernel or a container said no (@error) */
  WEIR_REASON_KERNEL_LACKS = 3,    /* not built into this kernel, or its module is not loaded */
  WEIR_REASON_NOT_TRACKING = 4,    /* conntrack: no rule in this namespace asks for tracking */
  WEIR_REASON_ACCOUNTING_OFF = 5,  /* conntrack: flows are known, their bytes are not */
  WEIR_REASON_OWN_PROCESSES_ONLY = 6, /* owners: processes of other users cannot be looked at */
  WEIR_REASON_LOSING_EVENTS = 7,      /* events overran the buffer since the last tick (@losses) */
  WEIR_REASON_STOPPED = 8,            /* the helper process behind it has ended */
  WEIR_REASON_NOT_BUILT = 9,          /* this build leaves the source out */
  WEIR_REASON_GOVERNED = 10,   /* conntrack: the table is read more seldom, because it is large */
  WEIR_REASON_NAMESPACES = 11, /* sockdiag: not all network namespaces could be opened */
  WEIR_REASON_CONFIG = 12,     /* engine.conf switches the source off */
  WEIR_REASON_ACCOUNTING_SWITCHED = 13, /* conntrack, active: bytes are counted at our wish */
  WEIR_REASON_NO_PACKET_SOCKETS = 14,   /* sockdiag: packet sockets cannot be listed (@error) */
  WEIR_REASON_NO_CGROUPS = 15,          /* bpf: there is no cgroup v2 to hang programs on */
  WEIR_REASON_PART_OF_CGROUPS = 16,     /* bpf: only a part of the control groups can be reached */
  WEIR_REASON_NO_ROOM = 17,             /* bpf: what has no room is added up (@losses) */
  WEIR_REASON_NO_FRAMES = 18,           /* bpf: frames of packet sockets are not counted (@error) */
  WEIR_REASON_SOME_FRAMES = 19,         /* bpf: they are on some interfaces only (@error) */
  WEIR_REASON_NO_PROGRAMS = 20,         /* bpf: the kernel has no bpf(2), or a filter hides it */
  WEIR_REASON_NO_CGROUP_PROGRAMS = 21,  /* bpf: the kernel takes none for control groups */
  WEIR_REASON_OLD_KERNEL = 22,          /* bpf: the kernel lacks what the programs call */
  WEIR_REASON_VERIFIER = 23,            /* bpf: the kernel's verifier refused them (@said) */
  WEIR_REASON_NO_RIGHT = 24,            /* bpf: root without the capabilities, or of a container */
  WEIR_REASON_LOCKDOWN = 25,            /* bpf: a kernel that is locked down refused them */
  WEIR_REASON_NOT_SHARED = 26,          /* bpf: others' programs leave no place for these */
  WEIR_REASON_NO_MEMORY = 27,           /* bpf: the kernel had none for them */
  WEIR_REASON_TOO_SLOW = 28,            /* bpf: they were not in place in time */
  WEIR_REASON_NOT_NEEDED = 29,       /* conntrack: nothing passes through; its right is given up */
  WEIR_REASON_FORWARDING_LATER = 30, /* ... and since then packets of others are passed on */
  WEIR_REASON_RIGHTS_GIVEN_UP = 31,  /* owners, active: only those that bpf names are new */
  WEIR_REASON_NOT_ALL_NAMED = 32,    /* ... before all old ones were looked for (@losses) */
  WEIR_REASON_STOPPED_LATER = 33,    /* conntrack, owners: given up, and then bpf stopped */
};

/* The last one that a reader takes. */
#define WEIR_REASON_LAST 33

/* Room for @said of struct weir_source_status. */
#define WEIR_SAID_SIZE 128

struct weir_source_status
{
  uint8_t source;  /* enum weir_source */
  uint8_t state;   /* enum weir_source_state */
  uint16_t reason; /* enum weir_reason */
  int32_t error;   /* errno behind the reason, 0 if none */
  uint64_t losses; /* events or rows that are known to be lost since the start */
  /* What was being done when it failed, and what the kernel said; for people who look for the
   * cause, and not translated.  Mostly empty; untrusted. */
  char said[WEIR_SAID_SIZE];
};

void
weir_write_sources (struct weir_writer *writer, const struct weir_source_status *sources,
                    size_t n_sources);
/* At most @max are stored; @ret_n is the number stored. */
int
weir_read_sources (const struct weir_frame *frame, struct weir_source_status *ret_sources,
                   size_t max, size_t *ret_n);

enum weir_role
{
  WEIR_ROLE_METER = 0,
  WEIR_ROLE_KEEPER = 1,
  WEIR_ROLE_LOOKER = 2,
  WEIR_ROLE_TWIN = 3, /* restores what the keeper switched on, should that die; else not there */
  WEIR_N_ROLES,
};

/* One of each role, and the teller, which is a looker, too. */
#define WEIR_PROCESSES_MAX (WEIR_N_ROLES + 1)

/* Bits of @layers_active and @layers_missing. */
enum weir_layer
{
  WEIR_LAYER_OWN_UID = 1 << 0,      /* runs as its own system user, shared with nobody */
  WEIR_LAYER_CAPABILITIES = 1 << 1, /* exactly the capabilities of its role */
  WEIR_LAYER_NO_NEW_PRIVS = 1 << 2,
  WEIR_LAYER_EMPTY_ROOT = 1 << 3,
  WEIR_LAYER_EMPTY_NAMESPACES = 1 << 4,
  WEIR_LAYER_LANDLOCK = 1 << 5,
  WEIR_LAYER_SECCOMP = 1 << 6,
};

struct weir_process_status
{
  uint8_t role; /* enum weir_role */
  uint32_t pid;
  uint32_t uid;
  uint64_t cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
  uint8_t no_new_privs;
  uint32_t layers_active;
  uint32_t layers_missing; /* wanted here but refused; what is in neither is not wanted */
  uint8_t keeps;           /* enum weir_keeping */
};

void
weir_write_confinement (struct weir_writer *writer, const struct weir_process_status *processes,
                        size_t n_processes);
int
weir_read_confinement (const struct weir_frame *frame, struct weir_process_status *ret_processes,
                       size_t max, size_t *ret_n);

/* What the administrator should know, and nobody looked for: the front end words it.  A notice with
 * a code that is not below can be left out. */
enum weir_notice_code
{
  /* engine.conf as a whole: it is not used. */
  WEIR_NOTICE_CONFIG_UNSAFE = 1, /* @text, a folder or the file: not root's, or others write it */
  WEIR_NOTICE_CONFIG_NOT_A_FILE = 2, /* @text: a link, a device ... */
  WEIR_NOTICE_CONFIG_TOO_LARGE = 3,  /* @number: the most bytes that it may have */
  WEIR_NOTICE_CONFIG_UNREADABLE = 4, /* @number: errno */

  /* One line of it, @number: the line is not used. */
  WEIR_NOTICE_CONFIG_SYNTAX = 5,          /* @text: the line */
  WEIR_NOTICE_CONFIG_UNKNOWN_SECTION = 6, /* @text: its name */
  WEIR_NOTICE_CONFIG_UNKNOWN_KEY = 7,     /* @text: its name */
  WEIR_NOTICE_CONFIG_BAD_VALUE = 8,       /* @text: key and value */
  WEIR_NOTICE_CONFIG_REPEATED = 9,        /* @text: the key; the first one holds */

  /* One entry of a list, line @number: the others are used. */
  WEIR_NOTICE_CONFIG_UNKNOWN_NAME = 10, /* @text: a user or group that is not known here */
  WEIR_NOTICE_CONFIG_TOO_MANY = 11,     /* @text: the key; what follows is left out */

  WEIR_NOTICE_CONFIG_MORE = 12, /* @number further mistakes that are not listed */

  /* Accounting, as engines before this one left it. */
  WEIR_NOTICE_ACCOUNTING_RESTORED = 13,     /* all were killed at once: it was put back now */
  WEIR_NOTICE_ACCOUNTING_NOT_RESTORED = 14, /* ... and could not be; @number: errno */
  WEIR_NOTICE_ACCOUNTING_RECORD = 15, /* the record was none of ours: emptied, and not followed */
};

struct weir_notice
{
  uint16_t code;   /* enum weir_notice_code */
  uint32_t number; /* what it is depends on the code */
  char text[128];  /* the same; untrusted */
};

/* At most WEIR_NOTICES_MAX. */
void
weir_write_notices (struct weir_writer *writer, const struct weir_notice *notices,
                    size_t n_notices);
/* At most @max are stored; @ret_n is the number stored. */
int
weir_read_notices (const struct weir_frame *frame, struct weir_notice *ret_notices, size_t max,
                   size_t *ret_n);

/* How the owner of a flow was found ... */
enum weir_owner_how
{
  WEIR_OWNER_NONE = 0,
  WEIR_OWNER_TUPLE = 1,    /* a socket with exactly this tuple */
  WEIR_OWNER_LISTENER = 2, /* a wildcard or unconnected socket that owns the local address */
  WEIR_OWNER_BORN = 3,     /* recorded when the socket was made or used */
  WEIR_OWNER_CGROUP = 4,   /* only the control group is known, not the process */
};

/* ... or why there is none. */
enum weir_owner_missing
{
  WEIR_MISSING_NOTHING = 0,
  WEIR_MISSING_NOT_YET = 1,    /* not looked for yet */
  WEIR_MISSING_OTHER_USER = 2, /* belongs to another user, which this view may not look at */
  WEIR_MISSING_GONE = 3,       /* the process ended before it could be looked at */
  WEIR_MISSING_KERNEL = 4,     /* certainly no process: a protocol without sockets, or a group */
  WEIR_MISSING_FORWARDED = 5,  /* passes through: no local process */
  /* passes through; a socket of another network namespace of this computer has the same ends */
  WEIR_MISSING_OTHER_NAMESPACE = 6,
  /* There is a socket, and no process that was looked at shows it: some can keep one out of sight,
   * so this says nothing about whose it is.  Or there are several, and it may be any of them. */
  WEIR_MISSING_NOT_FOUND = 7,
  /* The right to look for it was given up before the socket was seen. */
  WEIR_MISSING_GIVEN_UP = 8,
};

enum weir_direction
{
  WEIR_DIRECTION_UNKNOWN = 0,
  WEIR_DIRECTION_OUT = 1,
  WEIR_DIRECTION_IN = 2,
  WEIR_DIRECTION_FORWARDED = 3,
  WEIR_DIRECTION_LOCAL = 4, /* both ends are this computer */
};

enum weir_flow_state
{
  WEIR_FLOW_STATE_UNKNOWN = 0,
  WEIR_FLOW_STATE_OPENING = 1,
  WEIR_FLOW_STATE_OPEN = 2,
  WEIR_FLOW_STATE_CLOSING = 3,
  WEIR_FLOW_STATE_CLOSED = 4,
};

/* The tuple that conntrack's zone belongs to. */
enum weir_zone_direction
{
  WEIR_ZONE_BOTH = 0,
  WEIR_ZONE_ORIG = 1,  /* of the packets from the end that began */
  WEIR_ZONE_REPLY = 2, /* of the answers */
};

/* Groups of fields in a flow record; only the groups named in @groups are on the wire. */
enum weir_flow_group
{
  WEIR_FLOW_KEY = 1 << 0,
  WEIR_FLOW_STATE = 1 << 1,
  WEIR_FLOW_BYTES = 1 << 2,
  WEIR_FLOW_TCP = 1 << 3,
  WEIR_FLOW_OWNER = 1 << 4,
  WEIR_FLOW_NAT = 1 << 5,
  WEIR_FLOW_CONNTRACK = 1 << 6,
  WEIR_FLOW_OPENER = 1 << 7,
};

/* Network namespaces of which nothing is known but that each is another one have numbers from here
 * on, which are no inodes: the kernel's own begin at 0xF0000000 (PROC_DYNAMIC_FIRST). */
#define WEIR_NETNS_UNKNOWN_FIRST UINT32_C (0x40000000)
#define WEIR_NETNS_UNKNOWN_LAST  UINT32_C (0x7fffffff)

static inline bool
weir_netns_is_unknown (uint32_t netns)
{
  return netns >= WEIR_NETNS_UNKNOWN_FIRST && netns <= WEIR_NETNS_UNKNOWN_LAST;
}

enum weir_flow_change
{
  WEIR_FLOW_ADDED = 1,
  WEIR_FLOW_CHANGED = 2,
  WEIR_FLOW_ENDED = 3, /* carries the last figures, too */
};

/* IPv4 addresses are stored as v4-mapped IPv6 addresses; @family says how to print them.  Ports are
 * in host order; for protocols without ports they are 0.  Frames have neither. */
struct weir_endpoint
{
  uint8_t address[16];
  uint16_t port;
};

/* A figure that was not measured is absent: the bit of its group is missing or, inside BYTES, the
 * has_ flag is off.  It is never 0. */
struct weir_flow_record
{
  uint64_t id;     /* unique as long as this engine runs */
  uint8_t change;  /* enum weir_flow_change */
  uint32_t groups; /* enum weir_flow_group */

  /* KEY */
  uint8_t family;   /* 4 or 6; 0: frames of a packet socket */
  uint8_t protocol; /* IPPROTO_*; 0 of frames */
  uint32_t netns;   /* inode of the network namespace, or weir_netns_is_unknown() */
  struct weir_endpoint local, remote;
  uint64_t first_seen; /* CLOCK_BOOTTIME, ns */

  /* STATE */
  uint8_t state;     /* enum weir_flow_state */
  uint8_t direction; /* enum weir_direction */
  uint32_t sources;  /* bit n: enum weir_source n knows the flow */
  uint32_t ifindex;  /* 0: not known */

  /* BYTES: cumulative, since the flow began as far as its source knows; rates per second */
  uint8_t bytes_source; /* enum weir_source: who measured; decides what a byte is (PROTOCOL.md) */
  bool has_bytes, has_packets, has_rates;
  uint64_t rx_bytes, tx_bytes;
  uint64_t rx_packets, tx_packets;
  uint64_t rx_rate, tx_rate;

  /* TCP */
  uint32_t rtt_us;
  uint32_t retransmits; /* segments, over the life of the connection */

  /* OWNER */
  uint8_t owner_how;     /* enum weir_owner_how */
  uint8_t owner_missing; /* enum weir_owner_missing */
  uint32_t pid;          /* 0: not known */
  uint64_t start_time;   /* of the process: clock ticks since boot, as in /proc/PID/stat; 0: it had
                            ended before that could be read */
  bool has_uid;
  uint32_t uid;       /* of the socket */
  uint64_t cgroup_id; /* 0: not known */
  char comm[16];
  char cgroup[WEIR_STRING_MAX + 1]; /* path below the cgroup v2 root, empty when not known */

  /* OPENER: who made the socket, when that is not who uses it; else all is 0 */
  uint32_t opener_pid;
  uint64_t opener_start_time;
  uint32_t opener_uid;
  char opener_comm[16];

  /* NAT: how the other side of the translation sees the flow */
  struct weir_endpoint nat_local, nat_remote;

  /* CONNTRACK: what the connection tracking table says of it */
  uint16_t zone;
  uint8_t zone_direction; /* enum weir_zone_direction */
  bool has_mark, has_tracking_state;
  uint32_t mark;
  uint8_t tracking_state; /* enum tcp_conntrack, sctp_conntrack or ct_dccp_states, by protocol */
  bool answered;          /* there were packets in both directions */
};

/* FLOWS holds any number of records.  Several FLOWS frames may belong to one TICK, which closes
 * them: a front end shows what it got when the TICK arrives.  The cgroup path travels in a string
 * table at the head of each frame; use the builder. */
struct weir_flows_writer;
/* Begins to collect records; frames are closed and opened as needed. NULL: out of memory. */
struct weir_flows_writer *
weir_flows_writer_new (struct weir_writer *writer);
void
weir_flows_writer_add (struct weir_flows_writer *flows, const struct weir_flow_record *record);
/* Writes what is left and frees the builder; errors are in the weir_writer. */
void
weir_flows_writer_finish (struct weir_flows_writer *flows);

typedef void (*weir_flow_func) (const struct weir_flow_record *record, void *data);
/* Calls @func for every record; on -EPROTO it may have been called for those before the error. */
int
weir_read_flows (const struct weir_frame *frame, weir_flow_func func, void *data);

enum weir_interface_flag
{
  WEIR_INTERFACE_UP = 1 << 0,
  WEIR_INTERFACE_LOOPBACK = 1 << 1,
  /* Its bytes enter or leave this computer and are not counted at another interface as well: the
   * sum over these interfaces is the traffic of the computer. */
  WEIR_INTERFACE_COUNTED = 1 << 2,
  WEIR_INTERFACE_PEER_ELSEWHERE = 1 << 3, /* its other end is in another network namespace */
};

enum weir_interface_type
{
  WEIR_INTERFACE_TYPE_OTHER = 0, /* virtual, and none of the following */
  WEIR_INTERFACE_TYPE_PHYSICAL = 1,
  WEIR_INTERFACE_TYPE_WIRELESS = 2,
  WEIR_INTERFACE_TYPE_LOOPBACK = 3,
  WEIR_INTERFACE_TYPE_BRIDGE = 4,
  WEIR_INTERFACE_TYPE_BOND = 5, /* bond, team */
  WEIR_INTERFACE_TYPE_VETH = 6, /* veth, netkit: one of a pair */
  WEIR_INTERFACE_TYPE_TUN = 7,  /* tun, tap: a program is at the other end */
  WEIR_INTERFACE_TYPE_VLAN = 8,
  WEIR_INTERFACE_TYPE_MACVLAN = 9, /* macvlan, macvtap, ipvlan, ipvtap */
  WEIR_INTERFACE_TYPE_WIREGUARD = 10,
  WEIR_INTERFACE_TYPE_TUNNEL = 11, /* vxlan, gre, ipip, ppp ... */
  WEIR_INTERFACE_TYPE_DUMMY = 12,
  WEIR_N_INTERFACE_TYPES,
};

struct weir_interface_address
{
  uint8_t family; /* 4 or 6 */
  uint8_t prefix_length;
  uint8_t address[16];
};

struct weir_interface_record
{
  uint32_t index;
  char name[16];
  char kind[16];  /* IFLA_INFO_KIND, empty for hardware */
  uint32_t flags; /* enum weir_interface_flag */
  uint32_t mtu;
  uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
  uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
  bool has_rates;
  uint64_t rx_rate, tx_rate; /* bytes per second over the last interval */
  uint16_t n_addresses;
  struct weir_interface_address addresses[WEIR_INTERFACE_ADDRESSES_MAX];
  uint8_t type;       /* enum weir_interface_type */
  uint16_t link_type; /* ARPHRD_*: which header goes before each packet */
  uint32_t master;    /* index of the bridge, bond ... that it is a part of, 0: none */
  uint32_t lower; /* index of what it is built on, or of its peer, here; 0: none, or elsewhere */
};

void
weir_write_interfaces (struct weir_writer *writer, const struct weir_interface_record *interfaces,
                       size_t n_interfaces);
typedef void (*weir_interface_func) (const struct weir_interface_record *record, void *data);
int
weir_read_interfaces (const struct weir_frame *frame, weir_interface_func func, void *data);

/* Why sources are read as often as they are. */
enum weir_cadence
{
  WEIR_CADENCE_AS_WISHED = 0,
  WEIR_CADENCE_NOT_RENEWED = 1, /* the front end did not renew its wish */
  WEIR_CADENCE_GOVERNED = 2,    /* reading connections as often as wished would cost too much */
  WEIR_CADENCE_FLOOR = 3,       /* it wished for less than can be had */
};

/* ---- what can receive without being a flow ---- */

enum weir_socket_kind
{
  WEIR_SOCKET_PORT = 0, /* bound to a port: it listens, or has no peer */
  WEIR_SOCKET_RAW = 1,
  WEIR_SOCKET_PING = 2, /* ICMP echo, for everybody: its port is the identifier */
  WEIR_SOCKET_PACKET = 3,
};

enum weir_receiver_change
{
  WEIR_RECEIVER_ADDED = 1,
  WEIR_RECEIVER_CHANGED = 2,
  WEIR_RECEIVER_GONE = 3, /* nothing but the id follows */
};

/* A socket that is no flow and that others can reach, or that reaches past the rules: listeners,
 * UDP without a peer, raw and packet sockets.  (The word "listener" is taken in this library by the
 * front end's end of the handoff.) */
struct weir_receiver_record
{
  uint64_t id;    /* unique as long as this engine runs */
  uint8_t change; /* enum weir_receiver_change */

  uint8_t kind;      /* enum weir_socket_kind */
  uint8_t family;    /* 4 or 6, as bound; 0 for packet sockets */
  uint16_t protocol; /* IPPROTO_*; of packet sockets ETH_P_*, 0: sends only */
  bool v6_only, is_promiscuous, has_queue;
  struct weir_endpoint local; /* all zeros: every address */
  uint32_t ifindex;           /* bound to this interface alone; 0: to none */
  uint32_t netns;             /* inode of the network namespace */
  uint32_t inode;
  uint64_t cookie;     /* 0: not known */
  uint64_t first_seen; /* CLOCK_BOOTTIME, ns; 0: it was there before the engine */
  uint32_t queue;      /* listeners: connections that were not accepted yet ... */
  uint32_t backlog;    /* ... and how many of those there may be */

  /* As in a flow's OWNER */
  uint8_t owner_how, owner_missing;
  uint32_t pid;
  uint64_t start_time;
  bool has_uid;
  uint32_t uid;
  uint64_t cgroup_id;
  char comm[16];
  char cgroup[WEIR_STRING_MAX + 1];
};

/* How many there are, whether they are listed or not. */
struct weir_receivers_summary
{
  uint32_t total;
  uint32_t not_listed; /* beyond WEIR_RECEIVERS_MAX */
};

/* Any number of records in as many LISTENERS frames as they take, at least one. */
struct weir_receivers_writer
{
  struct weir_writer *writer;
  struct weir_receivers_summary summary;
  size_t count_at; /* offset of the open frame's number of records */
  uint32_t n_records;
};

void
weir_receivers_writer_begin (struct weir_receivers_writer *receivers, struct weir_writer *writer,
                             const struct weir_receivers_summary *summary);
void
weir_receivers_writer_add (struct weir_receivers_writer *receivers,
                           const struct weir_receiver_record *record);
void
weir_receivers_writer_end (struct weir_receivers_writer *receivers);

typedef void (*weir_receiver_func) (const struct weir_receiver_record *record, void *data);
int
weir_read_receivers (const struct weir_frame *frame, struct weir_receivers_summary *ret_summary,
                     weir_receiver_func func, void *data);

/* What is known of the sockets of a network namespace ... */
enum weir_namespace_how
{
  WEIR_NAMESPACE_OWN = 0,    /* the engine's own: all sources */
  WEIR_NAMESPACE_OPENED = 1, /* sockets as sock_diag knows them, with the bytes of TCP */
  WEIR_NAMESPACE_LISTED = 2, /* made later: sockets as a process in it lists them, without bytes */
};

/* ... and how well they were read last. */
enum weir_namespace_state
{
  WEIR_NAMESPACE_UNREAD = 0, /* not yet */
  WEIR_NAMESPACE_READ = 1,
  WEIR_NAMESPACE_CUT = 2,    /* there are more sockets than are listed */
  WEIR_NAMESPACE_FAILED = 3, /* @error */
};

/* Names as `ip netns` and docker call them; what has a longer one goes without. */
#define WEIR_NAMESPACE_NAME_SIZE 64

struct weir_namespace_record
{
  uint32_t inode; /* the one in the keys of its flows */
  uint8_t how;    /* enum weir_namespace_how */
  uint8_t state;  /* enum weir_namespace_state */
  int32_t error;  /* errno behind it, 0 if none */
  uint32_t n_sockets;
  uint32_t interval_ms; /* between its last two readings, 0: not known */
  uint64_t losses;      /* events that are known to be lost since the start */
  uint32_t pid;         /* a process in it, 0: not known */
  uint64_t start_time;  /* of that process, as in /proc/PID/stat */
  char comm[16];
  char name[WEIR_NAMESPACE_NAME_SIZE];
};

/* @left_out: namespaces that are known to exist and are not among the records, as far as they were
 * counted. */
void
weir_write_namespaces (struct weir_writer *writer, const struct weir_namespace_record *records,
                       size_t n_records, uint32_t left_out);
typedef void (*weir_namespace_record_func) (const struct weir_namespace_record *record, void *data);
int
weir_read_namespaces (const struct weir_frame *frame, weir_namespace_record_func func, void *data,
                      uint32_t *ret_left_out);

struct weir_tick
{
  uint64_t sequence;
  uint64_t monotonic; /* CLOCK_BOOTTIME, ns, when the sources had been read */
  uint64_t realtime;  /* CLOCK_REALTIME, ns, at the same moment */
  uint64_t interval;  /* ns since the last tick's reading, 0 for the first */
  uint32_t flows_tracked, flows_published;
  uint64_t others_rx_bytes, others_tx_bytes; /* of what is not published, cumulative */
  uint64_t others_rx_rate, others_tx_rate;
  uint64_t flows_refused; /* the table was full, since the start */
  uint64_t coalesced;     /* ticks that the front end was too slow to be sent, since the start */
  /* How often all sources are read, and why.  Ticks come more often than that only when it is
   * WEIR_CADENCE_GOVERNED: then connection tracking is left out of some, or what kernel programs
   * counted is read over several. */
  uint32_t cadence_ms;
  uint8_t cadence; /* enum weir_cadence; a later version may know more of them */
};

void
weir_write_tick (struct weir_writer *writer, const struct weir_tick *tick);
int
weir_read_tick (const struct weir_frame *frame, struct weir_tick *ret_tick);

/* What precedes it may be shown at once, as far as it is not for the next tick.  @monotonic:
 * CLOCK_BOOTTIME in ns of its publication. */
void
weir_write_news (struct weir_writer *writer, uint64_t monotonic);
int
weir_read_news (const struct weir_frame *frame, uint64_t *ret_monotonic);

/* Something went wrong in the engine; the front end words it. */
enum weir_error_code
{
  WEIR_ERROR_NONE = 0,
  WEIR_ERROR_CONFINEMENT = 1, /* a privilege could not be given up: the engine ends */
  WEIR_ERROR_INTERNAL = 2,
  WEIR_ERROR_PROTOCOL = 3, /* the front end sent something that is not understood */
  WEIR_ERROR_TOO_MANY_ENGINES = 4,
  WEIR_ERROR_SOURCES = 5, /* no source at all could be opened */
  WEIR_ERROR_STRICT = 6,  /* engine.conf says strict, and a layer was refused */
};

struct weir_error
{
  uint16_t code;  /* enum weir_error_code */
  int32_t error;  /* errno, 0 if none */
  char what[128]; /* the step or object, in English, for the report; untrusted text */
};

void
weir_write_error (struct weir_writer *writer, const struct weir_error *error);
int
weir_read_error (const struct weir_frame *frame, struct weir_error *ret_error);

enum weir_bye_reason
{
  WEIR_BYE_STOPPED = 0, /* asked to */
  WEIR_BYE_LEASH = 1,   /* no renewal for WEIR_LEASH_MS */
  WEIR_BYE_ERROR = 2,   /* an ERROR went before */
};

void
weir_write_bye (struct weir_writer *writer, enum weir_bye_reason reason);
int
weir_read_bye (const struct weir_frame *frame, enum weir_bye_reason *ret_reason);

/* ---- nonce ---- */

/* 0, or -EINVAL unless @hex is exactly WEIR_NONCE_HEX_SIZE lower-case hexadecimal digits. */
int
weir_nonce_decode (const char *hex, size_t size, uint8_t ret_nonce[WEIR_NONCE_SIZE]);
void
weir_nonce_encode (const uint8_t nonce[WEIR_NONCE_SIZE], char ret_hex[WEIR_NONCE_HEX_SIZE + 1]);
/* Takes the same time wherever the difference is. */
bool
weir_nonce_equal (const uint8_t a[WEIR_NONCE_SIZE], const uint8_t b[WEIR_NONCE_SIZE]);

#include "weir-wire-requests.h"
