#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody else at the door of a handoff.

    intruder.py DIRECTORY silent|wrong|right|junk

Connects to the socket in DIRECTORY and says nothing, a HELLO with a wrong nonce, one with the right nonce, or something
far too long. Prints one JSON object: whether the door was open, what was heard, and after how many seconds it
was closed.
"""
import json
import os
import pathlib
import secrets
import socket
import struct
import sys
import time

HELLO = 1
NONCE_SIZE = 32
PATIENCE = 6


def hello(nonce):
    """The first frame of an engine."""
    version = b"0.1.0"
    body = struct.pack(f"<H{NONCE_SIZE}sIBH", 1, nonce, os.getpid(), 1, len(version)) + version
    return struct.pack("<IHH", len(body), HELLO, 0) + body


def main():
    """Tries once."""
    directory, way = pathlib.Path(sys.argv[1]), sys.argv[2]
    result = {"connected": False, "heard": 0, "closed_after": None}
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(PATIENCE)
    started = time.monotonic()
    try:
        stream.connect(str(directory / "socket"))
        result["connected"] = True
        if way == "wrong":
            stream.sendall(hello(secrets.token_bytes(NONCE_SIZE)))
        elif way == "right":
            stream.sendall(hello(bytes.fromhex((directory / "nonce").read_text())))
        elif way == "junk":
            stream.sendall(struct.pack("<IHH", 1 << 31, HELLO, 0) + bytes(4096))
        while part := stream.recv(4096):
            result["heard"] += len(part)
        result["closed_after"] = time.monotonic() - started
    except TimeoutError:
        pass
    except OSError as error:
        result["error"] = error.strerror
        if result["connected"]:
            result["closed_after"] = time.monotonic() - started
    print(json.dumps(result))


main()
