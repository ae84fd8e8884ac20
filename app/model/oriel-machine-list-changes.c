/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making, deleting, adding and forgetting machines. See oriel-machine-list.h. */
#include <glib/gi18n-lib.h>

#include "oriel-machine-list-private.h"
#include "oriel-objects.h"

/* --- Making ----------------------------------------------------------------------------------- */

/* The row that stands for the machine until it is there. */
struct making {
    OrielMachineList *list;
    OrielMachineItem *item;
};

static void making_free(gpointer data, GClosure *closure)
{
    struct making *making = data;

    g_object_unref(making->list);
    g_object_unref(making->item);
    g_free(making);
}

static void making_ended(OrielOperation *operation, gpointer data)
{
    struct making *making = data;
    const char *folder = oriel_operation_get_result(operation);

    machine_item_set_operation(making->item, NULL);
    if (oriel_operation_get_error(operation) || !folder || !*folder) {
        machine_list_remove(making->list, making->item);
    } else if (!making->list->disposed) {
        machine_item_follow(making->item, folder);
    }
}

static void outcomes_set(OrielMachineItem *item, const char *failed)
{
    g_autofree char *done = g_strdup_printf(_("“%s” Is Ready"), item->name);

    oriel_operation_set_outcomes(item->operation, done, failed);
}

OrielMachineItem *oriel_machine_list_make(OrielMachineList *list, const char *name,
                                          const char *title, OrielOperationWork work, gpointer data,
                                          GDestroyNotify free_data)
{
    g_autoptr(OrielOperation) operation = oriel_operation_new(title);
    OrielMachineItem *item = machine_item_new_pending(name);
    struct making *making = g_new0(struct making, 1);

    making->list = g_object_ref(list);
    making->item = item;
    /* Under way before anybody sees it; its end comes later, by the main context. */
    oriel_operation_run(operation, work, data, free_data);
    machine_item_set_operation(item, operation);
    machine_list_add_one(list, item);
    /* After the caller's handlers, which may ask the row for its operation. */
    g_signal_connect_data(operation, "ended", G_CALLBACK(making_ended), making, making_free,
                          G_CONNECT_AFTER);
    return item;
}

struct creation {
    OrielCreateOptions options;
};

static const char **creation_texts(struct creation *creation, gsize index)
{
    OrielCreateOptions *o = &creation->options;
    const char **texts[] = { &o->name,   &o->cdrom,  &o->disk,     &o->controller,
                             &o->memory, &o->cpus,   &o->firmware, &o->kernel,
                             &o->initrd, &o->append, &o->folder };

    return index < G_N_ELEMENTS(texts) ? texts[index] : NULL;
}

static void creation_free(gpointer data)
{
    struct creation *creation = data;
    const char **text;

    for (gsize i = 0; (text = creation_texts(creation, i)); i++) {
        g_free((char *)*text);
    }
    g_strfreev((char **)creation->options.settings);
    g_free(creation);
}

static char *creation_work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                           GError **error)
{
    const struct creation *creation = data;

    return oriel_create(&creation->options, oriel_operation_progress, operation, cancellable,
                        error);
}

OrielMachineItem *oriel_machine_list_create(OrielMachineList *list,
                                            const OrielCreateOptions *options)
{
    g_autofree char *title = g_strdup_printf(_("Creating “%s”"), options->name);
    g_autofree char *failed = g_strdup_printf(_("Could Not Create “%s”"), options->name);
    struct creation *creation = g_new0(struct creation, 1);
    OrielMachineItem *made;
    const char **text;

    creation->options = *options;
    for (gsize i = 0; (text = creation_texts(creation, i)); i++) {
        *text = g_strdup(*text);
    }
    creation->options.settings = (const char *const *)g_strdupv((char **)options->settings);
    made =
        oriel_machine_list_make(list, options->name, title, creation_work, creation, creation_free);
    outcomes_set(made, failed);
    return made;
}

struct cloning {
    OrielMachine *machine;
    char *name;
};

static void cloning_free(gpointer data)
{
    struct cloning *cloning = data;

    oriel_machine_free(cloning->machine);
    g_free(cloning->name);
    g_free(cloning);
}

