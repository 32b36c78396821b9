#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for the full view and not getting it, and getting it with a password: real polkit, a real agent."""
import stage
import processes
import tap
from application import FULL, LIMITED, WAITING
from polkit import ACTION
from traffic import tcp

STAGE = stage.build()
STAGE.traffic.talk("tester", "web-browser", tcp("198.51.100.7", 443, (1_000, 500_000)))
NOT_AVAILABLE = "Full View Not Available"
DISMISSED = "Authentication was dismissed"


def ready():
    """Weir in the limited view, with rows."""
    application = STAGE.application or STAGE.start()
    application.wait_view(LIMITED)
    application.wait_row("198.51.100.7")
    return application


def still_limited(application):
    """The limited view is back, whole, and nothing elevated is left."""
    application.wait_view(LIMITED)
    application.wait_row("198.51.100.7")
    tap.wait_for(lambda: not processes.elevated(STAGE.tester.pw_uid), "no elevated engine", 3)


def close_dialog(application):
    """Closes the dialog that explains."""
    STAGE.screen.focus(application.window)
    STAGE.screen.keys("Escape")
    tap.wait_for(lambda: not any(NOT_AVAILABLE in text for text in application.labels()), "the dialog to close")


@tap.case("polkit says no: it is said in words, and the limited view goes on")
def _():
    STAGE.polkit.decide("no")
    application = ready()
    application.unlock()
    application.wait_text(NOT_AVAILABLE)
    application.wait_text("not allowed")
    close_dialog(application)
    still_limited(application)


@tap.case("nobody can ask for a password: it is said in words, and the limited view goes on")
def _():
    STAGE.polkit.decide("ask")
    application = ready()
    application.unlock()
    application.wait_text(NOT_AVAILABLE)
    application.wait_text("can ask for a password")
    close_dialog(application)
    still_limited(application)


@tap.case("the dialog is dismissed: one toast, no dialog of ours, and the limited view")
def _():
    STAGE.polkit.decide("ask")
    application = ready()
    agent = STAGE.polkit.agent(application.pid, "dismiss")
    application.unlock()
    application.wait_text(DISMISSED)
    tap.equal(sum(text == DISMISSED for text in application.labels()), 1, "toasts")
    tap.check(not any(NOT_AVAILABLE in text for text in application.labels()), "no dialog")
    asked = agent.events("asked")
    tap.equal([question["action"] for question in asked], [ACTION], "what was asked")
    tap.check("all users" in asked[0]["message"], asked[0]["message"])
    still_limited(application)
    agent.stop()


@tap.case("a wrong answer is a refusal in words")
def _():
    STAGE.polkit.decide("ask")
    application = ready()
    agent = STAGE.polkit.agent(application.pid, "refuse")
    application.unlock()
    application.wait_text(NOT_AVAILABLE)
    close_dialog(application)
    still_limited(application)
    agent.stop()


@tap.case("while the dialog is open the limited view goes on; the right password opens the full view")
def _():
    STAGE.polkit.decide("ask")
    application = ready()
    agent = STAGE.polkit.agent(application.pid, "wait")
    application.unlock()
    application.wait_view(WAITING)
    tap.wait_for(lambda: agent.events("asked"), "the question")
    tap.check(not application.view_button().sensitive, "the button waits, too")
    application.wait_row("198.51.100.7")
    tap.check(application.limited_engine(), "the limited engine is still there")
    agent.tell("password")
    application.wait_view(FULL)
    tap.check(agent.events("answered")[0]["good"], "the password was right")
    tap.wait_for(application.full_engine, "the three processes of the full view")

    application.open_view_popover().press()
    still_limited(application)
    application.unlock_and_wait()
    tap.equal(len(agent.events("asked")), 1, "questions: the answer is kept for this process")
    agent.stop()
    STAGE.stop()


STAGE.run()
