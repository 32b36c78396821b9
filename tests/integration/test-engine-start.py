#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a caller leaves in the process that becomes the engine has no effect on it."""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest

UNLIMITED = resource.RLIM_INFINITY


def may_raise_limits():
    return bool(weirtest.status("self")["CapEff"] & weirtest.SYS_RESOURCE)


def three(engine):
    return [engine.pid, *weirtest.children(engine.pid)]


@tap.case("closed standard descriptors are opened again, to /dev/null")
def closed_stdio():
    for numbers in ((0, 1, 2), (0,), (1,), (2,), (0, 2)):
        with weirtest.handoff() as handoff, \
             weirtest.engine(handoff, prepare=lambda: [os.close(number) for number in numbers]) as engine:
            engine.serve()
            for pid in three(engine):
                found = weirtest.descriptors(pid)
                tap.equal([found.get(number) for number in range(3)], ["/dev/null"] * 3, f"without {numbers}")


@tap.case("files of the caller's are let go of and nothing is written to them")
def given_descriptors():
    with tempfile.TemporaryFile() as file, weirtest.handoff() as handoff:
        with weirtest.engine(handoff, stdin=file, stdout=file, stderr=file, pass_fds=[file.fileno()]) as engine:
            engine.serve()
            for pid in three(engine):
                for number in weirtest.descriptors(pid):
                    tap.check(not os.path.samestat(os.stat(f"/proc/{pid}/fd/{number}"), os.fstat(file.fileno())),
                              f"{pid} holds it as {number}")
        with weirtest.engine(handoff, argv=[weirtest.ENGINE, "--help"], stdout=file, stderr=file) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_USAGE, "exit code of an elevated --help")
        tap.equal(os.fstat(file.fileno()).st_size, 0, "bytes written")


@tap.case("ignored, blocked and pending signals are as if nobody had touched them")
def signals():
    def prepare():
        signal.pthread_sigmask(signal.SIG_SETMASK, set(range(1, 65)) - {32, 33})
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN, signal.SIGALRM):
            os.kill(os.getpid(), number)
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=prepare) as engine:
        engine.serve()
        for pid in engine.helpers():
            fields = weirtest.status(pid)
            tap.equal({key: int(fields[key], 16) for key in ("SigBlk", "SigIgn", "SigPnd", "ShdPnd")},
                      {"SigBlk": 0, "SigIgn": 0, "SigPnd": 0, "ShdPnd": 0}, "signals")
        fields = weirtest.status(engine.pid)
        tap.equal((int(fields["SigBlk"], 16), int(fields["SigPnd"], 16), int(fields["ShdPnd"], 16)),
                  (0, 0, 0), "signals of the meter")
        terminating = 1 << (signal.SIGTERM - 1) | 1 << (signal.SIGHUP - 1) | 1 << (signal.SIGINT - 1)
        tap.equal(int(fields["SigIgn"], 16) & terminating, 0, "ignored by the meter")
        os.kill(engine.pid, signal.SIGTERM)
        tap.equal(engine.exit_code(), -signal.SIGTERM, "how SIGTERM ends it")


@tap.case("timers that are running do not go off")
def timers():
    def prepare():
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
        signal.setitimer(signal.ITIMER_PROF, 0.01)

    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=prepare) as engine:
        engine.serve()
        time.sleep(1)
        tap.check(weirtest.running(engine.pid), f"ended with {engine.exit_code(0)}")


