#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic as kernel programs count it: bytes and owners of every flow, however short, in every namespace."""
import os
import pathlib
import socket
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

# That are published to who does not ask for more.
ROWS = 4096

FLOWS = (
    "protocol=tcp,server=127.0.0.1,up=1000000,down=50000,chunk=8000,rate=4000000",
    "protocol=tcp,server=**,to=127.0.0.1,up=12345,down=54321,client-uid=1000,server-name=both",
    "protocol=tcp,server=::1,up=4321,down=1234,client-name=six",
    "protocol=udp,server=127.0.0.1,up=100000,down=3000",
    "protocol=udp,server=::1,up=777,down=100000,connected=0",
    "protocol=udp,server=**,to=127.0.0.1,up=5000,connected=0,server-uid=1001",
)

# Says what it is called, sends 100 bytes to the port that it is told, and has ended a moment later.
SHORT = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.sendto(bytes(100), ("127.0.0.1", int(sys.argv[1])))
print(sock.getsockname()[1])
"""

# In a network of its own: 1000 bytes from one socket to another.
ALONE = """
ip link set lo up
exec python3 -c '
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 5353))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(bytes(1000), ("127.0.0.1", 5353))
server.recv(2000)
print(client.getsockname()[1], flush=True)
sys.stdin.read()'
"""


def headers(truth):
    return 48 if truth["family"] == 6 else 28


def check_bytes(flow, truth, side):
    """Payload and headers: UDP to the byte; TCP's headers depend on how it was cut to pieces."""
    end = truth[side]
    what = f"{side} of {truth['protocol']} {flow['local']} {flow['local_port']}"
    tap.equal(flow.get("bytes_source"), wt.BPF, f"{what}: source of the bytes")
    for direction, payload in (("rx", end["received"]), ("tx", end["sent"])):
        packets, found = flow[f"{direction}_packets"], flow[f"{direction}_bytes"]
        if truth["protocol"] == "udp":
            tap.equal((packets, found), (end["datagrams_sent"], payload + packets * headers(truth)),
                      f"{what}: {direction}")
        else:
            most = payload + packets * 80
            tap.check(payload < found <= most, f"{what}: {direction}: {found}, not between {payload} and {most}")


def check_all(front, traffic, state):
    for truth in traffic.truth:
        for side in ("client", "server"):
            flow = front.wait(lambda front, truth=truth, side=side:
                              (flow := front.row_of(truth, side)) and flow["state"] == state and flow["start_time"] and
                              flow, f"{side} of {truth}")
            check_bytes(flow, truth, side)
            wt.check_owner(flow, truth, side)
            tap.equal(flow["owner_how"], wt.BORN, f"how of {flow}")


@tap.case("with accounting on: every byte counts once, every owner is the one who made the socket")
def both_count():
    network.account()
    with wt.front() as front:
        front.wait_ticks(1)
        tap.equal(front.sources[wt.BPF]["state"], wt.ACTIVE, f"bpf {front.sources}")
        with wt.traffic(*FLOWS) as traffic:
            front.wait_ticks(2)
            check_all(front, traffic, wt.OPEN)


@tap.case("a process that has ended before anybody could look at it is named")
def short_process():
    with wt.front() as front, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        front.wait_ticks(1)
        port = server.getsockname()[1]
        with subprocess.Popen([sys.executable, "-c", SHORT, str(port)], stdout=subprocess.PIPE) as process:
            own = int(process.stdout.read())
        flow = front.wait(lambda front: front.find("udp", ("127.0.0.1", own), ("127.0.0.1", port), alive=False), "row")
        tap.equal((flow["pid"], flow["owner_how"], flow["comm"]), (process.pid, wt.BORN, "python3"), f"owner {flow}")
        tap.equal((flow["tx_bytes"], flow["rx_bytes"]), (128, 0), "bytes")


