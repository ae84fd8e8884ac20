#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window beside GNOME Boxes and virt-manager: the same private display and session bus, in turns, in one run. Prints a
table; never fails a test run. `ninja -C build bench-ui` runs it; packages/install bench installs the peers. They find no
libvirt and so no machines, which spares them time and memory.

usable      process start to a window whose main button a screen reader finds
memory      proportional set size of the process, five seconds later
wakeups     times that its threads were woken while it was idle and seen, a second
1000        ours with 1,000 machines: to the first machine found in the window; the longest time that its main loop did not
            answer while the library was scrolled from end to end, seen by calls over D-Bus that the main loop answers"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import uuid

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests/ui/harness"))

from session import ORIEL, Desktop  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from tree import Tree  # noqa: E402

PROGRAMS = {
    "Oriel": ([ORIEL], "oriel", "^New Machine$"),
    "Boxes": (["gnome-boxes"], "gnome-boxes", "^New$"),
    "virt-manager": (["virt-manager", "--no-fork"], "virt-manager", "^New$"),
}
SETTLE = 5  # seconds
MACHINES = 1000
SCROLLS = 300  # turns of the wheel: more than the library is long


class Run:
    """One run of a program, from its start until it can be used."""

    def __init__(self, desktop, name, role="push button", what=None):
        command, program, button = PROGRAMS[name]
        self.tree = Tree(desktop, program)
        self.tree.dump()  # the helper is ready
        start = time.monotonic()
        self.process = desktop.spawn(command)
        while not self.tree.has(role, what or button):
            if time.monotonic() > start + 60 or self.process.poll() is not None:
                raise oriel.Failure(f"{name} shows no {what or button}:\n{self.tree.dump()}")
            time.sleep(0.005)
        self.usable = time.monotonic() - start

    def memory(self):
        """MiB"""
        time.sleep(SETTLE)
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024

    def switches(self):
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/status", encoding="ascii") as file:
                total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
        return total

    def wakeups(self, seconds=20):
        time.sleep(SETTLE)
        before = self.switches()
        time.sleep(seconds)
        return (self.switches() - before) / seconds

    def end(self):
        for process in (self.process, self.tree.helper):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Pinger(threading.Thread):
    """Calls that the main loop of the window answers, one after the other; their times in milliseconds."""

    def __init__(self, desktop):
        super().__init__()
        import gi  # noqa: PLC0415  (the distribution's Python has it)
        gi.require_version("Gio", "2.0")
        from gi.repository import Gio  # noqa: PLC0415
        flags = Gio.DBusConnectionFlags
        self.bus = Gio.DBusConnection.new_for_address_sync(
            desktop.environment["DBUS_SESSION_BUS_ADDRESS"],
            flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        self.no_flags = Gio.DBusCallFlags.NONE
        self.times, self.ended = [], False

    def run(self):
        while not self.ended:
            start = time.monotonic()
            self.bus.call_sync("io.github.oriel_vm.Oriel", "/io/github/oriel_vm/Oriel", "org.gtk.Actions", "List", None,
                               None, self.no_flags, 60000, None)
            self.times.append((time.monotonic() - start) * 1000)
            time.sleep(0.001)


def longest_block(desktop, scroll):
    """Milliseconds that one call took at most, while the library is scrolled down and up, or as long in peace."""
    pinger = Pinger(desktop)
    pinger.start()
    desktop.point(640, 400)
    for button in ("5", "4"):
        if scroll:
            desktop.run("xdotool", "click", "--repeat", str(SCROLLS), "--delay", "10", button, timeout=300)
        else:
            time.sleep(SCROLLS * 0.01)
    time.sleep(1)
    pinger.ended = True
    pinger.join()
    return max(pinger.times)


def fill(home):
    """A library of machines that are off."""
    for number in range(MACHINES):
        folder = home.folder(f"Machine {number:04}")
        os.makedirs(os.path.join(folder, "disks"))
        config = {"version": 1, "uuid": str(uuid.uuid4()), "generation-id": str(uuid.uuid4()),
                  "name": f"Machine {number:04}", "firmware": {"type": "bios"}, "cpus": 1, "memory": 1 << 30, "drives": []}
        with open(os.path.join(folder, "machine.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)


def cell(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})" if values else "-"


def line(what, found):
    ours = statistics.median(found["Oriel"])
    boxes = statistics.median(found["Boxes"]) if found.get("Boxes") else 0
    ratio = f"{ours / boxes:.2f}" if boxes else "-"
    print(f"{what:44}" + "".join(f" {cell(found.get(name)):>26}" for name in PROGRAMS) + f" {ratio:>7}", flush=True)


def beside(home, rounds):
    """Start, memory and wake-ups of all programs in turns."""
    usable, memory, wakeups = ({name: [] for name in PROGRAMS} for _ in range(3))
    names = [name for name, (command, _, _) in PROGRAMS.items() if shutil.which(command[0])]
    with Desktop(home, manager=True) as desktop:
        desktop.run("gsettings", "set", "org.gnome.boxes", "first-run", "false")
        for number in range(rounds + 1):
            for name in names:
                run = Run(desktop, name)
                if number > 0:  # the first round fills the caches
                    usable[name].append(run.usable * 1000)
                    memory[name].append(run.memory())
                if number == rounds:
                    wakeups[name].append(run.wakeups())
                run.end()
    line("start to a usable window, ms (aim 0.5)", usable)
    line("memory with no machine running, MiB (aim 0.5)", memory)
    line("wake-ups of an idle window, /s (aim 0)", wakeups)


def library(home, rounds):
    """Ours with many machines."""
    opened, blocked, peace = [], [], []
    fill(home)
    with Desktop(home, manager=True) as desktop:
        for number in range(rounds + 1):
            run = Run(desktop, "Oriel", "table cell", "^Machine 0000, Off$")
            if number > 0:
                time.sleep(SETTLE)
                opened.append(run.usable * 1000)
                peace.append(longest_block(desktop, False))
                blocked.append(longest_block(desktop, True))
            run.end()
        line(f"start to the first of {MACHINES} machines, ms", {"Oriel": opened})
        line("longest wait for its main loop, scrolled, ms", {"Oriel": blocked})
        line("the same in peace, ms", {"Oriel": peace})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"Median of {options.rounds} rounds (smallest to largest); ratio to Boxes\n")
    print(f"{'':44}" + "".join(f" {name:>26}" for name in PROGRAMS) + f" {'ratio':>7}", flush=True)
    with oriel.Home() as home:
        beside(home, options.rounds)
    with oriel.Home() as home:
        library(home, options.rounds)


if __name__ == "__main__":
    main()
