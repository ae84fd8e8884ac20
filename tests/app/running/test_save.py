#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that are saved and go on: nothing is lost, whatever fails or is killed on the way."""

import fcntl
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import time

from machine import Bus, SLOW, engine_pid, log, png_read, said, socket_path, start_welcome, wait_until
from oriel import Failure, ORIELCTL, Skip, check, main, small_file_system

GENERATOR = random.Random(int(os.environ.get("ORIEL_TEST_SEED", "11")))


def state(home, name):
    return home.json("show", name)["state"]


def state_after_kill(home, name):
    """The state once the killed process is gone, which takes a moment."""
    wait_until(lambda: state(home, name) in ("stopped", "saved"), "the killed engine is still there", 60)
    return state(home, name)


def hidden(home, name):
    return [file for file in os.listdir(home.json("show", name)["folder"]) if file.startswith(".saved-")]


# --- The guest that counts ---------------------------------------------------------------------


def start_counting(home, name, disk="4M"):
    home.ok("create", name, "--disk", disk, "--memory", "64M")
    home.ok("set", name, f"firmware.path={os.environ['ORIEL_COUNT_GUEST']}")
    home.ok("start", name, timeout=SLOW)
    wait_until(lambda: steps(home, name) > 0, "the guest does not count")


def steps(home, name):
    """How far the guest has said that it is since the last start."""
    found = re.findall(r"^step (\d+)\r?\n", log(home, name, "serial0.log"), re.M)
    return int(found[-1]) if found else 0


def first_step(home, name):
    return int(wait_until(lambda: re.findall(r"^step (\d+)\r?\n", log(home, name, "serial0.log"), re.M), "no step")[0])


def check_counting(home, name):
    report = log(home, name, "firmware.log")
    check("FAIL" not in report, report)


def end_counting(home, name):
    home.ok("serial", name, stdin="q", timeout=SLOW)
    home.ok("wait", name, "--state", "stopped", "--timeout", str(SLOW), timeout=SLOW + 60)
    report = log(home, name, "firmware.log")
    check("DONE 1 passed, 0 failed" in report, report)


def test_nothing_is_lost(home):
    start_counting(home, "Count")
    last = 0
    for _ in range(10):
        time.sleep(GENERATOR.random() * 0.7)
        check_counting(home, "Count")
        home.ok("save", "Count", timeout=SLOW)
        before = steps(home, "Count")
        check(state(home, "Count") == "saved", state(home, "Count"))
        home.fails(18, "pause", "Count", words=["not running"])
        home.ok("start", "Count", timeout=SLOW)
        check(state(home, "Count") == "running", "it does not run")
        check(not os.path.exists(home.folder("Count") + "/saved"), "the state was not used up")
        after = first_step(home, "Count")
        check(after in (before, before + 16, before + 32) or before == 0, f"went on at {after} after {before}")
        check(after > last, f"step {after} after {last}")
        last = after
    check(not hidden(home, "Count"), f"{hidden(home, 'Count')} was left")
    end_counting(home, "Count")


def test_paused_and_resumed_between(home):
    start_counting(home, "Count")
    home.ok("pause", "Count")
    home.ok("save", "Count", timeout=SLOW)
    home.ok("start", "Count", "--paused", timeout=SLOW)
    check(state(home, "Count") == "paused", "it does not wait")
    home.ok("save", "Count", timeout=SLOW)  # before the guest has run at all
    home.ok("start", "Count", timeout=SLOW)
    first_step(home, "Count")
    end_counting(home, "Count")


# --- Pictures and keys --------------------------------------------------------------------------


def test_welcome_shows_the_same(home):
    start_welcome(home, cpus="2")
    home.ok("type", "Welcome", "ab")
    home.ok("pause", "Welcome")
    before, after = os.path.join(home.path, "before.png"), os.path.join(home.path, "after.png")
    home.ok("screenshot", "Welcome", before)
    home.ok("save", "Welcome", timeout=SLOW)
    thumbnail = png_read(home.folder("Welcome") + "/saved/thumbnail.png")
    home.ok("start", "Welcome", "--paused", timeout=SLOW)
    home.ok("screenshot", "Welcome", after)
    check(png_read(before) == png_read(after), "the picture changed")
    check(png_read(before) == thumbnail, "the thumbnail is another picture")
    home.ok("resume", "Welcome")
    home.ok("type", "Welcome", "cd")
    wait_until(lambda: said(home, "Welcome", "key d"), "it takes no keys")
    # The keys before were said before the state was saved.
    check(said(home, "Welcome", "key a") == 0, "it started anew")


