#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounting is switched on by engines that were started for it, and put back whatever becomes of them.

Each case has a network namespace, hence a setting, of its own; it is read back after each kill.
"""
import contextlib
import ctypes
import fcntl
import functools
import os
import pathlib
import signal
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

SETTING = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_acct")
BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id")
RUN = pathlib.Path("/run/weir")

CONNTRACK = 1
DEGRADED, ACTIVE = 1, 2
KERNEL_LACKS, ACCOUNTING_OFF, SWITCHED = 3, 5, 13
HELPERS = 3
# Codes of NOTICES.
RESTORED, NOT_RESTORED, NOT_OURS = 13, 14, 15
EROFS = 30


def case(name):
    """A case in a network of its own, where accounting is off."""
    def register(function):
        @tap.case(name)
        @functools.wraps(function)
        def run():
            os.unshare(os.CLONE_NEWNET)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            SETTING.write_text("0")
            # Of a namespace that is gone and had the same number.
            record().unlink(missing_ok=True)
            function()
        return run
    return register


def value():
    return SETTING.read_text().strip()


def wait_value(expected, what):
    tap.wait_for(lambda: value() == expected, f"{what}: the setting to be {expected}")


def record():
    """The record of the namespace that this process is in."""
    return RUN / f"accounting-{os.stat('/proc/self/ns/net').st_ino}"


def wait_record_empty():
    tap.wait_for(lambda: not record().exists() or record().stat().st_size == 0, "the record to be empty")


def wait_gone(pids):
    pids = list(pids)
    tap.wait_for(lambda: not any(weirtest.running(pid) for pid in pids), "all processes to be gone")


@contextlib.contextmanager
def counting(helpers=HELPERS, **options):
    """An engine that was started for accounting, and serves."""
    with weirtest.handoff(options.get("uid", weirtest.USER)) as handoff, \
         weirtest.engine(handoff, accounting=True, **options) as engine:
        engine.serve(helpers=helpers)
        pids = list(engine.roles().values())
        yield engine
    # What follows must not meet a process that is about to put something back.
    wait_gone(pid for pid in pids if pid)


def kill(*pids):
    """The later ones may have ended already, because the first did."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@case("it is on while the engine serves, said, and off afterwards")
def whole():
    with counting() as engine:
        tap.equal(value(), "1", "the setting")
        tap.equal(engine.front.source(CONNTRACK), (ACTIVE, SWITCHED, 0), "conntrack")
        info = record().stat()
        tap.equal((info.st_uid, info.st_gid, info.st_mode & 0o7777, info.st_nlink), (0, 0, 0o600, 1), "the record")
        tap.equal((RUN.stat().st_uid, RUN.stat().st_mode & 0o7777), (0, 0o700), "its folder")
        text = record().read_text()
        tap.check(BOOT.read_text().strip() in text and text.endswith(" was 0\n"), text)
        pids = [pid for pid in engine.roles().values()]
        engine.front.close()
        wait_gone(pids)
    tap.equal(value(), "0", "the setting afterwards")
    tap.equal(record().stat().st_size, 0, "size of the record afterwards")


@case("without being started for it, it changes nothing and leaves no record")
def not_asked():
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        tap.equal(engine.front.source(CONNTRACK), (DEGRADED, ACCOUNTING_OFF, 0), "conntrack")
        tap.equal((value(), record().exists()), ("0", False), "setting, record")


@case("what an administrator had switched on stays on, and no record is kept")
def administrator():
    SETTING.write_text("1")
    with counting(helpers=2) as engine:
        tap.equal(engine.front.source(CONNTRACK), (ACTIVE, 0, 0), "conntrack")
        tap.equal(engine.roles()["twin"], None, "twin")
        tap.equal(record().stat().st_size, 0, "size of the record")
        pids = [pid for pid in engine.roles().values() if pid]
        kill(*pids)
        wait_gone(pids)
    tap.equal(value(), "1", "the setting")


@case("what somebody switched off meanwhile is left at that, and said")
def switched_off():
    with counting() as engine:
        tap.equal(engine.front.source(CONNTRACK), (ACTIVE, SWITCHED, 0), "conntrack")
        SETTING.write_text("0")
        engine.front.send(weirtest.START, (250).to_bytes(4, "little"))
        tap.equal(engine.front.source(CONNTRACK), (DEGRADED, ACCOUNTING_OFF, 0), "conntrack later")
    wait_record_empty()
    tap.equal(value(), "0", "the setting")


