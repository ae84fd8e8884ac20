/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long work that people watch: what it is, how far it is, a way to cancel it. The work itself is a
 * blocking function that runs on a worker thread; the object lives on the main context, where its
 * properties notify and "ended" is emitted.
 *
 * Properties: "title" (s, for people: "Creating “Debian”"), "fraction" (double, 0..1, negative
 * while it is not known), "detail" (s: "1.2 GB of 4 GB", may be empty), "active" (b). Signal:
 * "ended" (no arguments), once, after the work has returned.
 */
#ifndef ORIEL_OPERATION_H
#define ORIEL_OPERATION_H

#include <gio/gio.h>

#define ORIEL_TYPE_OPERATION (oriel_operation_get_type())
G_DECLARE_FINAL_TYPE(OrielOperation, oriel_operation, ORIEL, OPERATION, GObject)

/*
 * The work. Worker thread. Returns a new string (the folder of the machine it made, or an empty
 * one), or NULL with *error set. It calls oriel_operation_progress() and heeds `cancellable`.
 */
typedef char *(*OrielOperationWork)(OrielOperation *operation, gpointer data,
                                    GCancellable *cancellable, GError **error);

OrielOperation *oriel_operation_new(const char *title);

/* Runs the work once. `data` is freed on the main context after the work has returned. */
void oriel_operation_run(OrielOperation *operation, OrielOperationWork work, gpointer data,
                         GDestroyNotify free_data);

/* An OrielProgress whose data is the operation: bytes, total 0 if it is not known. Any thread; at
 * most ten notifications a second come of it. */
void oriel_operation_progress(guint64 done, guint64 total, gpointer operation);

/*
 * Instead of oriel_operation_run(): the work is somebody else's, an engine's for example. It is
 * under way from begin to end; `fraction` is 0..1; a failure is copied, NULL: it went well. Whoever
 * begins it heeds the cancellable, which is the operation's.
 */
void oriel_operation_begin(OrielOperation *operation);
void oriel_operation_set_fraction(OrielOperation *operation, double fraction);
void oriel_operation_end(OrielOperation *operation, const GError *error);
GCancellable *oriel_operation_get_cancellable(OrielOperation *operation);

void oriel_operation_cancel(OrielOperation *operation);

/* Headings for those who are told how it ended: "“Debian” Was Cloned", "“Debian” Could Not Be
 * Cloned". */
void oriel_operation_set_outcomes(OrielOperation *operation, const char *done, const char *failed);
/* After "ended": the heading that is true; NULL if none was given. */
const char *oriel_operation_get_outcome(OrielOperation *operation);

const char *oriel_operation_get_title(OrielOperation *operation);
const char *oriel_operation_get_detail(OrielOperation *operation);
double oriel_operation_get_fraction(OrielOperation *operation);
gboolean oriel_operation_is_active(OrielOperation *operation);
/* After "ended": NULL if it went well; G_IO_ERROR_CANCELLED if it was cancelled. */
const GError *oriel_operation_get_error(OrielOperation *operation);
/* After "ended": what the work returned. */
const char *oriel_operation_get_result(OrielOperation *operation);

#endif
