/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "virtio_driver.h"

#include <string.h>

#include "bytes.h"
#include "fake_private.h"
#include "pci.h"

enum {
    CAPABILITY_VENDOR = 0x09,
    CAPABILITY_MSIX = 0x11,
    BAR_BASE = 0xc0000000,
    BAR_STEP = 0x08000000,
    RING_PAGE = 0x1000,
    AVAIL_AT = 0x400,
    USED_AT = 0x800,
};

static uint8_t *ram(struct driver *driver, uint64_t gpa)
{
    return fake_ram(driver->fake) + gpa;
}

uint64_t driver_read(struct driver *driver, unsigned offset, unsigned size)
{
    return fake_read(driver->fake, driver->common + offset, size);
}

void driver_write(struct driver *driver, unsigned offset, unsigned size, uint64_t value)
{
    fake_write(driver->fake, driver->common + offset, size, value);
}

uint64_t driver_config(struct driver *driver, unsigned offset, unsigned size)
{
    return fake_read(driver->fake, driver->config + offset, size);
}

uint8_t driver_status(struct driver *driver)
{
    return (uint8_t)driver_read(driver, COMMON_STATUS, 1);
}

/* --- Finding and starting --------------------------------------------------------------------- */

static void capability_read(struct driver *driver, unsigned at)
{
    struct device *device = driver->device;
    uint64_t base = BAR_BASE + (uint64_t)BAR_STEP * fake_config_read(device, at + 4, 1) +
                    fake_config_read(device, at + 8, 4);

    switch (fake_config_read(device, at + 3, 1)) {
    case 1:
        driver->common = base;
        break;
    case 2:
        driver->notify = base;
        driver->notify_multiplier = fake_config_read(device, at + 16, 4);
        break;
    case 3:
        driver->isr = base;
        break;
    case 4:
        driver->config = base;
        break;
    default:
        break;
    }
}

void driver_open(struct driver *driver, struct fake *fake, struct device *device)
{
    *driver = (struct driver){ .fake = fake, .device = device };
    fake_map_bar(device, 1, BAR_BASE + BAR_STEP);
    fake_map_bar(device, 4, BAR_BASE + 4ull * BAR_STEP);
    for (unsigned at = fake_config_read(device, 0x34, 1); at != 0;
         at = fake_config_read(device, at + 1, 1)) {
        if (fake_config_read(device, at, 1) == CAPABILITY_VENDOR) {
            capability_read(driver, at);
        }
    }
    driver->n_queues = (unsigned)driver_read(driver, COMMON_NUM_QUEUES, 2);
    if (!driver->common || !driver->notify || driver->n_queues > DRIVER_QUEUES_MAX) {
        fake_bug("not a virtio device that the driver can use");
    }
}

void driver_reset(struct driver *driver)
{
    driver_write(driver, COMMON_STATUS, 1, 0);
    memset(driver->queues, 0, sizeof(driver->queues));
}

