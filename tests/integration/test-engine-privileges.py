#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the three processes of the engine hold while they serve, and that they go together."""
import ctypes
import os
import pathlib
import pwd
import signal
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
from weirtest import CAPABILITIES


def held(pid):
    return {key: weirtest.status(pid)[key] for key in weirtest.FIELDS}


def exactly(capabilities):
    """What status shows of a process with these capabilities and nothing to inherit or regain."""
    return {"CapEff": capabilities, "CapPrm": capabilities, "CapInh": 0, "CapBnd": 0, "CapAmb": 0}


def is_only(pid, user):
    entry = pwd.getpwnam(user)
    fields = weirtest.status(pid)
    tap.equal(fields["Uid"], [entry.pw_uid] * 4, "uids")
    tap.equal(fields["Gid"], [entry.pw_gid] * 4, "gids")
    tap.equal(fields["Groups"], [], "groups")
    tap.equal(fields["NoNewPrivs"], "1", "NoNewPrivs")
    tap.equal(fields["Threads"], "1", "threads")
    tap.check(entry.pw_uid != 0, "the user is root")


@tap.case("the meter runs as a user of its own with no capability at all")
def meter():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        is_only(engine.pid, "weir-meter")
        tap.equal(held(engine.pid), exactly(0), "capabilities")
        tap.equal((engine.front.uid, engine.front.pid), (0, engine.pid), "who the front end sees")


@tap.case("the keeper holds exactly CAP_NET_ADMIN and one netlink socket")
def keeper():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pid, _looker = engine.helpers()
        is_only(pid, "weir")
        tap.equal(held(pid), exactly(CAPABILITIES["NET_ADMIN"]), "capabilities")
        tap.equal(len(weirtest.netlink_descriptors(pid)), 1, "netlink descriptors")
        tap.equal(len(weirtest.descriptors(pid)) - len(weirtest.links(pid)), 3 + 3, "descriptors")


@tap.case("the looker holds exactly CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, and no netlink descriptor")
def looker():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        _keeper, pid = engine.helpers()
        is_only(pid, "weir")
        tap.equal(held(pid), exactly(CAPABILITIES["SYS_PTRACE"] | CAPABILITIES["DAC_READ_SEARCH"]),
                  "capabilities")
        tap.equal(weirtest.netlink_descriptors(pid), [], "netlink descriptors")
        sockets = [target for target in weirtest.descriptors(pid).values() if target.startswith("socket:")]
        tap.equal(len(sockets), 1, "sockets")


@tap.case("standard descriptors of all three lead to /dev/null")
def stdio():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        for pid in (engine.pid, *engine.helpers()):
            found = weirtest.descriptors(pid)
            tap.equal([found[number] for number in range(3)], ["/dev/null"] * 3, f"descriptors of {pid}")


@tap.case("an ordinary user's engine has no keeper and nobody holds a capability")
def limited():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=False) as engine:
        engine.serve(helpers=1)
        tap.equal((engine.front.uid, engine.front.pid), (weirtest.USER, engine.pid), "who the front end sees")
        pids = [engine.pid, *weirtest.children(engine.pid)]
        tap.equal(len(pids), 3, "meter, looker and teller")
        for pid in pids:
            fields = weirtest.status(pid)
            tap.equal(fields["Uid"], [weirtest.USER] * 4, "uids")
            tap.equal((fields["CapEff"], fields["CapPrm"], fields["CapInh"], fields["CapAmb"]), (0, 0, 0, 0),
                      "capabilities")
            tap.equal(fields["NoNewPrivs"], "1", "NoNewPrivs")
        for pid in pids[1:]:
            tap.equal(weirtest.netlink_descriptors(pid), [], "netlink descriptors of a looker")


LOOKER_LAYERS = (weirtest.OWN_UID | weirtest.ONLY_CAPABILITIES | weirtest.NO_NEW_PRIVS | weirtest.EMPTY_ROOT
                 | weirtest.EMPTY_NAMESPACES | weirtest.SECCOMP)
LAYERS = {"meter": LOOKER_LAYERS | weirtest.LANDLOCK, "keeper": LOOKER_LAYERS | weirtest.LANDLOCK,
          "looker": LOOKER_LAYERS}


