/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <gdk/x11/gdkx.h>
#include <math.h>

#include "display/engine/oriel-engine-backend.h"

static gboolean on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

void fixture_iterate(void)
{
    static guint tick;

    if (tick == 0) {
        tick = g_timeout_add(100, on_tick, NULL); /* so that UNTIL() looks at the clock */
    }
    g_main_context_iteration(NULL, TRUE);
}

static void on_process_end(GObject *source, GAsyncResult *result, gpointer data)
{
    gboolean *done = data;

    g_assert(g_subprocess_wait_check_finish(G_SUBPROCESS(source), result, NULL));
    *done = TRUE;
}

void fixture_xdotool(const char *format, ...)
{
    g_autofree char *arguments = NULL;
    g_autofree char *command = NULL;
    g_auto(GStrv) argv = NULL;
    g_autoptr(GSubprocess) process = NULL;
    gboolean done = FALSE;
    va_list list;

    va_start(list, format);
    arguments = g_strdup_vprintf(format, list);
    va_end(list);
    command = g_strconcat("xdotool ", arguments, NULL);
    argv = g_strsplit(command, " ", -1);
    process = g_subprocess_newv((const char *const *)argv, G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
    g_assert(process);
    g_subprocess_wait_check_async(process, NULL, on_process_end, &done);
    UNTIL(done);
}

static gboolean is_viewable(GtkWindow *window)
{
    GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(window));
    XWindowAttributes attributes;

    return gtk_widget_get_mapped(GTK_WIDGET(window)) &&
           XGetWindowAttributes(gdk_x11_display_get_xdisplay(display),
                                gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(window))),
                                &attributes) &&
           attributes.map_state == IsViewable;
}

void fixture_window_focus(GtkWindow *window)
{
    UNTIL(is_viewable(window));
    fixture_xdotool("windowfocus --sync %lu",
                    gdk_x11_surface_get_xid(gtk_native_get_surface(GTK_NATIVE(window))));
}

/* Sends something through the X server and back, then through the engine's connection. */
void fixture_settle(struct fixture *fixture)
{
    static guint serial;
    g_autofree char *marker = g_strdup_printf("settle %u", ++serial);

    gdk_display_sync(gtk_widget_get_display(GTK_WIDGET(fixture->window)));
    for (guint i = 0; i < 3; i++) {
        while (g_main_context_iteration(NULL, FALSE)) {
        }
        gdk_display_sync(gtk_widget_get_display(GTK_WIDGET(fixture->window)));
    }
    if (!g_dbus_connection_is_closed(fixture->engine->client) && !fixture->engine->hangs) {
        g_dbus_connection_call(fixture->engine->client, NULL, "/io/github/oriel_vm/Oriel/Engine",
                               "io.github.oriel_vm.Oriel.Engine", "TypeText",
                               g_variant_new("(s)", marker), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                               NULL, NULL);
        UNTIL(strstr(fixture->engine->log->str, marker));
    }
}

static void on_notice(OrielDisplay *display, const char *text, struct fixture *fixture)
{
    g_free(fixture->notice);
    fixture->notice = g_strdup(text);
}

static gboolean is_shown(struct fixture *fixture)
{
    /* The call that waits says that the frame was drawn. */
    return oriel_display_backend_get_framebuffer(fixture->backend) && fixture->engine->waiting;
}

