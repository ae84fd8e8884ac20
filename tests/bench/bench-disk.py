#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk images beside qemu-img, on the same files in the same run: converting, exporting, importing, opening, and
small random requests. Whole-process time; the processor's time, which a busy computer changes less; peak memory.

usage: bench-disk.py [--size MIB] [--rounds N] [NAME...]

qemu-img's own default does not make the result durable; ours does. So each conversion is shown beside qemu-img
followed by a sync of the result and its folder, and the time without that is in the last column. Both sides take turns at being
first, and begin when the host has written everything that was written before.
"""
import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ["ORIEL_BUILD"]
ORIELCTL = os.path.join(BUILD, "app/orielctl")
MIB = 1 << 20


def child(command):
    """Seconds, seconds of processor, and peak MiB of a process."""
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execvp(command[0], command)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{command}: {status}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def sync(path):
    """What ours does, too: the file and its name are durable."""
    start = time.monotonic()
    for name, flags, call in ((path, os.O_RDWR, os.fdatasync), (os.path.dirname(path), os.O_RDONLY, os.fsync)):
        fd = os.open(name, flags)
        call(fd)
        os.close(fd)
    return time.monotonic() - start


def take_turns(rounds, ours, theirs):
    """What both return, a list each; the host's disk has nothing to do when one begins."""
    results = ([], [])
    for number in range(rounds):
        for side in ((0, 1), (1, 0))[number % 2]:
            os.sync()
            results[side].append((ours, theirs)[side]())
    return results


def source_make(path, size):
    """A third random, a third text that compresses, a third empty, mixed in pieces of 1 to 8 MiB."""
    generator = random.Random(5)
    text = b"".join(b"%08d the quick brown fox jumps over the lazy dog\n" % n for n in range(MIB // 54))
    with open(path, "wb") as file:
        while file.tell() < size * MIB:
            piece = generator.randint(1, 8) * MIB
            kind = generator.randint(0, 2)
            if kind == 0:
                file.write(generator.randbytes(piece))
            elif kind == 1:
                for _ in range(piece // MIB):
                    file.write(text.ljust(MIB, b"x"))
            else:
                file.seek(piece, os.SEEK_CUR)
        file.truncate(size * MIB)


CONVERSIONS = [
    ("raw", "qcow2", [], []), ("qcow2", "raw", [], []), ("vmdk", "qcow2", [], []), ("vhdx", "qcow2", [], []),
    ("qcow2", "vhdx", [], []), ("vdi", "qcow2", [], []), ("qcow2", "qcow2", ["--compress"], ["-c"]),
    ("qcow2", "qcow2", ["--zstd"], ["-c", "-o", "compression_type=zstd"]),
    ("qcow2", "vmdk", [], ["-o", "subformat=streamOptimized"]), ("stream", "qcow2", [], []),
]


class Files:
    def __init__(self, folder, size):
        self.folder = folder
        self.base = self.path("base.raw")
        source_make(self.base, size)
        self.made = {"raw": self.base}

    def path(self, name):
        return os.path.join(self.folder, name)

    def source(self, kind):
        if kind not in self.made:
            target = self.path("source." + kind)
            form, options = ("vmdk", ["-o", "subformat=streamOptimized"]) if kind == "stream" else (kind, [])
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, *options, self.base, target], check=True)
            self.made[kind] = target
        return self.made[kind]

    def warm(self, kind):
        """Both sides find the source in memory."""
        with open(self.source(kind), "rb") as file:
            while file.read(MIB):
                pass

    def machine(self):
        """A library of one machine, Bench, with the source as its disk."""
        home = self.path("home")
        if not os.path.exists(home):
            os.makedirs(home + "/run", mode=0o700)
            os.environ.update(XDG_DATA_HOME=home, XDG_RUNTIME_DIR=home + "/run")
            subprocess.run([ORIELCTL, "create", "Bench", "--disk", self.source("qcow2")], check=True, capture_output=True)

    def ours(self, kind, to, options):
        source, target = self.source(kind), self.path("target." + to)
        seconds, cpu, memory = child([ORIELCTL, "disk", "convert", source, target, *options])
        os.unlink(target)
        return seconds, cpu, memory

    def theirs(self, kind, to, options):
        source, target = self.source(kind), self.path("target." + to)
        form = "vmdk" if kind == "stream" else kind
        seconds, cpu, memory = child(["qemu-img", "convert", "-f", form, "-O", to, *options, source, target])
        durable = seconds + sync(target)
        os.unlink(target)
        return seconds, durable, cpu, memory


def figures(values, unit=""):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f}){unit}"


