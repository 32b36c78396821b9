#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows that are over before the next tick: each is told of, with its bytes and, mostly, its owner."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirchurn


@tap.case("2000 connections of 200 ms from 200 processes, and 500 datagrams from as many")
def short_flows():
    result = weirchurn.measure(network)
    tap.diagnose(result.table())
    for what in ("unseen", "uncounted", "inexact", "wrong"):
        tap.check(not result.total(what), lambda: f"{what}: {result.total(what)}, such as {result.examples[what]}")
    tap.equal(result.complaints, "", "what weir-cli complained of")
    tap.check(result.share("right") >= 90,
              lambda: f"{result.share('right'):.1f} % of the owners: {result.examples['missing']}")


network = weirchurn.make_network()
tap.run(cleanup=network.close)
