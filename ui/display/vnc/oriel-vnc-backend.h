/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A VNC server's picture, by LibVNCClient on a thread of its own.
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

#endif
