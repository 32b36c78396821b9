#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""engine.conf with the installed engine: what is in force, what is refused, and what is said about it."""
import contextlib
import ctypes
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

FOLDER = pathlib.Path("/etc/weir")
FILE = FOLDER / "engine.conf"
INSTALLED = FILE.read_bytes()
UNSAFE, NOT_A_FILE, TOO_LARGE, UNREADABLE, SYNTAX, UNKNOWN_SECTION, UNKNOWN_KEY, BAD_VALUE = range(1, 9)
BY_CONFIG = 12
SOCKDIAG, CONNTRACK, _BPF, INTERFACES, OWNERS = range(5)
STRICT_ERROR = 6


def as_installed():
    """Each case begins with the file and the folder as they were installed."""
    if FILE.is_symlink() or FILE.is_fifo():
        FILE.unlink()
    FOLDER.mkdir(exist_ok=True)
    FILE.write_bytes(INSTALLED)
    for path, mode in ((FILE, 0o644), (FOLDER, 0o755)):
        os.chown(path, 0, 0)
        path.chmod(mode)


tap.after_each(as_installed)


def text_at(body, offset):
    size, = struct.unpack_from("<H", body, offset)
    return body[offset + 2:offset + 2 + size].decode()


def read_notices(body):
    """[(code, number, text)] of a NOTICES body."""
    found, offset = [], 2
    for _ in range(struct.unpack_from("<H", body)[0]):
        size, code, number = struct.unpack_from("<HHI", body, offset)
        found.append((code, number, text_at(body, offset + 8)))
        offset += 2 + size
    return found


def read_sources(body):
    """{source: (state, reason)} of a SOURCES body."""
    count, size = struct.unpack_from("<HH", body)
    rows = (struct.unpack_from("<BBH", body, 4 + number * size) for number in range(count))
    return {source: (state, reason) for source, state, reason in rows}


class Run:
    """An engine that ticks, and all that it said until its first N ticks."""

    def __init__(self, engine, ticks=1, interval=1, helpers=None):
        engine.serve(**({} if helpers is None else {"helpers": helpers}))
        self.notices, self.sources, self.ticks, self.times, self.end = [], {}, [], [], []
        engine.front.send(weirtest.START, interval.to_bytes(4, "little"))
        while len(self.ticks) < ticks and (frame := engine.front.frame(10)) is not None:
            kind, body = frame
            if kind == 11:
                self.notices = read_notices(body)
            elif kind == weirtest.SOURCES:
                self.sources = read_sources(body)
            elif kind == weirtest.TICK:
                # sequence, two clocks, interval, flows tracked, flows published … flows refused
                self.ticks.append(struct.unpack_from("<4Q2I6Q", body))
                self.times.append(time.monotonic())


@contextlib.contextmanager
def running(text=None, elevated=True, **options):
    """A Run with TEXT as engine.conf."""
    if text is not None:
        FILE.write_text(text)
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=elevated) as engine:
        yield engine, Run(engine, **options)


@tap.case("the file that is installed changes nothing and is not complained about")
def installed():
    with running() as (_engine, run):
        tap.equal(run.notices, [], "notices")
        tap.equal([source for source, (_state, reason) in run.sources.items() if reason == BY_CONFIG], [], "off")
    settings = [line for line in INSTALLED.decode().splitlines() if line and line[0] not in "#["]
    tap.equal(settings, [], "settings in the installed file")
    # Without the marks it is all as by default, and all of it is understood.
    text = "\n".join(line[1:] if line[:1] == "#" and line[1:2].islower() else line
                     for line in INSTALLED.decode().splitlines())
    with running(text.replace("ann, 1001", "1001").replace("wheel", "adm")) as (_engine, run):
        tap.equal(run.notices, [], "notices about the defaults written out")
    FILE.unlink()
    FOLDER.rmdir()
    with running() as (_engine, run):
        tap.equal(run.notices, [], "notices without a file")


@tap.case("a file that others can change is refused as a whole, and the front end is told")
def unsafe():
    settings = "[sources]\nconntrack = no\n"
    for path, mode, uid in ((FILE, 0o664, 0), (FILE, 0o646, 0), (FILE, 0o644, weirtest.USER),
                            (FOLDER, 0o777, 0), (FOLDER, 0o755, weirtest.USER)):
        FILE.write_text(settings)
        os.chown(path, uid, 0)
        path.chmod(mode)
        with running() as (_engine, run):
            tap.equal(run.notices, [(UNSAFE, 0, str(path))], f"notices with {path} {mode:o} {uid}")
            tap.check(run.sources[CONNTRACK][1] != BY_CONFIG, "a setting of it is used")
        as_installed()
    FILE.unlink()
    FILE.symlink_to("/etc/hostname")
    with running() as (_engine, run):
        tap.equal(run.notices, [(NOT_A_FILE, 0, str(FILE))], "notices with a link")
    FILE.unlink()
    os.mkfifo(FILE)
    with running() as (_engine, run):
        tap.equal(run.notices, [(NOT_A_FILE, 0, str(FILE))], "notices with a pipe")
    FILE.unlink()
    with running(settings + "#" * 65536) as (_engine, run):
        tap.equal(run.notices, [(TOO_LARGE, 65536, str(FILE))], "notices with a large file")


