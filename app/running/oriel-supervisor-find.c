/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor's look for an engine that runs its machine, on a worker thread. */
#include "oriel-supervisor-private.h"

#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <sys/pidfd.h>

#include "config/runtime.h"
#include "oriel-session.h"

struct find {
    guint64 generation;
    OrielMachine *machine;
    OrielFound found;
    pid_t pid;
};

static void find_free(gpointer data)
{
    struct find *find = data;

    oriel_machine_free(find->machine);
    g_free(find);
}

static void find_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    struct find *find = data;
    GError *error = NULL;
    OrielEngine *engine;

    /* If there is an engine, it is that of a copy, and may never say so. */
    if (!oriel_machine_is_locked(find->machine->folder)) {
        find->found = ORIEL_FOUND_NOTHING;
        g_task_return_new_error(task, ORIEL_ERROR, ORIEL_ERROR_STATE, _("“%s” is not running."),
                                find->machine->name);
        return;
    }
    engine = oriel_session_find(find->machine, &find->found, &find->pid, cancellable, &error);
    if (engine) {
        g_task_return_pointer(task, engine, g_object_unref);
    } else {
        g_task_return_error(task, error);
    }
}

static gboolean process_exited(int fd, GIOCondition condition, gpointer data)
{
    OrielSupervisor *self = data;

    self->exit_watch = 0;
    supervisor_happened(self, EVENT_EXITED, self->generation);
    return G_SOURCE_REMOVE;
}

/* The end of a process that somebody else started is seen as well. */
static void process_follow(OrielSupervisor *self, pid_t pid)
{
    int fd = !self->process && pid > 0 ? pidfd_open(pid, 0) : -1;

    if (fd >= 0) {
        self->exit_fd = fd;
        self->exit_watch = g_unix_fd_add(fd, G_IO_IN, process_exited, self);
    }
}

static void find_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielSupervisor *self = ORIEL_SUPERVISOR(object);
    const struct find *find = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielEngine) engine = g_task_propagate_pointer(G_TASK(result), &error);
    struct event event = { .generation = find->generation, .error = error, .engine = engine };

    if (find->generation != self->generation) {
        return;
    }
    if (find->found == ORIEL_FOUND_NOTHING) {
        event.type = EVENT_NOT_FOUND;
    } else {
        event.type = engine ? EVENT_FOUND : EVENT_NO_SENSE;
        process_follow(self, find->pid);
    }
    supervise(self, &event);
}

void supervisor_find(OrielSupervisor *self)
{
    struct find *find = g_new0(struct find, 1);
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, find_end, NULL);

    find->generation = self->generation;
    find->machine = oriel_machine_copy(self->machine);
    g_task_set_task_data(task, find, find_free);
    g_task_run_in_thread(task, find_run);
}

void oriel_supervisor_look(OrielSupervisor *self)
{
    if (self->closed || self->looking || self->state != ORIEL_MACHINE_STATE_STOPPED) {
        return;
    }
    supervisor_reset(self);
    self->looking = TRUE;
    supervisor_find(self);
    supervisor_watch(self);
}
