#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl export: appliances that bsdtar, xmllint, sha256sum, qemu-img and virt-v2v read; nothing left behind by failures."""

import fcntl
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

from oriel import ORIELCTL, Skip, check, main, small_file_system

MIB = 1 << 20
OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
VMW = "{http://www.vmware.com/schema/ovf}"


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def tool(*command, cwd=None):
    result = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    check(result.returncode == 0, f"{command}: {result.returncode} {result.stdout}{result.stderr}")
    return result.stdout


class Place:
    """A machine with disks of known content, and an empty folder to export to."""

    def __init__(self, home, name="One", *options, size=20 * MIB + 512):
        need("qemu-img")
        self.home, self.name = home, name
        self.folder = home.path + "/out"
        os.mkdir(self.folder)
        generator = random.Random(7)
        disk = bytearray(size)
        disk[:2 * MIB] = generator.randbytes(2 * MIB)
        disk[5 * MIB:8 * MIB] = (b"the quick brown fox jumps over the lazy dog " * 72000)[:3 * MIB]
        disk[-512:] = generator.randbytes(512)
        self.raw = home.file("disk.raw", bytes(disk))
        home.ok("create", name, "--disk", self.raw, *options)
        self.raws = [self.raw]

    def add_disk(self, size=3 * MIB):
        raw = self.home.file(f"disk{len(self.raws)}.raw", random.Random(len(self.raws)).randbytes(size))
        self.home.ok("add-disk", self.name, raw)
        self.raws.append(raw)

    def path(self, name):
        return os.path.join(self.folder, name)

    def export(self, target, *options):
        return self.home.json("export", self.name, self.path(target), *options)

    def files(self):
        return sorted(os.listdir(self.folder))

    def unpack(self, archive):
        folder = self.path("unpacked")
        os.mkdir(folder)
        tool("bsdtar", "-xf", self.path(archive), "-C", folder)
        return folder

    def same_disks(self, folder, form="vmdk"):
        names = sorted(name for name in os.listdir(folder) if name.endswith("." + form))
        check(len(names) == len(self.raws), repr(names))
        for name, raw in zip(names, self.raws):
            tool("qemu-img", "check", "-f", form, name, cwd=folder)
            tool("qemu-img", "compare", "-f", "raw", "-F", form, raw, name, cwd=folder)


def manifest_checked(folder, kind="SHA256"):
    """The manifest names every file but itself, in the form that VMware insists on."""
    name = next(name for name in os.listdir(folder) if name.endswith(".mf"))
    with open(os.path.join(folder, name), encoding="ascii") as file:
        lines = file.read()
    check(lines.endswith("\n") and "\r" not in lines, repr(lines))
    found = [re.fullmatch(kind + r"\(([A-Za-z0-9._-]+)\)= ([0-9a-f]+)", line) for line in lines.splitlines()]
    check(all(found), lines)
    check(sorted(match[1] for match in found) == sorted(set(os.listdir(folder)) - {name}), lines)
    sums = "".join(f"{match[2]}  {match[1]}\n" for match in found)
    result = subprocess.run([kind.lower() + "sum", "-c"], input=sums, capture_output=True, text=True, cwd=folder,
                            check=False)
    check(result.returncode == 0, result.stdout + result.stderr)


def descriptor(folder):
    name = next(name for name in os.listdir(folder) if name.endswith(".ovf"))
    tool("xmllint", "--noout", "--nonet", name, cwd=folder)
    return ElementTree.parse(os.path.join(folder, name)).getroot()


def items(root, kind):
    return [item for item in root.iter(OVF + "Item") if item.findtext(RASD + "ResourceType") == str(kind)]


def sizes_match(root, folder):
    for file in root.iter(OVF + "File"):
        size = os.path.getsize(os.path.join(folder, file.get(OVF + "href")))
        check(int(file.get(OVF + "size")) == size, f"{file.get(OVF + 'href')}: {size}")


