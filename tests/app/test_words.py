#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What orielctl says, in a language whose translations all stand in [brackets] (tests/brackets.py): sentences of the
library, the worker and the command line are translated; JSON is the same in every language."""
import os
import re
import sys

from oriel import SOURCE, Skip, check, main

sys.path.insert(0, os.path.join(SOURCE, "tests"))

import brackets  # noqa: E402

WORD = re.compile(r"[A-Za-z]{2,}")
BOOTABLE = bytes(510) + b"\x55\xaa" + bytes((1 << 20) - 512)


def speak(home):
    """From now on home speaks in brackets."""
    if brackets.missing():
        raise Skip(f"{brackets.missing()} is not installed")
    home.environment.update(brackets.catalogue(SOURCE, os.path.join(home.path, "locale")))


def mistakes(home):
    """Commands that fail, each for a reason of its own."""
    text = home.file("letter.txt", b"Dear reader,\n" * 50)
    cut = home.file("cut.vmdk", b"KDMV" + bytes(508))
    packed = home.file("disk.img.xz", b"\xfd7zXZ\0" + bytes(600))
    raw = home.file("disk.raw", bytes(1 << 20))
    damaged = home.folder("Damaged")
    os.makedirs(damaged)
    with open(os.path.join(damaged, "machine.json"), "w", encoding="utf-8") as file:
        file.write('{"version": 1, "cpus": "many"}')
    home.ok("create", "One", "--disk", "1M")
    return [
        ["crate"], ["nonsense"], ["list", "-x"], ["create"], ["list", "One"], ["create", "Two", "--color"],
        ["create", "Two", "--memory"], ["list", "--json=1"],
        ["create", "a/b"], ["create", "One"], ["create", "Blank "], ["create", "Two", "--memory", "lots"],
        ["create", "Two", "--memory", "1K"], ["create", "Two", "--cpus", "x"], ["create", "Two", "--firmware", "efi"],
        ["create", "Two", "--cdrom", "/nowhere.iso"], ["create", "Two", "--disk", packed],
        ["create", "Two", "--disk", "/nowhere"], ["create", "Two", "--dir", "/nowhere"],
        ["show", "None"], ["show", damaged], ["pause", "One"], ["log", "One"], ["insert", "One", "/nowhere.iso"],
        ["set", "One", "nonsense"], ["set", "One", "colour=red"], ["set", "One", "uuid=1"], ["set", "One", "cpus=no"],
        ["set", "One", "boot-menu=maybe"], ["set", "One", "boot-order=disk9"], ["set", "One", "vnc.listen=here"],
        ["set", "One", "net0.mac=1"], ["set", "One", "net0.forwards=1:2"], ["set", "One", "disk0.path=../x"],
        ["set", "One", "name=Two"], ["undo", "One"], ["restore", "One", "worked"], ["restore", "One", "99"],
        ["restore", "One", "x"], ["grow", "One", "disk0", "1K"], ["grow", "One", "disk9", "1G"],
        ["convert-disk", "One", "disk0", "vhd"], ["remove-drive", "One", "disk9"], ["reorder", "One", "disk0", "disk0"],
        ["move", "One", "/nowhere"], ["rename", "One", "One"], ["remove-network", "One", "net9"],
        ["forward", "One", "remove", "tcp:1:1"], ["forward", "One"], ["limit", "One", "x", "y"],
        ["disk", "info", cut], ["disk", "info", packed], ["disk", "convert", raw, "x.odd"], ["disk", "resize", raw, "1"],
        ["disk", "resize", raw, "1K"], ["disk", "commit", raw], ["disk", "delete-snapshot", raw, "1"], ["disk", "turn", raw],
        ["disk", "info"], ["identify", "/nowhere"], ["identify", home.path], ["import", "/nowhere"], ["import", text],
        ["import", home.data], ["export", "One", "x.ovf"], ["export", "One", "x.ova", "--profile", "hyper-v"],
        ["export", "One", "x", "--profile", "qemu"], ["export", "One"], ["wait", "One"],
        ["wait", "One", "--state", "gone"], ["wait", "One", "--text", "(", "--timeout", "1"],
        ["wait", "One", "--state", "running", "--timeout", "1"], ["serial", "One", "--port", "x"],
        ["display", "One", "zero"],
    ]


def test_every_mistake_is_translated(home):
    commands = mistakes(home)
    speak(home)
    foreign = []
    for command in commands:
        code, _, error = home.run(*command)
        if code == 0 or not error.startswith("orielctl: [") or WORD.search(brackets.outside(error)[10:]):
            foreign.append(f"{command}: {code} {error!r}")
    check(not foreign, "\n".join(foreign))


def test_help_is_translated(home):
    speak(home)
    out = home.ok("--help").replace("Ctrl+]", "")
    names = re.findall(r"^  ([a-z-]+) ", out, re.M)
    rest = brackets.outside(re.sub(r"^  [a-z-]+ ", "", out, flags=re.M))
    check(len(names) > 30 and not WORD.search(rest), rest)
    for name in names:
        out = home.ok(name, "--help").replace("Ctrl+]", "")
        text, heading, _ = out.partition("[Examples:]")
        check(heading, out)
        rest = brackets.outside(re.sub(r"^  --[a-z0-9-]+( \S+)?", "", text, flags=re.M))
        check(not WORD.search(rest), rest)


def test_reports_are_translated(home):
    disk = home.file("disk.raw", BOOTABLE)
    home.ok("create", "One", "--disk", "1M")
    speak(home)
    check(not WORD.search(brackets.outside(home.ok("move", "One", home.path))), "where a machine is now")
    for line in home.run("check-host")[1].splitlines():
        check(not WORD.search(brackets.outside(line)), line)
    report = home.ok("import", disk, "--report")
    for key in ("drive", "network", "space"):
        check(re.search(rf"^{key} +\[", report, re.M), report)
    check(re.search(r"^\[There is no description", report, re.M), report)


def test_json_is_the_same_in_every_language(home):
    failing = mistakes(home)
    disk = home.file("other.raw", BOOTABLE)
    commands = [["list"], ["show", "One"], ["check-host"], ["revisions", "One"], ["identify", disk], ["disk", "info", disk],
                ["disk", "check", disk], ["import", disk, "--report"], ["export", "One", "--estimate"], *failing]
    english = [home.run(*command, "--json") for command in commands]
    speak(home)
    for command, expected in zip(commands, english):
        got = home.run(*command, "--json")
        if command == ["import", disk, "--report"]:  # a new machine has a new address
            got, expected = (tuple(re.sub(r"(..:){5}..|\d{6,}", "", str(part)) for part in result)
                             for result in (got, expected))
        check(got == expected, f"{command}: {got} instead of {expected}")


main(test_every_mistake_is_translated, test_help_is_translated, test_reports_are_translated,
     test_json_is_the_same_in_every_language)
