#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of every kind and way: one row each, with the end that is ours, who began, and bytes to the byte."""
import os
import pathlib
import socket
import struct
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e"),
                str(pathlib.Path(__file__).parents[1] / "tools")]

import packets
import tap
import weirtraffic as wt

HERE, THERE, INSIDE = "10.80.0.1", "10.80.0.2", "10.81.0.2"
HERE6, THERE6 = "fd80::1", "fd80::2"
ICMP, IGMP, TCP, UDP, GRE, ESP, ICMP6, OSPF, SCTP, UDPLITE = 1, 2, 6, 17, 47, 50, 58, 89, 132, 136
PORTED = (TCP, UDP, SCTP, UDPLITE)

# Sends one packet of a protocol: its address, protocol and what follows the IP header in hexadecimal digits.
SEND = """
import socket, sys
address, protocol, data = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, socket.SOCK_RAW, protocol) as sender:
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sender.sendto(data, (address, 0))
"""


def send(address, protocol, data, netns=None):
    """Sends one packet from here, or from a neighbour."""
    where = ["ip", "netns", "exec", netns] if netns else []
    subprocess.run([*where, sys.executable, "-c", SEND, address, str(protocol), data.hex()], check=True)


def udp(source, destination, protocol=UDP):
    """A datagram of 4 bytes without a checksum; UDP-Lite must have one, which nobody here looks at."""
    return struct.pack("!HHHH", source, destination, 12, int(protocol == UDPLITE)) + b"what"


def rows_of(front, protocol, local, remote, ports=(0, 0)):
    return [flow for flow in front.flows.values() if flow["protocol"] == protocol
            and (flow["local"], flow["local_port"]) == (local, ports[0])
            and (flow["remote"], flow["remote_port"]) == (remote, ports[1])]


def expect(front, direction, protocol, local, remote, sent=None, received=None, ports=(0, 0)):
    """Waits for the one row with these ends, and checks what it says."""
    what = f"protocol {protocol}, {local} {ports[0]} to {remote} {ports[1]}"
    row, = front.wait(lambda front: rows_of(front, protocol, local, remote, ports), what)
    front.wait_ticks(2)
    tap.equal(row["direction"], direction, f"direction of {what}")
    tap.equal((row.get("tx_bytes"), row.get("rx_bytes")),
              (row.get("tx_bytes") if sent is None else sent, row.get("rx_bytes") if received is None else received),
              f"bytes of {what}")
    tap.equal(row["zone"], 0, f"zone of {what}")
    return row


@tap.case("echoes, sent and received, by IPv4 and IPv6")
def echoes():
    with wt.front() as front:
        send(THERE, ICMP, packets.echo(8, 11))
        send(HERE, ICMP, packets.echo(8, 12), network.far)
        send(THERE6, ICMP6, packets.echo(128, 13))
        send(HERE6, ICMP6, packets.echo(128, 14), network.far)
        front.wait(lambda front: sum(flow["protocol"] in (ICMP, ICMP6) for flow in front.flows.values()) == 4, "rows")
        front.wait_ticks(2)
        for protocol, local, remote, size in ((ICMP, HERE, THERE, 44), (ICMP6, HERE6, THERE6, 64)):
            rows = rows_of(front, protocol, local, remote)
            tap.equal(sorted(row["direction"] for row in rows), [wt.OUT, wt.IN], f"directions of {rows}")
            for row in rows:
                tap.equal((row["tx_bytes"], row["rx_bytes"], row["answered"]), (size, size, 1), f"bytes of {row}")
                # The kernel itself answers; who asks is a program.
                tap.equal(row["owner_missing"], wt.NOT_FOUND if row["direction"] == wt.OUT else wt.KERNEL, "owner")


@tap.case("an error belongs to what caused it, and is no row of its own")
def errors():
    subprocess.run(["conntrack", "-F"], check=True, stderr=subprocess.DEVNULL)
    with wt.front() as front, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((HERE, 0))
        sender.sendto(b"what", (THERE, 1999))
        row = expect(front, wt.OUT, UDP, HERE, THERE, 32, ports=(sender.getsockname()[1], 1999))
        # The kernel does not count it, either.
        tap.equal((row["rx_bytes"], row["answered"]), (0, 0), "bytes of the error")
        tap.equal([flow for flow in front.flows.values() if flow["protocol"] == ICMP], [], "rows of ICMP")


