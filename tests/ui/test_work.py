#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work on machines in the window, over engines that run nothing (tests/app/fake/fake_engine.c): progress, cancelling, and
what is told to those who do not look."""

import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from services_client import Services  # noqa: E402
from session import Desktop, wait_until  # noqa: E402  (it finds tests/app/oriel.py)
from gate import Gate  # noqa: E402
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

LONG = 10  # seconds after which the end of work is announced: LONG_SECONDS in ui/application/oriel-notifications.c


def create(home, name, script=""):
    """A machine whose engine does what the script says when it starts."""
    home.ok("create", name, "--disk", "64M", "--memory", "64M")
    with open(os.path.join(home.folder(name), "fake"), "w", encoding="utf-8") as file:
        file.write(script)


def fake(home, name, command):
    """Tells the engine what to do; it may end with it."""
    home.run("type", name, "fake:" + command)


def state(home, name):
    return home.json("show", name)["state"]


def open_running(desktop, name):
    desktop.window("--start", name)
    tree = Tree(desktop)
    tree.wait("label", "^Running$")
    return tree


def save_from_menu(tree):
    tree.act("push button", "^Machine Menu$")
    tree.act("menu item", "^Sa_?ve and Close")


def save_by_closing(desktop, tree, name):
    tree.act("push button", "^Close$")
    tree.act("push button", "^_Save and Close Save and Close$|^Save and Close$")
    desktop.wait_no_window(f"^{name}$")


def shows(tree, percent):
    return abs((tree.value("progress bar", "^Progress$") or 0) - percent / 100) < 0.01


def test_saving(home):
    """Progress on the machine's page and in the library; cancelled, it runs on, and nothing complains."""
    create(home, "One", "deaf Save")
    with Desktop(home) as desktop:
        tree = open_running(desktop, "One")
        save_from_menu(tree)
        tree.wait("label", "^Saving “One”$")
        fake(home, "One", "progress 40")
        wait_until(lambda: shows(tree, 40), "40 %")
        desktop.screenshot("work-saving")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        tree.act("push button", "^_Cancel Cancel$|^Cancel$")
        tree.wait("label", "^Running$")
        check(state(home, "One") == "running", "it does not run on")
        check(not tree.has(None, "Could Not Save"), tree.dump())
        save_from_menu(tree)
        tree.wait("label", "^Saving “One”$")
        tree.act("push button", "^Back to the library$|^Library$")
        tree.wait("table cell", "^One, Saving “One”$")
        fake(home, "One", "progress 70")
        wait_until(lambda: shows(tree, 70), "70 %")
        desktop.screenshot("work-saving-library")
        fake(home, "One", "saved")
        tree.wait("table cell", "^One, Saved$")


def test_saved_by_another(home):
    """What another program saves is shown as well."""
    create(home, "One")
    with Desktop(home) as desktop:
        tree = open_running(desktop, "One")
        fake(home, "One", "progress 20")
        tree.wait("label", "^Saving “One”$")
        wait_until(lambda: shows(tree, 20), "20 %")
        fake(home, "One", "progress 0")
        tree.wait("label", "^Running$")


def test_told_of_the_end(home):
    """Long work that ends while nobody looks."""
    create(home, "One", "deaf Save")
    with Desktop(home) as desktop:
        services = Services(desktop)
        tree = open_running(desktop, "One")
        save_by_closing(desktop, tree, "One")
        time.sleep(LONG + 1)
        check(services.notifications() == [], services.notifications())
        fake(home, "One", "saved")
        wait_until(services.notifications, "a notification")
        check([one["summary"] for one in services.notifications()] == ["“One” Is Saved"], services.notifications())


def test_told_of_a_failure(home):
    """Work that fails: the window comes back and says so once; who sees it is not told a second time."""
    create(home, "One", "refuse Save")
    with Desktop(home) as desktop:
        services = Services(desktop)
        tree = open_running(desktop, "One")
        tree.act("push button", "^Close$")
        tree.act("push button", "^_Save and Close Save and Close$|^Save and Close$")
        tree.wait(None, "“One” Is Still Running")
        tree.wait("label", "The engine does not want to.")
        check(tree.names("label").count("The engine does not want to.") == 1, "it is said twice")
        desktop.screenshot("work-not-saved")
        wait_until(lambda: services.notifications() == [], services.notifications())


def names(home):
    return [found["name"] for found in home.json("list")]


def test_making_goes_on(home):
    """The window may be closed while a machine is being made: the program stays until it is there."""
    create(home, "Old")
    image = os.path.join(home.path, "fruit.qcow2")
    shutil.copy(os.path.join(home.folder("Old"), "disks", "disk0.qcow2"), image)
    gate = Gate(home)
    with Desktop(home) as desktop:
        program = desktop.window(image)
        tree = Tree(desktop)
        tree.wait("push button", "C_?reate")
        gate.shut()
        tree.act("push button", "C_?reate")
        tree.wait("table cell", "^fruit, Creating “fruit”$")
        desktop.screenshot("work-making")
        tree.act("push button", "^Close$")
        desktop.wait_no_window("^Oriel$")
        check(program.poll() is None, "the program ended before the machine was made")
        gate.open()
        wait_until(lambda: program.poll() is not None, "the program ends")
        check(program.returncode == 0, f"exit code {program.returncode}")
        check(sorted(names(home)) == ["Old", "fruit"] and state(home, "fruit") == "stopped", names(home))


def test_clone_that_fails(home):
    """A copy that cannot be made is told once, in a dialog, and leaves nothing behind."""
    create(home, "One")
    os.unlink(os.path.join(home.folder("One"), "disks", os.listdir(os.path.join(home.folder("One"), "disks"))[0]))
    with Desktop(home, manager=True) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.click("table cell", "^One, ", window="^Oriel$")
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Clone")
        tree.wait(None, "Clone “One”")
        tree.act("push button", "C_?lone")
        tree.wait(None, "Could Not Clone “One”")
        desktop.screenshot("work-no-clone")
        check(len([name for name in tree.names("label") if "Could Not Clone" in name]) == 1, tree.dump())
        check(names(home) == ["One"], "something is left")


oriel.main(test_saving, test_saved_by_another, test_told_of_the_end, test_told_of_a_failure, test_making_goes_on,
           test_clone_that_fails)
