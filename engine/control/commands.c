/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The methods of the contract. Those that may wait for CPUs or disks run on a worker thread; the
 * rest answer at once on the main loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/control_private.h"
#include "display/console.h"
#include "display/png_write.h"
#include "input/input_router.h"

enum {
    TEXT_MAX = 64 * 1024, /* bytes in one TypeText */
    COORDINATE_MAX = 65535,
};

/* --- Commands that take time ------------------------------------------------------------------ */

static void slow_free(gpointer data)
{
    struct slow_command *command = data;

    g_free(command->drive);
    g_free(command->path);
    g_free(command->network);
    g_free(command->forward);
    if (command->answer) {
        g_variant_unref(command->answer);
    }
    g_free(command->picture.pixels);
    if (command->fd >= 0) {
        close(command->fd);
    }
    g_free(command);
}

struct slow_command *slow_new(struct control *control, slow_function function)
{
    struct slow_command *command = g_new0(struct slow_command, 1);

    command->control = control;
    command->machine = control->machine;
    command->function = function;
    command->fd = -1;
    return command;
}

static void slow_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct slow_command *command = data;
    GError *error = NULL;

    if (command->function(command, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static bool save_run(struct slow_command *command, GError **error);
static bool screenshot_run(struct slow_command *command, GError **error);

static void slow_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusMethodInvocation *invocation = data;
    struct slow_command *command = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;

    if (!g_task_propagate_boolean(G_TASK(result), &error)) {
        g_dbus_method_invocation_return_gerror(invocation, error);
    } else if (command->function == screenshot_run) {
        oriel_engine_complete_screenshot(ORIEL_ENGINE(source), invocation, NULL,
                                         command->picture.width, command->picture.height);
    } else {
        g_dbus_method_invocation_return_value(invocation, command->answer);
    }
    command->control->saves -= command->function == save_run;
    command->control->running--;
}

/* Takes the command. */
gboolean slow_start(struct slow_command *command, GDBusMethodInvocation *invocation)
{
    g_autoptr(GTask) task = g_task_new(command->control->skeleton, NULL, slow_answer, invocation);

    command->control->running++;
    g_task_set_task_data(task, command, slow_free);
    g_task_run_in_thread(task, slow_run);
    return TRUE;
}

static bool transition_run(struct slow_command *command, GError **error)
{
    return command->transition(command->machine, error);
}

static gboolean transition_start(struct control *control, GDBusMethodInvocation *invocation,
                                 bool (*transition)(struct machine *machine, GError **error))
{
    struct slow_command *command = slow_new(control, transition_run);

    command->transition = transition;
    return slow_start(command, invocation);
}

static gboolean on_pause(OrielEngine *engine, GDBusMethodInvocation *invocation,
                         struct control *control)
{
    return transition_start(control, invocation, machine_pause);
}

static gboolean on_resume(OrielEngine *engine, GDBusMethodInvocation *invocation,
                          struct control *control)
{
    return transition_start(control, invocation, machine_resume);
}

static gboolean on_reset(OrielEngine *engine, GDBusMethodInvocation *invocation,
                         struct control *control)
{
    return transition_start(control, invocation, machine_reset);
}

static gboolean on_power_button(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                struct control *control)
{
    return transition_start(control, invocation, machine_power_button);
}

static bool power_off(struct machine *machine, GError **error)
{
    machine_stop(machine, REASON_USER);
    return true;
}

static gboolean on_power_off(OrielEngine *engine, GDBusMethodInvocation *invocation,
                             struct control *control)
{
    return transition_start(control, invocation, power_off);
}

/* --- Saving ----------------------------------------------------------------------------------- */

static bool save_run(struct slow_command *command, GError **error)
{
    g_autoptr(GBytes) png = png_write(&command->picture);

    return machine_save(command->machine, png, error);
}

/* Keys that are down would stay so: nobody will be there to let go of them. */
static gboolean on_save(OrielEngine *engine, GDBusMethodInvocation *invocation,
                        struct control *control)
{
    struct slow_command *command = slow_new(control, save_run);

    input_release_all(machine_input(control->machine));
    console_copy(machine_console(control->machine, 0), &command->picture);
    control->saves++;
    control_watch_save(control);
    return slow_start(command, invocation);
}

static gboolean on_cancel_save(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               struct control *control)
{
    if (control->saves > 0) {
        machine_cancel_save(control->machine);
    }
    oriel_engine_complete_cancel_save(engine, invocation);
    return TRUE;
}

/* --- Looking ---------------------------------------------------------------------------------- */

static gboolean on_get_stats(OrielEngine *engine, GDBusMethodInvocation *invocation,
                             struct control *control)
{
    g_autofree char *json = machine_stats(control->machine);

    oriel_engine_complete_get_stats(engine, invocation, json);
    return TRUE;
}

static gboolean on_get_config(OrielEngine *engine, GDBusMethodInvocation *invocation,
                              struct control *control)
{
    g_autofree char *json = machine_config_json(control->machine);

    oriel_engine_complete_get_config(engine, invocation, json);
    return TRUE;
}

static gboolean on_get_crash_report(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                    struct control *control)
{
    g_autofree char *report = machine_crash_report(control->machine);

    oriel_engine_complete_get_crash_report(engine, invocation, report ? report : "");
    return TRUE;
}

static gboolean on_get_text(OrielEngine *engine, GDBusMethodInvocation *invocation,
                            struct control *control)
{
    struct text_cursor cursor = { false, 0, 0 };
    g_autofree char *text = console_text(machine_console(control->machine, 0), &cursor);

    oriel_engine_complete_get_text(engine, invocation, text != NULL, text ? text : "",
                                   cursor.column, cursor.row);
    return TRUE;
}

/* The file descriptor that an argument of type h names; -1 with *error set. The caller closes it.
 */
int fd_argument(GUnixFDList *fds, GVariant *handle, GError **error)
{
    gint32 index = g_variant_get_handle(handle);

    if (!fds || index < 0 || index >= g_unix_fd_list_get_length(fds)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "The message came without the file descriptor that it names.");
        return -1;
    }
    return g_unix_fd_list_get(fds, index, error);
}

