#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk convert between all formats: what qemu-img makes is read bit by bit, everything we write it accepts.
Also vmdkinfo and vhdiinfo where they are installed."""

import os
import shutil
import struct
import subprocess

from disk_bench import MIB, SIZE, Bench
from oriel import Skip, check, main


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


def sparse_vmdk(path, capacity, directory, extra, flags=1, compressed=0):
    """A file of grains of 64 KiB, whose directory is at sector `directory`; `extra` names more of its sectors."""
    sectors = capacity // 512
    text = f'# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicSparse"\n' \
           f'RW {sectors} SPARSE "x"\n'
    with open(path, "wb") as file:
        file.write(struct.pack("<4sIIQQQQIQQQB4sH", b"KDMV", 1, flags, sectors, 128, 1, 20, 512, 0, directory, 128, 0,
                               b"\n \r\n", compressed))
        file.seek(512)
        file.write(text.encode())
        for sector, data in extra.items():
            file.seek(sector * 512)
            file.write(data)
        file.truncate(max(file.tell(), 128 * 512))
    return path


def test_nearly_empty_vmdk(home):
    """What has no tables is not looked at grain by grain: 256 TiB, with data in the last grain."""
    bench = Bench(home)
    capacity, entries = 1 << 48, 1 << 23
    table = 128 + entries * 4 // 512
    image = sparse_vmdk(bench.path("empty.vmdk"), capacity, 128,
                        {table - 1: bytes(508) + struct.pack("<I", table),
                         table: bytes(2044) + struct.pack("<I", table + 4), table + 4: b"end!" * 16384})
    home.ok("disk", "convert", image, bench.path("empty.qcow2"))
    bench.io(bench.path("empty.qcow2"), f"read -P 0 {capacity - 131072} 64k", f"read -P 0x65 {capacity - 65536} 1",
             f"read -P 0x21 {capacity - 1} 1")
    check(home.json("disk", "info", bench.path("empty.qcow2"))["host-size"] < 8 * MIB, "not sparse")


def test_too_many_marks(home):
    """A stream without its end, whose grains lie so far apart that their tables would fill the memory."""
    bench = Bench(home)
    marks = b"".join(struct.pack("<QI", n * 65536, 1).ljust(512, b"\0") for n in range(65537))
    for n, code in ((65536, 0), (65537, 10)):
        image = sparse_vmdk(bench.path("marks.vmdk"), 1 << 46, (1 << 64) - 1, {128: marks[:n * 512]}, 0x30001, 1)
        result = home.run("disk", "info", image)
        check(result[0] == code and (code == 0 or "grains" in result[2]), f"{n}: {result}")


main(test_other_formats_are_read, test_what_we_write_is_accepted, test_between_all_formats,
     test_stream_vmdk_ends_with_its_marker, test_other_readers_accept_vhd_and_vhdx, test_vdi_as_virtualbox_writes_it,
     test_vmdk_snapshots, test_nearly_empty_vmdk, test_too_many_marks)
