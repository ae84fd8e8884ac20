#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames a second and CPU time a frame of the viewer at 1920x1080 on an X server without a GPU, beside gtk-vnc's
viewer (gvncviewer) on the same VNC server. usage: bench_viewer.py BUILD"""
import os
import re
import subprocess
import sys

BUILD = sys.argv[1]
SECONDS = 8
RATE = 15  # changes a second that the VNC server offers: gtk-vnc takes them without drawing each
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_ms(pid):
    """User and system time of a process and its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def row(what, change, frames, cpu):
    each = f"{cpu / frames:6.1f}" if frames else "     -"
    print(f"{what:24} {change:5} {frames / SECONDS:6.1f} frames/s {each} ms CPU/frame", flush=True)


def memory(change, environment):
    out = subprocess.run([f"{BUILD}/tests/bench/viewer_frames", change, str(SECONDS)], check=True, env=environment,
                         capture_output=True, text=True).stdout
    frames, cpu = map(int, re.match(r"frames (\d+) cpu-ms (\d+)", out).groups())
    row(f"memory, {environment['GSK_RENDERER']}", change, frames, cpu)


def vnc(what, change, environment, command):
    with subprocess.Popen([f"{BUILD}/tests/bench/vnc_source", change, str(RATE), str(SECONDS)], stdout=subprocess.PIPE,
                          text=True) as source:
        port = int(source.stdout.readline().split()[1])
        viewer = subprocess.Popen(command + [f"127.0.0.1:{port - 5900 if command[0] == 'gvncviewer' else port}"],
                                  env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            source.stdout.readline()
            before = cpu_ms(viewer.pid)
            frames = int(source.stdout.readline().split()[1])
            row(what, change, frames, cpu_ms(viewer.pid) - before)
        finally:
            viewer.kill()
            viewer.wait()


server = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
try:
    base = dict(os.environ, DISPLAY=":" + server.stdout.readline().strip(), GDK_BACKEND="x11", GTK_A11Y="none",
                NO_AT_BRIDGE="1", GSETTINGS_BACKEND="memory")
    for renderer in ("cairo", "gl"):
        environment = dict(base, GSK_RENDERER=renderer)
        for change in ("full", "small"):
            memory(change, environment)
            vnc(f"VNC, {renderer}", change, environment,
                [f"{BUILD}/tests/ui/display/viewer_probe", "--size=1920x1080"])
    for change in ("full", "small"):
        vnc("gtk-vnc (gvncviewer)", change, base, ["gvncviewer"])
finally:
    server.kill()
    server.wait()
