/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The library as a list: machines that come, go, move, are damaged or absent; a thousand of them.
 */
#include "model_fixture.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "config/runtime.h"
#include "oriel-files.h"
#include "running/oriel-session.h"

jmp_buf test_failed;

enum {
    MANY = 1000,
};

static OrielMachineItem *find(OrielMachineList *list, const char *name)
{
    return oriel_machine_list_find_name(list, name);
}

static OrielMachineState state(OrielMachineList *list, const char *name)
{
    OrielMachineItem *item = find(list, name);

    return item ? oriel_machine_item_get_state(item) : (OrielMachineState)-1;
}

static guint length(OrielMachineList *list)
{
    return g_list_model_get_n_items(G_LIST_MODEL(list));
}

static OrielMachineList *open_list(void)
{
    fixture_clear();
    return fixture_list();
}

static void write_settings(const char *name, const char *text)
{
    g_autofree char *folder = fixture_folder(name);
    g_autofree char *path = g_build_filename(folder, "machine.json", NULL);

    CHECK(g_file_set_contents(path, text, -1, NULL));
}

TEST(empty)
{
    g_autoptr(OrielMachineList) list = open_list();

    CHECK_EQ(length(list), 0);
    CHECK_EQ(oriel_machine_list_get_n_active(list), 0);
    CHECK(!g_list_model_get_item(G_LIST_MODEL(list), 0));
    CHECK(g_list_model_get_item_type(G_LIST_MODEL(list)) == ORIEL_TYPE_MACHINE_ITEM);
}

TEST(come_and_go)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(OrielMachine) machine = NULL;
    g_autofree char *folder = fixture_folder("One");

    fixture_machine("One", NULL);
    WAIT(state(list, "One") == ORIEL_MACHINE_STATE_STOPPED);
    machine = oriel_library_find("One", NULL);
    CHECK(machine);
    CHECK(find(list, "One") == oriel_machine_list_find_folder(list, folder));
    CHECK_STR(oriel_machine_item_get_uuid(find(list, "One")), machine->config->uuid);
    CHECK(oriel_delete(machine, TRUE, NULL));
    WAIT(length(list) == 0);
}

/* Settings of a machine “One”, as a text. */
#define SETTINGS(memory)                                                                           \
    "{\"version\": 1, \"name\": \"One\", \"memory\": " #memory ", "                                \
    "\"uuid\": \"00000000-0000-4000-8000-000000000001\", "                                         \
    "\"generation-id\": \"00000000-0000-4000-8000-000000000002\"}"

TEST(damaged_and_mended)
{
    g_autoptr(OrielMachineList) list = open_list();
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(state(list, "One") == ORIEL_MACHINE_STATE_STOPPED);
    item = find(list, "One");
    oriel_machine_item_watch(item);
    write_settings("One", "{");
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_DAMAGED);
    oriel_machine_item_unwatch(item);
    CHECK(strstr(oriel_machine_item_get_message(item), "damaged"));
    CHECK(!oriel_machine_item_get_config(item));
    CHECK_STR(oriel_machine_item_get_name(item), "One");
    write_settings("One", SETTINGS(67108864));
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_STOPPED);
    CHECK_STR(oriel_machine_item_get_message(item), "");
    CHECK_STR(oriel_machine_item_get_uuid(item), "00000000-0000-4000-8000-000000000001");
}

static guint64 memory(OrielMachineItem *item)
{
    const OrielConfig *config = oriel_machine_item_get_config(item);

    return config ? config->memory : 0;
}

/* Changes that nobody sees when they are made are found by a look, and by who begins to watch. */
TEST(changed_out_of_sight)
{
    g_autoptr(OrielMachineList) list = open_list();
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(state(list, "One") == ORIEL_MACHINE_STATE_STOPPED);
    item = find(list, "One");
    write_settings("One", SETTINGS(67108864));
    oriel_machine_list_reload(list);
    WAIT(memory(item) == 67108864);
    write_settings("One", SETTINGS(134217728));
    oriel_machine_item_watch(item);
    WAIT(memory(item) == 134217728);
    write_settings("One", SETTINGS(268435456));
    WAIT(memory(item) == 268435456);
    /* Moved, it is still watched. */
    g_autofree char *from = fixture_folder("One");
    g_autofree char *to = fixture_folder("Two");

    CHECK_EQ(g_rename(from, to), 0);
    WAIT(g_strcmp0(oriel_machine_item_get_folder(item), to) == 0);
    write_settings("Two", SETTINGS(67108864));
    WAIT(memory(item) == 67108864);
    oriel_machine_item_unwatch(item);
}

