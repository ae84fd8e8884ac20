#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed and size beside QEMU: the same guest, the same devices, in turns, in one run. Prints a table; never fails a
test run. `ninja -C build bench` runs it; an argument picks measurements by name. --lab adds the installer's CD and an installed
system, which need the lab (tests/lab/) or a computer whose KVM runs real systems."""

import argparse
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

SOURCE = os.environ["ORIEL_SOURCE"]
BUILD = os.environ["ORIEL_BUILD"]
ENGINE = os.path.join(BUILD, "engine/oriel-engine")
FIRST_RUN = os.path.join(BUILD, "tests/bench/first_run.so")
KVM_RUNS = os.path.join(BUILD, "tests/bench/kvm_runs.so")
BOOT_SECTOR = os.path.join(BUILD, "tests/bench/boot_sector.bin")
GUESTS = os.path.join(BUILD, "tests/guests")
MIB = 1 << 20
TRANSFERS_SECONDS = 2  # LONG in tests/guests/work/disk.c
with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
    # QEMU's "host" ends with an error on a KVM without hardware behind it.
    PEER_CPU = "host" if re.search(r"\b(svm|vmx)\b", cpuinfo.read()) else "qemu64"


class Machine:
    """One run of one guest on ours or on QEMU, in a folder that is removed afterwards."""

    def __init__(self, ours, memory=128, cpus=1, firmware=None, disk=None, cdrom=None, work=None, image=None,
                 controller="virtio", direct=False):
        self.ours, self.memory, self.firmware, self.disk, self.cdrom = ours, memory, firmware, disk, cdrom
        self.cpus = cpus
        self.work = "" if image else work  # what is at the start of the disk to work with
        self.controller, self.direct = controller, direct  # of that disk; past the host's page cache
        self.folder = tempfile.TemporaryDirectory(prefix="oriel-bench-")
        self.path = self.folder.name
        self.disk_path = os.path.join(self.path, "disks/disk.raw")
        os.mkdir(os.path.join(self.path, "disks"))
        if disk:
            with open(disk, "rb") as source, open(self.disk_path, "wb") as target:
                target.write(source.read())
                target.truncate(16 * MIB)
        self.work_path = os.path.join(self.path, "disks/work.raw")
        if image:  # the whole of it
            subprocess.run(["cp", "--sparse=always", image, self.work_path], check=True)
        elif work is not None:
            with open(self.work_path, "wb") as target:
                # Whole, so that nobody's time goes into holes.
                target.write(work.encode() + bytes(16 * MIB - len(work)))
        self.process = None
        self.started = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def _command_ours(self):
        drives = []
        if self.disk:
            drives.append({"id": "disk0", "type": "disk", "format": "raw", "path": "disks/disk.raw"})
        if self.work is not None:
            drives.append({"id": "disk1", "type": "disk", "format": "raw", "path": "disks/work.raw",
                           "controller": self.controller, "cache": "direct" if self.direct else "writeback"})
        if self.cdrom:
            drives.append({"id": "cdrom0", "type": "cdrom", "format": "raw", "path": self.cdrom})
        config = {"version": 1, "uuid": str(uuid.uuid4()), "generation-id": str(uuid.uuid4()), "name": "bench",
                  "firmware": {"type": "bios"}, "cpus": self.cpus, "memory": self.memory * MIB, "serials": 1, "drives": drives}
        if self.firmware:
            config["firmware"]["path"] = self.firmware
        path = os.path.join(self.path, "machine.json")
        if not os.path.exists(path):  # the second start is one of the same machine
            with open(path, "w", encoding="utf-8") as file:
                json.dump(config, file)
        return [ENGINE, "--folder", self.path]

    def _command_qemu(self):
        command = ["qemu-system-x86_64", "-M", "q35,smm=off,vmport=off", "-accel", "kvm", "-cpu", PEER_CPU,
                   "-smp", str(self.cpus), "-m", str(self.memory), "-nodefaults", "-no-user-config", "-display", "none",
                   "-vga", "std", "-serial", f"file:{self.path}/serial.log", "-monitor", f"unix:{self.path}/monitor,server=on,wait=off",
                   "-vnc", f"unix:{self.path}/vnc", "-device", "vmgenid",
                   # What every machine of ours has besides.
                   "-device", "virtio-rng-pci,disable-legacy=on,addr=4",
                   "-device", "virtio-balloon-pci,disable-legacy=on,free-page-reporting=on,addr=6",
                   "-device", "virtio-tablet-pci,addr=7",
                   "-chardev", f"file,id=report,path={self.path}/firmware.log",
                   "-device", "isa-debugcon,iobase=0x402,chardev=report"]
        if self.firmware:
            command += ["-bios", self.firmware]
        if self.disk:
            command += ["-drive", f"file={self.disk_path},format=raw,if=none,id=disk", "-device", "ide-hd,drive=disk,bus=ide.0"]
        if self.work is not None:
            cache = ",cache=none,aio=io_uring" if self.direct else ""
            device = {"virtio": "virtio-blk-pci,addr=10,disable-legacy=on", "nvme": "nvme,addr=10,serial=1",
                      "ahci": "ide-hd,bus=ide.0"}[self.controller]
            command += ["-drive", f"file={self.work_path},format=raw,if=none,id=work{cache}", "-device", device + ",drive=work"]
        if self.cdrom:
            command += ["-drive", f"file={self.cdrom},media=cdrom,readonly=on,if=none,id=cd", "-device",
                        "ide-cd,drive=cd,bus=ide.1"]
        return command

    def start(self, more=None, count=False):
        """`count`: see exits()."""
        runtime = os.path.join(self.path, "run")
        os.makedirs(runtime, 0o700, exist_ok=True)
        environment = dict(os.environ, XDG_RUNTIME_DIR=runtime, LD_PRELOAD=FIRST_RUN,
                           ORIEL_BENCH_FIRST_RUN=os.path.join(self.path, "first-run"))
        if count:
            with open(os.path.join(self.path, "runs"), "wb") as file:
                file.write(bytes(8))
            environment.update(LD_PRELOAD=f"{FIRST_RUN}:{KVM_RUNS}", ORIEL_BENCH_KVM_RUNS=file.name)
        command = (self._command_ours() if self.ours else self._command_qemu()) + (more or [])
        self.started = time.monotonic_ns()
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        return self

    def exits(self):
        """Exits of the guest to user space since the start."""
        with open(os.path.join(self.path, "runs"), "rb") as file:
            return int.from_bytes(file.read(8), sys.byteorder)

    def report(self):
        """What the guest wrote to the debug port."""
        path = os.path.join(self.path, "log/firmware.log" if self.ours else "firmware.log")
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def serial(self):
        """What the guest wrote to its serial port."""
        path = os.path.join(self.path, "log/serial0.log" if self.ours else "serial.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _orielctl(self, *arguments):
        """True if it succeeded."""
        environment = dict(os.environ, XDG_RUNTIME_DIR=os.path.join(self.path, "run"))
        return subprocess.run([os.path.join(BUILD, "app/orielctl"), arguments[0], self.path, *arguments[1:]],
                              env=environment, capture_output=True, check=False).returncode == 0

    def _monitor(self, line, seconds=60):
        with socket.socket(socket.AF_UNIX) as monitor:
            while monitor.connect_ex(self.path + "/monitor") != 0:  # it may not listen yet
                if self.process.poll() is not None:
                    raise RuntimeError("the machine ended")
                time.sleep(0.05)
            monitor.settimeout(seconds)
            answer = b""
            monitor.sendall(line.encode() + b"\n")
            while answer.count(b"(qemu)") < 2:
                part = monitor.recv(4096)
                if not part and line != "quit":
                    raise RuntimeError("the machine ended")
                if not part:
                    return
                answer += part

    def wait_screen(self, text, seconds=900):
        """Until the text is on the screen. One process looks again and again, for in the lab the start of one takes long."""
        end = time.monotonic() + seconds

        def shown():
            if self.ours:
                return self._orielctl("wait", "--text", text, "--timeout", str(seconds))
            return text in self._screen_qemu()
        while not shown():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the machine does not show “{text}”")
            time.sleep(0.5)

    def _screen_qemu(self):
        """The characters on the text screen, and what has scrolled away."""
        path = os.path.join(self.path, "screen")
        # The whole window: Linux scrolls by moving the start address. In quotes, or it would be a division.
        self._monitor(f'pmemsave 0xb8000 32768 "{path}"')
        with open(path, "rb") as file:
            return file.read()[0::2].decode("cp437")

    def enter(self):
        if self.ours:
            self._orielctl("key", "enter")
        else:
            self._monitor("sendkey ret")

    def wait_report(self, text):
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                if text in self.report():
                    return
            except FileNotFoundError:
                pass  # it has not got so far
            time.sleep(0.05)
        raise TimeoutError(text)

    def save_ms(self):
        """Saves the state, durably, and ends the process; QEMU into a file of its migration stream."""
        start = time.monotonic_ns()
        if self.ours:
            self._orielctl("save")
        else:
            self._monitor("migrate_set_parameter max-bandwidth 0")
            self._monitor(f"migrate \"exec:dd of={self.path}/state bs=1M iflag=fullblock conv=fsync status=none\"", 300)
            self._monitor("quit")
        self.process.wait(300)
        return (time.monotonic_ns() - start) / 1e6

    def saved_mib(self):
        path = os.path.join(self.path, "saved/ram" if self.ours else "state")
        return os.stat(path).st_size / MIB

    def resume(self):
        """Starts again from what save_ms() has left."""
        os.remove(os.path.join(self.path, "first-run"))
        self.start(None if self.ours else ["-incoming", f"exec:cat {self.path}/state"])

    def first_run_ms(self):
        path = os.path.join(self.path, "first-run")
        end = time.monotonic() + 60
        while not os.path.exists(path) or not os.path.getsize(path):
            if time.monotonic() > end:
                raise TimeoutError("no KVM_RUN")
            time.sleep(0.001)
        with open(path, encoding="ascii") as file:
            return (int(file.read()) - self.started) / 1e6

    def memory_mib(self):
        """Resident memory without the guest's: no mapping from a quarter of its memory up, nor the display's 16 MiB."""
        total, size = 0, 0
        with open(f"/proc/{self.process.pid}/smaps", encoding="ascii") as file:
            for line in file:
                if re.match(r"^[0-9a-f]+-[0-9a-f]+ ", line):
                    low, high = line.split()[0].split("-")
                    size = int(high, 16) - int(low, 16)
                elif line.startswith("Rss:") and size < self.memory * MIB // 4 and size != 16 * MIB:
                    total += int(line.split()[1])
        return total / 1024

    def wakeups(self, seconds):
        """Times that threads other than the guest's CPUs were woken, a second."""
        def count():
            total = 0
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                folder = f"/proc/{self.process.pid}/task/{task}"
                with open(folder + "/comm", encoding="utf-8") as file:
                    name = file.read()
                if name.startswith("vcpu") or "KVM" in name:
                    continue
                with open(folder + "/status", encoding="ascii") as file:
                    total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M).group(1))
            return total
        before = count()
        time.sleep(seconds)
        return (count() - before) / seconds


