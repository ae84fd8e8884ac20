/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One viewer that shows the console's scanout out of shared memory: what it has not been told yet,
 * and its call that waits. This is NextFrame of the contract
 * (data/io.github.oriel_vm.Oriel.Engine.xml), whatever carries it.
 *
 * A viewer with no call waiting is busy to the console: the adapter is not looked at for it, and
 * changes that others' looks bring are collected.
 *
 * Threads: main loop only.
 */
#ifndef ENGINE_VIEWER_H
#define ENGINE_VIEWER_H

#include "display/console.h"

struct viewer;

/*
 * The end of a call: the scanout's id and what changed in it, or with `error` set neither. Called
 * once for each call, at the latest by viewer_free(). May not call back into the viewer.
 */
typedef void (*viewer_answer)(void *call, guint32 scanout, const struct damage *damage,
                              const GError *error);
/* The same for a call about the cursor; `pixels`: the caller does not know the shape. */
typedef void (*viewer_cursor_answer)(void *call, const struct display_cursor *cursor, bool pixels,
                                     const GError *error);

/* The console outlives the viewer. */
struct viewer *viewer_new(struct console *console, viewer_answer answer,
                          viewer_cursor_answer cursor_answer);
/* Calls that wait end with STATE. */
void viewer_free(struct viewer *viewer);

/*
 * Calls back with `call` as soon as something is to be shown: at once if the viewer does not show
 * the current scanout, else when some of it has changed since the last answer. Ends an earlier call
 * that still waits with STATE.
 */
void viewer_next(struct viewer *viewer, guint32 shown, void *call);
/*
 * The same for the cursor: NextCursor. `shown` is the shape that the viewer knows, 0: none. The
 * cursor is looked at together with the picture, so while a call for a frame waits.
 */
void viewer_next_cursor(struct viewer *viewer, guint32 shown, void *call);

#endif
