# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's network: a second namespace behind a pair of virtual cables plays the rest of the world.

Every documentation address answers there (RFC 5737, RFC 3849), so that a test or a picture may use
any of them.
"""
import os
import pathlib
import subprocess

LOCAL4, LOCAL6 = "192.0.2.10", "2001:db8::10"
PEER4, PEER6 = "192.0.2.1", "2001:db8::1"
WORLD4 = ("198.51.100.0/24", "203.0.113.0/24")
WORLD6 = ("2001:db8:1::/48", "2001:db8:2::/48")
ACCOUNTING = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_acct")

# Tracking of connections needs a rule that asks for it.
TRACKING = """
table inet weir_tests {
  chain in { type filter hook input priority filter; ct state new,established,related,untracked accept; }
  chain out { type filter hook output priority filter; ct state new,established,related,untracked accept; }
}
"""


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class Network:
    """Lives as long as the process that holds the second namespace."""

    def __init__(self, machine):
        self._machine = machine
        self.peer_pid = None

    def start(self, accounting=True):
        """Lays the cables; ACCOUNTING lets the kernel count the bytes of what it tracks."""
        holder = self._machine.spawn(["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"],
                                     stdout=subprocess.PIPE, log="peer")
        holder.stdout.readline()
        self.peer_pid = holder.pid
        _ip("link", "add", "wan0", "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
        for address in (f"{LOCAL4}/24", f"{LOCAL6}/64"):
            _ip("address", "add", address, "dev", "wan0", *(["nodad"] if ":" in address else []))
        _ip("link", "set", "wan0", "up")
        for address in (f"{PEER4}/24", f"{PEER6}/64"):
            self._peer("address", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []))
        for link in ("lo", "eth0"):
            self._peer("link", "set", link, "up")
        for prefix in WORLD4 + WORLD6:
            self._peer("route", "add", "local", prefix, "dev", "lo")
        _ip("route", "add", "default", "via", PEER4)
        _ip("-6", "route", "add", "default", "via", PEER6, "dev", "wan0")
        subprocess.run(["nft", "-f", "-"], input=TRACKING, text=True, check=True)
        ACCOUNTING.write_text("1" if accounting else "0")

    def enter_peer(self):
        """For a child process before it runs: moves it to the other end of the cables."""
        descriptor = os.open(f"/proc/{self.peer_pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        os.setns(descriptor, os.CLONE_NEWNET)
        os.close(descriptor)

    def retransmitted(self):
        """TCP segments that each end has sent again since the start: (ours, the world's)."""
        found = []
        for pid in (os.getpid(), self.peer_pid):
            lines = pathlib.Path(f"/proc/{pid}/net/snmp").read_text().splitlines()
            names, values = (line.split() for line in lines if line.startswith("Tcp:"))
            found.append(int(dict(zip(names, values))["RetransSegs"]))
        return tuple(found)

    def _peer(self, *arguments):
        subprocess.run(["ip", *arguments], check=True, preexec_fn=self.enter_peer)
