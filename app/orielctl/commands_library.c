/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list, show, set, rename, clone, delete, log, check-host. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "oriel-host.h"
#include "library/oriel-operations.h"
#include "running/oriel-limits.h"
#include "running/oriel-networks.h"
#include "orielctl.h"

enum {
    STATES_AT_ONCE = 16,
};

void made_print(const struct call *call, const char *name, const char *folder)
{
    if (call->json) {
        print_json(json_object_of("name", name, "folder", folder, NULL));
    } else {
        printf(_("“%s” is in %s\n"), name, folder);
    }
}

struct listed {
    const OrielMachine *machine;
    const char *state;
    char *message;
};

static void state_ask(gpointer data, gpointer user_data)
{
    struct listed *listed = data;

    listed->state = oriel_session_state(listed->machine, &listed->message);
}

/* Asks all at once: engines that do not answer are waited for together. */
static struct listed *states_ask(const GPtrArray *machines)
{
    struct listed *all = g_new0(struct listed, machines->len);
    GThreadPool *pool = g_thread_pool_new(state_ask, NULL, STATES_AT_ONCE, FALSE, NULL);

    for (guint i = 0; i < machines->len; i++) {
        all[i].machine = g_ptr_array_index(machines, i);
        g_thread_pool_push(pool, &all[i], NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    return all;
}

gboolean run_list(const struct call *call, GError **error)
{
    g_autoptr(GPtrArray) machines = oriel_library_list();
    g_autofree struct listed *all = states_ask(machines);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < machines->len; i++) {
        const OrielMachine *machine = all[i].machine;
        g_autofree char *message = all[i].message;
        const char *state = all[i].state;

        if (call->json) {
            json_array_add_element(
                array, json_object_of("name", machine->name, "state", state, "message",
                                      message ? message : "", "folder", machine->folder, "uuid",
                                      machine->config ? machine->config->uuid : "", NULL));
        } else {
            printf("%-12s %s\n", state, machine->name);
        }
        if (!call->json && message) {
            g_autofree char *plain = plain_text(message);

            printf("             %s\n", g_strdelimit(plain, "\n\t", ' '));
        }
    }
    if (call->json) {
        print_json_array(array);
    }
    json_array_unref(array);
    return TRUE;
}

static void show_value(const char *key, JsonNode *value, const char *prefix)
{
    g_autofree char *name = g_strconcat(prefix, key, NULL);

    if (JSON_NODE_HOLDS_OBJECT(value)) {
        g_autofree char *inner = g_strconcat(name, ".", NULL);
        JsonObjectIter iter;
        const char *member;
        JsonNode *node;

        json_object_iter_init(&iter, json_node_get_object(value));
        while (json_object_iter_next(&iter, &member, &node)) {
            show_value(member, node, inner);
        }
    } else if (JSON_NODE_HOLDS_ARRAY(value)) {
        JsonArray *array = json_node_get_array(value);

        for (guint i = 0; i < json_array_get_length(array); i++) {
            g_autofree char *index = g_strdup_printf("%s%u", key, i);

            show_value(index, json_array_get_element(array, i), prefix);
        }
    } else if (!JSON_NODE_HOLDS_NULL(value)) {
        g_autofree char *text = json_to_string(value, FALSE);

        printf("%-22s %s\n", name, text);
    }
}

gboolean run_show(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    if (!machine) {
        return FALSE;
    }
    g_autoptr(JsonNode) node = oriel_config_to_json(machine->config);
    JsonObject *object = json_node_get_object(node);
    JsonObjectIter iter;
    const char *member;
    JsonNode *value;

    json_object_set_string_member(object, "state", oriel_session_state(machine, NULL));
    json_object_set_string_member(object, "folder", machine->folder);
    if (call->json) {
        print_json(g_steal_pointer(&node));
        return TRUE;
    }
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &member, &value)) {
        show_value(member, value, "");
    }
    return TRUE;
}

