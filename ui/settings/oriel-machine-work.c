/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-machine-work.h. */
#include "settings/oriel-machine-work.h"

#include <glib/gi18n.h>

#include "disk/oriel-drive-care.h"
#include "disk/oriel-drives.h"
#include "library/oriel-move.h"
#include "running/oriel-networks.h"
#include "library/oriel-operations.h"
#include "library/oriel-revisions.h"

/* What an operation is told; worker thread while it runs. */
typedef struct {
    OrielMachine *machine;
    char *first, *second; /* what they mean is the operation's */
    OrielExportOptions export;
} Order;

static void order_free(gpointer data)
{
    Order *order = data;

    oriel_machine_free(order->machine);
    g_free(order->first);
    g_free(order->second);
    g_free(order);
}

/* Who wants to know how it ended. */
typedef struct {
    GtkWidget *widget;
    MachineWorkDone done;
} Asker;

static void asker_free(gpointer data, GClosure *closure)
{
    Asker *asker = data;

    g_object_unref(asker->widget);
    g_free(asker);
}

static void ended(OrielOperation *operation, Asker *asker)
{
    asker->done(asker->widget, oriel_operation_get_error(operation),
                oriel_operation_get_result(operation));
}

static Order *order_new(OrielMachineItem *item, const char *first, const char *second)
{
    Order *order = g_new0(Order, 1);

    order->machine = oriel_machine_item_dup_machine(item);
    order->first = g_strdup(first);
    order->second = g_strdup(second);
    return order;
}

/* Takes the order. g_object_unref(). */
static OrielOperation *order_run(GtkWidget *widget, OrielMachineItem *item, const char *title,
                                 OrielOperationWork work, Order *order, MachineWorkDone done)
{
    Asker *asker = g_new0(Asker, 1);
    OrielOperation *operation = oriel_machine_item_operate(item, title, work, order, order_free);

    asker->widget = g_object_ref(widget);
    asker->done = done;
    g_signal_connect_data(operation, "ended", G_CALLBACK(ended), asker, asker_free, 0);
    return operation;
}

static void operate(GtkWidget *widget, OrielMachineItem *item, const char *title,
                    OrielOperationWork work, const char *first, const char *second,
                    MachineWorkDone done)
{
    g_object_unref(order_run(widget, item, title, work, order_new(item, first, second), done));
}

/* An operation that changes the machine where it is ends with an empty text. */
static char *result(gboolean good)
{
    return good ? g_strdup("") : NULL;
}

/* --- The operations; worker thread ------------------------------------------------------------ */

static char *work_rename(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                         GError **error)
{
    const Order *order = data;

    return oriel_rename(order->machine, order->first, error);
}

static char *work_move(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                       GError **error)
{
    const Order *order = data;

    return oriel_move(order->machine, order->first, oriel_operation_progress, operation,
                      cancellable, error);
}

static char *work_add_disk(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                           GError **error)
{
    const Order *order = data;
    g_autofree char *id = oriel_add_disk(order->machine, order->first, oriel_operation_progress,
                                         operation, cancellable, error);

    return result(id != NULL);
}

static char *work_add_cdrom(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                            GError **error)
{
    const Order *order = data;
    g_autofree char *id = oriel_add_cdrom(order->machine, NULL, error);

    return result(id != NULL);
}

static char *work_remove_drive(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                               GError **error)
{
    const Order *order = data;

    return result(oriel_remove_drive(order->machine, order->first, FALSE, error));
}

static char *grow(const Order *order, gboolean partition, GError **error)
{
    g_autoptr(JsonNode) node = NULL;
    guint64 bytes;

    if (!oriel_size_parse(order->second, &bytes, error)) {
        return NULL;
    }
    node = oriel_grow_disk(order->machine, order->first, bytes, partition, error);
    return node ? g_strdup(json_object_get_string_member_with_default(json_node_get_object(node),
                                                                      "next", ""))
                : NULL;
}

static char *work_grow(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                       GError **error)
{
    return grow(data, FALSE, error);
}

static char *work_grow_partition(OrielOperation *operation, gpointer data,
                                 GCancellable *cancellable, GError **error)
{
    return grow(data, TRUE, error);
}

static char *work_change_medium(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                                GError **error)
{
    const Order *order = data;

    return result(oriel_change_medium(order->machine, order->first, order->second, FALSE, error));
}

static char *work_add_network(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                              GError **error)
{
    const Order *order = data;
    g_autofree char *id = oriel_network_add(order->machine, error);

    return result(id != NULL);
}

static char *work_remove_network(OrielOperation *operation, gpointer data,
                                 GCancellable *cancellable, GError **error)
{
    const Order *order = data;

    return result(oriel_network_remove(order->machine, order->first, FALSE, error));
}

static char *work_add_forward(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                              GError **error)
{
    const Order *order = data;

    return result(oriel_forward_add(order->machine, order->first, order->second, error));
}

