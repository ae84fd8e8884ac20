#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl import: appliances made here by tarfile and qemu-img, well made, badly made and hostile ones."""

import gzip
import hashlib
import io
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import tarfile
import time

from oriel import ORIELCTL, Skip, check, main

MIB = 1 << 20
SIZE = 6 * MIB + 512
INVALID, NOT_FOUND, EXISTS, CORRUPT, STATE = 10, 11, 12, 13, 18
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"


def item(kind, number, **children):
    order = {"InstanceID": number, "ResourceType": kind, **children}
    return "<Item>" + "".join(f"<rasd:{key}>{value}</rasd:{key}>" for key, value in order.items()) + "</Item>"


def descriptor(files=(("f1", "disk1.vmdk", ""),), capacity=SIZE, extra="", sections="", name="Box", more=""):
    """An OVF with a disk in each file on one SATA controller."""
    references = "".join(f'<File ovf:id="{key}" ovf:href="{href}" {attributes}/>' for key, href, attributes in files)
    disks = "".join(f'<Disk ovf:diskId="d{n}" ovf:fileRef="{key}" ovf:capacity="{capacity}"/>'
                    for n, (key, _, _) in enumerate(files))
    items = item(3, 1, VirtualQuantity=1) + item(4, 2, AllocationUnits="byte * 2^20", VirtualQuantity=256)
    items += item(20, 3, ResourceSubType="AHCI") + extra
    items += "".join(item(17, 10 + n, HostResource=f"ovf:/disk/d{n}", Parent=3, AddressOnParent=n)
                     for n in range(len(files)))
    return (f'<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="{RASD}" '
            'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:vmw="http://www.vmware.com/schema/ovf">'
            f"<References>{references}</References><DiskSection><Info/>{disks}</DiskSection>"
            f'<VirtualSystem ovf:id="x"><Info/><Name>{name}</Name>{sections}'
            f"<VirtualHardwareSection><Info/>{items}{more}</VirtualHardwareSection></VirtualSystem></Envelope>").encode()


class Bench:
    """Disks of known content and appliances around them."""

    def __init__(self, home):
        if not shutil.which("qemu-img"):
            raise Skip("qemu-img is not installed")
        self.home = home
        self.content = bytearray(SIZE)
        self.content[:MIB] = random.Random(3).randbytes(MIB)
        self.content[4 * MIB:4 * MIB + 70000] = random.Random(4).randbytes(70000)
        self.content[-512:] = random.Random(5).randbytes(512)
        self.raw = home.file("base.raw", bytes(self.content))
        self.vmdk = self.image("vmdk", "-o", "subformat=streamOptimized")
        self.count = 0

    def image(self, form, *options):
        target = os.path.join(self.home.path, "made." + form)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, *options, self.raw, target], check=True)
        with open(target, "rb") as file:
            return file.read()

    def ova(self, members, form=tarfile.USTAR_FORMAT, name="box.ova", cut=0):
        """Members: (name, bytes) or a TarInfo."""
        path = os.path.join(self.home.path, name)
        with tarfile.open(path, "w", format=form) as archive:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member)
                    continue
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
        if cut:
            os.truncate(path, os.path.getsize(path) - cut)
        return path

    def take(self, path, *options, what=""):
        """Imports, compares the disk, and removes the machine again."""
        self.count += 1
        name = f"M{self.count}"
        result = self.home.json("import", path, "--name", name, *options)
        disk = os.path.join(result["folder"], "disks/disk0.qcow2")
        done = subprocess.run(["qemu-img", "check", "-f", "qcow2", disk], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"{what}: {done.stdout}{done.stderr}")
        done = subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", self.raw, disk], capture_output=True,
                              text=True, check=False)
        check(done.returncode == 0, f"{what}: {done.stdout}{done.stderr}")
        self.home.ok("delete", name, "--permanently")
        return result

    def refused(self, code, path, *words):
        before = self.home.tree()
        self.home.fails(code, "import", path, "--name", "Refused", words=words)
        check(self.home.tree() == before, f"{path} left something behind")
        check(self.home.json("list") == [], "a machine came of it")


