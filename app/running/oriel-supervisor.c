/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-supervisor.h. Everything that happens becomes an event with the generation it belongs
 * to; supervise() is the state machine.
 */
#include "oriel-supervisor.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "oriel-objects.h"
#include "oriel-session.h"
#include "oriel-supervisor-private.h"

enum {
    MESSAGE_MAX = 1000, /* characters of a sentence that an engine says */
    CLOSE_MS = 2000,    /* from an engine's end to the end of its connection */
};

enum {
    SIGNAL_CHANGED,
    SIGNAL_UNEXPECTED,
    SIGNAL_WAS_RESET,
    SIGNAL_MEDIA_CHANGED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(OrielSupervisor, oriel_supervisor, G_TYPE_OBJECT)

void supervisor_happened(OrielSupervisor *self, enum event_type type, guint64 generation)
{
    const struct event event = { .type = type, .generation = generation };

    supervise(self, &event);
}

/* --- State and message ------------------------------------------------------------------------ */

/* What an engine says is shown to people: bounded, plain text. */
static char *sentence(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    char *cut = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), MESSAGE_MAX));

    for (char *p = cut; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            *p = ' ';
        }
    }
    return cut;
}

void supervisor_set_state(OrielSupervisor *self, OrielMachineState state, const char *message)
{
    g_autofree char *text = sentence(message);

    if (self->state == state && g_strcmp0(self->message, text) == 0) {
        return;
    }
    self->state = state;
    g_free(self->message);
    self->message = g_steal_pointer(&text);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

/* As the engine says it. */
static OrielMachineState engine_state(OrielSupervisor *self)
{
    static const struct {
        const char *name;
        OrielMachineState state;
    } states[] = {
        { "new", ORIEL_MACHINE_STATE_STARTING },      { "running", ORIEL_MACHINE_STATE_RUNNING },
        { "paused", ORIEL_MACHINE_STATE_PAUSED },     { "saving", ORIEL_MACHINE_STATE_SAVING },
        { "crashed", ORIEL_MACHINE_STATE_CRASHED },   { "stopped", ORIEL_MACHINE_STATE_STOPPING },
        { "stopping", ORIEL_MACHINE_STATE_STOPPING },
    };
    const char *name = oriel_engine_get_state(self->engine);

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_strcmp0(name, states[i].name) == 0) {
            gboolean saving = (supervisor_waits_for(self, ORIEL_COMMAND_SAVE) ||
                               oriel_engine_get_save_progress(self->engine) > 0) &&
                              (states[i].state == ORIEL_MACHINE_STATE_RUNNING ||
                               states[i].state == ORIEL_MACHINE_STATE_PAUSED);

            return saving ? ORIEL_MACHINE_STATE_SAVING : states[i].state;
        }
    }
    return ORIEL_MACHINE_STATE_LOST;
}

/* --- Those who wait --------------------------------------------------------------------------- */

static gboolean judge_up(OrielSupervisor *self, int command, GError **error)
{
    return command == COMMAND_START;
}

static gboolean judge_end(OrielSupervisor *self, int command, GError **error)
{
    if (command == ORIEL_COMMAND_SAVE && !self->was_saved) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE, _("“%s” ended before it was saved."),
                    self->machine->name);
    } else if (command != ORIEL_COMMAND_SHUT_DOWN && command != ORIEL_COMMAND_POWER_OFF &&
               command != ORIEL_COMMAND_SAVE && command != ORIEL_COMMAND_KILL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE, _("“%s” has ended meanwhile."),
                    self->machine->name);
    }
    return TRUE;
}

static gboolean judge_lost(OrielSupervisor *self, int command, GError **error)
{
    if (command == ORIEL_COMMAND_KILL) {
        return FALSE;
    }
    g_set_error_literal(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT, self->message);
    return TRUE;
}

static gboolean judge_closed(OrielSupervisor *self, int command, GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Nobody follows the machine.");
    return TRUE;
}

/* --- A run's beginning and end ---------------------------------------------------------------- */

static void engine_drop(OrielSupervisor *self)
{
    if (self->engine) {
        g_signal_handlers_disconnect_by_data(self->engine, self);
        g_signal_handlers_disconnect_by_data(
            g_dbus_proxy_get_connection(G_DBUS_PROXY(self->engine)), self);
        g_clear_object(&self->engine);
    }
}

