/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The structure of a machine's configuration, its settings, and its JSON form. See config.h. */
#include "setting.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const firmware_names[] = { "bios", "uefi", NULL };
static const char *const clock_names[] = { "utc", "local", NULL };
static const char *const drive_kind_names[] = { "disk", "cdrom", NULL };
static const char *const scaling_names[] = {
    "default", "fit", "integer", "actual", "follow", NULL
};
static const char *const format_names[] = { "raw", "qcow2", NULL };
static const char *const pointer_names[] = { "ps2", "virtio-tablet", NULL };
static const char *const video_names[] = { "stdvga", "virtio-gpu", NULL };
static const char *const controller_names[] = { "ahci", "virtio", "nvme", NULL };

static const char *const cache_names[] = { "writeback", "direct", NULL };

#define CONFIG(member) .offset = offsetof(OrielConfig, member)
#define DRIVE(member)  .offset = offsetof(OrielDrive, member)

enum {
    PATH_BYTES = 4095,
    VNC_PASSWORD_BYTES = 8, /* what the protocol's authentication looks at */
};

/* clang-format off */
const struct setting config_settings[] = {
    { "uuid", NULL, "uuid", SETTING_UUID, CONFIG(uuid), .fixed = TRUE, .maximum = 36 },
    { "name", NULL, "name", SETTING_STRING, CONFIG(name), .minimum = 1, .maximum = CONFIG_NAME_MAX, .live = TRUE },
    { "os", NULL, "os", SETTING_STRING, CONFIG(os), .optional = TRUE, .maximum = 64, .live = TRUE },
    { "notes", NULL, "notes", SETTING_LINES, CONFIG(notes), .optional = TRUE, .maximum = CONFIG_NOTES_MAX, .live = TRUE },
    { "tags", NULL, "tags", SETTING_STRING, CONFIG(tags), .optional = TRUE, .maximum = CONFIG_TAGS_MAX, .live = TRUE },
    { "generation-id", NULL, "generation-id", SETTING_UUID, CONFIG(generation_id), .fixed = TRUE, .maximum = 36 },
    { "firmware", "firmware", "type", SETTING_CHOICE, CONFIG(firmware), .choices = firmware_names },
    { "firmware.path", "firmware", "path", SETTING_PATH, CONFIG(firmware_path), .optional = TRUE, .maximum = PATH_BYTES },
    { "cpus", NULL, "cpus", SETTING_COUNT, CONFIG(cpus), .minimum = 1, .maximum = CONFIG_CPUS_MAX },
    { "memory", NULL, "memory", SETTING_SIZE, CONFIG(memory), .minimum = CONFIG_MEMORY_MIN, .maximum = CONFIG_MEMORY_MAX },
    { "video-memory", "video", "memory", SETTING_SIZE, CONFIG(video_memory), .minimum = 8 << 20, .maximum = 256 << 20 },
    { "video.model", "video", "model", SETTING_CHOICE, CONFIG(video), .choices = video_names },
    { "video.displays", "video", "displays", SETTING_COUNT, CONFIG(displays), .minimum = 1, .maximum = CONFIG_DISPLAYS_MAX },
    { "display.scaling", "display", "scaling", SETTING_CHOICE, CONFIG(scaling), .choices = scaling_names, .live = TRUE },
    { "boot-menu", "boot", "menu", SETTING_SWITCH, CONFIG(boot_menu) },
    { "boot-order", "boot", "order", SETTING_STRING, CONFIG(boot_order), .optional = TRUE, .maximum = 200 },
    { "kernel", "boot", "kernel", SETTING_PATH, CONFIG(kernel), .optional = TRUE, .maximum = PATH_BYTES },
    { "initrd", "boot", "initrd", SETTING_PATH, CONFIG(initrd), .optional = TRUE, .maximum = PATH_BYTES },
    { "append", "boot", "append", SETTING_STRING, CONFIG(append), .optional = TRUE, .maximum = CONFIG_APPEND_MAX },
    { "clock", NULL, "clock", SETTING_CHOICE, CONFIG(clock_local), .choices = clock_names },
    { "serials", NULL, "serials", SETTING_COUNT, CONFIG(serials), .maximum = CONFIG_SERIALS_MAX },
    { "input.pointer", "input", "pointer", SETTING_CHOICE, CONFIG(pointer), .choices = pointer_names },
    { "rng", NULL, "rng", SETTING_SWITCH, CONFIG(rng) },
    { "hotplug", NULL, "hotplug", SETTING_SWITCH, CONFIG(hotplug) },
    { "balloon", NULL, "balloon", SETTING_SWITCH, CONFIG(balloon) },
    { "console", NULL, "console", SETTING_SWITCH, CONFIG(console) },
    { "vnc.listen", "vnc", "listen", SETTING_STRING, CONFIG(vnc_listen), .optional = TRUE, .maximum = 100 },
    { "vnc.password", "vnc", "password", SETTING_STRING, CONFIG(vnc_password), .optional = TRUE, .maximum = VNC_PASSWORD_BYTES },
    { NULL },
};

