/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library with one machine, "One", over a fake engine: what happened to it is counted. */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "model_fixture.h"

struct scene {
    OrielMachineList *list;
    OrielMachineItem *item;
    guint unexpected, resets, media; /* how often each signal came */
    char *message;                   /* of the last "stopped-unexpectedly" */
};

/* With this script for the fake engine (or NULL). */
void scene_open(struct scene *scene, const char *script);
/* Lets go of the machine, which may run, and reads the library again as another program would. */
void scene_read_again(struct scene *scene);
void scene_close(struct scene *scene);

#define STATE_IS(scene, name)                                                                      \
    (oriel_machine_item_get_state((scene)->item) == ORIEL_MACHINE_STATE_##name)

/* Each waits for the end of what it begins. */
gboolean scene_start(struct scene *scene, GError **error);
gboolean scene_command(struct scene *scene, OrielCommand command, GError **error);

#endif
