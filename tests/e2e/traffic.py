# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and ends the talkers (talker.py) of a test and keeps what they truly moved."""
import json
import pathlib
import subprocess
import sys

TALKER = pathlib.Path(__file__).with_name("talker.py")
PORTS = (22, 53, 443, 993, 3478, 5222, 6881, 8443, 51820)


def tcp(remote, port, *messages, **more):
    """A TCP flow; each message is (bytes to send, bytes to be answered)."""
    return {"protocol": "tcp", "remote": remote, "port": port, "messages": messages, **more}


def udp(remote, port, *messages, **more):
    """A UDP flow; one datagram a message and an answer."""
    return {"protocol": "udp", "remote": remote, "port": port, "messages": messages, **more}


class Talker:
    """One process with its flows; `truth` has one entry for each."""

    def __init__(self, machine, user, comm, flows):
        self._machine = machine
        self.user = user
        self.comm = comm
        self.process = machine.spawn([sys.executable, "-S", str(TALKER), "talk"], user=user, log="talkers",
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.process.stdin.write(json.dumps({"comm": comm, "flows": flows}).encode() + b"\n")
        self.process.stdin.flush()
        self._flows = len(flows)
        self.truth = []

    def wait(self):
        """Waits until everything was said once."""
        while len(self.truth) < self._flows:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"the talker {self.comm!r} ended early; see talkers.log")
            self.truth.append(json.loads(line) | {"pid": self.pid, "user": self.user, "comm": self.comm})
        return self.truth

    def stop(self):
        """Closes every flow."""
        self.process.stdin.close()
        self._machine.end(self.process)


class Traffic:
    """The world's answering end and all talkers."""

    def __init__(self, machine, network):
        self._machine = machine
        self._network = network
        self.talkers = []

    def start(self, ports=PORTS):
        """Starts the answering end."""
        server = self._machine.spawn([sys.executable, "-S", str(TALKER), "serve", *map(str, ports)],
                                     prepare=self._network.enter_peer, stdout=subprocess.PIPE, log="world")
        if server.stdout.readline() != b"ready\n":
            raise AssertionError("the answering end did not start; see world.log")

    def talk(self, user, comm, *flows, wait=True):
        """Starts a process of USER that the kernel knows as COMM."""
        talker = Talker(self._machine, user, comm, flows)
        self.talkers.append(talker)
        if wait:
            talker.wait()
        return talker

    def truth(self):
        """Every flow of every talker."""
        return [flow for talker in self.talkers for flow in talker.wait()]

    def stop(self):
        """Ends all talkers."""
        for talker in self.talkers:
            talker.stop()
        self.talkers.clear()