def registers(home, name):
    """The general registers of the first processor in a saved state."""
    with open(home.folder(name) + "/saved/state", "rb") as file:
        data = file.read()
    at = 16
    while at < len(data):
        kind = data[at:at + 16].rstrip(b"\0"), data[at + 16:at + 48].rstrip(b"\0")
        length = struct.unpack_from("<I", data, at + 52)[0]
        if kind == (b"vcpu-regs", b"0"):
            return data[at + 64:at + 64 + length]
        at += 64 + length
    raise Failure("no registers in the state")


def test_firmware_half_way(home):
    """UEFI, whose variables are a file of their own, saved again and again on its way."""
    home.ok("create", "Uefi", "--memory", "256M", "--firmware", "uefi")
    home.ok("start", "Uefi", timeout=SLOW)
    seen = set()

    def goes_on():
        time.sleep(GENERATOR.random())
        home.ok("save", "Uefi", timeout=SLOW)
        seen.add(registers(home, "Uefi"))
        home.ok("start", "Uefi", timeout=SLOW)
        check(state(home, "Uefi") == "running", state(home, "Uefi"))
        return len(seen) >= 4

    wait_until(goes_on, "the firmware stands still")


# --- What may be done to a saved machine --------------------------------------------------------


def test_saved_machine_is_protected(home):
    iso = home.file("a.iso", bytes(64 * 2048))
    home.ok("create", "One", "--memory", "64M", "--disk", "1M", "--cdrom", iso)
    home.fails(18, "save", "One", words=["not running"])
    home.ok("start", "One", timeout=SLOW)
    home.ok("save", "One", timeout=SLOW)
    check(re.search(r"^saved +One$", home.ok("list"), re.M), home.ok("list"))
    home.ok("wait", "One", "--state", "saved", "--timeout", "5")
    home.ok("wait", "One", "--state", "stopped", "--timeout", "5")
    for change in ("memory=128M", "cpus=2", "firmware=uefi", "disk0.read-only=true", "clock=local", "serials=2"):
        home.fails(18, "set", "One", change, words=[change.split("=", maxsplit=1)[0], "--discard-saved"])
    home.fails(18, "insert", "One", home.file("b.iso", bytes(64 * 2048)), words=["saved"])
    home.fails(18, "eject", "One", words=["saved"])
    home.fails(18, "grow", "One", "disk0", "2M", words=["saved"])
    home.fails(18, "add-disk", "One", "1M", words=["saved"])
    home.fails(18, "remove-drive", "One", "disk0", words=["saved"])
    home.fails(18, "reorder", "One", "cdrom0", "disk0", words=["saved"])
    home.ok("set", "One", "vnc.password=secret12", "vnc.listen=127.0.0.1:5999")
    home.ok("set", "One", "vnc.listen=", "vnc.password=")
    home.ok("clone", "One", "Copy")
    check(state(home, "Copy") == "stopped", "the copy has a state")
    home.ok("rename", "One", "Two")
    check(state(home, "Two") == "saved", "the state went with the name")
    home.ok("start", "Two", timeout=SLOW)
    check(state(home, "Two") == "running", "renamed, it does not go on")
    home.ok("save", "Two", timeout=SLOW)
    home.ok("start", "Two", "--discard-saved", timeout=SLOW)
    home.ok("wait", "Two", "--text", "SeaBIOS", "--timeout", str(SLOW), timeout=SLOW + 60)
    check(not os.path.exists(home.folder("Two") + "/saved") and not hidden(home, "Two"), "something was left")
    home.ok("stop", "Two")
    home.ok("start", "Two", "--discard-saved", timeout=SLOW)  # without one it is an ordinary start
    home.ok("save", "Two", timeout=SLOW)
    home.ok("delete", "Two", "--permanently")
    check([m["name"] for m in home.json("list")] == ["Copy"], "it was not deleted")


def test_change_while_running_waits_for_the_next_start(home):
    home.ok("create", "One", "--memory", "64M")
    home.ok("start", "One", timeout=SLOW)
    home.ok("set", "One", "memory=128M")
    home.ok("save", "One", timeout=SLOW)
    home.ok("start", "One", timeout=SLOW)
    home.ok("stop", "One")
    home.ok("start", "One", timeout=SLOW)


def test_media_are_those_at_the_end(home):
    first, second = home.file("a.iso", bytes(64 * 2048)), home.file("b.iso", bytes(80 * 2048))
    home.ok("create", "One", "--memory", "64M", "--cdrom", first)
    home.ok("start", "One", timeout=SLOW)
    home.ok("insert", "One", second)
    home.ok("save", "One", timeout=SLOW)
    with open(home.folder("One") + "/saved/manifest.json", encoding="utf-8") as file:
        manifest = json.load(file)
    check([f["path"] for f in manifest["files"]] == [second], f"{manifest['files']}")
    os.remove(first)
    home.ok("start", "One", timeout=SLOW)
    home.ok("eject", "One")
    home.ok("save", "One", timeout=SLOW)
    os.remove(second)
    home.ok("start", "One", timeout=SLOW)


# --- What does not fit is refused, and nothing is lost -----------------------------------------


def edit(path, change):
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        change(data)
        file.seek(0)
        file.truncate()
        file.write(data)


def flip(data):
    data[GENERATOR.randrange(len(data))] ^= 1 << GENERATOR.randrange(8)


def replace(was, becomes):
    def change(data):
        data[:] = data.replace(was.encode(), becomes.encode(), 1)
    return change


def test_what_does_not_fit_is_refused(home):
    raw = home.file("raw.img")
    os.truncate(raw, 4 << 20)
    start_counting(home, "Count", raw)
    home.ok("save", "Count", timeout=SLOW)
    folder = home.folder("Count")
    good = os.path.join(home.path, "good")
    shutil.copytree(folder, good)

    def put_back():
        shutil.rmtree(folder)
        shutil.copytree(good, folder)  # with its times

    def refused(code, *words):
        home.fails(code, "start", "Count", words=[*words, "--discard-saved"])
        check(state(home, "Count") == "saved", "the state is gone")
        put_back()

    edit(folder + "/machine.json", replace("67108864", "33554432"))
    refused(10, "memory")
    with open(folder + "/disks/disk0.raw", "r+b") as disk:
        disk.write(b"other")
    refused(10, "disk0", "changed")
    os.utime(folder + "/disks/disk0.raw")
    refused(10, "disk0", "changed")
    os.truncate(folder + "/disks/disk0.raw", 8 << 20)
    refused(10, "disk0", "changed")
    os.rename(folder + "/disks/disk0.raw", folder + "/disks/elsewhere")
    refused(11, "disk0")
    for file in ("state", "ram"):
        for _ in range(12):
            edit(folder + "/saved/" + file, flip)
            refused(13, "damaged")
        os.truncate(folder + "/saved/" + file, 1000)
        refused(13, "damaged")
        os.remove(folder + "/saved/" + file)
        refused(13, "damaged")
    os.remove(folder + "/saved/manifest.json")
    refused(13, "manifest")
    for was, becomes, code, word in (("pc-1", "pc-2", 10, "pc-2"), ('"version" : 1', '"version" : 9', 10, "newer"),
                                     ("i8042", "i8043", 10, "i8042"), ("{", "[", 13, "damaged")):
        edit(folder + "/saved/manifest.json", replace(was, becomes))
        refused(code, word)
    # A start that failed for another reason has changed nothing.
    with open(folder + "/disks/disk0.raw", "r+b") as disk:
        fcntl.fcntl(disk, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
        home.fails(14, "start", "Count", words=["disk0"])
    check(state(home, "Count") == "saved", "the state is gone")
    home.ok("start", "Count", timeout=SLOW)
    first_step(home, "Count")
    end_counting(home, "Count")


def test_manifests_of_all_kinds(home):
    """No manifest makes the engine crash: each is refused with a sentence, or goes on."""
    start_counting(home, "Count")
    home.ok("save", "Count", timeout=SLOW)
    path = home.folder("Count") + "/saved/manifest.json"
    with open(path, "rb") as file:
        good = file.read()
    for _ in range(60):
        data = bytearray(good)
        for _ in range(GENERATOR.randrange(1, 4)):
            at = GENERATOR.randrange(len(data))
            data[at:at + GENERATOR.randrange(3)] = GENERATOR.choice([b"", b"{", b"}", b"9", b"\"", b"-", b"\0", b"null"])
        with open(path, "wb") as file:
            file.write(data)
        code, _, err = home.run("start", "Count", timeout=SLOW)
        if code == 0:
            home.ok("stop", "Count")
            return
        check(code in (10, 11, 13) and err.startswith("orielctl: “Count”"), f"{code}: {err}")
    with open(path, "wb") as file:
        file.write(good)
    home.ok("start", "Count", timeout=SLOW)


# --- Full disks ---------------------------------------------------------------------------------


def test_full_disk(home):
    room = os.path.join(home.path, "room")
    with small_file_system(room, "5m"):
        try:
            home.ok("create", "Count", "--disk", "4M", "--memory", "64M", "--dir", room)
            folder = room + "/Count.oriel"
            home.ok("set", "Count", f"firmware.path={os.environ['ORIEL_COUNT_GUEST']}")
            home.ok("start", "Count", timeout=SLOW)
            serial = folder + "/log/serial0.log"
            wait_until(lambda: os.path.getsize(serial) > 0, "the guest does not count")
            with open(room + "/filler", "wb") as file:
                try:
                    file.write(bytes(5 << 20))
                    file.flush()
                except OSError:
                    pass
            home.fails(17, "save", "Count", words=["room"])
            check(state(home, "Count") in ("running", "paused"), state(home, "Count"))
            check(not os.path.exists(folder + "/saved") and not hidden(home, "Count"), "something was left")
            os.remove(room + "/filler")
            subprocess.run(["mount", "-o", "remount,size=60m", room], check=True)
            home.ok("resume", "Count")
            # And no room in the middle of it.
            pid = engine_pid(home, "Count")
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (200000, resource.RLIM_INFINITY))
            home.fails(17, "save", "Count")
            check(not os.path.exists(folder + "/saved") and not hidden(home, "Count"), "something was left")
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            home.ok("resume", "Count")
            home.ok("save", "Count", timeout=SLOW)
            home.ok("start", "Count", timeout=SLOW)
            home.ok("serial", "Count", stdin="q", timeout=SLOW)
            home.ok("wait", "Count", "--state", "stopped", "--timeout", str(SLOW), timeout=SLOW + 60)
            with open(folder + "/log/firmware.log", encoding="utf-8") as file:
                report = file.read()
            check("DONE 1 passed, 0 failed" in report, report)
        finally:
            home.run("stop", "Count")


