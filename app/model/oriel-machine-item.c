/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-item.h. What is asked of a machine is in oriel-machine-item-commands.c. */
#include "oriel-machine-item-private.h"
#include "oriel-monitor.h"

#include <glib/gstdio.h>
#include <string.h>

enum {
    RELOAD_MS = 100, /* changes of a folder come in groups */
};

enum {
    PROP_NAME = 1,
    PROP_FOLDER,
    PROP_UUID,
    PROP_STATE,
    PROP_MESSAGE,
    PROP_ENGINE,
    PROP_CONFIG,
    PROP_THUMBNAIL,
    PROP_OPERATION,
    PROP_WAITING_KEYS,
    N_PROPS,
};

enum {
    SIGNAL_STOPPED_UNEXPECTEDLY,
    SIGNAL_WAS_RESET,
    SIGNAL_MEDIA_CHANGED,
    N_SIGNALS,
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(OrielMachineItem, oriel_machine_item, G_TYPE_OBJECT)

/* --- States ----------------------------------------------------------------------------------- */

static const GEnumValue states[] = {
    { ORIEL_MACHINE_STATE_UNAVAILABLE, "ORIEL_MACHINE_STATE_UNAVAILABLE", "unavailable" },
    { ORIEL_MACHINE_STATE_DAMAGED, "ORIEL_MACHINE_STATE_DAMAGED", "damaged" },
    { ORIEL_MACHINE_STATE_PENDING, "ORIEL_MACHINE_STATE_PENDING", "pending" },
    { ORIEL_MACHINE_STATE_STOPPED, "ORIEL_MACHINE_STATE_STOPPED", "stopped" },
    { ORIEL_MACHINE_STATE_SAVED, "ORIEL_MACHINE_STATE_SAVED", "saved" },
    { ORIEL_MACHINE_STATE_STARTING, "ORIEL_MACHINE_STATE_STARTING", "starting" },
    { ORIEL_MACHINE_STATE_RUNNING, "ORIEL_MACHINE_STATE_RUNNING", "running" },
    { ORIEL_MACHINE_STATE_PAUSED, "ORIEL_MACHINE_STATE_PAUSED", "paused" },
    { ORIEL_MACHINE_STATE_SAVING, "ORIEL_MACHINE_STATE_SAVING", "saving" },
    { ORIEL_MACHINE_STATE_STOPPING, "ORIEL_MACHINE_STATE_STOPPING", "stopping" },
    { ORIEL_MACHINE_STATE_CRASHED, "ORIEL_MACHINE_STATE_CRASHED", "crashed" },
    { ORIEL_MACHINE_STATE_LOST, "ORIEL_MACHINE_STATE_LOST", "unresponsive" },
    { 0, NULL, NULL },
};

GType oriel_machine_state_get_type(void)
{
    static gsize type;

    if (g_once_init_enter(&type)) {
        g_once_init_leave(&type, g_enum_register_static("OrielMachineState", states));
    }
    return type;
}

const char *oriel_machine_state_to_string(OrielMachineState state)
{
    return states[state].value_nick;
}

/* --- Reading a folder, on a worker thread ----------------------------------------------------- */

void machine_reading_free(MachineReading *reading)
{
    if (reading) {
        oriel_machine_free(reading->machine);
        g_free(reading->thumbnail);
        g_free(reading);
    }
}

static FileStamp file_stamp(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GStatBuf status;

    if (g_lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return (FileStamp){ 0 };
    }
    return (FileStamp){ .inode = status.st_ino,
                        .time =
                            (gint64)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec };
}

MachineStamp machine_stamp_take(const char *folder)
{
    g_autofree char *saved = g_build_filename(folder, "saved", NULL);

    return (MachineStamp){ .exists = g_file_test(folder, G_FILE_TEST_IS_DIR),
                           .saved = g_file_test(saved, G_FILE_TEST_IS_DIR),
                           .settings = file_stamp(folder, "machine.json"),
                           .thumbnail = file_stamp(folder, "thumbnail.png") };
}

static gboolean file_stamps_equal(const FileStamp *a, const FileStamp *b)
{
    return a->inode == b->inode && a->time == b->time;
}

gboolean machine_stamps_equal(const MachineStamp *a, const MachineStamp *b)
{
    return a->exists == b->exists && a->saved == b->saved &&
           file_stamps_equal(&a->settings, &b->settings) &&
           file_stamps_equal(&a->thumbnail, &b->thumbnail);
}

MachineReading *machine_reading_new(const char *folder)
{
    MachineReading *reading = g_new0(MachineReading, 1);

    /* The stamp comes first, so that no change falls between the two. */
    reading->stamp = machine_stamp_take(folder);
    reading->machine = oriel_machine_load(folder);
    if (reading->stamp.thumbnail.inode) {
        reading->thumbnail = g_build_filename(reading->machine->folder, "thumbnail.png", NULL);
    }
    return reading;
}

/* --- Notifying -------------------------------------------------------------------------------- */

static gboolean text_set(char **to, const char *text)
{
    if (g_strcmp0(*to, text) == 0) {
        return FALSE;
    }
    g_free(*to);
    *to = g_strdup(text);
    return TRUE;
}

static void notify(OrielMachineItem *item, guint property)
{
    g_object_notify_by_pspec(G_OBJECT(item), properties[property]);
}

/* The engine's state if there is one, otherwise that of the folder. */
static void state_update(OrielMachineItem *item)
{
    OrielMachineState state = ORIEL_MACHINE_STATE_STOPPED;
    const char *message = "";

    if (item->supervisor) {
        state = oriel_supervisor_get_state(item->supervisor);
        message = oriel_supervisor_get_message(item->supervisor);
    }
    if (state == ORIEL_MACHINE_STATE_STOPPED) {
        if (!item->reading) {
            state = ORIEL_MACHINE_STATE_PENDING;
        } else if (item->reading->machine->problem) {
            state = item->reading->stamp.exists ? ORIEL_MACHINE_STATE_DAMAGED
                                                : ORIEL_MACHINE_STATE_UNAVAILABLE;
            message = item->reading->machine->problem->message;
        } else if (item->reading->stamp.saved) {
            state = ORIEL_MACHINE_STATE_SAVED;
        }
    }
    if (text_set(&item->message, message)) {
        notify(item, PROP_MESSAGE);
    }
    if (item->state != state) {
        item->state = state;
        notify(item, PROP_STATE);
    }
}

static void engine_update(OrielMachineItem *item)
{
    OrielEngine *engine = item->supervisor ? oriel_supervisor_get_engine(item->supervisor) : NULL;

    if (item->engine != engine) {
        g_set_object(&item->engine, engine);
        notify(item, PROP_ENGINE);
        machine_item_running_config_ask(item);
    }
}

/* --- Following the engine --------------------------------------------------------------------- */

static void on_changed(OrielSupervisor *supervisor, OrielMachineItem *item)
{
    OrielMachineState before = item->state;

    g_object_freeze_notify(G_OBJECT(item));
    engine_update(item);
    state_update(item);
    machine_item_saving_follow(item);
    g_object_thaw_notify(G_OBJECT(item));
    if (item->state == ORIEL_MACHINE_STATE_PAUSED && before == ORIEL_MACHINE_STATE_RUNNING) {
        oriel_machine_item_refresh_thumbnail(item);
    }
    if (before >= ORIEL_MACHINE_STATE_STARTING && item->state < ORIEL_MACHINE_STATE_STARTING) {
        oriel_machine_item_reload(item); /* it may have been saved */
    }
}

static void on_unexpected(OrielSupervisor *supervisor, const char *message, OrielMachineItem *item)
{
    g_signal_emit(item, signals[SIGNAL_STOPPED_UNEXPECTEDLY], 0, message);
}

static void on_was_reset(OrielSupervisor *supervisor, OrielMachineItem *item)
{
    g_signal_emit(item, signals[SIGNAL_WAS_RESET], 0);
}

static void on_media_changed(OrielSupervisor *supervisor, const char *drive, OrielMachineItem *item)
{
    g_signal_emit(item, signals[SIGNAL_MEDIA_CHANGED], 0, drive);
}

static void supervisor_drop(OrielMachineItem *item)
{
    if (item->supervisor) {
        g_signal_handlers_disconnect_by_data(item->supervisor, item);
        oriel_supervisor_close(item->supervisor);
        g_clear_object(&item->supervisor);
    }
}

/* Another uuid is another machine. */
static void supervisor_update(OrielMachineItem *item)
{
    const OrielMachine *machine = item->reading->machine;

    if (!machine->config) {
        return; /* an engine that runs goes on as it was */
    }
    if (item->supervisor && g_strcmp0(item->uuid, machine->config->uuid) == 0) {
        oriel_supervisor_set_machine(item->supervisor, machine);
        return;
    }
    supervisor_drop(item);
    item->supervisor = oriel_supervisor_new(machine);
    g_signal_connect(item->supervisor, "changed", G_CALLBACK(on_changed), item);
    g_signal_connect(item->supervisor, "unexpected", G_CALLBACK(on_unexpected), item);
    g_signal_connect(item->supervisor, "was-reset", G_CALLBACK(on_was_reset), item);
    g_signal_connect(item->supervisor, "media-changed", G_CALLBACK(on_media_changed), item);
}

/* --- Taking a reading ------------------------------------------------------------------------- */

static gboolean configs_equal(const OrielConfig *a, const OrielConfig *b)
{
    if (!a || !b) {
        return a == b;
    }
    g_autoptr(JsonNode) first = oriel_config_to_json(a);
    g_autoptr(JsonNode) second = oriel_config_to_json(b);
    g_autofree char *first_text = json_to_string(first, FALSE);
    g_autofree char *second_text = json_to_string(second, FALSE);

    return strcmp(first_text, second_text) == 0;
}

static void folder_set(OrielMachineItem *item, const char *folder)
{
    if (text_set(&item->folder, folder)) {
        oriel_monitor_clear(&item->monitor, item); /* that of the old one */
        notify(item, PROP_FOLDER);
    }
}

void machine_item_take_reading(OrielMachineItem *item, MachineReading *reading)
{
    g_autoptr(MachineReading) old = item->reading;
    gboolean config_changed =
        !old || !configs_equal(old->machine->config, reading->machine->config);

    g_object_freeze_notify(G_OBJECT(item));
    item->reading = reading;
    if (text_set(&item->name, reading->machine->name)) {
        notify(item, PROP_NAME);
    }
    folder_set(item, reading->machine->folder);
    machine_item_watch_follow(item);
    supervisor_update(item);
    if (reading->machine->config && text_set(&item->uuid, reading->machine->config->uuid)) {
        notify(item, PROP_UUID);
    }
    if (config_changed) {
        notify(item, PROP_CONFIG);
        machine_item_waiting_keys_update(item);
    }
    if (!old || g_strcmp0(old->thumbnail, reading->thumbnail) != 0 ||
        !file_stamps_equal(&old->stamp.thumbnail, &reading->stamp.thumbnail)) {
        notify(item, PROP_THUMBNAIL);
    }
    engine_update(item);
    state_update(item);
    g_object_thaw_notify(G_OBJECT(item));
}

static void read_run(GTask *task, gpointer source, gpointer folder, GCancellable *cancellable)
{
    g_task_return_pointer(task, machine_reading_new(folder), (GDestroyNotify)machine_reading_free);
}

static void read_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);
    const char *folder = g_task_get_task_data(G_TASK(result));
    g_autoptr(MachineReading) reading = g_task_propagate_pointer(G_TASK(result), NULL);

    item->reading_now = FALSE;
    if (item->disposed) {
        return;
    }
    /* Not if it has changed or moved meanwhile. */
    if (item->read_again || strcmp(folder, item->folder) != 0) {
        item->read_again = FALSE;
        oriel_machine_item_reload(item);
    } else {
        machine_item_take_reading(item, g_steal_pointer(&reading));
    }
}

