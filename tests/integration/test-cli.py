#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""weir-cli as people and scripts use it: pipes, files, a terminal of its own; traffic known to the byte."""
import contextlib
import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[1] / "e2e")]

import tap
import weirtest
import weirtraffic as wt

CLI = "/usr/bin/weir-cli"
DONE, FAILED, USAGE, NOT_FULL = range(4)
FAST = ("--interval", "250ms")
LEAVE = b"\x1b[?1049l"
COLUMNS = tuple(re.findall(r"^\| `(\w+)` \|", (pathlib.Path(__file__).parents[2] / "docs" / "export.md").read_text(),
                           re.MULTILINE))


def environment(**more):
    """What a login has, without a runtime folder: root has none here."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color"} | more


def run(*arguments, seconds=20, **options):
    """Exit code, standard output and error of a run that ends by itself."""
    done = subprocess.run([CLI, *arguments], capture_output=True, env=environment(), timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def engines():
    """Engines of this machine that run."""
    found = []
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if entry.isdigit() and os.readlink(f"/proc/{entry}/exe") == weirtest.ENGINE and weirtest.running(entry):
                found.append(int(entry))
    return found


def left_behind():
    """What a run may not leave: engines, and folders for the handoff."""
    folders = [str(path) for path in pathlib.Path("/run").glob("weir-cli-*")]
    return engines() or folders


def nothing_left():
    """Fails when a run left something behind."""
    tap.check(weirtest.wait_until(lambda: not left_behind()), lambda: f"left behind: {left_behind()}")


STARTED = []


@tap.after_each
def end_all():
    """A case that failed leaves its programs: their engines would be too many for the next."""
    for child, program in STARTED:
        # Once waited for, its number may be somebody else's.
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG) == (0, 0):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(program, signal.SIGKILL)
                os.waitpid(child, 0)
    STARTED.clear()
    weirtest.wait_until(lambda: not engines())


def start(*arguments, **options):
    """A run that goes on; ended with its case."""
    process = subprocess.Popen([CLI, *arguments], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               env=environment(), **options)
    STARTED.append((process.pid, process.pid))
    return process


class Stream:
    """weir-cli stream, read line by line while it goes on."""

    def __init__(self, *arguments):
        self.process = start("stream", *FAST, *arguments, stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.buffer, self.lines = b"", []

    def _take(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        *whole, self.buffer = (self.buffer + data).split(b"\n")
        self.lines += [json.loads(line) for line in whole]
        return bool(data)

    def wait(self, condition, what, seconds=15):
        """Reads until CONDITION, a function of this object, is true, and returns its value."""
        end = time.monotonic() + seconds
        while not (value := condition(self)):
            tap.check(time.monotonic() < end, lambda: f"waited for {what}: {self.lines}")
            tap.check(self._take(0.1), lambda: f"the stream ended before {what}: {self.process.stderr.read()}")
        return value

    def newest(self, end):
        """The newest line of the flow that looks like this from its own end."""
        for line in reversed(self.lines):
            if (line["local_port"], line["remote_port"]) == (end["port"], end["peer"][1]):
                return line
        return None

    def finish(self):
        """Reads to the end; exit code and standard error."""
        while self._take(5):
            pass
        tap.equal(self.buffer, b"", "an unfinished last line")
        return self.process.wait(10), self.process.stderr.read().decode()


class Terminal:
    """weir-cli on a terminal, of which we see the screen."""

    def __init__(self, *arguments, columns=100, rows=20, **variables):
        self.columns, self.rows, self.output = columns, rows, b""
        told, tell = os.pipe()
        self.leader, self.fd = pty.fork()
        if self.leader == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
            self._lead(tell, [CLI, *arguments], environment(**variables))
        os.close(tell)
        with os.fdopen(told) as report:
            self.pid = int(report.readline())
        STARTED.append((self.leader, self.pid))

    @staticmethod
    def _lead(tell, command, variables):
        """What a shell does: a job in the foreground, which can be stopped, and its exit code."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.write(tell, f"{os.getpid()}\n".encode())
            os.close(tell)
            os.execve(command[0], command, variables)
        os.close(tell)
        code = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
        os._exit(code if code >= 0 else 128 - code)

    def resize(self, columns, rows):
        """As when the window is made larger; the kernel tells the program."""
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text):
        """Presses keys."""
        os.write(self.fd, text.encode())

    def read(self, seconds=0.1):
        """Takes what has come; False when the program has closed the terminal."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def screen(self):
        """The lines of the last whole picture."""
        pictures = self.output.split(b"\x1b[H")
        for picture in (pictures[-1], pictures[-2] if len(pictures) > 2 else b""):
            text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", picture.decode(errors="replace"))
            lines = text.split("\r\n")
            if len(lines) == self.rows:
                return lines
        return []

    def wait(self, condition, what, seconds=15):
        """Reads until CONDITION, a function of the lines, is true."""
        end = time.monotonic() + seconds
        while not ((lines := self.screen()) and condition(lines)):
            tap.check(time.monotonic() < end, lambda: f"waited for {what}: {self.screen()} {self.output[-300:]}")
            tap.check(self.read(), lambda: f"the program ended before {what}: {self.output[-500:]}")
        return lines

    def finish(self, seconds=10):
        """Reads to the end; the exit code, over 128 for a signal."""
        end = time.monotonic() + seconds
        while self.read() and time.monotonic() < end:
            pass
        os.close(self.fd)
        return self.exit_code()

    def exit_code(self):
        """Waits for the end."""
        return os.waitstatus_to_exitcode(os.waitpid(self.leader, 0)[1])

    def shows(self, text):
        """A condition: the text is somewhere on the screen."""
        return lambda lines: any(text in line for line in lines)


@tap.case("stream: every flow with its tuple, owner and bytes, and one last line when it ends")
def stream():
    watching = Stream()
    watching.wait(lambda _: engines(), "the engine")
    with wt.traffic("server=127.0.0.1,up=100000,down=5000,rate=200000",
                    "server=::1,up=777,client-uid=1000,client-name=talk er") as traffic:
        truths = traffic.truth
        for truth in truths:
            for side in ("client", "server"):
                end = truth[side]
                line = watching.wait(lambda stream: (line := stream.newest(end)) and line["pid"] and
                                     line["sent_bytes"] == end["sent"] and line, "all bytes of a flow")
                tap.equal(line["received_bytes"], end["received"], "received bytes")
                tap.equal((line["local_address"], line["remote_address"]), (end["address"], end["peer"][0]), "tuple")
                tap.equal((line["pid"], line["process_start"], line["process"], line["uid"]),
                          (end["pid"], end["start_time"], end["comm"], end["uid"]), "owner")
                tap.equal((line["protocol"], line["owner_how"], line["bytes_source"], line["ended"]),
                          ("TCP", "tuple", "sockdiag", False), "words")
                tap.equal(tuple(line)[2:], (*COLUMNS, "exe"), "members")
    for truth in truths:
        # The server's end: the client's goes through TIME_WAIT first.
        end = truth["server"]
        line = watching.wait(lambda stream: (line := stream.newest(end))["ended"] and line, "its end")
        tap.equal((line["sent_bytes"], line["received_bytes"], line["state"]),
                  (end["sent"], end["received"], "closed"), "last figures")
    watching.process.send_signal(signal.SIGINT)
    tap.equal(watching.finish(), (DONE, ""), "end")
    of_flow = [line for line in watching.lines if line["id"] == line_id(watching, truths[0]["server"])]
    tap.equal([line["ended"] for line in of_flow].count(True), 1, "last lines of a flow")
    tap.equal(of_flow[-1]["ended"], True, "the last line")
    sent = [line["received_bytes"] for line in of_flow]
    tap.check(len(sent) > 2 and sent == sorted(sent), f"cumulative bytes {sent}")
    nothing_left()


def line_id(watching, end):
    """The number of a flow."""
    return watching.newest(end)["id"]


@tap.case("stream: a flow is told when it matches, and its end is told even when it no longer does")
def stream_filter():
    watching = Stream("--filter", "comm:weir-* and state:open and lport:5999")
    watching.wait(lambda _: engines(), "the engine")
    with wt.traffic("server=127.0.0.1,port=5999,up=1000", "server=127.0.0.1,up=1000"):
        watching.wait(lambda stream: stream.lines, "a line")
    watching.wait(lambda stream: stream.lines[-1]["ended"], "the end")
    tap.equal({line["local_port"] for line in watching.lines}, {5999}, "ports")
    watching.process.send_signal(signal.SIGTERM)
    tap.equal(watching.finish(), (DONE, ""), "end")


@tap.case("stream: names that would move the cursor or end a line arrive as text")
def hostile_names():
    with wt.traffic("server=127.0.0.1,client-name=\x1b[2J\n\u202e\",server-name=\udcff\udc9b x") as traffic:
        code, output, error = run("stream", "--duration", "600ms", *FAST)
        tap.equal((code, error), (DONE, ""), "end")
        tap.equal([c for c in output if c != "\n" and (ord(c) < 32 or 126 < ord(c) < 160 or c in "\u202e\u2028")], [],
                  "controls in the output")
        lines = [json.loads(line) for line in output.splitlines()]
        names = {line["local_port"]: line["process"] for line in lines if line["process"]}
        truth, = traffic.truth
        tap.equal(names[truth["client"]["port"]], "\x1b[2J\n\u202e\"", "name")
        tap.equal(names[truth["server"]["port"]], "\ufffd\ufffd x", "name that is not UTF-8")


@tap.case("a closed pipe is no error, and is noticed even when nothing happens")
def closed_pipe():
    for arguments in (("stream",), ("stream", "--filter", "port:1")):
        read, write = os.pipe()
        process = start(*arguments, *FAST, stdout=write)
        os.close(write)
        tap.check(weirtest.wait_until(engines), "no engine")
        os.close(read)
        tap.equal((process.wait(5), process.stderr.read()), (DONE, b""), f"end of {arguments}")
    done = subprocess.run(f"{CLI} stream {' '.join(FAST)} | head -n 1", shell=True, capture_output=True,
                          env=environment(), timeout=20, check=True)
    tap.equal((done.stdout.count(b"\n"), done.stderr), (1, b""), "head")
    nothing_left()


@tap.case("a reader that pauses stops nothing, and loses nothing")
def slow_reader():
    watching = Stream()
    watching.wait(lambda stream: stream.lines, "a line")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for _ in range(600):
            with socket.create_connection(listener.getsockname()) as client:
                listener.accept()[0].close()
                client.recv(1)
    # More than a pipe holds waits by now.
    time.sleep(3)
    tap.equal(watching.process.poll(), None, "it ended")
    watching.wait(lambda stream: len({line["id"] for line in stream.lines if line["ended"]
                                      and port in (line["local_port"], line["remote_port"])}) >= 600, "all flows")
    watching.process.send_signal(signal.SIGINT)
    tap.equal(watching.finish(), (DONE, ""), "end")


@tap.case("what cannot be written is an error")
def full_disk():
    with open("/dev/full", "w", encoding="ascii") as full:
        process = subprocess.run([CLI, "stream", *FAST], stdout=full, stderr=subprocess.PIPE, env=environment(),
                                 timeout=20, check=False)
    tap.equal(process.returncode, FAILED, "exit code")
    tap.check(b"space" in process.stderr, process.stderr)
    tap.equal(run("record", "-d", "500ms", "-o", "/nowhere/a.csv")[0], FAILED, "record to nowhere")


@tap.case("record: all that was there, also what has ended long ago, as CSV, JSON and NDJSON")
def record():
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        recording = [start("record", "--duration", "13", "-o", base / f"a.{kind}", *FAST)
                     for kind in ("csv", "json", "ndjson")]
        tap.check(weirtest.wait_until(lambda: len(engines()) >= 9), "three engines")
        time.sleep(1)
        with wt.traffic("server=127.0.0.1,up=4321,down=1234,client-uid=1000") as traffic:
            truth, = traffic.truth
            time.sleep(1)
        for process in recording:
            tap.equal(process.wait(30), DONE, process.stderr.read())
        lines = [json.loads(line) for line in (base / "a.ndjson").read_text().splitlines()]
        objects = json.loads((base / "a.json").read_text())
        rows = list(csv.DictReader(io.StringIO((base / "a.csv").read_text(newline=""), newline="")))
        for number, found in enumerate((rows, objects, lines)):
            row, = [row for row in found if str(row["local_port"]) == str(truth["server"]["port"])
                    and str(row["remote_port"]) == str(truth["client"]["port"])]
            tap.equal(tuple(row), COLUMNS, "columns")
            figures = (row["received_bytes"], row["sent_bytes"], row["pid"], row["state"])
            expected = (4321, 1234, truth["server"]["pid"], "closed")
            # It ended ten seconds before: the window would not show it any more.
            tap.equal(figures, expected if number else tuple(map(str, expected)), "figures")
            tap.equal(row["received_packets"], None if number else "", "what was not measured")
    nothing_left()


@tap.case("record: interrupted, it writes what it has; a filter keeps the rest out")
def record_interrupted():
    with tempfile.TemporaryDirectory() as folder, wt.traffic("server=127.0.0.1,port=5998,up=10", "server=::1"):
        path = pathlib.Path(folder) / "a.json"
        process = start("record", "-o", path, "-f", "port:5998", *FAST)
        tap.check(weirtest.wait_until(engines), "no engine")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        tap.equal(process.wait(5), DONE, "exit code")
        ports = [{row["local_port"], row["remote_port"]} for row in json.loads(path.read_text())]
        tap.check(ports and all(5998 in pair for pair in ports), f"ports {ports}")
        tap.equal(list(path.parent.iterdir()), [path], "files")


@tap.case("apps: totals by program, in columns, without escape sequences")
def apps():
    with wt.traffic("server=127.0.0.1,up=50000,down=3000,client-name=alpha,server-name=beta",
                    "server=127.0.0.1,up=20000,client-name=alpha,server-name=beta"):
        code, output, error = run("apps", *FAST)
        tap.equal((code, error), (DONE, ""), "end")
        tap.check("\x1b" not in output, "escape sequences")
        lines = [re.split(r"  +", line) for line in output.splitlines()]
        tap.equal(lines[0][:4], ["App", "Connections", "Received", "Sent"], "titles")
        table = {line[0]: line[1:4] for line in lines[1:]}
        tap.equal(table["alpha"], ["2", "3.0\u00a0kB", "70.0\u00a0kB"], "alpha")
        tap.equal(table["beta"][1:], ["70.0\u00a0kB", "3.0\u00a0kB"], "beta")
        code, output, _ = run("apps", *FAST, "--filter", "app=alpha")
        tap.equal([line.split()[0] for line in output.splitlines()], ["App", "alpha"], "filtered")


@tap.case("listeners: everything that can receive, who it is and from where it is reached")
def listeners():
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0")
    with contextlib.ExitStack() as stack:
        def made(*arguments, address=None):
            sock = stack.enter_context(socket.socket(*arguments))
            if address is not None:
                sock.bind(address)
            return sock

        near = made(socket.AF_INET, socket.SOCK_STREAM, 0, address=("127.0.0.1", 0))
        near.listen(5)
        waiting = made(socket.AF_INET, socket.SOCK_STREAM, 0)
        waiting.connect(near.getsockname())
        far = made(socket.AF_INET6, socket.SOCK_STREAM, 0, address=("::", 0))
        far.listen(6)
        datagrams = made(socket.AF_INET, socket.SOCK_DGRAM, 0, address=("0.0.0.0", 0))
        made(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDPLITE, address=("127.0.0.1", 4711))
        made(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        made(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        made(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP, address=("0.0.0.0", 77))
        made(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806), address=("lo", 0x0806))
        made(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        code, output, error = run("listeners", *FAST)
        tap.equal((code, error), (DONE, ""), "end")
        tap.check("\x1b" not in output, "escape sequences")
        titles, *lines = output.splitlines()
        starts = [titles.index(title) for title in ("Protocol", "Address", "Interface", "Reached From", "App",
                                                    "Process", "PID", "User", "Waiting", "Since")]
        table = [[line[start:end].strip() for start, end in zip(starts, starts[1:] + [None])] for line in lines]
        # Figures stand at the ends of their columns, hence the number of a process may begin before its title.
        found = {(row[0], row[1], row[2], row[3], row[8]) for row, line in zip(table, lines) if str(os.getpid()) in line}
        expected = {
            ("TCP", f"127.0.0.1:{near.getsockname()[1]}", "", "This computer", "1/5"),
            ("TCP", f"*:{far.getsockname()[1]}", "", "Anywhere", "0/6"),
            ("UDP", f"*:{datagrams.getsockname()[1]}", "", "Anywhere", ""),
            ("UDP-Lite", "127.0.0.1:4711", "", "This computer", ""),
            ("ICMP, raw", "*", "", "Anywhere", ""),
            ("Raw, sending only", "*", "", "Nobody: it only sends", ""),
            ("ICMP, ping", "*:77", "", "Anywhere", ""),
            ("ARP packets", "*", "lo", "This computer", ""),
            ("All packets", "*", "", "Anywhere", ""),
        }
        tap.check(found == expected, lambda: f"{found ^ expected} in {output}")
        reach = [row[3] for row in table]
        tap.equal(reach, sorted(reach, key=["Anywhere", "Attached networks", "This computer",
                                            "Nobody: it only sends"].index), "order")
    tap.equal(run("listeners", "--filter", "port:22")[0], USAGE, "a filter")


@contextlib.contextmanager
def user_runtime():
    """What a program needs to run as a user with a runtime folder."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        os.chmod(folder, 0o700)
        os.chown(folder, weirtest.USER, weirtest.USER)
        yield {"user": weirtest.USER, "group": weirtest.USER, "extra_groups": [],
               "env": environment(XDG_RUNTIME_DIR=folder), "stdin": subprocess.DEVNULL}


