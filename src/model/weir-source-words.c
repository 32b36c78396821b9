/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-source-words.h"

#include <glib/gi18n-lib.h>

#define UNKNOWN_WORD "—"

static const char *const names[] = {
  [WEIR_SOURCE_SOCKDIAG] = N_ ("Sockets"),    [WEIR_SOURCE_CONNTRACK] = N_ ("Connection Tracking"),
  [WEIR_SOURCE_BPF] = N_ ("Kernel Programs"), [WEIR_SOURCE_INTERFACES] = N_ ("Interfaces"),
  [WEIR_SOURCE_OWNERS] = N_ ("Owners"),       [WEIR_SOURCE_NAMES] = N_ ("Host Names"),
};

static const char *const states[] = {
  [WEIR_SOURCE_UNAVAILABLE] = N_ ("Not available"),
  [WEIR_SOURCE_DEGRADED] = N_ ("Partly available"),
  [WEIR_SOURCE_ACTIVE] = N_ ("Active"),
};

static const struct
{
  const char *reason;
  const char *advice;
} reasons[] = {
  [WEIR_REASON_NONE] = { NULL, NULL },
  [WEIR_REASON_NEEDS_FULL_VIEW] = { N_ ("Needs the full view"), N_ ("Unlock the full view.") },
  [WEIR_REASON_REFUSED] = { N_ ("The system refused it"),
                            N_ ("The kernel or the container that Weir runs in does not allow it: "
                                "its administrator can.") },
  [WEIR_REASON_KERNEL_LACKS] = { N_ ("Not offered by this kernel"),
                                 N_ ("Load the module of the kernel, or use a kernel that has "
                                     "it.") },
  [WEIR_REASON_NOT_TRACKING] = { N_ ("No firewall rule asks for connection tracking"),
                                 N_ ("Connections are tracked as soon as a firewall rule looks at "
                                     "their state.") },
  [WEIR_REASON_ACCOUNTING_OFF] = { N_ ("Connections are tracked, but their bytes are not counted"),
                                   N_ ("Weir can have them counted for as long as it is open; an "
                                       "administrator can for good: sysctl "
                                       "net.netfilter.nf_conntrack_acct=1. Both hold for new "
                                       "connections.") },
  [WEIR_REASON_OWN_PROCESSES_ONLY] = { N_ ("Only your own processes can be looked at"),
                                       N_ ("Unlock the full view to see the owners of all "
                                           "connections.") },
  [WEIR_REASON_LOSING_EVENTS] = { N_ ("Some events were lost"),
                                  N_ ("This computer is very busy: very short connections may be "
                                      "missing while it is.") },
  [WEIR_REASON_STOPPED] = { N_ ("The process behind it has ended"),
                            N_ ("Start Weir again; if it happens again, please report it.") },
  [WEIR_REASON_NOT_BUILT] = { N_ ("Left out of this build"),
                              N_ ("Install a build of Weir that holds it.") },
  [WEIR_REASON_GOVERNED] = { N_ ("Read less often, because there are very many connections"),
                             N_ ("Nothing is lost: connections still appear at once, only their "
                                 "bytes are renewed less often.") },
  [WEIR_REASON_NAMESPACES] = { N_ ("Not all network namespaces could be opened"),
                               N_ ("Connections of containers that were started later have no "
                                   "byte counts: leave the full view and unlock it again to "
                                   "open them.") },
  [WEIR_REASON_CONFIG] = { N_ ("Switched off on this computer"),
                           N_ ("The administrator did so in engine.conf.") },
  [WEIR_REASON_ACCOUNTING_SWITCHED] = { N_ ("Weir has the kernel count the bytes"),
                                        N_ ("It is switched off again when Weir closes. "
                                            "Connections that were open before are not "
                                            "counted.") },
  [WEIR_REASON_NO_PACKET_SOCKETS] = { N_ ("Programs that bypass the firewall cannot be listed"),
                                      N_ ("Load the module packet_diag of the kernel.") },
  [WEIR_REASON_NO_CGROUPS] = { N_ ("Control groups of version 2 are not mounted"),
                               N_ ("Mount them anywhere: “mkdir /run/cgroup2”, then “mount -t "
                                   "cgroup2 none /run/cgroup2”.") },
  [WEIR_REASON_PART_OF_CGROUPS] = { N_ ("Only a part of the control groups can be reached"),
                                    N_ ("Start Weir outside of the container to see the whole "
                                        "computer.") },
  [WEIR_REASON_NO_ROOM] = { N_ ("More connections than there is room for"),
                            N_ ("What has no room is added up. The administrator can make room: "
                                "bpf_flows_max in engine.conf.") },
  [WEIR_REASON_NO_FRAMES] = { N_ ("What programs send past the firewall is not counted"),
                              N_ ("Use Linux 6.6 or newer, built with CONFIG_NET_XGRESS.") },
  [WEIR_REASON_SOME_FRAMES] = { N_ ("What programs send past the firewall is counted on some "
                                    "interfaces only"),
                                N_ ("It is counted on the first sixteen interfaces that are there "
                                    "when the full view is unlocked.") },
  [WEIR_REASON_NO_PROGRAMS] = { N_ ("This kernel takes no programs"),
                                N_ ("Use a kernel that was built with CONFIG_BPF_SYSCALL and "
                                    "CONFIG_CGROUP_BPF. In a container its administrator has to "
                                    "allow the system call bpf.") },
  [WEIR_REASON_NO_CGROUP_PROGRAMS] = { N_ ("This kernel takes no programs for control groups"),
                                       N_ ("Use a kernel that was built with "
                                           "CONFIG_CGROUP_BPF.") },
  [WEIR_REASON_OLD_KERNEL] = { N_ ("This kernel is too old for Weir’s programs"),
                               N_ ("Use Linux 6.1 or newer.") },
  [WEIR_REASON_VERIFIER] = { N_ ("This kernel does not accept Weir’s programs"),
                             N_ ("Please report it, with the version of the kernel and what it "
                                 "said. Another kernel may accept them.") },
  [WEIR_REASON_NO_RIGHT] = { N_ ("Weir runs in a container that may not load programs"),
                             N_ ("Start Weir outside of it. A container of root’s may be given "
                                 "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.") },
  [WEIR_REASON_LOCKDOWN] = { N_ ("This kernel is locked down, and takes no programs then"),
                             N_ ("Use a newer kernel, which takes them all the same; or start this "
                                 "computer without lockdown, which Secure Boot may switch on.") },
  [WEIR_REASON_NOT_SHARED] = { N_ ("Programs of others leave no place on the control groups"),
                               N_ ("“bpftool cgroup tree” names them. End what is attached without "
                                   "“multi”, then unlock the full view again.") },
  [WEIR_REASON_NO_MEMORY] = { N_ ("The kernel has no memory for it"),
                              N_ ("Close programs, or have the administrator make bpf_flows_max in "
                                  "engine.conf smaller, then unlock the full view again.") },
  [WEIR_REASON_TOO_SLOW] = { N_ ("It was not ready in time"),
                             N_ ("Unlock the full view again when this computer is less busy. Very "
                                 "many control groups can be the cause as well.") },
  [WEIR_REASON_NOT_NEEDED] = { N_ ("Not needed, and the right to it was given up"),
                               N_ ("Nothing passed through this computer and no address was "
                                   "translated, and kernel programs count the connections of all "
                                   "sockets. A translation that begins later is not seen. With "
                                   "keep_capabilities in engine.conf the right is kept.") },
  [WEIR_REASON_FORWARDING_LATER] = { N_ ("Given up before this computer began to forward"),
                                     N_ ("Leave the full view and unlock it again to see what "
                                         "passes through.") },
  [WEIR_REASON_RIGHTS_GIVEN_UP] = { N_ ("The right to look into programs was given up"),
                                    N_ ("Kernel programs name who opens a connection or a port. "
                                        "Where that program has ended since, and of packet "
                                        "sockets, "
                                        "the user and the unit are known at most. With "
                                        "keep_capabilities in engine.conf the right is kept.") },
  [WEIR_REASON_NOT_ALL_NAMED] = { N_ ("The right to look into programs was given up before all had "
                                      "been looked at"),
                                  N_ ("There are very many open files here. Of some connections "
                                      "that "
                                      "were open before, only the user and the unit are known. "
                                      "With "
                                      "keep_capabilities in engine.conf the right is kept.") },
  [WEIR_REASON_STOPPED_LATER] = { N_ ("Given up, and since then the kernel programs have ended"),
                                  N_ ("Leave the full view and unlock it again.") },
};

