#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine costs, next to what the kernel takes for the same dumps alone; nothing is asserted.

    bench-engine.py [held] [table] [sockets]      default: all three

In a network of its own, with an engine that runs as it always does (full view, confined, accounting on):

held      1000, 10 000 and 50 000 flows that do not move, once a second
table     200 000 entries: resident memory, average share of a processor
sockets   10 000 sockets in 500 processes

CPU times are the kernel's own count of each process, in nanoseconds.  Every bare dump is received in the
same run, between two ticks of the engine.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import time

tests = pathlib.Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(tests / "integration"), str(tests / "e2e")]

# pylint: disable=wrong-import-position
import weirbench  # noqa: E402
import weirtest  # noqa: E402
import weirtraffic  # noqa: E402

STAGES = pathlib.Path(os.environ["WEIR_BENCH"], "bench-stages")
PROCESSES = ("meter", "keeper", "looker")
# Of each measurement: so many dumps of the table, in at most so many seconds.
DUMPS = 7
SECONDS = 22
WARM_UP = 3


def cpu_ms(pid):
    """CPU time of a process so far: the clock that clock_getcpuclockid(3) gives for it."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e6


def memory_mib(pid):
    """Resident memory."""
    return int(weirtest.status(pid)["VmRSS"].split()[0]) / 1024


def bare_ms(what):
    """CPU time of one dump that is thrown away."""
    line = subprocess.run([weirbench.LOAD, "dump", what], check=True, capture_output=True, text=True).stdout
    return int(line.split()[0]) / 1e6


def listed_ms():
    """CPU time of `conntrack -L`."""
    process = subprocess.Popen(["conntrack", "-L"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1000


def count_entries():
    """What the kernel counts."""
    return int(pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text(encoding="ascii"))


class Watched:
    """An engine with a front end, and the CPU time of its three processes."""

    def __init__(self, front):
        self.front = front
        keeper, looker = front.engine.helpers()
        self.pids = dict(zip(PROCESSES, (front.engine.pid, keeper, looker)))
        self.samples = [self.sample()]

    def sample(self):
        """CPU times now."""
        return {name: cpu_ms(pid) for name, pid in self.pids.items()}

    def tick(self):
        """Waits until the next tick is over, and notes what it cost."""
        weirbench.wait_one(self.front)
        # What follows a tick (its last bytes, answers that came late) is part of it.
        time.sleep(0.1)
        self.samples.append(self.sample())

    def steps(self):
        """What each tick cost that had a dump: only for those the keeper does anything."""
        steps = [{name: now[name] - before[name] for name in PROCESSES}
                 for before, now in zip(self.samples, self.samples[1:])]
        return [step for step in steps if step["keeper"] > 0]

    def medians(self):
        """Per tick: each process, and all of them."""
        steps = self.steps()
        found = {name: statistics.median(step[name] for step in steps) for name in PROCESSES}
        found["engine"] = statistics.median(sum(step.values()) for step in steps)
        return found


def print_stages():
    """Where the meter's share of it goes."""
    print(subprocess.run([STAGES], check=True, capture_output=True, text=True).stdout, flush=True)


def wait_for_owners(watched):
    """Waits until the looker has nothing to do in three ticks; returns how many ticks it had, and what they cost."""
    quiet, began = 0, time.monotonic()
    while quiet < 3 and time.monotonic() < began + SECONDS:
        watched.tick()
        before, now = watched.samples[-2:]
        quiet = quiet + 1 if now["looker"] - before["looker"] < 0.5 else 0
    busy = len(watched.samples) - 1 - quiet
    return busy, watched.samples[busy]["looker"]


def measure_ticks():
    """Medians per tick of the engine, and of the two bare dumps in between."""
    with weirtraffic.front(interval=1000) as front:
        watched = Watched(front)
        first = wait_for_owners(watched)
        watched.samples = watched.samples[-1:]
        began = time.monotonic()
        conntrack, sock_diag = [], []
        while not watched.steps() or len(watched.steps()) < DUMPS and time.monotonic() < began + SECONDS:
            watched.tick()
            conntrack.append(bare_ms("conntrack"))
            sock_diag.append(bare_ms("sockets"))
        every = front.ticks[-1]["cadence_ms"] / 1000
        return watched.medians(), statistics.median(conntrack), statistics.median(sock_diag), every, first


