#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on disk images that is killed as it enters each system call that changes a file, or finds no room: the image is
whole or can be repaired, nothing lies beside it that stays, and the same work can be done again."""

import json
import os
import shutil
import subprocess

from disk_bench import MIB, Images
from oriel import Skip, check, main, small_file_system
from test_changes import killed_at

DAMAGED = 13
HIDDEN = ".oriel-unfinished-"  # goes with the next such work
CALLS = ("pwritev", "pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate", "linkat", "renameat2", "rename", "unlink")


class Killed(Images):
    """One image with known content, which is copied for each kill."""

    def __init__(self, home):
        super().__init__(home)
        for tool in ("strace", "sfdisk"):
            if not shutil.which(tool):
                raise Skip(f"{tool} is not installed")
        self.expected = self.path("expected.raw")
        self.origin = self.path("origin")
        self.image = self.path("d/image")

    def every_step(self, *arguments, after):
        """`after` looks at the image; returns how often the work was killed."""
        kills = 0
        for call in CALLS:
            n = 1
            while True:
                shutil.rmtree(self.path("d"), ignore_errors=True)
                os.mkdir(self.path("d"))
                shutil.copy(self.origin, self.image)
                killed = killed_at(self.home, call, n, "disk", arguments[0], self.image, *arguments[1:])
                names = os.listdir(self.path("d"))
                check(all(name == "image" or name.startswith(HIDDEN) for name in names), f"{call} {n}: {names}")
                after(f"{call} {n}")
                if not killed:
                    break
                self.again(arguments)
                check(os.listdir(self.path("d")) == ["image"], f"{call} {n}: {os.listdir(self.path('d'))}")
                after(f"again after {call} {n}")
                kills += 1
                n += 1
        return kills

    def again(self, arguments):
        """An image that was being changed says that it wants repair first."""
        code, out, err = self.home.run("disk", arguments[0], self.image, *arguments[1:])
        if code == DAMAGED:
            check("disk repair" in err, err)
            self.home.ok("disk", "repair", self.image)
            self.home.ok("disk", arguments[0], self.image, *arguments[1:])
        else:
            check(code == 0, f"{arguments}: {code} {out}{err}")

    def is_whole(self, what, size=None, leaks=True):
        """qemu-img finds no damage, and what is expected in it; with `size`, that much of it."""
        out = json.loads(self.qemu("check", "-f", "qcow2", "--output=json", self.image, codes=(0, 3)))
        check(not out.get("corruptions") and (leaks or not out.get("leaks")), f"{what}: {out}")
        self.qemu("convert", "-f", "qcow2", "-O", "raw", self.image, "read.raw")
        with open(self.path("read.raw"), "rb") as file, open(self.expected, "rb") as expected:
            found, content = file.read(), expected.read()
        check(len(found) in (len(content), size), f"{what}: {len(found)} bytes")
        check(found[:size] == content[:size], f"{what}: the content is another one")

    def same(self, what):
        """The content is as expected, whatever the refcounts are."""
        self.qemu("compare", "-f", "qcow2", "-F", "raw", self.image, self.expected)
        check(os.path.getsize(self.image) > 0, what)

    def refcounts_lower(self):
        """The origin's first ones are 0."""
        with open(self.origin, "r+b") as file:
            file.seek(48)
            table = int.from_bytes(file.read(8), "big")
            file.seek(table)
            block = int.from_bytes(file.read(8), "big")
            file.seek(block)
            file.write(bytes(64))

    def content(self):
        """A small image with data, zeroes, and space that nothing needs any more."""
        self.qemu("create", "-f", "qcow2", "-o", "cluster_size=4k", self.origin, "2M")
        self.io("origin", "write -P 1 0 300k", "write -P 2 1M 64k", "discard 100k 100k", "write -P 3 2044k 4k")

    def keep(self):
        self.qemu("convert", "-f", "qcow2", "-O", "raw", self.origin, self.expected)


def test_compact(home):
    killed = Killed(home)
    killed.content()
    killed.keep()
    check(killed.every_step("compact", after=killed.is_whole) >= 3, "too few kills")


