/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dialog that asks for whom a machine is exported, says how large that will be, and where to.
 */
#ifndef ORIEL_EXPORT_DIALOG_H
#define ORIEL_EXPORT_DIALOG_H

#include <gtk/gtk.h>

#include "model/oriel-machine-item.h"

/* Exports a machine that does not run; its row in the library shows the progress. */
void oriel_export_dialog_show(GtkWindow *parent, OrielMachineItem *item);

#endif
