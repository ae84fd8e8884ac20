/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-disk-care.h. */
#include "oriel-disk-care.h"

#include <glib/gi18n.h>

#include "disk/oriel-drive-care.h"

/* What an operation is told, and what it has to say; the worker thread's while it runs. Shared by
 * reference: the operation's own result would be a folder. */
typedef struct {
    OrielMachine *machine;
    char *drive;
    DiskCare care;
    char *outcome;
} Order;

static void order_clear(gpointer data)
{
    Order *order = data;

    oriel_machine_free(order->machine);
    g_free(order->drive);
    g_free(order->outcome);
}

static void order_unref(gpointer order)
{
    g_atomic_rc_box_release_full(order, order_clear);
}

/* --- The operations; worker thread ------------------------------------------------------------ */

static char *check_text(JsonNode *report)
{
    JsonObject *object = json_node_get_object(report);
    const char *first = json_object_get_string_member_with_default(object, "first-problem", NULL);

    if (json_object_get_boolean_member(object, "clean")) {
        return g_strdup(_("The disk is whole."));
    }
    if (first) {
        /* Translators: %s is what is wrong with the file, in the words of its format. */
        return g_strdup_printf(_("The disk is damaged: %s. Repair restores what can be restored."),
                               first);
    }
    return g_strdup(_("Some space of the disk’s file is lost, or it was not closed properly. "
                      "Repair corrects that; nothing on the disk is lost."));
}

static char *repair_text(JsonNode *report)
{
    JsonObject *object = json_node_get_object(report);
    gulong lost = (gulong)json_object_get_int_member_with_default(object, "lost-clusters", 0);

    return lost == 0
               ? g_strdup(_("The disk is whole; nothing on it was lost."))
               : g_strdup_printf(
                     ngettext("The disk is repaired; %lu piece of it was lost and reads as zeroes. "
                              "Let the system in the machine check its file systems.",
                              "The disk is repaired; %lu pieces of it were lost and read as "
                              "zeroes. Let the system in the machine check its file systems.",
                              lost),
                     lost);
}

/* Takes the report. */
static char *report_text(JsonNode *report, char *(*text)(JsonNode *report))
{
    char *result = report ? text(report) : NULL;

    g_clear_pointer(&report, json_node_unref);
    return result;
}

static char *compact_text(guint64 saved)
{
    g_autofree char *size = g_format_size_full(saved, G_FORMAT_SIZE_IEC_UNITS);

    return saved == 0 ? g_strdup(_("There was no unused space to free."))
                      : g_strdup_printf(_("%s were freed."), size);
}

static char *care(OrielOperation *operation, const Order *order, GCancellable *cancellable,
                  GError **error)
{
    guint64 saved;

    switch (order->care) {
    case DISK_CARE_CHECK:
        return report_text(oriel_drive_check(order->machine, order->drive, oriel_operation_progress,
                                             operation, cancellable, error),
                           check_text);
    case DISK_CARE_REPAIR:
        return report_text(oriel_drive_repair(order->machine, order->drive,
                                              oriel_operation_progress, operation, cancellable,
                                              error),
                           repair_text);
    case DISK_CARE_COMPACT:
        return oriel_drive_compact(order->machine, order->drive, &saved, oriel_operation_progress,
                                   operation, cancellable, error)
                   ? compact_text(saved)
                   : NULL;
    case DISK_CARE_TO_RAW:
    case DISK_CARE_TO_QCOW2:
        return oriel_drive_convert(order->machine, order->drive,
                                   order->care == DISK_CARE_TO_RAW ? ORIEL_DISK_FORMAT_RAW
                                                                   : ORIEL_DISK_FORMAT_QCOW2,
                                   oriel_operation_progress, operation, cancellable, error)
                   ? g_strdup(_("The disk has its new format. The old file is in the trash."))
                   : NULL;
    }
    return NULL;
}

static char *work(OrielOperation *operation, gpointer data, GCancellable *cancellable,
                  GError **error)
{
    Order *order = data;

    order->outcome = care(operation, order, cancellable, error);
    return order->outcome ? g_strdup("") : NULL;
}

/* --- Starting them ---------------------------------------------------------------------------- */

/* Who wants to know how it ended. */
typedef struct {
    GtkWidget *widget;
    Order *order;
    MachineWorkDone done;
} Asker;

static void asker_free(gpointer data, GClosure *closure)
{
    Asker *asker = data;

    g_object_unref(asker->widget);
    order_unref(asker->order);
    g_free(asker);
}

static void ended(OrielOperation *operation, Asker *asker)
{
    asker->done(asker->widget, oriel_operation_get_error(operation), asker->order->outcome);
}

static const char *title_of(DiskCare care)
{
    switch (care) {
    case DISK_CARE_CHECK:
        return _("Checking a disk");
    case DISK_CARE_REPAIR:
        return _("Repairing a disk");
    case DISK_CARE_COMPACT:
        return _("Compacting a disk");
    default:
        return _("Converting a disk");
    }
}

void disk_care_begin(GtkWidget *widget, OrielMachineItem *item, const char *drive, DiskCare which,
                     MachineWorkDone done)
{
    Order *order = g_atomic_rc_box_new0(Order);
    Asker *asker = g_new0(Asker, 1);
    g_autoptr(OrielOperation) operation = NULL;

    order->machine = oriel_machine_item_dup_machine(item);
    order->drive = g_strdup(drive);
    order->care = which;
    asker->widget = g_object_ref(widget);
    asker->order = g_atomic_rc_box_acquire(order);
    asker->done = done;
    operation = oriel_machine_item_operate(item, title_of(which), work, order, order_unref);
    g_signal_connect_data(operation, "ended", G_CALLBACK(ended), asker, asker_free, 0);
}
