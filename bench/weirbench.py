# SPDX-License-Identifier: GPL-3.0-or-later
"""What several benchmarks of the engine share: load that weir-load makes, and what is said of the source `bpf`."""
import contextlib
import os
import pathlib
import subprocess

import weirtraffic as wt

LOAD = pathlib.Path(os.environ["WEIR_BENCH"], "weir-load")
ADDRESS = "10.80.0.1"


def flush():
    """Empties the table."""
    subprocess.run(["conntrack", "-F"], check=True, capture_output=True)


def make_entries(number):
    """So many entries that somebody here opened."""
    subprocess.run([LOAD, "entries", str(number), ADDRESS], check=True)


@contextlib.contextmanager
def held(*command):
    """A program that says when it is ready, and ends with its standard input, for the length of a block."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        if holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"it did not become ready: {command}")
        yield
        holder.stdin.close()


def sockets(processes, pairs):
    """Sockets for the length of a block."""
    return held(LOAD, "sockets", str(processes), str(pairs))


def wait_one(front):
    """Waits for a tick, whatever is read for it."""
    goal = len(front.ticks) + 1
    front.wait(lambda front: len(front.ticks) >= goal, "a tick", seconds=30)


def bpf_state():
    """What the engine says of the source: (active, state, reason)."""
    with wt.front() as front:
        source = front.sources[wt.BPF]
    return source["state"] == wt.ACTIVE, source["state"], source["reason"]
