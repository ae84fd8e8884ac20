/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine whose engine somebody else started: found, followed, unusable, or gone. */
#include <glib/gstdio.h>

#include "model/oriel-machine-item-private.h"
#include "running/oriel-session.h"
#include "scene.h"

jmp_buf test_failed;

static GSubprocess *start_elsewhere(void)
{
    g_autoptr(OrielMachine) machine = oriel_library_find("One", NULL);
    GSubprocess *process = NULL;

    CHECK(machine);
    CHECK(oriel_session_start(machine, 0, &process, NULL, NULL));
    return process;
}

TEST(found_while_running)
{
    g_autoptr(GSubprocess) process = NULL;
    struct scene scene;

    scene_open(&scene, NULL);
    process = start_elsewhere();
    WAIT(STATE_IS(&scene, RUNNING));
    /* Whoever follows it may go; it does not care. */
    scene_read_again(&scene);
    WAIT(STATE_IS(&scene, RUNNING));
    g_subprocess_force_exit(process);
    WAIT(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 1);
    scene_close(&scene);
}

TEST(found_locked)
{
    g_autoptr(GError) error = NULL;
    struct scene scene;

    scene_open(&scene, "no-socket");
    g_autoptr(GSubprocess) process = start_elsewhere();

    CHECK(!scene_start(&scene, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED));
    WAIT(STATE_IS(&scene, STOPPED));
    g_subprocess_force_exit(process);
    CHECK(g_subprocess_wait(process, NULL, NULL));
    scene_close(&scene);
}

/* As if it were found in time: who starts it wants it to run, and it does. */
TEST(start_of_what_runs)
{
    g_autoptr(GError) error = NULL;
    struct scene scene;

    scene_open(&scene, NULL);
    g_autoptr(GSubprocess) process = start_elsewhere();

    CHECK(STATE_IS(&scene, STOPPED)); /* nobody has told us yet */
    CHECK(scene_start(&scene, &error));
    CHECK(!error);
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK(oriel_machine_item_get_engine(scene.item));
    CHECK_EQ(scene.unexpected, 0);
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    CHECK(g_subprocess_wait(process, NULL, NULL));
    scene_close(&scene);
}

static void found_unusable(const char *script, const char *words)
{
    struct scene scene;

    scene_open(&scene, script);
    g_autoptr(GSubprocess) process = start_elsewhere();

    WAIT(STATE_IS(&scene, LOST));
    CHECK(strstr(oriel_machine_item_get_message(scene.item), words));
    CHECK(scene_command(&scene, ORIEL_COMMAND_KILL, NULL));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(g_subprocess_wait(process, NULL, NULL));
    scene_close(&scene);
}

TEST(found_garbage)
{
    found_unusable("garbage", "One");
}

TEST(found_other_version)
{
    found_unusable("version 7", "another version");
}

TEST(found_in_another_folder)
{
    struct scene scene;
    g_autofree char *copy = NULL, *from = NULL, *to = NULL, *text = NULL;

    scene_open(&scene, NULL);
    copy = fixture_folder("Copy");
    from = g_build_filename(oriel_machine_item_get_folder(scene.item), "machine.json", NULL);
    to = g_build_filename(copy, "machine.json", NULL);
    g_mkdir(copy, 0700);
    CHECK(g_file_get_contents(from, &text, NULL, NULL));
    CHECK(g_file_set_contents(to, text, -1, NULL));
    WAIT(oriel_machine_list_find_folder(scene.list, copy));
    CHECK(scene_start(&scene, NULL));
    g_autoptr(GAsyncResult) result = NULL;
    OrielMachineItem *other = oriel_machine_list_find_folder(scene.list, copy);

    /* Asked again and again, the copy stays what it is. */
    oriel_supervisor_look(other->supervisor);
    WAIT(!oriel_supervisor_is_looking(other->supervisor));
    CHECK_EQ(oriel_machine_item_get_state(other), ORIEL_MACHINE_STATE_STOPPED);
    CHECK(STATE_IS(&scene, RUNNING));
    scene_close(&scene);
}

/* A socket that a killed engine left. */
TEST(found_stale_socket)
{
    struct scene scene;

    scene_open(&scene, NULL);
    g_autoptr(GSubprocess) process = start_elsewhere();

    WAIT(STATE_IS(&scene, RUNNING));
    g_subprocess_force_exit(process);
    WAIT(STATE_IS(&scene, STOPPED));
    oriel_supervisor_look(scene.item->supervisor);
    WAIT(!oriel_supervisor_is_looking(scene.item->supervisor));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(scene_start(&scene, NULL));
    scene_close(&scene);
}

static const struct test all[] = {
    T(found_while_running), T(found_locked),        T(start_of_what_runs),
    T(found_garbage),       T(found_other_version), T(found_in_another_folder),
    T(found_stale_socket),
};

int main(void)
{
    int result;

    fixture_start();
    result = test_main(all, G_N_ELEMENTS(all));
    fixture_end();
    return result;
}