const struct setting drive_settings[] = {
    { "id", NULL, "id", SETTING_STRING, DRIVE(id), .fixed = TRUE, .minimum = 1, .maximum = 16 },
    { "type", NULL, "type", SETTING_CHOICE, DRIVE(kind), .fixed = TRUE, .choices = drive_kind_names },
    { "format", NULL, "format", SETTING_CHOICE, DRIVE(format), .fixed = TRUE, .choices = format_names },
    { "path", NULL, "path", SETTING_STRING, DRIVE(path), .optional = TRUE, .maximum = PATH_BYTES },
    { "read-only", NULL, "read-only", SETTING_SWITCH, DRIVE(read_only) },
    { "controller", NULL, "controller", SETTING_CHOICE, DRIVE(controller), .choices = controller_names },
    { "cache", NULL, "cache", SETTING_CHOICE, DRIVE(cache), .choices = cache_names },
    { "port", NULL, "port", SETTING_COUNT, DRIVE(port), .maximum = CONFIG_PORTS_MAX },
    { "iops-limit", NULL, "iops-limit", SETTING_COUNT, DRIVE(iops_limit), .maximum = CONFIG_IOPS_MAX, .live = TRUE },
    { "bandwidth-limit", NULL, "bandwidth-limit", SETTING_SIZE, DRIVE(bandwidth_limit), .maximum = CONFIG_BANDWIDTH_MAX, .live = TRUE },
    { NULL },
};
/* clang-format on */

/* --- The structure ---------------------------------------------------------------------------- */

static void drive_free(void *data)
{
    OrielDrive *drive = data;

    setting_clear(drive_settings, drive);
    g_clear_pointer(&drive->unknown, json_object_unref);
    g_free(drive);
}

static OrielConfig *config_alloc(void)
{
    OrielConfig *config = g_new0(OrielConfig, 1);

    config->drives = g_ptr_array_new_with_free_func(drive_free);
    config->networks = g_ptr_array_new_with_free_func(network_free);
    return config;
}

static void set_defaults(OrielConfig *config)
{
    config->cpus = 1;
    config->memory = G_GUINT64_CONSTANT(1) << 30;
    config->video_memory = 16 << 20;
    config->displays = 1;
    config->serials = 1;
    config->pointer = ORIEL_POINTER_VIRTIO_TABLET;
    config->rng = TRUE;
    config->balloon = TRUE;
}

OrielConfig *oriel_config_new(const char *name)
{
    OrielConfig *config = config_alloc();

    set_defaults(config);
    config->uuid = g_uuid_string_random();
    config->generation_id = g_uuid_string_random();
    config->name = g_strdup(name);
    return config;
}

void oriel_config_free(OrielConfig *config)
{
    if (config == NULL) {
        return;
    }
    setting_clear(config_settings, config);
    g_ptr_array_unref(config->drives);
    g_ptr_array_unref(config->networks);
    g_clear_pointer(&config->unknown, json_object_unref);
    g_free(config);
}

/* Kept unknown keys are never changed after loading, so copies share them. */
OrielConfig *oriel_config_copy(const OrielConfig *config)
{
    OrielConfig *copy = config_alloc();

    setting_copy(config_settings, config, copy);
    copy->unknown = config->unknown != NULL ? json_object_ref(config->unknown) : NULL;
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *from = config->drives->pdata[i];
        OrielDrive *to = g_new0(OrielDrive, 1);

        setting_copy(drive_settings, from, to);
        to->unknown = from->unknown != NULL ? json_object_ref(from->unknown) : NULL;
        g_ptr_array_add(copy->drives, to);
    }
    networks_copy(config->networks, copy->networks);
    return copy;
}

