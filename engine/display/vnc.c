/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VNC server, by LibVNCServer (RFB 3.8; raw, zrle, tight and the others that the library has), as a
 * module.
 *
 * LibVNCServer waits for a client in the middle of its messages and while it sends, so every client
 * has a thread and a screen of its own (vnc_viewer.c): a slow or hostile client holds up neither
 * the machine nor the other clients.
 */
#include <stdarg.h>
#include <unistd.h>

#include "display/server.h"
#include "display/vnc_private.h"

struct vnc {
    char *name;
    char *passwords[2];
    struct vnc_viewer *viewers[DISPLAY_SERVER_CLIENTS_MAX];
};

static void log_quietly(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_logv("oriel-vnc", G_LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

static void *vnc_start(struct console *console, struct input *input, const char *name,
                       const char *password)
{
    struct vnc *vnc = g_new0(struct vnc, 1);

    rfbLog = rfbErr = log_quietly;
    vnc->name = g_strdup(name);
    vnc->passwords[0] = g_strdup(password);
    vnc_keys_register();
    vnc_pointer_register();
    for (unsigned i = 0; i < DISPLAY_SERVER_CLIENTS_MAX; i++) {
        vnc->viewers[i] =
            vnc_viewer_new(console, input, vnc->name, password ? vnc->passwords : NULL);
    }
    return vnc;
}

static void vnc_add_client(void *server, int fd)
{
    struct vnc *vnc = server;

    for (unsigned i = 0; i < DISPLAY_SERVER_CLIENTS_MAX; i++) {
        if (vnc_viewer_is_free(vnc->viewers[i])) {
            vnc_viewer_start(vnc->viewers[i], fd);
            return;
        }
    }
    close(fd);
}

static void vnc_stop(void *server)
{
    struct vnc *vnc = server;

    for (unsigned i = 0; i < DISPLAY_SERVER_CLIENTS_MAX; i++) {
        vnc_viewer_free(vnc->viewers[i]);
    }
    g_free(vnc->passwords[0]);
    g_free(vnc->name);
    g_free(vnc);
}

extern const struct display_server display_server;
const struct display_server display_server = {
    .start = vnc_start,
    .add_client = vnc_add_client,
    .stop = vnc_stop,
};
