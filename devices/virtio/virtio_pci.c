/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PCI transport (virtio 1.2, section 4.1), modern devices only: PCI 1AF4:1040 + type, revision
 * 1. BAR 4 holds the registers, each kind in a page of its own; BAR 1 the MSI-X table. Vendor
 * capabilities say where, and a fifth (section 4.1.4.9) reaches BAR 4 through configuration space:
 * firmware uses that when the BAR lies above 4 GiB.
 *
 * Interrupts: with MSI-X on, a message by the vector that the driver has chosen for the queue or
 * the configuration; otherwise a bit in the ISR register and the INTx line, until the driver reads
 * it.
 *
 * Doorbells: each queue has four bytes in the notification page, of which a write of any size and
 * value counts. They are bound to doorbells, so the machine may deliver them outside the vCPU.
 *
 * Left out: shared memory capability, per-queue notification data, queue reset.
 *
 * How it fails: writes of a size that is not the register's, of queue registers while the queue is
 * enabled, and of vectors that do not exist (these read back as none) are counted; the rest of the
 * effect is nothing.
 */
#include <string.h>

#include "bytes.h"
#include "virtio_private.h"

enum {
    CAPABILITY_VENDOR = 0x09,
    CAPABILITY_LENGTH = 16,
    CAPABILITY_NOTIFY_LENGTH = 20,
    CAPABILITY_CONFIG_LENGTH = 20,
    CAP_LENGTH = 2,
    CAP_TYPE = 3,
    CAP_BAR = 4,
    CAP_OFFSET = 8,
    CAP_SIZE = 12,
    CAP_MULTIPLIER = 16,
    CAP_DATA = 16,

    TYPE_COMMON = 1,
    TYPE_NOTIFY = 2,
    TYPE_ISR = 3,
    TYPE_DEVICE = 4,
    TYPE_CONFIG = 5,

    BAR_REGISTERS = 4,
    PAGE = 0x1000,
    PCI_COMMAND_AT = 4,

    /* Common configuration, section 4.1.4.3. */
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_MSIX_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_MSIX_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    COMMON_SIZE = 0x38,
};

/* --- Interrupts ------------------------------------------------------------------------------- */

void virtio_pci_line_update(struct virtio_device *virtio)
{
    pci_irq_set(&virtio->pci, virtio->isr != 0);
}

void virtio_pci_interrupt(struct virtio_device *virtio, uint8_t isr, uint16_t vector)
{
    if (!pci_msix_enabled(&virtio->pci)) {
        virtio->isr |= isr;
        virtio_pci_line_update(virtio);
    } else if (vector != VQ_NO_VECTOR) {
        pci_msix_notify(&virtio->pci, vector);
    }
}

static uint64_t isr_read(struct virtio_device *virtio)
{
    uint8_t isr = virtio->isr;

    virtio->isr = 0;
    virtio_pci_line_update(virtio);
    return isr;
}

/* --- Common configuration: reading ------------------------------------------------------------ */

static uint32_t feature_word(uint64_t features, uint32_t select)
{
    return select < 2 ? (uint32_t)(features >> select * 32) : 0;
}

/* The selected queue, or NULL when there is none of that number. */
static struct vq *queue_selected(struct virtio_device *virtio)
{
    return virtio->queue_select < virtio->n_queues ? &virtio->queues[virtio->queue_select] : NULL;
}

static void queue_registers(struct virtio_device *virtio, uint8_t *common)
{
    const struct vq *vq = queue_selected(virtio);

    if (!vq) {
        store_le16(common + QUEUE_MSIX_VECTOR, VQ_NO_VECTOR);
        return; /* size 0: no such queue */
    }
    store_le16(common + QUEUE_SIZE, vq->size);
    store_le16(common + QUEUE_MSIX_VECTOR, vq->vector);
    store_le16(common + QUEUE_ENABLE, vq->enabled);
    store_le16(common + QUEUE_NOTIFY_OFF, virtio->queue_select);
    store_le64(common + QUEUE_DESC, vq->descriptor_area);
    store_le64(common + QUEUE_DRIVER, vq->driver_area);
    store_le64(common + QUEUE_DEVICE, vq->device_area);
}

