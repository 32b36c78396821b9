# SPDX-License-Identifier: GPL-3.0-or-later
"""Handoffs and engines for tests: what a launcher and a listener do, and all that they would never do.

The calling program is root. A user is no more than a number here: nothing of the engine asks for more.
"""
import contextlib
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

ENGINE = "/usr/libexec/weir-engine"
USER = 1000
OTHER = 1001

CAPABILITIES = {"NET_ADMIN": 1 << 12, "DAC_READ_SEARCH": 1 << 2, "SYS_PTRACE": 1 << 19}
SYS_RESOURCE = 1 << 24
FIELDS = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")

EXIT_DONE, EXIT_USAGE, EXIT_HANDOFF, EXIT_RESOURCES = 0, 64, 65, 66
EXIT_CONFINEMENT, EXIT_SOURCES, EXIT_REFUSED, EXIT_RUN_DIR = 67, 68, 69, 70

HELLO, SOURCES, CONFINEMENT, FLOWS, INTERFACES, TICK, DETAILS, ERROR, BYE = range(1, 10)
ROLES = ("meter", "keeper", "looker", "twin")
VIEWS = ("limited", "full")
(OWN_UID, ONLY_CAPABILITIES, NO_NEW_PRIVS, EMPTY_ROOT, EMPTY_NAMESPACES, LANDLOCK, SECCOMP) = (
    1 << number for number in range(7))
LISTENERS, NOTICES = 10, 11
START, INTERVAL, DETAILS_OF, STOP = range(64, 68)


