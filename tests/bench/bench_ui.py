#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window beside GNOME Boxes and virt-manager: the same private display and session bus, in turns, in one run. Prints a
table; never fails a test run. `ninja -C build bench-ui` runs it; packages/install bench installs the peers. They find no
libvirt and so no machines, which spares them time and memory.

usable      process start to a window whose main button a screen reader finds
memory      proportional set size of the process, five seconds later: other programs of GTK that run make it smaller
wakeups     times that its threads were woken while it was idle and seen, a second
bare        the least that a program of libadwaita can be (bare_window.c), without OpenGL: what ours cannot go below
1000        ours with 1,000 machines: to the first machine found in the window; what its main loop works at most in one turn
            while the library is scrolled from end to end (loop_watch.c), in processor time and by the clock, where other
            programs' time counts too"""

import argparse
import json
import mmap
import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time
import uuid

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests/ui/harness"))

from session import BUILD, ORIEL, Desktop  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from tree import Tree  # noqa: E402

# Command, a part of the name that it tells screen readers, its main button, what it needs in its environment.
PROGRAMS = {
    "Oriel": ([ORIEL], "oriel", "^New Machine$", {}),
    "bare": ([os.path.join(BUILD, "tests/bench/bare_window")], "bare_window", "^New$", {"GDK_DEBUG": "gl-disable"}),
    "Boxes": (["gnome-boxes"], "gnome-boxes", "^New$", {}),
    "virt-manager": (["virt-manager", "--no-fork"], "virt-manager", "^New$", {}),
}
SETTLE = 5  # seconds
MACHINES = 1000
SCROLLS = 300  # turns of the wheel: more than the library is long


class Run:
    """One run of a program, from its start until it can be used."""

    def __init__(self, desktop, name, role="push button", what=None):
        command, program, button, environment = PROGRAMS[name]
        command = ["env", *(f"{key}={value}" for key, value in environment.items()), *command]
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
        """MiB: the proportional set size, and what of it no other program shares."""
        time.sleep(SETTLE)
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            sizes = {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.M)}
        return sizes["Pss"] / 1024, (sizes["Private_Clean"] + sizes["Private_Dirty"]) / 1024

    def switches(self):
        """Of each thread."""
        found = {}
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/status", encoding="ascii") as file:
                found[task] = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
        return found

    def wakeups(self, seconds=20):
        time.sleep(SETTLE)
        before = self.switches()
        time.sleep(seconds)
        return sum(number - before.get(task, 0) for task, number in self.switches().items()) / seconds

    def leave(self):
        """The screen reader goes."""
        self.tree.helper.stdin.close()
        self.tree.helper.wait(60)

    def end(self):
        for process in (self.process, self.tree.helper):
            if process.poll() is not None:
                continue
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class Watch:
    """What the main loops of programs started from here on work in one turn (loop_watch.c)."""

    LAYOUT = "4Q"  # turns, longest by the clock, longest in processor time, turns longer than a frame

    def __init__(self, desktop):
        path = os.path.join(desktop.home.path, "loop-watch")
        with open(path, "w+b") as file:
            file.truncate(struct.calcsize(self.LAYOUT))
            self.map = mmap.mmap(file.fileno(), 0)
        desktop.environment["LOOP_WATCH"] = path
        desktop.environment["LD_PRELOAD"] = os.path.join(BUILD, "tests/bench/loop_watch.so")

    def during(self, action):
        """Milliseconds by the clock and of the processor, and the number of turns longer than a frame, in action()."""
        self.map[:] = bytes(len(self.map))
        action()
        _, clock, worked, over = struct.unpack(self.LAYOUT, self.map[:])
        return clock / 1e6, worked / 1e6, over


class Shown(Desktop):
    """GTK 4.8 warns of scrolling that it mends itself when it is laid out the next time."""

    def check_complaints(self):
        pass


def scroll(desktop):
    """Down to the end and up again."""
    desktop.point(640, 400)
    for button in ("5", "4"):
        desktop.run("xdotool", "click", "--repeat", str(SCROLLS), "--delay", "10", button, timeout=300)
        time.sleep(1)


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
    print(f"{what:46}" + "".join(f" {cell(found.get(name)):>23}" for name in PROGRAMS) + f" {ratio:>7}", flush=True)


def beside(home, rounds):
    """Start, memory and wake-ups of all programs in turns."""
    usable, memory, private, wakeups = ({name: [] for name in PROGRAMS} for _ in range(4))
    names = [name for name, (command, _, _, _) in PROGRAMS.items() if shutil.which(command[0])]
    with Desktop(home, manager=True) as desktop:
        desktop.run("gsettings", "set", "org.gnome.boxes", "first-run", "false")
        for number in range(rounds + 1):
            for name in names:
                run = Run(desktop, name)
                if number > 0:  # the first round fills the caches
                    usable[name].append(run.usable * 1000)
                    for values, value in zip((memory[name], private[name]), run.memory()):
                        values.append(value)
                if number == rounds:
                    wakeups[name].append(run.wakeups())
                run.end()
    line("start to a usable window, ms (aim 0.5)", usable)
    line("memory with no machine running, MiB (aim 0.5)", memory)
    line("  of that its own", private)
    line("wake-ups of an idle window, /s (aim 0)", wakeups)


def library(home, rounds):
    """Ours with no machine and with many."""
    names = ("opened empty", "opened", "clock", "worked", "over")
    found = {name: [] for name in names}
    with Shown(home, manager=True) as desktop:
        for number in range(rounds + 1):
            run = Run(desktop, "Oriel")
            if number > 0:
                found["opened empty"].append(run.usable * 1000)
            run.end()
        fill(home)
        watch = Watch(desktop)
        for number in range(rounds + 1):
            run = Run(desktop, "Oriel", "table cell", "^Machine 0000, Off$")
            run.leave()
            if number > 0:
                found["opened"].append(run.usable * 1000)
                time.sleep(SETTLE)
                for name, value in zip(names[2:], watch.during(lambda: scroll(desktop))):
                    found[name].append(value)
            run.end()
    more = [many - empty for many, empty in zip(found["opened"], found["opened empty"])]
    line(f"{MACHINES} machines: to the first, more ms (aim 1000)", {"Oriel": more})
    line("  scrolled: work in one turn, ms (aim 16)", {"Oriel": found["worked"]})
    line("  scrolled: turns that work for over a frame", {"Oriel": found["over"]})
    line("  scrolled: one turn by the clock, ms", {"Oriel": found["clock"]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"Median of {options.rounds} rounds (smallest to largest); ratio to Boxes\n")
    print(f"{'':46}" + "".join(f" {name:>23}" for name in PROGRAMS) + f" {'ratio':>7}", flush=True)
    with oriel.Home() as home:
        beside(home, options.rounds)
    with oriel.Home() as home:
        library(home, options.rounds)


if __name__ == "__main__":
    main()
