#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what the kernel says of connections of every kind: the messages of tests/unit/capture/conntrack-messages.txt.

Run as root; makes two network namespaces of its own with documentation addresses. One message is two lines: what it
is, and its bytes in hexadecimal digits."""
import os
import socket
import struct
import subprocess
import sys
import time

import packets

NETFILTER, SUBSYSTEM = 12, 1
NEW, GET, DELETE = 0, 1, 2
PEER = f"peer-{os.getpid()}"
HERE, THERE, OTHER = "192.0.2.1", "192.0.2.2", "198.51.100.9"
HERE6, THERE6 = "2001:db8::1", "2001:db8::2"

RULES = """
table inet track {
  chain early { type filter hook output priority -300;
    udp dport 1005 ct zone set 5; udp dport 1006 ct original zone set 6; udp dport 1007 ct reply zone set 65535; }
  chain out { type filter hook output priority 0; udp dport 1008 ct mark set 0xdeadbeef; ct state new accept; }
  chain in { type filter hook input priority 0; ct state new accept; }
  chain to { type nat hook output priority -100; ip daddr 198.51.100.9 tcp dport 80 dnat ip to 192.0.2.2:8080; }
  chain from { type nat hook postrouting priority 100; udp dport 1009 snat ip to 192.0.2.1:40009; }
}
"""


def run(command, text=None):
    subprocess.run(command, shell=True, check=True, input=text, text=True, stdin=None if text else subprocess.DEVNULL)


def lay_out():
    """This process moves into an empty network with one neighbour."""
    os.unshare(os.CLONE_NEWNET)
    run(f"ip link set lo up; ip netns add {PEER}; ip link add here type veth peer name there netns {PEER};"
        f"ip address add {HERE}/24 dev here; ip address add {HERE6}/64 dev here nodad; ip link set here up;"
        f"ip -n {PEER} address add {THERE}/24 dev there; ip -n {PEER} address add {THERE6}/64 dev there nodad;"
        f"ip -n {PEER} link set there up; ip -n {PEER} link set lo up; ip route add default via {THERE}")
    run("nft -f -", RULES)
    with open("/proc/sys/net/netfilter/nf_conntrack_acct", "w") as acct:
        acct.write("1")


def listen(groups):
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
    made.bind((0, groups))
    made.setblocking(False)
    return made


def messages(netlink):
    """All that is queued, message by message."""
    while True:
        try:
            data = netlink.recv(1 << 16)
        except BlockingIOError:
            return
        while len(data) >= 16:
            size = struct.unpack_from("=I", data)[0]
            yield data[:size]
            data = data[size + 3 & ~3:]


def dump(netlink):
    """The whole table."""
    netlink.send(struct.pack("=IHHIIBBH", 20, SUBSYSTEM << 8 | GET, 0x301, 1, 0, socket.AF_UNSPEC, 0, 0))
    time.sleep(0.1)
    for message in messages(netlink):
        if struct.unpack_from("=H", message, 4)[0] >> 8 == SUBSYSTEM:
            yield message


def raw(family, protocol, address, data):
    with socket.socket(family, socket.SOCK_RAW, protocol) as sender:
        sender.sendto(data, (address, 0))


def udp(address, port, source=0, data=b"what"):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("", source))
        sender.sendto(data, (address, port))


def in_peer(program):
    """A Python program over there, running."""
    return subprocess.Popen(["ip", "netns", "exec", PEER, sys.executable, "-c", program], stdout=subprocess.PIPE)


def tcp(address, port, listening):
    """A connection that moves 1000 bytes there and none back, and stays open until what is returned is closed."""
    family = "AF_INET6" if ":" in address else "AF_INET"
    server = in_peer(f"import socket, sys; s = socket.socket(socket.{family}); s.bind(('', {listening})); s.listen();"
                     "print(flush=True); c = s.accept()[0]; c.recv(1000, socket.MSG_WAITALL); c.recv(1)")
    server.stdout.readline()
    client = socket.create_connection((address, port))
    client.sendall(bytes(1000))
    time.sleep(0.1)
    return client


def dccp():
    """A request (RFC 4340, section 5); the checksum is not looked at on the way out."""
    return struct.pack("!HHBBHBBHII", 1000, 2000, 7, 0, 0, 1, 0, 0, 1, 42) + bytes(4)


# What is done, in this order: name, and how.
SCENES = [
    ("tcp", lambda: tcp(THERE, 80, 80)),
    ("tcp6", lambda: tcp(THERE6, 81, 81)),
    ("tcp-dnat", lambda: tcp(OTHER, 80, 8080)),
    ("udp", lambda: udp(THERE, 1000, 2000)),
    ("udp6", lambda: udp(THERE6, 1000, 2000)),
    ("udp-zone", lambda: udp(THERE, 1005, 2000)),
    ("udp-zone-orig", lambda: udp(THERE, 1006, 2000)),
    ("udp-zone-reply", lambda: udp(THERE, 1007, 2000)),
    ("udp-mark", lambda: udp(THERE, 1008, 2000)),
    ("udp-snat", lambda: udp(THERE, 1009, 2000)),
    ("udp-multicast", lambda: udp("224.0.0.251", 5353, 5353)),
    ("udplite", lambda: raw(socket.AF_INET, 136, THERE, struct.pack("!HHHH", 2000, 1000, 8, 1))),
    ("sctp", lambda: raw(socket.AF_INET, 132, THERE, packets.sctp(2000, 1000))),
    ("dccp", lambda: raw(socket.AF_INET, 33, THERE, dccp())),
    ("icmp-echo", lambda: raw(socket.AF_INET, 1, THERE, packets.echo(8, 777))),
    ("icmp-timestamp", lambda: raw(socket.AF_INET, 1, THERE, packets.echo(13, 777))),
    ("icmp6-echo", lambda: raw(socket.AF_INET6, 58, THERE6, packets.echo(128, 778))),
    ("gre", lambda: raw(socket.AF_INET, 47, THERE, struct.pack("!HH", 0, 0x0800) + bytes(20))),
    ("esp", lambda: raw(socket.AF_INET, 50, THERE, struct.pack("!II", 0x1000, 1) + bytes(24))),
    ("esp6", lambda: raw(socket.AF_INET6, 50, THERE6, struct.pack("!II", 0x1000, 1) + bytes(24))),
    ("ospf", lambda: raw(socket.AF_INET, 89, "224.0.0.5", bytes(24))),
]


def main():
    lay_out()
    table = listen(0)
    kept = []

    def show(name, source):
        for message in source:
            kind = struct.unpack_from("=H", message, 4)[0] & 255
            print(f"# {name} {'destroyed' if kind == DELETE else 'new'}\n{message.hex()}")

    events = listen(1 | 4)
    # So that no neighbour discovery comes in between.
    udp(THERE, 9)
    udp(THERE6, 9)
    time.sleep(0.3)
    list(messages(events))
    for name, act in SCENES:
        known = {bytes(key) for key in map(key_of, dump(table))}
        try:
            kept.append(act())
        except OSError as error:
            sys.exit(f"{name}: {error}")
        time.sleep(0.05)
        show(f"{name} event", messages(events))
        show(f"{name} entry", (message for message in dump(table) if bytes(key_of(message)) not in known))
    run("conntrack -F")
    time.sleep(0.1)
    show("flushed event", messages(events))
    run(f"ip netns del {PEER}")


def key_of(message):
    """The original tuple with its header: the first attribute."""
    return message[20:20 + struct.unpack_from("=H", message, 20)[0]]


main()
