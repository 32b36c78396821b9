#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The elevated engine and a caller that means harm: real pkexec, a rule that says yes.

Whoever may authorise may start the engine with any directory and anything that a process inherits.
None of it may make root open what the caller could not, or leave the engine unable to end.
"""
import os
import pathlib
import subprocess
import sys

import stage
import processes
import tap
from handoff import Front
from machine import TESTER

PRELOAD = os.path.abspath(sys.argv.pop(1))
STAGE = stage.build(display=False)
MACHINE = STAGE.machine
STAGE.polkit.decide("yes")
tap.after_each(Front.stop_all)
RUNTIME = MACHINE.environment(TESTER)["XDG_RUNTIME_DIR"]


def full_engine():
    """The three processes of the one engine that runs."""
    return tap.wait_for(lambda: (found := processes.full_engine(STAGE.tester.pw_uid)).keys() == processes.ROLES.keys()
                        and found, "meter, keeper and looker")


def gone():
    """Waits until no engine is left."""
    tap.wait_for(lambda: not processes.engines(), lambda: f"the end of {processes.engines()}", 3)


def root_process(folder, root=None):
    """A process of root whose working directory (and root directory) the tester chose."""
    command = ["sleep", "60"]
    if root:
        # A root that holds nothing: an own mount of what the machine has there.
        command = ["unshare", "--mount", "sh", "-c", f"mount --rbind / {root} && cd {root} && exec chroot . sleep 60"]
    os.chdir(folder)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    os.chdir("/")
    tap.wait_for(lambda: "sleep" in pathlib.Path(f"/proc/{process.pid}/comm").read_text(), "the root process")
    return process


@tap.case("an honest handoff: uid 0, the pid that was spawned, the nonce; then ticks; the closed socket ends it")
def _():
    front = Front(MACHINE)
    spawned = front.wait("spawned")["pid"]
    connected = front.wait("connected")
    tap.equal((connected["uid"], connected["pid"], connected["is_child"]), (0, spawned, True), "the peer")
    hello = front.wait("hello")
    tap.equal((hello["nonce"], hello["view"]), (True, 1), "nonce and view")
    front.wait("tick", 5, 2)
    full_engine()
    tap.equal(front.stop(), 0, "exit code")
    gone()


@tap.case("a path through the working directory of a root process is refused")
def _():
    front = Front(MACHINE, hold=True)
    trap = root_process(front.directory)
    try:
        front.tell(f"/proc/{trap.pid}/cwd")
        front.refused()
    finally:
        trap.kill()
        trap.wait()


@tap.case("a path through a root process's working directory below a folder that the caller cannot enter is refused")
def _():
    vault = pathlib.Path("/root/vault")
    vault.mkdir(mode=0o700, exist_ok=True)
    inside = vault / "runtime"
    inside.mkdir(exist_ok=True)
    os.chown(inside, STAGE.tester.pw_uid, STAGE.tester.pw_gid)
    front = Front(MACHINE, hold=True)
    held = pathlib.Path(front.directory)
    # What the engine would find there is all as it should be.
    subprocess.run(["mount", "--bind", held, inside], check=True)
    trap = root_process(vault)
    try:
        front.tell(f"/proc/{trap.pid}/cwd/runtime")
        front.refused()
    finally:
        trap.kill()
        trap.wait()
        subprocess.run(["umount", inside], check=True)


@tap.case("a path through the root directory of a root process is refused")
def _():
    other_root = pathlib.Path("/mnt/other-root")
    other_root.mkdir(parents=True, exist_ok=True)
    front = Front(MACHINE, hold=True)
    trap = root_process("/", other_root)
    try:
        inside = pathlib.Path(f"/proc/{trap.pid}/root{front.directory}")
        front.tell(str(inside))
        front.refused()
    finally:
        trap.kill()
        trap.wait()


@tap.case("a symbolic link at the end of the path, or in it, is refused")
def _():
    for way in ("end", "middle"):
        front = Front(MACHINE, hold=True)
        link = pathlib.Path(RUNTIME) / f"link-{way}"
        if way == "end":
            link.symlink_to(front.directory)
            path = link
        else:
            link.symlink_to(pathlib.Path(RUNTIME) / "weir")
            path = link / pathlib.Path(front.directory).name
        tap.check(path.resolve() == pathlib.Path(front.directory), "the link leads there")
        front.tell(str(path))
        front.refused()
        link.unlink()


@tap.case("another person's directory is refused")
def _():
    front = Front(MACHINE, user="other", hold=True, runtime=f"/run/user/{STAGE.other.pw_uid}")
    thief = Front(MACHINE, path=front.directory)
    thief.refused()
    front.stop()


@tap.case("a directory that others may enter, a nonce that others may read or that is no plain file: refused")
def _():
    def open_directory(directory):
        directory.chmod(0o755)

    def readable_nonce(directory):
        (directory / "nonce").chmod(0o644)

    def nonce_of_root(directory):
        (directory / "nonce").unlink()
        (directory / "nonce").symlink_to("/etc/shadow")

    def second_name(directory):
        os.link(directory / "nonce", directory / "again")

    def pipe(directory):
        (directory / "nonce").unlink()
        os.mkfifo(directory / "nonce", 0o600)
        os.chown(directory / "nonce", STAGE.tester.pw_uid, STAGE.tester.pw_gid)

    def too_long(directory):
        with open(directory / "nonce", "ab") as nonce:
            nonce.write(b"0")
    for spoil in (open_directory, readable_nonce, nonce_of_root, second_name, pipe, too_long):
        front = Front(MACHINE, hold=True)
        spoil(pathlib.Path(front.directory))
        front.tell(front.directory)
        try:
            front.refused()
        except AssertionError as error:
            raise AssertionError(f"{spoil.__name__}: {error}") from error


@tap.case("ignored signals, a pending alarm, umask, nice and tiny limits of the caller do not reach the engine")
def _():
    front = Front(MACHINE, ignore=["SIGTERM", "SIGPIPE", "SIGHUP", "SIGINT", "SIGCHLD", "SIGALRM"], umask=0, nice=10)
    front.wait("hello")
    for role, pid in full_engine().items():
        state = processes.status(pid)
        ignored = int(state["SigIgn"], 16)
        tap.equal(ignored & ~(1 << 12), 0, f"ignored signals of the {role} (but for SIGPIPE)")
        tap.equal(int(state["SigBlk"], 16) & 0x7fffffff & ~0x4000, 0, f"blocked signals of the {role}")
        tap.equal(state["Umask"], "0077", f"umask of the {role}")
    tap.equal(front.stop(), 0, "exit code")
    gone()

    front = Front(MACHINE, timer=2.5)
    front.wait("hello")
    front.wait("tick", 8, 5)
    tap.equal(front.events("ended"), [], "the engine outlives the alarm")
    tap.equal(front.stop(), 0, "exit code")

    front = Front(MACHINE, limits={"FSIZE": 0, "CORE": 0, "STACK": 1 << 20, "NPROC": 64})
    front.wait("hello")
    front.wait("tick", 8, 2)
    tap.equal(front.stop(), 0, "exit code")
    gone()


@tap.case("few descriptors and little memory: the engine works, or refuses, and nothing of it is left")
def _():
    for limits in ({"NOFILE": 64}, {"AS": 1 << 30}):
        front = Front(MACHINE, limits=limits)
        front.wait("tick")
        tap.equal(front.stop(), 0, f"exit code under {limits}")
        gone()
    front = Front(MACHINE, limits={"NOFILE": 16})
    tap.wait_for(lambda: front.events("tick") or front.events("ended"), "an answer")
    front.stop()
    gone()


@tap.case("code and bus addresses in the caller's environment do not reach the engine")
def _():
    marks = pathlib.Path("/tmp/preloaded")
    marks.touch()
    marks.chmod(0o666)
    hostile = {
        "LD_PRELOAD": PRELOAD, "LD_LIBRARY_PATH": "/tmp", "LD_AUDIT": PRELOAD,
        "GLIBC_TUNABLES": "glibc.malloc.check=3", "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/tmp/hostile-bus",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/tmp/hostile-bus", "GIO_EXTRA_MODULES": "/tmp",
        "NLSYSCONFDIR": "/tmp", "LOCPATH": "/tmp", "TMPDIR": "/tmp", "WEIR_ENGINE": "/tmp/engine",
    }
    # The library does work where it may: otherwise its silence would prove nothing.
    MACHINE.run(["/usr/bin/true"], user=TESTER, environment={"LD_PRELOAD": PRELOAD})
    tap.check("/true" in marks.read_text(), "the library is loaded into an ordinary program")
    marks.write_text("")
    front = Front(MACHINE, environment=hostile)
    front.wait("tick")
    for role, pid in full_engine().items():
        variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        tap.equal({name for name in hostile if any(entry.startswith(f"{name}=") for entry in variables)}, set(),
                  f"what reached the {role}")
        tap.check(PRELOAD not in pathlib.Path(f"/proc/{pid}/maps").read_text(), f"the library in the {role}")
    tap.equal(front.stop(), 0, "exit code")
    tap.equal([line for line in marks.read_text().splitlines() if "engine" in line or "pkexec" in line], [],
              "programs that loaded the library")
    gone()


@tap.case("a front end that is killed takes its engine with it within a second")
def _():
    front = Front(MACHINE)
    front.wait("tick")
    full_engine()
    front.process.kill()
    front.process.wait()
    tap.wait_for(lambda: not processes.engines(), lambda: f"the end of {processes.engines()}", 1)


@tap.case("standard output and error of the caller get nothing from the elevated engine")
def _():
    front = Front(MACHINE)
    front.wait("tick")
    for role, pid in full_engine().items():
        found = processes.descriptors(pid)
        tap.equal([found[number] for number in (0, 1, 2)], ["/dev/null"] * 3, f"standard streams of the {role}")
    front.stop()
    gone()


STAGE.run()