struct fixture *fixture_new(guint width, guint height)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    GtkWidget *box;

    gtk_init();
    box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    fixture->engine = fake_engine_new();
    fake_engine_show(fixture->engine, width, height);
    fixture->window = GTK_WINDOW(gtk_window_new());
    fixture->display = ORIEL_DISPLAY(oriel_display_new());
    fixture->button = gtk_button_new_with_label("Other");
    gtk_widget_set_vexpand(GTK_WIDGET(fixture->display), TRUE);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(fixture->display));
    gtk_box_append(GTK_BOX(box), fixture->button);
    gtk_window_set_child(fixture->window, box);
    gtk_window_set_decorated(fixture->window, FALSE);
    gtk_window_set_default_size(fixture->window, 900, 700);
    g_signal_connect(fixture->display, "notice", G_CALLBACK(on_notice), fixture);
    fixture->backend = oriel_engine_backend_new(fixture->engine->client, 1);
    oriel_display_set_backend(fixture->display, fixture->backend);
    gtk_window_present(fixture->window);
    UNTIL(is_shown(fixture));
    fixture_window_focus(fixture->window);
    UNTIL(gtk_window_is_active(fixture->window));
    gtk_widget_grab_focus(GTK_WIDGET(fixture->display));
    UNTIL(gtk_widget_has_focus(GTK_WIDGET(fixture->display)));
    fixture_settle(fixture);
    return fixture;
}

void fixture_free(struct fixture *fixture)
{
    gtk_window_destroy(fixture->window);
    g_object_unref(fixture->backend);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    fake_engine_free(fixture->engine);
    g_free(fixture->notice);
    g_free(fixture);
}

void fixture_window_place(struct fixture *fixture, guint x, guint y, int *window_x, int *window_y)
{
    GtkWidget *widget = GTK_WIDGET(fixture->display);
    int scale = gtk_widget_get_scale_factor(widget);
    double offset_x, offset_y, width = gtk_widget_get_width(widget);
    double height = gtk_widget_get_height(widget), zoom;
    guint guest_width, guest_height;
    graphene_point_t origin;

    /* The test's own arithmetic for FIT: it must agree with the widget's. */
    g_object_get(widget, "guest-width", &guest_width, "guest-height", &guest_height, NULL);
    zoom = MIN(width / guest_width, height / guest_height);
    gtk_native_get_surface_transform(GTK_NATIVE(fixture->window), &offset_x, &offset_y);
    CHECK(gtk_widget_compute_point(widget, GTK_WIDGET(fixture->window), &GRAPHENE_POINT_INIT(0, 0),
                                   &origin));
    *window_x =
        (int)ceil(scale * (origin.x + offset_x + (width - guest_width * zoom) / 2 + x * zoom));
    *window_y =
        (int)ceil(scale * (origin.y + offset_y + (height - guest_height * zoom) / 2 + y * zoom));
}

/* NULL while the widget waits for its new allocation. */
static GskRenderNode *node_new(struct fixture *fixture, int width, int height, int scale)
{
    g_autoptr(GdkPaintable) paintable = gtk_widget_paintable_new(GTK_WIDGET(fixture->display));
    GtkSnapshot *snapshot = gtk_snapshot_new();

    gtk_snapshot_scale(snapshot, (float)scale, (float)scale);
    gdk_paintable_snapshot(paintable, snapshot, width / (double)scale, height / (double)scale);
    return gtk_snapshot_free_to_node(snapshot);
}

guint32 *fixture_render(struct fixture *fixture, guint *width, guint *height)
{
    int scale = gtk_widget_get_scale_factor(GTK_WIDGET(fixture->display));
    g_autoptr(GdkTexture) texture = NULL;
    GskRenderNode *node;
    guint32 *pixels;

    *width = (guint)(gtk_widget_get_width(GTK_WIDGET(fixture->display)) * scale);
    *height = (guint)(gtk_widget_get_height(GTK_WIDGET(fixture->display)) * scale);
    UNTIL((node = node_new(fixture, (int)*width, (int)*height, scale)) != NULL);
    texture =
        gsk_renderer_render_texture(gtk_native_get_renderer(GTK_NATIVE(fixture->window)), node,
                                    &GRAPHENE_RECT_INIT(0, 0, (float)*width, (float)*height));
    gsk_render_node_unref(node);
    pixels = g_new(guint32, (gsize)*width * *height);
    gdk_texture_download(texture, (guchar *)pixels, (gsize)*width * 4);
    return pixels;
}
