#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of single processes: to whom, of which, and when one of them does not want it to be read."""
import contextlib
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

FILE = pathlib.Path("/etc/weir/engine.conf")
INSTALLED = FILE.read_bytes()
SHOWN, REFUSED, GONE, UNREADABLE, STOPPED = range(5)
EXE, CWD, COMMAND, EXE_CUT, CWD_CUT, COMMAND_CUT, LATE = (1 << bit for bit in range(7))
PYTHON = os.path.realpath("/usr/bin/python3")

tap.after_each(lambda: FILE.write_bytes(INSTALLED))


def start_time(pid):
    """Of a process, in clock ticks since boot."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


class Details:
    """A DETAILS body."""

    def __init__(self, body):
        self.number, self.pid, self.start, self.outcome, self.has = struct.unpack_from("<IIQBB", body)
        self._body, self._at = body, 18
        self.exe = self._text() if self.has & EXE else None
        self.cwd = self._text() if self.has & CWD else None
        self.command = None
        if self.has & COMMAND:
            count, = struct.unpack_from("<H", body, self._at)
            self._at += 2
            self.command = [self._text() for _ in range(count)]
        tap.equal(self._at, len(body), "length of the body")

    def _text(self):
        size, = struct.unpack_from("<H", self._body, self._at)
        self._at += 2 + size
        return self._body[self._at - size:self._at].decode()


def ask(engine, pid, start=None, number=7):
    """Sends one question."""
    engine.front.send(weirtest.DETAILS_OF, struct.pack("<IIQ", number, pid, start or start_time(pid)))


def answer(engine, seconds=5.0):
    """The next DETAILS; None when none comes in time."""
    end = time.monotonic() + seconds
    while (frame := engine.front.frame(max(end - time.monotonic(), 0.01))) is not None:
        if frame[0] == weirtest.DETAILS:
            return Details(frame[1])
    return None


def details(engine, pid, start=None):
    """Question and answer."""
    ask(engine, pid, start)
    found = answer(engine)
    tap.check(found is not None, "no answer")
    tap.equal((found.number, found.pid), (7, pid), "what the answer is about")
    return found


@contextlib.contextmanager
def process(code="import time; time.sleep(60)", *arguments, user=weirtest.USER, cwd="/usr/share", argv=None, **options):
    """A program of a user's own, once it runs: it prints a line then."""
    argv = argv or [PYTHON, "-c", "print(flush=True)\n" + code, *arguments]
    child = subprocess.Popen(argv, user=user, group=user, extra_groups=[], cwd=cwd, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, **options)
    try:
        child.stdout.readline()
        yield child.pid
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@contextlib.contextmanager
def serving(text="", elevated=True, **options):
    """An engine with TEXT as engine.conf."""
    FILE.write_text(text)
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=elevated) as engine:
        engine.serve(helpers=2 if elevated else 1, **options)
        yield engine


@tap.case("of one's own process path, folder and command line are told, in both views")
def own():
    for elevated in (True, False):
        with process("import time; time.sleep(60)", "two words", "", "ü\n") as pid, serving(elevated=elevated) as engine:
            found = details(engine, pid)
            tap.equal((found.outcome, found.has), (SHOWN, EXE | CWD | COMMAND), "outcome")
            tap.equal((found.exe, found.cwd), (PYTHON, "/usr/share"), "links")
            tap.equal(found.command[-3:], ["two words", "", "ü\n"], "arguments")
            tap.equal(found.command[:2], [PYTHON, "-c"], "first arguments")


@tap.case("nothing of another user's process is told, nor of root's")
def others():
    with process(user=weirtest.OTHER) as other, process(user=0) as root, serving() as engine:
        for pid in (other, root, 1, engine.pid, *weirtest.children(engine.pid)):
            found = details(engine, pid)
            tap.equal((found.outcome, found.has), (REFUSED, 0), f"process {pid}")


@tap.case("nothing of the user's own is told which the user could not read without Weir")
def closed():
    closing = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep(60)"
    with process(closing) as pid, serving() as engine:
        tap.check(weirtest.wait_until(lambda: os.stat(f"/proc/{pid}/environ").st_uid == 0), "it did not close itself")
        # What the first check alone would let through.
        tap.equal(os.stat(f"/proc/{pid}").st_uid, weirtest.USER, "owner of its directory")
        found = details(engine, pid)
        tap.equal((found.outcome, found.has), (REFUSED, 0), "one that is not dumpable")
    with serving(elevated=False) as engine, process(closing) as pid:
        tap.check(weirtest.wait_until(lambda: os.stat(f"/proc/{pid}/environ").st_uid == 0), "it did not close itself")
        tap.equal(details(engine, pid).outcome, REFUSED, "the same in the limited view")

    # A set-user-id program that waits: with the user's own real uid, and whatever effective one.
    for owner in (0, weirtest.OTHER):
        program = pathlib.Path("/usr/local/bin/weir-sleeper")
        program.write_bytes(pathlib.Path("/usr/bin/sleep").read_bytes())
        os.chown(program, owner, owner)
        program.chmod(0o4755)
        child = subprocess.Popen([program, "60"], user=weirtest.USER, group=weirtest.USER, extra_groups=[])
        try:
            tap.check(weirtest.wait_until(lambda c=child: weirtest.status(c.pid)["Name"] == "weir-sleeper"), "no exec")
            tap.equal(weirtest.status(child.pid)["Uid"][:2], [weirtest.USER, owner], "its uids")
            with serving() as engine:
                found = details(engine, child.pid)
                tap.equal((found.outcome, found.has), (REFUSED, 0), f"set-user-id of {owner}")
        finally:
            child.kill()
            child.wait()
            program.unlink()


