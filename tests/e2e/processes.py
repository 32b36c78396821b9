# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes as the kernel describes them."""
import os
import pathlib

ENGINE = "/usr/libexec/weir-engine"
PROGRAM = "/usr/bin/weir"

CAP_DAC_READ_SEARCH = 1 << 2
CAP_NET_ADMIN = 1 << 12
CAP_SYS_PTRACE = 1 << 19

# What each part of a full engine may do as long as it has not given it up.
ROLES = {
    "meter": 0,
    "keeper": CAP_NET_ADMIN,
    "looker": CAP_SYS_PTRACE | CAP_DAC_READ_SEARCH,
}


def status(pid):
    """/proc/PID/status as a dictionary; None when the process is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def capabilities(pid):
    """The capability sets as numbers by their names in /proc/PID/status."""
    found = status(pid)
    return {key: int(found[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def uids(pid):
    """Real, effective, saved and file system uid."""
    found = status(pid)
    return [int(uid) for uid in found["Uid"].split()] if found else []


def running(program):
    """Every living process that runs PROGRAM."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/exe").removesuffix(" (deleted)") != program:
                continue
        except OSError:
            continue
        if (state := status(entry)) and not state["State"].startswith(("Z", "X")):
            found.append(int(entry))
    return sorted(found)


def engines():
    """Every engine process."""
    return running(ENGINE)


def elevated(tester):
    """Engine processes that do not run as the user with the uid TESTER."""
    return [pid for pid in engines() if set(uids(pid)) != {tester}]


def role(pid, others):
    """What PID is for, among the engine's OTHERS: told by who started it and what it has open, for what it may do it
    may have given up."""
    if parent(pid) not in others:
        return "meter"
    held = descriptors(pid)
    inodes = netlink_inodes("self")
    if any("bpf" in target or target in {f"socket:[{inode}]" for inode in inodes} for target in held.values()):
        return "keeper"
    if (status(pid) or {}).get("Name") == "weir-teller":
        return "teller"
    return "looker" if "/proc" in held.values() else None


def full_engine(tester):
    """The processes of the full view by role: those that do not run as the tester."""
    found = {}
    pids = elevated(tester)
    for pid in pids:
        # Until it has given up being root it is none of them.
        if not status(pid) or 0 in uids(pid):
            continue
        try:
            name = role(pid, pids)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name in ("meter", "keeper", "looker"):
            found.setdefault(name, pid)
    return found


def descriptors(pid):
    """What each open descriptor of a process leads to."""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
    return found


def netlink_inodes(pid):
    """Inodes of the netlink sockets in the network namespace of PID."""
    lines = pathlib.Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]
    return {int(line.split()[9]) for line in lines}


def parent(pid):
    """The process that started PID."""
    found = status(pid)
    return int(found["PPid"]) if found else None
