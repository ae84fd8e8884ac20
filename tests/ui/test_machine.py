#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's page over an engine that runs nothing and misbehaves as it is told (tests/app/fake/fake_engine.c): its
states, what happened when something went wrong, windows that close and come back, launchers, files."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402


def create(home, *names):
    for name in names:
        home.ok("create", name, "--disk", "64M", "--memory", "64M")


def fake(home, name, command):
    """Tells the engine what to do; it may die of it."""
    home.run("type", name, "fake:" + command)


def state(home, name):
    return home.json("show", name)["state"]


def wait_state(home, name, wanted):
    wait_until(lambda: state(home, name) == wanted, f"{name} is {wanted}, not {state(home, name)}")


def test_start_and_pause(home):
    """From the command line to a running machine, paused and resumed by its button, powered off after a question."""
    create(home, "One")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("frame", "^One$")
        tree.wait("label", "^Running$")
        wait_state(home, "One", "running")
        desktop.screenshot("machine-running")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        tree.act("(toggle|push) button", "^Pause$")
        wait_state(home, "One", "paused")
        tree.wait("label", "^Paused$")
        tree.act("(toggle|push) button", "^Pause$")
        wait_state(home, "One", "running")
        tree.act("push button", "^Machine Menu$")
        desktop.screenshot("machine-menu")
        tree.act("menu item", "^Power Off")
        tree.wait(None, "Power Off “One”")
        desktop.screenshot("machine-power-off")
        tree.act("push button", "^_Power Off Power Off$|^Power Off$")
        wait_state(home, "One", "stopped")
        tree.wait("push button", "Start$")


def test_trouble(home):
    """Crash, full disk, hang, end of the engine: a page that says what happened, and the way out."""
    create(home, "One")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        fake(home, "One", "state paused disk-full The disk of this computer is full.")
        tree.wait("label", "^Waiting for disk space$")
        tree.wait("label", "The disk of this computer is full")
        desktop.screenshot("machine-disk-full")
        tree.act("push button", "^_?Try Again( Try Again)?$")
        tree.wait("label", "^Running$")
        fake(home, "One", "state crashed triple-fault The guest crashed, & <died>.")
        tree.wait("label", "^Crashed$")
        tree.wait("label", "The guest crashed, & <died>")
        desktop.screenshot("machine-crashed")
        tree.act("push button", "Show What Happened")
        desktop.wait_window("^Logs$")
        desktop.screenshot("machine-log")
        desktop.key("Escape")
        desktop.wait_no_window("^Logs$")
        tree.act("push button", "^_Reset Reset$")
        tree.wait("label", "^Running$")
        # Nobody does anything: the window itself finds that the picture stands still.
        fake(home, "One", "hang")
        tree.wait("label", "^Not responding$")
        tree.wait("label", "The Machine Does Not Respond")
        desktop.screenshot("machine-lost")
        desktop.run("pkill", "-CONT", "-f", home.folder("One"))
        tree.wait("label", "^Running$")
        fake(home, "One", "exit 3")
        tree.wait("push button", "^_Start Start$")
        tree.wait("frame", "^One$")
        tree.wait("push button", "Show _?Log$")
        desktop.screenshot("machine-ended")


def test_failing_disk(home):
    """A disk that fails: the page names that and not a lack of space, tries again, or powers off after a question."""
    create(home, "One")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        for _ in range(2):
            fake(home, "One", "state paused disk-error The host cannot read “disk0”.")
            tree.wait("label", "^Paused by a disk error$")
            tree.wait("label", "The host cannot read “disk0”")
            desktop.screenshot("machine-disk-error")
            tree.act("push button", "^_?Try Again( Try Again)?$")
            tree.wait("label", "^Running$")
        fake(home, "One", "state paused disk-error The host cannot read “disk0”.")
        tree.wait("label", "^Paused by a disk error$")
        tree.act("push button", "^Power _?Off…( Power Off…)?$")
        tree.wait(None, "Power Off “One”")
        tree.act("push button", "^_Power Off Power Off$|^Power Off$")
        wait_state(home, "One", "stopped")


def test_close_and_come_back(home):
    """Closing the window asks once what becomes of the machine; it goes on, and is shown again."""
    create(home, "One", "Two")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Close$")
        tree.wait(None, "“One” Is Running")
        desktop.screenshot("machine-close")
        tree.act("push button", "Keep Running")
        desktop.wait_no_window("^One$")
        check(state(home, "One") == "running", "the machine stopped")
        desktop.window()
        desktop.wait_window("^One$")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Close$")
        desktop.wait_no_window("^One$")
        check(state(home, "One") == "running", "the machine stopped")
        check("keep-running" in desktop.run("gsettings", "get", "io.github.oriel_vm.Oriel", "close-action"),
              "the answer is not remembered")