@tap.case("the full view: directly as root; without polkit a user is told why not")
def full():
    code, output, error = run("stream", "--full", "--duration", "600ms", *FAST)
    tap.equal((code, error), (DONE, ""), "as root")
    with user_runtime() as options:
        done = subprocess.run([CLI, "stream", "--full", *FAST], capture_output=True, timeout=40, check=False, **options)
        tap.equal((done.returncode, done.stdout), (NOT_FULL, b""), f"as a user: {done.stderr}")
        tap.check(done.stderr.startswith(b"weir-cli: "), done.stderr)
    with user_runtime() as options:
        del options["env"]["XDG_RUNTIME_DIR"]
        done = subprocess.run([CLI, "stream"], capture_output=True, timeout=20, check=False, **options)
        tap.equal(done.returncode, FAILED, "without a runtime folder")
        tap.check(b"XDG_RUNTIME_DIR" in done.stderr, done.stderr)
    nothing_left()


ACCOUNTING = "/proc/sys/net/netfilter/nf_conntrack_acct"
COUNTING = f"""
echo 0 >{ACCOUNTING}
{CLI} sources --full --accounting --interval 250ms
echo "ended with $?"
for i in $(seq 100); do [ $(cat {ACCOUNTING}) = 1 ] && sleep 0.05; done
echo "set back to $(cat {ACCOUNTING})"
"""
READ_ONLY = """
mount --make-rprivate /
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
"""


