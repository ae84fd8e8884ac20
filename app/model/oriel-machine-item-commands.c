/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of a machine: to run, to change, to be worked on. See oriel-machine-item.h. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-machine-item-private.h"
#include "running/oriel-limits.h"
#include "running/oriel-networks.h"
#include "running/oriel-session.h"

enum {
    PICTURE_SECONDS = 5, /* for a last picture of a machine that is to be turned off */
};

/* --- Thumbnail -------------------------------------------------------------------------------- */

struct picture {
    OrielEngine *engine;
    char *path;
    guint timeout;
};

static void picture_free(gpointer data)
{
    struct picture *picture = data;

    g_object_unref(picture->engine);
    g_free(picture->path);
    g_free(picture);
}

static void picture_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const struct picture *picture = data;
    GError *error = NULL;
    guint width, height;

    if (oriel_session_screenshot(picture->engine, 1, picture->path, &width, &height, cancellable,
                                 &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static gboolean picture_late(gpointer data)
{
    GTask *task = data;
    struct picture *picture = g_task_get_task_data(task);

    picture->timeout = 0;
    g_cancellable_cancel(g_task_get_cancellable(task));
    return G_SOURCE_REMOVE;
}

struct picture_answer {
    GAsyncReadyCallback callback;
    gpointer data;
};

static void picture_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);
    struct picture *picture = g_task_get_task_data(G_TASK(result));
    g_autofree struct picture_answer *answer = data;

    g_clear_handle_id(&picture->timeout, g_source_remove);
    item->thumbnail_busy = FALSE;
    oriel_machine_item_reload(item);
    if (answer->callback) {
        answer->callback(object, result, answer->data);
    }
}

/* Writes FOLDER/thumbnail.png; the callback comes however it ends. */
static void picture_take(OrielMachineItem *item, GAsyncReadyCallback callback, gpointer data)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    struct picture_answer *answer = g_new0(struct picture_answer, 1);
    struct picture *picture = g_new0(struct picture, 1);
    g_autoptr(GTask) task = g_task_new(item, cancellable, picture_end, answer);

    answer->callback = callback;
    answer->data = data;
    item->thumbnail_busy = TRUE;
    picture->engine = g_object_ref(item->engine);
    picture->path = g_build_filename(item->folder, "thumbnail.png", NULL);
    picture->timeout = g_timeout_add_seconds_full(G_PRIORITY_DEFAULT, PICTURE_SECONDS, picture_late,
                                                  g_object_ref(task), g_object_unref);
    g_task_set_task_data(task, picture, picture_free);
    g_task_run_in_thread(task, picture_run);
}

void oriel_machine_item_refresh_thumbnail(OrielMachineItem *item)
{
    if (item->engine && !item->thumbnail_busy &&
        (item->state == ORIEL_MACHINE_STATE_RUNNING || item->state == ORIEL_MACHINE_STATE_PAUSED ||
         item->state == ORIEL_MACHINE_STATE_CRASHED)) {
        picture_take(item, NULL, NULL);
    }
}

/* --- Start and commands ----------------------------------------------------------------------- */

static gboolean can_run(OrielMachineItem *item, GTask *task)
{
    if (item->supervisor && (item->state >= ORIEL_MACHINE_STATE_STOPPED)) {
        return TRUE;
    }
    g_task_return_new_error(task, ORIEL_ERROR, ORIEL_ERROR_STATE,
                            *item->message ? "%s" : _("“%s” is still being made."),
                            *item->message ? item->message : item->name);
    return FALSE;
}

