#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of other network namespaces: the right row in the right namespace, with the right owner."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

FAR, INSIDE = "10.80.0.2", "10.81.0.2"
LATER = f"later-{os.getpid()}"


class Rootless(wt.Traffic):
    """Traffic in a user and a network namespace of an ordinary user's own."""

    def __init__(self, *flows):
        self.process = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh",
             sys.executable, str(wt.TRAFFIC), *flows], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            user=weirtest.USER, group=weirtest.USER, extra_groups=[])
        line = self.process.stdout.readline()
        tap.check(line, "the traffic did not go as planned")
        self.truth = json.loads(line)["flows"]
        for truth in self.truth:
            for side in ("client", "server"):
                # Inside the user is called 0.
                truth[side]["uid"] = weirtest.USER


def row(front, truth, side):
    """The row of one side of a generated flow, in the namespace where that side is."""
    end = truth[side]
    for flow in [*front.flows.values(), *front.elsewhere.values()]:
        if (flow["netns"] == end["netns"] and flow["protocol"] == wt.PROTOCOLS[truth["protocol"]]
                and (flow["local"], flow["local_port"]) == (end["address"], end["port"])
                and [flow["remote"], flow["remote_port"]] == end["peer"]):
            return flow
    return None


def wait_for(front, *all_traffic, seconds=10):
    """Waits until every side of everything has a row whose owner is known."""
    ends = [(truth, side) for traffic in all_traffic for truth in traffic.truth for side in ("client", "server")]
    front.wait(lambda front: all(row(front, *end) and row(front, *end)["pid"] for end in ends), "rows with owners", seconds)
    front.wait_ticks(2)
    return [(truth, side, row(front, truth, side)) for truth, side in ends]


def check_payload(flow, truth, side, unseen=False):
    """TCP's own figures: payload, to the byte; of a connection that was never seen open the FIN may be one more."""
    end = truth[side]
    what = f"{side} of {truth['client']['peer']} in {end['netns']}"
    tap.equal(flow["bytes_source"], wt.SOCKDIAG, f"{what}: source of the bytes")
    received = flow["rx_bytes"]
    if unseen and received == end["received"] + 1:
        received -= 1
    tap.equal((received, flow["tx_bytes"]), (end["received"], end["sent"]), f"{what}: bytes")


@tap.case("one tuple in three namespaces: three pairs of rows, nothing mixed up")
def same_tuple():
    flows = [f"server=127.0.0.1,port=8080,from=127.0.0.1@40000,up={1000 * number},down={3000 * number},"
             f"server-name=server-{number},client-name=client-{number}" + where
             for number, where in enumerate(("", f",client-netns={network.far},server-netns={network.far}",
                                             f",client-netns={network.inside},server-netns={network.inside}"), 1)]
    with contextlib.ExitStack() as stack:
        traffic = [stack.enter_context(wt.traffic(flow)) for flow in flows]
        tap.equal(len({made.truth[0]["client"]["netns"] for made in traffic}), 3, "namespaces")
        front = stack.enter_context(wt.front())
        for truth, side, flow in wait_for(front, *traffic):
            wt.check_owner(flow, truth, side)
            check_payload(flow, truth, side)
            tap.equal(flow["direction"], wt.LOCAL, f"direction of {flow}")
        for made, name in zip(traffic[1:], (network.far, network.inside)):
            known = front.namespaces[made.truth[0]["client"]["netns"]]
            tap.equal((known["how"], known["state"], known["name"]), (wt.OPENED, 1, name), "what is said of it")
            tap.check(known["n_sockets"] >= 3, f"sockets: {known}")
            front.wait(lambda front, known=known: front.namespaces[known["inode"]]["pid"], "a process in it")
        tap.equal(front.namespaces[front.netns]["how"], wt.OWN, "our own")


@tap.case("between two namespaces: one row on each side, with direction, owner and bytes")
def between():
    with wt.front() as front, wt.traffic(
            f"server={INSIDE},server-netns={network.inside},client-netns={network.far},up=50000,down=20000",
            f"server=**,to=fd81::2,server-netns={network.inside},client-netns={network.far},up=300,down=70000",
            f"server=*,to={FAR},server-netns={network.far},client-netns={network.inside},up=1,down=2") as traffic:
        for truth, side, flow in wait_for(front, traffic):
            wt.check_owner(flow, truth, side)
            check_payload(flow, truth, side)
            tap.equal(flow["direction"], wt.OUT if side == "client" else wt.IN, f"direction of {flow}")
        # Nothing of it is ours: what passes through here is no row of a socket.
        tap.equal([flow for flow in front.flows.values() if flow["sources"] & 1 << wt.SOCKDIAG
                   and INSIDE in (flow["local"], flow["remote"])], [], "rows of our own")


@tap.case("datagrams of another namespace: owner and ends, and no bytes rather than none")
def datagrams():
    with wt.front() as front, wt.traffic(
            f"protocol=udp,server=127.0.0.1,client-netns={network.far},server-netns={network.far},up=5000,down=100") as traffic:
        truth = traffic.truth[0]
        flow = front.wait(lambda front: (found := row(front, truth, "client")) and found["pid"] and found, "the client's row")
        wt.check_owner(flow, truth, "client")
        tap.check("rx_bytes" not in flow and "tx_bytes" not in flow, f"bytes that nobody counted: {flow}")


