/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for the size of a disk. */
#ifndef ORIEL_DISK_SIZE_DIALOG_H
#define ORIEL_DISK_SIZE_DIALOG_H

#include <gtk/gtk.h>

/* The size as oriel_size_parse() reads it. Not called if the user thinks better of it. */
typedef void (*DiskSizeAnswered)(GtkWidget *widget, const char *size);

/* `widget` is kept until the end; `gib` is the size shown first. */
void disk_size_dialog_show(GtkWidget *widget, const char *heading, const char *accept, guint gib,
                           DiskSizeAnswered answered);

#endif