static uint64_t common_read(struct virtio_device *virtio, uint64_t offset, unsigned size)
{
    uint8_t common[COMMON_SIZE] = { 0 };

    if (!range_fits(offset, size, sizeof(common))) {
        return 0;
    }
    store_le32(common + DEVICE_FEATURE_SELECT, virtio->device_feature_select);
    store_le32(common + DEVICE_FEATURE,
               feature_word(virtio->features, virtio->device_feature_select));
    store_le32(common + DRIVER_FEATURE_SELECT, virtio->driver_feature_select);
    store_le32(common + DRIVER_FEATURE,
               feature_word(virtio->driver_features, virtio->driver_feature_select));
    store_le16(common + CONFIG_MSIX_VECTOR, virtio->config_vector);
    store_le16(common + NUM_QUEUES, (uint16_t)virtio->n_queues);
    common[DEVICE_STATUS] = virtio_status_read(virtio);
    common[CONFIG_GENERATION] = virtio->config_generation;
    store_le16(common + QUEUE_SELECT, virtio->queue_select);
    queue_registers(virtio, common);
    return load_le(common + offset, size);
}

/* --- Common configuration: writing ------------------------------------------------------------ */

static void write_refused(struct virtio_device *virtio, uint64_t offset, uint64_t value)
{
    guest_error(virtio_to_device(virtio), "write of %#llx to common configuration %#llx",
                (unsigned long long)value, (unsigned long long)offset);
}

static void driver_feature_write(struct virtio_device *virtio, uint32_t value)
{
    unsigned shift = virtio->driver_feature_select * 32;

    if ((virtio->status & STATUS_FEATURES_OK) || virtio->driver_feature_select > 1) {
        if (value != 0) { /* drivers clear the words that do not exist */
            write_refused(virtio, DRIVER_FEATURE, value);
        }
        return;
    }
    virtio->driver_features &= ~((uint64_t)UINT32_MAX << shift);
    virtio->driver_features |= (uint64_t)value << shift;
}

static uint16_t vector_or_none(struct virtio_device *virtio, uint64_t value)
{
    if (value < virtio_to_device(virtio)->class->pci->msix_vectors) {
        return (uint16_t)value;
    }
    if (value != VQ_NO_VECTOR) {
        guest_error(virtio_to_device(virtio), "there is no MSI-X vector %u", (unsigned)value);
    }
    return VQ_NO_VECTOR;
}

static void half_write(uint64_t *address, uint64_t offset, uint64_t value)
{
    unsigned shift = offset & 4 ? 32 : 0;

    *address = (*address & ~((uint64_t)UINT32_MAX << shift)) | value << shift;
}

static void queue_write(struct virtio_device *virtio, uint64_t offset, uint64_t value)
{
    struct vq *vq = queue_selected(virtio);

    if (!vq || (vq->enabled && offset != QUEUE_MSIX_VECTOR)) {
        write_refused(virtio, offset, value);
        return;
    }
    switch (offset) {
    case QUEUE_SIZE:
        if (value == 0 || value > VQ_SIZE_MAX || (value & (value - 1)) != 0) {
            write_refused(virtio, offset, value);
            return;
        }
        vq->size = (uint16_t)value;
        break;
    case QUEUE_MSIX_VECTOR:
        vq->vector = vector_or_none(virtio, value);
        break;
    case QUEUE_ENABLE:
        if (value == 1) {
            virtio_queue_enable(virtio, virtio->queue_select);
        }
        break;
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
        half_write(&vq->descriptor_area, offset, value);
        break;
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
        half_write(&vq->driver_area, offset, value);
        break;
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        half_write(&vq->device_area, offset, value);
        break;
    default:
        break;
    }
}

/* Bytes of the register that starts at `offset`, of those a driver may write; 0: there is none. */
static unsigned register_size(uint64_t offset)
{
    switch (offset) {
    case DEVICE_STATUS:
        return 1;
    case CONFIG_MSIX_VECTOR:
    case QUEUE_SELECT:
    case QUEUE_SIZE:
    case QUEUE_MSIX_VECTOR:
    case QUEUE_ENABLE:
        return 2;
    case DEVICE_FEATURE_SELECT:
    case DRIVER_FEATURE_SELECT:
    case DRIVER_FEATURE:
        return 4;
    default:
        return offset >= QUEUE_DESC && offset < COMMON_SIZE && offset % 4 == 0 ? 4 : 0;
    }
}

