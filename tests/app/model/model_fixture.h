/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library and a runtime folder of the test's own, machines in it, and waiting on the main
 * context. */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include <gio/gio.h>

#include "model/oriel-machine-list.h"
#include "test.h"

/* Once, first: private folders; engines are fake ones. */
void fixture_start(void);
/* Removes every machine and whatever still runs. */
void fixture_clear(void);
void fixture_end(void);

/* $XDG_DATA_HOME of the test. */
const char *fixture_data(void);
/* Where the machine of that name is, or would be. g_free(). */
char *fixture_folder(const char *name);
/* A machine with a script for the fake engine (or NULL). */
void fixture_machine(const char *name, const char *script);
/* Replaces the script. */
void fixture_script(const char *name, const char *script);
/* Tells the running fake engine to do something, as another program would. */
void fixture_tell(OrielMachineItem *item, const char *command);

/* One step of the main context, at most some milliseconds; FALSE when a minute has passed since the
 * first of a row. */
gboolean fixture_step(gint64 *since);

/* Runs the main context until the condition holds. */
#define WAIT(condition)                                                                            \
    do {                                                                                           \
        gint64 since_ = 0;                                                                         \
        while (!(condition)) {                                                                     \
            if (!fixture_step(&since_)) {                                                          \
                test_fail(__FILE__, __LINE__, "waited in vain for: %s", #condition);               \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* Keeps the result of an asynchronous call; free with g_clear_object(). */
void fixture_result(GObject *object, GAsyncResult *result, gpointer data);

/* A list that has been read. */
OrielMachineList *fixture_list(void);

#endif
