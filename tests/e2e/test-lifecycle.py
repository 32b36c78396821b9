#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when a part dies, freezes, or is left alone."""
import contextlib
import os
import pathlib
import signal
import time

import stage
import processes
import tap
from application import BUTTONS, FULL, LIMITED, SILENT
from traffic import tcp

STAGE = stage.build()
STAGE.polkit.decide("yes")
STAGE.traffic.talk("tester", "web-browser", tcp("198.51.100.7", 443, (1_000, 500_000)))
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class Freezer:
    """A control group of our own in the machine's real tree; it never stays."""

    def __init__(self, pids):
        for stale in CGROUPS.glob("weir-tests-*"):
            # Left by a run that was killed; one in use by another run cannot be removed.
            with contextlib.suppress(OSError):
                stale.rmdir()
        self._before = {pid: pathlib.Path(f"/proc/{pid}/cgroup").read_text().split("::")[-1].strip() for pid in pids}
        self._group = CGROUPS / f"weir-tests-{os.urandom(4).hex()}"
        self._group.mkdir()

    def __enter__(self):
        for pid in self._before:
            (self._group / "cgroup.procs").write_text(str(pid))
        return self

    def __exit__(self, *_):
        self.thaw()
        for pid, group in self._before.items():
            # It may have ended in between.
            with contextlib.suppress(OSError):
                (CGROUPS / group.lstrip("/") / "cgroup.procs").write_text(str(pid))
        self._remove(self._group)

    def freeze(self):
        """Stops every process of the group, as its user may from outside."""
        (self._group / "cgroup.freeze").write_text("1")
        tap.wait_for(lambda: "frozen 1" in (self._group / "cgroup.events").read_text(), "the frost")

    def thaw(self):
        """Lets them go on."""
        (self._group / "cgroup.freeze").write_text("0")

    @staticmethod
    def _remove(group):
        def removed():
            try:
                group.rmdir()
            except FileNotFoundError:
                return True
            except OSError:
                return False
            return True
        tap.wait_for(removed, f"{group} to be empty")


def full_view():
    """A fresh Weir in the full view and its three processes."""
    application = STAGE.start()
    application.wait_view(LIMITED)
    return application, application.unlock_and_wait()


def all_gone(seconds=1):
    """Waits until no engine is left."""
    tap.wait_for(lambda: not processes.engines(), lambda: f"the end of {processes.engines()}", seconds)


@tap.case("where nothing is forwarded, no process of the full view has any right after some seconds")
def _():
    full_view()
    tester = STAGE.tester.pw_uid
    tap.wait_for(lambda: (pids := processes.elevated(tester)) and len(pids) == 4
                 and not any(any(processes.capabilities(pid).values()) for pid in pids),
                 "four processes without any capability", seconds=45)


@tap.case("the engine is killed in the full view: it is said, and one press measures again")
def _():
    application, parts = full_view()
    os.kill(parts["meter"], signal.SIGKILL)
    application.wait_text("Measuring Stopped")
    application.wait_text("ended by signal 9")
    all_gone()
    application.widget.wait(BUTTONS, "Restart").press()
    application.wait_view(LIMITED)
    application.wait_row("198.51.100.7")
    tap.check(application.limited_engine(), "a new engine")


@tap.case("the engine is killed in the limited view: the same")
def _():
    application = STAGE.start()
    application.wait_row("198.51.100.7")
    os.kill(application.limited_engine(), signal.SIGKILL)
    application.wait_text("Measuring Stopped")
    application.widget.wait(BUTTONS, "Restart").press()
    application.wait_row("198.51.100.7")
    application.unlock_and_wait()


@tap.case("the window is killed: every process of the engine is gone within a second")
def _():
    application, _parts = full_view()
    os.kill(application.pid, signal.SIGKILL)
    application.process.wait()
    all_gone(1)
    STAGE.application = None


@tap.case("the window is closed: the same, and nothing stays in the runtime folder")
def _():
    application, _parts = full_view()
    runtime = pathlib.Path(f"/run/user/{STAGE.tester.pw_uid}/weir")
    STAGE.screen.focus(application.window)
    STAGE.screen.keys("ctrl+w")
    tap.equal(application.process.wait(5), 0, "exit code")
    all_gone(1)
    tap.equal([entry.name for entry in runtime.glob("handoff-*") if (entry / "nonce").exists()], [], "nonces")
    STAGE.application = None


@tap.case("a nonce and a socket are gone as soon as they were used")
def _():
    application, _parts = full_view()
    runtime = pathlib.Path(f"/run/user/{STAGE.tester.pw_uid}/weir")
    tap.equal([str(entry) for entry in runtime.rglob("*") if entry.name in ("nonce", "socket")], [], "left-overs")
    tap.equal(application.view(), FULL, "view")


@tap.case("the engine is frozen from outside: not answering is a state, and it recovers by itself")
def _():
    application, parts = full_view()
    with Freezer(parts.values()) as freezer:
        freezer.freeze()
        started = time.monotonic()
        application.wait_view(SILENT, 20)
        tap.diagnose(f"seen after {time.monotonic() - started:.1f} s")
        freezer.thaw()
        application.wait_view(FULL)
        application.wait_row("198.51.100.7")
        tap.equal(application.full_engine(), parts, "the same processes")


@tap.case("the engine stays frozen: restarting measures again in the limited view")
def _():
    application, parts = full_view()
    with Freezer(parts.values()) as freezer:
        freezer.freeze()
        application.wait_view(SILENT, 20)
        application.open_view_popover().press()
        application.wait_view(LIMITED)
        application.wait_row("198.51.100.7")
    tap.wait_for(lambda: not processes.elevated(STAGE.tester.pw_uid),
                 lambda: f"the end of the frozen engine {parts}, of {processes.engines()}", 5)
    STAGE.stop()


STAGE.run()
