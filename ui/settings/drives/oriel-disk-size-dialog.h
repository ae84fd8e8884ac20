/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for the size of a disk, and perhaps for one thing more. */
#ifndef ORIEL_DISK_SIZE_DIALOG_H
#define ORIEL_DISK_SIZE_DIALOG_H

#include <gtk/gtk.h>

/*
 * The size as oriel_size_parse() reads it, and the answer to DiskSizeQuestion.more. Not called if
 * the user thinks better of it.
 */
typedef void (*DiskSizeAnswered)(GtkWidget *widget, const char *size, gboolean more);

/* What is asked; sizes are in MiB. */
typedef struct {
    const char *heading, *body, *accept;
    double lower;                     /* the smallest that can be chosen */
    double value;                     /* what is shown first */
    const char *more, *more_subtitle; /* titles of a switch, which is on at first; NULL: none */
} DiskSizeQuestion;

/* `widget` is kept until the end; the question only until this returns. */
void disk_size_dialog_show(GtkWidget *widget, const DiskSizeQuestion *asked,
                           DiskSizeAnswered answered);

#endif
