/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Selecting characters of a text screen. The characters are fetched once when the mode begins;
 * the pointer then drags over cells, from one in reading order to another, as in a terminal.
 */
#include <glib/gi18n-lib.h>

#include "oriel-display-private.h"

enum {
    ROWS_MAX = 256,
    COLUMNS_MAX = 512,
};

static void selection_reset(OrielTextSelection *selection)
{
    g_clear_pointer(&selection->lines, g_strfreev);
    *selection = (OrielTextSelection){ .active = selection->active };
}

void oriel_display_selection_clear(OrielDisplay *display)
{
    oriel_display_selection_set_active(display, FALSE);
}

/* Adapters show characters 9 dots wide if the picture's width can be divided so, else 8. */
static guint columns_of(guint guest_width, guint longest)
{
    return MAX(guest_width % 9 == 0 ? guest_width / 9 : guest_width / 8, longest);
}

/* Takes over the text. FALSE if it is none that fits a screen. */
static gboolean text_take(OrielDisplay *display, const char *text)
{
    OrielTextSelection *selection = &display->selection;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    glong longest = 0;

    if (g_str_has_suffix(valid, "\n")) {
        valid[strlen(valid) - 1] = '\0';
    }
    selection->lines = g_strsplit(valid, "\n", ROWS_MAX + 1);
    selection->rows = g_strv_length(selection->lines);
    for (guint i = 0; i < selection->rows; i++) {
        longest = MAX(longest, g_utf8_strlen(selection->lines[i], -1));
    }
    selection->columns = columns_of(display->geometry.guest_width, (guint)longest);
    return selection->rows >= 1 && selection->rows <= ROWS_MAX && selection->columns >= 1 &&
           selection->columns <= COLUMNS_MAX;
}

static void on_text(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(OrielDisplay) display = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        oriel_display_backend_get_text_finish(ORIEL_DISPLAY_BACKEND(source), result, &error);

    if (!display->selection.active || (GObject *)display->backend != source) {
        return;
    }
    selection_reset(&display->selection);
    if (error) {
        g_dbus_error_strip_remote_error(error);
        oriel_display_notice(display, error->message);
    } else if (!text || !text_take(display, text)) {
        selection_reset(&display->selection);
        oriel_display_notice(display, _("The machine shows graphics: there is no text to select."));
    }
    if (!display->selection.lines) {
        oriel_display_selection_set_active(display, FALSE);
    }
}

void oriel_display_selection_set_active(OrielDisplay *display, gboolean active)
{
    if (display->selection.active == !!active) {
        return;
    }
    if (active && (!display->backend || !oriel_display_backend_can_get_text(display->backend))) {
        oriel_display_notice(display, _("This screen gives no text."));
        return;
    }
    selection_reset(&display->selection);
    if (active) {
        oriel_display_release(display);
        oriel_display_backend_get_text_async(display->backend, NULL, on_text,
                                             g_object_ref(display));
    }
    oriel_display_set_flag(display, &display->selection.active, active, "selecting-text");
    oriel_display_update_cursor(display);
    gtk_widget_queue_draw(GTK_WIDGET(display));
}

/* --- The pointer */

static void cell_at(OrielDisplay *display, double x, double y, guint *column, guint *row)
{
    const OrielGeometry *place = &display->geometry;
    guint guest_x, guest_y;

    oriel_geometry_to_guest(place, x, y, &guest_x, &guest_y);
    *column = (guint)((guint64)guest_x * display->selection.columns / MAX(place->guest_width, 1));
    *row = (guint)((guint64)guest_y * display->selection.rows / MAX(place->guest_height, 1));
}

void oriel_display_selection_press(OrielDisplay *display, double x, double y)
{
    OrielTextSelection *selection = &display->selection;

    if (selection->lines) {
        cell_at(display, x, y, &selection->from_column, &selection->from_row);
        selection->to_column = selection->from_column;
        selection->to_row = selection->from_row;
        selection->dragging = TRUE;
        selection->has_range = FALSE;
        gtk_widget_queue_draw(GTK_WIDGET(display));
    }
}

void oriel_display_selection_motion(OrielDisplay *display, double x, double y)
{
    OrielTextSelection *selection = &display->selection;

    if (selection->dragging) {
        cell_at(display, x, y, &selection->to_column, &selection->to_row);
        if (selection->to_column != selection->from_column ||
            selection->to_row != selection->from_row) {
            selection->has_range = TRUE; /* a click alone selects nothing */
        }
        gtk_widget_queue_draw(GTK_WIDGET(display));
    }
}

