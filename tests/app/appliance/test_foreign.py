#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl import of other programs' machines: descriptions as each producer writes them, around disks of known content."""

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import struct
import subprocess
import tarfile
import uuid
import zipfile

from oriel import ORIELCTL, Skip, check, main

MIB = 1 << 20
SIZE = 6 * MIB + 512
INVALID, NOT_FOUND, CORRUPT = 10, 11, 13
WORKER = os.path.join(os.path.dirname(ORIELCTL), "oriel-worker")


class Bench:
    """A disk of known content, and comparing what an import makes of it."""

    def __init__(self, home):
        if not shutil.which("qemu-img"):
            raise Skip("qemu-img is not installed")
        self.home = home
        self.content = bytearray(SIZE)
        self.content[:MIB] = random.Random(3).randbytes(MIB)
        self.content[4 * MIB:4 * MIB + 70000] = random.Random(4).randbytes(70000)
        self.content[-512:] = random.Random(5).randbytes(512)
        self.raw = home.file("base.raw", bytes(self.content))
        self.count = 0

    def folder(self, name):
        path = os.path.join(self.home.path, name)
        os.makedirs(path, exist_ok=True)
        return path

    def disk(self, path, form, *options, source=None):
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, *options, source or self.raw, path], check=True)
        return path

    def write(self, path, text):
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def report(self, path, *options):
        report = self.home.json("import", path, "--report", *options)
        check(self.home.json("list") == [], "a report makes nothing")
        return report

    def take(self, path, *options, raw=None):
        """Imports, compares the first disk, and removes the machine; returns the report."""
        self.count += 1
        name = f"M{self.count}"
        result = self.home.json("import", path, "--name", name, *options)
        self.same(os.path.join(result["folder"], "disks/disk0.qcow2"), raw or self.raw)
        result["settings"] = self.home.json("show", name)
        self.home.ok("delete", name, "--permanently")
        return result

    def same(self, disk, raw):
        done = subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, disk], capture_output=True,
                              text=True, check=False)
        check(done.returncode == 0, f"{disk}: {done.stdout}{done.stderr}")

    def refused(self, code, path, *words, options=()):
        before = self.home.tree()
        self.home.fails(code, "import", path, "--name", "Refused", *options, words=words)
        check(self.home.tree() == before, f"{path} left something behind")
        check(self.home.json("list") == [], "a machine came of it")


def says(report, *words):
    for word in words:
        check(any(word in note for note in report["notes"]), f"“{word}” is not among {report['notes']}")


# --- VMware ------------------------------------------------------------------------------------------------------------


def vmx(*lines, disk="disk.vmdk"):
    return "\n".join(['.encoding = "UTF-8"', 'config.version = "8"', 'virtualHW.version = "19"',
                      'displayName = "Box"', 'guestOS = "debian12-64"', 'memsize = "768"', 'numvcpus = "1"',
                      'scsi0.present = "TRUE"', 'scsi0.virtualDev = "lsilogic"', 'scsi0:0.present = "TRUE"',
                      f'scsi0:0.fileName = "{disk}"', *lines, ""])