/* A new generation: what still comes of the one before counts no more. */
void supervisor_reset(OrielSupervisor *self)
{
    self->generation++;
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    engine_drop(self);
    g_clear_object(&self->starting);
    g_clear_object(&self->process);
    g_clear_handle_id(&self->exit_watch, g_source_remove);
    g_clear_error(&self->exit_error);
    g_clear_error(&self->refusal);
    if (self->exit_fd >= 0) {
        close(self->exit_fd);
        self->exit_fd = -1;
    }
    self->looking = self->ready = self->end_wanted = FALSE;
    self->asked = self->checking = FALSE;
    self->silent = 0;
}

/* `message`: what is to be said about the end; `unexpected` if nobody had asked for it. */
static void run_end(OrielSupervisor *self, const char *message, gboolean unexpected)
{
    g_autofree char *text = g_strdup(message ? message : "");

    supervisor_reset(self);
    supervisor_set_state(self, ORIEL_MACHINE_STATE_STOPPED, text);
    supervisor_answer_all(self, judge_end);
    supervisor_watch(self);
    if (unexpected) {
        g_signal_emit(self, signals[SIGNAL_UNEXPECTED], 0, self->message);
    }
}

/* Whether the engine has told of its end, and why. */
static gboolean end_announced(OrielSupervisor *self)
{
    static const char *const wanted[] = { "none", "user", "guest", "saved", NULL };
    const char *reason = self->engine ? oriel_engine_get_reason(self->engine) : NULL;

    return self->engine && engine_state(self) == ORIEL_MACHINE_STATE_STOPPING && reason &&
           g_strv_contains(wanted, reason);
}

static void ended(OrielSupervisor *self, const GError *error)
{
    gboolean announced = end_announced(self);
    gboolean expected = announced || self->end_wanted;
    const char *said = self->engine ? oriel_engine_get_message(self->engine) : NULL;
    g_autofree char *message = NULL;

    self->was_saved = announced && strcmp(oriel_engine_get_reason(self->engine), "saved") == 0;
    /* Only its state was to be saved: an engine that ends without that has failed. */
    if (!announced && supervisor_waits_for(self, ORIEL_COMMAND_SAVE) &&
        !supervisor_waits_for(self, ORIEL_COMMAND_KILL)) {
        expected = FALSE;
    }

    if (!expected && said && *said && engine_state(self) == ORIEL_MACHINE_STATE_STOPPING) {
        message = g_strdup(said);
    } else if (!expected) {
        message = error
                      ? g_strdup_printf(_("“%s” stopped because its engine ended unexpectedly: %s. "
                                          "Its log may say why; start it again when you like."),
                                        self->machine->name, error->message)
                      : g_strdup_printf(_("“%s” stopped because its engine ended unexpectedly. Its "
                                          "log may say why; start it again when you like."),
                                        self->machine->name);
    }
    run_end(self, message, !expected);
}

static gboolean exited_for_good(gpointer data)
{
    OrielSupervisor *self = data;

    self->exit_watch = 0;
    supervisor_happened(self, EVENT_CLOSED, self->generation);
    return G_SOURCE_REMOVE;
}

/* What the engine said last may still be on its way: its connection closes behind that. */
static void exited(OrielSupervisor *self, const GError *error)
{
    if (!self->engine) {
        ended(self, error);
        return;
    }
    g_clear_handle_id(&self->exit_watch, g_source_remove);
    g_clear_error(&self->exit_error);
    self->exit_error = error ? g_error_copy(error) : NULL;
    self->exit_watch = g_timeout_add(CLOSE_MS, exited_for_good, self);
}

/* --- The state machine ------------------------------------------------------------------------ */

static void on_news(GDBusProxy *proxy, GVariant *changed, const char *const *gone,
                    OrielSupervisor *self)
{
    supervisor_happened(self, EVENT_NEWS, self->generation);
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error,
                      OrielSupervisor *self)
{
    supervisor_happened(self, EVENT_CLOSED, self->generation);
}

static void on_was_reset(OrielEngine *engine, OrielSupervisor *self)
{
    g_signal_emit(self, signals[SIGNAL_WAS_RESET], 0);
}

