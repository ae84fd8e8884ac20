#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole machines on this host's /dev/kvm, driven as a user would: firmware, a boot menu, VNC, crashes, bad hosts."""

import concurrent.futures
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from machine import SLOW, boot_welcome, engine_pid, menu_cd, png_read, start_ready, wait_until
from oriel import Failure, ORIELCTL, Skip, check, main
from rfb import Client

MIB = 1 << 20


def seabios(home, name, *options):
    home.ok("create", name, *options)
    home.ok("start", name, timeout=SLOW)
    home.ok("wait", name, "--text", "Booting from|No bootable device", "--timeout", str(SLOW), timeout=SLOW + 60)
    text = home.ok("text", name)
    check("SeaBIOS (version" in text, text)
    return text


def start_one(home):
    """A machine “One” whose firmware has found nothing to boot, on an empty disk and a CD."""
    def boot(name):
        iso = home.file("a.iso", bytes(64 * 2048))
        seabios(home, name, "--memory", "64M", "--disk", "1M", "--cdrom", iso)
        home.ok("eject", name)  # the file stays behind

    start_ready(home, "One", "seabios", boot)


def test_seabios_with_little_and_much_memory_and_processors(home):
    for cpus, memory in (("1", "64M"), ("4", "2G"), ("2", "5G")):
        seabios(home, memory, "--cpus", cpus, "--memory", memory)
        check(home.json("stats", memory), "no stats")
        home.ok("stop", memory)
        check(home.json("show", memory)["state"] == "stopped", "still running")