def test_vmware(home):
    bench = Bench(home)
    folder = bench.folder("vmware")
    bench.disk(folder + "/disk.vmdk", "vmdk", "-o", "subformat=twoGbMaxExtentSparse")
    check(os.path.exists(folder + "/disk-s001.vmdk"), "the disk is split")
    path = bench.write(folder + "/box.vmx", vmx(
        'FIRMWARE = "efi"', 'annotation = "say |22hello|22"', 'nvram = "box.nvram"', 'sata0:1.present = "TRUE"',
        'sata0:1.deviceType = "cdrom-image"', 'sata0:1.fileName = "C:\\isos\\old.iso"', 'ethernet0.present = "TRUE"',
        'ethernet0.virtualDev = "e1000e"', 'ethernet0.generatedAddress = "00:0c:29:12:34:56"', 'floppy0.present = "TRUE"',
        'ethernet1.present = "FALSE"', 'vtpm.present = "TRUE"'))
    for given in (path, folder):
        result = bench.take(given)
    check(result["format"] == "VMware" and result["system"] == "debian12" and result["firmware"] == "uefi", repr(result))
    check(result["memory"] == 768 * MIB and result["cpus"] == 1, repr(result))
    check(result["description"] == 'say "hello"', "escapes")
    says(result, "old.iso", "floppy", "TPM", "NVRAM", "SCSI")
    check("00:0c:29:12:34:56" in str(result["settings"]) and len(result["networks"]) == 1, repr(result))
    check(home.json("identify", path)["kind"] == "vmware", "identify")
    for model, words in (("e1000", "was e1000 and is an Intel 82574L"), ("vmxnet3", "was vmxnet3 and is an Intel 82574L")):
        card = vmx('ethernet0.present = "TRUE"', f'ethernet0.virtualDev = "{model}"')
        says(bench.report(bench.write(path, card)), words)
    nvme = vmx('nvme0.present = "TRUE"', 'nvme0:0.fileName = "disk.vmdk"').replace("scsi0:0.", "unused:")
    check("on NVMe" in bench.take(bench.write(path, nvme))["drives"][0], "NVMe")
    check(bench.report(path)["name"] == "Box", "the name")

    old = vmx('annotation = "na\xefve"').replace("UTF-8", "windows-1252").replace("\n", "\r\n").encode("cp1252")
    result = bench.report(bench.write(folder + "/box.vmx", old))
    check(result["description"] == "na\xefve" and result["firmware"] == "bios", repr(result))

    bytes_of_any_kind = vmx('annotation = "caf|C3|A9 |FF"').replace('"Box"', '"B|F6x"')
    result = bench.report(bench.write(path, bytes_of_any_kind))
    check(result["description"] == "caf\xe9 \ufffd" and result["name"] == "B\ufffdx", repr(result))

    # A snapshot: the machine uses the difference, which names its parent.
    for form in ("monolithicFlat", "monolithicSparse"):
        base = bench.disk(f"{folder}/{form}.vmdk", "vmdk", "-o", f"subformat={form}")
        bench.write(folder + "/box.vmx", vmx(disk=f"{form}.vmdk"))
        bench.take(path)
    overlay = folder + "/disk-000001.vmdk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", base, overlay], check=True)
    data = content_of(overlay).replace(b'"' + base.encode() + b'"', b'"monolithicSparse.vmdk"'.ljust(len(base) + 2))
    check(len(data) == os.path.getsize(overlay), "the descriptor keeps its size")
    bench.write(overlay, data)
    bench.write(folder + "/box.vmx", vmx(disk="disk-000001.vmdk"))
    bench.take(path)

    bench.refused(INVALID, bench.write(folder + "/box.vmx", vmx('encryption.keySafe = "x"')), "encrypted")
    bench.refused(NOT_FOUND, bench.write(folder + "/box.vmx", vmx(disk="D:\\vms\\gone.vmdk")), "D:\\vms\\gone.vmdk", "--disks")
    bench.refused(NOT_FOUND, bench.write(folder + "/box.vmx", vmx(disk="../base.raw")), "--disks")


# --- VirtualBox --------------------------------------------------------------------------------------------------------


def vbox(hardware, disks, current, extra=""):
    return (f'<?xml version="1.0"?><!-- ** DO NOT EDIT THIS FILE. ** --><VirtualBox xmlns="http://www.virtualbox.org/" '
            f'version="1.19-linux"><Machine uuid="{{0}}" name="Box" OSType="Debian_64" snapshotFolder="Snapshots">'
            f'<Description>Hi.</Description><MediaRegistry><HardDisks>{disks}</HardDisks><DVDImages>'
            f'<Image uuid="{{d}}" location="/isos/gone.iso"/></DVDImages></MediaRegistry>{extra}<Hardware>{hardware}'
            '<StorageControllers><StorageController name="SATA" type="AHCI" PortCount="2">'
            '<AttachedDevice type="DVD" port="1" device="0"><Image uuid="{d}"/></AttachedDevice>'
            f'<AttachedDevice type="HardDisk" port="0" device="0"><Image uuid="{current}"/></AttachedDevice>'
            '</StorageController></StorageControllers></Hardware></Machine></VirtualBox>')


def vdi_uuid(path):
    with open(path, "rb") as file:
        file.seek(0x188)
        return file.read(16)