TEST(renamed_keeps_its_item)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(OrielMachine) machine = NULL;
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(find(list, "One"));
    item = find(list, "One");
    machine = oriel_library_find("One", NULL);
    g_autofree char *folder = oriel_rename(machine, "Two", NULL);

    CHECK(folder && g_str_has_suffix(folder, "/Two.oriel"));
    WAIT(find(list, "Two") && length(list) == 1);
    CHECK(find(list, "Two") == item);
    CHECK(g_str_has_suffix(oriel_machine_item_get_folder(item), "/Two.oriel"));
}

/* The name counts: where something stands in the way, the folder stays what it was. */
TEST(renamed_with_something_in_the_way)
{
    g_autofree char *drive = g_build_filename(fixture_data(), "drive", NULL);
    g_autofree char *other = g_build_filename(drive, "Two.oriel", NULL);
    const OrielCreateOptions options = { .name = "One", .folder = drive };
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(OrielMachine) machine = NULL;

    g_mkdir(drive, 0700);
    g_autofree char *folder = oriel_create(&options, NULL, NULL, NULL, NULL);

    CHECK_EQ(symlink("nowhere", other), 0);
    machine = oriel_library_find("One", NULL);
    g_autofree char *now = oriel_rename(machine, "Two", NULL);

    CHECK_STR(now, folder);
    WAIT(find(list, "Two"));
    CHECK_STR(oriel_machine_item_get_folder(find(list, "Two")), folder);
    CHECK(oriel_library_forget(folder, NULL));
    oriel_folder_remove(drive, NULL);
}

static gboolean is_registered(const char *folder)
{
    g_auto(GStrv) folders = oriel_library_folders();

    return g_strv_contains((const char *const *)folders, folder);
}

/* A drive that is taken out and put in again, as far as folders can show it. */
TEST(elsewhere_and_absent)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autofree char *drive = g_build_filename(fixture_data(), "drive", NULL);
    g_autofree char *away = g_build_filename(fixture_data(), "away", NULL);
    g_autofree char *folder = g_build_filename(drive, "Stick.oriel", NULL);
    const OrielCreateOptions options = { .name = "Stick", .folder = drive };
    OrielMachineItem *item;

    oriel_folder_remove(away, NULL);
    g_mkdir(drive, 0700);
    g_autofree char *made = oriel_create(&options, NULL, NULL, NULL, NULL);

    CHECK_STR(made, folder);
    WAIT(state(list, "Stick") == ORIEL_MACHINE_STATE_STOPPED);
    item = find(list, "Stick");
    CHECK_EQ(g_rename(drive, away), 0);
    oriel_machine_list_reload(list);
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_UNAVAILABLE);
    CHECK_STR(oriel_machine_item_get_name(item), "Stick");
    CHECK(*oriel_machine_item_get_message(item));
    CHECK_EQ(g_rename(away, drive), 0);
    oriel_machine_list_reload(list);
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_STOPPED);
    oriel_machine_list_forget(list, item);
    CHECK_EQ(length(list), 0);
    CHECK(g_file_test(folder, G_FILE_TEST_IS_DIR));
    WAIT(!is_registered(folder));

    g_autoptr(GAsyncResult) result = NULL, again = NULL, bad = NULL;
    g_autofree char *by_link = g_build_filename(away, "Stick.oriel", NULL);
    g_autoptr(GError) error = NULL;

    oriel_machine_list_add_folder_async(list, folder, fixture_result, &result);
    WAIT(result);
    item = oriel_machine_list_add_folder_finish(list, result, &error);
    CHECK(item && item == find(list, "Stick"));
    /* It is the same by way of a link. */
    CHECK_EQ(symlink(drive, away), 0);
    oriel_machine_list_add_folder_async(list, by_link, fixture_result, &again);
    WAIT(again);
    CHECK(oriel_machine_list_add_folder_finish(list, again, &error) == item);
    g_unlink(away);
    oriel_machine_list_add_folder_async(list, drive, fixture_result, &bad);
    WAIT(bad);
    CHECK(!oriel_machine_list_add_folder_finish(list, bad, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    CHECK_EQ(length(list), 1);
    oriel_folder_remove(drive, NULL);
}

/* The list of folders has one a line. */
TEST(elsewhere_with_a_line_break)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autofree char *folder = fixture_folder("One");
    g_autofree char *other = g_build_filename(fixture_data(), "a\n", NULL);
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GError) error = NULL;

    fixture_machine("One", NULL);
    CHECK_EQ(g_rename(folder, other), 0);
    oriel_machine_list_add_folder_async(list, other, fixture_result, &result);
    WAIT(result);
    CHECK(!oriel_machine_list_add_folder_finish(list, result, &error));
    oriel_folder_remove(other, NULL);
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    CHECK(strstr(error->message, "line break"));
}

