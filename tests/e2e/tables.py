# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported tables, and what the kernel's own tool says about the same flows."""
import csv
import ipaddress
import re
import subprocess

import tap

# How a spreadsheet may begin a formula; the full-width forms are folded to these by some.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


def read(file):
    """The rows as dictionaries; fails unless the file is CSV as documented."""
    data = file.read_bytes()
    tap.check(data.endswith(b"\r\n"), "the last line ends with CR LF")
    text = data.decode("utf-8")
    return list(csv.DictReader(text.splitlines(keepends=True), strict=True))


def cells(file, separator):
    """Every cell as a spreadsheet finds it that splits at SEPARATOR, whatever was meant."""
    text = file.read_bytes().decode("utf-8")
    return [cell for row in csv.reader(text.splitlines(keepends=True), delimiter=separator) for cell in row]


def is_formula(cell):
    """Would a spreadsheet compute this? White space before it is passed over; a number is none."""
    cell = cell.lstrip(" \u00a0\u3000")
    return cell.startswith(FORMULA) and not re.fullmatch(r"-?\d+(\.\d+)?", cell)


def _same(address, other):
    return ipaddress.ip_address(address.strip("[]")) == ipaddress.ip_address(other.strip("[]"))


def flow_row(rows, flow):
    """The one row of a flow that a talker told about."""
    found = [row for row in rows
             if row["protocol"].lower() == flow["protocol"] and int(row["local_port"] or 0) == flow["local_port"]
             and int(row["remote_port"] or 0) == flow["remote_port"] and row["remote_address"]
             and _same(row["remote_address"], flow["remote"])]
    tap.equal(len(found), 1, f"rows of the flow from port {flow['local_port']} to {flow['remote']}")
    return found[0]


def tracked(flow):
    """(packets, bytes) of a flow in each direction as conntrack(8) reads them from the kernel."""
    family = "ipv6" if ":" in flow["remote"] else "ipv4"
    line = subprocess.run(
        ["conntrack", "-L", "-f", family, "-p", flow["protocol"], "-d", flow["remote"], "--sport",
         str(flow["local_port"]), "--dport", str(flow["remote_port"])],
        capture_output=True, text=True, check=True).stdout
    found = [(int(packets), int(size)) for packets, size in re.findall(r"packets=(\d+) bytes=(\d+)", line)]
    tap.equal(len(found), 2, f"directions that conntrack knows of {flow['remote']}: {line!r}")
    return {"sent": found[0], "received": found[1]}
