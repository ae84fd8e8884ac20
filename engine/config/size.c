/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes as people write them. See config.h. */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char suffixes[] = "KMGT";

/* Accepts K, KB and KiB, in any case; returns the power of 1024 or -1. */
static int suffix_parse(const char *text)
{
    const char *found;

    if (text[0] == '\0' || g_ascii_strcasecmp(text, "B") == 0) {
        return 0;
    }
    found = strchr(suffixes, g_ascii_toupper(text[0]));
    if (found == NULL || (text[1] != '\0' && g_ascii_strcasecmp(text + 1, "B") != 0 &&
                          g_ascii_strcasecmp(text + 1, "iB") != 0)) {
        return -1;
    }
    return (int)(found - suffixes) + 1;
}

gboolean oriel_size_parse(const char *text, guint64 *bytes, GError **error)
{
    return oriel_size_parse_unit(text, 1, bytes, error);
}

gboolean oriel_size_parse_unit(const char *text, guint64 unit, guint64 *bytes, GError **error)
{
    char *end = NULL;
    guint64 number = 0;
    int power = -1;

    if (g_ascii_isdigit(text[0])) {
        number = g_ascii_strtoull(text, &end, 10);
        power = suffix_parse(end);
    }
    if (power < 0) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("“%s” is not a size. Write a whole number with K, M, G or T behind it, such as 2G."),
            text);
        return FALSE;
    }
    if (*end != '\0') {
        unit = G_GUINT64_CONSTANT(1) << (power * 10);
    }
    if (number > G_MAXINT64 / unit) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is too large a size."), text);
        return FALSE;
    }
    *bytes = number * unit;
    return TRUE;
}

char *oriel_size_text(guint64 bytes)
{
    int power = 0;

    while (bytes != 0 && bytes % 1024 == 0 && suffixes[power] != '\0') {
        bytes /= 1024;
        power++;
    }
    if (power == 0) {
        return g_strdup_printf("%" G_GUINT64_FORMAT "B", bytes);
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes, suffixes[power - 1]);
}
