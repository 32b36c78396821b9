#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger balances: interfaces count what connections, headers and named residuals add up to.

Three namespaces (a neighbour, a router, and somebody behind it), real traffic, and weir-cli in the middle."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

CLI = "/usr/bin/weir-cli"
THERE, HERE = "10.80.0.2", "10.80.0.1"
# What ARP, neighbour discovery and readings a moment apart may come to.
TOLERANCE = 0.01


class Ledger:
    """weir-cli ledger, until it is asked for its sum."""

    def __init__(self, limited=False):
        arguments = [CLI, "ledger", "--interval", "250ms", "--duration", "1m"]
        environment = {"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"}
        options = {}
        self.runtime = None
        if limited:
            self.runtime = tempfile.mkdtemp(prefix="weir-ledger-", dir="/run")
            os.chown(self.runtime, weirtest.USER, weirtest.USER)
            environment["XDG_RUNTIME_DIR"] = self.runtime
            options = {"user": weirtest.USER, "group": weirtest.USER, "extra_groups": []}
        else:
            arguments.append("--full")
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment, **options)
        tap.check(weirtest.wait_until(self._is_complete, 10), "the engine and its helpers did not start")
        # A first reading, to which all others are compared.
        time.sleep(1)
        self.parts = None

    def _is_complete(self):
        engines = weirtest.children(self.process.pid)
        return len(engines) == 1 and len(weirtest.children(engines[0])) >= 1

    def end(self):
        """All parts by name, as (received, sent, what it is)."""
        # The last packets are read from the table, not told of; a busy machine reads it less often.
        time.sleep(3)
        self.process.send_signal(signal.SIGINT)
        output, errors = self.process.communicate(timeout=20)
        tap.equal(self.process.returncode, 0, f"exit code; {errors}")
        for line in output.splitlines():
            print(f"# {line}")
        rows = [re.split(r"\s{2,}", line.strip()) for line in output.splitlines()[1:]]
        self.parts = {row[0]: (int(row[1]), int(row[2]), row[4] if len(row) > 4 else "") for row in rows}
        return self.parts

    def close(self):
        """Ends it whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        if self.runtime:
            shutil.rmtree(self.runtime)


@contextlib.contextmanager
def ledger(**options):
    """weir-cli ledger for the length of a block."""
    made = Ledger(**options)
    try:
        yield made
    finally:
        made.close()


def check_balance(parts):
    """The parts are the sum, exactly, and hardly anything is left without a name."""
    for column in (0, 1):
        total = parts["Sum"][column]
        tap.equal(sum(part[column] for name, part in parts.items() if name != "Sum"), total, "sum of the parts")
        rest = parts["Unattributed"][column]
        tap.check(abs(rest) <= TOLERANCE * total, f"{rest} of {total} bytes are unattributed")


def moved(parts, name):
    return parts.get(name, (0, 0, ""))[:2]


def counters():
    """Received and sent bytes of each interface, as the kernel counts them."""
    found = {}
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines()[2:]:
        name, _, figures = line.partition(":")
        figures = figures.split()
        found[name.strip()] = (int(figures[0]), int(figures[8]))
    return found


@tap.case("a router that masquerades: each flow once, at both interfaces that it crosses")
def router():
    network.translate({"postrouting": "oifname here80 masquerade"})
    before = counters()
    with wt.front() as front, ledger() as book:
        with wt.traffic(*(
                f"protocol={protocol},server={address},server-netns={network.far},client-netns={network.inside},"
                f"up=900000,down=300000,rate=3000000"
                for protocol in ("tcp", "udp") for address in (THERE, "fd80::2"))) as traffic:
            front.wait(lambda front: all(front.row_of(truth, "client") for truth in traffic.truth), "rows")
            for truth in traffic.truth:
                flow = front.row_of(truth, "client")
                tap.equal(flow["direction"], wt.FORWARDED, "direction")
                outside = tuple(truth["server"]["peer"])
                tap.equal((flow["nat_local"], flow["nat_local_port"]), outside, "the translated side")
                tap.equal(front.find(truth["protocol"], outside, tuple(truth["client"]["peer"])), None, "a second row")
        parts = book.end()
        after = counters()
        check_balance(parts)

        payload = sum(truth["client"]["sent"] + truth["client"]["received"] for truth in traffic.truth)
        for column in (0, 1):
            forwarded = moved(parts, "Forwarded")[column]
            tap.check(payload < forwarded < 1.25 * payload, f"{forwarded} bytes forwarded of {payload} of payload")
            tap.check(moved(parts, "Headers")[column] > 0, "no headers of the link layer")
            seen = sum(after[name][column] - before[name][column] for name in ("here80", "here81"))
            # The books began a moment after the first reading of the test.
            tap.check(0.99 * seen <= parts["Sum"][column] <= seen, f"{parts['Sum'][column]} of {seen} bytes")
        tap.check("ARP" in parts["Unattributed"][2], f"reasons {parts['Unattributed']}")
        tap.check("Apps" not in parts and "No known app" not in parts, f"owners of what passes through: {parts}")


# 200 echoes of 1000 bytes with 28 of headers.
ECHOES = 205600


@tap.case("a host: apps, the loopback interface, ICMP, and what passes through")
def host():
    with wt.front() as front:
        if front.sources[wt.BPF]["reason"] == wt.NOT_BUILT:
            raise tap.Skip("without kernel programs nobody knows whose the ICMP is, as the next case shows")
    parts, payload = keep_house()
    for column in (0, 1):
        # Who sent the echoes is known from the birth of the socket.
        apps = moved(parts, "Apps")[column] - ECHOES
        tap.check(payload[column] < apps < 1.25 * payload[column], f"{apps} bytes of apps, {payload[column]} of payload")


@tap.case("the same without kernel programs: nobody knows whose the ICMP is")
def host_without_programs():
    wt.configure(bpf=False)
    try:
        parts, payload = keep_house()
    finally:
        wt.configure(bpf=True)
    for column in (0, 1):
        apps = moved(parts, "Apps")[column]
        tap.check(payload[column] < apps < 1.25 * payload[column], f"{apps} bytes of apps, {payload[column]} of payload")
        # And some neighbour discovery.
        tap.check(ECHOES <= moved(parts, "Kernel")[column] <= ECHOES + 2400, f"ICMP: {parts['Kernel']}")


def keep_house():
    """The parts of a ledger, and the payload that this namespace's programs received and sent."""
    network.translate({"postrouting": "oifname here80 ip saddr 10.81.0.0/24 masquerade"})
    with ledger() as book:
        with wt.traffic(f"server={THERE},server-netns={network.far},up=400000,down=800000,rate=3000000",
                        f"protocol=udp,server=fd80::2,server-netns={network.far},up=300000,down=100000,rate=3000000",
                        f"server=*,to={HERE},client-netns={network.far},up=200000,down=300000,rate=3000000") as out, \
             wt.traffic("server=127.0.0.1,up=500000,down=100000,rate=4000000",
                        "protocol=udp,server=::1,up=50000") as local, \
             wt.traffic(f"server={THERE},server-netns={network.far},client-netns={network.inside},up=250000,"
                        "down=100000,rate=3000000") as past:
            ping(200, 1000)
        parts = book.end()
    check_balance(parts)
    for column in (0, 1):
        inside = sum(truth["client"]["sent"] + truth["client"]["received"] for truth in local.truth)
        tap.check(inside < moved(parts, "Local")[column] < 1.25 * inside, f"local: {parts['Local']} for {inside}")
        passing = past.truth[0]["client"]["sent"] + past.truth[0]["client"]["received"]
        tap.check(passing < moved(parts, "Forwarded")[column] < 1.25 * passing,
                  f"forwarded: {parts['Forwarded']} for {passing}")
    own = [(out.truth[0], "client"), (out.truth[1], "client"), (out.truth[2], "server")]
    return parts, [sum(truth[side][what] for truth, side in own) for what in ("received", "sent")]