OrielDrive *oriel_config_find_drive(const OrielConfig *config, const char *id)
{
    for (guint i = 0; i < config->drives->len; i++) {
        OrielDrive *drive = config->drives->pdata[i];

        if (g_strcmp0(drive->id, id) == 0) {
            return drive;
        }
    }
    return NULL;
}

OrielDrive *oriel_config_add_drive(OrielConfig *config, OrielDriveKind kind, const char *path,
                                   GError **error)
{
    OrielDrive *drive;

    if (config->drives->len >= CONFIG_DRIVES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has %d drives already, and no machine can have more."), config->name,
                    CONFIG_DRIVES_MAX);
        return NULL;
    }
    drive = g_new0(OrielDrive, 1);
    for (unsigned n = 0; drive->id == NULL; n++) {
        g_autofree char *id = g_strdup_printf("%s%u", drive_kind_names[kind], n);

        if (oriel_config_find_drive(config, id) == NULL) {
            drive->id = g_steal_pointer(&id);
        }
    }
    drive->kind = kind;
    drive->path = g_strdup(path);
    drive->read_only = kind == ORIEL_DRIVE_CDROM;
    g_ptr_array_add(config->drives, drive);
    return drive;
}

/* What is in a slot, as bits. */
static guint ports_taken(const OrielConfig *config)
{
    guint taken = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        taken |= 1u << ((const OrielDrive *)config->drives->pdata[i])->port;
    }
    for (guint i = 0; i < config->networks->len; i++) {
        taken |= 1u << ((const OrielNetwork *)config->networks->pdata[i])->port;
    }
    return taken;
}

guint oriel_config_free_port(const OrielConfig *config)
{
    guint taken = ports_taken(config);

    for (guint port = 1; config->hotplug && port <= CONFIG_PORTS_MAX; port++) {
        if (!(taken & 1u << port)) {
            return port;
        }
    }
    return 0;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* Adds what `to` lacks; objects on both sides are merged, so `to` must be ours alone. */
static void merge_unknown(JsonObject *to, JsonObject *from)
{
    g_autoptr(GList) names = json_object_get_members(from);

    for (GList *l = names; l != NULL; l = l->next) {
        JsonNode *theirs = json_object_get_member(from, l->data);
        JsonNode *ours = json_object_get_member(to, l->data);

        if (ours == NULL) {
            json_object_set_member(to, l->data, json_node_copy(theirs));
        } else if (JSON_NODE_HOLDS_OBJECT(ours) && JSON_NODE_HOLDS_OBJECT(theirs)) {
            merge_unknown(json_node_get_object(ours), json_node_get_object(theirs));
        }
    }
}

JsonNode *oriel_config_to_json(const OrielConfig *config)
{
    JsonObject *object = json_object_new();
    JsonArray *drives = json_array_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_int_member(object, "version", CONFIG_VERSION);
    setting_put(config_settings, config, object);
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];
        JsonObject *each = json_object_new();

        setting_put(drive_settings, drive, each);
        if (drive->unknown != NULL) {
            merge_unknown(each, drive->unknown);
        }
        json_array_add_object_element(drives, each);
    }
    json_object_set_array_member(object, "drives", drives);
    json_object_set_array_member(object, "networks", networks_put(config->networks, merge_unknown));
    if (config->unknown != NULL) {
        merge_unknown(object, config->unknown);
    }
    json_node_take_object(node, object);
    return node;
}

static gboolean take_version(JsonObject *object, const char *source, GError **error)
{
    JsonNode *node = json_object_get_member(object, "version");

    if (node == NULL || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < 1) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("%s is not a machine: it has no version number."), source);
        return FALSE;
    }
    if (json_node_get_int(node) > CONFIG_VERSION) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
            _("%s was written by a newer version of Oriel. Update Oriel to use this machine."),
            source);
        return FALSE;
    }
    json_object_remove_member(object, "version");
    return TRUE;
}

