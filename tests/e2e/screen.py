# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees and does: widgets by role and name through the accessibility bus, keys and
pictures through the display."""
import os
import subprocess

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

import tap

# Trees are small; a longer way down is a loop.
_DEPTH = 60


def _ask(question, *arguments):
    """An answer from the other process; a widget that has gone in between has none."""
    try:
        return question(*arguments)
    except GLib.Error:
        return None


class Widget:
    """One accessible object."""

    def __init__(self, accessible):
        self._accessible = accessible

    @property
    def name(self):
        """The accessible name."""
        return _ask(self._accessible.get_name) or ""

    @property
    def description(self):
        """The accessible description."""
        return _ask(self._accessible.get_description) or ""

    @property
    def role(self):
        """The role's name as the accessibility library spells it."""
        return _ask(self._accessible.get_role_name) or ""

    def _state(self, state):
        states = _ask(self._accessible.get_state_set)
        return bool(states and states.contains(state))

    @property
    def showing(self):
        """Is on the screen, with all its parents."""
        return self._state(Atspi.StateType.SHOWING)

    @property
    def sensitive(self):
        """Reacts when it is pressed. Of a menu button the inner part is pressed, the outer one says whether it may."""
        around = self.parent
        return self._state(Atspi.StateType.SENSITIVE) and (
            not around or around.role not in ("button", "push button") or around.sensitive)

    @property
    def parent(self):
        """The widget around this one, or None."""
        found = _ask(self._accessible.get_parent)
        return Widget(found) if found else None

    @property
    def children(self):
        """Those that can be had at this moment."""
        count = _ask(self._accessible.get_child_count) or 0
        found = (_ask(self._accessible.get_child_at_index, index) for index in range(count))
        return [Widget(child) for child in found if child]

    @property
    def text(self):
        """The whole text of an entry or a label, or its name when it has no text."""
        texts = _ask(self._accessible.get_text_iface)
        if not texts:
            return self.name
        return _ask(Atspi.Text.get_text, texts, 0, _ask(Atspi.Text.get_character_count, texts) or 0) or ""

    def walk(self, showing=True, depth=_DEPTH):
        """This widget and all below; what is not SHOWING is left out with all that it holds."""
        yield self
        if not depth:
            return
        for child in self.children:
            if not showing or child.showing:
                yield from child.walk(showing, depth - 1)

    def find_all(self, role=None, name=None, showing=True):
        """Every widget below with this role (or one of a set) and this name (or one for which NAME, a function, holds)."""
        roles = {role} if isinstance(role, str) else role
        for widget in self.walk(showing):
            if roles and widget.role not in roles:
                continue
            if name is None or (name(widget.name) if callable(name) else widget.name == name):
                yield widget

    def find(self, role=None, name=None, showing=True):
        """The first such widget, or None."""
        return next(self.find_all(role, name, showing), None)

    def wait(self, role=None, name=None, seconds=10, showing=True):
        """The first such widget as soon as it is there."""
        return tap.wait_for(lambda: self.find(role, name, showing), f"a {role or 'widget'} named {name!r}",
                            seconds)

    def press(self):
        """Does what a click does."""
        tap.check(self.sensitive, f"{self} is insensitive")
        action = _ask(self._accessible.get_action_iface)
        tap.check(action and _ask(Atspi.Action.get_n_actions, action), f"{self} has no action")
        tap.check(_ask(Atspi.Action.do_action, action, 0), f"{self} did not react")

    def centre(self):
        """Where its middle is in its window."""
        component = _ask(self._accessible.get_component_iface)
        tap.check(component, f"{self} has no place")
        found = _ask(Atspi.Component.get_extents, component, Atspi.CoordType.WINDOW)
        tap.check(found and found.width > 0 and found.height > 0, f"{self} is nowhere")
        return found.x + found.width // 2, found.y + found.height // 2

    def write(self, text):
        """Replaces the text of an entry."""
        editable = _ask(self._accessible.get_editable_text_iface)
        tap.check(editable, f"{self} cannot be written into")
        tap.check(_ask(Atspi.EditableText.set_text_contents, editable, text), f"{self} took no text")

    def __str__(self):
        return f"{self.role} {self.name!r}"

    def tree(self, showing=True, indent=0):
        """All that is below as text, for diagnoses; what only holds others together is left out."""
        lines = []
        if self.name or self.role not in ("panel", "grouping", "filler"):
            lines.append(" " * indent + str(self) + ("" if self.sensitive else " (insensitive)"))
        for child in self.children:
            if not showing or child.showing:
                lines += child.tree(showing, indent + 1).splitlines()
        return "\n".join(lines)


class Screen:
    """The display of a machine."""

    def __init__(self, machine):
        self._machine = machine
        # An application that has just appeared or gone is no news to a test.
        GLib.log_set_handler("dbind", GLib.LogLevelFlags.LEVEL_WARNING, lambda *_: None, None)
        Atspi.init()
        # A dead or stuck application must cost seconds, not minutes.
        Atspi.set_timeout(3000, 3000)
        self._desktop = Atspi.get_desktop(0)
        self._desktop.set_cache_mask(Atspi.Cache.NONE)

    def application(self, pid, seconds=10):
        """The application that runs as process PID."""
        def mine():
            for widget in Widget(self._desktop).children:
                if _ask(widget._accessible.get_process_id) == pid:
                    widget._accessible.set_cache_mask(Atspi.Cache.NONE)
                    return widget
            return None
        return tap.wait_for(mine, f"process {pid} on the accessibility bus", seconds)

    def _tool(self, *arguments):
        return subprocess.run(arguments, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=20,
                              env={"DISPLAY": self._machine.display, "PATH": os.environ["PATH"]})

    def windows(self, pid):
        """The numbers of all visible windows of the process, the newest last."""
        found = self._tool("xdotool", "search", "--onlyvisible", "--pid", str(pid)).stdout.split()
        return sorted(found, key=int)

    def focus(self, window):
        """Gives the keyboard to a window: there is no window manager that would."""
        self._tool("xdotool", "windowfocus", "--sync", window)

    def keys(self, *names):
        """Presses keys by their X names, such as ctrl+e."""
        self._tool("xdotool", "key", "--clearmodifiers", *names)

    def type(self, text):
        """Types TEXT into whatever has the keyboard."""
        self._tool("xdotool", "type", "--delay", "20", text)

    def resize(self, window, width, height):
        """Makes a window WIDTH x HEIGHT."""
        self._tool("xdotool", "windowsize", window, str(width), str(height))

    def double_click(self, window, place):
        """Presses the first button of the pointer twice at a place in a window."""
        self._tool("xdotool", "mousemove", "--window", window, *map(str, place), "click", "--repeat", "2",
                   "--delay", "60", "1")

    def point_away(self):
        """Moves the pointer to where it lights nothing up."""
        self._tool("xdotool", "mousemove", "1279", "799")

    def picture(self, file, window="root"):
        """Writes what a window (or everything) shows to a PNG file."""
        done = self._tool("import", "-silent", "-window", window, str(file))
        tap.check(done.returncode == 0, f"no picture: {done.stderr}")

    def colours(self, file):
        """How many colours a picture holds: a blank one has very few."""
        return int(self._tool("identify", "-format", "%k", str(file)).stdout or 0)