@tap.case("what is not understood is named with its line, the rest is in force")
def mistakes():
    with running("[limits]\nrows_max = all\nflow_max = 3\n[plot]\nx = y\nnonsense\n[sources]\nno\nconntrack = no\nbpf = no\n",
                 helpers=1) as (_engine, run):
        tap.equal(run.notices, [(BAD_VALUE, 2, "rows_max = all"), (UNKNOWN_KEY, 3, "flow_max"),
                                (UNKNOWN_SECTION, 4, "plot"), (SYNTAX, 8, "no")], "notices")
        tap.equal(run.sources[CONNTRACK][1], BY_CONFIG, "the reason of what was understood")


@tap.case("the limited view reads it as far as its user may")
def limited():
    with running("[poll]\nmin_interval_ms=x\n[sources]\nowners=no\n", elevated=False, helpers=0) as (_engine, run):
        tap.equal(run.notices, [(BAD_VALUE, 2, "min_interval_ms=x")], "notices")
        tap.equal(run.sources[OWNERS][1], BY_CONFIG, "owners")
    FILE.chmod(0o600)
    with running(elevated=False, helpers=1) as (_engine, run):
        tap.equal(run.notices, [], "notices about a file that may not be read")


@tap.case("sources that are switched off are not even opened")
def off():
    with running("[sources]\nconntrack = no\nbpf = no\n", helpers=1) as (engine, run):
        tap.equal(run.sources[CONNTRACK], (0, BY_CONFIG), "conntrack")
        lines = pathlib.Path("/proc/net/netlink").read_text().splitlines()[1:]
        protocols = {int(line.split()[9]): int(line.split()[1]) for line in lines}
        inodes = [int(target[8:-1]) for target in weirtest.descriptors(engine.pid).values()
                  if target.startswith("socket:[")]
        tap.equal([inode for inode in inodes if protocols.get(inode) == 12], [], "sockets of netfilter")
        tap.check(all(weirtest.status(pid)["CapEff"] & weirtest.CAPABILITIES["NET_ADMIN"] == 0
                      for pid in weirtest.children(engine.pid)), "somebody has CAP_NET_ADMIN")
    with running("[sources]\nowners = no\n", helpers=1) as (engine, run):
        tap.equal(run.sources[OWNERS], (0, BY_CONFIG), "owners")
        tap.check(all(weirtest.status(pid)["CapEff"] & weirtest.CAPABILITIES["SYS_PTRACE"] == 0
                      for pid in weirtest.children(engine.pid)), "somebody has CAP_SYS_PTRACE")


@tap.case("other network namespaces are left alone when they are switched off")
def namespaces_off():
    subprocess.run(["ip", "netns", "add", "weir-config"], check=True)
    try:
        sockets = []
        for text in ("", "[sources]\nnamespaces = no\n"):
            with running(text) as (engine, _run):
                sockets.append(len(weirtest.netlink_descriptors(engine.pid)))
                tap.check(sockets[-1] > 0, "no socket at all")
                sockets.append(len([target for target in weirtest.descriptors(engine.pid).values()
                                    if target.startswith("socket:[")]))
        tap.check(sockets[3] < sockets[1], f"sockets with and without them: {sockets}")
    finally:
        subprocess.run(["ip", "netns", "del", "weir-config"], check=True)


@contextlib.contextmanager
def connections(number):
    """That many TCP connections to ourselves."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=number))
        for _ in range(number):
            stack.enter_context(socket.create_connection(listener.getsockname()))
            stack.enter_context(listener.accept()[0])
        yield


@tap.case("the caps on rows and connections hold")
def caps():
    with connections(40):
        with running("[limits]\nrows_max = 5\n", ticks=3) as (_engine, run):
            tracked, published = run.ticks[-1][4:6]
            tap.equal(published, 5, "rows")
            tap.check(tracked >= 40, f"{tracked} connections are followed")
            tap.equal(run.ticks[-1][10], 0, "connections without a place")
        with running("[limits]\nflows_max = 8\n", ticks=3) as (_engine, run):
            tracked, published = run.ticks[-1][4:6]
            tap.equal((tracked, published), (8, 8), "connections that are followed, and rows")
            tap.check(run.ticks[-1][10] >= 30, f"only {run.ticks[-1][10]} had no place")


@tap.case("one person has as many engines as the file says")
def engines():
    for text, number in (("[limits]\nengines_per_user = 1\n", 1), ("[limits]\nengines_per_user = 6\n", 6)):
        with contextlib.ExitStack() as stack:
            for _ in range(number):
                stack.enter_context(running(text, ticks=1))
            with weirtest.handoff() as handoff, weirtest.engine(handoff) as refused:
                tap.equal(refused.exit_code(), weirtest.EXIT_RESOURCES, f"one more than {number}")


@tap.case("the floor of the cadence holds, whatever is asked for")
def floor():
    with running("[poll]\nmin_interval_ms = 1200\n", ticks=3, interval=1) as (_engine, run):
        for before, after in zip(run.times, run.times[1:]):
            tap.check(1.1 < after - before < 1.9, f"{after - before:.3f} s between two ticks")
    with running("", ticks=5, interval=1) as (_engine, run):
        spans = [after - before for before, after in zip(run.times, run.times[1:])]
        tap.check(all(0.15 < span < 0.6 for span in spans), f"between ticks without a floor of ours: {spans}")


def without_sys_admin():
    """In the child: a container's root (PR_CAPBSET_DROP of CAP_SYS_ADMIN; exec applies it)."""
    ctypes.CDLL(None).prctl(24, 21, 0, 0, 0)


