# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers of virtio devices do."""

from device_seeds.operations import (
    RUN, SAVED, access_read, access_write, char, config_read, config_write, drive, in32, in8, key, le16, le32, le64,
    out16, out32, out8, pointer, ram, reset,
)

# Registers of a virtio function: region 0 is the MSI-X table, region 1 all the rest.
VIRTIO_RINGS = 0x10000  # 4 KiB a queue: table, available ring at 0x400, used ring at 0x800
VIRTIO_DATA = 0x20000
NEXT, WRITE_ONLY, INDIRECT = 1, 2, 4


def virtio_start(queues, features=0xFFFFFFFF, size=16):
    words = out32(1, 0x00, 0) + in32(1, 0x04) + out8(1, 0x14, 3)
    words += out32(1, 0x08, 0) + out32(1, 0x0C, features & 0x30000000) + out32(1, 0x08, 1) + out32(1, 0x0C, 1)
    words += out8(1, 0x14, 0x0B)
    for queue in range(queues):
        base = VIRTIO_RINGS + 0x1000 * queue
        words += out16(1, 0x16, queue) + out16(1, 0x18, size) + out16(1, 0x1A, queue)
        for offset, address in ((0x20, base), (0x28, base + 0x400), (0x30, base + 0x800)):
            words += out32(1, offset, address) + out32(1, offset + 4, 0)
        words += out16(1, 0x1C, 1)
    return words + out8(1, 0x14, 0x0F)


def virtio_chain(queue, number, *segments, flags=0):
    """The chain's descriptors from `number` on, its head in the ring, the doorbell."""
    base, content = VIRTIO_RINGS + 0x1000 * queue, b""
    for i, (gpa, length, kind) in enumerate(segments):
        more = NEXT if i + 1 < len(segments) else 0
        content += le64(gpa) + le32(length) + le16(kind | more | flags) + le16(number + i + 1)
    return (
        ram(base + 16 * number, content) + ram(base + 0x404, le16(number)) + ram(base + 0x402, le16(1))
        + access_write(1, 0x3000 + 4 * queue, 2, queue) + RUN
    )  # fmt: skip


def virtio_blk():
    def request(kind, sector, data, content=b""):
        return (
            virtio_start(1) + ram(VIRTIO_DATA, le32(kind) + le32(0) + le64(sector) + content)
            + virtio_chain(0, 0, (VIRTIO_DATA, 16, 0), data, (VIRTIO_DATA + 0x800, 1, WRITE_ONLY)) + in8(1, 0x1000)
        )  # fmt: skip

    page = VIRTIO_DATA + 0x1000
    yield "read", request(0, 8, (page, 4096, WRITE_ONLY)) + SAVED
    yield "write", request(1, 8, (page, 4096, 0))
    yield "flush", request(4, 0, (page, 0, 0)) + drive(0, 2) + request(4, 0, (page, 0, 0))
    yield "id", request(8, 0, (page, 20, WRITE_ONLY))
    yield "discard", request(11, 0, (VIRTIO_DATA + 16, 16, 0), le64(8) + le32(8) + le32(0))
    yield "zeroes", request(13, 0, (VIRTIO_DATA + 16, 16, 0), le64(8) + le32(8) + le32(1))
    yield "held", drive(0, 0) + request(0, 0, (page, 512, WRITE_ONLY)) + out8(1, 0x14, 0) + drive(0, 1) + RUN
    yield "grows", virtio_start(1) + drive(0, 6) + in8(1, 0x15) + in32(1, 0x14)


def virtio_rng():
    fill = virtio_chain(0, 0, (VIRTIO_DATA, 64, WRITE_ONLY), (VIRTIO_DATA + 100, 5, WRITE_ONLY))
    table = ram(VIRTIO_DATA + 0x1000, le64(VIRTIO_DATA) + le32(8) + le16(WRITE_ONLY) + le16(0))
    indirect = virtio_chain(0, 0, (VIRTIO_DATA + 0x1000, 16, 0), flags=INDIRECT)
    yield "fill", virtio_start(1) + fill + SAVED + reset()
    yield "indirect", virtio_start(1) + table + indirect
    yield "loop", virtio_start(1) + virtio_chain(0, 0, (VIRTIO_DATA, 4, WRITE_ONLY | NEXT))
    yield "messages", (
        access_write(0, 0, 4, 0xFEE00000) + access_write(0, 8, 4, 0x41) + access_write(0, 12, 4, 0)
        + config_write(0x4A, 2, 0x8000) + virtio_start(1) + fill
    )  # fmt: skip
    yield "window", config_write(0x8C, 1, 4) + config_write(0x90, 4, 0x14) + config_write(0x94, 4, 1) + config_read(0x98, 1)


