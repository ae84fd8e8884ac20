# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as assistive technology sees it: find by role and name with a time-out, act, read, dump.

Every test has a bus of its own, which its environment names: atspi.py is a process there.
"""

import json
import os
import subprocess
import sys
import time

import oriel
from session import WAIT

HERE = os.path.dirname(os.path.abspath(__file__))


class Tree:
    """What is on a Desktop, through a helper process there."""

    def __init__(self, desktop, program="oriel"):
        self.desktop = desktop
        self.helper = desktop.spawn_helper([sys.executable, os.path.join(HERE, "atspi.py"), program])

    def call(self, command, **arguments):
        self.helper.stdin.write(json.dumps(dict(arguments, command=command)) + "\n")
        self.helper.stdin.flush()
        line = self.helper.stdout.readline()
        if not line:
            raise oriel.Failure("the AT-SPI helper died")
        answer = json.loads(line)
        if "error" in answer:
            raise oriel.Failure(answer["error"])
        return answer["result"]

    def wait(self, role, name, seconds=WAIT, showing=True):
        """Waits for a node; role and name are regular expressions, name is searched. Fails with a dump of the tree."""
        end = time.monotonic() + seconds
        while not self.call("find", role=role, name=name, showing=showing):
            if time.monotonic() > end:
                raise oriel.Failure(f"in {seconds} s no {role or 'node'} “{name}”:\n{self.dump()}")
            time.sleep(0.1)

    def wait_gone(self, role, name, seconds=WAIT):
        end = time.monotonic() + seconds
        while self.call("find", role=role, name=name, showing=True):
            if time.monotonic() > end:
                raise oriel.Failure(f"in {seconds} s the {role} “{name}” did not go:\n{self.dump()}")
            time.sleep(0.1)

    def has(self, role, name):
        return self.call("find", role=role, name=name, showing=True)

    def act(self, role, name, action=None, window=None):
        """Does the node's first action, or the one with that name, as soon as it can be done; anywhere, or in the window
        with that title, a regular expression."""
        end = time.monotonic() + WAIT
        while not self.call("act", role=role, name=name, action=action, window=window):
            if time.monotonic() > end:
                raise oriel.Failure(f"in {WAIT} s no {role} “{name}” that can be acted on:\n{self.dump()}")
            time.sleep(0.1)

    def on_screen(self, role, name, window):
        """Where the node is on the screen: x, y, width, height. window is the title of its window, as a regular
        expression; the border that GTK draws around it is the same on its left, its right and its top."""
        self.wait("(frame|filler)", window)
        self.wait(role, name)
        left, top, whole, _ = self.desktop.geometry(window)
        _, _, inner, _ = self.call("extents", role="(frame|filler)", name=window)
        x, y, width, height = self.call("extents", role=role, name=name)
        border = (whole - inner) // 2
        return left + border + x, top + border + y, width, height

    def click(self, role, name, button="1", window=None):
        """Clicks into the middle of the node, for what GTK gives no actions. Its window is in the corner of the screen, or
        is the one of that title."""
        self.wait(role, name)
        x, y, width, height = (self.on_screen(role, name, window) if window else
                               self.call("extents", role=role, name=name))
        self.desktop.click(x + width // 2, y + height // 2, button)

    def set_text(self, role, name, text):
        self.wait(role, name)
        self.call("set_text", role=role, name=name, text=text)

    def value(self, role, name):
        """The number that the node shows, or None while it is not there."""
        return self.call("value", role=role, name=name)

    def names(self, role):
        """Names of all nodes of that role that are showing, in order."""
        return self.call("names", role=role)

    def nameless(self):
        """Focusable nodes that are showing and have no name, as text."""
        return self.call("nameless")

    def focused(self):
        """The name of the node that has the keyboard, or None."""
        return self.call("focused")

    def dump(self):
        return self.call("dump")
