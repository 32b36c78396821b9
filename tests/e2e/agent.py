#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A polkit authentication agent without a face: what a desktop's dialog does, decided beforehand.

    agent.py PID PASSWORD dismiss|refuse|password|wait

Registers for the process PID and prints one JSON object a line. `dismiss` closes the dialog, `refuse`
gives up without a password, `password` answers with PASSWORD through polkit's own helper, `wait` leaves the dialog
open until one of the other words is read from standard input.
"""
import json
import os
import pathlib
import pwd
import subprocess
import sys

from gi.repository import Gio, GLib

NAME = "org.freedesktop.PolicyKit1"
AUTHORITY = "/org/freedesktop/PolicyKit1/Authority"
HELPER = "/usr/lib/polkit-1/polkit-agent-helper-1"
OBJECT = "/io/github/weir/tests/Agent"
INTERFACE = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
<method name="BeginAuthentication">
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="a{ss}" direction="in"/><arg type="s" direction="in"/><arg type="a(sa{sv})" direction="in"/>
</method>
<method name="CancelAuthentication"><arg type="s" direction="in"/></method>
</interface></node>"""


def tell(event, **more):
    """One line for the test."""
    print(json.dumps({"event": event, **more}), flush=True)


def authenticate(cookie, identities, password):
    """Proves with polkit's set-user-id helper that this person knows a password."""
    users = [pwd.getpwuid(details["uid"]).pw_name for kind, details in identities if kind == "unix-user"]
    answer = subprocess.run([HELPER, users[0]], input=f"{cookie}\n{password}\n", text=True,
                            stdout=subprocess.PIPE, check=False, timeout=20)
    return answer.returncode == 0 and "SUCCESS" in answer.stdout


class Agent:
    """Answers each question the same way."""

    def __init__(self, pid, answer, password):
        self._answer = answer
        self._password = password
        self._open = {}
        # Kept: the connection closes, and polkit forgets this agent, with its last reference.
        self._bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        self._bus.register_object(OBJECT, Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0],
                                  self._called, None, None)
        start = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        subject = ("unix-process", {"pid": GLib.Variant("u", pid), "start-time": GLib.Variant("t", start),
                                    "uid": GLib.Variant("i", os.getuid())})
        self._bus.call_sync(NAME, AUTHORITY, f"{NAME}.Authority", "RegisterAuthenticationAgent",
                            GLib.Variant("((sa{sv})ss)", (subject, "C", OBJECT)), None, 0, -1, None)
        tell("registered", pid=pid)

    def _called(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        if method == "CancelAuthentication":
            cookie = parameters.unpack()[0]
            tell("withdrawn")
            invocation.return_value(None)
            self._close(cookie)
            return
        action, message, _icon, details, cookie, identities = parameters.unpack()
        tell("asked", action=action, message=message, details=details)
        self._open[cookie] = (invocation, identities)
        self._act(self._answer)

    def told(self, _channel, _condition):
        """A word on standard input."""
        word = os.read(0, 64).decode().strip()
        self._act(word)
        return bool(word)

    def _act(self, answer):
        for cookie, (invocation, identities) in list(self._open.items()):
            if answer == "dismiss":
                self._close(cookie)
            elif answer in ("password", "refuse"):
                if answer == "password":
                    tell("answered", good=authenticate(cookie, identities, self._password))
                self._open.pop(cookie)
                invocation.return_value(None)

    def _close(self, cookie):
        asked = self._open.pop(cookie, None)
        if asked:
            asked[0].return_dbus_error(f"{NAME}.Error.Cancelled", "the dialog was closed")


def main():
    """Serves until it is ended."""
    agent = Agent(int(sys.argv[1]), sys.argv[3], sys.argv[2])
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, agent.told)
    GLib.MainLoop().run()


main()