def first_instruction(ours):
    with Machine(ours, firmware=os.path.join(GUESTS, "exits.bin"), disk=BOOT_SECTOR).start() as machine:
        return machine.first_run_ms()


def resident(ours):
    with Machine(ours, memory=1024).start() as machine:
        time.sleep(20)
        return machine.memory_mib()


def seabios(ours):
    with Machine(ours, disk=BOOT_SECTOR).start() as machine:
        machine.process.wait(300)
        return (time.monotonic_ns() - machine.started) / 1e6


def idle(ours):
    with Machine(ours, memory=64).start() as machine:
        time.sleep(20)
        return machine.wakeups(10)


class Runs:
    """A measurement that gives several figures, each in a row of its own, from the same runs."""

    def __init__(self, run):
        self.run, self.found = run, {True: [], False: []}  # ours and theirs

    def figure(self, index):
        rounds = {True: 0, False: 0}

        def measure(ours):
            if rounds[ours] == len(self.found[ours]):
                self.found[ours].append(self.run(ours))
            rounds[ours] += 1
            return self.found[ours][rounds[ours] - 1][index]
        return measure


def save_run(ours):
    """ms to save, ms to resume, MiB on the disk."""
    with Machine(ours, memory=1024, firmware=os.path.join(GUESTS, "pages.bin")).start() as machine:
        machine.wait_report("filled")
        took = machine.save_ms()
        size = machine.saved_mib()
        machine.resume()
        return took, machine.first_run_ms(), size