def vdi_difference(bench, path, parent):
    """A differencing VDI over `parent` that has its first block anew; returns the raw content."""
    changed = bytearray(bench.content)
    changed[:MIB] = random.Random(8).randbytes(MIB)
    first = bytes(changed[:MIB])
    bench.disk(path, "vdi", source=bench.home.file("one.raw", first + bytes(SIZE - MIB)))
    with open(path, "r+b") as file:
        file.seek(0x4C)
        file.write(struct.pack("<I", 4))
        file.seek(0x1A8)
        file.write(vdi_uuid(parent))
    return bench.home.file("changed.raw", bytes(changed))


def test_virtualbox(home):
    bench = Bench(home)
    folder = bench.folder("vbox")
    bench.folder("vbox/Snapshots")
    base = bench.disk(folder + "/Box.vdi", "vdi")
    hardware = ('<CPU count="1"/><Memory RAMSize="640"/><Firmware type="EFI"/><BIOS><IOAPIC enabled="true"/></BIOS><Network>'
                '<Adapter slot="0" enabled="true" MACAddress="080027ABCDEF" type="82540EM" cable="true"><NAT/></Adapter>'
                '<Adapter slot="1" enabled="false" MACAddress="080027000000"/></Network>')
    disks = '<HardDisk uuid="{a}" location="Box.vdi" format="VDI" type="Normal"/>'
    path = bench.write(folder + "/Box.vbox", vbox(hardware, disks, "{a}"))
    for given in (path, folder):
        result = bench.take(given)
    check(result["format"] == "VirtualBox" and result["firmware"] == "uefi" and result["system"] == "linux", repr(result))
    check(result["memory"] == 640 * MIB and result["description"] == "Hi.", repr(result))
    says(result, "gone.iso")

    changed = vdi_difference(bench, folder + "/Snapshots/{b}.vdi", base)
    disks = ('<HardDisk uuid="{a}" location="Box.vdi" format="VDI" type="Normal">'
             '<HardDisk uuid="{b}" location="Snapshots/{b}.vdi" format="VDI"/></HardDisk>')
    past = '<Snapshot uuid="{s}" name="one"><Hardware><CPU count="7"/><Firmware type="BIOS"/></Hardware></Snapshot>'
    bench.write(path, vbox(hardware, disks, "{b}", past))
    result = bench.take(path, raw=changed)
    check(result["cpus"] == 1 and result["firmware"] == "uefi", "the snapshot's hardware is not the machine's")
    says(result, "snapshots are left out")
    bench.write(path, vbox(hardware, disks, "{a}", past))
    bench.take(path)

    bench.disk(folder + "/Box.vdi", "vdi")  # another image under its name
    bench.write(path, vbox(hardware, disks, "{b}"))
    bench.refused(INVALID, path, "does not belong")
    locked = '<HardDisk uuid="{a}" location="Box.vdi" format="VDI"><Property name="CRYPT/KeyStore" value="x"/></HardDisk>'
    bench.refused(INVALID, bench.write(path, vbox(hardware, locked, "{a}")), "encrypted")
    entity = vbox(hardware, disks, "{a}").replace('<?xml version="1.0"?>', '<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/passwd">]>')
    bench.refused(INVALID, bench.write(path, entity), "document type")


# --- libvirt -----------------------------------------------------------------------------------------------------------


def domain(disks, arch="x86_64", os="", more=""):
    return (f'<domain type="kvm"><name>box</name><title>The box</title><metadata><libosinfo:libosinfo '
            'xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0"><libosinfo:os id="http://debian.org/debian/12"/>'
            '</libosinfo:libosinfo></metadata><memory unit="KiB">786432</memory><vcpu placement="static">1</vcpu>'
            f'<os{os}><type arch="{arch}" machine="pc-q35-7.2">hvm</type></os><clock offset="localtime"/>'
            f'<devices>{disks}{more}</devices></domain>')


def disk_xml(path, bus="virtio", name="vda"):
    return (f'<disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="{path}"/>'
            f'<target dev="{name}" bus="{bus}"/></disk>')


