#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest front end: makes a handoff, starts an engine the way the launcher does, reports.

    front.py

One JSON object on standard input says how; one JSON object a line on standard output says what
happened; the end of standard input ends it. Keys, all optional:

    runtime      where the handoff directory is made (default: XDG_RUNTIME_DIR)
    path         what the engine is given instead of the real path of the directory
    command      what comes before `--handoff PATH` (default: pkexec and the engine)
    environment  what the engine's starter inherits
    ignore       names of signals that it inherits as ignored
    timer        seconds until an inherited ITIMER_REAL fires
    limits       resource limits by name
    umask, nice  numbers
    hold         true: wait for a line on standard input before starting the engine
"""
import json
import os
import resource
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import time

ENGINE = "/usr/libexec/weir-engine"
COMMAND = ["/usr/bin/pkexec", "--disable-internal-agent", ENGINE]
HEADER = struct.Struct("<IHH")
HELLO, TICK, BYE = 1, 6, 9
START, INTERVAL = 64, 65
NONCE_SIZE = 32


def tell(event, **more):
    """One line for the test."""
    print(json.dumps({"event": event, **more}), flush=True)


def make_handoff(runtime):
    """The directory with its socket and its nonce; PROTOCOL.md says how."""
    directory = os.path.join(runtime, "weir", f"handoff-{secrets.token_hex(3)}")
    os.makedirs(directory, 0o700, exist_ok=True)
    nonce = secrets.token_bytes(NONCE_SIZE)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(directory, "socket"))
    os.chmod(os.path.join(directory, "socket"), 0o600)
    listener.listen(8)
    file = os.open(os.path.join(directory, "nonce"), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    os.write(file, nonce.hex().encode())
    os.close(file)
    return directory, nonce, listener


def prepare(told):
    """What the child inherits."""
    def change():
        for name in told.get("ignore", ()):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        os.umask(told.get("umask", 0o022))
        os.nice(told.get("nice", 0))
        for name, value in told.get("limits", {}).items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        if "timer" in told:
            signal.setitimer(signal.ITIMER_REAL, told["timer"])
    return change


class Peer:
    """A connected process that may be the engine."""

    def __init__(self, stream, child, nonce):
        self.stream = stream
        self._child = child
        self._nonce = nonce
        self._data = b""
        pid, uid, _gid = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        tell("connected", pid=pid, uid=uid, is_child=pid == child.pid)

    def read(self):
        """Tells what arrived; False when the other side has gone."""
        try:
            part = self.stream.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        if not part:
            tell("closed")
            return False
        self._data += part
        while len(self._data) >= HEADER.size:
            size, kind, _flags = HEADER.unpack_from(self._data)
            if len(self._data) < HEADER.size + size:
                break
            self._frame(kind, self._data[HEADER.size:HEADER.size + size])
            self._data = self._data[HEADER.size + size:]
        return True

    def _frame(self, kind, body):
        if kind == HELLO:
            version, nonce, pid, view = struct.unpack_from(f"<H{NONCE_SIZE}sIB", body)
            tell("hello", version=version, nonce=nonce == self._nonce, pid=pid, view=view)
            self.send(START, struct.pack("<I", 1000))
        else:
            tell("tick" if kind == TICK else "bye" if kind == BYE else "frame", type=kind, size=len(body))

    def send(self, kind, body):
        """One frame to the engine."""
        try:
            self.stream.sendall(HEADER.pack(len(body), kind, 0) + body)
        except OSError as error:
            tell("unsendable", error=str(error))


def main():
    """Serves until told to end, or until the engine has ended."""
    told = json.loads(sys.stdin.readline())
    directory, nonce, listener = make_handoff(told.get("runtime") or os.environ["XDG_RUNTIME_DIR"])
    tell("ready", directory=directory)
    path = told.get("path", os.path.realpath(directory))
    if told.get("hold"):
        path = sys.stdin.readline().rstrip("\n") or path
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"} | told.get("environment", {})
    child = subprocess.Popen([*told.get("command", COMMAND), "--handoff", path], env=environment,
                             stdin=subprocess.DEVNULL, restore_signals=False, preexec_fn=prepare(told))
    tell("spawned", pid=child.pid)
    peers, renewal = [], time.monotonic()
    while True:
        ready = select.select([sys.stdin, listener, *[peer.stream for peer in peers]], [], [], 0.2)[0]
        if sys.stdin in ready and not sys.stdin.readline():
            break
        if listener in ready:
            peers.append(Peer(listener.accept()[0], child, nonce))
        peers = [peer for peer in peers if peer.stream not in ready or peer.read()]
        if time.monotonic() - renewal > 3:
            renewal = time.monotonic()
            for peer in peers:
                peer.send(INTERVAL, struct.pack("<I", 1000))
        if child.poll() is not None and not peers:
            break
    for peer in peers:
        peer.stream.close()
    try:
        tell("ended", code=child.wait(5))
    except subprocess.TimeoutExpired:
        tell("still running")


main()