static void start_end(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    GError *error = NULL;

    if (oriel_supervisor_start_finish(ORIEL_SUPERVISOR(object), result, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

void oriel_machine_item_start_async(OrielMachineItem *item, gboolean discard_saved,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer data)
{
    g_autoptr(GTask) task = g_task_new(item, cancellable, callback, data);

    g_task_set_check_cancellable(task, FALSE);
    if (can_run(item, task)) {
        oriel_supervisor_start_async(item->supervisor,
                                     discard_saved ? ORIEL_START_DISCARD_SAVED : 0, cancellable,
                                     start_end, g_object_ref(task));
    }
}

gboolean oriel_machine_item_start_finish(OrielMachineItem *item, GAsyncResult *result,
                                         GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

static void command_end(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    OrielMachineItem *item = g_task_get_source_object(task);
    GError *error = NULL;

    if (oriel_supervisor_command_finish(ORIEL_SUPERVISOR(object), result, &error)) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    if (GPOINTER_TO_INT(g_task_get_task_data(task)) == ORIEL_COMMAND_SAVE) {
        if (machine_item_saving_is_cancelled(item)) {
            g_clear_error(&error);
            g_set_error(&error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("“%s” was not saved."),
                        item->name);
        }
        machine_item_saving_end(item, error);
    }
    g_task_return_error(task, error);
}

static void command_send(OrielMachineItem *item, GTask *task)
{
    const OrielCommand command = (OrielCommand)GPOINTER_TO_INT(g_task_get_task_data(task));

    oriel_supervisor_command_async(item->supervisor, command, g_task_get_cancellable(task),
                                   command_end, g_object_ref(task));
}

/* Whatever became of the picture. */
static void picture_taken(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;

    if (can_run(ORIEL_MACHINE_ITEM(object), task)) {
        command_send(ORIEL_MACHINE_ITEM(object), task);
    }
}

void oriel_machine_item_command_async(OrielMachineItem *item, OrielCommand command,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer data)
{
    g_autoptr(GTask) task = g_task_new(item, cancellable, callback, data);

    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, GINT_TO_POINTER(command), NULL);
    if (!can_run(item, task)) {
        return;
    }
    if ((command == ORIEL_COMMAND_POWER_OFF || command == ORIEL_COMMAND_SAVE) && item->engine) {
        picture_take(item, picture_taken, g_object_ref(task));
    } else {
        command_send(item, task);
    }
}

gboolean oriel_machine_item_command_finish(OrielMachineItem *item, GAsyncResult *result,
                                           GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void oriel_machine_item_check(OrielMachineItem *item)
{
    if (item->supervisor) {
        oriel_supervisor_check(item->supervisor);
    }
}

/* --- The settings that it runs with ----------------------------------------------------------- */

void machine_item_waiting_keys_update(OrielMachineItem *item)
{
    const OrielConfig *config = oriel_machine_item_get_config(item);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) keys = NULL;

    if (config && item->running_config) {
        keys = oriel_config_differences(config, item->running_config);
    }
    for (char **key = keys; key && *key; key++) {
        if (!oriel_config_key_live(config, *key)) {
            g_strv_builder_add(builder, *key);
        }
    }
    g_auto(GStrv) waiting = g_strv_builder_end(builder);

    machine_item_set_waiting_keys(item, waiting);
}

static void running_config_told(GObject *proxy, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielMachineItem) item = data;
    g_autoptr(GVariant) value = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, NULL);
    const char *json;

    if (!value || !g_variant_is_of_type(value, G_VARIANT_TYPE("(s)")) ||
        (gpointer)item->engine != (gpointer)proxy) {
        return;
    }
    g_variant_get(value, "(&s)", &json);
    g_clear_pointer(&item->running_config, oriel_config_free);
    item->running_config =
        oriel_config_from_data(json, strlen(json), _("The engine’s settings"), NULL);
    machine_item_waiting_keys_update(item);
    g_object_notify(G_OBJECT(item), "waiting-keys");
}

gboolean oriel_machine_item_can_plug(OrielMachineItem *item)
{
    return oriel_machine_item_is_active(item) && item->running_config &&
           item->running_config->hotplug;
}

void machine_item_running_config_ask_again(OrielMachineItem *item)
{
    if (item->engine) {
        g_dbus_proxy_call(G_DBUS_PROXY(item->engine), "GetConfig", NULL, G_DBUS_CALL_FLAGS_NONE,
                          G_MAXINT, NULL, running_config_told, g_object_ref(item));
    }
}

void machine_item_running_config_ask(OrielMachineItem *item)
{
    g_clear_pointer(&item->running_config, oriel_config_free);
    machine_item_waiting_keys_update(item);
    machine_item_running_config_ask_again(item);
}

/* --- Changing settings ------------------------------------------------------------------------ */

struct change {
    char *folder;
    char **pairs;
    MachineReading *reading;
};

static void change_free(gpointer data)
{
    struct change *change = data;

    g_free(change->folder);
    g_strfreev(change->pairs);
    machine_reading_free(change->reading);
    g_free(change);
}

static gboolean pairs_apply(OrielConfig *config, gpointer data, GError **error)
{
    char **pairs = data;

    for (gsize i = 0; pairs[i] && pairs[i + 1]; i += 2) {
        if (strcmp(pairs[i], "name") == 0) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("A machine gets another name by renaming it."));
            return FALSE;
        }
        if (!oriel_config_set(config, pairs[i], pairs[i + 1], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Cables, port forwards and limits change under the guest. */
static gboolean live_apply(const struct change *change, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(OrielMachine) machine = oriel_machine_load(change->folder);
    g_auto(GStrv) keys = NULL;

    for (char **pair = change->pairs; *pair; pair += 2) {
        g_strv_builder_add(builder, *pair);
    }
    keys = g_strv_builder_end(builder);
    return oriel_networks_apply_keys(machine, (const char *const *)keys, error) &&
           oriel_limits_apply_keys(machine, (const char *const *)keys, error);
}

static void change_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct change *change = data;
    GError *error = NULL;

    if (!oriel_machine_edit(change->folder, pairs_apply, change->pairs, &error) ||
        !live_apply(change, &error)) {
        g_task_return_error(task, error);
        return;
    }
    change->reading = machine_reading_new(change->folder);
    g_task_return_boolean(task, TRUE);
}

static void change_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);
    g_autoptr(GTask) task = data;
    struct change *change = g_task_get_task_data(G_TASK(result));
    GError *error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &error)) {
        oriel_machine_item_reload(item); /* saved, perhaps, before the engine refused it */
        g_task_return_error(task, error);
        return;
    }
    if (!item->disposed && g_strcmp0(item->folder, change->folder) == 0) {
        machine_item_take_reading(item, g_steal_pointer(&change->reading));
        if (item->reading_now) {
            item->read_again = TRUE; /* that one may have begun before the change */
        }
    }
    g_task_return_boolean(task, TRUE);
}

