/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Those who wait for an engine: starts, commands, and the look whether it still answers. See
 * oriel-supervisor.h. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "config/runtime.h"
#include "oriel-objects.h"
#include "oriel-session.h"
#include "oriel-supervisor-private.h"

enum {
    START_PATIENCE = 6, /* times the patience: opening disks on a slow network takes a while */
};

/* --- Those who wait --------------------------------------------------------------------------- */

gboolean supervisor_waits_for(OrielSupervisor *self, int command)
{
    for (guint i = 0; i < self->waiting->len; i++) {
        const struct waiter *waiter = g_task_get_task_data(self->waiting->pdata[i]);

        if ((int)waiter->command == command) {
            return TRUE;
        }
    }
    return FALSE;
}

void supervisor_answer(OrielSupervisor *self, GTask *task, GError *error)
{
    struct waiter *waiter = g_task_get_task_data(task);

    if (waiter->done) {
        g_clear_error(&error);
        return;
    }
    waiter->done = TRUE;
    if (error) {
        g_dbus_error_strip_remote_error(error);
        g_task_return_error(task, error);
    } else {
        g_task_return_boolean(task, TRUE);
    }
    g_ptr_array_remove(self->waiting, task);
}

/* Ends those for whom `judge` has a verdict. */
void supervisor_answer_all(OrielSupervisor *self,
                           gboolean (*judge)(OrielSupervisor *self, int command, GError **error))
{
    g_autoptr(GPtrArray) all = oriel_objects_hold(self->waiting);

    for (guint i = 0; i < all->len; i++) {
        const struct waiter *waiter = g_task_get_task_data(all->pdata[i]);
        GError *error = NULL;

        if (judge(self, (int)waiter->command, &error)) {
            supervisor_answer(self, all->pdata[i], error);
        }
    }
}

/* --- Does it answer? -------------------------------------------------------------------------- */

/* What belongs to a generation and comes back later. */
typedef struct {
    OrielSupervisor *supervisor;
    guint64 generation;
    GTask *task; /* of the one who waits, or NULL */
} later_t;

static later_t *later_new(OrielSupervisor *self, GTask *task)
{
    later_t *later = g_new0(later_t, 1);

    later->supervisor = g_object_ref(self);
    later->generation = self->generation;
    later->task = task ? g_object_ref(task) : NULL;
    return later;
}

static void later_free(later_t *later)
{
    g_object_unref(later->supervisor);
    g_clear_object(&later->task);
    g_free(later);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(later_t, later_free)

static void answered(GObject *connection, GAsyncResult *result, gpointer data)
{
    g_autoptr(later_t) later = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, &error);

    if (value || g_dbus_error_is_remote_error(error)) {
        supervisor_happened(later->supervisor, EVENT_ANSWERED, later->generation);
    }
}

/* The engine's main loop answers this; no time limit, because a late answer counts too. */
static void ask(OrielSupervisor *self)
{
    GVariant *which =
        g_variant_new("(ss)", g_dbus_proxy_get_interface_name(G_DBUS_PROXY(self->engine)), "State");

    self->asked = TRUE;
    g_dbus_connection_call(g_dbus_proxy_get_connection(G_DBUS_PROXY(self->engine)), NULL,
                           ORIEL_ENGINE_PATH, "org.freedesktop.DBus.Properties", "Get", which, NULL,
                           G_DBUS_CALL_FLAGS_NONE, G_MAXINT, self->cancellable, answered,
                           later_new(self, NULL));
}

static gboolean watch_fired(gpointer data)
{
    OrielSupervisor *self = data;
    guint limit = self->starting && !self->ready ? START_PATIENCE : 1;

    self->watch = 0;
    self->silent++;
    if (self->engine && !self->asked) {
        self->silent = 0;
        ask(self);
    } else if (self->silent >= limit) {
        supervisor_happened(self, EVENT_SILENT, self->generation);
        return G_SOURCE_REMOVE;
    }
    supervisor_watch(self);
    return G_SOURCE_REMOVE;
}

/* Runs while somebody waits for an answer; an engine is left in peace otherwise. */
void supervisor_watch(OrielSupervisor *self)
{
    gboolean wanted = !self->closed && self->state != ORIEL_MACHINE_STATE_LOST &&
                      (self->waiting->len > 0 || self->looking || self->checking ||
                       self->state == ORIEL_MACHINE_STATE_STARTING ||
                       self->state == ORIEL_MACHINE_STATE_STOPPING);

    if (wanted && self->watch == 0) {
        self->watch = g_timeout_add(self->patience, watch_fired, self);
    } else if (!wanted) {
        g_clear_handle_id(&self->watch, g_source_remove);
        self->silent = 0;
    }
}

void oriel_supervisor_check(OrielSupervisor *self)
{
    if (self->engine && !self->checking && !self->asked &&
        self->state != ORIEL_MACHINE_STATE_LOST) {
        self->checking = TRUE;
        ask(self);
        supervisor_watch(self);
    }
}

/* --- Start ------------------------------------------------------------------------------------ */

