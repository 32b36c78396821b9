#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that is known to the byte.

    talker.py serve PORT...      answers on every address, TCP and UDP
    talker.py talk               speaks as told by one JSON object on standard input

A message is a header that says how many bytes follow and how many the other side is to answer, and
then those bytes. `talk` prints one JSON object a flow when all that was told to be said was said and
answered, and then keeps the flows open until standard input is closed.

The object: {"comm": NAME or null, "flows": [{"protocol": "tcp"|"udp", "remote": ADDRESS,
"port": NUMBER, "connect": BOOL, "messages": [[SEND, RECEIVE], ...], "repeat": SECONDS or null,
"swing": SECONDS}]}. With `repeat` the messages are said again and again, louder and softer over `swing` seconds.
"""
import ctypes
import json
import math
import select
import socket
import struct
import sys
import threading
import time

HEADER = struct.Struct("!II")
DATAGRAM_MAX = 1200
_PR_SET_NAME = 15
_IP_PKTINFO = 8
_IPV6_FREEBIND = 78


def set_comm(name):
    """Names this process as the kernel shows it: at most 15 bytes, of any kind."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NAME, name.encode("utf-8", "surrogateescape")[:15] + b"\0", 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def read_exactly(stream, size):
    """SIZE bytes, or None when the other side left before the first of them."""
    parts = bytearray()
    while len(parts) < size:
        part = stream.recv(min(size - len(parts), 1 << 18))
        if not part:
            return None
        parts += part
    return bytes(parts)


def serve_stream(stream):
    """Answers one TCP connection until it is closed."""
    with stream:
        while header := read_exactly(stream, HEADER.size):
            size, wanted = HEADER.unpack(header)
            if read_exactly(stream, size) is None:
                return
            stream.sendall(bytes(wanted))


def serve_datagrams(endpoint):
    """Answers from the very address that was spoken to."""
    while True:
        data, control, _flags, sender = endpoint.recvmsg(65535, 256)
        _size, wanted = HEADER.unpack(data[:HEADER.size])
        answer = [entry for entry in control if entry[1] in (_IP_PKTINFO, socket.IPV6_PKTINFO)]
        if endpoint.family == socket.AF_INET:
            # The address in the header is what was spoken to; the interface is left to the routes.
            answer = [(level, kind, bytes(4) + info[8:12] + bytes(4)) for level, kind, info in answer]
        if wanted:
            endpoint.sendmsg([bytes(wanted)], answer, 0, sender)


def accept_all(listener):
    """Each connection has a thread of its own."""
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=serve_stream, args=[stream], daemon=True).start()


def serve(ports):
    """Listens everywhere and says so."""
    set_comm("world")
    for port in ports:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                        backlog=64)
        threading.Thread(target=accept_all, args=[listener], daemon=True).start()
        for family, level, option in ((socket.AF_INET, socket.IPPROTO_IP, _IP_PKTINFO),
                                      (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO)):
            endpoint = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                endpoint.setsockopt(level, socket.IPV6_V6ONLY, 1)
                # Addresses that are local by a route alone are no source otherwise.
                endpoint.setsockopt(level, _IPV6_FREEBIND, 1)
            endpoint.setsockopt(level, option, 1)
            endpoint.bind(("", port))
            threading.Thread(target=serve_datagrams, args=[endpoint], daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


class Flow:
    """One flow of this process and what it has moved."""

    def __init__(self, told):
        self.told = told
        self.stream = told["protocol"] == "tcp"
        family = socket.AF_INET6 if ":" in told["remote"] else socket.AF_INET
        kind = socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM
        self.remote = (told["remote"], told["port"])
        self.endpoint = socket.socket(family, kind)
        self.endpoint.settimeout(10)
        if self.stream or told.get("connect", True):
            self.endpoint.connect(self.remote)
        self.sent = self.received = self.sent_packets = self.received_packets = 0

    def say(self, size, wanted):
        """One message and its answer; sizes are those of the payload, headers included."""
        body = max(size - HEADER.size, 0)
        data = HEADER.pack(body, wanted) + bytes(body)
        if self.stream:
            self.endpoint.sendall(data)
            if wanted and read_exactly(self.endpoint, wanted) is None:
                raise EOFError("the other side closed the flow")
        else:
            self.endpoint.sendto(data, self.remote) if not self.told.get("connect", True) \
                else self.endpoint.send(data)
            if wanted and len(self.endpoint.recv(65535)) != wanted:
                raise EOFError("another answer than was asked for")
        self.sent += len(data)
        self.received += wanted
        self.sent_packets += 1
        self.received_packets += bool(wanted)

    def truth(self):
        """What a measurement of this flow has to find."""
        local = self.endpoint.getsockname()
        return {"protocol": self.told["protocol"], "local": local[0], "local_port": local[1],
                "remote": self.told["remote"], "remote_port": self.told["port"],
                "sent": self.sent, "received": self.received,
                "sent_packets": self.sent_packets, "received_packets": self.received_packets}


def keep_talking(flows):
    """Says the repeating messages on a fixed timetable until standard input is closed."""
    started = time.monotonic()
    due = {flow: started for flow in flows if flow.told.get("repeat")}
    while True:
        now = time.monotonic()
        pause = max(min(due.values(), default=now + 60) - now, 0)
        if select.select([sys.stdin], [], [], pause)[0]:
            return
        now = time.monotonic()
        for flow in [flow for flow, when in due.items() if when <= now]:
            turn = 2 * math.pi * (now - started) / flow.told.get("swing", 11)
            # Not one wave but three: between a tenth and all.
            loudness = 0.55 + 0.25 * math.sin(turn) + 0.13 * math.sin(2.7 * turn + 1) + 0.07 * math.sin(7.1 * turn)
            for size, wanted in flow.told["messages"]:
                limit = 1 << 24 if flow.stream else DATAGRAM_MAX
                flow.say(min(int(size * loudness) + HEADER.size, limit), min(int(wanted * loudness), limit))
            due[flow] += flow.told["repeat"]


def talk():
    """Says everything once, tells the truth about it, goes on as long as wished."""
    told = json.loads(sys.stdin.readline())
    if told.get("comm") is not None:
        set_comm(told["comm"])
    flows = [Flow(flow) for flow in told["flows"]]
    for flow in flows:
        for size, wanted in flow.told["messages"]:
            flow.say(size, wanted)
    for flow in flows:
        print(json.dumps(flow.truth()), flush=True)
    keep_talking(flows)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve([int(port) for port in sys.argv[2:]])
    else:
        talk()
