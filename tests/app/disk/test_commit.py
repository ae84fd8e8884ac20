#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk commit with qemu-img as the oracle: what an overlay has reaches the image below, and nothing is lost
when the work is killed, cancelled or out of room."""

import fcntl
import hashlib
import os
import random
import shutil
import signal
import struct
import subprocess
import time

from disk_bench import MIB, Images
from oriel import ORIELCTL, check, main, small_file_system


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Bench(Images):
    """Images and overlays with something in them."""

    def base(self, name, form, size, *options):
        """An image with something in it."""
        with open(self.path("content"), "wb") as file:
            file.write(random.Random(1).randbytes(3 * MIB))
            file.truncate(size)
        self.qemu("convert", "-f", "raw", "-O", form, *options, "content", name)
        os.unlink(self.path("content"))

    def overlay(self, name, base, form, *more):
        self.qemu("create", "-f", "qcow2", "-b", base, "-F", form, name, *more)
        return self.path(name)

    def expect(self, overlay):
        """What the disk reads now, by qemu-img."""
        self.qemu("convert", "-f", "qcow2", "-O", "raw", overlay, "expected.raw")

    def is_expected(self, name, form):
        self.qemu("compare", "-f", form, "-F", "raw", name, "expected.raw")
        if form == "qcow2":  # what a kill left is unused, never wrong
            self.qemu("check", "-f", "qcow2", name, codes=(0, 3))


def test_what_is_on_top_goes_down(home):
    bench = Bench(home)
    for number, (form, size, options, more) in enumerate((
            ("qcow2", 16 * MIB, (), ()), ("qcow2", 16 * MIB, ("-o", "cluster_size=4k"), ()), ("raw", 16 * MIB, (), ()),
            ("qcow2", 16 * MIB, ("-c",), ()), ("qcow2", 8 * MIB, (), ("16M",)), ("raw", 8 * MIB, (), ("16M",)))):
        base, over = f"b{number}.{form}", f"o{number}.qcow2"
        bench.base(base, form, size, *options)
        path = bench.overlay(over, base, form, *more)
        bench.io(over, "write -P 7 1M 3M", "write -P 9 5000k 12k", "write -z 0 64k", "write -c -P 5 7M 64k",
                    "write -P 3 7900k 200k", "discard 2M 64k")
        bench.expect(over)
        before = digest(path)
        home.ok("disk", "commit", path)
        bench.is_expected(base, form)
        bench.is_expected(over, "qcow2")
        check(digest(path) == before, f"{over} has changed")
        home.ok("disk", "commit", path)
        bench.is_expected(base, form)


def test_only_the_next_image_is_changed(home):
    bench = Bench(home)
    bench.base("lowest.raw", "raw", 8 * MIB)
    bench.overlay("middle.qcow2", "lowest.raw", "raw")
    bench.io("middle.qcow2", "write -P 1 1M 1M")
    path = bench.overlay("top.qcow2", "middle.qcow2", "qcow2")
    bench.io("top.qcow2", "write -P 2 1500k 1k", "write -P 2 5M 5k")  # copies parts of clusters from below
    before = digest(bench.path("lowest.raw"))
    bench.expect("top.qcow2")
    home.ok("disk", "commit", path)
    bench.is_expected("middle.qcow2", "qcow2")
    check(digest(bench.path("lowest.raw")) == before, "the lowest image has changed")


def lock(file, kind):
    fcntl.fcntl(file, 37, struct.pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK


def test_what_is_refused(home):
    bench = Bench(home)
    bench.base("base.qcow2", "qcow2", 4 * MIB)
    over = bench.overlay("over.qcow2", "base.qcow2", "qcow2")
    base = bench.path("base.qcow2")
    before = digest(base)
    home.fails(2, "disk", "commit")
    home.fails(10, "disk", "commit", base, words=["base.qcow2", "no other image"])
    bench.base("base.vmdk", "vmdk", 4 * MIB)
    home.fails(10, "disk", "commit", bench.overlay("v.qcow2", "base.vmdk", "vmdk"), words=["base.vmdk", "only read"])
    os.mkdir(bench.path("sub"))
    bench.qemu("create", "-f", "qcow2", "-b", "../base.qcow2", "-F", "qcow2", "sub/x.qcow2")
    home.fails(10, "disk", "commit", bench.path("sub/x.qcow2"), words=["own folder"])
    os.symlink("../base.qcow2", bench.path("sub/link.qcow2"))
    bench.qemu("create", "-f", "qcow2", "-b", "link.qcow2", "-F", "qcow2", "sub/y.qcow2")
    home.fails(10, "disk", "commit", bench.path("sub/y.qcow2"), words=["link.qcow2"])
    bench.overlay("gone.qcow2", "base.qcow2", "qcow2")
    bench.qemu("rebase", "-u", "-f", "qcow2", "-b", "none.qcow2", "-F", "qcow2", "gone.qcow2")
    home.fails(11, "disk", "commit", bench.path("gone.qcow2"), words=["none.qcow2"])
    bench.qemu("rebase", "-u", "-f", "qcow2", "-b", "over.qcow2", "-F", "qcow2", "gone.qcow2")
    bench.qemu("rebase", "-u", "-f", "qcow2", "-b", "gone.qcow2", "-F", "qcow2", "over.qcow2")
    home.fails(14, "disk", "commit", over)  # a ring: the file is in use by itself
    bench.qemu("rebase", "-u", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "over.qcow2")
    for path, kind in ((base, fcntl.F_RDLCK), (over, fcntl.F_WRLCK)):
        with open(path, "r+b") as file:
            lock(file, kind)
            home.fails(14, "disk", "commit", over, words=["in use"])
    check(digest(base) == before, "the base has changed")
    home.ok("disk", "commit", over)


def test_disks_of_a_saved_machine_stay(home):
    home.ok("create", "One", "--disk", "8M")
    bench = Bench(home, home.folder("One") + "/disks")
    over = bench.overlay("over.qcow2", "disk0.qcow2", "qcow2")
    os.mkdir(home.folder("One") + "/saved")
    home.fails(18, "disk", "commit", over, words=["over.qcow2", "saved"])


def worker_of(process):
    """The process that writes; None if it is over."""
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with open(children, encoding="ascii") as file:
                for child in file.read().split():
                    with open(f"/proc/{child}/cmdline", "rb") as line:
                        if b"--change" in line.read():
                            return int(child)
        except OSError:
            continue
    return None


def large(home):
    """An overlay of 64 MiB over an empty image."""
    bench = Bench(home)
    bench.base("base.qcow2", "qcow2", 128 * MIB)
    over = bench.overlay("over.qcow2", "base.qcow2", "qcow2")
    bench.io("over.qcow2", "write -P 7 0 64M", "write -z 64M 1M", "write -P 8 100M 1M")
    bench.expect("over.qcow2")
    return bench, over, digest(over)


def test_a_kill_loses_nothing(home):
    """Of the worker or its caller, at random moments; the disk reads as before, and a second commit ends it."""
    bench, over, before = large(home)
    generator = random.Random(int(os.environ.get("ORIEL_TEST_SEED", "3")))
    shutil.copy(bench.path("base.qcow2"), bench.path("first.qcow2"))
    hits = 0
    for attempt in range(6):
        shutil.copy(bench.path("first.qcow2"), bench.path("base.qcow2"))
        process = subprocess.Popen([ORIELCTL, "disk", "commit", over], env=home.environment, stderr=subprocess.PIPE,
                                   text=True)
        worker = worker_of(process)
        if attempt > 1:
            time.sleep(generator.random() * 0.3)
        try:
            os.kill(worker if attempt % 2 == 0 and worker else process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was faster
        error = process.communicate(timeout=120)[1]
        hits += process.returncode != 0
        if process.returncode == 20:
            check("oriel-worker ended" in error and "base.qcow2" in error, error)
        end = time.monotonic() + 60
        while worker and os.path.exists(f"/proc/{worker}") and time.monotonic() < end:
            time.sleep(0.01)
        check(digest(over) == before, "the overlay has changed")
        bench.is_expected("over.qcow2", "qcow2")
    check(hits > 0, "never killed in time")
    home.ok("disk", "commit", over)
    bench.is_expected("base.qcow2", "qcow2")


def test_cancelling_says_what_is(home):
    bench, over, before = large(home)
    process = subprocess.Popen([ORIELCTL, "disk", "commit", over], env=home.environment, stderr=subprocess.PIPE, text=True)
    worker = worker_of(process)
    os.kill(worker, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    os.kill(worker, signal.SIGCONT)
    error = process.communicate(timeout=120)[1]
    if process.returncode != 0:
        check("ancelled" in error and "over.qcow2" in error and "still has everything" in error, error)
    check(digest(over) == before, "the overlay has changed")
    bench.is_expected("over.qcow2", "qcow2")
    home.ok("disk", "commit", over)
    bench.is_expected("base.qcow2", "qcow2")


def test_a_full_disk_loses_nothing(home):
    place = home.path + "/place"
    with small_file_system(place, "14m"):
        bench = Bench(home, place)
        bench.qemu("create", "-f", "qcow2", "base.qcow2", "32M")
        over = bench.overlay("over.qcow2", "base.qcow2", "qcow2")
        bench.io("over.qcow2", "write -P 7 0 10M")
        before = digest(over)
        home.fails(17, "disk", "commit", over, words=["base.qcow2", "over.qcow2", "still has everything"])
        check(digest(over) == before, "the overlay has changed")
        subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        bench.expect("over.qcow2")
        home.ok("disk", "commit", over)
        bench.is_expected("base.qcow2", "qcow2")


main(test_what_is_on_top_goes_down, test_only_the_next_image_is_changed, test_what_is_refused,
     test_disks_of_a_saved_machine_stay, test_a_kill_loses_nothing, test_cancelling_says_what_is,
     test_a_full_disk_loses_nothing)
