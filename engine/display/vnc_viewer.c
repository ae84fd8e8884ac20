/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main loop's half of a VNC client: what the console says is noted for the client's thread, and
 * what that wants is done. See vnc_viewer_private.h.
 */
#include "display/vnc_viewer_private.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GREETING_SECONDS = 15, /* until it must be through the handshake */
};

static void thread_wake(struct vnc_viewer *viewer)
{
    uint64_t one = 1;

    if (write(viewer->wake, &one, sizeof(one)) < 0) {
        g_assert(errno == EAGAIN); /* then it is awake already */
    }
}

/* --- What console and input router say
 * -------------------------------------------------------------------- */

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

/* What the input router says. */
static void on_input_changed(void *context)
{
    struct vnc_viewer *viewer = context;

    pthread_mutex_lock(&viewer->mutex);
    viewer->motion_wanted = input_pointer_mode(viewer->input) == POINTER_MODE_RELATIVE;
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

/* --- What the thread wants -------------------------------------------------------------------- */

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

static void pointer_give(struct vnc_viewer *viewer, const struct input_event *event)
{
    struct desktop_place place = { event->x, event->y, event->width, event->height };

    viewer->holds_buttons = event->buttons != 0;
    if (event->kind == EVENT_MOTION) {
        input_motion(viewer->input, event->dx, event->dy, event->buttons, event->wheel);
    } else {
        console_place(viewer->console, &place);
        input_pointer(viewer->input, place.x, place.y, place.width, place.height, event->buttons,
                      event->wheel);
    }
}

static void event_give(struct vnc_viewer *viewer, const struct input_event *event)
{
    if (event->kind == EVENT_KEY) {
        viewer->pressed[event->code] = event->down;
        input_key(viewer->input, event->code, event->down);
    } else {
        pointer_give(viewer, event);
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
    input_unlisten(viewer->input, &viewer->listener);
    greeting_end(viewer);
    for (uint16_t code = 1; code < KEYS_MAX; code++) {
        if (viewer->pressed[code]) {
            input_key(viewer->input, code, false);
        }
    }
    memset(viewer->pressed, 0, sizeof(viewer->pressed));
    if (viewer->holds_buttons) {
        input_release_buttons(viewer->input);
        viewer->holds_buttons = false;
    }
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

/* --- Life ------------------------------------------------------------------------------------- */

struct vnc_viewer *vnc_viewer_new(struct console *console, struct input *input, const char *name,
                                  char **passwords)
{
    static GSourceFuncs functions = { .dispatch = source_dispatch };
    struct vnc_viewer *viewer = g_new0(struct vnc_viewer, 1);

    viewer->console = console;
    viewer->input = input;
    viewer->watcher =
        (struct console_watcher){ on_resized, on_damaged, is_busy, viewer, on_cursor };
    viewer->listener = (struct input_listener){ on_input_changed, viewer };
    pthread_mutex_init(&viewer->mutex, NULL);
    pthread_cond_init(&viewer->served, NULL);
    viewer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    viewer->screen = vnc_thread_screen_new(viewer, name, passwords);
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
    input_listen(viewer->input, &viewer->listener);
    on_input_changed(viewer);
    pthread_mutex_lock(&viewer->mutex);
    picture_copy(viewer);
    pthread_mutex_unlock(&viewer->mutex);
    if (pthread_create(&viewer->thread, NULL, vnc_thread_run, viewer) != 0) {
        g_warning("A VNC client was refused: the computer cannot run another thread.");
        console_unwatch(viewer->console, &viewer->watcher);
        input_unlisten(viewer->input, &viewer->listener);
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
