# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of its own, an engine in it, a front end that writes down what it says, and known traffic."""
import contextlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

import tap
import weirtest

TRAFFIC = pathlib.Path(__file__).parents[1] / "tools" / "weir-traffic.py"
RECORD = os.environ["WEIR_RECORD"]

SOCKDIAG, CONNTRACK, BPF, INTERFACES, OWNERS, NAMES = range(6)
UNAVAILABLE, DEGRADED, ACTIVE = range(3)
(NEEDS_FULL_VIEW, REFUSED, KERNEL_LACKS, NOT_TRACKING, ACCOUNTING_OFF, OWN_PROCESSES_ONLY,
 LOSING_EVENTS, STOPPED, NOT_BUILT, GOVERNED_DUMPS, NAMESPACES, CONFIG, ACCOUNTING_SWITCHED, NO_PACKET_SOCKETS,
 NO_CGROUPS, PART_OF_CGROUPS, NO_ROOM, NO_FRAMES, SOME_FRAMES, NO_PROGRAMS, NO_CGROUP_PROGRAMS, OLD_KERNEL, VERIFIER,
 NO_RIGHT, LOCKDOWN, NOT_SHARED, NO_MEMORY, TOO_SLOW) = range(1, 29)
OWN, OPENED, LISTED = range(3)
UNKNOWN, OUT, IN, FORWARDED, LOCAL = range(5)
AS_WISHED, NOT_RENEWED, GOVERNED, FLOOR = range(4)
TUPLE, LISTENER, BORN, CGROUP = range(1, 5)
NOT_YET, OTHER_USER, GONE, KERNEL, MISSING_FORWARDED, OTHER_NAMESPACE, NOT_FOUND = range(1, 8)
OPENING, OPEN, CLOSING, CLOSED = range(1, 5)
# What this process has to itself.
_own = set()
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}


def run(command):
    """Runs one command line, which must go well."""
    subprocess.run(command, shell=True, check=True, stdin=subprocess.DEVNULL)


def configure(keep_capabilities=False, **sources):
    """Has engines of this process find an engine.conf that switches these sources; nobody else sees it.

    KEEP_CAPABILITIES: they can look at all processes and network namespaces also when kernel programs count."""
    if "etc" not in _own:
        os.unshare(os.CLONE_NEWNS)
        run("mount --make-rprivate /; mkdir -p /etc/weir; mount -t tmpfs -o mode=0755 none /etc/weir")
        _own.add("etc")
    lines = [f"{name} = {'yes' if wanted else 'no'}\n" for name, wanted in sources.items()]
    lines += ["[confinement]\n", f"keep_capabilities = {'yes' if keep_capabilities else 'no'}\n"]
    pathlib.Path("/etc/weir/engine.conf").write_text("[sources]\n" + "".join(lines))


def leave_out_namespaces():
    """Has engines of this process leave other network namespaces alone: what goes on there is in the sums, too."""
    configure(namespaces=False, bpf=False)


