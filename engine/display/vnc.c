/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VNC server, by LibVNCServer (RFB 3.8; raw, zrle, tight and the others that the library has), as a
 * module.
 *
 * LibVNCServer blocks while it sends, so it lives on a thread of its own and a slow or hostile
 * client never holds up the machine. That thread has a copy of the picture. The console's callbacks
 * only note what changed; when the thread is free, it asks the main loop to copy the noted
 * rectangles and waits for that short copy. While a note waits, the server reports itself busy and
 * the console does not draw for it.
 *
 * Keys go by place, not by symbol, when the client knows the QEMU extended key event (the protocol
 * extension in vnc_keys.c); otherwise by the place the symbol has on a US keyboard. Keys that a
 * client holds when it goes are let go.
 */
#include <errno.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "display/server.h"
#include "display/vnc_private.h"
#include "input/keys.h"

enum {
    CLIENT_WAIT_MS = 5000, /* a client that takes nothing for so long is disconnected */
    BITS_PER_SAMPLE = 8,
    SAMPLES = 3,
    BYTES_PER_PIXEL = 4,
};

struct vnc {
    struct console *console;
    struct input *input;
    struct console_watcher watcher;
    GMainContext *main;
    GThread *thread;
    int wake; /* eventfd: look at the fields below */
    char *name;
    char *passwords[2];

    /* Under the mutex. */
    GMutex mutex;
    GCond copied;
    bool quit;
    bool watching;                 /* noted: the console tells us changes */
    bool copy_wanted;              /* a copy has been asked of the main loop */
    GArray *arrivals;              /* int: sockets of new clients */
    struct damage noted;           /* changes not yet copied */
    bool resized;                  /* the size, and so everything, changed */
    const struct surface *surface; /* read by the main loop only */

    /* The VNC thread's own; during a copy the main loop writes them while that thread waits. */
    rfbScreenInfoPtr screen;
    uint32_t *pixels;
    uint32_t width, height;
    struct damage fresh;
    bool fresh_size;
    uint32_t *old_pixels;
};

static void wake(struct vnc *vnc)
{
    uint64_t one = 1;

    if (write(vnc->wake, &one, sizeof(one)) < 0) {
        g_assert(errno == EAGAIN); /* then it is awake already */
    }
}

/* Runs a function on the main loop, in order, never on the calling thread. */
static void run_on_main(struct vnc *vnc, GSourceFunc function, gpointer data, GDestroyNotify free)
{
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, function, data, free);
    g_source_attach(source, vnc->main);
    g_source_unref(source);
}

/* --- Main loop side: what the console says
 * -------------------------------------------------------- */

static void on_resized(void *context, const struct surface *surface)
{
    struct vnc *vnc = context;

    g_mutex_lock(&vnc->mutex);
    vnc->surface = surface;
    vnc->resized = true;
    g_mutex_unlock(&vnc->mutex);
    wake(vnc);
}

static void on_damaged(void *context, const struct surface *surface, const struct damage *damage)
{
    struct vnc *vnc = context;

    g_mutex_lock(&vnc->mutex);
    vnc->surface = surface;
    for (unsigned i = 0; i < damage->n; i++) {
        const struct rect *r = &damage->rects[i];

        damage_add(&vnc->noted, r->x, r->y, r->width, r->height);
    }
    g_mutex_unlock(&vnc->mutex);
    wake(vnc);
}

static bool is_busy(void *context)
{
    struct vnc *vnc = context;

    g_mutex_lock(&vnc->mutex);
    bool busy = vnc->resized || vnc->noted.n > 0;

    g_mutex_unlock(&vnc->mutex);
    return busy;
}

static void copy_rect(struct vnc *vnc, const struct rect *r)
{
    for (uint32_t y = r->y; y < r->y + r->height; y++) {
        memcpy(vnc->pixels + (size_t)y * vnc->width + r->x,
               vnc->surface->pixels + (size_t)y * vnc->surface->stride + r->x,
               (size_t)r->width * BYTES_PER_PIXEL);
    }
}

