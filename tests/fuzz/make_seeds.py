#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seed inputs of fuzz_device: what a driver of each device does, in the fuzzer's operations.

usage: make_seeds.py FOLDER     writes FOLDER/<class>/<name>; they are kept in tests/fuzz/seeds
"""
import os
import struct
import sys

READ, WRITE, READ1, WRITE1, WRITE2, READ4, WRITE4 = 0, 1, 2, 3, 5, 6, 7
CONFIG_READ, CONFIG_WRITE, RAM, FILL, ADVANCE, DRIVE, CHAR, INPUT = 9, 10, 11, 12, 13, 14, 15, 16
EVENT, DISPLAY, RESET, SAVE_LOAD, LOAD_CHANGED = 17, 18, 19, 20, 21

le16, le32, le64 = (struct.Struct(form).pack for form in ("<H", "<I", "<Q"))


# --- Operations; see the do_ functions of fuzz_device.c ------------------------------------------------


def access_read(region, offset, size):
    return bytes([READ, region, size - 1]) + le32(offset)


def access_write(region, offset, size, value):
    return bytes([WRITE, region, size - 1]) + le32(offset) + value.to_bytes(size, "little")


def in8(region, offset):
    return bytes([READ1, region]) + le16(offset)


def out8(region, offset, value):
    return bytes([WRITE1, region]) + le16(offset) + bytes([value])


def out16(region, offset, value):
    return bytes([WRITE2, region, offset // 2]) + le16(value)


def in32(region, offset):
    return bytes([READ4, region, offset // 4])


def out32(region, offset, value):
    return bytes([WRITE4, region, offset // 4]) + le32(value)


def config_read(offset, size):
    return bytes([CONFIG_READ, size.bit_length() - 1, offset])


def config_write(offset, size, value):
    return bytes([CONFIG_WRITE, size.bit_length() - 1, offset]) + value.to_bytes(size, "little")


def ram(at, content):
    pieces = [content[i : i + 60] for i in range(0, len(content), 60)]
    return b"".join(
        bytes([RAM]) + le32(at + 60 * i)[:3] + bytes([len(piece)]) + piece for i, piece in enumerate(pieces)
    )


def advance(scale):
    return bytes([ADVANCE, scale])


LONG = advance(0xCF)  # 15 << 24 ns
SHORT = advance(0x8F)  # 15 << 16 ns: about a millisecond
RUN = advance(0)


def drive(number, event):
    return bytes([DRIVE, number << 3 | event])


def char(content):
    return bytes([CHAR, len(content)]) + content


def key(code, down=True):
    return bytes([INPUT, 2 if down else 0]) + le16(code)


def pointer(dx, dy, buttons=0, wheel=0):
    return bytes([INPUT, 1 | buttons << 1 | (wheel + 1) << 4, dx & 0xFF, dy & 0xFF])


def event(number):
    return bytes([EVENT, number])


def display(full=True):
    return bytes([DISPLAY, 1 if full else 0])


def reset(warm=False):
    return bytes([RESET, 1 if warm else 0])


SAVED = bytes([SAVE_LOAD])


def load_changed(*changes):
    return bytes([LOAD_CHANGED, len(changes) - 1]) + b"".join(le16(at) + bytes([to]) for at, to in changes)


# --- Devices -----------------------------------------------------------------------------------------


def host_bridge():
    def config(offset, value):
        return out32(0, 0, 0x80000800 | offset) + out32(1, 0, value)

    yield "firmware", (
        config(0x60, 0) + config(0x64, 0) + config(0x60, 0xB0000001) + access_read(2, 1 << 15, 4)
        + access_write(2, (1 << 15) + 0x90, 4, 0x33333330) + config(0x94, 0x00331111) + in32(1, 0)
        + SAVED + out8(0, 1, 2) + out8(0, 1, 6) + reset(True)
    )  # fmt: skip
    yield "sizes", config(0x60, 0xA8000003) + config(0x60, 0xAC000005) + config(0x60, 0xB0000007) + SAVED


def lpc():
    place = config_write(0x40, 4, 0x601) + config_write(0x44, 1, 0x80) + config_write(0xF0, 4, 0xFED1C001)
    yield "events", (
        place + out16(0, 2, 0x0721) + event(0) + out16(0, 0, 0x8731) + LONG + in8(0, 0) + out16(0, 0, 1)
        + event(3) + out8(2, 8, 0x20) + out8(2, 0, 0x20) + in32(1, 0) + SAVED + out16(0, 4, 0x2001)
    )  # fmt: skip
    yield "routing", (
        place + config_write(0x60, 4, 0x0B0B0A0A) + config_write(0x68, 4, 0x0B0B0A0A)
        + config_write(0x60, 1, 0x02) + access_read(4, 0x3140, 4) + access_write(4, 0x3410, 4, 0)
        + config_write(0xA0, 2, 0x10) + out32(3, 0, 0) + in32(3, 0) + SAVED
    )  # fmt: skip
    yield "ports", out8(5, 0, 1) + out8(6, 0, 1) + out8(7, 0, 2) + out8(7, 1, 3) + out8(8, 0, 0) + SAVED


def smbus():
    start = config_write(0x40, 1, 1) + out8(0, 0, 0xFF) + out8(0, 4, 0xA1) + out8(0, 3, 0)
    yield "probe", start + out8(0, 2, 0x49) + in8(0, 0) + out8(0, 0, 0x44) + out8(0, 2, 3) + in8(0, 0) + SAVED
    yield "block", start + out8(0, 13, 2) + in8(0, 2) + out8(0, 7, 1) + out8(0, 7, 2) + in8(0, 7) + SAVED


def root_port():
    yield "scan", (
        config_write(0x18, 4, 0x010100) + config_write(0x1C, 2, 0xD0C0) + config_write(0x20, 4, 0xFE10FE00)
        + config_write(0x24, 4, 0xFFF1FFF1) + config_write(0x04, 2, 7) + config_read(0x34, 1) + SAVED
    )  # fmt: skip


CLB, FB, TABLE, DATA = 0x10000, 0x11000, 0x12000, 0x20000
READ_DMA_EXT, WRITE_DMA_EXT, IDENTIFY, IDENTIFY_PACKET = 0x25, 0x35, 0xEC, 0xA1
READ_PIO, FLUSH_EXT, PACKET, NCQ_READ, NCQ_WRITE, TRIM = 0x20, 0xEA, 0xA0, 0x60, 0x61, 0x06
SET_FEATURES, SMART, READ_LOG = 0xEF, 0xB0, 0x2F


def ahci_port(port, register, value):
    return out32(0, 0x100 + 0x80 * port + register, value)


def ahci_start(port):
    return (
        out32(0, 4, 0x80000002) + ahci_port(port, 0, CLB) + ahci_port(port, 8, FB)
        + ahci_port(port, 0x30, 0xFFFFFFFF) + ahci_port(port, 0x10, 0xFFFFFFFF)
        + ahci_port(port, 0x14, 0x7DC000FF) + ahci_port(port, 0x18, 0x17)
    )  # fmt: skip


def ahci_command(port, slot, command, lba=0, count=1, lengths=(4096,), write=False, cdb=b"", features=0, ncq=False):
    """One command: header, FIS, packet and scatter list into RAM, then the issue."""
    sectors, feature = (slot << 3, count) if ncq else (count, features)
    fis = bytes([0x27, 0x80, command, feature & 0xFF]) + le32(lba)[:3] + bytes([0x40])
    fis += le64(lba)[3:6] + bytes([feature >> 8]) + le16(sectors) + bytes(6)
    table = TABLE + 0x400 * slot
    prdt, at = b"", DATA + 0x10000 * slot
    for length in lengths:
        prdt += le64(at) + le32(0) + le32(length - 1)
        at += length
    flags = 5 | (0x20 if cdb else 0) | (0x40 if write else 0)
    return (
        ram(CLB + 32 * slot, le16(flags) + le16(len(lengths)) + le32(0) + le64(table))
        + ram(table, fis) + (ram(table + 0x40, cdb.ljust(16, b"\0")) if cdb else b"") + ram(table + 0x80, prdt)
        + (ahci_port(port, 0x34, 1 << slot) if ncq else b"") + ahci_port(port, 0x38, 1 << slot)
    )  # fmt: skip


def ahci_sweep(port, first, at, cdb=b""):
    """32 commands (or packets) that differ in one byte at `at` of the command table."""
    content = ahci_start(port) + ahci_command(port, 0, PACKET if cdb else FLUSH_EXT, 1, 1, (512,), cdb=cdb) + RUN
    for code in range(first, first + 32):
        content += ahci_port(port, 0x18, 0x10) + ahci_port(port, 0x30, 0xFFFFFFFF) + ahci_port(port, 0x18, 0x11)
        content += ram(TABLE + at, bytes([code])) + ahci_port(port, 0x38, 1) + RUN
    return content


def ahci():
    for first in range(0, 256, 32):
        yield f"sweep-{first:02x}", ahci_sweep(0, first, 2)
        yield f"sweep-packet-{first:02x}", ahci_sweep(1, first, 0x40, b"\0\0\0\0\1\0\1\1\1")
    disk, optical = ahci_start(0), ahci_start(1)
    yield "identify", disk + ahci_command(0, 0, IDENTIFY, lengths=(512,)) + RUN + in32(0, 0x138) + SAVED
    yield "dma", (
        disk + ahci_command(0, 0, WRITE_DMA_EXT, 8, 8, (1024, 3072), True) + RUN
        + ahci_command(0, 1, READ_DMA_EXT, 8, 8, (4096,)) + RUN + ahci_command(0, 2, FLUSH_EXT, lengths=())
        + RUN + ahci_port(0, 0x10, 0xFFFFFFFF) + out32(0, 8, 1) + SAVED
    )  # fmt: skip
    yield "pio", disk + ahci_command(0, 0, READ_PIO, 1, 2, (1024,)) + RUN + ahci_command(0, 0, 0x30, 1, 1, (512,), True) + RUN
    yield "ncq", (
        disk + drive(0, 0) + ahci_command(0, 3, NCQ_WRITE, 16, 8, (4096,), True, ncq=True)
        + ahci_command(0, 5, NCQ_READ, 16, 8, (2048, 2048), ncq=True) + drive(0, 1) + RUN + SAVED
    )  # fmt: skip
    yield "trim", disk + ram(DATA, le64(8 << 48 | 16)) + ahci_command(0, 0, TRIM, 0, 1, (512,), True, features=1) + RUN
    yield "log", disk + ahci_command(0, 0, READ_LOG, 0x10, 1, (512,)) + RUN + ahci_command(0, 0, SMART, 0xC24F00, features=0xD0, lengths=(512,)) + RUN
    yield "features", disk + ahci_command(0, 0, SET_FEATURES, count=0x46, features=3, lengths=()) + RUN
    yield "error", disk + drive(0, 2) + ahci_command(0, 0, READ_DMA_EXT, 0, 8) + RUN + ahci_port(0, 0x18, 0) + disk
    yield "beyond", disk + ahci_command(0, 0, READ_DMA_EXT, 0xFFFFFF, 8) + RUN + ahci_command(0, 0, READ_DMA_EXT, 0, 0, (512,)) + RUN
    yield "held-reset", disk + drive(0, 0) + ahci_command(0, 0, READ_DMA_EXT, 0, 8) + ahci_port(0, 0x2C, 1) + ahci_port(0, 0x2C, 0) + disk + ahci_command(0, 1, READ_DMA_EXT, 0, 8) + reset() + drive(0, 1) + RUN
    yield "packet-identify", optical + ahci_command(1, 0, IDENTIFY_PACKET, lengths=(512,)) + RUN
    for name, cdb in (
        ("inquiry", b"\x12\0\0\0\x24"),
        ("ready", b"\0"),
        ("sense", b"\x03\0\0\0\x12"),
        ("capacity", b"\x25"),
        ("read", b"\x28\0\0\0\0\0\0\0\x02"),
        ("read-12", b"\xa8\0\0\0\0\x01\0\0\0\x01"),
        ("toc", b"\x43\x02\0\0\0\0\0\0\x20"),
        ("mode-sense", b"\x5a\0\x3f\0\0\0\0\0\xff"),
        ("configuration", b"\x46\0\0\0\0\0\0\0\xff"),
        ("event", b"\x4a\x01\0\0\x10\0\0\0\x08"),
        ("eject", b"\x1b\0\0\0\x02"),
        ("lock", b"\x1e\0\0\0\x01"),
        ("disc", b"\x51\0\0\0\0\0\0\0\x22"),
        ("structure", b"\xad\0\0\0\0\0\0\0\x08\x04"),
    ):
        yield "packet-" + name, (
            optical + ahci_command(1, 0, PACKET, cdb=cdb, features=1) + RUN + drive(1, 4)
            + ahci_command(1, 1, PACKET, cdb=cdb) + RUN + drive(1, 6) + ahci_command(1, 0, PACKET, cdb=cdb) + RUN
        )  # fmt: skip


def i8042():
    def command(byte):
        return out8(1, 0, byte) + in8(1, 0) + in8(0, 0)

    def data(byte):
        return out8(0, 0, byte) + in8(1, 0) + in8(0, 0) + in8(0, 0)

    yield "probe", command(0xAD) + command(0xA7) + command(0xAA) + command(0xAB) + command(0x60) + data(0x47) + command(0x20) + SAVED
    yield "keyboard", command(0xAE) + data(0xFF) + data(0xF2) + data(0xED) + data(2) + data(0xF3) + data(0x20) + data(0xF4) + key(30) + key(30, False) + key(119) + in8(0, 0) + SAVED
    yield "mouse", b"".join(
        command(0xD4) + data(byte) for byte in (0xFF, 0xF3, 200, 0xF3, 100, 0xF3, 80, 0xF2, 0xE8, 3, 0xE9, 0xF4)
    ) + pointer(5, -3, 1) + in8(0, 0) + pointer(-100, 100, 4, 1) + in8(0, 0) * 4 + SAVED
    yield "loopback", command(0xD3) + data(0x5A) + command(0xD2) + data(0xA5) + command(0xD1) + data(3) + command(0xFE)


def uart():
    setup = out8(0, 3, 0x83) + out8(0, 0, 1) + out8(0, 1, 0) + out8(0, 3, 3) + out8(0, 2, 0xC7) + out8(0, 4, 0x0B)
    yield "terminal", setup + out8(0, 1, 0x0F) + out8(0, 0, 0x41) + char(b"hello, world") + in8(0, 5) + in8(0, 2) + in8(0, 0) * 4 + SHORT + in8(0, 0) * 9 + SAVED
    yield "loopback", setup + out8(0, 4, 0x1F) + out8(0, 0, 0x55) + in8(0, 5) + in8(0, 0) + in8(0, 6) + SAVED
    yield "plain", out8(0, 2, 0) + out8(0, 1, 5) + char(b"abcd") + in8(0, 0) + char(b"efgh") + in8(0, 5) + SAVED


def rtc():
    def register(index, value):
        return out8(0, 0, index) + out8(0, 1, value)

    def look(index):
        return out8(0, 0, index) + in8(0, 1)

    yield "set", register(0xB, 0x82) + register(0, 0x59) + register(4, 0x23) + register(9, 0x99) + register(0x32, 0x19) + register(0xB, 2) + LONG + look(0) + look(0xA) + SAVED
    yield "alarm", register(1, 0xC0) + register(3, 0xC0) + register(5, 0xC0) + register(0xB, 0x32) + LONG * 70 + look(0xC) + SAVED
    yield "periodic", register(0xA, 0x26) + register(0xB, 0x42) + SHORT * 4 + look(0xC) + SHORT * 4 + SAVED
    yield "nonsense", register(0xB, 0x86) + b"".join(register(i, 0xFF) for i in range(10)) + register(0xB, 6) + LONG + look(7) + SAVED


def fw_cfg():
    yield "signature", out16(0, 0, 0) + in8(0, 1) * 4 + out16(0, 0, 0x19) + in8(0, 1) * 8 + SAVED
    descriptor = struct.pack(">IIQ", 0x20 << 16 | 8 | 2, 64, 0x3000)
    writing = struct.pack(">IIQ", 0x21 << 16 | 8 | 0x10, 32, 0x3000)
    skipping = struct.pack(">IIQ", 4, 100000, 0)
    for name, content in (("read", descriptor), ("write", writing), ("skip", skipping)):
        yield "dma-" + name, ram(0x2000, content) + out32(1, 0, 0) + out32(1, 4, 0x00200000) + RUN + SAVED


def debug_port():
    yield "line", b"".join(out8(0, 0, byte) for byte in b"SeaBIOS\n") + in8(0, 0) + out8(0, 0, 0x41) + SAVED


def vga_mode(misc, clocking, map_mask, memory, graphics, crtc, attribute_mode):
    """The registers of a mode as the video BIOS sets them; `crtc` changes those of text mode 3."""

    def indexed(port, index, value):
        return out8(0, port, index) + out8(0, port + 1, value)

    table = bytes.fromhex("5f4f508255" "81bf1f004f" "0d0e000000" "009c8e8f28" "1f96b9a3ff")
    table = bytes(crtc.get(i, value) for i, value in enumerate(table))
    attributes = [*range(6), 0x14, 7, *range(0x38, 0x40), attribute_mode, 0, 0x0F, 0, 0]
    content = out8(0, 0x12, misc) + indexed(0x14, 1, clocking) + indexed(0x14, 2, map_mask) + indexed(0x14, 4, memory)
    content += indexed(0x24, 0x11, 0) + b"".join(indexed(0x24, i, value) for i, value in enumerate(table))
    content += b"".join(indexed(0x1E, i, value) for i, value in enumerate((0, 0, 0, 0, 0, *graphics, 0xF, 0xFF)))
    content += in8(0, 0x2A) + b"".join(out8(0, 0x10, i) + out8(0, 0x10, v) for i, v in enumerate(attributes))
    return content + out8(0, 0x10, 0x20)


def vga():
    def dispi(index, value):
        return out16(1, 0, index) + out16(1, 2, value)

    def drawn(content):
        return content + display() + access_write(2, 0x1234, 4, 0x12345678) + out8(2, 0x40, 0x5A) + display(False) + SAVED

    text = vga_mode(0x67, 0, 3, 2, (0x10, 0x0E), {}, 0x0C)
    yield "text", (
        text + access_write(2, 0x18000, 8, 0x1F43FF4207C0C141) + display() + access_write(2, 0x18002, 2, 0x1F43)
        + out8(0, 0x24, 0x0F) + out8(0, 0x25, 1) + display(False) + out8(0, 0x24, 8) + out8(0, 0x25, 3) + display(False) + SAVED
    )  # fmt: skip
    graphics = {9: 0x40, 0xA: 0, 0xB: 0, 0x14: 0}
    planar = vga_mode(0xE3, 1, 0xF, 6, (0, 5), {**graphics, 7: 0x3E, 0x12: 0xDF, 0x17: 0xE3}, 1)
    yield "planar", drawn(planar + out8(0, 0x1E, 3) + out8(0, 0x1F, 0x18) + in8(2, 0x40))
    yield "planar-modes", planar + b"".join(out8(0, 0x1E, 5) + out8(0, 0x1F, mode) + in8(2, 0x40) + out8(2, 0x40, 0xA5) for mode in (1, 2, 3, 8, 0x10)) + display()
    yield "low", drawn(vga_mode(0x63, 9, 0xF, 6, (0, 5), {**graphics, 1: 0x27, 9: 0xC0, 0x13: 0x14, 0x17: 0xE3}, 1))
    yield "cga", drawn(vga_mode(0x63, 9, 3, 2, (0x30, 0xF), {**graphics, 1: 0x27, 9: 0xC1, 0x13: 0x14, 0x17: 0xA2}, 1))
    yield "cga-mono", drawn(vga_mode(0x63, 1, 1, 6, (0, 0xD), {**graphics, 9: 0xC1, 0x17: 0xC2}, 1))
    yield "chain-4", drawn(vga_mode(0x63, 1, 0xF, 0xE, (0x40, 5), {**graphics, 9: 0x41, 0x14: 0x40}, 0x41))
    yield "mode-x", drawn(vga_mode(0xE3, 1, 0xF, 6, (0x40, 5), {**graphics, 9: 0x41, 0x17: 0xE3}, 0x41))
    for depth in (4, 8, 15, 16, 24, 32):
        yield f"linear-{depth}", (
            out8(0, 0x10, 0x20) + dispi(4, 0) + dispi(1, 320) + dispi(2, 200) + dispi(3, depth) + dispi(4, 0x41)
            + display() + dispi(5, 1) + out8(2, 5, 0xFF) + dispi(9, 16) + display(False) + dispi(6, 400) + dispi(8, 8) + display(False)
        )  # fmt: skip
    yield "registers", access_read(3, 0, 4) + out8(3, 0x400, 0x20) + access_write(3, 0x502, 2, 400) + access_write(3, 0x504, 2, 300) + access_write(3, 0x506, 2, 32) + access_write(3, 0x508, 2, 0x41) + display() + access_write(3, 0x604, 4, 0xBEBEBEBE) + display()
    yield "palette", text + out8(0, 0x18, 0) + out8(0, 0x19, 63) * 3 + out8(0, 0x17, 0) + in8(0, 0x19) * 3 + display() + SAVED


def hpet():
    def write(register, value):
        return access_write(0, register, 8, value)

    def timer(number, register, value):
        return write(0x100 + 0x20 * number + register, value)

    yield "one-shot", timer(0, 0, 2 << 9 | 4) + timer(0, 8, 1000) + write(0x10, 1) + SHORT + in32(0, 0xF0) + write(0x20, 1) + SAVED
    yield "periodic", write(0xF0, 0) + timer(0, 0, 0x4C) + timer(0, 8, 50000) + timer(0, 8, 50000) + write(0x10, 1) + SHORT + LONG + write(0x10, 0) + SAVED
    yield "level", timer(1, 0, 8 << 9 | 6) + timer(1, 8, 100) + write(0x10, 1) + SHORT + in32(0, 0x20) + write(0x20, 2) + SAVED
    yield "legacy", timer(0, 0, 0x4C) + timer(0, 8, 9999) + timer(1, 0, 4) + timer(1, 8, 20000) + write(0x10, 3) + LONG + SAVED
    yield "narrow", timer(2, 0, 0x10C) + timer(2, 8, 0xFFFFFFFF00000010) + write(0x10, 1) + out32(0, 0xF4, 1) + SHORT + SAVED


def flash():
    def command(offset, byte):
        return access_write(0, offset, 1, byte)

    probe = command(0x10, 0x50) + access_read(0, 0x10, 1) + command(0x10, 0x70) + access_read(0, 0x10, 1) + command(0x10, 0xFF)
    yield "store", probe + command(0x1000, 0x20) + command(0x1000, 0xD0) + b"".join(
        command(0x1000 + i, 0x10) + command(0x1000 + i, 0xA0 + i) for i in range(8)
    ) + command(0x1007, 0xFF) + access_read(0, 0x1000, 8) + LONG + SAVED
    yield "unfinished", command(0x2000, 0x40) + SAVED + access_write(0, 0x2000, 4, 0x11223344) + LONG * 8 + SAVED + command(0, 0x20) + command(0, 0) + access_read(0, 0, 1)
    yield "identify", command(0, 0x90) + access_read(0, 0, 2) + command(0x55, 0x98) + b"".join(access_read(0, i, 1) for i in range(0x10, 0x31)) + command(0, 0x60) + SAVED


def vmgenid():
    yield "clone", event(3) + SAVED + reset() + event(3)


# Registers of a virtio function: region 0 is the MSI-X table, region 1 all the rest.
VIRTIO_RINGS = 0x10000  # 4 KiB a queue: table, available ring at 0x400, used ring at 0x800
VIRTIO_DATA = 0x20000
NEXT, WRITE_ONLY, INDIRECT = 1, 2, 4


def virtio_start(queues, features=0xFFFFFFFF, size=16):
    words = out32(1, 0x00, 0) + in32(1, 0x04) + out8(1, 0x14, 3)
    words += out32(1, 0x08, 0) + out32(1, 0x0C, features & 0x30000000) + out32(1, 0x08, 1) + out32(1, 0x0C, 1)
    words += out8(1, 0x14, 0x0B)
    for queue in range(queues):
        base = VIRTIO_RINGS + 0x1000 * queue
        words += out16(1, 0x16, queue) + out16(1, 0x18, size) + out16(1, 0x1A, queue)
        for offset, address in ((0x20, base), (0x28, base + 0x400), (0x30, base + 0x800)):
            words += out32(1, offset, address) + out32(1, offset + 4, 0)
        words += out16(1, 0x1C, 1)
    return words + out8(1, 0x14, 0x0F)


def virtio_chain(queue, number, *segments, flags=0):
    """The chain's descriptors from `number` on, its head in the ring, the doorbell."""
    base, content = VIRTIO_RINGS + 0x1000 * queue, b""
    for i, (gpa, length, kind) in enumerate(segments):
        more = NEXT if i + 1 < len(segments) else 0
        content += le64(gpa) + le32(length) + le16(kind | more | flags) + le16(number + i + 1)
    return (
        ram(base + 16 * number, content) + ram(base + 0x404, le16(number)) + ram(base + 0x402, le16(1))
        + access_write(1, 0x3000 + 4 * queue, 2, queue) + RUN
    )  # fmt: skip


