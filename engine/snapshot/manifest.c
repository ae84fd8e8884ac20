/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See manifest.h. */
#include "snapshot/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/saved.h"

enum {
    BRACKETS_MAX = 4000, /* json-glib's parser calls itself for every level */
    FILES_MAX = CONFIG_DRIVES_MAX + 2,
};

#define NS_PER_SECOND INT64_C(1000000000)

/* --- Files that the guest uses -------------------------------------------------------------- */

struct guest_file {
    const char *name, *path;
};

static unsigned files_of(const OrielConfig *config, struct guest_file files[FILES_MAX])
{
    unsigned n = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (drive->path) {
            files[n++] = (struct guest_file){ drive->id, drive->path };
        }
    }
    if (config->kernel) {
        files[n++] = (struct guest_file){ "kernel", config->kernel };
    }
    if (config->initrd) {
        files[n++] = (struct guest_file){ "initrd", config->initrd };
    }
    return n;
}

/* 0 or an errno value. */
static int file_look(const char *folder, const char *path, gint64 *size, gint64 *modified)
{
    int directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    int result = directory >= 0 && fstatat(directory, path, &status, 0) == 0 ? 0 : errno;

    if (directory >= 0) {
        close(directory);
    }
    if (result == 0) {
        *size = status.st_size;
        *modified = (gint64)status.st_mtim.tv_sec * NS_PER_SECOND + status.st_mtim.tv_nsec;
    }
    return result;
}

/* --- Writing -------------------------------------------------------------------------------- */

static void put_string(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value);
}

static void put_number(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

/* Without what is none of the guest's business: a password has nothing to do in here. */
static JsonNode *config_node(const OrielConfig *config)
{
    g_autoptr(OrielConfig) copy = oriel_config_copy(config);

    g_clear_pointer(&copy->vnc_listen, g_free);
    g_clear_pointer(&copy->vnc_password, g_free);
    return oriel_config_to_json(copy);
}

static char *node_hash(JsonNode *node)
{
    g_autofree char *text = json_to_string(node, FALSE);

    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

static bool put_files(JsonBuilder *builder, const struct saved_content *content, GError **error)
{
    struct guest_file files[FILES_MAX];
    unsigned n = files_of(content->config, files);

    json_builder_set_member_name(builder, "files");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < n; i++) {
        gint64 size, modified;
        int number = file_look(content->folder, files[i].path, &size, &modified);

        if (number != 0) {
            oriel_error_set_errno(error, number,
                                  "The machine cannot be saved, because “%s” of “%s” cannot be "
                                  "looked at",
                                  files[i].path, files[i].name);
            return false;
        }
        json_builder_begin_object(builder);
        put_string(builder, "name", files[i].name);
        put_string(builder, "path", files[i].path);
        put_number(builder, "size", size);
        put_number(builder, "modified", modified);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return true;
}

static void put_parts(JsonBuilder *builder, const struct saved_content *content)
{
    json_builder_set_member_name(builder, "memory");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < content->n_regions; i++) {
        json_builder_begin_object(builder);
        put_string(builder, "name", content->regions[i].name);
        put_number(builder, "size", (gint64)content->regions[i].size);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "devices");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < content->n_devices; i++) {
        json_builder_begin_object(builder);
        put_string(builder, "name", content->devices[i].name);
        put_string(builder, "class", content->devices[i].class);
        put_number(builder, "version", content->devices[i].version);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

char *manifest_text(const struct saved_content *content, const OrielConfig *settings,
                    uint64_t state_length, uint32_t state_crc, uint64_t ram_length, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    JsonNode *config = config_node(content->config);
    g_autofree char *hash = node_hash(config);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format_iso8601(now);

    json_builder_begin_object(builder);
    put_number(builder, "version", MANIFEST_VERSION);
    put_string(builder, "machine", SAVED_MACHINE_TYPE);
    put_string(builder, "date", date);
    json_builder_set_member_name(builder, "configuration");
    json_builder_add_value(builder, config);
    put_string(builder, "configuration-hash", hash);
    json_builder_set_member_name(builder, "settings");
    json_builder_add_value(builder, config_node(settings));
    put_parts(builder, content);
    if (!put_files(builder, content, error)) {
        return NULL;
    }
    json_builder_set_member_name(builder, "state");
    json_builder_begin_object(builder);
    put_number(builder, "length", (gint64)state_length);
    put_number(builder, "crc32", state_crc);
    json_builder_end_object(builder);
    json_builder_set_member_name(builder, "ram");
    json_builder_begin_object(builder);
    put_number(builder, "length", (gint64)ram_length);
    json_builder_end_object(builder);
    json_builder_end_object(builder);

    g_autoptr(JsonNode) root = json_builder_get_root(builder);

    return json_to_string(root, TRUE);
}

/* --- Reading -------------------------------------------------------------------------------- */

static JsonNode *parse(const char *text, size_t length)
{
    g_autofree char *copy = g_strndup(text, length);
    unsigned brackets = 0;

    if (strlen(copy) != length || !g_utf8_validate(copy, (gssize)length, NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        brackets += text[i] == '[' || text[i] == '{';
    }
    return brackets <= BRACKETS_MAX ? json_from_string(copy, NULL) : NULL;
}

static JsonNode *member(JsonObject *object, const char *name, JsonNodeType type)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_TYPE(node) == type ? node : NULL;
}

static JsonObject *member_object(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_OBJECT);

    return node ? json_node_get_object(node) : NULL;
}

static const char *member_string(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);

    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
                                                                   : "";
}