# --- Cancelling and killing ---------------------------------------------------------------------


def test_cancelled_save_changes_nothing(home):
    start_counting(home, "Count")
    for _ in range(5):
        bus = Bus(socket_path(home, "Count"))
        bus.call("Save")
        bus.call("CancelSave")
        time.sleep(0.5)
        bus.close()
        if state(home, "Count") != "running":
            # It came too late: then all of it is there.
            home.ok("wait", "Count", "--state", "saved", "--timeout", "60")
            home.ok("start", "Count", timeout=SLOW)
        check(not os.path.exists(home.folder("Count") + "/saved"), "a cancelled state is there")
    check(not hidden(home, "Count"), f"{hidden(home, 'Count')} was left")
    end_counting(home, "Count")


def test_end_of_the_connection_cancels_nothing(home):
    start_counting(home, "Count")
    bus = Bus(socket_path(home, "Count"))
    bus.call("Save")
    bus.socket.setblocking(True)
    bus.socket.recv(1)  # the engine has taken it, or answers already
    bus.close()
    home.ok("wait", "Count", "--state", "saved", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("start", "Count", timeout=SLOW)
    end_counting(home, "Count")


def disk_hash(home, name):
    with open(os.path.join(home.folder(name), home.json("show", name)["drives"][0]["path"]), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def need_strace():
    if subprocess.run(["strace", "-V"], capture_output=True, check=False).returncode:
        raise Skip("strace is not installed")


SAVE_STEPS = [(call, n) for call, last in (("mkdir", 1), ("pwrite64", 3), ("fsync", 6), ("rename", 1), ("write", 6),
                                           ("fdatasync", 1), ("openat", 8)) for n in range(1, last + 1)]


def test_killed_while_saving(home):
    """SIGKILL at the n-th call of each kind: the machine is whole, with all of the state or with none of it."""
    need_strace()
    home.ok("create", "Count", "--disk", "4M", "--memory", "64M")
    home.ok("set", "Count", f"firmware.path={os.environ['ORIEL_COUNT_GUEST']}")
    outcomes = set()
    for call, n in SAVE_STEPS:
        home.ok("start", "Count", timeout=SLOW)
        wait_until(lambda: steps(home, "Count") > 0, "the guest does not count")
        pid = engine_pid(home, "Count")
        tracer = subprocess.Popen(["strace", "-f", "-p", str(pid), "-o", os.devnull, "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=KILL:when={n}"], stderr=subprocess.PIPE, text=True)
        tracer.stderr.readline()  # attached
        home.run("save", "Count", timeout=SLOW)
        if tracer.poll() is None and state(home, "Count") == "running":
            os.kill(pid, signal.SIGKILL)  # never got so far
        tracer.wait(timeout=SLOW)
        now = state_after_kill(home, "Count")
        outcomes.add(now)
        home.ok("start", "Count", timeout=SLOW)
        check(not hidden(home, "Count"), f"{hidden(home, 'Count')} was left")
        first_step(home, "Count")
        check_counting(home, "Count")
        home.ok("stop", "Count")
    check(outcomes == {"stopped", "saved"}, f"only {outcomes}")


START_STEPS = [(call, n) for call, last in (("fsync", 4), ("rename", 1), ("unlinkat", 5), ("pread64", 3), ("mkdir", 2),
                                            ("pwrite64", 2)) for n in range(1, last + 1)]
START_STEPS += [("ioctl", GENERATOR.randrange(20, 600)) for _ in range(6)]


def test_killed_while_going_on(home):
    """SIGKILL at the n-th call: the state is used up, or it is there and the disk is that of the state."""
    need_strace()
    start_counting(home, "Count")
    home.ok("save", "Count", timeout=SLOW)
    good = os.path.join(home.path, "good")
    shutil.copytree(home.folder("Count"), good)
    disk = disk_hash(home, "Count")
    outcomes = set()
    for call, n in START_STEPS:
        start_traced(home, call, n)
        now = state_after_kill(home, "Count")
        outcomes.add(now)
        if now == "saved":
            check(disk_hash(home, "Count") == disk, f"the disk has moved on after a kill at {call} {n}")
            home.ok("start", "Count", timeout=SLOW)
            first_step(home, "Count")
            check_counting(home, "Count")
            home.ok("stop", "Count")
        else:
            home.ok("start", "Count", timeout=SLOW)
            home.ok("stop", "Count")
        check(not hidden(home, "Count"), f"{hidden(home, 'Count')} was left")
        shutil.rmtree(home.folder("Count"))
        shutil.copytree(good, home.folder("Count"))
    check(outcomes == {"stopped", "saved"}, f"only {outcomes}")


def start_traced(home, call, n):
    """Starts the engine under strace, which kills it at that call, or after it has run for a moment."""
    engine = os.path.join(os.path.dirname(ORIELCTL), "../engine/oriel-engine")
    ready, its_end = os.pipe()
    process = subprocess.Popen(["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e",
                                f"inject={call}:signal=KILL:when={n}", engine, "--folder", home.folder("Count"),
                                "--ready-fd", str(its_end)], env=home.environment, pass_fds=(its_end,),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(its_end)
    with open(ready, encoding="utf-8") as file:
        said_so = file.readline()
    if said_so:
        check(said_so == "ready\n", said_so)
        time.sleep(0.2)
        try:
            os.kill(engine_pid(home, "Count"), signal.SIGKILL)
        except Failure:
            pass  # killed already
    process.wait(timeout=SLOW)


def test_killed_at_any_moment(home):
    start_counting(home, "Count")
    for step in range(16):
        pid = engine_pid(home, "Count")
        command = "save"
        if step % 2:
            home.ok("save", "Count", timeout=SLOW)
            # It has answered, but may not be gone yet: it is not the one to kill.
            wait_until(lambda pid=pid: not os.path.exists(f"/proc/{pid}"), "the saved engine does not go")
            command, pid, disk = "start", None, disk_hash(home, "Count")
        process = subprocess.Popen([ORIELCTL, command, "Count"], env=home.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while pid is None and time.monotonic() < end:
            try:
                pid = engine_pid(home, "Count")
            except Failure:
                time.sleep(0.001)
        time.sleep(GENERATOR.choice([0.003, 0.01, 0.03, 0.1]) * GENERATOR.random())
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        now = state_after_kill(home, "Count")
        if command == "start" and now == "saved":
            check(disk_hash(home, "Count") == disk, "the disk has moved on")
        home.ok("start", "Count", timeout=SLOW)
        check(not hidden(home, "Count"), f"{hidden(home, 'Count')} was left")
        first_step(home, "Count")
        check_counting(home, "Count")
    end_counting(home, "Count")


if __name__ == "__main__":
    main(test_nothing_is_lost, test_paused_and_resumed_between, test_welcome_shows_the_same, test_firmware_half_way,
         test_saved_machine_is_protected, test_change_while_running_waits_for_the_next_start,
         test_media_are_those_at_the_end, test_what_does_not_fit_is_refused, test_manifests_of_all_kinds,
         test_full_disk, test_cancelled_save_changes_nothing, test_end_of_the_connection_cancels_nothing,
         test_killed_while_saving, test_killed_while_going_on, test_killed_at_any_moment)
