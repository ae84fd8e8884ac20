/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The half of a VNC client that a thread of its own does with LibVNCServer: it waits for the client
 * and for what the main loop notes, shows picture and cursor, and sends keys and pointer on. See
 * vnc_viewer_private.h.
 */
#include "display/vnc_viewer_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "common/keys.h"

enum {
    CLIENT_WAIT_MS = 20000, /* a client that takes nothing for so long is disconnected */
    BITS_PER_SAMPLE = 8,
    SAMPLES = 3,
};

/* --- Input ------------------------------------------------------------------------------------ */

static void event_send(struct vnc_viewer *viewer, const struct input_event *event)
{
    pthread_mutex_lock(&viewer->mutex);
    while (viewer->n_events == EVENTS_MAX && !viewer->quit) {
        pthread_cond_wait(&viewer->served, &viewer->mutex);
    }
    if (!viewer->quit) {
        viewer->events[viewer->n_events++] = *event;
    }
    pthread_mutex_unlock(&viewer->mutex);
    g_source_set_ready_time(viewer->source, 0);
}

void vnc_client_key(rfbClientPtr client, uint16_t code, bool down)
{
    if (code != 0 && code < KEYS_MAX) {
        event_send(client->screen->screenData,
                   &(struct input_event){ .kind = EVENT_KEY, .code = code, .down = down });
    }
}

bool vnc_client_announce(rfbClientPtr client, int encoding, uint16_t x)
{
    struct {
        rfbFramebufferUpdateMsg update;
        uint8_t rect[sz_rfbFramebufferUpdateRectHeader];
    } __attribute__((packed)) message = {
        .update = { .type = rfbFramebufferUpdate, .nRects = Swap16IfLE(1) },
    };
    rfbFramebufferUpdateRectHeader header = { .r = { .x = Swap16IfLE(x) },
                                              .encoding = Swap32IfLE((uint32_t)encoding) };

    memcpy(message.rect, &header, sizeof(message.rect));
    return rfbWriteExact(client, (const char *)&message, sizeof(message)) >= 0;
}

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    vnc_client_key(client, key_from_keysym(keysym), down);
}

static void on_pointer(int mask, int x, int y, rfbClientPtr client)
{
    struct vnc_viewer *viewer = client->screen->screenData;
    struct input_event event;

    vnc_pointer_event(viewer, mask, x, y, &event);
    event_send(viewer, &event);
}

static void on_gone(rfbClientPtr client)
{
    struct vnc_viewer *viewer = client->screen->screenData;

    vnc_keys_client_gone(client);
    viewer->client = NULL;
}

static enum rfbNewClientAction on_client(rfbClientPtr client)
{
    client->clientGoneHook = on_gone;
    return RFB_CLIENT_ACCEPT;
}

/* --- Picture ---------------------------------------------------------------------------------- */

/* Gets what the console has noted. */
static void picture_fetch(struct vnc_viewer *viewer)
{
    pthread_mutex_lock(&viewer->mutex);
    if (viewer->resized || viewer->noted.n > 0) {
        viewer->copy_wanted = true;
        g_source_set_ready_time(viewer->source, 0);
        while (viewer->copy_wanted && !viewer->quit) {
            pthread_cond_wait(&viewer->served, &viewer->mutex);
        }
    }
    pthread_mutex_unlock(&viewer->mutex);
}

/* The library knows one order of colours only and has to be told ours each time. */
static void framebuffer_set(struct vnc_viewer *viewer)
{
    rfbScreenInfoPtr screen = viewer->screen;

    rfbNewFramebuffer(screen, (char *)viewer->pixels, (int)viewer->width, (int)viewer->height,
                      BITS_PER_SAMPLE, SAMPLES, BYTES_PER_PIXEL);
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
    if (viewer->client) {
        screen->setTranslateFunction(viewer->client);
    }
}

static void picture_publish(struct vnc_viewer *viewer)
{
    if (viewer->fresh_size) {
        /* The library scales into pictures whose size it does not change with ours. */
        if (viewer->client && viewer->client->scaledScreen != viewer->screen) {
            rfbCloseClient(viewer->client);
        }
        framebuffer_set(viewer);
        viewer->fresh_size = false;
    }
    g_clear_pointer(&viewer->old_pixels, g_free);
    for (unsigned i = 0; i < viewer->fresh.n; i++) {
        const struct rect *r = &viewer->fresh.rects[i];

        rfbMarkRectAsModified(viewer->screen, (int)r->x, (int)r->y, (int)(r->x + r->width),
                              (int)(r->y + r->height));
    }
    viewer->fresh.n = 0;
}

static struct surface surface_of(const struct vnc_viewer *viewer)
{
    return (struct surface){ viewer->pixels, viewer->width, viewer->height, viewer->width };
}

/* Gets the cursor that the console has noted; `changes`: it looks different now. */
static bool cursor_fetch(struct vnc_viewer *viewer, bool *changes)
{
    const struct display_cursor before = viewer->shown;
    bool noted;

    pthread_mutex_lock(&viewer->mutex);
    noted = viewer->cursor_noted;
    viewer->cursor_noted = false;
    if (noted) {
        viewer->shown = viewer->cursor;
    }
    pthread_mutex_unlock(&viewer->mutex);
    *changes = viewer->shown.shape != before.shape || viewer->shown.visible != before.visible;
    return noted;
}

