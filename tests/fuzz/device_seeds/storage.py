# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers of AHCI and NVMe controllers do."""

from device_seeds.operations import (
    RUN, SAVED, access_write, drive, in32, le16, le32, le64, out32, ram, reset,
)

CLB, FB, TABLE, DATA = 0x10000, 0x11000, 0x12000, 0x20000
READ_DMA_EXT, WRITE_DMA_EXT, IDENTIFY, IDENTIFY_PACKET = 0x25, 0x35, 0xEC, 0xA1
READ_PIO, FLUSH_EXT, PACKET, NCQ_READ, NCQ_WRITE, TRIM = 0x20, 0xEA, 0xA0, 0x60, 0x61, 0x06
SET_FEATURES, SMART, READ_LOG = 0xEF, 0xB0, 0x2F


def ahci_port(port, register, value):
    return out32(0, 0x100 + 0x80 * port + register, value)


def ahci_start(port):
    return (
        out32(0, 4, 0x80000002) + ahci_port(port, 0, CLB) + ahci_port(port, 8, FB)
        + ahci_port(port, 0x30, 0xFFFFFFFF) + ahci_port(port, 0x10, 0xFFFFFFFF)
        + ahci_port(port, 0x14, 0x7DC000FF) + ahci_port(port, 0x18, 0x17)
    )  # fmt: skip


def ahci_command(port, slot, command, lba=0, count=1, lengths=(4096,), write=False, cdb=b"", features=0, ncq=False):
    """One command: header, FIS, packet and scatter list into RAM, then the issue."""
    sectors, feature = (slot << 3, count) if ncq else (count, features)
    fis = bytes([0x27, 0x80, command, feature & 0xFF]) + le32(lba)[:3] + bytes([0x40])
    fis += le64(lba)[3:6] + bytes([feature >> 8]) + le16(sectors) + bytes(6)
    table = TABLE + 0x400 * slot
    prdt, at = b"", DATA + 0x10000 * slot
    for length in lengths:
        prdt += le64(at) + le32(0) + le32(length - 1)
        at += length
    flags = 5 | (0x20 if cdb else 0) | (0x40 if write else 0)
    return (
        ram(CLB + 32 * slot, le16(flags) + le16(len(lengths)) + le32(0) + le64(table))
        + ram(table, fis) + (ram(table + 0x40, cdb.ljust(16, b"\0")) if cdb else b"") + ram(table + 0x80, prdt)
        + (ahci_port(port, 0x34, 1 << slot) if ncq else b"") + ahci_port(port, 0x38, 1 << slot)
    )  # fmt: skip


def ahci_sweep(port, first, at, cdb=b""):
    """32 commands (or packets) that differ in one byte at `at` of the command table."""
    content = ahci_start(port) + ahci_command(port, 0, PACKET if cdb else FLUSH_EXT, 1, 1, (512,), cdb=cdb) + RUN
    for code in range(first, first + 32):
        content += ahci_port(port, 0x18, 0x10) + ahci_port(port, 0x30, 0xFFFFFFFF) + ahci_port(port, 0x18, 0x11)
        content += ram(TABLE + at, bytes([code])) + ahci_port(port, 0x38, 1) + RUN
    return content


