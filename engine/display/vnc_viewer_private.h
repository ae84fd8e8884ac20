/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One VNC client, in two halves: the main loop's (vnc_viewer.c), and a thread that serves it with
 * LibVNCServer (vnc_thread.c).
 *
 * The thread has a copy of the picture. The console's callbacks only note what changed; when the
 * thread is free, it asks the main loop to copy the noted rectangles and waits for that short copy.
 * While a note waits, the viewer reports itself busy and the console does not draw for it. Keys and
 * pointer go to the main loop through a short queue; a client that sends more than the machine
 * takes waits.
 *
 * The client's pointer gives places, or motion if the guest reads a mouse and the client knows how
 * (vnc_pointer.c). Keys go by place, not by symbol, when the client knows the QEMU extended key
 * event (vnc_keys.c); otherwise by the place the symbol has on a US keyboard. Keys and buttons that
 * a client holds when it goes are let go.
 *
 * Whatever the library waits for, shutdown() of the socket ends it: at the end of the server, and
 * when a client does not get through the handshake in time.
 */
#ifndef ENGINE_VNC_VIEWER_PRIVATE_H
#define ENGINE_VNC_VIEWER_PRIVATE_H

#include <glib.h>
#include <pthread.h>
#include <rfb/rfb.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/console.h"
#include "display/vnc_private.h"
#include "input/input_router.h"

enum {
    EVENTS_MAX = 64,
    KEYS_MAX = 256, /* evdev codes that a client can press */
    BYTES_PER_PIXEL = 4,
};

enum input_event_kind {
    EVENT_KEY,
    EVENT_POINTER, /* at a place */
    EVENT_MOTION,
};

struct input_event {
    enum input_event_kind kind;
    bool down;
    uint16_t code;
    uint32_t x, y, width, height;
    int dx, dy;
    unsigned buttons;
    int wheel;
};

struct vnc_viewer {
    /* Of the main loop. */
    struct console *console;
    struct input *input;
    struct console_watcher watcher;
    struct input_listener listener;
    GSource *source;   /* dispatched when the thread wants something */
    GSource *greeting; /* ends a client that is too slow; NULL when it is through */
    bool taken;        /* there is a client, and `thread` */
    pthread_t thread;
    bool pressed[KEYS_MAX];
    bool holds_buttons;
    int socket; /* the client's, a descriptor of our own */
    int wake;   /* eventfd: the thread shall look at what is under the mutex */

    pthread_mutex_t mutex;
    pthread_cond_t served; /* the main loop has copied, taken events, or wants the end */
    bool quit;             /* the thread shall end */
    bool over;             /* the thread has nothing more to do with the viewer */
    bool greeted;          /* the handshake is done */
    bool copy_wanted;
    bool resized;        /* the size, and so everything, changed */
    struct damage noted; /* changes not yet copied */
    struct display_cursor cursor;
    bool cursor_noted;  /* the thread has not seen it as it is */
    bool motion_wanted; /* the guest reads a mouse */
    const struct surface *surface;
    struct input_event events[EVENTS_MAX];
    unsigned n_events;

    /* The thread's own; during a copy the main loop writes them while that thread waits. */
    rfbScreenInfoPtr screen;
    rfbClientPtr client; /* NULL when it is gone */
    int buttons;         /* RFB button mask as last sent */
    bool knows_motion;   /* the client takes the QEMU Pointer Motion Change */
    bool gives_motion;   /* it has been told to */
    uint32_t *pixels, *old_pixels;
    uint32_t width, height;
    struct damage fresh;
    bool fresh_size;
    struct display_cursor shown; /* the guest's cursor */
    bool sends_shape;            /* the library has it, for a client that knows cursors */
    struct vnc_painted painted;  /* into `pixels`, for one that does not */
};

/* LibVNCServer's side of a viewer, without a client. `name` and `passwords` (NULL: none is asked
 * for) stay the caller's. Main loop. rfbScreenCleanup(). */
rfbScreenInfoPtr vnc_thread_screen_new(struct vnc_viewer *viewer, const char *name,
                                       char **passwords);
/* The thread: serves the client of viewer->socket until it goes or viewer->quit. Sets `over` as the
 * last thing. */
void *vnc_thread_run(void *viewer);

/* vnc_pointer.c, the thread: for a new client; tells it when the guest has another use for a
 * pointer; what a pointer event of RFB means. */
void vnc_pointer_begin(struct vnc_viewer *viewer);
void vnc_pointer_publish(struct vnc_viewer *viewer);
void vnc_pointer_event(struct vnc_viewer *viewer, int mask, int x, int y,
                       struct input_event *event);

#endif
