/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-screenshot.h. */
#include "oriel-screenshot.h"

#include <glib/gi18n.h>

#include "base/oriel-message.h"

/* A screenshot on its way into a file. */
typedef struct {
    GdkTexture *texture;
    char *path;
} Shot;

static void shot_free(gpointer data)
{
    Shot *shot = data;

    g_object_unref(shot->texture);
    g_free(shot->path);
    g_free(shot);
}

/* Writes the file, never over another one; worker thread. */
static void shot_write(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Shot *shot = data;
    g_autoptr(GFile) file = g_file_new_for_path(shot->path);
    g_autoptr(GFile) folder = g_file_get_parent(file);
    g_autoptr(GBytes) png = gdk_texture_save_to_png_bytes(shot->texture);
    g_autoptr(GFileOutputStream) stream = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_make_directory_with_parents(folder, NULL, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_EXISTS)) {
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    g_clear_error(&error);
    stream = g_file_create(file, G_FILE_CREATE_NONE, NULL, &error);
    if (!stream ||
        !g_output_stream_write_all(G_OUTPUT_STREAM(stream), g_bytes_get_data(png, NULL),
                                   g_bytes_get_size(png), NULL, NULL, &error) ||
        !g_output_stream_close(G_OUTPUT_STREAM(stream), NULL, &error)) {
        g_task_return_error(task, g_steal_pointer(&error));
        return;
    }
    g_task_return_pointer(task, g_strdup(shot->path), g_free);
}

static void open_clicked(AdwToast *toast, gpointer data)
{
    g_autoptr(GFile) file = g_file_new_for_path(g_object_get_data(G_OBJECT(toast), "path"));
    g_autofree char *uri = g_file_get_uri(file);

    gtk_show_uri(NULL, uri, GDK_CURRENT_TIME);
}

static void shot_written(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_task_propagate_pointer(G_TASK(result), &error);
    AdwToast *toast;

    if (!path) {
        oriel_message_error(GTK_WIDGET(source), _("Could Not Save the Screenshot"), error);
        return;
    }
    toast = adw_toast_new(_("Screenshot saved in Pictures"));
    adw_toast_set_button_label(toast, _("_Open"));
    g_object_set_data_full(G_OBJECT(toast), "path", g_strdup(path), g_free);
    g_signal_connect(toast, "button-clicked", G_CALLBACK(open_clicked), NULL);
    oriel_message_add_toast(GTK_WIDGET(source), toast);
}

/* "Debian 2026-11-25 18-30-00.png" in the Pictures folder. g_free(). */
static char *shot_path(const char *name)
{
    const char *pictures = g_get_user_special_dir(G_USER_DIRECTORY_PICTURES);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H-%M-%S");
    g_autofree char *file = g_strdup_printf("%s %s.png", name, time);

    g_strdelimit(file, "/", '-');
    if (pictures) {
        return g_build_filename(pictures, file, NULL);
    }
    return g_build_filename(g_get_home_dir(), "Pictures", file, NULL);
}

void oriel_screenshot_save(OrielDisplay *display, const char *name)
{
    g_autoptr(GdkTexture) texture = oriel_display_screenshot(display);
    g_autoptr(GTask) task = NULL;
    Shot *shot;

    if (!texture) {
        return;
    }
    shot = g_new(Shot, 1);
    *shot = (Shot){ g_object_ref(texture), shot_path(name) };
    task = g_task_new(display, NULL, shot_written, NULL);
    g_task_set_task_data(task, shot, shot_free);
    g_task_run_in_thread(task, shot_write);
}
