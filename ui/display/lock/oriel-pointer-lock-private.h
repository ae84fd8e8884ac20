/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two kinds of pointer lock share. */
#ifndef ORIEL_POINTER_LOCK_PRIVATE_H
#define ORIEL_POINTER_LOCK_PRIVATE_H

#include "oriel-pointer-lock.h"

typedef enum {
    ORIEL_POINTER_LOCK_PENDING,
    ORIEL_POINTER_LOCK_LOCKED,
    ORIEL_POINTER_LOCK_LOST,
} OrielPointerLockState;

/* The first member of both kinds. */
struct _OrielPointerLock {
    /* Frees the lock, and gives the pointer back. */
    void (*free)(OrielPointerLock *lock);
    /* Reads what the desktop has said of movement so far. NULL: it has all been read. */
    void (*read)(OrielPointerLock *lock);

    GdkSurface *surface;
    const OrielPointerLockHandlers *handlers;
    gpointer data;
    OrielPointerLockState state, told;
    GArray *motions;       /* struct motion, not told yet, oldest first */
    double rest_x, rest_y; /* fractions of steps */
    guint idle;
};

/* NULL if the desktop is known to lack what it takes. */
OrielPointerLock *oriel_pointer_lock_x11_new(GdkSurface *surface);
OrielPointerLock *oriel_pointer_lock_wayland_new(GdkSurface *surface);

/* Both are told soon, in order with the desktop's other events. `time` in ms, as of GDK's events.
 */
void oriel_pointer_lock_set_state(OrielPointerLock *lock, OrielPointerLockState state);
void oriel_pointer_lock_moved(OrielPointerLock *lock, guint32 time, double dx, double dy);

#endif