def held():
    """Flows that do not move."""
    print("Held flows, once a second, full view; CPU time per tick that has a dump, in ms")
    print(f"{'flows':>7} {'meter':>8} {'keeper':>8} {'looker':>8} {'engine':>8} | "
          f"{'conntrack':>9} {'sock_diag':>9} {'bare':>8} | {'ratio':>5} {'read every':>10}", flush=True)
    for number in (1000, 10000, 50000):
        weirbench.flush()
        weirbench.make_entries(number)
        engine, conntrack, sock_diag, every, _first = measure_ticks()
        bare = conntrack + sock_diag
        print(f"{number:7} {engine['meter']:8.2f} {engine['keeper']:8.2f} {engine['looker']:8.2f} "
              f"{engine['engine']:8.2f} | {conntrack:9.2f} {sock_diag:9.2f} {bare:8.2f} | "
              f"{engine['engine'] / bare:5.2f} {every:8.2f} s", flush=True)
    print_stages()


def wait_for_dumps(watched, number):
    """Waits for so many dumps, and until the ticks that they take are over."""
    goal = len(watched.steps()) + number
    while len(watched.steps()) < goal:
        watched.tick()
    watched.tick()


def table():
    """A full table."""
    weirbench.flush()
    weirbench.make_entries(200000)
    print(f"{count_entries()} entries, full view, a tick a second wished for")
    with weirtraffic.front(interval=1000) as front:
        for _ in range(WARM_UP):
            weirbench.wait_one(front)
        watched = Watched(front)
        # An average is one over whole rounds: from before a dump to before another.
        wait_for_dumps(watched, 1)
        watched.samples = watched.samples[-1:]
        began, ticks = time.monotonic(), len(front.ticks)
        conntrack, sock_diag, listed = [], [], []
        for _ in range(2):
            wait_for_dumps(watched, 1)
            conntrack.append(bare_ms("conntrack"))
            sock_diag.append(bare_ms("sockets"))
            listed.append(listed_ms())
        seconds, ticks = time.monotonic() - began, len(front.ticks) - ticks
        spent = {name: watched.samples[-1][name] - watched.samples[0][name] for name in PROCESSES}
        memory = {name: memory_mib(pid) for name, pid in watched.pids.items()}
        last = front.ticks[-1]
    print(f"{'':24} {'meter':>8} {'keeper':>8} {'looker':>8} {'engine':>8}")
    print(f"{'resident memory, MiB':24} " + " ".join(f"{memory[name]:8.1f}" for name in PROCESSES) +
          f" {sum(memory.values()):8.1f}")
    print(f"{'share of a processor, %':24} " +
          " ".join(f"{spent[name] / seconds / 10:8.2f}" for name in PROCESSES) +
          f" {sum(spent.values()) / seconds / 10:8.2f}")
    print(f"{ticks} ticks in {seconds:.0f} s, {last['flows_published']} rows of {last['flows_tracked']} flows, "
          f"the table read every {last['cadence_ms'] / 1000:.2f} s")
    steps = [sum(now.values()) - sum(before.values())
             for before, now in zip(watched.samples, watched.samples[1:])]
    cheap = statistics.median(steps)
    # A dump may take longer than the tick it was asked for.
    dump = (sum(spent.values()) - cheap * (len(steps) - 2)) / 2
    bare = statistics.median(conntrack) + statistics.median(sock_diag)
    print(f"a tick with a dump {dump:.1f} ms, one without {cheap:.1f} ms; bare dumps {bare:.1f} ms "
          f"(ratio {dump / bare:.2f}); conntrack -L >/dev/null {statistics.median(listed):.1f} ms")
    print_stages()
    weirbench.flush()


def many_sockets():
    """Ten thousand sockets."""
    weirbench.flush()
    print("10 000 sockets in 500 processes, once a second, full view; CPU time per tick in ms")
    with weirbench.sockets(500, 10):
        engine, conntrack, sock_diag, _every, first = measure_ticks()
        bare = conntrack + sock_diag
        print(f"meter {engine['meter']:.2f}, keeper {engine['keeper']:.2f}, looker {engine['looker']:.2f}, "
              f"engine {engine['engine']:.2f}; bare dumps {bare:.2f} (conntrack {conntrack:.2f}, sock_diag "
              f"{sock_diag:.2f}), ratio {engine['engine'] / bare:.2f}", flush=True)
        print(f"owners: the looker had {first[1]:.0f} ms of work in the first {first[0]} ticks, and {engine['looker']:.2f} "
              "ms a tick from then on; the meter's part is among the stages")
        print_stages()


PARTS = {"held": held, "table": table, "sockets": many_sockets}


def main():
    wanted = sys.argv[1:] or list(PARTS)
    network = weirtraffic.Network()
    # With kernel programs the dumps that are measured here are hardly made.
    weirtraffic.configure(bpf=False)
    try:
        network.track()
        network.account()
        for name in wanted:
            PARTS[name]()
    finally:
        network.close()


main()