static gboolean reload_now(gpointer data)
{
    OrielMachineItem *item = data;
    g_autoptr(GTask) task = g_task_new(item, NULL, read_end, NULL);

    item->reload = 0;
    item->reading_now = TRUE;
    g_task_set_task_data(task, g_strdup(item->folder), g_free);
    g_task_run_in_thread(task, read_run);
    return G_SOURCE_REMOVE;
}

void oriel_machine_item_reload(OrielMachineItem *item)
{
    if (!item->folder || item->disposed) {
        return;
    }
    if (item->reading_now) {
        item->read_again = TRUE;
    } else if (item->reload == 0) {
        item->reload = g_timeout_add(RELOAD_MS, reload_now, item);
    }
}

void machine_item_set_operation(OrielMachineItem *item, OrielOperation *operation)
{
    if (g_set_object(&item->operation, operation)) {
        notify(item, PROP_OPERATION);
    }
}

void machine_item_set_waiting_keys(OrielMachineItem *item, char **keys)
{
    if (!g_strv_equal((const char *const *)item->waiting_keys, (const char *const *)keys)) {
        g_strfreev(item->waiting_keys);
        item->waiting_keys = g_strdupv(keys);
        notify(item, PROP_WAITING_KEYS);
    }
}

void machine_item_follow(OrielMachineItem *item, const char *folder)
{
    folder_set(item, folder);
    oriel_machine_item_reload(item);
}