@tap.case("accounting, directly as root: on meanwhile and off afterwards, or refused in words with an exit code")
def accounting():
    def run_in_network(script):
        return subprocess.run(["unshare", "--net", "--mount", "sh", "-c", script], capture_output=True, text=True,
                              check=False, timeout=60, env=environment(PATH="/usr/sbin:/usr/bin:/sbin:/bin"))
    done = run_in_network(COUNTING)
    tap.check("Weir has the kernel count the bytes" in done.stdout, done.stdout + done.stderr)
    tap.check("ended with 0\nset back to 0\n" in done.stdout, done.stdout + done.stderr)
    done = run_in_network(COUNTING.replace("echo 0", READ_ONLY + "echo 0"))
    tap.check(f"ended with {NOT_FULL}\nset back to 0\n" in done.stdout, done.stdout + done.stderr)
    tap.check("does not let Weir have the bytes of every connection counted" in done.stderr, done.stderr)
    nothing_left()


@tap.case("wrong calls end with 2 and say what was expected; closed descriptors do no harm")
def usage():
    for arguments in ((), ("watch",), ("stream", "-f", "port:http"), ("record",), ("top",), ("stream", "-i", "1ms")):
        code, output, error = run(*arguments)
        tap.equal((code, output), (USAGE, ""), f"{arguments}: {error}")
    _, _, error = run("stream", "-f", "grüße port:http x")
    tap.check("  grüße port:http x\n             ^^^^\n" in error, error)
    code, output, _ = run("--help-filter")
    tap.check(code == DONE and "rate>1Mi" in output, output)
    done = subprocess.run(f"{CLI} stream --duration 600ms {' '.join(FAST)} 0<&- 1>&- 2>&-", shell=True,
                          env=environment(), timeout=20, check=False)
    tap.equal(done.returncode, DONE, "with closed descriptors")