static gboolean take_drives(OrielConfig *config, JsonObject *object, const char *source,
                            GError **error)
{
    JsonNode *node = json_object_get_member(object, "drives");
    JsonArray *array;

    if (node == NULL) {
        return TRUE;
    }
    array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    if (array == NULL || json_array_get_length(array) > CONFIG_DRIVES_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("%s: “drives” must be a list of at most %d drives."), source,
                    CONFIG_DRIVES_MAX);
        return FALSE;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        g_autofree char *where = g_strdup_printf(_("%s: drive %u"), source, i + 1);
        OrielDrive *drive = g_new0(OrielDrive, 1);

        g_ptr_array_add(config->drives, drive);
        if (!JSON_NODE_HOLDS_OBJECT(element)) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                        _("%s must be an object in braces."), where);
            return FALSE;
        }
        drive->unknown = json_object_ref(json_node_get_object(element));
        if (!setting_take(drive_settings, drive, drive->unknown, where, error)) {
            return FALSE;
        }
        drive->read_only |= drive->kind == ORIEL_DRIVE_CDROM;
    }
    json_object_remove_member(object, "drives");
    return TRUE;
}

/*
 * json-glib's parser calls itself for every level, so their number must be bounded before it sees
 * the text. Counting every bracket, also those in strings and comments, needs no parser to be
 * right.
 */
static gboolean levels_bounded(const char *data, gsize length)
{
    enum { BRACKETS_MAX = 1000 };
    unsigned brackets = 0;

    for (gsize i = 0; i < length; i++) {
        brackets += data[i] == '[' || data[i] == '{';
    }
    return brackets <= BRACKETS_MAX;
}

static JsonObject *parse(JsonParser *parser, const char *data, gsize length, const char *source,
                         GError **error)
{
    g_autoptr(GError) why = NULL;
    JsonNode *root;

    if (memchr(data, '\0', length) != NULL || !g_utf8_validate(data, (gssize)length, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("%s is damaged: it is not text. The folder “revisions” beside it may hold an "
                      "earlier version."),
                    source);
        return NULL;
    }
    if (!levels_bounded(data, length)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("%s is damaged: no machine needs so many lists and objects."), source);
        return NULL;
    }
    if (!json_parser_load_from_data(parser, data, (gssize)length, &why)) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
            _("%s is damaged (%s). The folder “revisions” beside it may hold an earlier version."),
            source, why->message);
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                    _("%s is damaged: there is no object in it. The folder “revisions” beside it "
                      "may hold an earlier version."),
                    source);
        return NULL;
    }
    return json_node_get_object(root);
}

/* What comes and goes is behind what stays, whose places do not change by it. */
static void slots_last(OrielConfig *config)
{
    for (guint i = 0, n = config->drives->len; n > 0; n--) {
        if (((const OrielDrive *)config->drives->pdata[i])->port == 0) {
            i++;
        } else {
            g_ptr_array_add(config->drives, g_ptr_array_steal_index(config->drives, i));
        }
    }
    for (guint i = 0, n = config->networks->len; n > 0; n--) {
        if (((const OrielNetwork *)config->networks->pdata[i])->port == 0) {
            i++;
        } else {
            g_ptr_array_add(config->networks, g_ptr_array_steal_index(config->networks, i));
        }
    }
}

OrielConfig *oriel_config_from_data(const char *data, gsize length, const char *source,
                                    GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(OrielConfig) config = config_alloc();
    JsonObject *object = parse(parser, data, length, source, error);

    if (object == NULL || !take_version(object, source, error)) {
        return NULL;
    }
    set_defaults(config);
    config->unknown = json_object_ref(object);
    if (!setting_take(config_settings, config, object, source, error) ||
        !take_drives(config, object, source, error) ||
        !networks_take(config, object, source, error)) {
        return NULL;
    }
    if (!oriel_config_check(config, error)) {
        g_prefix_error(error, "%s: ", source);
        return NULL;
    }
    slots_last(config);
    return g_steal_pointer(&config);
}

/* --- Settings by key -------------------------------------------------------------------------- */

/* The setting that a key names, and the structure that holds it; "cdrom0.path" leads into a drive,
 * "net0.link" into a network card. */
