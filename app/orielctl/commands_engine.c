/* SPDX-License-Identifier: GPL-3.0-or-later */
/* start, save, pause, resume, reset, shutdown, stop, text, type, key, insert, eject,
 * stats, vnc. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "library/oriel-operations.h"
#include "orielctl.h"

gboolean run_start(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_session_start(
                          machine,
                          (call_option(call, "paused") ? ORIEL_START_PAUSED : 0) |
                              (call_option(call, "discard-saved") ? ORIEL_START_DISCARD_SAVED : 0),
                          NULL, NULL, error);
}

gboolean run_save(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    gboolean good = machine && oriel_session_save(machine, progress(), NULL, NULL, error);

    progress_end();
    return good;
}

typedef gboolean (*engine_call)(OrielEngine *engine, GCancellable *cancellable, GError **error);

/* A command that is one call without arguments. */
static gboolean simple_call(const struct call *call, engine_call function, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);

    return engine && call_result(function(engine, NULL, error), error);
}

gboolean run_pause(const struct call *call, GError **error)
{
    return simple_call(call, oriel_engine_call_pause_sync, error);
}

gboolean run_resume(const struct call *call, GError **error)
{
    return simple_call(call, oriel_engine_call_resume_sync, error);
}

gboolean run_reset(const struct call *call, GError **error)
{
    return simple_call(call, oriel_engine_call_reset_sync, error);
}

gboolean run_shutdown(const struct call *call, GError **error)
{
    return simple_call(call, oriel_engine_call_power_button_sync, error);
}

/* The engine ends with the machine: that the connection breaks is success, and it is waited for. */
gboolean run_stop(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = NULL;
    g_autoptr(OrielEngine) engine = call_engine(call, &machine, error);
    g_autoptr(GError) cause = NULL;

    if (!engine) {
        return FALSE;
    }
    GDBusConnection *connection = g_dbus_proxy_get_connection(G_DBUS_PROXY(engine));

    if (!oriel_engine_call_power_off_sync(engine, NULL, &cause) &&
        !g_dbus_connection_is_closed(connection) && g_dbus_error_is_remote_error(cause)) {
        g_dbus_error_strip_remote_error(cause);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    while (!g_dbus_connection_is_closed(connection)) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(5000);
    }
    return TRUE;
}

gboolean run_text(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    g_autofree char *text = NULL;
    gboolean is_text;
    guint column, row;

    if (!engine || !call_result(oriel_engine_call_get_text_sync(engine, &is_text, &text, &column,
                                                                &row, NULL, error),
                                error)) {
        return FALSE;
    }
    if (!is_text) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("“%s” shows a picture, not text; use “orielctl screenshot”."),
                    call->arguments[0]);
        return FALSE;
    }
    if (call->json) {
        print_json(json_object_of("text", text, NULL));
    } else {
        fputs(text, stdout);
    }
    return TRUE;
}

gboolean run_kill(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_session_kill(machine, error);
}

/* \n, \t and \\ in the text of `orielctl type`. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        if (*p == '\\' && (p[1] == 'n' || p[1] == 't' || p[1] == '\\')) {
            p++;
            g_string_append_c(out, *p == 'n' ? '\n' : *p == 't' ? '\t' : '\\');
        } else {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

gboolean run_type(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    g_autofree char *text = unescape(call->arguments[1]);

    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("The text is not UTF-8."));
        return FALSE;
    }
    return engine &&
           call_result(oriel_engine_call_type_text_sync(engine, text, NULL, error), error);
}

gboolean run_key(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    gboolean good = engine != NULL;

    for (guint i = 1; i < call->n_arguments && good; i++) {
        good = call_result(oriel_engine_call_chord_sync(engine, call->arguments[i], NULL, error),
                           error);
    }
    return good;
}

gboolean run_insert(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_change_medium(machine, NULL, call->arguments[1], FALSE, error);
}

gboolean run_eject(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine &&
           oriel_change_medium(machine, NULL, NULL, call_option(call, "force") != NULL, error);
}

gboolean run_balloon(const struct call *call, GError **error)
{
    guint64 bytes;

    if (!oriel_size_parse(call->arguments[1], &bytes, error)) {
        return FALSE;
    }
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);

    return engine &&
           call_result(oriel_engine_call_set_balloon_sync(engine, bytes, NULL, error), error);
}

gboolean run_stats(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    g_autofree char *json = NULL;
    JsonNode *node;

    if (!engine ||
        !call_result(oriel_engine_call_get_stats_sync(engine, &json, NULL, error), error)) {
        return FALSE;
    }
    node = json_from_string(json, error);
    if (node) {
        print_json(node);
    }
    return node != NULL;
}

gboolean run_vnc(const struct call *call, GError **error)
{
    g_autoptr(OrielEngine) engine = call_engine(call, NULL, error);
    JsonArray *array = json_array_new();

    if (!engine) {
        json_array_unref(array);
        return FALSE;
    }
    const char *const *addresses = oriel_engine_get_vnc_addresses(engine);

    for (guint i = 0; addresses && addresses[i]; i++) {
        const char *address = addresses[i];

        if (call->json) {
            json_array_add_string_element(array, address);
        } else {
            printf("%s\n", g_str_has_prefix(address, "unix:") ? address + 5 : address);
        }
    }
    if (call->json) {
        print_json_array(array);
    }
    json_array_unref(array);
    return TRUE;
}
