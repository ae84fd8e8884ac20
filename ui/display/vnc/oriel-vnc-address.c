/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-vnc-address.h. */
#include "oriel-vnc-address.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/un.h>

enum {
    PORT_BASE = 5900,
    DISPLAYS = 100,
    PATH_MAX_BYTES = sizeof(((struct sockaddr_un *)NULL)->sun_path),
};

static GSocketConnectable *refuse(const char *text, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                _("“%s” is not the address of a screen. Write a host, HOST:PORT, or unix:PATH."),
                text);
    return NULL;
}

/* "5901", or "1" for the same. */
static gboolean port_parse(const char *text, guint16 *port)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT16, &number, NULL)) {
        return FALSE;
    }
    *port = (guint16)(number < DISPLAYS ? number + PORT_BASE : number);
    return TRUE;
}

/* The part after a bracketed or plain host; empty: the usual port. */
static gboolean rest_parse(const char *rest, guint16 *port)
{
    if (*rest == '\0') {
        *port = PORT_BASE;
        return TRUE;
    }
    return *rest == ':' && port_parse(rest + 1, port);
}

static char *host_parse(const char *text, guint16 *port)
{
    const char *colon = strchr(text, ':');
    const char *end;

    if (*text == '[') {
        end = strchr(text, ']');
        return end && rest_parse(end + 1, port) ? g_strndup(text + 1, (gsize)(end - text - 1))
                                                : NULL;
    }
    if (colon && strchr(colon + 1, ':')) { /* an IPv6 address by itself */
        *port = PORT_BASE;
        return g_hostname_is_ip_address(text) ? g_strdup(text) : NULL;
    }
    end = colon ? colon : text + strlen(text);
    return rest_parse(end, port) ? g_strndup(text, (gsize)(end - text)) : NULL;
}

static gboolean is_loopback(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

    return (address && g_inet_address_get_is_loopback(address)) ||
           g_ascii_strcasecmp(host, "localhost") == 0;
}

static gboolean host_is_valid(const char *host)
{
    for (const char *c = host; *c; c++) {
        if (g_ascii_isspace(*c) || g_ascii_iscntrl(*c) || strchr("/@?#[]", *c)) {
            return FALSE;
        }
    }
    return *host != '\0';
}

GSocketConnectable *oriel_vnc_address_parse(const char *text, gboolean *local, GError **error)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    g_autofree char *host = NULL;
    const char *rest = stripped;
    guint16 port;

    if (g_str_has_prefix(rest, "unix:")) {
        rest += strlen("unix:");
        *local = TRUE;
        if (*rest == '\0' || strlen(rest) >= PATH_MAX_BYTES) {
            return refuse(text, error);
        }
        return G_SOCKET_CONNECTABLE(g_unix_socket_address_new(rest));
    }
    if (g_ascii_strncasecmp(rest, "vnc://", strlen("vnc://")) == 0) {
        rest += strlen("vnc://");
        if (g_str_has_suffix(stripped, "/")) {
            stripped[strlen(stripped) - 1] = '\0';
        }
    }
    host = host_parse(rest, &port);
    if (!host || !host_is_valid(host)) {
        return refuse(text, error);
    }
    *local = is_loopback(host);
    return g_network_address_new(host, port);
}

char *oriel_vnc_address_identity(GSocketConnectable *address)
{
    g_autofree char *host = NULL;
    GNetworkAddress *network;

    if (G_IS_UNIX_SOCKET_ADDRESS(address)) {
        return g_strdup(g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
    }
    network = G_NETWORK_ADDRESS(address);
    host = g_ascii_strdown(g_network_address_get_hostname(network), -1);
    return g_strdup_printf("%s:%u", host, g_network_address_get_port(network));
}
