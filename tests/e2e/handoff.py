# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the small front end (front.py) as somebody and reads what it reports."""
import json
import pathlib
import subprocess
import sys

import tap
from machine import LOGS, TESTER

# WEIR_EXIT_HANDOFF of weir-wire.h: the directory, its nonce or its socket were refused.
EXIT_HANDOFF = 65
FRONT = pathlib.Path(__file__).with_name("front.py")


class Front:
    """One handoff."""

    number = 0
    running = []

    def __init__(self, machine, user=TESTER, **told):
        Front.number += 1
        self._machine = machine
        self._log = LOGS / f"front-{Front.number}.json"
        with open(self._log, "wb") as log:
            self.process = machine.spawn([sys.executable, "-S", str(FRONT)], user=user, stdout=log,
                                         log=f"front-{Front.number}", stdin=subprocess.PIPE)
        Front.running.append(self)
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
        Front.running.remove(self)
        self.process.stdin.close()
        self.process.wait(10)
        ended = self.events("ended")
        return ended[0]["code"] if ended else None

    def refused(self):
        """Checks that the engine refused the directory and never connected."""
        tap.wait_for(lambda: self.events("ended") or self.events("connected"), lambda: f"an end: {self.events()}")
        tap.equal(self.events("connected"), [], "connections of the refused engine")
        tap.equal(self.wait("ended")["code"], EXIT_HANDOFF, "exit code of the refusing engine")
        self.stop()

    @classmethod
    def stop_all(cls):
        """Ends what a failed case left."""
        for front in cls.running:
            front.process.kill()
        cls.running.clear()
