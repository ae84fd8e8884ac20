/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An engine that runs nothing: it speaks the contract and misbehaves as it is told. Programs use it
 * instead of the real one when ORIEL_ENGINE names it; it takes the same arguments.
 *
 * What it does is written in FOLDER/fake, one command a line, done at the start; more come later as
 * the text of TypeText, behind "fake:" (orielctl type NAME fake:crash):
 *
 *   fail CODE MESSAGE   at the start: refuse it
 *   silent              at the start: never say ready
 *   mute                at the start: end without a word
 *   no-socket           at the start: no control socket
 *   garbage             the control socket answers with bytes that are no D-Bus
 *   version N           another protocol version
 *   elsewhere           a Folder property that names another folder
 *   mouse               at the start: a guest that has only a mouse
 *   deaf METHOD         METHOD ("Pause") is never answered
 *   refuse METHOD       METHOD fails with State and a sentence
 *   hang                the main loop stands still; SIGCONT goes on
 *   exit CODE           the process ends at once
 *   signal N            the process gets a signal
 *   close               all connections are closed, the process stays
 *   state STATE REASON [MESSAGE]
 *   progress PERCENT    of a Save under way (by somebody who is not told of its end)
 *   saved               the state is there, and the engine ends
 *   off REASON          as if the guest had turned itself off
 *   reset               the guest was reset
 *   media DRIVE         a medium went in or out
 *   display KIND        what the Display interface gives out: good, unsealed, small, huge, none,
 *                       outside (damage beyond the picture)
 *   shrink              cuts off the memory that was given out, if it is not sealed
 *   frame               the picture changes
 *   size W H            the picture takes another size
 */
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/runtime.h"
#include "fake_engine.h"

/* --- Commands of the script ------------------------------------------------------------------- */

static void ready_write(const struct fake *fake, const char *line)
{
    if (fake->ready_fd >= 0 && write(fake->ready_fd, line, strlen(line)) < 0) {
        exit(1);
    }
}

void fake_set_state(struct fake *fake, const char *state, const char *reason, const char *message)
{
    g_free(fake->state);
    g_free(fake->reason);
    g_free(fake->message);
    fake->state = g_strdup(state);
    fake->reason = g_strdup(reason);
    fake->message = g_strdup(message);
    fake_properties_changed(fake);
}

static gboolean quit(gpointer data)
{
    struct fake *fake = data;

    for (guint i = 0; i < fake->connections->len; i++) {
        g_dbus_connection_flush_sync(fake->connections->pdata[i], NULL, NULL);
    }
    g_main_loop_quit(fake->loop);
    return G_SOURCE_REMOVE;
}

void fake_turn_off(struct fake *fake, const char *reason)
{
    fake_set_state(fake, "stopped", reason, "");
    g_idle_add_full(G_PRIORITY_LOW, quit, fake, NULL);
}

static void fail(struct fake *fake, const char *arguments)
{
    g_auto(GStrv) words = g_strsplit(arguments, " ", 2);
    g_autofree char *line = g_strdup_printf("{\"code\": %s, \"message\": \"%s\"}\n", words[0],
                                            words[1] ? words[1] : "");

    ready_write(fake, line);
    exit(10 + atoi(words[0]));
}

/* The word before the first blank, and what follows. */
static const char *split(char *line)
{
    char *blank = strchr(line, ' ');

    if (!blank) {
        return line + strlen(line);
    }
    *blank = '\0';
    return blank + 1;
}

static void hang(void)
{
    raise(SIGSTOP);
}

static void connections_close(struct fake *fake)
{
    g_autoptr(GPtrArray) all = g_steal_pointer(&fake->connections);

    fake->connections = g_ptr_array_new_with_free_func(g_object_unref);
    g_dbus_server_stop(fake->server);
    for (guint i = 0; i < all->len; i++) {
        g_dbus_connection_close_sync(all->pdata[i], NULL, NULL);
    }
}

static void set_state_from(struct fake *fake, const char *arguments)
{
    g_auto(GStrv) words = g_strsplit(arguments, " ", 3);

    if (g_strv_length(words) >= 2) {
        fake_set_state(fake, words[0], words[1], words[2] ? words[2] : "");
    }
}

static gboolean start_command(struct fake *fake, const char *word, const char *rest)
{
    if (strcmp(word, "fail") == 0) {
        fail(fake, rest);
    } else if (strcmp(word, "silent") == 0) {
        fake->no_ready = TRUE;
    } else if (strcmp(word, "mute") == 0) {
        exit(3);
    } else if (strcmp(word, "no-socket") == 0) {
        fake->no_socket = TRUE;
    } else if (strcmp(word, "garbage") == 0) {
        fake->is_garbage = TRUE;
    } else if (strcmp(word, "version") == 0) {
        fake->version = (guint)atoi(rest);
    } else if (strcmp(word, "elsewhere") == 0) {
        fake->elsewhere = TRUE;
    } else if (strcmp(word, "mouse") == 0) {
        fake->has_mouse = TRUE;
    } else {
        return FALSE;
    }
    return TRUE;
}