def test_libvirt(home):
    bench = Bench(home)
    images, folder = bench.folder("images"), bench.folder("libvirt")
    disk = bench.disk(images + "/box.qcow2", "qcow2")
    more = ('<disk type="network" device="disk"><source protocol="rbd" name="x"/><target dev="vdb"/></disk>'
            '<disk type="file" device="cdrom"><target dev="sda" bus="sata"/></disk>'
            '<interface type="network"><mac address="52:54:00:11:22:33"/><source network="default"/><model type="virtio"/>'
            '</interface><hostdev mode="subsystem" type="pci"/>')
    path = bench.write(folder + "/box.xml", domain(disk_xml(disk), os=' firmware="efi"', more=more))
    bench.refused(NOT_FOUND, path, disk, "--disks")
    result = bench.take(path, "--disks", images)
    check(result["format"] == "libvirt" and result["system"] == "debian12" and result["firmware"] == "uefi", repr(result))
    check(result["memory"] == 768 * MIB and bench.report(path, "--disks", images)["name"] == "The box", repr(result))
    check("on virtio" in result["drives"][0], repr(result["drives"]))
    says(result, "the kind “network”", "left out")
    check("52:54:00:11:22:33" in str(result["settings"]), repr(result["settings"]))
    shutil.move(disk, folder + "/box.qcow2")
    bench.take(folder)

    store = "/usr/share/OVMF/OVMF_VARS_4M.fd"
    if os.path.exists(store):
        variables = bytearray(content_of(store))
        variables[-1] ^= 1
        bench.write(folder + "/box_VARS.fd", bytes(variables))
        carried = domain(disk_xml("box.qcow2")).replace("</type>", "</type><loader type='pflash'>/x</loader><nvram>/y/box_VARS.fd</nvram>")
        result = home.json("import", bench.write(path, carried), "--name", "Kept")
        says(result, "carried over")
        check(content_of(result["folder"] + "/firmware/OVMF_VARS.fd") == variables, "the variables")
        home.ok("delete", "Kept", "--permanently")
        bench.write(folder + "/box_VARS.fd", bytes(variables[:-1]))
        says(bench.report(path), "made anew")
    overlay = folder + "/top.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "box.qcow2", overlay], check=True)
    bench.take(bench.write(path, domain(disk_xml("top.qcow2"))))
    bench.refused(INVALID, bench.write(path, domain("", arch="aarch64")), "another kind than a PC")
    bench.refused(INVALID, bench.write(path, domain('<disk type="file"><encryption/><source file="x"/></disk>')), "encrypted")


# --- UTM ---------------------------------------------------------------------------------------------------------------


PLIST = ('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
         '"http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict>{}</dict></plist>\n')


def keys(**values):
    text = ""
    for key, value in values.items():
        text += f"<key>{key}</key>"
        if isinstance(value, bool):
            text += "<true/>" if value else "<false/>"
        elif isinstance(value, int):
            text += f"<integer>{value}</integer>"
        elif isinstance(value, dict):
            text += f"<dict>{keys(**value)}</dict>"
        elif isinstance(value, list):
            text += "<array>" + "".join(f"<dict>{keys(**entry)}</dict>" for entry in value) + "</array>"
        else:
            text += f"<string>{value}</string>"
    return text


