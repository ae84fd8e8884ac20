#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives, moving, and earlier settings, through orielctl: results, mistakes, and death at every step."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from oriel import ORIELCTL, Skip, check, main

MIB = 1 << 20
WORKER_KILLED = 20  # what orielctl says when the process that it started for the work is no more
# What changes files; a process is killed as it enters the n-th of each.
CALLS = ("rename renameat renameat2 fsync unlink unlinkat rmdir link linkat mkdir mkdirat ftruncate fallocate "
         "copy_file_range pwrite64 utimensat").split()


def drives(home, name="One"):
    return [drive["id"] for drive in home.json("show", name)["drives"]]


def disk_path(home, drive, name="One"):
    path = next(d["path"] for d in home.json("show", name)["drives"] if d["id"] == drive)
    return os.path.join(home.json("show", name)["folder"], path)


def disk_size(home, drive):
    return home.json("disk", "info", disk_path(home, drive))["disk-size"]


def trashed(home):
    folder = os.path.join(home.data, "Trash", "files")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def test_add_and_remove_disks(home):
    home.ok("create", "One", "--disk", "1M")
    check(home.json("add-disk", "One", "3M") == {"id": "disk1"}, "id")
    check(disk_size(home, "disk1") == 3 * MIB, "size")
    image = home.file("image", b"data" * 1000)
    check(home.ok("add-disk", "One", image).strip() == "disk2", "second id")
    with open(disk_path(home, "disk2"), "rb") as copy:
        check(copy.read() == b"data" * 1000, "the copy differs")
    home.ok("set", "One", "boot-order=disk1,cdrom0")
    path = disk_path(home, "disk1")
    home.ok("remove-drive", "One", "disk1")
    check(drives(home) == ["disk0", "cdrom0", "disk2"], repr(drives(home)))
    check(home.json("show", "One")["boot"]["order"] == "cdrom0", "the boot order names what is gone")
    check(not os.path.exists(path) and trashed(home) == [os.path.basename(path)], "not in the trash")
    check(home.ok("add-disk", "One", "1M").strip() == "disk1", "the id is free again")
    home.ok("remove-drive", "One", "disk0")
    home.ok("remove-drive", "One", "cdrom0")
    check(home.ok("add-cdrom", "One").strip() == "cdrom0", "add-cdrom")


def test_mistakes_with_drives(home):
    home.ok("create", "One", "--disk", "2M")
    qcow2 = home.file("a.qcow2", b"QFI\xfb" + bytes(100))
    before = home.tree()
    for code, arguments, words in [
        (11, ["add-disk", "None", "1M"], ["None"]),
        (10, ["add-disk", "One", "much"], ["much"]),
        (10, ["add-disk", "One", qcow2], ["qcow2"]),
        (11, ["add-disk", "One", home.path + "/absent"], ["absent"]),
        (11, ["add-cdrom", "One", home.path + "/absent.iso"], ["absent.iso"]),
        (11, ["remove-drive", "One", "disk7"], ["disk7"]),
        (10, ["grow", "One", "disk0", "2M"], ["disk0", "2M"]),
        (10, ["grow", "One", "disk0", "1M"], ["grow"]),
        (10, ["grow", "One", "cdrom0", "1G"], ["cdrom0"]),
        (10, ["grow", "One", "disk0", "9223372036854775807B"], ["too large"]),
        (11, ["grow", "One", "disk3", "1G"], ["disk3"]),
        (10, ["reorder", "One", "disk0"], ["each"]),
        (10, ["reorder", "One", "disk0", "disk0"], ["each"]),
        (11, ["reorder", "One", "disk0", "disk9"], ["disk9"]),
        (11, ["move", "One", home.path + "/absent"], ["absent"]),
        (10, ["move", "One", home.folder("One")], ["One"]),
        (11, ["undo", "One"], ["earlier"]),
        (11, ["restore", "One", "3"], ["3"]),
        (10, ["restore", "One", "x"], ["x"]),
        (11, ["restore", "One", "worked"], ["worked"]),
    ]:
        home.fails(code, *arguments, words=words)
    check(home.tree() == before, "a mistake changed something")
    for _ in range(4):
        home.ok("add-cdrom", "One")
    before = home.tree()
    home.fails(10, "add-disk", "One", "1M", words=["6"])
    check(home.tree() == before, "a disk for a full machine left something")


def test_links_lead_nowhere(home):
    home.ok("create", "One", "--disk", "1M")
    outside = home.file("outside", bytes(4096))
    path = disk_path(home, "disk0")
    os.remove(path)
    os.symlink(outside, path)
    home.fails(10, "grow", "One", "disk0", "10M", words=["link"])
    home.fails(10, "remove-drive", "One", "disk0", words=["link"])
    check(os.stat(outside).st_size == 4096 and drives(home) == ["disk0", "cdrom0"], "something followed the link")


def test_reorder_and_grow(home):
    home.ok("create", "One", "--disk", "1M")
    home.ok("add-disk", "One", "2M")
    home.ok("reorder", "One", "disk1", "cdrom0", "disk0")
    check(drives(home) == ["disk1", "cdrom0", "disk0"], repr(drives(home)))
    home.ok("grow", "One", "disk0", str(5 * MIB - 3) + "B")
    check(disk_size(home, "disk0") == 5 * MIB, "size")
    home.fails(10, "grow", "One", "disk0", "5M", words=["5M already"])
    home.ok("create", "Raw", "--disk", home.file("image", b"content" + bytes(MIB)))
    home.ok("grow", "Raw", "disk0", "5M")
    with open(disk_path(home, "disk0", "Raw"), "rb") as disk:
        check(disk.read() == b"content" + bytes(5 * MIB - 7), "content")


def test_another_format(home):
    """There and back again: the content, the settings, and the old file in the trash."""
    home.ok("create", "One", "--disk", home.file("image", b"content" + bytes(3 * MIB)))
    home.ok("set", "One", "disk0.controller=virtio")
    raw = disk_path(home, "disk0")
    home.fails(10, "convert-disk", "One", "disk0", "raw", words=["disk0", "raw image already"])
    home.fails(10, "convert-disk", "One", "disk0", "vmdk", words=["vmdk"])
    home.fails(10, "convert-disk", "One", "cdrom0", "raw", words=["CD drive"])
    home.fails(11, "convert-disk", "One", "disk4", "raw", words=["disk4"])
    home.ok("convert-disk", "One", "disk0", "qcow2")
    path = disk_path(home, "disk0")
    check(path.endswith("disk0.qcow2") and not os.path.exists(raw), path)
    check(home.json("disk", "info", path, "--from", "qcow2")["format"] == "qcow2", "format")
    check("disk0.raw" in trashed(home), repr(trashed(home)))
    home.ok("convert-disk", "One", "disk0", "raw")
    with open(disk_path(home, "disk0"), "rb") as disk:
        check(disk.read().rstrip(b"\0") == b"content", "content")
    check(home.json("show", "One")["drives"][0]["controller"] == "virtio", "the controller has changed")
    os.mkdir(home.folder("One") + "/saved")
    home.fails(18, "convert-disk", "One", "disk0", "qcow2", words=["saved"])


def test_undo_and_restore(home):
    home.ok("create", "One", "--disk", "1M", "--memory", "256M")
    home.ok("set", "One", "memory=512M")
    home.ok("set", "One", "memory=1G", "cpus=2")
    listed = home.json("revisions", "One")
    check([r["revision"] for r in listed] == ["now", "2", "1"], repr(listed))
    check(listed[1]["differs"] == "cpus memory" and listed[0]["differs"] == "", repr(listed))
    home.ok("undo", "One")
    check(home.json("show", "One")["memory"] == 512 * MIB, "undo")
    home.ok("undo", "One")
    check(home.json("show", "One")["memory"] == 256 * MIB, "undo twice")
    home.ok("set", "One", "memory=2G")
    home.ok("rename", "One", "Two")
    home.fails(18, "undo", "Two", words=["One", "rename"])
    number = home.json("revisions", "Two")[-1]["revision"]
    home.ok("restore", "Two", number)
    shown = home.json("show", "Two")
    check(shown["memory"] == 256 * MIB and shown["name"] == "Two", repr(shown))


def test_worked(home):
    home.ok("create", "One", "--memory", "256M")
    folder = home.folder("One")
    os.makedirs(folder + "/revisions", exist_ok=True)
    shutil.copy(folder + "/machine.json", folder + "/revisions/worked.json")
    check(home.json("revisions", "One")[0]["worked"] == "yes", "the present ones worked")
    home.fails(11, "restore", "One", "worked", words=["worked"])
    for n in range(25):  # more than are kept
        home.ok("set", "One", f"memory={300 + n}M")
    listed = home.json("revisions", "One")
    check([r["revision"] for r in listed if r["worked"]] == ["worked"], repr(listed))
    home.ok("restore", "One", "worked")
    check(home.json("show", "One")["memory"] == 256 * MIB, "restored")
    with open(folder + "/revisions/worked.json", "w", encoding="utf-8") as file:
        file.write("{")
    check(not any(r["worked"] for r in home.json("revisions", "One")), "damaged")


def test_damaged_settings(home):
    for command in (["undo", "One"], ["restore", "One", "1"]):
        home.ok("create", "One", "--memory", "256M")
        home.ok("set", "One", "memory=512M")
        with open(home.folder("One") + "/machine.json", "w", encoding="utf-8") as file:
            file.write("{")
        home.fails(13, "show", "One")
        check(home.json("revisions", "One")[0]["revision"] == "1", "revisions")
        home.ok(*command)
        check(home.json("show", "One")["memory"] == 256 * MIB, "mended")
        home.ok("delete", "One", "--permanently")


def test_restore_needs_its_disks(home):
    home.ok("create", "One", "--disk", "1M")
    home.ok("add-disk", "One", "1M")
    home.ok("remove-drive", "One", "disk1")
    before = home.tree()
    home.fails(10, "undo", "One", words=["disk1.qcow2", "trash"])
    number = home.json("revisions", "One")[1]["revision"]
    home.fails(10, "restore", "One", number, words=["disk1.qcow2", "trash"])
    check(home.tree() == before, "changed")


def test_move(home):
    os.mkdir(home.path + "/elsewhere")
    home.ok("create", "One", "--disk", "1M")
    home.ok("set", "One", "notes=here\nand there")
    out = home.json("move", "One", home.path + "/elsewhere")
    check(out["folder"] == home.path + "/elsewhere/One.oriel", repr(out))
    check([m["folder"] for m in home.json("list")] == [out["folder"]], "list")
    check(not os.path.exists(home.folder("One")), "the old folder is still there")
    home.ok("create", "Two")
    os.mkdir(home.path + "/elsewhere/Two.oriel")
    home.fails(12, "move", "Two", home.path + "/elsewhere", words=["Two.oriel"])
    home.ok("move", "One", os.path.dirname(home.folder("One")))
    check(home.json("show", "One")["notes"] == "here\nand there", "notes")
    with open(os.path.join(home.data, "oriel", "folders"), encoding="utf-8") as registry:
        check(registry.read().strip() == "", "the list still names it")


def other_file_system(home):
    if os.stat("/dev/shm").st_dev == os.stat(home.path).st_dev:
        raise Skip("there is no second file system at /dev/shm")
    return tempfile.mkdtemp(prefix="oriel-", dir="/dev/shm")


def test_move_to_another_file_system(home):
    other = other_file_system(home)
    try:
        image = home.file("image")
        os.truncate(image, 8 * MIB)
        home.ok("create", "One", "--disk", image)
        with open(disk_path(home, "disk0"), "r+b") as disk:
            disk.seek(5 * MIB)
            disk.write(b"data")
        os.utime(disk_path(home, "disk0"), ns=(10**18, 10**18 + 123))
        os.mkdir(home.folder("One") + "/saved")
        with open(home.folder("One") + "/saved/ram", "wb") as file:
            file.write(b"ram")
        home.ok("move", "One", other)
        disk = disk_path(home, "disk0")
        check(disk.startswith(other) and os.stat(disk).st_size == 8 * MIB, disk)
        check(os.stat(disk).st_mtime_ns == 10**18 + 123, "time")
        check(os.stat(disk).st_blocks * 512 < 2 * MIB, "the copy has lost its holes")
        with open(other + "/One.oriel/saved/ram", "rb") as file:
            check(file.read() == b"ram", "saved state")
        check(not os.path.exists(home.folder("One")), "the old folder is still there")
        for name in "abcdef":  # links onto themselves: a walk along them would not end
            os.symlink(".", other + "/One.oriel/" + name)
        home.fails(10, "move", "One", os.path.dirname(home.folder("One")), words=["neither a file nor a folder"])
        for name in "abcdef":
            os.unlink(other + "/One.oriel/" + name)
        os.mkfifo(other + "/One.oriel/pipe")
        home.fails(10, "move", "One", os.path.dirname(home.folder("One")), words=["pipe"])
        check(home.json("list")[0]["folder"] == other + "/One.oriel", "it has moved after all")
        check(os.listdir(os.path.dirname(home.folder("One"))) == [], "remains")
    finally:
        shutil.rmtree(other)


def killed_at(home, call, n, *arguments):
    """Runs a command that is killed as it enters the n-th call of that name; False when it makes fewer."""
    # Who is traced cannot look for leaks.
    environment = dict(home.environment, ASAN_OPTIONS=home.environment["ASAN_OPTIONS"] + ":detect_leaks=0")
    result = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                             f"inject={call}:signal=KILL:when={n}", ORIELCTL, *arguments],
                            env=environment, capture_output=True, timeout=120, check=False)
    if b"ptrace" in result.stderr or b"Operation not permitted" in result.stderr:
        raise Skip("strace may not trace here")
    return result.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL, WORKER_KILLED)


def is_whole(home, name):
    """The machine can be read and every disk that it names is there."""
    shown = home.json("show", name)
    for drive in shown["drives"]:
        if drive["type"] == "disk":
            check(os.path.exists(os.path.join(shown["folder"], drive["path"])), f"{drive['path']} is missing")
    return shown


def every_step(home, *arguments, after):
    """`after` looks at what is left, and makes everything as it was before."""
    if not shutil.which("strace"):
        raise Skip("there is no strace")
    kills = 0
    for call in CALLS:
        n = 1
        while killed_at(home, call, n, *arguments):
            kills += 1
            n += 1
            after()
        after()
    check(kills > 3, f"{arguments} was killed {kills} times only")


def test_killed_while_adding_a_disk(home):
    home.ok("create", "One")
    image = home.file("image", os.urandom(100000))

    def after():
        shown = is_whole(home, "One")
        for drive in shown["drives"]:
            if drive["type"] == "disk":
                with open(os.path.join(shown["folder"], drive["path"]), "rb") as copy, open(image, "rb") as whole:
                    check(copy.read() == whole.read(), "half a disk")
                home.ok("remove-drive", "One", drive["id"])

    every_step(home, "add-disk", "One", image, after=after)
    home.ok("add-disk", "One", "1M")
    check(not [f for f in os.listdir(home.folder("One") + "/disks") if f.startswith(".")], "remains")


def test_killed_while_adding_a_disk_to_a_running_machine(home):
    """The engine has the machine's lock, and somebody else may add a disk at the same time."""
    home.environment["ORIEL_ENGINE"] = os.environ["ORIEL_FAKE_ENGINE"]
    home.ok("create", "One")
    home.ok("set", "One", "hotplug=true")
    home.ok("start", "One")
    disks = home.folder("One") + "/disks"
    image = home.file("image", os.urandom(100000))

    def after():
        for drive in is_whole(home, "One")["drives"]:
            if drive["type"] == "disk":
                check(drive["port"] > 0, "it is in no slot")
                home.ok("remove-drive", "One", drive["id"])

    try:
        every_step(home, "add-disk", "One", image, after=after)
        home.ok("add-disk", "One", "1M")
        hidden = [name for name in os.listdir(disks) if name.startswith(".")]
        check(not hidden, f"remains: {hidden}")
        adding = [subprocess.Popen([ORIELCTL, "add-disk", "One", "1M"], env=home.environment, stdout=subprocess.DEVNULL)
                  for _ in range(3)]
        check([process.wait(120) for process in adding] == [0, 0, 0], "disks cannot be added at once")
        check(len(drives(home)) == 5 and is_whole(home, "One"), f"there are {drives(home)}")
        paths = {disk_path(home, drive) for drive in drives(home) if drive.startswith("disk")}
        check(len(paths) == 4, f"disks share a file: {paths}")
    finally:
        home.run("kill", "One")


def test_killed_while_removing_a_disk(home):
    home.ok("create", "One")
    home.ok("add-disk", "One", "1M")

    def after():
        shown = is_whole(home, "One")
        files = os.listdir(home.folder("One") + "/disks")
        check(files or trashed(home), "the disk's file is nowhere")
        if len(shown["drives"]) == 1:
            shutil.rmtree(home.data + "/Trash", ignore_errors=True)
            home.ok("add-disk", "One", "1M")

    every_step(home, "remove-drive", "One", "disk0", after=after)


def test_killed_while_growing(home):
    image = home.file("image", bytes(MIB))
    for disk, calls in ((image, ("ftruncate", "fdatasync")), ("1M", ("pwritev", "fdatasync"))):
        for call in calls:
            home.ok("create", "One", "--disk", disk)
            check(killed_at(home, call, 1, "grow", "One", "disk0", "2M"), f"there was no {call}")
            check(disk_size(home, "disk0") in (MIB, 2 * MIB), "size")
            check(home.json("disk", "check", disk_path(home, "disk0"))["clean"], "check")
            home.ok("delete", "One", "--permanently")


def test_killed_while_restoring(home):
    home.ok("create", "One", "--memory", "256M")
    home.ok("set", "One", "memory=512M")

    def after():
        check(home.json("show", "One")["memory"] in (256 * MIB, 512 * MIB), "settings")
        home.ok("set", "One", "memory=512M")

    every_step(home, "restore", "One", "1", after=after)


def test_killed_while_moving(home):
    os.mkdir(home.path + "/elsewhere")
    home.ok("create", "One", "--disk", "1M")

    def after():
        machines = [m for m in home.json("list") if m["state"] != "unavailable"]
        check(len(machines) == 1, json.dumps(machines))
        is_whole(home, "One")
        if "/elsewhere/" in machines[0]["folder"]:
            home.ok("move", machines[0]["folder"], os.path.dirname(home.folder("One")))

    every_step(home, "move", "One", home.path + "/elsewhere", after=after)


def test_killed_while_moving_far(home):
    other = other_file_system(home)

    def after():
        found = [m for m in home.json("list") if m["state"] == "stopped"]
        check(found, "the machine is nowhere")
        for machine in found:
            is_whole(home, machine["folder"])
        # Both, if it was killed just before the old one went: then the user removes one.
        far = [m["folder"] for m in found if m["folder"].startswith(other)]
        if far and len(found) == 2:
            home.ok("delete", far[0], "--permanently")
        elif far:
            home.ok("move", far[0], os.path.dirname(home.folder("One")))

    try:
        home.ok("create", "One", "--disk", "1M")
        every_step(home, "move", "One", other, after=after)
    finally:
        shutil.rmtree(other)


if __name__ == "__main__":
    main(test_add_and_remove_disks, test_mistakes_with_drives, test_links_lead_nowhere, test_reorder_and_grow, test_another_format,
         test_undo_and_restore, test_worked, test_damaged_settings, test_restore_needs_its_disks, test_move,
         test_move_to_another_file_system, test_killed_while_adding_a_disk,
         test_killed_while_adding_a_disk_to_a_running_machine, test_killed_while_removing_a_disk,
         test_killed_while_growing, test_killed_while_restoring, test_killed_while_moving,
         test_killed_while_moving_far)