def test_an_archive_is_read_by_others(home):
    need("bsdtar", "xmllint")
    place = Place(home, "One", "--memory", "768", "--cpus", "3")
    place.add_disk()
    report = place.export("one.ova")
    names = ["One.ovf", "One.mf", "One-disk1.vmdk", "One-disk2.vmdk"]
    check(report["files"] == names, repr(report))
    check(tool("bsdtar", "-tf", place.path("one.ova")).split() == names, "order")
    check(tool("tar", "-tf", place.path("one.ova")).split() == names, "order for tar")
    check(tool("bsdtar", "-tvf", place.path("one.ova")).count("-rw-r--r--  0 0      0") == 4, "owners")
    with open(place.path("one.ova"), "rb") as file:
        header = file.read(512)
    check(header[257:265] == b"ustar\x0000" and os.path.getsize(place.path("one.ova")) % 10240 == 0, repr(header))
    folder = place.unpack("one.ova")
    manifest_checked(folder)
    place.same_disks(folder)
    root = descriptor(folder)
    sizes_match(root, folder)
    check([disk.get(OVF + "capacity") for disk in root.iter(OVF + "Disk")] == [str(20 * MIB + 512), str(3 * MIB)],
          "capacities")
    check(items(root, 3)[0].findtext(RASD + "VirtualQuantity") == "3", "processors")
    check(items(root, 4)[0].findtext(RASD + "VirtualQuantity") == "768", "memory")
    for name in names[2:]:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        check(data[-512:] == bytes(512) and data[-1024:-1020] == b"KDMV", "the VMDK ends with its marker")
    check(place.files() == ["one.ova", "unpacked"], repr(place.files()))


def test_a_folder(home):
    need("xmllint")
    place = Place(home)
    place.export("one", "--profile", "virtualbox", "--sha1")
    folder = place.path("one")
    check(sorted(os.listdir(folder)) == ["One-disk1.vmdk", "One.mf", "One.ovf"], repr(os.listdir(folder)))
    manifest_checked(folder, "SHA1")
    place.same_disks(folder)
    root = descriptor(folder)
    sizes_match(root, folder)
    check(items(root, 20)[0].findtext(RASD + "ResourceSubType") == "AHCI", "controller")
    home.fails(12, "export", "One", folder, words=["one", "already"])
    home.fails(12, "export", "One", folder, "--force", words=["already"])
    place.same_disks(folder)


def test_for_hyper_v(home):
    need("xmllint")
    place = Place(home, "One", "--firmware", "uefi")
    place.export("one", "--profile", "hyper-v")
    folder = place.path("one")
    manifest_checked(folder)
    place.same_disks(folder, "vhdx")
    descriptor(folder)
    with open(folder + "/One.txt", encoding="utf-8") as file:
        text = file.read()
    check("Generation:       2" in text and "One-disk1.vhdx" in text, text)
    home.fails(10, "export", "One", place.path("x.ova"), "--profile", "hyper-v", words=["Hyper-V", "folder"])


def test_odd_names(home):
    need("bsdtar", "xmllint")
    place = Place(home, "Größe <&> \"'] 漢字", size=MIB)
    place.export("odd; name.ova")
    folder = place.unpack("odd; name.ova")
    manifest_checked(folder)
    root = descriptor(folder)
    check(root.find(f"{OVF}VirtualSystem/{OVF}Name").text == place.name, "name")
    for name in os.listdir(folder):
        check(re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,98}", name), name)
    place.same_disks(folder)


def test_profiles_and_controllers(home):
    place = Place(home, "One", "--firmware", "uefi", size=MIB)
    for options, kind, subtype in ((("--profile", "vmware"), 6, "lsilogic"),
                                   (("--profile", "vmware", "--controller", "sata"), 20, "vmware.sata.ahci"),
                                   (("--profile", "virtualbox"), 20, "AHCI"), (("--profile", "proxmox"), 20, "AHCI"),
                                   (("--controller", "ide"), 5, None)):
        report = place.export("one", *options)
        root = descriptor(place.path("one"))
        controller = items(root, kind)[0]
        check(controller.findtext(RASD + "ResourceSubType") == subtype, f"{options}: {subtype}")
        check(items(root, 17)[0].findtext(RASD + "Parent") == controller.findtext(RASD + "InstanceID"), f"{options}")
        keys = {config.get(VMW + "key"): config.get(VMW + "value") for config in root.iter(VMW + "Config")}
        check(keys == {"firmware": "efi"}, repr(keys))
        check(any("BOOTX64.EFI" in note for note in report["notes"]), repr(report))
        shutil.rmtree(place.path("one"))
    home.fails(2, "export", "One", place.path("x.ova"), "--profile", "xen", words=["xen", "hyper-v"])
    home.fails(2, "export", "One", place.path("x.ova"), "--controller", "x", words=["sata"])
    home.fails(2, "export", "One", words=["NAME"])
    home.fails(10, "export", "One", place.path("x.ovf"), words=["x.ovf", "folder"])


