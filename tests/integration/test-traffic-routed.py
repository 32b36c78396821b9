#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic with other machines, through translation and past us: direction, ends and bytes of each row."""
import pathlib
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

HERE, THERE, INSIDE = "10.80.0.1", "10.80.0.2", "10.81.0.2"


def rows_seen(traffic, side):
    return lambda front: all(front.row_of(truth, side) for truth in traffic.truth)


def nat_of(flow):
    """Both ends as the other side of the translation sees them."""
    if "nat_local" not in flow:
        return None
    return (flow["nat_local"], flow["nat_local_port"]), (flow["nat_remote"], flow["nat_remote_port"])


def end(truth, side):
    return truth[side]["address"], truth[side]["port"]


@tap.case("own flows with another machine: who opened them, bytes and owners")
def direct():
    network.translate({})
    with wt.front(uid=weirtest.USER) as front:
        with wt.traffic(
                f"server={THERE},server-netns={network.far},up=100000,down=40000,rate=2000000",
                f"server=fd80::2,server-netns={network.far},up=5000,down=90000,rate=2000000",
                f"server=**,to=::ffff:{THERE},server-netns={network.far},up=777,down=1",
                f"protocol=udp,server={THERE},server-netns={network.far},up=20000,down=1000",
                f"protocol=udp,server=fd80::2,server-netns={network.far},up=3000,down=3000,connected=0") as out, \
             wt.traffic(
                f"server=*,to={HERE},client-netns={network.far},up=30000,down=50000,rate=2000000",
                f"server=**,to=fd80::1,client-netns={network.far},up=1000,down=2000",
                f"server=**,to={HERE},client-netns={network.far},up=10,down=20",
                f"protocol=udp,server={HERE},client-netns={network.far},up=5000,down=2000",
                f"protocol=udp,server=**,to=fd80::1,client-netns={network.far},up=2000,down=2000") as into:
            front.wait(rows_seen(out, "client"), "rows out")
            front.wait(rows_seen(into, "server"), "rows in")
            front.wait_ticks(2)
            for traffic, side, direction in ((out, "client", wt.OUT), (into, "server", wt.IN)):
                for truth in traffic.truth:
                    flow = front.row_of(truth, side)
                    tap.equal(flow["direction"], direction, f"direction of {flow}")
                    wt.check_conntrack_bytes(flow, truth, side)
                    wt.check_owner(flow, truth, side)
                    tap.equal(nat_of(flow), None, "translation")
            tap.equal(len([flow for flow in front.flows.values() if flow["protocol"] in (6, 17)]), 10, "rows")


@tap.case("forwarded and masqueraded: one row without an owner, both faces of the translation")
def forwarded():
    network.translate({"postrouting": "oifname here80 masquerade"})
    with wt.front() as front:
        with wt.traffic(*(
                f"protocol={protocol},server={address},server-netns={network.far},client-netns={network.inside},"
                f"up=40000,down=9000,rate=2000000" for protocol in ("tcp", "udp") for address in (THERE, "fd80::2"))) as traffic:
            front.wait(rows_seen(traffic, "client"), "rows")
            # The tick that runs may have been read before the last datagram.
            front.wait_ticks(2)
            for truth in traffic.truth:
                flow = front.row_of(truth, "client")
                tap.equal(flow["direction"], wt.FORWARDED, "direction")
                # The far end sees a translated address, the near one what the row says.
                front.wait(lambda front: flow["owner_missing"] == wt.OTHER_NAMESPACE, "the namespace's claim")
                tap.equal(flow["pid"], 0, "owner")
                tap.check("uid" not in flow, f"a user of a flow that passes through: {flow}")
                wt.check_conntrack_bytes(flow, truth, "client")
                outside = tuple(truth["server"]["peer"])
                tap.equal(outside[0], HERE if truth["family"] == 4 else "fd80::1", "what the far end sees")
                tap.equal(nat_of(flow), (outside, end(truth, "server")), "translation")
                tap.equal(front.find(truth["protocol"], outside, end(truth, "server")), None, "a second row")


@tap.case("forwarded to a translated destination")
def forwarded_destination():
    network.translate({"prerouting": f"iifname here80 tcp dport 8080 dnat ip to {INSIDE}:80"})
    with wt.front() as front:
        with wt.traffic(f"server={INSIDE},port=80,to={HERE}@8080,server-netns={network.inside},"
                        f"client-netns={network.far},up=20000,down=30000,rate=2000000") as traffic:
            front.wait(rows_seen(traffic, "client"), "a row")
            # The tick that runs may have been read before the last datagram.
            front.wait_ticks(2)
            truth, = traffic.truth
            flow = front.row_of(truth, "client")
            tap.equal(flow["direction"], wt.FORWARDED, "direction")
            wt.check_conntrack_bytes(flow, truth, "client")
            tap.equal(nat_of(flow), (end(truth, "client"), (INSIDE, 80)), "translation")


