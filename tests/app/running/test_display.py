#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Display interface of a real engine on this host's /dev/kvm, used as the window uses it."""

import json
import mmap
import os
import re
import sys
import time

from machine import SLOW, engine_pid, log, png_read, said, socket_path, start_welcome, wait_until
from oriel import Failure, check, main
from rfb import DESKTOP_SIZE, QEMU_EXTENDED_KEY, QEMU_POINTER_MOTION_CHANGE, Client

try:
    from gi.repository import Gio, GLib
except ImportError:
    print("1..0 # SKIP python3-gi is not installed")
    sys.exit(0)

PATH = "/io/github/oriel_vm/Oriel/Engine"
DISPLAY = "io.github.oriel_vm.Oriel.Display"
ENGINE = "io.github.oriel_vm.Oriel.Engine"
STATE = "io.github.oriel_vm.Oriel.Error.State"


class Viewer:
    """A connection that shows the picture; calls run on its own main loop."""

    def __init__(self, home, name):
        self.context = GLib.MainContext.default()
        self.connection = Gio.DBusConnection.new_for_address_sync(
            "unix:path=" + socket_path(home, name), Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None, None)
        self.connection.set_exit_on_close(False)
        self.id = 0
        self.map = None

    def call(self, interface, method, arguments=None):
        """Calls and waits; returns (values, file descriptors)."""
        reply, fds = self.connection.call_with_unix_fd_list_sync(
            None, PATH, interface, method, arguments, None, Gio.DBusCallFlags.NONE, SLOW * 1000, None, None)
        return reply.unpack(), fds

    def start(self, method, arguments):
        """Calls and does not wait; returns a list that gets the answer, values or an error."""
        answer = []

        def done(connection, result):
            try:
                answer.append(connection.call_finish(result).unpack())
            except GLib.Error as error:
                answer.append(error)

        self.connection.call(None, PATH, DISPLAY, method, arguments, None, Gio.DBusCallFlags.NONE, SLOW * 1000, None,
                             done)
        return answer

    def wait(self, answer, seconds=SLOW):
        end = time.monotonic() + seconds
        while not answer and time.monotonic() < end:
            self.context.iteration(False)
            time.sleep(0.002)
        check(answer, f"no answer in {seconds} s")
        return answer[0]

    def property(self, name):
        return self.call("org.freedesktop.DBus.Properties", "Get", GLib.Variant("(ss)", (DISPLAY, name)))[0][0]

    def map_scanout(self):
        (self.id, handle, self.width, self.height, self.stride), fds = self.call(DISPLAY, "GetScanout")
        fd = fds.get(handle)
        try:
            self.map = mmap.mmap(fd, self.stride * self.height, mmap.MAP_SHARED, mmap.PROT_READ)
            self.refuses(lambda: mmap.mmap(fd, self.stride * self.height), "a mapping to write")
            self.refuses(lambda: os.ftruncate(fd, 0), "truncation")
            self.refuses(lambda: os.write(fd, b"x"), "a write")
        finally:
            os.close(fd)

    @staticmethod
    def refuses(action, what):
        try:
            action()
        except OSError:
            return
        raise Failure(f"the memory allows {what}")

    def next_frame(self):
        """Waits for a change; follows it to another scanout. Returns the damage."""
        identifier, damage = self.wait(self.start("NextFrame", GLib.Variant("(u)", (self.id,))))
        if identifier != self.id:
            self.map_scanout()
        for x, y, width, height in damage:
            check(width > 0 and height > 0, f"empty damage {damage}")
        return damage

    def look(self):
        """Shows the whole picture as it is now."""
        self.id = 0
        self.next_frame()

    def picture(self):
        """(width, height, RGB bytes), and every pixel opaque."""
        rows = b"".join(self.map[y * self.stride:y * self.stride + self.width * 4] for y in range(self.height))
        check(set(rows[3::4]) == {0xff}, "a pixel is not opaque")
        rgb = bytearray(self.width * self.height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = rows[2::4], rows[1::4], rows[0::4]
        return self.width, self.height, bytes(rgb)

    def close(self):
        self.connection.close_sync(None)


def screenshot(home, name):
    shot = os.path.join(home.path, "shot.png")
    home.ok("screenshot", name, shot)
    return png_read(shot)


def same_picture(home, name, viewer):
    """The picture in memory is that of a screenshot, pixel by pixel. The machine stands still."""
    shot = screenshot(home, name)  # also brings the memory up to date
    viewer.look()
    check(viewer.picture()[:2] == shot[:2], f"{viewer.picture()[:2]} is not {shot[:2]}")
    check(viewer.picture() == shot, "the pictures differ")
    return shot


def test_picture_equals_the_screenshot(home):
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    viewer.next_frame()
    check((viewer.width, viewer.height) == (1280, 800), f"{viewer.width} x {viewer.height}")
    for _ in range(10):
        damage = viewer.next_frame()  # clouds
        check(0 < len(damage) <= 64, f"{len(damage)} rectangles")
        check(all(x + width <= 1280 and y + height <= 800 for x, y, width, height in damage), f"{damage}")
    home.ok("pause", "Welcome")
    shot = same_picture(home, "Welcome", viewer)
    check(len(set(zip(shot[2][0::3], shot[2][1::3], shot[2][2::3]))) > 1000, "few colours")
    viewer.close()


def test_text_mode(home):
    home.ok("create", "Text", "--memory", "64M")
    home.ok("start", "Text", timeout=SLOW)
    viewer = Viewer(home, "Text")
    viewer.next_frame()
    home.ok("wait", "Text", "--text", "No bootable device", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("pause", "Text")
    same_picture(home, "Text", viewer)
    viewer.close()


def test_guest_takes_the_viewers_size(home):
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    check(viewer.property("CanResize") is True, "CanResize")
    viewer.next_frame()
    old = (viewer.id, viewer.map)
    for asked, got in (((1605, 900), (1600, 900)), ((640, 480), (640, 480)), ((1280, 800), (1280, 800)),
                       ((10, 10), (320, 200)), ((3840, 2160), (2728, 1534))):
        viewer.call(DISPLAY, "SetSize", GLib.Variant("(uu)", asked))
        wait_until(lambda got=got: viewer.next_frame() and (viewer.width, viewer.height) == got,
                   f"the picture did not become {got}")
        wait_until(lambda got=got: said(home, "Welcome", f"screen {got[0]} {got[1]}"), "the guest did not say so")
    check(old[0] != viewer.id and len(old[1]) == 1280 * 800 * 4 and old[1][3] == 0xff, "the old picture is gone")
    home.ok("pause", "Welcome")
    same_picture(home, "Welcome", viewer)
    viewer.close()
    home.ok("resume", "Welcome")
    home.ok("reset", "Welcome")  # the monitor stays as it is
    wait_until(lambda: said(home, "Welcome", "ready"), "it did not start again")
    check(screenshot(home, "Welcome")[:2] == (2728, 1534), "the size after a reset")


def wakeups(pid):
    """How often the main thread of a process has gone to sleep."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M)[1])


def test_nothing_happens_while_no_viewer_waits(home):
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    viewer.next_frame()
    viewer.next_frame()
    # From here on the viewer is hidden. Clouds move, and the engine's main loop sleeps: less than one wake-up
    # a second, whatever other work the host has.
    pid = engine_pid(home, "Welcome")
    before = wakeups(pid)
    picture = viewer.picture()
    time.sleep(10)
    check(wakeups(pid) - before < 10, f"{wakeups(pid) - before} wake-ups of the main loop in 10 s")
    check(viewer.picture() == picture, "somebody drew")
    check(len(viewer.next_frame()) > 0 and viewer.picture() != picture, "it does not go on")
    viewer.close()


def test_calls_end_in_order(home):
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    viewer.next_frame()
    home.ok("pause", "Welcome")
    screenshot(home, "Welcome")
    viewer.look()
    shown = GLib.Variant("(u)", (viewer.id,))
    first, second = viewer.start("NextFrame", shown), viewer.start("NextFrame", shown)
    error = viewer.wait(first)
    check(isinstance(error, GLib.Error) and Gio.DBusError.get_remote_error(error) == STATE, f"{error}")
    check(not second, "the second call has ended too")

    # Viewers that go away with a call under way, many times.
    for _ in range(20):
        other = Viewer(home, "Welcome")
        other.next_frame()
        other.start("NextFrame", GLib.Variant("(u)", (other.id,)))
        other.close()
    home.ok("stop", "Welcome")
    error = viewer.wait(second)
    check(isinstance(error, GLib.Error), f"{error}")
    check("CRITICAL" not in log(home, "Welcome"), log(home, "Welcome"))


def test_configuration_of_the_running_machine(home):
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    home.ok("set", "Welcome", "memory=128M")
    running = json.loads(viewer.call(ENGINE, "GetConfig")[0][0])
    with open(home.folder("Welcome") + "/machine.json", encoding="utf-8") as file:
        saved = json.load(file)
    check(running != saved, "the change is not seen")
    home.ok("set", "Welcome", "memory=64M")
    with open(home.folder("Welcome") + "/machine.json", encoding="utf-8") as file:
        saved = json.load(file)
    check(running == saved, f"{running}\n{saved}")
    check(viewer.property("Leds") == 0, "properties")
    viewer.close()


def test_the_guests_use_of_the_pointer(home):
    """The welcome machine reads its mouse: viewers give motion. Firmware reads none."""
    start_welcome(home)
    viewer = Viewer(home, "Welcome")
    wait_until(lambda: viewer.property("PointerMode") == "relative", "the mouse is read")
    vnc = Client(socket_path(home, "Welcome", "vnc"),
                 encodings=(0, DESKTOP_SIZE, QEMU_EXTENDED_KEY, QEMU_POINTER_MOTION_CHANGE))
    while not vnc.gives_motion:
        vnc.update()
    vnc.motion(-5000, -5000)
    vnc.motion(0, 0, 1)
    wait_until(lambda: said(home, "Welcome", "pointer 0 0 1"), "the corner")
    vnc.motion(30, 7, 1)
    vnc.motion(0, 0, 0)
    wait_until(lambda: said(home, "Welcome", "pointer 30 7 0"), "motion from there")
    vnc.motion(0, 0, 1)
    wait_until(lambda: said(home, "Welcome", "pointer 30 7 1"), "a button")
    vnc.close()  # and with it goes the button
    wait_until(lambda: said(home, "Welcome", "pointer 30 7 0") == 2, "the button is let go")

    vnc = Client(socket_path(home, "Welcome", "vnc"),
                 encodings=(0, DESKTOP_SIZE, QEMU_EXTENDED_KEY, QEMU_POINTER_MOTION_CHANGE))
    while not vnc.gives_motion:
        vnc.update()
    home.ok("reset", "Welcome")
    while vnc.gives_motion:
        vnc.update()
    check(viewer.property("PointerMode") == "none", viewer.property("PointerMode"))
    vnc.close()
    viewer.close()


if not os.path.exists("/dev/kvm"):
    print("1..0 # SKIP no /dev/kvm")
    sys.exit(0)
main(test_picture_equals_the_screenshot, test_text_mode, test_guest_takes_the_viewers_size,
     test_nothing_happens_while_no_viewer_waits, test_calls_end_in_order, test_configuration_of_the_running_machine,
     test_the_guests_use_of_the_pointer)
