#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl and the library of machines, as far as no guest runs."""

import copy
import functools
import json
import operator
import os
import re
import shlex
import signal
import subprocess
import time

from oriel import Failure, ORIELCTL, Skip, check, main, small_file_system

MIB = 1 << 20
SOURCE = os.environ["ORIEL_SOURCE"]
COMMANDS = ("create identify list show set rename clone delete move add-disk add-cdrom remove-drive "
            "reorder grow convert-disk undo revisions restore start pause resume reset shutdown stop kill wait screenshot display "
            "text type key serial insert eject balloon stats log vnc import try export check-host").split()


def test_help_of_every_command(home):
    text = home.ok("--help")
    for command in COMMANDS:
        check(re.search(rf"^  {command} ", text, re.M), f"{command} is missing in --help")
        help_text = home.ok(command, "--help")
        check("Usage: orielctl " + command in help_text, help_text)
        check("Examples:\n  " in help_text, f"no examples for {command}")
        check("--json" in help_text, help_text)
        check(home.ok("help", command) == home.ok(command, "-h") == help_text, f"other help for {command}")
        rest = help_text.split("\n", 1)[1]
        long = [line for line in rest.split("\nExamples:")[0].splitlines() if len(line) > 80]
        check(not long, f"longer than a terminal is wide: {long}")
    check(home.ok("help") == home.ok("-h") == text, "other ways to ask for help")
    check(all(len(line) <= 80 for line in text.splitlines()), text)
    check(re.match(r"orielctl \d+\.\d+", home.ok("--version")), "version")


def test_manual_and_completion_know_every_command(home):
    with open(os.path.join(SOURCE, "data/man/orielctl.1"), encoding="utf-8") as file:
        manual = file.read()
    for command in COMMANDS:
        check(re.search(rf"^(\.It )?(Xo\n)?\.?(It )?Cm {command}\b", manual, re.M), f"{command} is not in the manual")
        options = re.findall(r"^  --([a-z-]+)", home.ok(command, "--help"), re.M)
        for option in set(options) - {"json", "help"}:
            check(f"Fl -{option}" in manual, f"--{option} of {command} is not in the manual")
    script = os.path.join(SOURCE, "data/completions/orielctl.bash")
    program = f'''
        source {script}
        PATH={os.path.dirname(ORIELCTL)}:$PATH
        COMP_WORDS=(orielctl cre); COMP_CWORD=1; _orielctl; echo "${{COMPREPLY[*]}}"
        COMP_WORDS=(orielctl create X --mem); COMP_CWORD=3; _orielctl; echo "${{COMPREPLY[*]}}"
        COMP_WORDS=(orielctl start My); COMP_CWORD=2; _orielctl; echo "${{COMPREPLY[*]}}"
    '''
    home.ok("create", "My machine")
    lines = subprocess.run(["bash", "-c", program], env=home.environment, text=True, check=True,
                           capture_output=True).stdout.splitlines()
    check([line.strip() for line in lines] == ["create", "--memory", r"My\ machine"], repr(lines))


