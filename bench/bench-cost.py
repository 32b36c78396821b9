#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What watching costs: with the source `bpf`, and with `bpf = no` in engine.conf; nothing is asserted.

    bench-cost.py [held] [idle] [throughput] [programs]      default: all four

held        1000, 4000 and 20 000 flows of which 100 move, a reading a second: share of a processor
idle        200 000 entries of connection tracking, and 1000 flows that move: ms a tick
throughput  one TCP connection through a pair of virtual cables, with and without an engine, in turn
programs    what the kernel counts of each BPF program of the engine's: runs, and ns of each

In a network of its own, as root (full view), accounting on.  Where the source is not active there is
only what the engine costs without it.
"""
import contextlib
import itertools
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

tests = pathlib.Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(tests / "integration"), str(tests / "e2e")]

# pylint: disable=wrong-import-position
import weirbench  # noqa: E402
import weirstream  # noqa: E402
import weirtraffic as wt  # noqa: E402
import weirtruth  # noqa: E402

# Of each measurement, and at most so long before it.
SECONDS, SETTLE = 10, 60
# With `bpf` tables of the kernel are read more seldom: each of them at least once.
SECONDS_BPF = 45
# The looker has found all owners when so many ticks in a row cost it less than this.
QUIET_TICKS, QUIET_S = 3, 0.005
TURNS = 15
HOLDERS = 50
ROLES = ("meter", "keeper", "looker", "other")
STATISTICS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")


def moving(network, number):
    """So many connections that send a little five times a second, for the length of a block."""
    return weirbench.held(weirtruth.FLOWS, "moving", f"far={network.far}", f"each={number}")


def settle(front):
    """Waits until what only the beginning costs (owners, first dumps) is over."""
    quiet, began = 0, time.monotonic()
    used = weirstream.processor_seconds(front.engine.pid)
    while quiet < QUIET_TICKS and time.monotonic() < began + SETTLE:
        weirbench.wait_one(front)
        before, used = used, weirstream.processor_seconds(front.engine.pid)
        quiet = quiet + 1 if used["looker"] - before["looker"] < QUIET_S else 0


def spent(front, mode):
    """Seconds of each process of the engine, how long that was, of all of them at each tick, and how often tables are read.

    An average is one over whole rounds: two readings at the least."""
    every = front.ticks[-1]["cadence_ms"] / 1000
    length = SECONDS_BPF if mode == "bpf" else SECONDS
    before = weirstream.processor_seconds(front.engine.pid)
    began, totals = time.monotonic(), [sum(before[role] for role in ROLES)]
    while time.monotonic() < began + max(length, 2 * every):
        weirbench.wait_one(front)
        used = weirstream.processor_seconds(front.engine.pid)
        totals.append(sum(used[role] for role in ROLES))
    seconds = time.monotonic() - began
    at_ticks = [after - earlier for earlier, after in itertools.pairwise(totals)]
    return ({role: used[role] - before[role] for role in ROLES}, seconds, at_ticks, every)


def held(network, modes):
    """Flows that were made under the eyes of the engine."""
    print("Flows of which 100 move, a reading a second: per cent of a processor")
    print(f"{'':8}{'flows':>7}" + "".join(f"{role:>8}" for role in ROLES) + f"{'engine':>8}{'read every':>12}", flush=True)
    for number in (1000, 4000, 20000):
        for mode in modes:
            wt.configure(bpf=mode == "bpf")
            weirbench.flush()
            # Both ends of a pair are a flow.
            pairs = (number - 100) // 2 // HOLDERS
            with wt.front(interval=1000) as front, weirbench.sockets(HOLDERS, pairs), moving(network, 100):
                settle(front)
                used, seconds, _at_ticks, every = spent(front, mode)
            print(f"{mode:8}{2 * pairs * HOLDERS + 100:7}" + "".join(f"{100 * used[role] / seconds:8.2f}" for role in ROLES) +
                  f"{100 * sum(used.values()) / seconds:8.2f}{every:10.2f} s", flush=True)


def idle(network, modes):
    """A table of which next to nothing moves."""
    print("200 000 idle entries and 1000 flows that move, a reading a second: ms a tick")
    print(f"{'':8}" + "".join(f"{role:>8}" for role in ROLES) + f"{'engine':>8}{'median':>8}{'read every':>12}", flush=True)
    for mode in modes:
        wt.configure(bpf=mode == "bpf")
        weirbench.flush()
        weirbench.make_entries(200000)
        with wt.front(interval=1000) as front, moving(network, 1000):
            settle(front)
            used, _seconds, at_ticks, every = spent(front, mode)
        ticks = len(at_ticks)
        print(f"{mode:8}" + "".join(f"{1000 * used[role] / ticks:8.2f}" for role in ROLES) +
              f"{1000 * sum(used.values()) / ticks:8.2f}{1000 * statistics.median(at_ticks):8.2f}{every:10.2f} s", flush=True)
    weirbench.flush()


def push(network, seconds=2):
    """Of one connection: Gbit/s, and Gbit for each second of a processor that both ends used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Not the port of those that move meanwhile.
    done = subprocess.run([weirtruth.FLOWS, "bulk", f"far={network.far}", f"seconds={seconds}", "port=9001"], check=True,
                          stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    rate = float(done.stdout) * 8 / 1e9
    return rate, rate * seconds / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def throughput(network, modes):
    """With and without an engine, in turn: what else happens on the machine meets all of them.

    What is compared are neighbours: a machine that is slower for a minute is so for both."""
    print(f"One TCP connection over veth, {TURNS} turns; difference from its neighbour without an engine", flush=True)
    found = {mode: [] for mode in ("none", *modes)}
    for turn in range(TURNS):
        # Whoever comes first may find another machine than who comes last.
        for mode in list(found)[::1 if turn % 2 == 0 else -1]:
            wt.configure(bpf=mode == "bpf")
            with wt.front(interval=1000) if mode != "none" else contextlib.nullcontext():
                found[mode].append(push(network))
    for number, unit in enumerate(("Gbit/s", "Gbit for a second of a processor")):
        print(unit)
        for mode, pairs in found.items():
            figures = [pair[number] for pair in pairs]
            changes = [100 * (figure / base[number] - 1) for figure, base in zip(figures, found["none"])]
            low, middle, high = statistics.quantiles(changes, n=4)
            print(f"{mode:8} median {statistics.median(figures):6.2f}, from {min(figures):.2f} to {max(figures):.2f}; "
                  f"{middle:+5.1f} %, half of them from {low:+5.1f} to {high:+5.1f} %", flush=True)


def loaded_programs():
    """What bpftool tells of every BPF program that is loaded, by number."""
    told = subprocess.run(["bpftool", "prog", "show", "-j"], check=True, capture_output=True, text=True).stdout
    return {program["id"]: program for program in json.loads(told)}


def programs(network, modes):
    """The kernel's own counts, which it takes only when it is told to."""
    print("BPF programs of the engine")
    if "bpf" not in modes:
        print("none are loaded: the source is not active")
        return
    if not shutil.which("bpftool"):
        print("bpftool is not installed: nothing can be said")
        return
    wt.configure(bpf=True)
    before, counted = loaded_programs(), STATISTICS.read_text(encoding="ascii")
    STATISTICS.write_text("1", encoding="ascii")
    try:
        with wt.front(interval=1000), moving(network, 1000):
            push(network)
            time.sleep(3)
            after = loaded_programs()
    finally:
        STATISTICS.write_text(counted, encoding="ascii")
    print(f"{'name':18}{'kind':>20}{'runs':>12}{'ns':>8}")
    for number, program in after.items():
        runs = program.get("run_cnt", 0)
        if number not in before and runs:
            print(f"{program.get('name', ''):18}{program['type']:>20}{runs:12}{program['run_time_ns'] / runs:8.0f}")


PARTS = {"held": held, "idle": idle, "throughput": throughput, "programs": programs}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    for name in wanted:
        if name not in PARTS:
            sys.exit(f"bench-cost: there is no part {name!r}; choose from: {', '.join(PARTS)}")
    network = wt.Network()
    try:
        network.track()
        network.account()
        wt.configure(bpf=True)
        active, state, reason = weirbench.bpf_state()
        modes = ("bpf", "no bpf") if active else ("no bpf",)
        print("source bpf: " + ("active" if active else f"NOT ACTIVE (state {state}, reason {reason})"))
        for name in wanted:
            PARTS[name](network, modes)
    finally:
        network.close()


main()
