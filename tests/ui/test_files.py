#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes into the window from outside, over an engine that runs nothing (tests/app/fake/fake_engine.c): a file dragged
from another program, a CD."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

SECTOR = 2048


def iso(home, name):
    """A CD image with a volume descriptor and its end, and nothing on it."""
    first = b"\x01CD001\x01\x00" + b" " * 32 + name.upper().ljust(32).encode()
    last = b"\xffCD001\x01"
    return home.file(name + ".iso", bytes(16 * SECTOR) + first.ljust(SECTOR, b"\0") + last.ljust(SECTOR, b"\0") +
                     bytes(64 * SECTOR))


def notes(home):
    """What the engine was asked."""
    with open(os.path.join(home.folder("One"), "fake.log"), encoding="utf-8") as file:
        return file.read()


def medium(home):
    return next(drive.get("path") for drive in home.json("show", "One")["drives"] if drive["id"].startswith("cdrom"))


def test_drop(home):
    """A CD image that is dropped on the library becomes a new machine, after a look at what it will be."""
    image = iso(home, "dropped")
    with Desktop(home, manager=True) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("push button", "New Machine…")
        desktop.drag_file(image, "^Oriel$")
        tree.wait("push button", "C_?reate")
        desktop.screenshot("files-dropped")
        tree.act("push button", "C_?reate")
        wait_until(lambda: [found for found in home.json("list") if found["name"] == "dropped"], "the machine is there")


def choose_file(desktop, path):
    """Types the path in GTK's file dialog."""
    desktop.wait_window("^Insert a CD$")
    desktop.key("slash", "ctrl+a")
    desktop.run("xdotool", "type", path)
    desktop.key("Return")
    desktop.wait_no_window("^Insert a CD$")


def test_cd(home):
    """A CD goes into a machine that runs, whose engine is told; it is seen when it is off, and comes out again."""
    image = iso(home, "tools & more")
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    home.ok("add-cdrom", "One")
    with Desktop(home, manager=True) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Machine Menu$")
        tree.wait("menu item", "^_?Eject CD")
        check(re.search("menu item “_?Eject CD”.* sensitive$", tree.dump(), re.M) is None, "what is empty can be emptied")
        tree.act("menu item", "^_?Insert CD")
        choose_file(desktop, image)
        wait_until(lambda: medium(home) == image, f"{image} is in the drive")
        check(f"InsertMedia ('cdrom0', '{image}')" in notes(home), notes(home))
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Power _?Off")
        tree.wait(None, "Power Off “One”")
        tree.act("push button", "^_Power Off Power Off$|^Power Off$")
        tree.wait("label", "^tools & more.iso$")
        desktop.screenshot("files-cd")
        tree.act("push button", "^Eject the CD$")
        wait_until(lambda: medium(home) is None, "the drive is empty")
        tree.wait("label", "^Empty$")


oriel.main(test_drop, test_cd)
