/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "machine/serial.h"

#include <string.h>

/* Gives one port's output away. Main loop. */
static void output_give(struct serials *serials, struct serial *serial)
{
    void (*output)(void *context, const void *bytes, size_t n);
    g_autoptr(GByteArray) bytes = NULL;
    void *context;

    pthread_mutex_lock(&serials->lock);
    output = serial->output;
    context = serial->context;
    if (output && serial->out->len > 0) {
        bytes = serial->out;
        serial->out = g_byte_array_new();
    }
    pthread_mutex_unlock(&serials->lock);
    if (bytes) {
        output(context, bytes->data, bytes->len);
    }
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct serials *serials = data;

    g_source_set_ready_time(source, -1);
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        output_give(serials, &serials->ports[i]);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean source_callback(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_functions = { .dispatch = source_dispatch };

void serials_init(struct serials *serials)
{
    *serials = (struct serials){ 0 };
    pthread_mutex_init(&serials->lock, NULL);
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        serials->ports[i].out = g_byte_array_new();
        serials->ports[i].in = g_byte_array_new();
    }
    serials->source = g_source_new(&source_functions, sizeof(GSource));
    g_source_set_static_name(serials->source, "serial output");
    g_source_set_callback(serials->source, source_callback, serials, NULL);
    g_source_attach(serials->source, g_main_context_get_thread_default());
}

void serials_destroy(struct serials *serials)
{
    if (!serials->source) {
        return;
    }
    g_source_destroy(serials->source);
    g_source_unref(serials->source);
    serials->source = NULL;
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        g_byte_array_unref(serials->ports[i].out);
        g_byte_array_unref(serials->ports[i].in);
    }
    pthread_mutex_destroy(&serials->lock);
}

void serial_write(struct serials *serials, unsigned port, const void *bytes, size_t n)
{
    struct serial *serial = &serials->ports[port];
    bool wake;

    pthread_mutex_lock(&serials->lock);
    serial->written += n;
    if (n > SERIAL_OUTPUT_MAX) {
        serial->dropped += n - SERIAL_OUTPUT_MAX;
        bytes = (const uint8_t *)bytes + (n - SERIAL_OUTPUT_MAX);
        n = SERIAL_OUTPUT_MAX;
    }
    if (serial->out->len + n > SERIAL_OUTPUT_MAX) {
        size_t excess = serial->out->len + n - SERIAL_OUTPUT_MAX;

        /* A good deal at once, or a port that nobody listens to would move all bytes for each one.
         */
        excess = MAX(excess, MIN(serial->out->len, SERIAL_OUTPUT_MAX / 4));
        g_byte_array_remove_range(serial->out, 0, (guint)excess);
        serial->dropped += excess;
    }
    wake = serial->output != NULL && serial->out->len == 0;
    g_byte_array_append(serial->out, bytes, (guint)n);
    pthread_mutex_unlock(&serials->lock);
    if (wake) {
        g_source_set_ready_time(serials->source, 0);
    }
}

size_t serial_read(struct serials *serials, unsigned port, void *bytes, size_t n)
{
    struct serial *serial = &serials->ports[port];

    pthread_mutex_lock(&serials->lock);
    n = MIN(n, serial->in->len);
    if (n > 0) {
        memcpy(bytes, serial->in->data, n);
        g_byte_array_remove_range(serial->in, 0, (guint)n);
        serial->read += n;
    }
    pthread_mutex_unlock(&serials->lock);
    return n;
}

void serial_set_output(struct serials *serials, unsigned port,
                       void (*output)(void *context, const void *bytes, size_t n), void *context)
{
    pthread_mutex_lock(&serials->lock);
    serials->ports[port].output = output;
    serials->ports[port].context = context;
    pthread_mutex_unlock(&serials->lock);
    g_source_set_ready_time(serials->source, 0);
}

size_t serial_input(struct serials *serials, unsigned port, const void *bytes, size_t n)
{
    struct serial *serial = &serials->ports[port];

    pthread_mutex_lock(&serials->lock);
    n = MIN(n, SERIAL_INPUT_MAX - serial->in->len);
    g_byte_array_append(serial->in, bytes, (guint)n);
    pthread_mutex_unlock(&serials->lock);
    return n;
}
