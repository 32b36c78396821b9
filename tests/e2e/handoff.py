# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the small front end (front.py) as somebody and reads what it reports."""
import json
import pathlib
import subprocess
import sys

import tap
from machine import LOGS, TESTER

FRONT = pathlib.Path(__file__).with_name("front.py")


class Front:
    """One handoff."""

    number = 0

    def __init__(self, machine, user=TESTER, **told):
        Front.number += 1
        self._machine = machine
        self._log = LOGS / f"front-{Front.number}.json"
        with open(self._log, "wb") as log:
            self.process = machine.spawn([sys.executable, "-S", str(FRONT)], user=user, stdout=log,
                                         log=f"front-{Front.number}", stdin=subprocess.PIPE)
        self.tell(json.dumps(told))
        self.directory = self.wait("ready")["directory"]

    def tell(self, line):
        """A line for the front end."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def events(self, kind=None):
        """What it reported so far."""
        lines = self._log.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if kind in (None, event["event"])]

    def wait(self, kind, seconds=10, number=1):
        """The NUMBER-th event of a kind."""
        return tap.wait_for(lambda: self.events(kind)[number - 1:],
                            lambda: f"event {number} of kind {kind!r} among {self.events()}", seconds)[0]

    def stop(self):
        """Closes the socket; returns how the engine ended."""
        self.process.stdin.close()
        self.process.wait(10)
        ended = self.events("ended")
        return ended[0]["code"] if ended else None

    def refused(self):
        """How the engine ended when it was to refuse: it may neither connect nor go on running."""
        code = self.wait("ended")["code"]
        tap.equal(self.events("connected"), [], "connections of the refused engine")
        tap.check(code not in (0, 126, 127), f"the engine refused with exit code {code}")
        return code