@contextlib.contextmanager
def acting_as(uid):
    """Makes what follows happen as UID: files are created, sockets listened on as that user."""
    if uid == os.geteuid():
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def wait_until(condition, seconds=5.0):
    """Whether CONDITION becomes true within SECONDS."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def view(hello):
    """The view that a HELLO frame, as Engine.serve() returns it, claims."""
    return VIEWS[hello[1][2 + 32 + 4]]


class Handoff:
    """A handoff directory of a user's, with its nonce and a listening socket."""

    def __init__(self, uid=USER):
        self.uid = uid
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="weir-", dir="/run"))
        os.chown(self.base, uid, uid)
        self.path = self.base / "handoff"
        self.nonce = os.urandom(32)
        with acting_as(uid):
            self.path.mkdir(mode=0o700)
            nonce = os.open(self.path / "nonce", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(nonce, self.nonce.hex().encode())
            os.close(nonce)
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(self.path / "socket"))
            self.socket.listen(8)

    def accept(self, seconds=5.0):
        """The connection of an engine, with its credentials (pid, uid, gid), or None."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return Front(self.socket.accept()[0])

    def close(self):
        """Takes all of it away."""
        self.socket.close()
        shutil.rmtree(self.base)


class Front:
    """A front end's end of a connection."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""
        self.pid, self.uid, self.gid = struct.unpack(
            "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))

    def frame(self, seconds=5.0):
        """The next frame as (type, body); None at the end of file or when there is none in time."""
        end = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 8:
                size, kind, _flags = struct.unpack_from("<IHH", self.buffer)
                if len(self.buffer) >= 8 + size:
                    body = self.buffer[8:8 + size]
                    self.buffer = self.buffer[8 + size:]
                    return kind, body
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                return None
            try:
                data = self.connection.recv(1 << 20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data

    def confinement(self):
        """What the engine says of its processes: {role: (uid, capability sets, layers active, missing)}."""
        while True:
            frame = self.frame()
            if frame is None:
                raise AssertionError("no CONFINEMENT came")
            if frame[0] == CONFINEMENT:
                break
        count, size = struct.unpack_from("<HH", frame[1])
        processes = {}
        for number in range(count):
            role, _pid, uid, *sets, _no_new_privs, active, missing = struct.unpack_from(
                "<BII5QBII", frame[1], 4 + number * size)
            processes[ROLES[role]] = (uid, sets, active, missing)
        return processes

    def notices(self):
        """Codes and numbers of the NOTICES that come before the first TICK, which is asked for."""
        found = []
        self.send(START, (250).to_bytes(4, "little"))
        while (frame := self.frame()) is None or frame[0] != TICK:
            if frame is None:
                raise AssertionError("no TICK came")
            if frame[0] == NOTICES:
                at = 2
                for _ in range(struct.unpack_from("<H", frame[1])[0]):
                    size, code, number = struct.unpack_from("<HHI", frame[1], at)
                    found.append((code, number))
                    at += 2 + size
        return found

    def source(self, number):
        """(state, reason, errno) of a source, in the next frame that says so."""
        while True:
            frame = self.frame()
            if frame is None:
                raise AssertionError("no SOURCES came")
            if frame[0] == SOURCES:
                break
        count, size = struct.unpack_from("<HH", frame[1])
        for at in range(4, 4 + count * size, size):
            source, state, reason, error, _losses = struct.unpack_from("<BBHiQ", frame[1], at)
            if source == number:
                return state, reason, error
        raise AssertionError(f"no word about source {number}")

    def send(self, kind, body=b""):
        """Sends one request."""
        self.connection.sendall(struct.pack("<IHH", len(body), kind, 0) + body)

    def close(self):
        """Lets go of the leash."""
        self.connection.close()


def status(pid):
    """/proc/PID/status as a dictionary; capability sets are numbers, ids lists of numbers."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
        key, _, value = line.partition(":")
        fields[key] = value.strip()
    for key in FIELDS:
        fields[key] = int(fields[key], 16)
    for key in ("Uid", "Gid", "Groups"):
        fields[key] = [int(number) for number in fields[key].split()]
    return fields


def running(pid):
    """Whether a process is there and not a zombie."""
    try:
        return status(pid)["State"][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    """Its children that run."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and running(entry):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if int(status(entry)["PPid"]) == pid:
                    found.append(int(entry))
    return found


def tellers(pid):
    """Those of its children that tell details of processes: they are named."""
    return [child for child in children(pid) if status(child)["Name"] == "weir-teller"]


def descriptors(pid):
    """Number and target of each of its descriptors."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
    return found


def netlink_inodes():
    """Inodes of all netlink sockets of this network namespace."""
    lines = pathlib.Path("/proc/net/netlink").read_text().splitlines()[1:]
    return {int(line.split()[9]) for line in lines}


def netlink_descriptors(pid):
    """Descriptors of PID that are netlink sockets."""
    inodes = netlink_inodes()
    return [number for number, target in descriptors(pid).items()
            if target.startswith("socket:[") and int(target[8:-1]) in inodes]


def links(pid):
    """Descriptors of PID that keep programs in the kernel running."""
    return [number for number, target in descriptors(pid).items()
            if target.startswith("anon_inode:") and "link" in target]


class Engine:
    """An engine, started as pkexec starts it unless told otherwise; KERNEL is one of tests/tools/weir-kernels.c."""

    def __init__(self, handoff, uid=USER, elevated=True, argv=None, environment=None, prepare=None,
                 path=ENGINE, accounting=False, kernel=None, **options):
        if argv is None:
            argv = [path, "--handoff-accounting" if accounting else "--handoff",
                    str(getattr(handoff, "path", handoff))]
        if environment is None:
            environment = {"PKEXEC_UID": str(uid), "SHELL": "/bin/sh", "PATH": "/usr/bin"} if elevated else {}
        if kernel is not None:
            environment |= {"LD_PRELOAD": os.environ["WEIR_KERNELS"], "WEIR_KERNEL": kernel}
        if not elevated:
            options |= {"user": uid, "group": uid, "extra_groups": []}
        # Descriptors are what the test says, so that nothing of the test's own is passed on.
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        self.process = subprocess.Popen(argv, executable=path, env=environment, preexec_fn=prepare,
                                        cwd="/", **options)
        self.pid = self.process.pid
        self.front = None
        self.handoff = handoff

    def serve(self, helpers=2):
        """Accepts its connection and waits until it is confined, with so many HELPERS besides the teller; returns
        the types of its first frames."""
        self.front = self.handoff.accept()
        if self.front is None:
            raise AssertionError(f"the engine did not connect; exit code {self.process.poll()}")
        first = self.front.frame()
        if first is None or first[0] != HELLO or self.handoff.nonce not in first[1]:
            raise AssertionError(f"the first frame is no HELLO with the nonce: {first}; "
                                 f"exit code {self.process.poll()}")
        if not wait_until(lambda: len(children(self.pid)) - len(tellers(self.pid)) == helpers):
            raise AssertionError(f"expected {helpers} helpers, found {children(self.pid)}")
        return first

    def helpers(self):
        """Keeper and looker, told apart by what they hold; None for the one that is not there."""
        found = self.roles()
        return found["keeper"], found["looker"]

    def roles(self):
        """The same, with the meter and the keeper's twin."""
        found = {"meter": self.pid, "keeper": None, "looker": None, "twin": None}
        for pid in set(children(self.pid)) - set(tellers(self.pid)):
            role = "looker"
            if netlink_descriptors(pid) or links(pid):
                role = "keeper"
            elif any(target.endswith("nf_conntrack_acct") for target in descriptors(pid).values()):
                role = "twin"
            found[role] = pid
        return found

    def exit_code(self, seconds=5.0):
        """How it ended, negative for a signal; None when it did not."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def end(self):
        """Ends it whatever it does."""
        if self.front:
            self.front.close()
        if self.process.poll() is None and self.exit_code(2) is None:
            for pid in [*children(self.pid), self.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()


@contextlib.contextmanager
def handoff(uid=USER):
    """A handoff for the length of a block."""
    made = Handoff(uid)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def engine(target, **options):
    """An engine for the length of a block."""
    started = Engine(target, **options)
    try:
        yield started
    finally:
        started.end()
