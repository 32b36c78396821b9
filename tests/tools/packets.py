# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets by hand: what follows the IP header, for raw sockets."""
import struct


def checksum(data):
    """The one of the internet (RFC 1071)."""
    data += bytes(len(data) % 2)
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    value = (value >> 16) + (value & 65535)
    return ~(value + (value >> 16)) & 65535


def echo(kind, number):
    """An echo request of 24 bytes; of ICMPv6 the kernel knows the checksum."""
    rest = struct.pack("!HH", number, 1) + bytes(16)
    return struct.pack("!BBH", kind, 0, checksum(struct.pack("!BBH", kind, 0, 0) + rest)) + rest


def crc32c(data):
    """The one of SCTP (RFC 9260, appendix A)."""
    value = 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def sctp(source, destination):
    """An INIT chunk of 20 bytes (RFC 9260)."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x1234, 65536, 1, 1, 7)
    head = struct.pack("!HHI", source, destination, 0)
    return head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk
