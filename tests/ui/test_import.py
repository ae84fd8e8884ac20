#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appliances in the window: from the command line and dropped, looked at, accepted, imported, cancelled, refused."""

import gzip
import os
import random
import re
import signal
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from session import Desktop, wait_until  # noqa: E402  (first: it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

MIB = 1 << 20
RASD = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"


def item(kind, number, more):
    return (f"<Item><rasd:InstanceID>{number}</rasd:InstanceID><rasd:ResourceType>{kind}</rasd:ResourceType>{more}</Item>")


def appliance(home, name, size, licence=None):
    """An OVA with one machine and one raw disk."""
    items = item(3, 1, "<rasd:VirtualQuantity>1</rasd:VirtualQuantity>")
    items += item(4, 2, "<rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:VirtualQuantity>256</rasd:VirtualQuantity>")
    items += item(20, 3, "<rasd:ResourceSubType>AHCI</rasd:ResourceSubType>")
    items += item(17, 4, "<rasd:HostResource>ovf:/disk/d</rasd:HostResource><rasd:Parent>3</rasd:Parent>"
                  "<rasd:AddressOnParent>0</rasd:AddressOnParent>")
    items += item(35, 5, "<rasd:ResourceSubType>hda</rasd:ResourceSubType>")
    terms = f"<EulaSection><Info/><License>{licence}</License></EulaSection>" if licence else ""
    text = (f'<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="{RASD}" '
            'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
            '<References><File ovf:id="f" ovf:href="disk.raw"/></References>'
            f'<DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="{size}"/></DiskSection>'
            f'<VirtualSystem ovf:id="x"><Info/><Name>{name}</Name>{terms}'
            "<ProductSection><Info/><Product>Mail Server</Product><Vendor>Example</Vendor><Version>3</Version></ProductSection>"
            '<OperatingSystemSection ovf:id="96"><Info/><Description>Debian GNU/Linux (64 bit)</Description></OperatingSystemSection>'
            f"<VirtualHardwareSection><Info/>{items}</VirtualHardwareSection></VirtualSystem></Envelope>")
    path = f"{home.path}/{name}.ova"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(home.file(name + ".ovf", text.encode()), name + ".ovf")
        tar.add(home.file(name + ".raw", random.Random(size).randbytes(size)), "disk.raw")
    return path


def test_licence_and_start(home):
    """The whole way: the report, a licence, the import, and a start from the toast."""
    path = appliance(home, "Box", 4 * MIB, "You may use it on Sundays only.")
    with Desktop(home) as desktop:
        desktop.window(path)
        tree = Tree(desktop)
        tree.wait("push button", "^_?Import")
        tree.wait("label", "Mail Server")
        tree.wait("label", "sound card is left out")
        nameless = [node for node in tree.nameless() if node != "list item in list “GtkListView”"]
        check(not nameless, f"without a name: {nameless}")
        desktop.screenshot("import-review")
        check(re.search("push button “_?Import[^”]*” focusable$", tree.dump(), re.M), "the licence comes first")
        tree.click("check box", "accept the licence")
        desktop.screenshot("import-accepted")
        tree.act("push button", "^_?Import")
        wait_until(lambda: [found for found in home.json("list") if found["name"] == "Box"], "the machine is there")
        tree.wait("label", "“Box” is ready")
        desktop.screenshot("import-ready")
        tree.act("push button", "^_?Start")
        wait_until(lambda: home.json("list")[0]["state"] == "running", "it runs")
    shown = home.json("show", "Box")
    check(shown["memory"] == 256 * MIB and shown["os"] == "linux", f"{shown}")


def importing(process):
    """The program's worker that fills a folder, or None."""
    for task in os.listdir(f"/proc/{process.pid}/task"):
        try:
            with open(f"/proc/{process.pid}/task/{task}/children", encoding="ascii") as file:
                for child in file.read().split():
                    with open(f"/proc/{child}/cmdline", "rb") as arguments:
                        if b"--fill" in arguments.read():
                            return int(child)
        except OSError:
            continue  # it has just ended
    return None


def let_go(worker):
    """One that stands still would do so for ever when the window is gone."""
    try:
        os.kill(worker, signal.SIGCONT)
    except ProcessLookupError:
        pass


def test_cancel(home):
    """A row with its progress stands for the machine; cancelled, nothing of it stays."""
    path = appliance(home, "Large", 128 * MIB)
    machines = os.path.join(home.data, "oriel", "machines")
    with Desktop(home) as desktop:
        process = desktop.window(path)
        tree = Tree(desktop)
        tree.act("push button", "^_?Import")
        # It stands still while it is looked at.
        worker = wait_until(lambda: importing(process), "the import runs")
        os.kill(worker, signal.SIGSTOP)  # it stands still while it is looked at
        try:
            tree.wait("label", "^Large$")
            tree.wait("push button", "^Cancel$")
            desktop.screenshot("import-progress")
            tree.act("push button", "^Cancel$")
            wait_until(lambda: os.listdir(machines) == [], "nothing is left")
        finally:
            let_go(worker)
        tree.wait("label", "^Run Another System$")
    check(not home.json("list"), "nothing was made")


def test_refused(home):
    """What is no appliance inside, and one whose disk is not what its manifest says."""
    path = appliance(home, "Broken", MIB)
    with open(path, "r+b") as file:
        file.truncate(512 * 1024)
    with Desktop(home) as desktop:
        desktop.window(path)
        tree = Tree(desktop)
        tree.wait(None, "cut short|not complete")
        tree.wait("label", "What Should Run in It")
        desktop.screenshot("import-refused")
    check(not home.json("list"), "nothing was made")


def machines(home):
    """The library's folder, with what is hidden."""
    return os.listdir(os.path.join(home.data, "oriel", "machines"))


def engines(home):
    """Engines whose machine lies in the library."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")
        except OSError:
            continue
        if b"--until-fd" in arguments and any(home.data.encode() in argument for argument in arguments):
            found.append(int(pid))
    return found


def tried(home, desktop, path):
    """The program with a window in which the appliance runs."""
    process = desktop.window(path)
    tree = Tree(desktop)
    tree.act("push button", "^_?Try (?!the)")
    desktop.wait_window("^Trying “Box”$")
    wait_until(lambda: engines(home), "its engine runs")
    tree.wait("push button", "^Pause")
    return process, tree


def test_try(home):
    """It runs in a window of its own, which asks at the end what becomes of it."""
    path = appliance(home, "Box", 4 * MIB)
    with Desktop(home) as desktop:
        _, tree = tried(home, desktop, path)
        tree.wait("label", "^Being tried: closing asks whether to import it$")
        desktop.screenshot("try-running")
        check(not home.json("list"), "it is no machine of the library")
        tree.act("push button", "^Close$", window="^Trying")
        tree.act("push button", "^_?Go On Trying")
        check(engines(home), "it runs on")
        tree.act("push button", "^Close$", window="^Trying")
        tree.wait("push button", "^_?Discard")
        desktop.screenshot("try-question")
        tree.act("push button", "^_?Discard")
        desktop.wait_no_window("^Trying “Box”$")  # which is hidden before the rest has gone
        wait_until(lambda: machines(home) == [] and not engines(home), "nothing is left")
        tree.wait("label", "^Run Another System$")


def test_try_and_import(home):
    """What turned itself off is asked about as well."""
    path = appliance(home, "Box", 4 * MIB)
    with Desktop(home) as desktop:
        _, tree = tried(home, desktop, path)
        os.kill(engines(home)[0], signal.SIGTERM)
        tree.act("push button", "^_?Import It")
        wait_until(lambda: [found for found in home.json("list") if found["name"] == "Box"], "the machine is there")
        desktop.wait_no_window("^Trying “Box”$")
        tree.wait("label", "“Box” is ready")
        check(machines(home) == ["Box.oriel"], machines(home))


def test_try_and_crash(home):
    """The engine ends with the window's process, and what it left goes with the next one."""
    path = appliance(home, "Box", 4 * MIB)
    with Desktop(home) as desktop:
        process, _ = tried(home, desktop, path)
        process.kill()
        process.wait()
        wait_until(lambda: not engines(home), "its engine ends")
        desktop.window()
        wait_until(lambda: machines(home) == [], "nothing is left")


def test_unpacked_once(home):
    """What was unpacked for the report is what is imported."""
    path = os.path.join(home.path, "disk.raw.gz")
    first, second = (random.Random(seed).randbytes(MIB) for seed in (1, 2))
    with gzip.open(path, "wb") as file:
        file.write(first)
    with Desktop(home) as desktop:
        desktop.window(path)
        tree = Tree(desktop)
        tree.wait("push button", "^_?Import")
        with gzip.open(path, "wb") as file:
            file.write(second)
        tree.act("push button", "^_?Import")
        wait_until(lambda: home.json("list"), "the machine is there")
    raw = os.path.join(home.path, "out.raw")
    home.ok("disk", "convert", home.folder("disk") + "/disks/disk0.qcow2", raw)
    with open(raw, "rb") as file:
        check(file.read() == first, "it was unpacked again")


oriel.main(test_licence_and_start, test_cancel, test_refused, test_try, test_try_and_import, test_try_and_crash,
           test_unpacked_once)