static void on_media_changed(OrielEngine *engine, const char *drive, OrielSupervisor *self)
{
    g_signal_emit(self, signals[SIGNAL_MEDIA_CHANGED], 0, drive);
}

static void engine_take(OrielSupervisor *self, OrielEngine *engine)
{
    GDBusConnection *connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(engine));

    self->engine = g_object_ref(engine);
    self->looking = FALSE;
    g_signal_connect(engine, "g-properties-changed", G_CALLBACK(on_news), self);
    g_signal_connect(engine, "was-reset", G_CALLBACK(on_was_reset), self);
    g_signal_connect(engine, "media-changed", G_CALLBACK(on_media_changed), self);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), self);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
    if (g_dbus_connection_is_closed(connection)) {
        supervisor_happened(self, EVENT_CLOSED, self->generation);
    }
}

/* Takes over what the engine says of itself. */
void supervisor_heed(OrielSupervisor *self)
{
    OrielMachineState before = self->state, state = engine_state(self);
    g_autofree char *said = sentence(oriel_engine_get_message(self->engine));
    guint64 generation = self->generation;

    if (state == ORIEL_MACHINE_STATE_LOST) {
        g_free(said);
        said = g_strdup_printf(_("The engine of “%s” is in a state that this version of Oriel does "
                                 "not know. Shut the machine down from inside."),
                               self->machine->name);
    }
    supervisor_set_state(self, state, said);
    if (state != ORIEL_MACHINE_STATE_STARTING && generation == self->generation) {
        supervisor_answer_all(self, state == ORIEL_MACHINE_STATE_LOST ? judge_lost : judge_up);
    }
    /* One that had crashed before we looked is no news. */
    if (state == ORIEL_MACHINE_STATE_CRASHED && generation == self->generation &&
        (before == ORIEL_MACHINE_STATE_RUNNING || before == ORIEL_MACHINE_STATE_PAUSED)) {
        g_signal_emit(self, signals[SIGNAL_UNEXPECTED], 0, self->message);
    }
}

static void lose(OrielSupervisor *self, const char *message)
{
    guint64 generation = self->generation;

    self->looking = FALSE;
    self->checking = FALSE;
    supervisor_set_state(self, ORIEL_MACHINE_STATE_LOST, message);
    if (generation == self->generation) {
        supervisor_answer_all(self, judge_lost);
    }
}

static void fall_silent(OrielSupervisor *self)
{
    g_autofree char *message = g_strdup_printf(
        _("“%s” does not answer. It may be waiting for a disk or network; wait for it, or force it "
          "to stop, which loses what the guest has not written yet."),
        self->machine->name);

    lose(self, message);
}

/* The start has failed; those who wait are told why. */
static void start_fail(OrielSupervisor *self, const GError *error)
{
    g_autoptr(GPtrArray) all = oriel_objects_hold(self->waiting);

    for (guint i = 0; i < all->len; i++) {
        const struct waiter *waiter = g_task_get_task_data(all->pdata[i]);

        if ((int)waiter->command == COMMAND_START) {
            supervisor_answer(self, all->pdata[i], g_error_copy(error));
        }
    }
    run_end(self, NULL, FALSE);
}

/* A machine in use may run already in somebody else's engine: then the start has what it wants. */
static void start_refused(OrielSupervisor *self, const GError *error)
{
    if (g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED)) {
        supervisor_reset(self);
        self->refusal = g_error_copy(error);
        self->looking = TRUE;
        supervisor_find(self);
    } else {
        start_fail(self, error);
    }
}

static void nothing_found(OrielSupervisor *self)
{
    g_autoptr(GError) refusal = g_steal_pointer(&self->refusal);

    if (refusal) {
        start_fail(self, refusal);
    } else if (self->looking) {
        run_end(self, self->message, FALSE);
    } else {
        ended(self, NULL);
    }
}

