/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network cards and port forwards in a machine's configuration. */
#include "test.h"

#include "config/config.h"
#include "config/network.h"
#include "config/saved.h"

static OrielConfig *config;
static OrielNetwork *network;

static void setup(void)
{
    config = oriel_config_new("Test");
    network = oriel_config_add_network(config, NULL);
    CHECK_STR(network->id, "net0");
    CHECK(oriel_mac_is_valid(network->mac));
}

static void set(const char *key, const char *value)
{
    GError *error = NULL;

    if (!oriel_config_set(config, key, value, &error)) {
        test_fail(__FILE__, __LINE__, "%s=%s: %s", key, value, error->message);
    }
}

static void check_get(const char *key, const char *value)
{
    g_autofree char *got = oriel_config_get(config, key, NULL);

    CHECK_STR(got, value);
}

static void check_refused(const char *key, const char *value)
{
    g_autoptr(GError) error = NULL;

    CHECK(!oriel_config_set(config, key, value, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
}

TEST(models)
{
    setup();
    check_get("net0.model", "virtio");
    set("net0.model", "e1000e");
    check_get("net0.model", "e1000e");
    CHECK_EQ(network->model, ORIEL_NETWORK_E1000E);
    check_refused("net0.model", "e1000");
    oriel_config_free(config);
}

TEST(forwards)
{
    static const struct {
        const char *text, *canonical;
    } good[] = {
        { "tcp:2222:22", "tcp:127.0.0.1:2222:22" },
        { "udp:0.0.0.0:53:5353", "udp:0.0.0.0:53:5353" },
        { "tcp:80:10.0.2.16:8080", "tcp:127.0.0.1:80:10.0.2.16:8080" },
        { "tcp:127.0.0.2:80:10.0.2.15:8080", "tcp:127.0.0.2:80:10.0.2.15:8080" },
        { "tcp:[::1]:80:8080", "tcp:[::1]:80:8080" },
        { "tcp:[0:0::0:1]:80:[fd6f:7269:656c:0::2]:8080", "tcp:[::1]:80:[fd6f:7269:656c::2]:8080" },
    };
    static const char *const bad[] = {
        "",
        "tcp",
        "tcp:",
        "tcp:1",
        "tcp:1:",
        "tcp::1",
        "tcp:0:1",
        "tcp:1:65536",
        "sctp:1:1",
        "tcp:1:2:3",
        "tcp:localhost:1:2",
        "tcp:1:2:3:4:5",
        "tcp:[::1]:1:127.0.0.1:2",
        "tcp:127.0.0.1:1:[::1]:2",
        "tcp:[::1:1:2",
        "tcp:1:1:",
        "tcp:-1:1",
        "tcp:1 :1",
        "tcp:0x1:1",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GArray) forwards = oriel_forwards_parse(good[i].text, NULL);
        g_autofree char *text = forwards ? oriel_forwards_text(forwards) : g_strdup("(refused)");
        g_autoptr(GArray) again = oriel_forwards_parse(text, NULL);

        CHECK_STR(text, good[i].canonical);
        CHECK(again != NULL);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        OrielForward forward;

        if (oriel_forward_parse(bad[i], &forward, &error)) {
            test_fail(__FILE__, __LINE__, "“%s” is taken for a forward", bad[i]);
        }
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    }
}

TEST(settings)
{
    setup();
    check_get("net0.link", "up");
    check_get("net0.mode", "user");
    check_get("net0.forwards", "");
    set("net0.forwards", "tcp:2222:22, udp:53:53,");
    check_get("net0.forwards", "tcp:127.0.0.1:2222:22, udp:127.0.0.1:53:53");
    set("net0.mac", "52:4F:AA:bb:00:01");
    check_get("net0.mac", "52:4f:aa:bb:00:01");
    set("net0.link", "down");
    CHECK_EQ(network->link_down, 1);
    set("net0.host-access", "yes");
    check_refused("net0.forwards", "tcp:1:2, tcp:1:3");
    check_refused("net0.mac", "53:4f:aa:bb:00:01");
    check_refused("net0.mac", "");
    check_refused("net0.mode", "bridge");
    check_refused("net0.id", "net1");
    check_refused("net1.link", "up");
    set("net0.forwards", "");
    CHECK(network->forwards == NULL);
    CHECK(oriel_config_key_live(config, "net0.link"));
    CHECK(oriel_config_key_live(config, "net0.forwards"));
    CHECK(!oriel_config_key_live(config, "net0.mode"));
    oriel_config_free(config);
}

TEST(file)
{
    g_autoptr(OrielConfig) back = NULL;
    g_autoptr(GError) error = NULL;

    setup();
    set("net0.mode", "private");
    set("net0.network", "lab");
    set("net0.forwards", "tcp:2222:22, udp:[::1]:53:[fd00::1]:54");
    oriel_config_add_network(config, NULL);
    g_autoptr(JsonNode) root = oriel_config_to_json(config);
    g_autofree char *text = json_to_string(root, FALSE);

    CHECK(strstr(text, "\"forwards\":[{\"protocol\":\"tcp\",\"host-address\":\"127.0.0.1\","
                       "\"host-port\":2222,\"guest-port\":22},") != NULL);
    back = oriel_config_from_data(text, strlen(text), "text", &error);
    CHECK(back != NULL);
    CHECK_EQ(back->networks->len, 2);
    g_auto(GStrv) differences = oriel_config_differences(config, back);
    CHECK_EQ(g_strv_length(differences), 0);
    g_autoptr(OrielConfig) copy = oriel_config_copy(config);
    g_ptr_array_set_size(copy->networks, 1);
    g_auto(GStrv) fewer = oriel_config_differences(config, copy);
    CHECK_STR(fewer[0], "net1");
    oriel_config_free(config);
}

/* What is in the place of a network card in the file. */
static bool loads(const char *networks)
{
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"uuid\":\"6b5e8a0c-7d2f-4c1a-9b3e-5f0d1c2a3b4c\",\"name\":\"a\","
        "\"generation-id\":\"6b5e8a0c-7d2f-4c1a-9b3e-5f0d1c2a3b4d\","
        "\"networks\":%s}",
        networks);
    g_autoptr(OrielConfig) loaded = oriel_config_from_data(text, strlen(text), "text", NULL);

    return loaded != NULL;
}