SAVES = Runs(save_run)


def exits(name):
    def measure(ours):
        with Machine(ours, firmware=os.path.join(GUESTS, "exits.bin"), disk=BOOT_SECTOR).start() as machine:
            machine.process.wait(300)
            found = re.search(rf"^cycles {name} (\d+)", machine.report(), re.M)
            return int(found.group(1)) / 1000
    return measure


def transfers_run(ours, name, controller="virtio", direct=False, count=False):
    """Of a transfer: microseconds, those of the processor, and exits to user space if they are counted; start and end of the
    process included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Port 0 of the AHCI controller is the work's, if that is there.
    with Machine(ours, firmware=os.path.join(GUESTS, "disk.bin"), disk=None if controller == "ahci" else BOOT_SECTOR, work=name,
                 controller=controller, direct=direct).start(count=count) as machine:
        machine.process.wait(300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        left = machine.exits() if count else 0
        found = re.search(rf"^us {name} (\d+)", machine.report(), re.M)
    if not found:
        raise RuntimeError("the guest has not done it")
    each = int(found.group(1)) / 100
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = each / (TRANSFERS_SECONDS * 1e6)
    return each, used * 1e6 * share, left * share


def transfer_rows(controller, direct, *transfers):
    """Rows of the table, of the time of each; where the guest halts between, also of the processor's."""
    way = "direct" if direct else "disk" if controller == "virtio" else controller
    where = f"{ {'virtio': 'virtio', 'nvme': 'NVMe', 'ahci': 'AHCI'}[controller] } disk" + (", direct I/O" if direct else "")
    for name, what in transfers:
        runs = Runs(lambda ours, name=name: transfers_run(ours, name, controller, direct))
        yield f"{way}-{name}", f"{where}, {what}", "us", runs.figure(0), 5, 1 / 1.2
        if name.endswith("-interrupt"):
            yield f"processor-{way}-{name}", f"its processor's time, {what}", "us", runs.figure(1), 5, 1