static char *cloning_work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                          GError **error)
{
    const struct cloning *cloning = data;

    if (cloning->machine->problem) {
        g_propagate_error(error, g_error_copy(cloning->machine->problem));
        return NULL;
    }
    return oriel_clone(cloning->machine, cloning->name, oriel_operation_progress, operation,
                       cancellable, error);
}

OrielMachineItem *oriel_machine_list_clone(OrielMachineList *list, OrielMachineItem *item,
                                           const char *name)
{
    g_autofree char *title = g_strdup_printf(_("Cloning “%s”"), oriel_machine_item_get_name(item));
    g_autofree char *failed =
        g_strdup_printf(_("Could Not Clone “%s”"), oriel_machine_item_get_name(item));
    struct cloning *cloning = NULL;
    OrielMachineItem *made;

    g_return_val_if_fail(item->reading, NULL);
    cloning = g_new0(struct cloning, 1);
    cloning->machine = oriel_machine_item_dup_machine(item);
    cloning->name = g_strdup(name);
    made = oriel_machine_list_make(list, name, title, cloning_work, cloning, cloning_free);
    outcomes_set(made, failed);
    return made;
}

static void importing_free(gpointer data)
{
    oriel_import_free(data);
}

static char *importing_work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                            GError **error)
{
    return oriel_import_run(data, oriel_operation_progress, operation, cancellable, error);
}

OrielMachineItem *oriel_machine_list_import(OrielMachineList *list, OrielImport *import)
{
    const char *name = oriel_import_report(import)->name;
    g_autofree char *title = g_strdup_printf(_("Importing “%s”"), name);
    g_autofree char *failed = g_strdup_printf(_("Could Not Import “%s”"), name);
    OrielMachineItem *made = oriel_machine_list_make(list, name, title, importing_work,
                                                     oriel_import_ref(import), importing_free);

    outcomes_set(made, failed);
    return made;
}

/* --- Deleting --------------------------------------------------------------------------------- */

void oriel_machine_list_delete(OrielMachineList *list, OrielMachineItem *item)
{
    g_return_if_fail(item->reading);
    g_ptr_array_add(list->deleted, g_object_ref(item));
    if (!machine_list_remove(list, item)) {
        g_ptr_array_remove(list->deleted, item);
    }
}

void oriel_machine_list_delete_undo(OrielMachineList *list, OrielMachineItem *item)
{
    g_autoptr(OrielMachineItem) hold = g_object_ref(item);

    if (g_ptr_array_remove(list->deleted, item)) {
        machine_list_add_one(list, item);
    }
}

static char *delete_work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                         GError **error)
{
    return oriel_delete(data, FALSE, error) ? g_strdup("") : NULL;
}

static void delete_ended(OrielOperation *operation, gpointer data)
{
    g_autoptr(GTask) task = data;
    OrielMachineList *list = g_task_get_source_object(task);
    OrielMachineItem *item = g_task_get_task_data(task);
    const GError *error = oriel_operation_get_error(operation);
    gboolean hidden = g_ptr_array_remove(list->deleting, item);

    machine_item_set_operation(item, NULL);
    if (error) {
        if (hidden) { /* not in a list that has ended meanwhile */
            machine_list_add_one(list, item);
        }
        g_task_return_error(task, g_error_copy(error));
    } else {
        g_task_return_boolean(task, TRUE);
    }
    g_object_unref(operation);
}

void oriel_machine_list_delete_commit_async(OrielMachineList *list, OrielMachineItem *item,
                                            GAsyncReadyCallback callback, gpointer data)
{
    g_autofree char *title = g_strdup_printf(_("Deleting “%s”"), oriel_machine_item_get_name(item));
    GTask *task = g_task_new(list, NULL, callback, data);
    OrielOperation *operation;

    g_task_set_task_data(task, g_object_ref(item), g_object_unref);
    if (!g_ptr_array_find(list->deleted, item, NULL) || item->operation) {
        oriel_machine_list_delete_undo(list, item);
        g_task_return_new_error(task, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                _("“%s” cannot be deleted now."),
                                oriel_machine_item_get_name(item));
        g_object_unref(task);
        return;
    }
    g_ptr_array_add(list->deleting, g_object_ref(item));
    g_ptr_array_remove(list->deleted, item);
    operation = oriel_operation_new(title);
    g_signal_connect(operation, "ended", G_CALLBACK(delete_ended), task);
    oriel_operation_run(operation, delete_work, oriel_machine_item_dup_machine(item),
                        (GDestroyNotify)oriel_machine_free);
    machine_item_set_operation(item, operation);
}