/* %s: a time, in seconds. */
static const char *const cadences[] = {
  [WEIR_CADENCE_AS_WISHED] = NULL,
  [WEIR_CADENCE_NOT_RENEWED] = N_ ("Every %s s, because nobody looks"),
  [WEIR_CADENCE_GOVERNED] = N_ ("Connections are read every %s s, because there are very many"),
  [WEIR_CADENCE_FLOOR] = N_ ("Every %s s, which is as often as can be had"),
};

static const char *
translate (const char *text)
{
  return text != NULL ? g_dgettext (GETTEXT_PACKAGE, text) : NULL;
}

const char *
weir_source_words_get_name (guint8 source)
{
  return source < G_N_ELEMENTS (names) ? translate (names[source]) : UNKNOWN_WORD;
}

const char *
weir_source_words_get_state (guint8 state)
{
  return state < G_N_ELEMENTS (states) ? translate (states[state]) : UNKNOWN_WORD;
}

const char *
weir_source_words_get_reason (guint16 reason)
{
  /* Some numbers are not used yet. */
  if (reason >= G_N_ELEMENTS (reasons) ||
      (reason != WEIR_REASON_NONE && reasons[reason].reason == NULL))
    return UNKNOWN_WORD;
  return translate (reasons[reason].reason);
}

const char *
weir_source_words_get_advice (guint16 reason)
{
  return reason < G_N_ELEMENTS (reasons) ? translate (reasons[reason].advice) : NULL;
}

gboolean
weir_source_words_has_cause (guint16 reason)
{
  switch (reason)
    {
    case WEIR_REASON_REFUSED:
    case WEIR_REASON_KERNEL_LACKS:
    case WEIR_REASON_NO_PACKET_SOCKETS:
    case WEIR_REASON_SOME_FRAMES:
    case WEIR_REASON_VERIFIER:
    case WEIR_REASON_NOT_SHARED:
      return TRUE;
    default:
      return FALSE;
    }
}

char *
weir_source_words_make_cadence (enum weir_cadence cadence, guint interval_ms)
{
  const char *words = cadence < G_N_ELEMENTS (cadences) ? translate (cadences[cadence]) : NULL;

  if (words == NULL)
    return NULL;
  g_autofree char *seconds =
      g_strdup_printf ("%.*f", interval_ms % 1000 != 0 ? 2 : 0, interval_ms / 1000.0);
  g_autoptr (GString) text = g_string_new (words);
  g_string_replace (text, "%s", seconds, 1);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
