/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every virtio device behind a driver that negotiates and makes its queues as it should, and then
 * does what the input says: descriptors, heads, indirect tables, doorbells, configuration, resets,
 * events from outside. So the fuzzer gets to rings and requests without having to find the way.
 *
 * The input: a byte that chooses the device, one that chooses features, then operations.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "display.h"
#include "fake_private.h"
#include "input.h"
#include "rig.h"
#include "virtio/virtio_driver.h"

enum {
    OPERATIONS_MAX = 1000,
    SAVES_MAX = 2, /* they cost as much as hundreds of others */
    TABLE = DRIVER_DATA + 0x20000,
    MEDIUM = 1 << 20,
};

struct fuzz {
    struct fake *fake;
    struct device *device;
    struct driver driver;
    uint8_t *medium;
    const uint8_t *at;
    size_t left;
    uint64_t features;
    unsigned saves;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t take(struct fuzz *f, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    size_t n = f->left < size ? f->left : size;

    memcpy(bytes, f->at, n);
    f->at += n;
    f->left -= n;
    return load_le64(bytes);
}

static unsigned take_queue(struct fuzz *f)
{
    return (unsigned)take(f, 1) % f->driver.n_queues;
}

/* Mostly in the test's RAM; sometimes nowhere, at its edge, or in the rings themselves. */
static uint64_t take_address(struct fuzz *f)
{
    uint64_t byte = take(f, 1);

    switch (byte >> 5) {
    case 7:
        return byte & 1 ? UINT64_MAX - take(f, 2) : DRIVER_RAM - take(f, 2);
    case 6:
        return DRIVER_RINGS + take(f, 2);
    default:
        return DRIVER_DATA + (byte << 10);
    }
}

static uint32_t take_length(struct fuzz *f)
{
    uint64_t byte = take(f, 1);

    return byte < 0x80   ? (uint32_t)byte
           : byte < 0xf8 ? (uint32_t)(byte - 0x80) * 512
                         : (uint32_t)take(f, 4);
}

static void do_descriptor(struct fuzz *f, bool indirect)
{
    unsigned queue = take_queue(f), index = (unsigned)take(f, 1);
    uint64_t address = take_address(f);
    uint32_t length = take_length(f);
    uint16_t flags = (uint16_t)(take(f, 1) & 7), next = (uint16_t)take(f, 1);
    uint8_t *table = fake_ram(f->fake) + TABLE + 16 * index;

    if (!indirect) {
        driver_descriptor(&f->driver, queue, index % DRIVER_QUEUE_SIZE, address, length, flags,
                          next % (DRIVER_QUEUE_SIZE + 1));
        return;
    }
    store_le64(table, address);
    store_le32(table + 8, length);
    store_le16(table + 12, flags);
    store_le16(table + 14, next);
}

/* A descriptor that points to an indirect table of so many entries. */
static void do_table(struct fuzz *f)
{
    unsigned queue = take_queue(f), index = (unsigned)take(f, 1) % DRIVER_QUEUE_SIZE;
    uint32_t entries = (uint32_t)take(f, 1);

    driver_descriptor(&f->driver, queue, index, TABLE + (take(f, 1) & 0x1f) * 16, entries * 16,
                      DESC_INDIRECT, 0);
}

static void do_bytes(struct fuzz *f)
{
    uint64_t at = DRIVER_DATA + take(f, 2) * 16 % 0x40000;
    unsigned n = (unsigned)take(f, 1) % 64;

    for (unsigned i = 0; i < n; i++) {
        fake_ram(f->fake)[at + i] = (uint8_t)take(f, 1);
    }
}

static void restart(struct fuzz *f)
{
    driver_start(&f->driver, f->features);
}

/* What the engine may give: offloads that the device accepts, any bytes. */
static void do_net(struct fuzz *f, unsigned what, uint16_t value)
{
    uint32_t length = what & 0x20 ? value : value % 2048u;
    unsigned accepted = fake_net_accepted(f->device);
    struct net_offload offload = { .flags = what & NET_CSUM_VALID };
    uint8_t *bytes;

    if ((what & 7) == 7) {
        fake_net_link(f->device, what & 8);
        return;
    }
    if ((what & 7) == 6) {
        fake_net_room(f->device, what & 8 ? UINT_MAX : what >> 4);
        return;
    }
    length += NET_FRAME_MIN;
    if (accepted & NET_ACCEPT_CSUM) {
        offload.flags |= what & NET_NEEDS_CSUM;
        offload.gso = what & 1 && accepted & NET_ACCEPT_TCP4 && what & 8 ? NET_GSO_TCP4 : 0;
        offload.gso_size = offload.gso ? 1 + value % 1460u : 0;
    }
    bytes = calloc(1, length);
    memcpy(bytes, f->at, f->left < length ? f->left : length);
    fake_net_receive(f->device, &offload, bytes, length);
    free(bytes);
    fake_net_forget(f->device);
}

static void do_outside(struct fuzz *f)
{
    const struct device_class *class = f->device->class;
    unsigned what = (unsigned)take(f, 1);
    uint16_t value = (uint16_t)take(f, 2);

    if (class->n_drives > 0) {
        if ((what & 3) == 0) {
            fake_drive_fail(f->device, 0, 1, what & 4 ? -EIO : -EROFS);
        } else {
            fake_drive_hold(f->device, 0, what & 1);
        }
    } else if (class->n_ports > 0) {
        unsigned port = what % class->n_ports;

        if (fake_char_waiting(f->device, port) < FAKE_CHAR_MAX / 2) {
            fake_char_input(f->device, port, f->at,
                            f->left < value % 256u ? f->left : value % 256u);
        }
    } else if (class->display) {
        const struct display_ops *ops = class->display;
        unsigned head = what % (ops->heads ? ops->heads(f->device) : 1);

        ops->set_size(f->device, head, value, what * 16u);
        if (ops->set_connected && head > 0) {
            ops->set_connected(f->device, head, value & 1);
        }
    } else if (class->on_net) {
        do_net(f, what, value);
    } else if (class->input && class->input->key) {
        class->input->key(f->device, value, what & 1);
    } else if (class->input) {
        struct pointer_event event = { .dx = (int8_t)value,
                                       .dy = (int8_t)(value >> 8),
                                       .x = value,
                                       .y = value * 3u,
                                       .wheel = (int)(what >> 5) - 3,
                                       .buttons = what & 31 };

        class->input->pointer(f->device, &event);
    }
}

static void do_save(struct fuzz *f)
{
    if (f->saves++ >= SAVES_MAX) {
        return;
    }
    if (f->device->class->n_drives > 0) {
        fake_drive_hold(f->device, 0, false);
    }
    fake_run(f->fake);
    if (!fake_save_load(f->device)) {
        fake_bug("the saved state does not come back");
    }
}

static void do_config(struct fuzz *f, bool common)
{
    unsigned size = 1u << take(f, 1) % 3, offset = (unsigned)take(f, 1) & ~(size - 1);
    uint64_t base = common ? f->driver.common : f->driver.config;
    uint64_t value = take(f, size);

    if (base != 0) {
        fake_read(f->fake, base + offset, size);
        fake_write(f->fake, base + offset, size, value);
    }
}

static void operation(struct fuzz *f)
{
    unsigned queue;

    switch (take(f, 1) % 18) {
    case 0:
    case 1:
    case 2:
        do_descriptor(f, false);
        break;
    case 3:
        do_descriptor(f, true);
        break;
    case 4:
        do_table(f);
        break;
    case 5:
    case 6:
        queue = take_queue(f);
        driver_add_head(&f->driver, queue, (uint16_t)(take(f, 1) % (DRIVER_QUEUE_SIZE + 1)));
        break;
    case 7:
        driver_notify(&f->driver, take_queue(f));
        break;
    case 8:
        driver_kick(&f->driver, take_queue(f));
        break;
    case 9:
        do_bytes(f);
        break;
    case 10:
        do_outside(f);
        break;
    case 11:
        do_save(f);
        break;
    case 12:
        restart(f);
        break;
    case 13:
        device_reset(f->device, RESET_WARM);
        driver_open(&f->driver, f->fake, f->device);
        driver_msix(&f->driver);
        restart(f);
        break;
    case 14:
        do_config(f, false);
        break;
    case 15:
        do_config(f, true);
        break;
    case 16:
        queue = take_queue(f);
        driver_set_used_event(&f->driver, queue, (uint16_t)take(f, 1));
        break;
    default:
        queue = take_queue(f);
        store_le16(fake_ram(f->fake) + DRIVER_RINGS + 0x1000 * queue + 0x402, (uint16_t)take(f, 2));
        break;
    }
}

static const struct device_class *class_choose(unsigned choice)
{
    const struct device_class *classes[32];
    unsigned n = 0;

    for (unsigned i = 0; device_classes[i] && n < 32; i++) {
        if (device_classes[i]->virtio) {
            classes[n++] = device_classes[i];
        }
    }
    return classes[choice % n];
}

static void device_open(struct fuzz *f, const struct device_class *class)
{
    static const struct option_value ports[] = { { "ports", "3" }, { NULL, NULL } };
    static const struct option_value queues[] = { { "queues", "3" }, { NULL, NULL } };
    static const struct option_value memory[] = { { "vram", "8388608" },
                                                  { "resources", "4194304" },
                                                  { NULL, NULL } };
    static const struct option_value nothing[] = { { NULL, NULL } };
    struct block_info info;

    f->fake = fake_new(DRIVER_RAM);
    f->device = fake_add_class(f->fake, class,
                               class->n_ports    ? ports
                               : class->n_drives ? queues
                               : class->display  ? memory
                                                 : nothing);
    if (class->n_drives > 0) {
        rig_drive_info(0, true, &info);
        f->medium = calloc(1, MEDIUM);
        fake_drive(f->device, 0, &info, f->medium);
        device_reset(f->device, RESET_COLD);
    }
    driver_open(&f->driver, f->fake, f->device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = { .at = data, .left = size };

    device_open(&f, class_choose((unsigned)take(&f, 1)));
    f.features = take(&f, 1) & 1 ? F_VERSION_1 : F_ALL;
    if (size & 1) {
        driver_msix(&f.driver);
    }
    restart(&f);
    for (unsigned i = 0; i < OPERATIONS_MAX && f.left > 0; i++) {
        operation(&f);
    }
    if (size & 2) { /* half of the inputs end with what is in flight in flight */
        if (f.medium) {
            fake_drive_hold(f.device, 0, false);
        }
        fake_run(f.fake);
        if (f.device->class->idle && !f.device->class->idle(f.device)) {
            fake_bug("not idle although every request has been answered");
        }
    }
    fake_free(f.fake);
    free(f.medium);
    return 0;
}
