# SPDX-License-Identifier: GPL-3.0-or-later
"""weir-cli stream as root, which is the full view: its rows, when they came, and what its engine costs."""
import collections
import datetime
import ipaddress
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import tap
import weirtest

CLI = "/usr/bin/weir-cli"
# What a packet socket sends on one interface.
FRAMES = "Frames"
# A network namespace that is known to be another one, and nothing else.
UNKNOWN_NETNS = -1


def now():
    """The clock that generators of traffic and streams stamp with."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def plain(address):
    """Without a v4-mapping."""
    parsed = ipaddress.ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def own_netns():
    """The inode that rows of this network namespace carry."""
    return os.stat("/proc/self/ns/net").st_ino


def key(protocol, local, remote, netns=None):
    """What identifies one end of a flow: PROTOCOL as in exports, ends as (address, port or 0)."""
    return (netns or own_netns(), protocol, (plain(local[0]), local[1] or 0), (plain(remote[0]), remote[1] or 0))


def helper_name(pid):
    """What a child of an engine is: only the keeper has netlink sockets, only the looker sees others' descriptors."""
    if weirtest.netlink_descriptors(pid):
        return "keeper"
    return "looker" if weirtest.status(pid)["CapEff"] & weirtest.CAPABILITIES["SYS_PTRACE"] else "other"


def processor_seconds(engine):
    """What the processes of an engine have used, by what they are."""
    used = collections.Counter()
    for pid in (engine, *weirtest.children(engine)):
        name = "meter" if pid == engine else helper_name(pid)
        # Its first figure, in ns (kernel's sched-stats.rst); the ticks of stat are too coarse.
        used[name] += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return used


class Stream:
    """weir-cli stream: each line with the moment at which it came."""

    def __init__(self, interval="1s"):
        self.process = subprocess.Popen(
            [CLI, "stream", "--full", "--interval", interval], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, pipesize=1 << 20, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"})
        self.lines = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.engine = tap.wait_for(lambda: next(iter(weirtest.children(self.process.pid)), None), "an engine")

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((now(), line))

    def end(self):
        """The flows by their ends (see key()), frames by their id: all objects of each, oldest first; and what
        weir-cli complained of.

        Each has three more members: "came", when its line came, "noted", when the engine saw the flow first, and
        "told", how many seconds later it sent this."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.thread.join(10)
        by_id, since = collections.defaultdict(list), time.time() - now()
        for moment, line in self.lines:
            row = json.loads(line)
            row["came"] = moment
            # Both were told by the same two clocks; this one's distance to the first may have changed since.
            sent, noted = (datetime.datetime.fromisoformat(row[name]).timestamp() for name in ("time", "first_seen"))
            row["noted"], row["told"] = noted - since, sent - noted
            by_id[row["id"]].append(row)
        flows = collections.defaultdict(list)
        for number, rows in by_id.items():
            # Which network namespace it is may become known late.
            last = rows[-1]
            # These have no ends.
            if last["protocol"] == FRAMES:
                flows[last["netns"], FRAMES, number] += rows
            # Nor has who looks whether an address is taken (RFC 4862, 5.4.2).
            elif last["local_address"] and last["remote_address"]:
                flows[key(last["protocol"], (last["local_address"], last["local_port"]),
                          (last["remote_address"], last["remote_port"]), last["netns"] or UNKNOWN_NETNS)] += rows
        for rows in flows.values():
            rows.sort(key=lambda row: row["came"])
        return flows, self.process.stderr.read().decode()


def find_owner(accepted, rows):
    """What the objects of one flow say of its owner: "right", "wrong" or "missing", and who was named.

    ACCEPTED: {(pid, start time): what that process is to the flow}.  Every object counts: what was wrong
    once was wrong; but a flow may get its owner late.  A process that kernel programs named, and that had
    ended before anybody could look, has no start time."""
    accepted = accepted | {(pid, None): what for (pid, _start), what in accepted.items()}
    named = [(row["pid"], row["process_start"]) for row in rows if row["pid"] is not None]
    for name in named:
        if name not in accepted:
            return "wrong", name
    last = {row["id"]: row for row in rows}
    if any(row["pid"] is not None for row in last.values()):
        return "right", accepted[named[-1]]
    return "missing", rows[-1]["owner_missing"] or rows[-1]["owner_how"]