def virtio_blk():
    def request(kind, sector, data, content=b""):
        return (
            virtio_start(1) + ram(VIRTIO_DATA, le32(kind) + le32(0) + le64(sector) + content)
            + virtio_chain(0, 0, (VIRTIO_DATA, 16, 0), data, (VIRTIO_DATA + 0x800, 1, WRITE_ONLY)) + in8(1, 0x1000)
        )  # fmt: skip

    page = VIRTIO_DATA + 0x1000
    yield "read", request(0, 8, (page, 4096, WRITE_ONLY)) + SAVED
    yield "write", request(1, 8, (page, 4096, 0))
    yield "flush", request(4, 0, (page, 0, 0)) + drive(0, 2) + request(4, 0, (page, 0, 0))
    yield "id", request(8, 0, (page, 20, WRITE_ONLY))
    yield "discard", request(11, 0, (VIRTIO_DATA + 16, 16, 0), le64(8) + le32(8) + le32(0))
    yield "zeroes", request(13, 0, (VIRTIO_DATA + 16, 16, 0), le64(8) + le32(8) + le32(1))
    yield "held", drive(0, 0) + request(0, 0, (page, 512, WRITE_ONLY)) + out8(1, 0x14, 0) + drive(0, 1) + RUN
    yield "grows", virtio_start(1) + drive(0, 6) + in8(1, 0x15) + in32(1, 0x14)


