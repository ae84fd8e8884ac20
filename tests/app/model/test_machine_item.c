/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One machine as an observable object, over an engine that misbehaves. */
#include <signal.h>

#include "model/oriel-machine-item-private.h"
#include "scene.h"

jmp_buf test_failed;

/* --- What goes well --------------------------------------------------------------------------- */

TEST(start_and_power_off)
{
    struct scene scene;

    scene_open(&scene, NULL);
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(!oriel_machine_item_is_active(scene.item));
    CHECK(scene_start(&scene, NULL));
    CHECK(STATE_IS(&scene, RUNNING));
    CHECK(oriel_machine_item_get_engine(scene.item));
    CHECK_EQ(oriel_machine_list_get_n_active(scene.list), 1);
    CHECK(scene_command(&scene, ORIEL_COMMAND_PAUSE, NULL));
    WAIT(STATE_IS(&scene, PAUSED));
    WAIT(oriel_machine_item_get_thumbnail(scene.item));
    CHECK(scene_command(&scene, ORIEL_COMMAND_RESUME, NULL));
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK(scene_command(&scene, ORIEL_COMMAND_RESET, NULL));
    WAIT(scene.resets == 1);
    fixture_tell(scene.item, "media cdrom0");
    WAIT(scene.media == 1);
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    CHECK(STATE_IS(&scene, STOPPED));
    CHECK(!oriel_machine_item_get_engine(scene.item));
    CHECK_STR(oriel_machine_item_get_message(scene.item), "");
    CHECK_EQ(scene.unexpected, 0);
    CHECK_EQ(oriel_machine_list_get_n_active(scene.list), 0);
    CHECK(scene_start(&scene, NULL));
    CHECK(scene_command(&scene, ORIEL_COMMAND_SHUT_DOWN, NULL));
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
    CHECK(scene_start(&scene, NULL));
    CHECK(scene_command(&scene, ORIEL_COMMAND_SAVE, NULL));
    WAIT(STATE_IS(&scene, SAVED));
    CHECK_EQ(scene.unexpected, 0);
    CHECK(!oriel_machine_item_is_active(scene.item));
    oriel_machine_item_start_async(scene.item, TRUE, NULL, fixture_result, &result);
    WAIT(result);
    CHECK(oriel_machine_item_start_finish(scene.item, result, NULL));
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
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
    CHECK(scene_start(&scene, NULL));
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
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    CHECK(!oriel_machine_item_get_waiting_keys(scene.item)[0]);
    scene_close(&scene);
}

static const OrielNetwork *network_of(OrielMachineItem *item)
{
    const OrielConfig *config = oriel_machine_item_get_config(item);

    return config->networks->len > 0 ? config->networks->pdata[0] : NULL;
}

/* What is saved is shown, also if the engine will not have it yet. */
TEST(settings_that_the_engine_refuses)
{
    static const char *const pairs[] = { "net0.link", "down", NULL };
    struct scene scene;
    g_autoptr(GAsyncResult) result = NULL;

    scene_open(&scene, "refuse SetLink\n");
    g_autofree char *folder = fixture_folder("One");
    g_autoptr(OrielConfig) config = oriel_config_load(folder, NULL);

    CHECK(oriel_config_add_network(config, NULL) && oriel_config_save(config, folder, NULL));
    oriel_machine_item_reload(scene.item);
    WAIT(network_of(scene.item));
    CHECK(scene_start(&scene, NULL));
    oriel_machine_item_set_async(scene.item, pairs, NULL, fixture_result, &result);
    WAIT(result);
    CHECK(!oriel_machine_item_set_finish(scene.item, result, NULL));
    WAIT(network_of(scene.item)->link_down);
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
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
    CHECK(!scene_start(&scene, &error));
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
    CHECK(!scene_start(&scene, &error));
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
    CHECK(!scene_start(&scene, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT));
    CHECK(STATE_IS(&scene, LOST));
    CHECK(scene_command(&scene, ORIEL_COMMAND_KILL, NULL));
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
        CHECK(scene_start(&scene, NULL));
        fixture_tell(scene.item, ends[i].command);
        WAIT(STATE_IS(&scene, STOPPED));
        CHECK_EQ(scene.unexpected, 1);
        CHECK(strstr(scene.message, ends[i].words));
        CHECK(strstr(scene.message, "One"));
        CHECK_STR(oriel_machine_item_get_message(scene.item), scene.message);
        CHECK(!oriel_machine_item_get_engine(scene.item));
        if (i < 2) { /* the last one still has the machine's lock */
            CHECK(scene_start(&scene, NULL));
            CHECK_STR(oriel_machine_item_get_message(scene.item), "");
        }
        scene_close(&scene);
    }
}