void oriel_machine_item_set_async(OrielMachineItem *item, const char *const *pairs,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer data)
{
    GTask *task = g_task_new(item, cancellable, callback, data);
    g_autoptr(GTask) thread = g_task_new(item, cancellable, change_end, task);
    struct change *change = g_new0(struct change, 1);

    change->folder = g_strdup(item->folder ? item->folder : "");
    change->pairs = g_strdupv((char **)pairs);
    g_task_set_task_data(thread, change, change_free);
    g_task_run_in_thread(thread, change_run);
}

gboolean oriel_machine_item_set_finish(OrielMachineItem *item, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

/* --- Work ------------------------------------------------------------------------------------- */

static void work_ended(OrielOperation *operation, OrielMachineItem *item)
{
    const char *folder = oriel_operation_get_result(operation);

    if (item->operation == operation) {
        machine_item_set_operation(item, NULL);
    }
    machine_item_running_config_ask_again(item); /* something may have come or gone */
    if (folder && *folder) {
        machine_item_follow(item, folder);
    } else {
        oriel_machine_item_reload(item);
    }
}

static char *refuse(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                    GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                _("Something else is being done with “%s”; wait until it is finished."),
                (const char *)data);
    return NULL;
}

OrielOperation *oriel_machine_item_operate(OrielMachineItem *item, const char *title,
                                           OrielOperationWork work, gpointer data,
                                           GDestroyNotify free_data)
{
    OrielOperation *operation = oriel_operation_new(title);

    if (item->operation) {
        if (free_data && data) {
            free_data(data);
        }
        oriel_operation_run(operation, refuse, g_strdup(item->name), g_free);
        return operation;
    }
    g_signal_connect_object(operation, "ended", G_CALLBACK(work_ended), item, 0);
    oriel_operation_run(operation, work, data, free_data);
    machine_item_set_operation(item, operation); /* under way before anybody sees it */
    return operation;
}
