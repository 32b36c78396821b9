# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic of weir-flows against what weir-cli stream told of it, and what passed the interfaces meanwhile."""
import collections
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import tap
import weirstream
import weirtraffic as wt

FLOWS, COUNT = os.environ["WEIR_FLOWS"], os.environ["WEIR_COUNT"]
NOT_HERE = 77
PEERS = "10.90.0.0/16"
PROTOCOLS = {number: name.upper() for name, number in wt.PROTOCOLS.items()}
# Between the IP header and the payload, where each packet has one that is as long.
HEADERS = {"UDP": 8, "ICMP": 8, "253": 0}
# Before the IP header of a frame.
ETHERNET = 14
# No kind takes longer.
PATIENCE = 120
# A row may be dated a little before its flow: kernel and engine do not stamp with the same clock.
EARLY = 0.5


class Kind:
    """One kind of traffic: its name, that of weir-flows, and the keys that it is called with."""

    def __init__(self, name, made_by, **options):
        self.name, self.made_by, self.options = name, made_by, options

    def start(self, network, truth, **more):
        """Begins to make it; TRUTH is the file to which all lines go."""
        options = {"far": network.far} | self.options | more
        words = [f"{key.replace('_', '-')}={value}" for key, value in options.items()]
        return subprocess.Popen([FLOWS, self.made_by, *words], stdin=subprocess.DEVNULL, stdout=truth,
                                stderr=subprocess.PIPE, text=True)


def add_peers(network):
    """Gives the far neighbour many addresses; returns the hardware address it is reached at."""
    wt.run(f"ip -n {network.far} route add local {PEERS} dev lo; ip route add {PEERS} via 10.80.0.2")
    link, = json.loads(subprocess.run(["ip", "-n", network.far, "-j", "link", "show", "there"], check=True,
                                      capture_output=True, text=True).stdout)
    return link["address"]


