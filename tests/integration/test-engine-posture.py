#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps the programs in the kernel running, and what the engine's processes hold once they have begun."""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

BPF = 321  # bpf(2) of x86-64, as the other numbers here are the kernel's
PROG_GET_FD_BY_ID, LINK_GET_FD_BY_ID = 13, 30
SOURCE_CONNTRACK, SOURCE_BPF, SOURCE_OWNERS = 1, 2, 4
UNAVAILABLE, ACTIVE = 0, 2
STOPPED, NOT_NEEDED, FORWARDING_LATER, RIGHTS_GIVEN_UP = 8, 29, 30, 31
NOTHING, UNDECIDED, NO_PROGRAMS, FORWARDING, TRANSLATION, ACCOUNTING, CONFIG, HIDDEN = range(8)
CONFIG_FILE = pathlib.Path("/etc/weir/engine.conf")
NET_ADMIN = weirtest.CAPABILITIES["NET_ADMIN"]


def is_there(command, number):
    """Whether the kernel has a program or link with this number."""
    attributes = ctypes.create_string_buffer(number.to_bytes(4, "little"), 128)
    fd = ctypes.CDLL(None).syscall(BPF, command, attributes, 128)
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def held(pid):
    """Numbers of links and of their programs that PID holds: {(command, number)}."""
    found = set()
    for fd, target in weirtest.descriptors(pid).items():
        if "bpf" not in target:
            continue
        text = pathlib.Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
        for command, key in ((LINK_GET_FD_BY_ID, "link_id"), (PROG_GET_FD_BY_ID, "prog_id")):
            found |= {(command, int(number)) for number in re.findall(rf"^{key}:\s*(\d+)", text, re.M)}
    return found


def all_left(objects):
    return [each for each in objects if is_there(*each)]


@tap.case("the keeper alone holds what keeps the programs running")
def alone():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        keeper, looker = engine.helpers()
        objects = held(keeper)
        tap.check(len({number for command, number in objects if command == LINK_GET_FD_BY_ID}) >= 12,
                  f"the keeper has {objects}")
        tap.equal(len(all_left(objects)), len(objects), "of these there are")
        for pid in (engine.pid, looker, *weirtest.tellers(engine.pid)):
            tap.equal(held(pid), set(), f"what {pid} holds")


@tap.case("nothing is left of them a second after any of the processes was killed that they depend on")
def killed():
    for which in ("meter", "keeper", "all"):
        with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
            engine.serve()
            keeper, _looker = engine.helpers()
            objects = held(keeper)
            pids = {"meter": [engine.pid], "keeper": [keeper]}.get(which, [engine.pid, *weirtest.children(engine.pid)])
            tap.check(len(objects) >= 24, f"only {objects}")
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            tap.check(weirtest.wait_until(lambda: not all_left(objects), 1.0),
                      f"killed {which}: left are {all_left(objects)}")


@tap.case("bpftool shows none of them after every process was killed, one after the other")
def one_by_one():
    def shown():
        return {(command, each["id"]) for command, what in ((LINK_GET_FD_BY_ID, "link"), (PROG_GET_FD_BY_ID, "prog"))
                for each in json.loads(subprocess.check_output(["bpftool", "--json", what, "show"]))}
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pids = [engine.pid, *weirtest.children(engine.pid)]
        objects = set().union(*map(held, pids))
        tap.check(len(objects) >= 24 and objects <= shown(), f"bpftool does not show {objects - shown()}")
        for pid in sorted(pids, reverse=True):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        tap.check(weirtest.wait_until(lambda: not objects & shown(), 2.0), lambda: f"left: {objects & shown()}")


@tap.case("the meter says when they have ended, and goes on without")
def told():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        front = engine.front
        front.send(weirtest.START, (250).to_bytes(4, "little"))
        tap.equal(front.source(SOURCE_BPF)[0], ACTIVE, "before")
        os.kill(engine.helpers()[0], signal.SIGKILL)
        while (said := front.source(SOURCE_BPF))[0] == ACTIVE:
            pass
        tap.equal(said, (UNAVAILABLE, STOPPED, 0), "after")
        for _ in range(4):
            while (frame := front.frame()) is not None and frame[0] != weirtest.TICK:
                tap.check(frame[0] not in (weirtest.ERROR, weirtest.BYE), f"it ended with {frame}")
            tap.check(frame is not None, "no tick came")


def confinement(front):
    """The next CONFINEMENT: {role: [(permitted, why it keeps them)]}, or None when it ends before."""
    while (frame := front.frame()) is not None:
        if frame[0] != weirtest.CONFINEMENT:
            continue
        found = {}
        count, size = struct.unpack_from("<HH", frame[1])
        for number in range(count):
            role, _pid, _uid, _effective, permitted = struct.unpack_from("<BIIQQ", frame[1], 4 + number * size)
            keeps = frame[1][4 + number * size + 58]
            found.setdefault(weirtest.ROLES[role], []).append((permitted, keeps))
        return found
    return None


