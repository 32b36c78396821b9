#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the full view watch real traffic for a while and prints what that costs its processes.

    soak.py [--minutes N]       default 10

In a network of its own: connections that come and go, datagrams, flows that are translated and
forwarded, interfaces and processes that appear and disappear.  Once a minute the resident memory, the
descriptors and the processor time of every process of the engine are noted.  The engine runs as it
always does, under filters that kill at the first system call that is not on their lists: a process
that is missing in the end, or another than at the beginning, is a failure.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

tests = pathlib.Path(__file__).resolve().parents[1] / "tests"
sys.path[:0] = [str(tests / "integration"), str(tests / "e2e")]

# pylint: disable=wrong-import-position
import processes  # noqa: E402
import weirtraffic  # noqa: E402

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAUSE = 0.05
ROUTED = ("protocol=tcp,server=10.80.0.2,client-netns={inside},server-netns={far},up=20000,down=20000",
          "protocol=udp,server=10.80.0.2,client-netns={inside},server-netns={far},up=4000,down=4000")


class Churn(threading.Thread):
    """Connects to itself, over and over, by TCP and UDP, in both families."""

    def __init__(self):
        super().__init__(daemon=True)
        self.wanted, self.rounds = True, 0

    def exchange(self, family, address):
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.bind((address, 0))
            server.listen()
            with socket.create_connection(server.getsockname()[:2], 5) as client:
                with server.accept()[0] as served:
                    client.sendall(b"x" * 3000)
                    served.sendall(b"y" * 5000)
                    client.recv(5000)
        with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as other:
            one.bind((address, 0))
            other.sendto(b"z" * 400, one.getsockname()[:2])

    def run(self):
        while self.wanted:
            self.exchange(socket.AF_INET, "127.0.0.1")
            self.exchange(socket.AF_INET6, "::1")
            self.rounds += 1
            time.sleep(PAUSE)


def reader_of(stream, counts):
    """Counts the lines of the stream, each of which must be a JSON object."""
    for line in stream:
        json.loads(line)
        counts["lines"] += 1


def sample(pids):
    """Resident memory in KiB, descriptors, seconds of processor time."""
    found = {}
    for pid in pids:
        state = processes.status(pid)
        if state is None or "VmRSS" not in state:
            continue
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = fields.rpartition(")")[2].split()
        found[pid] = (int(state["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")),
                      (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND)
    return found


def print_sample(minute, found, names):
    """One line a process."""
    for pid, (memory, descriptors, cpu) in found.items():
        print(f"{minute:7} {names[pid]:10} {memory:10} {descriptors:12} {cpu:10.2f}", flush=True)


def wait_for_engine():
    """The engine's processes, when it serves."""
    end = time.monotonic() + 20
    while len(found := processes.full_engine(0)) < len(processes.ROLES):
        if time.monotonic() > end:
            sys.exit(f"soak: no full engine after 20 s, only {found}")
        time.sleep(0.1)
    time.sleep(1)
    return processes.engines()


def soak(minutes, network):
    """Whether every process was there to the end."""
    counts = {"lines": 0}
    with subprocess.Popen(["weir-cli", "stream", "--full", "--interval", "1s"], text=True,
                          stdout=subprocess.PIPE) as front:
        threading.Thread(target=reader_of, args=(front.stdout, counts), daemon=True).start()
        pids = wait_for_engine()
        names = {pid: next((role for role, bits in processes.ROLES.items()
                            if processes.capabilities(pid)["CapEff"] == bits), "?") for pid in pids}
        churn = Churn()
        churn.start()
        print(f"{'minute':>7} {'process':10} {'RSS (KiB)':>10} {'descriptors':>12} {'CPU (s)':>10}")
        print_sample(0, sample(pids), names)
        began = time.monotonic()
        for minute in range(1, minutes + 1):
            while time.monotonic() < began + 60 * minute:
                words = [word.format(inside=network.inside, far=network.far) for word in ROUTED]
                with weirtraffic.traffic(*words):
                    time.sleep(1)
                weirtraffic.run("ip link add come type veth peer name go; ip link set come up; ip link del come")
                time.sleep(5)
            print_sample(minute, sample(pids), names)
        churn.wanted = False
        alive = processes.engines() == pids
        print(f"{churn.rounds} rounds of traffic, {counts['lines']} lines of the stream; "
              f"{'every process lived' if alive else f'left of {pids}: {processes.engines()}'}")
        front.send_signal(2)
        alive = front.wait(20) == 0 and alive
    return alive


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    minutes = parser.parse_args().minutes
    network = weirtraffic.Network()
    try:
        network.track()
        network.translate({"postrouting": "ip saddr 10.81.0.0/24 masquerade"})
        network.account()
        alive = soak(minutes, network)
    finally:
        network.close()
    sys.exit(0 if alive else 1)


main()