TEST(create_and_clone)
{
    g_autoptr(OrielMachineList) list = open_list();
    char key[] = "os", value[] = "debian12", controller[] = "virtio";
    const char *const settings[] = { key, value, NULL };
    OrielCreateOptions options = {
        .name = "One", .disk = "1M", .controller = controller, .settings = settings
    };
    OrielMachineItem *item = oriel_machine_list_create(list, &options), *copy;

    /* What it was given is the caller's own again. */
    memset(key, 'x', sizeof(key) - 1);
    memset(value, 'x', sizeof(value) - 1);
    memset(controller, 'x', sizeof(controller) - 1);
    CHECK_EQ(length(list), 1);
    CHECK_EQ(oriel_machine_item_get_state(item), ORIEL_MACHINE_STATE_PENDING);
    CHECK_STR(oriel_machine_item_get_name(item), "One");
    CHECK(oriel_machine_item_get_operation(item));
    CHECK(strstr(oriel_operation_get_title(oriel_machine_item_get_operation(item)), "One"));
    WAIT(oriel_machine_item_get_state(item) == ORIEL_MACHINE_STATE_STOPPED);
    CHECK(!oriel_machine_item_get_operation(item));
    CHECK(find(list, "One") == item);

    const OrielConfig *config = oriel_machine_item_get_config(item);
    g_autofree char *os = oriel_config_get(config, "os", NULL);
    g_autofree char *attached = oriel_config_get(config, "disk0.controller", NULL);

    CHECK_STR(os, "debian12");
    CHECK_STR(attached, "virtio");
    copy = oriel_machine_list_clone(list, item, "Two");
    WAIT(oriel_machine_item_get_state(copy) == ORIEL_MACHINE_STATE_STOPPED);
    CHECK_EQ(length(list), 2);
    CHECK(strcmp(oriel_machine_item_get_uuid(copy), oriel_machine_item_get_uuid(item)) != 0);
}

static void on_ended(OrielOperation *operation, gpointer data)
{
    *(int *)data = oriel_operation_get_error(operation)->code;
}

TEST(create_that_fails)
{
    g_autoptr(OrielMachineList) list = open_list();
    const OrielCreateOptions options = { .name = "One", .disk = "/absent.img" };
    OrielMachineItem *item = oriel_machine_list_create(list, &options);
    int code = -1;

    g_signal_connect(oriel_machine_item_get_operation(item), "ended", G_CALLBACK(on_ended), &code);
    WAIT(length(list) == 0);
    CHECK_EQ(code, ORIEL_ERROR_NOT_FOUND);
}

