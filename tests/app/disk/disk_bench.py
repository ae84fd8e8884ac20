# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk images beside qemu-img, among them one with known content: the oracle of what becomes of it."""

import json
import os
import random
import shutil
import subprocess

from oriel import Skip, check

MIB = 1 << 20
SIZE = 65 * MIB + 512  # of the image


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


class Images:
    """Images in one folder, qemu-img and qemu-io."""

    def __init__(self, home, folder=None):
        if not shutil.which("qemu-img"):
            raise Skip("qemu-img is not installed")
        self.home = home
        self.folder = folder or home.path + "/disks"
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def qemu(self, *arguments, codes=(0,)):
        result = subprocess.run(["qemu-img", *arguments], capture_output=True, text=True, cwd=self.folder, check=False)
        check(result.returncode in codes, f"qemu-img {arguments}: {result.returncode} {result.stdout} {result.stderr}")
        return result.stdout

    def io(self, name, *commands, form="qcow2"):
        arguments = ["qemu-io", "-f", form]
        for command in commands:
            arguments += ["-c", command]
        result = subprocess.run(arguments + [self.path(name)], capture_output=True, text=True, check=False)
        check(result.returncode == 0 and "failed" not in result.stdout, f"{arguments}: {result.stdout}{result.stderr}")


class Bench(Images):
    """The same with the known image, and comparison with that."""

    def __init__(self, home):
        super().__init__(home)
        self.base = self.path("base.raw")
        with open(self.base, "wb") as file:
            file.write(base_bytes())

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
