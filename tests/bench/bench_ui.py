#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window beside GNOME Boxes and virt-manager: the same private display and session bus, in turns, in one run. Prints a
table; never fails a test run. `ninja -C build bench-ui` runs it; packages/install bench installs the peers. They find no
libvirt and so no machines, which spares them time and memory.

usable      process start to a window whose main button a screen reader finds
memory      proportional set size of the process, five seconds later: other programs of GTK that run make it smaller
wakeups     times that its threads were woken while it was idle and seen, a second
bare        the least that a program of libadwaita can be (bare_window.c), without OpenGL: what ours cannot go below
1000        ours with 1,000 machines, each with a picture of its last run: to the first machine found in the window; what its
            main loop works at most in one turn while the library is scrolled from end to end (loop_watch.c), in processor
            time and by the clock, where other programs' time counts too; the same of a bare GtkGridView of 1,000 small
            pictures with labels, which is what GTK itself needs"""

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
import zlib

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

    def __init__(self, desktop, name, role="push button", what=None, arguments=()):
        command, program, button, environment = PROGRAMS[name]
        command = ["env", *(f"{key}={value}" for key, value in environment.items()), *command, *arguments]
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


def scroll(desktop):
    """Down to the end and up again."""
    desktop.point(640, 400)
    for button in ("5", "4"):
        desktop.run("xdotool", "click", "--repeat", str(SCROLLS), "--delay", "10", button, timeout=300)
        time.sleep(1)


def screenshot(width, height):
    """A PNG: stripes as of a text on a screen."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = (bytes([0]) + (bytes([200, 200, 200] if y % 16 < 8 else [20, 20, 60]) * 4 + bytes(36)) * (width // 16)
             for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b""))


def fill(home):
    """A library of machines that are off."""
    picture = screenshot(1024, 768)
    for number in range(MACHINES):
        folder = home.folder(f"Machine {number:04}")
        os.makedirs(os.path.join(folder, "disks"))
        config = {"version": 1, "uuid": str(uuid.uuid4()), "generation-id": str(uuid.uuid4()),
                  "name": f"Machine {number:04}", "firmware": {"type": "bios"}, "cpus": 1, "memory": 1 << 30, "drives": []}
        with open(os.path.join(folder, "machine.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        with open(os.path.join(folder, "thumbnail.png"), "wb") as file:
            file.write(picture)


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
    empty, opened = {"Oriel": [], "bare": []}, {"Oriel": [], "bare": []}
    clock, worked, over = ({"Oriel": [], "bare": []} for _ in range(3))
    first = {"Oriel": ("table cell", "^Machine 0000, Off$", ()), "bare": ("label", "^Machine 0000$", ("--grid",))}
    with Desktop(home, manager=True) as desktop:
        for number in range(rounds + 1):
            for name in first:
                run = Run(desktop, name)
                if number > 0:
                    empty[name].append(run.usable * 1000)
                run.end()
        fill(home)
        watch = Watch(desktop)
        for number in range(rounds + 1):
            for name, what in first.items():
                run = Run(desktop, name, *what)
                run.leave()
                if number > 0:
                    opened[name].append(run.usable * 1000)
                    time.sleep(SETTLE)
                    for values, value in zip((clock, worked, over), watch.during(lambda: scroll(desktop))):
                        values[name].append(value)
                run.end()
    more = {name: [many - none for many, none in zip(opened[name], empty[name])] for name in first}
    line(f"{MACHINES} machines: to the first, more ms (aim 1000)", more)
    line("  scrolled: work in one turn, ms (aim 16)", worked)
    line("  scrolled: turns that work for over a frame", over)
    line("  scrolled: one turn by the clock, ms", clock)


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
