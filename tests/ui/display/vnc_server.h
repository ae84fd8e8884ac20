/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A VNC server of LibVNCServer on a thread of its own, which notes what clients send. */
#ifndef TESTS_VNC_SERVER_H
#define TESTS_VNC_SERVER_H

#include <glib.h>
#include <rfb/rfb.h>
#include <stdbool.h>

/* Of the picture at first. */
enum {
    WIDTH = 320,
    HEIGHT = 200,
};

struct server {
    rfbScreenInfoPtr screen;
    GThread *thread;
    GMutex mutex; /* of what follows */
    GString *log; /* "key SYM DOWN\n", "pointer MASK X Y\n" */
    gboolean quit;
    guint32 *pixels;
    guint32 *next_pixels; /* to become the picture, with these sizes; owned by the server then */
    int next_width, next_height;
};

/* On any port of this computer. `password`: which it asks for, or NULL. */
struct server *server_new(const char *password);
/* Disconnects its clients. */
void server_free(struct server *server);
/* "127.0.0.1:5901". g_free(). */
char *server_address(struct server *server);
bool server_log_has(struct server *server, const char *text);

/* A picture of these sizes that differs with the seed: 0xRRGGBB. g_free(). */
guint32 *pixels_new(int width, int height, guint seed);

#endif
