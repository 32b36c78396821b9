#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The elevated engine goes nowhere where its caller could not go, and takes only what a listener makes."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest


def refused(handoff, path=None, what="", **options):
    """The engine ends with the code of a refused handoff, and did not connect."""
    with weirtest.engine(handoff, argv=[weirtest.ENGINE, "--handoff", str(path or handoff.path)],
                         **options) as engine:
        tap.equal(engine.exit_code(), weirtest.EXIT_HANDOFF, f"exit code {what}")
        tap.check(handoff.accept(0) is None, f"it connected {what}")


@contextlib.contextmanager
def process(**options):
    """A process that does nothing."""
    child = subprocess.Popen(["sleep", "60"], **options)
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


@contextlib.contextmanager
def secret(mode):
    """A directory of root's own."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="secret-", dir="/run"))
    path.chmod(mode)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@tap.case("symbolic links on the way are refused")
def symlinks():
    with weirtest.handoff() as handoff:
        link = handoff.base / "link"
        link.symlink_to(handoff.path)
        refused(handoff, link, "as the last part")
        refused(handoff, f"{link}/.", "as the last part, with a dot")
        link.unlink()
        link.symlink_to(handoff.base)
        refused(handoff, link / "handoff", "as an earlier part")


@tap.case("nothing below /proc/PID/cwd or /proc/PID/root is reached")
def magic_links():
    with weirtest.handoff() as handoff, secret(0o700) as hidden:
        # What the user cannot reach: its own directory below one of root's, seen through a root process.
        moved = hidden / "handoff"
        shutil.move(handoff.path, moved)
        with process(cwd=hidden) as pid:
            refused(handoff, f"/proc/{pid}/cwd/handoff", "below cwd of root's")
            refused(handoff, f"/proc/{pid}/root{moved}", "below root of root's")
            refused(handoff, f"/proc/{pid}/task/{pid}/cwd/handoff", "below cwd of a thread of root's")
        shutil.move(moved, handoff.path)
        # And what it could reach is refused as well: a real path has no such part.
        with process(cwd=handoff.base, user=weirtest.USER, group=weirtest.USER, extra_groups=[]) as pid:
            refused(handoff, f"/proc/{pid}/cwd/handoff", "below cwd of the user's own")
            refused(handoff, f"/proc/{pid}/root{handoff.path}", "below root of the user's own")
        with weirtest.engine(handoff) as engine:
            engine.serve()


@tap.case("directories that only root may pass are not passed")
def root_only():
    for mode in (0o700, 0o710, 0o750):
        with weirtest.handoff() as handoff, secret(mode) as hidden:
            moved = shutil.move(handoff.path, hidden / "handoff")
            # With the groups of a root that logged in.
            refused(handoff, moved, f"below {mode:o} root:root", prepare=lambda: os.setgroups([0, 4]))
            shutil.move(moved, handoff.path)


@tap.case("the directory must be the caller's own and closed to all others")
def directory():
    with weirtest.handoff() as handoff:
        for mode in (0o755, 0o770, 0o701, 0o500, 0o1700, 0o2700, 0o4700):
            handoff.path.chmod(mode)
            refused(handoff, what=f"mode {mode:o}")
        handoff.path.chmod(0o700)
        refused(handoff, what="for another uid", uid=weirtest.OTHER)
        refused(handoff, what="for root", environment={"PKEXEC_UID": "0"})
        os.chown(handoff.path, 0, 0)
        refused(handoff, what="owned by root")
        os.chown(handoff.path, weirtest.USER, weirtest.USER)
        refused(handoff, handoff.path / "nonce", "a file")
        refused(handoff, handoff.base / "nothing", "not there")
        with weirtest.engine(handoff) as engine:
            engine.serve()


@tap.case("a nonce that a listener would not make is refused")
def nonce():
    with weirtest.handoff() as handoff:
        path = handoff.path / "nonce"
        good = path.read_bytes()

        def attempt(what, mode=None):
            os.chown(path, weirtest.USER, weirtest.USER, follow_symlinks=False)
            if mode is not None:  # changing the owner takes set-user-id away
                path.chmod(mode)
            refused(handoff, what=what)
            path.unlink()

        def write(content):
            path.write_bytes(content)
            path.chmod(0o600)

        path.unlink()
        refused(handoff, what="missing")
        os.mkfifo(path, 0o600)
        attempt("a FIFO")
        path.symlink_to(handoff.base / "elsewhere")
        (handoff.base / "elsewhere").write_bytes(good)
        os.chown(handoff.base / "elsewhere", weirtest.USER, weirtest.USER)
        attempt("a symbolic link")
        write(good)
        os.link(path, handoff.base / "second")
        attempt("with a second link")
        for content in (b"", good[:-1], good + b"\n", good * 2, good.upper() if good.upper() != good else b"A" * 64,
                        b"g" * 64, b"\0" * 64):
            write(content)
            attempt(f"{len(content)} bytes {content[:4]}")
        for mode in (0o644, 0o640, 0o400, 0o700, 0o4600):
            write(good)
            attempt(f"mode {mode:o}", mode)
        write(good)
        os.chown(path, 0, 0)
        refused(handoff, what="owned by root")
        path.unlink()
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
            other.bind(str(path))
            attempt("a socket")
        write(good)
        os.chown(path, weirtest.USER, weirtest.USER)
        with weirtest.engine(handoff) as engine:
            engine.serve()


@tap.case("a socket that is not the caller's is refused")
def listening():
    with weirtest.handoff() as handoff:
        path = handoff.path / "socket"
        path.rename(handoff.base / "socket")
        refused(handoff, what="missing")
        path.symlink_to(handoff.base / "socket")
        refused(handoff, what="a symbolic link")
        path.unlink()
        path.write_bytes(b"")
        refused(handoff, what="a file")
        path.unlink()
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
            # The file is the caller's, who listens there is not.
            other.bind(str(path))
            other.listen(8)
            os.chown(path, weirtest.USER, weirtest.USER)
            refused(handoff, what="root listens")
            other.close()
            refused(handoff, what="nobody listens")


@tap.case("a listener with a full backlog does not hold the engine")
def backlog():
    with weirtest.handoff() as handoff:
        handoff.socket.listen(0)
        waiting = []
        with contextlib.suppress(BlockingIOError):
            for _ in range(8):
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(str(handoff.path / "socket"))
        with weirtest.engine(handoff) as engine:
            tap.equal(engine.exit_code(2), weirtest.EXIT_HANDOFF, "exit code")
        for connection in waiting:
            connection.close()


@tap.case("a path of almost 4096 bytes is served, although sun_path holds 108")
def long_path():
    with weirtest.handoff() as handoff:
        here = os.open(handoff.base, os.O_PATH)
        length = len(str(handoff.base)) + len("/handoff")
        path = str(handoff.base)
        while length + 201 < 4090:
            os.mkdir("d" * 200, 0o755, dir_fd=here)
            below = os.open("d" * 200, os.O_PATH, dir_fd=here)
            os.close(here)
            here, path, length = below, f"{path}/{'d' * 200}", length + 201
        os.rename(handoff.path, "handoff", dst_dir_fd=here)
        os.close(here)
        with weirtest.engine(handoff, argv=[weirtest.ENGINE, "--handoff", f"{path}/handoff"]) as engine:
            engine.serve()


tap.run()
