#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms and fences of the three processes, as /proc shows them and as the self-test tries them."""
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

FENCES = ("empty-root", "empty-namespaces", "landlock", "seccomp")
FLAGS = {"ro", "nosuid", "nodev", "noexec", "nosymfollow"}
FILTER = "2"  # Seccomp in /proc/PID/status


def namespace(pid, kind):
    return os.readlink(f"/proc/{pid}/ns/{kind}")


def mounts(pid):
    """What PID sees: {mount point: (type, flags)}."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        fields = line.split()
        found[fields[4]] = (fields[fields.index("-") + 1], set(fields[5].split(",")))
    return found


@tap.case("all three have a filter and cannot gain privileges, in both views")
def filters():
    for elevated in (True, False):
        with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=elevated) as engine:
            engine.serve(helpers=2 if elevated else 1)
            for pid in (engine.pid, *weirtest.children(engine.pid)):
                fields = weirtest.status(pid)
                tap.equal((fields["Seccomp"], fields["NoNewPrivs"]), (FILTER, "1"), f"status of {pid}")


@tap.case("meter and keeper have an empty root that cannot be written")
def empty_root():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        keeper, _looker = engine.helpers()
        for pid in (engine.pid, keeper):
            tap.equal(os.listdir(f"/proc/{pid}/root"), [], f"root of {pid}")
            (point, (kind, flags)), = mounts(pid).items()
            tap.equal((point, kind), ("/", "tmpfs"), f"mounts of {pid}")
            tap.check(FLAGS <= flags, f"flags of the root of {pid}: {flags}")
            tap.equal(os.readlink(f"/proc/{pid}/cwd"), "/", "working directory")
            tap.check(not os.access(f"/proc/{pid}/root/..", os.W_OK), "root's parent can be written")


@tap.case("the looker sees processes and control groups, for reading, and no link leads anywhere")
def looker_room():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        _keeper, pid = engine.helpers()
        found = mounts(pid)
        tap.equal({point: kind for point, (kind, _flags) in found.items()},
                  {"/": "tmpfs", "/proc": "proc", "/cgroup": "cgroup2"}, "mounts of the looker")
        for point, (_kind, flags) in found.items():
            tap.check(FLAGS <= flags, f"flags of {point}: {flags}")
        tap.equal(sorted(os.listdir(f"/proc/{pid}/root")), ["cgroup", "proc"], "its root")
        inside = os.listdir(f"/proc/{pid}/root/proc")
        tap.equal([name for name in inside if not name.isdigit() and name not in ("self", "thread-self")], [],
                  "what is in its procfs besides processes")
        for link in ("root", "cwd", "exe", "ns/net", "fd/0"):
            try:
                os.close(os.open(f"/proc/{pid}/root/proc/{os.getpid()}/{link}", os.O_RDONLY))
                raise AssertionError(f"{link} was followed")
            except OSError as error:
                tap.equal(error.errno, 40, f"following {link}")  # ELOOP


@tap.case("each has networks, IPC and names of its own, and pids that everybody knows")
def namespaces():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pids = (os.getpid(), engine.pid, *engine.helpers())
        for kind in ("net", "ipc", "uts", "mnt"):
            tap.equal(len({namespace(pid, kind) for pid in pids}), 4, f"different {kind} namespaces")
        for kind in ("pid", "user", "cgroup"):
            tap.equal(len({namespace(pid, kind) for pid in pids}), 1, f"different {kind} namespaces")
        for pid in pids[1:]:
            lines = pathlib.Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
            tap.equal([line.split(":")[0].strip() for line in lines], ["lo"], f"interfaces of {pid}")
            tap.equal(pathlib.Path(f"/proc/{pid}/net/fib_trie").read_text(), "", f"routes of {pid}")


@tap.case("nothing of the rooms is seen outside")
def outside():
    before = pathlib.Path("/proc/self/mountinfo").read_text()
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        tap.equal(pathlib.Path("/proc/self/mountinfo").read_text(), before, "mounts while it runs")
    tap.equal(pathlib.Path("/proc/self/mountinfo").read_text(), before, "mounts afterwards")


@tap.case("the limited view has no rooms, and says neither that it has nor that it misses them")
def limited():
    common = weirtest.ONLY_CAPABILITIES | weirtest.NO_NEW_PRIVS | weirtest.SECCOMP
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=False) as engine:
        engine.serve(helpers=1)
        said = {role: (active, missing) for role, (_uid, _sets, active, missing)
                in engine.front.confinement().items()}
        tap.equal(said, {"meter": (common | weirtest.LANDLOCK, 0), "looker": (common, 0)}, "CONFINEMENT")
        for pid in (engine.pid, *weirtest.children(engine.pid)):
            tap.equal(namespace(pid, "net"), namespace("self", "net"), "network namespace")
            tap.check(os.listdir(f"/proc/{pid}/root"), "an empty root")


def without_sys_admin():
    """In the child: a container's root (PR_CAPBSET_DROP of CAP_SYS_ADMIN; exec applies it)."""
    ctypes.CDLL(None).prctl(24, 21, 0, 0, 0)


