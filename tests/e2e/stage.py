# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that an end-to-end test stands on, brought up in one call.

Import this before anything that makes threads: it moves the program into namespaces of its own.
"""
import os
import pathlib
import pwd
import re
import subprocess

import namespaces

namespaces.isolate()

import machine as machines
import tap
from network import Network
from traffic import Traffic

# Pictures of what failed end up where a person (or a pipeline) finds them.
FAILURES = pathlib.Path(os.environ.get("MESON_BUILD_ROOT") or "/weir/build/root") / "e2e-failures"


class Stage:
    """The machine and its parts; `application` is the window that a case started last."""

    def __init__(self, display, network, accounting):
        self.machine = machines.Machine()
        self.machine.start(display)
        self.polkit = self.machine.polkit
        self.tester = pwd.getpwnam(machines.TESTER)
        self.other = pwd.getpwnam(machines.OTHER)
        self.application = None
        self.screen = None
        if network:
            self.network = Network(self.machine)
            self.network.start(accounting)
            self.traffic = Traffic(self.machine, self.network)
            self.traffic.start()
        if display:
            from screen import Screen
            self.screen = Screen(self.machine)
        tap.on_failure(self._diagnose)

    @staticmethod
    def configure(text):
        """Has the engines of this program, and nobody else's, find these settings of an administrator."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "none", "/etc/weir"], check=True)
        pathlib.Path("/etc/weir/engine.conf").write_text(text)

    def start(self, **options):
        """Starts Weir, after ending one that may still run."""
        from application import Application
        self.stop()
        self.application = Application(self.machine, self.screen, **options)
        return self.application

    def stop(self):
        """Ends Weir; nothing of it may complain or stay."""
        if not self.application:
            return
        application, self.application = self.application, None
        application.stop()
        complaints = application.complaints()
        tap.check(not complaints, lambda: f"the application complained: {complaints[:4]}")

    def _diagnose(self, case):
        lines = []
        if self.application:
            lines += ["--- on the screen", self.application.tree(),
                      "--- the application's last words", "\n".join(self.application.log().splitlines()[-40:])]
            FAILURES.mkdir(parents=True, exist_ok=True)
            picture = FAILURES / (re.sub(r"\W+", "-", case)[:60] + ".png")
            self.screen.picture(picture)
            lines.append(f"--- a picture: {picture}")
            # The next case starts afresh.
            self.application.stop()
            self.application = None
        return "\n".join(lines)

    def run(self):
        """Runs the program's cases and ends everything."""
        tap.run(self.machine.stop)


def build(display=True, network=True, accounting=True):
    """Brings everything up."""
    return Stage(display, network, accounting)