def use_menu(home, cd):
    """The boot menu of a CD, by orielctl and VNC."""
    home.ok("create", "Menu", "--cdrom", cd, "--memory", "128M")
    home.ok("start", "Menu", timeout=SLOW)
    home.ok("wait", "Menu", "--text", "Apple(.|\n)*Maple", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("key", "Menu", "down")
    home.ok("key", "Menu", "enter")
    home.ok("wait", "Menu", "--text", "Chosen: Birch", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("key", "Menu", "enter")
    home.ok("wait", "Menu", "--text", "Apple(.|\n)*Maple", "--timeout", str(SLOW), timeout=SLOW + 60)

    address = home.ok("vnc", "Menu").strip()
    client = Client(address)
    client.picture()
    check(client.extended_keys, "the server does not know extended keys")
    check(client.name == "Menu", client.name)
    client.key(0xff54, 0xd0)  # Down, by scancode
    time.sleep(2)
    client.key(0xff0d)  # Return, by symbol
    home.ok("wait", "Menu", "--text", "Chosen: (Birch|Cedar|Maple)", "--timeout", str(SLOW), timeout=SLOW + 60)

    # The same picture for a second client at the same time, and in the screenshot.
    other = Client(address)
    shot = os.path.join(home.path, "shot.png")
    for _ in range(20):
        first, second = client.picture(), other.picture()
        home.ok("screenshot", "Menu", shot)
        if first == second == png_read(shot):
            break
        time.sleep(0.5)  # a blinking cursor may have come between
    else:
        raise Failure("VNC and the screenshot show different pictures")
    check(first[0] in (640, 720) and first[1] == 400, f"{first[:2]} is no text mode")
    check(len(set(zip(first[2][0::3], first[2][1::3], first[2][2::3]))) > 1, "nothing is drawn")
    client.close()
    other.close()

    # Saved in the menu it goes on in the menu.
    home.ok("key", "Menu", "enter")
    home.ok("wait", "Menu", "--text", "Apple(.|\n)*Maple", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("key", "Menu", "up")  # which it may still have to read
    home.ok("pause", "Menu")
    text = home.ok("text", "Menu")
    home.ok("save", "Menu", timeout=SLOW)
    home.ok("start", "Menu", "--paused", timeout=SLOW)
    check(home.ok("text", "Menu") == text, "the menu changed")
    home.ok("resume", "Menu")
    home.ok("key", "Menu", "enter")
    home.ok("wait", "Menu", "--text", "Chosen: ", "--timeout", str(SLOW), timeout=SLOW + 60)


def test_menu_by_orielctl_and_vnc(home):
    use_menu(home, menu_cd("menu"))


def test_grub_menu_by_orielctl_and_vnc(home):
    use_menu(home, menu_cd("grub"))


def welcome_from(home, controller, *settings):
    """What the firmware's and the welcome machine's own reading of that disk leaves in the counters."""
    boot_welcome(home, "--controller", controller, settings=settings)
    stats = home.json("stats", "Welcome")
    check(stats["drives"]["disk0"]["reads"] > 0, "the disk was not read")
    check(stats["devices"]["disk0"]["guest-errors"] == 0, "the firmware's driver made mistakes")
    return stats


def test_boot_from_a_virtio_disk(home):
    stats = welcome_from(home, "virtio")
    check(stats["interrupts"]["doorbells"] > 0, "no doorbell was heard: every one was an exit")


def test_boot_from_an_nvme_disk_with_direct_io(home):
    stats = welcome_from(home, "nvme", "disk0.cache=direct")
    check(stats["drives"]["disk0"]["errors"] == 0, repr(stats["drives"]))
    check(home.json("show", "Welcome")["drives"][0]["cache"] == "direct", "the setting is not shown")


def test_limits_of_a_disk(home):
    def limits():
        disk = home.json("stats", "One")["drives"]["disk0"]
        return disk["iops-limit"], disk["bandwidth-limit"]

    home.ok("create", "One", "--memory", "64M", "--disk", "64M")
    home.ok("set", "One", "disk0.iops-limit=500")
    home.ok("start", "One", timeout=SLOW)
    check(limits() == (500, 0), repr(limits()))
    code, _, err = home.run("set", "One", "disk0.iops-limit=0", "disk0.bandwidth-limit=20M")
    check(code == 0 and err == "", "a limit waits for the next start: " + err)
    check(limits() == (0, 20 * MIB), repr(limits()))
    home.fails(10, "set", "One", "disk0.iops-limit=-1", words=["iops-limit", "whole number"])
    check(home.json("show", "One")["drives"][0]["bandwidth-limit"] == 20 * MIB, "the setting is not shown")
    home.ok("set", "One", "disk0.bandwidth-limit=0")
    check(limits() == (0, 0), repr(limits()))
    home.ok("stop", "One")


def test_balloon_errors(home):
    start_one(home)
    home.ok("balloon", "One", "16M")
    stats = home.json("stats", "One")
    check(stats["guest-memory"] == {"balloon-target": 16 * MIB, "balloon": 0}, repr(stats["guest-memory"]))
    home.fails(10, "balloon", "One", "64M", words=["One", "all of its memory"])
    home.fails(10, "balloon", "One", "much")
    home.ok("pause", "One")
    home.fails(18, "balloon", "One", "0", words=["paused"])
    home.ok("stop", "One")
    home.ok("set", "One", "balloon=false")
    home.ok("start", "One", timeout=SLOW)
    home.fails(10, "balloon", "One", "0", words=["no memory balloon"])


def test_foreign_vnc_client_sees_the_screenshot(home):
    for program in ("vncsnapshot", "compare"):
        if subprocess.run(["which", program], capture_output=True, check=False).returncode:
            raise Skip(f"{program} is not installed")
    home.ok("create", "Screen", "--memory", "64M")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    home.fails(10, "set", "Screen", f"vnc.listen=127.0.0.1:{port}", words=["password"])
    home.ok("set", "Screen", "vnc.password=secret12", f"vnc.listen=127.0.0.1:{port}")
    home.ok("start", "Screen", timeout=SLOW)
    home.ok("wait", "Screen", "--text", "No bootable device", "--timeout", str(SLOW), timeout=SLOW + 60)
    check(home.ok("vnc", "Screen").splitlines()[1] == f"127.0.0.1:{port}", "address")
    password = home.file("password")
    with open(password, "wb") as file:
        file.write(vnc_password_file(b"secret12"))
    jpeg, shot = os.path.join(home.path, "their.jpg"), os.path.join(home.path, "our.png")
    result = subprocess.run(["vncsnapshot", "-quiet", "-quality", "100", "-passwd", password,
                             f"127.0.0.1:{port - 5900}", jpeg], capture_output=True, text=True, timeout=300, check=False)
    check(result.returncode == 0 and os.path.exists(jpeg), result.stderr)
    home.ok("screenshot", "Screen", shot)
    result = subprocess.run(["compare", "-metric", "RMSE", jpeg, shot, "null:"], capture_output=True, text=True,
                            timeout=120, check=False)
    difference = float(re.search(r"\(([0-9.e-]+)\)", result.stderr).group(1))
    check(difference < 0.02, f"vncsnapshot's picture differs from ours by {difference}")


def vnc_password_file(password):
    """The file of vncpasswd(1): the password under DES with the key that every VNC program knows."""
    key = bytes([0x17, 0x52, 0x6b, 0x06, 0x23, 0x4e, 0x58, 0x07])
    # DES as VNC uses it takes the bits of each key byte in reverse; openssl wants them the usual way round.
    reversed_key = bytes(int(f"{b:08b}"[::-1], 2) for b in key)
    result = subprocess.run(["openssl", "enc", "-des-ecb", "-provider", "legacy", "-provider", "default", "-nopad",
                             "-K", reversed_key.hex()], input=password[:8].ljust(8, b"\0"), capture_output=True,
                            check=True)
    return result.stdout


def test_wrong_vnc_password_and_garbage(home):
    home.ok("create", "Screen", "--memory", "64M")
    home.ok("start", "Screen", timeout=SLOW)
    socket_path = home.ok("vnc", "Screen").strip()
    check(os.stat(os.path.dirname(socket_path)).st_mode & 0o077 == 0, "others may enter the runtime folder")
    generator = random.Random(1)
    for _ in range(30):
        client = Client(socket_path)
        try:
            client.socket.sendall(generator.randbytes(generator.randrange(1, 2000)))
        except OSError:
            pass  # it may have thrown us out already
        client.close()
    Client(socket_path).picture()
    check(home.json("list")[0]["state"] == "running", "garbage stopped the machine")


def test_pause_resume_reset(home):
    start_one(home)
    home.ok("pause", "One")
    check(home.json("list")[0]["state"] == "paused", "pause")
    home.ok("pause", "One")
    home.fails(14, "start", "One", words=["in use"])
    home.ok("resume", "One")
    check(home.json("list")[0]["state"] == "running", "resume")
    home.ok("reset", "One")
    home.ok("wait", "One", "--text", "SeaBIOS", "--timeout", str(SLOW), timeout=SLOW + 60)
    home.ok("stop", "One")
    home.fails(18, "reset", "One")


def test_running_machine_is_protected(home):
    start_one(home)
    for arguments in (["start", "One"], ["delete", "One"], ["rename", "One", "Two"], ["clone", "One", "Two"]):
        home.fails(14, *arguments, words=["in use"])
    check(os.listdir(home.data + "/oriel/machines") == ["One.oriel"], "something was left behind")


def test_two_copies_of_one_machine(home):
    home.ok("create", "One", "--memory", "64M")
    copy = home.path + "/Copy.oriel"
    shutil.copytree(home.folder("One"), copy)
    home.ok("start", "One", timeout=SLOW)
    home.fails(14, "start", copy, words=["same identity", "orielctl clone"])
    check(home.json("show", "One")["state"] == "running", "the first one cannot be reached any more")
    check(home.json("show", copy)["state"] == "stopped", "the copy is taken for the one that runs")
    for arguments in (["stop", copy], ["reset", copy], ["pause", copy], ["text", copy]):
        home.fails(18, *arguments, words=["not running", copy, home.folder("One")])
    home.fails(18, "kill", copy, words=["not running"])
    check(home.json("show", "One")["state"] == "running", "a command for the copy reached the original")
    home.ok("stop", "One")
    home.ok("start", copy, timeout=SLOW)
    home.fails(18, "stop", "One", words=["not running", copy])
    home.ok("stop", copy)


def test_folder_behind_a_link_or_moved(home):
    home.ok("create", "One", "--memory", "64M")
    link = home.path + "/Link.oriel"
    os.symlink(home.folder("One"), link)
    home.ok("start", "One", timeout=SLOW)
    check(home.json("show", link)["state"] == "running", "not the same machine behind a link")
    os.rename(home.folder("One"), home.path + "/Moved.oriel")
    home.ok("stop", home.path + "/Moved.oriel")


def test_start_right_after_the_end(home):
    """Whoever hears that a machine has ended can start it, rename it, or start its copy at once."""
    home.ok("create", "One", "--memory", "64M", "--disk", "1M")
    copy = home.path + "/Copy.oriel"
    shutil.copytree(home.folder("One"), copy)
    for _ in range(5):
        for name in ("One", copy):
            home.ok("start", name, timeout=SLOW)
            home.ok("stop", name)
    home.ok("start", "One", timeout=SLOW)
    waiting = subprocess.Popen([ORIELCTL, "wait", "One", "--state", "stopped"], env=home.environment)
    home.ok("stop", "One")
    check(waiting.wait(SLOW) == 0, "wait")
    home.ok("rename", "One", "Two")
    for _ in range(5):  # by the state alone, while the engine may still be busy with its end
        home.ok("start", "Two", timeout=SLOW)
        os.kill(engine_pid(home, "Two"), signal.SIGTERM)
        while home.json("list")[0]["state"] != "stopped":
            pass
    home.ok("delete", "Two")


def test_engine_that_hangs(home):
    """It is said of it that it does not answer; other machines are not held up."""
    for name in ("One", "Two", "Three"):
        home.ok("create", name, "--memory", "64M")
        home.ok("start", name, timeout=SLOW)
    copy = home.path + "/Copy.oriel"
    shutil.copytree(home.folder("One"), copy)
    hanging = [engine_pid(home, name) for name in ("One", "Two")]
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)
    try:
        # All of these wait as long as an engine may take to answer, so they do it together.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            stopping = pool.submit(home.fails, 19, "stop", "One", words=["has not answered"])
            of_copy = pool.submit(home.fails, 18, "stop", copy, words=["not running"])
            waiting = pool.submit(home.fails, 19, "wait", "One", "--state", "stopped", "--timeout", "1")
            table = pool.submit(home.ok, "list")
            listed = {machine["name"]: machine for machine in home.json("list")}
        stopping.result()
        of_copy.result()
        waiting.result()
        check(home.json("show", copy)["state"] == "stopped", "the copy is taken for the one that hangs")
        home.fails(18, "kill", copy, words=["not running"])
        check([listed[name]["state"] for name in ("One", "Two", "Three")] ==
              ["unresponsive", "unresponsive", "running"], repr(listed))
        check("has not answered" in listed["One"]["message"] and listed["One"]["message"].endswith("."), repr(listed))
        check(re.search("^unresponsive One$", table.result(), re.M), "list")
    finally:
        for pid in hanging:
            os.kill(pid, signal.SIGCONT)
    check({machine["state"] for machine in home.json("list")} == {"running"}, "it does not answer again")


def test_runtime_folder_with_a_long_path(home):
    home.ok("create", "One", "--memory", "64M")
    long = os.path.join(home.path, "r" * 100)
    os.mkdir(long, 0o700)
    home.environment["XDG_RUNTIME_DIR"] = long
    home.fails(20, "start", "One", words=["too long", "XDG_RUNTIME_DIR"])


def test_kill_at_random_moments(home):
    home.ok("create", "One", "--memory", "64M", "--disk", "4M")
    home.ok("create", "Uefi", "--memory", "256M", "--firmware", "uefi", "--disk", "4M")
    generator = random.Random(int(os.environ.get("ORIEL_TEST_SEED", "5")))
    for step in range(24):
        name = ("One", "Uefi")[step % 2]
        process = subprocess.Popen([ORIELCTL, "start", name], env=home.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        pid, delay = None, generator.choice([0.01, 0.03, 0.1, 0.3, 1, 3]) * generator.random()
        while pid is None:
            try:
                pid = engine_pid(home, name)
            except Failure:
                check(process.poll() in (None, 0), f"start failed after a kill (step {step})")
                time.sleep(0.002)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        process.wait()
        # A killed process is there until its memory is freed, and answers nobody.
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the killed engine does not go")
        states = {m["name"]: m["state"] for m in home.json("list")}
        check(states == {"One": "stopped", "Uefi": "stopped"}, f"{states} after a kill (step {step})")
    for name in ("One", "Uefi"):
        home.ok("start", name, timeout=SLOW)
        with open(f"/proc/{engine_pid(home, name)}/status", encoding="utf-8", errors="replace") as file:
            check("NoNewPrivs:\t1\n" in file.read(), "the engine can gain rights by programs that have more")
        home.ok("stop", name)
    variables = os.listdir(home.folder("Uefi") + "/firmware")
    check(len(variables) == 1, f"{variables}: not one whole variable store")
    check(os.stat(os.path.join(home.folder("Uefi"), "firmware", variables[0])).st_size == 0x84000, "torn variables")


def without_device(command):
    """The same command where /dev/kvm does not exist."""
    script = 'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh", *command]


def test_host_without_kvm(home):
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        raise Skip("this needs a mount namespace of its own")
    home.ok("create", "One", "--memory", "64M")
    result = subprocess.run(without_device([ORIELCTL, "start", "One"]), env=home.environment, capture_output=True,
                            text=True, timeout=60, check=False)
    check(result.returncode == 15 and "/dev/kvm" in result.stderr, f"{result.returncode}: {result.stderr}")
    result = subprocess.run(without_device([ORIELCTL, "check-host", "--json"]), env=home.environment,
                            capture_output=True, text=True, timeout=60, check=False)
    check(result.returncode == 15, f"{result.returncode}: {result.stderr}")
    check(any(f["severity"] == "problem" for f in json.loads(result.stdout[:result.stdout.rindex("]") + 1])), "check")
    home.ok("start", "One", timeout=SLOW)


def test_host_without_permission(home):
    if os.geteuid() != 0:
        raise Skip("this needs another user to be")
    mode = os.stat("/dev/kvm").st_mode
    if mode & 0o006:
        raise Skip("everybody may use /dev/kvm here")
    home.ok("create", "One", "--memory", "64M")
    # The build folder may be out of that user's reach.
    program = os.path.join(home.path, "programs/app/orielctl")
    engine = os.path.join(home.path, "programs/engine/oriel-engine")
    for target in (program, engine):
        os.makedirs(os.path.dirname(target))
    shutil.copy(ORIELCTL, program)
    shutil.copy(os.path.join(os.path.dirname(ORIELCTL), "../engine/oriel-engine"), engine)
    subprocess.run(["chown", "-R", "65534:65534", home.path], check=True)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    result = subprocess.run([*user, program, "start", "One"], env=home.environment, capture_output=True, text=True,
                            timeout=60, check=False)
    check(result.returncode == 16 and "/dev/kvm" in result.stderr, f"{result.returncode}: {result.stderr}")
    result = subprocess.run([*user, program, "check-host"], env=home.environment, capture_output=True, text=True,
                            timeout=60, check=False)
    check(result.returncode == 16 and "usermod" in result.stdout, f"{result.returncode}: {result.stdout}")


def test_locked_disk_and_missing_files(home):
    iso = home.file("small.iso", bytes(64 * 2048))
    home.ok("create", "One", "--memory", "64M", "--disk", "1M", "--cdrom", iso)
    disk = home.folder("One") + "/disks/disk0.qcow2"
    with open(disk, "r+b") as file:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(file, 37, lock)  # F_OFD_SETLK
        home.fails(14, "start", "One", words=["disk0"])
    os.rename(iso, iso + ".gone")
    home.fails(11, "start", "One", words=["small.iso"])
    os.rename(iso + ".gone", iso)
    os.rename(disk, disk + ".gone")
    home.fails(11, "start", "One", words=["disk0"])
    os.rename(disk + ".gone", disk)
    empty = os.path.join(home.path, "empty")
    os.mkdir(empty)
    home.environment["ORIEL_FIRMWARE_DIR"] = empty
    home.fails(11, "start", "One", words=["seabios"])
    home.ok("set", "One", "firmware=uefi")
    home.fails(11, "start", "One", words=["ovmf"])
    del home.environment["ORIEL_FIRMWARE_DIR"]
    home.ok("set", "One", "firmware=bios")
    home.ok("start", "One", timeout=SLOW)


def test_media(home):
    def drive():
        return next(drive for drive in home.json("show", "One")["drives"] if drive["type"] == "cdrom")

    start_one(home)
    for name, sectors in (("b.iso", 64), ("c.iso", 128)):
        image = home.file(name, bytes(sectors * 2048))
        home.ok("insert", "One", image)
        check(drive()["path"] == image, "insert")
    home.ok("eject", "One")
    check("path" not in drive(), "eject")
    home.fails(11, "insert", "One", home.path + "/none.iso", words=["none.iso"])


def test_input_errors(home):
    start_one(home)
    home.fails(10, "key", "One", "ctrl+nothing", words=["nothing"])
    home.fails(10, "type", "One", "é", words=["é"])
    home.fails(11, "serial", "One", "--port", "7")
    home.fails(16 if os.geteuid() else 11, "screenshot", "One", "/nowhere/x.png")


def test_control_socket_garbage(home):
    home.ok("create", "One", "--memory", "64M")
    home.ok("start", "One", timeout=SLOW)
    path = os.path.join(home.runtime, "oriel", home.json("show", "One")["uuid"], "engine")
    generator = random.Random(2)
    for step in range(60):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        start = b"" if step % 2 else b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nBEGIN\r\n"
        try:
            client.sendall(start + generator.randbytes(generator.randrange(1, 3000)))
        except OSError:
            pass  # it may have thrown us out already
        client.close()
    check(home.json("list")[0]["state"] == "running", "garbage stopped the machine")
    home.ok("stop", "One")


if not os.path.exists("/dev/kvm"):
    print("1..0 # SKIP no /dev/kvm")
    sys.exit(0)
# The groups are run side by side.
GROUPS = {
    "boot": [test_seabios_with_little_and_much_memory_and_processors, test_menu_by_orielctl_and_vnc,
             test_foreign_vnc_client_sees_the_screenshot, test_wrong_vnc_password_and_garbage, test_pause_resume_reset,
             test_media, test_input_errors, test_balloon_errors, test_running_machine_is_protected],
    "folder": [test_two_copies_of_one_machine, test_folder_behind_a_link_or_moved, test_boot_from_a_virtio_disk,
               test_boot_from_an_nvme_disk_with_direct_io, test_limits_of_a_disk, test_start_right_after_the_end,
               test_engine_that_hangs, test_runtime_folder_with_a_long_path,
               test_kill_at_random_moments, test_host_without_kvm, test_host_without_permission,
               test_locked_disk_and_missing_files, test_control_socket_garbage],
    "grub": [test_grub_menu_by_orielctl_and_vnc],  # minutes where KVM emulates ring 0
}
ALL = [test for tests in GROUPS.values() for test in tests]
check(len(ALL) == sum(name.startswith("test_") for name in globals()), "a test is in no group, or in two")
main(*(GROUPS[sys.argv[1]] if sys.argv[1:] and sys.argv[1] in GROUPS else ALL))
