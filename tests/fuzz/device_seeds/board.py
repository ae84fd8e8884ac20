# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers of the chipset, of the old devices and of the display adapter do."""

import struct

from device_seeds.operations import (
    LONG, RUN, SAVED, SHORT, access_read, access_write, char, config_read, config_write, display, event, in32, in8,
    key, out16, out32, out8, pointer, ram, reset,
)


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
