/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a new machine is made of, when all that is known is a file: the one place where the window
 * and orielctl get it from. The window shows it for review; orielctl fills in what was not said.
 *
 * Threads: any. oriel_plan_make() blocks on a few small files.
 */
#ifndef ORIEL_PLAN_H
#define ORIEL_PLAN_H

#include "media/oriel-media.h"
#include "media/oriel-system.h"
#include "oriel-operations.h"

typedef struct {
    const OrielSystem *system; /* never NULL */
    OrielHostResources host;
    OrielDefaults defaults; /* UEFI also if that is all that the medium starts from */
    gboolean makes_disk;    /* a new disk is of use: an empty machine, or a CD */
} OrielPlan;

/*
 * `media` may be NULL: an empty machine. `system` is the id of the one chosen, or NULL: that of the
 * medium, or, if that is not known, Linux for a kernel and otherwise "other". `library` is where
 * the machine will be kept.
 */
void oriel_plan_make(OrielPlan *plan, const OrielMedia *media, const char *system,
                     const char *library);

enum {
    ORIEL_PLAN_SETTINGS = 9, /* pairs and the NULL behind them */
    ORIEL_PLAN_TEXT = 32,    /* bytes */
};

/* The texts to which the options point. */
typedef struct {
    char memory[ORIEL_PLAN_TEXT], cpus[ORIEL_PLAN_TEXT];
    const char *settings[ORIEL_PLAN_SETTINGS];
} OrielPlanTexts;

/*
 * Sets memory, cpus, firmware, the controller of a new, empty disk, and settings (the system, the
 * clock that it expects, the network card and the display adapter that it knows) where they are
 * NULL. `texts` must live as long as `options`.
 */
void oriel_plan_fill(const OrielPlan *plan, OrielCreateOptions *options, OrielPlanTexts *texts);

#endif
