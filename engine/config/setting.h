/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One setting as a line of a table: its key on the command line, its place in machine.json, its
 * member of the structure, its limits. The same table reads and writes the file, checks values, and
 * serves set and get. Private to engine/config/.
 */
#ifndef ENGINE_CONFIG_SETTING_H
#define ENGINE_CONFIG_SETTING_H

#include "config.h"

enum setting_type {
    SETTING_STRING,   /* char *; minimum..maximum bytes of printable UTF-8 */
    SETTING_LINES,    /* the same, with line breaks and tabs */
    SETTING_PATH,     /* char *; an absolute path */
    SETTING_UUID,     /* char *; text form */
    SETTING_MAC,      /* char *; address of a network card */
    SETTING_FORWARDS, /* char *; as in network.h; a list of objects in the file */
    SETTING_COUNT,    /* guint, minimum..maximum */
    SETTING_SIZE,   /* guint64 bytes, minimum..maximum; a bare number on the command line is MiB */
    SETTING_SWITCH, /* gboolean */
    SETTING_CHOICE, /* an enumeration: index into choices */
};

struct setting {
    const char *key;     /* NULL ends a table */
    const char *section; /* object in machine.json; NULL: the top */
    const char *member;
    enum setting_type type;
    size_t offset;
    gboolean optional; /* strings and paths: may be NULL */
    gboolean fixed;    /* not changed by oriel_config_set() */
    gboolean live;     /* takes effect without a restart, or is nothing to the engine */
    guint64 minimum, maximum;
    const char *const *choices;
};

extern const struct setting config_settings[];  /* members of OrielConfig */
extern const struct setting drive_settings[];   /* members of OrielDrive */
extern const struct setting network_settings[]; /* members of OrielNetwork */

/* The setting with this key; NULL if the table has none. */
const struct setting *setting_find(const struct setting *table, const char *key);

/*
 * Moves the known members out of `object` into the structure at `base`; absent ones keep their
 * value. `where` begins the message ("machine.json", "machine.json: disk0").
 */
gboolean setting_take(const struct setting *table, void *base, JsonObject *object,
                      const char *where, GError **error);
/* Writes the members into `object`; those that are NULL are left out. */
void setting_put(const struct setting *table, const void *base, JsonObject *object);
/* Whether the member is within its limits. Error, here and below: INVALID, which names the key. */
gboolean setting_check(const struct setting *setting, const void *base, GError **error);
/* From and to text as on the command line; a value that is refused changes nothing. g_free() what
 * setting_get() gives. */
gboolean setting_set(const struct setting *setting, void *base, const char *value, GError **error);
char *setting_get(const struct setting *setting, const void *base);
void setting_clear(const struct setting *table, void *base);                /* frees strings */
void setting_copy(const struct setting *table, const void *from, void *to); /* `to` holds none */

/* The list "networks" (network_list.c). */
void network_free(void *network);
void networks_copy(const GPtrArray *from, GPtrArray *to);
JsonArray *networks_put(const GPtrArray *networks, void (*merge)(JsonObject *to, JsonObject *from));
gboolean networks_take(OrielConfig *config, JsonObject *object, const char *source, GError **error);
gboolean networks_check(const OrielConfig *config, GError **error);
JsonArray *forwards_to_json(const char *text);
/* NULL: not a list of forwards. Not checked further. */
char *forwards_from_json(JsonNode *node);

/* Text without control characters, valid UTF-8; `lines`: but for line breaks and tabs. */
gboolean text_is_plain(const char *text, gboolean lines);

#endif
