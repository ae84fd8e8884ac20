/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_machine: runs one machine without a folder, an app or a window. What the guest says on its
 * first serial port and on the firmware's debug port goes to the standard output; at the end come
 * the characters of the screen and, with --stats, the counters.
 *
 * Ends when the machine turns itself off (status 0), when --until has been seen in the output or on
 * the screen (0), when the guest crashes (3) or when --seconds are over (4 with --until, otherwise
 * 0).
 */
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#include "display/console.h"
#include "display/png_write.h"
#include "input/input_router.h"
#include "machine.h"
#include "machine/serial.h"

enum {
    BUTTON_SECONDS = 3, /* from the text to the button: the guest falls asleep meanwhile */
};

struct run {
    GMainLoop *loop;
    struct machine *machine;
    GString *said;
    GRegex *until, *button;
    unsigned waited; /* seconds since --button was seen */
    int status;
};

static gint memory = 128, cpus = 1, seconds = 60;
static gboolean uefi, stats, no_debug;
static char *firmware, *kernel, *initrd, *append, *until, *keys, *screenshot, *button;
static char **disks, **cdroms;

static GOptionEntry entries[] = {
    { "memory", 0, 0, G_OPTION_ARG_INT, &memory, "RAM in MiB", "N" },
    { "cpus", 0, 0, G_OPTION_ARG_INT, &cpus, "Processors", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &seconds, "Give up after that long", "N" },
    { "uefi", 0, 0, G_OPTION_ARG_NONE, &uefi, "OVMF instead of SeaBIOS", NULL },
    { "firmware", 0, 0, G_OPTION_ARG_FILENAME, &firmware, "Another firmware image", "FILE" },
    { "kernel", 0, 0, G_OPTION_ARG_FILENAME, &kernel, "Boot a Linux kernel", "FILE" },
    { "initrd", 0, 0, G_OPTION_ARG_FILENAME, &initrd, "with this initial RAM disk", "FILE" },
    { "append", 0, 0, G_OPTION_ARG_STRING, &append, "and this command line", "TEXT" },
    { "disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &disks, "A raw disk image", "FILE" },
    { "cdrom", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &cdroms, "An ISO image", "FILE" },
    { "until", 0, 0, G_OPTION_ARG_STRING, &until, "End when this has been seen", "REGEX" },
    { "button", 0, 0, G_OPTION_ARG_STRING, &button, "Press the power button 30 s after this",
      "REGEX" },
    { "keys", 0, 0, G_OPTION_ARG_STRING, &keys, "Chords to press then, by commas", "CHORDS" },
    { "screenshot", 0, 0, G_OPTION_ARG_FILENAME, &screenshot, "Write the picture", "FILE" },
    { "stats", 0, 0, G_OPTION_ARG_NONE, &stats, "Print the counters at the end", NULL },
    { "no-debug", 0, 0, G_OPTION_ARG_NONE, &no_debug, "Without the debug port's output", NULL },
    { NULL },
};

static void finish(struct run *run, int status)
{
    run->status = status;
    g_main_loop_quit(run->loop);
}

static bool seen(struct run *run)
{
    struct text_cursor cursor;
    g_autofree char *screen = console_text(machine_console(run->machine, 0), &cursor);

    return g_regex_match(run->until, run->said->str, 0, NULL) ||
           (screen && g_regex_match(run->until, screen, 0, NULL));
}

static void on_output(void *context, const void *bytes, size_t n)
{
    struct run *run = context;

    g_string_append_len(run->said, bytes, (gssize)n);
    fwrite(bytes, 1, n, stdout);
    fflush(stdout);
    if (run->until && g_regex_match(run->until, run->said->str, 0, NULL)) {
        finish(run, 0);
    }
}

static void on_state(void *context, enum machine_state state, enum machine_reason reason,
                     const char *message)
{
    struct run *run = context;

    fprintf(stderr, "%s (%s) %s\n", machine_state_name(state), machine_reason_name(reason),
            message ? message : "");
    if (state == MACHINE_CRASHED) {
        g_autofree char *report = machine_crash_report(run->machine);

        fprintf(stderr, "%s", report ? report : "");
        finish(run, 3);
    } else if (state == MACHINE_STOPPED) {
        finish(run, 0);
    }
}

static gboolean on_second(gpointer data)
{
    struct run *run = data;

    if (run->until && seen(run)) {
        finish(run, 0);
    }
    if (run->button && g_regex_match(run->button, run->said->str, 0, NULL) &&
        ++run->waited >= BUTTON_SECONDS) {
        g_clear_pointer(&run->button, g_regex_unref);
        machine_power_button(run->machine, NULL);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_limit(gpointer data)
{
    struct run *run = data;

    finish(run, run->until ? 4 : 0);
    return G_SOURCE_REMOVE;
}

static OrielConfig *config_make(GError **error)
{
    g_autoptr(OrielConfig) config = oriel_config_new("run_machine");

    config->memory = (guint64)memory << 20;
    config->cpus = (guint)cpus;
    config->firmware = uefi ? ORIEL_FIRMWARE_UEFI : ORIEL_FIRMWARE_BIOS;
    config->firmware_path = g_strdup(firmware);
    config->kernel = g_strdup(kernel);
    config->initrd = g_strdup(initrd);
    config->append = g_strdup(append);
    for (unsigned i = 0; disks && disks[i]; i++) {
        if (!oriel_config_add_drive(config, ORIEL_DRIVE_DISK, disks[i], error)) {
            return NULL;
        }
    }
    for (unsigned i = 0; cdroms && cdroms[i]; i++) {
        g_autofree char *path = g_canonicalize_filename(cdroms[i], NULL);

        if (!oriel_config_add_drive(config, ORIEL_DRIVE_CDROM, path, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&config);
}

static void report(struct run *run)
{
    struct text_cursor cursor;
    g_autofree char *screen = console_text(machine_console(run->machine, 0), &cursor);

    printf("--- screen\n%s\n", screen ? screen : "(graphics)");
    if (stats) {
        g_autofree char *figures = machine_stats(run->machine);

        printf("--- counters\n%s\n", figures);
    }
    if (screenshot) {
        struct surface picture;

        console_copy(machine_console(run->machine, 0), &picture);
        g_autoptr(GBytes) png = png_write(&picture);
        gsize size;
        const char *bytes = g_bytes_get_data(png, &size);

        g_file_set_contents(screenshot, bytes, (gssize)size, NULL);
        g_free(picture.pixels);
    }
}

static bool start(struct run *run, GError **error)
{
    const struct machine_callbacks callbacks = { on_state, NULL, NULL, run };
    g_autoptr(OrielConfig) config = config_make(error);
    g_autofree char *folder = g_get_current_dir();

    if (!config) {
        return false;
    }
    if (until) {
        run->until = g_regex_new(until, G_REGEX_MULTILINE, 0, error);
        if (!run->until) {
            return false;
        }
    }
    if (button) {
        run->button = g_regex_new(button, G_REGEX_MULTILINE, 0, error);
        if (!run->button) {
            return false;
        }
    }
    run->machine = machine_new(config, folder, &callbacks, error);
    if (!run->machine) {
        return false;
    }
    machine_serial_set_output(run->machine, 0, on_output, run);
    if (!no_debug) {
        machine_serial_set_output(run->machine, SERIAL_DEBUG_PORT, on_output, run);
    }
    return machine_start(run->machine, false, error);
}

static void keys_press(struct run *run)
{
    g_auto(GStrv) chords = g_strsplit(keys, ",", -1);

    for (unsigned i = 0; chords[i]; i++) {
        g_autoptr(GError) error = NULL;

        if (!input_chord(machine_input(run->machine), chords[i], &error)) {
            fprintf(stderr, "%s\n", error->message);
        }
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) options = g_option_context_new("- run a machine");
    g_autoptr(GError) error = NULL;
    struct run run = { .loop = g_main_loop_new(NULL, FALSE), .said = g_string_new(NULL) };

    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error) || !start(&run, &error)) {
        fprintf(stderr, "run_machine: %s\n", error->message);
        return 2;
    }
    g_timeout_add_seconds(1, on_second, &run);
    g_timeout_add_seconds((guint)seconds, on_limit, &run);
    g_main_loop_run(run.loop);
    if (keys && run.status == 0) {
        keys_press(&run);
        run.until = NULL;
        g_timeout_add_seconds(5, on_limit, &run);
        g_main_loop_run(run.loop);
    }
    report(&run);
    machine_free(run.machine);
    return run.status;
}
