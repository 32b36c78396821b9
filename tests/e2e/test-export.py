#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process names that a spreadsheet would compute come out of the export as text.

The names are those of real processes; the kernel keeps 15 bytes of them.
"""
import pathlib

import stage
import tables
import tap
from traffic import tcp

STAGE = stage.build()
# Each is cut by the kernel at 15 bytes, which is why the last is the beginning of a HYPERLINK only.
NAMES = ["=cmd", "+1", "-1", "@x", "a\tb", "a\rb", "a\nb", 'say "hi"', "  =lead", "\t=tab", "＝wide", "x,=1+1", "x|=1",
         "'=q", '"=1', "\u2028=u", "\udcff=raw", "-", "=", "evil;=HYPERL"]
PEERS = [f"198.51.100.{number}" for number in range(1, len(NAMES) + 1)]
FILE = pathlib.Path("/home/tester/hostile.csv")


def talk():
    """One flow for each name, to an address of its own."""
    for name, peer in zip(NAMES, PEERS):
        STAGE.traffic.talk("tester", name, tcp(peer, 443, (1_000, 2_000)))


@tap.case("processes with hostile names are really there")
def _():
    talk()
    for talker in STAGE.traffic.talkers:
        found = pathlib.Path(f"/proc/{talker.pid}/comm").read_bytes()[:-1]
        tap.equal(found, talker.comm.encode("utf-8", "surrogateescape")[:15], "the kernel's name")


@tap.case("no cell is a formula, read with commas, semicolons or tabs")
def _():
    application = STAGE.start()
    application.wait_row(PEERS[0])
    tap.wait_for(lambda: all(any(peer in cell for row in application.rows() for cell in row) for peer in PEERS[:10]),
                 "the flows on the screen")
    application.export(FILE)
    for name, separator in tables.SEPARATORS.items():
        cells = tables.cells(FILE, separator)
        tap.equal([cell for cell in cells if tables.is_formula(cell)], [], f"formulas when read with {name}")


@tap.case("the question is asked rightly: unprotected, these names would be formulas")
def _():
    naked = pathlib.Path("/tmp/naked.csv")
    naked.write_bytes("\r\n".join(["name", *NAMES[:4], NAMES[-1], ""]).encode())
    found = [cell for cell in tables.cells(naked, ";") if tables.is_formula(cell)]
    # A lone -1 is a number for a spreadsheet; the others would be computed.
    tap.equal(found, ["=cmd", "+1", "@x", "=HYPERL"], "formulas")


@tap.case("every flow keeps its row, and the names can still be read")
def _():
    rows = tables.read(FILE)
    for talker in STAGE.traffic.talkers:
        row = tables.flow_row(rows, talker.truth[0])
        tap.check(row["process"], f"a name for {talker.comm!r}")
        tap.equal(int(row["pid"]), talker.pid, f"pid of {talker.comm!r}")
        tap.equal([mark for mark in row["process"] if ord(mark) < 32 or 0x7f <= ord(mark) < 0xa0], [],
                  f"control characters in the name of {talker.comm!r}")
    number = tables.flow_row(rows, STAGE.traffic.talkers[NAMES.index("-1")].truth[0])["process"]
    tap.equal(number, "'-1", "the name that looks like a number")
    plain = tables.flow_row(rows, STAGE.traffic.talkers[NAMES.index("evil;=HYPERL")].truth[0])["process"]
    tap.equal(plain, "evil;'=HYPERL", "the name with a semicolon")


@tap.case("numbers stay numbers")
def _():
    for row in tables.read(FILE):
        for column in ("local_port", "remote_port", "pid", "sent_bytes", "received_bytes"):
            tap.check(row[column] == "" or row[column].isdigit(), f"{column} is {row[column]!r}")
    STAGE.stop()


STAGE.run()