@tap.case("top: a live table that fills the terminal, follows its size, and gives it back")
def top():
    with wt.traffic("server=127.0.0.1,port=5997,up=100000,down=2000,client-name=alpha,server-name=beta") as _:
        terminal = Terminal("top", *FAST)
        lines = terminal.wait(terminal.shows("127.0.0.1:5997"), "the flow")
        tap.check("Full View" in lines[0] and "Received" in lines[1], lines)
        tap.check(any(line.startswith("alpha ") and "102\u00a0kB" in line for line in lines), lines)
        tap.equal({len(line) for line in lines}, {100}, "widths")
        for columns, rows in ((60, 10), (140, 40), (20, 3)):
            terminal.resize(columns, rows)
            lines = terminal.wait(lambda lines: {len(line) for line in lines} == {columns}, f"{columns} × {rows}")
        terminal.resize(100, 20)
        terminal.wait(lambda lines: {len(line) for line in lines} == {100}, "the old size")
        terminal.type("q")
        tap.equal(terminal.finish(), DONE, "exit code")
        tap.check(terminal.output.rstrip().endswith(LEAVE), terminal.output[-100:])
        tap.check(b"\x1b[?25h" in terminal.output, "no cursor")
    nothing_left()


@tap.case("top: a filter that is typed takes effect at once; a mistake is marked and changes nothing")
def top_filter():
    with wt.traffic("server=127.0.0.1,up=1000,client-name=alpha,server-name=beta"):
        terminal = Terminal("top", *FAST)
        terminal.wait(lambda lines: terminal.shows("alpha ")(lines) and terminal.shows("beta ")(lines), "both")
        terminal.type("/comm:alp")
        terminal.wait(lambda lines: not terminal.shows("beta ")(lines) and "/comm:alp_" in lines[-1], "one row")
        terminal.type("ha port:x")
        lines = terminal.wait(lambda lines: "Expected a number" in lines[-1], "a message")
        tap.check(terminal.shows("alpha ")(lines) and not terminal.shows("beta ")(lines), lines)
        tap.check(b"\x1b[4m\x1b[31mx\x1b[m" in terminal.output, "no mark under the mistake")
        # Two bytes of one character may come apart.
        os.write(terminal.fd, b"\x15\xc3")
        time.sleep(0.3)
        os.write(terminal.fd, b"\xbc")
        terminal.wait(lambda lines: "/ü_" in lines[-1] and terminal.shows("No connection matches")(lines), "no row")
        terminal.type("\x7fbeta\r")
        terminal.wait(lambda lines: terminal.shows("beta ")(lines) and "q quit" in lines[-1], "the other row")
        terminal.type("\x1b")
        terminal.wait(lambda lines: terminal.shows("alpha ")(lines) and terminal.shows("beta ")(lines), "both again")
        terminal.type("\x03")
        tap.equal(terminal.finish(), DONE, "after Ctrl+C")
        tap.check(terminal.output.rstrip().endswith(LEAVE), terminal.output[-100:])


