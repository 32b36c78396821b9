#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed fits together: the policy names the engine that the program starts and that is there."""
import pathlib
import re
import stat
import subprocess
import xml.etree.ElementTree as ElementTree

import stage
import processes
import tap
from polkit import ACTION, ACTION_ACCOUNTING

STAGE = stage.build(display=False, network=False)
POLICY = pathlib.Path("/usr/share/polkit-1/actions/io.github.weir.Weir.policy")
PATH, ARGUMENT = "org.freedesktop.policykit.exec.path", "org.freedesktop.policykit.exec.argv1"
# PolkitImplicitAuthorization of polkitd's answers.
NO, ADMIN, ADMIN_KEPT = 0, 2, 4


@tap.case("the policy file names exactly the installed engine, and an argument for each action")
def _():
    actions = {action.get("id"): {note.get("key"): note.text for note in action.findall("annotate")}
               for action in ElementTree.parse(POLICY).getroot().iter("action")}
    tap.equal(actions[ACTION], {PATH: processes.ENGINE, ARGUMENT: "--handoff"}, ACTION)
    tap.equal(actions[ACTION_ACCOUNTING], {PATH: processes.ENGINE, ARGUMENT: "--handoff-accounting"}, ACTION_ACCOUNTING)
    tap.equal(set(actions), {ACTION, ACTION_ACCOUNTING}, "actions")


@tap.case("polkitd knows both actions with these paths; only an active session may ask, accounting is never kept")
def _():
    known = STAGE.polkit.actions()
    for action, argument, active in ((ACTION, "--handoff", ADMIN_KEPT), (ACTION_ACCOUNTING, "--handoff-accounting", ADMIN)):
        entry = known[action]
        tap.equal((entry[PATH], entry[ARGUMENT]), (processes.ENGINE, argument), action)
        tap.equal((entry["any"], entry["inactive"], entry["active"]), (NO, NO, active), f"defaults of {action}")
        tap.check(entry["message"] and entry["description"], f"words for {action}")


@tap.case("the program holds the path of the installed engine and no other")
def _():
    text = subprocess.run(["strings", "-n", "8", processes.PROGRAM], check=True, capture_output=True, text=True).stdout
    found = {line for line in text.splitlines() if re.fullmatch(r"/\S*weir-engine\S*", line)}
    tap.equal(found, {processes.ENGINE}, "paths of engines in the program")


@tap.case("the engine and all folders above it belong to root and can be written by nobody else")
def _():
    path = pathlib.Path(processes.ENGINE)
    tap.equal(path.resolve(), path, "real path")
    for place in (path, *path.parents):
        found = place.lstat()
        tap.equal((found.st_uid, found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)), (0, 0), f"owner and mode of {place}")


@tap.case("pkexec shows our own message for this engine, never its generic one")
def _():
    STAGE.polkit.decide("ask")
    held = STAGE.machine.spawn(["sh", "-c", f"read go; pkexec --disable-internal-agent {processes.ENGINE} --handoff /nowhere; :"],
                               user="tester", stdin=subprocess.PIPE)
    agent = STAGE.polkit.agent(held.pid, "dismiss")
    held.stdin.write(b"go\n")
    held.stdin.close()
    asked = tap.wait_for(lambda: agent.events("asked"), "the question")[0]
    tap.equal(asked["action"], ACTION, "action")
    tap.check("all users" in asked["message"] and "super user" not in asked["message"], asked["message"])
    agent.stop()


@tap.case("the version, the desktop entry, the settings and the icons are there")
def _():
    share = pathlib.Path("/usr/share")
    for file in ("applications/io.github.weir.Weir.desktop", "metainfo/io.github.weir.Weir.metainfo.xml",
                 "glib-2.0/schemas/io.github.weir.Weir.gschema.xml",
                 "icons/hicolor/scalable/apps/io.github.weir.Weir.svg",
                 "icons/hicolor/symbolic/apps/io.github.weir.Weir-symbolic.svg"):
        tap.check((share / file).is_file(), f"{file} is installed")
    answer = STAGE.machine.run([processes.ENGINE, "--version"], user="tester")
    tap.check(re.search(r"\d+\.\d+", answer.stdout), f"the engine's version: {answer.stdout!r}")


STAGE.run()
