/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine that does not run: its last picture, a start button, what it is, its notes. Actions of
 * the group "machine" must be inserted around it. Property: "item". */
#ifndef ORIEL_MACHINE_DETAILS_H
#define ORIEL_MACHINE_DETAILS_H

#include <adwaita.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_MACHINE_DETAILS (oriel_machine_details_get_type())
G_DECLARE_FINAL_TYPE(OrielMachineDetails, oriel_machine_details, ORIEL, MACHINE_DETAILS, GtkWidget)

void oriel_machine_details_set_item(OrielMachineDetails *details, OrielMachineItem *item);

#endif
