/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What menus and shortcuts do with the display widget, and screenshots. */
#include <glib/gi18n-lib.h>

#include "oriel-display-private.h"
#include "display/keys/oriel-keymap.h"

gboolean oriel_display_send_keys(OrielDisplay *display, const char *chord)
{
    guint codes[ORIEL_CHORD_MAX], n = oriel_keymap_parse_chord(chord, codes);

    if (n == 0 || !oriel_display_has_input(display)) {
        return n > 0;
    }
    oriel_display_release_keys(display);
    for (guint i = 0; i < n; i++) {
        oriel_display_backend_key(display->backend, codes[i], oriel_keymap_to_keysym(codes[i]),
                                  TRUE);
    }
    while (n-- > 0) {
        oriel_display_backend_key(display->backend, codes[n], oriel_keymap_to_keysym(codes[n]),
                                  FALSE);
    }
    return TRUE;
}

/* Little-endian pixels, which is what CAIRO_FORMAT_ARGB32 and the engine's are on a PC. */
GdkTexture *oriel_display_screenshot(OrielDisplay *display)
{
    OrielFramebuffer *framebuffer = oriel_picture_get_framebuffer(display->picture);
    g_autoptr(GBytes) shared = NULL;
    g_autofree guchar *pixels = NULL;
    g_autoptr(GBytes) copy = NULL;
    cairo_surface_t *picture;
    guint width, height, stride;
    gsize size;

    if (!framebuffer) {
        return NULL;
    }
    width = oriel_framebuffer_get_width(framebuffer);
    height = oriel_framebuffer_get_height(framebuffer);
    stride = (guint)oriel_framebuffer_get_stride(framebuffer);
    shared = oriel_framebuffer_get_bytes(framebuffer, 0, 0, width, height);
    pixels = g_memdup2(g_bytes_get_data(shared, NULL), g_bytes_get_size(shared));
    size = g_bytes_get_size(shared);
    picture = cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_ARGB32, (int)width,
                                                  (int)height, (int)stride);
    oriel_display_cursor_paint(display, picture);
    cairo_surface_destroy(picture);
    copy = g_bytes_new_take(g_steal_pointer(&pixels), size);
    return gdk_memory_texture_new((int)width, (int)height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, copy,
                                  stride);
}

/* --- Paste as keystrokes */

static void typing_set(OrielDisplay *display, GCancellable *cancellable)
{
    if (g_set_object(&display->typing, cancellable)) {
        g_object_notify(G_OBJECT(display), "typing");
    }
}

void oriel_display_cancel_typing(OrielDisplay *display)
{
    if (display->typing) {
        g_cancellable_cancel(display->typing);
        typing_set(display, NULL);
    }
}

/* A paste: which one, and for whom. */
struct paste {
    OrielDisplay *display;
    GCancellable *cancellable;
};

static void paste_free(struct paste *paste)
{
    g_object_unref(paste->display);
    g_object_unref(paste->cancellable);
    g_free(paste);
}

static void paste_end(struct paste *paste, GError *error)
{
    if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_dbus_error_strip_remote_error(error);
        oriel_display_notice(paste->display, error->message);
    }
    if (paste->display->typing == paste->cancellable) {
        typing_set(paste->display, NULL);
    }
    paste_free(paste);
}

static void on_typed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;

    oriel_display_backend_type_text_finish(ORIEL_DISPLAY_BACKEND(source), result, &error);
    paste_end(data, error);
}

static void on_clipboard(GObject *source, GAsyncResult *result, gpointer data)
{
    struct paste *paste = data;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = gdk_clipboard_read_text_finish(GDK_CLIPBOARD(source), result, &error);

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        paste_end(paste, error);
    } else if (!text || !*text || !paste->display->backend) {
        oriel_display_notice(paste->display, _("The clipboard has no text to type."));
        paste_end(paste, NULL);
    } else {
        oriel_display_backend_type_text_async(paste->display->backend, text, paste->cancellable,
                                              on_typed, paste);
    }
}

static void paste_start(OrielDisplay *display)
{
    GdkClipboard *clipboard = gtk_widget_get_clipboard(GTK_WIDGET(display));
    struct paste *paste;

    if (!display->backend || !oriel_display_backend_can_type(display->backend)) {
        oriel_display_notice(display, _("This screen takes no text now."));
        return;
    }
    oriel_display_cancel_typing(display);
    oriel_display_release_keys(display);
    paste = g_new0(struct paste, 1);
    paste->display = g_object_ref(display);
    paste->cancellable = g_cancellable_new();
    typing_set(display, paste->cancellable);
    gdk_clipboard_read_text_async(clipboard, paste->cancellable, on_clipboard, paste);
}

/* --- The actions */

static void on_grab(GtkWidget *widget, const char *name, GVariant *parameter)
{
    OrielDisplay *display = ORIEL_DISPLAY(widget);

    gtk_widget_grab_focus(widget);
    oriel_display_set_flag(display, &display->captured, TRUE, "captured");
    oriel_display_update_grab(display, NULL);
}

static void on_release(GtkWidget *widget, const char *name, GVariant *parameter)
{
    oriel_display_release(ORIEL_DISPLAY(widget));
}

static void on_paste(GtkWidget *widget, const char *name, GVariant *parameter)
{
    paste_start(ORIEL_DISPLAY(widget));
}

static void on_cancel_paste(GtkWidget *widget, const char *name, GVariant *parameter)
{
    oriel_display_cancel_typing(ORIEL_DISPLAY(widget));
}

static void on_send_keys(GtkWidget *widget, const char *name, GVariant *parameter)
{
    if (!oriel_display_send_keys(ORIEL_DISPLAY(widget), g_variant_get_string(parameter, NULL))) {
        g_warning("display.send-keys: unknown key in “%s”", g_variant_get_string(parameter, NULL));
    }
}

static void on_resize_to_guest(GtkWidget *widget, const char *name, GVariant *parameter)
{
    oriel_display_resize_to_guest(ORIEL_DISPLAY(widget));
}

static void on_copy(GtkWidget *widget, const char *name, GVariant *parameter)
{
    oriel_display_selection_copy(ORIEL_DISPLAY(widget));
}

void oriel_display_install_actions(GtkWidgetClass *class)
{
    gtk_widget_class_install_action(class, "display.grab", NULL, on_grab);
    gtk_widget_class_install_action(class, "display.release", NULL, on_release);
    gtk_widget_class_install_action(class, "display.paste", NULL, on_paste);
    gtk_widget_class_install_action(class, "display.cancel-paste", NULL, on_cancel_paste);
    gtk_widget_class_install_action(class, "display.send-keys", "s", on_send_keys);
    gtk_widget_class_install_action(class, "display.resize-to-guest", NULL, on_resize_to_guest);
    gtk_widget_class_install_action(class, "display.copy", NULL, on_copy);
    gtk_widget_class_install_property_action(class, "display.select-text", "selecting-text");
}
