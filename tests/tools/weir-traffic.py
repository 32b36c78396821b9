#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes traffic that is known to the byte, and prints what it made.

    weir-traffic.py [--hold SECONDS] FLOW...

Each FLOW is a word of `key=value` pairs joined by commas.  Two processes are made for it, a server
and a client, so that each has an owner of its own:

    protocol=tcp|udp     default tcp
    server=ADDRESS       where the server listens; `*` is 0.0.0.0, `**` is a dual-stack [::]
    port=PORT            where the server listens; 0 (the default) lets the kernel choose
    to=ADDRESS[@PORT]    where the client sends to, when that is not where the server listens
                         (a wildcard, a v4-mapped ::ffff:a.b.c.d, a translated address)
    from=ADDRESS[@PORT]  where the client sends from; default: chosen by the kernel
    up=BYTES             payload from client to server, default 0
    down=BYTES           payload from server to client, default 0
    chunk=BYTES          payload of one write or datagram, default 1000
    connected=0|1        UDP: whether the client connects its socket, default 1
    rate=BYTES           payload per second of each direction, default 0: as fast as it goes
    client-netns=NAME, server-netns=NAME     as made by `ip netns add`
    client-name=COMM, server-name=COMM       process names (any bytes but NUL and comma; at most 15)
    client-uid=UID, server-uid=UID           who they run as (needs root)
    life=SECONDS         both ends close so long after the transfer instead of when all is over

TCP: the client sends `up` bytes, then the server sends `down` bytes.  UDP: the two take turns, one
datagram each (an empty one when its side has nothing left), so that nothing is lost on the way.

When every transfer has ended, and while the sockets are still open, one JSON object is printed:

    {"flows": [{"protocol": "tcp", "family": 4,
                "client": {"address": "127.0.0.1", "port": 40000, "peer": ["127.0.0.1", 8080],
                           "pid": 12, "start_time": 3456, "uid": 0, "comm": "weir-client",
                           "sent": 1000, "received": 20, "datagrams_sent": 0, "netns": 4026531840},
                "server": {... the same as seen by the server ...}}, ...]}

`family` is that of the packets (4 for a v4-mapped address), addresses are printed without the
mapping; `sent` and `received` are payload.  Then it waits: until its standard input ends or, with
--hold, for so many seconds; closes everything, prints {"closed": true} and ends with 0.  It ends
with 1 and a message when a transfer did not go as planned.
"""
import ctypes
import ipaddress
import json
import os
import select
import signal
import socket
import sys
import time

TIMEOUT = 30
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15
DEFAULTS = {
    "protocol": "tcp", "server": "127.0.0.1", "port": "0", "to": "", "from": "", "up": "0", "down": "0",
    "chunk": "1000", "connected": "1", "rate": "0", "client-netns": "", "server-netns": "",
    "client-name": "weir-client", "server-name": "weir-server", "client-uid": "", "server-uid": "",
    "life": "",
}


def fail(message):
    print(f"weir-traffic: {message}", file=sys.stderr, flush=True)
    sys.exit(1)


def parse(word):
    flow = dict(DEFAULTS)
    for pair in word.split(","):
        key, separator, value = pair.partition("=")
        if not separator or key not in DEFAULTS:
            fail(f"not understood: {pair!r}")
        flow[key] = value
    for key in ("port", "up", "down", "chunk", "connected", "rate"):
        flow[key] = int(flow[key])
    return flow


def endpoint(text, port):
    address, _, given = text.partition("@")
    return address, int(given) if given else port


def plain(address):
    """Without a v4-mapping and without a scope."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def become(flow, side):
    """Takes on the namespace, the name and the user of one side."""
    prctl = ctypes.CDLL(None).prctl
    if flow[f"{side}-netns"]:
        with open(f"/run/netns/{flow[f'{side}-netns']}", "rb") as namespace:
            os.setns(namespace.fileno(), os.CLONE_NEWNET)
    if flow[f"{side}-uid"]:
        uid = int(flow[f"{side}-uid"])
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        # As after an exec: a process that changes its user is otherwise closed to that very user.
        prctl(PR_SET_DUMPABLE, 1)
    prctl(PR_SET_NAME, os.fsencode(flow[f"{side}-name"]))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def describe(connection, peer, sent, received, datagrams):
    address, port = connection.getsockname()[:2]
    with open("/proc/self/stat", "rb") as stat:
        start_time = int(stat.read().rpartition(b")")[2].split()[19])
    with open("/proc/self/comm", "rb") as comm:
        name = comm.read().rstrip(b"\n").decode("utf-8", "surrogateescape")
    return {
        "address": plain(address), "port": port, "peer": [plain(peer[0]), peer[1]],
        "pid": os.getpid(), "start_time": start_time, "uid": os.getuid(), "comm": name,
        "sent": sent, "received": received, "datagrams_sent": datagrams,
        "netns": os.stat("/proc/self/ns/net").st_ino,
    }


class Pace:
    def __init__(self, rate):
        self.rate, self.sent, self.began = rate, 0, time.monotonic()

    def spend(self, size):
        if self.rate:
            self.sent += size
            time.sleep(max(0, self.began + self.sent / self.rate - time.monotonic()))


def send_stream(connection, total, flow):
    pace, left = Pace(flow["rate"]), total
    while left:
        size = min(left, flow["chunk"])
        connection.sendall(b"w" * size)
        left -= size
        pace.spend(size)
    return total


def receive_stream(connection, total):
    received = 0
    while received < total:
        data = connection.recv(min(1 << 16, total - received))
        if not data:
            raise ConnectionError(f"the peer closed after {received} of {total} bytes")
        received += len(data)
    return received


