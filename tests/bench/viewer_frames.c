/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames of 1920 x 1080 pixels from an engine's memory to the screen, as fast as the widget takes
 * them. The engine is tests/ui/display/fake_engine.h, in this process: what it does is counted with
 * the rest.
 *
 * usage: viewer_frames full|small SECONDS; prints "frames N cpu-ms M"
 */
#include <gtk/gtk.h>
#include <sys/resource.h>

#include "fake_engine.h"
#include "display/widget/oriel-display.h"
#include "display/engine/oriel-engine-backend.h"

static double cpu_ms(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* Shows changes until `end`; how many the widget asked for. */
static guint run(struct fake_engine *engine, guint width, guint height, double seconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
    guint frames = 0;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, TRUE);
        if (engine->waiting) {
            frames++;
            for (guint y = 0; y < height; y++) {
                memset(engine->pixels + (gsize)y * engine->width, 0xff - (int)(frames & 0x7f),
                       (gsize)width * 4);
            }
            fake_engine_damage(engine, 0, 0, width, height);
        }
    }
    return frames;
}

int main(int argc, char **argv)
{
    struct fake_engine *engine;
    OrielDisplayBackend *backend;
    GtkWidget *window, *display;
    gboolean full;
    double before;
    guint frames;

    if (argc != 3) {
        g_printerr("usage: viewer_frames full|small SECONDS\n");
        return 2;
    }
    full = g_str_equal(argv[1], "full");
    gtk_init();
    engine = fake_engine_new();
    fake_engine_show(engine, 1920, 1080);
    backend = oriel_engine_backend_new(engine->client, 1);
    window = gtk_window_new();
    display = oriel_display_new();
    gtk_window_set_decorated(GTK_WINDOW(window), FALSE);
    gtk_window_set_default_size(GTK_WINDOW(window), 1920, 1080);
    gtk_window_set_child(GTK_WINDOW(window), display);
    oriel_display_set_backend(ORIEL_DISPLAY(display), backend);
    gtk_window_present(GTK_WINDOW(window));
    run(engine, 64, 64, 1);
    before = cpu_ms();
    frames = run(engine, full ? 1920 : 64, full ? 1080 : 64, g_ascii_strtod(argv[2], NULL));
    g_print("frames %u cpu-ms %.0f\n", frames, cpu_ms() - before);
    return 0;
}