def virtio_console():
    yield "transmit", virtio_start(2) + ram(VIRTIO_DATA, b"hello") + virtio_chain(1, 0, (VIRTIO_DATA, 5, 0))
    yield "receive", virtio_start(2) + virtio_chain(0, 0, (VIRTIO_DATA, 64, WRITE_ONLY)) + char(b"abc") + RUN + SAVED


def virtio_net():
    header = bytes(12)
    frame = b"\xff" * 6 + b"\x02" + bytes(5) + b"\x08\x06" + bytes(46)
    send = ram(VIRTIO_DATA, header + frame) + virtio_chain(1, 0, (VIRTIO_DATA, 12, 0), (VIRTIO_DATA + 12, 60, 0))
    promiscuous = ram(VIRTIO_DATA + 0x400, bytes([0, 0, 1])) + virtio_chain(
        2, 0, (VIRTIO_DATA + 0x400, 3, 0), (VIRTIO_DATA + 0x480, 1, WRITE_ONLY)
    )
    yield "send", virtio_start(3) + send + SAVED
    yield "receive", virtio_start(3) + virtio_chain(0, 0, (VIRTIO_DATA, 2048, WRITE_ONLY)) + SAVED + reset()
    yield "control", virtio_start(3) + promiscuous + access_read(1, 0x2006, 2)


def virtio_input():
    buffers = virtio_chain(0, 0, (VIRTIO_DATA, 8, WRITE_ONLY))
    lamp = ram(VIRTIO_DATA + 64, le16(0x11) + le16(1) + le32(1)) + virtio_chain(1, 0, (VIRTIO_DATA + 64, 8, 0))
    select = access_write(1, 0x2000, 1, 0x11) + access_write(1, 0x2001, 1, 1) + access_read(1, 0x2008, 4)
    yield "events", virtio_start(2) + select + buffers + key(30) + pointer(5, 6, 1, 1) + SAVED + lamp


def virtio_balloon():
    yield "inflate", (
        virtio_start(4) + ram(VIRTIO_DATA, le32(0x30) + le32(0x31) + le32(0x40))
        + virtio_chain(0, 0, (VIRTIO_DATA, 12, 0)) + virtio_chain(1, 0, (VIRTIO_DATA, 12, 0))
    )  # fmt: skip
    yield "report", virtio_start(4) + virtio_chain(3, 0, (0x30000, 0x2000, WRITE_ONLY))
    yield "statistics", (
        virtio_start(4) + ram(VIRTIO_DATA, le16(4) + le64(1) + le16(5) + le64(2))
        + virtio_chain(2, 0, (VIRTIO_DATA, 20, 0)) + SAVED
    )  # fmt: skip


def gpu_command(kind, body):
    return le32(kind) + bytes(20) + body


def virtio_gpu():
    size = le32(16) + le32(8)
    create = ram(VIRTIO_DATA, gpu_command(0x101, le32(1) + le32(2) + size))
    show = ram(VIRTIO_DATA + 64, gpu_command(0x103, le64(0) + size + le32(0) + le32(1)))
    answer = (VIRTIO_DATA + 256, 24, WRITE_ONLY)
    yield "show", (
        virtio_start(2) + create + virtio_chain(0, 0, (VIRTIO_DATA, 40, 0), answer)
        + show + virtio_chain(0, 1, (VIRTIO_DATA + 64, 48, 0), answer) + SAVED
    )  # fmt: skip