def ahci():
    for first in range(0, 256, 32):
        yield f"sweep-{first:02x}", ahci_sweep(0, first, 2)
        yield f"sweep-packet-{first:02x}", ahci_sweep(1, first, 0x40, b"\0\0\0\0\1\0\1\1\1")
    disk, optical = ahci_start(0), ahci_start(1)
    yield "identify", disk + ahci_command(0, 0, IDENTIFY, lengths=(512,)) + RUN + in32(0, 0x138) + SAVED
    yield "dma", (
        disk + ahci_command(0, 0, WRITE_DMA_EXT, 8, 8, (1024, 3072), True) + RUN
        + ahci_command(0, 1, READ_DMA_EXT, 8, 8, (4096,)) + RUN + ahci_command(0, 2, FLUSH_EXT, lengths=())
        + RUN + ahci_port(0, 0x10, 0xFFFFFFFF) + out32(0, 8, 1) + SAVED
    )  # fmt: skip
    yield "pio", disk + ahci_command(0, 0, READ_PIO, 1, 2, (1024,)) + RUN + ahci_command(0, 0, 0x30, 1, 1, (512,), True) + RUN
    yield "ncq", (
        disk + drive(0, 0) + ahci_command(0, 3, NCQ_WRITE, 16, 8, (4096,), True, ncq=True)
        + ahci_command(0, 5, NCQ_READ, 16, 8, (2048, 2048), ncq=True) + drive(0, 1) + RUN + SAVED
    )  # fmt: skip
    yield "trim", disk + ram(DATA, le64(8 << 48 | 16)) + ahci_command(0, 0, TRIM, 0, 1, (512,), True, features=1) + RUN
    yield "log", disk + ahci_command(0, 0, READ_LOG, 0x10, 1, (512,)) + RUN + ahci_command(0, 0, SMART, 0xC24F00, features=0xD0, lengths=(512,)) + RUN
    yield "features", disk + ahci_command(0, 0, SET_FEATURES, count=0x46, features=3, lengths=()) + RUN
    yield "error", disk + drive(0, 2) + ahci_command(0, 0, READ_DMA_EXT, 0, 8) + RUN + ahci_port(0, 0x18, 0) + disk
    yield "beyond", disk + ahci_command(0, 0, READ_DMA_EXT, 0xFFFFFF, 8) + RUN + ahci_command(0, 0, READ_DMA_EXT, 0, 0, (512,)) + RUN
    yield "held-reset", disk + drive(0, 0) + ahci_command(0, 0, READ_DMA_EXT, 0, 8) + ahci_port(0, 0x2C, 1) + ahci_port(0, 0x2C, 0) + disk + ahci_command(0, 1, READ_DMA_EXT, 0, 8) + reset() + drive(0, 1) + RUN
    yield "packet-identify", optical + ahci_command(1, 0, IDENTIFY_PACKET, lengths=(512,)) + RUN
    for name, cdb in (
        ("inquiry", b"\x12\0\0\0\x24"),
        ("ready", b"\0"),
        ("sense", b"\x03\0\0\0\x12"),
        ("capacity", b"\x25"),
        ("read", b"\x28\0\0\0\0\0\0\0\x02"),
        ("read-12", b"\xa8\0\0\0\0\x01\0\0\0\x01"),
        ("toc", b"\x43\x02\0\0\0\0\0\0\x20"),
        ("mode-sense", b"\x5a\0\x3f\0\0\0\0\0\xff"),
        ("configuration", b"\x46\0\0\0\0\0\0\0\xff"),
        ("event", b"\x4a\x01\0\0\x10\0\0\0\x08"),
        ("eject", b"\x1b\0\0\0\x02"),
        ("lock", b"\x1e\0\0\0\x01"),
        ("disc", b"\x51\0\0\0\0\0\0\0\x22"),
        ("structure", b"\xad\0\0\0\0\0\0\0\x08\x04"),
    ):
        yield "packet-" + name, (
            optical + ahci_command(1, 0, PACKET, cdb=cdb, features=1) + RUN + drive(1, 4)
            + ahci_command(1, 1, PACKET, cdb=cdb) + RUN + drive(1, 6) + ahci_command(1, 0, PACKET, cdb=cdb) + RUN
        )  # fmt: skip


NVME_SQ, NVME_CQ, NVME_DATA, NVME_CC = 0x10000, 0x12000, 0x20000, 0x00460001


def nvme_entry(opcode, nsid=0, prp1=NVME_DATA, prp2=0, dwords=(0, 0, 0), cid=1):
    body = bytes([opcode, 0]) + le16(cid) + le32(nsid) + bytes(16) + le64(prp1) + le64(prp2)
    return body + b"".join(le32(dword) for dword in dwords) + bytes(12)


def nvme_queue(number, at, entries):
    """Entries from the beginning of a fresh queue, then its doorbell."""
    return ram(at, b"".join(entries)) + access_write(0, 0x1000 + number * 8, 4, len(entries)) + RUN