def completions(home, typed):
    """What bash offers for a machine's name of which so much was typed."""
    program = f"""
        source {os.path.join(SOURCE, "data/completions/orielctl.bash")}
        PATH={os.path.dirname(ORIELCTL)}:$PATH
        COMP_WORDS=(orielctl start {shlex.quote(typed)}); COMP_CWORD=2; _orielctl; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return subprocess.run(["bash", "-c", program], env=home.environment, text=True, check=True, cwd=home.path,
                          capture_output=True).stdout.splitlines()


def test_completion_of_names(home):
    """Names of machines are texts of strangers: quoted for the shell, and nothing of them is run."""
    for name in ("$(touch owned)", "`touch owned`", "My machine", 'My "other" one'):
        home.ok("create", name)
    for typed, offered in (("$", [r"\$\(touch\ owned\)"]), ("`", [r"\`touch\ owned\`"]), (r"My\ m", [r"My\ machine"]),
                           ('"My m', ["My machine"]), ("'My ", ["My machine"]), ("No", [""])):
        check(completions(home, typed) == offered, f"{typed}: {completions(home, typed)}")
    check(len(completions(home, "")) == 4, repr(completions(home, "")))
    check(not os.path.exists(home.path + "/owned"), "a machine's name was run as a command")


def test_create_show_list(home):
    out = home.json("create", "One", "--disk", "3M", "--memory", "256M", "--cpus", "2", "--firmware", "uefi")
    check(out["folder"] == home.folder("One"), repr(out))
    shown = home.json("show", "One")
    check(shown["memory"] == 256 * MIB and shown["cpus"] == 2, repr(shown))
    check(shown["firmware"]["type"] == "uefi" and shown["state"] == "stopped", repr(shown))
    disk = home.json("disk", "info", home.folder("One") + "/disks/disk0.qcow2")
    check(disk["disk-size"] == 3 * MIB and disk["format"] == "qcow2", "size of the disk")
    listed = home.json("list")
    check([m["name"] for m in listed] == ["One"] and listed[0]["state"] == "stopped", repr(listed))
    check("stopped      One" in home.ok("list"), "list")
    home.ok("create", "Two", "--disk", "1M", "--controller", "virtio")
    check([d["controller"] for d in home.json("show", "Two")["drives"]] == ["virtio", "ahci"], "controllers")
    code, _, error = home.run("create", "Three", "--disk", "1M", "--controller", "floppy")
    check(code == 10 and "ahci, virtio, nvme" in error, error)
    check("memory" in home.ok("show", "One"), "show")


def test_create_elsewhere(home):
    os.mkdir(home.path + "/usb")
    home.ok("create", "Stick", "--dir", home.path + "/usb")
    check(os.path.isfile(home.path + "/usb/Stick.oriel/machine.json"), "not there")
    check(home.json("list")[0]["folder"] == home.path + "/usb/Stick.oriel", "list")
    os.rename(home.path + "/usb", home.path + "/gone")
    machine = home.json("list")[0]
    check(machine["state"] == "unavailable" and machine["name"] == "Stick", repr(machine))
    home.fails(11, "start", "Stick")
    os.rename(home.path + "/gone", home.path + "/usb")
    home.ok("rename", "Stick", "Other")
    check(home.json("list")[0]["folder"] == home.path + "/usb/Other.oriel", "renamed")
    home.ok("delete", "Other", "--permanently")
    check(home.json("list") == [], "deleted")


def test_create_in_the_library_by_its_path(home):
    """The library's own folder, also by way of a link, is no place elsewhere: the machine is listed once."""
    library = os.path.dirname(home.folder("One"))
    home.ok("create", "One")
    os.symlink(library, home.path + "/link")
    home.ok("create", "Two", "--dir", library)
    home.ok("create", "Three", "--dir", home.path + "/link")
    os.mkdir(home.path + "/usb")
    home.ok("move", "One", home.path + "/usb")
    home.ok("move", "One", home.path + "/link")
    home.ok("rename", home.path + "/link/Three.oriel", "Four")
    check([machine["name"] for machine in home.json("list")] == ["Four", "One", "Two"], home.ok("list"))


def test_create_from_an_image(home):
    image = home.file("disk.img", b"")
    with open(image, "r+b") as file:
        file.truncate(8 * MIB)
        file.seek(5 * MIB)
        file.write(b"data")
    home.ok("create", "Copy", "--disk", image)
    copy = home.folder("Copy") + "/disks/disk0.raw"
    with open(image, "rb") as a, open(copy, "rb") as b:
        check(a.read() == b.read(), "the copy differs")
    check(os.stat(copy).st_blocks * 512 < 2 * MIB, "the copy has lost its holes")


def iso(label, platform=0, sectors=64):
    """A CD image with a boot entry for a platform (El Torito: 0 a BIOS, 0xef UEFI)."""
    def descriptor(kind, rest):
        return (bytes([kind]) + b"CD001\x01" + rest).ljust(2048, b"\0")
    size = sectors.to_bytes(4, "little") + sectors.to_bytes(4, "big")
    primary = bytes(33) + label.encode().ljust(32) + bytes(8) + size
    catalog = bytes([1, platform]) + bytes(28) + b"\x55\xaa\x88"
    image = (bytes(16 * 2048) + descriptor(1, primary.ljust(121, b"\0") + b"\0\x08\x08\0") +
             descriptor(0, b"EL TORITO SPECIFICATION".ljust(64, b"\0") + (20).to_bytes(4, "little")) +
             descriptor(255, b""))
    return (image.ljust(20 * 2048, b"\0") + catalog).ljust(64 * 2048, b"\0")


