/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands between a GtkScrolledWindow and a GtkListView or GtkGridView, and scrolls the view when it
 * has been laid out, once for each time. Up to GTK 4.10 these views look up where they are scrolled
 * to among the sizes of their last layout: scrolled twice in a frame, or after rows came or went,
 * they lose their place, and warn ("ran out of items", "failed to scroll to given position").
 *
 * Property: "child" (GtkWidget, a GtkScrollable), to be set once.
 */
#ifndef ORIEL_SCROLL_PACER_H
#define ORIEL_SCROLL_PACER_H

#include <gtk/gtk.h>

#define ORIEL_TYPE_SCROLL_PACER (oriel_scroll_pacer_get_type())
G_DECLARE_FINAL_TYPE(OrielScrollPacer, oriel_scroll_pacer, ORIEL, SCROLL_PACER, GtkWidget)

#endif
