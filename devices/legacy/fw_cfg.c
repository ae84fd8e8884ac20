/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fw_cfg: the interface through which firmware, option ROMs and the Linux fw_cfg driver read what
 * the virtual machine monitor has to tell them: numbers behind fixed keys, and named files that a
 * directory (key 0x19) lists. Interface: "QEMU Firmware Configuration (fw_cfg) Device".
 *
 *   0x510  write 16 bits: select a key; the next byte is its first
 *   0x511  read 8 bits: the next byte; zeros beyond the end and for keys that do not exist
 *   0x514  big-endian address of a descriptor in RAM, high half, low half; writing the low half
 *          carries the descriptor out before the write returns: select, read, write or skip.
 *          Reads as "QEMU CFG".
 *
 * Left out: writing through the data port (no firmware does any more) and the memory-mapped form.
 *
 * A descriptor that is not in RAM is ignored; any other mistake in one (target not in RAM, a write
 * to a read-only item or past its end) sets its error bit.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "fw_cfg.h"
#include "services.h"
#include "state.h"

enum {
    PORT_SELECT = 0x510,
    PORT_DMA = 0x514,

    KEY_WRITE_CHANNEL = 0x4000, /* of a selector: no meaning any more */
    KEYS = FW_CFG_FILE_FIRST,   /* fixed keys, common and of the architecture */

    ID_DATA_PORT = 1,
    ID_DMA = 2,

    CONTROL_ERROR = 1,
    CONTROL_READ = 2,
    CONTROL_SKIP = 4,
    CONTROL_SELECT = 8,
    CONTROL_WRITE = 16,
    DESCRIPTOR_SIZE = 16, /* control, length, address (64 bits) */

    DIRECTORY_ENTRY_SIZE = 64,
    DIRECTORY_ENTRY_KEY = 4,
    DIRECTORY_ENTRY_NAME = 8,
};

struct item {
    uint8_t *bytes;
    uint32_t size;
    bool writable;
};

struct file {
    char name[FW_CFG_FILE_NAME_MAX];
    struct item item;
};

struct fw_cfg {
    struct device device;

    /* The host's. */
    struct item common[KEYS];
    struct item arch[KEYS];
    struct file files[FW_CFG_FILES_MAX]; /* sorted by name; the place decides the key */
    unsigned n_files;
    uint8_t directory[4 + FW_CFG_FILES_MAX * DIRECTORY_ENTRY_SIZE];
    uint8_t id[4];
    void (*hook)(void *context, const char *name, bool written);
    void *hook_context;

    /* The guest's. */
    uint16_t key;
    uint32_t offset; /* of the next byte; may lie beyond the end */
    uint64_t dma_address;
};

static struct file *file_selected(struct fw_cfg *f)
{
    unsigned i = f->key - FW_CFG_FILE_FIRST;

    return f->key >= FW_CFG_FILE_FIRST && i < f->n_files ? &f->files[i] : NULL;
}

/* What the guest has selected, never NULL; keys that do not exist are empty. */
static struct item item_selected(struct fw_cfg *f)
{
    struct file *file = file_selected(f);

    if (file) {
        return file->item;
    }
    if (f->key < KEYS) {
        return f->common[f->key];
    }
    if (f->key >= FW_CFG_ARCH_LOCAL && f->key < FW_CFG_ARCH_LOCAL + KEYS) {
        return f->arch[f->key - FW_CFG_ARCH_LOCAL];
    }
    return (struct item){ NULL, 0, false };
}

/* Bytes from the current offset to the end. */
static uint32_t item_left(const struct fw_cfg *f, const struct item *item)
{
    return f->offset < item->size ? item->size - f->offset : 0;
}

static void offset_advance(struct fw_cfg *f, uint32_t length)
{
    f->offset = length <= UINT32_MAX - f->offset ? f->offset + length : UINT32_MAX;
}

static void hook_call(struct fw_cfg *f, bool written)
{
    struct file *file = file_selected(f);

    if (f->hook && file) {
        f->hook(f->hook_context, file->name, written);
    }
}

static void key_select(struct fw_cfg *f, uint16_t key)
{
    f->key = key & ~KEY_WRITE_CHANNEL;
    f->offset = 0;
    hook_call(f, false);
}

