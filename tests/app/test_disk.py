#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk with qemu-img as the oracle: every format and option it makes is read bit by bit, everything we
write it accepts. Also vmdkinfo and vhdiinfo where they are installed."""

import fcntl
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time
import uuid

from oriel import ORIELCTL, Failure, Skip, check, main

MIB = 1 << 20
SIZE = 65 * MIB + 512


def base_bytes():
    """Random, text, zeroes of more than a MiB, data in the first and the last sector; an odd size."""
    generator = random.Random(20)
    disk = bytearray(SIZE)
    disk[0:512] = generator.randbytes(512)
    for at, length in ((MIB, 3 * MIB), (9 * MIB + 4096, 100000), (32 * MIB - 777, 2000), (40 * MIB, MIB)):
        disk[at:at + length] = generator.randbytes(length)
    text = b"All work and no play makes Jack a dull boy.\n" * 40000
    disk[20 * MIB:20 * MIB + len(text)] = text
    disk[-512:] = generator.randbytes(512)
    return bytes(disk)


class Bench:
    """Files in one folder, qemu-img, and comparison with the base image."""

    def __init__(self, home):
        if not shutil.which("qemu-img"):
            raise Skip("qemu-img is not installed")
        self.home = home
        self.folder = home.path + "/disks"
        os.mkdir(self.folder)
        self.base = self.path("base.raw")
        with open(self.base, "wb") as file:
            file.write(base_bytes())

    def path(self, name):
        return os.path.join(self.folder, name)

    def qemu(self, *arguments, code=0):
        result = subprocess.run(["qemu-img", *arguments], capture_output=True, text=True, cwd=self.folder, check=False)
        check(result.returncode == code, f"qemu-img {arguments}: {result.returncode} {result.stdout} {result.stderr}")
        return result.stdout

    def io(self, path, *commands, form="qcow2"):
        arguments = ["qemu-io", "-f", form]
        for command in commands:
            arguments += ["-c", command]
        result = subprocess.run(arguments + [path], capture_output=True, text=True, check=False)
        check(result.returncode == 0 and "failed" not in result.stdout, f"{arguments}: {result.stdout}{result.stderr}")

    def make(self, name, form, *options):
        target = self.path(name)
        self.qemu("convert", "-f", "raw", "-O", form, *options, self.base, target)
        return target

    def to_raw(self, image, *options):
        """The disk as we read it."""
        target = self.path("ours.raw")
        if os.path.exists(target):
            os.unlink(target)
        self.home.ok("disk", "convert", image, target, *options)
        return target

    def same(self, image, *options, expected=None, what=""):
        with open(self.to_raw(image, *options), "rb") as a, open(expected or self.base, "rb") as b:
            ours, theirs = a.read(), b.read()
        check(len(ours) >= len(theirs) and not any(ours[len(theirs):]), f"{what or image}: {len(ours)} bytes")
        check(ours[:len(theirs)] == theirs, f"{what or image} is read wrongly")

    def checked(self, image, form="qcow2"):
        out = json.loads(self.qemu("check", "-f", form, "--output=json", image))
        check(not out.get("corruptions") and not out.get("leaks") and not out.get("check-errors"), repr(out))

    def accepted(self, image, form, expected=None):
        """qemu-img finds nothing wrong and the same content."""
        if form in ("qcow2", "vmdk", "vhdx"):
            self.checked(image, form)
        self.qemu("compare", "-f", "raw", "-F", {"vhd": "vpc"}.get(form, form), expected or self.base, image)


def test_qcow2_of_every_shape_is_read(home):
    bench = Bench(home)
    shapes = [("compat=0.10",), ("compat=1.1",)]
    shapes += [(f"compat=1.1,cluster_size={size}",) for size in (512, 4096, 65536, 262144, 2 * MIB)]
    shapes += [(f"refcount_bits={bits}",) for bits in (1, 2, 4, 8, 32, 64)]
    shapes += [("cluster_size=512,refcount_bits=64",), ("lazy_refcounts=on",), ("preallocation=metadata",)]
    shapes += [("compression_type=zlib", "-c"), ("compression_type=zstd", "-c"), ("compat=0.10", "-c"),
               ("cluster_size=512", "-c"), ("cluster_size=2M,compression_type=zstd", "-c"),
               ("extended_l2=on,cluster_size=128k",), ("extended_l2=on,cluster_size=128k", "-c")]
    for shape in shapes:
        image = bench.make("theirs.qcow2", "qcow2", "-o", shape[0], *shape[1:])
        bench.same(image, what=repr(shape))
        if "preallocation" not in shape[0]:
            out = home.json("disk", "check", image)
            check(out["clean"] and not out["flags"], f"{shape}: {out}")
        os.unlink(image)


def test_subclusters_are_read(home):
    bench = Bench(home)
    image = bench.path("sub.qcow2")
    bench.qemu("create", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=128k", "-b", "base.raw", "-F", "raw", image)
    bench.io(image, "write -P 7 4k 4k", "write -P 8 1M 20k", "write -z 1100k 8k", "write -z 3M 12k", "discard 4M 128k",
             "write -P 9 40M 512")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
    bench.same(image, "--chain", expected=bench.path("expected.raw"))


def test_overlays_are_read(home):
    bench = Bench(home)
    previous, form = "base.raw", "raw"
    for n in range(4):
        name = f"over{n}.qcow2"
        bench.qemu("create", "-f", "qcow2", "-b", previous, "-F", form, name)
        bench.io(bench.path(name), f"write -P {n + 1} {n}M 700k", f"write -z {20 + n}M 100k", f"discard {40 + n}M 128k",
                 f"write -P {n + 9} {n + 2}k 3k")
        previous, form = name, "qcow2"
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", previous, "expected.raw")
    bench.same(bench.path(previous), "--chain", expected=bench.path("expected.raw"))
    home.fails(10, "disk", "convert", bench.path(previous), bench.path("x.raw"), words=["difference", "over2.qcow2"])
    larger = bench.path("larger.qcow2")
    bench.qemu("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", larger, "100M")
    bench.io(larger, "write -P 5 90M 1M")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", larger, "expected.raw")
    bench.same(larger, "--chain", expected=bench.path("expected.raw"))


def test_snapshots_inside_are_read(home):
    bench = Bench(home)
    image = bench.make("snap.qcow2", "qcow2")
    bench.qemu("snapshot", "-c", "first", image)
    bench.io(image, "write -P 1 0 5M", "write -z 20M 1M")
    bench.qemu("snapshot", "-c", "second", image)
    bench.io(image, "write -P 2 2M 5M", "discard 20M 2M")
    info = home.json("disk", "info", image)
    check([s["name"] for s in info["snapshots"]] == ["first", "second"], repr(info))
    bench.same(image, "--snapshot", "first")
    bench.qemu("convert", "-f", "qcow2", "-l", "snapshot.name=second", "-O", "raw", image, "second.raw")
    bench.same(image, "--snapshot", "second", expected=bench.path("second.raw"))
    home.fails(11, "disk", "convert", image, bench.path("x.raw"), "--snapshot", "third", words=["third"])
    check(home.json("disk", "check", image)["clean"], "check")
    home.fails(10, "disk", "compact", image, words=["snapshots"])
    home.fails(10, "disk", "resize", image, "10M", "--shrink", words=["snapshots"])


def test_snapshots_inside_are_deleted(home):
    bench = Bench(home)
    for option in ("cluster_size=64k", "cluster_size=512", "compat=0.10"):
        image = bench.make("snap.qcow2", "qcow2", "-o", option)
        bench.qemu("snapshot", "-c", "first", image)
        bench.io(image, "write -P 1 0 5M", "discard 20M 1M")
        bench.qemu("snapshot", "-c", "second", image)
        bench.io(image, "write -P 2 2M 5M", "discard 20M 2M")
        bench.qemu("snapshot", "-c", "third", image)
        bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
        home.ok("disk", "delete-snapshot", image, "second")
        bench.checked(image)
        bench.same(image, expected=bench.path("expected.raw"))
        bench.same(image, "--snapshot", "first")
        bench.same(image, "--snapshot", "third", expected=bench.path("expected.raw"))
        home.fails(11, "disk", "delete-snapshot", image, "second", words=["second"])
        for name in ("third", "first"):
            home.ok("disk", "delete-snapshot", image, name)
            bench.checked(image)
        check(home.json("disk", "info", image)["snapshots"] == [], "list")
        check(home.json("disk", "check", image)["flags"] == 0, "flags")
        bench.same(image, expected=bench.path("expected.raw"))
        home.ok("disk", "compact", image)
        bench.same(image, expected=bench.path("expected.raw"))
        os.unlink(image)
    home.fails(10, "disk", "delete-snapshot", bench.base, "x", words=["no snapshots"])


def test_bitmaps_stay(home):
    bench = Bench(home)
    image = bench.make("bitmap.qcow2", "qcow2")
    bench.qemu("bitmap", "--add", image, "one")
    bench.io(image, "write -P 3 1M 1M")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
    bench.same(image, expected=bench.path("expected.raw"))
    check(home.json("disk", "check", image)["clean"], "check")
    home.ok("disk", "resize", image, "+10M")
    out = json.loads(bench.qemu("check", "-f", "qcow2", "--output=json", image, code=3))
    check(not out.get("corruptions"), repr(out))  # its bitmap is out of date now, and counts as unused
    bench.qemu("compare", "-f", "raw", "-F", "qcow2", "expected.raw", image)


def test_other_formats_are_read(home):
    bench = Bench(home)
    shapes = [("vmdk", f"subformat={s}") for s in ("monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse",
                                                   "twoGbMaxExtentFlat", "streamOptimized")]
    shapes += [("vmdk", "subformat=monolithicSparse,zeroed_grain=on"), ("vmdk", "adapter_type=lsilogic"),
               ("vdi", "static=off"), ("vdi", "static=on"),
               ("vpc", "subformat=dynamic"), ("vpc", "subformat=fixed"), ("vpc", "subformat=dynamic,force_size=on"),
               ("vpc", "subformat=fixed,force_size=on"),
               ("vhdx", "subformat=dynamic"), ("vhdx", "subformat=fixed")]
    shapes += [("vhdx", f"block_size={n}") for n in (1 * MIB, 2 * MIB, 32 * MIB, 256 * MIB)]
    for form, option in shapes:
        folder = bench.path("one")
        os.mkdir(folder)
        image = bench.make("one/disk." + form, form, "-o", option)
        bench.same(image, what=f"{form} {option}")
        if form != "vmdk":
            bench.same(image, "--from", form, what=f"{form} {option}")
        check(home.json("disk", "check", image)["clean"], f"{form} {option}")
        shutil.rmtree(folder)


def test_what_we_write_is_accepted(home):
    bench = Bench(home)
    shapes = [("qcow2",), ("qcow2", "--compress"), ("qcow2", "--zstd"), ("qcow2", "--cluster-size", "512"),
              ("qcow2", "--cluster-size", "512", "--compress"), ("qcow2", "--cluster-size", "2M"),
              ("qcow2", "--cluster-size", "2M", "--zstd"), ("raw",), ("vmdk",), ("vhd",), ("vhd", "--fixed"), ("vhdx",),
              ("vhdx", "--fixed")]
    for form, *options in shapes:
        target = bench.path("new." + form)
        home.ok("disk", "convert", bench.base, target, *options)
        bench.accepted(target, form)
        bench.same(target, what=f"{form} {options}")
        if form != "vhdx" or not options:
            used = os.stat(target).st_blocks * 512
            check(used < 9 * MIB or "--cluster-size" in options, f"{form} {options} is not sparse: {used}")
        os.unlink(target)


def test_between_all_formats(home):
    bench = Bench(home)
    sources = {form: bench.make("source." + form, {"vhd": "vpc"}.get(form, form))
               for form in ("qcow2", "vmdk", "vdi", "vhd", "vhdx")}
    sources["vhd"] = bench.make("source.vhd", "vpc", "-o", "force_size=on")
    for source, path in sources.items():
        for form in ("qcow2", "raw", "vmdk", "vhd", "vhdx"):
            target = bench.path("target." + form)
            home.ok("disk", "convert", path, target)
            bench.accepted(target, form)
            os.unlink(target)


def test_stream_vmdk_ends_with_its_marker(home):
    bench = Bench(home)
    target = bench.path("disk.vmdk")
    home.ok("disk", "convert", bench.base, target)
    with open(target, "rb") as file:
        data = file.read()
    check(len(data) % 512 == 0 and not any(data[-512:]), "the last sector is no end-of-stream marker")
    at, last, grains, kinds = 128, -1, 0, []
    while True:
        value, size, kind = struct.unpack_from("<QII", data, at * 512)
        if size:
            check(value > last, "grains are not in order")
            last, grains = value, grains + 1
            at += (size + 12 + 511) // 512
            continue
        kinds.append(kind)
        at += 1
        if kind == 0:
            break
        at += value
    check(at * 512 == len(data), "something follows the end-of-stream marker")
    check(grains > 50 and kinds[-3:] == [2, 3, 0] and set(kinds[:-3]) == {1}, repr(kinds))
    if shutil.which("vmdkinfo"):
        out = subprocess.run(["vmdkinfo", target], capture_output=True, text=True, check=True).stdout
        check("Stream optimized" in out, out)
    # An end that is lost, as in a download that broke off behind the data, is made up for.
    cut = bench.path("cut.vmdk")
    with open(cut, "wb") as file:
        file.write(data[:-1024])
    bench.same(cut)


def test_other_readers_accept_vhd_and_vhdx(home):
    bench = Bench(home)
    if not shutil.which("vhdiinfo"):
        raise Skip("vhdiinfo is not installed")
    for name, options in (("a.vhd", []), ("b.vhd", ["--fixed"]), ("c.vhdx", [])):
        home.ok("disk", "convert", bench.base, bench.path(name), *options)
        result = subprocess.run(["vhdiinfo", bench.path(name)], capture_output=True, text=True, check=False)
        check(result.returncode == 0 and str(SIZE) in result.stdout.replace(",", ""), result.stdout + result.stderr)


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


def test_vdi_as_virtualbox_writes_it(home):
    """A header of 0x190 bytes, and a difference to another image, which is named by its UUID."""
    bench = Bench(home)
    block, blocks = MIB, 8
    parent_uuid = bytes(range(16))
    names = "{03020100-0504-0706-0809-0a0b0c0d0e0f}.vdi"

    def vdi(kind, uuid, linkage, contents):
        header = bytearray(2 * MIB)
        header[0:40] = b"<<< Oracle VM VirtualBox Disk Image >>>\n"
        struct.pack_into("<IIIII", header, 0x40, 0xbeda107f, 0x10001, 0x190, kind, 0)
        struct.pack_into("<II", header, 0x154, MIB, 2 * MIB)
        struct.pack_into("<Q", header, 0x170, blocks * block)
        struct.pack_into("<IIII", header, 0x178, block, 0, blocks, len([c for c in contents if c]))
        header[0x188:0x198], header[0x1a8:0x1b8] = uuid, linkage
        data, used = b"", 0
        for i, content in enumerate(contents):
            number = 0xffffffff if content is None else 0xfffffffe
            if content:
                number, used = used, used + 1
                data += bytes([content]) * block
            struct.pack_into("<I", header, MIB + 4 * i, number)
        return bytes(header) + data

    home.file("disks/" + names, vdi(1, parent_uuid, bytes(16), [1, 2, None, 0, 3, 4, 5, None]))
    child = home.file("disks/child.vdi", vdi(4, bytes(16), parent_uuid, [None, 9, 8, None, 0, None, None, 7]))
    expected = b"".join(bytes([n]) * block for n in (1, 9, 8, 0, 0, 4, 5, 7))
    bench.same(child, "--chain", expected=home.file("disks/expected", expected))
    home.fails(10, "disk", "convert", child, bench.path("x.raw"), words=[names])


def test_vmdk_snapshots(home):
    bench = Bench(home)
    base = bench.make("base.vmdk", "vmdk")
    bench.qemu("create", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "delta.vmdk")
    bench.io(bench.path("delta.vmdk"), "write -P 3 1M 700k", "write -P 4 64M 64k", form="vmdk")
    bench.qemu("convert", "-f", "vmdk", "-O", "raw", "delta.vmdk", "expected.raw")
    bench.same(bench.path("delta.vmdk"), "--chain", expected=bench.path("expected.raw"))
    bench.io(base, "write -P 9 5M 64k", form="vmdk")
    code, _, err = home.run("disk", "convert", bench.path("delta.vmdk"), bench.path("x.raw"), "--chain")
    check(code == 10 and "does not belong" in err, f"a base that was changed since: {code} {err}")


def test_resize(home):
    bench = Bench(home)
    for form in ("qcow2", "raw"):
        image = bench.make("size." + form, form)
        home.ok("disk", "resize", image, "+100M")
        check(home.json("disk", "info", image)["disk-size"] == SIZE + 100 * MIB, "size")
        bench.qemu("resize", "-f", "raw", "base.raw", str(SIZE + 100 * MIB))
        bench.accepted(image, form)
        bench.qemu("resize", "-f", "raw", "--shrink", "base.raw", str(SIZE))
        home.fails(10, "disk", "resize", image, "50M", words=["--shrink"])
        home.ok("disk", "resize", image, "41M", "--shrink")
        check(home.json("disk", "info", image)["disk-size"] == 41 * MIB, "size")
        home.ok("disk", "resize", image, str(SIZE))
        with open(bench.base, "rb") as file, open(bench.path("cut.raw"), "wb") as cut:
            cut.write(file.read(41 * MIB))
            cut.truncate(SIZE)
        bench.accepted(image, form, expected=bench.path("cut.raw"))
    small = bench.path("small.qcow2")
    bench.qemu("create", "-f", "qcow2", "-o", "cluster_size=512", small, "1M")
    bench.io(small, "write -P 7 0 1M")
    home.ok("disk", "resize", small, "1G")
    bench.io(small, "read -P 7 0 1M", "read -P 0 1M 1023M", "write -P 8 900M 4M")
    bench.checked(small)
    home.fails(10, "disk", "resize", bench.make("a.vdi", "vdi"), "1G", words=["convert it to qcow2"])


def test_compact(home):
    bench = Bench(home)
    image = bench.make("c.qcow2", "qcow2")
    bench.io(image, "write -P 0 40M 1M", "write -P 1 50M 10M", "write -P 0 50M 10M")
    before = os.stat(image).st_size
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
    check("given back" in home.ok("disk", "compact", image), "report")
    check(os.stat(image).st_size < before - 9 * MIB, "it is not smaller")
    bench.accepted(image, "qcow2", expected=bench.path("expected.raw"))
    over = bench.path("over.qcow2")
    bench.qemu("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", over)
    bench.io(over, "write -P 1 1M 2M", "write -z 20M 1M", "write -P 0 2M 64k")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", over, "expected.raw")
    home.ok("disk", "compact", over)
    bench.checked(over)
    bench.same(over, "--chain", expected=bench.path("expected.raw"))
    raw = bench.path("c.raw")
    with open(raw, "wb") as file:
        file.write(bytes(8 * MIB) + b"x" * MIB + bytes(8 * MIB))
    home.ok("disk", "compact", raw)
    check(os.stat(raw).st_blocks * 512 < 2 * MIB and os.stat(raw).st_size == 17 * MIB, "no holes")


def patch(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def be64(path, offset):
    with open(path, "rb") as file:
        file.seek(offset)
        return struct.unpack(">Q", file.read(8))[0]


def test_damage_is_found_and_mended(home):
    bench = Bench(home)

    def damaged(name, damage, lost=False, leak=False):
        image = bench.make("d.qcow2", "qcow2", "-o", "cluster_size=4096")
        damage(image)
        home.fails(13, "disk", "check", image, words=["d.qcow2"])
        out = home.json("disk", "repair", image)
        check(leak or out["corruptions"] + out["flags"] > 0 or name == "dirty", f"{name}: {out}")
        check((out["lost-clusters"] > 0) == lost, f"{name}: {out}")
        bench.checked(image)
        check(home.json("disk", "check", image)["clean"], name)
        if not lost:
            bench.accepted(image, "qcow2")
        os.unlink(image)

    l1 = lambda image: be64(image, 40)
    l2 = lambda image: be64(image, l1(image)) & 0x00fffffffffffe00
    block = lambda image: be64(image, be64(image, 48))
    damaged("dirty", lambda image: patch(image, 79, b"\x01"))
    damaged("refcounts too low", lambda image: patch(image, block(image), bytes(64)))
    damaged("all refcounts gone", lambda image: patch(image, be64(image, 48), bytes(4096)))
    damaged("refcount table outside", lambda image: patch(image, 48, struct.pack(">Q", 1 << 50)))
    damaged("refcount too high", lambda image: patch(image, block(image) + 200, b"\x00\x07"))
    damaged("leak", lambda image: patch(image, be64(image, be64(image, 48) + 8 * (os.stat(image).st_size >> 23))
                                        + 2 * ((os.stat(image).st_size >> 12) % 2048 + 3), b"\x00\x01"), leak=True)
    damaged("entry outside", lambda image: patch(image, l2(image), struct.pack(">Q", 1 << 63 | 1 << 45)), lost=True)
    damaged("entry misaligned", lambda image: patch(image, l2(image), struct.pack(">Q", 1 << 63 | 0x20200)), lost=True)
    damaged("entry on the L1 table", lambda image: patch(image, l2(image), struct.pack(">Q", 1 << 63 | l1(image))),
            lost=True)
    damaged("entry on an L2 table", lambda image: patch(image, l2(image), struct.pack(">Q", 1 << 63 | l2(image))),
            lost=True)
    damaged("L2 table outside", lambda image: patch(image, l1(image) + 8, struct.pack(">Q", 1 << 63 | 1 << 45)),
            lost=True)


def test_hostile_images_are_refused_quickly(home):
    bench = Bench(home)
    secret = home.file("secret", b"secret" * 1000)
    good = bench.make("good.qcow2", "qcow2")
    with open(good, "rb") as file:
        header = bytearray(file.read(MIB))

    def image(changes, name="bad.qcow2", data=header):
        data = bytearray(data)
        for offset, value in changes:
            data[offset:offset + len(value)] = value
        return home.file("disks/" + name, bytes(data))

    u32, u64 = (struct.Struct(form).pack for form in (">I", ">Q"))
    cases = [
        [(20, u32(8))], [(20, u32(22))], [(20, u32(0xffffffff))], [(24, u64(0))], [(24, u64(1 << 63))],
        [(24, u64(1 << 50))], [(32, u32(1))], [(32, u32(2))], [(36, u32(0xffffffff))], [(36, u32(0))],
        [(40, u64(1 << 62))], [(40, u64(65537))], [(48, u64(1 << 62))], [(56, u32(0xffffffff))], [(60, u32(0xffffff))],
        [(72, u64(4))], [(72, u64(1 << 40))], [(96, u32(7))], [(100, u32(0xfffffff8))], [(104, b"\x01")],
        [(8, u64(200)), (16, u32(5000))], [(8, u64(1 << 40)), (16, u32(10))], [(4, u32(9))],
        [(72, u64(16)), (20, u32(9)), (36, u32(1 << 20))],
    ]
    for changes in cases:
        start = time.monotonic()
        home.fails(10, "disk", "convert", image(changes), bench.path("out.raw"), words=["bad.qcow2"])
        check(time.monotonic() - start < 20 and not os.path.exists(bench.path("out.raw")), repr(changes))
    os.symlink(secret, bench.path("link.raw"))
    for name in (secret, "../secret", "json:{}", "nbd://host/x", "link.raw", "", "sub/base.raw", "/etc/hostname"):
        if not name:
            continue
        bad = bench.path("refers.qcow2")
        if os.path.exists(bad):
            os.unlink(bad)
        bench.qemu("create", "-f", "qcow2", "-u", "-b", name, "-F", "raw", bad, "1M")
        code, out, err = home.run("disk", "convert", bad, bench.path("out.raw"), "--chain")
        check(code in (10, 11) and not os.path.exists(bench.path("out.raw")), f"{name}: {code} {out} {err}")
        check(home.run("disk", "info", bad)[0] == 0, "info follows")
    for name, backing in (("loop.qcow2", "pool.qcow2"), ("pool.qcow2", "loop.qcow2")):
        bench.qemu("create", "-f", "qcow2", "-u", "-b", backing, "-F", "qcow2", name, "1M")
    home.fails(10, "disk", "convert", bench.path("loop.qcow2"), bench.path("out.raw"), "--chain", words=["itself"])
    bench.qemu("create", "-f", "qcow2", "-o", f"data_file={bench.path('data')}", bench.path("ext.qcow2"), "1M")
    home.fails(10, "disk", "convert", bench.path("ext.qcow2"), bench.path("out.raw"), words=["another file"])
    for text in (f'RW 100 FLAT "{secret}" 0', 'RW 100 FLAT "../secret" 0', 'RW 100 VMFSRAW "x"',
                 'RW 100 FLAT "link.raw" 0', f'RW {1 << 60} FLAT "base.raw" 0', 'RW 99999999 FLAT "base.raw" 0'):
        bad = home.file("disks/bad.vmdk", ("# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                                           f'createType="monolithicFlat"\n{text}\n').encode())
        home.fails(10, "disk", "convert", bad, bench.path("out.raw"), words=["bad.vmdk" if "link" not in text else "link"])
    for data, words in ((b"\xfd7zXZ\0" + bytes(1000), "xz"), (b"PK\3\4" + bytes(1000), "zip")):
        home.fails(10, "disk", "info", home.file("disks/packed", data), words=[words])
    check(not os.path.exists(bench.path("out.raw")), "something was made")


def test_raw_is_not_probed_in_machines(home):
    """A guest that writes the header of a qcow2 image to its raw disk gets nowhere."""
    bench = Bench(home)
    home.ok("create", "One", "--disk", bench.base)
    disk = home.folder("One") + "/disks/disk0.raw"
    bench.qemu("create", "-f", "qcow2", "-u", "-b", "/etc/hostname", "-F", "raw", "trap.qcow2", "1M")
    with open(bench.path("trap.qcow2"), "rb") as trap:
        patch(disk, 0, trap.read())
    home.ok("clone", "One", "Two")
    with open(disk, "rb") as a, open(home.folder("Two") + "/disks/disk0.raw", "rb") as b:
        check(a.read() == b.read(), "the copy differs")
    check(home.json("show", "Two")["drives"][0]["format"] == "raw", "format")


def test_machines_with_qcow2(home):
    bench = Bench(home)
    home.ok("create", "One", "--disk", "20G")
    disk = home.folder("One") + "/disks/disk0.qcow2"
    check(home.json("show", "One")["drives"][0]["format"] == "qcow2", "format")
    info = home.json("disk", "info", disk)
    check(info["disk-size"] == 20 << 30 and info["details"]["version"] == "3"
          and info["details"]["cluster-size"] == "65536" and info["host-size"] < MIB, repr(info))
    bench.checked(disk)
    home.ok("create", "Two", "--disk", bench.make("x.vmdk", "vmdk", "-o", "subformat=streamOptimized"))
    two = home.folder("Two") + "/disks/disk0.qcow2"
    bench.accepted(two, "qcow2")
    # An overlay in the machine's folder is copied with what it builds on.
    os.rename(two, home.folder("Two") + "/disks/base.qcow2")
    bench.qemu("create", "-f", "qcow2", "-b", home.folder("Two") + "/disks/base.qcow2", "-F", "qcow2", two)
    bench.qemu("rebase", "-u", "-b", "base.qcow2", "-F", "qcow2", "-f", "qcow2", two)
    home.ok("clone", "Two", "Three")
    bench.qemu("compare", "-f", "raw", "-F", "qcow2", bench.base, home.folder("Three") + "/disks/disk0.qcow2")


def test_disks_of_a_saved_machine_stay(home):
    home.ok("create", "One", "--disk", "8M")
    disk = home.folder("One") + "/disks/disk0.qcow2"
    os.mkdir(home.folder("One") + "/saved")
    with open(disk, "rb") as file:
        before = file.read()
    for arguments in (("resize", disk, "+1M"), ("compact", disk), ("repair", disk), ("delete-snapshot", disk, "x")):
        home.fails(18, "disk", *arguments, words=["disk0.qcow2", "saved", "--discard-saved"])
    with open(disk, "rb") as file:
        check(file.read() == before, "the disk has changed")
    home.ok("disk", "info", disk)
    os.rmdir(home.folder("One") + "/saved")
    home.ok("disk", "resize", disk, "+1M")


def test_cancelling_leaves_nothing(home):
    bench = Bench(home)
    with open(bench.path("large.raw"), "wb") as file:
        for _ in range(200):
            file.write(os.urandom(MIB))
    before = sorted(os.listdir(bench.folder))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for form in ("vmdk", "qcow2"):
            process = subprocess.Popen([ORIELCTL, "disk", "convert", bench.path("large.raw"), bench.path("t." + form)],
                                       env=home.environment, stderr=subprocess.PIPE, text=True)
            time.sleep(0.15)
            process.send_signal(number)
            process.communicate()
            if process.returncode == 0: # it was faster
                os.unlink(bench.path("t." + form))
            check(sorted(os.listdir(bench.folder)) == before, repr(os.listdir(bench.folder)))
    image = bench.path("locked.qcow2")
    home.ok("disk", "convert", bench.base, image)
    home.fails(12, "disk", "convert", bench.base, image, words=["there already"])
    with open(image, "r+b") as file:
        fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
        for action in ("info", "check", "repair", "compact"):
            home.fails(14, "disk", action, image, words=["in use"])


def test_full_disk_leaves_nothing(home):
    if os.geteuid() != 0:
        raise Skip("this needs a file system to be mounted")
    bench = Bench(home)
    place = home.path + "/place"
    os.mkdir(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", place], check=False).returncode:
        raise Skip("no file system can be mounted here")
    try:
        for name in ("t.qcow2", "t.raw", "t.vmdk", "t.vhd", "t.vhdx"):
            home.fails(17, "disk", "convert", bench.base, place + "/" + name, words=[name])
            check(os.listdir(place) == [], repr(os.listdir(place)))
    finally:
        subprocess.run(["umount", "-l", place], check=False)


main(test_qcow2_of_every_shape_is_read, test_subclusters_are_read, test_overlays_are_read,
     test_snapshots_inside_are_read, test_snapshots_inside_are_deleted, test_bitmaps_stay, test_other_formats_are_read,
     test_what_we_write_is_accepted, test_between_all_formats, test_stream_vmdk_ends_with_its_marker,
     test_other_readers_accept_vhd_and_vhdx, test_the_log_of_a_vhdx_is_replayed, test_differencing_vhd,
     test_differencing_vhd_of_single_sectors, test_differencing_vhdx, test_differencing_vhdx_of_single_sectors,
     test_vdi_as_virtualbox_writes_it, test_vmdk_snapshots, test_resize, test_compact,
     test_damage_is_found_and_mended, test_hostile_images_are_refused_quickly, test_raw_is_not_probed_in_machines,
     test_machines_with_qcow2, test_disks_of_a_saved_machine_stay, test_cancelling_leaves_nothing,
     test_full_disk_leaves_nothing)