NVME_SQ, NVME_CQ, NVME_DATA, NVME_CC = 0x10000, 0x12000, 0x20000, 0x00460001


def nvme_entry(opcode, nsid=0, prp1=NVME_DATA, prp2=0, dwords=(0, 0, 0), cid=1):
    body = bytes([opcode, 0]) + le16(cid) + le32(nsid) + bytes(16) + le64(prp1) + le64(prp2)
    return body + b"".join(le32(dword) for dword in dwords) + bytes(12)


def nvme_queue(number, at, entries):
    """Entries from the beginning of a fresh queue, then its doorbell."""
    return ram(at, b"".join(entries)) + access_write(0, 0x1000 + number * 8, 4, len(entries)) + RUN


def nvme_start():
    enable = [(0x24, 0x001F001F), (0x28, NVME_SQ), (0x30, NVME_CQ), (0x14, NVME_CC)]
    return b"".join(out32(0, at, value) for at, value in enable)


def nvme():
    queues = [
        nvme_entry(5, prp1=0x16000, dwords=(0x1F0001, 3, 0)), nvme_entry(1, prp1=0x14000, dwords=(0x1F0001, 0x10001, 0)),
    ]  # fmt: skip
    identify = [nvme_entry(6, nsid, dwords=(cns, 0, 0)) for nsid, cns in ((0, 1), (1, 0), (0, 2), (1, 3))]
    logs = [nvme_entry(2, dwords=(0x007F0000 | page, 0, 0)) for page in (1, 2, 3, 4)]
    features = [nvme_entry(op, dwords=(f, 1, 0)) for f in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11) for op in (9, 10)]
    start = nvme_start() + nvme_queue(0, NVME_SQ, queues)
    read, write = (nvme_entry(op, 1, NVME_DATA, 0x21000, (8, 0, 15)) for op in (2, 1))
    listed = ram(0x22000, b"".join(le64(0x23000 + 0x1000 * i) for i in range(8)))
    trim = ram(NVME_DATA, le32(0) + le32(8) + le64(16)) + nvme_queue(1, 0x14000, [nvme_entry(9, 1, dwords=(0, 4, 0))])
    yield "identify", nvme_start() + nvme_queue(0, NVME_SQ, identify) + SAVED
    yield "logs", nvme_start() + nvme_queue(0, NVME_SQ, logs)
    yield "features", nvme_start() + nvme_queue(0, NVME_SQ, features) + SAVED
    yield "events", nvme_start() + nvme_queue(0, NVME_SQ, [nvme_entry(12)] * 5) + access_write(0, 0x1100, 4, 1) + SAVED
    yield "read-write", start + nvme_queue(1, 0x14000, [write, read, nvme_entry(0, 1), nvme_entry(5, 1)]) + SAVED
    yield "list", start + listed + nvme_queue(1, 0x14000, [nvme_entry(2, 1, NVME_DATA, 0x22000, (0, 0, 63))])
    yield "zeroes", start + nvme_queue(1, 0x14000, [nvme_entry(8, 1, dwords=(8, 0, 7))])
    yield "trim", start + trim
    yield "held", start + drive(0, 0) + nvme_queue(1, 0x14000, [read]) + SAVED + out32(0, 0x14, 0) + drive(0, 1) + RUN
    yield "shutdown", start + drive(0, 0) + out32(0, 0x14, NVME_CC | 0x4000) + SAVED + drive(0, 1) + RUN + in32(0, 0x1C)
    delete = ram(NVME_SQ + 128, nvme_entry(0, dwords=(1, 0, 0)) + nvme_entry(4, dwords=(1, 0, 0)))
    yield "delete", (
        start + drive(0, 0) + nvme_queue(1, 0x14000, [read]) + delete + access_write(0, 0x1000, 4, 4) + RUN + SAVED
        + drive(0, 1) + RUN + reset()
    )  # fmt: skip
    yield "grows", start + drive(0, 6) + nvme_queue(1, 0x14000, [read])

    def shadow(page, events, tail):
        config = ram(NVME_SQ + 128, nvme_entry(0x7C, prp1=page, prp2=events)) + access_write(0, 0x1000, 4, 3) + RUN
        return start + config + ram(0x14000, read + write) + ram(page + 8, le32(tail)) + access_write(0, 0x1008, 4, 1) + RUN

    yield "shadow", shadow(0x18000, 0x19000, 2) + SAVED + ram(0x18000 + 12, le32(2)) + access_write(0, 0x100C, 4, 2)
    yield "shadow-overlap", shadow(0x14000, 0x16000, 1) + SAVED
    yield "shadow-values", shadow(0x18000, 0x18000, 0x12345) + ram(0x18000 + 12, b"\xff" * 8) + reset()


