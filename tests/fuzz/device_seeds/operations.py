# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of fuzz_device.c: each is read there by the do_ function of its name."""

import struct

READ, WRITE, READ1, WRITE1, WRITE2, READ4, WRITE4 = 0, 1, 2, 3, 5, 6, 7
CONFIG_READ, CONFIG_WRITE, RAM, ADVANCE, DRIVE, CHAR, INPUT = 9, 10, 11, 13, 14, 15, 16
EVENT, DISPLAY, RESET, SAVE_LOAD = 17, 18, 19, 20

le16, le32, le64 = (struct.Struct(form).pack for form in ("<H", "<I", "<Q"))


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
