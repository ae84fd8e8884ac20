/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What oriel-engine-backend.c (picture, properties), oriel-engine-cursor.c and oriel-engine-input.c
 * share. */
#ifndef ORIEL_ENGINE_BACKEND_PRIVATE_H
#define ORIEL_ENGINE_BACKEND_PRIVATE_H

#include "oriel-engine-backend.h"

#define ENGINE_PATH       "/io/github/oriel_vm/Oriel/Engine"
#define ENGINE_INTERFACE  "io.github.oriel_vm.Oriel.Engine"
#define DISPLAY_INTERFACE "io.github.oriel_vm.Oriel.Display"

enum {
    TIMEOUT_DEFAULT = -1,
    TIMEOUT_NEVER = G_MAXINT,
};

struct pointer_event {
    gboolean absolute;
    guint x, y;
    int dx, dy, wheel;
    guint buttons;
};

struct _OrielEngineBackend {
    OrielDisplayBackend parent_instance;

    GDBusConnection *connection;
    guint display; /* number, from 1 */
    char *path;    /* of its object */
    GCancellable *cancellable;
    guint subscriptions[2]; /* to properties of the engine and of the display */
    gulong closed_handler;

    guint scanout; /* id of what we show; 0: nothing */
    gboolean visible;
    gboolean waiting; /* a call for frames or memory is under way */
    gboolean unshown; /* the widget has not shown the last answer */
    guint retry_timer;

    struct pointer_event pending;
    gboolean has_pending;
    guint pointer_calls; /* unanswered */
    struct pointer_event last;

    guint shape; /* number of the cursor's shape that we have; 0: none */
    GdkTexture *cursor;
    int cursor_hot_x, cursor_hot_y;
    gboolean cursor_shown;
};

/*
 * Calls a method of ENGINE_INTERFACE, which is about the machine as a whole and has its object, or
 * of DISPLAY_INTERFACE, whose object is this display's. `timeout`: one of the above; `callback`,
 * whose data is the engine, may be NULL.
 */
void oriel_engine_backend_call(OrielEngineBackend *engine, const char *interface,
                               const char *method, GVariant *parameters, const char *reply_type,
                               int timeout, GAsyncReadyCallback callback);
/* Sends the pointer event that waits, if there is one. */
void oriel_engine_backend_flush(OrielEngineBackend *engine);
/* The part of the class that sends keys, pointer and text. */
void oriel_engine_backend_input_class_init(OrielDisplayBackendClass *class);
/* Asks for the cursor, again and again until the backend is closed. */
void oriel_engine_backend_cursor_follow(OrielEngineBackend *engine);

#endif