static const struct setting *find_key(const OrielConfig *config, const char *key, void **base)
{
    const struct setting *setting = setting_find(config_settings, key);
    const char *dot = strrchr(key, '.');
    g_autofree char *id = NULL;

    *base = (void *)config;
    if (setting != NULL || dot == NULL) {
        return setting;
    }
    id = g_strndup(key, (gsize)(dot - key));
    *base = oriel_config_find_drive(config, id);
    if (*base != NULL) {
        return setting_find(drive_settings, dot + 1);
    }
    *base = oriel_config_find_network(config, id);
    return *base != NULL ? setting_find(network_settings, dot + 1) : NULL;
}

static const struct setting *find_key_or_error(const OrielConfig *config, const char *key,
                                               void **base, GError **error)
{
    const struct setting *setting = find_key(config, key, base);

    if (setting == NULL) {
        g_auto(GStrv) keys = oriel_config_keys(config);
        g_autofree char *all = g_strjoinv(", ", keys);

        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” has no setting “%s”. Its settings are: %s."), config->name, key, all);
    }
    return setting;
}

gboolean oriel_config_set(OrielConfig *config, const char *key, const char *value, GError **error)
{
    void *base;
    const struct setting *setting = find_key_or_error(config, key, &base, error);

    if (setting == NULL) {
        return FALSE;
    }
    if (setting->fixed) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” cannot be changed."), key);
        return FALSE;
    }
    return setting_set(setting, base, value, error);
}

char *oriel_config_get(const OrielConfig *config, const char *key, GError **error)
{
    void *base;
    const struct setting *setting = find_key_or_error(config, key, &base, error);

    return setting != NULL ? setting_get(setting, base) : NULL;
}

gboolean oriel_config_key_fixed(const OrielConfig *config, const char *key)
{
    void *base;
    const struct setting *setting = find_key(config, key, &base);

    return setting == NULL || setting->fixed;
}

/* Media of CD drives change under the guest. */
gboolean oriel_config_key_live(const OrielConfig *config, const char *key)
{
    void *base;
    const struct setting *setting = find_key(config, key, &base);

    return setting != NULL && (setting->live || (setting == setting_find(drive_settings, "path") &&
                                                 ((OrielDrive *)base)->kind == ORIEL_DRIVE_CDROM));
}

static void add_missing(GStrvBuilder *found, const OrielConfig *config, const OrielConfig *other)
{
    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (oriel_config_find_drive(other, drive->id) == NULL) {
            g_strv_builder_add(found, drive->id);
        }
    }
    for (guint i = 0; i < config->networks->len; i++) {
        const OrielNetwork *network = config->networks->pdata[i];

        if (oriel_config_find_network(other, network->id) == NULL) {
            g_strv_builder_add(found, network->id);
        }
    }
}

char **oriel_config_differences(const OrielConfig *config, const OrielConfig *other)
{
    g_auto(GStrv) keys = oriel_config_keys(config);
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();

    for (char **key = keys; *key != NULL; key++) {
        g_autofree char *ours = oriel_config_get(config, *key, NULL);
        g_autofree char *theirs = oriel_config_get(other, *key, NULL);

        if (theirs != NULL && strcmp(ours, theirs) != 0) {
            g_strv_builder_add(found, *key);
        }
    }
    add_missing(found, config, other);
    add_missing(found, other, config);
    return g_strv_builder_end(found);
}

/* The keys of one element of a list but its id. */
static void add_keys(GPtrArray *keys, const char *id, const struct setting *table)
{
    for (const struct setting *setting = table; setting->key != NULL; setting++) {
        if (strcmp(setting->key, "id") != 0) {
            g_ptr_array_add(keys, g_strdup_printf("%s.%s", id, setting->key));
        }
    }
}

char **oriel_config_keys(const OrielConfig *config)
{
    GPtrArray *keys = g_ptr_array_new();

    for (const struct setting *setting = config_settings; setting->key != NULL; setting++) {
        g_ptr_array_add(keys, g_strdup(setting->key));
    }
    for (guint i = 0; i < config->drives->len; i++) {
        add_keys(keys, ((OrielDrive *)config->drives->pdata[i])->id, drive_settings);
    }
    for (guint i = 0; i < config->networks->len; i++) {
        add_keys(keys, ((OrielNetwork *)config->networks->pdata[i])->id, network_settings);
    }
    g_ptr_array_add(keys, NULL);
    return (char **)g_ptr_array_free(keys, FALSE);
}
