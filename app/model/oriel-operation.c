/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See oriel-operation.h. Each piece of work has a thread of its own, not one of the pool that short
 * reading uses: it may take an hour.
 */
#include "oriel-operation.h"

#include <glib/gi18n-lib.h>

enum {
    NOTIFY_MS = 100,
};

struct _OrielOperation {
    GObject parent;
    char *title, *detail, *done_heading, *failed_heading;
    double fraction;
    gboolean active;
    GCancellable *cancellable;
    GError *error;
    char *result;

    OrielOperationWork work;
    gpointer data;
    GDestroyNotify free_data;

    GMutex lock; /* of the rest, which the worker writes */
    guint64 done, total;
    guint report; /* source that will notify; 0: none */
};

enum {
    PROP_TITLE = 1,
    PROP_FRACTION,
    PROP_DETAIL,
    PROP_ACTIVE,
    N_PROPS,
};

static GParamSpec *properties[N_PROPS];
static guint signal_ended;

G_DEFINE_FINAL_TYPE(OrielOperation, oriel_operation, G_TYPE_OBJECT)

/* --- Progress --------------------------------------------------------------------------------- */

static void progress_show(OrielOperation *operation, guint64 done, guint64 total)
{
    g_autofree char *done_text = g_format_size_full(done, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *total_text = g_format_size_full(total, G_FORMAT_SIZE_IEC_UNITS);

    g_free(operation->detail);
    operation->detail =
        /* Translators: amounts of data, such as “1.2 GiB of 4.0 GiB”. */
        total > 0 ? g_strdup_printf(_("%s of %s"), done_text, total_text) : g_strdup(done_text);
    operation->fraction = total > 0 ? CLAMP((double)done / (double)total, 0, 1) : -1;
    g_object_freeze_notify(G_OBJECT(operation));
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_DETAIL]);
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_FRACTION]);
    g_object_thaw_notify(G_OBJECT(operation));
}

static gboolean report(gpointer data)
{
    OrielOperation *operation = data;
    guint64 done, total;

    g_mutex_lock(&operation->lock);
    done = operation->done;
    total = operation->total;
    operation->report = 0;
    g_mutex_unlock(&operation->lock);
    if (operation->active) {
        progress_show(operation, done, total);
    }
    return G_SOURCE_REMOVE;
}

void oriel_operation_progress(guint64 done, guint64 total, gpointer data)
{
    OrielOperation *operation = data;

    g_mutex_lock(&operation->lock);
    operation->done = done;
    operation->total = total;
    if (operation->report == 0) {
        operation->report = g_timeout_add_full(G_PRIORITY_DEFAULT, NOTIFY_MS, report,
                                               g_object_ref(operation), g_object_unref);
    }
    g_mutex_unlock(&operation->lock);
}

/* --- Work ------------------------------------------------------------------------------------- */

static void data_release(OrielOperation *operation)
{
    if (operation->free_data && operation->data) {
        operation->free_data(operation->data);
    }
    operation->data = NULL;
}

static void finish(OrielOperation *operation)
{
    if (!operation->error) {
        operation->fraction = 1;
        g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_FRACTION]);
    }
    operation->active = FALSE;
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_ACTIVE]);
    g_signal_emit(operation, signal_ended, 0);
}

/* On the main context; the thread has ended its work and touches the object no more. */
static gboolean ended(gpointer data)
{
    data_release(data);
    finish(data);
    return G_SOURCE_REMOVE;
}

/* It is shown to people; a path in it may be in any encoding. */
static void message_make_valid(GError *error)
{
    char *message = error->message;

    error->message = g_utf8_make_valid(message, -1);
    g_free(message);
}

static gpointer work_run(gpointer data)
{
    OrielOperation *operation = data;

    operation->result =
        operation->work(operation, operation->data, operation->cancellable, &operation->error);
    if (!operation->result && g_cancellable_is_cancelled(operation->cancellable)) {
        g_clear_error(&operation->error);
        g_cancellable_set_error_if_cancelled(operation->cancellable, &operation->error);
    }
    if (operation->error) {
        message_make_valid(operation->error);
    }
    g_idle_add_full(G_PRIORITY_DEFAULT, ended, operation, g_object_unref);
    return NULL;
}