static gboolean settings_set(OrielConfig *config, gpointer data, GError **error)
{
    for (char **setting = data; *setting; setting++) {
        g_auto(GStrv) parts = g_strsplit(*setting, "=", 2);

        if (!parts[0] || !parts[1]) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        _("“%s” is not a setting; write KEY=VALUE, such as memory=2G."), *setting);
            return FALSE;
        }
        if (!oriel_config_set(config, parts[0], parts[1], error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The keys that the call sets; *live: a running machine has them at once. */
static char **settings_keys(const struct call *call, const OrielConfig *config, gboolean *live)
{
    g_autoptr(GStrvBuilder) keys = g_strv_builder_new();

    *live = TRUE;
    for (guint i = 1; i < call->n_arguments; i++) {
        g_auto(GStrv) parts = g_strsplit(call->arguments[i], "=", 2);

        g_strv_builder_add(keys, parts[0]);
        *live = *live && oriel_config_key_live(config, parts[0]) &&
                !g_str_has_suffix(parts[0], ".path");
    }
    return g_strv_builder_end(keys);
}

gboolean run_set(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    if (!machine) {
        return FALSE;
    }
    for (guint i = 1; i < call->n_arguments; i++) {
        if (g_str_has_prefix(call->arguments[i], "name=")) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("The name is changed with “orielctl rename”."));
            return FALSE;
        }
    }
    if (!oriel_machine_edit(machine->folder, settings_set, call->arguments + 1, error)) {
        return FALSE;
    }
    const char *state = oriel_session_state(machine, NULL);
    gboolean live;
    g_auto(GStrv) keys = settings_keys(call, machine->config, &live);

    if (strcmp(state, "stopped") == 0 || strcmp(state, "saved") == 0) {
        return TRUE;
    }
    if (!oriel_networks_apply_keys(machine, (const char *const *)keys, error) ||
        !oriel_limits_apply_keys(machine, (const char *const *)keys, error)) {
        return FALSE;
    }
    if (!live) {
        fprintf(stderr, _("“%s” is running; the change takes effect when it is started again.\n"),
                machine->name);
    }
    return TRUE;
}

gboolean run_rename(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    g_autofree char *folder = machine ? oriel_rename(machine, call->arguments[1], error) : NULL;

    return folder != NULL;
}

gboolean run_clone(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *folder =
        machine ? oriel_clone(machine, call->arguments[1], progress(), NULL, NULL, error) : NULL;

    progress_end();
    if (folder) {
        made_print(call, call->arguments[1], folder);
    }
    return folder != NULL;
}

gboolean run_delete(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_delete(machine, call_option(call, "permanently") != NULL, error);
}

gboolean run_log(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *path =
        machine ? g_build_filename(machine->folder, "log", "engine.log", NULL) : NULL;
    g_autofree char *text = NULL;

    if (!machine) {
        return FALSE;
    }
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("“%s” has no log: it has never been started."), machine->name);
        return FALSE;
    }
    if (call->json) {
        print_json(json_object_of("log", text, NULL));
    } else {
        fputs(text, stdout);
    }
    return TRUE;
}

static void finding_print(const OrielFinding *finding)
{
    printf("%s %s\n  %s\n", finding->fatal ? _("Problem:") : _("Note:"), finding->what,
           finding->fix);
}

gboolean run_check_host(const struct call *call, GError **error)
{
    g_autofree char *library = oriel_library_folder(TRUE, error);
    JsonArray *array = json_array_new();
    gboolean good = TRUE;

    if (!library) {
        return FALSE;
    }
    g_autoptr(GPtrArray) findings = oriel_host_check(library);

    for (guint i = 0; i < findings->len; i++) {
        const OrielFinding *finding = g_ptr_array_index(findings, i);

        if (call->json) {
            json_array_add_element(
                array, json_object_of("id", finding->id, "what", finding->what, "fix", finding->fix,
                                      "severity", finding->fatal ? "problem" : "note", NULL));
        } else {
            finding_print(finding);
        }
        if (finding->fatal && good) {
            good = FALSE;
            g_set_error(error, ORIEL_ERROR, finding->code,
                        _("No machine can run on this computer yet: %s"), finding->what);
        }
    }
    if (call->json) {
        print_json_array(array);
    } else if (findings->len == 0) {
        printf("%s\n", _("All is well: machines run at full speed."));
    }
    json_array_unref(array);
    return good;
}
