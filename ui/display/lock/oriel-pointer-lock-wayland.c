/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer lock on Wayland: pointer-constraints-unstable-v1 keeps the pointer, and
 * relative-pointer-unstable-v1 tells the movement. The objects are on GDK's connection and its
 * queue, which GDK dispatches on the main context, so they need no thread and no source.
 *
 * The lock is one-shot: once the compositor has ended it, it does not come back by itself.
 */
#include "oriel-pointer-lock-private.h"

#ifdef GDK_WINDOWING_WAYLAND
#include <gdk/wayland/gdkwayland.h>
#include <wayland-client.h>

#include "pointer-constraints-unstable-v1-client.h"
#include "relative-pointer-unstable-v1-client.h"

/* What a compositor has for us; as long as GDK's connection to it. */
struct globals {
    struct wl_registry *registry;
    gboolean complete; /* all that there were at first */
    struct zwp_pointer_constraints_v1 *constraints;
    struct zwp_relative_pointer_manager_v1 *relative_pointers;
};

struct wayland_lock {
    OrielPointerLock parent;
    struct globals *globals;
    struct wl_callback *globals_told;
    struct zwp_locked_pointer_v1 *locked;
    struct zwp_relative_pointer_v1 *relative;
};

/* --- What there is */

static void on_global(void *data, struct wl_registry *registry, uint32_t name,
                      const char *interface, uint32_t version)
{
    struct globals *globals = data;

    if (g_str_equal(interface, zwp_pointer_constraints_v1_interface.name) &&
        !globals->constraints) {
        globals->constraints =
            wl_registry_bind(registry, name, &zwp_pointer_constraints_v1_interface, 1);
    } else if (g_str_equal(interface, zwp_relative_pointer_manager_v1_interface.name) &&
               !globals->relative_pointers) {
        globals->relative_pointers =
            wl_registry_bind(registry, name, &zwp_relative_pointer_manager_v1_interface, 1);
    }
}

/* Compositors do not take these two away. */
static void on_global_remove(void *data, struct wl_registry *registry, uint32_t name)
{
}

static struct globals *globals_get(GdkDisplay *display)
{
    static const struct wl_registry_listener listener = { on_global, on_global_remove };
    struct globals *globals = g_object_get_data(G_OBJECT(display), "oriel-pointer-lock");

    if (!globals) {
        globals = g_new0(struct globals, 1);
        globals->registry = wl_display_get_registry(gdk_wayland_display_get_wl_display(display));
        wl_registry_add_listener(globals->registry, &listener, globals);
        g_object_set_data(G_OBJECT(display), "oriel-pointer-lock", globals);
    }
    return globals;
}

static gboolean globals_suffice(const struct globals *globals)
{
    return globals->constraints && globals->relative_pointers;
}

/* --- Lock */

static void on_locked(void *data, struct zwp_locked_pointer_v1 *locked)
{
    oriel_pointer_lock_set_state(data, ORIEL_POINTER_LOCK_LOCKED);
}

static void on_unlocked(void *data, struct zwp_locked_pointer_v1 *locked)
{
    oriel_pointer_lock_set_state(data, ORIEL_POINTER_LOCK_LOST);
}

static void on_relative_motion(void *data, struct zwp_relative_pointer_v1 *relative,
                               uint32_t microseconds_high, uint32_t microseconds_low, wl_fixed_t dx,
                               wl_fixed_t dy, wl_fixed_t raw_dx, wl_fixed_t raw_dy)
{
    guint64 microseconds = (guint64)microseconds_high << 32 | microseconds_low;

    oriel_pointer_lock_moved(data, (guint32)(microseconds / 1000), wl_fixed_to_double(raw_dx),
                             wl_fixed_to_double(raw_dy));
}

static void lock_request(struct wayland_lock *lock)
{
    static const struct zwp_locked_pointer_v1_listener locked_listener = { on_locked, on_unlocked };
    static const struct zwp_relative_pointer_v1_listener relative_listener = { on_relative_motion };
    GdkSurface *window = lock->parent.surface;
    GdkSeat *seat = gdk_display_get_default_seat(gdk_surface_get_display(window));
    GdkDevice *device = seat ? gdk_seat_get_pointer(seat) : NULL;
    struct wl_pointer *pointer = device ? gdk_wayland_device_get_wl_pointer(device) : NULL;
    struct wl_surface *surface = gdk_wayland_surface_get_wl_surface(window);

    if (!pointer || !surface || !globals_suffice(lock->globals)) {
        oriel_pointer_lock_set_state(&lock->parent, ORIEL_POINTER_LOCK_LOST);
        return;
    }
    lock->relative = zwp_relative_pointer_manager_v1_get_relative_pointer(
        lock->globals->relative_pointers, pointer);
    zwp_relative_pointer_v1_add_listener(lock->relative, &relative_listener, lock);
    lock->locked =
        zwp_pointer_constraints_v1_lock_pointer(lock->globals->constraints, surface, pointer, NULL,
                                                ZWP_POINTER_CONSTRAINTS_V1_LIFETIME_ONESHOT);
    zwp_locked_pointer_v1_add_listener(lock->locked, &locked_listener, lock);
}

static void on_globals_told(void *data, struct wl_callback *callback, uint32_t serial)
{
    struct wayland_lock *lock = data;

    g_clear_pointer(&lock->globals_told, wl_callback_destroy);
    lock->globals->complete = TRUE;
    lock_request(lock);
}

static void lock_free(OrielPointerLock *parent)
{
    struct wayland_lock *lock = (struct wayland_lock *)parent;

    g_clear_pointer(&lock->globals_told, wl_callback_destroy);
    g_clear_pointer(&lock->locked, zwp_locked_pointer_v1_destroy);
    g_clear_pointer(&lock->relative, zwp_relative_pointer_v1_destroy);
    g_free(lock);
}

OrielPointerLock *oriel_pointer_lock_wayland_new(GdkSurface *surface)
{
    static const struct wl_callback_listener listener = { on_globals_told };
    GdkDisplay *display = gdk_surface_get_display(surface);
    struct globals *globals = globals_get(display);
    struct wayland_lock *lock;

    if (globals->complete && !globals_suffice(globals)) {
        return NULL;
    }
    lock = g_new0(struct wayland_lock, 1);
    lock->parent.free = lock_free;
    lock->globals = globals;
    lock->globals_told = wl_display_sync(gdk_wayland_display_get_wl_display(display));
    wl_callback_add_listener(lock->globals_told, &listener, lock);
    return &lock->parent;
}
#endif