def leaks_of_libosinfo(home):
    """It keeps the database that it read, and its stacks do not show that it was libosinfo."""
    home.environment["ASAN_OPTIONS"] += ":detect_leaks=0"


def test_identify(home):
    leaks_of_libosinfo(home)
    debian = home.file("x", iso("Debian 12.5.0 amd64 n"))
    found = home.json("identify", debian)
    check(found["kind"] == "iso" and found["system"] == "debian12" and found["bootable"], repr(found))
    check(found["label"] == "Debian 12.5.0 amd64 n" and found["size"] == 64 * 2048, repr(found))
    check(found["system-name"].startswith("Debian") and found["format"] is None, repr(found))
    text = home.ok("identify", debian)
    check(re.search(r"^kind +iso$", text, re.M) and re.search(r"^system +debian12 \(Debian.*\)$", text, re.M), text)
    check("uefi only" in home.ok("identify", home.file("u", iso("U", 0xef))), "a CD for UEFI")
    raw = home.json("identify", home.file("disk", bytes(510) + b"\x55\xaa" + bytes(512)))
    check(raw["kind"] == "disk" and raw["format"] == "raw" and raw["bootable"], repr(raw))
    check(home.json("identify", home.file("q", b"QFI\xfb" + bytes(508)))["format"] == "qcow2", "qcow2")
    check(home.json("identify", home.file("nothing", b"text"))["kind"] == "unknown", "a text")
    home.ok("create", "One")
    check(home.json("identify", home.folder("One"))["kind"] == "machine", "a machine")
    home.fails(10, "identify", home.file("short.iso", iso("SHORT", sectors=10000)), words=["short.iso", "cut short"])
    home.fails(11, "identify", home.path + "/none", words=["none"])
    home.fails(2, "identify")


def test_create_by_the_system_on_the_cd(home):
    leaks_of_libosinfo(home)
    windows = home.file("w.iso", iso("CCCOMA_X64FRE_EN-US_DV9"))
    home.ok("create", "W", "--cdrom", windows, "--disk", "1G")
    system = home.json("identify", windows)["system"]
    shown = home.json("show", "W")
    check(shown["os"] == system and shown["clock"] == "local", repr(shown))
    uefi = shown["firmware"]["type"] == "uefi"
    check(shown["drives"][0]["controller"] == ("nvme" if uefi else "ahci"), repr(shown))
    debian = home.file("d.iso", iso("Debian 12.5.0 amd64 n"))
    home.ok("create", "D", "--cdrom", debian, "--disk", "1G")
    home.ok("create", "Small", "--cdrom", debian, "--memory", "96M", "--cpus", "1", "--firmware", "uefi")
    shown = home.json("show", "D")
    check(shown["os"] == "debian12" and shown["memory"] >= 512 * MIB, repr(shown))
    check(shown["cpus"] <= os.cpu_count() and shown["firmware"]["type"] == "bios", repr(shown))
    check(shown["video"]["model"] == "virtio-gpu", repr(shown))
    check([drive["controller"] for drive in shown["drives"]] == ["virtio", "ahci"], repr(shown))
    home.ok("create", "I", "--cdrom", debian, "--disk", home.file("disk.raw", bytes(1 << 20)))
    check(home.json("show", "I")["drives"][0]["controller"] == "ahci", "an image's system is not known")
    shown = home.json("show", "Small")
    check(shown["memory"] == 96 * MIB and shown["cpus"] == 1 and shown["firmware"]["type"] == "uefi", repr(shown))
    home.ok("create", "Plain", "--cdrom", home.file("p.iso", iso("NOBODY KNOWS")))
    shown = home.json("show", "Plain")
    check(shown["memory"] == 1024 * MIB and shown["cpus"] == 1 and "os" not in shown, repr(shown))
    home.ok("create", "U", "--cdrom", home.file("u.iso", iso("NOBODY KNOWS", 0xef)))
    check(home.json("show", "U")["firmware"]["type"] == "uefi", "a CD that starts by UEFI only")


