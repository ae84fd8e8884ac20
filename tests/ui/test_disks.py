#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on the file of a disk from the settings window: checking, repairing, compacting, another format; progress,
cancelling, and machines that are not off."""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
from gate import Gate  # noqa: E402
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

MIB = 1 << 20


def open_care(desktop, name, state="Off"):
    """The window about the first disk, by way of the library and the settings."""
    desktop.window()
    tree = Tree(desktop)
    tree.click("table cell", f"^{name}, {state}$", button="3")
    tree.act("menu item", "^Settings")
    desktop.wait_window(f"^{name} — Settings$")
    tree.click("list item", "^Drives$", window="Settings$")
    tree.click("list item", "^Disk 1$")
    tree.act("push button", "^_?Maintain…")
    tree.wait("(frame|dialog)", f"^Disk 1 — {name}$")
    return tree


def leak(path):
    """A cluster more that is used by nothing, as a crash leaves it: found, and mended without a loss."""
    with open(path, "r+b") as file:
        header = file.read(104)
        bits = struct.unpack(">I", header[20:24])[0]
        table = struct.unpack(">Q", header[48:56])[0]
        file.seek(table)
        block = struct.unpack(">Q", file.read(8))[0]
        end = os.path.getsize(path) >> bits
        file.seek(block + 2 * end)
        file.write(struct.pack(">H", 1))
        file.truncate((end + 1) << bits)


def test_check_and_repair(home):
    """Also what the window says when the machine runs, and when it is saved."""
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    path = home.folder("One") + "/disks/disk0.qcow2"
    gate = Gate(home)
    with Desktop(home) as desktop:
        tree = open_care(desktop, "One")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        tree.act("push button", "^_?Check")
        tree.wait("label", "^The disk is whole.$")
        desktop.screenshot("disks-care")
        leak(path)
        check(not home.run("disk", "check", path)[0] == 0, "the test has damaged nothing")
        tree.act("push button", "^_?Check")
        tree.wait("label", "Repair corrects that; nothing on the disk is lost.$")
        desktop.screenshot("disks-damaged")
        gate.shut()
        tree.act("push button", "^_?Repair")
        tree.wait("label", "^Repairing a disk$")
        tree.act("push button", "^_?Cancel", window="^Disk 1")
        tree.wait("label", "^Cancelled. The disk is as it was.$")
        gate.open()
        check(home.run("disk", "check", path)[0] != 0, "it was mended nevertheless")
        tree.act("push button", "^_?Repair")
        tree.wait("label", "^The disk is whole; nothing on it was lost.$")
        check(home.json("disk", "check", path)["clean"], "it is not mended")
        home.ok("start", "One")
        tree.wait("label", "^Shut the machine down to work on its disks.$")
        desktop.screenshot("disks-running")
        home.ok("stop", "One")
        tree.wait_gone("label", "^Shut the machine down to work on its disks.$")
        os.mkdir(home.folder("One") + "/saved")
        with open(home.folder("One") + "/saved/manifest.json", "w", encoding="utf-8") as file:
            file.write("{}")
        tree.wait("label", "^The machine is saved: its disks can be checked, not changed.")
        tree.act("push button", "^_?Check")
        tree.wait("label", "^The disk is whole.$")


def test_compact_and_convert(home):
    """There, cancelled, and back."""
    image = home.file("image", b"content" + bytes(4 * MIB) + b"x" * MIB)
    with open(image, "r+b") as file:  # zeroes that are stored
        file.seek(4096)
        file.write(bytes(3 * MIB))
    home.ok("create", "One", "--disk", image, "--memory", "64M")
    folder = home.folder("One") + "/disks/"
    gate = Gate(home)
    with Desktop(home) as desktop:
        tree = open_care(desktop, "One")
        check(not tree.has("push button", "^_?Repair"), "a raw image has nothing to repair")
        tree.act("push button", "^C_?ompact")
        tree.wait("label", "were freed.$|no unused space to free")
        tree.act("push button", "^Convert to _?qcow2")
        tree.wait("label", "^The disk has its new format")
        tree.wait("push button", "^_?Repair")
        check(os.listdir(folder) == ["disk0.qcow2"], os.listdir(folder))
        desktop.screenshot("disks-converted")
        gate.shut()
        tree.act("push button", "^Convert to _?Raw")
        tree.wait("label", "^Converting a disk$")
        tree.wait("progress bar", "^Progress$")
        desktop.screenshot("disks-work")
        tree.act("push button", "^_?Cancel", window="^Disk 1")
        tree.wait("label", "^Cancelled. The disk is as it was.$")
        tree.wait_gone("label", "^Converting a disk$")
        gate.open()
        check(os.listdir(folder) == ["disk0.qcow2"], os.listdir(folder))
        tree.act("push button", "^Convert to _?Raw")
        tree.wait("push button", "^Convert to _?qcow2")
        wait_until(lambda: os.path.exists(folder + "disk0.raw"), "the raw image")
        with open(folder + "disk0.raw", "rb") as file, open(image, "rb") as before:
            check(file.read().rstrip(b"\0") == before.read(), "the content has changed")


oriel.main(test_check_and_repair, test_compact_and_convert)