@tap.case("top: signals and a terminal that goes away end it cleanly; Ctrl+Z stops and goes on")
def top_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal("top", *FAST)
        terminal.wait(terminal.shows("q quit"), "a picture")
        os.kill(terminal.pid, number)
        tap.equal(terminal.finish(), DONE, f"exit code after {number}")
        tap.check(terminal.output.rstrip().endswith(LEAVE), f"after {number}: {terminal.output[-100:]}")

    terminal = Terminal("top", *FAST)
    terminal.wait(terminal.shows("q quit"), "a picture")
    terminal.type("\x1a")
    tap.check(weirtest.wait_until(lambda: weirtest.status(terminal.pid)["State"][0] == "T"), "not stopped")
    while terminal.read() and not terminal.output.endswith(LEAVE):
        pass
    # Line by line again, and with an echo, as the shell left it.
    flags = termios.tcgetattr(terminal.fd)[3]
    tap.check(flags & termios.ICANON and flags & termios.ECHO, "the terminal was not given back")
    terminal.output = b""
    os.kill(terminal.pid, signal.SIGCONT)
    terminal.wait(terminal.shows("q quit"), "a picture after going on")
    tap.check(not termios.tcgetattr(terminal.fd)[3] & termios.ICANON, "no keys")
    os.close(terminal.fd)
    tap.equal(terminal.exit_code(), DONE, "exit code without a terminal")
    nothing_left()


