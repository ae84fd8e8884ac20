/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See network.h. */
#include "network.h"

#include <arpa/inet.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "config.h"

enum {
    PARTS_MAX = 5, /* protocol, address, port, address, port */
};

/* --- One forward ------------------------------------------------------------------------------ */

/* Cuts at colons that are not in brackets; the number of parts, 0 if they are too many. */
static guint parts_cut(const char *text, char *parts[PARTS_MAX])
{
    guint n = 0;

    while (n < PARTS_MAX) {
        const char *end = text[0] == '[' ? strchr(text, ']') : NULL;

        end = strchr(end ? end : text, ':');
        parts[n++] = end ? g_strndup(text, (gsize)(end - text)) : g_strdup(text);
        if (!end) {
            return n;
        }
        text = end + 1;
    }
    return 0;
}

static gboolean port_take(const char *text, guint16 *port)
{
    guint64 value;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 1, 65535, &value, NULL)) {
        return FALSE;
    }
    *port = (guint16)value;
    return TRUE;
}

/* The address in canonical form; *ipv6 says of which kind. */
static gboolean address_take(const char *text, char out[FORWARD_ADDRESS_SIZE], gboolean *ipv6)
{
    gsize length = strlen(text);
    struct in6_addr six;
    struct in_addr four;

    *ipv6 = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (*ipv6) {
        g_autofree char *inner = g_strndup(text + 1, length - 2);

        return inet_pton(AF_INET6, inner, &six) == 1 &&
               inet_ntop(AF_INET6, &six, out, FORWARD_ADDRESS_SIZE) != NULL;
    }
    return inet_pton(AF_INET, text, &four) == 1 &&
           inet_ntop(AF_INET, &four, out, FORWARD_ADDRESS_SIZE) != NULL;
}

static gboolean is_port(const char *text)
{
    guint16 port;

    return port_take(text, &port);
}

/* What follows the protocol: [ADDRESS:]PORT:[ADDRESS:]PORT. */
static gboolean places_take(char **parts, OrielForward *forward)
{
    gboolean guest_ipv6;

    g_strlcpy(forward->host, "127.0.0.1", sizeof(forward->host));
    if (*parts && !is_port(*parts) && !address_take(*parts++, forward->host, &forward->ipv6)) {
        return FALSE;
    }
    if (!port_take(*parts, &forward->host_port) || !*++parts) {
        return FALSE;
    }
    guest_ipv6 = forward->ipv6;
    if (!is_port(*parts) && !address_take(*parts++, forward->guest, &guest_ipv6)) {
        return FALSE;
    }
    return guest_ipv6 == forward->ipv6 && port_take(*parts, &forward->guest_port) && !*++parts;
}

gboolean oriel_forward_parse(const char *text, OrielForward *forward, GError **error)
{
    char *parts[PARTS_MAX + 1] = { NULL };
    guint n = parts_cut(text, parts);
    gboolean good;

    *forward = (OrielForward){ .udp = parts[0] && strcmp(parts[0], "udp") == 0 };
    good =
        n > 2 && (forward->udp || strcmp(parts[0], "tcp") == 0) && places_take(parts + 1, forward);
    for (guint i = 0; i < PARTS_MAX; i++) {
        g_free(parts[i]);
    }
    if (!good) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” is not a port forward. Write it as PROTOCOL:PORT:GUEST-PORT, such as "
                      "tcp:2222:22, or with addresses, such as tcp:127.0.0.1:2222:10.0.2.15:22."),
                    text);
    }
    return good;
}

static char *address_text(const char *address, gboolean ipv6)
{
    return ipv6 ? g_strdup_printf("[%s]", address) : g_strdup(address);
}

char *oriel_forward_text(const OrielForward *forward)
{
    g_autofree char *host = address_text(forward->host, forward->ipv6);
    g_autofree char *guest = address_text(forward->guest, forward->ipv6);

    return g_strdup_printf("%s:%s:%u:%s%s%u", forward->udp ? "udp" : "tcp", host,
                           forward->host_port, forward->guest[0] ? guest : "",
                           forward->guest[0] ? ":" : "", forward->guest_port);
}

gboolean oriel_forward_same_place(const OrielForward *a, const OrielForward *b)
{
    return a->udp == b->udp && a->host_port == b->host_port && strcmp(a->host, b->host) == 0;
}

/* --- Several ---------------------------------------------------------------------------------- */

static gboolean forward_add(GArray *forwards, const OrielForward *forward, GError **error)
{
    if (forwards->len == FORWARDS_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A network card has at most %d port forwards."), FORWARDS_MAX);
        return FALSE;
    }
    for (guint i = 0; i < forwards->len; i++) {
        if (oriel_forward_same_place(&g_array_index(forwards, OrielForward, i), forward)) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("Two port forwards listen at %s port %u of %s; only one can."),
                        forward->udp ? "UDP" : "TCP", forward->host_port, forward->host);
            return FALSE;
        }
    }
    g_array_append_val(forwards, *forward);
    return TRUE;
}

GArray *oriel_forwards_parse(const char *text, GError **error)
{
    g_autoptr(GArray) forwards = g_array_new(FALSE, FALSE, sizeof(OrielForward));
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (char **part = parts; *part; part++) {
        OrielForward forward;

        g_strstrip(*part);
        if (**part == '\0' && !part[1]) {
            break; /* nothing, or a comma at the end */
        }
        if (!oriel_forward_parse(*part, &forward, error) ||
            !forward_add(forwards, &forward, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&forwards);
}

char *oriel_forwards_text(const GArray *forwards)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < forwards->len; i++) {
        g_autofree char *one = oriel_forward_text(&g_array_index(forwards, OrielForward, i));

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", one);
    }
    return g_string_free(text, FALSE);
}

/* --- Addresses of cards ----------------------------------------------------------------------- */

char *oriel_mac_random(void)
{
    guint32 a = g_random_int(), b = g_random_int();

    return g_strdup_printf("02:%02x:%02x:%02x:%02x:%02x", a & 0xff, a >> 8 & 0xff, b & 0xff,
                           b >> 8 & 0xff, b >> 16 & 0xff);
}

gboolean oriel_mac_is_valid(const char *text)
{
    for (guint i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit(text[i])) {
            return FALSE;
        }
    }
    return text[17] == '\0' && g_ascii_xdigit_value(text[1]) % 2 == 0;
}