def transfers_exits(name):
    return lambda ours: transfers_run(ours, name, count=True)[2]


def lab_image(name):
    """The folder of an image of the lab: as bench-in-lab has it, or built here."""
    return os.environ.get("ORIEL_IMAGE_" + name.replace("-", "_")) or subprocess.run(
        [os.path.join(SOURCE, "tests/lab/images", name)], capture_output=True, text=True, check=True).stdout.strip()


def installer(ours):
    """From power on to the installer's first dialog on the text screen; GRUB's menu is left with Enter."""
    with Machine(ours, memory=1024, cdrom=os.path.join(lab_image("installer-iso"), "installer.iso")).start() as machine:
        machine.wait_screen("Graphical install")
        time.sleep(1)  # GRUB draws its menu before it listens
        machine.enter()
        machine.wait_screen("Select a language")
        return (time.monotonic_ns() - machine.started) / 1e6


def debian(ours):
    """From power on to the login prompt of an installed Debian on its serial port."""
    image = os.path.join(lab_image("debian-disk"), "debian.img")
    with Machine(ours, memory=1024, cpus=2, image=image).start() as machine:
        while "login:" not in machine.serial():
            if machine.process.poll() is not None:
                raise RuntimeError("the machine ended")
            time.sleep(0.1)
        return (time.monotonic_ns() - machine.started) / 1e6


