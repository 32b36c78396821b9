#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job in a real window: open, see, unlock, export; and what the full view's processes are.

Traffic is made by two people and known to the byte.
"""
import pathlib

import stage
import buses
import processes
import tables
import tap
from application import FULL, LIMITED, UNLOCK
from traffic import tcp, udp

STAGE = stage.build()
# What is looked at here is what is given up otherwise, some seconds after the start.
STAGE.configure("[confinement]\nkeep_capabilities = yes\n")
TRAFFIC = STAGE.traffic
# A header of IP and one of the transport for each packet: what conntrack counts beside the payload.
UDP_HEADERS = {4: 28, 6: 48}
TCP_HEADERS_MAX = {4: 80, 6: 100}
# What one segment that is sent again can add.
ETHERNET = 1500


def make_traffic():
    """Flows of two people, TCP and UDP, IPv4 and IPv6, connected and not, that stay open."""
    TRAFFIC.talk("tester", "web-browser",
                 tcp("198.51.100.7", 443, (2_000, 3_000_000)), tcp("2001:db8:1::7", 443, (900_000, 20_000)),
                 udp("198.51.100.53", 53, *[(60, 220)] * 7), udp("2001:db8:2::9", 3478, *[(900, 700)] * 30))
    TRAFFIC.talk("tester", "sync", tcp("203.0.113.20", 8443, *[(50_000, 4_000)] * 12),
                 udp("203.0.113.21", 6881, *[(300, 1_000)] * 15, connect=False))
    TRAFFIC.talk("other", "others-mail", tcp("198.51.100.25", 993, (700, 1_200_000)),
                 tcp("2001:db8:1::25", 993, (4_000, 64_000)),
                 udp("198.51.100.99", 51820, *[(1_100, 1_150)] * 40))


def full_view():
    """Weir in the full view: the one that runs, or a fresh one."""
    STAGE.polkit.decide("yes")
    application = STAGE.application or STAGE.start()
    if application.view() != FULL:
        application.wait_view(LIMITED)
        application.unlock_and_wait()
    return application


make_traffic()


@tap.case("an unprivileged person starts Weir and sees TCP flows with their bytes")
def _():
    application = STAGE.start()
    application.wait_view(LIMITED)
    row = application.wait_row("198.51.100.7", "TCP")
    tap.check(any("3" in cell and "MB" in cell for cell in row), f"three megabytes in {row}")
    application.wait_row("web-browser", "2001:db8:1::7")
    tap.check(application.limited_engine(), "an engine")
    tap.equal(processes.elevated(STAGE.tester.pw_uid), [], "engines that are not the tester's")


@tap.case("the first frame and the first rows come, and Weir says when")
def _():
    application = STAGE.application or STAGE.start()
    tap.wait_for(lambda: application.milliseconds("first rows"), "the time of the first rows")
    for what in ("first frame", "first rows"):
        tap.check(0 < application.milliseconds(what) < 60_000, f"the time of the {what}")
        tap.diagnose(f"{what}: {application.milliseconds(what)} ms")


@tap.case("one click and a rule that says yes: UDP flows and another person's appear, with their owners")
def _():
    application = full_view()
    application.wait_row("198.51.100.53", "UDP", "web-browser")
    application.wait_row("198.51.100.99", "UDP", "others-mail")
    application.wait_row("198.51.100.25", "TCP", "others-mail")


@tap.case("meter: no right at all; keeper: NET_ADMIN; looker: SYS_PTRACE and DAC_READ_SEARCH, no netlink")
def _():
    application = full_view()
    parts = application.full_engine()
    tap.check(parts, "the three processes")
    for role, pid in parts.items():
        expected = processes.ROLES[role]
        found = processes.capabilities(pid)
        tap.equal(found["CapEff"], expected, f"CapEff of the {role}")
        tap.equal(found["CapPrm"], expected, f"CapPrm of the {role}")
        tap.equal((found["CapInh"], found["CapAmb"]), (0, 0), f"CapInh and CapAmb of the {role}")
        tap.check(found["CapBnd"] & ~expected == 0, f"CapBnd of the {role}: {found['CapBnd']:x}")
        state = processes.status(pid)
        tap.equal(state["NoNewPrivs"], "1", f"NoNewPrivs of the {role}")
        tap.equal(state["Groups"], "", f"groups of the {role}")
        tap.check(not {0, STAGE.tester.pw_uid} & set(processes.uids(pid)), f"uids of the {role}")
        tap.equal(len(set(processes.uids(pid))), 1, f"different uids of the {role}")
    meter, keeper, looker = (parts[role] for role in ("meter", "keeper", "looker"))
    tap.equal(processes.capabilities(meter)["CapBnd"], 0, "CapBnd of the meter")
    tap.check(processes.uids(meter) != processes.uids(looker), "the meter has a uid of its own")

    def netlink(pid):
        # Where the sockets were opened; each process of the engine is in an empty network by now.
        known = processes.netlink_inodes(application.pid)
        sockets = [leads_to for leads_to in processes.descriptors(pid).values() if leads_to.startswith("socket:[")]
        return [name for name in sockets if int(name[8:-1]) in known]
    tap.check(netlink(meter), "the meter has netlink sockets: the question is asked rightly")
    tap.equal(len(netlink(keeper)), 1, "netlink sockets of the keeper")
    tap.equal(netlink(looker), [], "netlink sockets of the looker")


@tap.case("the exported CSV equals what was truly sent, flow by flow, and names every owner")
def _():
    application = full_view()
    file = pathlib.Path("/home/tester/flows.csv")
    application.export(file)
    rows = tables.read(file)
    truth = TRAFFIC.truth()
    tap.check(len(truth) >= 9, "enough flows to compare")
    again = dict(zip(("sent", "received"), STAGE.network.retransmitted()))
    for flow in truth:
        row = tables.flow_row(rows, flow)
        kernel = tables.tracked(flow)
        family = 6 if ":" in flow["remote"] else 4
        for direction in ("sent", "received"):
            payload, found = flow[direction], int(row[f"{direction}_bytes"])
            packets, counted = kernel[direction]
            what = f"bytes {direction} by {flow['comm']} to {flow['remote']}: payload {payload}, {packets} packets"
            tap.equal(found, counted, what)
            if flow["protocol"] == "udp":
                tap.equal(packets, flow[f"{direction}_packets"], f"datagrams, {what}")
                tap.equal(found, payload + packets * UDP_HEADERS[family], what)
            else:
                overhead = packets * TCP_HEADERS_MAX[family] + again[direction] * ETHERNET
                tap.check(payload <= found <= payload * 1.01 + overhead, f"{what}, found {found}")
        tap.equal((row["process"], int(row["pid"]), row["user"]), (flow["comm"], flow["pid"], flow["user"]),
                  f"owner of the flow to {flow['remote']}")


@tap.case("what elevates is not offered on the session bus")
def _():
    application = full_view()
    names = buses.exported_actions(STAGE.machine, application.pid)
    tap.check(names, "some actions are exported: the question is asked rightly")
    tap.equal([name for name in names if "unlock" in name.lower() or "full" in name.lower()], [], "elevating actions")


@tap.case("returning to the limited view ends every process of the full one")
def _():
    application = full_view()
    application.open_view_popover().press()
    application.wait_view(LIMITED)
    tap.wait_for(lambda: not processes.elevated(STAGE.tester.pw_uid), "the end of the full engine", 5)
    application.wait_row("198.51.100.7", "TCP")
    tap.check(application.open_view_popover().name == UNLOCK, "the full view can be asked for again")
    STAGE.stop()


STAGE.run()
