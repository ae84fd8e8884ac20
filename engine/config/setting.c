/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings by table: JSON, text, limits. See setting.h. */
#include "setting.h"

#include "network.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define MEMBER(base, setting, type)       ((type *)((char *)(base) + (setting)->offset))
#define CONST_MEMBER(base, setting, type) ((const type *)((const char *)(base) + (setting)->offset))

/* Of a bare number that a person gives for a size: 1 MiB. */
#define SIZE_UNIT                         (G_GUINT64_CONSTANT(1) << 20)

static gboolean is_text(const struct setting *setting)
{
    return setting->type == SETTING_STRING || setting->type == SETTING_LINES ||
           setting->type == SETTING_PATH || setting->type == SETTING_UUID ||
           setting->type == SETTING_MAC || setting->type == SETTING_FORWARDS;
}

gboolean text_is_plain(const char *text, gboolean lines)
{
    if (!g_utf8_validate(text, -1, NULL)) {
        return FALSE;
    }
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gboolean allowed = lines && (*p == '\n' || *p == '\t');

        if (g_unichar_iscntrl(g_utf8_get_char(p)) && !allowed) {
            return FALSE;
        }
    }
    return TRUE;
}

const struct setting *setting_find(const struct setting *table, const char *key)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        if (strcmp(setting->key, key) == 0) {
            return setting;
        }
    }
    return NULL;
}

/* --- Limits ----------------------------------------------------------------------------------- */

static gboolean check_number(const struct setting *setting, guint64 value, GError **error)
{
    g_autofree char *low = NULL, *high = NULL, *is = NULL;

    if (value >= setting->minimum && value <= setting->maximum) {
        return TRUE;
    }
    if (setting->type == SETTING_SIZE) {
        low = oriel_size_text(setting->minimum);
        high = oriel_size_text(setting->maximum);
        is = oriel_size_text(value);
    } else {
        low = g_strdup_printf("%" G_GUINT64_FORMAT, setting->minimum);
        high = g_strdup_printf("%" G_GUINT64_FORMAT, setting->maximum);
        is = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("“%s” is %s, but must be between %s and %s."), setting->key, is, low, high);
    return FALSE;
}

static gboolean check_text(const struct setting *setting, const char *text, GError **error)
{
    if (text == NULL) {
        if (!setting->optional) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” must not be empty."),
                        setting->key);
        }
        return setting->optional;
    }
    if (!text_is_plain(text, setting->type == SETTING_LINES)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” must be UTF-8 text without control characters."), setting->key);
        return FALSE;
    }
    if (strlen(text) < setting->minimum || strlen(text) > setting->maximum) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    /* Translators: a setting; its least and most length; the length it has. */
                    _("“%s” must be %u to %u bytes long; it has %zu."), setting->key,
                    (guint)setting->minimum, (guint)setting->maximum, strlen(text));
        return FALSE;
    }
    if (setting->type == SETTING_PATH && text[0] != '/') {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” must be an absolute path, not “%s”."), setting->key, text);
        return FALSE;
    }
    if (setting->type == SETTING_MAC && !oriel_mac_is_valid(text)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” must be six pairs of hex digits with colons between, the first pair "
                      "even, such as 02:00:5e:12:34:56, not “%s”."),
                    setting->key, text);
        return FALSE;
    }
    if (setting->type == SETTING_FORWARDS) {
        g_autoptr(GArray) forwards = oriel_forwards_parse(text, error);

        return forwards != NULL;
    }
    if (setting->type == SETTING_UUID && !g_uuid_string_is_valid(text)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” must be a UUID, not “%s”."),
                    setting->key, text);
        return FALSE;
    }
    return TRUE;
}

gboolean setting_check(const struct setting *setting, const void *base, GError **error)
{
    switch (setting->type) {
    case SETTING_STRING:
    case SETTING_LINES:
    case SETTING_PATH:
    case SETTING_UUID:
    case SETTING_MAC:
    case SETTING_FORWARDS:
        return check_text(setting, *CONST_MEMBER(base, setting, char *), error);
    case SETTING_COUNT:
        return check_number(setting, *CONST_MEMBER(base, setting, guint), error);
    case SETTING_SIZE:
        return check_number(setting, *CONST_MEMBER(base, setting, guint64), error);
    case SETTING_SWITCH:
    case SETTING_CHOICE:
        return TRUE;
    }
    g_assert_not_reached();
}

/* --- Text ------------------------------------------------------------------------------------- */

static gboolean choice_parse(const struct setting *setting, const char *text, int *index,
                             GError **error)
{
    g_autofree char *all = NULL;

    for (int i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *index = i;
            return TRUE;
        }
    }
    all = g_strjoinv(", ", (char **)setting->choices);
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” must be one of %s, not “%s”."),
                setting->key, all, text);
    return FALSE;
}

