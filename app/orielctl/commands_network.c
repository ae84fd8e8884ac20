/* SPDX-License-Identifier: GPL-3.0-or-later */
/* add-network, remove-network, forward, connections, capture, limit. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "running/oriel-networks.h"
#include "orielctl.h"

/* --- Cards ------------------------------------------------------------------------------------ */

gboolean run_add_network(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    g_autofree char *id = machine ? oriel_network_add(machine, error) : NULL;

    if (id && call->json) {
        print_json(json_object_of("network", id, NULL));
    } else if (id) {
        printf("%s\n", id);
    }
    return id != NULL;
}

gboolean run_remove_network(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);

    return machine && oriel_network_remove(machine, call->arguments[1],
                                           call_option(call, "force") != NULL, error);
}

/* --- forward ---------------------------------------------------------------------------------- */

/* What the settings say; a running machine has the same, unless somebody has told it otherwise. */
static gboolean forwards_list(const struct call *call, const OrielMachine *machine, GError **error)
{
    const OrielNetwork *network =
        oriel_network_find(machine->config, call_option(call, "network"), error);
    g_autoptr(GArray) forwards = NULL;
    JsonArray *array;

    if (!network) {
        return FALSE;
    }
    forwards = oriel_forwards_parse(network->forwards ? network->forwards : "", error);
    array = json_array_new();
    for (guint i = 0; forwards && i < forwards->len; i++) {
        g_autofree char *text = oriel_forward_text(&g_array_index(forwards, OrielForward, i));

        if (call->json) {
            json_array_add_string_element(array, text);
        } else {
            printf("%s\n", text);
        }
    }
    if (call->json) {
        print_json_array(array);
    }
    json_array_unref(array);
    return forwards != NULL;
}

gboolean run_forward(const struct call *call, GError **error)
{
    g_autoptr(OrielMachine) machine = call_machine(call, error);
    const char *what = call->arguments[1], *network = call_option(call, "network");
    gboolean list = strcmp(what, "list") == 0, add = strcmp(what, "add") == 0;

    if (!machine) {
        return FALSE;
    }
    if ((!list && !add && strcmp(what, "remove") != 0) || call->n_arguments != (list ? 2 : 3)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("Write “forward NAME list”, or “forward NAME add FORWARD” or “remove "
                      "FORWARD” with a forward such as tcp:2222:22."));
        return FALSE;
    }
    if (list) {
        return forwards_list(call, machine, error);
    }
    return add ? oriel_forward_add(machine, network, call->arguments[2], error)
               : oriel_forward_remove(machine, network, call->arguments[2], error);
}

/* --- Running machines ------------------------------------------------------------------------- */

/* The engine, and the id of the card that the call is about. */
static OrielEngine *network_engine(const struct call *call, char **id, GError **error)
{
    g_autoptr(OrielMachine) machine = NULL;
    g_autoptr(OrielEngine) engine = call_engine(call, &machine, error);
    const OrielNetwork *network =
        engine ? oriel_network_find(machine->config, call_option(call, "network"), error) : NULL;

    *id = network ? g_strdup(network->id) : NULL;
    return network ? g_steal_pointer(&engine) : NULL;
}

static char *place_text(const char *address, guint port)
{
    gboolean ipv6 = strchr(address, ':') != NULL;

    return port == 0
               ? g_strdup(address)
               : g_strdup_printf("%s%s%s:%u", ipv6 ? "[" : "", address, ipv6 ? "]" : "", port);
}

struct connection {
    const char *protocol, *address, *name;
    guint16 guest_port, port;
    guint64 sent, received;
    guint32 idle;
    gboolean ended;
};

static void connection_print(const struct connection *c)
{
    g_autofree char *place = place_text(c->address, c->port);
    g_autofree char *sent = g_format_size_full(c->sent, G_FORMAT_SIZE_IEC_UNITS),
                    *received = g_format_size_full(c->received, G_FORMAT_SIZE_IEC_UNITS);

    printf("%-4s %5u  %-28s %-28s sent %-9s received %-9s %s\n", c->protocol, c->guest_port, place,
           c->name, sent, received,
           c->ended       ? "ended"
           : c->idle < 60 ? ""
                          : "idle");
}

static void connection_add(JsonArray *array, const struct connection *c)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "protocol", c->protocol);
    json_object_set_int_member(object, "guest-port", c->guest_port);
    json_object_set_string_member(object, "address", c->address);
    json_object_set_int_member(object, "port", c->port);
    json_object_set_string_member(object, "name", c->name);
    json_object_set_int_member(object, "sent", (gint64)c->sent);
    json_object_set_int_member(object, "received", (gint64)c->received);
    json_object_set_int_member(object, "idle-seconds", c->idle);
    json_object_set_boolean_member(object, "ended", c->ended);
    json_array_add_object_element(array, object);
}

gboolean run_connections(const struct call *call, GError **error)
{
    g_autofree char *id = NULL;
    g_autoptr(OrielEngine) engine = network_engine(call, &id, error);
    g_autoptr(GVariant) list = NULL;
    JsonArray *array;
    struct connection c;
    GVariantIter iter;

    if (!engine ||
        !call_result(oriel_engine_call_list_connections_sync(engine, id, &list, NULL, error),
                     error)) {
        return FALSE;
    }
    array = json_array_new();
    g_variant_iter_init(&iter, list);
    while (g_variant_iter_next(&iter, "(&sq&sq&sttub)", &c.protocol, &c.guest_port, &c.address,
                               &c.port, &c.name, &c.sent, &c.received, &c.idle, &c.ended)) {
        if (call->json) {
            connection_add(array, &c);
        } else {
            connection_print(&c);
        }
    }
    if (call->json) {
        print_json_array(array);
    }
    json_array_unref(array);
    return TRUE;
}

static gboolean capture_start(OrielEngine *engine, const char *id, const char *path, GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), index;

    if (fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), path);
        return FALSE;
    }
    index = g_unix_fd_list_append(fds, fd, error);
    close(fd);
    return index >= 0 &&
           call_result(oriel_engine_call_start_capture_sync(engine, id, g_variant_new_handle(index),
                                                            fds, NULL, NULL, error),
                       error);
}

gboolean run_capture(const struct call *call, GError **error)
{
    gboolean stop = call_option(call, "stop") != NULL;
    g_autofree char *id = NULL;
    g_autoptr(OrielEngine) engine = NULL;

    if (stop != (call->n_arguments == 1)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    _("Write “capture NAME FILE”, and later “capture NAME --stop”."));
        return FALSE;
    }
    engine = network_engine(call, &id, error);
    if (!engine) {
        return FALSE;
    }
    return stop ? call_result(oriel_engine_call_stop_capture_sync(engine, id, NULL, error), error)
                : capture_start(engine, id, call->arguments[1], error);
}

gboolean run_limit(const struct call *call, GError **error)
{
    g_autofree char *id = NULL;
    g_autoptr(OrielEngine) engine = NULL;
    guint64 to_guest, from_guest;

    if (!oriel_size_parse(call->arguments[1], &to_guest, error) ||
        !oriel_size_parse(call->arguments[2], &from_guest, error)) {
        return FALSE;
    }
    engine = network_engine(call, &id, error);
    return engine && call_result(oriel_engine_call_limit_network_sync(engine, id, to_guest,
                                                                      from_guest, NULL, error),
                                 error);
}
