/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which certificates of remote screens the user trusts, as SSH's known_hosts has keys: one for each
 * address, by its SHA-256 fingerprint, in "oriel/remote-screens" of the user's data folder.
 *
 * Threads: any. Reads and writes a file.
 */
#ifndef ORIEL_VNC_TRUST_H
#define ORIEL_VNC_TRUST_H

#include <glib.h>

/*
 * *fingerprint: of the certificate that is trusted at an address ("HOST:PORT" or a path), NULL if
 * none is known; g_free(). FALSE with *error set if that cannot be told: then nothing is to be
 * trusted.
 */
gboolean oriel_vnc_trust_look(const char *address, char **fingerprint, GError **error);
/* From now on it is this one. */
gboolean oriel_vnc_trust_set(const char *address, const char *fingerprint, GError **error);

#endif
