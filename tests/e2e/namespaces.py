# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the machine that is ours alone: what is started in there ends with the program."""
import ctypes
import os
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_code(status):
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _be_init(main):
    """Process 1 of the namespace: adopts and reaps; the engine of a killed window must not stay as
    a zombie that looks alive."""
    while True:
        pid, status = os.wait()
        if pid == main:
            os._exit(_wait_code(status))


def isolate():
    """Continues the calling program in private pid, mount, network and IPC namespaces.

    Must be called before any thread exists. /run, /tmp and /home are empty afterwards.
    """
    os.unshare(os.CLONE_NEWPID | os.CLONE_NEWNS | os.CLONE_NEWNET | os.CLONE_NEWIPC)
    sys.stdout.flush()
    outer = os.fork()
    if outer:
        os._exit(_wait_code(os.waitpid(outer, 0)[1]))
    _die_with_parent()
    inner = os.fork()
    if inner:
        _be_init(inner)
    os.setsid()
    for command in (
            ["mount", "--make-rprivate", "/"],
            ["mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", "/proc"],
            ["mount", "-t", "tmpfs", "-o", "mode=755,nosuid,nodev", "run", "/run"],
            ["mount", "-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmp", "/tmp"],
            ["mount", "-t", "tmpfs", "-o", "mode=755,nosuid,nodev", "home", "/home"],
            ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