def manifest(members, kind="SHA256", form="{}({})= {}\n"):
    return "".join(form.format(kind, name, hashlib.new(kind.lower(), content).hexdigest())
                   for name, content in members).encode()


def test_orders_and_archives(home):
    bench = Bench(home)
    files = [("box.ovf", descriptor()), ("disk1.vmdk", bench.vmdk)]
    files.insert(1, ("box.mf", manifest(files)))
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        bench.take(bench.ova(files, form), what=f"format {form}")
    for order in ((2, 0, 1), (1, 2, 0), (2, 1, 0)):
        bench.take(bench.ova([files[n] for n in order]), what=f"order {order}")
    long = "d" * 120 + ".vmdk"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        bench.take(bench.ova([("box.ovf", descriptor([("f1", long, "")])), (long, bench.vmdk)], form), what="long name")
    folder = tarfile.TarInfo("sub/")
    folder.type = tarfile.DIRTYPE
    bench.take(bench.ova([folder, ("sub/._box.ovf", b"\0"), *[("sub/" + name, data) for name, data in files]]),
               what="subfolder")
    bench.take(bench.ova([("./" + name, data) for name, data in files]), what="dot slash")
    bench.take(bench.ova([files[0], ("DISK1.VMDK", bench.vmdk)]), what="case")
    name = "a%20disk%C3%A4.vmdk"
    bench.take(bench.ova([("box.ovf", descriptor([("f1", name, "")])), ("a diskä.vmdk", bench.vmdk)],
                         tarfile.PAX_FORMAT), what="percent signs")


def test_formats_of_disks(home):
    bench = Bench(home)
    for form, options in (("raw", ()), ("qcow2", ()), ("vmdk", ()), ("vdi", ()), ("vhdx", ()),
                          ("vpc", ("-o", "force_size=on")), ("vpc", ("-o", "subformat=fixed,force_size=on"))):
        data = bench.image(form, *options)
        bench.take(bench.ova([("b.ovf", descriptor()), ("disk1.vmdk", data)]), what=form)
    result = bench.home.json("import", bench.ova([("b.ovf", descriptor(capacity=64 * MIB)), ("disk1.vmdk", bench.vmdk)]),
                             "--name", "Large")
    info = home.json("disk", "info", result["folder"] + "/disks/disk0.qcow2")
    check(info["disk-size"] == 64 * MIB, f"the larger size counts: {info}")


def test_manifests(home):
    bench = Bench(home)
    files = [("box.ovf", descriptor()), ("disk1.vmdk", bench.vmdk)]
    for kind in ("SHA1", "SHA256", "SHA512"):
        bench.take(bench.ova([*files, ("box.mf", manifest(files, kind))]), what=kind)
    crlf = manifest(files, form="{} ({}) = {}\r\n")
    check(bench.take(bench.ova([*files, ("box.mf", crlf)]), what="CRLF")["manifest"], "manifest is reported")
    bench.take(bench.ova([*files, ("box.mf", manifest(files[:1]))]), what="a file is missing in it")
    result = bench.take(bench.ova(files), what="none")
    check(any("no manifest" in note for note in result["notes"]), repr(result))
    check(bench.take(bench.ova([*files, ("box.mf", manifest(files)), ("box.cert", b"x")]))["signed"], "certificate")

    damaged = bytearray(bench.vmdk)
    damaged[-1] ^= 1
    wrong = bench.ova([files[0], ("disk1.vmdk", bytes(damaged)), ("box.mf", manifest(files))])
    bench.refused(CORRUPT, wrong, "disk1.vmdk", "manifest")
    home.ok("import", wrong, "--name", "Anyway", "--ignore-manifest")
    home.ok("delete", "Anyway", "--permanently")
    other = bench.ova([("box.ovf", descriptor(name="Other")), files[1], ("box.mf", manifest(files))])
    bench.refused(CORRUPT, other, "box.ovf", "manifest")


