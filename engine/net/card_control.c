/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user does with a network card while its machine runs. See card.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "net/card_private.h"

struct net_card *net_cards_find(struct net_cards *cards, const char *id, GError **error)
{
    struct net_card *found = NULL;

    pthread_mutex_lock(&cards->lock);
    for (guint i = 0; i < cards->all->len; i++) {
        struct net_card *card = cards->all->pdata[i];

        if (card->used && !card->leaves && strcmp(card->id, id) == 0) {
            found = card;
        }
    }
    pthread_mutex_unlock(&cards->lock);
    if (!found) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "The running machine has no network card “%s”.", id);
    }
    return found;
}

const char *net_card_id(const struct net_card *card)
{
    return card->id;
}

void net_card_set_owner(struct net_card *card, void *owner)
{
    card->owner = owner;
}

void net_card_plug(struct net_card *card, bool in)
{
    const struct net_owner *functions = &card->cards->functions;

    functions->enter(card->owner);
    card->plugged = in;
    functions->on_net(card->owner);
    functions->leave(card->owner);
}

/* --- Port forwards ---------------------------------------------------------------------------- */

static bool is_users(const struct net_card *card, GError **error)
{
    if (card->mode != ORIEL_NETWORK_USER) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” does not lead to this computer's network, so no ports can be forwarded "
                    "to it.",
                    card->id);
    }
    return card->mode == ORIEL_NETWORK_USER;
}

static struct wire_request forward_request(enum wire_op op, const OrielForward *forward)
{
    struct wire_request request = { .op = op };
    int family = forward->ipv6 ? AF_INET6 : AF_INET;

    request.forward.udp = forward->udp != FALSE;
    request.forward.ipv6 = forward->ipv6 != FALSE;
    request.forward.host_port = forward->host_port;
    request.forward.guest_port = forward->guest_port;
    inet_pton(family, forward->host, request.forward.host);
    if (forward->guest[0]) {
        inet_pton(family, forward->guest, request.forward.guest);
    }
    return request;
}

static void forward_refused(GError **error, const OrielForward *forward, int number)
{
    const char *protocol = forward->udp ? "UDP" : "TCP";

    if (number == EADDRINUSE) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    "%s port %u of %s is in use by another program or machine. Choose another "
                    "port.",
                    protocol, forward->host_port, forward->host);
    } else if (number == EACCES || number == EPERM) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION,
                    "%s port %u may not be used without administrator rights. Choose one from "
                    "1024 on.",
                    protocol, forward->host_port);
    } else {
        oriel_error_set_errno(error, number, "%s port %u of %s cannot be forwarded", protocol,
                              forward->host_port, forward->host);
    }
}

/* The one that listens at the same place; -1: none. Under the lock. */
static int forward_find(const struct net_card *card, const OrielForward *forward)
{
    for (guint i = 0; i < card->forwards->len; i++) {
        if (oriel_forward_same_place(&g_array_index(card->forwards, OrielForward, i), forward)) {
            return (int)i;
        }
    }
    return -1;
}

/* Under the lock. */
static bool forward_install(struct net_card *card, const OrielForward *forward, GError **error)
{
    const struct wire_request request = forward_request(WIRE_FORWARD_ADD, forward);
    int number = 0;

    if (card->process.pid != 0) {
        number = net_process_request(&card->process, &request, -1, NULL, NULL);
    }
    if (number != 0) {
        forward_refused(error, forward, number);
    }
    return number == 0;
}

bool net_card_forward_add(struct net_card *card, const char *text, GError **error)
{
    OrielForward forward;
    bool good = false;

    if (!is_users(card, error) || !oriel_forward_parse(text, &forward, error)) {
        return false;
    }
    pthread_mutex_lock(&card->lock);
    if (forward_find(card, &forward) >= 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                    "%s port %u of %s is forwarded to this machine already.",
                    forward.udp ? "UDP" : "TCP", forward.host_port, forward.host);
    } else if (card->forwards->len >= FORWARDS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    "“%s” has %d port forwards, and can have no more.", card->id, FORWARDS_MAX);
    } else if (forward_install(card, &forward, error)) {
        g_array_append_val(card->forwards, forward);
        good = true;
    }
    pthread_mutex_unlock(&card->lock);
    return good;
}

bool net_card_forward_remove(struct net_card *card, const char *text, GError **error)
{
    OrielForward forward;
    int found;

    if (!is_users(card, error) || !oriel_forward_parse(text, &forward, error)) {
        return false;
    }
    pthread_mutex_lock(&card->lock);
    found = forward_find(card, &forward);
    if (found < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "%s port %u of %s is not forwarded to this machine.",
                    forward.udp ? "UDP" : "TCP", forward.host_port, forward.host);
    } else {
        const struct wire_request request = forward_request(
            WIRE_FORWARD_REMOVE, &g_array_index(card->forwards, OrielForward, found));

        /* A process that cannot be told is on its way out, and the next one never hears of it. */
        net_process_request(&card->process, &request, -1, NULL, NULL);
        g_array_remove_index(card->forwards, (guint)found);
    }
    pthread_mutex_unlock(&card->lock);
    return found >= 0;
}

char *net_card_forwards(struct net_card *card)
{
    char *text;

    pthread_mutex_lock(&card->lock);
    text = oriel_forwards_text(card->forwards);
    pthread_mutex_unlock(&card->lock);
    return text;
}

/* --- Other requests --------------------------------------------------------------------------- */

static bool request_run(struct net_card *card, const struct wire_request *request, int fd,
                        struct wire_connection *connections, unsigned *n, GError **error)
{
    int number = EPIPE;

    pthread_mutex_lock(&card->lock);
    if (card->process.pid != 0) {
        number = net_process_request(&card->process, request, fd, connections, n);
    }
    pthread_mutex_unlock(&card->lock);
    if (number == EPIPE) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "“%s” is connected to no network now. Try again in a moment.", card->id);
    } else if (number != 0) {
        oriel_error_set_errno(error, number, "The network of “%s” refuses", card->id);
    }
    return number == 0;
}

bool net_card_capture(struct net_card *card, int fd, GError **error)
{
    const struct wire_request request = { .op = WIRE_CAPTURE };

    return request_run(card, &request, fd, NULL, NULL, error);
}

bool net_card_limit(struct net_card *card, uint64_t to_guest, uint64_t from_guest, GError **error)
{
    const struct wire_request request = { .op = WIRE_LIMITS, .limits = { to_guest, from_guest } };

    pthread_mutex_lock(&card->lock);
    card->limits = request.limits;
    pthread_mutex_unlock(&card->lock);
    return request_run(card, &request, -1, NULL, NULL, error);
}

bool net_card_connections(struct net_card *card, struct wire_connection *connections, unsigned *n,
                          GError **error)
{
    const struct wire_request request = { .op = WIRE_CONNECTIONS };

    return request_run(card, &request, -1, connections, n, error);
}

void card_configure(struct net_card *card)
{
    const struct wire_request limits = { .op = WIRE_LIMITS, .limits = card->limits };

    for (guint i = 0; i < card->forwards->len && card->mode == ORIEL_NETWORK_USER; i++) {
        g_autoptr(GError) error = NULL;

        if (!forward_install(card, &g_array_index(card->forwards, OrielForward, i), &error)) {
            g_warning("%s: %s", card->id, error->message);
        }
    }
    if (card->limits.to_guest != 0 || card->limits.from_guest != 0) {
        net_process_request(&card->process, &limits, -1, NULL, NULL);
    }
}
