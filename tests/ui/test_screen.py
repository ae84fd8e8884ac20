#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen of a machine in its window, over an engine that runs nothing (tests/app/fake/fake_engine.c): the way out of
fullscreen, the pointer of a machine that has only a mouse, a second display, text from the screen to the clipboard and from
there to the machine's keyboard."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

SCREEN = "^Screen of One$"


def notes(home):
    """What the engine was asked."""
    with open(os.path.join(home.folder("One"), "fake.log"), encoding="utf-8") as file:
        return file.read()


def show(home, desktop):
    """A machine that runs, in a window."""
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    desktop.window("--start", "One")
    tree = Tree(desktop)
    tree.wait("label", "^Running$")
    tree.wait(None, SCREEN)
    return tree


def place(tree):
    return tree.on_screen(None, SCREEN, "^One$")


def bar_shows(desktop):
    """In fullscreen: the bar covers the uppermost stripe, which is black."""
    return desktop.pixels(300, 20, 1, 1) != bytes(3)


def test_fullscreen(home):
    """All of the screen, without the bar; the pointer at the upper edge brings it, and its button leads out. Keys go to
    the machine before, in it, and after."""
    with Desktop(home, manager=True) as desktop:
        tree = show(home, desktop)
        before = place(tree)
        desktop.point(640, 400)
        tree.act("push button", "^Fullscreen$")
        wait_until(lambda: place(tree) == (0, 0, 1280, 800), "the screen is all that is shown")
        bar = tree.call("extents", role="push button", name="^Leave Fullscreen$")
        check(bar[1] < 60, f"the way out is not at the upper edge: {bar}")
        wait_until(lambda: not bar_shows(desktop), "the bar goes")
        desktop.screenshot("screen-fullscreen")
        desktop.key("a")
        wait_until(lambda: "Key (30, false)" in notes(home), "a key arrives on all of the screen")
        wait_until(lambda: desktop.key("F11") or bar_shows(desktop), "F11 brings the bar")
        check("Key (87, false)" in notes(home), "F11 is the machine's as well")
        wait_until(lambda: not bar_shows(desktop), "the bar goes again")
        desktop.point(640, 0)
        wait_until(lambda: bar_shows(desktop), "the bar comes")
        desktop.screenshot("screen-bar")
        tree.act("push button", "^Leave Fullscreen$")
        wait_until(lambda: place(tree) == before, f"the window comes back, {before}")
        tree.wait("push button", "^Fullscreen$")
        desktop.key("b")
        wait_until(lambda: "Key (48, false)" in notes(home), "a key arrives in the window")


def moved(home):
    """The sum of the movement that the machine's mouse was told."""
    steps = re.findall(r"^Motion \((-?\d+), (-?\d+),", notes(home), re.MULTILINE)
    return sum(int(x) for x, _ in steps), sum(int(y) for _, y in steps)


def test_pointer_lock(home):
    """A machine that has only a mouse: a click locks the pointer, a strip says how to get it back, and it comes back."""
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    with open(os.path.join(home.folder("One"), "fake"), "w", encoding="utf-8") as file:
        file.write("mouse\n")
    with Desktop(home, manager=True) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        unlocked = place(tree)
        tree.click(None, SCREEN, window="^One$")
        tree.wait("label", "^The pointer is the machine’s. Press Ctrl \\+ Alt to get it back.$")
        wait_until(lambda: place(tree) != unlocked, "the strip is seen")
        desktop.screenshot("screen-pointer-lock")
        before = moved(home)
        desktop.run("xdotool", "mousemove_relative", "--", "5000", "-3000")
        wait_until(lambda: moved(home) == (before[0] + 5000, before[1] - 3000), "movement beyond the edge of the screen")
        desktop.run("xdotool", "keydown", "Control_L", "keydown", "Alt_L", "keyup", "Alt_L", "keyup", "Control_L")
        wait_until(lambda: place(tree) == unlocked, "the strip goes")
        x = desktop.run("xdotool", "getmouselocation")
        desktop.run("xdotool", "mousemove_relative", "--", "-7", "0")
        check(desktop.run("xdotool", "getmouselocation") != x, "the pointer is locked still")
        way_out_of_fullscreen(desktop, tree)


def way_out_of_fullscreen(desktop, tree):
    """The pointer is locked and cannot call the bar: the keys with which people look for the way out do."""
    tree.act("push button", "^Fullscreen$")
    wait_until(lambda: place(tree) == (0, 0, 1280, 800), "the screen is all that is shown")
    desktop.click(640, 400)
    tree.wait("label", "Press Ctrl \\+ Alt to get (it|them) back.$")
    wait_until(lambda: not bar_shows(desktop), "the bar, which came with the lock, goes")
    desktop.run("xdotool", "keydown", "Control_L")
    wait_until(lambda: bar_shows(desktop), "the bar comes while a key of the chord is held")
    desktop.screenshot("screen-way-out")
    desktop.run("xdotool", "keyup", "Control_L")


