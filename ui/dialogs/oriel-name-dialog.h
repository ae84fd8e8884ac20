/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dialogs that ask for the name of a machine. */
#ifndef ORIEL_NAME_DIALOG_H
#define ORIEL_NAME_DIALOG_H

#include <gtk/gtk.h>

#include "model/oriel-machine-list.h"

/* Makes a full copy under the name that the user gives; its row shows the progress. */
void oriel_clone_dialog_show(GtkWindow *parent, OrielMachineList *list, OrielMachineItem *item);
/* Gives a machine that does not run another name. */
void oriel_rename_dialog_show(GtkWindow *parent, OrielMachineItem *item, OrielMachineList *list);

#endif