/* Main loop, while the VNC thread waits for it: takes over size and pixels. */
static gboolean copy_on_main(gpointer data)
{
    struct vnc *vnc = data;

    g_mutex_lock(&vnc->mutex);
    if (vnc->resized) {
        vnc->old_pixels = vnc->pixels;
        vnc->width = vnc->surface->width;
        vnc->height = vnc->surface->height;
        vnc->pixels = g_new(uint32_t, (size_t)vnc->width * vnc->height);
        vnc->noted = (struct damage){ .rects = { { 0, 0, vnc->width, vnc->height } }, .n = 1 };
        vnc->fresh_size = true;
        vnc->resized = false;
    }
    for (unsigned i = 0; i < vnc->noted.n; i++) {
        copy_rect(vnc, &vnc->noted.rects[i]);
    }
    vnc->fresh = vnc->noted;
    vnc->noted.n = 0;
    vnc->copy_wanted = false;
    g_cond_signal(&vnc->copied);
    g_mutex_unlock(&vnc->mutex);
    return G_SOURCE_REMOVE;
}

static gboolean watch_on_main(gpointer data)
{
    struct vnc *vnc = data;

    console_watch(vnc->console, &vnc->watcher);
    return G_SOURCE_REMOVE;
}

static gboolean unwatch_on_main(gpointer data)
{
    struct vnc *vnc = data;

    console_unwatch(vnc->console, &vnc->watcher);
    return G_SOURCE_REMOVE;
}

/* --- Input: from the VNC thread to the main loop
 * -------------------------------------------------- */

struct input_event {
    struct vnc *vnc;
    bool is_key, down;
    uint16_t code;
    uint32_t x, y, width, height;
    unsigned buttons;
    int wheel;
};

static gboolean input_on_main(gpointer data)
{
    const struct input_event *event = data;

    if (event->is_key) {
        input_key(event->vnc->input, event->code, event->down);
    } else {
        input_pointer(event->vnc->input, event->x, event->y, event->width, event->height,
                      event->buttons, event->wheel);
    }
    console_wake(event->vnc->console);
    return G_SOURCE_REMOVE;
}

static void input_send(struct vnc *vnc, const struct input_event *event)
{
    struct input_event *copy = g_new(struct input_event, 1);

    *copy = *event;
    copy->vnc = vnc;
    run_on_main(vnc, input_on_main, copy, g_free);
}

void vnc_client_key(rfbClientPtr client, uint16_t code, bool down)
{
    struct vnc_client *own = client->clientData;

    if (code == 0 || code >= VNC_KEYS_MAX) {
        return;
    }
    own->pressed[code] = down;
    input_send(client->screen->screenData,
               &(struct input_event){ .is_key = true, .code = code, .down = down });
}

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    vnc_client_key(client, key_from_keysym(keysym), down);
}

static void on_pointer(int mask, int x, int y, rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct vnc_client *own = client->clientData;
    struct input_event event = { .width = vnc->width, .height = vnc->height };
    int pressed = mask & ~own->buttons;

    event.x = (uint32_t)CLAMP(x, 0, (int)vnc->width - 1);
    event.y = (uint32_t)CLAMP(y, 0, (int)vnc->height - 1);
    event.buttons = (mask & 1 ? POINTER_LEFT : 0u) | (mask & 2 ? POINTER_MIDDLE : 0u) |
                    (mask & 4 ? POINTER_RIGHT : 0u);
    event.wheel = (pressed & 8 ? 1 : 0) - (pressed & 16 ? 1 : 0);
    own->buttons = mask;
    input_send(vnc, &event);
}

static void on_gone(rfbClientPtr client)
{
    struct vnc_client *own = client->clientData;

    for (uint16_t code = 1; code < VNC_KEYS_MAX; code++) {
        if (own->pressed[code]) {
            vnc_client_key(client, code, false);
        }
    }
    g_free(own);
    client->clientData = NULL;
}

/* --- The VNC thread
 * ------------------------------------------------------------------------------- */

static unsigned clients_count(struct vnc *vnc)
{
    rfbClientIteratorPtr iterator = rfbGetClientIterator(vnc->screen);
    unsigned n = 0;

    while (rfbClientIteratorNext(iterator)) {
        n++;
    }
    rfbReleaseClientIterator(iterator);
    return n;
}