def test_second_window(home):
    """A machine in a window of its own, beside the library."""
    create(home, "One", "Two")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Open in New Window")
        desktop.wait_window("^One$")
        desktop.wait_window("^Oriel$")
        tree.wait("table cell", "^One, Running$")


def open_alone(desktop, tree, name):
    """Opens the machine, which is off, in a window of its own."""
    tree.click("table cell", f"^{name}, Off$", button="3")
    tree.act("menu item", "^Open in New Window")
    desktop.wait_window(f"^{name}$")


def test_delete_in_a_window_of_its_own(home):
    """The window goes with its machine; the library has the way back, and without it there is none."""
    create(home, "One")
    with Desktop(home) as desktop:
        process = desktop.window()
        tree = Tree(desktop)
        open_alone(desktop, tree, "One")
        tree.act("push button", "^Machine Menu$", window="^One$")
        tree.act("menu item", "^_?Delete$", window="^One$")
        desktop.wait_no_window("^One$")
        tree.wait("label", "“One” deleted")
        tree.act("push button", "Undo")
        tree.wait("table cell", "^One, Off$")
        check(os.path.isdir(home.folder("One")), "deleted before the time for undo was over")
        open_alone(desktop, tree, "One")
        tree.act("push button", "^Close$", window="^Oriel$")
        desktop.wait_no_window("^Oriel$")
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^_?Delete$")
        process.wait(60)
        check(not os.path.exists(home.folder("One")), "not deleted")


def test_start_of_one_that_is_not_in_the_list(home):
    """Another process asks for a machine that the window has never seen."""
    place = os.path.join(home.path, "place")
    os.mkdir(place)
    home.ok("create", "One", "--dir", place)
    os.unlink(os.path.join(home.data, "oriel", "folders"))
    with Desktop(home) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("frame", "^Oriel$")
        desktop.window("--start", os.path.join(place, "One.oriel"))
        tree.wait("frame", "^One$")
        tree.wait("label", "^Running$")
        wait_state(home, "One", "running")


def test_launcher(home):
    """A machine among the applications: a desktop file that starts it."""
    create(home, "A “strange” $name%")
    with Desktop(home) as desktop:
        desktop.window("--start", "A “strange” $name%")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Add to Applications")
        folder = os.path.join(home.data, "applications")
        files = wait_until(lambda: os.path.isdir(folder) and
                           [name for name in os.listdir(folder) if name.endswith(".desktop")], "a desktop file")
        path = os.path.join(folder, files[0])
        wait_until(lambda: os.path.getsize(path) > 0, "its content")
        complaints = desktop.run("desktop-file-validate", path)
        check(complaints == "", complaints)
        with open(path, encoding="utf-8") as file:
            command = next(line for line in file if line.startswith("Exec="))
        uuid = home.json("show", "A “strange” $name%")["uuid"]
        check(command.rstrip().endswith(f"--start {uuid}"), command)


def test_saved(home):
    """A saved machine is resumed, or started afresh after a question; what was saved is gone then."""
    create(home, "One")
    saved = os.path.join(home.folder("One"), "saved")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Sa_?ve and Close")
        tree.wait("label", "^Saved$")
        check(os.path.isdir(saved), "nothing is saved")
        tree.act("push button", "Start Afresh…$")
        tree.wait(None, "^Start “One” Afresh")
        desktop.screenshot("machine-afresh")
        tree.act("push button", "^Cancel$|^_Cancel Cancel$")
        tree.wait_gone(None, "^Start “One” Afresh")
        check(os.path.isdir(saved) and state(home, "One") == "saved", "it was discarded without an answer")
        tree.act("push button", "Start Afresh…$")
        tree.wait(None, "^Start “One” Afresh")
        tree.act("push button", "^_Start Afresh Start Afresh$|^Start Afresh$")
        tree.wait("label", "^Running$")
        check(not os.path.exists(saved), "what was saved is still there")


oriel.main(test_start_and_pause, test_trouble, test_failing_disk, test_close_and_come_back, test_second_window,
           test_delete_in_a_window_of_its_own, test_start_of_one_that_is_not_in_the_list, test_launcher, test_saved)