@tap.case("a namespace that was made after the start: bytes, owner, and which one it is")
def other_namespace():
    # Who has given up looking at processes can only tell that it is another one.
    wt.configure(keep_capabilities=True)
    with wt.front() as front:
        front.wait_ticks(1)
        with subprocess.Popen(["unshare", "--net", "bash", "-euc", ALONE], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            port = int(process.stdout.readline())
            inode = os.stat(f"/proc/{process.pid}/ns/net").st_ino

            def rows(front, netns):
                return [flow for flow in front.elsewhere.values() if flow.get("netns") == netns
                        and (flow["local_port"], flow["remote_port"]) == (port, 5353)]
            flow, = front.wait(lambda front: rows(front, inode), f"a row in namespace {inode}")
            tap.check(inode != os.stat("/proc/self/ns/net").st_ino, f"namespace {flow}")
            flow = front.wait(lambda front: next((flow for flow in rows(front, inode) if flow.get("start_time")), None),
                              "its owner")
            tap.equal((flow["tx_bytes"], flow["bytes_source"]), (1028, wt.BPF), f"bytes {flow}")
            tap.equal((flow["pid"], flow["owner_how"], flow["comm"]), (process.pid, wt.BORN, "python3"), f"owner {flow}")
            # Nor was a list of that namespace's sockets needed: it tells no bytes, and would be a second row.
            front.wait_ticks(4)
            tap.equal(len(rows(front, inode)), 1, "rows of one connection")
            process.stdin.close()
    wt.configure()


@tap.case("what a packet socket sends past the firewall: a row without ends, owner, and whole frames")
def frames():
    with wt.front() as front:
        sources = front.sources
        front.wait_ticks(1)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as first, \
                socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as second:
            for size, sock in ((100, first), (200, second)):
                sock.bind(("here80", 0x88b5))
                for _ in range(5):
                    sock.send(bytes(12) + b"\x88\xb5" + bytes(size - 14))
            for size in (100, 200):
                flow = front.wait(lambda front, size=size: next(
                    (flow for flow in front.flows.values() if flow.get("family") == 0 and flow.get("tx_bytes") == 5 * size
                     and flow.get("start_time")), None), f"frames of {size} bytes; {sources}")
                tap.equal((flow["pid"], flow["tx_packets"], flow["local_port"], flow["direction"]),
                          (os.getpid(), 5, 0, wt.OUT), f"frames {flow}")


def make_short(number):
    """Connections that are made and closed one after the other; returns the port that they go to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(number):
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
                client.sendall(bytes(10))
                accepted.recv(10)
        return server.getsockname()[1]


@tap.case("more short connections between two readings than rows: who asks for enough is told of each, with its last figures")
def many_short():
    expected = 4 * ROWS
    for rows in (0, 6 * ROWS):
        with wt.front(interval=20000, rows=rows) as front:
            port = make_short(expected // 2)
            front.say("interval 500")
            for _ in range(30):
                front.wait_ticks(1)
                found = [flow for flow in front.flows.values() if port in (flow["local_port"], flow["remote_port"])]
                # The kernel shows some that are closed for a minute more.
                if found and all(flow["state"] == wt.CLOSED for flow in found):
                    break
            tap.check(len(found) == expected if rows else len(found) < expected, f"{len(found)} rows of {expected}")
            for flow in found:
                tap.equal(flow["state"], wt.CLOSED, f"state of {flow}")
                tap.check(min(flow.get("rx_bytes", 0), flow.get("tx_bytes", 0)) > 100, f"bytes {flow}")


@tap.case("a connection that is older than the engine: what was before counts, and goes on without a jump")
def older():
    with socket.create_server(("127.0.0.1", 0)) as server, \
            socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
        for _ in range(100):
            client.sendall(bytes(1000))
            accepted.recv(1000, socket.MSG_WAITALL)
        with wt.front() as front:
            ends = client.getsockname(), server.getsockname()
            flow = front.wait(lambda front: front.find("tcp", *ends), "row")
            front.wait_ticks(1)
            for _ in range(100):
                client.sendall(bytes(1000))
                accepted.recv(1000, socket.MSG_WAITALL)
            flow = front.wait(lambda front: (flow := front.find("tcp", *ends))["bytes_source"] == wt.BPF and flow,
                              "a figure of the programs")
            front.wait_ticks(2)
            tap.check(200000 <= flow["tx_bytes"] <= 212000, f"bytes {flow}")
            tap.equal(flow["pid"], os.getpid(), "owner")


network = wt.Network()
tap.run(cleanup=network.close)
