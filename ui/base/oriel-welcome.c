/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-welcome.h. */
#include "oriel-welcome.h"

#include <glib/gi18n.h>

char *oriel_welcome_image(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    g_autofree char *built = g_build_filename(folder, "..", "data", "welcome", "welcome.img", NULL);
    const char *paths[] = { built, ORIEL_DATA_DIR "/welcome.img" };

    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (g_file_test(paths[i], G_FILE_TEST_IS_REGULAR)) {
            return g_canonicalize_filename(paths[i], NULL);
        }
    }
    return NULL;
}

OrielMachineItem *oriel_welcome_create(OrielMachineList *list)
{
    g_autofree char *image = oriel_welcome_image();
    /* Translators: the name of the machine that greets new users. */
    g_autofree char *name = oriel_machine_list_free_name(list, C_("machine", "Welcome"));
    OrielCreateOptions options = { .name = name, .disk = image, .memory = "128M", .cpus = "1" };

    return image ? oriel_machine_list_create(list, &options) : NULL;
}
