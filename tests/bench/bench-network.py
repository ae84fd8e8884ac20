#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP between a guest and this computer, beside QEMU with its own libslirp: the same guest (small Linux of tests/lab), one
processor, a virtio card, in turns, in one run. Speed, exits to user space, and the processor's time of everything that
belongs to the machine. It wants a KVM that runs real systems: `ninja -C build bench-network` runs it in the lab."""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ["ORIEL_BUILD"]
IMAGE = os.environ["ORIEL_SMALL_LINUX"]
ORIELCTL = os.path.join(BUILD, "app/orielctl")
RUNS = os.path.join(BUILD, "tests/bench/kvm_runs.so")
PORT = "8100"
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
    PEER_CPU = "host" if re.search(r"\b(svm|vmx)\b", cpuinfo.read()) else "qemu64"


def processor_seconds(pid):
    """Used so far by a process and its children that run."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(entry) == pid or int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Machine:
    """One start of the guest, in a folder that is removed afterwards."""

    def __init__(self, ours, model, size, rounds):
        self.folder = tempfile.TemporaryDirectory(prefix="oriel-net-")
        self.path = self.folder.name
        self.runs = os.path.join(self.path, "runs")
        with open(self.runs, "wb") as file:
            file.write(bytes(8))
        append = ("console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=tcp "
                  f"megabytes={size} rounds={rounds}")
        environment = dict(os.environ, XDG_RUNTIME_DIR=self.path, XDG_DATA_HOME=self.path, LD_PRELOAD=RUNS,
                           ORIEL_BENCH_KVM_RUNS=self.runs)
        command = self._ours(model, append) if ours else self._qemu(model, append)
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def _ours(self, model, append):
        environment = dict(os.environ, XDG_RUNTIME_DIR=self.path, XDG_DATA_HOME=self.path)
        for arguments in (["create", "bench", "--kernel", IMAGE + "/vmlinuz", "--initrd", IMAGE + "/initrd.gz", "--memory",
                           "256M", "--append", append],
                          ["set", "bench", "net0.model=" + model, "net0.host-access=true"]):
            subprocess.run([ORIELCTL, *arguments], env=environment, check=True, capture_output=True)
        return [os.path.join(BUILD, "engine/oriel-engine"), "--folder", self.path + "/oriel/machines/bench.oriel"]

    def _qemu(self, model, append):
        card = {"virtio": "virtio-net-pci,netdev=net0,disable-legacy=on", "e1000e": "e1000e,netdev=net0"}[model]
        return ["qemu-system-x86_64", "-M", "q35,smm=off,vmport=off", "-accel", "kvm", "-cpu", PEER_CPU, "-smp", "1",
                "-m", "256", "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std", "-serial",
                f"file:{self.path}/serial.log", "-kernel", IMAGE + "/vmlinuz", "-initrd", IMAGE + "/initrd.gz", "-append",
                append, "-netdev", "user,id=net0", "-device", card,
                # What every machine of ours has besides.
                "-device", "virtio-rng-pci,disable-legacy=on",
                "-device", "virtio-balloon-pci,disable-legacy=on,free-page-reporting=on", "-device", "virtio-tablet-pci"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def counters(self):
        with open(self.runs, "rb") as file:
            return int.from_bytes(file.read(8), sys.byteorder), processor_seconds(self.process.pid)


class Server:
    def __init__(self):
        self.process = subprocess.Popen([IMAGE + "/tcp-speed", "serve", PORT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("tcp-speed has ended")
        return line.split()

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()


def transfers(ours, options, found):
    """All transfers of one start of the guest, added to found[direction]."""
    server = Server()
    try:
        with Machine(ours, options.model, options.size, options.rounds) as machine:
            for _ in range(2 * options.rounds):
                server.line()
                exits, seconds = machine.counters()
                if not exits:
                    raise RuntimeError("the exits of this machine are not counted")
                server.go()
                _, direction, size, took, packets = server.line()
                exits_after, seconds_after = machine.counters()
                server.go()
                found[direction].append({
                    "speed": int(size) / MIB / (int(took) / 1e6),
                    "exits": (exits_after - exits) / int(packets),
                    "exits-mib": (exits_after - exits) / (int(size) / MIB),
                    "packets": int(packets) / (int(size) / MIB),
                    "processor": (seconds_after - seconds) * 1000 / (int(size) / MIB),
                })
    finally:
        server.end()


ROWS = [("speed", "MiB/s"), ("processor", "processor's time for a MiB, ms"),
        ("exits", "exits to user space for a packet"), ("exits-mib", "exits to user space for a MiB"),
        ("packets", "packets for a MiB, as the guest counts")]


def figures(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values else "-"


def row(what, ours, theirs):
    pairs = [a / b for a, b in zip(ours, theirs) if b]
    ratio = f"{statistics.median(ours) / statistics.median(theirs):.2f} ({min(pairs):.2f}-{max(pairs):.2f})" if pairs else "-"
    print(f"{what:50} {figures(ours):>28} {figures(theirs):>28} {ratio}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=("virtio", "e1000e"), default="virtio")
    parser.add_argument("--size", type=int, default=64, help="of a transfer, in MiB")
    parser.add_argument("--rounds", type=int, default=3, help="transfers there and back in each start of the guest")
    parser.add_argument("--only", choices=("ours", "QEMU"), help="this one by itself, for a profiler")
    parser.add_argument("--starts", type=int, default=2, help="starts of ours and of QEMU")
    options = parser.parse_args()
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    print(f"Beside {version.splitlines()[0]}, {options.model}; median (smallest to largest)\n")
    ours, theirs = ({"to-host": [], "to-guest": []} for _ in range(2))
    began = time.monotonic()
    for _ in range(options.starts):
        if options.only != "QEMU":
            transfers(True, options, ours)
        if options.only != "ours":
            transfers(False, options, theirs)
    print(f"{'':50} {'ours':>28} {'QEMU':>28} ratio (spread)")
    for direction, words in (("to-host", "guest to host"), ("to-guest", "host to guest")):
        for key, what in ROWS:
            row(f"{words}, {what}", *([found[key] for found in side[direction]] for side in (ours, theirs)))
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
    sys.exit(0)
