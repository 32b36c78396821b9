#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Beginnings and ends: of flows too short to be polled, of the engine, its helpers and its front end."""
import os
import pathlib
import signal
import socket
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

BURST = 300


def burst(count):
    """So many connections, one after the other, each over in a moment; returns both ports and the payload of each."""
    made = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for number in range(count):
            with socket.create_connection(("127.0.0.1", port)) as client:
                server, peer = listener.accept()
                with server:
                    client.sendall(b"q" * (number + 1))
                    server.recv(1 << 16)
                    server.sendall(b"a" * 10)
                    client.recv(100)
                made.append((peer[1], number + 1))
    return port, made


@tap.case("without any rule that asks for it nothing is tracked, and the source says so")
def not_tracking():
    wt.run("nft delete table inet track")
    with wt.front() as front, wt.traffic("server=127.0.0.1,up=1000,down=100") as traffic:
        front.wait(lambda front: front.sources[wt.CONNTRACK]["reason"] == wt.NOT_TRACKING, "the source to say so")
        front.wait_ticks(1)
        truth, = traffic.truth
        flow = front.row_of(truth, "server")
        tap.equal((flow["bytes_source"], flow["rx_bytes"]), (wt.SOCKDIAG, 1000), "bytes")
    network.track()


@tap.case("full view: flows that are born and die between two ticks have rows, last figures and a rate")
def short_lived():
    network.account()
    with wt.front(interval=2000) as front:
        front.wait_ticks(1)
        port, made = burst(BURST)
        front.wait_ticks(1)
        for client_port, payload in made:
            flow = front.find("tcp", ("127.0.0.1", client_port), ("127.0.0.1", port))
            tap.check(flow is not None, f"no row for the connection from port {client_port}")
            packets = flow["tx_packets"]
            tap.check(payload + packets * 52 + 8 == flow["tx_bytes"], f"bytes of {flow}, {payload} were sent")
            tap.check(flow["rx_rate"] > 0 and flow["tx_rate"] > 0, f"rates of {flow}")
            tap.equal((flow["state"], flow["direction"]), (wt.CLOSED, wt.LOCAL), f"state of {flow}")


@tap.case("limited view: destroyed sockets tell their last figures, and their rows end")
def short_lived_limited():
    with wt.front(uid=weirtest.USER, elevated=False, interval=1000) as front:
        front.wait_ticks(1)
        port, made = burst(BURST)
        front.wait_ticks(2)
        for client_port, payload in made:
            # The end that closed first: what remains of its socket keeps the row for a minute, and makes no second one.
            ends = ("127.0.0.1", port), ("127.0.0.1", client_port)
            flow = front.find("tcp", *ends, alive=False)
            tap.check(flow is not None, f"no row for the connection from port {client_port}")
            tap.equal((flow["rx_bytes"], flow["tx_bytes"], flow["state"]), (payload, 10, 4), f"{flow}")
            # The other one saw that FIN, and ended at once.
            flow = front.find("tcp", *reversed(ends), alive=False)
            tap.check(flow is not None, f"no row for the connection to port {client_port}")
            tap.equal((flow["rx_bytes"], flow["tx_bytes"], flow["change"]), (10, payload, "ended"), f"{flow}")
            changes = [line["change"] for line in front.history if line["id"] == flow["id"]]
            tap.equal((changes[0], changes[-1], changes.count("ended")), ("added", "ended", 1), "changes")


