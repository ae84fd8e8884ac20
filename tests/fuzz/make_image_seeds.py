#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seed inputs of fuzz_image: small images of every format, made by qemu-img and cut into the pieces that
hold something.

usage: make_image_seeds.py FOLDER     writes FOLDER/<format>/<name>; they are kept in tests/fuzz/seeds
"""
import os
import struct
import subprocess
import sys
import tempfile

PIECE = 1024
IMAGES = [
    ("qcow2", "small", "512", ["-o", "cluster_size=512"], []),
    ("qcow2", "version-2", "64k", ["-o", "compat=0.10,cluster_size=4k"], []),
    ("qcow2", "narrow", "64k", ["-o", "cluster_size=512,refcount_bits=1"], []),
    ("qcow2", "deflate", "64k", ["-c", "-o", "cluster_size=4k"], []),
    ("qcow2", "zstd", "64k", ["-c", "-o", "cluster_size=4k,compression_type=zstd"], []),
    ("qcow2", "subclusters", "256k", ["-o", "cluster_size=16k,extended_l2=on"], []),
    ("qcow2", "snapshot", "64k", ["-o", "cluster_size=4k"], ["snapshot", "-c", "one"]),
    ("qcow2", "bitmap", "64k", ["-o", "cluster_size=4k"], ["bitmap", "--add", "FILE", "one"]),
    ("qcow2", "default", "1M", [], []),
    ("vmdk", "sparse", "256k", ["-o", "subformat=monolithicSparse"], []),
    ("vmdk", "stream", "256k", ["-o", "subformat=streamOptimized"], []),
    ("vmdk", "flat", "256k", ["-o", "subformat=monolithicFlat"], []),
    ("vmdk", "split", "256k", ["-o", "subformat=twoGbMaxExtentSparse"], []),
    ("vdi", "dynamic", "1M", [], []),
    ("vdi", "static", "64k", ["-o", "static=on"], []),
    ("vhd", "dynamic", "1M", ["-o", "subformat=dynamic"], []),
    ("vhd", "fixed", "64k", ["-o", "subformat=fixed"], []),
    ("vhdx", "dynamic", "1M", ["-o", "block_size=1M"], []),
]


def pieces(data):
    """The parts of the file that are not zero, as fuzz_image.c reads them; the end is always there."""
    out, at = b"", 0
    while at < len(data):
        end = at
        while end < len(data) and end - at < 32 * PIECE and any(data[end : end + PIECE]):
            end += PIECE
        if end > at:
            part = data[at:end]
            out += struct.pack("<IH", at // 1024, len(part)) + part
        at = max(end, at + PIECE)
    if data and not any(data[-PIECE:]):
        start = (len(data) - 1) // 1024 * 1024
        out += struct.pack("<IH", start // 1024, len(data) - start) + data[start:]
    return out


def main(folder):
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "source")
        for form, name, size, options, more in IMAGES:
            subprocess.run(["truncate", "-s", size, source], check=True)
            with open(source, "r+b") as file:
                file.write(b"The quick brown fox jumps over the lazy dog. " * 20)
            target = os.path.join(work, "disk")
            theirs = {"vhd": "vpc"}.get(form, form)
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", theirs, *options, source, target], check=True)
            if more:
                subprocess.run(["qemu-img", *[target if m == "FILE" else m for m in more],
                                *([] if "FILE" in more else [target])], check=True)
            os.makedirs(os.path.join(folder, form), exist_ok=True)
            with open(target, "rb") as file, open(os.path.join(folder, form, name), "wb") as out:
                out.write(pieces(file.read()))


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