def killed(role):
    """Kills one process of an engine; the setting is put back at the latest when the engine has ended."""
    with counting() as engine:
        roles = engine.roles()
        tap.check(all(roles.values()), f"roles: {roles}")
        tap.equal(value(), "1", "the setting")
        kill(roles[role])
        if role != "looker":
            wait_value("0", f"after the end of the {role}")
            wait_record_empty()
        if role in ("keeper", "twin"):
            tap.check(weirtest.running(engine.pid), "the meter ended with it")
            engine.front.send(weirtest.START, (250).to_bytes(4, "little"))
            while engine.front.source(CONNTRACK)[0] != DEGRADED:
                pass
        engine.front.close()
        wait_gone(roles.values())
    tap.equal(value(), "0", f"the setting after the end of the {role} and all")
    wait_record_empty()


for one in ("meter", "keeper", "twin", "looker"):
    case(f"after the {one} is killed the setting is what it was")(functools.partial(killed, one))


@case("after any two are killed one after the other, or the one that restores is stopped meanwhile")
def two_killed():
    for first, second in (("meter", "keeper"), ("twin", "keeper"), ("keeper", "meter"), ("looker", "keeper")):
        with counting() as engine:
            roles = engine.roles()
            kill(roles[first])
            if first != "looker":
                wait_value("0", f"after the end of the {first}")
            with contextlib.suppress(ProcessLookupError):
                kill(roles[second])
            wait_value("0", f"after the end of {first} and {second}")
            wait_record_empty()
    with counting() as engine:
        roles = engine.roles()
        os.kill(roles["keeper"], signal.SIGSTOP)
        kill(roles["meter"])
        os.kill(roles["keeper"], signal.SIGCONT)
        wait_value("0", "after the keeper was stopped")


@case("a goodbye to everybody in the session is one to the meter, and the others put it back")
def goodbye():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        with counting() as engine:
            pids = list(engine.roles().values())
            for pid in pids:
                os.kill(pid, number)
            wait_gone(pids)
            tap.equal(value(), "0", f"the setting after signal {number}")


@case("two engines in turn: the first leaves it on for the second")
def in_turn():
    with counting() as first:
        with counting(uid=weirtest.OTHER) as second:
            tap.equal(second.front.source(CONNTRACK), (ACTIVE, SWITCHED, 0), "conntrack of the second")
            pids = list(first.roles().values())
            first.front.close()
            wait_gone(pids)
            tap.equal(value(), "1", "the setting after the first")
            tap.check(record().stat().st_size > 0, "the record is empty")
            pids = list(second.roles().values())
            second.front.close()
            wait_gone(pids)
    tap.equal(value(), "0", "the setting after both")
    wait_record_empty()


@case("two engines, and all of the first are killed at once: the second restores")
def first_killed():
    with counting() as first, counting() as second:
        pids = list(first.roles().values())
        kill(*pids)
        wait_gone(pids)
        tap.equal(value(), "1", "the setting after the first")
        kill(second.roles()["keeper"])
        wait_value("0", "after the second's keeper")
        wait_record_empty()


def kill_all_at_once(engine):
    """As a control group's kill does it: nobody runs between the first and the last."""
    pids = list(engine.roles().values())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    kill(*pids)
    wait_gone(pids)


@case("all killed at once: it stays on until any elevated engine starts")
def all_killed():
    for accounting in (False, True):
        with counting() as engine:
            kill_all_at_once(engine)
        tap.equal(value(), "1", "the setting after all were killed")
        tap.check(record().stat().st_size > 0, "the record is empty")
        # Neither an ordinary user's nor one in another network.
        with weirtest.handoff() as handoff, weirtest.engine(handoff, elevated=False) as engine:
            engine.serve(helpers=1)
        tap.equal(value(), "1", "the setting after an ordinary user's engine")

        with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=accounting) as engine:
            engine.serve(helpers=HELPERS if accounting else 2)
            tap.equal(value(), "1" if accounting else "0", "the setting while the next one serves")
            tap.equal(engine.front.notices(), [] if accounting else [(RESTORED, 0)], "notices")
            pids = [pid for pid in engine.roles().values() if pid]
            engine.front.close()
            wait_gone(pids)
        tap.equal(value(), "0", "the setting after the next one")
        wait_record_empty()


