/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The display adapter: shows the canvas, in the size that the monitor prefers, with the pointer on
 * top. A screen larger than the canvas has it in the middle, the wall going on around it; on a
 * smaller one the canvas is shown smaller. Places on the screen are not those on the canvas.
 */
#ifndef WELCOME_SCREEN_H
#define WELCOME_SCREEN_H

#include "canvas.h"

/* Finds the adapter and sets its mode. False when there is none that this program knows. */
bool screen_start(void);

/* Looks whether the monitor now prefers another size, and changes to it. True if it did. */
bool screen_follow(void);

/* The size of the screen; x and y are 0. */
struct rect screen_size(void);

/* The adapter's memory in bytes. */
uint64_t screen_memory(void);

/* Shows a part of the canvas, or everything. */
void screen_show(struct rect part);
void screen_show_all(void);

/* Moves the pointer on the screen; it is hidden until then. */
void screen_point(int x, int y);

/* Which pixel of the canvas, or of what would be around it, a place on the screen shows. */
void screen_to_canvas(int *x, int *y);

#endif