@tap.case("protocols with ports: SCTP, UDP-Lite")
def ported():
    with wt.front() as front:
        send(THERE, SCTP, packets.sctp(2001, 2905))
        send(HERE, SCTP, packets.sctp(2002, 2906), network.far)
        send(HERE, UDPLITE, udp(2003, 2907, UDPLITE), network.far)
        row = expect(front, wt.OUT, SCTP, HERE, THERE, 52, ports=(2001, 2905))
        tap.check(row.get("tracking_state"), f"no state of {row}")
        expect(front, wt.IN, SCTP, HERE, THERE, received=52, ports=(2906, 2002))
        # The checksum was wrong: the kernel neither tracks nor answers.
        tap.equal(rows_of(front, UDPLITE, HERE, THERE, (2907, 2003)), [], "rows of a broken datagram")


@tap.case("protocols without ports: GRE, ESP and one without a name, in and out")
def portless():
    with wt.front() as front:
        send(THERE, GRE, struct.pack("!HH", 0, 0x0800) + bytes(20))
        send(HERE, ESP, struct.pack("!II", 0x1000, 1) + bytes(24), network.far)
        send(HERE6, 253, bytes(8), network.far)
        row = expect(front, wt.OUT, GRE, HERE, THERE, 44)
        tap.equal(row["owner_missing"], wt.KERNEL, "owner")
        expect(front, wt.IN, ESP, HERE, THERE, received=52)
        expect(front, wt.IN, 253, HERE6, THERE6, received=48)


@tap.case("groups: multicast and broadcast, sent and received")
def groups():
    wt.run(f"ip -n {network.far} route add 224.0.0.0/4 dev there; ip route add 224.0.0.0/4 dev here80")
    with wt.front() as front:
        send("10.80.0.255", UDP, udp(138, 137), network.far)
        send("224.0.0.1", UDP, udp(5353, 5353), network.far)
        send("224.0.0.5", OSPF, bytes(24))
        send("10.80.0.255", UDP, udp(2138, 2137))
        expect(front, wt.IN, UDP, "10.80.0.255", THERE, received=32, ports=(137, 138))
        expect(front, wt.IN, UDP, "224.0.0.1", THERE, received=32, ports=(5353, 5353))
        expect(front, wt.OUT, OSPF, HERE, "224.0.0.5", 44, 0)
        expect(front, wt.OUT, UDP, HERE, "10.80.0.255", 32, 0, ports=(2138, 2137))


@tap.case("passing through: an echo, a tunnel, and a neighbour that comes back by our address")
def through():
    network.translate({"prerouting": f"iifname here81 ip daddr {HERE} udp dport 2080 dnat ip to {INSIDE}:2081",
                       "postrouting": f"oifname here81 ip daddr {INSIDE} udp dport 2081 masquerade"})
    with wt.front() as front:
        send(THERE, ICMP, packets.echo(8, 15), network.inside)
        send(THERE, ESP, struct.pack("!II", 0x1000, 1) + bytes(24), network.inside)
        send(HERE, UDP, udp(2079, 2080), network.inside)
        for protocol, sent in ((ICMP, 44), (ESP, 52)):
            row = expect(front, wt.FORWARDED, protocol, INSIDE, THERE, sent)
            tap.equal((row["owner_missing"], row["pid"]), (wt.MISSING_FORWARDED, 0), "owner")
        row = expect(front, wt.FORWARDED, UDP, INSIDE, HERE, 32, ports=(2079, 2080))
        tap.equal((row["nat_local"], row["nat_remote"], row["nat_remote_port"]), ("10.81.0.1", INSIDE, 2081), "translation")
    network.translate({})