def ping(count, size):
    """Echo requests to the far end, by hand: ping(8) is not installed everywhere."""
    program = ("import socket, struct, sys\n"
               "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)\n"
               f"data = bytes({size})\n"
               "def total(data):\n"
               "    value = sum(struct.unpack(f'!{len(data) // 2}H', data))\n"
               "    value = (value >> 16) + (value & 65535)\n"
               "    return ~(value + (value >> 16)) & 65535\n"
               f"for number in range({count}):\n"
               "    head = lambda check: struct.pack('!BBHHH', 8, 0, check, 7, number)\n"
               f"    s.sendto(head(total(head(0) + data)) + data, ('{THERE}', 0))\n"
               f"    s.recv({size} + 100)\n")
    subprocess.run([sys.executable, "-c", program], check=True)


# Kinds that a kernel may be built without: how each is made, and what it is.
OPTIONAL = (
    ("dummy", "link add extra type dummy", 12),
    ("bond", "link add extra type bond", 5),
    ("vlan", "link add link here80 name extra type vlan id 5", 8),
    ("macvlan", "link add link here80 name extra type macvlan", 9),
    ("vxlan", "link add extra type vxlan id 5 dev here80 dstport 4789", 11),
    ("wireguard", "link add extra type wireguard", 10),
    ("ifb", "link add extra type ifb", 0),
    ("veth", "link add extra type veth peer name artxe", 6),
    ("bridge", "link add extra type bridge", 4),
)