def test_bad_input_changes_nothing(home):
    home.ok("create", "One", "--disk", "1M")
    qcow2 = home.file("a.qcow2", b"QFI\xfb" + bytes(100))
    short = home.file("short.iso", bytes(32768) + b"\x01CD001\x01\x00" + bytes(72) +
                    (1000).to_bytes(4, "little") + (1000).to_bytes(4, "big") + bytes(40) +
                    (2048).to_bytes(2, "little") + (2048).to_bytes(2, "big") + bytes(4000))
    latin = os.path.join(home.path, os.fsdecode(b"\xe9"))
    os.mkdir(latin)
    before = home.tree()
    cases = [
        (12, ["create", "One"], ["One", "already"]),
        (10, ["create", "a/b"], ["a/b"]),
        (10, ["create", ""], []),
        (10, ["create", ".hidden"], [".hidden"]),
        (10, ["create", "x" * 101], []),
        (10, ["create", "A\nB"], []),
        (11, ["create", "Two", "--cdrom", home.path + "/none.iso"], ["none.iso"]),
        (10, ["create", "Two", "--cdrom", short], ["short.iso"]),
        (10, ["create", "Two", "--cdrom", home.path], []),
        (10, ["create", "Two", "--disk", "ten"], ["ten"]),
        (10, ["create", "Two", "--disk", qcow2], ["qcow2"]),
        (11, ["create", "Two", "--disk", home.path + "/none.img"], ["none.img"]),
        (10, ["create", "Two", "--memory", "1"], ["memory"]),
        (10, ["create", "Two", "--memory", "-5G"], []),
        (10, ["create", "Two", "--cpus", "0"], ["cpus"]),
        (10, ["create", "Two", "--cpus", "1000"], ["cpus"]),
        (10, ["create", "Two", "--firmware", "efi"], ["firmware"]),
        (11, ["create", "Two", "--kernel", home.path + "/vmlinuz"], ["vmlinuz"]),
        (11, ["create", "Two", "--dir", home.path + "/nowhere"], ["nowhere"]),
        (2, ["create", "Two", "--color", "red"], ["--color"]),
        (2, ["create", "Two", "--memory"], ["--memory"]),
        (2, ["create"], ["NAME"]),
        (2, ["create", "Two", "Three"], ["NAME"]),
        (2, ["crate"], ["did you mean “create”"]),
        (2, ["list", "-x"], ["-x"]),
        (10, ["set", "One", "memory=0"], ["memory"]),
        (10, ["set", "One", "colour=red"], ["colour"]),
        (10, ["set", "One", "cpus=2", "disk0.path=../../etc/passwd"], ["disk0"]),
        (10, ["set", "One", "name=Two"], ["rename"]),
        (2, ["set", "One", "memory"], ["KEY=VALUE"]),
        (12, ["rename", "One", "One"], []),
        (12, ["clone", "One", "One"], []),
        (11, ["show", "None"], ["None"]),
        (11, ["delete", "None"], ["None"]),
        (18, ["pause", "One"], ["not running"]),
        (18, ["text", "One"], ["not running"]),
        (18, ["serial", "One"], ["not running"]),
        (11, ["log", "One"], ["never been started"]),
        (11, ["insert", "One", home.path + "/none.iso"], ["none.iso"]),
        (2, ["wait", "One"], ["--state"]),
        (2, ["wait", "One", "--state", "running", "--text", "x"], ["one of"]),
        (2, ["wait", "One", "--state", "running", "--timeout", "soon"], ["soon"]),
        (2, ["wait", "One", "--state", "runing"], ["runing"]),
        (2, ["wait", "One", "--text", "(", "--timeout", "1"], ["regular expression"]),
        (2, ["wait", "One", "--serial", "[", "--timeout", "1"], ["regular expression"]),
        (10, ["create", "Blank "], ["Blank"]),
        (10, ["create", "Two", "--dir", "/tmp/a\nb"], ["line break"]),
        (10, ["create", "Two", "--dir", os.fsdecode(b"/tmp/\xff")], ["UTF-8"]),
        (10, ["move", "One", latin], ["UTF-8"]),
        (19, ["wait", "One", "--state", "running", "--timeout", "1"], ["in time"]),
        (18, ["wait", "One", "--text", "login", "--timeout", "1"], ["stopped"]),
    ]
    for code, arguments, words in cases:
        home.fails(code, *arguments, words=words)
        check(home.tree() == before, f"{arguments} changed something")


