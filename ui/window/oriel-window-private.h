/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the window share. */
#ifndef ORIEL_WINDOW_PRIVATE_H
#define ORIEL_WINDOW_PRIVATE_H

#include "library/oriel-library-page.h"
#include "machine/page/oriel-machine-page.h"
#include "oriel-window.h"

struct _OrielWindow {
    AdwApplicationWindow parent_instance;
    AdwToastOverlay *toasts;
    GtkStack *stack;
    OrielLibraryPage *library;
    OrielMachinePage *page; /* NULL until a machine is shown */

    OrielMachineList *list;
    OrielPreferences *preferences;
    gboolean of_one_machine;
    char *pending_folder; /* to be shown when the library has been read */
    gboolean pending_start;
    gboolean closing; /* the user has answered what becomes of running machines */
};

void oriel_window_install_actions(GtkWidgetClass *class);
void oriel_window_install_form_actions(GtkWidgetClass *class);
void oriel_window_accept_drops(OrielWindow *window);
/* The machine in the folder that is an action's parameter, or NULL if it is gone. Borrowed. */
OrielMachineItem *oriel_window_parameter_item(OrielWindow *window, GVariant *parameter);
/* The keys of the application are off while the screen in `page` (NULL: there is none) has the
 * keyboard, and `window` is the active one. */
void oriel_window_shortcuts_follow(GtkWindow *window, OrielMachinePage *page);
/* Starts the machine as soon as it was made. */
void oriel_window_start_when_made(OrielWindow *window, OrielMachineItem *item);
/* FALSE: the user is asked first what becomes of running machines; the window closes then. */
gboolean oriel_window_may_close(OrielWindow *window);
/* Writes a launcher for the machine into the user's applications. */
void oriel_window_add_launcher(OrielWindow *window, OrielMachineItem *item);
void oriel_window_insert_cd(OrielWindow *window, OrielMachineItem *item);
void oriel_window_eject_cd(OrielWindow *window, OrielMachineItem *item);

#endif
