/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A header bar over a content. In fullscreen the bar hides, and comes back when the pointer rests
 * at the upper edge for a moment, so that the corners of a guest's screen stay usable; it stays
 * while the pointer, the keyboard's focus or an open menu is in it.
 *
 * Children in templates: type "header", and the content. Property: "fullscreen" (b).
 */
#ifndef ORIEL_FULLSCREEN_BOX_H
#define ORIEL_FULLSCREEN_BOX_H

#include <gtk/gtk.h>

#define ORIEL_TYPE_FULLSCREEN_BOX (oriel_fullscreen_box_get_type())
G_DECLARE_FINAL_TYPE(OrielFullscreenBox, oriel_fullscreen_box, ORIEL, FULLSCREEN_BOX, GtkWidget)

/* Once, if the template has none. */
void oriel_fullscreen_box_set_content(OrielFullscreenBox *box, GtkWidget *content);
void oriel_fullscreen_box_set_fullscreen(OrielFullscreenBox *box, gboolean fullscreen);
/* Shows the hidden bar now, for a few seconds or as long as it is used. */
void oriel_fullscreen_box_reveal(OrielFullscreenBox *box);

#endif
