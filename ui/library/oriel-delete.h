/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deleting machines with a way back: they go into the trash when the toast with “Undo” is gone. */
#ifndef ORIEL_DELETE_H
#define ORIEL_DELETE_H

#include <adwaita.h>

#include "model/oriel-machine-list.h"

/* `items`: OrielMachineItem, copied. The toast is shown in the window of `near`; if
 * that closes because its machine goes, they go into the trash at once. */
void oriel_delete_machines(GtkWidget *near, OrielMachineList *list, GPtrArray *items);
/* Puts what is still waiting for an undo into the trash now; at the end of the last window. The
 * default application is held until it is done. */
void oriel_delete_commit_all(OrielMachineList *list);

#endif