void oriel_display_selection_release(OrielDisplay *display)
{
    display->selection.dragging = FALSE;
}

/* --- The characters */

/* The ends in reading order. */
static void range_get(const OrielTextSelection *selection, guint *column, guint *row,
                      guint *last_column, guint *last_row)
{
    gboolean forward =
        selection->from_row < selection->to_row || (selection->from_row == selection->to_row &&
                                                    selection->from_column <= selection->to_column);

    *column = forward ? selection->from_column : selection->to_column;
    *row = forward ? selection->from_row : selection->to_row;
    *last_column = forward ? selection->to_column : selection->from_column;
    *last_row = forward ? selection->to_row : selection->from_row;
}

char *oriel_text_selection_get_text(const OrielTextSelection *selection)
{
    GString *text = g_string_new(NULL);
    guint first, row, last, last_row;

    if (!selection->lines || !selection->has_range) {
        return g_string_free(text, FALSE);
    }
    range_get(selection, &first, &row, &last, &last_row);
    for (guint i = row; i <= last_row && i < selection->rows; i++) {
        const char *line = selection->lines[i];
        glong length = g_utf8_strlen(line, -1);
        glong from = MIN(i == row ? (glong)first : 0, length);
        glong to = i == last_row ? MIN((glong)last + 1, length) : length;
        g_autofree char *part = g_utf8_substring(line, from, MAX(to, from));

        g_string_append(text, g_strchomp(part));
        if (i < last_row) {
            g_string_append_c(text, '\n');
        }
    }
    return g_string_free(text, FALSE);
}

void oriel_display_selection_copy(OrielDisplay *display)
{
    g_autofree char *text = oriel_text_selection_get_text(&display->selection);

    if (*text) {
        gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(display)), text);
        oriel_display_selection_set_active(display, FALSE);
    }
}

gboolean oriel_display_selection_key(OrielDisplay *display, guint keyval, GdkModifierType state)
{
    OrielTextSelection *selection = &display->selection;
    gboolean control = (state & GDK_CONTROL_MASK) != 0;

    if (keyval == GDK_KEY_Escape) {
        oriel_display_selection_set_active(display, FALSE);
    } else if (control &&
               (keyval == GDK_KEY_c || keyval == GDK_KEY_C || keyval == GDK_KEY_Insert)) {
        oriel_display_selection_copy(display);
    } else if (control && (keyval == GDK_KEY_a || keyval == GDK_KEY_A) && selection->lines) {
        selection->from_column = selection->from_row = 0;
        selection->to_column = selection->columns - 1;
        selection->to_row = selection->rows - 1;
        selection->has_range = TRUE;
        gtk_widget_queue_draw(GTK_WIDGET(display));
    } else {
        return GDK_EVENT_PROPAGATE;
    }
    return GDK_EVENT_STOP;
}

/* --- Drawing */

static void cells_append(OrielDisplay *display, GtkSnapshot *snapshot, guint row, guint from,
                         guint to)
{
    const OrielTextSelection *selection = &display->selection;
    const OrielGeometry *place = &display->geometry;
    GdkRGBA color = { .red = 1, .green = 1, .blue = 1, .alpha = 1 };
    double width = place->width / selection->columns, height = place->height / selection->rows;

    gtk_snapshot_append_color(snapshot, &color,
                              &GRAPHENE_RECT_INIT((float)(place->x + from * width),
                                                  (float)(place->y + row * height),
                                                  (float)((to - from) * width), (float)height));
}

/* The selected cells, inverted: their colours are the guest's, so no other is sure to differ. */
void oriel_display_selection_snapshot(OrielDisplay *display, GtkSnapshot *snapshot)
{
    const OrielTextSelection *selection = &display->selection;
    guint first, row, last, last_row;

    if (!selection->lines || !selection->has_range) {
        return;
    }
    range_get(selection, &first, &row, &last, &last_row);
    gtk_snapshot_push_blend(snapshot, GSK_BLEND_MODE_DIFFERENCE);
    oriel_picture_snapshot(
        display->picture, snapshot,
        &GRAPHENE_RECT_INIT((float)display->geometry.x, (float)display->geometry.y,
                            (float)display->geometry.width, (float)display->geometry.height),
        display->geometry.zoom);
    gtk_snapshot_pop(snapshot);
    for (guint i = row; i <= last_row; i++) {
        cells_append(display, snapshot, i, i == row ? first : 0,
                     i == last_row ? last + 1 : selection->columns);
    }
    gtk_snapshot_pop(snapshot);
}