static void common_write(struct virtio_device *virtio, uint64_t offset, unsigned size,
                         uint64_t value)
{
    if (register_size(offset) != size) {
        write_refused(virtio, offset, value);
        return;
    }
    switch (offset) {
    case DEVICE_FEATURE_SELECT:
        virtio->device_feature_select = (uint32_t)value;
        break;
    case DRIVER_FEATURE_SELECT:
        virtio->driver_feature_select = (uint32_t)value;
        break;
    case DRIVER_FEATURE:
        driver_feature_write(virtio, (uint32_t)value);
        break;
    case CONFIG_MSIX_VECTOR:
        virtio->config_vector = vector_or_none(virtio, value);
        break;
    case DEVICE_STATUS:
        virtio_status_write(virtio, (uint8_t)value);
        break;
    case QUEUE_SELECT:
        virtio->queue_select = (uint16_t)value;
        break;
    default:
        queue_write(virtio, offset, value);
        break;
    }
}

/* --- Device configuration --------------------------------------------------------------------- */

static uint64_t device_read(struct virtio_device *virtio, uint64_t offset, unsigned size)
{
    uint8_t config[VIRTIO_CONFIG_MAX + 8] = { 0 };

    if (!range_fits(offset, size, VIRTIO_CONFIG_MAX)) {
        return 0;
    }
    if (virtio->type->config_read) {
        virtio->type->config_read(virtio, config);
    }
    return load_le(config + offset, size);
}

static void device_write(struct virtio_device *virtio, uint64_t offset, unsigned size,
                         uint64_t value)
{
    if (virtio->type->config_write && range_fits(offset, size, virtio->type->config_size)) {
        virtio->type->config_write(virtio, (unsigned)offset, size, (uint32_t)value);
    } else {
        guest_error(virtio_to_device(virtio), "write of %#llx to read-only configuration %#llx",
                    (unsigned long long)value, (unsigned long long)offset);
    }
}

/* --- BAR 4 ------------------------------------------------------------------------------------ */

uint64_t virtio_registers_read(struct device *device, uint64_t offset, unsigned size)
{
    struct virtio_device *virtio = to_virtio(device);

    switch (offset & ~(uint64_t)(PAGE - 1)) {
    case VIRTIO_COMMON:
        return common_read(virtio, offset, size);
    case VIRTIO_ISR:
        return offset == VIRTIO_ISR ? isr_read(virtio) : 0;
    case VIRTIO_DEVICE:
        return device_read(virtio, offset - VIRTIO_DEVICE, size);
    default:
        return 0;
    }
}

void virtio_registers_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct virtio_device *virtio = to_virtio(device);

    switch (offset & ~(uint64_t)(PAGE - 1)) {
    case VIRTIO_COMMON:
        common_write(virtio, offset, size, value);
        break;
    case VIRTIO_DEVICE:
        device_write(virtio, offset - VIRTIO_DEVICE, size, value);
        break;
    case VIRTIO_NOTIFY:
        virtio_kick(virtio, (unsigned)(offset - VIRTIO_NOTIFY) / VIRTIO_NOTIFY_MULTIPLIER);
        break;
    default:
        guest_error(device, "write of %#llx to %#llx, which is no register",
                    (unsigned long long)value, (unsigned long long)offset);
        break;
    }
}

const struct region_desc virtio_regions[] = { VIRTIO_REGION_DESCS };

/* --- Capabilities ----------------------------------------------------------------------------- */

static unsigned capability_add(struct virtio_device *virtio, uint8_t type, unsigned length,
                               uint32_t offset, uint32_t size)
{
    struct pci_device *pci = &virtio->pci;
    unsigned at = pci_capability_add(pci, CAPABILITY_VENDOR, length);

    pci_config_set(pci, at + CAP_LENGTH, 1, length);
    pci_config_set(pci, at + CAP_TYPE, 1, type);
    pci_config_set(pci, at + CAP_BAR, 1, type == TYPE_CONFIG ? 0 : BAR_REGISTERS);
    pci_config_set(pci, at + CAP_OFFSET, 4, offset);
    pci_config_set(pci, at + CAP_SIZE, 4, size);
    return at;
}

