#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames a second and CPU time a frame of the viewer at 1920x1080 on an X server without a GPU, beside gtk-vnc's viewer
(gvncviewer) on the same VNC server, in turns, in one run. Each row is one change, of the whole screen or of 64x64 pixels.
The memory's engine makes frames as fast as the widget takes them and its own work counts too; the VNC server offers a few
a second, as gtk-vnc takes what it does not draw. `ninja -C build bench-viewer` runs it."""
import argparse
import fcntl
import os
import re
import statistics
import subprocess
import tempfile

RATE = 15  # changes a second that the VNC server offers
TICKS = os.sysconf("SC_CLK_TCK")
CHANGES = {"full": "1920x1080", "small": "64x64"}


def cpu_ms(pid):
    """User and system time of a process and its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


class Bench:
    def __init__(self, options, display):
        self.build, self.seconds = options.build, options.seconds
        self.environment = dict(os.environ, DISPLAY=display, GDK_BACKEND="x11", GTK_A11Y="none", NO_AT_BRIDGE="1",
                                GSETTINGS_BACKEND="memory")

    def memory(self, change, renderer):
        """Frames and milliseconds of the processor."""
        out = subprocess.run([f"{self.build}/tests/bench/viewer_frames", change, str(self.seconds)], check=True,
                             env=dict(self.environment, GSK_RENDERER=renderer), capture_output=True, text=True).stdout
        return tuple(map(int, re.match(r"frames (\d+) cpu-ms (\d+)", out).groups()))

    def vnc(self, change, renderer):
        """The same; without a renderer it is gtk-vnc."""
        with subprocess.Popen([f"{self.build}/tests/bench/vnc_source", change, str(RATE), str(self.seconds)],
                              stdout=subprocess.PIPE, text=True) as source:
            port = int(source.stdout.readline().split()[1])
            command, environment = ["gvncviewer", f"127.0.0.1:{port - 5900}"], self.environment
            if renderer:
                command = [f"{self.build}/tests/ui/display/viewer_probe", "--size=1920x1080", f"127.0.0.1:{port}"]
                environment = dict(self.environment, GSK_RENDERER=renderer)
            with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as viewer:
                source.stdout.readline()
                before = cpu_ms(viewer.pid)
                frames = int(source.stdout.readline().split()[1])
                after = cpu_ms(viewer.pid)
                viewer.kill()
        return frames, after - before


def cell(values, digits=1):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def compare(bench, rounds):
    ways = {"memory, cairo": (bench.memory, "cairo"), "memory, gl": (bench.memory, "gl"), "VNC, cairo": (bench.vnc, "cairo"),
            "VNC, gl": (bench.vnc, "gl"), "gtk-vnc": (bench.vnc, None)}
    print(f"Median of {rounds} rounds (smallest to largest) of {bench.seconds} s; ratio to gtk-vnc\n")
    print(f"{'':14} {'change':9} {'frames/s':>24} {'CPU ms/frame':>24} {'ratio':>7}")
    for change, size in CHANGES.items():
        rates, costs = ({name: [] for name in ways} for _ in range(2))
        for _ in range(rounds):
            for name, (measure, renderer) in ways.items():
                frames, cpu = measure(change, renderer)
                rates[name].append(frames / bench.seconds)
                costs[name].append(cpu / max(frames, 1))
        peer = statistics.median(costs["gtk-vnc"])
        for name in ways:
            print(f"{name:14} {size:9} {cell(rates[name]):>24} {cell(costs[name], 2):>24} "
                  f"{statistics.median(costs[name]) / peer:7.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    # Two servers that start at the same time may take the same number; tests/ui/harness/session.py has the same lock.
    with open(os.path.join(tempfile.gettempdir(), "oriel-xvfb.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp",
                                   "-noreset"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        display = ":" + server.stdout.readline().strip()
    try:
        compare(Bench(options, display), options.rounds)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