class Counted:
    """weir-count: packets, bytes and payload of each way between two ends."""

    def __init__(self):
        self.process = subprocess.Popen([COUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        tap.equal(self.process.stdout.readline(), "ready\n", "weir-count")

    def end(self):
        """What passed each way, by (protocol, from, to); fails when anything was missed."""
        found = {}
        self.process.stdin.close()
        for line in self.process.stdout:
            way = json.loads(line)
            if "missed" in way:
                tap.equal(way["missed"], 0, "packets that weir-count missed: the truth is not known")
            else:
                name = PROTOCOLS.get(way["protocol"], str(way["protocol"]))
                found[name, tuple(way["from"]), tuple(way["to"])] = way
        tap.equal(self.process.wait(10), 0, "end of weir-count")
        self.process.stdout.close()
        return found


class Verdict:
    """What came of one kind."""

    def __init__(self):
        self.flows = collections.Counter()  # made, seen, unseen, right, missing, wrong, unmeasured, inexact
        self.named, self.reasons, self.sources = collections.Counter(), collections.Counter(), collections.Counter()
        self.true_bytes = self.false_bytes = self.unstarted = 0
        self.worst = None
        self.delays, self.told = [], []
        self.nowhere = 0  # in a network namespace of which nothing was known
        self.examples = collections.defaultdict(list)
        self.trouble = None

    def note(self, what, example=None):
        """Counts one flow."""
        self.flows[what] += 1
        if example is not None and len(self.examples[what]) < 3:
            self.examples[what].append(example)

    def coverage(self):
        """Per cent of the flows that have a row."""
        return 100 * self.flows["seen"] / self.flows["made"] if self.flows["made"] else None

    def byte_error(self):
        """Per cent: differences of all flows, each way, whatever their signs; what has no figure counts as nothing."""
        return 100 * self.false_bytes / self.true_bytes if self.true_bytes else None

    def summary(self):
        """All of it, for JSON."""
        return {"flows": dict(self.flows), "coverage": self.coverage(), "byte_error": self.byte_error(),
                "worst_flow": self.worst, "delay": spread(self.delays), "told": spread(self.told),
                "examples": dict(self.examples), "named": dict(self.named), "missing_because": dict(self.reasons), "bytes_from": dict(self.sources),
                "trouble": self.trouble}


def spread(delays):
    """Median and 99th percentile, in ms."""
    if not delays:
        return None
    ordered = sorted(delays)
    return [1000 * statistics.median(ordered), 1000 * ordered[len(ordered) * 99 // 100]]


def key_of(truth):
    """See weirstream.key()."""
    return weirstream.key(truth["protocol"], truth["local"], truth["remote"], truth["netns"])


def passed_frames(truth, counted):
    """The same of frames, each of which holds a datagram."""
    _netns, _protocol, local, remote = key_of(truth)
    found = counted["UDP", local, remote]
    size = found["bytes"] + found["packets"] * ETHERNET
    tap.equal((found["packets"], size), (truth["packets_sent"], truth["sent"]), f"frames: {truth}")
    return {"received": {"uncut": 0, "payload": 0}, "sent": found | {"uncut": size}}


def passed_bytes(truth, counted):
    """What passed of a flow, {"received": …, "sent": …}; that must agree with what was made."""
    _netns, protocol, local, remote = key_of(truth)
    if protocol == weirstream.FRAMES:
        return passed_frames(truth, counted)
    nothing = {"packets": 0, "bytes": 0, "uncut": 0, "payload": 0}
    passed = {"received": counted.get((protocol, remote, local), nothing), "sent": counted.get((protocol, local, remote), nothing)}
    for way, found in passed.items():
        if protocol in HEADERS:
            packets = truth[f"packets_{way}"]
            weight = truth[way] + packets * (HEADERS[protocol] + (40 if ":" in local[0] else 20))
            tap.equal((found["packets"], found["bytes"]), (packets, weight), f"packets and bytes, {way}: {truth}")
        else:
            # What is sent again comes on top.
            tap.check(found["payload"] >= truth[way], lambda way=way, found=found: f"{way}: {truth}, but {found} passed")
    return passed


def judge_bytes(verdict, truth, rows, counted):
    """Compares the last figures of a flow, or of all rows it was given, with what passed the interfaces.

    These are pairs of virtual cables, and loopback: what the kernel would cut for a wire goes through them,
    and into their counters, in one piece."""
    passed = passed_bytes(truth, counted)
    last = list({row["id"]: row for row in rows}.values())
    sources = {row["bytes_source"] for row in last if row["received_bytes"] is not None}
    payload = sources == {"sockdiag"}
    found = [sum(row[f"{way}_bytes"] or 0 for row in last) for way in passed]
    expected = [truth[way] if payload else passed[way]["uncut"] for way in passed]
    false = sum(abs(a - b) for a, b in zip(expected, found))
    verdict.true_bytes += sum(expected)
    verdict.false_bytes += false
    verdict.sources.update(sources)
    if not sources:
        verdict.note("unmeasured", truth)
        return
    if found != expected:
        verdict.note("inexact", (truth, expected, found, last))
    verdict.worst = max(verdict.worst or 0, 100 * false / sum(expected))


def has_forgotten():
    """Whether connection tracking knows no TCP connection any more."""
    return not subprocess.run(["conntrack", "-L", "-p", "tcp"], check=True, capture_output=True).stdout


def rows_of(truth, flows):
    """What was told of a flow; frames are found by their bytes, as they have no ends."""
    if truth["protocol"] != weirstream.FRAMES:
        return flows.get(key_of(truth)) or flows.get((weirstream.UNKNOWN_NETNS, *key_of(truth)[1:]), [])
    return next((rows for key, rows in flows.items()
                 if key[:2] == (truth["netns"], weirstream.FRAMES) and rows[-1]["sent_bytes"] == truth["sent"]), [])


def judge(verdict, truth, rows, counted):
    """Compares one end of a flow with what was told of it."""
    rows = [row for row in rows if row["noted"] > truth["opened"] - EARLY]
    verdict.note("made")
    judge_bytes(verdict, truth, rows, counted)
    if not rows:
        verdict.note("unseen", truth)
        verdict.note("missing")
        return
    verdict.note("seen")
    verdict.nowhere += rows[-1]["netns"] is None
    verdict.delays.append(rows[0]["came"] - truth["opened"])
    verdict.told.append(rows[0]["told"])
    accepted = {tuple(truth["opener"]): "opener", (truth["pid"], truth["start_time"]): "user"}
    what, why = weirstream.find_owner(accepted, rows)
    verdict.note(what, (truth, rows) if what != "right" else None)
    if what == "right":
        verdict.named[why] += 1
        verdict.unstarted += all(row["process_start"] is None for row in rows)
    elif what == "missing":
        verdict.reasons[why] += 1


class Run:
    """A stream and a count, while kinds of traffic are made; each has a file for its truth."""

    def __init__(self, network, stack, **options):
        self.network, self.options = network, options
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/run")))
        # What has no ports is told apart from what went between the same ends before.
        subprocess.run(["conntrack", "-F"], check=True, stderr=subprocess.DEVNULL)
        self.counter = Counted()
        stack.callback(self.counter.process.kill)
        self.stream = weirstream.Stream()
        stack.callback(self.stream.process.kill)
        self.stack = stack
        self.verdicts, self.running = {}, {}
        self.complaints = ""
        # Its addresses are known, and so is where an empty network stands.
        time.sleep(2)

    def start(self, kind):
        """Begins with a kind."""
        # The other ends have a port for each, so that no two kinds share a tuple.
        with open(self.folder / kind.name, "ab") as truth:
            process = kind.start(self.network, truth, port=9000 + len(self.verdicts), **self.options)
        self.stack.callback(process.kill)
        self.verdicts[kind.name] = Verdict()
        self.running[kind.name] = process

    def wait(self, name):
        """Until all of it has been made."""
        _out, errors = self.running[name].communicate(timeout=PATIENCE)
        code = self.running.pop(name).returncode
        if code == NOT_HERE:
            self.verdicts[name].trouble = errors.strip()
        else:
            tap.equal((code, errors), (0, ""), f"the generator of {name}")

    def make(self, *kinds):
        """Makes these, at the same time."""
        for kind in kinds:
            self.start(kind)
        for kind in kinds:
            self.wait(kind.name)

    def end(self):
        """Judges; returns the verdicts by kind."""
        # Entries live a second longer than their flows, or until the kernel looks at them, and their end takes a
        # tick or two to be told.
        tap.wait_for(has_forgotten, "the end of all TCP entries of conntrack", seconds=30, pause=0.5)
        time.sleep(4)
        flows, self.complaints = self.stream.end()
        counted = self.counter.end()
        known = set()
        for name, verdict in self.verdicts.items():
            for line in (self.folder / name).read_text().splitlines():
                truth = json.loads(line)
                tap.check(key_of(truth) not in known, lambda truth=truth: f"made twice: {truth}")
                known.add(key_of(truth))
                judge(verdict, truth, rows_of(truth, flows), counted)
        return self.verdicts


@contextlib.contextmanager
def run(network, **options):
    """A run for the length of a block; OPTIONS go to every kind."""
    with contextlib.ExitStack() as stack:
        yield Run(network, stack, **options)
