#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""VHD and VHDX as their specifications have them and qemu-img does not make them: differences to a parent, a log that
was not replayed. libvhdi is a second oracle where there is FUSE."""

import os
import shutil
import struct
import subprocess
import uuid

from disk_bench import MIB, SIZE, Bench
from oriel import Failure, check, main


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def test_the_log_of_a_vhdx_is_replayed(home):
    """An image that was not closed: its table of blocks is only whole with the log, which is left as it is."""
    bench = Bench(home)
    image = bench.path("log.vhdx")
    bench.qemu("create", "-f", "vhdx", "-o", "block_size=1M", image, str(64 * MIB))
    bench.io(image, "write -P 5 3M 1M", "write -P 6 40M 64k", form="vhdx")
    bench.qemu("convert", "-f", "vhdx", "-O", "raw", image, "expected.raw")
    with open(image, "rb") as file:
        data = bytearray(file.read())
    headers = sorted((struct.unpack_from("<Q", data, at + 8)[0], at) for at in (64 << 10, 128 << 10))
    newest, at = headers[-1]
    length, log = struct.unpack_from("<IQ", data, at + 68)
    entries = [e for e in range(log, log + length, 4096) if data[e:e + 4] == b"loge"]
    entry = max(entries, key=lambda e: struct.unpack_from("<Q", data, e + 16)[0])
    target = struct.unpack_from("<Q", data, entry + 64 + 16)[0]
    data[target:target + 4096] = bytes(4096)
    data[at + 8:at + 16] = struct.pack("<Q", newest + 1)
    data[at + 48:at + 64] = data[entry + 32:entry + 48]
    data[at + 4:at + 8] = bytes(4)
    data[at + 4:at + 8] = struct.pack("<I", crc32c(data[at:at + 4096]))
    dirty = home.file("disks/dirty.vhdx", bytes(data))
    bench.same(dirty, expected=bench.path("expected.raw"))
    with open(dirty, "rb") as file:
        check(file.read() == data, "the image was changed")
    shutil.copy(dirty, bench.path("oracle.vhdx"))
    bench.qemu("check", "-f", "vhdx", "-r", "all", "oracle.vhdx")
    bench.qemu("compare", "-f", "raw", "-F", "vhdx", "expected.raw", "oracle.vhdx")
    data[entry + 100] ^= 1  # a log that cannot be trusted is not used
    home.fails(10, "disk", "convert", home.file("disks/broken.vhdx", bytes(data)), bench.path("x.raw"), words=["log"])
    data[entry + 100] ^= 1
    home.fails(10, "disk", "convert", home.file("disks/short.vhdx", bytes(data[:3 * MIB])), bench.path("x.raw"),
               words=["short.vhdx"])
    # An entry of a thousand times a GiB of zeroes is neither kept in memory nor gone through.
    sectors, sequence = 8, 1 << 40
    count = (sectors * 4096 - 64) // 32
    hostile = bytearray(b"loge" + struct.pack("<IIIQII", 0, sectors * 4096, 0, sequence, count, 0)
                        + data[entry + 32:entry + 48] + struct.pack("<QQ", 0, len(data)))
    for _ in range(count):
        hostile += struct.pack("<4sIQQQ", b"zero", 0, 1 << 30, 1 << 40, sequence)
    hostile = hostile.ljust(sectors * 4096, b"\0")
    hostile[4:8] = struct.pack("<I", crc32c(hostile))
    data[log:log + len(hostile)] = hostile
    home.fails(10, "disk", "info", home.file("disks/zeroes.vhdx", bytes(data)), words=["zeroes.vhdx", "more than a log"])


def vhd_checksum(data, field):
    data[field:field + 4] = bytes(4)
    data[field:field + 4] = struct.pack(">I", ~sum(data) & 0xffffffff)
    return data


def differencing_vhd(home, is_there, libvhdi):
    """Built by hand after the specification: sectors of two blocks lie over the parent."""
    bench = Bench(home)
    size = SIZE // (2 * MIB) * 2 * MIB
    with open(bench.base, "r+b") as file:
        file.truncate(size)
    parent = bench.make("parent.vhd", "vpc", "-o", "force_size=on")
    with open(parent, "rb") as file:
        footer = bytearray(file.read(512))
    with open(bench.base, "rb") as file:
        expected = bytearray(file.read())
    header = bytearray(1024)
    header[0:8], header[8:16] = b"cxsparse", b"\xff" * 8
    header[16:36] = struct.pack(">QIII", 1536, 0x10000, size // (2 * MIB), 2 * MIB)
    header[40:56] = footer[68:84]
    name = "C:\\images\\parent.vhd".encode("utf-16-be")
    header[64:64 + len(name)] = name
    footer[60:64], footer[68:84] = struct.pack(">I", 4), bytes(range(16))
    bat = [0xffffffff] * (size // (2 * MIB))
    body = b""
    for block, sectors in ((1, [n for n in range(4096) if is_there(n)]), (9, range(104, 144))):
        bitmap, content = bytearray(512), bytearray(2 * MIB)
        for sector in sectors:
            bitmap[sector // 8] |= 0x80 >> sector % 8
            content[sector * 512:sector * 512 + 512] = bytes([block + sector % 7]) * 512
            at = block * 2 * MIB + sector * 512
            expected[at:at + 512] = bytes([block + sector % 7]) * 512
        bat[block] = 4 + len(body) // 512
        body += bytes(bitmap) + bytes(content)
    footer, header = vhd_checksum(footer, 64), vhd_checksum(header, 36)
    table = struct.pack(f">{len(bat)}I", *bat).ljust(512, b"\xff")
    child = home.file("disks/child.vhd", bytes(footer + header) + table + body + bytes(footer))
    bench.same(child, "--chain", expected=home.file("disks/expected", bytes(expected)))
    theirs = by_libvhdi(home, child, size) if libvhdi else None
    if theirs is not None:
        check(theirs == expected, "libvhdi reads something else")
    home.fails(10, "disk", "convert", child, bench.path("x.raw"), words=["parent.vhd"])
    with open(parent, "rb") as file:
        whole = bytearray(file.read())
    for at in (0, len(whole) - 512):
        whole[at + 68:at + 84] = bytes(16)
        whole[at:at + 512] = vhd_checksum(whole[at:at + 512], 64)
    home.file("disks/parent.vhd", bytes(whole))
    home.fails(10, "disk", "convert", child, bench.path("x.raw"), "--chain", words=["does not belong"])


def guid(text):
    return uuid.UUID(text).bytes_le


def vhdx_item(data, wanted):
    """Where a metadata item lies, or (None) its table, and the place of the table of blocks."""
    regions = {bytes(data[at:at + 16]): struct.unpack_from("<Q", data, at + 16)[0]
               for at in (192 * 1024 + 16, 192 * 1024 + 48)}
    metadata = regions[guid("8b7ca206-4790-4b9a-b8fe-575f050f886e")]
    if wanted is None:
        return metadata, regions[guid("2dc27766-f623-4200-9d64-115e9bfd4a08")]
    for i in range(struct.unpack_from("<H", data, metadata + 10)[0]):
        entry = metadata + 32 + i * 32
        if data[entry:entry + 16] == guid(wanted):
            return metadata + struct.unpack_from("<I", data, entry + 16)[0]
    raise Failure(f"no {wanted}")


def vhdx_locator(linkage, name):
    """Parent locator, [MS-VHDX] 2.6.2.6."""
    pairs = [("parent_linkage", linkage), ("relative_path", ".\\" + name),
             ("absolute_win32_path", "C:\\images\\" + name)]
    texts = [text.encode("utf-16-le") for pair in pairs for text in pair]
    at, entries = 20 + 12 * len(pairs), b""
    for key, value in zip(texts[0::2], texts[1::2]):
        entries += struct.pack("<IIHH", at, at + len(key), len(key), len(value))
        at += len(key) + len(value)
    return guid("b04aefb7-d19e-4a81-b789-25b8e9445913") + struct.pack("<HH", 0, len(pairs)) + entries + b"".join(texts)


def by_libvhdi(home, image, size):
    """The disk as libvhdi reads it, or None where there is no FUSE."""
    point = home.path + "/mount"
    os.makedirs(point, exist_ok=True)
    if not shutil.which("vhdimount") or not os.access("/dev/fuse", os.W_OK):
        return None
    result = subprocess.run(["vhdimount", image, point], capture_output=True, text=True, check=False)
    if result.returncode:
        return None
    try:
        name = sorted(os.listdir(point))[-1]
        with open(os.path.join(point, name), "rb") as file:
            return file.read(size)
    finally:
        subprocess.run(["umount", "-l", point], check=False)


def differencing_vhdx(home, is_there, libvhdi):
    """Sectors of one block, a whole block and a block of zeroes lie over the parent."""
    bench = Bench(home)
    size = SIZE // MIB * MIB
    os.truncate(bench.base, size)
    parent = bench.make("parent.vhdx", "vhdx", "-o", "block_size=1M")
    child = bench.path("child.vhdx")
    bench.qemu("create", "-f", "vhdx", "-o", "block_size=1M,block_state_zero=off", child, str(size))
    with open(parent, "rb") as file:
        start = file.read(192 << 10)
    newest = max((start[at:at + 4096] for at in (64 << 10, 128 << 10)), key=lambda h: struct.unpack_from("<Q", h, 8)[0])
    with open(child, "rb") as file:
        data = bytearray(file.read())
    with open(bench.base, "rb") as file:
        expected = bytearray(file.read())
    metadata, table = vhdx_item(data, None)
    data[vhdx_item(data, "caa16737-fa36-4d43-b3b6-33f0aa44e76b") + 4] |= 2
    locator = vhdx_locator("{" + str(uuid.UUID(bytes_le=newest[32:48])) + "}", "parent.vhdx")
    count = struct.unpack_from("<H", data, metadata + 10)[0]
    data[metadata + 10:metadata + 12] = struct.pack("<H", count + 1)
    entry, place = metadata + 32 + count * 32, 128 << 10
    data[entry:entry + 32] = guid("a8d35f2d-b30b-454d-abf7-d3d84834ab0c") + struct.pack("<IIII", place, len(locator), 4, 0)
    data[metadata + place:metadata + place + len(locator)] = locator
    data += bytes(-len(data) % MIB)
    bitmap = bytearray(MIB)
    for number, state, sectors in ((2, 7, [n for n in range(2048) if is_there(n)]), (30, 6, range(0, 2048)), (33, 2, ())):
        block = bytearray(MIB)
        if state == 2:
            expected[number * MIB:(number + 1) * MIB] = block
        for sector in sectors:
            content = bytes([number + sector % 5]) * 512
            block[sector * 512:sector * 512 + 512] = content
            expected[number * MIB + sector * 512:number * MIB + sector * 512 + 512] = content
            at = number * 2048 + sector
            bitmap[at // 8] |= 1 << at % 8
        data[table + number * 8:table + number * 8 + 8] = struct.pack("<Q", (len(data) if sectors else 0) | state)
        data += block if sectors else b""
    data[table + 4096 * 8:table + 4096 * 8 + 8] = struct.pack("<Q", len(data) | 6)
    data += bitmap
    home.file("disks/child.vhdx", bytes(data))
    bench.same(child, "--chain", expected=home.file("disks/expected", bytes(expected)))
    theirs = by_libvhdi(home, child, size) if libvhdi else None
    if theirs is not None:
        check(theirs == expected, "libvhdi reads something else")
    home.fails(10, "disk", "convert", child, bench.path("x.raw"), words=["parent.vhdx"])
    linkage = "parent_linkage".encode("utf-16-le")
    digit = data.index(linkage) + len(linkage) + 2  # behind the brace
    data[digit] = ord("0") if data[digit] != ord("0") else ord("1")
    home.file("disks/child.vhdx", bytes(data))
    home.fails(10, "disk", "convert", child, bench.path("x.raw"), "--chain", words=["does not belong"])


# libvhdi looks at the bitmaps by bytes, which are eight sectors.
def test_differencing_vhd(home):
    differencing_vhd(home, lambda n: n // 8 % 3, True)


def test_differencing_vhd_of_single_sectors(home):
    differencing_vhd(home, lambda n: n % 3 == 0, False)


def test_differencing_vhdx(home):
    differencing_vhdx(home, lambda n: n // 8 % 3, True)


def test_differencing_vhdx_of_single_sectors(home):
    differencing_vhdx(home, lambda n: n % 3 == 2, False)


main(test_the_log_of_a_vhdx_is_replayed, test_differencing_vhd, test_differencing_vhd_of_single_sectors,
     test_differencing_vhdx, test_differencing_vhdx_of_single_sectors)
