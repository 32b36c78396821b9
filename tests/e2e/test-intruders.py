#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others at the door while the authentication dialog is open, a runtime folder that is not ours alone, an
engine that somebody can change, and a window that was started in bad company.
"""
import json
import os
import pathlib
import resource
import secrets
import shutil
import signal
import socket
import struct
import sys
import threading

import stage
import processes
import tap
from application import FULL, LIMITED, UNLOCK, WAITING
from machine import OTHER, TESTER
from traffic import tcp

PRELOAD = os.path.abspath(sys.argv.pop(1))
STAGE = stage.build()
MACHINE = STAGE.machine
RUNTIME = pathlib.Path(f"/run/user/{STAGE.tester.pw_uid}")
INTRUDER = pathlib.Path(__file__).with_name("intruder.py")
# A peer that says nothing is dropped after this many seconds (WEIR_HELLO_DEADLINE_MS), and then some.
DEADLINE = 10 + 1.5
STAGE.traffic.talk("tester", "web-browser", tcp("198.51.100.7", 443, (1_000, 500_000)))


def intrude(directory, way, user=TESTER):
    """One attempt; what the intruder says about it."""
    answer = MACHINE.run([sys.executable, "-S", str(INTRUDER), str(directory), way], user=user)
    tap.check(answer.stdout, f"the intruder broke: {answer.stderr}")
    return json.loads(answer.stdout)


def pending():
    """Weir with the dialog open: the window, its agent, and the handoff directory that waits for an engine."""
    STAGE.polkit.decide("ask")
    application = STAGE.start()
    application.wait_view(LIMITED)
    application.wait_row("198.51.100.7")
    agent = STAGE.polkit.agent(application.pid, "wait")
    application.unlock()
    application.wait_view(WAITING)
    tap.wait_for(lambda: agent.events("asked"), "the question")
    waiting = [entry.parent for entry in (RUNTIME / "weir").glob("handoff-*/socket")]
    tap.equal(len(waiting), 1, "handoffs that wait")
    return application, agent, waiting[0]


@tap.case("the same person's process with a wrong nonce, with junk, or silent is dropped; the engine still gets in")
def _():
    application, agent, directory = pending()
    for way, soon in (("wrong", 1), ("junk", 1), ("right", 1), ("silent", DEADLINE)):
        result = intrude(directory, way)
        tap.check(result["connected"], f"{way}: the door was open: {result}")
        tap.equal(result["heard"], 0, f"bytes that the intruder ({way}) heard")
        tap.check(result["closed_after"] is not None and result["closed_after"] <= soon, f"{way}: {result}")
    tap.equal(application.view(), WAITING, "view")
    agent.tell("password")
    application.wait_view(FULL)
    tap.check(application.full_engine(), "the engine's three processes")
    agent.stop()


@tap.case("another person cannot reach the door")
def _():
    application, agent, directory = pending()
    for way in ("wrong", "silent"):
        result = intrude(directory, way, OTHER)
        tap.equal((result["connected"], result["error"]), (False, "Permission denied"), way)
    agent.tell("dismiss")
    application.wait_view(LIMITED)
    agent.stop()


@tap.case("another person who reaches the door after all, with the right nonce, is dropped")
def _():
    application, agent, directory = pending()
    opened = {place: place.stat().st_mode & 0o7777
              for place in (RUNTIME, RUNTIME / "weir", directory, directory / "socket", directory / "nonce")}
    for place in opened:
        place.chmod(0o777)
    result = intrude(directory, "right", OTHER)
    for place, mode in opened.items():
        place.chmod(mode)
    tap.check(result["connected"], f"the door was open: {result}")
    tap.equal(result["heard"], 0, "bytes that the intruder heard")
    tap.check(result["closed_after"] is not None and result["closed_after"] <= 1, f"dropped at once: {result}")
    agent.tell("password")
    application.wait_view(FULL)
    agent.stop()


@tap.case("the nonce file is replaced while the dialog is open: the engine is not believed and does not stay")
def _():
    application, agent, directory = pending()
    nonce = directory / "nonce"
    nonce.unlink()
    nonce.write_text(secrets.token_hex(32))
    nonce.chmod(0o600)
    os.chown(nonce, STAGE.tester.pw_uid, STAGE.tester.pw_gid)
    agent.tell("password")
    application.wait_text("Full View Not Available", 15)
    application.wait_view(LIMITED)
    tap.wait_for(lambda: not processes.elevated(STAGE.tester.pw_uid), "the end of the engine that was not believed", 5)
    agent.stop()


@tap.case("a runtime folder that is a link, belongs to others too, or is missing: said in words, never /tmp")
def _():
    link = pathlib.Path("/tmp/runtime-link")
    link.unlink(missing_ok=True)
    link.symlink_to(RUNTIME)
    shared = pathlib.Path("/tmp/runtime-shared")
    shared.mkdir(exist_ok=True)
    shutil.chown(shared, TESTER, TESTER)
    shared.chmod(0o755)
    for place, words in ((link, "not a folder"), (shared, "not private"), ("/tmp/runtime-none", "No such file"),
                         ("", "runtime folder")):
        application = STAGE.start(environment={"XDG_RUNTIME_DIR": str(place)})
        application.wait_text("Measuring Stopped")
        application.wait_text(words)
        tap.equal(processes.engines(), [], "engines")
        tap.equal(list(pathlib.Path("/tmp").glob("**/handoff-*")), [], "handoffs in /tmp")
    STAGE.stop()


@tap.case("weir's own folder in the runtime folder is a link: refused in words")
def _():
    place = RUNTIME / "weir"
    shutil.rmtree(place, ignore_errors=True)
    elsewhere = pathlib.Path("/tmp/elsewhere")
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    shutil.chown(elsewhere, TESTER, TESTER)
    place.symlink_to(elsewhere)
    try:
        application = STAGE.start()
        application.wait_text("Measuring Stopped")
        tap.equal(list(elsewhere.iterdir()), [], "what was made behind the link")
        STAGE.stop()
    finally:
        place.unlink()


@tap.case("an engine that the user can write is never elevated: the button is insensitive and says why")
def _():
    engine = pathlib.Path(processes.ENGINE)
    mode = engine.stat().st_mode & 0o7777
    STAGE.polkit.decide("yes")

    def spoil_mode():
        engine.chmod(mode | 0o002)

    def spoil_owner():
        os.chown(engine, STAGE.tester.pw_uid, 0)

    def spoil_folder():
        engine.parent.chmod(0o777)
    for spoil in (spoil_mode, spoil_owner, spoil_folder):
        folder_mode = engine.parent.stat().st_mode & 0o7777
        try:
            spoil()
            application = STAGE.start()
            application.wait_view(LIMITED)
            application.wait_row("198.51.100.7")
            button = application.open_view_popover()
            tap.equal((button.name, button.sensitive), (UNLOCK, False), f"the button after {spoil.__name__}")
            application.wait_text("not installed safely")
            STAGE.stop()
        finally:
            engine.parent.chmod(folder_mode)
            os.chown(engine, 0, 0)
            engine.chmod(mode)
    application = STAGE.start()
    application.wait_view(LIMITED)
    tap.check(application.open_view_popover().sensitive, "restored, the button works again")


class Listener(threading.Thread):
    """A bus that somebody else runs; remembers which programs came."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        os.chmod(path, 0o777)
        self._socket.listen(16)
        self.visitors = []

    def run(self):
        while True:
            stream, _ = self._socket.accept()
            pid = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            try:
                self.visitors.append(os.readlink(f"/proc/{pid}/exe"))
            except OSError:
                self.visitors.append(f"process {pid}, which has gone")
            stream.close()


