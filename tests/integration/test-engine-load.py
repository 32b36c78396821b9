#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the engine reads, and tables that are larger than what can be shown."""
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

ROWS = 4096
FLOWS = 20000
LARGE_IDLE = 4500
FLOOR_MS, IDLE_MS = 250, 5000


def spans(front, number):
    """The next so many times between two ticks, in ms, as the engine measured them."""
    front.wait_ticks(number + 1)
    return [tick["interval"] / 1e6 for tick in front.ticks[-number:]]


def cadence(front):
    """What the last tick said of it."""
    return front.ticks[-1]["cadence_ms"], front.ticks[-1]["cadence"]


@tap.case("who asks for a millisecond gets the floor, and is told so")
def floor():
    # Without connection tracking, so that nothing costs anything.
    with wt.front(uid=weirtest.USER, elevated=False, interval=1) as front:
        found = spans(front, 12)
        tap.equal(cadence(front), (FLOOR_MS, wt.FLOOR), "cadence")
        # The beat is steady: after a tick that was late, the next one is early.
        tap.check(sum(found) / len(found) >= FLOOR_MS * 0.95, f"ticks came faster than the floor: {found}")
        front.say("interval 600")
        front.wait(lambda front: cadence(front) == (600, wt.AS_WISHED), "the wish")
        found = spans(front, 4)
        tap.check(sum(found) / len(found) >= 600 * 0.95, f"ticks came faster than wished: {found}")


@tap.case("a wish that nobody renews is forgotten after ten seconds, until it is renewed")
def not_renewed():
    with wt.front(uid=weirtest.USER, elevated=False, interval=500) as front:
        front.wait(lambda front: cadence(front) == (500, wt.AS_WISHED), "the wish")
        front.say("quiet")
        began = time.monotonic()
        front.wait(lambda front: cadence(front) == (IDLE_MS, wt.NOT_RENEWED), "the idle cadence", seconds=25)
        tap.check(time.monotonic() - began > 6, "the wish was forgotten before its time")
        before = len(front.ticks)
        front.wait(lambda front: len(front.ticks) > before, "an idle tick", seconds=15)
        tap.check(front.ticks[-1]["interval"] / 1e6 >= IDLE_MS - 100,
                  f"an idle tick after {front.ticks[-1]['interval'] / 1e6} ms")
        front.say("interval 500")
        front.wait(lambda front: cadence(front) == (500, wt.AS_WISHED), "the renewed wish")
        tap.check(max(spans(front, 3)) < 2000, "the cadence did not rise again")


def kernel_bytes():
    """What conntrack itself counts: bytes of all first directions, and the number of entries."""
    text = subprocess.run(["conntrack", "-L", "-p", "udp"], check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if "bytes=" in line]
    return sum(int(re.search(r"bytes=(\d+)", line).group(1)) for line in lines), len(lines)


def engine_bytes(front):
    """What the rows and the others add up to, sent by UDP."""
    rows = [flow for flow in front.flows.values() if flow["change"] != "ended" and flow["protocol"] == 17]
    return sum(flow["tx_bytes"] for flow in rows) + front.ticks[-1]["others_tx_bytes"], len(rows)


def place(number):
    """Where the flow with this number goes."""
    return f"198.18.{number // 200}.{number % 200 + 1}", 2000 + number % 7


class Sender:
    """One socket that sends to very many places; nobody answers."""

    def __init__(self):
        # The neighbour forwards nothing, and says nothing about it.
        wt.run("ip route replace 198.18.0.0/15 via 10.80.0.2;"
               "sysctl -q net.netfilter.nf_conntrack_udp_timeout=600; conntrack -F 2>/dev/null")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("10.80.0.1", 0))
        self.local = self.socket.getsockname()

    def send(self, number, size):
        self.socket.sendto(b"w" * size, place(number))

    def close(self):
        self.socket.close()
        wt.run("conntrack -F 2>/dev/null")


def wait_one(front):
    """Waits for the next tick."""
    goal = len(front.ticks) + 1
    front.wait(lambda front: len(front.ticks) >= goal, "a tick", 15)


def wait_until_it_agrees(front, flows):
    """Waits until the engine says of so many flows what the kernel says, which stands still; returns the sum."""
    expected, entries = kernel_bytes()
    tap.equal(entries, flows, "entries of the kernel")
    end = time.monotonic() + 25
    while front.ticks[-1]["flows_tracked"] < flows or engine_bytes(front)[0] != expected:
        tap.check(time.monotonic() < end,
                  lambda: f"{engine_bytes(front)[0]} of {expected} bytes in {front.ticks[-1]}")
        wait_one(front)
    return expected


@tap.case("20 000 entries: 4096 rows, and the sums are the kernel's own")
def large_table():
    network.account()
    sender = Sender()
    try:
        for number in range(FLOWS):
            sender.send(number, 100 + number % 900)
        with wt.front(interval=500) as front:
            wait_until_it_agrees(front, FLOWS)
            tap.equal(front.ticks[-1]["flows_published"], ROWS, "rows")
            tap.equal(engine_bytes(front)[1], ROWS, "rows that were sent")
            # Some of all sizes go on, be they rows or not, and new ones come.
            for number in [*range(0, FLOWS, 37), *range(FLOWS, FLOWS + 500)]:
                sender.send(number, 300)
            total = wait_until_it_agrees(front, FLOWS + 500)
            tap.equal(front.ticks[-1]["flows_published"], ROWS, "rows")
            tap.equal(front.ticks[-1]["flows_refused"], 0, "flows refused")
            # Every tick between two readings says the same.
            for _ in range(6):
                wait_one(front)
                tap.equal(engine_bytes(front)[0], total, "the sum")
    finally:
        sender.close()


@tap.case("4500 large flows that stand still, and a small one that moves: it is published")
def one_moves():
    network.account()
    sender = Sender()
    small = place(LARGE_IDLE)
    try:
        for number in range(LARGE_IDLE):
            sender.send(number, 1200)
        sender.send(LARGE_IDLE, 1)
        with wt.front(interval=500) as front:
            front.wait(lambda front: front.ticks[-1]["flows_tracked"] > LARGE_IDLE, "all flows")
            front.wait_ticks(2)
            tap.equal(front.find("udp", sender.local, small), None, "a row for the smallest, which stands still")
            deadline = time.monotonic() + 20
            while front.find("udp", sender.local, small) is None:
                tap.check(time.monotonic() < deadline, "no row for the one that moves")
                sender.send(LARGE_IDLE, 1)
                front.wait_ticks(1)
            row = front.find("udp", sender.local, small)
            tap.check(row["tx_rate"] > 0, f"no speed: {row}")
            tap.equal(row["tx_bytes"], 29 * row["tx_packets"], "bytes")
            tap.equal(front.ticks[-1]["flows_published"], ROWS, "rows")
            # It gives its row back, and none of its bytes is lost.
            front.wait(lambda front: front.find("udp", sender.local, small) is None, "its row to go to a larger one",
                       15)
            wait_until_it_agrees(front, LARGE_IDLE + 1)
    finally:
        sender.close()


wt.leave_out_namespaces()
network = wt.Network()
network.track()
tap.run(cleanup=network.close)