/* --- The object ------------------------------------------------------------------------------- */

OrielMachineItem *machine_item_new(MachineReading *reading)
{
    OrielMachineItem *item = g_object_new(ORIEL_TYPE_MACHINE_ITEM, NULL);

    machine_item_take_reading(item, reading);
    return item;
}

OrielMachineItem *machine_item_new_pending(const char *name)
{
    OrielMachineItem *item = g_object_new(ORIEL_TYPE_MACHINE_ITEM, NULL);

    item->name = g_strdup(name);
    return item;
}

const char *oriel_machine_item_get_name(OrielMachineItem *item)
{
    return item->name;
}

const char *oriel_machine_item_get_folder(OrielMachineItem *item)
{
    return item->folder;
}

const char *oriel_machine_item_get_uuid(OrielMachineItem *item)
{
    return item->uuid;
}

OrielMachineState oriel_machine_item_get_state(OrielMachineItem *item)
{
    return item->state;
}

const char *oriel_machine_item_get_message(OrielMachineItem *item)
{
    return item->message;
}

const char *oriel_machine_item_get_thumbnail(OrielMachineItem *item)
{
    return item->reading ? item->reading->thumbnail : NULL;
}

OrielOperation *oriel_machine_item_get_operation(OrielMachineItem *item)
{
    return item->operation;
}

