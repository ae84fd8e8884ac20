/* SPDX-License-Identifier: GPL-3.0-or-later */
/* disk info, convert, check, repair, resize, compact, commit, delete-snapshot. */
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>

#include "disk/oriel-disk.h"
#include "orielctl.h"

enum {
    KEY_WIDTH = 18,
};

static void value_print(const char *key, JsonNode *value)
{
    if (JSON_NODE_HOLDS_ARRAY(value)) {
        JsonArray *array = json_node_get_array(value);

        for (guint i = 0; i < json_array_get_length(array); i++) {
            JsonObject *snapshot = json_array_get_object_element(array, i);
            g_autofree char *text =
                g_strdup_printf("%s “%s” of %s", json_object_get_string_member(snapshot, "id"),
                                json_object_get_string_member(snapshot, "name"),
                                json_object_get_string_member(snapshot, "time"));

            line_print("snapshot", KEY_WIDTH, text);
        }
    } else if (json_node_get_value_type(value) == G_TYPE_INT64 && g_str_has_suffix(key, "-size")) {
        g_autofree char *size = g_format_size_full(
            (guint64)json_node_get_int(value), G_FORMAT_SIZE_IEC_UNITS | G_FORMAT_SIZE_LONG_FORMAT);

        line_print(key, KEY_WIDTH, size);
    } else if (json_node_get_value_type(value) == G_TYPE_STRING) {
        line_print(key, KEY_WIDTH, json_node_get_string(value));
    } else {
        g_autofree char *text = json_to_string(value, FALSE);

        line_print(key, KEY_WIDTH, text);
    }
}

static void object_print(JsonObject *object)
{
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &key, &value)) {
        if (JSON_NODE_HOLDS_OBJECT(value)) {
            object_print(json_node_get_object(value));
        } else {
            value_print(key, value);
        }
    }
}

/* Takes the node. */
static void result_print(const struct call *call, JsonNode *node)
{
    if (call->json) {
        print_json(node);
        return;
    }
    object_print(json_node_get_object(node));
    json_node_unref(node);
}

static gboolean disk_info(const struct call *call, GError **error)
{
    JsonNode *node = oriel_disk_info(call->arguments[1], call_option(call, "from"), NULL, error);

    if (node) {
        result_print(call, node);
    }
    return node != NULL;
}

static gboolean disk_convert(const struct call *call, GError **error)
{
    const OrielDiskOptions options = {
        .from = call_option(call, "from"),
        .to = call_option(call, "to"),
        .snapshot = call_option(call, "snapshot"),
        .cluster_size = call_option(call, "cluster-size"),
        .chain = call_option(call, "chain") != NULL,
        .compress = call_option(call, "compress") != NULL,
        .zstd = call_option(call, "zstd") != NULL,
        .fixed = call_option(call, "fixed") != NULL,
    };
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gboolean good;

    watch_start();
    good = oriel_disk_convert(call->arguments[1], call->arguments[2], &options, watch_progress,
                              cancellable, cancellable, error);
    progress_end();
    if (good && call->json) {
        print_json(json_object_of("file", call->arguments[2], NULL));
    }
    return good;
}

static gboolean not_clean(const struct call *call, JsonNode *node, GError **error)
{
    JsonObject *object = json_node_get_object(node);
    const char *first = json_object_get_string_member_with_default(object, "first-problem", NULL);

    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT,
                first ? _("“%s” is damaged: %s. Repair it with “orielctl disk repair”.")
                      : _("“%s” needs repair: some space in it is lost, or it was not closed "
                          "properly. Repair it with “orielctl disk repair”."),
                call->arguments[1], first);
    return FALSE;
}

static gboolean disk_check(const struct call *call, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    JsonNode *node;
    gboolean good;

    watch_start();
    node = oriel_disk_check(call->arguments[1], call_option(call, "from"), watch_progress,
                            cancellable, cancellable, error);
    progress_end();
    if (!node) {
        return FALSE;
    }
    good = json_object_get_boolean_member(json_node_get_object(node), "clean") ||
           not_clean(call, node, error);
    if (!call->json || good) {
        result_print(call, node);
    } else {
        json_node_unref(node);
    }
    return good;
}

static gboolean disk_repair(const struct call *call, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    JsonNode *node;

    watch_start();
    node = oriel_disk_repair(call->arguments[1], watch_progress, cancellable, cancellable, error);
    progress_end();
    if (node) {
        json_object_remove_member(json_node_get_object(node), "clean");
        result_print(call, node);
    }
    return node != NULL;
}

void resized_print(const struct call *call, JsonNode *node)
{
    const char *next =
        json_object_get_string_member_with_default(json_node_get_object(node), "next", NULL);

    if (call->json) {
        print_json(node);
        return;
    }
    if (next) {
        printf("%s\n", next);
    }
    json_node_unref(node);
}

static gboolean disk_resize(const struct call *call, GError **error)
{
    const OrielDiskResize resize = {
        .size = call->arguments[2],
        .shrink = call_option(call, "shrink") != NULL,
        .grow_partition = call_option(call, "grow-partition") != NULL,
    };
    JsonNode *node =
        oriel_disk_resize(call->arguments[1], call_option(call, "from"), &resize, error);

    if (node) {
        resized_print(call, node);
    }
    return node != NULL;
}

static gboolean disk_compact(const struct call *call, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autofree char *text = NULL;
    guint64 saved;
    gboolean good;

    watch_start();
    good = oriel_disk_compact(call->arguments[1], call_option(call, "from"), &saved, watch_progress,
                              cancellable, cancellable, error);
    progress_end();
    if (!good) {
        return FALSE;
    }
    text = call->json ? g_strdup_printf("%" G_GUINT64_FORMAT, saved)
                      : g_format_size_full(saved, G_FORMAT_SIZE_IEC_UNITS);
    if (call->json) {
        print_json(json_object_of("saved", text, NULL));
    } else {
        printf(_("%s given back\n"), text);
    }
    return TRUE;
}

static gboolean disk_commit(const struct call *call, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    gboolean good;

    watch_start();
    good = oriel_disk_commit(call->arguments[1], watch_progress, cancellable, cancellable, error);
    progress_end();
    return good;
}

static gboolean disk_delete_snapshot(const struct call *call, GError **error)
{
    return oriel_disk_delete_snapshot(call->arguments[1], call->arguments[2], error);
}

gboolean run_disk(const struct call *call, GError **error)
{
    static const struct {
        const char *name;
        guint arguments; /* with the name */
        const char *usage;
        gboolean (*run)(const struct call *call, GError **error);
    } actions[] = {
        { "info", 2, "info FILE", disk_info },
        { "convert", 3, "convert FILE NEW-FILE", disk_convert },
        { "check", 2, "check FILE", disk_check },
        { "repair", 2, "repair FILE", disk_repair },
        { "resize", 3, "resize FILE SIZE", disk_resize },
        { "compact", 2, "compact FILE", disk_compact },
        { "commit", 2, "commit FILE", disk_commit },
        { "delete-snapshot", 3, "delete-snapshot FILE ID", disk_delete_snapshot },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(actions[i].name, call->arguments[0]) != 0) {
            continue;
        }
        if (call->n_arguments != actions[i].arguments) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                        _("Write “orielctl disk %s”; see “orielctl disk --help”."),
                        actions[i].usage);
            return FALSE;
        }
        return actions[i].run(call, error);
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                _("There is no “orielctl disk %s”; see “orielctl disk --help”."),
                call->arguments[0]);
    return FALSE;
}
