/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of VNC servers. Threads: that of the connection. */
#ifndef ORIEL_VNC_TLS_H
#define ORIEL_VNC_TLS_H

#include <rfb/rfbclient.h>

#include "oriel-vnc-link.h"
#include "oriel-vnc-trust.h"

/* Before the connection: which certificate is trusted, and keeps what the user has just said. */
gboolean oriel_vnc_tls_look(OrielVncLink *link, GError **error);
/*
 * The library's question for X.509 credentials: readies the handshake, in which the certificate
 * must be the trusted one. If it is not, the link's `certificate` says what it was. NULL: out of
 * memory.
 */
rfbCredential *oriel_vnc_tls_begin(rfbClient *client);
/* A server showed no certificate although one of it is trusted. */
void oriel_vnc_tls_note_none(OrielVncLink *link);
/* Whether bytes wait that the socket no longer has. */
gboolean oriel_vnc_tls_has_more(rfbClient *client);

#endif
