/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-pointer-lock.h.
 *
 * Movement comes another way than GDK's events do. It is kept with its time until the next button
 * or key, which tells what came before it, or until GDK has no more events.
 */
#include "oriel-pointer-lock-private.h"

#include <math.h>

#ifdef GDK_WINDOWING_WAYLAND
#include <gdk/wayland/gdkwayland.h>
#endif
#ifdef GDK_WINDOWING_X11
#include <gdk/x11/gdkx.h>
#endif

#define SURFACE_KEY "oriel-pointer-lock"

enum {
    PRIORITY = G_PRIORITY_HIGH_IDLE, /* behind GDK's events, before the next frame */
};

struct motion {
    guint32 time;
    double dx, dy;
};

static int whole_steps(double *sum)
{
    int whole = (int)CLAMP(trunc(*sum), -G_MAXINT16, G_MAXINT16);

    *sum -= trunc(*sum);
    return whole;
}

/* The first `n` movements, as one. */
static void motions_tell(OrielPointerLock *lock, guint n)
{
    int dx, dy;

    for (guint i = 0; i < n; i++) {
        const struct motion *motion = &g_array_index(lock->motions, struct motion, i);

        lock->rest_x += motion->dx;
        lock->rest_y += motion->dy;
    }
    g_array_remove_range(lock->motions, 0, n);
    dx = whole_steps(&lock->rest_x);
    dy = whole_steps(&lock->rest_y);
    if (dx != 0 || dy != 0) {
        lock->handlers->motion(lock->data, dx, dy);
    }
}

static gboolean on_idle(gpointer data)
{
    OrielPointerLock *lock = data;

    if (lock->told != lock->state) {
        lock->told = lock->state;
        lock->handlers->changed(lock->data, lock->state == ORIEL_POINTER_LOCK_LOCKED);
        return G_SOURCE_CONTINUE; /* if the lock still is */
    }
    lock->idle = 0;
    motions_tell(lock, lock->motions->len);
    return G_SOURCE_REMOVE;
}

static void tell_later(OrielPointerLock *lock)
{
    if (lock->idle == 0) {
        lock->idle = g_idle_add_full(PRIORITY, on_idle, lock, NULL);
    }
}

void oriel_pointer_lock_set_state(OrielPointerLock *lock, OrielPointerLockState state)
{
    if (lock->state != state) {
        lock->state = state;
        tell_later(lock);
    }
}

void oriel_pointer_lock_moved(OrielPointerLock *lock, guint32 time, double dx, double dy)
{
    const struct motion motion = { time, dx, dy };

    if (lock->state == ORIEL_POINTER_LOCK_LOCKED) {
        g_array_append_val(lock->motions, motion);
        tell_later(lock);
    }
}

void oriel_pointer_lock_flush(OrielPointerLock *lock, guint32 time)
{
    guint n = 0;

    if (lock->read) {
        lock->read(lock);
    }
    /* Milliseconds go round after seven weeks. */
    while (n < lock->motions->len &&
           (gint32)(g_array_index(lock->motions, struct motion, n).time - time) <= 0) {
        n++;
    }
    motions_tell(lock, n);
}

static OrielPointerLock *lock_new(GdkSurface *surface)
{
#ifdef GDK_WINDOWING_WAYLAND
    if (GDK_IS_WAYLAND_SURFACE(surface)) {
        return oriel_pointer_lock_wayland_new(surface);
    }
#endif
#ifdef GDK_WINDOWING_X11
    if (GDK_IS_X11_SURFACE(surface)) {
        return oriel_pointer_lock_x11_new(surface);
    }
#endif
    return NULL;
}

OrielPointerLock *oriel_pointer_lock_new(GdkSurface *surface,
                                         const OrielPointerLockHandlers *handlers, gpointer data)
{
    OrielPointerLock *lock;

    /* A second lock of a surface would be the end of a Wayland connection. */
    if (g_object_get_data(G_OBJECT(surface), SURFACE_KEY) || !(lock = lock_new(surface))) {
        return NULL;
    }
    lock->surface = surface;
    lock->handlers = handlers;
    lock->data = data;
    lock->motions = g_array_new(FALSE, FALSE, sizeof(struct motion));
    g_object_set_data(G_OBJECT(surface), SURFACE_KEY, lock);
    if (lock->state != lock->told) {
        tell_later(lock);
    }
    return lock;
}

void oriel_pointer_lock_free(OrielPointerLock *lock)
{
    g_object_set_data(G_OBJECT(lock->surface), SURFACE_KEY, NULL);
    g_clear_handle_id(&lock->idle, g_source_remove);
    g_array_unref(lock->motions);
    lock->free(lock);
}