const char *const *oriel_machine_item_get_waiting_keys(OrielMachineItem *item)
{
    return (const char *const *)item->waiting_keys;
}

OrielEngine *oriel_machine_item_get_engine(OrielMachineItem *item)
{
    return item->engine;
}

const OrielConfig *oriel_machine_item_get_config(OrielMachineItem *item)
{
    return item->reading ? item->reading->machine->config : NULL;
}

OrielMachine *oriel_machine_item_dup_machine(OrielMachineItem *item)
{
    return item->reading ? oriel_machine_copy(item->reading->machine) : NULL;
}

gboolean oriel_machine_item_is_active(OrielMachineItem *item)
{
    return item->state >= ORIEL_MACHINE_STATE_STARTING;
}

gboolean oriel_machine_item_is_trial(OrielMachineItem *item)
{
    return item->is_trial;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);

    switch (id) {
    case PROP_NAME:
        g_value_set_string(value, item->name);
        break;
    case PROP_FOLDER:
        g_value_set_string(value, item->folder);
        break;
    case PROP_UUID:
        g_value_set_string(value, item->uuid);
        break;
    case PROP_STATE:
        g_value_set_enum(value, item->state);
        break;
    case PROP_MESSAGE:
        g_value_set_string(value, item->message);
        break;
    case PROP_ENGINE:
        g_value_set_object(value, item->engine);
        break;
    case PROP_CONFIG:
        g_value_set_pointer(value, (gpointer)oriel_machine_item_get_config(item));
        break;
    case PROP_THUMBNAIL:
        g_value_set_string(value, oriel_machine_item_get_thumbnail(item));
        break;
    case PROP_OPERATION:
        g_value_set_object(value, item->operation);
        break;
    case PROP_WAITING_KEYS:
        g_value_set_boxed(value, item->waiting_keys);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void dispose(GObject *object)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);

    item->disposed = TRUE;
    g_clear_handle_id(&item->reload, g_source_remove);
    machine_item_watch_follow(item);
    supervisor_drop(item);
    g_clear_object(&item->engine);
    g_clear_object(&item->operation);
    g_clear_object(&item->saving);
    G_OBJECT_CLASS(oriel_machine_item_parent_class)->dispose(object);
}

