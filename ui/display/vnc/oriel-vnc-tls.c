/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Servers that show a certificate (VeNCrypt X509None, X509Vnc, X509Plain), trusted on first use.
 *
 * LibVNCClient checks certificates against a file of authorities and the server's name, which
 * suits few: VNC servers make their certificates themselves. It takes a TLS session that exists
 * already, and a session's verify function goes before the one of its credentials. So when the
 * library asks for credentials, which is just before the handshake, it gets a session of ours. A
 * certificate that is not the trusted one ends the handshake, before anything secret was sent; the
 * user is asked with no connection open, and the next one brings the answer.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <rfb/rfbclient.h>
#include <rfb/threading.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oriel-vnc-tls.h"

#ifndef LIBVNCSERVER_HAVE_GNUTLS
#error "LibVNCClient with GnuTLS is needed: it gets a session of GnuTLS."
#endif

enum {
    SHA256_BYTES = 32,
    NAME_MAX_BYTES = 256,
    NAME_MAX_CHARACTERS = 64, /* shown; what is longer says nothing more */
};

static OrielVncLink *link_of(rfbClient *client)
{
    return rfbClientGetClientData(client, (void *)&oriel_vnc_link_tag);
}

/* --- What a certificate says of itself */

/* "AB:CD:..." */
static char *fingerprint_of(const gnutls_datum_t *certificate)
{
    guint8 digest[SHA256_BYTES];
    size_t size = sizeof(digest);
    GString *text = g_string_new(NULL);

    if (gnutls_fingerprint(GNUTLS_DIG_SHA256, certificate, digest, &size) < 0) {
        g_string_free(text, TRUE);
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        g_string_append_printf(text, "%s%02X", i > 0 ? ":" : "", digest[i]);
    }
    return g_string_free(text, FALSE);
}

/* Text from the other side as it may be shown: one short line. */
static char *text_clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);
    int n = 0;

    for (const char *c = valid; *c && n < NAME_MAX_CHARACTERS; c = g_utf8_next_char(c), n++) {
        gunichar character = g_utf8_get_char(c);

        g_string_append_unichar(clean, g_unichar_isprint(character) ? character : '?');
    }
    return g_string_free(clean, FALSE);
}

static void details_read(const gnutls_datum_t *data, OrielVncCertificate *certificate)
{
    gnutls_x509_crt_t crt;
    char name[NAME_MAX_BYTES];
    size_t size = sizeof(name);
    time_t expires;

    if (gnutls_x509_crt_init(&crt) < 0) {
        return;
    }
    if (gnutls_x509_crt_import(crt, data, GNUTLS_X509_FMT_DER) >= 0) {
        if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) >=
            0) {
            certificate->name = text_clean(name);
        }
        expires = gnutls_x509_crt_get_expiration_time(crt);
        certificate->expires = expires > 0 ? (gint64)expires : 0;
    }
    gnutls_x509_crt_deinit(crt);
}

/* --- Trust */

static void note(OrielVncLink *link, OrielVncCertificate *certificate)
{
    g_mutex_lock(&link->mutex);
    g_clear_pointer(&link->certificate, oriel_vnc_certificate_free);
    link->certificate = certificate;
    g_mutex_unlock(&link->mutex);
}

/* Called in the handshake; not 0 ends it. */
static int verify(gnutls_session_t session)
{
    OrielVncLink *link = link_of(gnutls_session_get_ptr(session));
    const gnutls_datum_t *certificates;
    unsigned n = 0;
    g_autofree char *fingerprint = NULL;
    OrielVncCertificate *shown;

    certificates = gnutls_certificate_get_peers(session, &n);
    fingerprint = n > 0 ? fingerprint_of(&certificates[0]) : NULL;
    if (!fingerprint) {
        return GNUTLS_E_CERTIFICATE_ERROR;
    }
    if (g_strcmp0(fingerprint, link->trusted) == 0) {
        link->is_verified = TRUE;
        return 0;
    }
    shown = g_new0(OrielVncCertificate, 1);
    shown->fingerprint = g_steal_pointer(&fingerprint);
    shown->is_changed = link->trusted != NULL;
    details_read(&certificates[0], shown);
    note(link, shown);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

gboolean oriel_vnc_tls_look(OrielVncLink *link, GError **error)
{
    if (link->trust) { /* the user has just said so */
        link->trusted = g_strdup(link->trust);
        return oriel_vnc_trust_set(link->identity, link->trust, error);
    }
    return link->forget || oriel_vnc_trust_look(link->identity, &link->trusted, error);
}

void oriel_vnc_tls_note_none(OrielVncLink *link)
{
    OrielVncCertificate *none = g_new0(OrielVncCertificate, 1);

    none->is_changed = TRUE;
    note(link, none);
}

/* --- Session */

static ssize_t push(gnutls_transport_ptr_t transport, const void *data, size_t size)
{
    return write(((rfbClient *)transport)->sock, data, size);
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t size)
{
    return read(((rfbClient *)transport)->sock, data, size);
}

static int pull_wait(gnutls_transport_ptr_t transport, unsigned ms)
{
    int socket = ((rfbClient *)transport)->sock;

    return gnutls_system_recv_timeout(GINT_TO_POINTER(socket), ms);
}

static gboolean session_begin(rfbClient *client)
{
    gnutls_session_t session;

    if (gnutls_init(&session, GNUTLS_CLIENT) < 0) {
        return FALSE;
    }
    if (gnutls_set_default_priority(session) < 0) {
        gnutls_deinit(session);
        return FALSE;
    }
    gnutls_transport_set_ptr(session, client);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, pull_wait);
    gnutls_handshake_set_timeout(session, GNUTLS_DEFAULT_HANDSHAKE_TIMEOUT);
    gnutls_session_set_ptr(session, client);
    gnutls_session_set_verify_function(session, verify);
    client->tlsSession = session; /* the library frees it */
    INIT_MUTEX(client->tlsRwMutex);
    return TRUE;
}

rfbCredential *oriel_vnc_tls_begin(rfbClient *client)
{
    rfbCredential *credential;

    if (client->tlsSession || !session_begin(client)) {
        return NULL;
    }
    credential = calloc(1, sizeof(*credential));
    if (credential) { /* no authorities: the library insists on a file */
        credential->x509Credential.x509CACertFile = strdup("/dev/null");
    }
    return credential;
}

gboolean oriel_vnc_tls_has_more(rfbClient *client)
{
    return client->tlsSession && gnutls_record_check_pending(client->tlsSession) > 0;
}
