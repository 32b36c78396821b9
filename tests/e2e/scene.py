# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that looks like a computer in use: always the same, known names and addresses only."""
from traffic import tcp, udp


def _alive(flow, repeat, swing):
    return flow | {"repeat": repeat, "swing": swing}


def play(traffic):
    """Starts everyone; all goes on until the talkers are stopped."""
    me = [
        ("firefox", [
            _alive(tcp("198.51.100.24", 443, (1_900, 640_000)), 0.25, 13),
            _alive(tcp("2001:db8:1::24", 443, (1_100, 90_000)), 0.5, 9),
            _alive(udp("198.51.100.61", 443, (400, 1_200)), 0.05, 7),
            tcp("203.0.113.80", 443, (1_400, 210_000)),
        ]),
        ("gnome-software", [_alive(tcp("203.0.113.44", 443, (700, 310_000)), 0.5, 17)]),
        ("restic", [_alive(tcp("2001:db8:2::8443", 8443, (420_000, 900)), 0.5, 11)]),
        ("geary", [_alive(tcp("198.51.100.143", 993, (300, 2_400)), 1, 23), tcp("203.0.113.25", 993, (900, 48_000))]),
        ("fractal", [_alive(tcp("2001:db8:1::5222", 443, (240, 1_600)), 2, 19)]),
        ("ssh", [_alive(tcp("203.0.113.9", 22, (140, 520)), 0.5, 5)]),
        ("transmission-gt", [
            _alive(tcp("198.51.100.77", 6881, (9_000, 44_000)), 0.5, 6),
            _alive(tcp("2001:db8:2::6881", 6881, (30_000, 12_000)), 0.5, 8),
            _alive(udp("203.0.113.181", 6881, (180, 900)), 0.5, 10),
        ]),
        ("curl", [tcp("198.51.100.90", 8443, (200, 1_220_000))]),
    ]
    others = [
        ("syncthing", [
            _alive(tcp("198.51.100.122", 8443, (52_000, 6_000)), 0.5, 12),
            _alive(udp("203.0.113.122", 3478, (110, 96)), 1, 12),
        ]),
        ("telegram", [_alive(tcp("2001:db8:1::777", 443, (300, 7_000)), 1, 15)]),
    ]
    system = [
        ("systemd-resolve", [_alive(udp("192.0.2.1", 53, (52, 148)), 0.5, 4),
                             _alive(udp("2001:db8::1", 53, (60, 190)), 1, 4)]),
        ("wireguard-go", [_alive(udp("198.51.100.51", 51820, (1_150, 1_150)), 0.02, 14)]),
        ("postgres", [tcp("203.0.113.32", 8443, (26_000, 7_000))]),
    ]
    for user, programs in (("tester", me), ("other", others), (None, system)):
        for comm, flows in programs:
            traffic.talk(user, comm, *flows, wait=False)
    return traffic.truth()
