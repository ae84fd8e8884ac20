#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""oriel-worker as a process: killed, left behind, short of room; and nothing of its work stays half done."""

import hashlib
import os
import random
import signal
import subprocess
import tarfile
import time

from oriel import ORIELCTL, Skip, check, main, small_file_system

MIB = 1 << 20
SIZE = 32 * MIB
HOST = 20
HIDDEN = ".oriel-unfinished-"
OVF = f"""<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><References><File ovf:id="f" ovf:href="disk.raw"/></References>
 <DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="{SIZE}"/></DiskSection>
 <VirtualSystem ovf:id="x"><Info/><Name>Box</Name></VirtualSystem></Envelope>"""


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def worker_of(process, patience=60):
    """The worker's process id; None if orielctl ends without one."""
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
                for child in file.read().split():
                    if os.path.basename(os.readlink(f"/proc/{child}/exe")) == "oriel-worker":
                        return int(child)
        except OSError:
            continue  # one of them has just ended
    return None


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Place:
    """A disk, an appliance and a machine of it, and a folder for what is made."""

    def __init__(self, home):
        self.home = home
        self.disk = home.file("disk.raw", random.Random(7).randbytes(SIZE))
        self.ova = home.path + "/box.ova"
        with tarfile.open(self.ova, "w", format=tarfile.USTAR_FORMAT) as tar:
            tar.add(home.file("box.ovf", OVF.encode()), "box.ovf")
            tar.add(self.disk, "disk.raw")
        self.out = home.path + "/out"
        os.mkdir(self.out)
        home.ok("create", "Own", "--disk", self.disk)
        self.sources = [self.disk, self.ova, home.folder("Own") + "/disks/disk0.raw"]
        self.sources = [path for path in self.sources if os.path.exists(path)]
        self.before = [digest(path) for path in self.sources]

    def commands(self):
        return [["disk", "convert", self.disk, self.out + "/t.vmdk"], ["disk", "convert", self.disk, self.out + "/t.vhdx"],
                ["import", self.ova, "--name", "Taken"], ["export", "Own", self.out + "/own.ova"],
                ["export", "Own", self.out + "/own"]]

    def start(self, command):
        return subprocess.Popen([ORIELCTL, *command], env=self.home.environment, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def made(self):
        """Everything that stands for a result, also a hidden one."""
        machines = self.home.data + "/oriel/machines"
        return sorted(os.listdir(self.out)) + sorted(name for name in os.listdir(machines) if name != "Own.oriel")

    def clear(self):
        for name in self.made():
            for folder in (self.out, self.home.data + "/oriel/machines"):
                subprocess.run(["rm", "-rf", os.path.join(folder, name)], check=True)

    def check_sources(self):
        check([digest(path) for path in self.sources] == self.before, "a source has changed")


def test_a_killed_worker_leaves_nothing(home):
    """At random moments, the first of them as early as can be: the caller says so and cleans up."""
    place = Place(home)
    generator = random.Random(int(os.environ.get("ORIEL_TEST_SEED", "5")))
    for command in place.commands():
        hits = 0
        for attempt in range(4):
            process = place.start(command)
            worker = worker_of(process)
            if attempt:
                time.sleep(generator.random() * 0.2)
            if worker and process.poll() is None:
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it was faster
            error = process.communicate(timeout=120)[1]
            if process.returncode == 0:
                check(len(place.made()) == 1, f"{command}: {place.made()}")
                place.clear()
                continue
            hits += 1
            check(process.returncode == HOST and "oriel-worker ended" in error, f"{command}: {process.returncode} {error}")
            check(place.made() == [], f"{command}: {place.made()} is left behind")
        check(hits > 0, f"{command}: never killed in time")
    place.check_sources()


def test_a_worker_ends_with_its_caller(home):
    """What it had begun is nameless or hidden, and goes with the next such work there."""
    place = Place(home)
    for command in place.commands():
        process = place.start(command)
        worker = worker_of(process)
        process.kill()
        process.communicate(timeout=120)
        end = time.monotonic() + 60
        while worker and is_alive(worker) and time.monotonic() < end:
            time.sleep(0.01)
        check(worker and not is_alive(worker), f"{command}: the worker goes on")
        if process.returncode == -signal.SIGKILL:
            check(all(name.startswith(HIDDEN) for name in place.made()), f"{command}: {place.made()}")
            home.ok(*command)
            check(len(place.made()) == 1, f"{command}: {place.made()}")
        place.clear()
    place.check_sources()


def test_cancelling_a_worker_that_does_not_listen(home):
    """One that stands still is ended, a few seconds later."""
    place = Place(home)
    process = place.start(["disk", "convert", place.disk, place.out + "/t.qcow2"])
    worker = worker_of(process)
    os.kill(worker, signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=120)[1]
        check(process.returncode != 0 and "ancelled" in error or process.returncode == -signal.SIGINT,
              f"{process.returncode} {error}")
        end = time.monotonic() + 60
        while is_alive(worker) and time.monotonic() < end:
            time.sleep(0.01)
        check(not is_alive(worker) and place.made() == [], f"{place.made()}")
    finally:
        if is_alive(worker):  # one that stands still would do so for ever
            os.kill(worker, signal.SIGKILL)
    place.check_sources()


def test_the_sandbox_is_on(home):
    """As the kernel says it of a worker at work."""
    place = Place(home)
    process = place.start(["disk", "convert", place.disk, place.out + "/t.qcow2"])
    worker = worker_of(process)
    end = time.monotonic() + 60
    found = {}
    while process.poll() is None and time.monotonic() < end and found.get("Seccomp") != "2":
        try:
            with open(f"/proc/{worker}/status", encoding="ascii", errors="replace") as file:
                found = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except OSError:
            break
    process.communicate(timeout=120)
    if "Seccomp" not in found:
        raise Skip("the worker was too fast to be looked at")
    check(found["Seccomp"] == "2" and found["NoNewPrivs"] == "1", f"{found['Seccomp']} {found['NoNewPrivs']}")


def test_no_room(home):
    place = Place(home)
    small = home.path + "/small"
    with small_file_system(small, "8m"):
        for command in (["disk", "convert", place.disk, small + "/t.vmdk"], ["import", place.ova, "--dir", small],
                        ["export", "Own", small + "/own.ova"]):
            home.fails(17, *command)
            check(os.listdir(small) == [], f"{command}: {os.listdir(small)}")
    place.check_sources()


main(test_a_killed_worker_leaves_nothing, test_a_worker_ends_with_its_caller,
     test_cancelling_a_worker_that_does_not_listen, test_the_sandbox_is_on, test_no_room)