void oriel_operation_run(OrielOperation *operation, OrielOperationWork work, gpointer data,
                         GDestroyNotify free_data)
{
    g_return_if_fail(!operation->work);
    operation->work = work;
    operation->data = data;
    operation->free_data = free_data;
    operation->active = TRUE;
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_ACTIVE]);
    g_thread_unref(g_thread_new("operation", work_run, g_object_ref(operation)));
}

void oriel_operation_begin(OrielOperation *operation)
{
    g_return_if_fail(!operation->work && !operation->active);
    operation->active = TRUE;
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_ACTIVE]);
}

void oriel_operation_set_fraction(OrielOperation *operation, double fraction)
{
    operation->fraction = CLAMP(fraction, 0, 1);
    g_object_notify_by_pspec(G_OBJECT(operation), properties[PROP_FRACTION]);
}

void oriel_operation_end(OrielOperation *operation, const GError *error)
{
    g_return_if_fail(!operation->work && operation->active);
    operation->error = error ? g_error_copy(error) : NULL;
    finish(operation);
}

GCancellable *oriel_operation_get_cancellable(OrielOperation *operation)
{
    return operation->cancellable;
}

void oriel_operation_cancel(OrielOperation *operation)
{
    g_cancellable_cancel(operation->cancellable);
}

void oriel_operation_set_outcomes(OrielOperation *operation, const char *done, const char *failed)
{
    g_free(operation->done_heading);
    g_free(operation->failed_heading);
    operation->done_heading = g_strdup(done);
    operation->failed_heading = g_strdup(failed);
}

const char *oriel_operation_get_outcome(OrielOperation *operation)
{
    return operation->error ? operation->failed_heading : operation->done_heading;
}

/* --- The object ------------------------------------------------------------------------------- */

OrielOperation *oriel_operation_new(const char *title)
{
    OrielOperation *operation = g_object_new(ORIEL_TYPE_OPERATION, NULL);

    operation->title = g_strdup(title);
    return operation;
}

const char *oriel_operation_get_title(OrielOperation *operation)
{
    return operation->title;
}

const char *oriel_operation_get_detail(OrielOperation *operation)
{
    return operation->detail;
}

double oriel_operation_get_fraction(OrielOperation *operation)
{
    return operation->fraction;
}

gboolean oriel_operation_is_active(OrielOperation *operation)
{
    return operation->active;
}

const GError *oriel_operation_get_error(OrielOperation *operation)
{
    return operation->error;
}

const char *oriel_operation_get_result(OrielOperation *operation)
{
    return operation->result;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    OrielOperation *operation = ORIEL_OPERATION(object);

    switch (id) {
    case PROP_TITLE:
        g_value_set_string(value, operation->title);
        break;
    case PROP_FRACTION:
        g_value_set_double(value, operation->fraction);
        break;
    case PROP_DETAIL:
        g_value_set_string(value, operation->detail);
        break;
    case PROP_ACTIVE:
        g_value_set_boolean(value, operation->active);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void finalize(GObject *object)
{
    OrielOperation *operation = ORIEL_OPERATION(object);

    data_release(operation);
    g_clear_object(&operation->cancellable);
    g_clear_error(&operation->error);
    g_free(operation->title);
    g_free(operation->detail);
    g_free(operation->done_heading);
    g_free(operation->failed_heading);
    g_free(operation->result);
    g_mutex_clear(&operation->lock);
    G_OBJECT_CLASS(oriel_operation_parent_class)->finalize(object);
}

static void oriel_operation_class_init(OrielOperationClass *class)
{
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->finalize = finalize;
    properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, NULL, flags);
    properties[PROP_FRACTION] = g_param_spec_double("fraction", NULL, NULL, -1, 1, -1, flags);
    properties[PROP_DETAIL] = g_param_spec_string("detail", NULL, NULL, NULL, flags);
    properties[PROP_ACTIVE] = g_param_spec_boolean("active", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(object_class, N_PROPS, properties);
    signal_ended = g_signal_new("ended", ORIEL_TYPE_OPERATION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void oriel_operation_init(OrielOperation *operation)
{
    g_mutex_init(&operation->lock);
    operation->cancellable = g_cancellable_new();
    operation->detail = g_strdup("");
    operation->fraction = -1;
}