def virtio_rng():
    fill = virtio_chain(0, 0, (VIRTIO_DATA, 64, WRITE_ONLY), (VIRTIO_DATA + 100, 5, WRITE_ONLY))
    table = ram(VIRTIO_DATA + 0x1000, le64(VIRTIO_DATA) + le32(8) + le16(WRITE_ONLY) + le16(0))
    indirect = virtio_chain(0, 0, (VIRTIO_DATA + 0x1000, 16, 0), flags=INDIRECT)
    yield "fill", virtio_start(1) + fill + SAVED + reset()
    yield "indirect", virtio_start(1) + table + indirect
    yield "loop", virtio_start(1) + virtio_chain(0, 0, (VIRTIO_DATA, 4, WRITE_ONLY | NEXT))
    yield "messages", (
        access_write(0, 0, 4, 0xFEE00000) + access_write(0, 8, 4, 0x41) + access_write(0, 12, 4, 0)
        + config_write(0x4A, 2, 0x8000) + virtio_start(1) + fill
    )  # fmt: skip
    yield "window", config_write(0x8C, 1, 4) + config_write(0x90, 4, 0x14) + config_write(0x94, 4, 1) + config_read(0x98, 1)


def virtio_console():
    yield "transmit", virtio_start(2) + ram(VIRTIO_DATA, b"hello") + virtio_chain(1, 0, (VIRTIO_DATA, 5, 0))
    yield "receive", virtio_start(2) + virtio_chain(0, 0, (VIRTIO_DATA, 64, WRITE_ONLY)) + char(b"abc") + RUN + SAVED


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


