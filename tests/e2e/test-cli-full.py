#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""weir-cli asks for the full view: real polkit, with and without somebody who could give a password."""
import json
import signal
import subprocess

import stage
import processes
import tap
from machine import TESTER
from traffic import tcp, udp

STAGE = stage.build(display=False)
MACHINE = STAGE.machine
CLI = "/usr/bin/weir-cli"
NOT_FULL = 3

STAGE.traffic.talk("tester", "web-browser", tcp("198.51.100.7", 443, (1_000, 500_000)))
STAGE.traffic.talk("other", "others-mail", tcp("198.51.100.25", 993, (700, 90_000)),
                   udp("198.51.100.99", 51820, (1_100, 1_150)))


def gone():
    """Waits until no engine is left."""
    tap.wait_for(lambda: not processes.engines(), lambda: f"the end of {processes.engines()}", 3)


def stream(*arguments):
    """The lines of a short stream, by remote address."""
    done = MACHINE.run([CLI, "stream", "--duration", "1", "--interval", "250ms", *arguments], user=TESTER, seconds=40)
    tap.equal((done.returncode, done.stderr), (0, ""), "end of the stream")
    return {line["remote_address"]: line for line in map(json.loads, done.stdout.splitlines())}


@tap.case("the limited view names the owners of one's own connections, and says why others have none")
def _():
    STAGE.polkit.decide("no")
    found = stream()
    tap.equal((found["198.51.100.7"]["process"], found["198.51.100.7"]["user"]), ("web-browser", "tester"), "own")
    tap.equal((found["198.51.100.25"]["process"], found["198.51.100.25"]["owner_missing"]), (None, "other-user"),
              "of somebody else")
    gone()


@tap.case("authorised, it shows what belongs to everybody, and no line of the limited view before")
def _():
    STAGE.polkit.decide("yes")
    found = stream("--full")
    tap.equal((found["198.51.100.25"]["process"], found["198.51.100.25"]["user"]), ("others-mail", "other"), "owner")
    # Kernel programs have the better figures from the next packet on.
    tap.check(found["198.51.100.99"]["bytes_source"] in ("conntrack", "bpf"), f"source of UDP: {found['198.51.100.99']}")
    gone()


@tap.case("interrupted, it leaves no engine of root's behind")
def _():
    STAGE.polkit.decide("yes")
    process = MACHINE.spawn([CLI, "stream", "--full"], user=TESTER, stdout=subprocess.PIPE)
    process.stdout.readline()
    tap.check(processes.elevated(STAGE.tester.pw_uid), "no elevated engine")
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    tap.equal(process.wait(5), 0, "exit code")
    gone()


@tap.case("not allowed, or nobody to ask: nothing is printed, the reason is said, and the exit code tells")
def _():
    for verdict, words in (("no", "not allowed"), ("ask", "can ask for a password")):
        STAGE.polkit.decide(verdict)
        for command in ("stream", "apps", "sources"):
            done = MACHINE.run([CLI, command, "--full"], user=TESTER, seconds=40)
            tap.equal((done.returncode, done.stdout), (NOT_FULL, ""), f"{command}, {verdict}: {done.stderr}")
            tap.check(words in done.stderr, done.stderr)
        gone()


STAGE.run()