def test_wait_for_an_engine_that_does_not_answer(home):
    home.environment["ORIEL_ENGINE"] = os.environ["ORIEL_FAKE_ENGINE"]
    home.ok("create", "One", "--disk", "1M")
    home.ok("start", "One")
    home.ok("type", "One", "fake:deaf GetText")
    home.fails(19, "wait", "One", "--text", "login", "--timeout", "1", words=["in time"])
    home.ok("stop", "One")


def test_wait_for_a_crashed_machine(home):
    home.environment["ORIEL_ENGINE"] = os.environ["ORIEL_FAKE_ENGINE"]
    home.ok("create", "One", "--disk", "1M")
    home.ok("start", "One")
    home.ok("type", "One", "fake:state crashed triple-fault The guest fell over.")
    home.ok("wait", "One", "--state", "crashed", "--timeout", "60")
    for what in ("--text", "--serial"):
        home.fails(18, "wait", "One", what, "login", "--timeout", "600", words=["One", "has crashed", "log"])
    home.fails(19, "wait", "One", "--state", "stopped", "--timeout", "1", words=["in time"])
    home.ok("stop", "One")


def test_damaged_configuration(home):
    home.ok("create", "One", "--disk", "1M")
    path = home.folder("One") + "/machine.json"
    with open(path, "rb") as file:
        good = file.read()
    for bad in (b"", b"{", good[:-20], good.replace(b'"version"', b'"Version"'), b"\xff" * 100, b"[" * 100000):
        with open(path, "wb") as file:
            file.write(bad)
        machine = home.json("list")[0]
        check(machine["state"] == "damaged" and machine["message"], repr(machine))
        for command in ("show", "start", "delete"):
            home.fails(13, command, home.folder("One"))
        with open(path, "rb") as file:
            check(file.read() == bad, "the damaged file was touched")
    with open(path, "wb") as file:
        file.write(good)
    home.ok("show", "One")


def test_nothing_that_a_terminal_would_obey(home):
    """Texts of strangers, here the label of a CD and the name of a file, have no control characters left."""
    label = home.ok("identify", home.file("x.iso", iso("A\x1b[2JB")))
    path = home.file("a\x1b[2J\x9b.vmdk", b"KDMV" + bytes(508))
    error = home.fails(10, "disk", "info", path)
    for text in (label, error, home.fails(11, "show", "a\x1b[2Jb")):
        check("\x1b" not in text and "\x9b" not in text and "[2J" in text, repr(text))


def test_folders_called_anything(home):
    """What of a folder's name can be a machine's is shown; those that are no line of text are not the library's."""
    machines = home.data + "/oriel/machines"
    home.ok("create", "One")
    for name in (b"caf\xe9", b"\xff\xfe", b"a\nb", b"c\x1b[2J", b"-n", b" ", b"x" * 200):
        os.mkdir(os.path.join(os.fsencode(machines), name + b".oriel"))
    listed = home.json("list")
    check(len(listed) == 5 and sum(machine["state"] == "damaged" for machine in listed) == 4, repr(listed))
    for machine in listed:
        check(machine["name"] and not re.search("[\0-\x1f]", machine["name"]), repr(machine["name"]))
    out = home.ok("list")
    check("\x1b" not in out, repr(out))


def test_list_of_machines_that_cannot_be_read(home):
    """It is not written anew, which would lose those in it."""
    registry = home.data + "/oriel/folders"
    for place in ("a", "b"):
        os.mkdir(f"{home.path}/{place}")
    home.ok("create", "One", "--dir", home.path + "/a")
    os.rename(registry, registry + ".kept")
    os.symlink("folders", registry)
    home.fails(20, "create", "Two", "--dir", home.path + "/b", words=["folders", "cannot be read"])
    check(os.path.islink(registry) and os.listdir(home.path + "/b") == [], "something was written")
    home.ok("create", "Three")
    home.ok("delete", "Three", "--permanently")
    os.rename(registry + ".kept", registry)
    check([machine["name"] for machine in home.json("list")] == ["One"], "one was lost from the list")


