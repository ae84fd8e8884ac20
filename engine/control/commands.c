/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The methods of the contract. Those that may wait for CPUs or disks run on a worker thread; the
 * rest answer at once on the main loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "control/control_private.h"
#include "display/console.h"
#include "input/input_router.h"

enum {
    TEXT_MAX = 64 * 1024, /* bytes in one TypeText */
    COORDINATE_MAX = 65535,
};

/* --- Commands that take time
 * ----------------------------------------------------------------------- */

typedef bool (*slow_function)(struct machine *machine, GError **error);

/* One slow command under way: runs on a worker, answers on the main loop. */
struct slow_command {
    struct machine *machine;
    slow_function function;
};

static void slow_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct slow_command *command = data;
    GError *error = NULL;

    if (command->function(command->machine, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static void slow_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    GDBusMethodInvocation *invocation = data;
    g_autoptr(GError) error = NULL;

    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        g_dbus_method_invocation_return_value(invocation, NULL);
    } else {
        g_dbus_method_invocation_return_gerror(invocation, error);
    }
}

static gboolean slow_start(struct control *control, GDBusMethodInvocation *invocation,
                           slow_function function)
{
    g_autoptr(GTask) task = g_task_new(control->skeleton, NULL, slow_answer, invocation);
    struct slow_command *command = g_new0(struct slow_command, 1);

    command->machine = control->machine;
    command->function = function;
    g_task_set_task_data(task, command, g_free);
    g_task_run_in_thread(task, slow_run);
    return TRUE;
}

static gboolean on_pause(OrielEngine *engine, GDBusMethodInvocation *invocation,
                         struct control *control)
{
    return slow_start(control, invocation, machine_pause);
}

static gboolean on_resume(OrielEngine *engine, GDBusMethodInvocation *invocation,
                          struct control *control)
{
    return slow_start(control, invocation, machine_resume);
}

static gboolean on_reset(OrielEngine *engine, GDBusMethodInvocation *invocation,
                         struct control *control)
{
    return slow_start(control, invocation, machine_reset);
}

static gboolean on_power_button(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                struct control *control)
{
    return slow_start(control, invocation, machine_power_button);
}

static bool power_off(struct machine *machine, GError **error)
{
    machine_stop(machine, REASON_USER);
    return true;
}

static gboolean on_power_off(OrielEngine *engine, GDBusMethodInvocation *invocation,
                             struct control *control)
{
    return slow_start(control, invocation, power_off);
}

/* --- Looking
 * --------------------------------------------------------------------------------------- */

static gboolean on_get_stats(OrielEngine *engine, GDBusMethodInvocation *invocation,
                             struct control *control)
{
    g_autofree char *json = machine_stats(control->machine);

    oriel_engine_complete_get_stats(engine, invocation, json);
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
    g_autofree char *text = console_text(machine_console(control->machine), &cursor);

    oriel_engine_complete_get_text(engine, invocation, text != NULL, text ? text : "",
                                   cursor.column, cursor.row);
    return TRUE;
}

/* The file descriptor that an argument of type h names; -1 with *error set. The caller closes it.
 */
static int fd_argument(GUnixFDList *fds, GVariant *handle, GError **error)
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

static gboolean on_screenshot(OrielEngine *engine, GDBusMethodInvocation *invocation,
                              GUnixFDList *fds, GVariant *handle, struct control *control)
{
    struct console *console = machine_console(control->machine);
    g_autoptr(GError) error = NULL;
    int fd = fd_argument(fds, handle, &error);

    if (fd < 0) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    g_autoptr(GBytes) png = console_screenshot(console);
    const struct surface *surface = console_surface(console);

    if (write_all(fd, png)) {
        oriel_engine_complete_screenshot(engine, invocation, NULL, surface->width, surface->height);
    } else {
        g_dbus_method_invocation_return_error(
            invocation, ORIEL_ERROR, errno == ENOSPC ? ORIEL_ERROR_NO_SPACE : ORIEL_ERROR_HOST,
            "The screenshot could not be written: %s.", g_strerror(errno));
    }
    close(fd);
    return TRUE;
}

/* --- Media
 * ----------------------------------------------------------------------------------------- */

static gboolean on_insert_media(OrielEngine *engine, GDBusMethodInvocation *invocation,
                                const char *drive, const char *path, struct control *control)
{
    g_autoptr(GError) error = NULL;

    if (!machine_insert(control->machine, drive, path, &error)) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    oriel_engine_complete_insert_media(engine, invocation);
    return TRUE;
}

static gboolean on_eject_media(OrielEngine *engine, GDBusMethodInvocation *invocation,
                               const char *drive, gboolean force, struct control *control)
{
    g_autoptr(GError) error = NULL;

    if (!machine_eject(control->machine, drive, force, &error)) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    oriel_engine_complete_eject_media(engine, invocation);
    return TRUE;
}

/* --- Input
 * ----------------------------------------------------------------------------------------- */

static void type_done(void *context, const GError *error)
{
    GDBusMethodInvocation *invocation = context;

    if (error) {
        g_dbus_method_invocation_return_gerror(invocation, error);
    } else {
        g_dbus_method_invocation_return_value(invocation, NULL);
    }
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
    input_type(machine_input(control->machine), text, type_done, invocation);
    console_wake(machine_console(control->machine));
    return TRUE;
}

static gboolean on_chord(OrielEngine *engine, GDBusMethodInvocation *invocation, const char *keys,
                         struct control *control)
{
    g_autoptr(GError) error = NULL;

    if (!input_chord(machine_input(control->machine), keys, &error)) {
        g_dbus_method_invocation_return_gerror(invocation, error);
        return TRUE;
    }
    console_wake(machine_console(control->machine));
    oriel_engine_complete_chord(engine, invocation);
    return TRUE;
}

static gboolean on_key(OrielEngine *engine, GDBusMethodInvocation *invocation, guint code,
                       gboolean down, struct control *control)
{
    if (code <= G_MAXUINT16) {
        input_key(machine_input(control->machine), (uint16_t)code, down);
    }
    console_wake(machine_console(control->machine));
    oriel_engine_complete_key(engine, invocation);
    return TRUE;
}

static gboolean on_pointer(OrielEngine *engine, GDBusMethodInvocation *invocation, guint x, guint y,
                           guint width, guint height, guint buttons, gint wheel,
                           struct control *control)
{
    input_pointer(machine_input(control->machine), x, y, width, height, buttons,
                  CLAMP(wheel, -COORDINATE_MAX, COORDINATE_MAX));
    console_wake(machine_console(control->machine));
    oriel_engine_complete_pointer(engine, invocation);
    return TRUE;
}

static gboolean on_motion(OrielEngine *engine, GDBusMethodInvocation *invocation, gint dx, gint dy,
                          guint buttons, gint wheel, struct control *control)
{
    input_motion(machine_input(control->machine), CLAMP(dx, -COORDINATE_MAX, COORDINATE_MAX),
                 CLAMP(dy, -COORDINATE_MAX, COORDINATE_MAX), buttons,
                 CLAMP(wheel, -COORDINATE_MAX, COORDINATE_MAX));
    console_wake(machine_console(control->machine));
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
        { "handle-get-stats", G_CALLBACK(on_get_stats) },
        { "handle-get-crash-report", G_CALLBACK(on_get_crash_report) },
        { "handle-get-text", G_CALLBACK(on_get_text) },
        { "handle-screenshot", G_CALLBACK(on_screenshot) },
        { "handle-insert-media", G_CALLBACK(on_insert_media) },
        { "handle-eject-media", G_CALLBACK(on_eject_media) },
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
}