static gboolean switch_parse(const struct setting *setting, const char *text, gboolean *on,
                             GError **error)
{
    static const char *const yes[] = { "true", "yes", "on", "1", NULL };
    static const char *const no[] = { "false", "no", "off", "0", NULL };

    *on = g_strv_contains(yes, text);
    if (!*on && !g_strv_contains(no, text)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” must be true or false, not “%s”."), setting->key, text);
        return FALSE;
    }
    return TRUE;
}

static gboolean number_parse(const struct setting *setting, const char *text, guint64 *value,
                             GError **error)
{
    if (setting->type == SETTING_SIZE) {
        if (!oriel_size_parse_unit(text, SIZE_UNIT, value, error)) {
            g_prefix_error(error, _("“%s”: "), setting->key);
            return FALSE;
        }
    } else if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, value, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” must be a whole number, not “%s”."), setting->key, text);
        return FALSE;
    }
    return check_number(setting, *value, error);
}

/* A good text in the form in which it is kept; NULL: none. */
static char *text_canonical(const struct setting *setting, const char *text)
{
    if (text != NULL && setting->type == SETTING_MAC) {
        return g_ascii_strdown(text, -1);
    }
    if (text != NULL && setting->type == SETTING_FORWARDS) {
        g_autoptr(GArray) forwards = oriel_forwards_parse(text, NULL);

        return forwards->len > 0 ? oriel_forwards_text(forwards) : NULL;
    }
    return g_strdup(text);
}

gboolean setting_set(const struct setting *setting, void *base, const char *value, GError **error)
{
    guint64 number;
    gboolean on;
    int choice;

    switch (setting->type) {
    case SETTING_STRING:
    case SETTING_LINES:
    case SETTING_PATH:
    case SETTING_UUID:
    case SETTING_MAC:
    case SETTING_FORWARDS:
        if (value[0] == '\0') {
            value = NULL;
        }
        if (!check_text(setting, value, error)) {
            return FALSE;
        }
        g_free(*MEMBER(base, setting, char *));
        *MEMBER(base, setting, char *) = text_canonical(setting, value);
        return TRUE;
    case SETTING_COUNT:
        if (!number_parse(setting, value, &number, error)) {
            return FALSE;
        }
        *MEMBER(base, setting, guint) = (guint)number;
        return TRUE;
    case SETTING_SIZE:
        if (!number_parse(setting, value, &number, error)) {
            return FALSE;
        }
        *MEMBER(base, setting, guint64) = number;
        return TRUE;
    case SETTING_SWITCH:
        if (!switch_parse(setting, value, &on, error)) {
            return FALSE;
        }
        *MEMBER(base, setting, gboolean) = on;
        return TRUE;
    case SETTING_CHOICE:
        if (!choice_parse(setting, value, &choice, error)) {
            return FALSE;
        }
        *MEMBER(base, setting, int) = choice;
        return TRUE;
    }
    g_assert_not_reached();
}

char *setting_get(const struct setting *setting, const void *base)
{
    const char *text;

    switch (setting->type) {
    case SETTING_STRING:
    case SETTING_LINES:
    case SETTING_PATH:
    case SETTING_UUID:
    case SETTING_MAC:
    case SETTING_FORWARDS:
        text = *CONST_MEMBER(base, setting, char *);
        return g_strdup(text != NULL ? text : "");
    case SETTING_COUNT:
        return g_strdup_printf("%u", *CONST_MEMBER(base, setting, guint));
    case SETTING_SIZE:
        return oriel_size_text(*CONST_MEMBER(base, setting, guint64));
    case SETTING_SWITCH:
        return g_strdup(*CONST_MEMBER(base, setting, gboolean) ? "true" : "false");
    case SETTING_CHOICE:
        return g_strdup(setting->choices[*CONST_MEMBER(base, setting, int)]);
    }
    g_assert_not_reached();
}

/* --- JSON ------------------------------------------------------------------------------------- */

static const char *json_type_wanted(const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_COUNT:
    case SETTING_SIZE:
        return _("a whole number");
    case SETTING_SWITCH:
        return _("true or false");
    case SETTING_FORWARDS:
        return _("a list of port forwards");
    case SETTING_STRING:
    case SETTING_LINES:
    case SETTING_PATH:
    case SETTING_UUID:
    case SETTING_MAC:
    case SETTING_CHOICE:
        return _("a text");
    }
    g_assert_not_reached();
}

