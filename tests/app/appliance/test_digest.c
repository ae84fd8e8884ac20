/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests of manifests, beside GLib's of the same bytes and the examples of FIPS 180-4. */
#include <string.h>

#include "appliance/oriel-digest.h"

static void test_examples(void)
{
    g_autoptr(OrielDigest) sha1 = oriel_digest_new("SHA1"), sha256 = oriel_digest_new("sha256");
    g_autofree char *of_abc = NULL, *of_nothing = NULL;

    oriel_digest_update(sha1, "abc", 3);
    of_abc = oriel_digest_finish(sha1);
    g_assert_cmpstr(of_abc, ==, "a9993e364706816aba3e25717850c26c9cd0d89d");
    of_nothing = oriel_digest_finish(sha256);
    g_assert_cmpstr(of_nothing, ==,
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Pieces of many lengths, and the same digest once more after it was finished. */
static void test_beside_glib(void)
{
    static const struct {
        const char *name;
        GChecksumType type;
    } kinds[] = { { "SHA1", G_CHECKSUM_SHA1 },
                  { "SHA256", G_CHECKSUM_SHA256 },
                  { "SHA384", G_CHECKSUM_SHA384 },
                  { "SHA512", G_CHECKSUM_SHA512 } };
    guint8 bytes[5000];

    for (guint i = 0; i < sizeof bytes; i++) {
        bytes[i] = (guint8)g_random_int();
    }
    for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
        g_autoptr(OrielDigest) digest = oriel_digest_new(kinds[k].name);
        g_autofree char *expected = g_compute_checksum_for_data(kinds[k].type, bytes, sizeof bytes);

        g_assert_cmpuint(oriel_digest_length(digest), ==, strlen(expected));
        for (guint again = 0; again < 2; again++) {
            g_autofree char *found = NULL;

            for (gsize at = 0, length = 1; at < sizeof bytes; at += length, length += 7) {
                length = MIN(length, sizeof bytes - at);
                oriel_digest_update(digest, bytes + at, length);
            }
            found = oriel_digest_finish(digest);
            g_assert_cmpstr(found, ==, expected);
        }
    }
}

static void test_unknown(void)
{
    g_assert_null(oriel_digest_new("MD5"));
    g_assert_null(oriel_digest_new("SHA"));
    g_assert_null(oriel_digest_new(""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest/examples", test_examples);
    g_test_add_func("/digest/beside-glib", test_beside_glib);
    g_test_add_func("/digest/unknown", test_unknown);
    return g_test_run();
}
