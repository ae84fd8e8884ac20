/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the supervisor share. Threads: main context. */
#ifndef ORIEL_SUPERVISOR_PRIVATE_H
#define ORIEL_SUPERVISOR_PRIVATE_H

#include "oriel-supervisor.h"

enum {
    COMMAND_START = 1000, /* a start that somebody waits for, beside OrielCommand */
};

struct _OrielSupervisor {
    GObject parent;
    OrielMachine *machine;
    OrielMachineState state;
    char *message;
    gboolean closed;
    guint patience; /* ms */

    guint64 generation;
    GCancellable *cancellable; /* of this generation */
    gboolean looking;          /* for an engine that somebody else may have started */
    GError *refusal;           /* looking because of it: a start found the machine in use */
    gboolean ready;            /* the engine that we started has said so */
    gboolean end_wanted;       /* somebody asked for the end */
    gboolean was_saved;        /* the last run ended with its state saved */
    OrielEngine *engine;
    GCancellable *starting; /* cancels a start that is not ready yet */
    GSubprocess *process;   /* if we started it */
    int exit_fd;            /* of a process that somebody else started; -1: none */
    guint exit_watch;   /* its source, or that which waits for the connection to close as well */
    GError *exit_error; /* how the process ended, if that is to be said */

    GPtrArray *waiting; /* GTask of those who wait, owned; task data: struct waiter */
    guint watch;        /* source: looks whether it still answers */
    guint silent;       /* looks without an answer */
    gboolean asked;     /* for a property, no answer yet */
    gboolean checking;  /* somebody wants to know, once */
};

struct waiter {
    OrielCommand command;
    gboolean done;
};

enum event_type {
    EVENT_READY,     /* the engine that we started runs the machine */
    EVENT_REFUSED,   /* it could not start: error */
    EVENT_FOUND,     /* connected: engine */
    EVENT_NOT_FOUND, /* no engine is there */
    EVENT_NO_SENSE,  /* something is there that cannot be used: error */
    EVENT_NEWS,      /* properties of the engine have changed */
    EVENT_CLOSED,    /* the connection has ended */
    EVENT_EXITED,    /* the process has ended: error, if something is to be said */
    EVENT_SILENT,    /* no answer in time */
    EVENT_ANSWERED,  /* an answer after all */
};

struct event {
    enum event_type type;
    guint64 generation;
    const GError *error;
    OrielEngine *engine;
};

/* The state machine: everything that happens comes here. */
void supervise(OrielSupervisor *self, const struct event *event);
/* An event without more. */
void supervisor_happened(OrielSupervisor *self, enum event_type type, guint64 generation);
/* Begins a new generation: what still comes of the one before counts no more. */
void supervisor_reset(OrielSupervisor *self);
void supervisor_set_state(OrielSupervisor *self, OrielMachineState state, const char *message);
/* Looks for an engine that runs the machine; EVENT_FOUND, EVENT_NOT_FOUND or EVENT_NO_SENSE of this
 * generation follows. */
void supervisor_find(OrielSupervisor *self);
/* Takes over what the connected engine says of itself. */
void supervisor_heed(OrielSupervisor *self);

/* Whether somebody waits for this command (OrielCommand or COMMAND_START). */
gboolean supervisor_waits_for(OrielSupervisor *self, int command);
/* Gives one who waits the result; takes the error. */
void supervisor_answer(OrielSupervisor *self, GTask *task, GError *error);
/* Answers those for whom `judge` says so. */
void supervisor_answer_all(OrielSupervisor *self,
                           gboolean (*judge)(OrielSupervisor *self, int command, GError **error));
/* Starts or ends the looks whether the engine still answers; after every change. */
void supervisor_watch(OrielSupervisor *self);

#endif
