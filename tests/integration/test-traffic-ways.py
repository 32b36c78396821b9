#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that programs move in other ways than by write and read: every one is counted, and nobody else is named."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirchurn
import weirtraffic as wt
import weirtruth
from weirtruth import Kind

# Open for longer than two readings.
STREAM = {"life_ms": 2500, "up": 200000, "down": 50000}
KINDS = (Kind("sendfile", "sendfile", **STREAM), Kind("splice", "splice", **STREAM),
         Kind("sendmmsg and recvmmsg", "mmsg", life_ms=2500, up=500, down=300),
         Kind("a descriptor that was passed", "passed", **STREAM),
         Kind("a listener that was inherited", "inherited", **STREAM))


@tap.case("sendfile, splice, recvmmsg, a passed descriptor, an inherited listener: exact bytes, no wrong owner")
def ways():
    with weirtruth.run(network) as run:
        run.make(*KINDS)
        verdicts = run.end()
    for name, verdict in verdicts.items():
        tap.diagnose(f"{name}: {verdict.summary()}")
        tap.equal(verdict.flows["made"], 10, f"flows of {name}")
        for what in ("unseen", "unmeasured", "inexact", "wrong"):
            tap.check(not verdict.flows[what], lambda what=what, name=name, verdict=verdict:
                      f"{name}: {verdict.flows[what]} {what}, such as {verdict.examples[what]}")
    tap.equal(run.complaints, "", "what weir-cli complained of")


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = weirchurn.make_network()
tap.run(cleanup=network.close)
