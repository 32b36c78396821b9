# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer in use: traffic that is always the same, and applications that have a name and an icon.

Names are made up and addresses are those of documentation.
"""
import pathlib
import shutil
import subprocess

from machine import OTHER, TESTER
from traffic import tcp, udp

TILE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128">
<rect x="8" y="12" width="112" height="108" rx="26" fill="{shade}"/>
<rect x="8" y="8" width="112" height="108" rx="26" fill="{colour}"/>
<g fill="none" stroke="#fff" stroke-width="9" stroke-linecap="round" stroke-linejoin="round">{glyph}</g>
</svg>
"""
ENTRY = """[Desktop Entry]
Type=Application
Name={name}
Exec={program}
Icon={icon}
"""
# Program: (name, colour, its shade, what is drawn)
APPS = {
    "web-browser": ("Web", "#3584e4", "#1a5fb4",
                    '<circle cx="64" cy="62" r="32"/><path d="M32 62h64M64 30c-22 20-22 44 0 64M64 30c22 20 22 44 0 64"/>'),
    "software-center": ("Software", "#2ec27e", "#1b8553",
                        '<path d="M38 50h52l-5 42H43z"/><path d="M52 50c0-22 24-22 24 0"/>'),
    "backup": ("Backup", "#9141ac", "#613583",
               '<circle cx="64" cy="62" r="32"/><path d="M64 42v22l14 10"/>'),
    "mail": ("Mail", "#e01b24", "#a51d2d",
             '<path d="M34 42h60v40H34z"/><path d="M34 44l30 22 30-22"/>'),
    "chat": ("Chat", "#e66100", "#a04400",
             '<path d="M34 40h60v36H66L50 92V76H34z"/>'),
    "calls": ("Calls", "#26a269", "#1a6f48",
              '<path d="M44 36l12 20-10 8c4 10 12 18 22 22l8-10 18 12-8 10c-30 6-60-30-54-52z"/>'),
    "downloads": ("Downloads", "#1c71d8", "#124a8e",
                  '<path d="M64 34v42M46 60l18 18 18-18M40 92h48"/>'),
}


def _alive(flow, repeat, swing):
    return flow | {"repeat": repeat, "swing": swing}


def _mine():
    return {
        "web-browser": [
            _alive(tcp("198.51.100.24", 443, (1_900, 640_000)), 0.25, 13),
            _alive(tcp("2001:db8:1::24", 443, (1_100, 90_000)), 0.5, 9),
            _alive(udp("198.51.100.61", 443, (400, 1_200)), 0.02, 7),
            tcp("203.0.113.80", 443, (1_400, 210_000)),
        ],
        "software-center": [_alive(tcp("203.0.113.44", 443, (700, 310_000)), 0.5, 17)],
        "backup": [_alive(tcp("2001:db8:2::8443", 8443, (420_000, 900)), 0.5, 11)],
        "mail": [_alive(tcp("198.51.100.143", 993, (300, 2_400)), 1, 23), tcp("203.0.113.25", 993, (900, 48_000))],
        "chat": [_alive(tcp("2001:db8:1::5222", 5222, (240, 1_600)), 2, 19)],
        "calls": [_alive(udp("203.0.113.78", 3478, (180, 170)), 0.02, 14)],
        "downloads": [
            _alive(tcp("198.51.100.77", 6881, (9_000, 44_000)), 0.5, 6),
            _alive(tcp("2001:db8:2::6881", 6881, (30_000, 12_000)), 0.5, 8),
            _alive(udp("203.0.113.181", 6881, (180, 900)), 0.5, 10),
        ],
        "ssh": [_alive(tcp("203.0.113.9", 22, (140, 520)), 0.5, 5)],
        "curl": [tcp("198.51.100.90", 8443, (200, 1_220_000))],
    }


def _others():
    return {
        "photo-sync": [_alive(tcp("198.51.100.122", 8443, (52_000, 6_000)), 0.5, 12),
                       _alive(udp("203.0.113.122", 3478, (110, 96)), 1, 12)],
        "music": [_alive(tcp("2001:db8:1::777", 443, (300, 47_000)), 1, 15)],
    }


def _system():
    return {
        "resolver": [_alive(udp("192.0.2.1", 53, (52, 148)), 0.5, 4), _alive(udp("2001:db8::1", 53, (60, 190)), 1, 4)],
        "tunnel": [_alive(udp("198.51.100.51", 51820, (1_150, 1_150)), 0.02, 14)],
        "postgres": [tcp("203.0.113.32", 8443, (26_000, 7_000))],
    }


def furnish(machine):
    """Installs the tester's applications: a program, a desktop entry and an icon each."""
    home = pathlib.Path(machine.environment(TESTER)["HOME"])
    places = {name: home / ".local" / name for name in ("bin", "share/applications", "share/icons/hicolor/scalable/apps")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    programs, entries, icons = places.values()
    for program, (name, colour, shade, glyph) in APPS.items():
        icon = f"org.example.{name}"
        shutil.copyfile("/usr/bin/true", programs / program)
        (programs / program).chmod(0o755)
        (entries / f"{icon}.desktop").write_text(ENTRY.format(name=name, program=programs / program, icon=icon))
        (icons / f"{icon}.svg").write_text(TILE.format(colour=colour, shade=shade, glyph=glyph))
    subprocess.run(["chown", "-R", f"{TESTER}:{TESTER}", home], check=True)


def play(traffic):
    """Starts everyone; all goes on until the talkers are stopped."""
    for user, programs in ((TESTER, _mine()), (OTHER, _others()), (None, _system())):
        for comm, flows in programs.items():
            traffic.talk(user, comm, *flows, wait=False)
    return traffic.truth()
