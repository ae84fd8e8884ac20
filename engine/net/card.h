/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is behind the network cards of a machine: for each one an oriel-net process and the frames
 * to and from it, offloads done where the card or the frame wants it (services net_* of
 * devices/include/services.h). One thread for all of them starts the processes, tells cards of
 * frames, and starts a process anew that has ended: the cable is out meanwhile, the machine goes
 * on.
 *
 * Threads: net_card_link(), _send(), _peek(), _drop(), _accept() inside the card's owner, as by
 * `enter`; the rest from any, inside none.
 */
#ifndef ENGINE_NET_CARD_H
#define ENGINE_NET_CARD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/network.h"
#include "net/wire.h"

struct net_cards;
struct net_card;

/* The card's owner: its device in the engine. */
struct net_owner {
    void (*enter)(void *owner);
    void (*leave)(void *owner);
    void (*on_net)(void *owner); /* inside */
};

struct net_counters {
    uint64_t frames_sent, bytes_sent, frames_received, bytes_received;
    uint64_t dropped; /* sent while the cable was out */
    uint64_t refused; /* received with an impossible header */
    uint64_t restarts;
};

/* Cards of the configuration; nothing runs yet. */
struct net_cards *net_cards_new(const OrielConfig *config, const struct net_owner *functions);
void net_cards_free(struct net_cards *cards);
/* The thread may enter owners; it is made the first time. */
void net_cards_go(struct net_cards *cards);
/* On return the thread is in no owner and enters none until net_cards_go(). */
void net_cards_halt(struct net_cards *cards);
/* Ends thread and processes. */
void net_cards_stop(struct net_cards *cards);
/* The guest goes on from a saved state, and nobody at the other end knows of it: pulls the cables
 * and puts them in again once the thread may enter. */
void net_cards_replug(struct net_cards *cards);

/*
 * A card that comes while the machine exists. The thread is halted or not made; it starts the
 * card's process when it goes on. STATE: a place is free only after the next net_cards_go().
 */
struct net_card *net_cards_add(struct net_cards *cards, const OrielConfig *config,
                               const OrielNetwork *network, GError **error);
/* A card goes, and its owner with it; the thread is halted, and ends the process when it goes on.
 * The card can still be named by who knew it, and does nothing. */
void net_cards_remove(struct net_card *card);
/* NOT_FOUND. */
struct net_card *net_cards_find(struct net_cards *cards, const char *id, GError **error);
const char *net_card_id(const struct net_card *card);
/* Before the net_cards_go() that follows its coming. */
void net_card_set_owner(struct net_card *card, void *owner);

/* Services of the device. */
bool net_card_link(struct net_card *card);
unsigned net_card_send(struct net_card *card, const struct net_frame *frames, unsigned n);
const struct net_received *net_card_peek(struct net_card *card);
void net_card_drop(struct net_card *card);
void net_card_accept(struct net_card *card, unsigned accept);

/* What the user does. Errors: INVALID (not a card to the user's network, bad forward), EXISTS,
 * NOT_FOUND, PERMISSION, HOST (the port cannot be had), STATE (no process). */
void net_card_plug(struct net_card *card, bool in);
bool net_card_forward_add(struct net_card *card, const char *text, GError **error);
bool net_card_forward_remove(struct net_card *card, const char *text, GError **error);
/* As in network.h. g_free(). */
char *net_card_forwards(struct net_card *card);
/* Frames from now on into the file, pcapng; fd -1: no more. */
bool net_card_capture(struct net_card *card, int fd, GError **error);
/* Bytes a second, 0: no limit. */
bool net_card_limit(struct net_card *card, uint64_t to_guest, uint64_t from_guest, GError **error);
/* At most WIRE_CONNECTIONS_MAX. */
bool net_card_connections(struct net_card *card, struct wire_connection *connections, unsigned *n,
                          GError **error);
void net_card_counters(struct net_card *card, struct net_counters *counters);

#endif
