/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine with its settings window, for tests of that. */
#ifndef TESTS_SETTINGS_SCENE_H
#define TESTS_SETTINGS_SCENE_H

#include "forms_fixture.h"

#define NAME "Debian <stable> & more, a machine with quite a long name"

struct scene {
    OrielMachineList *list;
    OrielMachineItem *item;
    GtkWindow *window; /* NULL: closed */
};

/* A machine NAME with two disks and two CD drives, and its window. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
/* The window once more, `width` pixels wide. */
void window_open(struct scene *scene, int width);
/* Goes to the page with that title, as a click on its line does. */
void page_show(struct scene *scene, const char *title);

/* Whether the machine's file has this value. */
gboolean is_saved(const char *name, const char *key, const char *value);
/* Whether the row shows that. */
gboolean shows(GtkWidget *row, const char *text);
/* Changes a setting of a machine as another program would. */
gboolean set_in(const char *name, const char *key, const char *value);
/* The same for NAME; the test fails if it cannot be set. */
void set_outside(const char *key, const char *value);

#endif
