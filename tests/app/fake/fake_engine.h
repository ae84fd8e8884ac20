/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the fake engine. */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include <gio/gio.h>

#include "config/config.h"

struct fake_display;

struct fake {
    char *folder;
    int ready_fd, lock, runtime_lock;
    gboolean paused, discard_saved;
    OrielConfig *config;
    char *runtime;
    GMainLoop *loop;
    GDBusServer *server;
    GSocketService *garbage;
    GPtrArray *connections;
    struct fake_display *displays[CONFIG_DISPLAYS_MAX]; /* as many as the machine has */
    char *state, *reason, *message;
    double save_progress;
    GDBusMethodInvocation *saving; /* a Save that is deaf: CancelSave ends it */
    GHashTable *deaf, *refuse;     /* names of methods */
    gboolean no_socket, no_ready, is_garbage, elsewhere, has_mouse;
    guint version;
};

/* fake_engine.c: one line of the script. */
void fake_command(struct fake *fake, char *line);
void fake_set_state(struct fake *fake, const char *state, const char *reason, const char *message);
void fake_turn_off(struct fake *fake, const char *reason);

/* fake_contract.c */
void fake_save(struct fake *fake);
gboolean fake_serve(struct fake *fake, const char *socket, GError **error);
void fake_properties_changed(struct fake *fake);
/* Takes the floating arguments. */
void fake_emit(struct fake *fake, const char *signal, GVariant *arguments);

/* fake_display.c: the Display interface. */
struct fake_display *fake_display_new(void);
/* FALSE if the command is none of the display's. */
gboolean fake_display_command(struct fake_display *display, const char *word, const char *rest);
void fake_display_call(struct fake_display *display, const char *method, GVariant *arguments,
                       GDBusMethodInvocation *invocation);
GVariant *fake_display_property(const struct fake *fake, const char *name);

#endif
