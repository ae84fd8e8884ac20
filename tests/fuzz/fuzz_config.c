/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * machine.json from any bytes: what is accepted is valid, can be written and read back as the same,
 * and every setting takes back the text that it gives.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const OrielConfig *config)
{
    g_autoptr(OrielConfig) copy = oriel_config_copy(config);
    g_auto(GStrv) keys = oriel_config_keys(config);

    for (char **key = keys; *key != NULL; key++) {
        g_autofree char *value = oriel_config_get(config, *key, NULL);

        g_assert_nonnull(value);
        if (!oriel_config_key_fixed(config, *key)) {
            g_assert_true(oriel_config_set(copy, *key, value, NULL));
        }
    }
    g_assert_true(oriel_config_check(copy, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielConfig) config = NULL, again = NULL;
    g_autoptr(JsonNode) first = NULL, second = NULL;
    g_autofree char *text = NULL;

    g_log_set_always_fatal((GLogLevelFlags)(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
    config = oriel_config_from_data((const char *)data, size, "input", &error);
    if (config == NULL) {
        g_assert_nonnull(error);
        g_assert_true(error->domain == ORIEL_ERROR && error->message[0] != '\0');
        return 0;
    }
    g_assert_true(oriel_config_check(config, NULL));
    first = oriel_config_to_json(config);
    text = json_to_string(first, FALSE);
    again = oriel_config_from_data(text, strlen(text), "again", &error);
    g_assert_no_error(error);
    second = oriel_config_to_json(again);
    g_assert_true(json_node_equal(first, second));
    check_settings(config);
    return 0;
}
