#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first five minutes, in the window, with the real engine: from a dropped file to the machine's picture, its keys,
resizing, fullscreen, screenshot, a window that is closed, killed, opened again, shutting down, cloning, deleting, undo."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import WAIT, Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import machine  # noqa: E402
import oriel  # noqa: E402
from machine import SLOW  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

WELCOME = os.environ["ORIEL_WELCOME"]
SCREEN = "^Screen of"


class View:
    """The screen of a machine in the window of that title."""

    def __init__(self, home, desktop, tree, name):
        self.home, self.desktop, self.tree, self.name = home, desktop, tree, name

    def picture(self):
        """What the machine shows, from outside: (width, height, RGB)."""
        path = os.path.join(self.home.path, "guest.png")
        self.home.ok("screenshot", self.name, path)
        return machine.png_read(path)

    def extents(self):
        """Where the widget is on the screen: x, y, width, height."""
        return self.tree.on_screen(None, SCREEN, f"^{self.name}$")

    def shows_the_machine(self):
        """Whether the pixels in the window are the machine's, each as a square of the largest whole size that fits."""
        width, height, pixels = self.picture()
        x, y, room_width, room_height = self.extents()
        factor = min(room_width // width, room_height // height)
        if factor < 1:
            return False
        left, top = x + (room_width - width * factor) // 2, y + (room_height - height * factor) // 2
        seen = self.desktop.pixels(left, top, width * factor, height * factor)
        rows = []
        for row in range(height):
            line = pixels[row * width * 3:(row + 1) * width * 3]
            wide = b"".join(line[at:at + 3] * factor for at in range(0, len(line), 3)) if factor > 1 else line
            rows.append(wide * factor)
        return seen == b"".join(rows)

    def wait_picture(self, what):
        wait_until(self.shows_the_machine, f"the window shows the machine's picture {what}")

    def wait_text(self, pattern):
        """A boot loader may take long for each byte of the keyboard where KVM emulates ring 0: as few keys as will do."""
        self.home.ok("wait", self.name, "--text", pattern, "--timeout", str(SLOW), timeout=SLOW + 60)


def state(home, name):
    return next((found["state"] for found in home.json("list") if found["name"] == name), None)


def wait_state(home, name, wanted):
    wait_until(lambda: state(home, name) == wanted, f"{name} is {wanted}, not {state(home, name)}")


def confirm(desktop, tree, title, button):
    """Answers a question."""
    tree.wait(None, title)
    tree.act("push button", button)
    tree.wait_gone(None, title)


def choose(tree, *items):
    """An item of the machine's menu, or of a menu in it."""
    tree.act("push button", "^Machine Menu$")
    for item in items:
        tree.act("(radio )?menu item", item)


def use_keys(desktop, view):
    """The menu's second entry, by the keyboard of the host."""
    desktop.key("Down")
    desktop.key("Return")
    view.wait_text("Chosen: Birch")
    view.wait_picture("after keys")


def use_sizes(desktop, tree, view):
    """A smaller window, and all of the screen; the picture is whole in both."""
    before = view.extents()
    desktop.run("xdotool", "windowsize", "--sync", desktop.window_id(f"^{view.name}$"), "820", "640")
    wait_until(lambda: view.extents()[2] < before[2], "the screen becomes smaller with its window")
    view.wait_picture("in a smaller window")
    tree.act("push button", "^Fullscreen$")
    wait_until(lambda: view.extents() == (0, 0, 1280, 800), "the screen is all that is shown")
    view.wait_picture("on all of the screen")
    desktop.screenshot("acceptance-fullscreen")
    tree.act("push button", "^Leave Fullscreen$")
    wait_until(lambda: view.extents()[2] < 1280, "the window comes back")


def use_screenshot(home, tree, view):
    """The picture as a file; it is the machine's."""
    folder = os.path.join(home.path, "Pictures")
    tree.act("push button", "^Take a Screenshot$")
    name = wait_until(lambda: os.path.isdir(folder) and os.listdir(folder), "a picture in the folder Pictures")[0]
    tree.wait("label", "Screenshot saved")
    check(name.startswith(view.name) and name.endswith(".png"), name)
    size = subprocess.run(["identify", "-format", "%wx%h", os.path.join(folder, name)], capture_output=True, text=True,
                          check=False).stdout
    width, height, pixels = view.picture()
    check(size == f"{width}x{height}", f"{size} is not {width}x{height}")
    rgb = subprocess.run(["convert", os.path.join(folder, name), "-depth", "8", "rgb:-"], capture_output=True, check=False).stdout
    check(rgb == pixels, "the screenshot is not the machine's picture")


def use_cd(home, name):
    """From a dropped ISO to its boot menu, and all that a user does with it."""
    iso = machine.menu_cd(name)
    with Desktop(home, manager=True) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("push button", "New Machine…")
        desktop.drag_file(iso, "^Oriel$")
        tree.wait("push button", "C_?reate")
        desktop.screenshot("acceptance-review")
        tree.act("push button", "C_?reate")
        desktop.wait_window(f"^{name}$")
        wait_state(home, name, "running")
        view = View(home, desktop, tree, name)
        choose(tree, "^Scaling$", "^Whole Multiples$")
        view.wait_text("Maple")
        view.wait_picture("of the boot menu")
        desktop.screenshot("acceptance-" + name)
        check(not tree.nameless(), f"without a name: {tree.nameless()}")
        use_keys(desktop, view)
        use_sizes(desktop, tree, view)
        use_screenshot(home, tree, view)
        tree.act("push button", "^Close$")
        confirm(desktop, tree, f"“{name}” Is Running", "Keep Running")
        desktop.wait_no_window(f"^{name}$")
        check(state(home, name) == "running", "the machine stopped with its window")

        desktop.window()
        desktop.wait_window(f"^{name}$")
        tree = Tree(desktop)
        view = View(home, desktop, tree, name)
        view.wait_picture("in a window that was opened again")
        desktop.key("Return")
        view.wait_text("Maple")  # the menu again
        choose(tree, "^Power Off")
        confirm(desktop, tree, f"Power Off “{name}”", "Power Off")
        wait_state(home, name, "stopped")
        tree.wait("push button", "Start")
        desktop.screenshot("acceptance-off")
        clone_and_delete(home, desktop, tree, name)


def clone_and_delete(home, desktop, tree, name):
    """A second machine like the first, which is deleted and comes back."""
    choose(tree, "^Clone")
    tree.wait(None, f"Clone “{name}”")
    desktop.screenshot("acceptance-clone")
    confirm(desktop, tree, f"Clone “{name}”", "C_?lone")
    tree.act("push button", "^Back to the library$")
    wait_state(home, name + " 2", "stopped")
    tree.wait("table cell", f"^{name} 2, Off$")
    desktop.screenshot("acceptance-cloned")
    tree.click("table cell", f"^{name} 2, Off$", window="^Oriel$")
    desktop.wait_window(f"^{name} 2$")
    choose(tree, "^Delete")
    desktop.wait_window("^Oriel$")
    tree.wait("label", f"“{name} 2” deleted")
    tree.wait_gone("table cell", f"^{name} 2, ")
    desktop.screenshot("acceptance-deleted")
    tree.act("push button", "Undo")
    tree.wait("table cell", f"^{name} 2, Off$")
    check(state(home, name + " 2") == "stopped", "not brought back")


def test_menu(home):
    use_cd(home, "menu")


def test_grub(home):
    use_cd(home, "grub")


def test_file_on_the_command_line(home):
    """`oriel FILE` while a window is open: the same flow in that window; the machine shuts down when asked to."""
    with Desktop(home, manager=True) as desktop:
        desktop.window()
        tree = Tree(desktop)
        tree.wait("push button", "New Machine…")
        second = desktop.window(WELCOME)
        tree.wait("push button", "C_?reate")
        check(second.wait(WAIT) == 0, "the second process failed")
        desktop.screenshot("acceptance-review-disk")
        tree.act("push button", "C_?reate")
        desktop.wait_window("^welcome$")
        home.ok("wait", "welcome", "--serial", "^welcome: ready", "--timeout", str(SLOW), timeout=SLOW + 60)
        tree.wait("label", "^Running$")
        desktop.screenshot("acceptance-welcome")
        choose(tree, "^Shut Down$")
        wait_state(home, "welcome", "stopped")
        tree.wait("push button", "Start")


def test_killed_window(home):
    """The front end is killed while three machines run: they go on, are found again, and one is shown as it is."""
    names = ["One", "Two", "Three"]
    for name in names:
        home.ok("create", name, "--memory", "64M")
        home.ok("start", name, timeout=SLOW)
    home.ok("wait", "Two", "--text", "SeaBIOS", "--timeout", str(SLOW), timeout=SLOW + 60)
    engines = [machine.engine_pid(home, name) for name in names]
    with Desktop(home, manager=True) as desktop:
        window = desktop.window("--start", "Two")
        desktop.wait_window("^Two$")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        os.kill(window.pid, signal.SIGKILL)
        window.wait()
        check(engines == [machine.engine_pid(home, name) for name in names], "a machine stopped")
        desktop.window()
        desktop.wait_window("^Two$")
        tree = Tree(desktop)
        view = View(home, desktop, tree, "Two")
        tree.wait("push button", "^Fullscreen$")
        choose(tree, "^Scaling$", "^Whole Multiples$")
        home.ok("pause", "Two")  # so that pictures can be compared
        tree.act("push button", "^Fullscreen$")
        view.wait_picture("after the first window was killed")
        desktop.screenshot("acceptance-killed")
        tree.act("push button", "^Leave Fullscreen$")
        home.ok("resume", "Two")
        tree.act("push button", "^Back to the library$")
        for name in names:
            tree.wait("table cell", f"^{name}, Running$")
        desktop.screenshot("acceptance-three")
        check(engines == [machine.engine_pid(home, name) for name in names], "a machine stopped")


# GRUB takes minutes where KVM emulates ring 0, and is asked for by name.
oriel.main(*([test_grub] if "grub" in sys.argv else [test_menu, test_file_on_the_command_line, test_killed_window]))