def rounds(flow):
    chunk = flow["chunk"]
    return max(1, -(-flow["up"] // chunk), -(-flow["down"] // chunk))


def pieces(total, chunk, count):
    return [max(0, min(chunk, total - index * chunk)) for index in range(count)]


def dual_stack(kind):
    listener = socket.socket(socket.AF_INET6, kind)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return listener


def bind_server(flow):
    kind = socket.SOCK_STREAM if flow["protocol"] == "tcp" else socket.SOCK_DGRAM
    if flow["server"] == "**":
        listener, address = dual_stack(kind), "::"
    else:
        address = "0.0.0.0" if flow["server"] == "*" else flow["server"]
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(TIMEOUT)
    listener.bind((address, flow["port"]))
    if kind == socket.SOCK_STREAM:
        listener.listen(16)
    return listener


def serve(flow, listener):
    if flow["protocol"] == "tcp":
        connection, peer = listener.accept()
        connection.settimeout(TIMEOUT)
        received = receive_stream(connection, flow["up"])
        sent = send_stream(connection, flow["down"], flow)
        return connection, describe(connection, peer, sent, received, 0)
    count, received, sent, pace = rounds(flow), 0, 0, Pace(flow["rate"])
    for size in pieces(flow["down"], flow["chunk"], count):
        data, peer = listener.recvfrom(1 << 16)
        received += len(data)
        listener.sendto(b"w" * size, peer)
        sent += size
        pace.spend(size)
    return listener, describe(listener, peer, sent, received, count)


def call(flow, port):
    to, port = endpoint(flow["to"] or {"*": "127.0.0.1", "**": "::1"}.get(flow["server"], flow["server"]), port)
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    kind = socket.SOCK_STREAM if flow["protocol"] == "tcp" else socket.SOCK_DGRAM
    connection = socket.socket(family, kind)
    connection.settimeout(TIMEOUT)
    if flow["from"]:
        connection.bind(endpoint(flow["from"], 0))
    if kind == socket.SOCK_STREAM:
        connection.connect((to, port))
        sent = send_stream(connection, flow["up"], flow)
        received = receive_stream(connection, flow["down"])
        return connection, describe(connection, (to, port), sent, received, 0)
    if flow["connected"]:
        connection.connect((to, port))
    count, received, sent, pace = rounds(flow), 0, 0, Pace(flow["rate"])
    for size in pieces(flow["up"], flow["chunk"], count):
        if flow["connected"]:
            connection.send(b"w" * size)
        else:
            connection.sendto(b"w" * size, (to, port))
        sent += size
        received += len(connection.recv(1 << 16))
        pace.spend(size)
    return connection, describe(connection, (to, port), sent, received, count)


class Side:
    """One process: reports lines of JSON, and ends when told to."""

    def __init__(self, flow, side, port=0):
        self.flow, self.side = flow, side
        report_read, report_write = os.pipe()
        leave_read, leave_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(report_read)
            os.close(leave_write)
            status = 1
            try:
                self.run(port, report_write, leave_read)
                status = 0
            except Exception as error:  # reported, not raised: this is the child
                print(f"weir-traffic: {side} of {flow['protocol']} to {flow['to'] or flow['server']}: {error}",
                      file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        os.close(report_write)
        os.close(leave_read)
        self.report, self.leave = os.fdopen(report_read), leave_write

    def run(self, port, report, leave):
        # Whoever holds the other ends of earlier processes' pipes would keep them from ending.
        for descriptor in range(3, 4096):
            if descriptor not in (report, leave):
                try:
                    os.close(descriptor)
                except OSError:
                    pass
        become(self.flow, self.side)
        if self.side == "server":
            connection = bind_server(self.flow)
            os.write(report, json.dumps(connection.getsockname()[1]).encode() + b"\n")
            keep, truth = serve(self.flow, connection)
        else:
            keep, truth = call(self.flow, port)
        os.write(report, json.dumps(truth).encode() + b"\n")
        life = float(self.flow["life"]) if self.flow["life"] else None
        select.select([leave], [], [], life)
        # The client closes first, so that it is always the one that goes through TIME_WAIT.
        if self.side == "server" and self.flow["protocol"] == "tcp":
            keep.settimeout(TIMEOUT)
            keep.recv(1)
        keep.close()

    def read(self):
        line = self.report.readline()
        if not line:
            fail(f"the {self.side} of {self.flow['protocol']} to {self.flow['to'] or self.flow['server']} failed")
        return json.loads(line)

    def end(self):
        os.close(self.leave)
        if os.waitpid(self.pid, 0)[1]:
            fail(f"the {self.side} did not end well")


def main():
    arguments, hold = sys.argv[1:], None
    if arguments[:1] in (["--help"], ["-h"]):
        print(__doc__)
        return
    if arguments[:1] == ["--hold"]:
        hold, arguments = float(arguments[1]), arguments[2:]
    if not arguments:
        fail("no flow was asked for")
    sides, flows = [], []
    for word in arguments:
        flow = parse(word)
        server = Side(flow, "server")
        client = Side(flow, "client", server.read())
        sides.append((flow, server, client))
    for flow, server, client in sides:
        truth = {"client": client.read(), "server": server.read()}
        truth.update(protocol=flow["protocol"], family=6 if ":" in truth["client"]["address"] else 4)
        flows.append(truth)
    print(json.dumps({"flows": flows}), flush=True)
    if hold is None:
        sys.stdin.buffer.read()
    else:
        time.sleep(hold)
    for _, server, client in sides:
        client.end()
        server.end()
    print(json.dumps({"closed": True}), flush=True)


main()