def source_information(path):
    """What virt-v2v finds in an archive: its words and what stands behind them, and all lines."""
    result = subprocess.run(["virt-v2v", "-i", "ova", path, "--print-source"], capture_output=True, text=True, timeout=300,
                            env=dict(os.environ, LC_ALL="C", LIBGUESTFS_BACKEND="direct", TMPDIR=os.path.dirname(path)),
                            check=False)
    check(result.returncode == 0, f"virt-v2v: {result.stdout}{result.stderr}")
    lines = [line.strip() for line in result.stdout.splitlines()]
    return dict(line.split(": ", 1) for line in lines if ": " in line), lines


def test_another_importer_reads_it(home):
    """The archives of all profiles that make them."""
    need("virt-v2v")
    place = Place(home, "One", "--firmware", "uefi", "--memory", "384", "--cpus", "2", size=MIB)
    place.add_disk()
    for options in (("--profile", "vmware"), ("--profile", "virtualbox", "--sha1"), ("--profile", "proxmox"),
                    ("--controller", "ide")):
        place.export("one.ova", *options)
        found, lines = source_information(place.path("one.ova"))
        check(found["source name"] == "One" and found["nr vCPUs"] == "2" and found["firmware"] == "uefi", f"{options}: {lines}")
        check(found["memory"].startswith(f"{384 * MIB} "), f"{options}: {lines}")
        disks = lines[lines.index("disks:") + 1:lines.index("removable media:")]
        check(len(disks) == 2, f"{options}: {lines}")
        check(len([line for line in lines if "NICs:" in line or "e1000" in line]) == 2, f"{options}: {lines}")
        os.unlink(place.path("one.ova"))


def test_estimate(home):
    place = Place(home, size=60 * MIB)
    estimate = home.json("export", "One", "--estimate")
    actual = place.export("one.ova", "--no-verify")
    check(actual["capacity"] == estimate["capacity"] == 60 * MIB, repr(estimate))
    check(actual["size"] / 2 < estimate["size"] < actual["size"] * 2, f"{estimate} {actual}")
    check(place.files() == ["one.ova"], repr(place.files()))


def test_existing_files_stay(home):
    place = Place(home, size=MIB)
    target = home.file("out/one.ova", b"precious")
    home.fails(12, "export", "One", target, words=["one.ova", "--force"])
    with open(target, "rb") as file:
        check(file.read() == b"precious", "content")
    place.export("one.ova", "--force")
    check(os.path.getsize(target) > MIB and place.files() == ["one.ova"], repr(place.files()))
    home.fails(11, "export", "One", place.path("nowhere/one.ova"), words=["nowhere"])


def test_refusals(home):
    place = Place(home, size=MIB)
    folder = home.folder("One")
    with open(folder + "/lock", "w", encoding="ascii") as lock:
        fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))  # F_OFD_SETLK
        home.fails(14, "export", "One", place.path("one.ova"), words=["One"])
    os.mkdir(folder + "/saved")
    home.fails(18, "export", "One", place.path("one.ova"), words=["One", "saved"])
    os.rmdir(folder + "/saved")
    os.rename(folder + "/disks/disk0.raw", folder + "/away")
    home.fails(11, "export", "One", place.path("one.ova"), words=["disk0"])
    home.ok("create", "Empty")
    home.fails(10, "export", "Empty", place.path("one.ova"), words=["no disk"])
    home.fails(11, "export", "Nobody", place.path("one.ova"), words=["Nobody"])
    check(place.files() == [], repr(place.files()))