TEST(delete_with_a_way_back)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(GAsyncResult) result = NULL;
    g_autoptr(GPtrArray) waiting = NULL;
    g_autofree char *folder = fixture_folder("One");
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(find(list, "One"));
    item = find(list, "One");
    oriel_machine_list_delete(list, item);
    CHECK_EQ(length(list), 0);
    /* Whatever changes meanwhile does not bring the row back. */
    fixture_machine("Two", NULL);
    WAIT(find(list, "Two"));
    CHECK_EQ(length(list), 1);
    CHECK(g_file_test(folder, G_FILE_TEST_IS_DIR));
    oriel_machine_list_delete_undo(list, item);
    CHECK(find(list, "One") == item);
    oriel_machine_list_delete(list, item);
    waiting = oriel_machine_list_get_deleted(list);
    CHECK_EQ(waiting->len, 1);
    oriel_machine_list_delete_commit_async(list, item, fixture_result, &result);
    WAIT(result);
    CHECK(oriel_machine_list_delete_commit_finish(list, result, NULL));
    CHECK(!g_file_test(folder, G_FILE_TEST_EXISTS));
    CHECK_EQ(length(list), 1);
}

/* What runs cannot be deleted: the row comes back. */
TEST(delete_that_fails)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(GAsyncResult) started = NULL, result = NULL;
    g_autoptr(GError) error = NULL;
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(find(list, "One"));
    item = find(list, "One");
    oriel_machine_item_start_async(item, FALSE, NULL, fixture_result, &started);
    WAIT(started);
    oriel_machine_list_delete(list, item);
    oriel_machine_list_delete_commit_async(list, item, fixture_result, &result);
    WAIT(result);
    CHECK(!oriel_machine_list_delete_commit_finish(list, result, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED));
    CHECK(find(list, "One") == item);
}

static char *work_until_cancelled(OrielOperation *operation, gpointer data,
                                  GCancellable *cancellable, GError **error)
{
    while (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
        g_usleep(1000);
    }
    return NULL;
}

/* Nor is what something is being done with; asked twice, it goes once. */
TEST(delete_of_a_busy_one)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(GAsyncResult) result = NULL, second = NULL, third = NULL;
    g_autoptr(OrielOperation) operation = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fixture_folder("One");
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(find(list, "One"));
    item = find(list, "One");
    operation = oriel_machine_item_operate(item, "Work", work_until_cancelled, NULL, NULL);
    oriel_machine_list_delete(list, item);
    oriel_machine_list_delete_commit_async(list, item, fixture_result, &result);
    WAIT(result);
    CHECK(!oriel_machine_list_delete_commit_finish(list, result, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK(find(list, "One") == item);
    oriel_operation_cancel(operation);
    WAIT(!oriel_machine_item_get_operation(item));
    oriel_machine_list_delete(list, item);
    oriel_machine_list_delete_commit_async(list, item, fixture_result, &second);
    oriel_machine_list_delete_commit_async(list, item, fixture_result, &third);
    WAIT(second && third);
    CHECK(oriel_machine_list_delete_commit_finish(list, second, NULL));
    CHECK(!oriel_machine_list_delete_commit_finish(list, third, NULL));
    CHECK(!g_file_test(folder, G_FILE_TEST_EXISTS));
    CHECK_EQ(length(list), 0);
}

TEST(names)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autofree char *first = oriel_machine_list_free_name(list, "Debian 12");
    g_autofree char *odd = oriel_machine_list_free_name(list, " ./a\n\xff");
    g_autofree char *none = oriel_machine_list_free_name(list, "");
    g_autofree char *second = NULL;

    CHECK_STR(first, "Debian 12");
    CHECK(oriel_library_check_name(odd, NULL));
    CHECK(oriel_library_check_name(none, NULL));
    fixture_machine("Debian 12", NULL);
    WAIT(find(list, "Debian 12"));
    second = oriel_machine_list_free_name(list, "Debian 12");
    CHECK_STR(second, "Debian 12 2");
}

