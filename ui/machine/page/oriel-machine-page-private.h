/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the machine's page share. */
#ifndef ORIEL_MACHINE_PAGE_PRIVATE_H
#define ORIEL_MACHINE_PAGE_PRIVATE_H

#include "oriel-fullscreen-box.h"
#include "oriel-machine-details.h"
#include "oriel-machine-page.h"
#include "machine/oriel-grab-strip.h"
#include "machine/oriel-operation-box.h"

struct _OrielMachinePage {
    GtkWidget parent_instance;
    OrielFullscreenBox *box;
    AdwWindowTitle *title;
    GtkWidget *back_button, *pause_button, *keys_button, *screenshot_button, *fullscreen_button;
    GtkMenuButton *menu_button;
    GtkRevealer *disk_strip, *waiting_strip;
    GtkLabel *disk_label, *waiting_label;
    GtkWidget *restart_button, *power_off_button;
    GtkStack *stack;
    OrielMachineDetails *details;
    AdwStatusPage *busy, *crashed, *lost;
    GtkWidget *spinner;
    OrielOperationBox *work;
    OrielDisplay *display;
    GMenu *monitors_section, *displays_section;

    OrielMachineItem *item;
    OrielPreferences *preferences;
    GCancellable *cancellable; /* of connecting to the screen; NULL: neither connected nor at it */
    gboolean standalone, fullscreen, captures_keys;
    guint check_timer; /* runs while the picture is seen; 0: none */
};

/* Connects to the screen while there is one, and lets go of it otherwise. */
void oriel_machine_page_screen_follow(OrielMachinePage *page);
/* The scaling that the machine's settings, or else the preferences, ask for. */
void oriel_machine_page_scaling_follow(OrielMachinePage *page);
/* Sets the scaling and, for next time, the machine's setting. */
void oriel_machine_page_set_scaling(OrielMachinePage *page, OrielScaling scaling);
/* Keeps the monitors in the menu. */
void oriel_machine_page_watch_monitors(OrielMachinePage *page);
/* Keeps the displays behind the first in the menu. */
void oriel_machine_page_displays_follow(OrielMachinePage *page);
/* The strip about settings that wait for the next start. */
void oriel_machine_page_restart_follow(OrielMachinePage *page);
void oriel_machine_page_install_restart(GtkWidgetClass *class);
void oriel_machine_page_install_actions(GtkWidgetClass *class);
/* Actions that need a picture are on while there is one. */
void oriel_machine_page_actions_follow(OrielMachinePage *page);

#endif
