# SPDX-License-Identifier: GPL-3.0-or-later
"""A running machine: buses, polkit, two people, a display with accessibility.

The calling program is root in namespaces of its own (see namespaces.py). Everything is started by
its own path and ended by its own pid.
"""
import ctypes
import os
import pathlib
import pwd
import shutil
import subprocess

import tap
from polkit import Polkit

TESTER = "tester"
OTHER = "other"
PASSWORD = "a-password-of-the-tests"
LOGS = pathlib.Path("/tmp/logs")
PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
SCREEN = "1280x800x24"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# What a GNOME session tells GTK; there is no settings daemon here.
SETTINGS = """[Settings]
gtk-font-name=Inter 11
gtk-decoration-layout=appmenu:close
gtk-cursor-blink=false
gtk-enable-animations=false
"""
# The interface font of GNOME 48, under the name by which the stylesheet asks for it.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <alias binding="same"><family>Adwaita Sans</family><prefer><family>Inter</family></prefer></alias>
</fontconfig>
"""


class Machine:
    """Starts with `start()`, ends with `stop()`; attributes tell where things are."""

    def __init__(self):
        self._running = []
        self.display = None
        self.bus_address = None
        self.accessibility_address = None
        self.polkit = None

    # Processes

    def spawn(self, arguments, user=None, environment=None, log=None, prepare=None, **options):
        """Starts a process, as USER if given, with just ENVIRONMENT (default: the user's own).

        PREPARE runs in the child before it becomes USER. Output goes to the log file LOG unless
        stdout or stderr are given.
        """
        name = log or pathlib.Path(arguments[0]).name
        if environment is None:
            environment = self.environment(user)
        with open(LOGS / f"{name}.log", "ab") as sink:
            options.setdefault("stdout", sink)
            options.setdefault("stderr", sink)
            options.setdefault("stdin", subprocess.DEVNULL)
            if user:
                entry = pwd.getpwnam(user)
                identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            else:
                identity = {}
            process = subprocess.Popen(arguments, env=environment, cwd="/", start_new_session=True,
                                       preexec_fn=prepare, **identity, **options)
        self._running.append(process)
        return process

    def run(self, arguments, user=None, seconds=20, **options):
        """Runs a command to its end and returns what it did; both outputs are text."""
        options.setdefault("environment", None)
        process = self.spawn(arguments, user=user, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, errors="surrogateescape", **options)
        try:
            out, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.communicate()
            raise AssertionError(f"{arguments} did not end within {seconds} s") from late
        finally:
            self._running.remove(process)
        return subprocess.CompletedProcess(arguments, process.returncode, out, error)

    def end(self, process, seconds=5):
        """Asks PROCESS to end, insists after SECONDS, and returns its exit code."""
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(seconds)
        if process in self._running:
            self._running.remove(process)
        return process.returncode

    def environment(self, user=None):
        """The environment that a session of USER has; root has a bare one."""
        if not user:
            return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"}
        entry = pwd.getpwnam(user)
        environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": entry.pw_dir,
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "XDG_RUNTIME_DIR": f"/run/user/{entry.pw_uid}",
            "XDG_CURRENT_DESKTOP": "GNOME",
            "GSK_RENDERER": "cairo",
            "GSETTINGS_BACKEND": "memory",
        }
        if self.bus_address:
            environment["DBUS_SESSION_BUS_ADDRESS"] = self.bus_address
        if self.display:
            environment |= {"DISPLAY": self.display, "GDK_BACKEND": "x11"}
        return environment

    # The machine's life

    def start(self, display=True):
        """Brings everything up; with DISPLAY also a screen and the accessibility bus."""
        LOGS.mkdir(mode=0o755, exist_ok=True)
        for user in (TESTER, OTHER):
            self._add_user(user)
        self._start_system_bus()
        self.polkit = Polkit(self)
        self.polkit.start()
        self._start_session_bus()
        if display:
            self._start_display()
            self._start_accessibility()

    def stop(self):
        """Ends everything at once: nothing of this machine is to be kept."""
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait(5)
        self._running.clear()

    def _add_user(self, user):
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            subprocess.run(["useradd", "--no-create-home", "--shell", "/bin/bash", user], check=True)
            subprocess.run(["chpasswd"], input=f"{user}:{PASSWORD}", text=True, check=True)
            entry = pwd.getpwnam(user)
        home = pathlib.Path(entry.pw_dir)
        runtime = pathlib.Path("/run/user") / str(entry.pw_uid)
        for folder in (home, runtime):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        for name, text in ((".config/gtk-4.0/settings.ini", SETTINGS),
                           (".config/fontconfig/fonts.conf", FONTS)):
            file = home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        shutil.chown(home, user, user)
        subprocess.run(["chown", "-R", f"{user}:{user}", home], check=True)

    def _start_system_bus(self):
        pathlib.Path("/run/dbus").mkdir()
        self.spawn(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
        tap.wait_for(pathlib.Path("/run/dbus/system_bus_socket").exists, "the system bus")

    def _start_session_bus(self):
        path = pathlib.Path(self.environment(TESTER)["XDG_RUNTIME_DIR"]) / "bus"
        self.spawn(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={path}"],
                   user=TESTER, log="session-bus")
        tap.wait_for(path.exists, "the session bus")
        self.bus_address = f"unix:path={path}"

    def _start_display(self):
        pathlib.Path("/tmp/.X11-unix").mkdir(mode=0o1777)
        os.chmod("/tmp/.X11-unix", 0o1777)
        reader, writer = os.pipe()
        self.spawn(["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp", "-ac"],
                   pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        tap.check(number, f"Xvfb did not start: {log_tail('Xvfb')}")
        self.display = f":{number}"
        os.environ["DISPLAY"] = self.display

    def _start_accessibility(self):
        self.spawn(["/usr/libexec/at-spi-bus-launcher", "--launch-immediately"], user=TESTER)

        def address():
            answer = self.run(["gdbus", "call", "--session", "--dest", "org.a11y.Bus", "--object-path",
                               "/org/a11y/bus", "--method", "org.a11y.Bus.GetAddress"], user=TESTER)
            return answer.stdout.strip("()', \n") if answer.returncode == 0 else None
        self.accessibility_address = tap.wait_for(address, "the accessibility bus")
        # libatspi in this process, which is root, asks this variable before the session bus.
        os.environ["AT_SPI_BUS_ADDRESS"] = self.accessibility_address
        # Toolkits build their tree only when somebody wants it.
        self.run(["gdbus", "call", "--session", "--dest", "org.a11y.Bus", "--object-path",
                  "/org/a11y/bus", "--method", "org.freedesktop.DBus.Properties.Set",
                  "org.a11y.Status", "IsEnabled", "<true>"], user=TESTER)


def log_tail(name, lines=40):
    """The end of a log, for diagnoses."""
    try:
        return "\n".join((LOGS / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
