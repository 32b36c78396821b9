#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the suite with Meson and closes with one line that counts every single test case.

    run-tests.py BUILD_FOLDER [MESON_TEST_NAME]...
"""
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def count(junit):
    """Counts the test cases of Meson's JUnit file; a whole program that broke is one failure more."""
    passed, failed, skipped = 0, [], []
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        cases = suite.findall("testcase")
        broken = 0
        for case in cases:
            name = f"{suite.get('name')}: {case.get('name')}"
            skip = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
                broken += 1
            elif skip is not None:
                skipped.append(f"{name}: {skip.get('message') or (skip.text or '').strip() or 'no reason given'}")
            else:
                passed += 1
        if not broken and (int(suite.get("failures", 0)) or int(suite.get("errors", 0))):
            failed.append(f"{suite.get('name')}: the program did not end well")
    return passed, failed, skipped


def main():
    build, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    junit = build / "meson-logs" / "testlog.junit.xml"
    junit.unlink(missing_ok=True)
    result = subprocess.run(
        ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *names],
        stdin=subprocess.DEVNULL, check=False)
    if not junit.exists():
        print("no test was run")
        sys.exit(1)
    passed, failed, skipped = count(junit)
    if result.returncode and not failed:
        failed.append("meson test failed as a whole")
    print()
    for line in skipped:
        print(f"skipped: {line}")
    for line in failed:
        print(f"failed: {line}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
    sys.exit(1 if failed or not passed else 0)


main()
