/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One VNC client: a thread that serves it with LibVNCServer, and what joins that thread to the main
 * loop.
 *
 * The thread has a copy of the picture. The console's callbacks only note what changed; when the
 * thread is free, it asks the main loop to copy the noted rectangles and waits for that short copy.
 * While a note waits, the viewer reports itself busy and the console does not draw for it. Keys and
 * pointer go to the main loop through a short queue; a client that sends more than the machine
 * takes waits.
 *
 * Keys go by place, not by symbol, when the client knows the QEMU extended key event (vnc_keys.c);
 * otherwise by the place the symbol has on a US keyboard. Keys that a client holds when it goes are
 * let go.
 *
 * Whatever the library waits for, shutdown() of the socket ends it: at the end of the server, and
 * when a client does not get through the handshake in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfb.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/vnc_private.h"
#include "common/keys.h"

enum {
    CLIENT_WAIT_MS = 20000, /* a client that takes nothing for so long is disconnected */
    GREETING_SECONDS = 15,  /* until it must be through the handshake */
    EVENTS_MAX = 64,
    KEYS_MAX = 256, /* evdev codes that a client can press */
    BITS_PER_SAMPLE = 8,
    SAMPLES = 3,
    BYTES_PER_PIXEL = 4,
};

struct input_event {
    bool is_key, down;
    uint16_t code;
    uint32_t x, y, width, height;
    unsigned buttons;
    int wheel;
};

struct vnc_viewer {
    /* Of the main loop. */
    struct console *console;
    struct input *input;
    struct console_watcher watcher;
    GSource *source;   /* dispatched when the thread wants something */
    GSource *greeting; /* ends a client that is too slow; NULL when it is through */
    bool taken;        /* there is a client, and `thread` */
    pthread_t thread;
    bool pressed[KEYS_MAX];
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
    bool cursor_noted; /* the thread has not seen it as it is */
    const struct surface *surface;
    struct input_event events[EVENTS_MAX];
    unsigned n_events;

    /* The thread's own; during a copy the main loop writes them while that thread waits. */
    rfbScreenInfoPtr screen;
    rfbClientPtr client; /* NULL when it is gone */
    int buttons;         /* RFB button mask as last sent */
    uint32_t *pixels, *old_pixels;
    uint32_t width, height;
    struct damage fresh;
    bool fresh_size;
    struct display_cursor shown; /* the guest's cursor */
    bool sends_shape;            /* the library has it, for a client that knows cursors */
    struct vnc_painted painted;  /* into `pixels`, for one that does not */
};

static void thread_wake(struct vnc_viewer *viewer)
{
    uint64_t one = 1;

    if (write(viewer->wake, &one, sizeof(one)) < 0) {
        g_assert(errno == EAGAIN); /* then it is awake already */
    }
}

/* --- Main loop: what the console says --------------------------------------------------------- */

static void on_resized(void *context, const struct surface *surface)
{
    struct vnc_viewer *viewer = context;

    pthread_mutex_lock(&viewer->mutex);
    viewer->surface = surface;
    viewer->resized = true;
    pthread_mutex_unlock(&viewer->mutex);
    thread_wake(viewer);
}

static void on_damaged(void *context, const struct surface *surface, const struct damage *damage)
{
    struct vnc_viewer *viewer = context;

    pthread_mutex_lock(&viewer->mutex);
    for (unsigned i = 0; i < damage->n; i++) {
        const struct rect *r = &damage->rects[i];

        damage_add(&viewer->noted, r->x, r->y, r->width, r->height);
    }
    pthread_mutex_unlock(&viewer->mutex);
    thread_wake(viewer);
}

static void on_cursor(void *context, const struct display_cursor *cursor)
{
    struct vnc_viewer *viewer = context;

    pthread_mutex_lock(&viewer->mutex);
    viewer->cursor = *cursor;
    viewer->cursor_noted = true;
    pthread_mutex_unlock(&viewer->mutex);
    thread_wake(viewer);
}

static bool is_busy(void *context)
{
    struct vnc_viewer *viewer = context;
    bool busy;

    pthread_mutex_lock(&viewer->mutex);
    busy = viewer->resized || viewer->noted.n > 0;
    pthread_mutex_unlock(&viewer->mutex);
    return busy;
}

/* --- Main loop: what the thread wants --------------------------------------------------------- */

