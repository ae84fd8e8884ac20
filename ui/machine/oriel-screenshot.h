/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Screenshots of a display as PNG files in the folder of pictures. */
#ifndef ORIEL_SCREENSHOT_H
#define ORIEL_SCREENSHOT_H

#include "display/widget/oriel-display.h"

/*
 * Saves what the display shows now as "NAME DATE TIME.png"; a toast, or a dialog, near the display
 * says how it went. Nothing while there is no picture. The file is written on a worker thread.
 */
void oriel_screenshot_save(OrielDisplay *display, const char *name);

#endif
