#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dependency rule holds in the tree, and its check notices each kind of breach.

usage: test_dependencies.py CHECK TREE LIBDEVICES.A CC
"""
import os
import subprocess
import sys

from tree_check import main, run_check, test, write

CHECK, TREE, LIBRARY = sys.argv[1:4]
CC = sys.argv[4:]

GOOD = {
    "devices/include/device.h": "#include <stdint.h>\n",
    "devices/pci/pci.h": "",
    "devices/pci/pci.c": '#include "pci.h"\n#include "device.h"\n#include <string.h>\n',
    "devices/core/state.c": '#include "device.h"\n#include <stdio.h>\n',
    "engine/common/keys.h": "#include <stdint.h>\n#include <linux/landlock.h>\n",
    "engine/config/config.h": "#include <glib.h>\n",
    "engine/block/medium.c": '#include "config/config.h"\n#include "device.h"\n',
    "engine/machine.h": '#include "device.h"\n#include <linux/kvm.h>\n',
    "app/library.h": '#include "common/keys.h"\n#include "config/config.h"\n#include <gio/gio.h>\n',
    "ui/window.c": '#include "library.h"\n#include <gtk/gtk.h>\n',
}

# One file, put into the good tree, and what must be said about it.
BREACHES = [
    ("devices/pci/a.c", "#include <glib.h>\n", "devices/pci/a.c: includes <glib.h>"),
    ("devices/pci/a.c", "#  include <linux/kvm.h>\n", "<linux/kvm.h>"),
    ("devices/pci/a.c", "#include <pthread.h>\n", "<pthread.h>"),
    ("devices/pci/a.c", "#include <stdio.h>\n", "<stdio.h>"),
    ("devices/pci/a.c", '#include "machine.h"\n', 'includes "machine.h" of engine'),
    ("devices/video/a.c", '#include "pci/pci.h"\n', 'includes "pci/pci.h" of devices'),
    ("devices/pci/a.c", '#include "nowhere.h"\n', "not in the tree"),
    ("engine/common/a.c", "#include <glib.h>\n", "engine/common/a.c: includes <glib.h>"),
    ("engine/common/a.c", '#include "config/config.h"\n', 'includes "config/config.h" of engine/config'),
    ("ui/a.c", '#include "common/keys.h"\n', 'includes "common/keys.h" of engine/common'),
    ("engine/config/a.c", '#include "machine.h"\n', 'includes "machine.h" of engine'),
    ("engine/config/a.c", '#include "device.h"\n', 'includes "device.h" of devices/include'),
    ("engine/block/a.c", '#include "machine.h"\n', 'includes "machine.h" of engine'),
    ("engine/a.c", '#include "pci/pci.h"\n', 'includes "pci/pci.h" of devices'),
    ("engine/a.c", '#include "library.h"\n', 'includes "library.h" of app'),
    ("engine/a.c", "#include <gtk/gtk.h>\n", "<gtk/gtk.h>"),
    ("app/a.c", '#include "machine.h"\n', 'includes "machine.h" of engine'),
    ("app/a.c", '#include "device.h"\n', 'includes "device.h" of devices/include'),
    ("app/a.c", "#include <adwaita.h>\n", "<adwaita.h>"),
    ("ui/a.c", '#include "config/config.h"\n', 'includes "config/config.h" of engine/config'),
    ("ui/a.c", '#include "device.h"\n', 'includes "device.h" of devices/include'),
]


def check(*arguments):
    return run_check(CHECK, *arguments)


@test("the tree keeps the rule")
def _(_scratch):
    status, output = check(TREE, LIBRARY)
    assert status == 0 and output == "", output


@test("a good tree passes")
def _(scratch):
    write(scratch, GOOD)
    status, output = check(scratch)
    assert status == 0 and output == "", output


@test("each kind of forbidden include is named")
def _(scratch):
    for number, (path, text, expected) in enumerate(BREACHES):
        tree = os.path.join(scratch, str(number))
        write(tree, {**GOOD, path: text})
        status, output = check(tree)
        assert status == 1 and expected in output and output.count("\n") == 1, (path, text, output)


@test("a symbol outside the list is named")
def _(scratch):
    write(scratch, GOOD)
    source = os.path.join(scratch, "a.c")
    archive = os.path.join(scratch, "liba.a")
    write(scratch, {"a.c": "int getpid(void);\nint socket(int, int, int);\nint f(void);\n"
                           "int f(void) { return getpid() + socket(1, 2, 3); }\n"})  # fmt: skip
    subprocess.run([*CC, "-c", source, "-o", source + ".o"], check=True)
    subprocess.run(["ar", "rcs", archive, source + ".o"], check=True)
    status, output = check(scratch, archive)
    assert status == 1 and "getpid()" in output and "socket()" in output, output
    assert output.count("\n") == 2, output


@test("wrong usage is no success")
def _(_scratch):
    assert check()[0] == 2


main()
