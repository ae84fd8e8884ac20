/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work on a machine as others see it, saving above all, over an engine that takes its time or
 * fails. */
#include "model_fixture.h"

jmp_buf test_failed;

static OrielMachineList *list;
static OrielMachineItem *item;
static OrielOperation *seen; /* the last operation of the item */
static guint ends, unexpected;

static void on_ended(OrielOperation *operation, gpointer data)
{
    ends++;
}

static void on_operation(void)
{
    OrielOperation *operation = oriel_machine_item_get_operation(item);

    if (operation && g_set_object(&seen, operation)) {
        g_signal_connect(operation, "ended", G_CALLBACK(on_ended), NULL);
    }
}

static void on_unexpected(void)
{
    unexpected++;
}

/* A machine that runs. */
static void scene_open(const char *script)
{
    g_autoptr(GAsyncResult) result = NULL;

    ends = unexpected = 0;
    fixture_clear();
    fixture_machine("One", script);
    list = fixture_list();
    item = g_object_ref(oriel_machine_list_find_name(list, "One"));
    g_signal_connect(item, "notify::operation", G_CALLBACK(on_operation), NULL);
    g_signal_connect(item, "stopped-unexpectedly", G_CALLBACK(on_unexpected), NULL);
    oriel_machine_item_start_async(item, FALSE, NULL, fixture_result, &result);
    WAIT(result);
    CHECK(oriel_machine_item_start_finish(item, result, NULL));
}

static void scene_close(void)
{
    g_signal_handlers_disconnect_by_func(item, G_CALLBACK(on_operation), NULL);
    g_signal_handlers_disconnect_by_func(item, G_CALLBACK(on_unexpected), NULL);
    g_clear_object(&seen);
    g_clear_object(&item);
    g_clear_object(&list);
    fixture_clear();
}

#define STATE_IS(name) (oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_##name)

/* Asks for it, and waits until it is under way. */
static void save_begin(GAsyncResult **result)
{
    oriel_machine_item_command_async(item, ORIEL_COMMAND_SAVE, NULL, fixture_result, result);
    WAIT(STATE_IS(SAVING) && oriel_machine_item_get_operation(item));
    CHECK(oriel_operation_is_active(seen));
    CHECK_STR(oriel_operation_get_title(seen), "Saving “One”");
}

static gboolean save_end(GAsyncResult *result, GError **error)
{
    CHECK_EQ(ends, 1);
    CHECK(!oriel_operation_is_active(seen));
    CHECK(!oriel_machine_item_get_operation(item));
    return oriel_machine_item_command_finish(item, result, error);
}

TEST(progress_and_end)
{
    g_autoptr(GAsyncResult) result = NULL;

    scene_open("deaf Save");
    save_begin(&result);
    fixture_tell(item, "progress 40");
    WAIT(oriel_operation_get_fraction(seen) > 0.39);
    CHECK(oriel_operation_get_fraction(seen) < 0.41);
    fixture_tell(item, "saved");
    WAIT(result);
    CHECK(save_end(result, NULL));
    CHECK(!oriel_operation_get_error(seen));
    CHECK_STR(oriel_operation_get_outcome(seen), "“One” Is Saved");
    WAIT(STATE_IS(SAVED));
    CHECK_EQ(unexpected, 0);
    scene_close();
}

TEST(cancelled)
{
    g_autoptr(GAsyncResult) result = NULL, second = NULL;
    g_autoptr(GError) error = NULL;

    scene_open("deaf Save");
    save_begin(&result);
    oriel_operation_cancel(seen);
    WAIT(result);
    CHECK(!save_end(result, &error));
    CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    CHECK(g_error_matches(oriel_operation_get_error(seen), G_IO_ERROR, G_IO_ERROR_CANCELLED));
    CHECK(STATE_IS(RUNNING));
    /* It can be saved later. */
    ends = 0;
    save_begin(&second);
    fixture_tell(item, "saved");
    WAIT(second);
    CHECK(save_end(second, NULL));
    scene_close();
}

