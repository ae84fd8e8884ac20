/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One machine in the library: its picture, name and state, progress of work on it, its context
 * menu. Serves the grid and, "compact", the list.
 *
 * Properties: "item" (OrielMachineItem), "compact" (b), "selecting" (b: shows a check mark),
 * "selected" (b).
 */
#ifndef ORIEL_MACHINE_CELL_H
#define ORIEL_MACHINE_CELL_H

#include <gtk/gtk.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_MACHINE_CELL (oriel_machine_cell_get_type())
G_DECLARE_FINAL_TYPE(OrielMachineCell, oriel_machine_cell, ORIEL, MACHINE_CELL, GtkWidget)

/* Signal: "toggled", when the user changes "selected". */

GtkWidget *oriel_machine_cell_new(gboolean compact);
void oriel_machine_cell_set_item(OrielMachineCell *cell, OrielMachineItem *item);
OrielMachineItem *oriel_machine_cell_get_item(OrielMachineCell *cell);
void oriel_machine_cell_set_selecting(OrielMachineCell *cell, gboolean selecting);
void oriel_machine_cell_set_selected(OrielMachineCell *cell, gboolean selected);
gboolean oriel_machine_cell_get_selected(OrielMachineCell *cell);
/* Whether the user sees the cell, or soon will, where the view is scrolled to; FALSE at first.
 * Returns whether that is new. */
gboolean oriel_machine_cell_set_seen(OrielMachineCell *cell, gboolean seen);
/* Opens the context menu at its place, as the menu key does. */
void oriel_machine_cell_open_menu(OrielMachineCell *cell);
/* Does what an item of the menu does ("machine.rename"), if it can be done now. */
void oriel_machine_cell_activate(OrielMachineCell *cell, const char *action);

#endif