def chunks(data, size):
    return [(f"disk1.vmdk.{n:09}", data[n * size:(n + 1) * size]) for n in range((len(data) + size - 1) // size)]


def test_chunks_and_compression(home):
    bench = Bench(home)
    size = 300000
    pieces = chunks(bench.vmdk, size)
    ovf = ("box.ovf", descriptor([("f1", "disk1.vmdk", f'ovf:chunkSize="{size}" ovf:size="{len(bench.vmdk)}"')]))
    bench.take(bench.ova([ovf, *pieces, ("box.mf", manifest([ovf, *pieces]))]), what="chunks")
    bench.refused(CORRUPT, bench.ova([ovf, *pieces[:-1]]), "lacks a piece")
    bench.refused(CORRUPT, bench.ova([ovf, pieces[0], ("disk1.vmdk.000000001", b"x"), *pieces[2:]]), "another size")
    bench.take(bench.ova([("box.ovf", descriptor()), ("disk1.vmdk.000000000", bench.vmdk)]), what="one chunk unsaid")

    packed = gzip.compress(bytes(bench.content))
    ovf = ("box.ovf", descriptor([("f1", "disk1.vmdk.gz", 'ovf:compression="gzip"')]))
    bench.take(bench.ova([ovf, ("disk1.vmdk.gz", packed), ("box.mf", manifest([ovf]))]), what="gzip")
    both = [(name.replace("disk1.vmdk", "disk1.vmdk.gz"), data) for name, data in chunks(packed, 200000)]
    ovf_both = ("box.ovf", descriptor([("f1", "disk1.vmdk.gz", 'ovf:compression="gzip" ovf:chunkSize="200000"')]))
    bench.take(bench.ova([ovf_both, *both]), what="gzip in chunks")
    bench.refused(CORRUPT, bench.ova([ovf, ("disk1.vmdk.gz", packed[:-5000])]), "cannot be unpacked")
    bomb = gzip.compress(bytes(200 * MIB))
    bench.refused(INVALID, bench.ova([ovf, ("disk1.vmdk.gz", bomb)]), "much larger")


def test_folders(home):
    bench = Bench(home)
    folder = home.path + "/unpacked"
    os.mkdir(folder)
    files = [("box.ovf", descriptor()), ("disk1.vmdk", bench.vmdk)]
    for name, data in [*files, ("box.mf", manifest(files))]:
        home.file("unpacked/" + name, data)
    bench.take(folder, what="folder")
    bench.take(folder + "/box.ovf", what="OVF")
    secret = home.file("secret", bytes(bench.content))
    os.unlink(folder + "/disk1.vmdk")
    os.symlink(secret, folder + "/disk1.vmdk")
    bench.refused(INVALID, folder)
    os.unlink(folder + "/disk1.vmdk")
    os.mkfifo(folder + "/disk1.vmdk")
    code, _, err = home.run("import", folder, "--name", "Refused", timeout=20)
    check(code in (INVALID, NOT_FOUND) and "disk1.vmdk" in err, f"a FIFO: {code} {err}")
    os.unlink(folder + "/disk1.vmdk")
    bench.refused(NOT_FOUND, folder, "disk1.vmdk")


def gpt(bench):
    disk = bytearray(bench.content)
    disk[:MIB] = bytes(MIB)
    disk[510:512] = b"\x55\xaa"
    disk[512:520] = b"EFI PART"
    disk[512 + 72:512 + 88] = struct.pack("<QII", 2, 128, 128)
    disk[1024:1040] = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
    return bytes(disk)


def test_what_the_machine_gets(home):
    bench = Bench(home)
    sections = ("<OperatingSystemSection ovf:id='1' vmw:osType='windows9_64Guest'><Info/></OperatingSystemSection>"
                "<AnnotationSection><Info/><Annotation>Hello.</Annotation></AnnotationSection>")
    extra = item(15, 5, Parent=3, AddressOnParent=7) + item(10, 6, ResourceSubType="E1000", Address="00:50:56:00:00:01")
    efi = "<vmw:Config vmw:key='firmware' vmw:value='efi'/>"
    path = bench.ova([("b.ovf", descriptor(sections=sections, extra=extra, more=efi)), ("disk1.vmdk", bench.vmdk)])
    report = home.json("import", path, "--report")
    check(home.json("list") == [] and "folder" not in report, "a report makes nothing")
    check(report["firmware"] == "uefi" and report["system"] == "win10" and report["memory"] == 256 * MIB, repr(report))
    check(report["space"] < SIZE <= report["disks-size"], repr(report))
    check("00:50:56:00:00:01" in report["networks"][0], "the network card is mentioned")
    check(any("E1000" in note for note in report["notes"]), "and that it is another one now")
    for word in ("Disk of", "space", "Hello."):
        check(word in home.ok("import", path, "--report"), word)
    home.ok("import", path)
    shown = home.json("show", "Box")
    check("Hello." in str(shown) and "win10" in str(shown), repr(shown))
    check("cdrom" in str(shown), "the CD drive")
    check("00:50:56:00:00:01" in str(shown) and "net0" in str(shown), f"the network card: {shown}")
    home.fails(EXISTS, "import", path, words=["Box"])
    home.ok("delete", "Box", "--permanently")

    for disk, firmware in ((gpt(bench), "uefi"), (bytes(bench.content), "bios")):
        path = bench.ova([("b.ovf", descriptor()), ("disk1.vmdk", disk)])
        check(home.json("import", path, "--report")["firmware"] == firmware, f"{firmware} by the disk")
    ovf = descriptor([("f1", "d.gz", 'ovf:compression="gzip"')])
    path = bench.ova([("b.ovf", ovf), ("d.gz", gzip.compress(gpt(bench)))])
    check(home.json("import", path, "--name", "Packed")["firmware"] == "uefi", "UEFI by a disk that was packed")

    two = descriptor().replace(b"</Envelope>", b"<VirtualSystem ovf:id='y'><Name>Second</Name></VirtualSystem></Envelope>")
    path = bench.ova([("b.ovf", two), ("disk1.vmdk", bench.vmdk)])
    home.fails(INVALID, "import", path, words=["“Box”", "“Second”"])
    check(home.json("import", path, "--machine", "Box", "--name", "Chosen")["name"] == "Chosen", "the first of two")
    elsewhere = home.path + "/elsewhere"
    os.mkdir(elsewhere)
    result = home.json("import", path, "--machine", "Box", "--name", "Away", "--dir", elsewhere)
    check(result["folder"] == elsewhere + "/Away.oriel", repr(result))
    odd = bench.ova([("b.ovf", descriptor(name="../a/b")), ("disk1.vmdk", bench.vmdk)])
    check("/" not in home.json("import", odd, "--report")["name"], "a name that is a path")


def test_a_cd_goes_with_the_machine(home):
    """A CD image of the appliance is a file of the machine: copies and moved machines have it, too."""
    bench = Bench(home)
    cd = random.Random(8).randbytes(100 * 2048)
    ovf = descriptor(extra=item(15, 20, HostResource="ovf:/file/c", Parent=3, AddressOnParent=5))
    ovf = ovf.replace(b"</References>", b'<File ovf:id="c" ovf:href="tools.iso"/></References>')
    home.ok("import", bench.ova([("b.ovf", ovf), ("disk1.vmdk", bench.vmdk), ("tools.iso", cd)]))
    path = next(drive["path"] for drive in home.json("show", "Box")["drives"] if drive["id"].startswith("cdrom"))
    check(path == "disks/cdrom1.iso", f"it is inside: {path}")
    home.ok("clone", "Box", "Copy")
    elsewhere = home.path + "/elsewhere"
    os.mkdir(elsewhere)
    home.ok("move", "Box", elsewhere)
    for folder in (home.folder("Copy"), elsewhere + "/Box.oriel"):
        with open(f"{folder}/{path}", "rb") as file:
            check(file.read() == cd, f"the CD of {folder}")


def test_licence(home):
    bench = Bench(home)
    licence = "<EulaSection><Info/><License>Be kind.</License></EulaSection>"
    path = bench.ova([("b.ovf", descriptor(sections=licence)), ("disk1.vmdk", bench.vmdk)])
    bench.refused(STATE, path, "--accept-licence")
    check("Be kind." in home.ok("import", path, "--report"), "the licence is shown")
    bench.take(path, "--accept-licence")


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_hostile_archives(home):
    bench = Bench(home)
    ovf, disk = ("b.ovf", descriptor()), ("disk1.vmdk", bench.vmdk)
    for name in ("../disk1.vmdk", "/etc/x.vmdk", "a/../../x", "a\\b"):
        bench.refused(INVALID, bench.ova([ovf, disk, (name, b"x")]), "leads out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
        bench.refused(INVALID, bench.ova([ovf, special("disk1.vmdk", kind, "/etc/passwd")]), "link or a device")
    bench.refused(INVALID, bench.ova([ovf, disk, ("DISK1.vmdk", b"x")]), "twice")
    bench.refused(INVALID, bench.ova([ovf, disk] + [(f"f{n}", b"") for n in range(4200)]), "too many")
    bench.refused(CORRUPT, bench.ova([ovf, disk], cut=len(bench.vmdk) // 2 + 10240), "cut short")
    bench.refused(NOT_FOUND, bench.ova([ovf]), "disk1.vmdk")
    bench.refused(INVALID, bench.ova([("readme", b"x")]), "no description")
    bench.refused(INVALID, home.file("zip.ova", b"PK\3\4" + bytes(4000)), "refused")
    bench.refused(CORRUPT, home.file("gz.ova", gzip.compress(bench.vmdk)[:-50]), "cut short")
    bench.refused(INVALID, home.file("empty.ova", b""), "not an OVA")
    huge = tarfile.TarInfo("disk1.vmdk")
    huge.size = 1 << 50
    path = home.file("huge.ova", tarfile.TarInfo("x").tobuf() + huge.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    bench.refused(CORRUPT, path, "cut short")
    for href in ("../base.raw", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/x", "a/../../base.raw",
                 "%2e%2e/base.raw", "..\\x"):
        bench.refused(INVALID, bench.ova([("b.ovf", descriptor([("f1", href, "")])), disk]), "refers to")


def test_hostile_descriptors_and_disks(home):
    bench = Bench(home)
    disk = ("disk1.vmdk", bench.vmdk)
    entity = b'<?xml version="1.0"?><!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor().replace(b'<?xml version="1.0"?>', entity)), disk]),
                  "document type")
    bench.refused(INVALID, bench.ova([("b.ovf", b"<Envelope>" + b"<a>" * 10000), disk]), "nested")
    bench.refused(INVALID, bench.ova([("b.ovf", b"<Envelope>" + b"<a/>" * 3000000), disk]), "too many elements")
    bench.refused(INVALID, bench.ova([("b.ovf", bytes(17 * MIB)), disk]), "too large")
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor(capacity=1 << 55)), disk]), "no size")
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor([(f"f{n}", "disk1.vmdk", "") for n in range(9)])), disk]),
                  "at most")

    licences = "".join(f"<EulaSection><Info/><License>{n}</License></EulaSection>" for n in range(65))
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor(sections=licences)), disk]), "too many licences")
    start = time.monotonic()  # thirty thousand sections, each of which looks for a message among as many
    sections = '<EulaSection><License msgid="none"/></EulaSection>' * 30000
    messages = "<Strings>" + "".join(f'<Msg msgid="m{n}"/>' for n in range(30000)) + "</Strings></Envelope>"
    ovf = descriptor(sections=sections).replace(b"</Envelope>", messages.encode())
    home.ok("import", bench.ova([("b.ovf", ovf), disk]), "--report")
    check(time.monotonic() - start < 30, "it took long")

    overlay = home.path + "/overlay.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", bench.raw, overlay], check=True)
    with open(overlay, "rb") as file:
        bench.refused(INVALID, bench.ova([("b.ovf", descriptor()), ("disk1.vmdk", file.read())]), "difference")
    flat = b'# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/passwd" 0\n'
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor()), ("disk1.vmdk", flat)]))
    bench.refused(INVALID, bench.ova([("b.ovf", descriptor()), ("disk1.vmdk", bench.vmdk[:3000])]))


