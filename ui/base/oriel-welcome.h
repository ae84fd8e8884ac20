/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The welcome machine: a small guest that comes with Oriel, so that something runs at once. */
#ifndef ORIEL_WELCOME_H
#define ORIEL_WELCOME_H

#include "model/oriel-machine-list.h"

/* Path of its disk image as built or installed, or NULL if it is not there. g_free(). */
char *oriel_welcome_image(void);
/* Begins to make it, under a free name. Borrowed; NULL if the image is not there. */
OrielMachineItem *oriel_welcome_create(OrielMachineList *list);

#endif