TEST(guest_crashes)
{
    struct scene scene;

    scene_open(&scene, NULL);
    CHECK(scene_start(&scene, NULL));
    fixture_tell(scene.item, "state crashed triple-fault The guest fell over.");
    WAIT(STATE_IS(&scene, CRASHED));
    CHECK_EQ(scene.unexpected, 1);
    CHECK_STR(scene.message, "The guest fell over.");
    CHECK(oriel_machine_item_is_active(scene.item));
    CHECK(scene_command(&scene, ORIEL_COMMAND_RESET, NULL));
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
    CHECK(scene_start(&scene, NULL));
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
    CHECK(scene_start(&scene, NULL));
    oriel_supervisor_set_patience(scene.item->supervisor, 50);
    fixture_tell(scene.item, "hang");
    CHECK(!scene_command(&scene, ORIEL_COMMAND_PAUSE, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT));
    CHECK(STATE_IS(&scene, LOST));
    CHECK(strstr(oriel_machine_item_get_message(scene.item), "does not answer"));
    CHECK_EQ(scene.unexpected, 0);
    g_subprocess_send_signal(oriel_supervisor_get_process(scene.item->supervisor), SIGCONT);
    WAIT(STATE_IS(&scene, RUNNING));
    CHECK_STR(oriel_machine_item_get_message(scene.item), "");
    oriel_supervisor_set_patience(scene.item->supervisor, 10000);
    CHECK(scene_command(&scene, ORIEL_COMMAND_POWER_OFF, NULL));
    scene_close(&scene);
}

TEST(engine_hangs_and_is_ended)
{
    struct scene scene;
    g_autoptr(GError) error = NULL;

    scene_open(&scene, NULL);
    CHECK(scene_start(&scene, NULL));
    CHECK(!scene_command(&scene, ORIEL_COMMAND_KILL, &error)); /* it answers */
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    oriel_supervisor_set_patience(scene.item->supervisor, 50);
    fixture_tell(scene.item, "hang");
    oriel_machine_item_check(scene.item);
    WAIT(STATE_IS(&scene, LOST));
    CHECK(scene_command(&scene, ORIEL_COMMAND_KILL, NULL));
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
    CHECK(scene_start(&scene, NULL));
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
    CHECK(!scene_command(&scene, ORIEL_COMMAND_PAUSE, &error)); /* it does not run */
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    g_clear_error(&error);
    CHECK(scene_start(&scene, NULL));
    CHECK(!scene_command(&scene, ORIEL_COMMAND_PAUSE, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK_STR(error->message, "The engine does not want to.");
    CHECK(STATE_IS(&scene, RUNNING));
    CHECK(!scene_command(&scene, ORIEL_COMMAND_SAVE, &second));
    CHECK_STR(second->message, "The engine does not want to.");
    CHECK(STATE_IS(&scene, RUNNING));
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
        CHECK(scene_start(&scene, NULL));
        CHECK(oriel_supervisor_get_generation(scene.item->supervisor) > first);
        fixture_tell(scene.item, "exit 1");
        WAIT(STATE_IS(&scene, STOPPED));
        CHECK_EQ(scene.unexpected, (guint)i + 1);
    }
    scene_close(&scene);
}

static const struct test all[] = {
    T(start_and_power_off),
    T(properties),
    T(saved_state),
    T(settings),
    T(settings_that_the_engine_refuses),
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