def virtio_driver():
    """Inputs of fuzz_virtio.c: device, features, operations. Devices are in the registry's order."""

    def descriptor(queue, index, page, length, flags, after, operation=0):
        return bytes([operation, queue, index, page, length, flags, after])

    def send(queue, head):
        return bytes([5, queue, head, 8, queue])

    balloon, blk, console, gpu, keyboard, mouse, net, rng, tablet = range(9)
    header = bytes([9, 0, 0, 16]) + le32(0) + le32(0) + le64(1)
    read = (
        descriptor(0, 0, 0, 16, NEXT, 1) + descriptor(0, 1, 4, 0x82, NEXT | WRITE_ONLY, 2)
        + descriptor(0, 2, 8, 1, WRITE_ONLY, 0) + send(0, 0)
    )  # fmt: skip
    yield "blk-read", bytes([blk, 0]) + header + read
    yield "blk-held", bytes([blk, 0, 10, 1, 0, 0]) + header + read + bytes([12, 10, 2, 0, 0, 8, 0])
    yield "blk-saved", bytes([blk, 1]) + header + read + bytes([11]) + read
    yield "rng-indirect", (
        bytes([rng, 0]) + descriptor(0, 0, 0, 64, WRITE_ONLY, 0, 3) + bytes([4, 0, 0, 1, 0]) + send(0, 0)
    )  # fmt: skip
    yield "console", bytes([console, 0]) + descriptor(1, 0, 0, 20, 0, 0) + send(1, 0) + bytes([10, 0, 9, 0])
    yield "console-control", (
        bytes([console, 0, 9, 0, 0, 8]) + le32(0) + le16(0) + le16(1)
        + descriptor(3, 0, 0, 8, 0, 0) + send(3, 0) + descriptor(2, 0, 4, 64, WRITE_ONLY, 0) + send(2, 0)
    )  # fmt: skip
    for name, device in (("keyboard", keyboard), ("mouse", mouse), ("tablet", tablet)):
        yield name, bytes([device, 0, 10, 1, 30, 0]) + descriptor(0, 0, 0, 8, WRITE_ONLY, 0) + send(0, 0)
    size = le32(32) + le32(32)
    create = gpu_command(0x101, le32(1) + le32(1) + size)
    attach = gpu_command(0x106, le32(1) + le32(1) + le64(0x90000) + le32(0x4000) + le32(0))
    transfer = gpu_command(0x105, le64(0) + size + le64(0) + le32(1) + le32(0))
    show = gpu_command(0x103, le64(0) + size + le32(0) + le32(1))
    flush = gpu_command(0x104, le64(0) + size + le32(1) + le32(0))

    def gpu_send(content):
        data = b"".join(
            bytes([9]) + le16(at // 16) + bytes([len(content[at : at + 48])]) + content[at : at + 48]
            for at in range(0, len(content), 48)
        )  # fmt: skip
        return (
            data + descriptor(0, 0, 0, len(content), NEXT, 1)
            + descriptor(0, 1, 4, 0x83, WRITE_ONLY, 0) + bytes([5, 0, 0, 8, 0])
        )  # fmt: skip

    picture = gpu_send(create) + gpu_send(attach) + gpu_send(transfer) + gpu_send(show) + gpu_send(flush)
    yield "gpu-picture", bytes([gpu, 0]) + picture
    yield "gpu-saved", bytes([gpu, 0]) + picture + bytes([10, 0, 0, 9, 11]) + gpu_send(transfer) + bytes([11])
    frame = bytes([9, 0, 0, 32]) + bytes(12) + b"\xff" * 6 + bytes(6) + b"\x08\x00" + bytes(6)
    yield "net-send", bytes([net, 0]) + frame + descriptor(1, 0, 0, 0x81, 0, 0) + send(1, 0) + bytes([11])
    yield "net-stuck", (
        bytes([net, 0, 10, 6, 0, 0]) + frame + descriptor(1, 0, 0, 0x81, 0, 0) + send(1, 0) + bytes([10, 14, 0, 0])
    )  # fmt: skip
    large = bytes([9, 0, 0, 32, 1, 1, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0]) + bytes(20)
    yield "net-large", bytes([net, 0]) + large + descriptor(1, 0, 0, 0x90, 0, 0) + send(1, 0)
    yield "net-receive", (
        bytes([net, 0]) + descriptor(0, 0, 0, 100, WRITE_ONLY, 0) + descriptor(0, 1, 4, 0x84, WRITE_ONLY, 0)
        + send(0, 0) + send(0, 1) + bytes([10, 0, 0, 1]) + b"\xff" * 200
    )  # fmt: skip
    yield "net-control", (
        bytes([net, 0, 9, 0, 0, 16, 1, 0]) + le32(1) + b"\x02" + bytes(5) + le32(0)
        + descriptor(2, 0, 0, 16, NEXT, 1) + descriptor(2, 1, 4, 1, WRITE_ONLY, 0) + send(2, 0) + bytes([11])
    )  # fmt: skip
    yield "net-link", bytes([net, 0, 10, 7, 0, 0, 10, 15, 0, 0]) + frame
    yield "balloon", bytes([balloon, 0]) + descriptor(0, 0, 0, 64, 0, 0) + send(0, 0) + send(2, 0) + bytes([11])
