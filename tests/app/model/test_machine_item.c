/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One machine as an observable object, over an engine that misbehaves. */
#include "model_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "model/oriel-machine-item-private.h"
#include "running/oriel-session.h"

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

/* --- What goes well --------------------------------------------------------------------------- */

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

static char *property_text(OrielMachineItem *item, const char *name)
{
    char *text = NULL;

    g_object_get(item, name, &text, NULL);
    return text;
}

TEST(properties)
{
    struct scene scene;
    g_autofree char *name = NULL, *folder = NULL, *expected = NULL;

    scene_open(&scene, NULL);
    name = property_text(scene.item, "name");
    folder = property_text(scene.item, "folder");
    expected = fixture_folder("One");
    CHECK_STR(name, "One");
    CHECK_STR(folder, expected);
    CHECK_STR(oriel_machine_item_get_uuid(scene.item),
              oriel_machine_item_get_config(scene.item)->uuid);
    CHECK(!oriel_machine_item_get_thumbnail(scene.item));
    CHECK(!oriel_machine_item_get_operation(scene.item));
    CHECK(!oriel_machine_item_get_waiting_keys(scene.item)[0]);
    CHECK_STR(oriel_machine_state_to_string(ORIEL_MACHINE_STATE_CRASHED), "crashed");
    scene_close(&scene);
}

TEST(saved_state)
{
    struct scene scene;
    g_autoptr(GAsyncResult) result = NULL;

    scene_open(&scene, NULL);
    CHECK(start(&scene, NULL));
    CHECK(command(&scene, ORIEL_COMMAND_SAVE, NULL));
    WAIT(STATE_IS(&scene, SAVED));
    CHECK_EQ(scene.unexpected, 0);
    CHECK(!oriel_machine_item_is_active(scene.item));
    oriel_machine_item_start_async(scene.item, TRUE, NULL, fixture_result, &result);
    WAIT(result);
    CHECK(oriel_machine_item_start_finish(scene.item, result, NULL));
    CHECK(command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    WAIT(STATE_IS(&scene, STOPPED));
    scene_close(&scene);
}

TEST(settings)
{
    static const char *const good[] = { "memory", "512M", "notes", "two\nlines", NULL };
    static const char *const bad[] = { "cpus", "2", "memory", "1K", NULL };
    static const char *const name[] = { "name", "Two", NULL };
    struct scene scene;
    g_autoptr(GAsyncResult) first = NULL, second = NULL, third = NULL;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, NULL);
    CHECK(start(&scene, NULL));
    oriel_machine_item_set_async(scene.item, good, NULL, fixture_result, &first);
    WAIT(first);
    CHECK(oriel_machine_item_set_finish(scene.item, first, NULL));
    CHECK_EQ(oriel_machine_item_get_config(scene.item)->memory, 512 << 20);
    CHECK_STR(oriel_machine_item_get_config(scene.item)->notes, "two\nlines");
    /* The notes are nothing to the engine; the memory waits for a restart. */
    WAIT(oriel_machine_item_get_waiting_keys(scene.item)[0]);
    CHECK_STR(oriel_machine_item_get_waiting_keys(scene.item)[0], "memory");
    CHECK(!oriel_machine_item_get_waiting_keys(scene.item)[1]);
    oriel_machine_item_set_async(scene.item, bad, NULL, fixture_result, &second);
    WAIT(second);
    CHECK(!oriel_machine_item_set_finish(scene.item, second, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    CHECK(strstr(error->message, "memory"));
    CHECK_EQ(oriel_machine_item_get_config(scene.item)->cpus, 1);
    oriel_machine_item_set_async(scene.item, name, NULL, fixture_result, &third);
    WAIT(third);
    CHECK(!oriel_machine_item_set_finish(scene.item, third, NULL));
    CHECK(command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    CHECK(!oriel_machine_item_get_waiting_keys(scene.item)[0]);
    scene_close(&scene);
}

/* --- Work ------------------------------------------------------------------------------------- */

static char *work_note(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                       GError **error)
{
    static const char *const notes[] = { "by the work" };
    g_autoptr(OrielConfig) config = oriel_config_load(data, error);

    return config && oriel_config_set(config, "notes", notes[0], error) &&
                   oriel_config_save(config, data, error)
               ? g_strdup("")
               : NULL;
}

TEST(work_on_a_machine)
{
    struct scene scene;
    g_autoptr(OrielOperation) first = NULL, second = NULL;

    scene_open(&scene, NULL);
    first = oriel_machine_item_operate(scene.item, "Writing", work_note,
                                       g_strdup(oriel_machine_item_get_folder(scene.item)), g_free);
    CHECK(oriel_machine_item_get_operation(scene.item) == first);
    second = oriel_machine_item_operate(scene.item, "Again", work_note, NULL, NULL);
    WAIT(!oriel_operation_is_active(second));
    CHECK(g_error_matches(oriel_operation_get_error(second), ORIEL_ERROR, ORIEL_ERROR_STATE));
    WAIT(!oriel_operation_is_active(first));
    CHECK(!oriel_operation_get_error(first));
    CHECK(!oriel_machine_item_get_operation(scene.item));
    WAIT(g_strcmp0(oriel_machine_item_get_config(scene.item)->notes, "by the work") == 0);
    scene_close(&scene);
}

/* --- What goes wrong -------------------------------------------------------------------------- */

TEST(start_refused)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, "fail 5 There is no /dev/kvm here.");
    CHECK(!start(&scene, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NO_KVM));
    CHECK_STR(error->message, "There is no /dev/kvm here.");
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 0);
    scene_close(&scene);
}

