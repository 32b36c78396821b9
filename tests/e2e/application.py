# SPDX-License-Identifier: GPL-3.0-or-later
"""Weir itself, started as the tester and used as a person would."""
import pathlib
import pwd
import re
import time

import buses
import processes
import tap
from machine import LOGS, TESTER

LIMITED, FULL = "Limited View", "Full View"
WAITING, SILENT = "Waiting for Authentication", "Not Answering"
COUNT = "Count Bytes of Every Connection…"
UNLOCK, RETURN = "Unlock Full View…", "Return to Limited View"
RESTART = "Restart in Limited View"
# Names that a widget may have for the accessibility library in its different releases.
BUTTONS = {"button", "push button", "toggle button"}
TEXTS = {"entry", "text", "text box"}
COMPLAINT = re.compile(r"\*\* ?(\(.*\))?:? ?.*(WARNING|CRITICAL|ERROR) \*\*|-(WARNING|CRITICAL|ERROR) \*\*")
APPLICATION_OBJECT = "/io/github/weir/Weir"
WINDOW_OBJECT = "/io/github/weir/Weir/window/1"


class Application:
    """One run of the window."""

    number = 0

    def __init__(self, machine, screen, arguments=(), environment=None, prepare=None, wrapper=()):
        Application.number += 1
        self._machine = machine
        self._screen = screen
        self._log = LOGS / f"weir-{Application.number}.log"
        environment = machine.environment(TESTER) | {"G_MESSAGES_DEBUG": "weir-gui"} | (environment or {})
        self.started = time.monotonic()
        self.process = machine.spawn([*wrapper, processes.PROGRAM, *arguments], user=TESTER,
                                     environment=environment, log=self._log.stem, prepare=prepare)
        self.pid = self.process.pid
        self.widget = screen.application(self.pid, 20)
        self.window = tap.wait_for(lambda: screen.windows(self.pid), "a window")[-1]

    # What it says

    def log(self):
        """Everything it wrote."""
        return self._log.read_text(errors="replace")

    def complaints(self):
        """Warnings and worse that GLib printed."""
        return [line for line in self.log().splitlines() if COMPLAINT.search(line)]

    def milliseconds(self, what):
        """The time of a milestone ("first frame", "first rows"), or None."""
        found = re.search(rf"weir: {what} (\d+) ms", self.log())
        return int(found[1]) if found else None

    def tree(self):
        """The accessible tree, for diagnoses."""
        return self.widget.tree()

    # What it shows

    def rows(self):
        """The rows on the screen, each a list of what its cells say."""
        table = self.widget.find({"tree table", "table"})
        if not table:
            return []
        found = []
        for row in table.find_all("table row"):
            cells = [(cell.name or _label(cell)).replace("\u00a0", " ").strip() for cell in row.children
                     if cell.role == "table cell"]
            if cells:
                found.append(cells)
        return found

    def open_row(self, word):
        """Opens the details of the first row that holds WORD, with the pointer."""
        def cell():
            table = self.widget.find({"tree table", "table"})
            return table and table.find("table cell", lambda name: word in name)
        self._screen.double_click(self.window, tap.wait_for(cell, f"a cell with {word}").centre())
        self._screen.point_away()

    def wait_row(self, *words, seconds=15):
        """The first row in which each of WORDS occurs in some cell."""
        def row():
            for cells in self.rows():
                if all(any(word in cell for cell in cells) for word in words):
                    return cells
            return None
        return tap.wait_for(row, f"a row with {words}", seconds, 0.25)

    def view(self):
        """What the view button says: LIMITED, FULL, WAITING or SILENT."""
        button = self.view_button()
        return button.name if button else None

    def view_button(self):
        """The button that names the view; of a menu button, the part that can be pressed."""
        return self.widget.find("toggle button", lambda name: name in (LIMITED, FULL, WAITING, SILENT))

    def wait_view(self, name, seconds=15):
        """Waits until the view button says NAME."""
        tap.wait_for(lambda: self.view() == name, lambda: f"{name}, not {self.view()}", seconds)

    def labels(self):
        """Every text on the screen."""
        return [label.text for label in self.widget.find_all("label")]

    def wait_text(self, words, seconds=10):
        """The first text on the screen that holds WORDS."""
        return tap.wait_for(lambda: next((text for text in self.labels() if words in text), None),
                            lambda: f"{words!r} among {self.labels()[:60]}", seconds)

    # What a person does

    def open_view_popover(self):
        """Presses the view button and returns what it opens: the button in its popover."""
        self.view_button().press()
        return tap.wait_for(self._popover_button, "the button in the view's popover")

    def _popover_button(self):
        # The banner's button bears the same name, but stands elsewhere in the window.
        return self.view_button().parent.find(BUTTONS, lambda name: name in (UNLOCK, RETURN, RESTART))

    def count(self):
        """Asks for the bytes of every connection as a person does."""
        self.open_view_popover()
        self.count_button().press()

    def count_button(self):
        """The button in the view's popover that offers counting; None when it does not."""
        return self.view_button().parent.find(BUTTONS, lambda name: name == COUNT)

    def unlock(self):
        """Asks for the full view as a person does."""
        self.open_view_popover().press()

    def unlock_and_wait(self):
        """Reaches the full view (polkit has to say yes)."""
        self.unlock()
        self.wait_view(FULL)
        return tap.wait_for(self.full_engine, "the three processes of the full view")

    def export(self, file):
        """Exports what is shown to FILE through the window's action, and waits for the file."""
        file = pathlib.Path(file)
        file.unlink(missing_ok=True)
        self.activate("export-to", f"<{str(file)!r}>")
        tap.wait_for(file.exists, f"the exported file {file}", 20)
        return file

    def activate(self, action, *parameters, place=WINDOW_OBJECT):
        """Activates an exported action, the window's by default, as another program of the session may."""
        bus = buses.name_of(self._machine, self.pid)
        answer = self._machine.run(
            ["gdbus", "call", "--session", "--dest", bus, "--object-path", place, "--method",
             "org.gtk.Actions.Activate", action, f"[{', '.join(parameters)}]", "@a{sv} {}"], user=TESTER)
        tap.equal(answer.returncode, 0, f"activation of {action}: {answer.stderr}")

    # Its processes

    def full_engine(self):
        """The processes of the full view by role, once all are there."""
        found = processes.full_engine(pwd.getpwnam(TESTER).pw_uid)
        return found if len(found) == len(processes.ROLES) else None

    def limited_engine(self):
        """The process of the limited view that this window started."""
        return next((pid for pid in processes.engines() if processes.parent(pid) == self.pid
                     and pid not in processes.elevated(pwd.getpwnam(TESTER).pw_uid)), None)

    def stop(self):
        """Ends it as closing the session would."""
        return self._machine.end(self.process)


def _label(cell):
    label = cell.find("label")
    return label.text if label else ""