TEST(running_ones_are_found)
{
    g_autoptr(OrielMachineList) first = open_list();
    g_autoptr(OrielMachineList) second = NULL;
    static const char *const names[] = { "One", "Two", "Three" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        fixture_machine(names[i], NULL);
        g_autoptr(OrielMachine) machine = oriel_library_find(names[i], NULL);

        CHECK(oriel_session_start(machine, 0, NULL, NULL, NULL));
    }
    WAIT(oriel_machine_list_get_n_active(first) == 3);
    g_clear_object(&first);
    second = fixture_list();
    WAIT(oriel_machine_list_get_n_active(second) == 3);
    CHECK_EQ(state(second, "Two"), ORIEL_MACHINE_STATE_RUNNING);
    g_clear_object(&second);
}

/* A copy has the UUID of the one that runs, whose engine cannot say whose it is. */
TEST(copy_of_one_that_hangs)
{
    g_autoptr(OrielMachineList) list = open_list();
    g_autoptr(GAsyncResult) started = NULL;
    g_autoptr(GError) error = NULL;
    OrielMachineItem *item;

    fixture_machine("One", NULL);
    WAIT(find(list, "One"));
    item = find(list, "One");
    oriel_machine_item_start_async(item, FALSE, NULL, fixture_result, &started);
    WAIT(started && oriel_machine_item_get_engine(item));
    fixture_tell(item, "hang");
    g_autofree char *from = fixture_folder("One");
    g_autofree char *to = fixture_folder("Copy");
    g_autofree char *settings = g_build_filename(from, "machine.json", NULL);
    g_autofree char *text = NULL;

    CHECK(g_file_get_contents(settings, &text, NULL, NULL));
    g_mkdir(to, 0700);
    write_settings("Copy", text);
    g_autoptr(OrielMachine) copy = oriel_machine_load(to);

    CHECK_STR(copy->config->uuid, oriel_machine_item_get_uuid(item));
    CHECK(oriel_machine_is_locked(from) && !oriel_machine_is_locked(to));
    CHECK_STR(oriel_session_state(copy, NULL), "stopped");
    CHECK(!oriel_session_kill(copy, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    CHECK(oriel_machine_is_locked(from));
    WAIT(oriel_machine_list_find_folder(list, to));
    CHECK_EQ(oriel_machine_item_get_state(oriel_machine_list_find_folder(list, to)),
             ORIEL_MACHINE_STATE_STOPPED);
}

/* Watches of inotify that this process has. */
static guint watches(void)
{
    g_autoptr(GDir) files = g_dir_open("/proc/self/fdinfo", 0, NULL);
    const char *name;
    guint n = 0;

    while (files && (name = g_dir_read_name(files))) {
        g_autofree char *path = g_build_filename("/proc/self/fdinfo", name, NULL);
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL)) {
            g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

            for (char **line = lines; *line; line++) {
                n += g_str_has_prefix(*line, "inotify ");
            }
        }
    }
    return n;
}

TEST(a_thousand)
{
    g_autoptr(OrielMachineList) list = NULL;
    gint64 start;

    fixture_clear();
    for (int i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("Machine %d", i);

        fixture_machine(name, NULL);
    }
    start = g_get_monotonic_time();
    list = fixture_list();
    printf("# read in %d ms\n", (int)((g_get_monotonic_time() - start) / 1000));
    CHECK_EQ(length(list), MANY);
    CHECK_EQ(state(list, "Machine 999"), ORIEL_MACHINE_STATE_STOPPED);
    CHECK(watches() > 0 && watches() < 10);
    fixture_machine("One more", NULL);
    WAIT(length(list) == MANY + 1);
}

static const struct test all[] = {
    T(empty),
    T(come_and_go),
    T(damaged_and_mended),
    T(changed_out_of_sight),
    T(renamed_keeps_its_item),
    T(renamed_with_something_in_the_way),
    T(elsewhere_and_absent),
    T(elsewhere_with_a_line_break),
    T(create_and_clone),
    T(create_that_fails),
    T(delete_with_a_way_back),
    T(delete_that_fails),
    T(delete_of_a_busy_one),
    T(names),
    T(running_ones_are_found),
    T(copy_of_one_that_hangs),
    T(a_thousand),
};

int main(void)
{
    int result;

    fixture_start();
    result = test_main(all, G_N_ELEMENTS(all));
    fixture_end();
    return result;
}