@tap.case("connections that live shorter than a tick: found, with their last figures")
def short():
    with wt.front(interval=1000) as front:
        with wt.traffic(*(f"server=127.0.0.1,client-netns={network.far},server-netns={network.far},up={1000 + number},"
                          f"down={number},life=0.01" for number in range(20))) as traffic:
            pass
        ends = [(truth, side) for truth in traffic.truth for side in ("client", "server")]

        # Last figures come a moment after the end, from a work queue of the kernel's.
        def has_ended(flow):
            return flow and "rx_bytes" in flow and (flow["change"] == "ended" or flow["state"] == wt.CLOSED)

        try:
            front.wait(lambda front: all(has_ended(row(front, *end)) for end in ends), "rows that have ended")
        except AssertionError:
            tap.diagnose(f"not ended: {[row(front, *end) or end for end in ends if not has_ended(row(front, *end))]}")
            raise
        for truth in traffic.truth:
            for side in ("client", "server"):
                check_payload(row(front, truth, side), truth, side, unseen=True)


@tap.case("a namespace of an unprivileged user's is opened like any other")
def rootless():
    traffic = Rootless("server=127.0.0.1,port=8080,up=1234,down=4321", "server=**,to=::1,port=8081,up=10,down=20")
    try:
        with wt.front() as front:
            for truth, side, flow in wait_for(front, traffic):
                wt.check_owner(flow, truth, side)
                check_payload(flow, truth, side)
            tap.equal(front.namespaces[traffic.truth[0]["client"]["netns"]]["how"], wt.OPENED, "how it is seen")
    finally:
        traffic.close()


@tap.case("made after the start: listed without bytes, named, and said")
def later():
    with wt.front() as front:
        wt.run(f"ip netns add {LATER}; ip -n {LATER} link set lo up")
        try:
            with wt.traffic(f"server=127.0.0.1,port=8080,client-netns={LATER},server-netns={LATER},up=100,down=200",
                            f"server=**,to=::1,port=8081,client-netns={LATER},server-netns={LATER},up=100,down=200",
                            f"protocol=udp,server=127.0.0.1,client-netns={LATER},server-netns={LATER},up=1,down=1") as traffic:
                inode = traffic.truth[0]["client"]["netns"]
                for truth in traffic.truth[:2]:
                    for side in ("client", "server"):
                        flow = front.wait(lambda front, end=(truth, side): (found := row(front, *end)) and found["pid"] and found,
                                          "rows with owners", 15)
                        wt.check_owner(flow, truth, side)
                        tap.check("rx_bytes" not in flow, f"bytes that nobody counted: {flow}")
                        tap.equal(flow["direction"], wt.LOCAL, f"direction of {flow}")
                known = front.wait(lambda front: (found := front.namespaces.get(inode)) and found["state"] and found,
                                   "what is said of it")
                tap.equal((known["how"], known["state"]), (wt.LISTED, 1), "what is said of it")
                tap.check(known["pid"] and known["comm"], f"who is in it: {known}")
                front.wait(lambda front: front.sources[wt.SOCKDIAG]["reason"] == wt.NAMESPACES, "the source to say so")
                tap.equal(front.sources[wt.SOCKDIAG]["state"], wt.DEGRADED, "state of the source")
        finally:
            wt.run(f"ip netns del {LATER}")
        # Half a minute at most lies between two walks through all processes where walking costs much.
        front.wait(lambda front: inode not in front.namespaces, "it to be forgotten", 45)
        front.wait(lambda front: all(flow["change"] == "ended" for flow in front.elsewhere.values()
                                     if flow["netns"] == inode), "its rows to end")


@tap.case("the limited view lists what the user's own processes are in")
def limited():
    traffic = Rootless("server=127.0.0.1,port=8080,up=1234,down=4321")
    try:
        with wt.front(uid=weirtest.USER, elevated=False) as front:
            for truth, side, flow in wait_for(front, traffic, seconds=15):
                wt.check_owner(flow, truth, side)
                tap.check("rx_bytes" not in flow, f"bytes that nobody counted: {flow}")
            tap.equal(front.namespaces[traffic.truth[0]["client"]["netns"]]["how"], wt.LISTED, "how it is seen")
            tap.check(not any(known["how"] == wt.OPENED for known in front.namespaces.values()), "something was opened")
    finally:
        traffic.close()


@tap.case("a namespace that everybody has left is let go, and its interfaces with it")
def let_go():
    name = f"dying-{os.getpid()}"
    wt.run(f"ip netns add {name}; ip link add heredying type veth peer name there netns {name}")
    process = subprocess.Popen(["ip", "netns", "exec", name, "sleep", "1000"])
    inode = os.stat(f"/run/netns/{name}").st_ino
    try:
        with wt.front() as front:
            front.wait(lambda front: front.namespaces.get(inode, {}).get("pid") == process.pid, "it to be known")
            tap.equal(front.namespaces[inode]["how"], wt.OPENED, "how it is seen")
            process.send_signal(signal.SIGKILL)
            process.wait()
            wt.run(f"ip netns del {name}")
            front.wait(lambda front: inode not in front.namespaces, "it to be let go", 15)
            tap.check(weirtest.wait_until(lambda: "heredying" not in dict(socket.if_nameindex()).values()),
                      "its interface is still there")
    finally:
        process.kill()


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
wt.run(f"ip -n {network.far} route add 10.81.0.0/24 via 10.80.0.1; ip -n {network.far} route add fd81::/64 via fd80::1")
tap.run(cleanup=network.close)