static enum rfbNewClientAction on_client(rfbClientPtr client)
{
    if (clients_count(client->screen->screenData) > DISPLAY_SERVER_CLIENTS_MAX) {
        return RFB_CLIENT_REFUSE;
    }
    client->clientData = g_new0(struct vnc_client, 1);
    client->clientGoneHook = on_gone;
    return RFB_CLIENT_ACCEPT;
}

static void screen_create(struct vnc *vnc)
{
    vnc->screen = rfbGetScreen(NULL, NULL, (int)vnc->width, (int)vnc->height, BITS_PER_SAMPLE,
                               SAMPLES, BYTES_PER_PIXEL);
    vnc->screen->frameBuffer = (char *)vnc->pixels;
    vnc->screen->desktopName = vnc->name;
    vnc->screen->screenData = vnc;
    vnc->screen->serverFormat.redShift = 16;
    vnc->screen->serverFormat.greenShift = 8;
    vnc->screen->serverFormat.blueShift = 0;
    vnc->screen->alwaysShared = TRUE;
    vnc->screen->cursor = NULL; /* the guest draws its own */
    vnc->screen->deferUpdateTime = 0;
    vnc->screen->maxClientWait = CLIENT_WAIT_MS;
    vnc->screen->port = vnc->screen->ipv6port = -1;
    vnc->screen->newClientHook = on_client;
    vnc->screen->kbdAddEvent = on_key;
    vnc->screen->ptrAddEvent = on_pointer;
    if (vnc->passwords[0]) {
        vnc->screen->authPasswdData = vnc->passwords;
        vnc->screen->passwordCheck = rfbCheckPasswordByList;
    }
    vnc_keys_register();
    rfbInitServer(vnc->screen);
}

/* Gets what the console has noted; false if the server ends meanwhile. */
static bool picture_fetch(struct vnc *vnc)
{
    g_mutex_lock(&vnc->mutex);
    bool wanted = (vnc->resized || vnc->noted.n > 0) && vnc->surface;

    if (wanted) {
        vnc->copy_wanted = true;
        run_on_main(vnc, copy_on_main, vnc, NULL);
        while (vnc->copy_wanted && !vnc->quit) {
            g_cond_wait(&vnc->copied, &vnc->mutex);
        }
    }
    bool good = !vnc->quit;

    g_mutex_unlock(&vnc->mutex);
    return good;
}

static void picture_publish(struct vnc *vnc)
{
    if (vnc->fresh_size && vnc->screen) {
        rfbNewFramebuffer(vnc->screen, (char *)vnc->pixels, (int)vnc->width, (int)vnc->height,
                          BITS_PER_SAMPLE, SAMPLES, BYTES_PER_PIXEL);
        vnc->screen->serverFormat.redShift = 16;
        vnc->screen->serverFormat.greenShift = 8;
        vnc->screen->serverFormat.blueShift = 0;
    }
    vnc->fresh_size = false;
    g_clear_pointer(&vnc->old_pixels, g_free);
    for (unsigned i = 0; vnc->screen && i < vnc->fresh.n; i++) {
        const struct rect *r = &vnc->fresh.rects[i];

        rfbMarkRectAsModified(vnc->screen, (int)r->x, (int)r->y, (int)(r->x + r->width),
                              (int)(r->y + r->height));
    }
    vnc->fresh.n = 0;
}

/* New sockets become clients once there is a picture to show them. */
static void arrivals_take(struct vnc *vnc)
{
    g_autoptr(GArray) arrivals = NULL;
    bool watch = false;

    g_mutex_lock(&vnc->mutex);
    if (vnc->arrivals->len > 0 && !vnc->watching) {
        vnc->watching = watch = true;
    } else if (vnc->arrivals->len > 0 && vnc->pixels) {
        arrivals = vnc->arrivals;
        vnc->arrivals = g_array_new(FALSE, FALSE, sizeof(int));
    }
    g_mutex_unlock(&vnc->mutex);
    if (watch) {
        run_on_main(vnc, watch_on_main, vnc, NULL);
    }
    for (guint i = 0; arrivals && i < arrivals->len; i++) {
        if (!vnc->screen) {
            screen_create(vnc);
        }
        rfbNewClient(vnc->screen, g_array_index(arrivals, int, i)); /* closes it if it refuses */
    }
}

