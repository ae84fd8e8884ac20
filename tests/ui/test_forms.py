#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms as a screen reader finds them: from the window to each of them, and nothing that can have the focus without a
name."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402


def all_named(tree, where):
    # The lists behind combo rows are libadwaita's; what is in them is read from their labels.
    nameless = [node for node in tree.nameless() if node != "list item in list “GtkListView”"]
    check(not nameless, f"without a name in {where}: {nameless}")


def test_new_machine(home):
    with Desktop(home) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.act("push button", "New Machine…")
        tree.wait("label", "What Should Run in It")
        all_named(tree, "the first page")
        tree.click("list item", "An Empty Machine")
        tree.wait("push button", "Create")
        all_named(tree, "the review")
        desktop.screenshot("forms-new")
        tree.act("push button", "Create")
        wait_until(lambda: os.path.isdir(home.folder("New Machine")), "the machine is made")


def test_settings(home):
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    home.ok("set", "One", "memory=128M")
    with Desktop(home) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("table cell", "^One, Off$")
        tree.click("table cell", "^One, Off$", button="3")
        tree.act("menu item", "^Settings")
        desktop.wait_window("^One — Settings$")
        desktop.screenshot("forms-settings")
        tree.wait(None, "^Notes$")
        all_named(tree, "the page General")
        for page, row in (("System", "Firmware"), ("Hardware", "Video Memory"), ("Drives", "Disk 1"), ("Network", "Cable"),
                          ("Ports", "Address and Port"), ("History", "UUID")):
            tree.set_text("entry", "^Search settings$", row)
            tree.wait(None, f"^{row}$", seconds=30)
            all_named(tree, f"the page {page}")


oriel.main(test_new_machine, test_settings)
