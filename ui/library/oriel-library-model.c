/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-library-model.h. */
#include "library/oriel-library-model.h"

#include <string.h>

#include "media/oriel-system.h"
#include "base/oriel-state.h"

struct _OrielLibraryModel {
    GObject parent_instance;
    OrielMachineList *list;
    GPtrArray *watched; /* the list's items, in its order: what handlers are connected to */
    GtkFilter *filter;
    GtkSorter *sorter;
    GtkSortListModel *view;
    char **words; /* of the search, folded; NULL: none */
    char *tag;
    OrielLibrarySort sort;
    guint refresh; /* source: machines changed */
};

G_DEFINE_FINAL_TYPE(OrielLibraryModel, oriel_library_model, G_TYPE_OBJECT)

static guint signal_tags_changed;

/* When the machine was last used, as seconds since 1970, kept with the item; 0: never. */
static GQuark last_used_quark(void)
{
    return g_quark_from_static_string("oriel-last-used");
}

static gint64 last_used(OrielMachineItem *item)
{
    const gint64 *time = g_object_get_qdata(G_OBJECT(item), last_used_quark());

    return time ? *time : 0;
}

typedef struct {
    char *name, *key;
} SortKey;

static void sort_key_free(gpointer data)
{
    SortKey *key = data;

    g_free(key->name);
    g_free(key->key);
    g_free(key);
}

/* The name in a form that strcmp() puts in the user's order ("2" before "10"); kept with the item.
 */
static const char *sort_key(OrielMachineItem *item)
{
    static GQuark quark;
    const char *name = oriel_machine_item_get_name(item);
    SortKey *key;

    quark = quark ? quark : g_quark_from_static_string("oriel-sort-key");
    key = g_object_get_qdata(G_OBJECT(item), quark);
    if (!key || !g_str_equal(key->name, name)) {
        key = g_new(SortKey, 1);
        key->name = g_strdup(name);
        key->key = g_utf8_collate_key_for_filename(name, -1);
        g_object_set_qdata_full(G_OBJECT(item), quark, key, sort_key_free);
    }
    return key->key;
}

/* The text that is searched, folded. g_free(). */
static char *folded(const char *text)
{
    g_autofree char *normal = g_utf8_normalize(text, -1, G_NORMALIZE_ALL);
    g_autofree char *ascii = normal ? g_str_to_ascii(normal, NULL) : g_strdup("");

    return g_utf8_casefold(ascii, -1);
}

static char *searched_text_make(OrielMachineItem *item)
{
    g_autofree char *os = oriel_state_setting(item, "os");
    g_autofree char *tags = oriel_state_setting(item, "tags");
    g_autofree char *notes = oriel_state_setting(item, "notes");
    g_autofree char *all = g_strjoin("\n", oriel_machine_item_get_name(item),
                                     *os ? oriel_system_find(os)->name : "", tags, notes, NULL);

    return folded(all);
}

static GQuark searched_text_quark(void)
{
    return g_quark_from_static_string("oriel-searched-text");
}

/* Kept with the item, as every letter of a search looks at all of them. */
static const char *searched_text(OrielMachineItem *item)
{
    char *text = g_object_get_qdata(G_OBJECT(item), searched_text_quark());

    if (!text) {
        text = searched_text_make(item);
        g_object_set_qdata_full(G_OBJECT(item), searched_text_quark(), text, g_free);
    }
    return text;
}

static char **tags_of(OrielMachineItem *item)
{
    g_autofree char *text = oriel_state_setting(item, "tags");
    char **tags = g_strsplit(text, ",", -1);

    for (char **tag = tags; *tag; tag++) {
        g_strstrip(*tag);
    }
    return tags;
}