def virtio_net():
    header = bytes(12)
    frame = b"\xff" * 6 + b"\x02" + bytes(5) + b"\x08\x06" + bytes(46)
    send = ram(VIRTIO_DATA, header + frame) + virtio_chain(1, 0, (VIRTIO_DATA, 12, 0), (VIRTIO_DATA + 12, 60, 0))
    promiscuous = ram(VIRTIO_DATA + 0x400, bytes([0, 0, 1])) + virtio_chain(
        2, 0, (VIRTIO_DATA + 0x400, 3, 0), (VIRTIO_DATA + 0x480, 1, WRITE_ONLY)
    )
    yield "send", virtio_start(3) + send + SAVED
    yield "receive", virtio_start(3) + virtio_chain(0, 0, (VIRTIO_DATA, 2048, WRITE_ONLY)) + SAVED + reset()
    yield "control", virtio_start(3) + promiscuous + access_read(1, 0x2006, 2)


def virtio_input():
    buffers = virtio_chain(0, 0, (VIRTIO_DATA, 8, WRITE_ONLY))
    lamp = ram(VIRTIO_DATA + 64, le16(0x11) + le16(1) + le32(1)) + virtio_chain(1, 0, (VIRTIO_DATA + 64, 8, 0))
    select = access_write(1, 0x2000, 1, 0x11) + access_write(1, 0x2001, 1, 1) + access_read(1, 0x2008, 4)
    yield "events", virtio_start(2) + select + buffers + key(30) + pointer(5, 6, 1, 1) + SAVED + lamp


