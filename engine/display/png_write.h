/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ENGINE_PNG_WRITE_H
#define ENGINE_PNG_WRITE_H

#include <glib.h>

#include "display.h"

/* The surface as the bytes of a PNG file, 8-bit RGB. Any thread, as long as the surface stands
 * still. */
GBytes *png_write(const struct surface *surface);

#endif
