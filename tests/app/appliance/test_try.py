#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl try: an exported appliance runs straight from its archive, and nothing of it is left."""

import hashlib
import json
import os
import signal
import subprocess
import time

from oriel import ORIELCTL, Skip, check, main

INVALID = 10
MIB = 1 << 20


def boot_disk():
    """A disk whose boot sector writes itself to the next sector and says so on the first serial port."""
    text = b"on the air\n\0"
    code = bytes.fromhex(
        "31c08ed88ec0"  # xor ax, ax; mov ds, ax; mov es, ax
        "bb007c"        # mov bx, 7c00
        "b80103"        # mov ax, 0301: write one sector
        "b90200"        # mov cx, 0002
        "b600"          # mov dh, 0
        "cd13"          # int 13 (dl is the disk)
        "be247c"        # mov si, text
        "baf803"        # mov dx, 3f8
        "ac84c07403ee"  # lodsb; test al, al; jz +3; out dx, al
        "ebf8"          # jmp lodsb
        "f4ebfd")       # hlt; jmp hlt
    check(len(code) == 0x24, f"the text's place: {len(code):#x}")
    sector = (code + text).ljust(510, b"\0") + b"\x55\xaa"
    return sector + bytes(8 * MIB - 512)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Trial:
    """orielctl try, until its machine has said that it runs."""

    def __init__(self, home, path, *options):
        self.home = home
        self.process = subprocess.Popen([ORIELCTL, "try", path, "--json", *options], env=home.environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        check(line, "it does not start" if self.process.poll() is None else self.process.stderr.read())
        text = line
        while text.count("{") != text.count("}") or "{" not in text:
            text += self.process.stdout.readline()
        self.folder = json.loads(text)["folder"]

    def wait_for_guest(self):
        self.home.ok("wait", self.folder, "--serial", "on the air", "--timeout", "100")

    def end(self, how):
        if isinstance(how, str):
            self.home.ok(how, self.folder)
        else:
            self.process.send_signal(how)
        self.process.communicate(timeout=60)


def machines(home):
    folder = os.path.join(home.data, "oriel", "machines")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def made(home):
    if not os.access("/dev/kvm", os.W_OK):
        raise Skip("there is no /dev/kvm")
    raw = home.file("boot.raw", boot_disk())
    home.ok("create", "Own", "--disk", raw, "--memory", "64M", "--cpus", "1")
    path = home.path + "/own.ova"
    home.ok("export", "Own", path)
    home.ok("delete", "Own", "--permanently")
    return path


def test_from_the_archive(home):
    path = made(home)
    before = digest(path)
    for how in ("stop", signal.SIGINT):
        trial = Trial(home, path)
        if how == "stop":
            trial.wait_for_guest()
        check(home.json("list") == [], "it is no machine of the library")
        check(os.path.getsize(trial.folder + "/disks/disk0.qcow2") < MIB, "only the difference is there")
        trial.end(how)
        check(machines(home) == [], f"left after {how}: {machines(home)}")
    check(digest(path) == before, "the archive is as it was")


def test_killed(home):
    path = made(home)
    trial = Trial(home, path)
    pid = next(int(name) for name in os.listdir("/proc") if name.isdigit() and trial.folder in command(name))
    trial.process.kill()
    trial.process.communicate()
    end = time.monotonic() + 120
    while ("Z" not in state(pid) or threads(pid) > 1) and time.monotonic() < end:  # the last of them closes the lock
        time.sleep(0.01)
    check("Z" in state(pid), "the engine ends with its caller")
    check(len(machines(home)) == 1, f"what was killed is there: {machines(home)}")
    second = Trial(home, path)
    second.end(signal.SIGTERM)
    check(machines(home) == [], f"the next one cleans up: {machines(home)}")


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return ""
    return text if "oriel-engine" in text.split("\0")[0] else ""


def words(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return []


def threads(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def tried(home, path, *options, large=False):
    """It runs, and goes without a trace."""
    trial = Trial(home, path, *options)
    trial.wait_for_guest()
    size = os.path.getsize(trial.folder + "/disks/disk0.qcow2")
    check(large or size < MIB, f"only the difference is there: {size}")
    files = os.listdir(trial.folder + "/disks")
    trial.end("stop")
    check(machines(home) == [], f"left: {machines(home)}")
    return files


def test_packed_and_in_pieces(home):
    """What is packed is unpacked, once, and read there; what is in pieces is put together first."""
    if not os.access("/dev/kvm", os.W_OK):
        raise Skip("there is no /dev/kvm")
    raw = home.file("boot.raw", boot_disk())
    subprocess.run(["gzip", "-k", raw], check=True)
    tried(home, raw + ".gz")
    folder = home.path + "/pieces"
    os.mkdir(folder)
    subprocess.run(["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", raw, folder + "/boot.vmdk"],
                   check=True)
    check(len(os.listdir(folder)) == 2, os.listdir(folder))
    tried(home, folder + "/boot.vmdk", large=True)


def test_with_a_cd(home):
    """The CD of an appliance is in its drive; an empty disk beside it."""
    if not os.access("/dev/kvm", os.W_OK):
        raise Skip("there is no /dev/kvm")
    folder = home.path + "/box"
    os.mkdir(folder)
    iso = bytearray(64 * 2048)
    iso[16 * 2048:16 * 2048 + 7] = b"\x01CD001\x01"
    iso[16 * 2048 + 80:16 * 2048 + 84] = (64).to_bytes(4, "little")
    iso[16 * 2048 + 128:16 * 2048 + 130] = (2048).to_bytes(2, "little")
    iso[17 * 2048:17 * 2048 + 7] = b"\xffCD001\x01"
    for name, content in (("boot.raw", boot_disk()), ("tools.iso", bytes(iso))):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    with open(folder + "/box.vmx", "w", encoding="utf-8") as file:
        file.write('config.version = "8"\ndisplayName = "Box"\nguestOS = "other"\nmemsize = "64"\nsata0.present = "TRUE"\n'
                   'sata0:0.present = "TRUE"\nsata0:0.fileName = "boot.raw"\nsata0:1.present = "TRUE"\n'
                   'sata0:1.deviceType = "cdrom-image"\nsata0:1.fileName = "tools.iso"\n')
    files = tried(home, folder + "/box.vmx")
    check(sorted(files) == ["cdrom1.iso", "disk0.qcow2"], files)


def test_an_engine_that_does_not_heed(home):
    """It is killed after a while, and whoever tried the appliance goes on."""
    home.environment["ORIEL_ENGINE"] = os.environ["ORIEL_FAKE_ENGINE"]
    raw = home.file("boot.raw", boot_disk())
    trial = Trial(home, raw)
    pid = next(int(name) for name in os.listdir("/proc") if name.isdigit() and "--until-fd" in words(name)
               and trial.folder in words(name))
    os.kill(pid, signal.SIGSTOP)
    trial.end(signal.SIGINT)
    check(state(pid) == "Z", f"the engine is {state(pid)}")
    check(machines(home) == [], f"left: {machines(home)}")


def test_refused(home):
    overlay = home.path + "/overlay.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "lent:disk0", "-F", "raw", "-u", overlay, "1M"], check=True)
    home.ok("create", "Thief", "--disk", "1M")
    os.replace(overlay, home.folder("Thief") + "/disks/disk0.qcow2")
    home.fails(INVALID, "start", "Thief", words=["lent:disk0"])
    check(machines(home) == ["Thief.oriel"], f"left: {machines(home)}")


main(test_from_the_archive, test_packed_and_in_pieces, test_with_a_cd, test_killed,
     test_an_engine_that_does_not_heed, test_refused)