@tap.case("top: scrolling, order and pause by keys; no colours when they are not wanted")
def top_keys():
    with contextlib.ExitStack() as stack:
        for number in range(12):
            stack.enter_context(wt.traffic(f"server=127.0.0.1,up={1000 * (number + 1)},client-name=p{number:02}"))
        terminal = Terminal("top", *FAST, "-f", "comm:p*", rows=8, NO_COLOR="1")
        terminal.wait(lambda lines: "12 of" in lines[0], "twelve rows")
        terminal.type("ss")
        terminal.wait(lambda lines: "Total*" in lines[1] and lines[2].startswith("p11 "), "the order by total")
        terminal.type("\x1b[B")
        terminal.wait(lambda lines: lines[2].startswith("p10 "), "one row down")
        terminal.type("\x1b[6~")
        terminal.wait(lambda lines: lines[2].startswith("p05 "), "a page down")
        terminal.type("\x1b[F")
        terminal.wait(lambda lines: lines[6].startswith("p00 "), "the end")
        terminal.type("\x1b[H")
        terminal.wait(lambda lines: lines[2].startswith("p11 "), "the beginning")
        terminal.type(" ")
        terminal.wait(lambda lines: "paused" in lines[0], "a pause")
        terminal.type(" ")
        terminal.wait(lambda lines: "paused" not in lines[0], "the end of the pause")
        tap.check(not re.search(rb"\x1b\[3[0-7]m", terminal.output), "colours")
        terminal.type("q")
        tap.equal(terminal.finish(), DONE, "exit code")