void supervise(OrielSupervisor *self, const struct event *event)
{
    g_autoptr(OrielSupervisor) hold = g_object_ref(self);

    if (event->generation != self->generation || self->closed) {
        return;
    }
    switch (event->type) {
    case EVENT_READY:
        self->ready = TRUE;
        supervisor_find(self);
        break;
    case EVENT_REFUSED:
        start_refused(self, event->error);
        break;
    case EVENT_FOUND:
        engine_take(self, event->engine);
        if (event->generation == self->generation) {
            supervisor_heed(self);
        }
        break;
    case EVENT_NOT_FOUND:
        nothing_found(self);
        break;
    case EVENT_NO_SENSE:
        lose(self, event->error->message);
        break;
    case EVENT_NEWS:
    case EVENT_ANSWERED:
        self->asked = FALSE;
        self->silent = 0;
        supervisor_heed(self);
        break;
    case EVENT_CLOSED:
        ended(self, self->exit_error);
        break;
    case EVENT_EXITED:
        exited(self, event->error);
        break;
    case EVENT_SILENT:
        fall_silent(self);
        break;
    }
    supervisor_watch(self);
}

/* --- The object ------------------------------------------------------------------------------- */

OrielSupervisor *oriel_supervisor_new(const OrielMachine *machine)
{
    OrielSupervisor *self = g_object_new(ORIEL_TYPE_SUPERVISOR, NULL);

    self->machine = oriel_machine_copy(machine);
    return self;
}

void oriel_supervisor_set_machine(OrielSupervisor *self, const OrielMachine *machine)
{
    oriel_machine_free(self->machine);
    self->machine = oriel_machine_copy(machine);
}

void oriel_supervisor_close(OrielSupervisor *self)
{
    if (!self->closed) {
        self->closed = TRUE;
        supervisor_reset(self);
        self->state = ORIEL_MACHINE_STATE_STOPPED;
        supervisor_answer_all(self, judge_closed);
        supervisor_watch(self);
    }
}

OrielMachineState oriel_supervisor_get_state(OrielSupervisor *self)
{
    return self->state;
}

const char *oriel_supervisor_get_message(OrielSupervisor *self)
{
    return self->message;
}

OrielEngine *oriel_supervisor_get_engine(OrielSupervisor *self)
{
    return self->engine;
}

guint64 oriel_supervisor_get_generation(OrielSupervisor *self)
{
    return self->generation;
}

GSubprocess *oriel_supervisor_get_process(OrielSupervisor *self)
{
    return self->process;
}

gboolean oriel_supervisor_was_saved(OrielSupervisor *self)
{
    return self->was_saved;
}

gboolean oriel_supervisor_is_looking(OrielSupervisor *self)
{
    return self->looking;
}

void oriel_supervisor_set_patience(OrielSupervisor *self, guint milliseconds)
{
    self->patience = MAX(milliseconds, 1);
}

static void dispose(GObject *object)
{
    oriel_supervisor_close(ORIEL_SUPERVISOR(object));
    G_OBJECT_CLASS(oriel_supervisor_parent_class)->dispose(object);
}

static void finalize(GObject *object)
{
    OrielSupervisor *self = ORIEL_SUPERVISOR(object);

    oriel_machine_free(self->machine);
    g_object_unref(self->cancellable);
    g_ptr_array_unref(self->waiting);
    g_free(self->message);
    G_OBJECT_CLASS(oriel_supervisor_parent_class)->finalize(object);
}

static void oriel_supervisor_class_init(OrielSupervisorClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->dispose = dispose;
    object_class->finalize = finalize;
    signals[SIGNAL_CHANGED] = g_signal_new("changed", ORIEL_TYPE_SUPERVISOR, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_UNEXPECTED] =
        g_signal_new("unexpected", ORIEL_TYPE_SUPERVISOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_WAS_RESET] = g_signal_new("was-reset", ORIEL_TYPE_SUPERVISOR, G_SIGNAL_RUN_LAST,
                                             0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_MEDIA_CHANGED] =
        g_signal_new("media-changed", ORIEL_TYPE_SUPERVISOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                     G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void oriel_supervisor_init(OrielSupervisor *self)
{
    self->state = ORIEL_MACHINE_STATE_STOPPED;
    self->message = g_strdup("");
    self->cancellable = g_cancellable_new();
    self->waiting = g_ptr_array_new_with_free_func(g_object_unref);
    self->patience = ORIEL_SESSION_PATIENCE * 1000;
    self->exit_fd = -1;
}