def pictures(home):
    """Screenshots that have been saved."""
    folder = os.path.join(home.path, "Pictures")
    return os.listdir(folder) if os.path.exists(folder) else []


def test_second_display(home):
    """A window on the second display, which has a monitor as long as it is open; the pointer in it is told to be there."""
    home.ok("create", "One", "--disk", "64M", "--memory", "64M")
    home.ok("set", "One", "video.model=virtio-gpu", "video.displays=2")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        tree.wait(None, SCREEN)
        for _ in range(2):  # the second time brings the same window
            tree.act("push button", "^Machine Menu$", window="^One$")
            tree.act("menu item", "Open Display _?2")
            tree.wait(None, "^Screen of One — Display 2$")
        wait_until(lambda: "SetConnected (true,)" in notes(home), "a monitor is plugged in")
        tree.click(None, "^Screen of One — Display 2$", window="^One — Display 2$")
        wait_until(lambda: re.search(r"^Pointer \(2, .* 1, 0\)$", notes(home), re.MULTILINE), "a click on the second display")
        desktop.screenshot("screen-second-display")
        tree.act("push button", "^Send Keys$", window="^One — Display 2$")
        tree.act("menu item", "^Alt \\+ F4$")
        wait_until(lambda: "Key (62, false)" in notes(home), "keys from the menu arrive")
        tree.act("push button", "^Take a Screenshot$", window="^One — Display 2$")
        wait_until(lambda: [name for name in pictures(home) if name.startswith("One — Display 2 ")],
                   "a picture of the second display")
        check(notes(home).count("SetConnected") == 1, "one window")
        tree.act("push button", "^Close$", window="^One — Display 2$")
        wait_until(lambda: "SetConnected (false,)" in notes(home), "it is unplugged")
        tree.wait(None, SCREEN)


def test_keys_after_a_menu(home):
    """The keyboard is the machine's again as soon as a menu closes."""
    with Desktop(home) as desktop:
        tree = show(home, desktop)
        for menu, key, code in (("^Machine Menu$", "a", 30), ("^Send Keys$", "b", 48)):
            tree.act("push button", menu)
            tree.wait("menu item", "Select _?Text|Alt \\+ F4")
            desktop.key("Escape")
            wait_until(lambda: tree.focused() == "Screen of One", "the screen has the focus")
            desktop.key(key)
            wait_until(lambda: f"Key ({code}, false)" in notes(home), f"{key} arrives")


def test_text(home):
    """Characters of the screen go to the clipboard, and are typed from there."""
    with Desktop(home, manager=True) as desktop:
        tree = show(home, desktop)
        tree.act("push button", "^Machine Menu$")
        tree.act("menu item", "^Select _?Text$")
        wait_until(lambda: "GetText" in notes(home), "the text is asked for")
        copy_word(desktop, tree)
        tree.act("push button", "^Send Keys$")
        tree.act("menu item", "Type the Clipboard")
        wait_until(lambda: "TypeText ('fake',)" in notes(home), "the word is typed")


def copy_word(desktop, tree):
    """Drags over the only row of the text, and copies it."""
    x, y, width, height = place(tree)
    desktop.run("xdotool", "mousemove", str(x + 3), str(y + height // 2), "mousedown", "1",
                "mousemove", str(x + width // 2), str(y + height // 2),
                "mousemove", str(x + width - 3), str(y + height // 2), "mouseup", "1")
    desktop.screenshot("screen-text")
    desktop.key("ctrl+c")
    check("Key (46" not in notes_of(tree), "Ctrl+C went to the machine")


def notes_of(tree):
    return notes(tree.desktop.home)


def test_screenshot_key(home):
    """Once the screen is left, the key of the list of shortcuts takes a picture; before, it is the machine's."""
    with Desktop(home, manager=True) as desktop:
        tree = show(home, desktop)
        wait_until(lambda: tree.focused() == "Screen of One", "the screen has the keyboard")
        desktop.key("ctrl+shift+p")
        wait_until(lambda: "Key (25, false)" in notes(home), "the machine gets the keys")
        check(not pictures(home), "the window took the machine's keys")
        desktop.run("xdotool", "key", "Control_L+Alt_L")
        wait_until(lambda: tree.focused() != "Screen of One", "the screen is left")
        desktop.key("ctrl+shift+p")
        tree.wait("label", "Screenshot saved")
        check(len(pictures(home)) == 1, "one picture")


oriel.main(test_fullscreen, test_pointer_lock, test_second_display, test_keys_after_a_menu, test_text, test_screenshot_key)
