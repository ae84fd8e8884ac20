/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What users write as the address of a remote screen, and whose certificate was trusted there. */
#include <gio/gunixsocketaddress.h>
#include <unistd.h>

#include "display/vnc/oriel-vnc-address.h"
#include "display/vnc/oriel-vnc-backend.h"
#include "display/vnc/oriel-vnc-trust.h"
#include "test.h"

TEST(trust_is_kept_for_each_address)
{
    g_autofree char *folder = g_dir_make_tmp("oriel-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "oriel", "remote-screens", NULL);
    g_autofree char *at_first = NULL, *later = NULL, *other = NULL, *none = NULL;
    g_autoptr(GError) error = NULL;

    g_setenv("XDG_DATA_HOME", folder, TRUE); /* nothing asked for it before */
    CHECK(oriel_vnc_trust_look("host:5900", &at_first, &error) && !at_first);
    CHECK(oriel_vnc_trust_set("host:5900", "AB:CD", &error));
    CHECK(oriel_vnc_trust_set("/run/[x]\n/vnc", "01:23", &error));
    CHECK(oriel_vnc_trust_set("host:5900", "EF:01", &error));
    CHECK(oriel_vnc_trust_look("host:5900", &later, &error));
    CHECK_STR(later, "EF:01");
    CHECK(oriel_vnc_trust_look("/run/[x]\n/vnc", &other, &error));
    CHECK_STR(other, "01:23");
    CHECK(oriel_vnc_trust_look("host:5901", &none, &error) && !none);
    /* What cannot be read says nothing of trust: neither that there is some nor that there is none.
     */
    CHECK(g_file_set_contents(path, "[host:5900]\n", -1, NULL));
    CHECK(!oriel_vnc_trust_look("host:5900", &none, &error) && error && !none);
    g_clear_error(&error);
    CHECK(g_file_set_contents(path, "nonsense", -1, NULL));
    CHECK(!oriel_vnc_trust_look("host:5900", &none, &error) && error);
    g_clear_error(&error);
    CHECK(!oriel_vnc_trust_set("host:5900", "AB:CD", &error) && strstr(error->message, path));
    CHECK(unlink(path) == 0); /* as long as it is there, no screen is shown */
}

TEST(addresses)
{
    static const struct {
        const char *text, *shown;
        bool local;
    } good[] = {
        { "example.org", "example.org:5900", false },
        { "example.org:1", "example.org:5901", false },
        { "example.org:5999", "example.org:5999", false },
        { " vnc://example.org:6000/ ", "example.org:6000", false },
        { "VNC://example.org", "example.org:5900", false },
        { "127.0.0.1:5", "127.0.0.1:5905", true },
        { "localhost", "localhost:5900", true },
        { "[::1]:2", "::1:5902", true },
        { "::1", "::1:5900", true },
        { "[fe80::1]", "fe80::1:5900", false },
        { "unix:/run/x", "unix:/run/x", true },
    };
    static const char *const bad[] = { "",           "  ",      ":",         "host:",     "host:x",
                                       "host:70000", "[::1",    "[::1]x",    "unix:",     "a b",
                                       "user@host",  "host:-1", "::1::2::3", "host/path", "[]:1" };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        gboolean local;
        g_autoptr(GSocketConnectable) address = oriel_vnc_address_parse(good[i].text, &local, NULL);
        g_autofree char *text = NULL;

        CHECK(address != NULL);
        if (G_IS_NETWORK_ADDRESS(address)) {
            text =
                g_strdup_printf("%s:%u", g_network_address_get_hostname(G_NETWORK_ADDRESS(address)),
                                g_network_address_get_port(G_NETWORK_ADDRESS(address)));
        } else {
            text = g_strdup_printf("unix:%s",
                                   g_unix_socket_address_get_path(G_UNIX_SOCKET_ADDRESS(address)));
        }
        CHECK_STR(text, good[i].shown);
        CHECK_EQ(local, good[i].local);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        CHECK(oriel_vnc_backend_new(bad[i], &error) == NULL);
        CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT));
    }
}

TEST_MAIN(T(trust_is_kept_for_each_address), T(addresses))