static void copy_rect(struct vnc_viewer *viewer, const struct rect *r)
{
    for (uint32_t y = r->y; y < r->y + r->height; y++) {
        memcpy(viewer->pixels + (size_t)y * viewer->width + r->x,
               viewer->surface->pixels + (size_t)y * viewer->surface->stride + r->x,
               (size_t)r->width * BYTES_PER_PIXEL);
    }
}

/* Takes over size and pixels; the thread waits or does not run. Under the mutex. */
static void picture_copy(struct vnc_viewer *viewer)
{
    if (viewer->resized) {
        viewer->old_pixels = viewer->pixels;
        viewer->width = viewer->surface->width;
        viewer->height = viewer->surface->height;
        viewer->pixels = g_new(uint32_t, (size_t)viewer->width * viewer->height);
        viewer->noted =
            (struct damage){ .rects = { { 0, 0, viewer->width, viewer->height } }, .n = 1 };
        viewer->fresh_size = true;
        viewer->resized = false;
    }
    for (unsigned i = 0; i < viewer->noted.n; i++) {
        copy_rect(viewer, &viewer->noted.rects[i]);
    }
    viewer->fresh = viewer->noted;
    viewer->noted.n = 0;
    viewer->copy_wanted = false;
}

static void event_give(struct vnc_viewer *viewer, const struct input_event *event)
{
    if (event->is_key) {
        viewer->pressed[event->code] = event->down;
        input_key(viewer->input, event->code, event->down);
    } else {
        struct desktop_place place = { event->x, event->y, event->width, event->height };

        console_place(viewer->console, &place);
        input_pointer(viewer->input, place.x, place.y, place.width, place.height, event->buttons,
                      event->wheel);
    }
    console_wake(viewer->console);
}

static void greeting_end(struct vnc_viewer *viewer)
{
    if (viewer->greeting) {
        g_source_destroy(viewer->greeting);
        g_clear_pointer(&viewer->greeting, g_source_unref);
    }
}

