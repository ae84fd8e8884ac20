/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-networks.h. */
#include "oriel-networks.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "media/oriel-system.h"
#include "oriel-plug.h"

const OrielNetwork *oriel_network_find(const OrielConfig *config, const char *network,
                                       GError **error)
{
    const OrielNetwork *found = network ? oriel_config_find_network(config, network)
                                : config->networks->len > 0 ? config->networks->pdata[0]
                                                            : NULL;

    if (!found) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    network ? _("“%s” has no network card “%s”.") : _("“%s” has no network card."),
                    config->name, network);
    }
    return found;
}

/* Keeps the first error, as the engine's sentence. */
static void note(gboolean good, GError *cause, GError **first)
{
    if (!good && !*first) {
        g_dbus_error_strip_remote_error(cause);
        *first = cause;
    } else {
        g_clear_error(&cause);
    }
}

static GArray *forwards_of(const OrielNetwork *network)
{
    return oriel_forwards_parse(network->forwards ? network->forwards : "", NULL);
}

/* Those of the running machine that are no longer wanted go, before those that are missing come. */
static void forwards_apply(OrielEngine *engine, const OrielNetwork *network, GError **first)
{
    g_autoptr(GArray) wanted = forwards_of(network);
    g_auto(GStrv) has = NULL;
    GError *cause = NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    if (!oriel_engine_call_list_forwards_sync(engine, network->id, &has, NULL, &cause)) {
        note(FALSE, cause, first);
        return;
    }
    for (guint i = 0; i < wanted->len; i++) {
        g_ptr_array_add(texts, oriel_forward_text(&g_array_index(wanted, OrielForward, i)));
    }
    for (char **forward = has; *forward; forward++) {
        if (**forward && !g_ptr_array_find_with_equal_func(texts, *forward, g_str_equal, NULL)) {
            gboolean good =
                oriel_engine_call_remove_forward_sync(engine, network->id, *forward, NULL, &cause);

            note(good, g_steal_pointer(&cause), first);
        }
    }
    for (guint i = 0; i < texts->len; i++) {
        const char *forward = texts->pdata[i];

        if (!g_strv_contains((const char *const *)has, forward)) {
            gboolean good =
                oriel_engine_call_add_forward_sync(engine, network->id, forward, NULL, &cause);

            note(good, g_steal_pointer(&cause), first);
        }
    }
}

gboolean oriel_networks_apply(const OrielMachine *machine, GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_load(machine->folder, error);
    g_autoptr(OrielEngine) engine = NULL;
    g_autofree char *json = NULL;
    g_autoptr(OrielConfig) running = NULL;
    GError *first = NULL;

    if (!config || !oriel_plug_engine(machine, &engine, error)) {
        return FALSE;
    }
    if (!engine) {
        return TRUE;
    }
    if (!oriel_engine_call_get_config_sync(engine, &json, NULL, error)) {
        return FALSE;
    }
    running = oriel_config_from_data(json, strlen(json), _("The running machine"), error);
    for (guint i = 0; running && i < config->networks->len; i++) {
        const OrielNetwork *network = config->networks->pdata[i];
        const OrielNetwork *now = oriel_config_find_network(running, network->id);
        GError *cause = NULL;

        if (!now) {
            continue; /* a card that comes with the next start */
        }
        gboolean good =
            oriel_engine_call_set_link_sync(engine, network->id, !network->link_down, NULL, &cause);

        note(good, g_steal_pointer(&cause), &first);
        if (now->mode == ORIEL_NETWORK_USER) {
            forwards_apply(engine, network, &first);
        }
    }
    if (first) {
        g_propagate_error(error, first);
    }
    return running && !first;
}

gboolean oriel_networks_apply_keys(const OrielMachine *machine, const char *const *keys,
                                   GError **error)
{
    for (; *keys; keys++) {
        const char *dot = strrchr(*keys, '.');

        if (dot && (strcmp(dot, ".link") == 0 || strcmp(dot, ".forwards") == 0)) {
            return oriel_networks_apply(machine, error);
        }
    }
    return TRUE;
}

/* --- One forward ------------------------------------------------------------------------------ */

struct change {
    const char *network;
    OrielForward forward;
    gboolean add;
};

static int forward_find(const GArray *forwards, const OrielForward *forward)
{
    for (guint i = 0; i < forwards->len; i++) {
        if (oriel_forward_same_place(&g_array_index(forwards, OrielForward, i), forward)) {
            return (int)i;
        }
    }
    return -1;
}

static gboolean change_apply(OrielConfig *config, gpointer data, GError **error)
{
    const struct change *change = data;
    const OrielNetwork *network = oriel_network_find(config, change->network, error);
    g_autoptr(GArray) forwards = network ? forwards_of(network) : NULL;
    g_autofree char *key = network ? g_strconcat(network->id, ".forwards", NULL) : NULL;
    g_autofree char *text = NULL;
    int found;

    if (!network) {
        return FALSE;
    }
    found = forward_find(forwards, &change->forward);
    if (change->add != (found < 0)) {
        g_set_error(error, ORIEL_ERROR, change->add ? ORIEL_ERROR_EXISTS : ORIEL_ERROR_NOT_FOUND,
                    change->add ? _("%s port %u of %s is forwarded to “%s” already.")
                                : _("%s port %u of %s is not forwarded to “%s”."),
                    change->forward.udp ? "UDP" : "TCP", change->forward.host_port,
                    change->forward.host, config->name);
        return FALSE;
    }
    if (change->add) {
        g_array_append_val(forwards, change->forward);
    } else {
        g_array_remove_index(forwards, (guint)found);
    }
    text = oriel_forwards_text(forwards);
    return oriel_config_set(config, key, text, error);
}