static char *work_remove_forward(OrielOperation *operation, gpointer data,
                                 GCancellable *cancellable, GError **error)
{
    const Order *order = data;

    return result(oriel_forward_remove(order->machine, order->first, order->second, error));
}

static char *work_restore(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                          GError **error)
{
    const Order *order = data;

    return result(
        oriel_restore(order->machine, (guint)g_ascii_strtoull(order->first, NULL, 10), error));
}

/* --- Starting them ---------------------------------------------------------------------------- */

static char *work_export(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                         GError **error)
{
    const Order *order = data;
    gboolean named = g_str_has_suffix(order->first, ".ova");
    OrielExportOptions options = order->export;
    g_autoptr(OrielExportReport) report = NULL;
    g_autofree char *target = NULL;

    options.verify = TRUE;
    options.force = named;
    target = g_strconcat(order->first, named || options.profile == ORIEL_OVF_HYPER_V ? "" : ".ova",
                         NULL);
    report = oriel_export(order->machine, target, &options, oriel_operation_progress, operation,
                          cancellable, error);
    return result(report != NULL);
}

void machine_work_rename(GtkWidget *widget, OrielMachineItem *item, const char *name,
                         MachineWorkDone done)
{
    operate(widget, item, _("Renaming"), work_rename, name, NULL, done);
}

void machine_work_move(GtkWidget *widget, OrielMachineItem *item, const char *folder,
                       MachineWorkDone done)
{
    const char *name = oriel_machine_item_get_name(item);
    g_autofree char *moved = g_strdup_printf(_("“%s” Was Moved"), name);
    g_autofree char *failed = g_strdup_printf(_("Could Not Move “%s”"), name);
    g_autoptr(OrielOperation) operation =
        order_run(widget, item, _("Moving"), work_move, order_new(item, folder, NULL), done);

    oriel_operation_set_outcomes(operation, moved, failed);
}

void machine_work_add_disk(GtkWidget *widget, OrielMachineItem *item, const char *source,
                           MachineWorkDone done)
{
    operate(widget, item, _("Adding a disk"), work_add_disk, source, NULL, done);
}

void machine_work_add_cdrom(GtkWidget *widget, OrielMachineItem *item, MachineWorkDone done)
{
    operate(widget, item, _("Adding a CD drive"), work_add_cdrom, NULL, NULL, done);
}

void machine_work_remove_drive(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                               MachineWorkDone done)
{
    operate(widget, item, _("Removing a drive"), work_remove_drive, drive, NULL, done);
}

void machine_work_grow(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                       const char *size, gboolean partition, MachineWorkDone done)
{
    operate(widget, item, _("Growing a disk"), partition ? work_grow_partition : work_grow, drive,
            size, done);
}

void machine_work_change_medium(GtkWidget *widget, OrielMachineItem *item, const char *drive,
                                const char *path, MachineWorkDone done)
{
    operate(widget, item, _("Changing the CD"), work_change_medium, drive, path, done);
}

void machine_work_export(GtkWidget *widget, OrielMachineItem *item, const char *target,
                         OrielOvfProfile profile, OrielOvfController controller,
                         MachineWorkDone done)
{
    const char *name = oriel_machine_item_get_name(item);
    g_autofree char *exported = g_strdup_printf(_("“%s” Was Exported"), name);
    g_autofree char *failed = g_strdup_printf(_("Could Not Export “%s”"), name);
    g_autoptr(OrielOperation) operation = NULL;
    Order *order = order_new(item, target, NULL);

    order->export.profile = profile;
    order->export.controller = controller;
    operation = order_run(widget, item, _("Exporting the machine"), work_export, order, done);
    oriel_operation_set_outcomes(operation, exported, failed);
}

void machine_work_add_network(GtkWidget *widget, OrielMachineItem *item, MachineWorkDone done)
{
    operate(widget, item, _("Adding a network card"), work_add_network, NULL, NULL, done);
}

void machine_work_remove_network(GtkWidget *widget, OrielMachineItem *item, const char *network,
                                 MachineWorkDone done)
{
    operate(widget, item, _("Removing a network card"), work_remove_network, network, NULL, done);
}

void machine_work_add_forward(GtkWidget *widget, OrielMachineItem *item, const char *network,
                              const char *forward, MachineWorkDone done)
{
    operate(widget, item, _("Adding a port forward"), work_add_forward, network, forward, done);
}

void machine_work_remove_forward(GtkWidget *widget, OrielMachineItem *item, const char *network,
                                 const char *forward, MachineWorkDone done)
{
    operate(widget, item, _("Removing a port forward"), work_remove_forward, network, forward,
            done);
}

void machine_work_restore(GtkWidget *widget, OrielMachineItem *item, guint revision,
                          MachineWorkDone done)
{
    g_autofree char *number = g_strdup_printf("%u", revision);

    operate(widget, item, _("Going back to earlier settings"), work_restore, number, NULL, done);
}
