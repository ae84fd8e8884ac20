/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws a cursor into a picture that is for somebody who does not show cursors by himself. */
#ifndef ENGINE_CURSOR_H
#define ENGINE_CURSOR_H

#include "display.h"

/* Wherever it is: what is outside the surface is left out, and all of it if it is hidden. */
void cursor_draw(const struct display_cursor *cursor, const struct surface *surface);

#endif