/* The running machine first: it knows whether the port can be had. */
static gboolean forward_change(const OrielMachine *machine, const char *network,
                               const char *forward, gboolean add, GError **error)
{
    struct change change = { .network = network, .add = add };
    g_autoptr(OrielEngine) engine = NULL;
    const OrielNetwork *card;
    gboolean good = TRUE;

    if (!oriel_forward_parse(forward, &change.forward, error) ||
        !(card = oriel_network_find(machine->config, network, error)) ||
        !oriel_plug_engine(machine, &engine, error)) {
        return FALSE;
    }
    if (engine && add) {
        good = oriel_engine_call_add_forward_sync(engine, card->id, forward, NULL, error);
    } else if (engine) {
        good = oriel_engine_call_remove_forward_sync(engine, card->id, forward, NULL, error);
    }
    if (!good && error && *error) {
        g_dbus_error_strip_remote_error(*error);
    }
    return good && oriel_machine_edit(machine->folder, change_apply, &change, error);
}

gboolean oriel_forward_add(const OrielMachine *machine, const char *network, const char *forward,
                           GError **error)
{
    return forward_change(machine, network, forward, TRUE, error);
}

gboolean oriel_forward_remove(const OrielMachine *machine, const char *network, const char *forward,
                              GError **error)
{
    return forward_change(machine, network, forward, FALSE, error);
}

/* --- Cards ------------------------------------------------------------------------------------ */

struct addition {
    gboolean live;
    char *id; /* of the new card */
};

static gboolean add_apply(OrielConfig *config, gpointer data, GError **error)
{
    struct addition *addition = data;
    guint port = addition->live ? oriel_plug_free_port(config, error) : 0;
    OrielNetwork *network = NULL;

    if (!addition->live || port > 0) {
        network = oriel_config_add_network(config, error);
    }
    if (network) {
        g_autofree char *model = g_strconcat(network->id, ".model", NULL);

        if (!oriel_config_set(config, model, oriel_system_network(oriel_system_find(config->os)),
                              error)) {
            return FALSE;
        }
        network->port = port;
        g_free(addition->id);
        addition->id = g_strdup(network->id);
    }
    return network != NULL;
}

static gboolean remove_apply(OrielConfig *config, gpointer data, GError **error)
{
    const OrielNetwork *network = oriel_network_find(config, data, error);

    if (network) {
        g_ptr_array_remove(config->networks, (gpointer)network);
    }
    return network != NULL;
}

/* While no engine has the machine. */
static gboolean edit_still(const OrielMachine *machine,
                           gboolean (*apply)(OrielConfig *config, gpointer data, GError **error),
                           gpointer data, GError **error)
{
    int lock = oriel_machine_lock(machine->folder, error);
    gboolean good = lock >= 0 && oriel_machine_edit(machine->folder, apply, data, error);

    if (lock >= 0) {
        oriel_machine_unlock(lock);
    }
    return good;
}

/* The engine of a running machine in which cards can come and go; *engine NULL: another one. */
static gboolean engine_live(const OrielMachine *machine, gboolean can, OrielEngine **engine,
                            GError **error)
{
    *engine = NULL;
    return !can || oriel_plug_engine(machine, engine, error);
}

char *oriel_network_add(const OrielMachine *machine, GError **error)
{
    struct addition addition = { .live = FALSE };
    g_autoptr(OrielEngine) engine = NULL;
    gboolean good;

    if (!engine_live(machine, machine->config->hotplug, &engine, error)) {
        return NULL;
    }
    addition.live = engine != NULL;
    if (engine) {
        good = oriel_machine_edit(machine->folder, add_apply, &addition, error);
        if (good && !oriel_plug(engine, addition.id, error)) {
            oriel_machine_edit(machine->folder, remove_apply, addition.id, NULL);
            good = FALSE;
        }
    } else {
        good = edit_still(machine, add_apply, &addition, error);
    }
    if (!good) {
        g_clear_pointer(&addition.id, g_free);
    }
    return addition.id;
}

gboolean oriel_network_remove(const OrielMachine *machine, const char *network, gboolean force,
                              GError **error)
{
    const OrielNetwork *card = oriel_network_find(machine->config, network, error);
    g_autoptr(OrielEngine) engine = NULL;

    if (!card || !engine_live(machine, card->port > 0, &engine, error)) {
        return FALSE;
    }
    if (engine) {
        return oriel_plug_take_out(engine, network, force, error) &&
               oriel_machine_edit(machine->folder, remove_apply, (gpointer)network, error);
    }
    return edit_still(machine, remove_apply, (gpointer)network, error);
}