def row(what, ours, theirs, more=""):
    ratio = statistics.median(ours) / statistics.median(theirs)
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"{what:34} {figures(ours):>22} {figures(theirs):>22} {ratio:5.2f} ({min(ratios):.2f}-{max(ratios):.2f}) {more}",
          flush=True)


def conversions(files, rounds, names):
    print(f"{'convert':34} {'ours, s':>22} {'qemu-img, s':>22} ratio (spread)")
    for kind, to, ours_options, their_options in CONVERSIONS:
        name = f"{kind} to {to} {' '.join(ours_options)}".strip()
        if names and not any(word in name for word in names):
            continue
        files.warm(kind)
        ours, theirs = take_turns(rounds, lambda: files.ours(kind, to, ours_options),
                                  lambda: files.theirs(kind, to, their_options))
        seconds, used, peak = zip(*ours)
        plain, durable, their_used, their_peak = zip(*theirs)
        cpu = [a / b for a, b in zip(used, their_used)]
        row(name, seconds, durable,
            f"processor {figures(cpu)}; not durable {figures(plain)}; {max(peak):.0f} and {max(their_peak):.0f} MiB")


def opening(files, rounds):
    print(f"\n{'open (disk info), empty disk of':34} {'ours, s':>22} {'qemu-img, s':>22} ratio (spread)")
    for size in ("1G", "64G", "1T", "8T"):
        image = files.path("open.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, size], check=True)
        ours, theirs = take_turns(rounds * 3, lambda: child([ORIELCTL, "disk", "info", image])[0],
                                  lambda: child(["qemu-img", "info", "-f", "qcow2", image])[0])
        row(size, ours, theirs)
        os.unlink(image)


def requests(files, rounds):
    """4 KiB at random places of a 64 GiB qcow2: our image code beside qemu-img bench (QEMU's block layer, no NBD
    between), queue depth 4 and 4 threads."""
    print(f"\n{'4 KiB requests, 64 GiB qcow2':34} {'ours, s':>22} {'qemu-img, s':>22} ratio (spread)")
    count = 20000
    for what, flag in (("random reads", "read"), ("random writes", "write"), ("writes, flush every 64", "flush")):
        ours, theirs = [], []
        for _ in range(rounds):
            image = files.path("requests.qcow2")
            for values, who in ((ours, 0), (theirs, 1)):
                # Reads find every cluster in the tables, and a hole in the file behind it.
                whole = ["-o", "preallocation=metadata"] if flag == "read" else []
                subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *whole, image, "64G"], check=True)
                if who == 0:
                    out = subprocess.run([os.path.join(BUILD, "tests/bench/disk_requests"), image, flag, str(count)],
                                         check=True, capture_output=True, text=True).stdout
                    values.append(float(out))
                else:
                    options = {"read": [], "write": ["-w"], "flush": ["-w", "--flush-interval=64"]}[flag]
                    step = 12345 * 4096
                    out = subprocess.run(["qemu-img", "bench", "-f", "qcow2", "-t", "writeback", "-c", str(count), "-d",
                                          "4", "-s", "4096", "-S", str(step), *options, image], check=True,
                                         capture_output=True, text=True).stdout
                    values.append(float(out.split("Run completed in ")[1].split()[0]))
                os.unlink(image)
        row(what, ours, theirs)


