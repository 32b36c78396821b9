#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""With kernel programs: whatever moves bytes, and however, is counted to the byte, and its process is named."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirchurn
import weirtraffic as wt
import weirtruth
from weirtruth import Kind

# Open for longer than two readings.
STAY = {"life_ms": 2500}
STREAM = STAY | {"up": 200000, "down": 50000}
DATAGRAMS = STAY | {"up": 500, "down": 300}
SHORT = (Kind("processes that live 1 ms", "live", life_ms=1, count=100, seconds=1),
         Kind("200 processes in turn", "churn", life_ms=50, count=200, each=5, seconds=2),
         Kind("bursts", "bursts", life_ms=50, count=20, each=30))
WAYS = (Kind("sendfile", "sendfile", **STREAM), Kind("splice", "splice", **STREAM),
        Kind("io_uring", "io-uring", **STREAM), Kind("sendmmsg and recvmmsg", "mmsg", **DATAGRAMS),
        Kind("connected datagrams", "udp", **DATAGRAMS),
        Kind("500 peers of one socket", "peers", count=1, each=500, **DATAGRAMS),
        Kind("IPv6", "ipv6", **STAY), Kind("IPv4 of IPv6 sockets", "dual-stack", **STAY),
        Kind("loopback", "loopback", **STAY), Kind("raw packets", "raw", **STAY), Kind("echoes", "icmp", **STAY),
        Kind("frames", "packet", **DATAGRAMS), Kind("a descriptor that was passed", "passed", **STREAM),
        Kind("a listener that was inherited", "inherited", **STREAM), Kind("a container", "container", **STREAM))


def check(verdicts):
    for name, verdict in verdicts.items():
        if verdict.trouble:
            tap.diagnose(f"{name}: {verdict.trouble}")
            continue
        tap.diagnose(f"{name}: {dict(verdict.flows)}, delay {weirtruth.spread(verdict.delays)} ms, {dict(verdict.named)}")
        for what in ("unseen", "unmeasured", "inexact", "wrong", "missing"):
            tap.check(not verdict.flows[what], lambda what=what, name=name, verdict=verdict:
                      f"{name}: {verdict.flows[what]} {what}, such as {verdict.examples[what]}")
        tap.check(verdict.flows["right"] == verdict.flows["made"] > 0, f"{name}: {verdict.flows}")


@tap.case("processes that are gone at once, and many at a time: every flow, every byte, every owner")
def short():
    with weirtruth.run(network, **options) as run:
        run.make(*SHORT)
        check(run.end())
    tap.equal(run.complaints, "", "what weir-cli complained of")


@tap.case("every way to send and receive: every flow, every byte, every owner")
def ways():
    with weirtruth.run(network, **options) as run:
        run.make(*WAYS)
        verdicts = run.end()
    check(verdicts)
    tap.equal(verdicts["a container"].nowhere, 0, "flows of a network namespace that was not named")
    tap.equal(run.complaints, "", "what weir-cli complained of")


@tap.case("5000 connections of one process, as fast as it can make them: every flow, every byte, every owner")
def many():
    with weirtruth.run(network, **options) as run:
        run.make(Kind("small", "small", count=5000))
        check(run.end())


# Processes of inner pid namespaces have no number here, where the engine is in one itself.
wt.configure(keep_capabilities=True)
network = weirchurn.make_network()
options = {"mac": weirtruth.add_peers(network)}
tap.run(cleanup=network.close)