static GTask *wait_new(OrielSupervisor *self, int command, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(self, cancellable, callback, data);
    struct waiter *waiter = g_new0(struct waiter, 1);

    waiter->command = (OrielCommand)command;
    g_task_set_task_data(task, waiter, g_free);
    g_task_set_check_cancellable(task, FALSE);
    g_ptr_array_add(self->waiting, task);
    return task;
}

struct start {
    guint64 generation;
    OrielMachine *machine;
    OrielStartFlags flags;
    GCancellable *user;
    gulong chain;
};

static void start_free(gpointer data)
{
    struct start *start = data;

    oriel_machine_free(start->machine);
    g_clear_object(&start->user);
    g_free(start);
}

static void start_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct start *start = data;
    GSubprocess *process = NULL;
    GError *error = NULL;

    if (oriel_session_start(start->machine, start->flags, &process, cancellable, &error)) {
        g_task_return_pointer(task, process, g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

static void process_ended(GObject *process, GAsyncResult *result, gpointer data)
{
    g_autoptr(later_t) later = data;
    g_autoptr(GError) error = NULL;
    struct event event = { .type = EVENT_EXITED, .generation = later->generation };

    if (g_subprocess_wait_finish(G_SUBPROCESS(process), result, &error)) {
        g_spawn_check_wait_status(g_subprocess_get_status(G_SUBPROCESS(process)), &error);
        event.error = error;
        supervise(later->supervisor, &event);
    }
}

static void start_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielSupervisor *self = ORIEL_SUPERVISOR(object);
    const struct start *start = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process = g_task_propagate_pointer(G_TASK(result), &error);
    struct event event = { .type = process ? EVENT_READY : EVENT_REFUSED,
                           .generation = start->generation,
                           .error = error };

    g_cancellable_disconnect(start->user, start->chain);
    if (process && start->generation == self->generation) {
        self->process = g_object_ref(process);
        g_subprocess_wait_async(process, self->cancellable, process_ended, later_new(self, NULL));
    }
    supervise(self, &event);
}

static void cancel_other(GCancellable *cancellable, gpointer other)
{
    g_cancellable_cancel(other);
}

/* The engine is started by a thread that waits for its word. Closing the supervisor does not end
 * it. */
static void start_begin(OrielSupervisor *self, OrielStartFlags flags, GCancellable *cancellable)
{
    struct start *start = g_new0(struct start, 1);
    g_autoptr(GTask) task = NULL;

    self->starting = g_cancellable_new();
    task = g_task_new(self, self->starting, start_end, NULL);
    g_task_set_check_cancellable(task, FALSE);
    start->generation = self->generation;
    start->machine = oriel_machine_copy(self->machine);
    start->flags = flags;
    start->user = cancellable ? g_object_ref(cancellable) : NULL;
    g_task_set_task_data(task, start, start_free);
    if (cancellable) {
        start->chain = g_cancellable_connect(cancellable, G_CALLBACK(cancel_other),
                                             g_object_ref(self->starting), g_object_unref);
    }
    g_task_run_in_thread(task, start_run);
}

void oriel_supervisor_start_async(OrielSupervisor *self, OrielStartFlags flags,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer data)
{
    if (self->closed || self->state != ORIEL_MACHINE_STATE_STOPPED) {
        g_task_report_new_error(self, callback, data, oriel_supervisor_start_async, ORIEL_ERROR,
                                ORIEL_ERROR_STATE, _("“%s” runs already."), self->machine->name);
        return;
    }
    supervisor_reset(self);
    wait_new(self, COMMAND_START, cancellable, callback, data);
    start_begin(self, flags, cancellable);
    supervisor_set_state(self, ORIEL_MACHINE_STATE_STARTING, NULL);
    supervisor_watch(self);
}

gboolean oriel_supervisor_start_finish(OrielSupervisor *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

/* --- Commands --------------------------------------------------------------------------------- */

#define STATE(name) (1u << ORIEL_MACHINE_STATE_##name)

static const struct {
    const char *method; /* NULL: not the engine's */
    guint states;       /* in which it is possible */
    gboolean ends;      /* the engine ends with it */
} commands[] = {
    [ORIEL_COMMAND_PAUSE] = { "Pause", STATE(RUNNING), FALSE },
    [ORIEL_COMMAND_RESUME] = { "Resume", STATE(PAUSED), FALSE },
    [ORIEL_COMMAND_RESET] = { "Reset", STATE(RUNNING) | STATE(PAUSED) | STATE(CRASHED), FALSE },
    [ORIEL_COMMAND_SHUT_DOWN] = { "PowerButton", STATE(RUNNING), FALSE },
    [ORIEL_COMMAND_POWER_OFF] = { "PowerOff", STATE(RUNNING) | STATE(PAUSED) | STATE(CRASHED),
                                  TRUE },
    [ORIEL_COMMAND_SAVE] = { "Save", STATE(RUNNING) | STATE(PAUSED), TRUE },
    [ORIEL_COMMAND_KILL] = { NULL, STATE(STARTING) | STATE(SAVING) | STATE(STOPPING) | STATE(LOST),
                             TRUE },
};

static void command_answered(GObject *proxy, GAsyncResult *result, gpointer data)
{
    g_autoptr(later_t) later = data;
    OrielSupervisor *self = later->supervisor;
    const struct waiter *waiter = g_task_get_task_data(later->task);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, &error);

    if (waiter->done || later->generation != self->generation) {
        return;
    }
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)) {
        g_clear_error(&error);
        g_set_error(
            &error, ORIEL_ERROR, ORIEL_ERROR_STATE,
            _("The engine that runs “%s” cannot do that; shut the machine down from inside."),
            self->machine->name);
    }
    if (error && (error->domain == ORIEL_ERROR || g_dbus_error_is_remote_error(error) ||
                  g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))) {
        self->end_wanted = FALSE;
        supervisor_answer(self, later->task, g_steal_pointer(&error));
        if (self->state == ORIEL_MACHINE_STATE_SAVING) {
            supervisor_heed(self);
        }
    } else if (value && !commands[waiter->command].ends) {
        supervisor_answer(self, later->task, NULL);
    }
    /* Otherwise the connection has ended or will end, which says the rest. */
    supervisor_watch(self);
}

