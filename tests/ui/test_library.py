#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library in the window, over engines that run nothing (tests/app/fake/fake_engine.c): what it shows, search, tags,
selection, deleting with undo, machines that go on without the window."""

import os
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402


def machines(tree):
    """Names of the machines that the grid shows, in its order."""
    return [name.split(", ", 1)[0] for name in tree.names("table cell")]


def wait_machines(tree, names):
    try:
        wait_until(lambda: machines(tree) == names, f"the grid shows {names}")
    except oriel.Failure as failure:
        raise oriel.Failure(f"{failure}, not {machines(tree)}") from None


def create(home, *names):
    for name in names:
        home.ok("create", name, "--disk", "64M", "--memory", "64M")


def open_menu(tree, button, item):
    tree.act("push button", button)
    tree.act("(radio )?menu item", f"^{item}")


def test_empty(home):
    """Nothing there yet: an invitation, with what can be done at once."""
    with Desktop(home) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("frame", "^Oriel$")
        tree.wait("push button", "New Machine…")
        tree.wait("push button", "Try the Welcome Machine")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        desktop.screenshot("library-empty")


def test_grid(home):
    """Machines, their order, search and tags; what comes and goes outside is followed."""
    create(home, "Debian 2", "Debian 10", "Fedora")
    home.ok("set", "Fedora", "tags=work")
    os.mkdir(home.folder("Broken"))
    home.file(os.path.join(home.folder("Broken"), "machine.json"), b"{")
    with Desktop(home) as desktop:
        desktop.window()
        tree = Tree(desktop)
        wait_machines(tree, ["Broken", "Debian 2", "Debian 10", "Fedora"])
        tree.wait("table cell", "^Debian 2, Off$")
        desktop.screenshot("library-grid")
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        desktop.key("ctrl+f")
        desktop.run("xdotool", "type", "debian 1")
        wait_machines(tree, ["Debian 10"])
        desktop.key("ctrl+a", "BackSpace")
        desktop.run("xdotool", "type", "nowhere")
        tree.wait("label", "No Machines Found")
        desktop.screenshot("library-nothing-found")
        desktop.key("Escape", "Escape")
        wait_machines(tree, ["Broken", "Debian 2", "Debian 10", "Fedora"])
        tree.act("(toggle|push) button", "^work$")
        wait_machines(tree, ["Fedora"])
        tree.act("(toggle|push) button", "^All$")
        create(home, "Arch")
        home.ok("delete", "Debian 2", "--permanently")
        wait_machines(tree, ["Arch", "Broken", "Debian 10", "Fedora"])


def test_delete_and_undo(home):
    """Deleting is a row that goes and comes back; without undo it is in the trash in the end."""
    create(home, "One", "Two", "Three")
    with Desktop(home) as desktop:
        window = desktop.window()
        tree = Tree(desktop)
        wait_machines(tree, ["One", "Three", "Two"])
        open_menu(tree, "View Options", "Select Machines")
        tree.click("check box", "Select “One”")
        tree.click("check box", "Select “Two”")
        tree.wait(None, "^2 Selected$")
        desktop.screenshot("library-selection")
        # A toast under the pointer stays until it leaves.
        desktop.point(480, 640)
        tree.act("push button", "Delete$")
        wait_machines(tree, ["Three"])
        tree.wait("label", "2 machines deleted")
        check(os.path.isdir(home.folder("One")), "deleted before the time for undo was over")
        tree.act("push button", "Undo")
        wait_machines(tree, ["One", "Three", "Two"])
        open_menu(tree, "View Options", "Select Machines")
        tree.click("check box", "Select “Two”")
        tree.act("push button", "Delete$")
        wait_machines(tree, ["One", "Three"])
        desktop.key("ctrl+q")
        window.wait(60)
        check(not os.path.exists(home.folder("Two")), "not deleted when the window was closed")
        check(os.path.isdir(home.folder("One")), "another machine was deleted")


def test_killed_window(home):
    """The window is killed while three machines run: they go on, are found again and shown."""
    create(home, "One", "Two", "Three")
    with Desktop(home) as desktop:
        window = desktop.window()
        tree = Tree(desktop)
        wait_machines(tree, ["One", "Three", "Two"])
        open_menu(tree, "View Options", "Select Machines")
        tree.act("push button", "Select All")
        tree.act("push button", "^_Start Start$")
        for name in ("One", "Two", "Three"):
            tree.wait("table cell", f"^{name}, Running$")
        os.kill(window.pid, signal.SIGKILL)
        window.wait()
        check(all(machine["state"] == "running" for machine in home.json("list")), "a machine stopped")
        desktop.window()
        tree.wait("frame", "^Oriel$")
        for name in ("One", "Two", "Three"):
            tree.wait("table cell", f"^{name}, Running$")
        desktop.screenshot("library-running")


def test_list_view(home):
    """The list shows the same; the choice is remembered."""
    create(home, "One", "Two")
    with Desktop(home) as desktop:
        window = desktop.window()
        tree = Tree(desktop)
        wait_machines(tree, ["One", "Two"])
        open_menu(tree, "View Options", "List")
        wait_until(lambda: [n for n in tree.names("list item") if n == "One, Off"], "the list shows the machines")
        desktop.screenshot("library-list")
        desktop.key("ctrl+q")
        window.wait(60)
        desktop.window()
        wait_until(lambda: [n for n in tree.names("list item") if n == "One, Off"], "the list is remembered")


def test_open_file(home):
    """A file on the command line becomes a new machine, after a look at what it will be; also dark and small."""
    image = home.file("disk.img", bytes(510) + b"\x55\xaa" + bytes(1 << 20))
    with Desktop(home, size="800x600", scheme="prefer-dark") as desktop:
        desktop.run("gsettings", "set", "io.github.oriel_vm.Oriel", "window-width", "360")
        desktop.run("gsettings", "set", "io.github.oriel_vm.Oriel", "window-height", "500")
        create(home, "One")
        desktop.window(image)
        tree = Tree(desktop)
        desktop.wait_window("New Machine")
        tree.wait("push button", "Create|Start")
        desktop.screenshot("new-machine-dark")
        desktop.key("Escape")
        desktop.wait_no_window("New Machine")
        desktop.screenshot("library-dark-narrow")


def test_paths_that_are_no_text(home):
    """A file whose name is in an old encoding: a sentence, and the window goes on."""
    home.ok("create", "One")
    os.mkdir(os.path.join(os.path.dirname(home.folder("One")), os.fsdecode(b"caf\xe9.oriel")))
    place = os.path.join(home.path, os.fsdecode(b"caf\xe9"))
    os.mkdir(place)
    home.ok("clone", "One", "Two")
    machine = shutil.move(home.folder("Two"), os.path.join(place, "Two.oriel"))
    with Desktop(home) as desktop:
        check(desktop.window("--start", machine).wait(60) != 0, "it was started")
        desktop.window(machine)
        tree = Tree(desktop)
        desktop.wait_window("New Machine")
        tree.wait(None, "caf\ufffd.* is not UTF-8")
        desktop.key("Escape")
        desktop.wait_no_window("New Machine")
        wait_machines(tree, ["One"])


def test_keys(home):
    """What the list of shortcuts promises for the machine that has the focus."""
    create(home, "One", "Two")
    with Desktop(home, manager=True) as desktop:
        desktop.window()
        tree = Tree(desktop)
        wait_machines(tree, ["One", "Two"])
        tree.wait("table cell", "^One, Off$")
        wait_until(lambda: desktop.key("Down") or tree.focused() == "One, Off", "the first machine has the focus")
        desktop.key("F2")
        tree.wait(None, "^Rename “One”")
        desktop.key("Escape")
        tree.wait_gone(None, "^Rename “One”")
        desktop.key("alt+Return")
        desktop.wait_window("^One — Settings$")
        desktop.key("Escape")
        desktop.wait_no_window("^One — Settings$")
        desktop.key("Delete")
        wait_machines(tree, ["Two"])
        wait_until(lambda: desktop.key("Down") or tree.focused() == "Two, Off", "the other machine has the focus")
        desktop.key("ctrl+s")
        tree.wait("push button", "Select _?All$")


oriel.main(test_open_file, test_empty, test_grid, test_delete_and_undo, test_killed_window, test_list_view,
            test_paths_that_are_no_text, test_keys)
