/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of machines as people type them. Main context only. */
#ifndef ORIEL_MACHINE_NAME_H
#define ORIEL_MACHINE_NAME_H

#include "model/oriel-machine-list.h"

/*
 * What is wrong with a name, as a sentence, or NULL: also for an empty one, with which nothing can
 * be done yet. `own` is the machine that may have the name already, or NULL.
 */
const char *oriel_machine_name_problem(OrielMachineList *list, const char *name,
                                       OrielMachineItem *own);

#endif