def settled(front):
    """What CONFINEMENT says when nothing is undecided any more."""
    front.send(weirtest.START, (250).to_bytes(4, "little"))
    while (said := confinement(front)) is not None:
        if not any(keeps == UNDECIDED for each in said.values() for _permitted, keeps in each):
            return said
    raise AssertionError("it was never decided")


def permitted(pid):
    return weirtest.status(pid)["CapPrm"] | weirtest.status(pid)["CapEff"]


class Network:
    """A network namespace with somebody in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.path = f"/proc/{self.holder.pid}/ns/net"
        self.fd = os.open(self.path, os.O_RDONLY)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        os.close(self.fd)
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def enter(self):
        """In a child: makes it its own."""
        os.setns(self.fd, os.CLONE_NEWNET)

    def run(self, *command):
        subprocess.run(["nsenter", f"--net={self.path}", *command], check=True)

    def set(self, name):
        self.run("sh", "-c", f"echo 1 > /proc/sys/net/{name}")


@contextlib.contextmanager
def configured(text):
    """With TEXT as engine.conf."""
    installed = CONFIG_FILE.read_bytes()
    CONFIG_FILE.write_text(text)
    try:
        yield
    finally:
        CONFIG_FILE.write_bytes(installed)


@tap.case("where nothing passes through the keeper gives up its capability, and the meter its sockets")
def retires():
    with Network() as network, weirtest.handoff() as handoff, \
         weirtest.engine(handoff, prepare=network.enter) as engine:
        engine.serve()
        keeper = engine.helpers()[0]
        tap.equal(permitted(keeper), NET_ADMIN, "capabilities of the keeper before")
        started = time.monotonic()
        tap.equal(settled(engine.front)["keeper"], [(0, NOTHING)], "what is said of the keeper")
        tap.diagnose(f"after {time.monotonic() - started:.1f} s")
        tap.equal(permitted(keeper), 0, "its capabilities")
        tap.equal(weirtest.netlink_descriptors(keeper), [], "its netlink sockets")
        tap.check(len(held(keeper)) >= 24, "it has lost the programs")
        tap.equal(engine.front.source(SOURCE_CONNTRACK), (UNAVAILABLE, NOT_NEEDED, 0), "connection tracking")
        kinds = {target for target in weirtest.descriptors(engine.pid).values() if "netfilter" in target}
        tap.equal(kinds, set(), "what the meter has of connection tracking")
        for _ in range(4):
            while (frame := engine.front.frame()) is not None and frame[0] != weirtest.TICK:
                tap.check(frame[0] not in (weirtest.ERROR, weirtest.BYE), f"it ended with {frame}")
            tap.check(frame is not None, "no tick came")
        tap.check(weirtest.running(keeper), "the keeper has ended")


def given_up(pid):
    """Whether PID is without any capability."""
    fields = weirtest.status(pid)
    return not any(fields[key] for key in weirtest.FIELDS)


@tap.case("where nothing passes through, no process has any capability after some seconds")
def nobody():
    with Network() as network, weirtest.handoff() as handoff, \
         weirtest.engine(handoff, prepare=network.enter) as engine:
        engine.serve()
        pids = [engine.pid, *weirtest.children(engine.pid)]
        looker = engine.helpers()[1]
        tap.equal(len(pids), 4, "processes")
        tap.check(permitted(looker) != 0, "the looker had nothing to begin with")
        started = time.monotonic()
        said = settled(engine.front)
        while any(each for role in said.values() for each, _keeps in role):
            said = confinement(engine.front)
        tap.diagnose(f"after {time.monotonic() - started:.1f} s")
        tap.equal(said, {"meter": [(0, NOTHING)], "keeper": [(0, NOTHING)], "looker": [(0, NOTHING)] * 2},
                  "what is said")
        tap.equal([pid for pid in pids if not given_up(pid)], [], "who has capabilities")
        tap.equal(engine.front.source(SOURCE_OWNERS), (ACTIVE, RIGHTS_GIVEN_UP, 0), "owners")
        for _ in range(4):
            while (frame := engine.front.frame()) is not None and frame[0] != weirtest.TICK:
                tap.check(frame[0] not in (weirtest.ERROR, weirtest.BYE), f"it ended with {frame}")
            tap.check(frame is not None, "no tick came")
        tap.equal([pid for pid in pids if not weirtest.running(pid)], [], "who has ended")


# Opens what others can send to, says where, and stays.
OPEN = """
import os, socket, sys
open('/proc/self/comm', 'w').write('late')
os.setresuid(1000, 1000, 1000)
listener = socket.create_server(('127.0.0.1', 0))
receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
receiver.bind(('::', 0))
unbound = socket.socket()
unbound.listen(1)
client = socket.create_connection(('127.0.0.1', unbound.getsockname()[1]))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b'x', ('127.0.0.1', 9))
print(*(each.getsockname()[1] for each in (listener, receiver, unbound, sender)), flush=True)
sys.stdin.read()
"""
PORT = 0


def read_listeners(front, known):
    """Takes the next LISTENERS into KNOWN: {id: (kind, port, pid, uid, comm)}.  False: none came."""
    while (frame := front.frame()) is not None and frame[0] != weirtest.LISTENERS:
        pass
    if frame is None:
        return False
    at = 12
    for _ in range(struct.unpack_from("<I", frame[1], 8)[0]):
        size, number, change = struct.unpack_from("<HQB", frame[1], at)
        body = frame[1][at + 11:at + 2 + size]
        at += 2 + size
        if not body:
            known.pop(number, None)
            continue
        kind, _family, _protocol, flags = struct.unpack_from("<BBHB", body)
        port, = struct.unpack_from("<H", body, 21)
        owner = 51 + (8 if flags & 4 else 0)
        pid, _start, has_uid, uid, _cgroup, length = struct.unpack_from("<IQBIQH", body, owner + 2)
        known[number] = (kind, port, pid, uid if has_uid else None, body[owner + 29:owner + 29 + length].decode())
    return True


@tap.case("who has a listener, or what else can receive, that is opened after that is known")
def opened_later():
    with Network() as network, weirtest.handoff() as handoff, \
         weirtest.engine(handoff, prepare=network.enter) as engine:
        network.run("ip", "link", "set", "lo", "up")
        engine.serve()
        said = settled(engine.front)
        while any(each for role in said.values() for each, _keeps in role):
            said = confinement(engine.front)
        with subprocess.Popen(["nsenter", f"--net={network.path}", sys.executable, "-c", OPEN], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            ports = [int(each) for each in process.stdout.readline().split()]
            expected = {(PORT, port, process.pid, 1000, "late") for port in ports}
            known = {}
            while not expected <= set(known.values()) and read_listeners(engine.front, known):
                pass
            tap.check(expected <= set(known.values()), lambda: f"{expected - set(known.values())} is not among {known}")
            process.stdin.close()


def hidden():
    """In the child: no private procfs can be mounted, and the one that is there hides others' processes."""
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "proc", "-o", "hidepid=invisible", "proc", "/proc"], check=True)
    ctypes.CDLL(None).prctl(24, 21, 0, 0, 0)  # PR_CAPBSET_DROP of CAP_SYS_ADMIN