@tap.case("where rooms are refused it serves without, and names what is missing")
def refused():
    rooms = weirtest.EMPTY_ROOT | weirtest.EMPTY_NAMESPACES
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without_sys_admin) as engine:
        engine.serve()
        for role, (_uid, _sets, active, missing) in engine.front.confinement().items():
            tap.equal((missing, active & rooms, active & weirtest.SECCOMP), (rooms, 0, weirtest.SECCOMP), role)
        engine.front.send(weirtest.START, (250).to_bytes(4, "little"))
        while (frame := engine.front.frame()) is not None and frame[0] != weirtest.TICK:
            tap.check(frame[0] not in (weirtest.ERROR, weirtest.BYE), f"it ended with {frame}")
        tap.check(frame is not None, "no tick came")


def in_another_root():
    """In the child: another mount of everything is its root, as in a build environment."""
    place = pathlib.Path("/run/weir-other-root")
    place.mkdir(exist_ok=True)
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--rbind", "/", place], check=True)
    os.chroot(place)


@tap.case("in a root inside another one the rooms are there as well")
def nested():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=in_another_root) as engine:
        engine.serve()
        keeper, looker = engine.helpers()
        tap.equal(os.listdir(f"/proc/{keeper}/root"), [], "root of the keeper")
        tap.equal(set(mounts(looker)), {"/", "/proc", "/cgroup"}, "mounts of the looker")


@tap.case("all three go on after they were stopped in the middle of everything")
def stopped():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pids = (engine.pid, *engine.helpers())
        engine.front.send(weirtest.START, (250).to_bytes(4, "little"))
        for _ in range(8):
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(0.05)
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            time.sleep(0.1)
        for pid in pids:
            tap.check(weirtest.running(pid), f"{pid} has ended")


# Holder and reader are keeper and looker after they have given up what they had.
SELF_TESTED = (*weirtest.ROLES, "holder", "reader")


def self_test(*without, user=None, environment=None):
    """Runs it; exit code and {(role, act): (verdict, how, [layers])}."""
    command = [weirtest.ENGINE, "--self-test"]
    for layer in without:
        command += ["--without", layer]
    options = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run(command, env=environment or {}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=60, **options)
    found = {}
    for line in done.stdout.splitlines():
        if line.split(" ")[0] in SELF_TESTED:
            fields = [field.strip() for field in line[8:].split("  ") if field.strip()]
            layers = fields[3].split(", ") if len(fields) > 3 else []
            found[line.split(" ")[0], fields[0]] = (fields[1], fields[2], layers)
    return done.returncode, found


def not_denied(found):
    return {act for act, (verdict, _how, _layers) in found.items() if verdict == "NOT DENIED"}


@tap.case("the self-test has every act denied, as root and as an ordinary user")
def all_denied():
    for user, roles in ((None, 6), (weirtest.USER, 2)):
        code, found = self_test(user=user)
        tap.equal((code, not_denied(found)), (weirtest.EXIT_DONE, set()), "not denied")
        tap.equal(len({role for role, _act in found}), roles, "roles")
        tap.check(len(found) >= roles * 40 - 2, f"only {len(found)} acts")
        tap.equal([act for act, (_verdict, _how, layers) in found.items() if not layers], [], "denied by nothing")
        tap.diagnose(f"{len(found)} acts denied")