def test_signals_leave_nothing(home):
    """At random moments: all or nothing, but for a hidden folder that the next export takes away."""
    place = Place(home, size=48 * MIB)
    before = home.tree()
    generator = random.Random(int(os.environ.get("ORIEL_TEST_SEED", "3")))
    for target in ("one.ova", "one"):
        killed = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) * 4:
            process = subprocess.Popen([ORIELCTL, "export", "One", place.path(target)], env=home.environment,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            try:
                process.wait(generator.random() * 0.5)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
            process.communicate()
            left = place.files()
            killed |= number == signal.SIGKILL
            if killed and target == "one":
                left = [name for name in left if not name.startswith(".oriel-unfinished-")]
            check(left in ([], [target]), repr(left))
            if left:
                shutil.rmtree(place.path(target)) if target == "one" else os.unlink(place.path(target))
    place.export("one")
    check(place.files() == ["one"], repr(place.files()))
    place.same_disks(place.path("one"))
    check(home.tree() == before, "the library")


def strace(home, place, inject, *arguments):
    need("strace")
    # The search for leaks is a tracer itself, and fails under another one.
    environment = dict(home.environment, ASAN_OPTIONS=home.environment["ASAN_OPTIONS"] + ":detect_leaks=0")
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "inject=" + inject, ORIELCTL, "export", place.name,
                           *arguments], env=environment, capture_output=True, text=True, check=False)


def test_kills_at_each_step(home):
    place = Place(home, size=4 * MIB)
    for call in ("pwritev:signal=KILL:when=1", "pwritev:signal=KILL:when=20", "fdatasync:signal=KILL:when=1",
                 "pwrite64:signal=KILL:when=1", "pwrite64:signal=KILL:when=3", "ftruncate:signal=KILL:when=1",
                 "linkat:signal=KILL:when=1"):
        result = strace(home, place, call, place.path("one.ova"))
        if "ptrace" in result.stderr.lower():
            raise Skip(result.stderr.strip())
        check(result.returncode != 0, f"{call}: not killed")
        # The name comes last: with the call that gives it, the archive is whole.
        if call.startswith("linkat") and place.files() == ["one.ova"]:
            tool("bsdtar", "-tf", place.path("one.ova"))
            os.unlink(place.path("one.ova"))
        check(place.files() == [], f"{call}: {place.files()}")


def test_remains_of_a_replacement(home):
    """Killed between the two names that a file has while it takes another one's place."""
    place = Place(home, size=MIB)
    target = home.file("out/one.ova", b"precious")
    result = strace(home, place, "rename:signal=KILL:when=1", target, "--force")
    if "ptrace" in result.stderr.lower():
        raise Skip(result.stderr.strip())
    left = place.files()
    check(result.returncode != 0 and len(left) == 2 and left[0].startswith(".oriel-unfinished-"), repr(left))
    with open(target, "rb") as file:
        check(file.read() == b"precious", "content")
    place.export("two.ova")
    check(place.files() == ["one.ova", "two.ova"], repr(place.files()))


def test_what_did_not_arrive_is_noticed(home):
    """A disk that says it has written, and has not."""
    place = Place(home, size=4 * MIB)
    before = home.tree()
    for target in ("one.ova", "one"):
        result = strace(home, place, "pwritev:retval=512:when=9", place.path(target))
        if "ptrace" in result.stderr.lower():
            raise Skip(result.stderr.strip())
        check(result.returncode == 13 and "One-disk1.vmdk" in result.stderr, f"{result.returncode} {result.stderr}")
        check(place.files() == [], repr(place.files()))
    check(home.tree() == before, "the library")


def test_a_full_disk_leaves_nothing(home):
    place = Place(home, size=20 * MIB)
    with small_file_system(place.folder, "1m"):
        home.fails(17, "export", "One", place.path("one.ova"), words=["one.ova", "room"])
        home.fails(17, "export", "One", place.path("one"), words=["one", "room"])
        check(place.files() == [], repr(place.files()))
        # Room according to the estimate, but a quarter of it is gone before the end.
        subprocess.run(["mount", "-o", "remount,size=4m", place.folder], check=True)
        for target in ("one.ova", "one"):
            result = strace(home, place, "pwritev:error=ENOSPC:when=12+", place.path(target))
            check(result.returncode == 17, f"{result.returncode} {result.stderr}")
            check(place.files() == [], repr(place.files()))


main(test_an_archive_is_read_by_others, test_a_folder, test_for_hyper_v, test_odd_names, test_profiles_and_controllers,
     test_another_importer_reads_it, test_estimate, test_existing_files_stay, test_refusals, test_signals_leave_nothing,
     test_kills_at_each_step, test_remains_of_a_replacement, test_what_did_not_arrive_is_noticed, test_a_full_disk_leaves_nothing)
