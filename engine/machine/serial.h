/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Character ports: what the serial ports and the firmware's debug console say and are told. Output
 * is kept, oldest dropped, until somebody takes it on the main loop, in batches.
 *
 * Threads: serial_write() and serial_read() in the device's domain; the rest from any, serial's
 * callback on the main loop.
 */
#ifndef ENGINE_SERIAL_H
#define ENGINE_SERIAL_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum {
    SERIAL_DEBUG_PORT = CONFIG_SERIALS_MAX, /* the firmware's log */
    SERIAL_CONSOLE_PORT,                    /* the virtio console's, */
    SERIAL_CONSOLE_PORTS = 4,               /* of which it has as many */
    SERIAL_PORTS = SERIAL_CONSOLE_PORT + SERIAL_CONSOLE_PORTS,
    SERIAL_OUTPUT_MAX = 64 << 10, /* bytes kept */
    SERIAL_INPUT_MAX = 4 << 10,
};

struct machine_device;

struct serial {
    GByteArray *out; /* not yet given away */
    GByteArray *in;
    void (*output)(void *context, const void *bytes, size_t n);
    void *context;
    uint64_t written, dropped, read;
    struct machine_device *record; /* whose port it is, and which of its ports */
    unsigned port;
};

struct serials {
    pthread_mutex_t lock;
    GSource *source; /* on the main loop: output waits */
    struct serial ports[SERIAL_PORTS];
};

/* On the main loop's thread. */
void serials_init(struct serials *serials);
void serials_destroy(struct serials *serials);

/* What the guest sends; the oldest bytes are dropped when more than SERIAL_OUTPUT_MAX wait. */
void serial_write(struct serials *serials, unsigned port, const void *bytes, size_t n);
/* Takes up to `n` bytes for the guest; how many there were. */
size_t serial_read(struct serials *serials, unsigned port, void *bytes, size_t n);
/* Who gets what the guest sends, on the main loop; NULL: nobody, and it is kept. */
void serial_set_output(struct serials *serials, unsigned port,
                       void (*output)(void *context, const void *bytes, size_t n), void *context);
/* Returns how many bytes were taken; the device has to be told. */
size_t serial_input(struct serials *serials, unsigned port, const void *bytes, size_t n);

#endif