@tap.case("nothing is told of a service that runs as the user with another group or with capabilities")
def more_rights():
    code = "print(flush=True); import time; time.sleep(60)"
    net_raw, wake_alarm = 1 << 13, 1 << 35
    for group, names, outcome in ((weirtest.USER, "", SHOWN), (weirtest.OTHER, "", REFUSED),
                                  (weirtest.USER, "net_raw", REFUSED), (weirtest.USER, "wake_alarm", SHOWN)):
        argv = ["setpriv", f"--reuid={weirtest.USER}", f"--regid={group}", "--clear-groups"]
        if names:
            argv += [f"--inh-caps=+{names}", f"--ambient-caps=+{names}"]
        with subprocess.Popen([*argv, PYTHON, "-c", code], stdout=subprocess.PIPE) as child:
            try:
                child.stdout.readline()
                # What owners of files alone would let through.
                tap.equal((os.stat(f"/proc/{child.pid}").st_uid, os.stat(f"/proc/{child.pid}/environ").st_uid),
                          (weirtest.USER, weirtest.USER), "owners")
                fields = weirtest.status(child.pid)
                tap.equal((fields["Gid"], fields["CapPrm"]),
                          ([group] * 4, {"net_raw": net_raw, "wake_alarm": wake_alarm}.get(names, 0)), "its rights")
                for elevated in (True, False):
                    with serving(elevated=elevated) as engine:
                        found = details(engine, child.pid)
                        tap.equal((found.outcome, found.command is not None), (outcome, outcome == SHOWN),
                                  f"group {group}, capability {names!r}, elevated {elevated}")
            finally:
                child.kill()


@tap.case("a process that has ended is gone, and so is one with another start time")
def gone():
    with serving() as engine:
        with process() as pid:
            start = start_time(pid)
            for other in (start + 1, start - 1, 1):
                tap.equal(details(engine, pid, other).outcome, GONE, "with another start time")
            tap.equal(details(engine, pid, start).outcome, SHOWN, "with its own")
        tap.equal(details(engine, pid, start).outcome, GONE, "after its end")
        for pid in (0xffffffff, 0x7fffffff):
            tap.equal(details(engine, pid, 1).outcome, GONE, f"process {pid}")


@tap.case("permissive tells of all processes, to those who are allowed")
def permissive():
    with process(user=weirtest.OTHER) as other:
        for lists, outcome in (("", SHOWN), (f"allow_users = {weirtest.USER}", SHOWN),
                               (f"allow_users = {weirtest.OTHER}", REFUSED),
                               (f"allow_groups = {weirtest.OTHER}", REFUSED), ("allow_users = nosuch", REFUSED)):
            with serving(f"[process_details]\ndisclosure = permissive\n{lists}\n") as engine:
                found = details(engine, other)
                tap.equal((found.outcome, found.has), (outcome, (EXE | CWD | COMMAND) if outcome == SHOWN else 0),
                          f"with {lists!r}")
                tap.equal(details(engine, 1).outcome, outcome, "of process 1")
                with process() as pid:
                    tap.equal(details(engine, pid).outcome, SHOWN, "of one's own")


@tap.case("restricted tells of none, and there is nobody who could")
def restricted():
    for elevated in (True, False):
        with process() as pid, serving("[process_details]\ndisclosure = restricted\n", elevated=elevated) as engine:
            found = details(engine, pid)
            tap.equal((found.outcome, found.has), (REFUSED, 0), "one's own process")
            tap.equal(weirtest.tellers(engine.pid), [], "tellers")


@tap.case("what is long is cut, and that is said")
def long():
    with process("import time; time.sleep(60)", *["x" * 100] * 1000) as pid, serving() as engine:
        found = details(engine, pid)
        tap.equal(found.has, EXE | CWD | COMMAND | COMMAND_CUT, "bits")
        tap.equal(sum(len(text) + 1 for text in found.command) - 1, 4096, "bytes of the command line")
    folder = pathlib.Path("/run/weir-deep")
    folder.mkdir()
    fd = os.open(folder, os.O_RDONLY)
    for _ in range(12):
        os.mkdir("d" * 200, 0o755, dir_fd=fd)
        os.chown("d" * 200, weirtest.USER, weirtest.USER, dir_fd=fd)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    with process(cwd=f"/proc/{os.getpid()}/fd/{fd}") as pid, serving() as engine:
        found = details(engine, pid)
        tap.equal((found.has, len(found.cwd)), (EXE | CWD | COMMAND | CWD_CUT, 1024), "a deep folder")
    os.close(fd)
    subprocess.run(["rm", "-r", folder], check=True)