@tap.case("own flows behind a translation: the row is what the socket sees, with its owner")
def own_translated():
    network.translate({"output": f"ip daddr 10.80.0.9 tcp dport 9 dnat ip to {THERE}:99",
                       "prerouting": "iifname here80 tcp dport 7 redirect to 77",
                       "postrouting": f"oifname here80 udp dport 99 snat ip to {HERE}:4000"})
    with wt.front(uid=weirtest.USER) as front:
        with wt.traffic(f"server={THERE},port=99,to=10.80.0.9@9,server-netns={network.far},up=3000,down=4000") as out, \
             wt.traffic(f"server=*,port=77,to={HERE}@7,client-netns={network.far},up=500,down=600") as into, \
             wt.traffic(f"protocol=udp,server={THERE},port=99,server-netns={network.far},up=5000,down=100") as source:
            front.wait(rows_seen(out, "client"), "the row out")
            front.wait(rows_seen(into, "server"), "the row in")
            front.wait(rows_seen(source, "client"), "the row with another source")
            front.wait_ticks(2)

            flow = front.row_of(out.truth[0], "client")
            tap.equal((flow["remote"], flow["remote_port"], flow["direction"]), ("10.80.0.9", 9, wt.OUT), "the row out")
            tap.equal(nat_of(flow), (end(out.truth[0], "client"), (THERE, 99)), "translation of the row out")

            arrived = front.row_of(into.truth[0], "server")
            tap.equal((arrived["local_port"], arrived["direction"]), (77, wt.IN), "the row in")
            tap.equal(nat_of(arrived), ((HERE, 7), end(into.truth[0], "client")), "translation of the row in")

            sent = front.row_of(source.truth[0], "client")
            tap.equal(nat_of(sent), ((HERE, 4000), (THERE, 99)), "translation of the source")
            for row, traffic, side in ((flow, out, "client"), (arrived, into, "server"), (sent, source, "client")):
                wt.check_conntrack_bytes(row, traffic.truth[0], side)
                wt.check_owner(row, traffic.truth[0], side)


@tap.case("ICMP: a row without ports and without an owner, each run of ping its own")
def icmp():
    network.translate({})
    with wt.front() as front:
        # An echo request of 8 bytes and 16 of payload, by hand: ping(8) is not installed everywhere.
        program = ("import socket, struct, sys\n"
                   "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)\n"
                   "def total(data):\n"
                   "    value = sum(struct.unpack(f'!{len(data) // 2}H', data))\n"
                   "    value = (value >> 16) + (value & 65535)\n"
                   "    return ~(value + (value >> 16)) & 65535\n"
                   "for number in (1, 1, 2):\n"
                   "    head = lambda check: struct.pack('!BBHHH', 8, 0, check, number, 1)\n"
                   f"    s.sendto(head(total(head(0) + bytes(16))) + bytes(16), ('{THERE}', 0))\n"
                   "    s.recv(100)\n")
        subprocess.run([sys.executable, "-c", program], check=True)
        # What is announced has no bytes before the table is read.
        rows = front.wait(lambda front: len(found := [flow for flow in front.flows.values() if flow["protocol"] == 1 and
                                                      "tx_bytes" in flow]) == 2 and found, "two rows")
        front.wait_ticks(2)
        for flow in rows:
            tap.equal((flow["local"], flow["local_port"], flow["remote"], flow["remote_port"]),
                      (HERE, 0, THERE, 0), "ends")
            tap.equal((flow["direction"], flow["owner_missing"], flow["pid"]), (wt.OUT, wt.NOT_FOUND, 0), "owner")
        tap.equal(sorted(flow["tx_bytes"] for flow in rows), [44, 88], "bytes sent")
        tap.equal(sorted(flow["rx_bytes"] for flow in rows), [44, 88], "bytes received")


@tap.case("interfaces: counters grow with the traffic, and only the doors to other machines count")
def interfaces():
    with wt.front() as front:
        front.wait(lambda front: "here80" in front.interfaces, "interfaces")
        counted = {name for name, interface in front.interfaces.items() if interface["flags"] & 4}
        tap.equal(counted, {"here80", "here81"}, "interfaces that count")
        tap.equal({address["address"] for address in front.interfaces["here80"]["addresses"]} >= {HERE, "fd80::1"},
                  True, "addresses")
        before = front.interfaces["here80"]["tx_bytes"]
        with wt.traffic(f"protocol=udp,server={THERE},server-netns={network.far},up=100000"):
            front.wait_ticks(3)
            sent = front.interfaces["here80"]["tx_bytes"] - before
            # 100 datagrams with 28 bytes of IP and UDP and 14 of Ethernet each, and some neighbour discovery.
            tap.check(104200 <= sent <= 106000, f"{sent} bytes counted for 104200")


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
network.track()
network.account()
tap.run(cleanup=network.close)
