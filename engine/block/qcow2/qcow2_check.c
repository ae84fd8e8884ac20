/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checking: every reference is counted, and the counts compared with those in the image. The
 * counts are taken for a window of clusters at a time, so that memory is bounded; images up to some
 * hundred gigabytes have one window.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "qcow2_count.h"
#include "qcow2_private.h"

static void corruption(struct qcow2_report *report, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void corruption(struct qcow2_report *report, const char *format, ...)
{
    va_list arguments;

    if (report->corruptions++ == 0) {
        va_start(arguments, format);
        report->first = g_strdup_vprintf(format, arguments);
        va_end(arguments);
    }
}

static const char *kind_name(enum reference_kind kind)
{
    /* Translators: each begins sentences such as “an L2 table lies outside of the file …”. */
    static const char *const names[] = {
        [REFERENCE_HEADER] = N_("the header"),
        [REFERENCE_REFTABLE] = N_("the refcount table"),
        [REFERENCE_REFBLOCK] = N_("a refcount block"),
        [REFERENCE_L1] = N_("the L1 table"),
        [REFERENCE_SNAPSHOTS] = N_("the snapshot table"),
        [REFERENCE_SNAPSHOT_L1] = N_("a snapshot’s L1 table"),
        [REFERENCE_L2] = N_("an L2 table"),
        [REFERENCE_DATA] = N_("a data cluster"),
        [REFERENCE_PACKED] = N_("a compressed cluster"),
        [REFERENCE_BITMAP] = N_("a bitmap"),
    };

    return _(names[kind]);
}

struct survey {
    struct qcow2 *q;
    struct qcow2_report *report;
    GHashTable *windows; /* window numbers with something in them */
    uint64_t end;        /* cluster behind the last one that is used or counted */
    int result;
};

/* The first walk: places, and "copied" flags against the image's own counts. */
static void survey_visit(struct walker *walker, const struct reference *reference)
{
    struct survey *survey = walker->context;
    struct qcow2 *q = survey->q;
    uint64_t count = 0;
    int result;

    if (reference->n == 0) {
        corruption(survey->report, _("%s lies outside of the file or is named twice"),
                   kind_name(reference->kind));
        return;
    }
    qcow2_windows_add(survey->windows, reference->first, reference->n);
    survey->end = MAX(survey->end, reference->first + reference->n);
    if (!reference->active ||
        (reference->kind != REFERENCE_L2 && reference->kind != REFERENCE_DATA)) {
        return;
    }
    result = qcow2_refcount_get(q, reference->first, &count);
    if (result < 0 && result != -EUCLEAN) {
        survey->result = result;
    } else if (reference->copied && count != 1) {
        corruption(survey->report, _("%s is marked as not shared, but counted %" PRIu64 " times"),
                   kind_name(reference->kind), count);
    } else if (!reference->copied && count == 1) {
        survey->report->flags++;
    }
}

/* Windows in which the image itself counts something: blocks that are named once and hold data. */
static void survey_blocks(struct survey *survey)
{
    struct qcow2 *q = survey->q;
    g_autoptr(GHashTable) seen = qcow2_windows_new();

    for (uint32_t i = 0; i < q->reftable.n; i++) {
        uint64_t offset = q->reftable.entries[i] & ~UINT64_C(511), length = q->cluster_size;
        bool data = false;

        if (offset == 0 || !g_hash_table_add(seen, GSIZE_TO_POINTER(offset))) {
            continue;
        }
        storage_extent(q->image.storage, offset, &length, &data);
        if (data || length < q->cluster_size) {
            qcow2_windows_add(survey->windows, i * qcow2_refcounts_per_block(q),
                              qcow2_refcounts_per_block(q));
            survey->end = MAX(survey->end, (i + UINT64_C(1)) * qcow2_refcounts_per_block(q));
        }
    }
}

static int window_compare(struct qcow2 *q, const struct counts *counts, struct qcow2_report *report)
{
    for (uint64_t i = 0; i < counts->n; i++) {
        uint64_t cluster = counts->first + i, recorded = 0, found;
        uint32_t word = counts->words[i];
        int result;

        if (i % qcow2_refcounts_per_block(q) == 0 && word == 0 && !block_exists(q, cluster) &&
            qcow2_counts_are_zero(counts, i, qcow2_refcounts_per_block(q))) {
            i += qcow2_refcounts_per_block(q) - 1;
            continue;
        }
        result = qcow2_refcount_get(q, cluster, &recorded);
        if (result < 0 && result != -EUCLEAN) {
            return result;
        }
        found = word & COUNT_MASK;
        report->clusters += found > 0;
        if (counted_overlap(word)) {
            corruption(report, _("cluster %" PRIu64 " is used for two things"), cluster);
        }
        if (found > recorded) {
            corruption(
                report,
                _("cluster %" PRIu64 " is used %" PRIu64 " times, but counted %" PRIu64 " times"),
                cluster, found, recorded);
        } else if (recorded > found) {
            report->leaks++;
        }
    }
    return 0;
}

uint64_t qcow2_check_walks(const struct qcow2 *q)
{
    return 1 + qcow2_windows_expected(q);
}

int qcow2_check_in(struct qcow2 *q, struct walks *walks, struct qcow2_report *report)
{
    struct survey survey = { .q = q, .report = report, .windows = qcow2_windows_new() };
    struct walker walker = { survey_visit, &survey, walks };
    g_autoptr(GList) windows = NULL;
    int result = q->image.read_only ? 0 : qcow2_settle(q);

    *report = (struct qcow2_report){ 0 };
    if (result == 0) {
        result = qcow2_walk(q, &walker);
    }
    survey_blocks(&survey);
    windows = g_hash_table_get_keys(survey.windows);
    result = result < 0 ? result : survey.result;
    for (GList *at = windows; at != NULL && result == 0; at = at->next) {
        struct counts *counts =
            qcow2_counts_take(q, walks, GPOINTER_TO_SIZE(at->data), survey.end, &result);

        if (counts != NULL) {
            result = window_compare(q, counts, report);
            qcow2_counts_free(counts);
        }
    }
    g_hash_table_unref(survey.windows);
    return result;
}

bool qcow2_check(struct image *image, const struct qcow2_watch *watch, struct qcow2_report *report,
                 GError **error)
{
    struct qcow2 *q = qcow2_of(image);
    struct walks walks = { .watch = watch,
                           .bytes = storage_size(image->storage),
                           .n = qcow2_check_walks(q) };
    int result = qcow2_check_in(q, &walks, report);

    if (result < 0) {
        image_set_error(image, result, error);
    }
    return result == 0;
}