static void watch_end_if_alone(struct vnc *vnc)
{
    bool end = false;

    if (!vnc->screen || clients_count(vnc) > 0) {
        return;
    }
    g_mutex_lock(&vnc->mutex);
    if (vnc->watching && vnc->arrivals->len == 0) {
        vnc->watching = false;
        end = true;
    }
    g_mutex_unlock(&vnc->mutex);
    if (end) {
        run_on_main(vnc, unwatch_on_main, vnc, NULL);
    }
}

/* Sleeps until a client speaks or the main loop has something. */
static void wait_for_work(struct vnc *vnc)
{
    struct pollfd fds[1 + DISPLAY_SERVER_CLIENTS_MAX] = { { .fd = vnc->wake, .events = POLLIN } };
    nfds_t n = 1;
    uint64_t count;

    if (vnc->screen) {
        rfbClientIteratorPtr iterator = rfbGetClientIterator(vnc->screen);
        rfbClientPtr client;

        while ((client = rfbClientIteratorNext(iterator)) && n < G_N_ELEMENTS(fds)) {
            fds[n++] = (struct pollfd){ .fd = client->sock, .events = POLLIN };
        }
        rfbReleaseClientIterator(iterator);
    }
    poll(fds, n, -1);
    if ((fds[0].revents & POLLIN) && read(vnc->wake, &count, sizeof(count)) < 0) {
        g_assert(errno == EAGAIN);
    }
}

static gpointer vnc_thread(gpointer data)
{
    struct vnc *vnc = data;

    for (;;) {
        wait_for_work(vnc);
        arrivals_take(vnc);
        if (!picture_fetch(vnc)) {
            break;
        }
        picture_publish(vnc);
        arrivals_take(vnc);
        if (vnc->screen) {
            rfbProcessEvents(vnc->screen, 0);
        }
        watch_end_if_alone(vnc);
    }
    if (vnc->screen) {
        rfbShutdownServer(vnc->screen, TRUE);
        rfbScreenCleanup(vnc->screen);
    }
    return NULL;
}

/* --- The module
 * ----------------------------------------------------------------------------------- */

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
    vnc->console = console;
    vnc->input = input;
    vnc->watcher = (struct console_watcher){ on_resized, on_damaged, is_busy, vnc };
    vnc->main = g_main_context_ref_thread_default();
    vnc->name = g_strdup(name);
    vnc->passwords[0] = g_strdup(password);
    vnc->arrivals = g_array_new(FALSE, FALSE, sizeof(int));
    vnc->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_mutex_init(&vnc->mutex);
    g_cond_init(&vnc->copied);
    vnc->thread = g_thread_new("vnc", vnc_thread, vnc);
    return vnc;
}

static void vnc_add_client(void *server, int fd)
{
    struct vnc *vnc = server;

    g_mutex_lock(&vnc->mutex);
    g_array_append_val(vnc->arrivals, fd);
    g_mutex_unlock(&vnc->mutex);
    wake(vnc);
}

static void vnc_stop(void *server)
{
    struct vnc *vnc = server;

    g_mutex_lock(&vnc->mutex);
    vnc->quit = true;
    g_cond_signal(&vnc->copied);
    g_mutex_unlock(&vnc->mutex);
    wake(vnc);
    g_thread_join(vnc->thread);
    /* What the thread left on the main loop refers to this server: let it run before it goes. */
    while (g_main_context_iteration(vnc->main, FALSE)) {
    }
    console_unwatch(vnc->console, &vnc->watcher);
    for (guint i = 0; i < vnc->arrivals->len; i++) {
        close(g_array_index(vnc->arrivals, int, i));
    }
    g_array_free(vnc->arrivals, TRUE);
    close(vnc->wake);
    g_mutex_clear(&vnc->mutex);
    g_cond_clear(&vnc->copied);
    g_main_context_unref(vnc->main);
    g_free(vnc->pixels);
    g_free(vnc->old_pixels);
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