SMALL = (("read-1", "read 4 KiB"), ("read-32", "read 4 KiB, 32 at once"),
         ("write-1", "write 4 KiB"), ("write-32", "write 4 KiB, 32 at once"))
LARGE = (("read-1m", "read 1 MiB"), ("write-1m", "write 1 MiB"))
SMALL_INTERRUPT, LARGE_INTERRUPT = (
    tuple((name + "-interrupt", what + ", with interrupts") for name, what in rows) for rows in (SMALL, LARGE))

MEASUREMENTS = [
    ("first-instruction", "process start to first guest instruction", "ms", first_instruction, 15, 1 / 3),
    ("memory", "resident memory without the guest's", "MiB", resident, 2, 1 / 2),
    ("seabios", "process start to boot sector and power off", "ms", seabios, 5, 1),
    ("port-read", "one read of a port", "kcycles", exits("port-read"), 5, 1),
    ("pm-timer-read", "one read of the ACPI timer", "kcycles", exits("pm-timer-read"), 5, 1),
    ("register-read", "one read of a memory-mapped register", "kcycles", exits("register-read"), 5, 1),
    ("register-write", "one write of a memory-mapped register", "kcycles", exits("register-write"), 5, 1),
    ("save", "1 GiB of memory in use saved, process ended", "ms", SAVES.figure(0), 5, 1),
    ("resume", "process start to first guest instruction from there", "ms", SAVES.figure(1), 5, 1),
    ("saved-size", "that state on the disk", "MiB", SAVES.figure(2), 5, 1 / 2),
    *transfer_rows("virtio", False, *SMALL, *SMALL_INTERRUPT, *LARGE, *LARGE_INTERRUPT),
    *transfer_rows("virtio", True, *SMALL, *SMALL_INTERRUPT, *LARGE),
    *transfer_rows("nvme", False, *SMALL, *SMALL_INTERRUPT),
    *transfer_rows("ahci", False, *SMALL),
    *((f"exits-{name}", f"user exits, {what}", "each", transfers_exits(name), 3, 1) for name, what in (
        ("read-1-interrupt", "read 4 KiB, with interrupts"),
        ("read-32-interrupt", "read 4 KiB, 32 at once, with interrupts"),
        ("write-32", "write 4 KiB, 32 at once"),
    )),
    ("idle", "wake-ups of an idle, unwatched machine, outside its CPU", "/s", idle, 1, 1),
]
LAB = [
    ("installer", "process start to the installer's dialog, from CD", "ms", installer, 3, 1),
    ("debian", "process start to an installed Debian's login, virtio disk", "ms", debian, 3, 0.8),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="measurements to make; all if none is named")
    parser.add_argument("--lab", action="store_true", help="also what needs a KVM that runs real systems")
    options = parser.parse_args()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("bench: /dev/kvm cannot be opened, so there is nothing to measure")
        return
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    print(f"Beside {version.splitlines()[0]}; median of the rounds (smallest to largest)\n")
    print(f"{'':70} {'ours':>26} {'QEMU':>26} {'ratio':>7} {'aim':>6}")
    for name, what, unit, measure, rounds, aim in MEASUREMENTS + (LAB if options.lab else []):
        if options.names and name not in options.names:
            continue
        ours, theirs = [], []
        try:
            for _ in range(rounds):
                ours.append(measure(True))
                theirs.append(measure(False))
        except (RuntimeError, TimeoutError) as error:
            print(f"{what + ', ' + unit:70} not measured: {error}", flush=True)
            continue
        digits = 3 if unit == "each" else 1
        columns = [f"{statistics.median(v):.{digits}f} ({min(v):.{digits}f}-{max(v):.{digits}f})" for v in (ours, theirs)]
        peer = statistics.median(theirs)
        ratio = f"{statistics.median(ours) / peer:.2f}" if peer else "-"
        print(f"{what + ', ' + unit:70} {columns[0]:>26} {columns[1]:>26} {ratio:>7} {aim:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
    sys.exit(0)