def limits(pid):
    """Soft and hard limits by the names in /proc/PID/limits."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        found[line[:26].strip()] = line[26:].split()[:2]
    return found


@tap.case("resource limits are the engine's own")
def own_limits():
    def prepare():
        for kind, soft, hard in ((resource.RLIMIT_NOFILE, 20, 64), (resource.RLIMIT_FSIZE, 0, UNLIMITED),
                                 (resource.RLIMIT_CPU, 1, UNLIMITED), (resource.RLIMIT_STACK, 65536, UNLIMITED),
                                 (resource.RLIMIT_NPROC, 0, UNLIMITED), (resource.RLIMIT_CORE, 0, UNLIMITED),
                                 (resource.RLIMIT_AS, 1 << 28, UNLIMITED)):
            top = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (soft, top if hard == UNLIMITED else hard))

    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=prepare) as engine:
        engine.serve()
        for pid in three(engine):
            found = limits(pid)
            for name in ("Max core file size", "Max file size", "Max processes", "Max locked memory"):
                tap.equal(found[name], ["0", "0"], f"{name} of {pid}")
            tap.equal(found["Max open files"], ["64", "64"], "Max open files")
            tap.equal(found["Max cpu time"], ["unlimited", "unlimited"], "Max cpu time")
            tap.check(found["Max address space"][1] != "unlimited", "no limit on the address space")


@tap.case("hard limits that are too low are raised, or refused with a code that says so")
def low_limits():
    for kind, value in ((resource.RLIMIT_NOFILE, 16), (resource.RLIMIT_AS, 64 << 20)):
        with weirtest.handoff() as handoff, \
             weirtest.engine(handoff, prepare=lambda: resource.setrlimit(kind, (value, value))) as engine:
            if may_raise_limits():
                engine.serve()
            else:
                tap.equal(engine.exit_code(), weirtest.EXIT_RESOURCES, "exit code")
                tap.check(handoff.accept(0.1) is None, "it connected")
    with weirtest.handoff() as handoff, \
         weirtest.engine(handoff, elevated=False,
                         prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))) as engine:
        tap.equal(engine.exit_code(), weirtest.EXIT_RESOURCES, "exit code of an ordinary user's")


@tap.case("umask, directory, session and priority are the engine's own")
def surroundings():
    def prepare():
        os.umask(0)
        os.chdir("/tmp")
        os.nice(10)
        pathlib.Path("/proc/self/oom_score_adj").write_text("900")

    with weirtest.handoff() as handoff, weirtest.engine(handoff, prepare=prepare) as engine:
        engine.serve()
        for pid in three(engine):
            tap.equal(weirtest.status(pid)["Umask"], "0077", "umask")
            tap.equal(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
            tap.equal(os.getsid(pid), engine.pid, "session")
            tap.equal(os.getpriority(os.PRIO_PROCESS, pid), 0, "nice value")
            tap.equal(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text().strip(), "0", "oom_score_adj")


@tap.case("a process that already leads a session or a group serves as well")
def leaders():
    for options in ({"start_new_session": True}, {"process_group": 0}):
        with weirtest.handoff() as handoff, weirtest.engine(handoff, **options) as engine:
            engine.serve()


def code(argv, **options):
    """Exit code of an engine that is expected not to connect anywhere."""
    with weirtest.engine(None, argv=argv, **options) as engine:
        return engine.exit_code()


@tap.case("arguments that no launcher makes are refused")
def odd_arguments():
    with weirtest.handoff() as handoff:
        good = str(handoff.path)
        engine = weirtest.ENGINE
        for argv in ([engine], [engine, "--handoff"], [engine, good], [engine, good, "--handoff"],
                     [engine, "--handoff", good, good], [engine, "--handoff", good, "--verbose"],
                     [engine, "--handoff=" + good, good], [engine, "--handof", good], [engine, "", good],
                     [engine, "--accounting", good], [engine, "--version"], [engine, "--help"],
                     [engine, "--handoff", ""], [engine, "--handoff", good[1:]], [engine, "--handoff", "."],
                     [engine, "--handoff", "/" + "a" * 4095], ["", "--handoff"]):
            tap.equal(code(argv), weirtest.EXIT_USAGE, f"exit code of {argv[1:]}"[:200])
        tap.check(handoff.accept(0.1) is None, "one of them connected")


@tap.case("the name by which it is called does not matter")
def called():
    with weirtest.handoff() as handoff, \
         weirtest.engine(handoff, argv=["--handoff-accounting", "--handoff", str(handoff.path)]) as engine:
        engine.serve()


@tap.case("accounting is asked for in the same exact way")
def accounting():
    with weirtest.handoff() as handoff:
        argv = [weirtest.ENGINE, "--handoff-accounting", str(handoff.path)]
        tap.equal(code(argv, environment={"PKEXEC_UID": "x"}), weirtest.EXIT_USAGE, "exit code with a bad uid")
        tap.equal(code([*argv, "x"]), weirtest.EXIT_USAGE, "exit code with one argument more")
        tap.check(handoff.accept(0.1) is None, "it connected")


@tap.case("a PKEXEC_UID that pkexec never makes is refused")
def odd_uid():
    with weirtest.handoff() as handoff:
        argv = [weirtest.ENGINE, "--handoff", str(handoff.path)]
        for text in ("", "-1", "4294967295", "4294967296", "18446744073709552616", "+1000", " 1000", "1000 ",
                     "01000", "0x3e8", "1000\n", "1e3", "tester", "1" * 64):
            tap.equal(code(argv, environment={"PKEXEC_UID": text}), weirtest.EXIT_USAGE, f"exit code of {text!r}")
        tap.check(handoff.accept(0.1) is None, "one of them connected")


@tap.case("an ordinary user's PKEXEC_UID is not believed")
def forged_uid():
    for claim in ("0", str(weirtest.OTHER), "nonsense", "4294967295"):
        with weirtest.handoff() as handoff, \
             weirtest.engine(handoff, elevated=False, environment={"PKEXEC_UID": claim}) as engine:
            engine.serve(helpers=1)
            tap.equal(engine.front.uid, weirtest.USER, "who connects")
    with weirtest.handoff(weirtest.OTHER) as handoff:
        os.chmod(handoff.base, 0o755)
        with weirtest.engine(handoff, elevated=False, environment={"PKEXEC_UID": str(weirtest.OTHER)}) as engine:
            tap.equal(engine.exit_code(), weirtest.EXIT_HANDOFF, "exit code with another user's handoff")


@tap.case("an ordinary user is told the version")
def version():
    done = subprocess.run([weirtest.ENGINE, "--version"], user=weirtest.USER, capture_output=True, text=True,
                          check=False)
    tap.equal(done.returncode, weirtest.EXIT_DONE, "exit code")
    tap.check(done.stdout.startswith("weir-engine ") and not done.stderr, f"printed {done.stdout!r}")


tap.run()