def test_utm(home):
    bench = Bench(home)
    bundle = bench.folder("Debian.utm")
    bench.folder("Debian.utm/Data")
    bench.folder("Debian.utm/Images")
    bench.disk(bundle + "/Data/a.qcow2", "qcow2")
    newest = {"ConfigurationVersion": 4, "Backend": "QEMU", "Information": {"Name": "Deb", "Notes": "Hi."},
              "System": {"Architecture": "x86_64", "CPUCount": 0, "MemorySize": 768, "Target": "q35"},
              "QEMU": {"UEFIBoot": True, "TPMDevice": True, "RTCLocalTime": False},
              "Drive": [{"ImageName": "a.qcow2", "ImageType": "Disk", "Interface": "VirtIO", "Identifier": "1"},
                        {"ImageType": "CD", "Interface": "USB", "Identifier": "2"}],
              "Network": [{"Hardware": "virtio-net-pci", "MacAddress": "aa:bb:cc:00:11:22", "Mode": "Shared"}]}
    path = bench.write(bundle + "/config.plist", PLIST.format(keys(**newest)))
    for given in (bundle, path):
        result = bench.take(given)
    check(result["format"] == "UTM" and result["firmware"] == "uefi" and result["memory"] == 768 * MIB, repr(result))
    check(bench.report(bundle)["name"] == "Deb" and result["description"] == "Hi.", repr(result))
    check(result["drives"][1] == "CD drive", repr(result["drives"]))
    says(result, "TPM", "NVRAM")
    check(home.json("identify", path)["kind"] == "utm", "identify")

    shutil.move(bundle + "/Data/a.qcow2", bundle + "/Images/disk-0.qcow2")
    earlier = {"ConfigurationVersion": 2, "Info": {"Notes": "Old."},
               "System": {"Architecture": "x86_64", "CPUCount": 1, "Memory": 512, "Target": "pc-i440fx-2.12"},
               "Drives": [{"ImagePath": "disk-0.qcow2", "ImageType": "disk", "InterfaceType": "ide"}],
               "Networking": {"NetworkCard": "rtl8139", "NetworkCardMac": "aa:bb:cc:00:11:33", "NetworkEnabled": True}}
    bench.write(path, PLIST.format(keys(**earlier)))
    result = bench.take(bundle)
    check(result["memory"] == 512 * MIB and bench.report(bundle)["name"] == "Debian", repr(result))
    says(result, "i440FX")

    bench.refused(INVALID, bench.write(path, b"bplist00" + bytes(50)) and bundle, "plutil")
    arm = dict(newest, System={"Architecture": "aarch64", "MemorySize": 1})
    bench.refused(INVALID, bench.write(path, PLIST.format(keys(**arm))) and bundle, "another kind than a PC")
    apple = dict(newest, Backend="Apple")
    bench.refused(INVALID, bench.write(path, PLIST.format(keys(**apple))) and bundle, "Apple")
    entity = PLIST.format(keys(**newest)).replace('.dtd">', '.dtd" [<!ENTITY x SYSTEM "/etc/passwd">]>')
    bench.refused(INVALID, bench.write(path, entity) and bundle, "document type")


# --- Quickemu ----------------------------------------------------------------------------------------------------------


def test_quickemu(home):
    bench = Bench(home)
    folder = bench.folder("quick")
    bench.folder("quick/debian-12-xfce")
    bench.disk(folder + "/debian-12-xfce/disk.qcow2", "qcow2")
    mark = folder + "/ran"
    path = bench.write(folder + "/debian-12-xfce.conf", f"""#!/usr/bin/env quickemu --vm
guest_os="linux"
disk_img="debian-12-xfce/disk.qcow2"
iso="debian-12-xfce/gone.iso"
ram="768M"   # much
cpu_cores='1'
disk_size=$(touch {mark})
extra_args=`touch {mark}`
touch {mark}
tpm="on"
""")
    for given in (path, folder):
        result = bench.take(given)
    check(not os.path.exists(mark), "nothing of it runs")
    check(result["format"] == "Quickemu" and result["system"] == "debian12" and result["firmware"] == "uefi", repr(result))
    check(result["memory"] == 768 * MIB and result["cpus"] == 1, repr(result))
    says(result, "disk_size", "gone.iso", "TPM")
    bench.write(path, 'guest_os="windows"\nboot="legacy"\ndisk_img="debian-12-xfce/disk.qcow2"\n')
    check(bench.report(path)["firmware"] == "bios", "legacy")


# --- Hyper-V -----------------------------------------------------------------------------------------------------------