def test_errors_as_json(home):
    code, out, err = home.run("show", "None", "--json")
    check(code == 11 and json.loads(out)["exit-code"] == "11" and err, out + err)
    for arguments in (["show", "--json"], ["list", "--json", "--nonsense"], ["list", "-x", "--json"]):
        code, out, err = home.run(*arguments)
        check(code == 2 and json.loads(out)["exit-code"] == "2" and err, out + err)


def test_clone_and_delete(home):
    home.ok("create", "One", "--disk", home.file("hello.img", b"hello" + bytes(2 * MIB)))
    os.mkdir(home.folder("One") + "/firmware")
    with open(home.folder("One") + "/firmware/vars.fd", "wb") as file:
        file.write(b"variables")
    home.ok("clone", "One", "Two")
    one, two = home.json("show", "One"), home.json("show", "Two")
    for key in ("uuid", "name", "generation-id"):
        check(one[key] != two[key], f"{key} is the same")
    check(one["memory"] == two["memory"], "memory")
    with open(home.folder("Two") + "/disks/disk0.raw", "rb") as disk:
        check(disk.read(5) == b"hello", "the disk was not copied")
    with open(home.folder("Two") + "/firmware/vars.fd", "rb") as file:
        check(file.read() == b"variables", "the variables were not copied")
    home.ok("delete", "One")
    check([m["name"] for m in home.json("list")] == ["Two"], "delete")
    check(os.path.isdir(home.data + "/Trash/files/One.oriel"), "not in the trash")
    os.rename(home.data + "/Trash/files/One.oriel", home.folder("One"))
    home.ok("show", "One")


def test_rename(home):
    home.ok("create", "One")
    home.ok("rename", "One", "Zwei ✓")
    check(os.path.isdir(home.folder("Zwei ✓")), "the folder kept its name")
    check(home.json("show", "Zwei ✓")["name"] == "Zwei ✓", "name")
    home.fails(11, "show", "One")


