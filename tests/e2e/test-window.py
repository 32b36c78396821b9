#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window by keyboard and pointer: filter, pause, export through the dialog, dialogs, narrow."""
import os
import pathlib
import re

import stage
import tables
import tap
from application import APPLICATION_OBJECT, BUTTONS, LIMITED, TEXTS, UNLOCK
from traffic import tcp

STAGE = stage.build()
SCREEN = STAGE.screen
PEERS = {"web-browser": "198.51.100.7", "mail": "203.0.113.25", "sync": "2001:db8:1::22"}
for comm, peer in PEERS.items():
    STAGE.traffic.talk("tester", comm, tcp(peer, 443, (1_000, 200_000), repeat=0.2, swing=7))


def ready():
    """Weir with all rows, and the keyboard."""
    application = STAGE.application or STAGE.start()
    for peer in PEERS.values():
        application.wait_row(peer)
    SCREEN.focus(application.window)
    return application


def shown(application):
    """The peers that have a row."""
    return {peer for row in application.rows() for cell in row for peer in PEERS.values() if peer in cell}


@tap.case("typing filters at once, wherever the keyboard is; Escape shows everything again")
def _():
    application = ready()
    SCREEN.type("mail")
    tap.wait_for(lambda: shown(application) == {PEERS["mail"]}, lambda: f"the one row, not {shown(application)}")
    entry = application.widget.wait(TEXTS, lambda name: "Filter" in name)
    tap.equal(entry.text, "mail", "text of the filter")
    application.wait_text("1 of ")
    SCREEN.keys("Escape")
    tap.wait_for(lambda: shown(application) == set(PEERS.values()), "all rows")


@tap.case("a filter that nothing matches says so, and one press clears it")
def _():
    application = ready()
    SCREEN.keys("ctrl+f")
    SCREEN.type("nothing-of-the-kind")
    application.wait_text("No Results Found")
    application.widget.wait(BUTTONS, "Clear Filter").press()
    tap.wait_for(lambda: shown(application) == set(PEERS.values()), "all rows")


@tap.case("rates move; paused they stand still and it is said; back to live they move again")
def _():
    application = ready()

    def figures():
        return {tuple(row) for row in application.rows()}
    before = figures()
    tap.wait_for(lambda: figures() != before, "other figures", 5)
    SCREEN.keys("ctrl+p")
    application.wait_text("Paused at")
    before = figures()
    tap.check(before, "rows while paused")
    try:
        tap.wait_for(lambda: figures() != before, "a change", 3)
    except AssertionError:
        application.widget.wait(BUTTONS, "Back to Live").press()
    else:
        raise AssertionError("figures changed while paused")
    tap.wait_for(lambda: figures() != before, "other figures", 5)


@tap.case("a double click opens the details of a row: who owns it, and how that was found; F9 closes them")
def _():
    application = ready()
    application.open_row(PEERS["sync"])
    application.wait_text("How It Was Found")
    process = application.wait_text("sync · ")
    talker = next(talker for talker in STAGE.traffic.talkers if talker.comm == "sync")
    tap.equal(process, f"sync · {talker.pid} · tester", "the owner")
    program = os.readlink(f"/proc/{talker.pid}/exe")
    tap.equal(application.wait_text(program), program, "the program, which is the person's own")
    SCREEN.focus(application.window)
    SCREEN.keys("F9")
    tap.wait_for(lambda: "How It Was Found" not in application.labels(), "the details to close")


@tap.case("export through the dialog: a file with the rows that were shown, and a toast that counts them")
def _():
    application = ready()
    file = pathlib.Path("/home/tester/by-dialog.csv")
    SCREEN.keys("ctrl+e")
    dialog = tap.wait_for(lambda: [window for window in SCREEN.windows(application.pid)
                                   if window != application.window], "the dialog")[-1]
    SCREEN.focus(dialog)
    SCREEN.keys("ctrl+a")
    SCREEN.type(str(file))
    SCREEN.keys("Return")
    tap.wait_for(file.exists, "the file")
    toast = application.wait_text("Exported")
    rows = tables.read(file)
    tap.equal(int(re.search(r"\d+", toast)[0]), len(rows), "rows that the toast counts")
    tap.check(set(PEERS.values()) <= {row["remote_address"] for row in rows}, "every peer")


@tap.case("shortcuts and About open and close by keyboard")
def _():
    application = ready()
    SCREEN.keys("ctrl+question")
    application.wait_text("Keyboard Shortcuts")
    SCREEN.keys("Escape")
    tap.wait_for(lambda: "Keyboard Shortcuts" not in application.labels(), "the dialog to close")
    application.activate("about", place=APPLICATION_OBJECT)
    application.wait_text("The Weir Developers")
    SCREEN.keys("Escape")
    tap.wait_for(lambda: not any("The Weir Developers" in text for text in application.labels()), "the dialog to close")


@tap.case("360 pixels wide everything is within reach: the view, its unlock button, filter, pause, rates")
def _():
    application = ready()
    SCREEN.resize(application.window, 360, 720)
    application.wait_text("Connection")
    tap.wait_for(lambda: application.view() == LIMITED, "the view button")
    tap.equal(application.open_view_popover().name, UNLOCK, "the popover's button")
    SCREEN.keys("Escape")
    for name in ("Filter", "Pause Updates"):
        application.widget.wait("toggle button", name)
    tap.wait_for(lambda: any("↓" in text for text in application.labels()), "rates")
    STAGE.stop()


STAGE.run()
