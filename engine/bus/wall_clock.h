/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices that the host's wall clock was set: by its user, by NTP, or after the host has slept.
 * timerfd_create(2), TFD_TIMER_CANCEL_ON_SET: nothing wakes up unless that happens.
 */
#ifndef ENGINE_WALL_CLOCK_H
#define ENGINE_WALL_CLOCK_H

#include <glib.h>

/*
 * A source, attached to the calling thread's main context, that calls `stepped` there each time.
 * NULL if the host gives no such timer. g_source_destroy() and g_source_unref().
 */
GSource *wall_clock_watch(void (*stepped)(void *context), void *context);

#endif
