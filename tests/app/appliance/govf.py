#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OVA as libgovf reads it, the OVF library of GNOME Boxes.

usage: govf.py OVA FOLDER

Extracts the disks into FOLDER as 0.vmdk, 1.vmdk..., and prints what it says of them as JSON. Exit status 77: the
library is not installed.
"""
import ctypes
import glob
import json
import os
import sys


def library():
    """The library's own folder is not where others are looked for."""
    folders = glob.glob("/usr/lib/*/gnome-boxes/girepository-1.0")
    try:
        import gi
        gi.require_version("GIRepository", "2.0")
        from gi.repository import GIRepository
        GIRepository.Repository.prepend_search_path(folders[0])
        ctypes.CDLL(os.path.join(os.path.dirname(folders[0]), "libgovf-0.1.so"), ctypes.RTLD_GLOBAL)
        gi.require_version("Govf", "0.1")
        from gi.repository import GLib, Govf
    except (ImportError, IndexError, OSError, ValueError) as error:
        print(f"govf.py: {error}", file=sys.stderr)
        sys.exit(77)
    return GLib, Govf


def main():
    GLib, Govf = library()
    loop = GLib.MainLoop()
    results = []

    def wait(start, *arguments):
        start(*arguments, None, lambda source, result: (results.append(result), loop.quit()))
        loop.run()
        return results.pop()

    package = Govf.Package()
    package.load_from_ova_file_finish(wait(package.load_from_ova_file, sys.argv[1]))
    disks = package.get_disks()
    for number, disk in enumerate(disks):
        target = os.path.join(sys.argv[2], f"{number}.vmdk")
        package.extract_disk_finish(wait(package.extract_disk, disk, target))
    print(json.dumps([{"id": disk.get_disk_id(), "capacity": disk.get_capacity(), "format": disk.get_format(),
                       "file": disk.get_file_ref()} for disk in disks]))


main()
