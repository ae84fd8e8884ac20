#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The welcome machine on this host's /dev/kvm, used through orielctl and VNC as a person would."""

import os
import re
import struct
import sys
import time

from oriel import Failure, check, main
from rfb import Client

IMAGE = sys.argv[1]
DATA_OFFSET = 2048 * 512
SLOW = 900  # seconds that anything may take where KVM emulates ring 0


def said(home, name):
    path = os.path.join(home.folder(name), "log", "serial0.log")
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii", errors="replace") as file:
        return [line[9:] for line in file.read().splitlines() if line.startswith("welcome: ")]


def expect(home, name, pattern, count=1):
    """Waits until so many lines of the machine match; returns them."""
    end = time.monotonic() + SLOW
    while time.monotonic() < end:
        lines = [line for line in said(home, name) if re.fullmatch(pattern, line)]
        if len(lines) >= count:
            return lines
        time.sleep(0.1)
    raise Failure(f"the machine did not say {pattern!r} {count} times: {said(home, name)}")


def start(home, name):
    home.ok("start", name, timeout=SLOW)
    home.ok("wait", name, "--serial", "^welcome: ready", "--timeout", str(SLOW), timeout=SLOW + 60)


def starts_on_disk(home, name):
    with open(os.path.join(home.folder(name), "disks", "disk0.raw"), "rb") as file:
        file.seek(DATA_OFFSET)
        return struct.unpack("<4sI", file.read(8))


def test_picture_moves(home):
    home.ok("create", "Welcome", "--disk", IMAGE, "--memory", "64M", "--cpus", "2")
    start(home, "Welcome")
    client = Client(home.ok("vnc", "Welcome").strip())
    width, height, first = client.picture()
    check((width, height) == (1280, 800), f"{width} x {height}")
    colors = set(zip(first[0::3], first[1::3], first[2::3]))
    check(len(colors) > 1000, f"only {len(colors)} colours")
    for _ in range(SLOW):
        if client.picture()[2] != first:
            break
        time.sleep(1)
    else:
        raise Failure("nothing moves")
    client.close()


def test_keys_and_pointer(home):
    home.ok("create", "Welcome", "--disk", IMAGE, "--memory", "64M")
    start(home, "Welcome")
    home.ok("type", "Welcome", "aB 1?")
    for name in ("a", "B", "Space", "1", r"\?"):
        expect(home, "Welcome", "key " + name)
    home.ok("key", "Welcome", "left")
    expect(home, "Welcome", "key Left")
    client = Client(home.ok("vnc", "Welcome").strip())
    client.picture()
    client.key(0xffc2, 0x3f)  # F5
    expect(home, "Welcome", "key F5")
    client.pointer(400, 300)
    client.pointer(430, 280)
    expect(home, "Welcome", r"pointer \d+ \d+ 0")
    client.pointer(430, 280, 1)
    client.pointer(430, 280, 0)
    down = expect(home, "Welcome", r"pointer \d+ \d+ 1")
    check(down[0].split()[1:3] != ["640", "400"], f"the pointer did not move: {said(home, 'Welcome')}")
    client.close()


def test_starts_are_counted_on_the_disk(home):
    home.ok("create", "Welcome", "--disk", IMAGE, "--memory", "64M")
    start(home, "Welcome")
    expect(home, "Welcome", "starts 1")

    home.ok("key", "Welcome", "r")
    expect(home, "Welcome", "again restart")
    home.ok("key", "Welcome", "r")
    expect(home, "Welcome", "restart")
    expect(home, "Welcome", "starts 2")
    expect(home, "Welcome", "ready", 2)

    home.ok("shutdown", "Welcome")  # the power button
    home.ok("wait", "Welcome", "--state", "stopped", "--timeout", str(SLOW), timeout=SLOW + 60)
    check(said(home, "Welcome")[-1] == "off", f"it said {said(home, 'Welcome')}")
    check(starts_on_disk(home, "Welcome") == (b"WRIL", 2), f"{starts_on_disk(home, 'Welcome')} on the disk")

    start(home, "Welcome")
    expect(home, "Welcome", "starts 3")
    home.ok("type", "Welcome", "s")
    expect(home, "Welcome", "again off")
    home.run("type", "Welcome", "s")  # the engine may be gone before it answers
    home.ok("wait", "Welcome", "--state", "stopped", "--timeout", str(SLOW), timeout=SLOW + 60)


if __name__ == "__main__":
    main(test_picture_moves, test_keys_and_pointer, test_starts_are_counted_on_the_disk)