/* Gives everything back; the thread has ended or ends by itself. */
static void client_end(struct vnc_viewer *viewer)
{
    pthread_join(viewer->thread, NULL);
    console_unwatch(viewer->console, &viewer->watcher);
    greeting_end(viewer);
    for (uint16_t code = 1; code < KEYS_MAX; code++) {
        if (viewer->pressed[code]) {
            input_key(viewer->input, code, false);
        }
    }
    memset(viewer->pressed, 0, sizeof(viewer->pressed));
    close(viewer->socket);
    g_clear_pointer(&viewer->pixels, g_free);
    g_clear_pointer(&viewer->old_pixels, g_free);
    viewer->taken = false;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct vnc_viewer *viewer = data;
    struct input_event events[EVENTS_MAX];
    unsigned n_events;
    bool copied, greeted, over;

    g_source_set_ready_time(source, -1);
    pthread_mutex_lock(&viewer->mutex);
    n_events = viewer->n_events;
    memcpy(events, viewer->events, n_events * sizeof(events[0]));
    viewer->n_events = 0;
    copied = viewer->copy_wanted;
    if (copied) {
        picture_copy(viewer);
    }
    greeted = viewer->greeted;
    over = viewer->over;
    pthread_cond_signal(&viewer->served);
    pthread_mutex_unlock(&viewer->mutex);
    if (copied) {
        console_ready(viewer->console);
    }
    for (unsigned i = 0; i < n_events; i++) {
        event_give(viewer, &events[i]);
    }
    if (greeted) {
        greeting_end(viewer);
    }
    if (over) {
        client_end(viewer);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean source_callback(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static gboolean greeting_over(gpointer data)
{
    struct vnc_viewer *viewer = data;

    shutdown(viewer->socket, SHUT_RDWR);
    g_clear_pointer(&viewer->greeting, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* --- Thread: input ---------------------------------------------------------------------------- */

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
                   &(struct input_event){ .is_key = true, .code = code, .down = down });
    }
}

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    vnc_client_key(client, key_from_keysym(keysym), down);
}

static void on_pointer(int mask, int x, int y, rfbClientPtr client)
{
    struct vnc_viewer *viewer = client->screen->screenData;
    struct input_event event = { .width = viewer->width, .height = viewer->height };
    int pressed = mask & ~viewer->buttons;

    event.x = (uint32_t)CLAMP(x, 0, (int)viewer->width - 1);
    event.y = (uint32_t)CLAMP(y, 0, (int)viewer->height - 1);
    event.buttons = (mask & 1 ? POINTER_LEFT : 0u) | (mask & 2 ? POINTER_MIDDLE : 0u) |
                    (mask & 4 ? POINTER_RIGHT : 0u);
    event.wheel = (pressed & 8 ? 1 : 0) - (pressed & 16 ? 1 : 0);
    viewer->buttons = mask;
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

/* --- Thread: picture -------------------------------------------------------------------------- */

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

/* --- Thread ----------------------------------------------------------------------------------- */

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
    viewer->buttons = 0;
    viewer->painted.place.height = 0; /* it is the picture of another client */
    if (fd >= FD_SETSIZE) {           /* the library keeps descriptors in an fd_set */
        close(fd);
    } else if (fd >= 0) {
        viewer->client = rfbNewClient(viewer->screen, fd); /* closes it if it refuses */
    }
}

static void *viewer_thread(void *context)
{
    struct vnc_viewer *viewer = context;
    sigset_t all;

    pthread_setname_np(pthread_self(), "vnc");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    client_begin(viewer);
    while (viewer->client && work_wait(viewer)) {
        publish(viewer);
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

/* --- Life ------------------------------------------------------------------------------------- */

static rfbScreenInfoPtr screen_new(struct vnc_viewer *viewer, const char *name, char **passwords)
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

struct vnc_viewer *vnc_viewer_new(struct console *console, struct input *input, const char *name,
                                  char **passwords)
{
    static GSourceFuncs functions = { .dispatch = source_dispatch };
    struct vnc_viewer *viewer = g_new0(struct vnc_viewer, 1);

    viewer->console = console;
    viewer->input = input;
    viewer->watcher =
        (struct console_watcher){ on_resized, on_damaged, is_busy, viewer, on_cursor };
    pthread_mutex_init(&viewer->mutex, NULL);
    pthread_cond_init(&viewer->served, NULL);
    viewer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    viewer->screen = screen_new(viewer, name, passwords);
    viewer->source = g_source_new(&functions, sizeof(GSource));
    g_source_set_static_name(viewer->source, "vnc");
    g_source_set_callback(viewer->source, source_callback, viewer, NULL);
    g_source_attach(viewer->source, g_main_context_get_thread_default());
    return viewer;
}

bool vnc_viewer_is_free(const struct vnc_viewer *viewer)
{
    return !viewer->taken;
}

void vnc_viewer_start(struct vnc_viewer *viewer, int fd)
{
    viewer->socket = fd;
    viewer->quit = viewer->over = viewer->greeted = viewer->copy_wanted = false;
    viewer->n_events = 0;
    viewer->noted.n = 0;
    console_watch(viewer->console, &viewer->watcher);
    pthread_mutex_lock(&viewer->mutex);
    picture_copy(viewer);
    pthread_mutex_unlock(&viewer->mutex);
    if (pthread_create(&viewer->thread, NULL, viewer_thread, viewer) != 0) {
        g_warning("A VNC client was refused: the computer cannot run another thread.");
        console_unwatch(viewer->console, &viewer->watcher);
        g_clear_pointer(&viewer->pixels, g_free);
        close(fd);
        return;
    }
    console_ready(viewer->console);
    viewer->taken = true;
    viewer->greeting = g_timeout_source_new_seconds(GREETING_SECONDS);
    g_source_set_callback(viewer->greeting, greeting_over, viewer, NULL);
    g_source_attach(viewer->greeting, g_main_context_get_thread_default());
}

void vnc_viewer_free(struct vnc_viewer *viewer)
{
    if (viewer->taken) {
        pthread_mutex_lock(&viewer->mutex);
        viewer->quit = true;
        pthread_cond_signal(&viewer->served);
        pthread_mutex_unlock(&viewer->mutex);
        shutdown(viewer->socket, SHUT_RDWR);
        thread_wake(viewer);
        client_end(viewer);
    }
    g_source_destroy(viewer->source);
    g_source_unref(viewer->source);
    rfbScreenCleanup(viewer->screen);
    pthread_cond_destroy(&viewer->served);
    pthread_mutex_destroy(&viewer->mutex);
    close(viewer->wake);
    g_free(viewer);
}
