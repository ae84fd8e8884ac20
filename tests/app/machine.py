# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of running machines share: PNG files, engine processes, waiting, raw D-Bus messages."""

import atexit
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import zlib

from oriel import SOURCE, Failure, Skip, check

MIB = 1 << 20
SLOW = 900  # seconds that anything may take where KVM emulates ring 0


def png_read(path):
    """(width, height, RGB bytes) of a PNG file as we write them: 8-bit RGB, no filter."""
    with open(path, "rb") as file:
        data = file.read()
    check(data.startswith(b"\x89PNG\r\n\x1a\n"), "no PNG")
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        check(zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0], "CRC")
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    rows = zlib.decompress(packed)
    step = 1 + width * 3
    return width, height, b"".join(rows[y * step + 1:(y + 1) * step] for y in range(height))


def engine_pid(home, name):
    folder = os.path.realpath(home.json("show", name)["folder"])
    found = {}  # pid -> its parent
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        if words[0].endswith("oriel-engine") and folder in words:
            found[int(pid)] = parent
    # What the engine starts looks like the engine until it has become another program.
    for pid, parent in found.items():
        if parent not in found:
            return pid
    raise Failure(f"no engine of {name}")


def wait_until(condition, what, seconds=SLOW):
    """Looks again and again until condition() is true; returns what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise Failure(f"in {seconds} s: {what}")


def log(home, name, file="engine.log"):
    try:
        with open(os.path.join(home.folder(name), "log", file), encoding="utf-8", errors="replace") as text:
            return text.read()
    except FileNotFoundError:
        return ""


def menu_cd(name):
    """The path of a CD with a boot menu: “grub”, or “menu” for the light one."""
    built = subprocess.run([os.path.join(SOURCE, "tests/lab/images", name + "-iso")], capture_output=True, text=True,
                           check=False)
    if built.returncode != 0:
        raise Skip(built.stderr.strip().splitlines()[-1])
    return os.path.join(built.stdout.strip(), name + ".iso")


def boot_welcome(home, *options, name="Welcome", settings=()):
    """The welcome machine from the beginning, its picture drawn."""
    home.ok("create", name, "--disk", os.environ["ORIEL_WELCOME"], "--memory", "64M", *options)
    if settings:
        home.ok("set", name, *settings)
    home.ok("start", name, timeout=SLOW)
    home.ok("wait", name, "--serial", "^welcome: ready", "--timeout", str(SLOW), timeout=SLOW + 60)


_ready = {}  # what kind of machine -> a folder with one, saved where tests begin


def start_ready(home, name, kind, boot):
    """A machine that `boot`, given its name, makes and brings to where tests begin. That happens once for each kind in a
    test program; after that copies of it go on from there."""
    folder = home.folder(name)
    if kind not in _ready:
        boot(name)
        home.ok("save", name, timeout=SLOW)
        keep = tempfile.mkdtemp(prefix="oriel-ready-")
        atexit.register(shutil.rmtree, keep, ignore_errors=True)
        _ready[kind] = shutil.copytree(folder, os.path.join(keep, name + ".oriel"))
    else:
        shutil.copytree(_ready[kind], folder)
    home.ok("start", name, timeout=SLOW)


def start_welcome(home, cpus="1"):
    """The welcome machine, its picture drawn."""
    start_ready(home, "Welcome", "welcome-" + cpus, lambda name: boot_welcome(home, "--cpus", cpus, name=name))


def said(home, name, pattern):
    """How many lines of the welcome machine since its last start match."""
    return len(re.findall(rf"^welcome: {pattern}\r?$", log(home, name, "serial0.log"), re.M))


def socket_path(home, name, file="engine"):
    return os.path.join(home.runtime, "oriel", home.json("show", name)["uuid"], file)


class Bus:
    """A D-Bus connection to an engine with nothing but what a test sends itself."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        check(self.socket.recv(200).startswith(b"OK "), "the engine does not know its user")
        self.socket.sendall(b"BEGIN\r\n")
        self.serial = 0

    def call(self, member, signature="", body=b""):
        """Sends a call and takes no answer. `body` is little-endian and aligned by the caller."""
        self.serial += 1
        fields = b""
        for code, kind, value in ((1, "o", "/io/github/oriel_vm/Oriel/Engine"),
                                  (2, "s", "io.github.oriel_vm.Oriel.Engine"), (3, "s", member),
                                  (8, "g", signature)):
            if not value:
                continue
            fields += bytes(-len(fields) % 8) + bytes([code, 1]) + kind.encode() + b"\0"
            text = value.encode()
            fields += (bytes([len(text)]) if kind == "g" else struct.pack("<I", len(text))) + text + b"\0"
        header = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), self.serial, len(fields)) + fields
        self.socket.sendall(header + bytes(-len(header) % 8) + body)

    def key(self, code, down):
        self.call("Key", "ub", struct.pack("<II", code, down))

    def close(self):
        self.socket.close()