struct kill {
    guint64 generation;
    OrielMachine *machine;
    GTask *task;
};

static void kill_free(gpointer data)
{
    struct kill *job = data;

    oriel_machine_free(job->machine);
    g_object_unref(job->task);
    g_free(job);
}

static void kill_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    const struct kill *job = data;
    GError *error = NULL;

    if (oriel_session_kill(job->machine, &error)) {
        g_task_return_boolean(task, TRUE);
    } else {
        g_task_return_error(task, error);
    }
}

static void kill_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielSupervisor *self = ORIEL_SUPERVISOR(object);
    const struct kill *job = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;

    /* Where there is none any more, all is well. */
    if (g_task_propagate_boolean(G_TASK(result), &error) ||
        g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE)) {
        supervisor_happened(self, EVENT_EXITED, job->generation);
    } else {
        supervisor_answer(self, job->task, g_steal_pointer(&error));
    }
}

static void kill_begin(OrielSupervisor *self, GTask *task)
{
    if (self->process) {
        g_subprocess_force_exit(self->process);
    } else if (self->starting && !self->ready) {
        g_cancellable_cancel(self->starting);
    } else {
        struct kill *job = g_new0(struct kill, 1);
        g_autoptr(GTask) thread = g_task_new(self, NULL, kill_end, NULL);

        job->generation = self->generation;
        job->machine = oriel_machine_copy(self->machine);
        job->task = g_object_ref(task);
        g_task_set_task_data(thread, job, kill_free);
        g_task_run_in_thread(thread, kill_run);
    }
}

/* For the end of a sentence. */
static const char *state_clause(OrielMachineState state)
{
    switch (state) {
    case ORIEL_MACHINE_STATE_UNAVAILABLE:
        return _("it is not there");
    case ORIEL_MACHINE_STATE_DAMAGED:
        return _("its settings are damaged");
    case ORIEL_MACHINE_STATE_PENDING:
        return _("it is still being made");
    case ORIEL_MACHINE_STATE_STOPPED:
        return _("it is stopped");
    case ORIEL_MACHINE_STATE_SAVED:
        return _("it is saved");
    case ORIEL_MACHINE_STATE_STARTING:
        return _("it is starting");
    case ORIEL_MACHINE_STATE_RUNNING:
        return _("it is running");
    case ORIEL_MACHINE_STATE_PAUSED:
        return _("it is paused");
    case ORIEL_MACHINE_STATE_SAVING:
        return _("it is being saved");
    case ORIEL_MACHINE_STATE_STOPPING:
        return _("it is shutting down");
    case ORIEL_MACHINE_STATE_CRASHED:
        return _("it has crashed");
    case ORIEL_MACHINE_STATE_LOST:
        return _("it does not answer");
    }
    g_return_val_if_reached("");
}

void oriel_supervisor_command_async(OrielSupervisor *self, OrielCommand command,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer data)
{
    GTask *task;

    if (self->closed || !(commands[command].states & (1u << self->state)) ||
        (commands[command].method && !self->engine)) {
        g_task_report_new_error(self, callback, data, oriel_supervisor_command_async, ORIEL_ERROR,
                                ORIEL_ERROR_STATE, _("That cannot be done with “%s”: %s."),
                                self->machine->name, state_clause(self->state));
        return;
    }
    task = wait_new(self, (int)command, cancellable, callback, data);
    self->end_wanted |= commands[command].ends;
    if (command == ORIEL_COMMAND_KILL) {
        kill_begin(self, task);
    } else {
        g_dbus_proxy_call(G_DBUS_PROXY(self->engine), commands[command].method, NULL,
                          G_DBUS_CALL_FLAGS_NONE, G_MAXINT, cancellable, command_answered,
                          later_new(self, task));
    }
    if (command == ORIEL_COMMAND_SAVE) {
        supervisor_heed(self);
    }
    supervisor_watch(self);
}

gboolean oriel_supervisor_command_finish(OrielSupervisor *self, GAsyncResult *result,
                                         GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