# What is behind each fence, and nothing else: role, act, and the fences that must fall before it is possible.
BEHIND = {
    ("looker", "read /etc/shadow"): {"empty-root"},
    ("looker", "follow /proc/PID/root"): {"empty-root"},
    ("looker", "create a file"): {"empty-root", "seccomp"},
    ("looker", "ptrace a sibling"): {"seccomp"},
    ("looker", "process_vm_readv a sibling"): {"seccomp"},
    ("looker", "pidfd_getfd from a sibling"): {"seccomp"},
    ("looker", "open_by_handle_at"): {"seccomp"},
    ("looker", "kill a sibling"): {"seccomp"},
    ("looker", "connect TCP"): {"empty-namespaces", "seccomp"},
    ("keeper", "delete a firewall table"): {"empty-namespaces", "seccomp"},
    ("keeper", "change an interface"): {"empty-namespaces", "seccomp"},
    ("keeper", "kill a sibling"): {"landlock", "seccomp"},
    ("keeper", "prlimit a sibling"): {"seccomp"},
    ("keeper", "write to a file that is open"): {"seccomp", "privileges"},
    ("keeper", "send more than a request for a dump"): {"seccomp"},
    ("twin", "lengthen a file that is open"): {"seccomp", "privileges"},
    ("twin", "send on a socket that is open"): {"seccomp"},
    ("twin", "delete a firewall table"): {"empty-namespaces", "seccomp"},
    ("twin", "kill a sibling"): {"landlock", "seccomp"},
    ("keeper", "raise a capability"): {"privileges"},
    ("looker", "raise a capability"): {"privileges"},
    ("holder", "dump connections"): {"privileges"},
    ("reader", "see descriptors of others"): {"privileges"},
    ("reader", "see the network namespace of others"): {"privileges"},
    ("meter", "read /etc/passwd"): {"empty-root", "landlock", "seccomp"},
    ("meter", "connect TCP"): {"empty-namespaces", "landlock", "seccomp"},
    ("meter", "send UDP"): {"empty-namespaces", "seccomp"},
    ("meter", "mmap executable"): {"seccomp"},
    ("meter", "unshare"): {"seccomp"},
}


@tap.case("each layer denies what it is there for")
def behind():
    _code, found = self_test()
    for act, fences in BEHIND.items():
        tap.equal(set(found[act][2]), fences, f"what denies {act}")


@tap.case("with layers taken away, exactly what only they denied is reported as not denied")
def taken_away():
    for user in (None, weirtest.USER):
        _code, whole = self_test(user=user)
        for without in (*((fence,) for fence in FENCES), ("seccomp", "empty-root"), ("seccomp", "landlock"),
                        ("seccomp", "empty-namespaces"), ("seccomp", "landlock", "empty-namespaces")):
            expected = {act for act, (_verdict, _how, layers) in whole.items() if set(layers) <= set(without)}
            code, found = self_test(*without, user=user)
            tap.equal(not_denied(found), expected, f"without {without}")
            tap.equal(code, weirtest.EXIT_CONFINEMENT if expected else weirtest.EXIT_DONE, "exit code")
            tap.diagnose(f"user {user}, without {', '.join(without)}: {len(expected)}")


@tap.case("the self-test is nobody's who comes through pkexec, and takes no other argument")
def refuses():
    code, found = self_test(environment={"PKEXEC_UID": str(weirtest.USER)})
    tap.equal((code, found), (weirtest.EXIT_USAGE, {}), "through pkexec")
    for arguments in (["--without"], ["--without", "own-uid"], ["--without", "everything"], ["x"]):
        done = subprocess.run([weirtest.ENGINE, "--self-test", *arguments], env={}, capture_output=True, check=False)
        tap.equal((done.returncode, done.stdout), (weirtest.EXIT_USAGE, b""), f"with {arguments}")


tap.run()
