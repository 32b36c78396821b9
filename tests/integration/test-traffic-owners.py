#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners over time: many sockets that stay, programs that execute others, users that change."""
import contextlib
import os
import pathlib
import signal
import socket
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirchurn
import weirstream
import weirtraffic as wt

PROCESSES, SOCKETS, FIRST_PORT = 500, 20, 10000
SECONDS = 10


def start_time(pid):
    """Of a process, in clock ticks since boot."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])


@contextlib.contextmanager
def holders(count, function):
    """So many processes that did FUNCTION(number) and stay; their pids."""
    pids = []
    read, write = os.pipe()
    try:
        for number in range(count):
            pid = os.fork()
            if pid == 0:
                kept = function(number)
                os.write(write, b"x")
                while kept is not None:
                    signal.pause()
                os._exit(0)
            pids.append(pid)
        for _ in pids:
            os.read(read, 1)
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(read)
        os.close(write)


def open_sockets(number):
    """As many as a process has, each with a port and a peer."""
    made = []
    for index in range(SOCKETS):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", FIRST_PORT + number * SOCKETS + index))
        one.connect(("127.0.0.1", 9))
        made.append(one)
    return made


@tap.case("10 000 sockets of 500 processes: all named at first, and next to nothing to do from then on")
def steady():
    with holders(PROCESSES, open_sockets) as pids:
        began = time.monotonic()
        stream = weirstream.Stream()
        try:
            time.sleep(12)
            first = weirstream.processor_seconds(stream.engine)
            time.sleep(SECONDS)
            last = weirstream.processor_seconds(stream.engine)
        finally:
            flows, _ = stream.end()
        tap.diagnose(f"the first {time.monotonic() - began - SECONDS:.0f} s: " +
                     ", ".join(f"{name} {1000 * used:.1f} ms" for name, used in first.items()))
        tap.diagnose("a steady tick: " + ", ".join(f"{name} {1000 * (last[name] - first[name]) / SECONDS:.2f} ms"
                                                   for name in last))
        rows = [rows[-1] for (_, _, local, _), rows in flows.items() if FIRST_PORT <= local[1] < 20000]
        tap.check(len(rows) >= 4000, f"{len(rows)} rows")
        for row in rows:
            tap.equal(row["pid"], pids[(row["local_port"] - FIRST_PORT) // SOCKETS], f"owner of {row}")
        # Ten times of what it is meant to be: a walk through all of /proc would be hundreds.
        tap.check(last["looker"] - first["looker"] < 0.03 * SECONDS, "the looker walks though nothing is new")


@tap.case("a program that executes another, and one that becomes another user, keep their sockets")
def changes():
    def become(_):
        one = socket.create_connection(listener.getsockname())
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        return one

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with holders(1, become) as (setuid,), wt.front() as front:
            row = front.wait(lambda front: (flow := front.find("tcp", ("127.0.0.1", None), ("127.0.0.1", port)))
                             and flow.get("pid") and flow, "an owner")
            tap.equal((row["pid"], row["start_time"], row["uid"]), (setuid, start_time(setuid), 0), "after setuid")
            pid = os.fork()
            if pid == 0:
                first = socket.create_connection(listener.getsockname())
                os.set_inheritable(first.fileno(), True)
                time.sleep(2)
                os.execv("/bin/sleep", ["sleep", "1000"])
            try:
                named = front.wait(lambda front: next((flow for flow in front.flows.values()
                                                       if flow.get("pid") == pid and flow["remote_port"] == port), None),
                                   "the owner before it executes")
                before, began = named["comm"], time.monotonic()
                tap.check(before != "sleep", f"too early: {named}")
                front.wait(lambda front: front.flows[named["id"]]["comm"] == "sleep", "the name of the program", 20)
                tap.diagnose(f"the new name took {time.monotonic() - began - 2:.1f} s")
                tap.equal(front.flows[named["id"]]["start_time"], start_time(pid), "start time")
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = weirchurn.make_network()
tap.run(cleanup=network.close)