@tap.case("kinds of interfaces: each is what it is, and none of them counts bytes a second time")
def kinds():
    for kind, command, number in OPTIONAL:
        made = subprocess.run(["ip", *command.split()], stderr=subprocess.DEVNULL, check=False).returncode == 0
        print(f"# {kind}: {'made' if made else 'not in this kernel'}")
        tap.check(made or kind not in ("veth", "bridge"), f"{kind} cannot be made")
        if not made:
            continue
        wt.run("ip link set extra up")
        with wt.front() as front:
            front.wait(lambda front: "extra" in front.interfaces, "the interface")
            found = front.interfaces["extra"]
            tap.equal((found["kind"], found["type"]), (kind, number), "kind")
            tap.equal(found["flags"] & 4, 0, f"{kind} is counted")
            below = front.interfaces["here80"]["index"]
            # A tunnel goes wherever its packets are sent, whatever it was bound to.
            tap.equal(found["lower"], below if kind in ("vlan", "macvlan") else
                      front.interfaces["artxe"]["index"] if kind == "veth" else 0, f"what {kind} is built on")
            tap.equal(front.interfaces["lo"]["type"], 3, "loopback")
            tap.equal(front.interfaces["here80"]["type"], 6, "the door")
            tap.check(front.interfaces["here80"]["flags"] & 8, "its other end is elsewhere")
        wt.run("ip link del extra")


@tap.case("a container network behind a bridge: its ports are not counted, and the books balance")
def bridge():
    network.translate({"postrouting": "oifname here80 masquerade"})
    name = f"box-{network.far}"
    wt.run(f"ip netns add {name}; ip link add br0 type bridge; ip address add 10.82.0.1/24 dev br0;"
           f"ip link add port type veth peer name eth0 netns {name}; ip link set port master br0 up; ip link set br0 up;"
           f"ip -n {name} link set lo up; ip -n {name} address add 10.82.0.2/24 dev eth0;"
           f"ip -n {name} link set eth0 up; ip -n {name} route add default via 10.82.0.1")
    try:
        with wt.front() as front, ledger() as book:
            front.wait(lambda front: "port" in front.interfaces, "interfaces")
            interfaces = front.interfaces
            tap.equal(interfaces["port"]["master"], interfaces["br0"]["index"], "master of the port")
            tap.equal({name for name, interface in interfaces.items() if interface["flags"] & 4},
                      {"here80", "here81"}, "interfaces that count")
            with wt.traffic(f"server={THERE},server-netns={network.far},client-netns={name},up=600000,down=300000,"
                            "rate=3000000", f"server=10.82.0.1,client-netns={name},up=500000,down=500000,rate=3000000"
                            ) as traffic:
                pass
            parts = book.end()
        check_balance(parts)
        client = traffic.truth[0]["client"]
        for column, payload in ((0, client["received"]), (1, client["sent"])):
            # Once, where it leaves; what the host and the container say to each other leaves nowhere.
            tap.check(payload < moved(parts, "Forwarded")[column] < 1.25 * payload, f"forwarded {parts['Forwarded']}")
        tap.check("Apps" not in parts, f"bytes that left nowhere: {parts}")
    finally:
        wt.run(f"ip link del br0; ip netns del {name}")


@tap.case("limited view: TCP's payload is an app's, and what nobody measured has its reasons, not a figure")
def limited_view():
    with ledger(limited=True) as book:
        with wt.traffic(f"server={THERE},server-netns={network.far},up=300000,down=200000,client-uid=1000,rate=3000000",
                        f"protocol=udp,server={THERE},server-netns={network.far},up=100000,client-uid=1000") as traffic:
            time.sleep(1)
        parts = book.end()
    client = traffic.truth[0]["client"]
    for column, payload in ((0, client["received"]), (1, client["sent"])):
        # The last figures of a socket may have its peer's FIN among them, which counts as a byte.
        tap.check(payload <= moved(parts, "Apps")[column] <= payload + 1, f"{parts['Apps']} for {payload}")
        tap.equal(sum(part[column] for name, part in parts.items() if name != "Sum"), parts["Sum"][column], "sum")
    tap.check("Headers" not in parts and "Kernel" not in parts, f"figures that nobody measured: {parts}")
    tap.check(parts["Unattributed"][1] >= 100000, f"UDP, which nobody counted: {parts}")
    for reason in ("headers of TCP", "some connections"):
        tap.check(reason in parts["Unattributed"][2], f"{reason}: {parts['Unattributed']}")


network = wt.Network()
network.track()
network.account()
tap.run(cleanup=network.close)
