#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps the programs in the kernel running, and what the engine's processes hold once they have begun."""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

BPF = 321  # bpf(2) of x86-64, as the other numbers here are the kernel's
PROG_GET_FD_BY_ID, LINK_GET_FD_BY_ID = 13, 30
SOURCE_BPF = 2
UNAVAILABLE, ACTIVE = 0, 2
STOPPED = 8


def is_there(command, number):
    """Whether the kernel has a program or link with this number."""
    attributes = ctypes.create_string_buffer(number.to_bytes(4, "little"), 128)
    fd = ctypes.CDLL(None).syscall(BPF, command, attributes, 128)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def held(pid):
    """Numbers of links and of their programs that PID holds: {(command, number)}."""
    found = set()
    for fd, target in weirtest.descriptors(pid).items():
        if "bpf" not in target:
            continue
        text = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
        for command, key in ((LINK_GET_FD_BY_ID, "link_id"), (PROG_GET_FD_BY_ID, "prog_id")):
            found |= {(command, int(number)) for number in re.findall(rf"^{key}:\s*(\d+)", text, re.M)}
    return found


def all_left(objects):
    return [each for each in objects if is_there(*each)]


@tap.case("the keeper alone holds what keeps the programs running")
def alone():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        keeper, looker = engine.helpers()
        objects = held(keeper)
        tap.check(len({number for command, number in objects if command == LINK_GET_FD_BY_ID}) >= 12,
                  f"the keeper has {objects}")
        tap.equal(len(all_left(objects)), len(objects), "of these there are")
        for pid in (engine.pid, looker, *weirtest.tellers(engine.pid)):
            tap.equal(held(pid), set(), f"what {pid} holds")


@tap.case("nothing is left of them a second after any of the processes was killed that they depend on")
def killed():
    for which in ("meter", "keeper", "all"):
        with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
            engine.serve()
            keeper, _looker = engine.helpers()
            objects = held(keeper)
            pids = {"meter": [engine.pid], "keeper": [keeper]}.get(which, [engine.pid, *weirtest.children(engine.pid)])
            tap.check(len(objects) >= 24, f"only {objects}")
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            tap.check(weirtest.wait_until(lambda: not all_left(objects), 1.0),
                      f"killed {which}: left are {all_left(objects)}")


@tap.case("bpftool shows none of them after every process was killed, one after the other")
def one_by_one():
    def shown():
        return {(command, each["id"]) for command, what in ((LINK_GET_FD_BY_ID, "link"), (PROG_GET_FD_BY_ID, "prog"))
                for each in json.loads(subprocess.check_output(["bpftool", "--json", what, "show"]))}
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pids = [engine.pid, *weirtest.children(engine.pid)]
        objects = set().union(*map(held, pids))
        tap.check(len(objects) >= 24 and objects <= shown(), f"bpftool does not show {objects - shown()}")
        for pid in sorted(pids, reverse=True):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        tap.check(weirtest.wait_until(lambda: not objects & shown(), 2.0), lambda: f"left: {objects & shown()}")


@tap.case("the meter says when they have ended, and goes on without")
def told():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        front = engine.front
        front.send(weirtest.START, (250).to_bytes(4, "little"))
        tap.equal(front.source(SOURCE_BPF)[0], ACTIVE, "before")
        os.kill(engine.helpers()[0], signal.SIGKILL)
        while (said := front.source(SOURCE_BPF))[0] == ACTIVE:
            pass
        tap.equal(said, (UNAVAILABLE, STOPPED, 0), "after")
        for _ in range(4):
            while (frame := front.frame()) is not None and frame[0] != weirtest.TICK:
                tap.check(frame[0] not in (weirtest.ERROR, weirtest.BYE), f"it ended with {frame}")
            tap.check(frame is not None, "no tick came")


tap.run()
