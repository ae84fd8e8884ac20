#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an idle Linux costs, beside QEMU: the same kernel and the same devices, in turns, in one run. It needs a KVM that
runs real systems; `ninja -C build bench-idle` runs it in the lab (tests/lab/) where this computer has none.

usage: bench-idle.py SMALL-LINUX [SECONDS [ROUNDS]]     the folder that tests/lab/images/small-linux prints"""

import glob
import os
import re
import statistics
import subprocess
import sys
import time

from bench import Machine

SETTLE = 20  # seconds that a system goes on with its start
APPEND = "console=ttyS0 quiet tsc=reliable job=idle"
EXITS = "/sys/kernel/debug/kvm"


class Linux(Machine):
    """Debian's kernel with a virtio disk and a network card, which does nothing."""

    def __init__(self, ours, folder):
        super().__init__(ours, memory=512, work="")
        self.kernel, self.initrd = folder + "/vmlinuz", folder + "/initrd.gz"

    def _command_ours(self):
        command = super()._command_ours()
        config = os.path.join(self.path, "machine.json")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        boot = f'"boot": {{"kernel": "{self.kernel}", "initrd": "{self.initrd}", "append": "{APPEND}"}}'
        card = '"networks": [{"id": "net0", "mac": "02:00:00:00:00:01", "model": "virtio", "mode": "user"}]'
        with open(config, "w", encoding="utf-8") as file:
            file.write(text[:-1] + f', {boot}, {card}' + "}")
        return command

    def _command_qemu(self):
        return super()._command_qemu() + [
            "-name", "idle,debug-threads=on", "-kernel", self.kernel, "-initrd", self.initrd, "-append", APPEND,
            "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,disable-legacy=on"]

    def wait_idle(self):
        path = os.path.join(self.path, "log/serial0.log" if self.ours else "serial.log")
        end = time.monotonic() + 600
        while time.monotonic() < end:
            if os.path.exists(path):
                with open(path, "rb") as file:
                    if b"idle: begins" in file.read():
                        time.sleep(SETTLE)
                        return
            if self.process.poll() is not None:
                raise RuntimeError("the machine ended")
            time.sleep(0.5)
        raise TimeoutError("the system does not come to rest")

    def threads(self):
        """{thread: (name, nanoseconds on a processor, times woken)}"""
        found = {}
        for folder in glob.glob(f"/proc/{self.process.pid}/task/*"):
            with open(folder + "/comm", encoding="utf-8") as file:
                name = file.read().strip()
            with open(folder + "/schedstat", encoding="ascii") as file:
                spent = int(file.read().split()[0])
            with open(folder + "/status", encoding="ascii") as file:
                woken = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
            found[os.path.basename(folder)] = (name, spent, woken)
        return found

    def exits(self):
        """KVM's own counters of this machine; empty where the kernel does not show them."""
        found = {}
        for folder in glob.glob(f"{EXITS}/{self.process.pid}-*"):
            for name in os.listdir(folder):
                if name.endswith("exits"):
                    with open(os.path.join(folder, name), encoding="ascii") as file:
                        found[name] = int(file.read())
        return found

    def measure(self, seconds):
        before, exits_before = self.threads(), self.exits()
        time.sleep(seconds)
        after, exits_after = self.threads(), self.exits()
        result = {"processor, % of a core": 0, "of it, its CPU's thread, %": 0, "wake-ups outside its CPU, /s": 0}
        for thread, (name, spent, woken) in after.items():
            _, spent_before, woken_before = before.get(thread, (name, 0, 0))
            share = (spent - spent_before) / (seconds * 1e7)
            result["processor, % of a core"] += share
            if name.startswith("vcpu") or "KVM" in name:
                result["of it, its CPU's thread, %"] += share
            else:
                result["wake-ups outside its CPU, /s"] += (woken - woken_before) / seconds
        for name, count in exits_after.items():
            if count > exits_before.get(name, 0) or name == "exits":
                result[f"KVM's {name}, /s"] = (count - exits_before.get(name, 0)) / seconds
        return result


def main():
    folder = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    if not os.path.isdir(EXITS):
        subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=False, stderr=subprocess.DEVNULL)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    runs = {True: [], False: []}
    for _ in range(rounds):
        for ours in (True, False):
            with Linux(ours, folder) as machine:
                machine.start().wait_idle()
                runs[ours].append(machine.measure(seconds))
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    print(f"An idle Linux beside {version.splitlines()[0]}; median of the rounds (smallest to largest)\n")
    print(f"{'':34} {'ours':>26} {'QEMU':>26} {'ratio':>7}")
    for what in dict.fromkeys(key for run in runs[True] + runs[False] for key in run):
        values = [[run.get(what, 0) for run in runs[ours]] for ours in (True, False)]
        columns = [f"{statistics.median(v):.2f} ({min(v):.2f}-{max(v):.2f})" for v in values]
        medians = [statistics.median(v) for v in values]
        ratio = f"{medians[0] / medians[1]:.2f}" if medians[1] else "-"
        print(f"{what:34} {columns[0]:>26} {columns[1]:>26} {ratio:>7}")


if __name__ == "__main__":
    main()