def virtio_balloon():
    yield "inflate", (
        virtio_start(4) + ram(VIRTIO_DATA, le32(0x30) + le32(0x31) + le32(0x40))
        + virtio_chain(0, 0, (VIRTIO_DATA, 12, 0)) + virtio_chain(1, 0, (VIRTIO_DATA, 12, 0))
    )  # fmt: skip
    yield "report", virtio_start(4) + virtio_chain(3, 0, (0x30000, 0x2000, WRITE_ONLY))
    yield "statistics", (
        virtio_start(4) + ram(VIRTIO_DATA, le16(4) + le64(1) + le16(5) + le64(2))
        + virtio_chain(2, 0, (VIRTIO_DATA, 20, 0)) + SAVED
    )  # fmt: skip


def gpu_command(kind, body):
    return le32(kind) + bytes(20) + body


def virtio_gpu():
    size = le32(16) + le32(8)
    create = ram(VIRTIO_DATA, gpu_command(0x101, le32(1) + le32(2) + size))
    show = ram(VIRTIO_DATA + 64, gpu_command(0x103, le64(0) + size + le32(0) + le32(1)))
    answer = (VIRTIO_DATA + 256, 24, WRITE_ONLY)
    yield "show", (
        virtio_start(2) + create + virtio_chain(0, 0, (VIRTIO_DATA, 40, 0), answer)
        + show + virtio_chain(0, 1, (VIRTIO_DATA + 64, 48, 0), answer) + SAVED
    )  # fmt: skip


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


