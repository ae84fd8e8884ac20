/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says what a display has of the host's, the system's shortcuts or the pointer, and how to get it
 * back. Not revealed while it has neither. In a fullscreen box it brings the bar that it is in:
 * when that changes, while a key of the release chord is held, and with F11. These keys go on to
 * the machine.
 */
#ifndef ORIEL_GRAB_STRIP_H
#define ORIEL_GRAB_STRIP_H

#include "display/widget/oriel-display.h"

#define ORIEL_TYPE_GRAB_STRIP (oriel_grab_strip_get_type())
G_DECLARE_FINAL_TYPE(OrielGrabStrip, oriel_grab_strip, ORIEL, GRAB_STRIP, GtkWidget)

/* Property "display" (OrielDisplay), set once: the one to watch. It is in the same window. */

#endif