@tap.case("where nobody would see other users' processes without, looker and teller keep theirs, and say why")
def hides():
    with Network() as network, weirtest.handoff() as handoff:
        def prepare():
            network.enter()
            hidden()

        with weirtest.engine(handoff, prepare=prepare) as engine:
            engine.serve()
            pids = [engine.helpers()[1], *weirtest.tellers(engine.pid)]
            before = [permitted(pid) for pid in pids]
            said = settled(engine.front)
            if said["looker"][0][1] == NO_PROGRAMS:
                raise AssertionError("there are no kernel programs, so nothing was tried")
            tap.equal({keeps for _permitted, keeps in said["looker"]}, {HIDDEN}, "why they keep them")
            tap.equal([permitted(pid) for pid in pids], before, "capabilities")
            tap.equal([weirtest.status(pid)["CapEff"] for pid in pids], before, "those in effect")


@tap.case("where packets of others are passed on it keeps it, and says why")
def forwards():
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/lo/forwarding"):
        with Network() as network, weirtest.handoff() as handoff:
            network.set(setting)
            with weirtest.engine(handoff, prepare=network.enter) as engine:
                engine.serve()
                keeper = engine.helpers()[0]
                tap.equal(settled(engine.front)["keeper"], [(NET_ADMIN, FORWARDING)], f"what is said with {setting}")
                tap.equal(permitted(keeper), NET_ADMIN, "its capabilities")


@tap.case("where addresses are translated it keeps it, and says why")
def translates():
    rules = "table ip weir { chain out { type nat hook output priority -100; ip daddr 127.0.0.9 dnat to 127.0.0.1; }; }"
    with Network() as network, weirtest.handoff() as handoff:
        network.run("ip", "link", "set", "lo", "up")
        network.run("nft", rules)
        network.run(sys.executable, "-c", "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.9', 9))")
        with weirtest.engine(handoff, prepare=network.enter) as engine:
            engine.serve()
            tap.equal(settled(engine.front)["keeper"], [(NET_ADMIN, TRANSLATION)], "what is said")


@tap.case("where forwarding is switched on later that is said, and what to do")
def forwards_later():
    with Network() as network, weirtest.handoff() as handoff, \
         weirtest.engine(handoff, prepare=network.enter) as engine:
        engine.serve()
        settled(engine.front)
        tap.equal(engine.front.source(SOURCE_CONNTRACK)[1], NOT_NEEDED, "before")
        network.set("ipv4/ip_forward")
        tap.equal(engine.front.source(SOURCE_CONNTRACK), (UNAVAILABLE, FORWARDING_LATER, 0), "after")


@tap.case("engine.conf keeps it, as do programs that are not there")
def wished():
    for text, why in (("[confinement]\nkeep_capabilities = yes\n", CONFIG), ("[sources]\nbpf = no\n", NO_PROGRAMS)):
        with Network() as network, configured(text), weirtest.handoff() as handoff, \
             weirtest.engine(handoff, prepare=network.enter) as engine:
            engine.serve()
            tap.equal(settled(engine.front)["keeper"], [(NET_ADMIN, why)], "what is said of the keeper")


tap.run()
