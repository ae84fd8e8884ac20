/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ports of this computer that lead to ports of a guest, as text:
 *
 *   PROTOCOL:[ADDRESS:]PORT:[GUEST-ADDRESS:]GUEST-PORT
 *
 * PROTOCOL is tcp or udp; ADDRESS, of this computer, is 127.0.0.1 if it is left out; GUEST-ADDRESS
 * is the one that the guest gets by DHCP. IPv6 addresses are in brackets, and need both. Any
 * thread.
 */
#ifndef ENGINE_CONFIG_NETWORK_H
#define ENGINE_CONFIG_NETWORK_H

#include <glib.h>

enum {
    FORWARD_ADDRESS_SIZE = 46, /* bytes of the text of any address, with the zero */
    FORWARDS_MAX = 64,         /* of one network card */
};

typedef struct {
    gboolean udp;
    gboolean ipv6;
    char host[FORWARD_ADDRESS_SIZE];  /* numeric */
    guint16 host_port;                /* 1..65535 */
    char guest[FORWARD_ADDRESS_SIZE]; /* numeric; empty: whichever the guest has */
    guint16 guest_port;
} OrielForward;

/* One forward. INVALID. */
gboolean oriel_forward_parse(const char *text, OrielForward *forward, GError **error);
/* The shortest text that reads back. g_free(). */
char *oriel_forward_text(const OrielForward *forward);
/* Whether both listen at the same place of this computer. */
gboolean oriel_forward_same_place(const OrielForward *a, const OrielForward *b);

/*
 * Forwards with commas (and blanks) between, as an array of OrielForward. INVALID also if two
 * listen at the same place or there are more than FORWARDS_MAX. g_array_unref().
 */
GArray *oriel_forwards_parse(const char *text, GError **error);
/* "" if there are none. g_free(). */
char *oriel_forwards_text(const GArray *forwards);

/* A new address for a network card: random, administered locally. g_free(). */
char *oriel_mac_random(void);
/* Whether the text is an address for a card: six pairs of hex digits, colons between, for one
 * receiver. */
gboolean oriel_mac_is_valid(const char *text);

#endif