def nvme_start():
    enable = [(0x24, 0x001F001F), (0x28, NVME_SQ), (0x30, NVME_CQ), (0x14, NVME_CC)]
    return b"".join(out32(0, at, value) for at, value in enable)


def nvme():
    queues = [
        nvme_entry(5, prp1=0x16000, dwords=(0x1F0001, 3, 0)), nvme_entry(1, prp1=0x14000, dwords=(0x1F0001, 0x10001, 0)),
    ]  # fmt: skip
    identify = [nvme_entry(6, nsid, dwords=(cns, 0, 0)) for nsid, cns in ((0, 1), (1, 0), (0, 2), (1, 3))]
    logs = [nvme_entry(2, dwords=(0x007F0000 | page, 0, 0)) for page in (1, 2, 3, 4)]
    features = [nvme_entry(op, dwords=(f, 1, 0)) for f in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11) for op in (9, 10)]
    start = nvme_start() + nvme_queue(0, NVME_SQ, queues)
    read, write = (nvme_entry(op, 1, NVME_DATA, 0x21000, (8, 0, 15)) for op in (2, 1))
    listed = ram(0x22000, b"".join(le64(0x23000 + 0x1000 * i) for i in range(8)))
    trim = ram(NVME_DATA, le32(0) + le32(8) + le64(16)) + nvme_queue(1, 0x14000, [nvme_entry(9, 1, dwords=(0, 4, 0))])
    yield "identify", nvme_start() + nvme_queue(0, NVME_SQ, identify) + SAVED
    yield "logs", nvme_start() + nvme_queue(0, NVME_SQ, logs)
    yield "features", nvme_start() + nvme_queue(0, NVME_SQ, features) + SAVED
    yield "events", nvme_start() + nvme_queue(0, NVME_SQ, [nvme_entry(12)] * 5) + access_write(0, 0x1100, 4, 1) + SAVED
    yield "read-write", start + nvme_queue(1, 0x14000, [write, read, nvme_entry(0, 1), nvme_entry(5, 1)]) + SAVED
    yield "list", start + listed + nvme_queue(1, 0x14000, [nvme_entry(2, 1, NVME_DATA, 0x22000, (0, 0, 63))])
    yield "zeroes", start + nvme_queue(1, 0x14000, [nvme_entry(8, 1, dwords=(8, 0, 7))])
    yield "trim", start + trim
    yield "held", start + drive(0, 0) + nvme_queue(1, 0x14000, [read]) + SAVED + out32(0, 0x14, 0) + drive(0, 1) + RUN
    yield "shutdown", start + drive(0, 0) + out32(0, 0x14, NVME_CC | 0x4000) + SAVED + drive(0, 1) + RUN + in32(0, 0x1C)
    delete = ram(NVME_SQ + 128, nvme_entry(0, dwords=(1, 0, 0)) + nvme_entry(4, dwords=(1, 0, 0)))
    yield "delete", (
        start + drive(0, 0) + nvme_queue(1, 0x14000, [read]) + delete + access_write(0, 0x1000, 4, 4) + RUN + SAVED
        + drive(0, 1) + RUN + reset()
    )  # fmt: skip
    yield "grows", start + drive(0, 6) + nvme_queue(1, 0x14000, [read])

    def shadow(page, events, tail):
        config = ram(NVME_SQ + 128, nvme_entry(0x7C, prp1=page, prp2=events)) + access_write(0, 0x1000, 4, 3) + RUN
        return start + config + ram(0x14000, read + write) + ram(page + 8, le32(tail)) + access_write(0, 0x1008, 4, 1) + RUN

    yield "shadow", shadow(0x18000, 0x19000, 2) + SAVED + ram(0x18000 + 12, le32(2)) + access_write(0, 0x100C, 4, 2)
    yield "shadow-overlap", shadow(0x14000, 0x16000, 1) + SAVED
    yield "shadow-values", shadow(0x18000, 0x18000, 0x12345) + ram(0x18000 + 12, b"\xff" * 8) + reset()