def receiver(port, device=None):
    """A socket without a peer."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if device:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    made.bind(("0.0.0.0", port))
    return made


@tap.case("a port that is taken when the flow is there already: only what comes later is its owner's")
def taken_later():
    with wt.front() as front:
        send(HERE, UDP, udp(3079, 3080), network.far)
        expect(front, wt.IN, UDP, HERE, THERE, received=32, ports=(3080, 3079))
        front.wait_ticks(2)
        with receiver(3080):
            front.wait_ticks(3)
            send(HERE, UDP, udp(3081, 3080), network.far)
            row = front.wait(lambda front: (row := front.find("udp", (HERE, 3080), (THERE, 3081))) and row["pid"] and row,
                             "an owner of what came later")
            tap.equal(row["pid"], os.getpid(), "owner of what came later")
            front.wait_ticks(2)
            row = front.find("udp", (HERE, 3080), (THERE, 3079))
            tap.equal((row["pid"], row["owner_missing"]), (0, wt.GONE), "owner of what came before")


@tap.case("a socket that is bound to a device owns what it answers, and not what it may not have had")
def of_device():
    with wt.front() as front, receiver(3090, "here81"), receiver(3091, "here80") as right:
        front.wait_ticks(2)
        for port in (3090, 3091):
            send(HERE, UDP, udp(3089, port), network.far)
            expect(front, wt.IN, UDP, HERE, THERE, received=32, ports=(port, 3089))
        front.wait_ticks(2)
        for port in (3090, 3091):
            row = front.find("udp", (HERE, port), (THERE, 3089))
            tap.equal((row["pid"], row["owner_missing"]), (0, wt.NOT_FOUND), f"owner at port {port}")
        right.sendto(b"answered", right.recvfrom(100)[1])
        row = front.wait(lambda front: (row := front.find("udp", (HERE, 3091), (THERE, 3089))) and row["pid"] and row,
                         "an owner of what was answered")
        tap.equal(row["pid"], os.getpid(), "owner of what was answered")


@tap.case("redirected to a program of our own: both of its ends are here, each with its owner")
def redirected():
    network.translate({"output": f"ip daddr {THERE} tcp dport 2090 redirect to 2091"})
    with wt.front() as front, \
         wt.traffic(f"server=*,port=2091,to={THERE}@2090,up=300,down=400") as traffic:
        truth, = traffic.truth
        for side in ("client", "server"):
            row = front.wait(lambda front: front.row_of(truth, side), f"the row of the {side}")
            front.wait_ticks(2)
            tap.equal(row["direction"], wt.LOCAL, f"direction of the {side}")
            wt.check_conntrack_bytes(row, truth, side)
            wt.check_owner(row, truth, side)
        client = front.row_of(truth, "client")
        tap.equal((client["remote"], client["remote_port"], client["nat_remote_port"]), (THERE, 2090, 2091), "where to")
    network.translate({})


@tap.case("zones and marks: the same addresses twice are two rows, each with its own bytes")
def zones():
    wt.run("nft 'table inet zones { chain early { type filter hook output priority -300;"
           " meta mark 7 ct zone set 7; meta mark 8 ct zone set 8; }"
           " ; chain late { type filter hook output priority 10; meta mark 7 ct mark set 0xca6c; }; }'")
    with wt.front() as front, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((HERE, 2070))
        for mark, count in ((7, 3), (0, 2), (8, 1)):
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
            for _ in range(count):
                sender.sendto(b"what", ("10.80.0.9", 2071))
        rows = front.wait(lambda front: len(found := rows_of(front, UDP, HERE, "10.80.0.9", (2070, 2071))) == 3 and found,
                          "three rows")
        front.wait_ticks(3)
        tap.equal({row["zone"]: row["tx_bytes"] for row in rows}, {7: 96, 0: 64, 8: 32}, "bytes by zone")
        tap.equal({row["zone"]: row["mark"] for row in rows}, {7: 0xca6c, 0: 0, 8: 0}, "marks by zone")
        tap.equal({row["direction"] for row in rows}, {wt.OUT}, "directions")
        subprocess.run(["conntrack", "-D", "-p", "udp", "--sport", "2070", "--zone", "7"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        front.wait(lambda front: [row["zone"] for row in rows if row["change"] == "ended" or row["state"] == wt.CLOSED] == [7],
                   "only the one of zone 7 to end")
    wt.run("nft delete table inet zones")


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
network.track()
network.account()
tap.run(cleanup=network.close)