@tap.case("a teller holds one capability and no netlink descriptor, and what it may not do ends it")
def teller():
    with serving() as engine:
        pid, = weirtest.tellers(engine.pid)
        fields = weirtest.status(pid)
        tap.equal([fields[name] for name in weirtest.FIELDS],
                  [weirtest.CAPABILITIES["SYS_PTRACE"]] * 2 + [0] * 3, "its capabilities")
        tap.equal((fields["Seccomp"], fields["NoNewPrivs"], weirtest.netlink_descriptors(pid)), ("2", "1", []), "status")
        tap.equal(sorted(os.listdir(f"/proc/{pid}/root")), ["cgroup", "proc"], "its root")


# In the child: its arguments lie on a page that nobody ever delivers (userfaultfd).
HOLD = """
import ctypes, fcntl, os, struct, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.sbrk.restype = ctypes.c_void_p
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
fd = libc.syscall(323, os.O_CLOEXEC)
if fd < 0:
    raise SystemExit(print("refused", ctypes.get_errno(), flush=True))
fcntl.ioctl(fd, 0xc018aa3f, bytearray(struct.pack("<QQQ", 0xaa, 0, 0)))
page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
fcntl.ioctl(fd, 0xc020aa00, bytearray(struct.pack("<QQQQ", page, 4096, 1, 0)))
# struct prctl_mm_map: the memory map as it is, with these arguments.
at = lambda number: int(fields[number - 3])
values = [at(26), at(27), at(45), at(46), at(47), libc.sbrk(0), at(28), page, page + 4096, at(50), at(51), 0]
block = ctypes.create_string_buffer(struct.pack("<12QIi", *values, 0, -1), 104)
done = libc.prctl(35, 14, ctypes.byref(block), 104, 0)
print("done" if done == 0 else f"refused {ctypes.get_errno()}", flush=True)
time.sleep(60)
"""


@tap.case("arguments on a page that never comes hold up nobody")
def waiting():
    with subprocess.Popen([PYTHON, "-c", HOLD], stdout=subprocess.PIPE, text=True) as holder:
        try:
            said = holder.stdout.readline().strip()
            if said != "done":
                raise tap.Skip(f"this kernel does not let root have such a page: {said}")
            with serving("[process_details]\ndisclosure = permissive\n") as engine:
                pid, = weirtest.tellers(engine.pid)
                began = time.monotonic()
                found = details(engine, holder.pid)
                took = time.monotonic() - began
                tap.equal((found.outcome, found.exe), (SHOWN, PYTHON), "what is told")
                tap.equal(found.has & COMMAND, 0, "a command line that is nowhere")
                # The kernel does not wait for such a page on behalf of others (GUP without retry).
                tap.equal((found.has & LATE, weirtest.running(pid)), (0, True), "the teller")
                tap.diagnose(f"answered in {took * 1000:.0f} ms")
        finally:
            holder.kill()


@tap.case("a teller that was stopped is given up, and a flood of questions is not answered without end")
def stopped():
    with process() as pid, serving() as engine:
        stuck, = weirtest.tellers(engine.pid)
        os.kill(stuck, signal.SIGSTOP)
        ask(engine, pid)
        found = answer(engine, 8)
        tap.equal((found.outcome, found.has), (STOPPED, 0), "the answer")
        # Nothing reaches it while it is stopped, not even that the meter is gone.
        os.kill(stuck, signal.SIGKILL)
    with process() as pid, serving() as engine:
        for number in range(200):
            ask(engine, pid, number=number)
        count = 0
        while answer(engine, 0.5) is not None:
            count += 1
        tap.check(1 <= count <= 21, f"{count} answers to 200 questions")
        time.sleep(1)
        tap.equal(details(engine, pid).outcome, SHOWN, "afterwards")


@tap.case("weir-cli stream names the program, where that may be told")
def stream():
    code = ("import socket, time; s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection("
            "s.getsockname()); p, _ = s.accept()\nfor _ in range(80): c.send(b'x'); time.sleep(0.05)")
    with process(code, user=0):
        # The right to see it is given up otherwise, some seconds after the start.
        for text, expected in (("[confinement]\nkeep_capabilities = yes\n", PYTHON), ("[process_details]\ndisclosure = restricted\n", None)):
            FILE.write_text(text)
            done = subprocess.run(["weir-cli", "stream", "-d", "1.5", "--interval", "250ms"], capture_output=True,
                                  text=True, check=True, env={"PATH": "/usr/bin", "LANG": "C.UTF-8"})
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            paths = {line["exe"] for line in lines if line["process"] == os.path.basename(PYTHON)}
            tap.check(expected in paths and paths <= {expected, None}, f"with {text!r}: {paths}")


tap.run()
