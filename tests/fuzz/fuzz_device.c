/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The generic device fuzzer. The input is a string of operations, each an operation byte (modulo
 * their number) followed by its operands; what is missing at the end reads as zero.
 * tests/fuzz/device_seeds/operations.py writes inputs in this form and must follow a change of it.
 */
#include "fuzz_device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "display.h"
#include "fake_private.h"
#include "input.h"
#include "pci.h"
#include "rig.h"
#include "root_port.h"
#include "state.h"

enum {
    OPERATIONS_MAX = 2000,
    STATE_OPERATIONS_MAX = 4,   /* each costs as much as a hundred others, */
    STATE_OPERATIONS_LARGE = 1, /* or much more with megabytes of memory of the device's own */
    PIXELS_MAX = 2048 * 1024,
};

struct input {
    const uint8_t *at;
    size_t left;
};

struct fuzz {
    struct rig rig;
    const struct device_class *class;
    struct input in;
    FILE *trace;
    unsigned state_operations;
};

static uint64_t take(struct fuzz *f, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    size_t n = f->in.left < size ? f->in.left : size;

    memcpy(bytes, f->in.at, n);
    f->in.at += n;
    f->in.left -= n;
    return load_le64(bytes);
}

__attribute__((format(printf, 2, 3))) static void trace(struct fuzz *f, const char *format, ...)
{
    va_list arguments;

    if (!f->trace) {
        return;
    }
    va_start(arguments, format);
    vfprintf(f->trace, format, arguments);
    va_end(arguments);
    fputc('\n', f->trace);
}

/* --- Accesses --------------------------------------------------------------------------------- */

static const struct region_desc *take_region(struct fuzz *f)
{
    unsigned i = (unsigned)take(f, 1);

    return f->class->n_regions > 0 ? &f->class->regions[i % f->class->n_regions] : NULL;
}

static void access_do(struct fuzz *f, const struct region_desc *region, uint64_t offset,
                      unsigned size, bool write)
{
    if (!region) {
        return;
    }
    offset %= region->size;
    if (write) {
        uint64_t value = take(f, size);

        trace(f, "write %s+%#" PRIx64 " size %u value %#" PRIx64, region->name, offset, size,
              value);
        region_write(f->rig.device, region, offset, size, value);
    } else {
        uint64_t value = region_read(f->rig.device, region, offset, size);

        trace(f, "read %s+%#" PRIx64 " size %u gives %#" PRIx64, region->name, offset, size, value);
    }
}

/* Any offset and size; the offset has four bytes so that it reaches everywhere. */
static void do_access(struct fuzz *f, bool write)
{
    const struct region_desc *region = take_region(f);
    unsigned size = 1 + (unsigned)(take(f, 1) & 7);
    uint64_t offset = take(f, 4);

    access_do(f, region, offset, size, write);
}

/* A register of `size` bytes, by its number: short, so that mutation finds sequences. */
static void do_register(struct fuzz *f, unsigned size, bool write)
{
    const struct region_desc *region = take_region(f);
    uint64_t offset = size * (size == 1 ? take(f, 2) : take(f, 1));

    access_do(f, region, offset, size, write);
}