@tap.case("the same addresses again are another flow")
def reuse():
    network.account()
    with wt.front() as front, socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for number in range(2):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind(("127.0.0.1", 20000))
            client.connect(("127.0.0.1", port))
            server, _ = listener.accept()
            client.sendall(b"x" * 1000 * (number + 1))
            front.wait(lambda front: [flow for flow in front.flows.values() if flow["local_port"] == 20000
                                      and flow["change"] != "ended" and flow["state"] == wt.OPEN
                                      and flow.get("tx_bytes", 0) > 1000 * (number + 1)], f"row {number}")
            # No TIME_WAIT: a reset.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            server.close()
            if number == 0:
                front.wait(lambda front: [flow for flow in front.flows.values() if flow["local_port"] == 20000
                                          and flow["state"] == wt.CLOSED], "the first to be closed")
        rows = [flow for flow in front.flows.values() if flow["local_port"] == 20000]
        tap.equal(len(rows), 2, f"rows: {[line for line in front.history if line['id'] in [row['id'] for row in rows]]}")
        tap.equal([row["tx_bytes"] // 1000 for row in sorted(rows, key=lambda row: row["id"])], [1, 2], "kilobytes")


@tap.case("a tick comes when it was asked for")
def cadence():
    with wt.front(interval=250) as front:
        front.wait_ticks(9)
        intervals = [tick["interval"] / 1e6 for tick in front.ticks[1:]]
        tap.check(all(200 < interval < 400 for interval in intervals[1:]), f"{intervals} ms instead of 250")
        front.say("interval 1")
        front.wait_ticks(5)
        tap.check(front.ticks[-1]["interval"] > 200e6, "an interval below the floor")
        tap.equal([tick["sequence"] for tick in front.ticks], list(range(1, len(front.ticks) + 1)), "sequence")


@tap.case("STOP is obeyed and said goodbye to")
def stop():
    with wt.front() as front:
        helpers = weirtest.children(front.engine.pid)
        front.say("stop")
        front.wait(lambda front: front.ended, "the end")
        tap.equal(front.others[-1], {"message": "bye", "reason": 0}, "last words")
        tap.equal(front.engine.exit_code(), 0, "exit code")
        tap.check(weirtest.wait_until(lambda: not any(map(weirtest.running, helpers)), 1), "helpers are left")


@tap.case("what is no request ends the conversation, with a reason")
def junk():
    with wt.front() as front:
        front.say("junk")
        front.wait(lambda front: front.ended, "the end")
        tap.equal([(line["message"], line.get("code"), line.get("reason")) for line in front.others[-2:]],
                  [("error", 3, None), ("bye", None, 2)], "last words")
        tap.equal(front.engine.exit_code(), 0, "exit code")


@tap.case("when the front end is gone, so is the engine, within a second")
def leash():
    for end in ("close", "kill"):
        with wt.front() as front:
            everybody = [front.engine.pid, *weirtest.children(front.engine.pid)]
            if end == "close":
                front.say("close")
            else:
                front.process.kill()
            tap.check(front.engine.exit_code(1) is not None, f"the engine lives on after {end}")
            tap.check(weirtest.wait_until(lambda: not any(map(weirtest.running, everybody)), 1), "helpers are left")


@tap.case("a helper that dies takes its source with it and nothing else")
def helpers():
    network.account()
    with wt.front() as front:
        keeper, looker = front.engine.helpers()
        for number, helper in ((wt.OWNERS, looker), (wt.CONNTRACK, keeper)):
            os.kill(helper, signal.SIGKILL)
            front.wait(lambda front: front.sources[number]["reason"] == wt.STOPPED, "the source to say so")
        with wt.traffic("server=127.0.0.1,up=1000,down=100") as traffic:
            front.wait_ticks(3)
            truth, = traffic.truth
            flow = front.row_of(truth, "client")
            tap.equal((flow["state"], flow["pid"], flow["direction"]), (wt.OPEN, 0, wt.LOCAL), f"the row {flow}")


@tap.case("a front end that does not read costs nothing but its own view, and catches up", deadline=60)
def deaf():
    network.account()
    with wt.front() as front:
        front.say("deaf")
        # Enough rows in a tick to fill the socket's buffer, and, both ends of each counted, not so
        # many that the least of them give way to others.
        port, made = burst(1000)
        time.sleep(1)
        burst(1000)
        time.sleep(3)
        front.say("hear")
        front.wait(lambda front: front.ticks[-1]["coalesced"] > 3, "ticks that were left out")
        front.wait(lambda front: front.ticks[-1]["interval"] < 400e6, "the usual pace")
        # Those that were left out are told all the same.
        for client_port, payload in made:
            flow = front.find("tcp", ("127.0.0.1", client_port), ("127.0.0.1", port), alive=False)
            tap.check(flow is not None, f"no row for the connection from port {client_port}")
            tap.check(flow["tx_bytes"] == payload + flow["tx_packets"] * 52 + 8, f"bytes of {flow}")


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
network.track()
tap.run(cleanup=network.close)
