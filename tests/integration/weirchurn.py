# SPDX-License-Identifier: GPL-3.0-or-later
"""Short flows against the truth: what weir-churn.py made, what conntrack counted, what weir-cli told."""
import collections
import contextlib
import json
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import tap
import weirstream
import weirtraffic as wt

CHURN = pathlib.Path(__file__).parents[1] / "tools" / "weir-churn.py"
TIMEOUTS = {"nf_conntrack_tcp_timeout_time_wait": 1, "nf_conntrack_tcp_timeout_close": 1,
            "nf_conntrack_udp_timeout": 1, "nf_conntrack_udp_timeout_stream": 1}


def forget_quickly():
    """Lets the kernel end entries soon after their flows."""
    for name, seconds in TIMEOUTS.items():
        pathlib.Path("/proc/sys/net/netfilter", name).write_text(str(seconds))


class Counted:
    """What conntrack(8) reads from the events that end entries: bytes of both directions by tuple."""

    LINE = re.compile(r"\[DESTROY\] (\w+) .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) packets=(\d+) bytes=(\d+)"
                      r".*?packets=(\d+) bytes=(\d+)")

    def __init__(self):
        self.file = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(["conntrack", "-E", "-e", "DESTROY", "-b", "8388608"], stdout=self.file,
                                        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def end(self):
        """Everything that was counted: {(protocol, source, destination): (packets, bytes, and of answers)}."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(5)
        self.file.seek(0)
        found = {}
        for line in self.file:
            match = self.LINE.match(line.strip())
            if match:
                protocol, source, target, sport, dport, *figures = match.groups()
                found[protocol, (source, int(sport)), (target, int(dport))] = tuple(map(int, figures))
        self.file.close()
        return found


class Result:
    """The comparison of all that was made."""

    def __init__(self):
        self.kinds = collections.defaultdict(collections.Counter)
        self.reasons, self.delays = collections.Counter(), []
        self.examples = collections.defaultdict(list)
        self.processor = {}
        self.seconds = 0
        self.complaints = ""

    def note(self, kind, what, example=None):
        """Counts one flow."""
        self.kinds[kind][what] += 1
        if example is not None and len(self.examples[what]) < 3:
            self.examples[what].append(example)

    def total(self, what):
        """Of all kinds."""
        return sum(counter[what] for counter in self.kinds.values())

    def share(self, what, kind=None):
        """Per cent of what was made, of one kind or of all."""
        counters = [self.kinds[kind]] if kind else self.kinds.values()
        return 100 * sum(c[what] for c in counters) / sum(c["made"] for c in counters)

    def table(self):
        """For people."""
        head = ("", "made", "seen", "ended", "bytes", "right", "missing", "wrong", "uid")
        lines = ["{:<12}{:>7}{:>7}{:>7}{:>7}{:>8}{:>9}{:>7}{:>7}".format(*head)]
        for kind, counter in sorted(self.kinds.items()):
            lines.append("{:<12}{:>7}{:>7}{:>7}{:>7}{:>8}{:>9}{:>7}{:>7}".format(
                kind, *(counter[what] for what in
                        ("made", "seen", "ended", "exact", "right", "missing", "wrong", "uid"))))
        lines.append(f"coverage {self.share('seen'):.2f} %, exact bytes {self.share('exact'):.2f} %, owner right "
                     f"{self.share('right'):.2f} %, wrong {self.share('wrong'):.2f} %")
        lines.append(f"missing because: {dict(self.reasons)}")
        if self.delays:
            ordered = sorted(self.delays)
            lines.append(f"from connect to the first line: median {1000 * statistics.median(ordered):.0f} ms, "
                         f"p99 {1000 * ordered[len(ordered) * 99 // 100]:.0f} ms")
        lines.append(f"processor in {self.seconds:.0f} s: " +
                     ", ".join(f"{name} {1000 * used:.0f} ms" for name, used in self.processor.items()))
        return "\n".join(lines)


def figures_of(truth, counted):
    """What conntrack counted of one end: bytes received and sent."""
    here, there = tuple(truth["local"]), tuple(truth["remote"])
    if truth["side"] == "client":
        entry = counted.get((truth["protocol"], here, there))
        return entry and (entry[3], entry[1])
    entry = counted.get((truth["protocol"], there, here))
    return entry and (entry[1], entry[3])


def judge(result, truth, rows, counted):
    """Compares one end of a flow with what was told of it."""
    kind = f"{truth['protocol']} {truth['side']}"
    result.note(kind, "made")
    if not rows:
        result.note(kind, "unseen", truth)
        return
    last = rows[-1]
    result.note(kind, "seen")
    if "opened" in truth:
        result.delays.append(rows[0]["came"] - truth["opened"])
    if last["ended"]:
        result.note(kind, "ended")
    expected = figures_of(truth, counted)
    if expected is None:
        result.note(kind, "uncounted", truth)
    elif (last["received_bytes"], last["sent_bytes"]) == expected and \
            expected[0] >= truth["received"] and expected[1] >= truth["sent"]:
        result.note(kind, "exact")
    else:
        result.note(kind, "inexact", (truth, expected, last))
    if last["uid"] is not None:
        result.note(kind, "uid")
    what, why = weirstream.find_owner({(truth["pid"], truth["start_time"]): "user"}, rows)
    if last["uid"] not in (None, truth["uid"]):
        what = "wrong"
    result.note(kind, what, (truth, rows) if what != "right" else None)
    if what == "missing":
        result.reasons[f"{kind} {why}"] += 1


def measure(network, interval="1s", **options):
    """Makes flows while weir-cli streams, and compares; OPTIONS are those of weir-churn.py."""
    result = Result()
    with tempfile.TemporaryDirectory(dir="/run") as folder, contextlib.ExitStack() as stack:
        truth = pathlib.Path(folder, "truth")
        counter = Counted()
        stack.callback(counter.process.kill)
        stream = weirstream.Stream(interval)
        stack.callback(stream.process.kill)
        # Its addresses are known, and so is where an empty network stands.
        time.sleep(2)
        words = [f"{key.replace('_', '-')}={value}" for key, value in options.items()]
        before = weirstream.processor_seconds(stream.engine)
        began = time.monotonic()
        made = subprocess.run([sys.executable, CHURN, truth, f"far={network.far}", *words],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        tap.equal((made.returncode, made.stderr), (0, ""), "the generator")
        after = weirstream.processor_seconds(stream.engine)
        result.seconds = time.monotonic() - began
        result.processor = {name: after[name] - before[name] for name in before}
        # Entries live a second longer than their flows, and their end takes a tick to be told.
        time.sleep(4)
        flows, result.complaints = stream.end()
        counted = counter.end()
        for line in truth.read_text().splitlines():
            entry = json.loads(line)
            rows = flows.get(weirstream.key(entry["protocol"].upper(), entry["local"], entry["remote"]))
            judge(result, entry, rows, counted)
    return result


def make_network():
    """A network in which everything is tracked, counted, and forgotten quickly."""
    network = wt.Network()
    network.track()
    network.account()
    forget_quickly()
    return network
