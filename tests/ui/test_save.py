#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving machines from the window with the real engine and the welcome machine: from its menu, from the question
when the window is closed, and at the end of the session; all go on with the next start."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from services_client import Services  # noqa: E402
from session import Desktop, wait_until  # noqa: E402  (it finds tests/app/oriel.py)
import machine  # noqa: E402  (tests/app/machine.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402


def wait_state(home, wanted):
    wait_until(lambda: home.json("show", "Welcome")["state"] == wanted, f"it is {wanted}", machine.SLOW)


def open_welcome(home, desktop):
    """A window that shows the welcome machine, which it starts, or resumes."""
    desktop.window("--start", "Welcome")
    tree = Tree(desktop)
    tree.wait("label", "^Running$", seconds=machine.SLOW)
    wait_state(home, "running")
    return tree


def create(home):
    home.ok("create", "Welcome", "--disk", os.environ["ORIEL_WELCOME"], "--memory", "64M")


def saved_folder(home):
    return os.path.join(home.folder("Welcome"), "saved")


def test_menu(home):
    """Save and Close in the menu: the page says that it is saved, and resumes it."""
    create(home)
    with Desktop(home) as desktop:
        tree = open_welcome(home, desktop)
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Sa_?ve and Close")
        tree.wait("label", "^Saved$")
        check(os.path.exists(saved_folder(home)), "there is no state")
        desktop.screenshot("save-saved")
        tree.act("push button", "^_Resume Resume$")
        wait_state(home, "running")
        tree.wait("label", "^Running$")
        check(not os.path.exists(saved_folder(home)), "the state was not used up")


def test_close(home):
    """Save and Close as the answer when the window is closed; the program ends when that is done."""
    create(home)
    with Desktop(home) as desktop:
        tree = open_welcome(home, desktop)
        program = desktop.processes[-2]  # before the helper of the tree
        tree.act("push button", "^Close$")
        tree.wait(None, "“Welcome” Is Running")
        desktop.screenshot("save-close-question")
        tree.act("push button", "^_Save and Close Save and Close$|^Save and Close$")
        desktop.wait_no_window("^Welcome$")
        wait_state(home, "saved")
        wait_until(lambda: program.poll() is not None, "the program ends", machine.SLOW)
        check(program.returncode == 0, f"exit code {program.returncode}")
        desktop.window("--start", "Welcome")
        tree = Tree(desktop)
        tree.wait("label", "^Running$", seconds=machine.SLOW)
        check(not os.path.exists(saved_folder(home)), "the state was not used up")


def test_logout(home):
    """The session ends only when the machine is saved; it goes on in the next one."""
    create(home)
    with Desktop(home) as desktop:
        services = Services(desktop)
        open_welcome(home, desktop)
        wait_until(services.inhibitors, "an inhibitor")
        services.query_end()
        wait_until(lambda: not services.inhibitors(), "the inhibitor goes", machine.SLOW)
        check(os.path.exists(saved_folder(home)), "the session may end before the machine is saved")
        services.end_session()
        wait_state(home, "saved")
    with Desktop(home) as desktop:
        open_welcome(home, desktop)
        wait_state(home, "running")
        check(not os.path.exists(saved_folder(home)), "the state was not used up")


oriel.main(test_menu, test_close, test_logout)
