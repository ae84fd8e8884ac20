/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network cards of a machine: how they are entered, and what the user does with them. */
#include <arpa/inet.h>

#include "machine/machine_private.h"
#include "machine/network.h"

static void owner_enter(void *owner)
{
    domain_enter(((struct machine_device *)owner)->domain);
}

static void owner_leave(void *owner)
{
    domain_leave(((struct machine_device *)owner)->domain);
}

static void owner_on_net(void *owner)
{
    struct machine_device *record = owner;

    record->class->on_net(record->device);
}

struct net_cards *network_make(const OrielConfig *config)
{
    const struct net_owner functions = { owner_enter, owner_leave, owner_on_net };

    return net_cards_new(config, &functions);
}

void network_stats_add(JsonBuilder *json, struct machine *machine)
{
    json_builder_set_member_name(json, "networks");
    json_builder_begin_object(json);
    for (guint i = 0; i < machine->config->networks->len; i++) {
        const OrielNetwork *network = machine->config->networks->pdata[i];
        struct net_card *card = net_cards_find(machine->networks, network->id, NULL);
        struct net_counters counters;

        net_card_counters(card, &counters);
        const struct {
            const char *name;
            uint64_t value;
        } values[] = {
            { "frames-sent", counters.frames_sent },
            { "bytes-sent", counters.bytes_sent },
            { "frames-received", counters.frames_received },
            { "bytes-received", counters.bytes_received },
            { "dropped", counters.dropped },
            { "refused", counters.refused },
            { "restarts", counters.restarts },
        };

        json_builder_set_member_name(json, net_card_id(card));
        json_builder_begin_object(json);
        for (guint v = 0; v < G_N_ELEMENTS(values); v++) {
            json_builder_set_member_name(json, values[v].name);
            json_builder_add_int_value(json, (gint64)values[v].value);
        }
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

/* --- What the user does ----------------------------------------------------------------------- */

bool machine_set_link(struct machine *machine, const char *network, bool up, GError **error)
{
    struct net_card *card;
    bool good = false;

    pthread_mutex_lock(&machine->control); /* or the card may be taken out meanwhile */
    card = net_cards_find(machine->networks, network, error);
    if (card && machine_state(machine, NULL) == MACHINE_STOPPED) {
        machine_wrong_state(machine, "given a network cable", error);
    } else if (card) {
        net_card_plug(card, up);
        good = true;
    }
    pthread_mutex_unlock(&machine->control);
    return good;
}

bool machine_add_forward(struct machine *machine, const char *network, const char *forward,
                         GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);

    return card && net_card_forward_add(card, forward, error);
}

bool machine_remove_forward(struct machine *machine, const char *network, const char *forward,
                            GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);

    return card && net_card_forward_remove(card, forward, error);
}

char *machine_list_forwards(struct machine *machine, const char *network, GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);

    return card ? net_card_forwards(card) : NULL;
}

bool machine_capture(struct machine *machine, const char *network, int fd, GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);

    return card && net_card_capture(card, fd, error);
}

bool machine_limit_network(struct machine *machine, const char *network, uint64_t to_guest,
                           uint64_t from_guest, GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);

    return card && net_card_limit(card, to_guest, from_guest, error);
}

static const char *protocol_name(unsigned protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    default:
        return "icmp";
    }
}

static GVariant *connection_variant(const struct wire_connection *connection)
{
    char address[INET6_ADDRSTRLEN] = "";
    /* It comes from another process. */
    gsize length = strnlen(connection->peer_name, sizeof(connection->peer_name));
    g_autofree char *raw = g_strndup(connection->peer_name, length);
    g_autofree char *name = g_utf8_make_valid(raw, -1);

    inet_ntop(connection->ipv6 ? AF_INET6 : AF_INET, connection->peer, address, sizeof(address));
    return g_variant_new("(sqsqsttub)", protocol_name(connection->protocol), connection->guest_port,
                         address, connection->peer_port, name, connection->from_guest,
                         connection->to_guest, connection->idle_seconds, connection->closed != 0);
}

GVariant *machine_list_connections(struct machine *machine, const char *network, GError **error)
{
    struct net_card *card = net_cards_find(machine->networks, network, error);
    g_autofree struct wire_connection *connections =
        g_new(struct wire_connection, WIRE_CONNECTIONS_MAX);
    GVariantBuilder builder;
    unsigned n = 0;

    if (!card || !net_card_connections(card, connections, &n, error)) {
        return NULL;
    }
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sqsqsttub)"));
    for (unsigned i = 0; i < n; i++) {
        g_variant_builder_add_value(&builder, connection_variant(&connections[i]));
    }
    return g_variant_builder_end(&builder);
}