class Network:
    """This process moves into an empty network with three neighbours:

        far (10.80.0.2, fd80::2) --- here (10.80.0.1 | 10.81.0.1) --- inside (10.81.0.2, fd81::2)

    `inside` reaches `far` only through here."""

    def __init__(self):
        os.unshare(os.CLONE_NEWNET)
        self.far, self.inside = f"far-{os.getpid()}", f"inside-{os.getpid()}"
        run("ip link set lo up; sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for number, name in ((80, self.far), (81, self.inside)):
            run(f"ip netns add {name}; ip link add here{number} type veth peer name there netns {name}")
            run(f"ip address add 10.{number}.0.1/24 dev here{number};"
                f"ip address add fd{number}::1/64 dev here{number} nodad; ip link set here{number} up")
            run(f"ip -n {name} link set lo up; ip -n {name} address add 10.{number}.0.2/24 dev there;"
                f"ip -n {name} address add fd{number}::2/64 dev there nodad; ip -n {name} link set there up")
        run(f"ip -n {self.inside} route add default via 10.81.0.1;"
            f"ip -n {self.inside} -6 route add default via fd81::1")

    def close(self):
        """Lets the neighbours go."""
        run(f"ip netns del {self.far}; ip netns del {self.inside}")

    def track(self):
        """Makes the kernel track connections; they stay as they are."""
        chains = "".join(f"chain {hook} {{ type filter hook {hook} priority 0; ct state new accept; }}; "
                         for hook in ("input", "output", "forward"))
        run(f"nft 'table inet track {{ {chains} }}'")

    def translate(self, rules):
        """Replaces the address translation; RULES by chain."""
        chains = {"prerouting": -100, "output": -100, "postrouting": 100}
        text = "".join(f"chain {chain} {{ type nat hook {chain} priority {chains[chain]}; {rule}; }}; "
                       for chain, rule in rules.items())
        run(f"nft 'table inet translate {{ }}; delete table inet translate; table inet translate {{ {text} }}'")

    def account(self, wanted=True):
        """Switches counting of bytes on or off."""
        pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_acct").write_text(str(int(wanted)))


class Front:
    """weir-record and an engine that talks to it."""

    def __init__(self, uid=0, elevated=True, interval=250, rows=0, **engine):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="weir-", dir="/run"))
        os.chown(self.base, uid, uid)
        self.process = subprocess.Popen(
            [RECORD, "--interval", str(interval), "--rows", str(rows), str(self.base / "handoff")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, user=uid, group=uid, extra_groups=[], text=True, encoding="ascii")
        self.lines = queue.SimpleQueue()
        self.flows, self.history, self.sources, self.interfaces = {}, [], {}, {}
        self.ticks, self.others, self.left_out = [], [], 0
        # Rows of other network namespaces are kept apart: they are told by the tests that are about them.
        self.elsewhere, self.namespaces = {}, {}
        self.netns = os.stat("/proc/self/ns/net").st_ino
        self.ended = False
        threading.Thread(target=self._read, daemon=True).start()
        tap.equal(self.lines.get(timeout=5), {"message": "ready"}, "weir-record")
        self.engine = weirtest.Engine(self.base / "handoff", uid=uid, elevated=elevated, **engine)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def _take(self, line):
        if line is None or line["message"] == "end":
            self.ended = True
        elif line["message"] == "flow":
            is_own = line.get("netns", self.netns) == self.netns and line["id"] not in self.elsewhere
            flow = (self.flows if is_own else self.elsewhere).setdefault(line["id"], {"tick": len(self.ticks)})
            flow.update(line)
            if is_own:
                self.history.append(line | {"tick": len(self.ticks)})
        elif line["message"] == "source":
            self.sources[line["source"]] = line
        elif line["message"] == "interface":
            self.interfaces[line["name"]] = line
        elif line["message"] == "namespaces":
            self.namespaces = {namespace["inode"]: namespace for namespace in line["namespaces"]}
            self.left_out = line["left_out"]
        elif line["message"] == "tick":
            self.ticks.append(line)
        else:
            self.others.append(line)

    def _take_all(self, seconds):
        """Takes one line, waiting SECONDS for it, and then what follows up to the end of a tick, so that who waits
        keeps up with thousands of rows."""
        line = self.lines.get(timeout=seconds)
        self._take(line)
        while line is not None and line["message"] != "tick" and not self.lines.empty():
            line = self.lines.get()
            self._take(line)

    def wait(self, condition, what, seconds=10):
        """Reads until CONDITION, a function of this object, is true, and returns its value."""
        end = time.monotonic() + seconds
        while True:
            value = condition(self)
            if value:
                return value
            try:
                # An engine that has much to tell does not put off the end.
                if time.monotonic() >= end:
                    raise queue.Empty
                self._take_all(max(0.01, end - time.monotonic()))
            except queue.Empty:
                flows, elsewhere = list(self.flows.values()), list(self.elsewhere.values())
                raise AssertionError(f"waited {seconds} s for {what}; {len(self.ticks)} ticks, sources "
                                     f"{self.sources}, {len(flows)} flows, the last of them {flows[-40:]}, "
                                     f"{len(elsewhere)} elsewhere, the last of them {elsewhere[-10:]}, in "
                                     f"{self.namespaces}, {self.others}") from None

    def wait_ticks(self, number):
        """Waits for so many further ticks; where the engine reads connections only for every n-th of them,
        for n times as many."""
        began = len(self.ticks)

        def enough(front):
            if len(front.ticks) < began + number:
                return False
            tick = front.ticks[-1]
            if tick["cadence"] != GOVERNED or tick["interval"] == 0:
                return True
            return len(front.ticks) >= began + number * tick["cadence_ms"] * 1e6 / tick["interval"]
        self.wait(enough, f"{number} ticks", seconds=10 + number)

    def say(self, request):
        """Passes a request on to weir-record."""
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()

    def find(self, protocol, local, remote, alive=True):
        """The row with these ends, each (address, port); a port of None is any."""
        for flow in self.flows.values():
            if (flow["protocol"] == PROTOCOLS[protocol] and (flow["change"] != "ended" or not alive)
                    and flow["local"] == local[0] and local[1] in (None, flow["local_port"])
                    and flow["remote"] == remote[0] and remote[1] in (None, flow["remote_port"])):
                return flow
        return None

    def row_of(self, truth, side, alive=True):
        """The row of one side of a generated flow."""
        end = truth[side]
        address = end["address"]
        if address in ("0.0.0.0", "::"):
            address = truth["server" if side == "client" else "client"]["peer"][0]
        return self.find(truth["protocol"], (address, end["port"]), tuple(end["peer"]), alive)

    def close(self):
        """Ends both."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(5)
        self.engine.end()
        self.process.stdout.close()


@contextlib.contextmanager
def front(**options):
    """A front end with its engine for the length of a block; it has had its first tick."""
    made = Front(**options)
    try:
        made.wait_ticks(1)
        yield made
    finally:
        made.close()


class Traffic:
    """What weir-traffic.py was told to make; `truth` when all was sent, until closed."""

    def __init__(self, *flows):
        self.process = subprocess.Popen([sys.executable, TRAFFIC, *flows], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the traffic did not go as planned")
        self.truth = json.loads(line)["flows"]

    def close(self):
        """Closes all sockets."""
        if self.process.poll() is None:
            self.process.stdin.close()
            tap.equal(self.process.wait(30), 0, "end of the generator")
        self.process.stdout.close()


@contextlib.contextmanager
def traffic(*flows):
    """Traffic for the length of a block."""
    made = Traffic(*flows)
    try:
        yield made
    finally:
        made.close()


def header_bytes(truth, packets):
    """What the packets of one direction weigh beyond their payload.

    TCP with timestamps: 32 bytes, and the SYN has 8 more."""
    network = 40 if truth["family"] == 6 else 20
    return packets * (network + 32) + 8 if truth["protocol"] == "tcp" else packets * (network + 8)


def check_conntrack_bytes(flow, truth, side):
    """Conntrack's figures are payload and headers: UDP to the byte, TCP within 1 %."""
    end = truth[side]
    what = f"{truth['protocol']} {flow['local']} {flow['local_port']} to {flow['remote']} {flow['remote_port']}"
    tap.equal(flow.get("bytes_source"), CONNTRACK, f"{what}: source of the bytes")
    for direction, payload in (("rx", end["received"]), ("tx", end["sent"])):
        packets = flow[f"{direction}_packets"]
        expected, found = payload + header_bytes(truth, packets), flow[f"{direction}_bytes"]
        if truth["protocol"] == "udp":
            tap.equal((packets, found), (end["datagrams_sent"], expected), f"{what}: {direction}")
        else:
            # Selective acknowledgements and what is sent again come on top.
            tap.check(expected <= found <= 1.01 * expected, f"{what}: {direction}: {found} instead of {expected}")


def check_owner(flow, truth, side):
    """The owner is the process that made the flow, and nobody else."""
    end = truth[side]
    what = f"owner of the {side} of {truth['protocol']} {truth['client']['peer']}"
    for key in ("pid", "start_time", "uid", "comm"):
        tap.equal(flow.get(key), end[key], f"{what}: {key}")
