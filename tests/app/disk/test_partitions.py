#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk resize --grow-partition and grow --grow-partition: tables of sfdisk, which also reads the result."""

import json
import os
import shutil
import subprocess

from disk_bench import MIB, Images
from oriel import Skip, check, main

MARKS = {"ext": (1080, b"\x53\xef"), "xfs": (0, b"XFSB"), "btrfs": (65600, b"_BHRfS_M"), "ntfs": (3, b"NTFS    "),
         "ufs": (66908, b"\x19\x01\x54\x19"), "lvm": (536, b"LVM2 001"), "luks": (0, b"LUKS\xba\xbe"),
         "fat": (82, b"FAT32   "), "swap": (4086, b"SWAPSPACE2"), "raid": (4096, b"\xfc\x4e\x2b\xa9")}
WORDS = {"ext": "resize2fs", "xfs": "xfs_growfs", "btrfs": "btrfs filesystem resize", "ntfs": "diskpart", "ufs": "growfs",
         "lvm": "pvresize", "luks": "cryptsetup resize", "fat": "FAT do not grow", "swap": "swap space", "raid": "RAID"}


def run(*arguments, text=None):
    result = subprocess.run(arguments, input=text, text=True, capture_output=True, check=False)
    check(result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}")
    return result.stdout


class Disks(Images):
    """Raw disks with partitions."""

    def __init__(self, home):
        super().__init__(home)
        for tool in ("sfdisk", "sgdisk"):
            if not shutil.which(tool):
                raise Skip(f"{tool} is not installed")

    def make(self, script, size=32 * MIB):
        path = self.path("disk.raw")
        with open(path, "wb") as file:
            file.truncate(size)
        run("sfdisk", "-q", "--no-reread", path, text=script)
        return path

    def write(self, path, offset, data):
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def table(self, path):
        return json.loads(run("sfdisk", "--json", path))["partitiontable"]

    def to_raw(self, path):
        """The disk as qemu-img reads it."""
        target = self.path("read.raw")
        self.qemu("convert", "-O", "raw", path, target)
        return target

    def grown_check(self, path, before, size, number):
        """Only the last partition is another one, and only its size; it ends at a MiB, the last that there can be."""
        after = self.table(path)
        check("No errors detected" in run("sfdisk", "--verify", path), "sfdisk --verify")
        last = after["partitions"][number - 1]
        end = (last["start"] + last["size"]) * 512
        room = size - (34 * 512 if before["label"] == "gpt" else 0)
        check(end == room // MIB * MIB, f"it ends at {end} of {size}")
        if before["label"] == "gpt":
            check("No problems found" in run("sgdisk", "--verify", path), "sgdisk --verify")
            before["lastlba"] = size // 512 - 34
        before["partitions"][number - 1]["size"] = last["size"]
        for table in (before, after):
            for partition in table["partitions"]:
                partition.pop("node")
            table.pop("device")
        for old, new in zip(before["partitions"], after["partitions"]):
            if old["type"] == "5":  # it grows with what is in it
                check(new["start"] + new["size"] == last["start"] + last["size"], f"{new}")
                old["size"] = new["size"]
        check(before == after, f"{before}\n{after}")


def test_tables(home):
    disks = Disks(home)
    cases = [("label: gpt\n,4M,U\nsize=8M,type=L,name=\"root of all\",uuid=11111111-2222-3333-4444-555555555555,attrs=\"RequiredPartition\"\n",
              2), ("label: gpt\n2:start=2048,size=4M\n1:start=16384,size=4M\n", 1),
             ("label: dos\n,4M\n,8M,L,*\n", 2), ("label: dos\n,4M\n,20M,5\n5:size=4M\n6:size=4M\n", 4)]
    for script, index in cases:
        for form in ("raw", "qcow2"):
            raw = disks.make(script)
            before = disks.table(raw)
            last = before["partitions"][index - 1]
            disks.write(raw, last["start"] * 512 + 1080, b"\x53\xef")
            path = disks.path("disk." + form)
            if form == "qcow2":
                disks.qemu("convert", "-O", form, raw, path)
            told = home.json("disk", "resize", path, "64M", "--grow-partition")
            number = int(last["node"].removeprefix(raw))
            check(told["partition-grown"] and told["partition"] == number and told["content"] == "ext"
                  and told["disk-size"] == 64 * MIB, f"{script}: {told}")
            grown = disks.to_raw(path)
            disks.grown_check(grown, before, 64 * MIB, index)
            again = home.json("disk", "resize", path, "64M", "--grow-partition")
            check(not again["partition-grown"] and "already ends" in again["next"], f"{again}")
            with open(grown, "rb") as one, open(disks.to_raw(path), "rb") as two:
                check(one.read() == two.read(), "done twice, it is not the same")


def test_a_real_file_system_takes_the_space(home):
    disks = Disks(home)
    raw = disks.make("label: gpt\n,4M,U\n,8M,L\n")
    for tool in ("mkfs.ext4", "resize2fs", "e2fsck"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    place = disks.path("files")
    with open(place, "wb") as file:
        file.truncate(8 * MIB)
    run("mkfs.ext4", "-q", place)
    with open(place, "rb") as file:
        disks.write(raw, 5 * MIB, file.read())
    check("resize2fs" in home.ok("disk", "resize", raw, "+32M", "--grow-partition"), "words")
    last = disks.table(raw)["partitions"][1]
    with open(raw, "rb") as file, open(place, "wb") as files:
        file.seek(last["start"] * 512)
        files.write(file.read(last["size"] * 512))
    run("e2fsck", "-fn", place)
    run("resize2fs", place)
    run("e2fsck", "-fn", place)
    check(f"Block count:              {last['size'] // 2}" in run("dumpe2fs", "-h", place), "it did not grow wholly")


def test_what_is_said_of_each_content(home):
    disks = Disks(home)
    for content, (offset, mark) in MARKS.items():
        raw = disks.make("label: gpt\n,4M\n")
        disks.write(raw, MIB + offset, mark)
        told = home.json("disk", "resize", raw, "+32M", "--grow-partition")
        grows = content not in ("fat", "swap", "raid")
        check(told["content"] == content and told["partition-grown"] == grows and WORDS[content] in told["next"], f"{told}")
        check((told["partition-size"] > 4 * MIB) == grows, f"{told}")
        disks.write(raw, 0, bytes(MIB))  # without the table: the mark where the whole disk is looked at
        disks.write(raw, offset, mark)
        told = home.json("disk", "resize", raw, "+1M", "--grow-partition")
        check(told["partition-table"] == "none" and told["content"] == content and told["partition"] == 0, f"{told}")
        check((WORDS[content] in told.get("next", "")) == grows, f"{told}")
    disks.write(raw, 1080, b"\x53\xef")  # two marks
    check(home.json("disk", "resize", raw, "+1M")["content"] == "unknown", "two marks")


def test_types_that_stay(home):
    disks = Disks(home)
    for kind, content in (("U", "reserved"), ("DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "reserved"),
                          ("E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "reserved"), ("S", "swap"), ("R", "raid"),
                          ("21686148-6449-6E6F-744E-656564454649", "reserved"), ("L", "unknown")):
        raw = disks.make(f"label: gpt\n,4M\n,4M,{kind}\n")
        with open(raw, "rb") as file:
            before = file.read()
        told = home.json("disk", "resize", raw, "+32M", "--grow-partition")
        check(told["content"] == content and not told["partition-grown"] and "stays as it is" in told["next"], f"{told}")
        with open(raw, "rb") as file:
            check(file.read() == before + bytes(32 * MIB), f"{kind}: something was written")
    raw = disks.make("label: gpt\n,4M,AF9B60A0-1431-4F62-BC68-3311714A69AD\n")
    told = home.json("disk", "resize", raw, "+32M", "--grow-partition")
    check(told["partition-table"] == "unknown" and "not known here" in told["next"], f"{told}")
    told = home.json("disk", "resize", disks.make("label: gpt\n"), "+32M", "--grow-partition")
    check(told["partition"] == 0 and "no partition" in told["next"], f"{told}")


def test_what_an_mbr_reaches(home):
    """2 TiB, whatever the disk has; a GPT has no such end."""
    disks = Disks(home)
    for label, end in (("dos", 2 << 40), ("gpt", (3 << 40) - MIB)):
        raw = disks.make(f"label: {label}\n,8M\n")
        disks.write(raw, MIB + 1080, b"\x53\xef")
        image = disks.path("large.qcow2")
        disks.qemu("convert", "-O", "qcow2", raw, image)
        told = home.json("disk", "resize", image, "3T", "--grow-partition")
        check(told["partition-grown"] and told["partition-size"] == end - MIB, f"{told}")


def test_only_when_asked(home):
    disks = Disks(home)
    raw = disks.make("label: gpt\n,4M\n")
    disks.write(raw, MIB + 1080, b"\x53\xef")
    with open(raw, "rb") as file:
        before = file.read()
    check("stays as it is" in home.ok("disk", "resize", raw, "+8M"), "words")
    with open(raw, "rb") as file:
        check(file.read() == before + bytes(8 * MIB), "something was written")
    home.fails(10, "disk", "resize", raw, "20M", "--shrink", "--grow-partition", words=["does not shrink"])
    home.ok("create", "One", "--disk", raw)
    home.fails(10, "grow", "One", "disk0", "40M", words=["40M already"])
    told = home.json("grow", "One", "disk0", "40M", "--grow-partition")
    check(told["partition-grown"] and told["disk-size"] == 40 * MIB, f"{told}")
    check("stays as it is" in home.ok("grow", "One", "disk0", "60M"), "words")
    check("resize2fs" in home.ok("grow", "One", "disk0", "80M", "--grow-partition"), "words")


def test_overlays(home):
    """The table is below, and stays as it is there."""
    disks = Disks(home)
    raw = disks.make("label: gpt\n,4M\n")
    disks.write(raw, MIB + 1080, b"\x53\xef")
    before = disks.table(raw)
    with open(raw, "rb") as file:
        below = file.read()
    over = disks.path("over.qcow2")
    disks.qemu("create", "-f", "qcow2", "-b", "disk.raw", "-F", "raw", over)
    told = home.json("disk", "resize", over, "64M", "--grow-partition")
    check(told["partition-grown"], f"{told}")
    disks.grown_check(disks.to_raw(over), before, 64 * MIB, 1)
    with open(raw, "rb") as file:
        check(file.read() == below, "the image below has changed")


main(test_tables, test_a_real_file_system_takes_the_space, test_what_is_said_of_each_content, test_types_that_stay,
     test_what_an_mbr_reaches, test_only_when_asked, test_overlays)