void driver_negotiate(struct driver *driver, uint64_t features)
{
    driver_write(driver, COMMON_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    driver->offered = 0;
    for (unsigned word = 0; word < 2; word++) {
        driver_write(driver, COMMON_DEVICE_FEATURE_SELECT, 4, word);
        driver->offered |= driver_read(driver, COMMON_DEVICE_FEATURE, 4) << word * 32;
    }
    driver->accepted = features & driver->offered;
    for (unsigned word = 0; word < 2; word++) {
        driver_write(driver, COMMON_DRIVER_FEATURE_SELECT, 4, word);
        driver_write(driver, COMMON_DRIVER_FEATURE, 4, (uint32_t)(driver->accepted >> word * 32));
    }
    driver_write(driver, COMMON_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
}

static void address_write(struct driver *driver, unsigned offset, uint64_t address)
{
    driver_write(driver, offset, 4, (uint32_t)address);
    driver_write(driver, offset + 4, 4, address >> 32);
}

void driver_queue_setup(struct driver *driver, unsigned queue, unsigned size)
{
    struct driver_queue *q = &driver->queues[queue];
    uint64_t base = DRIVER_RINGS + (uint64_t)RING_PAGE * queue;

    memset(ram(driver, base), 0, RING_PAGE);
    *q = (struct driver_queue){ base, base + AVAIL_AT, base + USED_AT, size, 0, 0, 0 };
    driver_write(driver, COMMON_QUEUE_SELECT, 2, queue);
    driver_write(driver, COMMON_QUEUE_SIZE, 2, size);
    driver_write(driver, COMMON_QUEUE_VECTOR, 2, queue);
    address_write(driver, COMMON_QUEUE_DESC, q->desc);
    address_write(driver, COMMON_QUEUE_DRIVER, q->avail);
    address_write(driver, COMMON_QUEUE_DEVICE, q->used);
    driver_write(driver, COMMON_QUEUE_ENABLE, 2, 1);
}

void driver_start(struct driver *driver, uint64_t features)
{
    driver_reset(driver);
    driver_negotiate(driver, features);
    driver_write(driver, COMMON_CONFIG_VECTOR, 2, driver->n_queues);
    for (unsigned queue = 0; queue < driver->n_queues; queue++) {
        driver_queue_setup(driver, queue, DRIVER_QUEUE_SIZE);
    }
    driver_write(driver, COMMON_STATUS, 1,
                 STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
    fake_run(driver->fake);
}

void driver_msix(struct driver *driver)
{
    struct device *device = driver->device;
    uint64_t table = BAR_BASE + BAR_STEP;

    for (unsigned vector = 0; vector < device->class->pci->msix_vectors; vector++) {
        fake_write(driver->fake, table + 16 * vector, 4, DRIVER_MSI_ADDRESS);
        fake_write(driver->fake, table + 16 * vector + 4, 4, 0);
        fake_write(driver->fake, table + 16 * vector + 8, 4, DRIVER_MSI_DATA + vector);
        fake_write(driver->fake, table + 16 * vector + 12, 4, 0);
    }
    for (unsigned at = fake_config_read(device, 0x34, 1); at != 0;
         at = fake_config_read(device, at + 1, 1)) {
        if (fake_config_read(device, at, 1) == CAPABILITY_MSIX) {
            fake_config_write(device, at + 2, 2, 0x8000);
        }
    }
}

/* --- Buffers ---------------------------------------------------------------------------------- */

void driver_descriptor(struct driver *driver, unsigned queue, unsigned index, uint64_t gpa,
                       uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t *d = ram(driver, driver->queues[queue].desc + 16 * index);

    store_le64(d, gpa);
    store_le32(d + 8, length);
    store_le16(d + 12, flags);
    store_le16(d + 14, next);
}

void driver_add_head(struct driver *driver, unsigned queue, uint16_t head)
{
    struct driver_queue *q = &driver->queues[queue];

    store_le16(ram(driver, q->avail + 4 + 2 * (q->next_avail % q->size)), head);
    q->next_avail++;
    store_le16(ram(driver, q->avail + 2), q->next_avail);
}

uint16_t driver_add(struct driver *driver, unsigned queue, const struct driver_segment *segments,
                    unsigned n)
{
    struct driver_queue *q = &driver->queues[queue];
    uint16_t head = (uint16_t)(q->next_desc % q->size);

    for (unsigned i = 0; i < n; i++) {
        uint16_t next = (uint16_t)((q->next_desc + 1) % q->size);
        unsigned flags =
            (segments[i].write ? DESC_WRITE : 0u) | (i + 1 < n ? (unsigned)DESC_NEXT : 0u);

        driver_descriptor(driver, queue, q->next_desc % q->size, segments[i].gpa,
                          segments[i].length, (uint16_t)flags, next);
        q->next_desc = next;
    }
    driver_add_head(driver, queue, head);
    return head;
}

void driver_notify(struct driver *driver, unsigned queue)
{
    driver_write(driver, COMMON_QUEUE_SELECT, 2, queue);
    fake_write(driver->fake,
               driver->notify +
                   driver_read(driver, COMMON_QUEUE_NOTIFY_OFF, 2) * driver->notify_multiplier,
               2, queue);
}

void driver_kick(struct driver *driver, unsigned queue)
{
    driver_notify(driver, queue);
    fake_run(driver->fake);
}

unsigned driver_used(struct driver *driver, unsigned queue)
{
    struct driver_queue *q = &driver->queues[queue];

    return (uint16_t)(load_le16(ram(driver, q->used + 2)) - q->next_used);
}

bool driver_take(struct driver *driver, unsigned queue, uint16_t *head, uint32_t *length)
{
    struct driver_queue *q = &driver->queues[queue];
    const uint8_t *entry = ram(driver, q->used + 4 + 8 * (q->next_used % q->size));

    if (driver_used(driver, queue) == 0) {
        return false;
    }
    *head = (uint16_t)load_le32(entry);
    *length = load_le32(entry + 4);
    q->next_used++;
    return true;
}

void driver_send(struct driver *driver, unsigned queue, uint64_t gpa, uint32_t length, bool write)
{
    struct driver_segment segment = { gpa, length, write };

    driver_add(driver, queue, &segment, 1);
    driver_kick(driver, queue);
}

uint16_t driver_avail_event(struct driver *driver, unsigned queue)
{
    struct driver_queue *q = &driver->queues[queue];

    return load_le16(ram(driver, q->used + 4 + 8 * q->size));
}

void driver_set_used_event(struct driver *driver, unsigned queue, uint16_t event)
{
    struct driver_queue *q = &driver->queues[queue];

    store_le16(ram(driver, q->avail + 4 + 2 * q->size), event);
}
