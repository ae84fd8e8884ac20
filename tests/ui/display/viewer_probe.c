/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A window with a display for tests in other languages.
 *
 * usage: viewer_probe [--size=WxH] engine:SOCKET | VNC-ADDRESS
 *
 * Says "size W H" whenever the picture has another size, "failed TEXT" or "closed TEXT" when it
 * ends. Takes lines: "shot FILE" (the guest's picture as PNG), "keys CHORD", "text FILE" (the
 * characters of a text screen), "follow" (the guest is asked for the window's size), "window W H";
 * each is answered with "done".
 */
#include <gio/gunixinputstream.h>
#include <gtk/gtk.h>
#include <stdio.h>

#include "display/widget/oriel-display.h"
#include "display/engine/oriel-engine-backend.h"
#include "display/vnc/oriel-vnc-backend.h"

struct probe {
    GtkWindow *window;
    OrielDisplay *display;
    OrielDisplayBackend *backend;
    GDataInputStream *input;
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

static void on_size(struct probe *probe)
{
    guint width, height;

    g_object_get(probe->display, "guest-width", &width, "guest-height", &height, NULL);
    if (width > 0) {
        say("size %u %u", width, height);
    }
}

static void on_status(struct probe *probe)
{
    OrielDisplayStatus status = oriel_display_backend_get_status(probe->backend);

    if (status == ORIEL_DISPLAY_STATUS_FAILED || status == ORIEL_DISPLAY_STATUS_CLOSED) {
        say("%s %s", status == ORIEL_DISPLAY_STATUS_FAILED ? "failed" : "closed",
            oriel_display_backend_get_message(probe->backend));
    }
}

static void on_text(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree char *path = data;
    g_autofree char *text =
        oriel_display_backend_get_text_finish(ORIEL_DISPLAY_BACKEND(source), result, NULL);

    g_file_set_contents(path, text ? text : "", -1, NULL);
    say("done");
}

static void line_do(struct probe *probe, const char *line)
{
    g_autoptr(GdkTexture) texture = NULL;
    int width, height;

    if (g_str_has_prefix(line, "text ")) {
        oriel_display_backend_get_text_async(probe->backend, NULL, on_text, g_strdup(line + 5));
        return;
    }
    if (g_str_has_prefix(line, "shot ")) {
        texture = oriel_display_screenshot(probe->display);
        if (texture) {
            gdk_texture_save_to_png(texture, line + 5);
        }
    } else if (g_str_has_prefix(line, "keys ")) {
        oriel_display_send_keys(probe->display, line + 5);
    } else if (g_str_equal(line, "follow")) {
        oriel_display_set_scaling(probe->display, ORIEL_SCALING_FOLLOW);
    } else if (sscanf(line, "window %d %d", &width, &height) == 2) {
        gtk_window_set_default_size(probe->window, width, height);
    }
    say("done");
}

static void on_line(GObject *source, GAsyncResult *result, gpointer data)
{
    struct probe *probe = data;
    g_autofree char *line =
        g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source), result, NULL, NULL);

    if (!line) {
        oriel_display_set_backend(probe->display, NULL);
        gtk_window_destroy(probe->window);
        exit(0);
    }
    line_do(probe, line);
    g_data_input_stream_read_line_async(probe->input, G_PRIORITY_DEFAULT, NULL, on_line, probe);
}

static OrielDisplayBackend *backend_new(const char *address)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = NULL;
    g_autofree char *bus = NULL;
    OrielDisplayBackend *backend;

    if (!g_str_has_prefix(address, "engine:")) {
        backend = oriel_vnc_backend_new(address, &error);
    } else {
        bus = g_strdup_printf("unix:path=%s", address + strlen("engine:"));
        connection = g_dbus_connection_new_for_address_sync(
            bus, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, &error);
        backend = connection ? oriel_engine_backend_new(connection, 1) : NULL;
    }
    if (!backend) {
        say("failed %s", error->message);
        exit(1);
    }
    return backend;
}

int main(int argc, char **argv)
{
    struct probe probe = { 0 };
    g_autoptr(GInputStream) in = g_unix_input_stream_new(0, FALSE);
    int width = 800, height = 600;

    if (argc == 3 && sscanf(argv[1], "--size=%dx%d", &width, &height) == 2) {
        argv++;
        argc--;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: viewer_probe [--size=WxH] engine:SOCKET | VNC-ADDRESS\n");
        return 2;
    }
    gtk_init();
    probe.backend = backend_new(argv[1]);
    probe.window = GTK_WINDOW(gtk_window_new());
    probe.display = ORIEL_DISPLAY(oriel_display_new());
    gtk_window_set_decorated(probe.window, FALSE);
    gtk_window_set_default_size(probe.window, width, height);
    gtk_window_set_child(probe.window, GTK_WIDGET(probe.display));
    g_signal_connect_swapped(probe.display, "notify::guest-width", G_CALLBACK(on_size), &probe);
    g_signal_connect_swapped(probe.backend, "notify::status", G_CALLBACK(on_status), &probe);
    oriel_display_set_backend(probe.display, probe.backend);
    gtk_window_present(probe.window);
    probe.input = g_data_input_stream_new(in);
    g_data_input_stream_read_line_async(probe.input, G_PRIORITY_DEFAULT, NULL, on_line, &probe);
    for (;;) {
        g_main_context_iteration(NULL, TRUE);
    }
}