int virtio_pci_create(struct virtio_device *virtio)
{
    struct pci_device *pci = &virtio->pci;
    struct device *device = virtio_to_device(virtio);
    unsigned at;

    capability_add(virtio, TYPE_COMMON, CAPABILITY_LENGTH, VIRTIO_COMMON, COMMON_SIZE);
    capability_add(virtio, TYPE_ISR, CAPABILITY_LENGTH, VIRTIO_ISR, PAGE);
    if (virtio->type->config_size > 0) {
        capability_add(virtio, TYPE_DEVICE, CAPABILITY_LENGTH, VIRTIO_DEVICE, PAGE);
    }
    at = capability_add(virtio, TYPE_NOTIFY, CAPABILITY_NOTIFY_LENGTH, VIRTIO_NOTIFY, PAGE);
    pci_config_set(pci, at + CAP_MULTIPLIER, 4, VIRTIO_NOTIFY_MULTIPLIER);
    at = capability_add(virtio, TYPE_CONFIG, CAPABILITY_CONFIG_LENGTH, 0, 0);
    pci_config_writable(pci, at + CAP_BAR, 1, 0xff);
    pci_config_writable(pci, at + CAP_OFFSET, 4, 0xffffffff);
    pci_config_writable(pci, at + CAP_SIZE, 4, 0xffffffff);
    pci_config_writable(pci, at + CAP_DATA, 4, 0xffffffff);
    virtio->config_window = (uint16_t)at;
    for (unsigned queue = 0; queue < virtio->n_queues; queue++) {
        device->services->doorbell_bind(device, VIRTIO_REGION_REGISTERS,
                                        VIRTIO_NOTIFY + VIRTIO_NOTIFY_MULTIPLIER * queue, queue);
    }
    return 0;
}

/* The access that the configuration space window is set to; false: to none. */
static bool window_access(const struct virtio_device *virtio, uint32_t *offset, unsigned *size)
{
    const uint8_t *window = virtio->pci.config + virtio->config_window;

    *offset = load_le32(window + CAP_OFFSET);
    *size = load_le32(window + CAP_SIZE);
    return window[CAP_BAR] == BAR_REGISTERS && (*size == 1 || *size == 2 || *size == 4) &&
           *offset % *size == 0 && range_fits(*offset, *size, VIRTIO_BAR_SIZE);
}

static bool touches_window_data(const struct virtio_device *virtio, unsigned offset, unsigned size)
{
    unsigned data = virtio->config_window + (unsigned)CAP_DATA;

    return offset < data + 4 && offset + size > data;
}

void virtio_class_on_config_read(struct device *device, unsigned offset, unsigned size)
{
    struct virtio_device *virtio = to_virtio(device);
    uint32_t at;
    unsigned n;

    if (touches_window_data(virtio, offset, size) && window_access(virtio, &at, &n)) {
        uint64_t value = region_read(device, &virtio_regions[VIRTIO_REGION_REGISTERS], at, n);

        pci_config_set(&virtio->pci, virtio->config_window + (unsigned)CAP_DATA, n,
                       (uint32_t)value);
    }
}

void virtio_class_on_config(struct device *device, unsigned offset, unsigned size)
{
    struct virtio_device *virtio = to_virtio(device);
    uint32_t at;
    unsigned n;

    if (touches_window_data(virtio, offset, size) && window_access(virtio, &at, &n)) {
        const uint8_t *data = virtio->pci.config + virtio->config_window + CAP_DATA;

        region_write(device, &virtio_regions[VIRTIO_REGION_REGISTERS], at, n, load_le(data, n));
    }
    if (offset < PCI_COMMAND_AT + 2u && offset + size > PCI_COMMAND_AT) {
        virtio_kick_all(virtio); /* buffers wait while bus mastering is off */
    }
}
