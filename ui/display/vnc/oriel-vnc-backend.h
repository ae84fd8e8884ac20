/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A VNC server's picture, by LibVNCClient on a thread of its own.
 *
 * A server that shows a certificate is trusted on first use: the connection FAILED, and
 * oriel_vnc_backend_get_certificate() says what to ask the user. The answer is given to the next
 * backend for that address.
 *
 * Signal: "credentials-needed" (b user_name, b password): answer with
 * oriel_vnc_backend_set_credentials(), or close the backend.
 */
#ifndef ORIEL_VNC_BACKEND_H
#define ORIEL_VNC_BACKEND_H

#include "display/oriel-display-backend.h"

#define ORIEL_TYPE_VNC_BACKEND (oriel_vnc_backend_get_type())
G_DECLARE_FINAL_TYPE(OrielVncBackend, oriel_vnc_backend, ORIEL, VNC_BACKEND, OrielDisplayBackend)

/*
 * `address`: "HOST", "HOST:PORT", "HOST:DISPLAY" below 100, "[IPV6]:PORT", "vnc://HOST:PORT" or
 * "unix:PATH". NULL with *error set if it is none of these.
 */
OrielDisplayBackend *oriel_vnc_backend_new(const char *address, GError **error);
void oriel_vnc_backend_set_credentials(OrielVncBackend *backend, const char *user_name,
                                       const char *password);

/* After FAILED: whether that was because of what oriel_vnc_backend_set_credentials() gave. */
gboolean oriel_vnc_backend_was_refused(OrielVncBackend *backend);

/*
 * After FAILED, if that was because of the server's certificate. *fingerprint (SHA-256,
 * "AB:CD:..."; NULL: it showed none), *name (that it gives itself, NULL: none) and *expires
 * (seconds since 1970, 0: unknown) are the backend's. *is_changed: another one is trusted there.
 */
gboolean oriel_vnc_backend_get_certificate(OrielVncBackend *backend, const char **fingerprint,
                                           const char **name, gint64 *expires,
                                           gboolean *is_changed);
/* Before the start: the user trusts this certificate at this address from now on. */
void oriel_vnc_backend_trust(OrielVncBackend *backend, const char *fingerprint);
/* Before the start: whatever was trusted at this address, the user is asked anew. */
void oriel_vnc_backend_forget(OrielVncBackend *backend);

#endif
