/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The library as a GListModel of OrielMachineItem, in no particular order (views sort). It follows
 * the library's folder, the list of folders elsewhere, drives that come and go, and the runtime
 * folder, so machines that orielctl makes, starts or deletes appear by themselves, and engines that
 * run when the list is made are found.
 *
 * Threads: main context only; nothing blocks.
 *
 * Properties: "loading" (b, until the first reading is done), "n-active" (u: machines with an
 * engine). Signal: "ready", once, after the first reading.
 */
#ifndef ORIEL_MACHINE_LIST_H
#define ORIEL_MACHINE_LIST_H

#include "appliance/import/oriel-import.h"
#include "oriel-machine-item.h"
#include "library/oriel-operations.h"

#define ORIEL_TYPE_MACHINE_LIST (oriel_machine_list_get_type())
G_DECLARE_FINAL_TYPE(OrielMachineList, oriel_machine_list, ORIEL, MACHINE_LIST, GObject)

OrielMachineList *oriel_machine_list_new(void);
gboolean oriel_machine_list_is_loading(OrielMachineList *list);
guint oriel_machine_list_get_n_active(OrielMachineList *list);

/* Looks for machines that came, went or changed, soon. The list does so by itself whenever it is
 * told of a change; nobody tells of a folder somewhere else that has been moved, or of changes
 * within one that is not watched (oriel_machine_item_watch()). */
void oriel_machine_list_reload(OrielMachineList *list);

/* Borrowed, or NULL. */
OrielMachineItem *oriel_machine_list_find_name(OrielMachineList *list, const char *name);
OrielMachineItem *oriel_machine_list_find_folder(OrielMachineList *list, const char *folder);

/*
 * Adds a row in state PENDING at once and makes the machine; the same item then becomes the
 * machine. If it fails or is cancelled the row goes away; the caller learns why from the operation
 * (oriel_machine_item_get_operation()), whose "ended" comes first. The item is borrowed.
 * `options` is copied.
 */
OrielMachineItem *oriel_machine_list_create(OrielMachineList *list,
                                            const OrielCreateOptions *options);
/* A full copy under another name, as above. */
OrielMachineItem *oriel_machine_list_clone(OrielMachineList *list, OrielMachineItem *item,
                                           const char *name);
/* An appliance, as above, after oriel_import_decide(); keeps a reference, and uses it alone. */
OrielMachineItem *oriel_machine_list_import(OrielMachineList *list, OrielImport *import);
/* The same for other work that makes a machine: `work` returns its folder. */
OrielMachineItem *oriel_machine_list_make(OrielMachineList *list, const char *name,
                                          const char *title, OrielOperationWork work, gpointer data,
                                          GDestroyNotify free_data);

/*
 * Deleting with a way back: the row disappears at once; nothing is moved until
 * oriel_machine_list_delete_commit(), which puts the folder into the trash. undo brings the row
 * back. If the process dies in between, the machine is still there.
 */
void oriel_machine_list_delete(OrielMachineList *list, OrielMachineItem *item);
void oriel_machine_list_delete_undo(OrielMachineList *list, OrielMachineItem *item);
void oriel_machine_list_delete_commit_async(OrielMachineList *list, OrielMachineItem *item,
                                            GAsyncReadyCallback callback, gpointer data);
gboolean oriel_machine_list_delete_commit_finish(OrielMachineList *list, GAsyncResult *result,
                                                 GError **error);
/* Items that wait for commit, as a new array; for the end of the program. */
GPtrArray *oriel_machine_list_get_deleted(OrielMachineList *list);

/* Takes a machine's row away that lies elsewhere (an absent drive), without touching its files. */
void oriel_machine_list_forget(OrielMachineList *list, OrielMachineItem *item);
/* Adds a machine folder that lies elsewhere. */
void oriel_machine_list_add_folder_async(OrielMachineList *list, const char *folder,
                                         GAsyncReadyCallback callback, gpointer data);
/* Borrowed item, or NULL with *error set. */
OrielMachineItem *oriel_machine_list_add_folder_finish(OrielMachineList *list, GAsyncResult *result,
                                                       GError **error);

/* A free name made from `wish`: itself, or "wish 2", ... g_free(). */
char *oriel_machine_list_free_name(OrielMachineList *list, const char *wish);

#endif