gboolean oriel_machine_list_delete_commit_finish(OrielMachineList *list, GAsyncResult *result,
                                                 GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

GPtrArray *oriel_machine_list_get_deleted(OrielMachineList *list)
{
    return oriel_objects_hold(list->deleted);
}

/* --- Machines elsewhere ----------------------------------------------------------------------- */

static void forget_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_task_return_boolean(task, oriel_library_forget(data, NULL));
}

static void forget_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);

    g_hash_table_remove(list->ignored, g_task_get_task_data(G_TASK(result)));
    machine_list_scan(list);
}

void oriel_machine_list_forget(OrielMachineList *list, OrielMachineItem *item)
{
    g_autoptr(GTask) task = g_task_new(list, NULL, forget_end, NULL);
    const char *folder = oriel_machine_item_get_folder(item);

    g_return_if_fail(folder);
    g_hash_table_add(list->ignored, g_strdup(folder));
    g_task_set_task_data(task, g_strdup(folder), g_free);
    machine_list_remove(list, item);
    g_task_run_in_thread(task, forget_run);
}

static void add_run(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_autofree char *known = oriel_library_find_folder(data);
    g_autofree char *folder = g_canonicalize_filename(known ? known : data, NULL);
    g_autoptr(MachineReading) reading = machine_reading_new(folder);
    GError *error = NULL;

    if (reading->machine->problem) {
        g_task_return_error(task, g_error_copy(reading->machine->problem));
    } else if (!known && (!oriel_library_check_name(reading->machine->name, &error) ||
                          !oriel_library_register(folder, &error))) {
        g_task_return_error(task, error);
    } else {
        g_task_return_pointer(task, g_steal_pointer(&reading),
                              (GDestroyNotify)machine_reading_free);
    }
}

static void add_end(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielMachineList *list = ORIEL_MACHINE_LIST(object);
    g_autoptr(GTask) task = data;
    GError *error = NULL;
    MachineReading *reading = g_task_propagate_pointer(G_TASK(result), &error);
    OrielMachineItem *item;

    if (!reading) {
        g_task_return_error(task, error);
        return;
    }
    item = oriel_machine_list_find_folder(list, reading->machine->folder);
    if (item) {
        machine_item_take_reading(item, reading);
    } else {
        g_autoptr(OrielMachineItem) made = machine_item_new(reading);

        item = made;
        machine_list_add_one(list, item);
    }
    g_task_return_pointer(task, item, NULL);
}

void oriel_machine_list_add_folder_async(OrielMachineList *list, const char *folder,
                                         GAsyncReadyCallback callback, gpointer data)
{
    GTask *task = g_task_new(list, NULL, callback, data);
    g_autoptr(GTask) thread = g_task_new(list, NULL, add_end, task);

    g_task_set_task_data(thread, g_strdup(folder), g_free);
    g_task_run_in_thread(thread, add_run);
}

OrielMachineItem *oriel_machine_list_add_folder_finish(OrielMachineList *list, GAsyncResult *result,
                                                       GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* --- Names ------------------------------------------------------------------------------------ */

static gboolean name_taken(OrielMachineList *list, const char *name)
{
    return oriel_machine_list_find_name(list, name) ||
           machine_items_find(list->deleted, oriel_machine_item_get_name, name) ||
           machine_items_find(list->deleting, oriel_machine_item_get_name, name);
}

char *oriel_machine_list_free_name(OrielMachineList *list, const char *wish)
{
    g_autofree char *base = oriel_library_clean_name(wish);

    if (!*base) {
        g_free(base);
        base = g_strdup(_("Machine"));
    }
    if (!name_taken(list, base)) {
        return g_steal_pointer(&base);
    }
    for (guint n = 2;; n++) {
        g_autofree char *name = g_strdup_printf("%s %u", base, n);

        if (!name_taken(list, name)) {
            return g_steal_pointer(&name);
        }
    }
}