/* The value as text for setting_set(), or NULL if it has the wrong type. */
static char *json_text(const struct setting *setting, JsonNode *node)
{
    GType type;

    if (setting->type == SETTING_FORWARDS) {
        return forwards_from_json(node);
    }
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        return NULL;
    }
    type = json_node_get_value_type(node);
    switch (setting->type) {
    case SETTING_COUNT:
    case SETTING_SIZE:
        /* The file has bytes, whatever a person means by a bare number. */
        return type == G_TYPE_INT64
                   ? g_strdup_printf("%" G_GINT64_FORMAT "%s", json_node_get_int(node),
                                     setting->type == SETTING_SIZE ? "B" : "")
                   : NULL;
    case SETTING_SWITCH:
        return type == G_TYPE_BOOLEAN ? g_strdup(json_node_get_boolean(node) ? "true" : "false")
                                      : NULL;
    case SETTING_FORWARDS:
        return NULL;
    case SETTING_STRING:
    case SETTING_LINES:
    case SETTING_PATH:
    case SETTING_UUID:
    case SETTING_MAC:
    case SETTING_CHOICE:
        return type == G_TYPE_STRING ? g_strdup(json_node_get_string(node)) : NULL;
    }
    g_assert_not_reached();
}

static gboolean take_one(const struct setting *setting, void *base, JsonObject *section,
                         const char *where, GError **error)
{
    JsonNode *node = json_object_get_member(section, setting->member);
    g_autofree char *text = NULL;

    if (node == NULL) {
        return TRUE;
    }
    if (!JSON_NODE_HOLDS_NULL(node)) {
        text = json_text(setting, node);
        if (text == NULL) {
            g_set_error(error, ORIEL_ERROR,
                        ORIEL_ERROR_INVALID, /* Translators: a file; a setting; “a whole number” or
                                                something else it must be. */
                        _("%s: “%s” must be %s."), where, setting->key, json_type_wanted(setting));
            return FALSE;
        }
        if (!setting_set(setting, base, text, error)) {
            g_prefix_error(error, "%s: ", where);
            return FALSE;
        }
    }
    json_object_remove_member(section, setting->member);
    return TRUE;
}

gboolean setting_take(const struct setting *table, void *base, JsonObject *object,
                      const char *where, GError **error)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        JsonObject *section = object;

        if (setting->section != NULL) {
            JsonNode *node = json_object_get_member(object, setting->section);

            if (node == NULL) {
                continue;
            }
            if (!JSON_NODE_HOLDS_OBJECT(node)) {
                g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                            _("%s: “%s” must be an object in braces."), where, setting->section);
                return FALSE;
            }
            section = json_node_get_object(node);
        }
        if (!take_one(setting, base, section, where, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static JsonObject *section_of(JsonObject *object, const char *name)
{
    JsonObject *section;

    if (name == NULL) {
        return object;
    }
    if (!json_object_has_member(object, name)) {
        json_object_set_object_member(object, name, json_object_new());
    }
    section = json_object_get_object_member(object, name);
    return section;
}

void setting_put(const struct setting *table, const void *base, JsonObject *object)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        JsonObject *section = section_of(object, setting->section);
        const char *text;

        switch (setting->type) {
        case SETTING_FORWARDS:
            text = *CONST_MEMBER(base, setting, char *);
            if (text != NULL) {
                json_object_set_array_member(section, setting->member, forwards_to_json(text));
            }
            break;
        case SETTING_STRING:
        case SETTING_LINES:
        case SETTING_PATH:
        case SETTING_UUID:
        case SETTING_MAC:
            text = *CONST_MEMBER(base, setting, char *);
            if (text != NULL) {
                json_object_set_string_member(section, setting->member, text);
            }
            break;
        case SETTING_COUNT:
            json_object_set_int_member(section, setting->member,
                                       *CONST_MEMBER(base, setting, guint));
            break;
        case SETTING_SIZE:
            json_object_set_int_member(section, setting->member,
                                       (gint64)*CONST_MEMBER(base, setting, guint64));
            break;
        case SETTING_SWITCH:
            json_object_set_boolean_member(section, setting->member,
                                           *CONST_MEMBER(base, setting, gboolean));
            break;
        case SETTING_CHOICE:
            json_object_set_string_member(section, setting->member,
                                          setting->choices[*CONST_MEMBER(base, setting, int)]);
            break;
        }
    }
}

/* --- Structures ------------------------------------------------------------------------------- */

void setting_clear(const struct setting *table, void *base)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        if (is_text(setting)) {
            g_clear_pointer(MEMBER(base, setting, char *), g_free);
        }
    }
}

void setting_copy(const struct setting *table, const void *from, void *to)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        if (is_text(setting)) {
            *MEMBER(to, setting, char *) = g_strdup(*CONST_MEMBER(from, setting, char *));
        } else if (setting->type == SETTING_SIZE) {
            *MEMBER(to, setting, guint64) = *CONST_MEMBER(from, setting, guint64);
        } else {
            *MEMBER(to, setting, guint) = *CONST_MEMBER(from, setting, guint);
        }
    }
}
