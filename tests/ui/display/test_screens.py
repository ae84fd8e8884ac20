#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The viewer on real screens, pixel by pixel: a running machine's by its engine's memory and by its VNC server,
and QEMU's by QEMU's VNC server."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading

import machine
from oriel import Skip, check, main

PROBE = os.environ["ORIEL_VIEWER_PROBE"]
UNDER_XVFB = os.environ["ORIEL_UNDER_XVFB"]


class Probe:
    """viewer_probe on an X server of its own."""

    def __init__(self, address):
        self.process = subprocess.Popen([UNDER_XVFB, PROBE, address], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.size = None
        self.ended = None
        self.done = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            words = line.split()
            with self.changed:
                if words[:1] == ["size"]:
                    self.size = (int(words[1]), int(words[2]))
                elif words[:1] == ["done"]:
                    self.done += 1
                elif words[:1] in (["failed"], ["closed"]):
                    self.ended = line.strip()
                self.changed.notify_all()

    def wait(self, condition, what):
        with self.changed:
            check(self.changed.wait_for(lambda: condition() or self.ended, machine.SLOW), what)
            check(condition(), f"{what}: {self.ended}")

    def wait_end(self):
        with self.changed:
            check(self.changed.wait_for(lambda: self.ended, machine.SLOW), "the end is not told")

    def tell(self, line):
        before = self.done
        self.process.stdin.write(line + "\n")
        self.wait(lambda: self.done > before, line)

    def picture(self, folder):
        path = os.path.join(folder, "shot.png")
        self.tell(f"shot {path}")
        return pixels_of(path)

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def pixels_of(path):
    """(width, height, RGB bytes) of an image file."""
    with tempfile.NamedTemporaryFile(suffix=".rgb") as raw:
        size = subprocess.run(["identify", "-format", "%w %h", path], check=True, capture_output=True, text=True).stdout
        subprocess.run(["convert", path, "-depth", "8", f"rgb:{raw.name}"], check=True)
        width, height = map(int, size.split())
        return width, height, raw.read()


def same_picture(probe, folder, shot):
    """Waits until the viewer shows what `shot` writes: the guest may draw between the two."""
    reference = os.path.join(folder, "reference.png")

    def is_same():
        shot(reference)
        return probe.picture(folder) == pixels_of(reference)

    machine.wait_until(is_same, "the viewer's picture is not the guest's")


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise Skip("no /dev/kvm")


def test_engine_and_vnc(home):
    need_kvm()
    machine.start_welcome(home)

    def shot(path):
        home.ok("screenshot", "Welcome", path)

    engine = Probe("engine:" + machine.socket_path(home, "Welcome"))
    engine.wait(lambda: engine.size, "no picture from the engine")
    same_picture(engine, home.path, shot)
    vnc = Probe("unix:" + machine.socket_path(home, "Welcome", "vnc"))
    vnc.wait(lambda: vnc.size, "no picture by VNC")
    same_picture(vnc, home.path, shot)
    engine.tell("follow")
    engine.tell("window 1000 700")
    engine.wait(lambda: engine.size == (1000, 700), "the guest does not follow the window")
    same_picture(engine, home.path, shot)
    same_picture(vnc, home.path, shot)
    home.ok("stop", "Welcome")
    for probe in (engine, vnc):
        probe.wait_end()
        check(probe.ended.startswith("closed"), probe.ended)
        probe.close()


class Qmp:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        machine.wait_until(lambda: self.socket.connect_ex(path) == 0, "QEMU's monitor")
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "return" in answer or "error" in answer:
                check("return" in answer, str(answer))
                return answer["return"]


def test_qemu(home):
    if not shutil.which("qemu-system-x86_64"):
        raise Skip("QEMU is not installed")
    with tempfile.TemporaryDirectory(prefix="oriel-") as folder:
        vnc, monitor = os.path.join(folder, "vnc"), os.path.join(folder, "qmp")
        qemu = subprocess.Popen(["qemu-system-x86_64", "-accel", "tcg", "-m", "32", "-display", "none", "-nic", "none",
                                 "-vnc", f"unix:{vnc}", "-qmp", f"unix:{monitor},server=on,wait=off"])
        try:
            qmp = Qmp(monitor)
            probe = Probe(f"unix:{vnc}")
            probe.wait(lambda: probe.size == (720, 400), "no text screen")
            machine.wait_until(lambda: b"\xa8" in probe.picture(folder)[2], "SeaBIOS wrote nothing")
            qmp.command("stop")
            same_picture(probe, folder, lambda path: qmp.command("screendump", filename=path))
            probe.close()
        finally:
            qemu.kill()
            qemu.wait()


main(test_engine_and_vnc, test_qemu)
