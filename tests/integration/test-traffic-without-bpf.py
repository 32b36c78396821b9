#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the kernel does not take the programs: the source says why, and all else is as if they were switched off."""
import ctypes
import errno
import os
import pathlib
import re
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

LIBC = ctypes.CDLL(None, use_errno=True)
CAPBSET_DROP = 24
SYS_ADMIN, PERFMON, BPF = 21, 38, 39
MNT_DETACH = 2

FLOWS = (
    "protocol=tcp,server=127.0.0.1,up=100000,down=50000,chunk=8000,rate=4000000,client-uid=1000",
    "protocol=udp,server=127.0.0.1,up=100000,down=3000,client-name=talker",
    "protocol=udp,server=::1,up=777,down=10000,server-uid=1001",
)

# ---- what a container, a kernel or an administrator may do to an engine; run in the child, before it is one ----


def private_mounts():
    os.unshare(os.CLONE_NEWNS)
    mount("none", "/", None, 1 << 18 | 1 << 14)  # MS_PRIVATE, MS_REC


def mount(what, where, kind, flags=0, data=None):
    """mount(2); Python has none."""
    arguments = [None if text is None else text.encode() for text in (what, where, kind)]
    if LIBC.mount(*arguments, flags, None if data is None else data.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {where}")


def without_groups():
    private_mounts()
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    for line in reversed(lines):
        if " - cgroup2 " in line:
            LIBC.umount2(line.split()[4].encode(), MNT_DETACH)


def with_old_groups():
    """Those of version 1, at the usual place."""
    without_groups()
    mount("none", "/sys/fs/cgroup", "cgroup", 0, "none,name=weir-test")


def with_groups_as_advised():
    """What people are told to do who have none."""
    with_old_groups()
    os.mkdir("/run/cgroup2")
    mount("none", "/run/cgroup2", "cgroup2")


def locked_down():
    private_mounts()
    mount("none", "/sys/kernel/security", "tmpfs")
    pathlib.Path("/sys/kernel/security/lockdown").write_text("none [integrity] confidentiality\n")


def without_right():
    for capability in (SYS_ADMIN, PERFMON, BPF):
        LIBC.prctl(CAPBSET_DROP, capability, 0, 0, 0)


def filtering(error):
    """A filter of system calls that answers bpf(2) with ERROR."""
    def install():
        seccomp = ctypes.CDLL("libseccomp.so.2")
        seccomp.seccomp_init.restype = ctypes.c_void_p
        context = ctypes.c_void_p(seccomp.seccomp_init(0x7fff0000))
        call = seccomp.seccomp_syscall_resolve_name(b"bpf")
        if seccomp.seccomp_rule_add(context, ctypes.c_uint32(0x00050000 | error), call, 0) \
                or seccomp.seccomp_load(context):
            os._exit(99)
    return install


# What the engine is given, why it then has no programs, and what the system said.
REFUSALS = (
    ({"kernel": "5.15"}, wt.OLD_KERNEL, errno.EINVAL),
    ({"kernel": "5.10"}, wt.OLD_KERNEL, errno.EPERM),
    ({"kernel": "no-bpf"}, wt.NO_PROGRAMS, errno.ENOSYS),
    ({"kernel": "no-cgroup-bpf"}, wt.NO_CGROUP_PROGRAMS, errno.EINVAL),
    ({"kernel": "verifier"}, wt.VERIFIER, errno.EACCES),
    ({"kernel": "not-shared"}, wt.NOT_SHARED, errno.EPERM),
    ({"kernel": "64-programs"}, wt.NOT_SHARED, errno.E2BIG),
    ({"kernel": "no-memory"}, wt.NO_MEMORY, errno.ENOMEM),
    ({"kernel": "refuses"}, wt.REFUSED, errno.EPERM),
    ({"kernel": "refuses", "prepare": locked_down}, wt.LOCKDOWN, errno.EPERM),
    ({"prepare": without_right}, wt.NO_RIGHT, errno.EPERM),
    ({"prepare": filtering(errno.EPERM)}, wt.REFUSED, errno.EPERM),
    ({"prepare": filtering(errno.ENOSYS)}, wt.NO_PROGRAMS, errno.ENOSYS),
    ({"prepare": without_groups}, wt.NO_CGROUPS, errno.ENOENT),
    ({"prepare": with_old_groups}, wt.NO_CGROUPS, errno.ENOENT),
)


def others(front):
    """State and reason of every source but the one that this is about."""
    return {number: (source["state"], source["reason"]) for number, source in front.sources.items()
            if number != wt.BPF}


def check_traffic(front):
    """What connection tracking counts and the looker finds."""
    with wt.traffic(*FLOWS) as traffic:
        for truth in traffic.truth:
            for side in ("client", "server"):
                front.wait(lambda front, truth=truth, side=side:
                           (flow := front.row_of(truth, side)) and flow.get("start_time"), f"{side} of {truth}")
        front.wait_ticks(2)
        for truth in traffic.truth:
            for side in ("client", "server"):
                flow = front.row_of(truth, side)
                wt.check_conntrack_bytes(flow, truth, side)
                wt.check_owner(flow, truth, side)


def switched_off():
    """The other sources of an engine that was told to do without.

    From then on engines leave other namespaces alone: how many of these can be opened changes while they come and go."""
    wt.configure(namespaces=False, bpf=False)
    with wt.front() as front:
        tap.equal((front.sources[wt.BPF]["state"], front.sources[wt.BPF]["reason"]), (wt.UNAVAILABLE, wt.CONFIG),
                  "bpf = no")
        expected = others(front)
    wt.configure(namespaces=False)
    return expected


@tap.case("it says why, and connections have their bytes and owners as without it", deadline=200)
def refused():
    expected = switched_off()
    for options, reason, error in REFUSALS:
        with wt.front(**options) as front:
            said = front.sources[wt.BPF]
            tap.equal((said["state"], said["reason"], said["error"]), (wt.UNAVAILABLE, reason, error), f"{options}")
            tap.check(said["said"], f"{options}: {said}")
            tap.equal(others(front), expected, f"{options}: other sources")
            check_traffic(front)


@tap.case("weir-cli words it, with what to do, and what the system said where that tells more")
def worded():
    for prepare, lines in (
            (without_groups, (r"Kernel Programs +Not available +0  Control groups of version 2 are not mounted {2,}Mount",
                              r"mount -t cgroup2 none /run/cgroup2”\.$")),
            (without_right, (r"may not load programs {2,}Start .* CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN\.$",)),
            (filtering(errno.EPERM), (r"The system refused it \(Operation not permitted\)",
                                      r"^Kernel Programs: loading the programs$"))):
        done = subprocess.run(["weir-cli", "sources"], capture_output=True, text=True, check=True, timeout=30,
                              preexec_fn=prepare, env={"PATH": "/usr/bin", "LANG": "C.UTF-8"})
        for line in lines:
            tap.check(re.search(line, done.stdout, re.MULTILINE), f"no {line!r} in {done.stdout}")
        tap.equal("loading the programs" in done.stdout, "refused it" in done.stdout, done.stdout)


@tap.case("control groups that are mounted as people are told to are found")
def advised():
    with wt.front(prepare=with_groups_as_advised) as front:
        tap.equal(front.sources[wt.BPF]["state"], wt.ACTIVE, f"{front.sources[wt.BPF]}")
    os.rmdir("/run/cgroup2")


@tap.case("what the verifier said comes along, in one line")
def verifier():
    with wt.front(kernel="verifier") as front:
        tap.equal(front.sources[wt.BPF]["said"], "R2 invalid mem access 'scalar' at *", "said")


@tap.case("an older kernel that takes them: every flow is counted, frames are not, and that is said")
def older():
    for kernel, reason in (("6.1", wt.NO_FRAMES), ("no-tcx", wt.NO_FRAMES), ("no-room-on-interfaces", wt.SOME_FRAMES),
                           ("6.12", 0), ("lockdown", 0)):
        with wt.front(kernel=kernel) as front:
            said = front.sources[wt.BPF]
            tap.equal((said["state"], said["reason"]), (wt.ACTIVE, reason), kernel)
            with wt.traffic(*FLOWS) as traffic:
                for truth in traffic.truth:
                    flow = front.wait(lambda front, truth=truth: (flow := front.row_of(truth, "client")) and
                                      flow["start_time"] and flow, f"{kernel}: client of {truth}")
                    tap.equal(flow["bytes_source"], wt.BPF, f"{kernel}: source of {flow}")
                    wt.check_owner(flow, truth, "client")


@tap.case("the limited view says that it takes the full one")
def limited():
    with wt.front(uid=weirtest.USER, elevated=False) as front:
        said = front.sources[wt.BPF]
        tap.equal((said["state"], said["reason"]), (wt.UNAVAILABLE, wt.NEEDS_FULL_VIEW), "bpf")


@tap.case("a build without them says so in both views, and does all else")
def not_built():
    expected = switched_off()
    for options in ({}, {"uid": weirtest.USER, "elevated": False}):
        with wt.front(path=os.environ["WEIR_ENGINE_WITHOUT_BPF"], **options) as front:
            said = front.sources[wt.BPF]
            tap.equal((said["state"], said["reason"], said["error"]), (wt.UNAVAILABLE, wt.NOT_BUILT, 0), f"{options}")
            if not options:
                tap.equal(others(front), expected, "other sources")
                check_traffic(front)


network = wt.Network()
network.track()
network.account()
tap.run(cleanup=network.close)