@case("what was changed after all were killed is nobody's to repair")
def changed_after():
    with counting() as engine:
        kill_all_at_once(engine)
    SETTING.write_text("0")
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
    wait_record_empty()
    SETTING.write_text("1")
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
    tap.equal(value(), "1", "the setting")


@case("the next start repairs while it is in use by another: not at all")
def no_repair_in_use():
    with counting():
        for _ in range(3):
            with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
                engine.serve()
                tap.equal(value(), "1", "the setting")
        tap.check(record().stat().st_size > 0, "the record is empty")
    wait_value("0", "afterwards")


# A record that is not one of this boot and namespace; %s is one that is.
HOSTILE = {
    "garbage": lambda text: b"\xff\x00" * 400,
    "one byte": lambda text: b"w",
    "another boot": lambda text: text.replace(BOOT.read_text().strip().encode(), b"00000000-0000-0000-0000-000000000000"),
    "another namespace of the same number": lambda text: text.replace(b" was 0", b"9 was 0"),
    "another value": lambda text: text.replace(b"was 0", b"was 1"),
    "torn": lambda text: text[:-1],
    "longer": lambda text: text + text,
}


@case("records that are not ours are emptied, and nothing is put back for their sake")
def hostile_contents():
    with counting():
        text = record().read_bytes()
    wait_record_empty()
    for what, forge in HOSTILE.items():
        tap.check(forge(text) != text, what)
        for accounting in (False, True):
            record().write_bytes(forge(text))
            SETTING.write_text("1")
            with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=accounting) as engine:
                engine.serve()
                tap.equal(value(), "1", f"the setting, {what}")
                tap.equal(record().stat().st_size, 0, f"size of the record, {what}")
                tap.equal(engine.front.notices(), [] if accounting else [(NOT_OURS, 0)], f"notices, {what}")
            tap.equal(value(), "1", f"the setting afterwards, {what}")
        # Off, it is used, and the record is as good as new.
        SETTING.write_text("0")
        record().write_bytes(forge(text))
        with counting():
            tap.equal((value(), record().read_bytes()), ("1", text), f"setting and record, {what}")
        wait_value("0", what)
        wait_record_empty()


@case("what is no file of root's own is refused, and nothing is switched on")
def hostile_files():
    victim = RUN / "victim"
    victim.write_text("precious")

    def link():
        record().symlink_to(victim)

    def hard_link():
        record().hardlink_to(victim)

    def directory():
        record().mkdir()

    def pipe():
        os.mkfifo(record(), 0o600)

    def foreign():
        record().write_text("")
        os.chmod(record(), 0o600)
        os.chown(record(), weirtest.USER, weirtest.USER)

    def writable():
        record().write_text("")
        os.chmod(record(), 0o660)

    os.chmod(victim, 0o600)
    for make in (link, hard_link, directory, pipe, foreign, writable):
        make()
        with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=True) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_RUN_DIR, f"exit code with {make.__name__}")
        # Who does not need it serves all the same.
        with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
            engine.serve()
            tap.equal([code for code, _errno in engine.front.notices()], [NOT_RESTORED], f"notices with {make.__name__}")
        tap.equal((value(), victim.read_text()), ("0", "precious"), f"setting and victim with {make.__name__}")
        record().rmdir() if make is directory else record().unlink()
    victim.unlink()


@case("a lock that is not given back is waited for, but not for ever")
def locked():
    with counting():
        pass
    wait_record_empty()
    with open(record(), "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=True) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_REFUSED, "exit code")
    tap.equal(value(), "0", "the setting")
    with counting():
        tap.equal(value(), "1", "the setting later")


def without(capability):
    """In the child: a container's root that lacks a capability (PR_CAPBSET_DROP; exec applies it)."""
    def prepare():
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    return prepare


def read_only_settings():
    """In the child: a container that shows its settings and lets nobody change them."""
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", "/proc/sys", "/proc/sys"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "/proc/sys"], check=True)


@case("where it may not be switched on it is refused, and nothing is left behind")
def refused():
    options = ({"elevated": False}, {"prepare": without(12)}, {"prepare": read_only_settings})
    for number, option in enumerate(options):
        with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=True, **option) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_REFUSED, f"exit code {number}")
        tap.equal(value(), "0", "the setting")
        wait_record_empty()