static void do_config(struct fuzz *f, bool write)
{
    unsigned size = 1u << take(f, 1) % 3;
    unsigned offset = (unsigned)take(f, 1) & ~(size - 1);

    if (!f->class->pci) {
        return;
    }
    if (write) {
        uint32_t value = (uint32_t)take(f, size);

        trace(f, "config write %#x size %u value %#x", offset, size, value);
        fake_config_write(f->rig.device, offset, size, value);
    } else {
        uint32_t value = fake_config_read(f->rig.device, offset, size);

        trace(f, "config read %#x size %u gives %#x", offset, size, value);
    }
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void do_ram_bytes(struct fuzz *f)
{
    uint64_t at = take(f, 3) % RIG_RAM_SIZE;
    unsigned n = (unsigned)take(f, 1) % 64;

    trace(f, "%u bytes to RAM at %#" PRIx64, n, at);
    for (unsigned i = 0; i < n && at + i < RIG_RAM_SIZE; i++) {
        fake_ram(f->rig.fake)[at + i] = (uint8_t)take(f, 1);
    }
}

/* Fills RAM with words that DMA structures could have in them: small numbers, flags, addresses. */
static void do_ram_fill(struct fuzz *f)
{
    uint64_t at = take(f, 2) * 8 % RIG_RAM_SIZE;
    unsigned words = 1 + (unsigned)take(f, 1);
    uint64_t seed = take(f, 2) + 1;

    trace(f, "%u words to RAM at %#" PRIx64 " from seed %" PRIu64, words, at, seed);
    for (unsigned i = 0; i < words && at + 4 * i + 4 <= RIG_RAM_SIZE; i++) {
        uint64_t r = rig_random(&seed);
        uint32_t word = (uint32_t)r;

        switch (r >> 61) {
        case 0:
        case 1:
            word = 0;
            break;
        case 2:
            word &= 0xff;
            break;
        case 3:
            word &= 0xffff;
            break;
        case 4:
        case 5:
            word &= (RIG_RAM_SIZE - 1) & ~127u;
            break;
        default:
            break;
        }
        store_le32(fake_ram(f->rig.fake) + at + 4 * i, word);
    }
}

/* --- The world outside ------------------------------------------------------------------------ */

static void do_advance(struct fuzz *f)
{
    unsigned scale = (unsigned)take(f, 1);
    uint64_t ns = (uint64_t)(scale & 0xf) << (scale >> 4) * 2; /* up to 16 ms */

    trace(f, "advance %" PRIu64 " ns", ns);
    fake_advance(f->rig.fake, ns);
}

static void do_drive(struct fuzz *f)
{
    unsigned what = (unsigned)take(f, 1), drive = what >> 3 & 7;
    struct block_info info;

    if (!rig_has_drive(&f->rig, drive)) {
        return;
    }
    trace(f, "drive %u event %u", drive, what & 7);
    switch (what & 7) {
    case 0:
        fake_drive_hold(f->rig.device, drive, true);
        break;
    case 1:
        fake_drive_hold(f->rig.device, drive, false);
        break;
    case 2:
        fake_drive_fail(f->rig.device, drive, 1, -EIO);
        break;
    case 3:
        fake_drive_fail(f->rig.device, drive, 2, -EROFS);
        break;
    case 4:
    case 5:
        rig_drive_info(drive, false, &info);
        fake_drive_change(f->rig.device, drive, &info, f->rig.media[drive]);
        break;
    default:
        rig_drive_info(drive, true, &info);
        fake_drive_change(f->rig.device, drive, &info, f->rig.media[drive]);
        break;
    }
}

static void do_char(struct fuzz *f)
{
    unsigned what = (unsigned)take(f, 1), n = what & 31, port = what >> 5;
    uint8_t bytes[31];

    for (unsigned i = 0; i < n; i++) {
        bytes[i] = (uint8_t)take(f, 1);
    }
    if (port < f->class->n_ports && fake_char_waiting(f->rig.device, port) < FAKE_CHAR_MAX / 2) {
        trace(f, "%u characters to port %u", n, port);
        fake_char_input(f->rig.device, port, bytes, n);
    }
}

static void do_input(struct fuzz *f)
{
    const struct input_ops *ops = f->class->input;
    unsigned what = (unsigned)take(f, 1);
    uint16_t code = (uint16_t)take(f, 2);
    struct pointer_event event = { .dx = (int8_t)code,
                                   .dy = (int16_t)code >> 8,
                                   .x = code & POINTER_AXIS_MAX,
                                   .y = (code * 7u) & POINTER_AXIS_MAX,
                                   .wheel = (int)(what >> 4 & 3) - 1,
                                   .buttons = what >> 1 & 7 };

    if (!ops) {
        return;
    }
    trace(f, "input %#x %#x", what, code);
    if (ops->ready) {
        ops->ready(f->rig.device);
    }
    if (ops->leds) {
        ops->leds(f->rig.device);
    }
    if ((what & 1) && ops->pointer) {
        ops->pointer(f->rig.device, &event);
    } else if (ops->key) {
        ops->key(f->rig.device, code, what >> 1 & 1);
    }
}

static void do_event(struct fuzz *f)
{
    unsigned event = (unsigned)take(f, 1) % (EVENT_CLOCK + 1);

    if (f->class->on_event) {
        trace(f, "event %u", event);
        f->class->on_event(f->rig.device, event);
    }
}

static void do_display(struct fuzz *f)
{
    const struct display_ops *ops = f->class->display;
    uint32_t how = (uint32_t)take(f, 1);
    bool full = how & 1;
    unsigned head = 0;
    struct display_mode mode = { 0 };
    struct damage damage = { .n = 0 };
    struct text_cursor cursor;

    if (!ops) {
        return;
    }
    if (ops->heads) {
        head = (how >> 1) % ops->heads(f->rig.device);
    }
    ops->mode(f->rig.device, head, &mode);
    trace(f, "display %u x %u, %u x %u characters", mode.width, mode.height, mode.columns,
          mode.rows);
    if (mode.width < 1 || mode.height < 1 || mode.width > DISPLAY_WIDTH_MAX ||
        mode.height > DISPLAY_HEIGHT_MAX || mode.columns > DISPLAY_COLUMNS_MAX ||
        mode.rows > DISPLAY_ROWS_MAX) {
        fake_bug("a display mode out of its limits");
    }
    if (mode.text) {
        struct text_cell *cells = malloc(sizeof(*cells) * mode.columns * mode.rows);

        ops->text(f->rig.device, cells, mode.columns, mode.rows, &cursor);
        free(cells);
    }
    if ((uint64_t)mode.width * mode.height > PIXELS_MAX) {
        return;
    }
    struct surface surface = { malloc((size_t)mode.width * mode.height * 4), mode.width,
                               mode.height, mode.width };

    ops->render(f->rig.device, head, &surface, full, &damage);
    for (unsigned i = 0; i < damage.n; i++) {
        if (!range_fits(damage.rects[i].x, damage.rects[i].width, mode.width) ||
            !range_fits(damage.rects[i].y, damage.rects[i].height, mode.height)) {
            fake_bug("damage outside the picture");
        }
    }
    for (uint32_t i = 0; full && i < mode.width * mode.height; i++) {
        if (surface.pixels[i] < DISPLAY_OPAQUE) {
            fake_bug("a pixel that was not drawn or is not opaque");
        }
    }
    free(surface.pixels);
}

/* --- Slots ------------------------------------------------------------------------------------ */

static bool is_root_port(struct fuzz *f)
{
    return strcmp(f->class->name, "pcie-root-port") == 0;
}

static bool is_occupied(struct fuzz *f)
{
    unsigned at = to_pci(f->rig.device)->capability_pcie + 0x1au; /* slot status */

    return fake_config_read(f->rig.device, at, 2) & 0x40;
}

/* --- State ------------------------------------------------------------------------------------ */

static void check_quiet(struct fuzz *f)
{
    for (unsigned i = 0; i < f->class->n_irqs + (f->class->pci ? 1 : 0); i++) {
        if (fake_irq(f->rig.device, i)) {
            fake_bug("an interrupt output is high after a reset");
        }
    }
}

static void do_reset(struct fuzz *f)
{
    enum reset_kind kind = take(f, 1) & 1 ? RESET_WARM : RESET_COLD;

    trace(f, "reset %u", kind);
    device_reset(f->rig.device, kind);
    check_quiet(f);
}

/* Machines are saved when no request is in flight. */
static bool state_ready(struct fuzz *f)
{
    rig_settle(&f->rig);
    if (f->class->idle && !f->class->idle(f->rig.device)) {
        fake_bug("not idle although every request has been answered");
    }
    unsigned limit = f->class->n_memories > 0 ? STATE_OPERATIONS_LARGE : STATE_OPERATIONS_MAX;

    return f->state_operations++ < limit;
}

static void do_save_load(struct fuzz *f)
{
    /* A state comes back only where the slot holds the same; the twin's is empty. */
    if (!(is_root_port(f) && is_occupied(f)) && state_ready(f)) {
        trace(f, "save and load");
        if (!fake_save_load(f->rig.device)) {
            fake_bug("the saved state does not come back");
        }
    }
}

/* Changes bytes of a saved state and loads it: refused, or whatever follows must be survived. */
static void do_load_changed(struct fuzz *f)
{
    unsigned changes = 1 + (unsigned)take(f, 1) % 8;
    struct dev_error error = { "" };
    size_t size;

    if (!state_ready(f)) {
        return;
    }
    uint8_t *state = rig_save(&f->rig, &size);

    for (unsigned i = 0; i < changes && size > 16; i++) {
        size_t at = 16 + take(f, 2) % (size - 16);

        state[at] = (uint8_t)take(f, 1);
    }
    rig_state_seal(state, size);
    if (device_load(f->rig.device, state, size, &error) == 0) {
        trace(f, "loaded a state with %u changes", changes);
        device_restored(f->rig.device);
    } else {
        trace(f, "load refused: %s", error.message);
    }
    free(state);
}

/* --- Hot plug --------------------------------------------------------------------------------- */

/* What the machine tells a root port of its slot; it never does what makes no sense. */
static void do_slot(struct fuzz *f, unsigned what)
{
    bool occupied = is_occupied(f);

    trace(f, "slot %s, event %u", occupied ? "occupied" : "empty", what);
    if (!occupied) {
        root_port_insert(f->rig.device);
    } else if (what & 1) {
        root_port_remove(f->rig.device);
    } else {
        root_port_ask(f->rig.device);
    }
}

/* A function is taken out with what it has in flight, and a new one comes, placed or not. */
static void do_replug(struct fuzz *f, unsigned what)
{
    unsigned limit = f->class->n_memories > 0 ? STATE_OPERATIONS_LARGE : STATE_OPERATIONS_MAX;

    if (f->class->pci && f->state_operations++ < limit) {
        trace(f, "taken out and put in");
        rig_replug(&f->rig);
        if (what & 1) {
            rig_map(&f->rig);
        }
    }
}

static void do_plug(struct fuzz *f)
{
    unsigned what = (unsigned)take(f, 1);

    if (is_root_port(f) && (what & 0xc0)) {
        do_slot(f, what);
    } else {
        do_replug(f, what);
    }
}

/* --- One input -------------------------------------------------------------------------------- */

static void operation(struct fuzz *f)
{
    switch (take(f, 1) % 23) {
    case 0:
        do_access(f, false);
        break;
    case 1:
        do_access(f, true);
        break;
    case 2:
        do_register(f, 1, false);
        break;
    case 3:
    case 4:
        do_register(f, 1, true);
        break;
    case 5:
        do_register(f, 2, true);
        break;
    case 6:
        do_register(f, 4, false);
        break;
    case 7:
    case 8:
        do_register(f, 4, true);
        break;
    case 9:
        do_config(f, false);
        break;
    case 10:
        do_config(f, true);
        break;
    case 11:
        do_ram_bytes(f);
        break;
    case 12:
        do_ram_fill(f);
        break;
    case 13:
        do_advance(f);
        break;
    case 14:
        do_drive(f);
        break;
    case 15:
        do_char(f);
        break;
    case 16:
        do_input(f);
        break;
    case 17:
        do_event(f);
        break;
    case 18:
        do_display(f);
        break;
    case 19:
        do_reset(f);
        break;
    case 20:
        do_save_load(f);
        break;
    case 22:
        do_plug(f);
        break;
    default:
        do_load_changed(f);
        break;
    }
}

void fuzz_device(const struct device_class *class, const uint8_t *data, size_t size, FILE *trace_to)
{
    struct fuzz f = { .class = class, .in = { data, size }, .trace = trace_to };

    rig_open(&f.rig, class);
    rig_map(&f.rig);
    for (unsigned i = 0; i < OPERATIONS_MAX && f.in.left > 0; i++) {
        operation(&f);
    }
    if (size & 1) { /* half of the inputs end with what is in flight in flight */
        rig_settle(&f.rig);
        device_reset(f.rig.device, RESET_COLD);
        check_quiet(&f);
    }
    rig_close(&f.rig);
}