def test_shrink(home):
    killed = Killed(home)
    killed.content()
    killed.keep()
    kills = killed.every_step("resize", "1200K", "--shrink", after=lambda what: killed.is_whole(what, 1200 << 10))
    check(kills >= 3, f"{kills} kills")


def test_delete_snapshot(home):
    killed = Killed(home)
    killed.content()
    killed.qemu("snapshot", "-c", "one", killed.origin)
    killed.io("origin", "write -P 4 40k 100k")
    killed.keep()

    def after(what):
        """The content is there; flags of clusters may wait for the repair that the image says it wants."""
        killed.same(what)
        if what.startswith("again"):
            killed.is_whole(what)
        snapshots = home.json("disk", "info", killed.image)["snapshots"]
        if snapshots:
            killed.qemu("convert", "-f", "qcow2", "-O", "raw", "-l", "one", killed.image, "snapshot.raw")
        else:  # what is done again has nothing to delete
            killed.qemu("snapshot", "-c", "one", killed.image)

    check(killed.every_step("delete-snapshot", "one", after=after) >= 3, "too few kills")


def test_repair(home):
    """Refcounts that are too low: at every moment they are those or right, and the content is what it was."""
    killed = Killed(home)
    killed.content()
    killed.keep()
    killed.refcounts_lower()

    def after(what):
        if what.startswith("again"):
            killed.is_whole(what, leaks=False)
        killed.same(what)

    check(killed.every_step("repair", after=after) >= 3, "too few kills")


def test_growing_a_partition(home):
    """The table has the old partition or the new one: sfdisk reads one of its two copies."""
    killed = Killed(home)
    for label in ("gpt", "dos"):
        with open(killed.origin, "wb") as file:
            file.truncate(8 * MIB)
        subprocess.run(["sfdisk", "-q", "--no-reread", killed.origin], input=f"label: {label}\n,2M\n,2M\n", text=True,
                       check=True, stdout=subprocess.DEVNULL)
        with open(killed.origin, "r+b") as file:
            file.seek(3 * MIB + 1080)
            file.write(b"\x53\xef")

        def after(what):
            text = subprocess.run(["sfdisk", "--json", killed.image], capture_output=True, text=True, check=True).stdout
            first, last = json.loads(text)["partitiontable"]["partitions"]
            sizes = (15 * MIB - 3 * MIB,) if what.startswith("again") and label == "gpt" else \
                (16 * MIB - 3 * MIB,) if what.startswith("again") else (2 * MIB, 12 * MIB, 13 * MIB)
            check(first["size"] == 4096 and last["start"] == 6144 and last["size"] * 512 in sizes, f"{what}: {text}")

        kills = killed.every_step("resize", "16M", "--from", "raw", "--grow-partition", after=after)
        check(kills >= (5 if label == "gpt" else 4), f"{label}: {kills} kills")


def test_no_room(home):
    killed = Killed(home)
    killed.content()
    killed.keep()
    place = home.path + "/place"
    killed.image = place + "/image"
    with small_file_system(place, "2m"):
        for arguments, codes in ((("compact",), (17,)), (("resize", "1T"), (17,)), (("resize", "1200K", "--shrink"), (0, 17)),
                                 (("delete-snapshot", "one"), (0, 17)), (("repair",), (0, 17))):
            if arguments[0] == "repair":
                killed.refcounts_lower()
            elif arguments[0] == "delete-snapshot":
                killed.qemu("snapshot", "-c", "one", killed.origin)
            shutil.copy(killed.origin, killed.image)
            try:
                with open(place + "/fill", "wb", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass
            except OSError:
                pass
            code, out, err = home.run("disk", arguments[0], killed.image, *arguments[1:])
            check(code in codes, f"{arguments}: {code} {out}{err}")
            check(sorted(os.listdir(place)) == ["fill", "image"], f"{os.listdir(place)}")
            os.unlink(place + "/fill")
            if arguments[0] == "repair":
                killed.same(arguments)
                home.ok("disk", "repair", killed.image)
            killed.is_whole(arguments, 1200 << 10)


if __name__ == "__main__":
    main(test_compact, test_shrink, test_delete_snapshot, test_repair, test_growing_a_partition, test_no_room)