def exports(files, rounds):
    """A machine as an OVA: written and, as is usual with ours, read again; beside qemu-img, sha256sum and tar, which
    need the disk's space twice."""
    print(f"\n{'export to OVA':34} {'ours, s':>22} {'qemu-img+tar, s':>22} ratio (spread)")
    files.machine()
    target, vmdk = files.path("target.ova"), files.path("disk1.vmdk")
    files.warm("qcow2")
    for what, options in (("qcow2, verified", []), ("qcow2, not verified", ["--no-verify"])):
        def our_export():
            seconds, _, peak = child([ORIELCTL, "export", "Bench", target, *options])
            size = os.path.getsize(target)
            os.unlink(target)
            return seconds, size, peak

        def their_export():
            seconds = child(["qemu-img", "convert", "-f", "qcow2", "-O", "vmdk", "-o", "subformat=streamOptimized",
                             files.source("qcow2"), vmdk])[0]
            seconds += child(["sha256sum", vmdk])[0]
            seconds += child(["tar", "--format=ustar", "-C", files.folder, "-cf", target, "disk1.vmdk"])[0]
            seconds += sync(target)
            size = os.path.getsize(target)
            os.unlink(target)
            os.unlink(vmdk)
            return seconds, size

        ours, theirs = take_turns(rounds, our_export, their_export)
        seconds, sizes, peaks = zip(*ours)
        their_seconds, their_sizes = zip(*theirs)
        row(what, seconds, their_seconds,
            f"{max(sizes) / MIB:.0f} and {max(their_sizes) / MIB:.0f} MiB; peak {max(peaks):.0f} MiB")


def imports(files, rounds):
    """An OVA as a machine, its digests checked on the way; beside tar and qemu-img, which need the archive's space twice."""
    print(f"\n{'import of an OVA':34} {'ours, s':>22} {'tar+qemu-img, s':>22} ratio (spread)")
    files.machine()
    archive, target = files.path("appliance.ova"), files.path("target.qcow2")
    subprocess.run([ORIELCTL, "export", "Bench", archive], check=True, capture_output=True)
    disk = next(name for name in subprocess.run(["tar", "-tf", archive], check=True, capture_output=True, text=True)
                .stdout.split() if name.endswith(".vmdk"))

    def our_import():
        seconds, _, peak = child([ORIELCTL, "import", archive, "--name", "Imported"])
        subprocess.run([ORIELCTL, "delete", "Imported", "--permanently"], check=True, capture_output=True)
        return seconds, peak

    def their_import():
        seconds = child(["tar", "-C", files.folder, "-xf", archive, disk])[0]
        seconds += child(["qemu-img", "convert", "-f", "vmdk", "-O", "qcow2", files.path(disk), target])[0]
        seconds += sync(target)
        os.unlink(files.path(disk))
        os.unlink(target)
        return seconds

    ours, theirs = take_turns(rounds, our_import, their_import)
    seconds, peaks = zip(*ours)
    row("stream-optimised VMDK", seconds, theirs, f"archive {os.path.getsize(archive) / MIB:.0f} MiB; peak {max(peaks):.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="conversions whose name has a word; “open”; “requests”; “export”; “import”")
    parser.add_argument("--size", type=int, default=1024, help="of the disk, in MiB")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    if not shutil.which("qemu-img"):
        print("bench-disk: qemu-img is not installed, so there is nothing to compare with")
        return
    version = subprocess.run(["qemu-img", "--version"], capture_output=True, text=True, check=True).stdout
    print(f"Beside {version.splitlines()[0]}, {os.cpu_count()} CPUs, {options.size} MiB; median (smallest-largest)\n")
    with tempfile.TemporaryDirectory(dir=os.environ.get("ORIEL_BENCH_FOLDER", "/var/tmp")) as folder:
        files = Files(folder, options.size)
        if options.names not in (["open"], ["requests"], ["export"], ["import"]):
            conversions(files, options.rounds, options.names)
        if not options.names or "open" in options.names:
            opening(files, options.rounds)
        if not options.names or "requests" in options.names:
            requests(files, options.rounds)
        if not options.names or "export" in options.names:
            exports(files, options.rounds)
        if not options.names or "import" in options.names:
            imports(files, options.rounds)


if __name__ == "__main__":
    main()
    sys.exit(0)
