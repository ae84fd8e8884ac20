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

/* Shows the shape, or none if it is hidden. The client's thread. */
void vnc_cursor_set(rfbScreenInfoPtr screen, const struct display_cursor *cursor);
/* Where it is; for clients that have it drawn. The client's thread. */
void vnc_cursor_move(rfbScreenInfoPtr screen, const struct display_cursor *cursor);

/* Makes the QEMU extended key event known to LibVNCServer; once or again. */
void vnc_keys_register(void);

#endif
