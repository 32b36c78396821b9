# SPDX-License-Identifier: GPL-3.0-or-later
"""polkitd and its decisions: one rules file, rewritten for each test."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import tap

ACTION = "io.github.weir.Weir.capture"
ACTION_ACCOUNTING = "io.github.weir.Weir.capture-accounting"
RULES = pathlib.Path("/etc/polkit-1/rules.d/10-weir-tests.rules")
NAME = "org.freedesktop.PolicyKit1"
AGENT = pathlib.Path(__file__).with_name("agent.py")

# There is no logind session here, so the policy's "active" never applies; a rule speaks for it, with what the
# policy has for each action: that for accounting is never kept.
RESULTS = {"yes": ("YES", "YES"), "no": ("NO", "NO"), "ask": ("AUTH_ADMIN_KEEP", "AUTH_ADMIN")}
TEMPLATE = """
polkit.addAdminRule(function (action, subject) { return ["unix-user:tester"]; });
polkit.addRule(function (action, subject) {
  if (action.id == "io.github.weir.Weir.capture" && subject.user == "tester")
    return polkit.Result.%s;
  if (action.id == "io.github.weir.Weir.capture-accounting" && subject.user == "tester")
    return polkit.Result.%s;
});
"""


class Polkit:
    """The authority of the machine."""

    def __init__(self, machine):
        self._machine = machine
        self._bus = None

    def start(self):
        """Starts polkitd, which refuses by default."""
        RULES.parent.mkdir(parents=True, exist_ok=True)
        RULES.unlink(missing_ok=True)
        shutil.chown(RULES.parent, "polkitd")
        self._machine.spawn(["/usr/lib/polkit-1/polkitd", "--no-debug"])
        tap.wait_for(self._answers, "polkitd")

    def _call(self, method, arguments, kind):
        from gi.repository import Gio, GLib
        if not self._bus:
            self._bus = Gio.DBusConnection.new_for_address_sync(
                "unix:path=/run/dbus/system_bus_socket",
                Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        return self._bus.call_sync(NAME, "/org/freedesktop/PolicyKit1/Authority", f"{NAME}.Authority",
                                   method, arguments, GLib.VariantType(kind), 0, 5000, None).unpack()

    def _answers(self):
        from gi.repository import GLib
        try:
            return self.actions() is not None
        except GLib.Error:
            return False

    def actions(self):
        """Every action that polkitd knows: id to its annotations."""
        from gi.repository import GLib
        found = self._call("EnumerateActions", GLib.Variant("(s)", ("C",)), "(a(ssssssuuua{ss}))")[0]
        return {entry[0]: {"description": entry[1], "message": entry[2], "any": entry[6],
                           "inactive": entry[7], "active": entry[8], **entry[9]} for entry in found}

    def asks(self, pid, action=ACTION):
        """What polkitd would decide for the process: yes, no or ask."""
        from gi.repository import GLib
        start = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
        uid = os.stat(f"/proc/{pid}").st_uid
        subject = ("unix-process", {"pid": GLib.Variant("u", pid), "uid": GLib.Variant("i", uid),
                                    "start-time": GLib.Variant("t", start)})
        good, challenge, _ = self._call(
            "CheckAuthorization", GLib.Variant("((sa{sv})sa{ss}us)", (subject, action, {}, 0, "")),
            "((bba{ss}))")[0]
        return "yes" if good else "ask" if challenge else "no"

    def decide(self, verdict, action=ACTION):
        """Makes polkitd answer VERDICT to the tester and waits until it does."""
        RULES.write_text(TEMPLATE % RESULTS[verdict])
        probe = self._machine.spawn(["sleep", "60"], user="tester")
        try:
            tap.wait_for(lambda: self.asks(probe.pid, action) == verdict, f"polkitd to say {verdict}")
        finally:
            self._machine.end(probe)

    def agent(self, pid, answer):
        """An authentication agent for the process PID, as the tester: see agent.py for ANSWER."""
        return Agent(self._machine, pid, answer)


class Agent:
    """A running authentication agent and what it was asked."""

    def __init__(self, machine, pid, answer):
        self._machine = machine
        self._log = pathlib.Path(f"/tmp/logs/agent-{pid}.json")
        self._log.unlink(missing_ok=True)
        from machine import PASSWORD
        with open(self._log, "wb") as log:
            self._process = machine.spawn([sys.executable, AGENT, str(pid), PASSWORD, answer], user="tester",
                                          stdout=log, log="agent", stdin=subprocess.PIPE)
        tap.wait_for(lambda: self.events("registered"), "the authentication agent")

    def events(self, kind):
        """What happened so far."""
        lines = (json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}"))
        return [event for event in lines if event["event"] == kind]

    def tell(self, answer):
        """What an agent that waits is to do now."""
        self._process.stdin.write(answer.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self):
        """Ends the agent."""
        self._machine.end(self._process)