TEST(files_that_are_wrong)
{
#define CARD "{\"id\":\"net0\",\"mac\":\"02:00:00:00:00:01\""
    CHECK(loads("[]"));
    CHECK(loads("[" CARD "}]"));
    CHECK(loads("[" CARD ",\"new\":[1]}]"));
    CHECK(loads("[" CARD ",\"forwards\":[]}]"));
    CHECK(!loads("{}"));
    CHECK(!loads("[1]"));
    CHECK(!loads("[{\"id\":\"net0\"}]"));
    CHECK(!loads("[{\"mac\":\"02:00:00:00:00:01\"}]"));
    CHECK(!loads("[" CARD "}," CARD "}]"));
    CHECK(!loads("[" CARD ",\"mode\":\"private\"}]"));
    CHECK(!loads("[" CARD ",\"mode\":\"private\",\"network\":\"../x\"}]"));
    CHECK(!loads("[" CARD ",\"forwards\":\"tcp:1:1\"}]"));
    CHECK(!loads("[" CARD ",\"forwards\":[\"tcp:1:1\"]}]"));
    CHECK(!loads("[" CARD ",\"forwards\":[{\"protocol\":[]}]}]"));
    CHECK(!loads("[" CARD ",\"forwards\":[{\"protocol\":\"tcp\",\"host-port\":1}]}]"));
#undef CARD
}

TEST(no_more_than_there_can_be)
{
    g_autoptr(GError) error = NULL;

    setup();
    for (unsigned i = 1; i < CONFIG_NETWORKS_MAX; i++) {
        CHECK(oriel_config_add_network(config, NULL) != NULL);
    }
    CHECK(!oriel_config_add_network(config, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    oriel_config_free(config);
}

/* What is behind a card may change while the machine is saved, the card may not. */
TEST(saved)
{
    setup();
    g_autoptr(OrielConfig) now = oriel_config_copy(config);
    g_autofree char *none = NULL, *mac = NULL;

    CHECK(oriel_config_set(now, "net0.mode", "none", NULL));
    CHECK(oriel_config_set(now, "net0.link", "down", NULL));
    none = oriel_config_guest_difference(config, now);
    CHECK(none == NULL);
    CHECK(oriel_config_set(now, "net0.mac", "02:00:00:00:00:09", NULL));
    mac = oriel_config_guest_difference(config, now);
    CHECK_STR(mac, "net0.mac");
    oriel_config_free(config);
}

TEST_MAIN(T(models), T(forwards), T(settings), T(file), T(files_that_are_wrong),
          T(no_more_than_there_can_be), T(saved))
