#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes many flows that do not live long, known to the byte, and writes down what it made.

    weir-churn.py TRUTH [key=value]...

    seconds=20        over which clients begin
    processes=200     TCP clients, one after the other
    connections=10    of each
    gap=0.2           seconds between two of them
    life=0.2          seconds from one's connect to its close
    datagrams=500     UDP exchanges, each by a process of its own that ends with it
    latency=0.02      seconds until the UDP server answers
    far=NAME          network namespace of a second server, which every other flow goes to
    far-address=10.80.0.2

The servers are processes of their own, one here and one in `far`.  Client ports are never used
twice.  TRUTH gets one JSON object a line for each end of a flow that is here:

    {"protocol": "tcp", "side": "client", "local": ["127.0.0.1", 10000], "remote": ["127.0.0.1", 9000],
     "pid": 12, "start_time": 345, "uid": 0, "sent": 100, "received": 200, "opened": 12.5}

`opened` is CLOCK_BOOTTIME just before the first packet.  Ends with 0 when everything went as
planned."""
import ctypes
import heapq
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
PORT, FIRST_TCP, FIRST_UDP = 9000, 10000, 40000
HEADER = struct.Struct("<II")
DEFAULTS = {"seconds": 20.0, "processes": 200, "connections": 10, "gap": 0.2, "life": 0.2, "datagrams": 500,
            "latency": 0.02, "far": "", "far-address": "10.80.0.2"}
prctl = ctypes.CDLL(None).prctl


def start_time():
    """Of this process, in clock ticks since boot."""
    with open("/proc/self/stat", "rb") as stat:
        return int(stat.read().rpartition(b")")[2].split()[19])


def fork(name, function, *arguments):
    """The number of a process that does this and ends."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_NAME, name.encode())
        function(*arguments)
        status = 0
    except Exception as error:  # reported, not raised: this is the child
        print(f"weir-churn: {name}: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def receive(connection, size):
    """So many bytes."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the peer closed too early")
        data += more
    return data


class Server:
    """Answers what its clients ask for, and remembers what it moved."""

    def __init__(self, address, latency):
        self.address, self.latency = address, latency
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((address, PORT), backlog=512)
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((address, PORT))
        for waiting, function in ((self.listener, self.accept), (self.datagrams, self.answer)):
            waiting.setblocking(False)
            self.selector.register(waiting, selectors.EVENT_READ, function)
        self.late, self.moved = [], []

    def accept(self, listener):
        connection, peer = listener.accept()
        connection.settimeout(5)
        up, down = HEADER.unpack(receive(connection, HEADER.size))
        receive(connection, up - HEADER.size)
        connection.sendall(bytes(down))
        self.moved.append(("tcp", peer, down, up))
        self.selector.register(connection, selectors.EVENT_READ, self.finish)

    def finish(self, connection):
        connection.recv(1)
        self.selector.unregister(connection)
        connection.close()

    def answer(self, datagrams):
        data, peer = datagrams.recvfrom(65536)
        down = HEADER.unpack_from(data)[1]
        self.moved.append(("udp", peer, down, len(data)))
        heapq.heappush(self.late, (time.monotonic() + self.latency, peer, down))

    def serve(self, leave):
        """Until LEAVE can be read."""
        os.set_blocking(leave, False)
        self.selector.register(leave, selectors.EVENT_READ, None)
        while True:
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, peer, down = heapq.heappop(self.late)
                self.datagrams.sendto(bytes(down), peer)
            wait = max(0, self.late[0][0] - now) if self.late else None
            for key, _ in self.selector.select(wait):
                if key.data is None:
                    return
                key.data(key.fileobj)


def run_server(options, address, truth, ready, leave):
    if truth is None:
        with open(f"/run/netns/{options['far']}", "rb") as namespace:
            os.setns(namespace.fileno(), os.CLONE_NEWNET)
    server = Server(address, options["latency"])
    os.write(ready, b"r")
    server.serve(leave)
    if truth is not None:
        me = {"side": "server", "pid": os.getpid(), "start_time": start_time(), "uid": os.getuid()}
        for protocol, peer, sent, received in server.moved:
            write(truth, me | {"protocol": protocol, "local": [address, PORT], "remote": list(peer),
                               "sent": sent, "received": received})


def write(truth, entry):
    os.write(truth, json.dumps(entry).encode() + b"\n")


def make_client(kind, port, address, up, down):
    """A socket through which UP bytes went and DOWN bytes are to come, and its line of the truth."""
    client = socket.socket(socket.AF_INET, kind)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("127.0.0.1" if address == "127.0.0.1" else "0.0.0.0", port))
    client.settimeout(5)
    opened = time.clock_gettime(time.CLOCK_BOOTTIME)
    client.connect((address, PORT))
    client.sendall(HEADER.pack(up, down) + bytes(up - HEADER.size))
    return client, {"protocol": "tcp" if kind == socket.SOCK_STREAM else "udp", "side": "client",
                    "local": list(client.getsockname()), "remote": [address, PORT], "pid": os.getpid(),
                    "start_time": start_time(), "uid": os.getuid(), "sent": up, "received": down, "opened": opened}


def call(options, number, addresses, truth):
    """One TCP client: connections one after the other, or some at a time."""
    began, open_ones = time.monotonic(), []
    for index in range(options["connections"]):
        at = began + index * options["gap"]
        while open_ones and open_ones[0][0] <= at:
            wait_until(open_ones[0][0])
            open_ones.pop(0)[1].close()
        wait_until(at)
        serial = number * options["connections"] + index
        up, down = 100 + serial % 1000, 200 + serial * 7 % 3000
        client, entry = make_client(socket.SOCK_STREAM, FIRST_TCP + serial, addresses[serial % len(addresses)], up, down)
        receive(client, down)
        open_ones.append((at + options["life"], client))
        write(truth, entry)
    for at, client in open_ones:
        wait_until(at)
        client.close()


def ask(number, addresses, truth):
    """One UDP exchange."""
    up, down = 20 + number % 100, 40 + number * 3 % 400
    client, entry = make_client(socket.SOCK_DGRAM, FIRST_UDP + number, addresses[number % len(addresses)], up, down)
    if len(client.recv(65536)) != down:
        raise ConnectionError("not the answer")
    client.close()
    write(truth, entry)


def wait_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def main():
    options = dict(DEFAULTS)
    for word in sys.argv[2:]:
        key, _, value = word.partition("=")
        options[key] = type(DEFAULTS[key])(value)
    truth = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # Written by it at the end of all, which is what its pipe's end tells it.
    leave_read, leave_write = os.pipe()
    ready_read, ready_write = os.pipe()
    addresses = ["127.0.0.1"] + ([options["far-address"]] if options["far"] else [])
    servers = []
    for index, address in enumerate(addresses):
        servers.append(fork("churn-server", lambda *a: (os.close(leave_write), run_server(*a)), options, address,
                            None if index else truth, ready_write, leave_read))
    for _ in servers:
        os.read(ready_read, 1)

    plan = [(number * options["seconds"] / options["processes"], "churn-tcp", call, (options, number, addresses, truth))
            for number in range(options["processes"])]
    plan += [(number * options["seconds"] / options["datagrams"], "churn-udp", ask, (number, addresses, truth))
             for number in range(options["datagrams"])]
    began, clients = time.monotonic(), []
    for at, name, function, arguments in sorted(plan, key=lambda entry: entry[0]):
        wait_until(began + at)
        clients.append(fork(name, function, *arguments))
    good = all([os.waitpid(pid, 0)[1] == 0 for pid in clients])
    os.close(leave_write)
    good = all([os.waitpid(pid, 0)[1] == 0 for pid in servers]) and good
    sys.exit(0 if good else 1)


main()