def test_memory_is_bounded(home):
    bench = Bench(home)
    packed = gzip.compress(bytes(60 * MIB))
    ovf = descriptor([("f1", "disk1.vmdk.gz", 'ovf:compression="gzip"')])
    good = bench.ova([("b.ovf", ovf), ("disk1.vmdk.gz", packed)], name="good.ova")
    bomb = bench.ova([("b.ovf", b"<Envelope>" + b"<a b='c'/>" * 1600000)], name="bomb.ova")
    for path, codes in ((good, (0,)), (bomb, (INVALID,))):
        child = subprocess.Popen([ORIELCTL, "import", path, "--name", "Small"], env=home.environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        check(child.returncode in codes, f"{path}: {child.returncode}")
        libraries = subprocess.run(["ldd", ORIELCTL], capture_output=True, text=True, check=False).stdout
        if "libasan" not in libraries:  # which keeps freed memory
            check(usage.ru_maxrss < 512 * 1024, f"{path}: {usage.ru_maxrss} KiB")


def remains(home):
    machines = os.path.join(home.data, "oriel", "machines")
    return sorted(os.listdir(machines)) if os.path.isdir(machines) else []


def test_killed_and_cancelled_at_any_moment(home):
    bench = Bench(home)
    large = random.Random(9).randbytes(48 * MIB)
    path = bench.ova([("b.ovf", descriptor(capacity=len(large))), ("disk1.vmdk", large)])
    with open(path, "rb") as file:
        before = hashlib.sha256(file.read()).hexdigest()
    for number, how in enumerate([signal.SIGKILL, signal.SIGTERM] * 8):
        earlier = remains(home)
        child = subprocess.Popen([ORIELCTL, "import", path, "--name", "Half"], env=home.environment,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.02 * number)
        child.send_signal(how)
        child.wait(60)
        names = [machine["name"] for machine in home.json("list")]
        check(names == (["Half"] if child.returncode == 0 else []) or how == signal.SIGKILL and names == ["Half"],
              f"{how} after {number}: {child.returncode} {names}")
        if how == signal.SIGTERM:
            hidden = [name for name in remains(home) if name.startswith(".") and name not in earlier]
            check(hidden == [], f"{hidden} are left behind")
        if names:
            check(home.json("show", "Half") is not None, "it is whole")
            home.ok("delete", "Half", "--permanently")
    home.ok("import", path, "--name", "Whole")
    check(remains(home) == ["Whole.oriel"], f"the next one cleans up: {remains(home)}")
    with open(path, "rb") as file:
        check(hashlib.sha256(file.read()).hexdigest() == before, "the appliance is as it was")


def test_full_disk(home):
    bench = Bench(home)
    data = random.Random(9).randbytes(20 * MIB)
    path = bench.ova([("b.ovf", descriptor(capacity=len(data))), ("disk1.vmdk", data)])
    limit = 8 * MIB
    done = subprocess.run([ORIELCTL, "import", path, "--name", "Full"], env=home.environment, capture_output=True,
                          text=True, check=False, preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                          resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
    check(done.returncode not in (0, 1) and done.stderr.startswith("orielctl: "), f"{done.returncode} {done.stderr}")
    check(remains(home) == [], f"left behind: {remains(home)}")


def test_what_we_export(home):
    bench = Bench(home)
    home.ok("create", "Own", "--disk", bench.raw, "--memory", "300", "--firmware", "uefi")
    for profile in ("vmware", "virtualbox", "proxmox"):
        path = f"{home.path}/{profile}.ova"
        home.ok("export", "Own", path, "--profile", profile)
        result = bench.take(path, what=profile)
        check(result["memory"] == 300 * MIB and result["manifest"], repr(result))


main(test_orders_and_archives, test_formats_of_disks, test_manifests, test_chunks_and_compression, test_folders,
     test_what_the_machine_gets, test_a_cd_goes_with_the_machine, test_licence, test_hostile_archives, test_hostile_descriptors_and_disks,
     test_memory_is_bounded, test_killed_and_cancelled_at_any_moment, test_full_disk, test_what_we_export)