@case("what cannot be put back by one start is said, and put back by another")
def later():
    with counting() as engine:
        kill_all_at_once(engine)
    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=read_only_settings) as engine:
        engine.serve()
        tap.equal((engine.front.notices(), value()), ([(NOT_RESTORED, EROFS)], "1"), "notices, setting")
    with weirtest.handoff() as handoff, weirtest.engine(handoff) as engine:
        engine.serve()
        tap.equal((engine.front.notices(), value()), ([(RESTORED, 0)], "0"), "notices, setting")


def no_setting():
    """In the child: a kernel that does not have the setting."""
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "weir", "/proc/sys/net/netfilter"], check=True)


@case("a kernel without the setting counts nothing, and the source says why")
def lacking():
    with weirtest.handoff() as handoff, weirtest.engine(handoff, accounting=True, prepare=no_setting) as engine:
        engine.serve()
        tap.equal(engine.front.source(CONNTRACK), (DEGRADED, KERNEL_LACKS, 2), "conntrack")


@case("only keeper and twin hold setting and record; the twin has nothing else")
def descriptors():
    with counting() as engine:
        roles = engine.roles()
        for role, pid in roles.items():
            targets = list(weirtest.descriptors(pid).values())
            has = sum(target in (str(record()), str(SETTING)) for target in targets)
            writable = []
            for number, target in weirtest.descriptors(pid).items():
                flags = pathlib.Path(f"/proc/{pid}/fdinfo/{number}").read_text().split()[3]
                if target == str(SETTING) and int(flags, 8) & 3:
                    writable.append(number)
            tap.equal((has, len(writable)), {"keeper": (2, 1), "twin": (2, 1), "meter": (1, 0), "looker": (0, 0)}[role],
                      f"what the {role} holds: {targets}")
        found = weirtest.status(roles["twin"])
        tap.equal((found["CapEff"], found["CapPrm"], found["CapBnd"], found["CapInh"], found["CapAmb"]),
                  (weirtest.CAPABILITIES["NET_ADMIN"],) * 2 + (0, 0, 0), "capabilities of the twin")
        tap.equal(weirtest.netlink_descriptors(roles["twin"]), [], "netlink descriptors of the twin")
        tap.equal(len(weirtest.descriptors(roles["twin"])), 3 + 4, "descriptors of the twin")
        tap.equal(os.listdir(f"/proc/{roles['twin']}/root"), [], "root of the twin")


@case("CONFINEMENT has the twin, as confined as the keeper")
def confinement():
    with counting() as engine:
        said = engine.front.confinement()
        tap.equal(set(said), set(weirtest.ROLES), "roles")
        tap.equal(said["twin"], said["keeper"], "the twin")


def no_users():
    """In the child: a system in which nobody has made our users, so that all processes are nobody."""
    os.unshare(os.CLONE_NEWNS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", "/dev/null", "/etc/passwd"], check=True)


@case("a start that fails before anything is switched on leaves no record behind")
def failed_starts():
    # Its helpers would be the very user who calls.
    with weirtest.handoff(65534) as handoff, \
         weirtest.engine(handoff, accounting=True, uid=65534, prepare=no_users) as engine:
        tap.equal(engine.exit_code(), weirtest.EXIT_CONFINEMENT, "exit code")
    tap.check(record().exists(), "it failed before there was a record")
    tap.equal((value(), record().stat().st_size), ("0", 0), "the setting, size of the record")


@case("no death signal ends those who put it back, not even where all are the same user")
def same_user():
    with counting(prepare=no_users) as engine:
        tap.equal(value(), "1", "the setting")
        kill(engine.pid)
        wait_value("0", "after the end of the meter")


@case("many engines that come and go, some killed: in the end it is off")
def many():
    with contextlib.ExitStack() as stack:
        for number in range(4):
            engine = stack.enter_context(counting(uid=2000 + number))
            if number % 2:
                kill(engine.roles()[("keeper", "twin")[number // 2]])
            tap.equal(value(), "1", f"the setting with {number + 1}")
    wait_value("0", "after all")
    wait_record_empty()


tap.run()