TEST(start_without_a_word)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, "mute");
    CHECK(!start(&scene, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_HOST));
    CHECK(strstr(error->message, "engine.log"));
    CHECK(STATE_IS(&scene, STOPPED));
    scene_close(&scene);
}

TEST(start_cancelled)
{
    struct scene scene;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, "silent");
    oriel_machine_item_start_async(scene.item, FALSE, cancellable, fixture_result, &result);
    CHECK(STATE_IS(&scene, STARTING));
    g_cancellable_cancel(cancellable);
    WAIT(result);
    CHECK(!oriel_machine_item_start_finish(scene.item, result, &error));
    CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 0);
    scene_close(&scene);
}

TEST(start_that_never_ends)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, "silent\nno-socket");
    oriel_supervisor_set_patience(scene.item->supervisor, 10);
    CHECK(!start(&scene, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT));
    CHECK(STATE_IS(&scene, LOST));
    CHECK(command(&scene, ORIEL_COMMAND_KILL, NULL));
    CHECK(STATE_IS(&scene, STOPPED));
    scene_close(&scene);
}

TEST(engine_crashes)
{
    static const struct {
        const char *command, *words;
    } ends[] = {
        { "exit 7", "unexpectedly" },
        { "signal 9", "unexpectedly" },
        { "close", "unexpectedly" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        struct scene scene;

        scene_open(&scene, NULL);
        CHECK(start(&scene, NULL));
        fixture_tell(scene.item, ends[i].command);
        WAIT(STATE_IS(&scene, STOPPED));
        CHECK_EQ(scene.unexpected, 1);
        CHECK(strstr(scene.message, ends[i].words));
        CHECK(strstr(scene.message, "One"));
        CHECK_STR(oriel_machine_item_get_message(scene.item), scene.message);
        CHECK(!oriel_machine_item_get_engine(scene.item));
        if (i < 2) { /* the last one still has the machine's lock */
            CHECK(start(&scene, NULL));
            CHECK_STR(oriel_machine_item_get_message(scene.item), "");
        }
        scene_close(&scene);
    }
}

TEST(guest_crashes)
{
    struct scene scene;

    scene_open(&scene, NULL);
    CHECK(start(&scene, NULL));
    fixture_tell(scene.item, "state crashed triple-fault The guest fell over.");
    WAIT(STATE_IS(&scene, CRASHED));
    CHECK_EQ(scene.unexpected, 1);
    CHECK_STR(scene.message, "The guest fell over.");
    CHECK(oriel_machine_item_is_active(scene.item));
    CHECK(command(&scene, ORIEL_COMMAND_RESET, NULL));
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK_STR(oriel_machine_item_get_message(scene.item), "");
    fixture_tell(scene.item, "off guest");
    WAIT(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 1);
    scene_close(&scene);
}

/* Bytes that would break a terminal or a label, and a state that does not exist. */
TEST(engine_talks_nonsense)
{
    struct scene scene;

    scene_open(&scene, NULL);
    CHECK(start(&scene, NULL));
    fixture_tell(scene.item, "state dancing user \001\033[31mred");
    WAIT(STATE_IS(&scene, LOST));
    CHECK(strstr(oriel_machine_item_get_message(scene.item), "does not know"));
    fixture_tell(scene.item, "state paused disk-full a\001\033[31mred\nline");
    WAIT(STATE_IS(&scene, PAUSED));
    for (const char *p = oriel_machine_item_get_message(scene.item); *p; p++) {
        CHECK((unsigned char)*p >= ' ');
    }
    scene_close(&scene);
}

TEST(engine_hangs_and_comes_back)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = NULL;

    scene_open(&scene, "deaf Pause");
    CHECK(start(&scene, NULL));
    oriel_supervisor_set_patience(scene.item->supervisor, 50);
    fixture_tell(scene.item, "hang");
    CHECK(!command(&scene, ORIEL_COMMAND_PAUSE, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT));
    CHECK(STATE_IS(&scene, LOST));
    CHECK(strstr(oriel_machine_item_get_message(scene.item), "does not answer"));
    CHECK_EQ(scene.unexpected, 0);
    g_subprocess_send_signal(oriel_supervisor_get_process(scene.item->supervisor), SIGCONT);
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK_STR(oriel_machine_item_get_message(scene.item), "");
    oriel_supervisor_set_patience(scene.item->supervisor, 10000);
    CHECK(command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    scene_close(&scene);
}

TEST(engine_hangs_and_is_ended)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, NULL);
    CHECK(start(&scene, NULL));
    CHECK(!command(&scene, ORIEL_COMMAND_KILL, &error)); /* it answers */
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    oriel_supervisor_set_patience(scene.item->supervisor, 50);
    fixture_tell(scene.item, "hang");
    oriel_machine_item_check(scene.item);
    WAIT(STATE_IS(&scene, LOST));
    CHECK(command(&scene, ORIEL_COMMAND_KILL, NULL));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK_EQ(scene.unexpected, 0);
    scene_close(&scene);
}

