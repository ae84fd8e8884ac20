/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ties the rows of settings pages to the settings of a machine (the keys of oriel_config_set()): a
 * row shows the value, a change is saved at once, what is wrong with it is said below the row, and
 * a change that the running machine does not have yet is marked.
 *
 * Rows and their values: AdwEntryRow a text, OrielSpinRow a count or a size, AdwComboRow one of a
 * list of choices, AdwActionRow with a GtkSwitch as its activatable widget "true" or "false".
 *
 * Threads: main context only.
 */
#ifndef ORIEL_SETTING_ROWS_H
#define ORIEL_SETTING_ROWS_H

#include <adwaita.h>

#include "model/oriel-machine-item.h"

#define ORIEL_TYPE_SETTING_ROWS (oriel_setting_rows_get_type())
G_DECLARE_FINAL_TYPE(OrielSettingRows, oriel_setting_rows, ORIEL, SETTING_ROWS, GObject)

OrielSettingRows *oriel_setting_rows_new(OrielMachineItem *item);
/*
 * The row lives at least as long as `rows` or is unbound by its own end. `choices`: for an
 * AdwComboRow, the values in the order of its model, NULL at the end; static. For others NULL.
 */
void oriel_setting_rows_bind(OrielSettingRows *rows, GtkWidget *row, const char *key,
                             const char *const *choices);
/* Makes up a value for a setting. g_free(). */
typedef char *(*OrielSettingFallback)(gpointer data);
/*
 * The choice `value` of a bound row makes no sense without the setting `key`: if that is empty,
 * what `fallback` returns is saved with the choice.
 */
void oriel_setting_row_needs(GtkWidget *row, const char *value, const char *key,
                             OrielSettingFallback fallback, gpointer data);
/* Saves what has been changed and not yet saved; at the end of a window. */
void oriel_setting_rows_flush(OrielSettingRows *rows);
/* A setting and a value of it as the pages name and show them, "Memory: 2 GiB"; NULL if no row is
 * tied to the key. g_free(). */
char *oriel_setting_rows_describe(OrielSettingRows *rows, const char *key, const char *value);
/* An error of the settings, which names them by their keys, with the titles of the rows instead.
 * g_free(). */
char *oriel_setting_rows_sentence(OrielSettingRows *rows, const char *message);
/* Tells the error of a change in those words: a dialog over the window of `near`, or over none when
 * that was closed meanwhile; `heading` says what was not done. Nothing for CANCELLED. */
void oriel_setting_rows_tell(OrielSettingRows *rows, GtkWidget *near, const char *heading,
                             const GError *error);
/* Says below a row what is wrong with it; NULL: nothing any more. */
void oriel_setting_row_set_problem(GtkWidget *row, const char *message);

#endif