static void finalize(GObject *object)
{
    OrielMachineItem *item = ORIEL_MACHINE_ITEM(object);

    machine_reading_free(item->reading);
    g_clear_pointer(&item->running_config, oriel_config_free);
    g_strfreev(item->waiting_keys);
    g_free(item->name);
    g_free(item->folder);
    g_free(item->uuid);
    g_free(item->message);
    G_OBJECT_CLASS(oriel_machine_item_parent_class)->finalize(object);
}

static void oriel_machine_item_class_init(OrielMachineItemClass *class)
{
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->dispose = dispose;
    object_class->finalize = finalize;
    properties[PROP_NAME] = g_param_spec_string("name", NULL, NULL, NULL, flags);
    properties[PROP_FOLDER] = g_param_spec_string("folder", NULL, NULL, NULL, flags);
    properties[PROP_UUID] = g_param_spec_string("uuid", NULL, NULL, NULL, flags);
    properties[PROP_STATE] = g_param_spec_enum("state", NULL, NULL, ORIEL_TYPE_MACHINE_STATE,
                                               ORIEL_MACHINE_STATE_PENDING, flags);
    properties[PROP_MESSAGE] = g_param_spec_string("message", NULL, NULL, NULL, flags);
    properties[PROP_ENGINE] = g_param_spec_object("engine", NULL, NULL, ORIEL_TYPE_ENGINE, flags);
    properties[PROP_CONFIG] = g_param_spec_pointer("config", NULL, NULL, flags);
    properties[PROP_THUMBNAIL] = g_param_spec_string("thumbnail", NULL, NULL, NULL, flags);
    properties[PROP_OPERATION] =
        g_param_spec_object("operation", NULL, NULL, ORIEL_TYPE_OPERATION, flags);
    properties[PROP_WAITING_KEYS] =
        g_param_spec_boxed("waiting-keys", NULL, NULL, G_TYPE_STRV, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    signals[SIGNAL_STOPPED_UNEXPECTEDLY] =
        g_signal_new("stopped-unexpectedly", ORIEL_TYPE_MACHINE_ITEM, G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_WAS_RESET] =
        g_signal_new("was-reset", ORIEL_TYPE_MACHINE_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 0);
    signals[SIGNAL_MEDIA_CHANGED] =
        g_signal_new("media-changed", ORIEL_TYPE_MACHINE_ITEM, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void oriel_machine_item_init(OrielMachineItem *item)
{
    item->state = ORIEL_MACHINE_STATE_PENDING;
    item->message = g_strdup("");
    item->waiting_keys = g_new0(char *, 1);
}