/* A method that takes long is not a hang: the main loop answers meanwhile. */
TEST(slow_is_not_lost)
{
    struct scene scene;
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;
    gint64 end = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
    gint64 since = 0;

    scene_open(&scene, "deaf Pause");
    CHECK(start(&scene, NULL));
    oriel_supervisor_set_patience(scene.item->supervisor, 2000);
    oriel_machine_item_command_async(scene.item, ORIEL_COMMAND_PAUSE, cancellable, fixture_result,
                                     &result);
    while (g_get_monotonic_time() < end) {
        fixture_step(&since);
    }
    CHECK(!result);
    g_cancellable_cancel(cancellable);
    WAIT(result);
    CHECK(!oriel_machine_item_command_finish(scene.item, result, &error));
    CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    scene_close(&scene);
}

TEST(command_refused)
{
    struct scene scene;
    g_autoptr(GError) error = NULL, second = NULL;

    scene_open(&scene, "refuse Pause\nrefuse Save");
    CHECK(!command(&scene, ORIEL_COMMAND_PAUSE, &error)); /* it does not run */
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    g_clear_error(&error);
    CHECK(start(&scene, NULL));
    CHECK(!command(&scene, ORIEL_COMMAND_PAUSE, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK_STR(error->message, "The engine does not want to.");
    CHECK(STATE_IS(&scene, RUNNING));
    CHECK(!command(&scene, ORIEL_COMMAND_SAVE, &second));
    CHECK_STR(second->message, "The engine does not want to.");
    CHECK(STATE_IS(&scene, RUNNING));
    scene_close(&scene);
}

/* --- Engines that somebody else started ------------------------------------------------------- */

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
    scene.item = (g_signal_handlers_disconnect_by_data(scene.item, &scene), scene.item);
    g_clear_object(&scene.item);
    g_clear_object(&scene.list);
    scene.list = fixture_list();
    scene.item = g_object_ref(oriel_machine_list_find_name(scene.list, "One"));
    g_signal_connect(scene.item, "stopped-unexpectedly", G_CALLBACK(on_unexpected), &scene);
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

    CHECK(!start(&scene, &error));
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
    CHECK(start(&scene, &error));
    CHECK(!error);
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK(oriel_machine_item_get_engine(scene.item));
    CHECK_EQ(scene.unexpected, 0);
    CHECK(command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
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
    CHECK(command(&scene, ORIEL_COMMAND_KILL, NULL));
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
    CHECK(start(&scene, NULL));
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
    CHECK(start(&scene, NULL));
    scene_close(&scene);
}

/* Nobody is told of a run by the end of the one before. */
TEST(generations)
{
    struct scene scene;
    guint64 first;

    scene_open(&scene, NULL);
    for (int i = 0; i < 5; i++) {
        first = oriel_supervisor_get_generation(scene.item->supervisor);
        CHECK(start(&scene, NULL));
        CHECK(oriel_supervisor_get_generation(scene.item->supervisor) > first);
        fixture_tell(scene.item, "exit 1");
        WAIT(STATE_IS(&scene, STOPPED));
        CHECK_EQ(scene.unexpected, (guint)i + 1);
    }
    scene_close(&scene);
}

static const struct test all[] = {
    T(properties),
    T(start_and_power_off),
    T(saved_state),
    T(settings),
    T(work_on_a_machine),
    T(start_refused),
    T(start_without_a_word),
    T(start_cancelled),
    T(start_that_never_ends),
    T(engine_crashes),
    T(guest_crashes),
    T(engine_talks_nonsense),
    T(engine_hangs_and_comes_back),
    T(engine_hangs_and_is_ended),
    T(slow_is_not_lost),
    T(command_refused),
    T(found_while_running),
    T(found_locked),
    T(start_of_what_runs),
    T(found_garbage),
    T(found_other_version),
    T(found_in_another_folder),
    T(found_stale_socket),
    T(generations),
};

int main(void)
{
    int result;

    fixture_start();
    result = test_main(all, G_N_ELEMENTS(all));
    fixture_end();
    return result;
}
