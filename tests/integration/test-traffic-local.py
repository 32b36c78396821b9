#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic inside one machine, known to the byte: both ends have a row, an owner and the same figures."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

FLOWS = (
    "protocol=tcp,server=127.0.0.1,up=1000000,down=50000,chunk=8000,rate=4000000",
    "protocol=tcp,server=::1,up=20000,down=700000,chunk=8000,rate=4000000,client-name=six",
    "protocol=tcp,server=**,to=127.0.0.1,up=12345,down=54321,client-uid=1000,server-name=both",
    "protocol=tcp,server=**,to=::ffff:127.0.0.1,up=1,down=2,client-uid=1001",
    "protocol=tcp,server=*,to=10.80.0.1,up=4321,down=1234",
    "protocol=udp,server=127.0.0.1,up=100000,down=3000",
    "protocol=udp,server=::1,up=777,down=100000,connected=0",
    "protocol=udp,server=**,to=::ffff:127.0.0.1,up=4000,down=4000,client-uid=1000",
    "protocol=udp,server=**,to=127.0.0.1,up=5000,connected=0,server-uid=1001",
    "protocol=udp,server=*,to=10.81.0.1,down=5000",
)


def both_sides(traffic):
    return [(truth, side) for truth in traffic.truth for side in ("client", "server")]


def all_rows(traffic, condition=lambda flow: True):
    return lambda front: all((flow := front.row_of(truth, side)) and condition(flow)
                             for truth, side in both_sides(traffic))


@tap.case("full view, accounting on: bytes, owners and ends of every flow")
def full_view():
    network.account()
    with wt.front(uid=weirtest.USER) as front:
        tap.equal(front.sources[wt.CONNTRACK]["state"], wt.ACTIVE, f"conntrack {front.sources}")
        with wt.traffic(*FLOWS) as traffic:
            front.wait(all_rows(traffic), "a row for each end")
            front.wait_ticks(2)
            for truth, side in both_sides(traffic):
                flow = front.row_of(truth, side)
                wt.check_conntrack_bytes(flow, truth, side)
                wt.check_owner(flow, truth, side)
                tap.equal(flow["direction"], wt.LOCAL, "direction")
                tap.equal(flow["state"], wt.OPEN, "state")
                tap.equal(flow["family"], truth["family"], "family")
                exact = truth["protocol"] == "tcp" or side == "client" and \
                    truth["client"]["address"] not in ("::", "0.0.0.0")
                tap.equal(flow["owner_how"], wt.TUPLE if exact else wt.LISTENER, f"how of {flow}")
        front.wait(all_rows(traffic, lambda flow: flow["state"] == wt.CLOSED), "closed rows")
        for truth, side in both_sides(traffic):
            flow = front.row_of(truth, side)
            wt.check_conntrack_bytes(flow, truth, side)
            wt.check_owner(flow, truth, side)


@tap.case("full view, accounting on: what the rates add up to is what was sent")
def rates():
    network.account()
    # Slow enough that a busy machine reads connections at every tick: a rate is one of the time since then.
    with wt.front(interval=500) as front, \
            wt.traffic("server=127.0.0.1,up=900000,down=450000,rate=300000",
                       "protocol=udp,server=::1,up=150000,down=150000,rate=60000") as traffic:
        front.wait(all_rows(traffic, lambda flow: flow.get("rx_rate") == flow.get("tx_rate") == 0), "silence")
        front.wait_ticks(1)
        for truth, side in both_sides(traffic):
            flow = front.row_of(truth, side)
            seen = [line for line in front.history if line["id"] == flow["id"] and "rx_rate" in line]
            tap.check(len(seen) > 3, f"only {len(seen)} readings of a flow that moved for a second")
            for direction in ("rx", "tx"):
                total = sum(line[f"{direction}_rate"] * front.ticks[line["tick"]]["interval"] / 1e9
                            for line in seen)
                # Sources are read at slightly different moments than ticks are made.
                tap.check(abs(total - flow[f"{direction}_bytes"]) <= 0.05 * flow[f"{direction}_bytes"],
                          f"{direction}: rates add up to {total}, {flow[f'{direction}_bytes']} bytes were seen")


