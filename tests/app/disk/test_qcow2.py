#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""orielctl disk on qcow2: every shape that qemu-img makes is read bit by bit, and what is inside an image stays whole."""

import json
import os

from disk_bench import MIB, Bench
from oriel import check, main


def test_qcow2_of_every_shape_is_read(home):
    bench = Bench(home)
    shapes = [("compat=0.10",), ("compat=1.1",)]
    shapes += [(f"compat=1.1,cluster_size={size}",) for size in (512, 4096, 65536, 262144, 2 * MIB)]
    shapes += [(f"refcount_bits={bits}",) for bits in (1, 2, 4, 8, 32, 64)]
    shapes += [("cluster_size=512,refcount_bits=64",), ("lazy_refcounts=on",), ("preallocation=metadata",)]
    shapes += [("compression_type=zlib", "-c"), ("compression_type=zstd", "-c"), ("compat=0.10", "-c"),
               ("cluster_size=512", "-c"), ("cluster_size=2M,compression_type=zstd", "-c"),
               ("extended_l2=on,cluster_size=128k",), ("extended_l2=on,cluster_size=128k", "-c")]
    for shape in shapes:
        image = bench.make("theirs.qcow2", "qcow2", "-o", shape[0], *shape[1:])
        bench.same(image, what=repr(shape))
        if "preallocation" not in shape[0]:
            out = home.json("disk", "check", image)
            check(out["clean"] and not out["flags"], f"{shape}: {out}")
        os.unlink(image)


def test_subclusters_are_read(home):
    bench = Bench(home)
    image = bench.path("sub.qcow2")
    bench.qemu("create", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=128k", "-b", "base.raw", "-F", "raw", image)
    bench.io(image, "write -P 7 4k 4k", "write -P 8 1M 20k", "write -z 1100k 8k", "write -z 3M 12k", "discard 4M 128k",
             "write -P 9 40M 512")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
    bench.same(image, "--chain", expected=bench.path("expected.raw"))


def test_overlays_are_read(home):
    bench = Bench(home)
    previous, form = "base.raw", "raw"
    for n in range(4):
        name = f"over{n}.qcow2"
        bench.qemu("create", "-f", "qcow2", "-b", previous, "-F", form, name)
        bench.io(bench.path(name), f"write -P {n + 1} {n}M 700k", f"write -z {20 + n}M 100k", f"discard {40 + n}M 128k",
                 f"write -P {n + 9} {n + 2}k 3k")
        previous, form = name, "qcow2"
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", previous, "expected.raw")
    bench.same(bench.path(previous), "--chain", expected=bench.path("expected.raw"))
    home.fails(10, "disk", "convert", bench.path(previous), bench.path("x.raw"), words=["difference", "over2.qcow2"])
    larger = bench.path("larger.qcow2")
    bench.qemu("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", larger, "100M")
    bench.io(larger, "write -P 5 90M 1M")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", larger, "expected.raw")
    bench.same(larger, "--chain", expected=bench.path("expected.raw"))


def test_snapshots_inside_are_read(home):
    bench = Bench(home)
    image = bench.make("snap.qcow2", "qcow2")
    bench.qemu("snapshot", "-c", "first", image)
    bench.io(image, "write -P 1 0 5M", "write -z 20M 1M")
    bench.qemu("snapshot", "-c", "second", image)
    bench.io(image, "write -P 2 2M 5M", "discard 20M 2M")
    info = home.json("disk", "info", image)
    check([s["name"] for s in info["snapshots"]] == ["first", "second"], repr(info))
    bench.same(image, "--snapshot", "first")
    bench.qemu("convert", "-f", "qcow2", "-l", "snapshot.name=second", "-O", "raw", image, "second.raw")
    bench.same(image, "--snapshot", "second", expected=bench.path("second.raw"))
    home.fails(11, "disk", "convert", image, bench.path("x.raw"), "--snapshot", "third", words=["third"])
    check(home.json("disk", "check", image)["clean"], "check")
    home.fails(10, "disk", "compact", image, words=["snapshots"])
    home.fails(10, "disk", "resize", image, "10M", "--shrink", words=["snapshots"])


def test_snapshots_inside_are_deleted(home):
    bench = Bench(home)
    for option in ("cluster_size=64k", "cluster_size=512", "compat=0.10"):
        image = bench.make("snap.qcow2", "qcow2", "-o", option)
        bench.qemu("snapshot", "-c", "first", image)
        bench.io(image, "write -P 1 0 5M", "discard 20M 1M")
        bench.qemu("snapshot", "-c", "second", image)
        bench.io(image, "write -P 2 2M 5M", "discard 20M 2M")
        bench.qemu("snapshot", "-c", "third", image)
        bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
        home.ok("disk", "delete-snapshot", image, "second")
        bench.checked(image)
        bench.same(image, expected=bench.path("expected.raw"))
        bench.same(image, "--snapshot", "first")
        bench.same(image, "--snapshot", "third", expected=bench.path("expected.raw"))
        home.fails(11, "disk", "delete-snapshot", image, "second", words=["second"])
        for name in ("third", "first"):
            home.ok("disk", "delete-snapshot", image, name)
            bench.checked(image)
        check(home.json("disk", "info", image)["snapshots"] == [], "list")
        check(home.json("disk", "check", image)["flags"] == 0, "flags")
        bench.same(image, expected=bench.path("expected.raw"))
        home.ok("disk", "compact", image)
        bench.same(image, expected=bench.path("expected.raw"))
        os.unlink(image)
    home.fails(10, "disk", "delete-snapshot", bench.base, "x", words=["no snapshots"])


def test_bitmaps_stay(home):
    bench = Bench(home)
    image = bench.make("bitmap.qcow2", "qcow2")
    bench.qemu("bitmap", "--add", image, "one")
    bench.io(image, "write -P 3 1M 1M")
    bench.qemu("convert", "-f", "qcow2", "-O", "raw", image, "expected.raw")
    bench.same(image, expected=bench.path("expected.raw"))
    check(home.json("disk", "check", image)["clean"], "check")
    home.ok("disk", "resize", image, "+10M")
    out = json.loads(bench.qemu("check", "-f", "qcow2", "--output=json", image, codes=(3,)))
    check(not out.get("corruptions"), repr(out))  # its bitmap is out of date now, and counts as unused
    bench.qemu("compare", "-f", "raw", "-F", "qcow2", "expected.raw", image)


main(test_qcow2_of_every_shape_is_read, test_subclusters_are_read, test_overlays_are_read,
     test_snapshots_inside_are_read, test_snapshots_inside_are_deleted, test_bitmaps_stay)