def bad_company():
    """What the window inherits: ignored signals, an alarm to come, tiny limits, no file mode mask."""
    for name in ("SIGHUP", "SIGINT", "SIGPIPE", "SIGALRM", "SIGUSR1"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 8)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    os.umask(0)


@tap.case("a window started with LD_PRELOAD, a hostile bus, ignored signals, an alarm and tiny limits: none of it reaches root")
def _():
    STAGE.polkit.decide("yes")
    marks = pathlib.Path("/tmp/preloaded")
    marks.write_text("")
    marks.chmod(0o666)
    hostile = Listener("/tmp/hostile-bus")
    hostile.start()
    application = STAGE.start(prepare=bad_company, environment={
        "LD_PRELOAD": PRELOAD, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/tmp/hostile-bus",
        "GLIBC_TUNABLES": "glibc.malloc.check=3", "TMPDIR": "/tmp/elsewhere"})
    application.wait_view(LIMITED)
    parts = application.unlock_and_wait()
    tap.check(processes.PROGRAM in marks.read_text(), "the window itself has loaded the library")
    tap.wait_for(lambda: application.process.poll() is None and application.rows(), "rows")
    # Past the alarm, which would have ended an engine that had inherited it.
    threading.Event().wait(9)
    tap.equal(application.full_engine(), parts, "the engine lives on")
    elevated = {processes.ENGINE, "/usr/bin/pkexec"}
    tap.equal(elevated & set(hostile.visitors), set(), "elevated programs at the hostile bus")
    for role, pid in parts.items():
        tap.check(PRELOAD not in pathlib.Path(f"/proc/{pid}/maps").read_text(), f"the library in the {role}")
        tap.equal(int(processes.status(pid)["SigIgn"], 16) & ~(1 << 12), 0, f"ignored signals of the {role}")
        tap.equal(processes.status(pid)["Umask"], "0077", f"umask of the {role}")
    os.kill(application.pid, signal.SIGKILL)
    application.process.wait()
    STAGE.application = None
    tap.wait_for(lambda: not processes.engines(), "the end of the engine", 1)


STAGE.run()