@tap.case("selftest: everything is denied, for root and for a user, who cannot test the full view")
def selftest():
    for user, roles in ((0, {"meter", "keeper", "looker", "twin"}), (weirtest.USER, {"meter", "looker"})):
        code, output, errors = run("selftest", seconds=90, user=user, group=user, extra_groups=[])
        tap.equal((code, errors), (DONE, ""), "exit code and errors")
        tap.equal({line.split()[0] for line in output.splitlines()[:-1]} & set(weirtest.ROLES), roles, "roles")
        tap.equal(output.splitlines()[-1], "all denied", "verdict")
    code, output, errors = run("selftest", "--full", user=weirtest.USER, group=weirtest.USER, extra_groups=[])
    tap.equal((code, output), (NOT_FULL, ""), "the full view without root")
    tap.check("sudo" in errors, errors)


@tap.case("sources: state, reason and advice in words; the limited view lacks what it lacks")
def sources():
    network.track()
    network.account(False)
    code, output, error = run("sources")
    tap.equal((code, error), (DONE, ""), "end")
    tap.check(re.search(r"Connection Tracking +Partly available .*bytes are not counted.*nf_conntrack_acct=1", output),
              output)
    network.account()
    code, output, error = run("sources")
    tap.check(re.search(r"Connection Tracking +Active", output), output)
    tap.check(re.search(r"Sockets +Active", output), output)
    with user_runtime() as options:
        done = subprocess.run([CLI, "sources"], capture_output=True, timeout=20, check=False, **options)
        tap.equal((done.returncode, done.stderr), (DONE, b""), "limited view")
        tap.check(re.search(rb"Connection Tracking +Not available .*Needs the full view +Unlock", done.stdout),
                  done.stdout)


# What the other sources say where there are no kernel programs.
wt.configure(bpf=False)
network = wt.Network()
tap.run(cleanup=network.close)
