/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of orielctl share. One table row a command (main.c), one function a command
 * (commands_*.c). */
#ifndef ORIELCTL_H
#define ORIELCTL_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "oriel-files.h"
#include "library/oriel-library.h"
#include "running/oriel-session.h"

enum {
    EXIT_USAGE = 2,
};

/* One run of a command. */
struct call {
    const struct command *command;
    gboolean json;    /* --json */
    char **arguments; /* without options */
    guint n_arguments;
    GHashTable *options; /* option name -> text; flags have an empty text */
};

struct option {
    const char *name;
    const char *value; /* NULL for a flag, otherwise the name of its value in the help */
    const char *help;  /* to be translated, as are titles and summaries below */
};

struct command {
    const char *name;
    const char *arguments;  /* as in the usage line: "NAME FILE" */
    guint minimum, maximum; /* number of arguments */
    const char *summary;
    const struct option *options; /* ends with a NULL name */
    const char *examples;
    /* TRUE for exit code 0; FALSE with *error set otherwise. */
    gboolean (*run)(const struct call *call, GError **error);
};

/* Commands that belong together; the manual has the same sections. */
struct command_group {
    const char *title;                     /* with its colon */
    const struct command *const *commands; /* ends with NULL */
};

extern const struct command_group command_groups[]; /* ends with a NULL title */

static inline const char *call_option(const struct call *call, const char *name)
{
    return g_hash_table_lookup(call->options, name);
}

/* Prints a node as JSON on a line of its own, and takes it. */
void print_json(JsonNode *node);
/* Whether a result has been printed: one is all that a reader of JSON expects. */
gboolean json_was_printed(void);
/* The same for an array, which stays the caller's. */
void print_json_array(JsonArray *array);
/* {"name": value, ...} from pairs of names and texts, ending with NULL. */
JsonNode *json_object_of(const char *name, ...) G_GNUC_NULL_TERMINATED;

/* A stranger's text as people may see it: UTF-8, and no control characters other than line breaks
 * and tabs, which could do anything to a terminal. g_free(). */
char *plain_text(const char *text);
/* “name  value”, the value in a column of its own; nothing if it is NULL. */
void line_print(const char *name, int width, const char *value);

/* Progress on a terminal, a percentage that overwrites itself; NULL where there is none. */
OrielProgress progress(void);
void progress_end(void);
/* For work that can be cancelled: from now on signals ask for it, and this progress function, whose
 * data is a GCancellable, passes that on. progress_end() after it. */
void watch_start(void);
void watch_progress(guint64 done, guint64 total, gpointer data);
/* What oriel_disk_resize() says; takes the node. */
void resized_print(const struct call *call, JsonNode *node);
/* Says where a machine is now. */
void made_print(const struct call *call, const char *name, const char *folder);

/* The machine and the engine that the first argument names. */
OrielMachine *call_machine(const struct call *call, GError **error);
OrielEngine *call_engine(const struct call *call, OrielMachine **machine, GError **error);
/* Ends an engine call: turns a D-Bus error into the sentence and code that the engine gave. */
gboolean call_result(gboolean good, GError **error);

gboolean run_create(const struct call *call, GError **error);
gboolean run_identify(const struct call *call, GError **error);
gboolean run_list(const struct call *call, GError **error);
gboolean run_show(const struct call *call, GError **error);
gboolean run_set(const struct call *call, GError **error);
gboolean run_rename(const struct call *call, GError **error);
gboolean run_clone(const struct call *call, GError **error);
gboolean run_delete(const struct call *call, GError **error);
gboolean run_move(const struct call *call, GError **error);
gboolean run_undo(const struct call *call, GError **error);
gboolean run_revisions(const struct call *call, GError **error);
gboolean run_restore(const struct call *call, GError **error);
gboolean run_add_disk(const struct call *call, GError **error);
gboolean run_add_cdrom(const struct call *call, GError **error);
gboolean run_remove_drive(const struct call *call, GError **error);
gboolean run_reorder(const struct call *call, GError **error);
gboolean run_grow(const struct call *call, GError **error);
gboolean run_convert_disk(const struct call *call, GError **error);
gboolean run_disk(const struct call *call, GError **error);
gboolean run_import(const struct call *call, GError **error);
gboolean run_try(const struct call *call, GError **error);
gboolean run_export(const struct call *call, GError **error);
gboolean run_start(const struct call *call, GError **error);
gboolean run_save(const struct call *call, GError **error);
gboolean run_pause(const struct call *call, GError **error);
gboolean run_resume(const struct call *call, GError **error);
gboolean run_reset(const struct call *call, GError **error);
gboolean run_shutdown(const struct call *call, GError **error);
gboolean run_stop(const struct call *call, GError **error);
gboolean run_kill(const struct call *call, GError **error);
gboolean run_wait(const struct call *call, GError **error);
gboolean run_screenshot(const struct call *call, GError **error);
gboolean run_display(const struct call *call, GError **error);
gboolean run_text(const struct call *call, GError **error);
gboolean run_type(const struct call *call, GError **error);
gboolean run_key(const struct call *call, GError **error);
gboolean run_serial(const struct call *call, GError **error);
gboolean run_insert(const struct call *call, GError **error);
gboolean run_eject(const struct call *call, GError **error);
gboolean run_balloon(const struct call *call, GError **error);
gboolean run_add_network(const struct call *call, GError **error);
gboolean run_remove_network(const struct call *call, GError **error);
gboolean run_forward(const struct call *call, GError **error);
gboolean run_connections(const struct call *call, GError **error);
gboolean run_capture(const struct call *call, GError **error);
gboolean run_limit(const struct call *call, GError **error);
gboolean run_stats(const struct call *call, GError **error);
gboolean run_log(const struct call *call, GError **error);
gboolean run_vnc(const struct call *call, GError **error);
gboolean run_check_host(const struct call *call, GError **error);

#endif
