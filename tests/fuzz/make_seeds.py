#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seed inputs of the fuzzers of devices: what a driver of each does, in the fuzzer's operations.

usage: make_seeds.py FOLDER     writes FOLDER/<class>/<name>; they are kept in tests/fuzz/seeds
"""
import os
import sys

from device_seeds import board, network, storage, virtio

SEEDS = {
    "ahci": storage.ahci,
    "cmos-rtc": board.rtc,
    "debug-port": board.debug_port,
    "e1000e": network.e1000e,
    "e1000e_rings": network.e1000e_rings,
    "flash": board.flash,
    "fw-cfg": board.fw_cfg,
    "hpet": board.hpet,
    "i8042": board.i8042,
    "ich9-lpc": board.lpc,
    "ich9-smbus": board.smbus,
    "net": network.net,
    "nvme": storage.nvme,
    "pcie-root-port": board.root_port,
    "q35-host": board.host_bridge,
    "stdvga": board.vga,
    "uart16550": board.uart,
    "virtio": virtio.virtio_driver,
    "virtio-balloon": virtio.virtio_balloon,
    "virtio-blk": virtio.virtio_blk,
    "virtio-console": virtio.virtio_console,
    "virtio-gpu": virtio.virtio_gpu,
    "virtio-keyboard": virtio.virtio_input,
    "virtio-mouse": virtio.virtio_input,
    "virtio-net": virtio.virtio_net,
    "virtio-rng": virtio.virtio_rng,
    "virtio-tablet": virtio.virtio_input,
    "vmgenid": board.vmgenid,
}


def main(folder):
    for name, generate in SEEDS.items():
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        for seed, content in generate():
            with open(os.path.join(folder, name, seed), "wb") as file:
                file.write(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