@tap.case("CONFINEMENT says what /proc shows, and every layer that a process is to have is in force")
def confinement():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        said = engine.front.confinement()
        pids = dict(zip(("meter", "keeper", "looker"), (engine.pid, *engine.helpers())))
        tap.equal(set(said), set(pids), "processes")
        for role, pid in pids.items():
            fields = weirtest.status(pid)
            sets = [fields[key] for key in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")]
            tap.equal(said[role], (fields["Uid"][1], sets, LAYERS[role], 0), role)


def without_users():
    """In the child: a mount namespace in which nobody has made our users."""
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", "/dev/null", "/etc/passwd"], check=True)


@tap.case("without users of its own it becomes nobody, and says that this is missing")
def nobody():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without_users) as engine:
        engine.serve()
        said = engine.front.confinement()
        for pid in (engine.pid, *engine.helpers()):
            tap.equal(weirtest.status(pid)["Uid"], [65534] * 4, "uids")
        for role, (uid, _sets, active, missing) in said.items():
            tap.equal((uid, active, missing), (65534, LAYERS[role] & ~weirtest.OWN_UID, weirtest.OWN_UID), role)


def without(capability):
    """In the child: a container's root that lacks a capability (PR_CAPBSET_DROP; exec applies it)."""
    def prepare():
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    return prepare


@tap.case("a root that may not give up its uid does not serve")
def stuck():
    for capability in (6, 7):  # CAP_SETGID, CAP_SETUID
        with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without(capability)) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_CONFINEMENT, "exit code")
            front = handoff.accept(0)
            tap.check(front is None or front.frame(0.2) is None, "it said something")


@tap.case("without CAP_SETPCAP the bounding set stays, and CONFINEMENT says so")
def bounding():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without(8)) as engine:
        engine.serve()
        for role, (_uid, sets, _active, missing) in engine.front.confinement().items():
            tap.equal((sets[3] != 0, missing), (True, weirtest.ONLY_CAPABILITIES), role)


@tap.case("without CAP_NET_ADMIN there is no keeper, and the view is limited")
def no_net_admin():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without(12)) as engine:
        tap.equal(weirtest.view(engine.serve(helpers=1)), "limited", "view")
        said = engine.front.confinement()
        tap.equal(set(said), {"meter", "looker"}, "processes")


@tap.case("the view is full for the machine's root only when it can see everything, and limited for a user")
def views():
    with weirtest.handoff() as handoff:
        with weirtest.engine(handoff) as engine:
            tap.equal(weirtest.view(engine.serve()), "full", "view of root")
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=without(19)) as engine:  # CAP_SYS_PTRACE
        tap.equal(weirtest.view(engine.serve()), "limited", "view of a root that sees no other processes")
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=False) as engine:
        tap.equal(weirtest.view(engine.serve(helpers=1)), "limited", "view of a user")


@tap.case("root of a user namespace has every capability there, and the view is limited")
def user_namespace():
    with weirtest.handoff() as handoff:
        argv = ["unshare", "--user", "--net", "--mount", "--map-users", "0:0:65536", "--map-groups", "0:0:65536",
                weirtest.ENGINE, "--handoff", str(handoff.path)]
        with weirtest.engine(handoff, argv=argv, path="/usr/bin/unshare") as engine:
            tap.equal(weirtest.view(engine.serve()), "limited", "view")


@tap.case("an engine of root's own is confined in the same way")
def root():
    with weirtest.handoff(uid=0) as handoff, weirtest.engine(handoff, environment={}) as engine:
        engine.serve()
        is_only(engine.pid, "weir-meter")
        tap.equal(held(engine.pid), exactly(0), "capabilities")


@tap.case("a nobody who calls is not served by helpers that are nobody")
def nobody_calls():
    with weirtest.handoff(65534) as handoff, \
         weirtest.engine(handoff, uid=65534, prepare=without_users) as engine:
        tap.equal(engine.exit_code(), weirtest.EXIT_CONFINEMENT, "exit code")


