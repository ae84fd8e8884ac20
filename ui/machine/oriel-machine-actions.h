/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user does with a machine, as actions: the same for the context menus of the library and
 * for the machine's page. The group is inserted as "machine".
 *
 * start, discard-saved, pause (stateful), resume, shut-down, reset, power-off, save, end: done
 * here, after a question where work may be lost. settings, clone, rename, delete, open,
 * open-window, add-launcher, show-log, insert-cd, eject-cd: handed on to the window as
 * win.machine-NAME with the machine's folder.
 */
#ifndef ORIEL_MACHINE_ACTIONS_H
#define ORIEL_MACHINE_ACTIONS_H

#include <gtk/gtk.h>

#include "model/oriel-machine-item.h"

/* Actions on the item, for as long as `widget` lives, whose window gets questions and errors; they
 * follow the item's state. */
void oriel_machine_actions_insert(GtkWidget *widget, OrielMachineItem *item);

/* One command, with a dialog in the window of `widget` if it fails. */
void oriel_machine_actions_command(GtkWidget *widget, OrielMachineItem *item, OrielCommand command);
void oriel_machine_actions_start(GtkWidget *widget, OrielMachineItem *item, gboolean discard_saved);

#endif
