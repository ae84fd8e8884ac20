/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One machine as an observable object, over an engine that misbehaves. */
#include "model_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "model/oriel-machine-item-private.h"
#include "oriel-session.h"

jmp_buf test_failed;

/* A list with one machine and what happened to it. */
struct scene {
    OrielMachineList *list;
    OrielMachineItem *item;
    guint unexpected, resets, media;
    char *message;
};

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

static void scene_open(struct scene *scene, const char *script)
{
    memset(scene, 0, sizeof(*scene));
    fixture_clear();
    fixture_machine("One", script);
    scene->list = fixture_list();
    scene->item = oriel_machine_list_find_name(scene->list, "One");
    CHECK(scene->item);
    g_object_ref(scene->item);
    g_signal_connect(scene->item, "stopped-unexpectedly", G_CALLBACK(on_unexpected), scene);
    g_signal_connect(scene->item, "was-reset", G_CALLBACK(on_reset), scene);
    g_signal_connect(scene->item, "media-changed", G_CALLBACK(on_media), scene);
}

static void scene_close(struct scene *scene)
{
    g_signal_handlers_disconnect_by_data(scene->item, scene);
    g_clear_object(&scene->item);
    g_clear_object(&scene->list);
    g_clear_pointer(&scene->message, g_free);
    fixture_clear();
}

#define STATE_IS(scene, name)                                                                      \
    (oriel_machine_item_get_state((scene)->item) == ORIEL_MACHINE_STATE_##name)

static gboolean start(struct scene *scene, GError **error)
{
    g_autoptr(GAsyncResult) result = NULL;

    oriel_machine_item_start_async(scene->item, FALSE, NULL, fixture_result, &result);
    WAIT(result);
    return oriel_machine_item_start_finish(scene->item, result, error);
}

static gboolean command(struct scene *scene, OrielCommand which, GError **error)
{
    g_autoptr(GAsyncResult) result = NULL;

    oriel_machine_item_command_async(scene->item, which, NULL, fixture_result, &result);
    WAIT(result);
    return oriel_machine_item_command_finish(scene->item, result, error);
}

/* --- What goes well -----------------------------------------------------------------------------
 */

TEST(start_and_power_off)
{
    struct scene scene;

    scene_open(&scene, NULL);
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(!oriel_machine_item_is_active(scene.item));
    CHECK(start(&scene, NULL));
    CHECK(STATE_IS(&scene, RUNNING));
    CHECK(oriel_machine_item_get_engine(scene.item));
    CHECK_EQ(oriel_machine_list_get_n_active(scene.list), 1);
    CHECK(command(&scene, ORIEL_COMMAND_PAUSE, NULL));
    WAIT(STATE_IS(&scene, PAUSED));
    WAIT(oriel_machine_item_get_thumbnail(scene.item));
    CHECK(command(&scene, ORIEL_COMMAND_RESUME, NULL));
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK(command(&scene, ORIEL_COMMAND_RESET, NULL));
    WAIT(scene.resets == 1);
    fixture_tell(scene.item, "media cdrom0");
    WAIT(scene.media == 1);
    CHECK(command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(!oriel_machine_item_get_engine(scene.item));
    CHECK_STR(oriel_machine_item_get_message(scene.item), "");
    CHECK_EQ(scene.unexpected, 0);
    CHECK_EQ(oriel_machine_list_get_n_active(scene.list), 0);
    CHECK(start(&scene, NULL));
    CHECK(command(&scene, ORIEL_COMMAND_SHUT_DOWN, NULL));
    WAIT(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 0);
    scene_close(&scene);
}

static const struct test all[] = {
    T(start_and_power_off),
};

int main(void)
{
    int result;

    fixture_start();
    result = test_main(all, G_N_ELEMENTS(all));
    fixture_end();
    return result;
}