def test_kill_during_create_and_clone(home):
    image = home.file("disk.img")
    with open(image, "r+b") as file:
        for _ in range(64):
            file.write(os.urandom(MIB))
    home.ok("create", "Source", "--disk", image)
    for step in range(30):
        arguments = ["clone", "Source", "Target"] if step % 2 else ["create", "Target", "--disk", image]
        process = subprocess.Popen([ORIELCTL, *arguments], env=home.environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(step * 0.004)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for machine in home.json("list"):
            check(machine["state"] == "stopped", repr(machine))
            if machine["name"] == "Target":
                disk = machine["folder"] + "/disks/disk0.raw"
                check(os.stat(disk).st_size == 64 * MIB, "half a machine")
                home.ok("delete", "Target", "--permanently")
    home.ok("create", "Last")
    remains = [name for name in os.listdir(home.data + "/oriel/machines") if name.startswith(".")]
    check(remains == [], f"left behind: {remains}")


def test_remains_are_removed_and_nothing_else(home):
    """Folders that a killed operation left go; what the user has there stays, whatever it is called."""
    place = home.path + "/place"
    mine = [".new-things", ".new-Target-abcdef", ".oriel", "oriel-unfinished-1"]
    for name in mine + [".oriel-unfinished-dead01", ".oriel-unfinished-dead02"]:
        os.makedirs(f"{place}/{name}")
    for name in mine + [".oriel-unfinished-dead01"]:
        with open(f"{place}/{name}/file", "wb") as file:
            file.write(b"content")
    home.ok("create", "One", "--dir", place)
    check(sorted(os.listdir(place)) == sorted(mine + ["One.oriel"]), repr(os.listdir(place)))
    check(all(os.path.isfile(f"{place}/{name}/file") for name in mine), "a file of the user's is gone")


def test_many_at_once(home):
    """Commands side by side: one creator of a name wins, the list of machines elsewhere loses none."""
    places = [f"{home.path}/place{n}" for n in range(8)]
    for place in places:
        os.mkdir(place)
    processes = [subprocess.Popen([ORIELCTL, "create", f"M{n}", "--dir", place], env=home.environment,
                                  stdout=subprocess.DEVNULL) for n, place in enumerate(places)]
    check(all(process.wait() == 0 for process in processes), "creating elsewhere")
    check([m["name"] for m in home.json("list")] == [f"M{n}" for n in range(8)], "one was lost from the list")
    processes = [subprocess.Popen([ORIELCTL, "create", "Same", "--disk", "1M"], env=home.environment,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(8)]
    check(sorted(process.wait() for process in processes) == [0] + [12] * 7, "creating one name")
    check(sorted(os.listdir(home.data + "/oriel/machines")) == ["Same.oriel"], "remains")


def test_folders_that_cannot_be_written(home):
    """Read-only media and full disks: a sentence, and nothing half made."""
    home.ok("create", "One", "--disk", "1M")
    place = home.path + "/place"
    with small_file_system(place, "300k"):
        home.ok("create", "Two", "--dir", place)
        image = home.file("big.img", os.urandom(MIB))
        home.fails(17, "create", "Three", "--disk", image, "--dir", place, words=["disk0.raw"])
        check(os.listdir(place) == ["Two.oriel"], repr(os.listdir(place)))
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        home.ok("show", "Two")
        for arguments in (["set", "Two", "memory=1G"], ["rename", "Two", "Four"], ["delete", "Two"],
                          ["delete", "Two", "--permanently"], ["start", "Two"], ["create", "Five", "--dir", place]):
            home.fails(16, *arguments, words=[place, "Read-only"])
        check(home.json("show", "Two")["name"] == "Two", "changed")


def test_delete_of_what_cannot_all_go(home):
    """Something of the folder stays behind, hidden; the machine is gone all the same."""
    place = home.path + "/place"
    os.mkdir(place)
    home.ok("create", "One", "--dir", place)
    try:
        with small_file_system(place + "/One.oriel/log", "300k"):
            home.fails(20, "delete", "One", "--permanently", words=[".oriel-unfinished"])
            check(home.json("list") == [], "it is still in the list")
    finally:
        for name in os.listdir(place):  # where the file system is mounted now
            subprocess.run(["umount", "-l", f"{place}/{name}/log"], stderr=subprocess.DEVNULL, check=False)


def test_links_in_a_strangers_machine(home):
    secret = home.file("secret", b"secret" * 1000)
    home.ok("create", "One", "--disk", "1M")
    disk = home.folder("One") + "/disks/disk0.qcow2"
    os.unlink(disk)
    os.symlink(secret, disk)
    home.fails(10, "clone", "One", "Two", words=["symbolic link"])
    home.fails(10, "start", "One", words=["symbolic link"])
    check(os.listdir(home.data + "/oriel/machines") == ["One.oriel"], "something was left behind")


def test_output_that_cannot_be_written(home):
    home.ok("create", "One")
    with open("/dev/full", "wb") as full:
        code = subprocess.run([ORIELCTL, "list"], env=home.environment, stdout=full, stderr=subprocess.PIPE,
                              check=False)
    check(code.returncode == 17 and b"No space" in code.stderr, repr(code))


def test_every_key_by_hand(home):
    """machine.json with one wrong value after the other: a sentence that names the key, never a crash."""
    wrong = [None, True, -1, 0, 1 << 62, 1e300, "", "x" * 5000, "../..", "\n", [], [[]], {}, {"a": {}}]
    goods = []  # a machine for each wrong value, so that all of a key's are looked at together
    for n in range(len(wrong)):
        home.ok("create", f"M{n}", "--disk", "1M", "--memory", "64M")
        with open(home.folder(f"M{n}") + "/machine.json", encoding="utf-8") as file:
            goods.append(json.load(file))
    places = [(key,) for key in goods[0]]
    for key, value in goods[0].items():
        if isinstance(value, dict):
            places += [(key, inner) for inner in value]
    places += [("drives", n, key) for n, drive in enumerate(goods[0]["drives"]) for key in drive]
    for *way, key in places:
        for n, good in enumerate(goods):
            changed = copy.deepcopy(good)
            owner = functools.reduce(operator.getitem, way, changed)
            owner[key] = wrong[n]
            with open(home.folder(f"M{n}") + "/machine.json", "w", encoding="utf-8") as file:
                json.dump(changed, file)
        listed = {machine["folder"]: machine for machine in home.json("list")}
        for n, value in enumerate(wrong):
            machine = listed[home.folder(f"M{n}")]
            if machine["state"] == "damaged":
                check(machine["message"].endswith("."), f"{key}={value!r}: {machine['message']!r}")
                check(key in machine["message"] or machine["message"].startswith("“"), machine["message"])
                code, _, err = home.run("start", machine["folder"])
                check(code in (10, 13) and err.rstrip().endswith("."), f"{key}={value!r}: {code} {err!r}")
            else:
                check(machine["state"] == "stopped", repr(machine))
                home.ok("show", machine["folder"])


def test_check_host(home):
    code, out, err = home.run("check-host", "--json")
    findings = json.loads(out)
    check((code != 0) == any(f["severity"] == "problem" for f in findings) == bool(err), out + err)
    for finding in findings:
        check(finding["what"].endswith(".") and finding["fix"].endswith("."), repr(finding))


def test_check_host_without_kvm(home):
    """What stands in for /dev/kvm answers nothing: one document says it, for programs as well."""
    program = 'mount --bind /dev/null /dev/kvm && exec "$0" check-host --json'
    result = subprocess.run(["unshare", "--mount", "sh", "-c", program, ORIELCTL], env=home.environment, text=True,
                            capture_output=True, check=False)
    if not result.stderr.startswith("orielctl: "):
        raise Skip(f"nothing can be mounted over /dev/kvm here: {result.stderr.strip()}")
    findings = json.loads(result.stdout)
    check(result.returncode == 15 and findings[0]["severity"] == "problem", result.stdout + result.stderr)


def test_settings_round_trip(home):
    home.ok("create", "One", "--disk", "1M")
    home.ok("create", "Bare", "--memory", "512")
    check(home.json("show", "Bare")["memory"] == 512 * MIB, "a bare number is not in MiB")
    for setting, size in (("memory=768", 768 * MIB), ("memory=536870912B", 512 * MIB), ("memory=1G", 1 << 30)):
        home.ok("set", "Bare", setting)
        check(home.json("show", "Bare")["memory"] == size, setting)
    home.fails(10, "create", "Two", "--memory", "512B", words=["memory", "16M"])
    check("MiB" in home.ok("create", "--help"), "the unit of a bare number is not in --help")
    for setting in ("memory=3G", "cpus=4", "firmware=uefi", "clock=local", "serials=2", "boot-menu=true",
                    "video-memory=32M"):
        home.ok("set", "One", setting)
    shown = home.json("show", "One")
    check(shown["memory"] == 3 << 30 and shown["serials"] == 2 and shown["clock"] == "local", repr(shown))
    processes = [subprocess.Popen([ORIELCTL, "set", "One", f"cpus={n}"], env=home.environment) for n in range(1, 9)]
    for process in processes:
        if process.wait() != 0:
            raise Failure("two changes at once got in each other's way")
    check(home.json("show", "One")["memory"] == 3 << 30, "a change was lost")


main(test_help_of_every_command, test_manual_and_completion_know_every_command, test_completion_of_names,
     test_create_show_list,
     test_create_elsewhere,
     test_create_in_the_library_by_its_path, test_create_from_an_image, test_identify, test_create_by_the_system_on_the_cd,
     test_bad_input_changes_nothing,
     test_wait_for_an_engine_that_does_not_answer, test_wait_for_a_crashed_machine, test_damaged_configuration,
     test_every_key_by_hand, test_nothing_that_a_terminal_would_obey,
     test_folders_called_anything,
     test_list_of_machines_that_cannot_be_read, test_errors_as_json, test_clone_and_delete, test_rename, test_kill_during_create_and_clone,
     test_remains_are_removed_and_nothing_else, test_many_at_once, test_folders_that_cannot_be_written,
     test_delete_of_what_cannot_all_go, test_links_in_a_strangers_machine, test_output_that_cannot_be_written, test_check_host,
     test_check_host_without_kvm, test_settings_round_trip)
