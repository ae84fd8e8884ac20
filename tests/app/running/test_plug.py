#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and network cards that come and go while a machine runs. Its guest, firmware without a system, lets go of
nothing by itself; tests/lab/test_plug.sh has one that does."""

import json
import os

from machine import SLOW
from oriel import check, main


def running(home, name):
    return home.json("stats", name)


def start(home, name, hotplug="true"):
    home.ok("create", name, "--memory", "64M")
    home.ok("set", name, f"hotplug={hotplug}")
    home.ok("start", name, timeout=SLOW)


def has(home, name, *ids):
    """What comes and goes is in the settings and in the running machine, or in neither."""
    stats, settings = running(home, name), json.load(open(home.folder(name) + "/machine.json", encoding="utf-8"))
    slots = sorted(part["id"] for part in settings["drives"] + settings["networks"] if part["port"] > 0)
    check(slots == sorted(ids), f"in the settings: {slots}")
    there = sorted(part for part in list(stats["drives"]) + list(stats["networks"])
                   if part in stats["devices"] and part != "net0")
    check(there == sorted(ids), f"in the machine: {there}")


def test_they_come_and_go(home):
    start(home, "P")
    for _ in range(20):
        check(home.ok("add-disk", "P", "4M").strip() == "disk0", "another id")
        check(home.ok("add-network", "P").strip() == "net1", "another id")
        has(home, "P", "disk0", "net1")
        home.ok("remove-drive", "P", "disk0", "--force")
        home.ok("remove-network", "P", "net1", "--force")
        has(home, "P")
    check(not os.listdir(home.folder("P") + "/disks"), "files of disks were left")


def test_they_are_saved_and_restored(home):
    start(home, "P")
    home.ok("add-network", "P")
    home.ok("add-disk", "P", "4M")
    home.ok("add-disk", "P", "4M")
    home.ok("remove-drive", "P", "disk0", "--force")
    home.ok("save", "P", timeout=SLOW)
    home.ok("start", "P", timeout=SLOW)
    has(home, "P", "disk1", "net1")
    home.ok("remove-network", "P", "net1", "--force")
    home.ok("add-disk", "P", "4M")
    has(home, "P", "disk0", "disk1")
    # They are there from the start the next time, in their slots.
    home.ok("stop", "P")
    home.ok("start", "P", timeout=SLOW)
    has(home, "P", "disk0", "disk1")
    home.ok("reset", "P")
    home.ok("remove-drive", "P", "disk1", "--force")
    has(home, "P", "disk0")


def test_paused(home):
    start(home, "P")
    home.ok("pause", "P")
    home.ok("add-disk", "P", "4M")
    has(home, "P", "disk0")
    home.fails(18, "remove-drive", "P", "disk0", words=["paused"])
    home.ok("remove-drive", "P", "disk0", "--force")
    has(home, "P")
    home.ok("resume", "P")


def test_what_cannot_be(home):
    start(home, "P")
    home.fails(14, "remove-network", "P", "net0", "--force", words=["in use"])  # it is in no slot
    for _ in range(5):  # and there is a CD drive
        home.ok("add-disk", "P", "1M")
    home.fails(10, "add-disk", "P", "1M", words=["6 drives already"])
    for _ in range(3):
        home.ok("add-network", "P")
    home.fails(18, "add-network", "P", words=["All 8 slots"])
    home.ok("stop", "P")
    home.fails(10, "set", "P", "hotplug=false", words=["hotplug"])
    start(home, "Q", "false")
    home.fails(14, "add-disk", "Q", "1M", words=["in use"])
    home.fails(10, "set", "Q", "net0.port=1", words=["hotplug"])


if __name__ == "__main__":
    main(test_they_come_and_go, test_they_are_saved_and_restored, test_paused, test_what_cannot_be)
