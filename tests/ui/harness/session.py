# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop of a test's own: Xvfb, a session bus, private folders, and the program in it.

The program is driven over AT-SPI (what a screen reader sees), and by keys and pointer where that is the point.
Everything that is started here is ended here, by process group.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "app"))

import oriel  # noqa: E402  (tests/app/oriel.py: Home, Failure, Skip, check)

ARTIFACTS = os.environ.get("ORIEL_ARTIFACTS", "")
BUILD = os.environ["ORIEL_BUILD"]
ORIEL = os.path.join(BUILD, "ui", "oriel")
WAIT = int(os.environ.get("ORIEL_WAIT", "120"))  # seconds that anything may take on a loaded machine

LACKS = "unable to send notifications through org.freedesktop.Notifications"  # that warning is about the desktop


def wait_until(condition, what, seconds=WAIT):
    """Looks again and again until condition() gives something; returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise oriel.Failure(f"in {seconds} s: {what}")


class Desktop:
    """Xvfb and a session bus with AT-SPI; `environment` leads programs there."""

    def __init__(self, home, size="1280x800", scheme=None, manager=False):
        """manager: with a window manager, as fullscreen, resizing and dragging between windows need it."""
        self.home = home
        self.processes = []
        self.environment = dict(
            home.environment, GSETTINGS_BACKEND="keyfile", GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y="atspi",
            NO_AT_BRIDGE="0", LANG="C.UTF-8", HOME=home.path,
            XDG_CONFIG_HOME=os.path.join(home.path, "config"), XDG_CACHE_HOME=os.path.join(home.path, "cache"),
            XDG_PICTURES_DIR=os.path.join(home.path, "Pictures"), XDG_CURRENT_DESKTOP="GNOME", GIO_USE_VFS="local",
            GSETTINGS_SCHEMA_DIR=os.path.join(BUILD, "data"))
        self.environment.pop("WAYLAND_DISPLAY", None)
        if scheme:
            self.environment["ADW_DEBUG_COLOR_SCHEME"] = scheme
        for name in ("config", "cache"):
            os.makedirs(os.path.join(home.path, name), exist_ok=True)
        self._start_display(size)
        self._start_bus()
        if manager:
            self._start_manager()

    def _start_display(self, size):
        for program in ("Xvfb", "dbus-daemon"):
            if not shutil.which(program):
                raise oriel.Skip(f"{program} is not installed")
        readable, writable = os.pipe()
        # Two that start at the same time may take the same number; tests/ui/display/under-xvfb has the same lock.
        with open(os.path.join(tempfile.gettempdir(), "oriel-xvfb.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # A server that resets when its last client goes drops those that are just coming.
            self.spawn(["Xvfb", "-displayfd", str(writable), "-screen", "0", size + "x24", "-nolisten", "tcp", "-noreset"],
                       pass_fds=[writable])
            os.close(writable)
            with os.fdopen(readable) as pipe:
                number = pipe.readline().strip()
        if not number:
            raise oriel.Skip("Xvfb does not start")
        self.environment["DISPLAY"] = ":" + number

    def _start_bus(self):
        readable, writable = os.pipe()
        self.spawn(["dbus-daemon", "--session", "--nofork", f"--print-address={writable}"], pass_fds=[writable])
        os.close(writable)
        with os.fdopen(readable) as pipe:
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = pipe.readline().strip()

    def _start_manager(self):
        if not shutil.which("openbox"):
            raise oriel.Skip("openbox is not installed")
        self.spawn(["openbox", "--sm-disable"])
        wait_until(lambda: "window id" in self.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "openbox runs")

    def window(self, *arguments):
        """Starts the program."""
        return self.spawn([ORIEL, *arguments])

    def spawn(self, command, **more):
        """Starts a program in a process group of its own; its output goes to files below the home."""
        name = os.path.basename(command[0])
        with open(os.path.join(self.home.path, f"{name}-{len(self.processes)}.log"), "wb") as log:
            process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, **more)
        process.log = log.name
        self.processes.append(process)
        return process

    def spawn_helper(self, command):
        """A program with which the test speaks over pipes."""
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, start_new_session=True)
        process.log = os.devnull
        self.processes.append(process)
        return process

    def run(self, *command, timeout=60):
        """Runs a small program here; returns its output."""
        return subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False).stdout

    def screenshot(self, name):
        """The whole screen as PNG among the artifacts."""
        path = os.path.join(ARTIFACTS or self.home.path, name + ".png")
        self.run("import", "-window", "root", path)
        if not os.path.exists(path):
            raise oriel.Failure("no screenshot: is imagemagick installed?")
        return path

    def wait_window(self, title):
        """Waits for a window of that title (a regular expression). AT-SPI tells only the first window's for sure."""
        wait_until(lambda: self.run("xdotool", "search", "--onlyvisible", "--name", title).split(),
                   f"a window “{title}”")

    def wait_no_window(self, title):
        wait_until(lambda: not self.run("xdotool", "search", "--onlyvisible", "--name", title).split(),
                   f"the window “{title}” goes")

    def window_id(self, title):
        """The X window of that title (a regular expression)."""
        return wait_until(lambda: self.run("xdotool", "search", "--onlyvisible", "--name", title).split(),
                          f"a window “{title}”")[0]

    def geometry(self, title):
        """Where the window is on the screen, with the border that GTK draws: x, y, width, height."""
        found = dict(line.split("=") for line in
                     self.run("xdotool", "getwindowgeometry", "--shell", self.window_id(title)).split() if "=" in line)
        return tuple(int(found[name]) for name in ("X", "Y", "WIDTH", "HEIGHT"))

    def pixels(self, x, y, width, height):
        """RGB bytes of a part of the screen."""
        return subprocess.run(["import", "-window", "root", "-crop", f"{width}x{height}+{x}+{y}", "+repage", "-depth", "8",
                               "rgb:-"], env=self.environment, capture_output=True, timeout=60, check=False).stdout

    def key(self, *keys):
        self.run("xdotool", "key", "--clearmodifiers", *keys)

    def point(self, x, y):
        self.run("xdotool", "mousemove", str(x), str(y))

    def click(self, x, y, button="1"):
        self.run("xdotool", "mousemove", str(x), str(y), "click", button)

    def drag_file(self, path, title):
        """Drags the file out of another program's window, which it starts, and drops it on the window of that title."""
        self.spawn([os.environ["ORIEL_DRAG_SOURCE"], path])
        self.run("xdotool", "windowmove", "--sync", self.window_id("^Files$"), "900", "500")
        x, y, _, _ = self.geometry("^Files$")
        left, top, _, _ = self.geometry(title)
        self.run("xdotool", "mousemove", str(x + 100), str(y + 90), "mousedown", "1")
        for step in range(1, 21):
            self.run("xdotool", "mousemove", str(x + 100 + (left + 300 - x - 100) * step // 20),
                     str(y + 90 + (top + 300 - y - 90) * step // 20))
        self.run("xdotool", "mouseup", "1")

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                try:
                    os.killpg(process.pid, signal.SIGTERM)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind not in (None, oriel.Skip):
            try:
                oriel.report(f"screenshot: {self.screenshot('failure-' + str(os.getpid()))}")
            except Exception as reason:  # the first failure is the one to report
                oriel.report(f"no screenshot: {reason}")
            for process in self.processes:
                with open(process.log, encoding="utf-8", errors="replace") as log:
                    for line in log.read().splitlines()[-20:]:
                        oriel.report(f"{os.path.basename(process.log)}: {line}")
        self.end()
        if kind is None:
            self.check_complaints()

    def check_complaints(self):
        """Fails if the program did what its libraries forbid."""
        for process in self.processes:
            if os.path.basename(process.log).startswith("oriel-"):
                with open(process.log, encoding="utf-8", errors="replace") as log:
                    for line in log:
                        if LACKS not in line and ("-CRITICAL **" in line or "-WARNING **" in line):
                            raise oriel.Failure(line)
