/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An appliance that is tried (appliance/oriel-try.h), as a window sees it: a machine that is in no
 * list. Its item is PENDING, with an operation, until its engine runs.
 *
 * Threads: main context only; nothing blocks. Signal: "ended" (no arguments), once, when it runs no
 * more and nothing of it is left. A trial that is dropped before goes on until it is ended; the end
 * of the process ends its engine.
 */
#ifndef ORIEL_TRIAL_H
#define ORIEL_TRIAL_H

#include "appliance/import/oriel-import.h"
#include "oriel-machine-item.h"

#define ORIEL_TYPE_TRIAL (oriel_trial_get_type())
G_DECLARE_FINAL_TYPE(OrielTrial, oriel_trial, ORIEL, TRIAL, GObject)

/* Starts it, after oriel_import_decide(). Keeps a reference to the import, which nobody else uses
 * until the end. */
OrielTrial *oriel_trial_new(OrielImport *import);
/* Borrowed. */
OrielMachineItem *oriel_trial_get_item(OrielTrial *trial);
/* Turns it off, or gives its start up; "ended" follows. */
void oriel_trial_end(OrielTrial *trial);
gboolean oriel_trial_has_ended(OrielTrial *trial);
/* After "ended": why it did not start, otherwise NULL. */
const GError *oriel_trial_get_error(OrielTrial *trial);

#endif
