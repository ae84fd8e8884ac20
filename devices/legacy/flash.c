/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A parallel NOR flash with the Intel command set (JEDEC JEP137 command set 1, "Common Flash Memory
 * Interface" JESD68), 8 bits wide, in blocks of 4 KiB: where OVMF keeps its variables.
 *
 * While the flash shows its contents ("array") a read-only window lets the guest read without
 * exits, and every write comes here as a command. Any other mode takes the window away, so that
 * reads come here too.
 *
 * Programming stores what it is given, as OVMF expects of a virtual flash, instead of only clearing
 * bits. A wider write is one command, and programs all its bytes. After the firmware has found the
 * flash by an exact status of 0, it never looks at the status again, but it is right all the same.
 *
 * What has been changed becomes durable when the guest goes back to the array, as it does after
 * every run of bytes, or FLUSH_NS later if it does not; in between a first boot programs some
 * 32,000 bytes one by one.
 *
 * Left out: buffered programming, suspending, block locks (commands 0x60 are refused). A flash that
 * is set read-only fails to program and erase, with the status bits for locked blocks.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "bytes.h"
#include "services.h"
#include "state.h"

enum {
    BLOCK_SIZE = 4096,
    SIZE_MAX_BYTES = 4 << 20,
    BLOCKS_MAX = SIZE_MAX_BYTES / BLOCK_SIZE,
    FLUSH_NS = 100000000,

    PROGRAM = 0x10,
    PROGRAM_ALTERNATE = 0x40,
    ERASE = 0x20,
    ERASE_CONFIRM = 0xd0,
    CLEAR_STATUS = 0x50,
    READ_STATUS = 0x70,
    READ_ID = 0x90,
    READ_CFI = 0x98,
    READ_ARRAY = 0xff,
    READ_ARRAY_OLD = 0x00, /* not Intel's, but written by some to leave other modes */

    STATUS_READY = 0x80,
    STATUS_ERASE_FAILED = 0x20,
    STATUS_PROGRAM_FAILED = 0x10,
    STATUS_LOCKED = 0x02,

    ID_MANUFACTURER = 0x89,
    ID_DEVICE = 0x18,

    CFI_FIRST = 0x10,
    CFI_INTEL = 1,     /* the command set; its own table would follow at CFI_END */
    CFI_SIZE = 0x27,   /* log2 of the size */
    CFI_BLOCKS = 0x2d, /* number of blocks - 1, then the size of one in units of 256 bytes */
    CFI_END = 0x31,

    MEMORY = 0,
    WINDOW = 0,
    REGION = 0,
    TIMER_FLUSH = 0,
};

enum mode {
    MODE_ARRAY,
    MODE_STATUS,
    MODE_ID,
    MODE_CFI,
    MODE_PROGRAM, /* the next write is data */
    MODE_ERASE,   /* the next write confirms */
    MODE_LAST = MODE_ERASE,
};

struct flash {
    struct device device;
    uint64_t base, size; /* bytes */
    bool read_only;

    uint8_t mode;
    uint8_t status;

    uint64_t dirty[BLOCKS_MAX / 64]; /* a bit for each block that is not durable yet */
    bool flush_due;                  /* some bit is set, and the timer runs */
};

static uint8_t *contents(struct flash *f)
{
    return dev_memory(&f->device, MEMORY, NULL);
}

/* --- Durability ------------------------------------------------------------------------------- */

static bool block_dirty(const struct flash *f, uint64_t block)
{
    return f->dirty[block / 64] >> (block % 64) & 1;
}

/* Makes all changes durable, neighbouring blocks together. */
static void flush(struct flash *f)
{
    uint64_t blocks = f->size / BLOCK_SIZE;

    if (!f->flush_due) {
        return;
    }
    for (uint64_t first = 0, end; first < blocks; first = end + 1) {
        for (end = first; end < blocks && block_dirty(f, end);) {
            end++;
        }
        if (end > first) {
            f->device.services->memory_sync(&f->device, MEMORY, first * BLOCK_SIZE,
                                            (end - first) * BLOCK_SIZE);
        }
    }
    memset(f->dirty, 0, sizeof(f->dirty));
    f->flush_due = false;
    dev_timer_arm(&f->device, TIMER_FLUSH, TIMER_OFF);
}

static void changed(struct flash *f, uint64_t offset)
{
    uint64_t block = offset / BLOCK_SIZE;

    f->dirty[block / 64] |= UINT64_C(1) << (block % 64);
    if (!f->flush_due) {
        f->flush_due = true;
        dev_timer_arm(&f->device, TIMER_FLUSH, dev_now_ns(&f->device) + FLUSH_NS);
    }
}

/* --- Commands --------------------------------------------------------------------------------- */

static void mode_set(struct flash *f, enum mode mode)
{
    bool was_array = f->mode == MODE_ARRAY;

    f->mode = (uint8_t)mode;
    if (mode == MODE_ARRAY && !was_array) {
        f->device.services->window_place(&f->device, WINDOW, f->base, 0, f->size);
        flush(f);
    } else if (mode != MODE_ARRAY && was_array) {
        f->device.services->window_remove(&f->device, WINDOW);
    }
}

static void program(struct flash *f, uint64_t offset, unsigned size, uint64_t value)
{
    f->status |= STATUS_READY;
    if (f->read_only) {
        f->status |= STATUS_PROGRAM_FAILED | STATUS_LOCKED;
        guest_error(&f->device, "programming of a read-only flash at %#llx",
                    (unsigned long long)offset);
    } else {
        store_le(contents(f) + offset, size, value);
        changed(f, offset);
    }
    mode_set(f, MODE_STATUS);
}

static void erase(struct flash *f, uint64_t offset, uint8_t command)
{
    f->status |= STATUS_READY;
    if (command != ERASE_CONFIRM) {
        f->status |= STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED;
        guest_error(&f->device, "erase followed by %#x", command);
    } else if (f->read_only) {
        f->status |= STATUS_ERASE_FAILED | STATUS_LOCKED;
        guest_error(&f->device, "erasing of a read-only flash at %#llx",
                    (unsigned long long)offset);
    } else {
        memset(contents(f) + offset / BLOCK_SIZE * BLOCK_SIZE, 0xff, BLOCK_SIZE);
        changed(f, offset);
    }
    mode_set(f, MODE_STATUS);
}

static void command_execute(struct flash *f, uint8_t command)
{
    switch (command) {
    case PROGRAM:
    case PROGRAM_ALTERNATE:
        mode_set(f, MODE_PROGRAM);
        break;
    case ERASE:
        mode_set(f, MODE_ERASE);
        break;
    case CLEAR_STATUS:
        f->status = 0;
        mode_set(f, MODE_ARRAY);
        break;
    case READ_STATUS:
        mode_set(f, MODE_STATUS);
        break;
    case READ_ID:
        mode_set(f, MODE_ID);
        break;
    case READ_CFI:
        mode_set(f, MODE_CFI);
        break;
    case READ_ARRAY:
    case READ_ARRAY_OLD:
        mode_set(f, MODE_ARRAY);
        break;
    default:
        guest_error(&f->device, "unknown command %#x", command);
        mode_set(f, MODE_ARRAY);
        break;
    }
}

static void flash_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct flash *f = (struct flash *)device;

    if (!range_fits(offset, size, f->size)) {
        return; /* not this chip's */
    }
    if (f->mode == MODE_PROGRAM) {
        program(f, offset, size, value);
    } else if (f->mode == MODE_ERASE) {
        erase(f, offset, (uint8_t)value);
    } else {
        command_execute(f, (uint8_t)value);
    }
}

/* --- Reading ---------------------------------------------------------------------------------- */

static uint8_t id_read(uint64_t offset)
{
    switch (offset % 256) {
    case 0:
        return ID_MANUFACTURER;
    case 1:
        return ID_DEVICE;
    default:
        return 0; /* blocks are not locked */
    }
}

static uint8_t cfi_read(const struct flash *f, uint64_t offset)
{
    uint8_t table[CFI_END - CFI_FIRST] = { 'Q', 'R', 'Y', CFI_INTEL, 0, CFI_END };
    uint8_t *size = &table[CFI_SIZE - CFI_FIRST], *blocks = &table[CFI_BLOCKS - CFI_FIRST];

    while (UINT64_C(1) << *size < f->size) {
        (*size)++;
    }
    blocks[-1] = 1; /* erase regions */
    store_le16(blocks, (uint16_t)(f->size / BLOCK_SIZE - 1));
    store_le16(blocks + 2, BLOCK_SIZE / 256);
    return offset >= CFI_FIRST && offset < CFI_END ? table[offset - CFI_FIRST] : 0;
}

static uint64_t flash_read(struct device *device, uint64_t offset, unsigned size)
{
    struct flash *f = (struct flash *)device;

    if (!range_fits(offset, size, f->size)) {
        return ones(size);
    }
    switch (f->mode) {
    case MODE_ARRAY:
        return contents(f)[offset];
    case MODE_ID:
        return id_read(offset);
    case MODE_CFI:
        return cfi_read(f, offset);
    default:
        return f->status;
    }
}

/* --- The device ------------------------------------------------------------------------------- */

static int flash_create(struct device *device, struct dev_error *error)
{
    struct flash *f = (struct flash *)device;

    if (f->base % BLOCK_SIZE != 0 || f->size % BLOCK_SIZE != 0) {
        dev_error_set(error, "%s: base and size must be multiples of %d.", device->name,
                      BLOCK_SIZE);
        return -EINVAL;
    }
    dev_region_place(device, REGION, f->base);
    return 0;
}

static void flash_destroy(struct device *device)
{
    flush((struct flash *)device);
}

static void flash_reset(struct device *device, enum reset_kind kind)
{
    struct flash *f = (struct flash *)device;

    flush(f);
    f->mode = MODE_STATUS; /* whatever it was: the window is placed anew */
    mode_set(f, MODE_ARRAY);
    f->status = STATUS_READY;
}

static void flash_on_timer(struct device *device, unsigned timer)
{
    flush((struct flash *)device);
}

static void flash_restored(struct device *device)
{
    struct flash *f = (struct flash *)device;

    if (f->mode == MODE_ARRAY) {
        device->services->window_place(device, WINDOW, f->base, 0, f->size);
    } else {
        device->services->window_remove(device, WINDOW);
    }
}

static const struct option_desc flash_options[] = {
    { "base", OPTION_U64, offsetof(struct flash, base), 0, UINT64_MAX - SIZE_MAX_BYTES,
      "0xffc00000", "its guest physical address" },
    { "size", OPTION_U64, offsetof(struct flash, size), BLOCK_SIZE, SIZE_MAX_BYTES, "0x84000",
      "its size in bytes" },
    { "read-only", OPTION_BOOL, offsetof(struct flash, read_only), 0, 0, "false",
      "whether the guest cannot change it" },
    { NULL },
};

/* As large as the largest chip; what lies beyond this one's size is open bus. */
static const struct region_desc flash_regions[] = {
    {
        .name = "commands",
        .space = REGION_MMIO,
        .base = REGION_UNPLACED,
        .size = SIZE_MAX_BYTES,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_ANY,
        .read = flash_read,
        .write = flash_write,
    },
};

static const struct memory_desc flash_memories[] = {
    { .name = "size", .flags = MEMORY_PERSISTENT }, /* named after the option that says how large */
};

static const struct window_desc flash_windows[] = {
    { .name = "array", .memory = MEMORY, .flags = WINDOW_READ_ONLY },
};

static const struct state_field flash_fields[] = {
    FIELD_MAX(struct flash, mode, MODE_LAST),
    FIELD(struct flash, status),
    FIELD_END,
};

const struct device_class flash_class = {
    .name = "flash",
    .version = 1,
    .state_size = sizeof(struct flash),
    .description = "flash memory",
    .options = flash_options,
    .regions = flash_regions,
    .n_regions = 1,
    .memories = flash_memories,
    .n_memories = 1,
    .windows = flash_windows,
    .n_windows = 1,
    .n_timers = 1,
    .fields = flash_fields,
    .create = flash_create,
    .destroy = flash_destroy,
    .reset = flash_reset,
    .on_timer = flash_on_timer,
    .restored = flash_restored,
};
