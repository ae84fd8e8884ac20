/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See model_fixture.h. */
#include "model_fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>

#include "oriel-files.h"
#include "running/oriel-session.h"

enum {
    STEP_MS = 20,
    PATIENCE_S = 60,
};

static char *home;

void fixture_start(void)
{
    home = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autofree char *data = g_build_filename(home, "data", NULL);
    g_autofree char *run = g_build_filename(home, "run", NULL);

    g_mkdir(data, 0700);
    g_mkdir(run, 0700);
    g_setenv("XDG_DATA_HOME", data, TRUE);
    g_setenv("XDG_RUNTIME_DIR", run, TRUE);
    g_setenv("ORIEL_ENGINE", FAKE_ENGINE, TRUE);
    g_setenv("ORIEL_WORKER", WORKER, TRUE);
}

const char *fixture_data(void)
{
    return g_get_user_data_dir();
}

char *fixture_folder(const char *name)
{
    g_autofree char *library = oriel_library_folder(TRUE, NULL);
    g_autofree char *base = g_strconcat(name, ".oriel", NULL);

    return g_build_filename(library, base, NULL);
}

void fixture_script(const char *name, const char *script)
{
    g_autofree char *folder = fixture_folder(name);
    g_autofree char *path = g_build_filename(folder, "fake", NULL);

    CHECK(g_file_set_contents(path, script, -1, NULL));
}

void fixture_machine(const char *name, const char *script)
{
    g_autoptr(OrielConfig) config = oriel_config_new(name);
    g_autofree char *folder = fixture_folder(name);

    g_mkdir(folder, 0700);
    if (script) {
        fixture_script(name, script);
    }
    CHECK(oriel_config_save(config, folder, NULL));
}

static void end_if_engine(const char *pid)
{
    g_autofree char *link = g_strdup_printf("/proc/%s/exe", pid);
    g_autofree char *program = g_file_read_link(link, NULL);

    if (g_strcmp0(program, FAKE_ENGINE) == 0) {
        kill((pid_t)atoi(pid), SIGKILL);
    }
}

/* Engines that nobody can speak to any more are children of this process all the same. */
static void children_end(void)
{
    g_autoptr(GDir) threads = g_dir_open("/proc/self/task", 0, NULL);
    const char *thread;

    while (threads && (thread = g_dir_read_name(threads))) {
        g_autofree char *path = g_build_filename("/proc/self/task", thread, "children", NULL);
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL)) {
            g_auto(GStrv) children = g_strsplit(g_strstrip(text), " ", -1);

            for (char **child = children; *child; child++) {
                end_if_engine(*child);
            }
        }
    }
}

void fixture_clear(void)
{
    g_autoptr(GPtrArray) machines = oriel_library_list();
    g_autofree char *oriel = g_build_filename(fixture_data(), "oriel", NULL);

    for (guint i = 0; i < machines->len; i++) {
        const OrielMachine *machine = machines->pdata[i];

        if (machine->config) {
            oriel_session_kill(machine, NULL);
        }
    }
    children_end();
    oriel_folder_remove(oriel, NULL);
}

void fixture_end(void)
{
    fixture_clear();
    oriel_folder_remove(home, NULL);
    g_free(home);
}

static gboolean tick(gpointer data)
{
    return G_SOURCE_REMOVE;
}

gboolean fixture_step(gint64 *since)
{
    if (*since == 0) {
        *since = g_get_monotonic_time();
    }
    g_timeout_add(STEP_MS, tick, NULL);
    g_main_context_iteration(NULL, TRUE);
    return g_get_monotonic_time() - *since < PATIENCE_S * G_TIME_SPAN_SECOND;
}

void fixture_result(GObject *object, GAsyncResult *result, gpointer data)
{
    *(GAsyncResult **)data = g_object_ref(result);
}

OrielMachineList *fixture_list(void)
{
    OrielMachineList *list = oriel_machine_list_new();

    WAIT(!oriel_machine_list_is_loading(list));
    return list;
}

void fixture_tell(OrielMachineItem *item, const char *command)
{
    g_autofree char *text = g_strconcat("fake:", command, NULL);
    OrielEngine *engine = oriel_machine_item_get_engine(item);

    CHECK(engine);
    CHECK(oriel_engine_call_type_text_sync(engine, text, NULL, NULL));
}
