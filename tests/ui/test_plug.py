#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a machine that runs: disks and network cards come and go if it has "hotplug", over an engine that runs
nothing (tests/app/fake/fake_engine.c)."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

SWITCH = "^Change While the Machine Runs"


def settings(home, name):
    with open(home.folder(name) + "/machine.json", encoding="utf-8") as file:
        return json.load(file)


def slots(home, name):
    """What is in a slot by the settings."""
    of = settings(home, name)
    return sorted(part["id"] for part in of["drives"] + of["networks"] if part["port"] > 0)


def asked(home, name):
    """What the engine was asked to do."""
    path = home.folder(name) + "/fake.log"
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [line.strip() for line in file if line.split()[0] in ("Plug", "Unplug")]


def settings_open(desktop, name):
    desktop.window()
    tree = Tree(desktop)
    tree.click("table cell", f"^{name}, Running$", button="3")
    tree.act("menu item", "^Settings")
    desktop.wait_window(f"^{name} — Settings$")
    return tree


def start(home, hotplug):
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    home.ok("set", "One", f"hotplug={hotplug}")
    home.ok("start", "One")


def test_disks(home):
    start(home, "true")
    with Desktop(home) as desktop:
        tree = settings_open(desktop, "One")
        tree.click("list item", "^Drives$", window="Settings$")
        tree.wait("label", "Disks come and go while the machine runs")
        check(not tree.has("label", "Shut the machine down to add"), "it says that it is not live")
        desktop.screenshot("plug-drives")
        # One comes.
        tree.act("(toggle|push) button", "^Add a [Dd]rive$")
        tree.act("menu item", "^New Disk")
        tree.act("push button", "^_Add Add$|^Add$")
        tree.wait(None, "^Disk 2$")
        wait_until(lambda: slots(home, "One") == ["disk1"], "disk1 is in a slot")
        check(asked(home, "One") == ["Plug ('disk1',)"], f"the engine was asked: {asked(home, 'One')}")
        # It goes again; the other one is fixed.
        tree.click(None, "^Disk 2$")
        tree.wait("label", "The system is asked first")
        desktop.screenshot("plug-disk")
        tree.act("push button", "^_Remove Remove$|^Remove$")
        tree.wait(None, "^Remove Disk 2\\?$")
        tree.wait("label", "once the running system has let go of it")
        tree.act("push button", "^_Remove Remove$|^Remove$", window="^Remove Disk 2")
        wait_until(lambda: slots(home, "One") == [], "disk1 is gone")
        tree.wait_gone(None, "^Disk 2$")
        check(asked(home, "One")[1:] == ["Unplug ('disk1', false)"], f"the engine was asked: {asked(home, 'One')}")
        check(len(os.listdir(home.folder("One") + "/disks")) == 1, "its file stayed")
        tree.click(None, "^Disk 1$")
        tree.wait("label", "It is built in: shut the machine down first")


def test_guest_that_keeps_it(home):
    start(home, "true")
    home.ok("add-network", "One")
    home.run("type", "One", "fake:refuse Unplug")
    with Desktop(home) as desktop:
        tree = settings_open(desktop, "One")
        tree.click("list item", "^Network$", window="Settings$")
        tree.wait("label", "Network cards come and go while the machine runs")
        tree.act("push button", "^_Remove Remove$|^Remove$|^Remove This Network Card$")
        tree.wait(None, "Could Not Change the Network")
        desktop.screenshot("plug-kept")
        tree.act("push button", "^_Close Close$|^Close$", window="Could Not Change the Network")
        check(slots(home, "One") == ["net1"], "the settings have lost the card")


def test_cards(home):
    start(home, "true")
    with Desktop(home) as desktop:
        tree = settings_open(desktop, "One")
        tree.click("list item", "^Network$", window="Settings$")
        tree.wait("label", "Network cards come and go while the machine runs")
        tree.act("push button", "^Add a [Nn]etwork [Cc]ard$")
        tree.wait("label", "^Network Card 2$")
        wait_until(lambda: slots(home, "One") == ["net1"], "net1 is in a slot")
        desktop.screenshot("plug-network")
        # The first card is built in: the button that can be pressed is the second's.
        tree.act("push button", "^_Remove Remove$|^Remove$|^Remove This Network Card$")
        wait_until(lambda: slots(home, "One") == [], "net1 is gone")
        tree.wait_gone("label", "^Network Card 2$")
        check(asked(home, "One") == ["Plug ('net1',)", "Unplug ('net1', false)"], f"asked: {asked(home, 'One')}")


def test_not_live(home):
    """Without "hotplug" the pages say that it takes a shutdown, and offer it; it waits for the next start."""
    start(home, "false")
    with Desktop(home) as desktop:
        tree = settings_open(desktop, "One")
        tree.click("list item", "^Network$", window="Settings$")
        tree.wait("label", "Shut the machine down to add or remove network cards")
        tree.click("list item", "^Drives$", window="Settings$")
        tree.wait("label", "Shut the machine down to add or remove drives")
        tree.click("label", SWITCH)
        wait_until(lambda: settings(home, "One")["hotplug"], "hotplug is set")
        tree.wait(None, "Takes effect when the machine is restarted")
        tree.wait("label", "Shut the machine down to add or remove drives")
        desktop.screenshot("plug-waits")
        home.ok("stop", "One")
        home.ok("start", "One")
        tree.wait("label", "Disks come and go while the machine runs")


oriel.main(test_disks, test_cards, test_guest_that_keeps_it, test_not_live)