static gboolean matches(gpointer object, gpointer data)
{
    OrielLibraryModel *model = data;
    OrielMachineItem *item = object;

    if (model->tag) {
        g_auto(GStrv) tags = tags_of(item);

        if (!g_strv_contains((const char *const *)tags, model->tag)) {
            return FALSE;
        }
    }
    if (model->words) {
        const char *text = searched_text(item);

        for (char **word = model->words; *word; word++) {
            if (!strstr(text, *word)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

static int compare(gconstpointer a, gconstpointer b, gpointer data)
{
    OrielLibraryModel *model = data;
    OrielMachineItem *first = (OrielMachineItem *)a, *second = (OrielMachineItem *)b;
    int order = 0;

    if (model->sort == ORIEL_LIBRARY_SORT_STATE) {
        order = oriel_state_rank(oriel_machine_item_get_state(first)) -
                oriel_state_rank(oriel_machine_item_get_state(second));
    } else if (model->sort == ORIEL_LIBRARY_SORT_LAST_USED) {
        gint64 first_time = last_used(first), second_time = last_used(second);

        order = (first_time < second_time) - (first_time > second_time);
    }
    return order ? order : strcmp(sort_key(first), sort_key(second));
}

static gboolean refresh_now(gpointer data)
{
    OrielLibraryModel *model = data;

    model->refresh = 0;
    gtk_filter_changed(model->filter, GTK_FILTER_CHANGE_DIFFERENT);
    gtk_sorter_changed(model->sorter, GTK_SORTER_CHANGE_DIFFERENT);
    g_signal_emit(model, signal_tags_changed, 0);
    return G_SOURCE_REMOVE;
}

/* Many machines may change at once: sorted again when all have told. */
static void refresh_soon(OrielLibraryModel *model)
{
    if (!model->refresh) {
        model->refresh = g_idle_add(refresh_now, model);
    }
}

typedef struct {
    GWeakRef model;
    OrielMachineItem *item;
} Reading;

static void time_read(GObject *source, GAsyncResult *result, gpointer data)
{
    Reading *reading = data;
    g_autoptr(OrielLibraryModel) model = g_weak_ref_get(&reading->model);
    g_autoptr(GFileInfo) info = g_file_query_info_finish(G_FILE(source), result, NULL);

    if (info && model) {
        gint64 *time = g_new(gint64, 1);

        *time = (gint64)g_file_info_get_attribute_uint64(info, G_FILE_ATTRIBUTE_TIME_MODIFIED);
        g_object_set_qdata_full(G_OBJECT(reading->item), last_used_quark(), time, g_free);
        refresh_soon(model);
    }
    g_weak_ref_clear(&reading->model);
    g_object_unref(reading->item);
    g_free(reading);
}

/* A machine is used as long as its engine writes its log. */
static void last_used_read(OrielLibraryModel *model, OrielMachineItem *item)
{
    const char *folder = oriel_machine_item_get_folder(item);
    g_autoptr(GFile) log = NULL;
    Reading *reading;

    if (!folder) {
        return;
    }
    reading = g_new0(Reading, 1);
    g_weak_ref_init(&reading->model, model);
    reading->item = g_object_ref(item);
    log = g_file_new_build_filename(folder, "log", "engine.log", NULL);
    g_file_query_info_async(log, G_FILE_ATTRIBUTE_TIME_MODIFIED, G_FILE_QUERY_INFO_NONE,
                            G_PRIORITY_LOW, NULL, time_read, reading);
}

static void settings_changed(OrielMachineItem *item, GParamSpec *spec, OrielLibraryModel *model)
{
    g_object_set_qdata(G_OBJECT(item), searched_text_quark(), NULL);
    refresh_soon(model);
}

static void state_changed(OrielLibraryModel *model)
{
    if (model->sort == ORIEL_LIBRARY_SORT_STATE) {
        refresh_soon(model);
    }
}

static void watch(OrielLibraryModel *model, OrielMachineItem *item)
{
    g_signal_connect(item, "notify::name", G_CALLBACK(settings_changed), model);
    g_signal_connect(item, "notify::config", G_CALLBACK(settings_changed), model);
    g_signal_connect_swapped(item, "notify::state", G_CALLBACK(state_changed), model);
    if (model->sort == ORIEL_LIBRARY_SORT_LAST_USED) {
        last_used_read(model, item);
    }
}

static void unwatch_all(OrielLibraryModel *model, guint first, guint number)
{
    for (guint i = first; i < first + number; i++) {
        g_signal_handlers_disconnect_by_data(g_ptr_array_index(model->watched, i), model);
    }
    if (number) {
        g_ptr_array_remove_range(model->watched, first, number);
    }
}

static void items_changed(GListModel *list, guint position, guint removed, guint added,
                          gpointer data)
{
    OrielLibraryModel *model = data;

    unwatch_all(model, position, removed);
    for (guint i = 0; i < added; i++) {
        OrielMachineItem *item = g_list_model_get_item(list, position + i);

        g_ptr_array_insert(model->watched, (int)(position + i), item);
        watch(model, item);
    }
    refresh_soon(model);
}

void oriel_library_model_set_search(OrielLibraryModel *model, const char *text)
{
    g_autofree char *all = folded(text ? text : "");

    g_clear_pointer(&model->words, g_strfreev);
    g_strstrip(all);
    if (*all) {
        model->words = g_strsplit(all, " ", -1);
    }
    gtk_filter_changed(model->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

void oriel_library_model_set_tag(OrielLibraryModel *model, const char *tag)
{
    g_free(model->tag);
    model->tag = tag && *tag ? g_strdup(tag) : NULL;
    gtk_filter_changed(model->filter, GTK_FILTER_CHANGE_DIFFERENT);
}

void oriel_library_model_set_sort(OrielLibraryModel *model, OrielLibrarySort sort)
{
    if (model->sort == sort) {
        return;
    }
    model->sort = sort;
    for (guint i = 0; sort == ORIEL_LIBRARY_SORT_LAST_USED && i < model->watched->len; i++) {
        last_used_read(model, g_ptr_array_index(model->watched, i));
    }
    gtk_sorter_changed(model->sorter, GTK_SORTER_CHANGE_DIFFERENT);
}

GListModel *oriel_library_model_get_view(OrielLibraryModel *model)
{
    return G_LIST_MODEL(model->view);
}

static int compare_text(gconstpointer a, gconstpointer b)
{
    return g_utf8_collate(*(const char *const *)a, *(const char *const *)b);
}

char **oriel_library_model_dup_tags(OrielLibraryModel *model)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *sorted = g_ptr_array_new();
    GHashTableIter iter;
    gpointer key;

    for (guint i = 0; i < model->watched->len; i++) {
        g_auto(GStrv) tags = tags_of(g_ptr_array_index(model->watched, i));

        for (char **tag = tags; *tag; tag++) {
            if (**tag) {
                g_hash_table_add(seen, g_strdup(*tag));
            }
        }
    }
    g_hash_table_iter_init(&iter, seen);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_ptr_array_add(sorted, g_strdup(key));
    }
    g_ptr_array_sort(sorted, compare_text);
    g_ptr_array_add(sorted, NULL);
    return (char **)g_ptr_array_free(sorted, FALSE);
}

static void oriel_library_model_dispose(GObject *object)
{
    OrielLibraryModel *model = ORIEL_LIBRARY_MODEL(object);

    g_clear_handle_id(&model->refresh, g_source_remove);
    if (model->list) {
        g_signal_handlers_disconnect_by_data(model->list, model);
        unwatch_all(model, 0, model->watched->len);
    }
    g_clear_object(&model->view);
    g_clear_object(&model->filter);
    g_clear_object(&model->sorter);
    g_clear_object(&model->list);
    G_OBJECT_CLASS(oriel_library_model_parent_class)->dispose(object);
}

static void oriel_library_model_finalize(GObject *object)
{
    OrielLibraryModel *model = ORIEL_LIBRARY_MODEL(object);

    g_ptr_array_unref(model->watched);
    g_strfreev(model->words);
    g_free(model->tag);
    G_OBJECT_CLASS(oriel_library_model_parent_class)->finalize(object);
}

static void oriel_library_model_class_init(OrielLibraryModelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = oriel_library_model_dispose;
    G_OBJECT_CLASS(class)->finalize = oriel_library_model_finalize;
    signal_tags_changed = g_signal_new("tags-changed", ORIEL_TYPE_LIBRARY_MODEL, G_SIGNAL_RUN_LAST,
                                       0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void oriel_library_model_init(OrielLibraryModel *model)
{
    model->watched = g_ptr_array_new_with_free_func(g_object_unref);
}

OrielLibraryModel *oriel_library_model_new(OrielMachineList *list)
{
    OrielLibraryModel *model = g_object_new(ORIEL_TYPE_LIBRARY_MODEL, NULL);
    GtkFilterListModel *filtered;

    model->list = g_object_ref(list);
    model->filter = GTK_FILTER(gtk_custom_filter_new(matches, model, NULL));
    model->sorter = GTK_SORTER(gtk_custom_sorter_new(compare, model, NULL));
    filtered =
        gtk_filter_list_model_new(G_LIST_MODEL(g_object_ref(list)), g_object_ref(model->filter));
    model->view = gtk_sort_list_model_new(G_LIST_MODEL(filtered), g_object_ref(model->sorter));
    g_signal_connect(list, "items-changed", G_CALLBACK(items_changed), model);
    items_changed(G_LIST_MODEL(list), 0, 0, g_list_model_get_n_items(G_LIST_MODEL(list)), model);
    return model;
}
