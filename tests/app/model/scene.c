/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scene.h"

#include <string.h>

static void on_unexpected(OrielMachineItem *item, const char *message, struct scene *scene)
{
    scene->unexpected++;
    g_free(scene->message);
    scene->message = g_strdup(message);
}

static void on_reset(OrielMachineItem *item, struct scene *scene)
{
    scene->resets++;
}

static void on_media(OrielMachineItem *item, const char *drive, struct scene *scene)
{
    CHECK_STR(drive, "cdrom0");
    scene->media++;
}

static void library_read(struct scene *scene)
{
    scene->list = fixture_list();
    scene->item = oriel_machine_list_find_name(scene->list, "One");
    CHECK(scene->item);
    g_object_ref(scene->item);
    g_signal_connect(scene->item, "stopped-unexpectedly", G_CALLBACK(on_unexpected), scene);
    g_signal_connect(scene->item, "was-reset", G_CALLBACK(on_reset), scene);
    g_signal_connect(scene->item, "media-changed", G_CALLBACK(on_media), scene);
}

static void library_leave(struct scene *scene)
{
    g_signal_handlers_disconnect_by_data(scene->item, scene);
    g_clear_object(&scene->item);
    g_clear_object(&scene->list);
}

void scene_open(struct scene *scene, const char *script)
{
    memset(scene, 0, sizeof(*scene));
    fixture_clear();
    fixture_machine("One", script);
    library_read(scene);
}

void scene_read_again(struct scene *scene)
{
    library_leave(scene);
    library_read(scene);
}

void scene_close(struct scene *scene)
{
    library_leave(scene);
    g_clear_pointer(&scene->message, g_free);
    fixture_clear();
}

gboolean scene_start(struct scene *scene, GError **error)
{
    g_autoptr(GAsyncResult) result = NULL;

    oriel_machine_item_start_async(scene->item, FALSE, NULL, fixture_result, &result);
    WAIT(result);
    return oriel_machine_item_start_finish(scene->item, result, error);
}

gboolean scene_command(struct scene *scene, OrielCommand command, GError **error)
{
    g_autoptr(GAsyncResult) result = NULL;

    oriel_machine_item_command_async(scene->item, command, NULL, fixture_result, &result);
    WAIT(result);
    return oriel_machine_item_command_finish(scene->item, result, error);
}
