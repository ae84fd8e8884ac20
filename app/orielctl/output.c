/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Helpers of the commands: JSON, progress, and finding the machine and its engine. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "orielctl.h"

static gboolean json_printed;

gboolean json_was_printed(void)
{
    return json_printed;
}

void print_json(JsonNode *node)
{
    g_autofree char *text = json_to_string(node, TRUE);

    json_printed = TRUE;
    printf("%s\n", text);
    json_node_unref(node);
}

void print_json_array(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_set_array(node, array);
    print_json(node);
}

JsonNode *json_object_of(const char *name, ...)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    va_list arguments;

    va_start(arguments, name);
    for (; name; name = va_arg(arguments, const char *)) {
        const char *value = va_arg(arguments, const char *);
        g_autofree char *text = value ? g_utf8_make_valid(value, -1) : NULL; /* also a path */

        json_object_set_string_member(object, name, text);
    }
    va_end(arguments);
    json_node_take_object(node, object);
    return node;
}

char *plain_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *plain = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        g_string_append_unichar(plain, g_unichar_iscntrl(c) && c != '\n' && c != '\t' ? 0xfffd : c);
    }
    return g_string_free(plain, FALSE);
}

void line_print(const char *name, int width, const char *value)
{
    g_autofree char *plain = value ? plain_text(value) : NULL;

    if (plain) {
        printf("%-*s %s\n", width, name, plain);
    }
}

OrielMachine *call_machine(const struct call *call, GError **error)
{
    return oriel_library_find(call->arguments[0], error);
}

OrielEngine *call_engine(const struct call *call, OrielMachine **machine, GError **error)
{
    g_autoptr(OrielMachine) found = call_machine(call, error);
    OrielEngine *engine = found ? oriel_session_connect(found, error) : NULL;

    if (engine) {
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(engine), G_MAXINT);
        if (machine) {
            *machine = g_steal_pointer(&found);
        }
    }
    return engine;
}

gboolean call_result(gboolean good, GError **error)
{
    if (!good && error && *error) {
        g_dbus_error_strip_remote_error(*error);
    }
    return good;
}

static void progress_print(guint64 done, guint64 total, gpointer data)
{
    if (total > 0) {
        fprintf(stderr, "\r%3d %% ", (int)(done * 100 / total));
    }
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r      \r");
    }
}

OrielProgress progress(void)
{
    return isatty(STDERR_FILENO) ? progress_print : NULL;
}

/* SIGINT and SIGTERM ask to stop, progress passes it on. */
static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    stop_asked = 1;
}

void watch_start(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void watch_progress(guint64 done, guint64 total, gpointer data)
{
    GCancellable *cancellable = data;

    if (stop_asked) {
        g_cancellable_cancel(cancellable);
    }
    if (total > 0 && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%3d %% ", (int)((double)done * 100 / (double)total));
    }
}
