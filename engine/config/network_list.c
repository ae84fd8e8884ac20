/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network cards of a configuration: structure, JSON, what makes them usable. See config.h. */
#include "network.h"
#include "setting.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const model_names[] = { "virtio", "e1000e", NULL };
static const char *const link_names[] = { "up", "down", NULL };
static const char *const mode_names[] = { "user", "private", "none", NULL };

#define NETWORK(member) .offset = offsetof(OrielNetwork, member)

enum {
    FORWARDS_BYTES = 8192,
};

/* clang-format off */
const struct setting network_settings[] = {
    { "id", NULL, "id", SETTING_STRING, NETWORK(id), .fixed = TRUE, .minimum = 1, .maximum = 16 },
    { "model", NULL, "model", SETTING_CHOICE, NETWORK(model), .choices = model_names },
    { "mac", NULL, "mac", SETTING_MAC, NETWORK(mac), .maximum = 17 },
    { "port", NULL, "port", SETTING_COUNT, NETWORK(port), .maximum = CONFIG_PORTS_MAX },
    { "link", NULL, "link", SETTING_CHOICE, NETWORK(link_down), .choices = link_names, .live = TRUE },
    { "mode", NULL, "mode", SETTING_CHOICE, NETWORK(mode), .choices = mode_names },
    { "network", NULL, "network", SETTING_STRING, NETWORK(network), .optional = TRUE, .maximum = 32 },
    { "host-access", NULL, "host-access", SETTING_SWITCH, NETWORK(host_access) },
    { "forwards", NULL, "forwards", SETTING_FORWARDS, NETWORK(forwards), .optional = TRUE, .maximum = FORWARDS_BYTES, .live = TRUE },
    { NULL },
};
/* clang-format on */

void network_free(void *data)
{
    OrielNetwork *network = data;

    setting_clear(network_settings, network);
    g_clear_pointer(&network->unknown, json_object_unref);
    g_free(network);
}

void networks_copy(const GPtrArray *from, GPtrArray *to)
{
    for (guint i = 0; i < from->len; i++) {
        const OrielNetwork *network = from->pdata[i];
        OrielNetwork *copy = g_new0(OrielNetwork, 1);

        setting_copy(network_settings, network, copy);
        copy->unknown = network->unknown ? json_object_ref(network->unknown) : NULL;
        g_ptr_array_add(to, copy);
    }
}

OrielNetwork *oriel_config_find_network(const OrielConfig *config, const char *id)
{
    for (guint i = 0; i < config->networks->len; i++) {
        OrielNetwork *network = config->networks->pdata[i];

        if (g_strcmp0(network->id, id) == 0) {
            return network;
        }
    }
    return NULL;
}

OrielNetwork *oriel_config_add_network(OrielConfig *config, GError **error)
{
    OrielNetwork *network;

    if (config->networks->len >= CONFIG_NETWORKS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has %d network cards already, and no machine can have more."),
                    config->name, CONFIG_NETWORKS_MAX);
        return NULL;
    }
    network = g_new0(OrielNetwork, 1);
    for (unsigned n = 0; !network->id; n++) {
        g_autofree char *id = g_strdup_printf("net%u", n);

        if (!oriel_config_find_network(config, id)) {
            network->id = g_steal_pointer(&id);
        }
    }
    network->mac = oriel_mac_random();
    g_ptr_array_add(config->networks, network);
    return network;
}

/* --- JSON ------------------------------------------------------------------------------------- */

JsonArray *networks_put(const GPtrArray *networks, void (*merge)(JsonObject *to, JsonObject *from))
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < networks->len; i++) {
        const OrielNetwork *network = networks->pdata[i];
        JsonObject *each = json_object_new();

        setting_put(network_settings, network, each);
        if (network->unknown) {
            merge(each, network->unknown);
        }
        json_array_add_object_element(array, each);
    }
    return array;
}

gboolean networks_take(OrielConfig *config, JsonObject *object, const char *source, GError **error)
{
    JsonNode *node = json_object_get_member(object, "networks");
    JsonArray *array;

    if (!node) {
        return TRUE;
    }
    array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    if (!array || json_array_get_length(array) > CONFIG_NETWORKS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("%s: “networks” must be a list of at most %d network cards."), source,
                    CONFIG_NETWORKS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        g_autofree char *where = g_strdup_printf(_("%s: network card %u"), source, i + 1);
        OrielNetwork *network = g_new0(OrielNetwork, 1);

        g_ptr_array_add(config->networks, network);
        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("%s must be an object in braces."), where);
            return FALSE;
        }
        network->unknown = json_object_ref(json_node_get_object(element));
        if (!setting_take(network_settings, network, network->unknown, where, error)) {
            return FALSE;
        }
    }
    json_object_remove_member(object, "networks");
    return TRUE;
}