/* Copies `length` bytes of the item, or zeros when `from` is NULL, to guest RAM. */
static bool ram_fill(struct device *device, uint64_t gpa, const uint8_t *from, uint64_t length)
{
    while (length > 0) {
        size_t chunk = length;
        void *to = device->services->ram_map(device, gpa, &chunk);

        if (!to || chunk == 0) {
            return false;
        }
        if (from) {
            memcpy(to, from, chunk);
            from += chunk;
        } else {
            memset(to, 0, chunk);
        }
        device->services->ram_written(device, gpa, chunk);
        gpa += chunk;
        length -= chunk;
    }
    return true;
}

static bool dma_read(struct fw_cfg *f, uint64_t gpa, uint32_t length)
{
    struct item item = item_selected(f);
    uint32_t left = item_left(f, &item);
    uint32_t present = length < left ? length : left;

    if (present > 0 && !ram_fill(&f->device, gpa, item.bytes + f->offset, present)) {
        return false;
    }
    if (!ram_fill(&f->device, gpa + present, NULL, length - present)) {
        return false;
    }
    offset_advance(f, length);
    return true;
}

static bool dma_write(struct fw_cfg *f, uint64_t gpa, uint32_t length)
{
    struct item item = item_selected(f);

    if (!item.writable || length > item_left(f, &item)) {
        guest_error(&f->device, "write of %u bytes at %u of key %#x, which has %u and is %s",
                    length, f->offset, f->key, item.size, item.writable ? "writable" : "read-only");
        return false;
    }
    if (length > 0 && dev_ram_read(&f->device, gpa, item.bytes + f->offset, length) != 0) {
        return false;
    }
    offset_advance(f, length);
    hook_call(f, true);
    return true;
}

static void dma_execute(struct fw_cfg *f)
{
    uint64_t descriptor = f->dma_address;
    uint8_t bytes[DESCRIPTOR_SIZE];
    bool good = true;

    f->dma_address = 0;
    if (dev_ram_read(&f->device, descriptor, bytes, sizeof(bytes)) != 0) {
        guest_error(&f->device, "descriptor at %#llx is not in RAM",
                    (unsigned long long)descriptor);
        return;
    }
    uint32_t control = load_be32(bytes), length = load_be32(bytes + 4);
    uint64_t gpa = load_be64(bytes + 8);

    if (control & CONTROL_SELECT) {
        key_select(f, (uint16_t)(control >> 16));
    }
    if (control & CONTROL_READ) {
        good = dma_read(f, gpa, length);
    } else if (control & CONTROL_WRITE) {
        good = dma_write(f, gpa, length);
    } else if (control & CONTROL_SKIP) {
        offset_advance(f, length);
    }
    if (!good) {
        guest_error(&f->device, "descriptor %#x, length %#x, address %#llx failed", control, length,
                    (unsigned long long)gpa);
    }
    store_be32(bytes, good ? 0 : CONTROL_ERROR);
    dev_ram_write(&f->device, descriptor, bytes, 4);
}

static uint64_t data_read(struct device *device, uint64_t offset, unsigned size)
{
    struct fw_cfg *f = (struct fw_cfg *)device;
    struct item item = item_selected(f);

    if (offset == 0 || item_left(f, &item) == 0) {
        return 0;
    }
    return item.bytes[f->offset++];
}

static void select_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    key_select((struct fw_cfg *)device, (uint16_t)value);
}

static uint64_t dma_register_read(struct device *device, uint64_t offset, unsigned size)
{
    return load_le(&"QEMU CFG"[offset], size);
}

static void dma_register_write(struct device *device, uint64_t offset, unsigned size,
                               uint64_t value)
{
    struct fw_cfg *f = (struct fw_cfg *)device;
    uint32_t half = __builtin_bswap32((uint32_t)value);

    if (offset == 0) {
        f->dma_address = (uint64_t)half << 32;
    } else {
        f->dma_address |= half;
        dma_execute(f);
    }
}

/* --- The host's side -------------------------------------------------------------------------- */

