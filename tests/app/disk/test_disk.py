#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk: resizing, compacting, repair, hostile images, disks of machines, and work that is cancelled or out of
room."""

import fcntl
import os
import signal
import struct
import subprocess
import time

from disk_bench import MIB, SIZE, Bench
from oriel import ORIELCTL, check, main, small_file_system


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
    for form, options in (("vdi", []), ("vhdx", []), ("vmdk", ["-o", "subformat=monolithicFlat"]), ("raw", [])):
        image = bench.make("other." + form, form, *options)
        with open(image, "rb") as file:
            before = file.read()
        home.fails(10, "disk", "repair", image, words=["other." + form, f"a {form} image", "only qcow2"])
        with open(image, "rb") as file:
            check(file.read() == before, form)


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


def test_endless_tables_end(home):
    """Tables that are named again and again are neither walked nor kept in memory that often."""
    bench = Bench(home)
    image = bench.path("bitmaps.qcow2")
    bench.qemu("create", "-f", "qcow2", image, "1M")
    directory, entries, count = 1 << 20, 1 << 22, 2000
    table = directory + (1 << 16)
    patch(image, 112, struct.pack(">IIIIQQQ", 0x23852875, 24, count, 0, count * 24, directory, 0))
    patch(image, directory, struct.pack(">QIIBBHI", table, entries, 0, 1, 16, 0, 0) * count)
    os.truncate(image, table + entries * 8)
    home.fails(13, "disk", "check", image, words=["bitmaps.qcow2"])

    image = bench.path("snapshots.qcow2")
    bench.qemu("create", "-f", "qcow2", image, "2P")
    bench.io(image, "write -P 1 0 64k")
    bench.qemu("snapshot", "-c", "one", image)
    size, snapshots = os.stat(image).st_size, be64(image, 64)
    l1 = be64(image, snapshots)
    l2 = be64(image, l1) & 0x00fffffffffffe00
    data = struct.pack(">Q", be64(image, l2) & 0x00fffffffffffe00)
    patch(image, l2, data * 8192)
    patch(image, l1, struct.pack(">Q", l2) * (1 << 22))
    home.fails(10, "disk", "delete-snapshot", image, "one", words=["snapshots.qcow2", "not in use"])
    check(size <= os.stat(image).st_size, "cut off")


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
    home.fails(12, "disk", "convert", bench.base, image, words=["exists already"])
    with open(image, "r+b") as file:
        fcntl.fcntl(file, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
        for action in ("info", "check", "repair", "compact"):
            home.fails(14, "disk", action, image, words=["in use"])


def test_full_disk_leaves_nothing(home):
    bench = Bench(home)
    place = home.path + "/place"
    with small_file_system(place, "3m"):
        for name in ("t.qcow2", "t.raw", "t.vmdk", "t.vhd", "t.vhdx"):
            home.fails(17, "disk", "convert", bench.base, place + "/" + name, words=[name])
            check(os.listdir(place) == [], repr(os.listdir(place)))


main(test_resize, test_compact, test_damage_is_found_and_mended, test_hostile_images_are_refused_quickly,
     test_endless_tables_end, test_raw_is_not_probed_in_machines, test_machines_with_qcow2, test_disks_of_a_saved_machine_stay,
     test_cancelling_leaves_nothing, test_full_disk_leaves_nothing)