/* Forwards as a list of objects, and back; see setting.h. */
static const char *const forward_members[] = { "protocol", "host-address", "host-port",
                                               "guest-address", "guest-port" };

JsonArray *forwards_to_json(const char *text)
{
    g_autoptr(GArray) forwards = oriel_forwards_parse(text, NULL);
    JsonArray *array = json_array_new();

    for (guint i = 0; forwards && i < forwards->len; i++) {
        const OrielForward *forward = &g_array_index(forwards, OrielForward, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "protocol", forward->udp ? "udp" : "tcp");
        json_object_set_string_member(object, "host-address", forward->host);
        json_object_set_int_member(object, "host-port", forward->host_port);
        if (forward->guest[0]) {
            json_object_set_string_member(object, "guest-address", forward->guest);
        }
        json_object_set_int_member(object, "guest-port", forward->guest_port);
        json_array_add_object_element(array, object);
    }
    return array;
}

/* One member as text, with brackets around IPv6 addresses; FALSE: it is neither text nor number. */
static gboolean member_append(GString *text, JsonNode *node)
{
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        return FALSE;
    }
    if (json_node_get_value_type(node) == G_TYPE_INT64) {
        g_string_append_printf(text, "%" G_GINT64_FORMAT, json_node_get_int(node));
        return TRUE;
    }
    if (json_node_get_value_type(node) != G_TYPE_STRING) {
        return FALSE;
    }
    gboolean ipv6 = strchr(json_node_get_string(node), ':') != NULL;

    g_string_append_printf(text, "%s%s%s", ipv6 ? "[" : "", json_node_get_string(node),
                           ipv6 ? "]" : "");
    return TRUE;
}

char *forwards_from_json(JsonNode *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        gsize start;

        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            return NULL;
        }
        g_string_append(text, i > 0 ? ", " : "");
        start = text->len;
        for (guint m = 0; m < G_N_ELEMENTS(forward_members); m++) {
            JsonNode *member =
                json_object_get_member(json_node_get_object(element), forward_members[m]);

            g_string_append(text, member && text->len > start ? ":" : "");
            if (member && !member_append(text, member)) {
                return NULL;
            }
        }
    }
    return array ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* --- Checks ----------------------------------------------------------------------------------- */

static gboolean name_is_plain(const char *name)
{
    gboolean good = g_ascii_isalnum(name[0]);

    for (const char *p = name; *p; p++) {
        good = good && (g_ascii_isalnum(*p) || *p == '-' || *p == '_');
    }
    return good;
}

static gboolean network_check(const OrielConfig *config, guint index, GError **error)
{
    const OrielNetwork *network = config->networks->pdata[index];

    for (const struct setting *setting = network_settings; setting->key; setting++) {
        if (!setting_check(setting, network, error)) {
            g_prefix_error(error, _("network card %u: "), index + 1);
            return FALSE;
        }
    }
    if (!name_is_plain(network->id) || oriel_config_find_drive(config, network->id)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be a network card’s id: use letters, digits and hyphens, and "
                      "one that no drive has."),
                    network->id);
        return FALSE;
    }
    if (network->network && !name_is_plain(network->network)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be the name of a private network: use letters, digits and "
                      "hyphens, a letter or digit first."),
                    network->network);
        return FALSE;
    }
    if (network->mode == ORIEL_NETWORK_PRIVATE && !network->network) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s.mode” is private, so “%s.network” must say which private network; "
                      "machines with the same name there meet."),
                    network->id, network->id);
        return FALSE;
    }
    for (guint i = 0; i < index; i++) {
        const OrielNetwork *other = config->networks->pdata[i];

        if (strcmp(other->id, network->id) == 0 ||
            g_ascii_strcasecmp(other->mac, network->mac) == 0) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        strcmp(other->id, network->id) == 0
                            ? _("Two network cards have the same id, “%s”.")
                            : _("Two network cards have the same address, “%s”."),
                        strcmp(other->id, network->id) == 0 ? network->id : network->mac);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean networks_check(const OrielConfig *config, GError **error)
{
    if (config->networks->len > CONFIG_NETWORKS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A machine has at most %d network cards."), CONFIG_NETWORKS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < config->networks->len; i++) {
        if (!network_check(config, i, error)) {
            return FALSE;
        }
    }
    return TRUE;
}
