/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Telling and asking people: toasts for what passes, dialogs for failures and decisions. */
#ifndef ORIEL_MESSAGE_H
#define ORIEL_MESSAGE_H

#include <adwaita.h>

/* Shows the toast in the window that `near` is in. Takes the toast. */
void oriel_message_add_toast(GtkWidget *near, AdwToast *toast);
/* A toast of one sentence. */
void oriel_message_toast(GtkWidget *near, const char *text);
/* A dialog with something to read: a heading, and sentences. */
void oriel_message_tell(GtkWidget *near, const char *heading, const char *body);
/* A dialog: what could not be done (a sentence without its dot), and why. Nothing for CANCELLED. */
void oriel_message_error(GtkWidget *near, const char *heading, const GError *error);

typedef void (*OrielMessageAnswer)(gpointer data);
/*
 * Asks before something that cannot be undone. `confirmed` is called if the user goes on; `data` is
 * freed in any case. `label` is the verb on the button.
 */
void oriel_message_confirm(GtkWidget *near, const char *heading, const char *body,
                           const char *label, OrielMessageAnswer confirmed, gpointer data,
                           GDestroyNotify free_data);

#endif
