#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and comments name files that are there, and the check notices each kind of name that leads nowhere.

usage: test_docs.py CHECK TREE
"""
import os
import sys

from tree_check import main, run_check, test, write

CHECK, TREE = sys.argv[1:]

GOOD = {
    "README.md": "`engine/cpu/` and `engine/main.c`, not `build/engine/main.o`, `/dev/kvm` or `orielctl check-host`.\n",
    "engine/README.md": "| CPUs | `cpu/vcpu.c`, `vcpu_*.c` | `tests/engine/`, `test_vcpu.c` |\n```\n`gone.c`\n```\n",
    "engine/main.c": "/* tests/engine/cpu/test_vcpu.c has more. */\n",
    "engine/cpu/vcpu.c": "",
    "engine/cpu/vcpu_exit.c": "",
    "tests/engine/cpu/test_vcpu.c": '#include "engine/main.h"\n',
}

# One file in place of the good tree's, and the name that must be told.
BREACHES = [
    ("README.md", "`engine/gone.c`\n", "README.md:1: engine/gone.c"),
    ("README.md", "\n`engine/gone/`\n", "README.md:2: engine/gone/"),
    ("README.md", "`app/gone`\n", "README.md:1: app/gone"),
    ("engine/README.md", "`vcpu_gone.c`\n", "engine/README.md:1: vcpu_gone.c"),
    ("engine/README.md", "`cpu/gone_*.c`\n", "engine/README.md:1: cpu/gone_*.c"),
    ("engine/README.md", "`test_gone.c`\n", "engine/README.md:1: test_gone.c"),
    ("engine/main.c", "/* tests/engine/test_gone.c */\n", "engine/main.c:1: tests/engine/test_gone.c"),
    ("tests/meson.build", "# engine/gone.c\n", "tests/meson.build:1: engine/gone.c"),
]


def check(*arguments):
    return run_check(CHECK, *arguments)


@test("what the tree's texts name is there")
def _(_scratch):
    status, output = check(TREE)
    assert status == 0 and output == "", output


@test("a good tree passes")
def _(scratch):
    write(scratch, GOOD)
    status, output = check(scratch)
    assert status == 0 and output == "", output


@test("each kind of name that leads nowhere is told")
def _(scratch):
    for number, (path, text, expected) in enumerate(BREACHES):
        tree = os.path.join(scratch, str(number))
        write(tree, {**GOOD, path: text})
        status, output = check(tree)
        assert status == 1 and output == expected + "\n", (path, text, output)


@test("wrong usage is no success")
def _(_scratch):
    assert check()[0] == 2


main()
