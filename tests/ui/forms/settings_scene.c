/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See settings_scene.h. */
#include "settings_scene.h"

#include "disk/oriel-drives.h"
#include "library/oriel-operations.h"
#include "settings/oriel-settings-window.h"

void window_open(struct scene *scene, int width)
{
    scene->window = forms_show(oriel_settings_window_new(scene->item, scene->list), width, 620);
}

/* A machine with two disks and two CD drives; its name is markup where it should not be. */
void scene_open(struct scene *scene)
{
    const OrielCreateOptions options = { .name = NAME, .disk = "8G", .memory = "2G" };

    fixture_clear();
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = oriel_create(&options, NULL, NULL, NULL, &error);

    CHECK_STR(error ? error->message : "", "");
    g_autoptr(OrielMachine) machine = oriel_machine_load(folder);
    g_autofree char *disk = oriel_add_disk(machine, "1G", NULL, NULL, NULL, &error);
    g_autofree char *cdrom = oriel_add_cdrom(machine, NULL, NULL);

    CHECK_STR(error ? error->message : "", "");
    CHECK_STR(disk, "disk1");
    CHECK_STR(cdrom, "cdrom1");
    scene->list = fixture_list();
    scene->item = g_object_ref(oriel_machine_list_find_name(scene->list, NAME));
    window_open(scene, 640);
}

void scene_close(struct scene *scene)
{
    if (scene->window) {
        forms_close(scene->window);
    }
    g_clear_object(&scene->item);
    g_clear_object(&scene->list);
    fixture_clear();
}

gboolean is_saved(const char *name, const char *key, const char *value)
{
    g_autofree char *folder = fixture_folder(name);
    g_autoptr(OrielConfig) config = oriel_config_load(folder, NULL);
    g_autofree char *text = config ? oriel_config_get(config, key, NULL) : NULL;

    return g_strcmp0(text, value) == 0;
}

gboolean shows(GtkWidget *row, const char *text)
{
    g_autofree char *shown = forms_get(row);

    return g_strcmp0(shown, text) == 0;
}

static gboolean settings_set(OrielConfig *config, gpointer data, GError **error)
{
    const char **pair = data;

    return oriel_config_set(config, pair[0], pair[1], error);
}

gboolean set_in(const char *name, const char *key, const char *value)
{
    const char *pair[] = { key, value };
    g_autofree char *folder = fixture_folder(name);

    return oriel_machine_edit(folder, settings_set, pair, NULL);
}

void set_outside(const char *key, const char *value)
{
    CHECK(set_in(NAME, key, value));
}

void page_show(struct scene *scene, const char *title)
{
    GtkWidget *line = forms_line(scene->window, title);

    if (!line) {
        test_fail(__FILE__, __LINE__, "no page “%s”", title);
    }
    gtk_widget_activate(line);
}