static bool write_all(int fd, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            data += n;
            size -= (gsize)n;
        }
    }
    return true;
}

static bool screenshot_run(struct slow_command *command, GError **error)
{
    g_autoptr(GBytes) png = png_write(&command->picture);

    if (!write_all(command->fd, png)) {
        oriel_error_set_errno(error, errno, "The screenshot could not be written");
        return false;
    }
    return true;
}

/* Nothing else: writing to a pipe that nobody reads would never end. */
bool fd_is_file(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static gboolean on_screenshot(OrielEngine *engine, GDBusMethodInvocation *invocation,
                              GUnixFDList *fds, guint display, GVariant *handle,
                              struct control *control)
{
    struct slow_command *command = slow_new(control, screenshot_run);
    g_autoptr(GError) error = NULL;
    struct console *console = display_console(control, display, &error);

    command->fd = console ? fd_argument(fds, handle, &error) : -1;
    if (command->fd >= 0 && !fd_is_file(command->fd)) {
        g_set_error(&error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "A screenshot can be written to a file only.");
    }
    if (error) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        slow_free(command);
        return TRUE;
    }
    console_copy(console, &command->picture);
    return slow_start(command, invocation);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static bool balloon_run(struct slow_command *command, GError **error)
{
    return machine_set_balloon(command->machine, command->bytes, error);
}

static gboolean on_set_balloon(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               guint64 bytes, struct control *control)
{
    struct slow_command *command = slow_new(control, balloon_run);

    command->bytes = bytes;
    return slow_start(command, invocation);
}

/* --- Media ------------------------------------------------------------------------------------ */

static bool insert_run(struct slow_command *command, GError **error)
{
    return machine_insert(command->machine, command->drive, command->path, error);
}

static gboolean on_insert_media(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                const char *drive, const char *path, struct control *control)
{
    struct slow_command *command = slow_new(control, insert_run);

    command->drive = g_strdup(drive);
    command->path = g_strdup(path);
    return slow_start(command, invocation);
}

static bool eject_run(struct slow_command *command, GError **error)
{
    return machine_eject(command->machine, command->drive, command->force, error);
}

static bool limit_run(struct slow_command *command, GError **error)
{
    return machine_limit_drive(command->machine, command->drive, command->operations,
                               command->bytes, error);
}

static gboolean on_limit_drive(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               const char *drive, guint64 operations, guint64 bytes,
                               struct control *control)
{
    struct slow_command *command = slow_new(control, limit_run);

    command->drive = g_strdup(drive);
    command->operations = operations;
    command->bytes = bytes;
    return slow_start(command, invocation);
}

static gboolean on_eject_media(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               const char *drive, gboolean force, struct control *control)
{
    struct slow_command *command = slow_new(control, eject_run);

    command->drive = g_strdup(drive);
    command->force = force;
    return slow_start(command, invocation);
}

/* --- Input ------------------------------------------------------------------------------------ */

static void type_done(void *context, const GError *error)
{
    GDBusMethodInvocation *invocation = context;

    if (error) {
        g_dbus_method_invocation_return_gerror(invocation, error);
    } else {
        g_dbus_method_invocation_return_value(invocation, NULL);
    }
}

/* Keys for a guest that stands still would wait with nobody knowing for what. */
static bool is_running(struct control *control, GDBusMethodInvocation *invocation)
{
    enum machine_state state = machine_state(control->machine, NULL);

    if (state != MACHINE_RUNNING) {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
            "“%s” takes no keys: it is %s. Resume or reset it first.",
            machine_config(control->machine)->name, machine_state_name(state));
    }
    return state == MACHINE_RUNNING;
}