@tap.case("limited view: TCP payload to the byte, who opened it, and what may not be known is said")
def limited_view():
    with wt.front(uid=weirtest.USER, elevated=False) as front:
        found = {number: (source["state"], source["reason"]) for number, source in front.sources.items()}
        tap.equal(found, {wt.SOCKDIAG: (wt.ACTIVE, 0), wt.CONNTRACK: (wt.UNAVAILABLE, wt.NEEDS_FULL_VIEW),
                          wt.BPF: (wt.UNAVAILABLE, wt.CONFIG), wt.INTERFACES: (wt.ACTIVE, 0),
                          wt.OWNERS: (wt.DEGRADED, wt.OWN_PROCESSES_ONLY),
                          wt.NAMES: (wt.UNAVAILABLE, wt.NOT_BUILT)}, "sources")
        tcp = [flow for flow in FLOWS if "protocol=tcp" in flow]
        with wt.traffic(*tcp, "protocol=udp,server=127.0.0.1,up=10,client-uid=1000",
                        "protocol=tcp,server=10.80.0.2,server-netns=" + network.far + ",up=30000,down=20000",
                        "protocol=tcp,server=10.80.0.1,client-netns=" + network.far + ",up=100,down=200") as traffic:
            front.wait_ticks(3)
            for truth, side in both_sides(traffic):
                flow = front.row_of(truth, side)
                if truth["protocol"] == "udp":
                    if side == "client":
                        tap.check("rx_bytes" not in flow, f"bytes of a UDP flow that nobody counted: {flow}")
                        wt.check_owner(flow, truth, side)
                    continue
                if truth[side]["netns"] != traffic.truth[0]["client"]["netns"]:
                    tap.equal(flow, None, "a row for the other namespace")
                    continue
                end, other = truth[side], truth["server" if side == "client" else "client"]
                tap.equal((flow["bytes_source"], flow["rx_bytes"], flow["tx_bytes"]),
                          (wt.SOCKDIAG, end["received"], end["sent"]), f"bytes of {flow}")
                tap.check("rx_packets" not in flow and "rtt_us" in flow, f"packets or RTT of {flow}")
                tap.equal(flow.get("uid"), end["uid"], "uid")
                if end["netns"] != other["netns"]:
                    tap.equal(flow["direction"], wt.OUT if side == "client" else wt.IN, f"direction of {flow}")
                else:
                    tap.equal(flow["direction"], wt.LOCAL, "direction")
                if end["uid"] == weirtest.USER:
                    wt.check_owner(flow, truth, side)
                else:
                    tap.equal((flow["pid"], flow["owner_missing"]), (0, wt.OTHER_USER), f"owner of {flow}")
        front.wait_ticks(4)
        for truth, side in both_sides(traffic):
            # What a destroyed socket had received may include its peer's FIN, which counts as a byte.
            flow = front.row_of(truth, side, alive=False)
            if flow and truth["protocol"] == "tcp":
                end = truth[side]
                tap.equal((flow["rx_bytes"], flow["tx_bytes"]), (end["received"], end["sent"]),
                          f"last figures of {flow}")
                tap.equal(flow["state"], wt.CLOSED, "state")


@tap.case("accounting off: flows are known, their bytes are TCP's or absent, and the source says so")
def accounting_off():
    network.account(False)
    with wt.front() as front:
        tap.equal((front.sources[wt.CONNTRACK]["state"], front.sources[wt.CONNTRACK]["reason"]),
                  (wt.DEGRADED, wt.ACCOUNTING_OFF), "conntrack")
        with wt.traffic(*FLOWS) as traffic:
            front.wait(all_rows(traffic), "a row for each end")
            front.wait_ticks(2)
            for truth, side in both_sides(traffic):
                flow = front.row_of(truth, side)
                wt.check_owner(flow, truth, side)
                if truth["protocol"] == "udp":
                    tap.check("rx_bytes" not in flow, f"bytes that nobody counted: {flow}")
                else:
                    tap.equal((flow["bytes_source"], flow["rx_bytes"], flow["tx_bytes"]),
                              (wt.SOCKDIAG, truth[side]["received"], truth[side]["sent"]), f"bytes of {flow}")
        network.account()
        front.wait(lambda front: front.sources[wt.CONNTRACK]["state"] == wt.ACTIVE, "the source to recover")


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
network.track()
tap.run(cleanup=network.close)
