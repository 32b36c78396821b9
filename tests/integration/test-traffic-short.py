#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows that are over before the next tick: each is told of, with its bytes and, mostly, its owner."""
import contextlib
import json
import pathlib
import socket
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirchurn
import weirstream
import weirtraffic as wt


@tap.case("2000 connections of 200 ms from 200 processes, and 500 datagrams from as many")
def short_flows():
    result = weirchurn.measure(network)
    tap.diagnose(result.table())
    for what in ("unseen", "uncounted", "inexact", "wrong"):
        tap.check(not result.total(what), lambda: f"{what}: {result.total(what)}, such as {result.examples[what]}")
    tap.equal(result.complaints, "", "what weir-cli complained of")
    tap.check(result.share("right") >= 90,
              lambda: f"{result.share('right'):.1f} % of the owners: {result.examples['missing']}")


PORT = 5997
SHORT = f"""
import socket, time
sock = socket.create_connection(("127.0.0.1", {PORT}))
print(sock.getsockname()[1], flush=True)
time.sleep(0.1)
"""


def connect():
    """A connection of 100 ms from a process of its own: its port there, and the process."""
    with subprocess.Popen([sys.executable, "-c", SHORT], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        return int(process.stdout.readline()), process.pid


@tap.case("a connection of 100 ms is told of before the next tick, with its owner")
def before_the_tick():
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", PORT)))
        steady = stack.enter_context(socket.create_connection(("127.0.0.1", PORT)))
        accepted = stack.enter_context(server.accept()[0])
        # No interval is longer: after the first tick there is none that this case could wait for.
        stream = weirstream.Stream("60s")
        stack.callback(stream.process.kill)

        def lines_of(port):
            rows = [json.loads(line) for _, line in list(stream.lines)]
            return [row for row in rows if (row["local_port"], row["remote_port"]) == (port, PORT)]

        tap.wait_for(lambda: lines_of(steady.getsockname()[1]), "the first tick")
        # A tick would tell of this.
        steady.sendall(b"x" * 1000)
        accepted.recv(1000)
        for _ in range(3):
            port, pid = connect()
            named = tap.wait_for(lambda port=port: next((row for row in lines_of(port) if row["pid"]), None),
                                 "a line that names the process")
            tap.equal((named["pid"], named["owner_how"]), (pid, "tuple"), "owner")
            first = lines_of(port)[0]
            tap.equal((first["ended"], first["received_rate"]), (False, None), "the first line")
            tap.check(first["first_seen"] <= first["time"], lambda line=first: f"times of {line}")
        tap.equal(len(lines_of(steady.getsockname()[1])), 1, "ticks")
        stream.end()


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = weirchurn.make_network()
tap.run(cleanup=network.close)