static gboolean on_type_text(OrielEngine *engine, GDBusMethodInvocation *invocation,
                             const char *text, struct control *control)
{
    if (strlen(text) > TEXT_MAX) {
        g_dbus_method_invocation_return_error(invocation, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                                              "The text is longer than %d bytes; type it in parts.",
                                              TEXT_MAX);
        return TRUE;
    }
    if (!is_running(control, invocation)) {
        return TRUE;
    }
    input_type(machine_input(control->machine), text, type_done, invocation);
    display_wake(control);
    return TRUE;
}

static gboolean on_chord(OrielEngine *engine, GDBusMethodInvocation *invocation, const char *keys,
                         struct control *control)
{
    g_autoptr(GError) error = NULL;

    if (!is_running(control, invocation)) {
        return TRUE;
    }
    if (!input_chord(machine_input(control->machine), keys, &error)) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    display_wake(control);
    oriel_engine_complete_chord(engine, invocation);
    return TRUE;
}

static gboolean on_key(OrielEngine *engine, GDBusMethodInvocation *invocation, guint code,
                       gboolean down, struct control *control)
{
    GDBusConnection *connection = g_dbus_method_invocation_get_connection(invocation);
    struct peer *peer = g_hash_table_lookup(control->connections, connection);

    if (code < CONTROL_KEYS_MAX && peer) {
        peer->pressed[code] = down;
        input_key(machine_input(control->machine), (uint16_t)code, down);
    }
    display_wake(control);
    oriel_engine_complete_key(engine, invocation);
    return TRUE;
}

static void buttons_note(struct control *control, GDBusMethodInvocation *invocation, guint buttons)
{
    struct peer *peer = g_hash_table_lookup(control->connections,
                                            g_dbus_method_invocation_get_connection(invocation));

    if (peer) {
        peer->holds_buttons = buttons != 0;
    }
}

static gboolean on_pointer(OrielEngine *engine, GDBusMethodInvocation *invocation, guint display,
                           guint x, guint y, guint width, guint height, guint buttons, gint wheel,
                           struct control *control)
{
    struct desktop_place place = { x, y, width, height };
    g_autoptr(GError) error = NULL;
    struct console *console = display_console(control, display, &error);

    if (!console) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    buttons_note(control, invocation, buttons);
    console_place(console, &place);
    input_pointer(machine_input(control->machine), place.x, place.y, place.width, place.height,
                  buttons, CLAMP(wheel, -COORDINATE_MAX, COORDINATE_MAX));
    display_wake(control);
    oriel_engine_complete_pointer(engine, invocation);
    return TRUE;
}

static gboolean on_motion(OrielEngine *engine, GDBusMethodInvocation *invocation, gint dx, gint dy,
                          guint buttons, gint wheel, struct control *control)
{
    buttons_note(control, invocation, buttons);
    input_motion(machine_input(control->machine), CLAMP(dx, -COORDINATE_MAX, COORDINATE_MAX),
                 CLAMP(dy, -COORDINATE_MAX, COORDINATE_MAX), buttons,
                 CLAMP(wheel, -COORDINATE_MAX, COORDINATE_MAX));
    display_wake(control);
    oriel_engine_complete_motion(engine, invocation);
    return TRUE;
}

static gboolean on_release_all_keys(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                    struct control *control)
{
    input_release_all(machine_input(control->machine));
    oriel_engine_complete_release_all_keys(engine, invocation);
    return TRUE;
}

void commands_connect(struct control *control)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } methods[] = {
        { "handle-pause", G_CALLBACK(on_pause) },
        { "handle-resume", G_CALLBACK(on_resume) },
        { "handle-reset", G_CALLBACK(on_reset) },
        { "handle-power-button", G_CALLBACK(on_power_button) },
        { "handle-power-off", G_CALLBACK(on_power_off) },
        { "handle-save", G_CALLBACK(on_save) },
        { "handle-cancel-save", G_CALLBACK(on_cancel_save) },
        { "handle-get-stats", G_CALLBACK(on_get_stats) },
        { "handle-set-balloon", G_CALLBACK(on_set_balloon) },
        { "handle-get-config", G_CALLBACK(on_get_config) },
        { "handle-get-crash-report", G_CALLBACK(on_get_crash_report) },
        { "handle-get-text", G_CALLBACK(on_get_text) },
        { "handle-screenshot", G_CALLBACK(on_screenshot) },
        { "handle-insert-media", G_CALLBACK(on_insert_media) },
        { "handle-eject-media", G_CALLBACK(on_eject_media) },
        { "handle-limit-drive", G_CALLBACK(on_limit_drive) },
        { "handle-type-text", G_CALLBACK(on_type_text) },
        { "handle-chord", G_CALLBACK(on_chord) },
        { "handle-key", G_CALLBACK(on_key) },
        { "handle-pointer", G_CALLBACK(on_pointer) },
        { "handle-motion", G_CALLBACK(on_motion) },
        { "handle-release-all-keys", G_CALLBACK(on_release_all_keys) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_signal_connect(control->skeleton, methods[i].signal, methods[i].handler, control);
    }
    network_connect(control);
    plug_connect(control);
}