def without_landlock():
    """In the child: a container's filter that says EPERM to landlock_create_ruleset."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(0x7fff0000))
    call = seccomp.seccomp_syscall_resolve_name(b"landlock_create_ruleset")
    if seccomp.seccomp_rule_add(context, ctypes.c_uint32(0x00050001), call, 0) or seccomp.seccomp_load(context):
        os._exit(99)


def last_words(engine):
    """Frames of an engine that refuses: (confinement, code and text of its ERROR, whether there was a BYE)."""
    confinement, error, bye, served = {}, None, False, []
    while (frame := engine.front.frame()) is not None:
        kind, body = frame
        if kind == weirtest.CONFINEMENT:
            count, size = struct.unpack_from("<HH", body)
            for number in range(count):
                role, = struct.unpack_from("<B", body, 4 + number * size)
                confinement[weirtest.ROLES[role]] = struct.unpack_from("<I", body, 4 + number * size + 54)[0]
        elif kind == weirtest.ERROR:
            error = struct.unpack_from("<H", body)[0], text_at(body, 6)
        elif kind == weirtest.BYE:
            bye = True
            break
        else:
            served.append(kind)
    return confinement, error, bye, served


@tap.case("strict: with every layer in force it serves")
def strict_serves():
    for elevated in (True, False):
        with running("[confinement]\nstrict = yes\n", elevated=elevated,
                     helpers=2 if elevated else 1) as (_engine, run):
            tap.equal((run.notices, len(run.ticks)), ([], 1), f"what came with elevated={elevated}")


@tap.case("strict: a layer that is refused ends it, with a word about which")
def strict_refuses():
    FILE.write_text("[confinement]\nstrict = yes\n")
    for prepare, elevated, who, missing in (
            (without_sys_admin, True, "keeper: empty-root, empty-namespaces",
             weirtest.EMPTY_ROOT | weirtest.EMPTY_NAMESPACES),
            (without_landlock, True, "keeper: landlock", weirtest.LANDLOCK),
            (without_landlock, False, "meter: landlock", weirtest.LANDLOCK)):
        with weirtest.handoff() as handoff, \
             weirtest.engine(handoff, prepare=prepare, elevated=elevated) as engine:
            engine.front = handoff.accept()
            tap.check(engine.front is not None, lambda e=engine: f"it did not connect: {e.exit_code(1)}")
            confinement, error, bye, served = last_words(engine)
            tap.equal((error, bye), ((STRICT_ERROR, who), True), "ERROR and BYE")
            tap.check(any(layers & missing for layers in confinement.values()), f"CONFINEMENT: {confinement}")
            tap.equal([kind for kind in served if kind in (weirtest.FLOWS, weirtest.TICK)], [], "it measured")
            engine.front.close()
            tap.equal(engine.exit_code(), 71, "exit code")
            tap.check(weirtest.wait_until(lambda e=engine: not weirtest.children(e.pid)), "helpers stay")
    FILE.write_text("")
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without_landlock) as engine:
        engine.serve()
        tap.equal({role: missing for role, (_u, _s, _a, missing) in engine.front.confinement().items()},
                  {"keeper": weirtest.LANDLOCK, "meter": weirtest.LANDLOCK, "looker": 0},
                  "missing without strict")


@tap.case("weir-cli says what is wrong with it")
def told_by_cli():
    FILE.write_text("[limits]\nrows_max = many\n")
    line = "engine.conf, line 2: “rows_max = many” is no value that can be used; the default holds."
    environment = {"PATH": "/usr/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(["weir-cli", "sources"], capture_output=True, text=True, check=True, env=environment)
    tap.check(f"\n\n{line}\n" in done.stdout and not done.stderr, f"sources: {done.stdout} {done.stderr}")
    done = subprocess.run(["weir-cli", "stream", "-d", "1"], capture_output=True, text=True, check=True,
                          env=environment)
    tap.equal(done.stderr, f"weir-cli: {line}\n", "standard error of stream")
    FILE.write_text("[confinement]\nstrict = yes\n")
    done = subprocess.run(["weir-cli", "sources"], capture_output=True, text=True, check=False, env=environment,
                          preexec_fn=without_landlock)
    tap.check(done.returncode == 1 and "engine.conf" in done.stderr and "landlock" in done.stderr,
              f"strict: {done.returncode} {done.stderr}")


tap.run()
