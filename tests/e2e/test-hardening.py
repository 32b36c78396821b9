#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed programs are built as hardened as the project says: read from the ELF files themselves.

    test-hardening.py COMPILE_COMMANDS PROGRAM ENGINE
"""
import json
import os
import pathlib
import re
import stat
import subprocess
import sys

import tap

COMMANDS, PROGRAM, ENGINE = sys.argv[1:4]
del sys.argv[1:]
BOTH = (PROGRAM, ENGINE)

# What the privileged program may load; everything else is code that nobody reviewed for root.
ENGINE_LIBRARIES = re.compile(
    r"(libbpf|libc|libm|libcap|libseccomp|libnl-3|libnl-route-3)\.so\.\d+$")
FLAGS = ("-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection")


def elf(option, file):
    """What readelf says."""
    return subprocess.run(["readelf", "-W", option, file], check=True, capture_output=True, text=True).stdout


def each(test):
    """Runs TEST for both programs and names the one that fails."""
    for file in BOTH:
        tap.check(test(file), file)


@tap.case("both are position-independent executables")
def _():
    each(lambda file: re.search(r"Type:\s+DYN", elf("-h", file))
         and re.search(r"FLAGS_1.*\bPIE\b", elf("-d", file)))


@tap.case("relocations are read-only, and all made before the program starts")
def _():
    each(lambda file: "GNU_RELRO" in elf("-l", file) and re.search(r"FLAGS_1.*\bNOW\b", elf("-d", file)))


@tap.case("no segment is writable and executable, the stack neither")
def _():
    for file in BOTH:
        headers = re.findall(r"^\s+(\w+)\s+(?:0x[0-9a-f]+\s+){5}([R ][W ][E ])", elf("-l", file), re.MULTILINE)
        tap.check(any(kind == "GNU_STACK" for kind, _ in headers), f"{file} says nothing about its stack")
        tap.check(not any("W" in flags and "E" in flags for _, flags in headers), f"{file}: {headers}")


@tap.case("no text relocations and no library path of its own")
def _():
    each(lambda file: not re.search(r"\((TEXTREL|RPATH|RUNPATH)\)", elf("-d", file)))


@tap.case("the stack protector and the checked C functions are linked in")
def _():
    for file in BOTH:
        symbols = set(re.findall(r" UND (\w+)", elf("--dyn-syms", file)))
        tap.check("__stack_chk_fail" in symbols, f"{file}: no stack protector")
    checked = {name for name in re.findall(r" UND (\w+)", elf("--dyn-syms", ENGINE))
               if name.endswith("_chk")}
    tap.check(checked, f"{ENGINE}: no checked function")


@tap.case("every file of the programs was compiled with the flags that leave no trace in an ELF file")
def _():
    # What tests compile once more for themselves (under a sanitizer, say) goes to other places.
    entries = [entry for entry in json.loads(pathlib.Path(COMMANDS).read_text())
               if entry["output"].startswith("src/") and entry["file"].endswith(".c")]
    tap.check(any("/capture/" in entry["file"] for entry in entries), "no file of the engine")
    for entry in entries:
        for flag in FLAGS:
            tap.check(flag in entry["command"].split(), f"{entry['file']} without {flag}")


@tap.case("the engine loads no library but those that it needs as root")
def _():
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", elf("-d", ENGINE))
    tap.check(needed, "no library at all")
    tap.equal([name for name in needed if not ENGINE_LIBRARIES.match(name)], [], "libraries")


@tap.case("neither is set-user-id, has file capabilities or can be written by others")
def _():
    for file in BOTH:
        mode = os.stat(file).st_mode
        tap.equal(mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWGRP | stat.S_IWOTH), 0, f"mode of {file}")
        tap.equal(os.stat(file).st_uid, 0, f"owner of {file}")
        tap.check("security.capability" not in os.listxattr(file), f"{file} has capabilities")


tap.run()
