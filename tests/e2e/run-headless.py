#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev run` without a display: Weir on real traffic, driven as a person would, leaving pictures and a table.

    run-headless.py [--shots FOLDER]

Leaves build/run/*.png and build/run/weir.csv and says what it saw; fails when something is missing.
With --shots the pictures that README and the metainfo use are made again.
"""
import pathlib
import shutil
import sys
import time

started = time.monotonic()

import stage
import processes
import tables
import tap
from application import FULL, LIMITED
import scene

OUT = pathlib.Path("/weir/build/run")
# What one minute of a chart needs to look like one.
SHOT_SECONDS = 62
RUN_SECONDS = 6
# Fewer colours than this is an empty window.
COLOURS = 200


def say(text):
    """A line for the person who started this."""
    print(text, flush=True)


def window(dark, seconds):
    """Weir in the full view after SECONDS of traffic."""
    application = STAGE.start(environment={"ADW_DEBUG_COLOR_SCHEME": "prefer-dark" if dark else "prefer-light"})
    STAGE.screen.point_away()
    application.wait_view(LIMITED)
    row = application.wait_row("TCP")
    say(f"  limited view: {len(application.rows())} rows, such as {' | '.join(row)}")
    application.unlock_and_wait()
    row = application.wait_row("UDP")
    say(f"  full view: {len(application.rows())} rows, such as {' | '.join(row)}")
    time.sleep(seconds)
    return application


def picture(application, name, folder, size=(1280, 800)):
    """One picture; it must show something."""
    STAGE.screen.resize(application.window, *size)
    time.sleep(2.5)
    file = folder / f"{name}.png"
    STAGE.screen.picture(file, application.window)
    colours = STAGE.screen.colours(file)
    tap.check(colours >= COLOURS, f"{file} is blank: {colours} colours")
    say(f"  picture: {outside(file)}")


def outside(path):
    """A path as it is seen by whoever ran ./dev: below the project's folder."""
    return path.resolve().relative_to("/weir")


def processes_of(application):
    """What the three processes of the full view may still do."""
    for role, pid in application.full_engine().items():
        state = processes.status(pid)
        say(f"  {role:7} pid {pid}, uid {state['Uid'].split()[1]}, NoNewPrivs {state['NoNewPrivs']}, "
            + ", ".join(f"{key} {int(state[key], 16):x}" for key in ("CapEff", "CapPrm", "CapInh", "CapBnd")))


def main():
    """Runs through everything once."""
    shots = pathlib.Path(sys.argv[2]) if sys.argv[1:2] == ["--shots"] else None
    folder = shots or OUT
    folder.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(parents=True, exist_ok=True)
    scene.furnish(STAGE.machine)
    scene.play(STAGE.traffic)
    STAGE.polkit.decide("yes")
    seconds = SHOT_SECONDS if shots else RUN_SECONDS

    say("Weir on real traffic between two network namespaces:")
    application = window(False, seconds)
    for what in ("first frame", "first rows"):
        milliseconds = application.milliseconds(what)
        tap.check(milliseconds is not None, f"no time of the {what}")
        say(f"  {what}: {milliseconds} ms")
    processes_of(application)
    application.open_row("198.51.100.24")
    application.wait_text("How It Was Found")
    picture(application, "light", folder)
    STAGE.screen.focus(application.window)
    STAGE.screen.keys("F9")
    picture(application, "narrow", folder, (360, 720))
    table = STAGE.machine.environment("tester")["HOME"] + "/weir.csv"
    application.export(table)
    shutil.copyfile(table, OUT / "weir.csv")
    rows = tables.read(OUT / "weir.csv")
    tap.check(any(row["protocol"] == "UDP" and row["user"] == "other" for row in rows), "no UDP row of another person")
    say(f"  table: {outside(OUT / 'weir.csv')} with {len(rows)} rows")
    STAGE.stop()
    application = window(True, seconds)
    application.open_row("198.51.100.24")
    picture(application, "dark", folder)
    tap.check(application.view() == FULL, "the full view went away")
    STAGE.stop()
    say(f"done in {time.monotonic() - started:.0f} s")


STAGE = stage.build()
try:
    main()
except BaseException as error:
    say(f"FAILED: {error}")
    if STAGE.application:
        print(STAGE.application.tree(), file=sys.stderr)
        print(STAGE.application.log()[-4000:], file=sys.stderr)
        STAGE.screen.picture(OUT / "failed.png")
    STAGE.machine.stop()
    sys.exit(1)
STAGE.machine.stop()
