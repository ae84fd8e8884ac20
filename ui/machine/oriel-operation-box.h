/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The work under way on a machine: what it is, how far, a button to cancel it. Not visible while
 * there is none.
 */
#ifndef ORIEL_OPERATION_BOX_H
#define ORIEL_OPERATION_BOX_H

#include <gtk/gtk.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_OPERATION_BOX (oriel_operation_box_get_type())
G_DECLARE_FINAL_TYPE(OrielOperationBox, oriel_operation_box, ORIEL, OPERATION_BOX, GtkWidget)

/* Follows the item's operation; NULL: none. */
void oriel_operation_box_set_item(OrielOperationBox *box, OrielMachineItem *item);
/* A title that is said beside the box already, and not in it again. */
void oriel_operation_box_set_known_title(OrielOperationBox *box, const char *title);

#endif