@tap.case("a /run/weir that others can write to is refused, with an exit code of its own")
def run_dir():
    def prepare():
        os.unshare(os.CLONE_NEWNS)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        os.makedirs("/run/weir", mode=0o700, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "weir", "/run/weir"], check=True)

    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=prepare) as engine:
        tap.equal(engine.exit_code(), weirtest.EXIT_RUN_DIR, "exit code")


def all_gone(pids, seconds=1.0):
    return weirtest.wait_until(lambda: not any(weirtest.running(pid) for pid in pids), seconds)


@tap.case("end of file on the socket ends all three within a second")
def leash():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        pids = [engine.pid, *engine.helpers()]
        started = time.monotonic()
        engine.front.close()
        tap.check(all_gone(pids), f"still running: {[pid for pid in pids if weirtest.running(pid)]}")
        tap.diagnose(f"gone after {(time.monotonic() - started) * 1000:.0f} ms")
        tap.equal(engine.exit_code(), weirtest.EXIT_DONE, "exit code")


@tap.case("killing the meter ends keeper and looker within a second")
def meter_killed():
    for elevated in (True, False):
        with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=elevated) as engine:
            engine.serve(helpers=2 if elevated else 1)
            helpers = weirtest.children(engine.pid)
            os.kill(engine.pid, signal.SIGKILL)
            tap.check(all_gone(helpers), "a helper outlives the meter")


@tap.case("an ordinary user's helper ends with the meter even while it is stopped")
def death_signal():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=False) as engine:
        engine.serve(helpers=1)
        helpers = weirtest.children(engine.pid)
        os.kill(helpers[0], signal.SIGSTOP)
        os.kill(engine.pid, signal.SIGKILL)
        tap.check(all_gone(helpers), "it outlives the meter")


@tap.case("killing a helper does not end the meter")
def helper_killed():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        for pid in engine.helpers():
            os.kill(pid, signal.SIGKILL)
        tap.check(not all_gone([engine.pid], 1.5), "the meter ended with its helpers")


def signals(uid, pid):
    """What a process of UID with no capability is told when it signals PID, or limits it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answers = []
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            os.kill(pid, signal.SIGCONT)
            answers.append("signalled")
        except PermissionError:
            answers.append("refused")
        try:
            os.readlink(f"/proc/{pid}/exe")
            answers.append("attached")
        except PermissionError:
            answers.append("refused")
        os.write(writer, " ".join(answers).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answers:
        return answers.read()


@tap.case("meter, helpers and the caller can neither signal nor attach to one another")
def apart():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        meter_uid, helper_uid = (pwd.getpwnam(name).pw_uid for name in ("weir-meter", "weir"))
        for uid, pid in ((meter_uid, engine.helpers()[0]), (meter_uid, engine.helpers()[1]),
                         (helper_uid, engine.pid), (weirtest.USER, engine.pid),
                         (weirtest.USER, engine.helpers()[1]), (65534, engine.pid)):
            tap.equal(signals(uid, pid), "refused refused", f"uid {uid} to {pid}")


@tap.case("at most four engines of one user and sixteen in all")
def slots():
    handoffs, engines = [], []

    def start(handoff):
        engines.append(weirtest.Engine(handoff, uid=handoff.uid))
        engines[-1].serve()

    try:
        for uid in range(2000, 2005):
            handoffs.append(weirtest.Handoff(uid))
        for handoff in handoffs[:4]:
            for _ in range(4):
                start(handoff)
            if len(engines) == 4:
                with weirtest.engine(handoff, uid=handoff.uid) as fifth:
                    tap.equal(fifth.exit_code(), weirtest.EXIT_RESOURCES, "the fifth of one user")
                    tap.check(handoff.accept(0.1) is None, "the fifth connected")
        with weirtest.engine(handoffs[4], uid=handoffs[4].uid) as seventeenth:
            tap.equal(seventeenth.exit_code(), weirtest.EXIT_RESOURCES, "the seventeenth of all")
            # A caller who makes connecting last for ever would have kept others out of a slot for as long.
            front = handoffs[4].accept(0.1)
            tap.check(front is not None and front.frame(0.2) is None, "it took a slot before it had connected")
        engines[0].end()
        start(handoffs[4])
    finally:
        for engine in engines:
            engine.end()
        for handoff in handoffs:
            handoff.close()


tap.run()
