# SPDX-License-Identifier: GPL-3.0-or-later
"""What a driver of the 82574L does, operations for its rings, and frames."""

import struct

from device_seeds.operations import (
    LONG, SAVED, SHORT, access_read, access_write, config_write, le16, le32, le64, ram, reset,
)


# Registers of the 82574L: region 0.
def e1000e_write(*pairs):
    return b"".join(access_write(0, offset, 4, value) for offset, value in pairs)


E1000E_TX, E1000E_RX, E1000E_DATA = 0x10000, 0x20000, 0x30000
E1000E_FRAME = b"\xff" * 6 + b"\x02" + bytes(5) + b"\x08\x06" + bytes(46)


def e1000e():
    start = e1000e_write(
        (0x3800, E1000E_TX), (0x3808, 256), (0x2800, E1000E_RX), (0x2808, 256), (0x5008, 0x8000), (0x100, 0x4008002),
        (0x400, 10), (0xD0, 0x1F782D7),
    )  # fmt: skip
    legacy = ram(E1000E_TX, le64(E1000E_DATA) + le32(60 | 0x9 << 24) + le32(0))
    large = ram(
        E1000E_TX,
        le32(14 | 24 << 8 | 33 << 16) + le32(34 | 50 << 8) + le32(0x27 << 24) + le32(54 << 8 | 1448 << 16)
        + le64(E1000E_DATA) + le32(5054 | 0x2D1 << 20) + le32(0x300),
    )  # fmt: skip
    packet = E1000E_FRAME[:12] + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(22) + b"\x50" + bytes(7)
    nvm = b"".join(e1000e_write((0x14, word << 2 | 1)) + access_read(0, 0x14, 4) for word in (0, 1, 2, 63))
    phy = e1000e_write((0x20, 2 << 26 | 1 << 21 | 2 << 16), (0x20, 1 << 26 | 1 << 21 | 0x1340))
    yield "start", nvm + phy + access_read(0, 8, 4) + e1000e_write((0, 1 << 26)) + SAVED
    yield "send", start + ram(E1000E_DATA, E1000E_FRAME) + legacy + e1000e_write((0x3818, 1)) + access_read(0, 0xC0, 4)
    yield "large", start + ram(E1000E_DATA, packet) + large + e1000e_write((0x3818, 2)) + SAVED + reset()
    yield "vectors", (
        config_write(0x86, 2, 0x8000) + start + e1000e_write((0xE4, 0xCBA98), (0xDC, 0x1F00000), (0xE8, 400), (0xC8, 4))
        + SHORT + SAVED + access_read(0, 0xC0, 4) + e1000e_write((0xC4, 200), (0xC8, 4)) + LONG
    )  # fmt: skip


def e1000e_rings():
    """Inputs of fuzz_e1000e_rings.c: operations."""
    own = b"\x52\x4f\x00\x01\x02\x03"
    ip = own + bytes(6) + b"\x08\x00\x45\x00" + struct.pack(">H", 90) + bytes(5) + b"\x06" + bytes(22) + b"\x50" + bytes(57)

    def data(length, upper, command, kind=0x50):
        return bytes([kind, 0, length]) + le32(upper) + bytes([command])

    context = bytes([0x20, 0, 0x00]) + le32(54 << 8 | 64 << 16) + bytes([0x27])
    context += le32(14 | 24 << 8 | 33 << 16) + le32(34 | 50 << 8)
    put = bytes([4, 0, len(ip)]) + ip
    buffers, frame = bytes([2, 0x0E]), bytes([0x25]) + le16(90)
    yield "legacy", put + data(60, 0, 0x09, 0x10) + bytes([7]) + le16(0xC0)
    yield "checksums", put + context + data(104, 0x300, 0x2B) + bytes([0x0E, 0x0E, 0x8E])
    yield "large", put + context + data(104, 0x300, 0x2F) + bytes([0x1E])
    yield "receive", buffers + frame + ip + bytes([7]) + le16(0xC0)
    yield "split", bytes([3]) + le32(0x4008402) + bytes([2, 0x8E]) + frame + ip
    yield "vectors", bytes([0x26, 3 | 9 << 3]) + le32(0x1F00000) + bytes([7, 0, 0]) + buffers + frame + ip + bytes([0x16, 9, 0])
    yield "resets", buffers + frame + ip + bytes([0x2E]) + put + data(60, 0, 0x09, 0x10) + bytes([0x36])


def net():
    """Inputs of fuzz_net.c: struct wire_frame, frame."""

    def be16(value):
        return value.to_bytes(2, "big")

    def wire(flags=0, gso=0, size=0, start=0, offset=0, accept=0):
        return bytes([flags, gso]) + le16(0) + le16(size) + le16(start) + le16(offset) + bytes([accept, 0])

    def ipv4(protocol, content):
        return (
            bytes(12) + be16(0x800) + b"\x45\0" + be16(20 + len(content)) + bytes(4) + bytes([64, protocol])
            + bytes(2) + bytes([10, 0, 2, 15, 10, 0, 2, 2]) + content
        )  # fmt: skip

    def ipv6(protocol, content):
        return bytes(12) + be16(0x86DD) + b"\x60\0\0\0" + be16(len(content)) + bytes([protocol, 64]) + bytes(32) + content

    def tcp(flags, data, options=b""):
        offset = (5 + len(options) // 4) << 4
        return be16(1000) + be16(80) + bytes(8) + bytes([offset, flags]) + bytes(6) + options + data

    def udp(port, data):
        return be16(port) + be16(1000) + be16(8 + len(data)) + be16(0) + data

    answer = (
        be16(1) + be16(0x8180) + be16(1) + be16(2) + bytes(4) + b"\3www\4test\0" + be16(1) + be16(1)
        + b"\xc0\x0c" + be16(1) + be16(1) + bytes(4) + be16(4) + bytes([192, 0, 2, 1])
        + b"\xc0\x0c" + be16(28) + be16(1) + bytes(4) + be16(16) + bytes(16)
    )  # fmt: skip
    yield "tcp", wire(accept=1) + ipv4(6, tcp(0x18, b"data"))
    yield "open", wire() + ipv4(6, tcp(2, b"", b"\1\1\2\4\5\xb4\0\0"))
    yield "large", wire(1, 1, 100, 34, 16) + ipv4(6, tcp(0x19, bytes(1000)))
    yield "large6", wire(5, 2, 100, 54, 16) + ipv6(6, tcp(0x99, bytes(1000)))
    yield "partial", wire(1, 0, 0, 34, 6) + ipv4(17, udp(53, b"question"))
    yield "answer", wire(accept=255) + ipv4(17, udp(53, answer))
    yield "long", wire() + ipv4(17, udp(7, bytes(3000)))
    yield "arp", wire() + bytes(12) + be16(0x806) + bytes(46)
