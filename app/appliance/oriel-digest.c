/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>

#include "oriel-digest.h"

struct OrielDigest {
    const struct nettle_hash *hash;
    guint64 context[]; /* of hash->context_size bytes */
};

OrielDigest *oriel_digest_new(const char *name)
{
    static const struct nettle_hash *const hashes[] = { &nettle_sha1, &nettle_sha256,
                                                        &nettle_sha384, &nettle_sha512 };

    for (guint i = 0; i < G_N_ELEMENTS(hashes); i++) {
        if (g_ascii_strcasecmp(name, hashes[i]->name) == 0) {
            OrielDigest *digest = g_malloc(sizeof *digest + hashes[i]->context_size);

            digest->hash = hashes[i];
            digest->hash->init(digest->context);
            return digest;
        }
    }
    return NULL;
}

void oriel_digest_update(OrielDigest *digest, const void *bytes, gsize length)
{
    digest->hash->update(digest->context, length, bytes);
}

char *oriel_digest_finish(OrielDigest *digest)
{
    guint8 result[SHA512_DIGEST_SIZE];
    char *text = g_malloc(oriel_digest_length(digest) + 1);

    digest->hash->digest(digest->context, digest->hash->digest_size, result);
    for (guint i = 0; i < digest->hash->digest_size; i++) {
        g_snprintf(text + (gsize)i * 2, 3, "%02x", result[i]);
    }
    return text;
}

gsize oriel_digest_length(const OrielDigest *digest)
{
    return (gsize)digest->hash->digest_size * 2;
}

void oriel_digest_free(OrielDigest *digest)
{
    g_free(digest);
}