static void place_mark(struct vnc_viewer *viewer, const struct rect *place)
{
    if (place->width > 0 && place->height > 0) {
        rfbMarkRectAsModified(viewer->screen, (int)place->x, (int)place->y,
                              (int)(place->x + place->width), (int)(place->y + place->height));
    }
}

/* Shows the cursor as it is now. `place`: where it was in the picture, from which it was lifted. */
static void cursor_publish(struct vnc_viewer *viewer, const struct rect *place)
{
    const struct surface surface = surface_of(viewer);
    bool knows_cursors = viewer->client && viewer->client->enableCursorShapeUpdates;
    bool changes, noted = cursor_fetch(viewer, &changes);

    if (knows_cursors ? changes || !viewer->sends_shape : viewer->sends_shape) {
        vnc_cursor_send(viewer->screen, knows_cursors ? &viewer->shown : NULL);
    }
    viewer->sends_shape = knows_cursors;
    if (!knows_cursors) {
        vnc_cursor_paint(&viewer->painted, &viewer->shown, &surface);
    }
    if (noted || knows_cursors) {
        place_mark(viewer, place);
        place_mark(viewer, &viewer->painted.place);
    }
}

/* The picture as the guest has it, then the cursor. */
static void publish(struct vnc_viewer *viewer)
{
    const struct rect place = viewer->painted.place;
    const struct surface surface = surface_of(viewer);
    bool is_new;

    vnc_cursor_lift(&viewer->painted, &surface);
    picture_fetch(viewer);
    is_new = viewer->fresh_size;
    picture_publish(viewer);
    cursor_publish(viewer, is_new ? &(struct rect){ .width = 0 } : &place);
}

/* --- The thread ------------------------------------------------------------------------------- */

/* Sleeps until the client speaks or the main loop has something; false at the end. */
static bool work_wait(struct vnc_viewer *viewer)
{
    struct pollfd fds[2] = { { .fd = viewer->wake, .events = POLLIN },
                             { .fd = (int)viewer->client->sock, .events = POLLIN } };
    uint64_t count;
    bool quit;

    poll(fds, G_N_ELEMENTS(fds), -1);
    if ((fds[0].revents & POLLIN) && read(viewer->wake, &count, sizeof(count)) < 0) {
        g_assert(errno == EAGAIN);
    }
    pthread_mutex_lock(&viewer->mutex);
    quit = viewer->quit;
    pthread_mutex_unlock(&viewer->mutex);
    return !quit;
}

static void greeting_note(struct vnc_viewer *viewer)
{
    bool tell;

    pthread_mutex_lock(&viewer->mutex);
    tell = !viewer->greeted;
    viewer->greeted = true;
    pthread_mutex_unlock(&viewer->mutex);
    if (tell) {
        g_source_set_ready_time(viewer->source, 0);
    }
}

/* The library's part of a new connection: it sends, and may wait for the client. */
static void client_begin(struct vnc_viewer *viewer)
{
    int fd = fcntl(viewer->socket, F_DUPFD_CLOEXEC, 0);

    framebuffer_set(viewer);
    viewer->fresh_size = false;
    viewer->fresh.n = 0;
    vnc_pointer_begin(viewer);
    viewer->painted.place.height = 0; /* it is the picture of another client */
    if (fd >= FD_SETSIZE) {           /* the library keeps descriptors in an fd_set */
        close(fd);
    } else if (fd >= 0) {
        viewer->client = rfbNewClient(viewer->screen, fd); /* closes it if it refuses */
    }
}

void *vnc_thread_run(void *context)
{
    struct vnc_viewer *viewer = context;
    sigset_t all;

    pthread_setname_np(pthread_self(), "vnc");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    client_begin(viewer);
    while (viewer->client && work_wait(viewer)) {
        publish(viewer);
        vnc_pointer_publish(viewer);
        rfbProcessEvents(viewer->screen, 0);
        if (viewer->client && viewer->client->state == RFB_NORMAL) {
            greeting_note(viewer);
        }
    }
    if (viewer->client) {
        rfbCloseClient(viewer->client);
        rfbClientConnectionGone(viewer->client);
    }
    pthread_mutex_lock(&viewer->mutex);
    viewer->over = true;
    pthread_mutex_unlock(&viewer->mutex);
    g_source_set_ready_time(viewer->source, 0);
    return NULL;
}

rfbScreenInfoPtr vnc_thread_screen_new(struct vnc_viewer *viewer, const char *name,
                                       char **passwords)
{
    rfbScreenInfoPtr screen =
        rfbGetScreen(NULL, NULL, 1, 1, BITS_PER_SAMPLE, SAMPLES, BYTES_PER_PIXEL);

    screen->desktopName = name;
    screen->screenData = viewer;
    screen->alwaysShared = TRUE;
    screen->cursor = NULL; /* none yet */
    screen->deferUpdateTime = 0;
    screen->maxClientWait = CLIENT_WAIT_MS;
    screen->port = screen->ipv6port = -1;
    screen->newClientHook = on_client;
    screen->kbdAddEvent = on_key;
    screen->ptrAddEvent = on_pointer;
    if (passwords) {
        screen->authPasswdData = passwords;
        screen->passwordCheck = rfbCheckPasswordByList;
    }
    rfbInitServer(screen);
    return screen;
}
