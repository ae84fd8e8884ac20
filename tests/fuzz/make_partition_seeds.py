#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seed inputs of fuzz_partitions: both ends of small disks that sfdisk has partitioned.

usage: make_partition_seeds.py FOLDER     they are kept in tests/fuzz/seeds/partitions
"""
import os
import subprocess
import sys
import tempfile

DISK = 1 << 20
SEEDS = {
    # name: what sfdisk is told, bytes of each end that are kept, where a file system's mark goes, a byte more
    "gpt": ("label: gpt\ntable-length: 8\nfirst-lba: 6\nstart=6,size=2\nstart=8,size=100", 6000, 8 * 512 + 1080, 0),
    "gpt-same-size": ("label: gpt\ntable-length: 8\nfirst-lba: 6\nstart=6,size=100", 5000, 6 * 512 + 1080, 1),
    "gpt-128": ("label: gpt\nfirst-lba: 34\nstart=34,size=100", 20000, 34 * 512 + 1080, 0),
    "mbr": ("label: dos\nstart=1,size=2\nstart=3,size=100", 4000, 3 * 512 + 1080, 0),
    "logical": ("label: dos\nstart=1,size=2\nstart=4,size=200,type=5\nstart=5,size=2\nstart=9,size=100", 7000,
                9 * 512 + 1080, 0),
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        disk = os.path.join(work, "disk")
        for name, (script, ends, mark, more) in SEEDS.items():
            with open(disk, "wb") as file:
                file.truncate(DISK)
            subprocess.run(["sfdisk", "-q", "--no-reread", disk], input=script, text=True, check=True)
            with open(disk, "rb") as file:
                data = bytearray(file.read())
            data[mark:mark + 2] = b"\x53\xef"
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data[:ends] + data[-ends - more:])


main(sys.argv[1])