void fake_command(struct fake *fake, char *line)
{
    const char *rest = split(line);

    if (start_command(fake, line, rest)) {
        return;
    }
    if (strcmp(line, "deaf") == 0) {
        g_hash_table_add(fake->deaf, g_strdup(rest));
    } else if (strcmp(line, "refuse") == 0) {
        g_hash_table_add(fake->refuse, g_strdup(rest));
    } else if (strcmp(line, "hang") == 0) {
        hang();
    } else if (strcmp(line, "exit") == 0) {
        _exit(atoi(rest));
    } else if (strcmp(line, "signal") == 0) {
        raise(atoi(rest));
    } else if (strcmp(line, "close") == 0) {
        connections_close(fake);
    } else if (strcmp(line, "state") == 0) {
        set_state_from(fake, rest);
    } else if (strcmp(line, "off") == 0) {
        fake_turn_off(fake, rest);
    } else if (strcmp(line, "progress") == 0) {
        fake->save_progress = atoi(rest) / 100.0;
        fake_properties_changed(fake);
    } else if (strcmp(line, "saved") == 0) {
        fake_save(fake);
    } else if (strcmp(line, "reset") == 0) {
        fake_emit(fake, "WasReset", NULL);
    } else if (strcmp(line, "media") == 0) {
        fake_emit(fake, "MediaChanged", g_variant_new("(s)", rest));
    } else if (*line && !fake_display_command(fake->displays[0], line, rest)) {
        g_printerr("fake engine: “%s” is no command\n", line);
    }
}

static void script_run(struct fake *fake)
{
    g_autofree char *path = g_build_filename(fake->folder, "fake", NULL);
    g_autofree char *text = NULL;

    if (g_file_get_contents(path, &text, NULL, NULL)) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++) {
            fake_command(fake, *line);
        }
    }
}

/* --- The process ------------------------------------------------------------------------------ */

static gboolean say_something(GSocketService *service, GSocketConnection *connection,
                              GObject *source, gpointer data)
{
    static const char bytes[] = "HTTP/1.1 400 Bad Request\r\n\r\n\001\377\376garbage";
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));

    g_output_stream_write_all(out, bytes, sizeof(bytes), NULL, NULL, NULL);
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    return TRUE;
}

static gboolean garbage_start(struct fake *fake, const char *path, GError **error)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);

    fake->garbage = g_socket_service_new();
    g_signal_connect(fake->garbage, "incoming", G_CALLBACK(say_something), NULL);
    return g_socket_listener_add_address(G_SOCKET_LISTENER(fake->garbage), address,
                                         G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL,
                                         NULL, error);
}

static gboolean fake_start(struct fake *fake, GError **error)
{
    fake->config = oriel_config_load(fake->folder, error);
    if (!fake->config) {
        return FALSE;
    }
    fake->lock = oriel_machine_lock(fake->folder, error);
    if (fake->lock < 0) {
        return FALSE;
    }
    fake->runtime = oriel_runtime_create(fake->config->uuid, &fake->runtime_lock, error);
    if (!fake->runtime) {
        return FALSE;
    }
    for (guint i = 0; i < fake->config->displays; i++) {
        fake->displays[i] = fake_display_new();
    }
    script_run(fake);
    if (fake->discard_saved) {
        g_autofree char *saved = g_build_filename(fake->folder, "saved", NULL);

        g_rmdir(saved);
    }
    g_autofree char *socket = g_build_filename(fake->runtime, "engine", NULL);

    if (fake->is_garbage) {
        return garbage_start(fake, socket, error);
    }
    return fake->no_socket || fake_serve(fake, socket, error);
}

static gboolean on_terminate(gpointer data)
{
    fake_turn_off(data, "user");
    return G_SOURCE_CONTINUE;
}

static gboolean on_caller_gone(int fd, GIOCondition condition, gpointer data)
{
    on_terminate(data);
    return G_SOURCE_REMOVE; /* it would keep the end from its turn */
}

int main(int argc, char **argv)
{
    struct fake fake = { .ready_fd = -1, .lock = -1, .version = ORIEL_PROTOCOL_VERSION };
    g_auto(GStrv) lent = NULL;
    int until_fd = -1;
    GOptionEntry entries[] = {
        { "folder", 0, 0, G_OPTION_ARG_FILENAME, &fake.folder, NULL, NULL },
        { "paused", 0, 0, G_OPTION_ARG_NONE, &fake.paused, NULL, NULL },
        { "discard-saved", 0, 0, G_OPTION_ARG_NONE, &fake.discard_saved, NULL, NULL },
        { "ready-fd", 0, 0, G_OPTION_ARG_INT, &fake.ready_fd, NULL, NULL },
        { "lend", 0, 0, G_OPTION_ARG_STRING_ARRAY, &lent, NULL, NULL },
        { "until-fd", 0, 0, G_OPTION_ARG_INT, &until_fd, NULL, NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- pretend to run a machine");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !fake.folder) {
        return 2;
    }
    fake.loop = g_main_loop_new(NULL, FALSE);
    fake.connections = g_ptr_array_new_with_free_func(g_object_unref);
    fake.deaf = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake.refuse = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake_set_state(&fake, fake.paused ? "paused" : "running", "user", "");
    g_unix_signal_add(SIGTERM, on_terminate, &fake);
    if (until_fd >= 0) {
        g_unix_fd_add(until_fd, G_IO_HUP, on_caller_gone, &fake);
    }
    if (!fake_start(&fake, &error)) {
        g_autofree char *arguments = g_strdup_printf("%d %s", error->code, error->message);

        fail(&fake, arguments);
    }
    if (!fake.no_ready) {
        ready_write(&fake, "ready\n");
        close(fake.ready_fd);
    }
    g_main_loop_run(fake.loop);
    oriel_runtime_remove(fake.runtime, fake.runtime_lock);
    _exit(0); /* the rest goes with the process */
}
