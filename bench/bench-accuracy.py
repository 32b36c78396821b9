#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of what happens is told, and how truly: one row for each kind of traffic; nothing is asserted.

    bench-accuracy.py [KIND]... [--short] [--json]      default: every kind

In a network of its own, as root (full view), accounting on, a reading a second; once with the source
`bpf` and once with `bpf = no` in engine.conf, side by side.  --short makes less of everything, and a
drip of 10 s instead of 60 s.
"""
import argparse
import contextlib
import json
import pathlib
import sys
import tempfile
import time

tests = pathlib.Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(tests / "integration"), str(tests / "e2e")]

# pylint: disable=wrong-import-position
import tap  # noqa: E402
import weirbench  # noqa: E402
import weirchurn  # noqa: E402
import weirtraffic as wt  # noqa: E402
import weirtruth  # noqa: E402
from weirtruth import Kind  # noqa: E402

# Longer than two readings.
PAUSE = 2.5
CGROUPS = "/sys/fs/cgroup"
# Longer than two readings, so that what is judged is the way and not the length of its life.
STAY = {"life_ms": 2500}
STREAM = STAY | {"up": 200000, "down": 50000}
DATAGRAMS = STAY | {"up": 500, "down": 300}


def kinds(short):
    """(first and meanwhile, one after the other, all at once)."""
    live = {"count": 100, "seconds": 1} if short else {"count": 400, "seconds": 4}
    return ([Kind("drip", "drip", seconds=10 if short else 60, up=16, down=16)],
            [Kind("live 1 ms", "live", life_ms=1, **live),
             Kind("live 10 ms", "live", life_ms=10, **live),
             Kind("live 200 ms", "live", life_ms=200, **live),
             # 60 of each worker: 12 000.
             Kind("200 workers", "churn", count=200, each=15 if short else 60, seconds=5 if short else 20, life_ms=100),
             Kind("30 bursts", "bursts", count=30, each=30, life_ms=100),
             Kind("small", "small", count=1000 if short else 5000)],
            [Kind("io_uring", "io-uring", **STREAM),
             Kind("sendfile", "sendfile", **STREAM),
             Kind("splice", "splice", **STREAM),
             Kind("sendmmsg", "mmsg", **DATAGRAMS),
             Kind("udp connected", "udp", **DATAGRAMS),
             Kind("udp 500 peers", "peers", count=1, each=500, **DATAGRAMS),
             Kind("ipv6", "ipv6", **STAY, up=1000, down=1000),
             Kind("dual-stack", "dual-stack", **STAY, up=1000, down=1000),
             Kind("loopback", "loopback", **STAY, up=1000, down=1000),
             Kind("raw 253", "raw", **STAY, up=1000),
             Kind("icmp", "icmp", **STAY, up=1000),
             Kind("packet", "packet", **DATAGRAMS),
             Kind("passed", "passed", **STREAM),
             Kind("inherited", "inherited", **STREAM),
             Kind("container", "container", **STREAM)])


def chosen(groups, words):
    """Those of all groups that were named; every word must name one."""
    names = [kind.name for group in groups for kind in group]
    for word in words:
        if word not in names:
            sys.exit(f"bench-accuracy: there is no kind {word!r}; choose from: {', '.join(map(repr, names))}")
    return [[kind for kind in group if not words or kind.name in words] for group in groups]


def measure(network, groups, **options):
    """The verdicts on all of it."""
    first, others, together = groups
    with weirtruth.run(network, **options) as run:
        for kind in first:
            run.start(kind)
        for kind in others:
            run.make(kind)
            # No more rows are told at a time than there may be: one kind would take them from the next.
            time.sleep(PAUSE)
        run.make(*together)
        for kind in first:
            run.wait(kind.name)
        verdicts = run.end()
    # As they are listed, not as they were begun.
    return {kind.name: verdicts[kind.name] for kind in (*others, *together, *first)}, run.complaints


@contextlib.contextmanager
def control_group():
    """The folder of one of our own for the length of a block; "" where none can be made."""
    try:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="weir-accuracy-", dir=CGROUPS))
    except OSError:
        yield ""
        return
    try:
        yield folder
    finally:
        tap.wait_for(lambda: not (folder / "cgroup.procs").read_text(), "an empty control group")
        folder.rmdir()


HALF = ("cover", "right", "miss", "wrong", "bytes", "worst", "inexact", "told", "median", "p99")
CELL = "{:>7}{:>7}{:>6}{:>6}{:>8}{:>8}{:>9}{:>8}{:>8}{:>8}"


def per_cent(value):
    """With as many digits as say something."""
    return "—" if value is None else f"{value:.2f}%" if value < 99.95 else f"{value:.0f}%"


def half(verdict):
    """The cells of one kind in one of the two runs."""
    if verdict.trouble:
        return CELL.format(*["—"] * len(HALF))
    flows = verdict.flows
    delay, told = (weirtruth.spread(values) or ("—", "—") for values in (verdict.delays, verdict.told))
    times = [value if value == "—" else f"{value:.0f}" for value in (told[0], *delay)]
    return CELL.format(per_cent(verdict.coverage()), flows["right"], flows["missing"], flows["wrong"],
                       per_cent(verdict.byte_error()), per_cent(verdict.worst), flows["inexact"], *times)


def remarks(name, column, verdict):
    """What does not fit into a row."""
    if verdict.trouble:
        yield f"{name}: {verdict.trouble}"
    if set(verdict.named) - {"user"}:
        yield f"{name}, {column}: named " + ", ".join(f"the {who} {n}" for who, n in sorted(verdict.named.items()))
    if verdict.nowhere:
        yield f"{name}, {column}: {verdict.nowhere} flows in a network namespace that could not be told"
    if verdict.unstarted:
        yield f"{name}, {column}: {verdict.unstarted} owners without a start time, which had ended before it could be read"
    if verdict.reasons:
        yield f"{name}, {column}: no owner because " + ", ".join(f"{why} {n}" for why, n in sorted(verdict.reasons.items()))
    if verdict.flows["unmeasured"]:
        yield f"{name}, {column}: {verdict.flows['unmeasured']} flows without a figure for their bytes"


def print_table(heading, columns, results):
    """For people."""
    print(heading)
    width = len(CELL.format(*HALF))
    print(f"{'':15}{'':>6}" + "".join(f" |{column:^{width}}" for column in columns))
    print(f"{'':15}{'flows':>6}" + f" |{CELL.format(*HALF)}" * len(columns))
    for name in results[0]:
        verdicts = [result[name] for result in results]
        print(f"{name:15}{max(v.flows['made'] for v in verdicts):6}" + "".join(f" |{half(v)}" for v in verdicts))
    print("cover: flows that have a row.  right, miss, wrong: owners.  bytes: difference of all flows from what passed the interfaces\n"
          "(from the payload where sockdiag counts), worst: of one flow.  inexact: flows with any such difference.\n"
          "told: median of ms from first_seen until the engine told of it; median, p99: from connect to the line of weir-cli.")
    for name in results[0]:
        for column, result in zip(columns, results):
            for remark in remarks(name, column, result[name]):
                print(f"- {remark}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench accuracy")
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    groups = chosen(kinds(arguments.short), arguments.kinds)
    began = time.monotonic()
    results, states, complaints = [], [], []
    with contextlib.ExitStack() as stack:
        network = weirchurn.make_network()
        stack.callback(network.close)
        options = {"mac": weirtruth.add_peers(network)}
        options["cgroup"] = stack.enter_context(control_group())
        for wanted in (True, False):
            # In the disposable root the engine is in a pid namespace of its own, and those of containers have no
            # numbers there: what it may look at tells who they are.
            wt.configure(keep_capabilities=True, bpf=wanted)
            states.append(weirbench.bpf_state())
            verdicts, said = measure(network, groups, **options)
            results.append(verdicts)
            complaints.append(said)
    columns = ["with bpf" if states[0][0] else "as it is", "bpf = no"]
    heading = f"{time.monotonic() - began:.0f} s; source bpf: " + (
        "active on the left, switched off on the right" if states[0][0] and not states[1][0] else
        f"NOT ACTIVE (state {states[0][1]}, reason {states[0][2]}): both halves are the engine without it"
        if not states[0][0] else "STILL ACTIVE on the right, although it was switched off")
    if arguments.json:
        print(json.dumps({"heading": heading, "bpf_active": [state[0] for state in states], "complaints": complaints,
                          "results": {column: {name: verdict.summary() for name, verdict in result.items()}
                                      for column, result in zip(columns, results)}}, indent=1))
    else:
        print_table(heading, columns, results)
        for column, said in zip(columns, complaints):
            for line in said.splitlines():
                print(f"- weir-cli, {column}: {line}")


main()
