/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page beside the window: title, what hardware there is, what keyboard and mouse do. */
#ifndef WELCOME_PAGE_H
#define WELCOME_PAGE_H

#include "machine.h"

#include <stdbool.h>

/* The wall behind everything, on the canvas. */
void page_wall(void);

/* All that does not change, on the canvas; the functions below show what they change. */
void page_draw(const struct machine *machine);

void page_clock(const struct clock *clock);
void page_display(const struct machine *machine);
void page_keys(const char *text);
void page_pointer(int x, int y, unsigned buttons);

/* The keys that do something. */
enum page_button { BUTTON_LIGHT, BUTTON_WIND, BUTTON_RESTART, BUTTON_OFF, BUTTONS, BUTTON_NONE };

/* A line under the keys, and the one that wants to be pressed again (BUTTON_NONE: none does). */
void page_notice(const char *text, enum page_button again);

/* Which key's picture lies at a point of the canvas. */
enum page_button page_button_at(int x, int y);

#endif
