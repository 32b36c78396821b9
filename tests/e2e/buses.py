# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process offers to others on the session bus, seen by another process of the same person."""
import re

import tap
from machine import TESTER

BUS = ["--session", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus", "--method"]


def _gdbus(machine, *arguments):
    answer = machine.run(["gdbus", *arguments], user=TESTER)
    tap.equal(answer.returncode, 0, f"gdbus {arguments}: {answer.stderr}")
    return answer.stdout


def name_of(machine, pid):
    """The unique name of the process on the session bus."""
    names = re.findall(r"'(:[^']+)'", _gdbus(machine, "call", *BUS, "org.freedesktop.DBus.ListNames"))
    for name in names:
        answer = machine.run(["gdbus", "call", *BUS, "org.freedesktop.DBus.GetConnectionUnixProcessID", name],
                             user=TESTER)
        if re.search(rf"uint32 {pid}\b", answer.stdout):
            return name
    raise AssertionError(f"process {pid} is not on the session bus")


def exported_actions(machine, pid):
    """Every action that the process offers, on all its objects."""
    name = name_of(machine, pid)
    tree = _gdbus(machine, "introspect", "--session", "--dest", name, "--object-path", "/", "--recurse")
    found = set()
    for path in set(re.findall(r"^\s*node (\S+) \{", tree, re.MULTILINE)):
        answer = machine.run(["gdbus", "call", "--session", "--dest", name, "--object-path", path,
                              "--method", "org.gtk.Actions.List"], user=TESTER)
        if answer.returncode == 0:
            found |= set(re.findall(r"'([^']+)'", answer.stdout))
    return found
