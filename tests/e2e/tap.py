# SPDX-License-Identifier: GPL-3.0-or-later
"""Test cases that print TAP: one line each, with everything that helps to understand a failure.

A program decorates its cases and ends with `tap.run()`. A case fails by raising; each has a
deadline of its own, so that a hanging part of the machine is a failure with a name.
"""
import signal
import sys
import time
import traceback

DEADLINE = 120

_cases = []
_on_failure = []
_after_each = []


class Skip(Exception):
    """Why a case cannot be tried here."""


class Late(Exception):
    """A case took longer than it may."""


def case(name, deadline=DEADLINE):
    """Registers a function as a test case."""
    def register(function):
        _cases.append((name, function, deadline))
        return function
    return register


def on_failure(function):
    """Calls FUNCTION with the case's name after a failure; what it returns is printed as diagnosis."""
    _on_failure.append(function)


def after_each(function):
    """Calls FUNCTION after each case, whatever came of it."""
    _after_each.append(function)


def check(condition, message):
    """Fails the running case unless CONDITION holds."""
    if not condition:
        raise AssertionError(message() if callable(message) else message)


def equal(found, expected, what):
    """Fails the running case unless both are equal."""
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


def wait_for(condition, what, seconds=10, pause=0.05):
    """Returns the first true value of CONDITION; after SECONDS fails with WHAT it waited for."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(pause)


def diagnose(text):
    """Prints TEXT so that a TAP reader passes over it."""
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def _alarm(_signal, _frame):
    raise Late("the case did not end in time")


def _run_one(number, name, function, deadline):
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(deadline)
    started = time.monotonic()
    try:
        function()
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return True
    except Exception:
        signal.alarm(0)
        diagnose(traceback.format_exc())
        for more in _on_failure:
            try:
                diagnose(more(name) or "")
            except Exception as error:
                diagnose(f"no further diagnosis: {error!r}")
        print(f"not ok {number} - {name}", flush=True)
        return False
    finally:
        signal.alarm(0)
        for clean in _after_each:
            clean()
    print(f"ok {number} - {name}", flush=True)
    diagnose(f"{time.monotonic() - started:.1f} s")
    return True


def run(cleanup=None):
    """Runs every case, or those whose names contain one of the program's arguments; then exits."""
    wanted = sys.argv[1:]
    chosen = [entry for entry in _cases if not wanted or any(word in entry[0] for word in wanted)]
    print("TAP version 14")
    print(f"1..{len(chosen)}", flush=True)
    good = True
    try:
        for number, entry in enumerate(chosen, 1):
            good = _run_one(number, *entry) and good
    finally:
        if cleanup:
            cleanup()
    sys.exit(0 if good else 1)
