/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the pointer where it is, and tells how the mouse moves all the same: what a guest needs
 * that has only a mouse. GTK has nothing of the kind, so this speaks to the desktop itself: on
 * Wayland by pointer-constraints-unstable-v1 and relative-pointer-unstable-v1, on X11 by XInput 2.1
 * (XI_RawMotion) and the pointer barriers of XFixes 5.
 *
 * Threads: main context only; the handlers run there, and never before oriel_pointer_lock_new() has
 * returned.
 */
#ifndef ORIEL_POINTER_LOCK_H
#define ORIEL_POINTER_LOCK_H

#include <gtk/gtk.h>

typedef struct _OrielPointerLock OrielPointerLock;

typedef struct {
    /*
     * TRUE: the pointer is locked. FALSE: the desktop refused, or took the lock away; nothing more
     * comes. May free the lock.
     */
    void (*changed)(gpointer data, gboolean locked);
    /* How far the mouse moved, in its own steps, without acceleration; right and down positive. */
    void (*motion)(gpointer data, int dx, int dy);
} OrielPointerLockHandlers;

/*
 * Asks for the lock, with the pointer over `surface`, which must outlive it. NULL if the desktop is
 * known to have none, or the surface has one already. A compositor may keep the answer for as long
 * as it likes.
 */
OrielPointerLock *oriel_pointer_lock_new(GdkSurface *surface,
                                         const OrielPointerLockHandlers *handlers, gpointer data);
/* Gives the pointer back. Movement that was not told yet is forgotten. */
void oriel_pointer_lock_free(OrielPointerLock *lock);
/* Tells the movement until the time of an event (gdk_event_get_time()): what comes before it. */
void oriel_pointer_lock_flush(OrielPointerLock *lock, guint32 time);

#endif
