#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""More events of the connection tracking table than anybody can take: what is lost is said, and nothing else is lost."""
import os
import pathlib
import signal
import socket
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtraffic as wt

THERE = "10.80.0.2"
# Each has one event, and the buffer holds some ten thousand of them.
MANY = 40000
FEW = 8000
PAYLOAD = 100
SIZE = PAYLOAD + 28


def burst(count):
    """So many flows of one datagram each, from one socket; returns what they weigh."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(bytes(PAYLOAD), (THERE, number + 1))
    return count * SIZE


def forget():
    """Ends every flow that is tracked."""
    subprocess.run(["conntrack", "-F"], check=True, stderr=subprocess.DEVNULL)


def sums(front):
    """All bytes that were told of so far: rows, rows that ended, and what is no row; (received, sent).

    Rows that gave way to others are among the last."""
    tick = front.ticks[-1]
    rows = [flow for flow in front.flows.values() if flow["change"] != "ended" or flow["groups"] != 0]
    return tuple(tick[f"others_{way}_bytes"] + sum(flow.get(f"{way}_bytes", 0) for flow in rows) for way in ("rx", "tx"))


def losses(front):
    return front.sources[wt.CONNTRACK]["losses"]


def wait_told(front, condition, what, seconds=20):
    """Waits for a tick after which CONDITION holds."""
    looked = 0

    def holds(front):
        nonlocal looked
        if len(front.ticks) == looked:
            return False
        looked = len(front.ticks)
        return condition(front)
    front.wait(holds, what, seconds)


def freeze(front, action):
    """Does something while the meter does not run."""
    os.kill(front.engine.pid, signal.SIGSTOP)
    try:
        return action()
    finally:
        os.kill(front.engine.pid, signal.SIGCONT)


@tap.case("short flows between two ticks: all of them, with their last bytes, and no loss")
def short():
    with wt.front(interval=2000) as front:
        front.wait_ticks(1)
        before = sums(front)
        sent = burst(FEW)
        forget()
        wait_told(front, lambda front: sums(front)[1] >= before[1] + sent, "all bytes")
        front.wait_ticks(2)
        tap.equal(sums(front), (before[0], before[1] + sent), "bytes")
        tap.equal(losses(front), 0, "losses")
        tap.check(front.ticks[-1]["flows_tracked"] < FEW, "the flows go on")


@tap.case("beginnings that nobody heard of: said, and made up for by reading the table")
def lost_beginnings():
    with wt.front(interval=1000) as front:
        front.wait_ticks(1)
        before = sums(front)
        sent = freeze(front, lambda: burst(MANY))
        front.wait(lambda front: losses(front) > 0, "the loss to be said")
        tap.equal(front.sources[wt.CONNTRACK]["reason"], wt.LOSING_EVENTS, "the reason")
        wait_told(front, lambda front: sums(front)[1] >= before[1] + sent, "all bytes")
        tap.equal(sums(front), (before[0], before[1] + sent), "bytes")
        tap.check(front.ticks[-1]["flows_tracked"] >= MANY, f"flows: {front.ticks[-1]}")
        front.wait(lambda front: front.sources[wt.CONNTRACK]["reason"] != wt.LOSING_EVENTS, "it to be over")

        # Their ends: nothing moved since they were read, so that no byte may be missing.
        lost = losses(front)
        freeze(front, forget)
        front.wait(lambda front: losses(front) > lost, "the second loss to be said")
        wait_told(front, lambda front: front.ticks[-1]["flows_tracked"] < 100, "all flows to end")
        tap.equal(sums(front), (before[0], before[1] + sent), "bytes after the end")


@tap.case("beginning and end unheard: what is not told is no more than what was lost, and the rest goes on")
def lost_wholly():
    with wt.front(interval=1000) as front:
        front.wait_ticks(1)
        before = sums(front)

        def act():
            burst(MANY)
            forget()
        freeze(front, act)
        front.wait(lambda front: losses(front) > 0, "the loss to be said")
        front.wait_ticks(4)
        told = sums(front)[1] - before[1]
        # Only ends tell bytes, and those came last: what is told are ends that were heard.
        tap.check(0 <= told < MANY * SIZE, f"{told} bytes told of {MANY * SIZE}")
        tap.equal(told % SIZE, 0, "whole flows only")
        tap.check(front.ticks[-1]["flows_tracked"] < 100, f"flows without an end: {front.ticks[-1]}")

        now, lost = sums(front), losses(front)
        sent = burst(FEW)
        wait_told(front, lambda front: sums(front)[1] >= now[1] + sent, "what came after it")
        tap.equal(sums(front), (now[0], now[1] + sent), "bytes after it")
        tap.equal(losses(front), lost, "losses")
        forget()


wt.leave_out_namespaces()
network = wt.Network()
network.track()
network.account()
# Nobody over there answers, not even that there is nobody.
DEAF = "table ip deaf { chain input { type filter hook input priority 0; udp dport 1-65535 drop; }; }"
wt.run(f"ip netns exec {network.far} nft '{DEAF}'")
# Whoever is not told to end goes on for as long as this takes.
pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_udp_timeout").write_text("600")
tap.run(cleanup=network.close)
