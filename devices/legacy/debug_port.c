/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The debug console at I/O port 0x402 to which SeaBIOS and debug builds of OVMF write their log, a
 * byte at a time. Reading it gives 0xE9: that is how the firmware finds out that somebody listens.
 *
 * There is no specification beyond the firmware's own sources. Bytes are collected into lines,
 * which go to character port 0; a line longer than LINE_MAX_BYTES goes out in pieces. Nothing can
 * fail.
 */
#include <string.h>

#include "device.h"
#include "services.h"
#include "state.h"

enum {
    PORT = 0x402,
    PRESENT = 0xe9,
    LINE_MAX_BYTES = 256,
};

struct debug_port {
    struct device device;
    bool enabled;
    uint16_t length; /* bytes in `line` */
    uint8_t line[LINE_MAX_BYTES];
};

static void line_flush(struct debug_port *d)
{
    if (d->length > 0) {
        d->device.services->char_write(&d->device, 0, d->line, d->length);
        d->length = 0;
    }
}

static uint64_t debug_port_read(struct device *device, uint64_t offset, unsigned size)
{
    return PRESENT;
}

static void debug_port_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct debug_port *d = (struct debug_port *)device;

    d->line[d->length++] = (uint8_t)value;
    if (value == '\n' || d->length == LINE_MAX_BYTES) {
        line_flush(d);
    }
}

static void debug_port_reset(struct device *device, enum reset_kind kind)
{
    struct debug_port *d = (struct debug_port *)device;

    line_flush(d);
    memset(d->line, 0, sizeof(d->line));
    if (!d->enabled) {
        device->services->region_remove(device, 0);
    }
}

static const struct option_desc debug_port_options[] = {
    { "enabled", OPTION_BOOL, offsetof(struct debug_port, enabled), 0, 0, "true",
      "whether the firmware finds the port" },
    { NULL },
};

static const struct region_desc debug_port_regions[] = {
    {
        .name = "debug",
        .space = REGION_PIO,
        .base = PORT,
        .size = 1,
        .read_sizes = SIZE_1,
        .write_sizes = SIZE_1,
        .read = debug_port_read,
        .write = debug_port_write,
    },
};

static const struct state_field debug_port_fields[] = {
    FIELD_MAX(struct debug_port, length, LINE_MAX_BYTES - 1),
    FIELD_ARRAY(struct debug_port, line),
    FIELD_END,
};

const struct device_class debug_port_class = {
    .name = "debug-port",
    .version = 1,
    .state_size = sizeof(struct debug_port),
    .description = "firmware debug console",
    .options = debug_port_options,
    .regions = debug_port_regions,
    .n_regions = 1,
    .n_ports = 1,
    .fields = debug_port_fields,
    .reset = debug_port_reset,
};
