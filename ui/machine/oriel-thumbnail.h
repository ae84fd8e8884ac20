/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The small picture of a machine: what it shows now while it runs (looked at once a second at most,
 * and only while the picture is on the screen), what it showed last when it is off, or the picture
 * of its system.
 *
 * Property: "item" (OrielMachineItem, may be NULL).
 */
#ifndef ORIEL_THUMBNAIL_H
#define ORIEL_THUMBNAIL_H

#include <gtk/gtk.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_THUMBNAIL (oriel_thumbnail_get_type())
G_DECLARE_FINAL_TYPE(OrielThumbnail, oriel_thumbnail, ORIEL, THUMBNAIL, GtkWidget)

void oriel_thumbnail_set_item(OrielThumbnail *thumbnail, OrielMachineItem *item);
/* Whether the user can see the thumbnail, or soon will, where it is scrolled to; TRUE at first. One
 * that is not seen shows the picture of the system, and reads and follows nothing. */
void oriel_thumbnail_set_seen(OrielThumbnail *thumbnail, gboolean seen);
/* Whether it shows a picture that the machine made. */
gboolean oriel_thumbnail_has_picture(OrielThumbnail *thumbnail);

#endif