def test_hyper_v(home):
    bench = Bench(home)
    folder = bench.folder("Server")
    for name in ("Virtual Machines", "Virtual Hard Disks", "Snapshots"):
        bench.folder("Server/" + name)
    guid = str(uuid.UUID(int=7)).upper()
    bench.write(f"{folder}/Virtual Machines/{guid}.vmcx", random.Random(1).randbytes(5000))
    bench.disk(folder + "/Virtual Hard Disks/disk.vhdx", "vhdx", source=None)
    result = bench.take(folder)
    check(bench.report(folder)["name"] == "Server", repr(result))
    says(result, "guessed")

    os.unlink(f"{folder}/Virtual Machines/{guid}.vmcx")
    os.unlink(folder + "/Virtual Hard Disks/disk.vhdx")
    bench.disk(folder + "/Virtual Hard Disks/old.vhd", "vpc", "-o", "force_size=on")
    text = """<?xml version="1.0" encoding="UTF-16" standalone="yes"?><configuration>
      <_e_><ChannelInstanceGuid type="string">x</ChannelInstanceGuid><MACAddress type="string">00155D010203</MACAddress></_e_>
      <_83f8638b-8dca-4152-9eda-2ca8b33039b4_><controller0><drive0>
      <pathname type="string">C:\\VMs\\Server\\Virtual Hard Disks\\old.vhd</pathname><type type="string">VHD</type></drive0>
      <drive1><pathname type="string"/><type type="string">NONE</type></drive1></controller0>
      </_83f8638b-8dca-4152-9eda-2ca8b33039b4_>
      <properties><name type="string">Alter Server</name><subtype type="integer">0</subtype></properties>
      <settings><memory><bank><size type="integer">768</size></bank></memory><processors><count type="integer">1</count>
      </processors></settings></configuration>"""
    path = bench.write(f"{folder}/Virtual Machines/{guid}.xml", b"\xff\xfe" + text.encode("utf-16-le"))
    for given in (folder, path):
        result = bench.take(given)
    check(result["format"] == "Hyper-V" and result["memory"] == 768 * MIB and result["firmware"] == "bios", repr(result))
    check(bench.report(folder)["name"] == "Alter Server", repr(result))


# --- Vagrant, packed, loose --------------------------------------------------------------------------------------------


def tar(path, mode, members):
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def test_vagrant(home):
    bench = Bench(home)
    folder = bench.folder("made")
    stream = content_of(bench.disk(folder + "/s.vmdk", "vmdk", "-o", "subformat=streamOptimized"))
    rasd = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
    ovf = (f'<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" '
           f'xmlns:rasd="{rasd}"><References><File ovf:id="f" ovf:href="box-disk001.vmdk"/></References><DiskSection><Disk '
           f'ovf:diskId="d" ovf:fileRef="f" ovf:capacity="{SIZE}"/></DiskSection><VirtualSystem ovf:id="x"><Name>V</Name>'
           '<VirtualHardwareSection><Item><rasd:HostResource>/disk/d</rasd:HostResource><rasd:InstanceID>1</rasd:InstanceID>'
           '<rasd:ResourceType>17</rasd:ResourceType></Item></VirtualHardwareSection></VirtualSystem></Envelope>').encode()
    script = ("Vagrantfile", b"raise 'never run'")
    members = [script, ("metadata.json", b'{"provider":"virtualbox"}'), ("box.ovf", ovf), ("box-disk001.vmdk", stream)]
    for mode in ("w", "w:gz", "w:xz"):
        check(bench.take(tar(home.path + "/v.box", mode, members))["format"] == "OVF", mode)

    image = content_of(bench.disk(folder + "/q.qcow2", "qcow2"))
    box = tar(home.path + "/debian-12.box", "w:gz",
              [script, ("metadata.json", b'{"provider":"libvirt","format":"qcow2","virtual_size":1}'), ("box.img", image)])
    result = bench.take(box)
    check("on virtio" in result["drives"][0] and result["system"] == "debian12", repr(result))
    check(bench.report(box)["name"] == "debian-12", "the name")

    split = bench.folder("split")
    bench.disk(split + "/disk.vmdk", "vmdk", "-o", "subformat=twoGbMaxExtentSparse")
    members = [("metadata.json", b'{"provider":"vmware_desktop"}'), ("box.vmx", vmx().encode())]
    members += [(name, content_of(split + "/" + name)) for name in os.listdir(split)]
    for mode in ("w", "w:gz"):
        check(bench.take(tar(home.path + "/w.box", mode, members))["format"] == "VMware", mode)


def gpt(content, kind):
    disk = bytearray(content)
    disk[:MIB] = bytes(MIB)
    disk[510:512] = b"\x55\xaa"
    disk[512:520] = b"EFI PART"
    disk[512 + 72:512 + 88] = struct.pack("<QII", 2, 128, 128)
    disk[1024:1040] = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
    disk[1152:1168] = bytes.fromhex(kind)
    return bytes(disk)