static void directory_build(struct fw_cfg *f)
{
    memset(f->directory, 0, sizeof(f->directory));
    store_be32(f->directory, f->n_files);
    for (unsigned i = 0; i < f->n_files; i++) {
        uint8_t *entry = f->directory + 4 + i * DIRECTORY_ENTRY_SIZE;

        store_be32(entry, f->files[i].item.size);
        store_be16(entry + DIRECTORY_ENTRY_KEY, (uint16_t)(FW_CFG_FILE_FIRST + i));
        memcpy(entry + DIRECTORY_ENTRY_NAME, f->files[i].name, FW_CFG_FILE_NAME_MAX);
    }
    f->common[FW_CFG_FILE_DIR] =
        (struct item){ f->directory, 4 + f->n_files * DIRECTORY_ENTRY_SIZE, false };
}

void fw_cfg_set_key(struct device *fw_cfg, uint16_t key, const void *bytes, uint32_t size)
{
    struct fw_cfg *f = (struct fw_cfg *)fw_cfg;
    struct item *items = key & FW_CFG_ARCH_LOCAL ? f->arch : f->common;
    unsigned i = key & ~FW_CFG_ARCH_LOCAL;

    assert(i < KEYS && key != FW_CFG_SIGNATURE && key != FW_CFG_ID && key != FW_CFG_FILE_DIR);
    items[i] = (struct item){ (uint8_t *)bytes, size, false };
}

int fw_cfg_set_file(struct device *fw_cfg, const char *name, void *bytes, uint32_t size,
                    bool writable)
{
    struct fw_cfg *f = (struct fw_cfg *)fw_cfg;
    unsigned i = 0;

    assert(strlen(name) < FW_CFG_FILE_NAME_MAX);
    while (i < f->n_files && strcmp(f->files[i].name, name) < 0) {
        i++;
    }
    if (i == f->n_files || strcmp(f->files[i].name, name) != 0) {
        if (f->n_files == FW_CFG_FILES_MAX) {
            return -ENOSPC;
        }
        memmove(&f->files[i + 1], &f->files[i], (f->n_files - i) * sizeof(f->files[0]));
        f->n_files++;
        memset(&f->files[i], 0, sizeof(f->files[i]));
        strcpy(f->files[i].name, name);
    }
    f->files[i].item = (struct item){ bytes, size, writable };
    directory_build(f);
    return 0;
}

void fw_cfg_set_hook(struct device *fw_cfg,
                     void (*hook)(void *context, const char *name, bool written), void *context)
{
    struct fw_cfg *f = (struct fw_cfg *)fw_cfg;

    f->hook = hook;
    f->hook_context = context;
}

/* --- The device ------------------------------------------------------------------------------- */

static int fw_cfg_create(struct device *device, struct dev_error *error)
{
    struct fw_cfg *f = (struct fw_cfg *)device;

    store_le32(f->id, ID_DATA_PORT | ID_DMA);
    f->common[FW_CFG_SIGNATURE] = (struct item){ (uint8_t *)"QEMU", 4, false };
    f->common[FW_CFG_ID] = (struct item){ f->id, sizeof(f->id), false };
    directory_build(f);
    return 0;
}

static void fw_cfg_reset(struct device *device, enum reset_kind kind)
{
    struct fw_cfg *f = (struct fw_cfg *)device;

    f->key = FW_CFG_SIGNATURE;
    f->offset = 0;
    f->dma_address = 0;
}

static const struct region_desc fw_cfg_regions[] = {
    {
        .name = "data",
        .space = REGION_PIO,
        .base = PORT_SELECT,
        .size = 2,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_2,
        .read = data_read,
        .write = select_write,
    },
    {
        .name = "dma",
        .space = REGION_PIO,
        .base = PORT_DMA,
        .size = 8,
        .read_sizes = SIZE_ANY,
        .write_sizes = SIZE_4,
        .read = dma_register_read,
        .write = dma_register_write,
    },
};

static const struct state_field fw_cfg_fields[] = {
    FIELD(struct fw_cfg, key),
    FIELD(struct fw_cfg, offset),
    FIELD(struct fw_cfg, dma_address),
    FIELD_END,
};

const struct device_class fw_cfg_class = {
    .name = "fw-cfg",
    .version = 1,
    .state_size = sizeof(struct fw_cfg),
    .description = "firmware configuration interface",
    .regions = fw_cfg_regions,
    .n_regions = 2,
    .fields = fw_cfg_fields,
    .create = fw_cfg_create,
    .reset = fw_cfg_reset,
};
