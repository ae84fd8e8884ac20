/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the VNC module share. */
#ifndef ENGINE_VNC_PRIVATE_H
#define ENGINE_VNC_PRIVATE_H

#include <rfb/rfb.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/console.h"
#include "input/input_router.h"

struct vnc_viewer;

/*
 * Makes a place for one client at a time. Main loop, before any other one has a client:
 * LibVNCServer initializes a mutex of the whole library with every screen. `name` and `passwords`
 * (NULL-terminated, or NULL: none is asked for) stay the caller's.
 */
struct vnc_viewer *vnc_viewer_new(struct console *console, struct input *input, const char *name,
                                  char **passwords);
/* Disconnects its client. Main loop. */
void vnc_viewer_free(struct vnc_viewer *viewer);
/* True while it has no client. Main loop. */
bool vnc_viewer_is_free(const struct vnc_viewer *viewer);
/* Takes over a connected socket. The viewer is free. Main loop. */
void vnc_viewer_start(struct vnc_viewer *viewer, int fd);

/* A key of a client, by evdev code; 0 is ignored. The client's thread. */
void vnc_client_key(rfbClientPtr client, uint16_t code, bool down);
/* Sends an empty rectangle of a pseudo-encoding; false if the client is gone. Its thread. */
bool vnc_client_announce(rfbClientPtr client, int encoding, uint16_t x);

/* Sends the shape to the client, which knows cursors; none if it is hidden or NULL. The client's
 * thread. */
void vnc_cursor_send(rfbScreenInfoPtr screen, const struct display_cursor *cursor);

/* A cursor in a client's copy of the picture. */
struct vnc_painted {
    struct rect place; /* that it covers; empty: there is none */
    uint32_t covered[DISPLAY_CURSOR_SIDE * DISPLAY_CURSOR_SIDE]; /* what was there, by lines */
};

/* Paints it, unless it is hidden or outside. There is none in the picture. The client's thread. */
void vnc_cursor_paint(struct vnc_painted *painted, const struct display_cursor *cursor,
                      const struct surface *surface);
/* Brings back what it covers. The surface is the one that it was painted into. */
void vnc_cursor_lift(struct vnc_painted *painted, const struct surface *surface);

/* Makes the QEMU extended key event known to LibVNCServer; once or again. */
void vnc_keys_register(void);
/* What LibVNCServer keeps of all such extensions for a client; from its clientGoneHook. */
void vnc_keys_client_gone(rfbClientPtr client);
/* Makes the QEMU Pointer Motion Change known to it; once or again. */
void vnc_pointer_register(void);

#endif