def virtio_driver():
    """Inputs of fuzz_virtio.c: device, features, operations. Devices are in the registry's order."""

    def descriptor(queue, index, page, length, flags, after, operation=0):
        return bytes([operation, queue, index, page, length, flags, after])

    def send(queue, head):
        return bytes([5, queue, head, 8, queue])

    balloon, blk, console, gpu, keyboard, mouse, net, rng, tablet = range(9)
    header = bytes([9, 0, 0, 16]) + le32(0) + le32(0) + le64(1)
    read = (
        descriptor(0, 0, 0, 16, NEXT, 1) + descriptor(0, 1, 4, 0x82, NEXT | WRITE_ONLY, 2)
        + descriptor(0, 2, 8, 1, WRITE_ONLY, 0) + send(0, 0)
    )  # fmt: skip
    yield "blk-read", bytes([blk, 0]) + header + read
    yield "blk-held", bytes([blk, 0, 10, 1, 0, 0]) + header + read + bytes([12, 10, 2, 0, 0, 8, 0])
    yield "blk-saved", bytes([blk, 1]) + header + read + bytes([11]) + read
    yield "rng-indirect", (
        bytes([rng, 0]) + descriptor(0, 0, 0, 64, WRITE_ONLY, 0, 3) + bytes([4, 0, 0, 1, 0]) + send(0, 0)
    )  # fmt: skip
    yield "console", bytes([console, 0]) + descriptor(1, 0, 0, 20, 0, 0) + send(1, 0) + bytes([10, 0, 9, 0])
    yield "console-control", (
        bytes([console, 0, 9, 0, 0, 8]) + le32(0) + le16(0) + le16(1)
        + descriptor(3, 0, 0, 8, 0, 0) + send(3, 0) + descriptor(2, 0, 4, 64, WRITE_ONLY, 0) + send(2, 0)
    )  # fmt: skip
    for name, device in (("keyboard", keyboard), ("mouse", mouse), ("tablet", tablet)):
        yield name, bytes([device, 0, 10, 1, 30, 0]) + descriptor(0, 0, 0, 8, WRITE_ONLY, 0) + send(0, 0)
    size = le32(32) + le32(32)
    create = gpu_command(0x101, le32(1) + le32(1) + size)
    attach = gpu_command(0x106, le32(1) + le32(1) + le64(0x90000) + le32(0x4000) + le32(0))
    transfer = gpu_command(0x105, le64(0) + size + le64(0) + le32(1) + le32(0))
    show = gpu_command(0x103, le64(0) + size + le32(0) + le32(1))
    flush = gpu_command(0x104, le64(0) + size + le32(1) + le32(0))

    def gpu_send(content):
        data = b"".join(
            bytes([9]) + le16(at // 16) + bytes([len(content[at : at + 48])]) + content[at : at + 48]
            for at in range(0, len(content), 48)
        )  # fmt: skip
        return (
            data + descriptor(0, 0, 0, len(content), NEXT, 1)
            + descriptor(0, 1, 4, 0x83, WRITE_ONLY, 0) + bytes([5, 0, 0, 8, 0])
        )  # fmt: skip

    picture = gpu_send(create) + gpu_send(attach) + gpu_send(transfer) + gpu_send(show) + gpu_send(flush)
    yield "gpu-picture", bytes([gpu, 0]) + picture
    yield "gpu-saved", bytes([gpu, 0]) + picture + bytes([10, 0, 0, 9, 11]) + gpu_send(transfer) + bytes([11])
    frame = bytes([9, 0, 0, 32]) + bytes(12) + b"\xff" * 6 + bytes(6) + b"\x08\x00" + bytes(6)
    yield "net-send", bytes([net, 0]) + frame + descriptor(1, 0, 0, 0x81, 0, 0) + send(1, 0) + bytes([11])
    yield "net-stuck", (
        bytes([net, 0, 10, 6, 0, 0]) + frame + descriptor(1, 0, 0, 0x81, 0, 0) + send(1, 0) + bytes([10, 14, 0, 0])
    )  # fmt: skip
    large = bytes([9, 0, 0, 32, 1, 1, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]) + bytes(20)
    yield "net-large", bytes([net, 0]) + large + descriptor(1, 0, 0, 0x90, 0, 0) + send(1, 0)
    yield "net-receive", (
        bytes([net, 0]) + descriptor(0, 0, 0, 100, WRITE_ONLY, 0) + descriptor(0, 1, 4, 0x84, WRITE_ONLY, 0)
        + send(0, 0) + send(0, 1) + bytes([10, 0, 0, 1]) + b"\xff" * 200
    )  # fmt: skip
    yield "net-control", (
        bytes([net, 0, 9, 0, 0, 16, 1, 0]) + le32(1) + b"\x02" + bytes(5) + le32(0)
        + descriptor(2, 0, 0, 16, NEXT, 1) + descriptor(2, 1, 4, 1, WRITE_ONLY, 0) + send(2, 0) + bytes([11])
    )  # fmt: skip
    yield "net-link", bytes([net, 0, 10, 7, 0, 0, 10, 15, 0, 0]) + frame
    yield "balloon", bytes([balloon, 0]) + descriptor(0, 0, 0, 64, 0, 0) + send(0, 0) + send(2, 0) + bytes([11])


SEEDS = {
    "ahci": ahci,
    "cmos-rtc": rtc,
    "debug-port": debug_port,
    "e1000e": e1000e,
    "e1000e_rings": e1000e_rings,
    "flash": flash,
    "fw-cfg": fw_cfg,
    "hpet": hpet,
    "i8042": i8042,
    "ich9-lpc": lpc,
    "ich9-smbus": smbus,
    "net": net,
    "nvme": nvme,
    "pcie-root-port": root_port,
    "q35-host": host_bridge,
    "stdvga": vga,
    "uart16550": uart,
    "virtio": virtio_driver,
    "virtio-balloon": virtio_balloon,
    "virtio-blk": virtio_blk,
    "virtio-console": virtio_console,
    "virtio-gpu": virtio_gpu,
    "virtio-keyboard": virtio_input,
    "virtio-mouse": virtio_input,
    "virtio-net": virtio_net,
    "virtio-rng": virtio_rng,
    "virtio-tablet": virtio_input,
    "vmgenid": vmgenid,
}


def main(folder):
    for name, generate in SEEDS.items():
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        for seed, content in generate():
            with open(os.path.join(folder, name, seed), "wb") as file:
                file.write(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
