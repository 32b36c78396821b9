/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The programs that the bpf source hangs on the root of the control groups.  They see every packet
 * that a socket of any network namespace sends or receives, and every socket that is made.
 *
 * Each of them returns 1, on every path: 0 would drop the packet, or refuse the call.
 *
 * They need nothing of the kernel but what programs were promised (linux/bpf.h): no type of the
 * kernel's own, so that they need not fit it, and are loaded under lockdown as well.  All are for
 * Linux 6.1; what is newer is asked for (weir-bpf-maps.h).
 */
#include "weir-bpf-frames.h"
#include "weir-bpf-sockets.h"

char LICENSE[] SEC ("license") = "GPL";

SEC ("cgroup_skb/egress")
int
weir_egress (struct __sk_buff *skb)
{
  count (skb, true);
  return 1;
}

SEC ("cgroup_skb/ingress")
int
weir_ingress (struct __sk_buff *skb)
{
  count (skb, false);
  return 1;
}