def test_loose_disks(home):
    bench = Bench(home)
    folder = bench.folder("loose")
    for form, end, options in (("qcow2", "qcow2", ()), ("vmdk", "vmdk", ()), ("vdi", "vdi", ()), ("vhdx", "vhdx", ()),
                               ("vpc", "vhd", ("-o", "subformat=fixed,force_size=on"))):
        path = bench.disk(f"{folder}/some.{end}", form, *options)
        result = bench.take(path)
        check(("on virtio" in result["drives"][0]) == (form == "qcow2"), repr(result))
        check(bench.report(path)["name"] == "some", "the name")
    overlay = folder + "/over.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "some.qcow2", overlay], check=True)
    bench.refused(NOT_FOUND, overlay, "some.qcow2", "--disks")
    bench.take(overlay, "--disks", folder)
    for kind, system in (("af3dc60f838472478e793d69d8477de4", "linux"), ("16e3c9e35c0bb84d817df92df00215ae", "windows")):
        raw = bench.write(folder + "/guess.img", gpt(bench.content, kind))
        result = bench.take(raw, raw=raw)
        check(result["firmware"] == "uefi" and result["system"] == system, repr(result))
    content = content_of(raw)
    packed = {"xz": lzma.compress(content, preset=0), "gz": gzip.compress(content, 1), "bz2": bz2.compress(content, 1)}
    if shutil.which("zstd"):
        packed["zst"] = subprocess.run(["zstd", "-qc", raw], capture_output=True, check=True).stdout
    for end, data in packed.items():
        path = bench.write(f"{folder}/debian-12.img.{end}", data)
        result = bench.take(path, raw=raw)
        check(result["system"] == "debian12" and bench.report(path)["name"] == "debian-12", repr(result))
    with zipfile.ZipFile(folder + "/z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/disk.vmdk", content_of(folder + "/some.vmdk"))
    bench.take(folder + "/z.zip")
    with zipfile.ZipFile(folder + "/vm.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("VM/box.vmx", vmx())
        archive.writestr("VM/disk.vmdk", content_of(folder + "/some.vmdk"))
    check(bench.take(folder + "/vm.zip")["format"] == "VMware", "a packed folder")
    bench.refused(CORRUPT, bench.write(folder + "/cut.xz", packed["xz"][:-3000]), "cut short")


def test_space_of_thin_disks(home):
    """What a disk does not have takes no space: neither holes of a raw one nor grains that are absent."""
    bench = Bench(home)
    folder = bench.folder("thin")
    raw = bench.write(folder + "/thin.img", gpt(bench.content, "af3dc60f838472478e793d69d8477de4"))
    os.truncate(raw, 1 << 40)
    vmdk = bench.disk(folder + "/thin.vmdk", "vmdk", source=raw)
    for path in (raw, vmdk):
        report = bench.report(path)
        check(report["disks-size"] == 1 << 40 and report["space"] < 2 * SIZE, f"{path}: {report}")
    home.json("import", raw, "--name", "Thin")
    disk = home.folder("Thin") + "/disks/disk0.qcow2"
    check(os.stat(disk).st_blocks * 512 < 2 * SIZE, "not sparse")
    bench.same(disk, raw)


def test_what_is_packed_is_unpacked_once(home):
    """The second worker finds an archive that has been spoilt, and what the first one has unpacked."""
    bench = Bench(home)
    folder = bench.folder("once")
    for name, data in (("disk.img.gz", gzip.compress(bytes(bench.content), 1)), ("vm.zip", None)):
        path = folder + "/" + name
        if data:
            bench.write(path, data)
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("VM/box.vmx", vmx())
                archive.writestr("VM/disk.vmdk", content_of(bench.disk(folder + "/disk.vmdk", "vmdk")))
        wrapper = bench.write(folder + "/worker", f"""#!/bin/sh
echo >> '{path}.runs'
[ "$(wc -l < '{path}.runs')" -lt 2 ] || dd if=/dev/zero of='{path}' bs=1 seek=1000 count=300000 conv=notrunc 2>/dev/null
exec '{WORKER}' "$@"
""")
        os.chmod(wrapper, 0o755)
        home.environment["ORIEL_WORKER"] = wrapper
        result = home.json("import", path, "--name", "Once")
        del home.environment["ORIEL_WORKER"]
        check(content_of(path + ".runs") == b"\n\n", "two workers")
        bench.same(os.path.join(result["folder"], "disks/disk0.qcow2"), bench.raw)
        home.ok("delete", "Once", "--permanently")
        bench.refused(CORRUPT, path)


# --- Hostile -----------------------------------------------------------------------------------------------------------


def test_hostile(home):
    bench = Bench(home)
    folder = bench.folder("hostile")
    secret = bench.write(home.path + "/secret.vmdk", bytes(bench.content))
    path = folder + "/box.vmx"
    for name in ("/etc/passwd", "../secret.vmdk", "a/../../secret.vmdk", secret, "C:\\x.vmdk", "\\\\host\\x\\y.vmdk",
                 "http://127.0.0.1/x.vmdk", "json:{}"):
        code, out, err = home.run("import", bench.write(path, vmx(disk=name)), "--name", "Refused")
        check(code in (INVALID, NOT_FOUND) and err, f"{name}: {code} {out}{err}")
    os.symlink(secret, folder + "/link.vmdk")
    bench.refused(INVALID, bench.write(path, vmx(disk="link.vmdk")))
    os.symlink(home.path, folder + "/away")
    bench.refused(NOT_FOUND, bench.write(path, vmx(disk="away/secret.vmdk")))

    def flat(target):
        return f'# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "{target}" 0\n'
    bench.write(path, vmx())
    for target in ("/etc/passwd", "../secret.vmdk", "link.vmdk", "/dev/zero"):
        bench.write(folder + "/disk.vmdk", flat(target))
        bench.refused(INVALID, path)
    loop = flat("x").replace("ffffffff", "1").replace("RW 8", 'parentFileNameHint="disk.vmdk"\nRW 8').replace("FLAT", "SPARSE")
    bench.write(folder + "/disk.vmdk", loop)
    code, _, err = home.run("import", path, "--name", "Refused")
    check(code in (INVALID, NOT_FOUND), f"a loop: {code} {err}")

    # qcow2 that names files of the host.
    for options in (("-b", "/etc/hostname", "-F", "raw"), ("-b", "json:{\"driver\":\"null-co\"}", "-F", "raw")):
        subprocess.run(["qemu-img", "create", "-q", "-u", "-f", "qcow2", *options, folder + "/disk.qcow2", "1M"], check=True)
        bench.write(path, vmx(disk="disk.qcow2"))
        code, _, err = home.run("import", path, "--name", "Refused")
        check(code in (INVALID, NOT_FOUND), f"{options}: {code} {err}")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", "-u", folder + "/disk.qcow2", "1M"], check=True)
    bench.refused(INVALID, path, "itself")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={folder}/data.raw", folder + "/disk.qcow2", "1M"],
                   check=True)
    bench.refused(INVALID, path)

    for mode in ("w:gz", "w:xz"):
        for name in ("../x.vmdk", "/tmp/x.vmdk", "a/../../x"):
            bench.refused(INVALID, tar(home.path + "/slip.box", mode, [(name, b"x"), ("box.vmx", vmx().encode())]), "leads out")
    with tarfile.open(home.path + "/link.box", "w:gz") as archive:
        info = tarfile.TarInfo("disk.vmdk")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    bench.refused(INVALID, home.path + "/link.box", "link or a device")
    with zipfile.ZipFile(home.path + "/slip.zip", "w") as archive:
        archive.writestr("../../evil.vmdk", b"x")
    bench.refused(INVALID, home.path + "/slip.zip", "leads out")
    bench.refused(INVALID, bench.write(folder + "/deep.xml", b"<domain>" + b"<a>" * 100000), "nested")
    bench.refused(INVALID, bench.write(folder + "/large.vmx", vmx().encode() + b"x" * (17 * MIB)), "too large")
    many = vmx(*[f'scsi0:{n}.fileName = "disk.vmdk"' for n in range(1, 60)])
    bench.write(folder + "/disk.vmdk", content_of(bench.disk(home.path + "/d.vmdk", "vmdk")))
    bench.refused(INVALID, bench.write(path, many), "at most")


main(test_vmware, test_virtualbox, test_libvirt, test_utm, test_quickemu, test_hyper_v, test_vagrant, test_loose_disks,
     test_space_of_thin_disks, test_what_is_packed_is_unpacked_once, test_hostile)