TEST(refused)
{
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;

    scene_open("refuse Save");
    oriel_machine_item_command_async(item, ORIEL_COMMAND_SAVE, NULL, fixture_result, &result);
    WAIT(result);
    CHECK(!save_end(result, &error));
    CHECK_STR(error->message, "The engine does not want to.");
    CHECK_STR(oriel_operation_get_error(seen)->message, error->message);
    CHECK_STR(oriel_operation_get_outcome(seen), "Could Not Save “One”");
    CHECK(STATE_IS(RUNNING));
    scene_close();
}

TEST(engine_dies_meanwhile)
{
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;

    scene_open("deaf Save");
    save_begin(&result);
    fixture_tell(item, "exit 3");
    WAIT(result);
    CHECK(!save_end(result, &error));
    CHECK_STR(error->message, "“One” ended before it was saved.");
    CHECK(oriel_operation_get_error(seen));
    CHECK(STATE_IS(STOPPED));
    CHECK_EQ(unexpected, 1);
    scene_close();
}

TEST(ended_by_force_meanwhile)
{
    g_autoptr(GAsyncResult) result = NULL, killed = NULL;

    scene_open("deaf Save");
    save_begin(&result);
    oriel_machine_item_command_async(item, ORIEL_COMMAND_KILL, NULL, fixture_result, &killed);
    WAIT(result && killed);
    CHECK(!save_end(result, NULL));
    CHECK(oriel_machine_item_command_finish(item, killed, NULL));
    CHECK_EQ(unexpected, 0);
    scene_close();
}

TEST(asked_for_by_somebody_else)
{
    scene_open(NULL);
    fixture_tell(item, "progress 30");
    WAIT(STATE_IS(SAVING));
    CHECK(oriel_operation_get_fraction(seen) > 0.29);
    fixture_tell(item, "progress 0"); /* it failed, which is told to the other */
    WAIT(STATE_IS(RUNNING));
    CHECK_EQ(ends, 1);
    CHECK(g_error_matches(oriel_operation_get_error(seen), G_IO_ERROR, G_IO_ERROR_CANCELLED));
    fixture_tell(item, "progress 50");
    WAIT(STATE_IS(SAVING) && oriel_operation_is_active(seen));
    fixture_tell(item, "saved");
    WAIT(STATE_IS(SAVED));
    CHECK_EQ(ends, 2);
    CHECK(!oriel_operation_get_error(seen));
    CHECK(!oriel_machine_item_get_operation(item));
    CHECK_EQ(unexpected, 0);
    scene_close();
}

static gboolean was_active;

static void on_seen(void)
{
    OrielOperation *operation = oriel_machine_item_get_operation(item);

    was_active |= operation && oriel_operation_is_active(operation);
}

static char *work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                  GError **error)
{
    return g_strdup("");
}

TEST(seen_while_it_is_under_way)
{
    g_autoptr(OrielOperation) operation = NULL;

    scene_open(NULL);
    was_active = FALSE;
    g_signal_connect(item, "notify::operation", G_CALLBACK(on_seen), NULL);
    operation = oriel_machine_item_operate(item, "Working", work, NULL, NULL);
    CHECK(was_active);
    WAIT(!oriel_operation_is_active(operation));
    g_signal_handlers_disconnect_by_func(item, G_CALLBACK(on_seen), NULL);
    scene_close();
}

static const struct test all[] = {
    T(progress_and_end),
    T(cancelled),
    T(refused),
    T(engine_dies_meanwhile),
    T(ended_by_force_meanwhile),
    T(asked_for_by_somebody_else),
    T(seen_while_it_is_under_way),
};

int main(void)
{
    int result;

    fixture_start();
    result = test_main(all, G_N_ELEMENTS(all));
    fixture_end();
    return result;
}
