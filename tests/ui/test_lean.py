#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""test_lean.py ORIEL BARE: the window's program starts with the libraries of any program of libadwaita (BARE, which does
nothing else) and a few small ones. What is large is in modules, or in other programs."""
import re
import subprocess
import sys

MAY = re.compile(r"lib(json-glib-1\.0|xml2|icu\w+|uring)\.so\.\d+")


def libraries(program):
    lines = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[0] for line in lines if line.strip()}


def main():
    more = [name for name in libraries(sys.argv[1]) - libraries(sys.argv[2]) if not MAY.fullmatch(name)]
    print("1..1")
    print("not ok 1 - also loads " + ", ".join(sorted(more)) if more else "ok 1 - libraries at start")
    return 1 if more else 0


sys.exit(main())
