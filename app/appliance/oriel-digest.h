/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests that the manifests of appliances hold: SHA-1, SHA-256, SHA-384 and SHA-512 (FIPS 180-4).
 * Nettle computes them, for it uses the processor's own instructions where GChecksum does not.
 * A digest belongs to one thread at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct OrielDigest OrielDigest;

/* `name` as manifests have it, in any case: "SHA1", "SHA256", "SHA384" or "SHA512". NULL for any
 * other. */
OrielDigest *oriel_digest_new(const char *name);

/* The next `length` bytes. */
void oriel_digest_update(OrielDigest *digest, const void *bytes, gsize length);

/* The result in lower-case hexadecimal (g_free()), and an empty digest again. */
char *oriel_digest_finish(OrielDigest *digest);

/* Digits of the result. */
gsize oriel_digest_length(const OrielDigest *digest);

void oriel_digest_free(OrielDigest *digest);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrielDigest, oriel_digest_free)

G_END_DECLS