/* -1 if it is no number from 0 on. */
static gint64 member_number(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_VALUE);
    gint64 value =
        node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;

    return value >= 0 ? value : -1;
}

static JsonArray *member_array(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_ARRAY);

    return node ? json_node_get_array(node) : NULL;
}

/* The element of an array of objects whose "name" is `name`. */
static JsonObject *element_named(JsonArray *array, const char *name)
{
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (JSON_NODE_HOLDS_OBJECT(node) &&
            strcmp(member_string(json_node_get_object(node), "name"), name) == 0) {
            return json_node_get_object(node);
        }
    }
    return NULL;
}

static OrielConfig *config_member(JsonObject *object, const char *name)
{
    JsonNode *node = member(object, name, JSON_NODE_OBJECT);
    g_autofree char *text = node ? json_to_string(node, FALSE) : NULL;

    return text ? oriel_config_from_data(text, strlen(text), name, NULL) : NULL;
}

/* The number of files is the configuration's, each is there, and none has changed. */
static bool files_check(JsonArray *array, const char *folder, const OrielConfig *config,
                        GError **error)
{
    struct guest_file files[FILES_MAX];
    unsigned n = files_of(config, files);

    if (!array || json_array_get_length(array) != n) {
        return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest is damaged");
    }
    for (unsigned i = 0; i < n; i++) {
        JsonObject *entry = element_named(array, files[i].name);
        gint64 size = 0, modified = 0;
        int number = file_look(folder, files[i].path, &size, &modified);

        if (!entry || strcmp(member_string(entry, "path"), files[i].path) != 0) {
            return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest is damaged");
        }
        if (number != 0) {
            return saved_refuse(config, error,
                                number == ENOENT ? ORIEL_ERROR_NOT_FOUND : ORIEL_ERROR_HOST,
                                "“%s”, which it has as “%s”, cannot be opened (%s)", files[i].path,
                                files[i].name, g_strerror(number));
        }
        if (size != member_number(entry, "size") || modified != member_number(entry, "modified")) {
            return saved_refuse(config, error, ORIEL_ERROR_INVALID,
                                "“%s”, which it has as “%s”, was changed after it was saved",
                                files[i].path, files[i].name);
        }
    }
    return true;
}

static bool configs_check(struct manifest *manifest, JsonObject *object, const OrielConfig *config,
                          GError **error)
{
    g_autoptr(OrielConfig) settings = config_member(object, "settings");
    JsonNode *node = member(object, "configuration", JSON_NODE_OBJECT);
    g_autofree char *hash = node ? node_hash(node) : NULL;
    g_autofree char *key = NULL;

    manifest->config = config_member(object, "configuration");
    if (!settings || !manifest->config ||
        strcmp(hash, member_string(object, "configuration-hash")) != 0) {
        return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest is damaged");
    }
    if (strcmp(manifest->config->uuid, config->uuid) != 0) {
        return saved_refuse(config, error, ORIEL_ERROR_INVALID,
                            "it is the state of another machine");
    }
    key = oriel_config_guest_difference(settings, config);
    if (key) {
        return saved_refuse(config, error, ORIEL_ERROR_INVALID,
                            "its setting “%s” was changed after it was saved", key);
    }
    oriel_config_take_unseen(manifest->config, config);
    return true;
}

bool manifest_read(struct manifest *manifest, const char *text, size_t length, const char *folder,
                   const OrielConfig *config, GError **error)
{
    JsonObject *object;
    gint64 state_length, state_crc, ram_length;

    *manifest = (struct manifest){ .root = parse(text, length) };
    object = manifest->root && JSON_NODE_HOLDS_OBJECT(manifest->root)
                 ? json_node_get_object(manifest->root)
                 : NULL;
    if (!object || member_number(object, "version") < 1) {
        return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest is damaged");
    }
    if (member_number(object, "version") > MANIFEST_VERSION) {
        return saved_refuse(config, error, ORIEL_ERROR_INVALID,
                            "it was saved by a newer version of Oriel");
    }
    if (strcmp(member_string(object, "machine"), SAVED_MACHINE_TYPE) != 0) {
        return saved_refuse(config, error, ORIEL_ERROR_INVALID,
                            "it was saved by another version of Oriel, as a machine of type “%s”",
                            member_string(object, "machine"));
    }
    state_length = member_number(member_object(object, "state"), "length");
    state_crc = member_number(member_object(object, "state"), "crc32");
    ram_length = member_number(member_object(object, "ram"), "length");
    if (state_length < 0 || state_crc < 0 || state_crc > UINT32_MAX || ram_length < 0) {
        return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest is damaged");
    }
    manifest->state_length = (uint64_t)state_length;
    manifest->state_crc = (uint32_t)state_crc;
    manifest->ram_length = (uint64_t)ram_length;
    return configs_check(manifest, object, config, error) &&
           files_check(member_array(object, "files"), folder, manifest->config, error);
}

void manifest_clear(struct manifest *manifest)
{
    g_clear_pointer(&manifest->config, oriel_config_free);
    g_clear_pointer(&manifest->root, json_node_unref);
}

bool manifest_has_devices(const struct manifest *manifest, const struct saved_device *devices,
                          unsigned n, char **which)
{
    JsonArray *array = member_array(json_node_get_object(manifest->root), "devices");

    for (unsigned i = 0; i < n; i++) {
        JsonObject *entry = element_named(array, devices[i].name);

        if (!entry || strcmp(member_string(entry, "class"), devices[i].class) != 0 ||
            member_number(entry, "version") != (gint64)devices[i].version) {
            *which = g_strdup(devices[i].name);
            return false;
        }
    }
    return array && json_array_get_length(array) == n;
}
