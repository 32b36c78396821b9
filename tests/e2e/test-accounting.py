#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes are counted for as long as somebody wants them: a real polkit asks, the kernel's setting is looked at."""
import json
import os
import signal
import subprocess
import sys

import stage
import processes
import tap
from application import FULL, LIMITED
from machine import TESTER
from network import ACCOUNTING
from polkit import ACTION_ACCOUNTING
from traffic import tcp, udp

# Whose figures of a program's own flows are the best in this build.
BEST_SOURCE = sys.argv.pop(1)

STAGE = stage.build(accounting=False)
# What is looked at here is what is given up otherwise, some seconds after the start.
STAGE.configure("[confinement]\nkeep_capabilities = yes\n")
MACHINE = STAGE.machine
CLI = "/usr/bin/weir-cli"
NOT_FULL = 3
NOT_COUNTED = "Bytes Cannot Be Counted"
COUNTED = "The kernel counts the bytes"

STAGE.traffic.talk("tester", "web-browser", tcp("198.51.100.7", 443, (1_000, 500_000)))


def setting():
    return ACCOUNTING.read_text().strip()


def administrators():
    """Engine processes that may change the network: keepers and twins."""
    states = (processes.status(pid) for pid in processes.elevated(STAGE.tester.pw_uid))
    return [state for state in states if state and int(state["CapEff"], 16) == processes.CAP_NET_ADMIN]


def wait_setting(value):
    tap.wait_for(lambda: setting() == value, f"the setting to be {value}")


def full(agent=None):
    """Weir in the full view, where bytes are not counted."""
    application = STAGE.application or STAGE.start()
    if application.view() != FULL:
        application.wait_view(LIMITED)
        if not agent:
            STAGE.polkit.decide("yes")
        application.unlock_and_wait()
    application.wait_row("198.51.100.7")
    return application


def gone():
    """Waits until no engine is left, and looks at what they left."""
    tap.wait_for(lambda: not processes.engines(), lambda: f"the end of {processes.engines()}", 5)
    wait_setting("0")


@tap.case("the full view changes nothing; it says that bytes are not counted, and offers it with words")
def _():
    application = full()
    tap.equal(setting(), "0", "the setting")
    application.open_view_popover()
    tap.wait_for(application.count_button, "the offer")
    application.wait_text("that changes a setting of this computer")
    STAGE.screen.picture(stage.FAILURES.parent / "offer.png")
    STAGE.screen.keys("Escape")


@tap.case("polkit says no: it is said in words, and the full view goes on as it was")
def _():
    application = full()
    before = processes.elevated(STAGE.tester.pw_uid)
    STAGE.polkit.decide("no", ACTION_ACCOUNTING)
    application.count()
    application.wait_text(NOT_COUNTED)
    application.wait_text("not allowed")
    STAGE.screen.focus(application.window)
    STAGE.screen.keys("Escape")
    tap.wait_for(lambda: not any(NOT_COUNTED in text for text in application.labels()), "the dialog to close")
    tap.equal((application.view(), setting()), (FULL, "0"), "view, setting")
    tap.equal(processes.elevated(STAGE.tester.pw_uid), before, "engines")


@tap.case("asked with its own question each time: dismissed, then with a password; it is on, and off afterwards")
def _():
    application = full()
    STAGE.polkit.decide("ask", ACTION_ACCOUNTING)
    agent = STAGE.polkit.agent(application.pid, "dismiss")
    application.count()
    application.wait_text("Authentication was dismissed")
    question = agent.events("asked")[0]
    tap.equal(question["action"], ACTION_ACCOUNTING, "the action")
    tap.check("count the bytes of every connection" in question["message"], question["message"])
    agent.stop()
    tap.wait_for(lambda: application.view() == FULL, "the full view")
    tap.equal(setting(), "0", "the setting")

    agent = STAGE.polkit.agent(application.pid, "password")
    for round_number in (1, 2):
        application.wait_view(FULL)
        application.count()
        wait_setting("1")
        tap.wait_for(lambda: len(administrators()) == 2, "a keeper and its twin, and no other keeper")
        asked = [event["action"] for event in agent.events("asked")]
        tap.equal(asked.count(ACTION_ACCOUNTING), round_number, f"questions: {asked}")
        application.wait_view(FULL)
        application.open_view_popover()
        application.wait_text(COUNTED)
        tap.check(not application.count_button(), "the offer is still there")
        STAGE.screen.picture(stage.FAILURES.parent / "counting.png")
        STAGE.traffic.talk("other", f"voice-{round_number}",
                           udp(f"198.51.100.9{round_number}", 51820, *[(1_100, 1_150)] * 40))
        row = application.wait_row(f"198.51.100.9{round_number}", f"voice-{round_number}", "kB")
        tap.diagnose(row)
        # A person who does not want it any more.
        STAGE.screen.keys("Escape")
        application.open_view_popover().press()
        application.wait_view(LIMITED)
        wait_setting("0")
        application.unlock_and_wait()
    agent.stop()


@tap.case("Weir is killed while bytes are counted: the setting is what it was")
def _():
    STAGE.polkit.decide("yes")
    application = full()
    application.count()
    wait_setting("1")
    application.wait_view(FULL)
    os.kill(application.pid, signal.SIGKILL)
    gone()
    STAGE.application = None
    application.stop()


def stream(*arguments):
    return MACHINE.run([CLI, "stream", "--duration", "2", "--interval", "250ms", *arguments], user=TESTER, seconds=40)


@tap.case("weir-cli --full --accounting: on meanwhile, bytes of new UDP flows, off afterwards; refused in words")
def _():
    STAGE.polkit.decide("yes")
    process = MACHINE.spawn([CLI, "stream", "--full", "--accounting", "--interval", "250ms"], user=TESTER,
                            stdout=subprocess.PIPE)
    process.stdout.readline()
    tap.equal(setting(), "1", "the setting")
    STAGE.traffic.talk("other", "others-voice", udp("203.0.113.5", 51820, *[(500, 700)] * 10))
    found = None
    while not found:
        line = json.loads(process.stdout.readline())
        if line["remote_address"] == "203.0.113.5" and line["received_bytes"] and line["process"]:
            found = line
    # Kernel programs know more of a program's own; accounting is for what they do not see.
    tap.equal((found["bytes_source"], found["process"]), (BEST_SOURCE, "others-voice"), "source and owner")
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    tap.equal(process.wait(5), 0, "exit code")
    gone()

    STAGE.polkit.decide("no")
    done = stream("--full", "--accounting")
    tap.equal((done.returncode, done.stdout), (NOT_FULL, ""), done.stderr)
    tap.check("not allowed" in done.stderr, done.stderr)
    gone()


STAGE.run()
