/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * oriel-engine: runs one machine until it is turned off.
 *
 *   oriel-engine --folder FOLDER [--paused] [--discard-saved] [--ready-fd N]
 *                [--lend PART]... [--until-fd N]
 *
 * Started by the app or by hand. It locks the machine, starts it, and offers it in the machine's
 * runtime folder: "engine" (D-Bus), "vnc", "serial0"... When the machine runs, it writes "ready\n"
 * to the descriptor N; if it cannot start, one line of JSON, {"code": OrielError, "message":
 * SENTENCE}, and ends with oriel_error_exit_code(). From then on its messages go to
 * FOLDER/log/engine.log.
 *
 * A machine with a saved state goes on from it (config/saved.h), unless --discard-saved has it
 * forgotten.
 *
 * SIGTERM and SIGINT turn the machine off at once, disks flushed, as the end of a session must. So
 * does the end of the pipe --until-fd, for a machine that is nobody's without its caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/lent.h"
#include "config/config.h"
#include "config/runtime.h"
#include "config/saved.h"
#include "control/control.h"
#include "display/server.h"
#include "machine.h"
#include "machine/serial.h"
#include "serial_socket.h"
#include "snapshot/saved.h"

enum {
    WORKED_SECONDS = 60,   /* of running after which the settings count as good */
    LOG_MAX = 1024 * 1024, /* bytes of engine.log before it becomes engine.log.old */
};

struct engine {
    char *folder;
    gboolean paused, discard_saved;
    int ready_fd, until_fd;
    int lock;
    OrielConfig *config;
    char *runtime;
    int runtime_lock;
    GMainLoop *loop;
    struct saved *saved; /* to go on from; NULL: none */
    struct machine *machine;
    struct control *control;
    struct display_listener *vnc[DISPLAY_HEADS_MAX], *vnc_tcp;
    struct serial_socket *serials[CONFIG_SERIALS_MAX];
    struct serial_socket *console;  /* the virtio console */
    struct serial_socket *firmware; /* what the firmware writes to its debug port */
};

/* --- What the machine tells ------------------------------------------------------------------- */

/* It has run for a while, or until its guest turned it off: these settings are good ones. */
static void worked(const struct engine *engine)
{
    g_autoptr(GError) error = NULL;

    if (!oriel_config_mark_worked(engine->config, engine->folder, &error)) {
        g_message("%s", error->message);
    }
}

static void on_state(void *context, enum machine_state state, enum machine_reason reason,
                     const char *message)
{
    struct engine *engine = context;

    if (state == MACHINE_STOPPED && reason == REASON_GUEST) {
        worked(engine);
    }
    if (state == MACHINE_STOPPED) {
        oriel_machine_lock_ending(engine->lock); /* before anybody hears of it */
    }
    g_message("%s%s%s", machine_state_name(state), message && *message ? ": " : "",
              message ? message : "");
    if (engine->control) {
        control_state_changed(engine->control, state, reason, message);
    }
    if (state == MACHINE_CRASHED) {
        g_autofree char *report = machine_crash_report(engine->machine);

        g_message("%s", report ? report : "");
    }
    if (state == MACHINE_STOPPED) {
        g_main_loop_quit(engine->loop);
    }
}

static void on_reset(void *context)
{
    struct engine *engine = context;

    if (engine->control) {
        control_was_reset(engine->control);
    }
}

static void on_media(void *context, const char *drive)
{
    struct engine *engine = context;

    if (engine->control) {
        control_media_changed(engine->control, drive);
    }
}

static gboolean on_worked(gpointer data)
{
    const struct engine *engine = data;
    gboolean runs = machine_state(engine->machine, NULL) == MACHINE_RUNNING;

    if (runs) {
        worked(engine);
    }
    return runs ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean on_signal(gpointer data)
{
    struct engine *engine = data;

    machine_stop(engine->machine, REASON_USER);
    return G_SOURCE_CONTINUE;
}

static gboolean on_caller_gone(int fd, GIOCondition condition, gpointer data)
{
    on_signal(data);
    return G_SOURCE_REMOVE;
}

/* --- Start ------------------------------------------------------------------------------------ */

static void ready_write(const struct engine *engine, const char *line)
{
    gsize left = strlen(line);

    while (engine->ready_fd >= 0 && left > 0) {
        ssize_t n = write(engine->ready_fd, line, left);

        if (n < 0 && errno != EINTR) {
            return; /* whoever started us is gone; the machine runs all the same */
        }
        if (n > 0) {
            line += n;
            left -= (gsize)n;
        }
    }
}

static void ready_fail(const struct engine *engine, const GError *error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    int code = error->domain == ORIEL_ERROR ? error->code : ORIEL_ERROR_HOST;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "code");
    json_builder_add_int_value(builder, code);
    json_builder_set_member_name(builder, "message");
    json_builder_add_string_value(builder, error->message);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *json = json_to_string(root, FALSE);
    g_autofree char *line = g_strconcat(json, "\n", NULL);

    ready_write(engine, line);
}

/* From here on messages go to the machine's own log. */
static void log_open(const struct engine *engine)
{
    g_autofree char *folder = g_build_filename(engine->folder, "log", NULL);
    g_autofree char *path = g_build_filename(folder, "engine.log", NULL);
    g_autofree char *old = g_strconcat(path, ".old", NULL);
    struct stat status;

    g_mkdir(folder, 0700);
    if (stat(path, &status) == 0 && status.st_size > LOG_MAX) {
        g_rename(path, old);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0) {
        dup2(fd, STDERR_FILENO);
        dup2(fd, STDOUT_FILENO);
        close(fd);
    }
}

static bool listeners_start(struct engine *engine, GError **error)
{
    struct input *input = machine_input(engine->machine);
    const OrielConfig *config = engine->config;
    struct console *console;

    for (unsigned head = 0; (console = machine_console(engine->machine, head)); head++) {
        g_autofree char *number = head > 0 ? g_strdup_printf("%u", head + 1) : g_strdup("");
        g_autofree char *socket = g_strconcat("unix:", engine->runtime, "/vnc", number, NULL);

        engine->vnc[head] =
            display_listener_new("vnc", socket, NULL, console, input, config->name, error);
        if (!engine->vnc[head]) {
            return false;
        }
    }
    console = machine_console(engine->machine, 0);
    if (config->vnc_listen) {
        engine->vnc_tcp = display_listener_new("vnc", config->vnc_listen, config->vnc_password,
                                               console, input, config->name, error);
    }
    return !config->vnc_listen || engine->vnc_tcp;
}

/* Socket and log of a port, both called `name`; `sockets` (or NULL) gets the socket's path. */
static struct serial_socket *port_start(struct engine *engine, unsigned port, const char *name,
                                        GStrvBuilder *sockets, GError **error)
{
    g_autofree char *socket = g_build_filename(engine->runtime, name, NULL);
    g_autofree char *file = g_strconcat(name, ".log", NULL);
    g_autofree char *log = g_build_filename(engine->folder, "log", file, NULL);

    if (sockets) {
        g_strv_builder_add(sockets, socket);
    }
    return serial_socket_new(engine->machine, port, socket, log, error);
}

static bool ports_start(struct engine *engine, GStrvBuilder *sockets, GError **error)
{
    for (guint i = 0; i < engine->config->serials; i++) {
        g_autofree char *name = g_strdup_printf("serial%u", i);

        engine->serials[i] = port_start(engine, i, name, sockets, error);
        if (!engine->serials[i]) {
            return false;
        }
    }
    if (engine->config->console) {
        engine->console = port_start(engine, SERIAL_CONSOLE_PORT, "console0", sockets, error);
        if (!engine->console) {
            return false;
        }
    }
    engine->firmware = port_start(engine, SERIAL_DEBUG_PORT, "firmware", NULL, error);
    return engine->firmware != NULL;
}

static bool services_start(struct engine *engine, GError **error)
{
    g_autoptr(GStrvBuilder) sockets = g_strv_builder_new();
    const char *addresses[3] = { NULL };

    if (!listeners_start(engine, error) || !ports_start(engine, sockets, error)) {
        return false;
    }
    addresses[0] = display_listener_address(engine->vnc[0]);
    addresses[1] = engine->vnc_tcp ? display_listener_address(engine->vnc_tcp) : NULL;
    g_auto(GStrv) serials = g_strv_builder_end(sockets);

    engine->control = control_new(engine->machine, engine->runtime, addresses,
                                  (const char *const *)serials, error);
    return engine->control != NULL;
}

static bool engine_start(struct engine *engine, GError **error)
{
    const struct machine_callbacks callbacks = { on_state, on_reset, on_media, engine };
    g_autofree char *file = g_build_filename(engine->folder, "machine.json", NULL);

    /* Loaded under the lock, as it may change until then; what is no machine gets no lock file. */
    if (!g_file_test(file, G_FILE_TEST_EXISTS)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "There is no machine in “%s”: it has no machine.json.", engine->folder);
        return false;
    }
    engine->lock = oriel_machine_lock_to_run(engine->folder, error);
    if (engine->lock < 0) {
        return false;
    }
    engine->config = oriel_config_load(engine->folder, error);
    if (!engine->config) {
        return false;
    }
    log_open(engine);
    if (engine->discard_saved && oriel_saved_exists(engine->folder) &&
        !oriel_saved_retire(engine->folder, error)) {
        return false;
    }
    oriel_saved_clean(engine->folder);
    if (oriel_saved_exists(engine->folder)) {
        engine->saved = saved_open(engine->folder, engine->config, error);
        if (!engine->saved) {
            return false;
        }
    }
    engine->machine = machine_new(engine->saved ? saved_config(engine->saved) : engine->config,
                                  engine->folder, &callbacks, error);
    if (!engine->machine) {
        return false;
    }
    engine->runtime = oriel_runtime_create(engine->config->uuid, &engine->runtime_lock, error);
    if (!engine->runtime || !services_start(engine, error)) {
        return false;
    }
    return engine->saved
               ? machine_start_saved(engine->machine, engine->saved, engine->paused, error)
               : machine_start(engine->machine, engine->paused, error);
}

static void engine_end(struct engine *engine)
{
    for (unsigned head = 0; head < DISPLAY_HEADS_MAX; head++) {
        display_listener_free(engine->vnc[head]);
    }
    display_listener_free(engine->vnc_tcp);
    for (guint i = 0; i < CONFIG_SERIALS_MAX; i++) {
        serial_socket_free(engine->serials[i]);
    }
    serial_socket_free(engine->console);
    serial_socket_free(engine->firmware);
    if (engine->control) {
        control_end(engine->control);
    }
    if (engine->machine) {
        machine_free(engine->machine);
    }
    if (engine->runtime) {
        oriel_runtime_remove(engine->runtime, engine->runtime_lock);
    }
    if (engine->lock >= 0) {
        oriel_machine_unlock(engine->lock);
    }
    /* Clients take the end of their connection for the end of the machine: all of it is free now.
     */
    control_free(engine->control);
    g_clear_pointer(&engine->saved, saved_free);
    g_clear_pointer(&engine->config, oriel_config_free);
    g_main_loop_unref(engine->loop);
    g_free(engine->runtime);
    g_free(engine->folder);
}

static bool arguments_parse(struct engine *engine, int *argc, char ***argv, GError **error)
{
    g_autofree char *folder = NULL;
    g_auto(GStrv) lent = NULL;
    GOptionEntry entries[] = {
        { "folder", 0, 0, G_OPTION_ARG_FILENAME, &folder, "The machine's folder", "FOLDER" },
        { "paused", 0, 0, G_OPTION_ARG_NONE, &engine->paused, "Do not run the guest yet", NULL },
        { "discard-saved", 0, 0, G_OPTION_ARG_NONE, &engine->discard_saved,
          "Forget the saved state and start from power on", NULL },
        { "ready-fd", 0, 0, G_OPTION_ARG_INT, &engine->ready_fd,
          "Write “ready” or an error to this descriptor", "N" },
        { "lend", 0, 0, G_OPTION_ARG_STRING_ARRAY, &lent,
          "Let images build on a part of a file that is open already", "NAME=FD:OFFSET:SIZE" },
        { "until-fd", 0, 0, G_OPTION_ARG_INT, &engine->until_fd,
          "Turn the machine off when the other end of this pipe is closed", "N" },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- run one Oriel machine");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error)) {
        return false;
    }
    if (!folder || *argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "oriel-engine needs --folder with the folder of a machine; see --help.");
        return false;
    }
    for (unsigned i = 0; lent && lent[i]; i++) {
        if (!lent_add(lent[i], error)) {
            return false;
        }
    }
    engine->folder = g_canonicalize_filename(folder, NULL);
    return true;
}

int main(int argc, char **argv)
{
    struct engine engine = { .ready_fd = -1, .until_fd = -1, .lock = -1 };
    g_autoptr(GError) error = NULL;
    int code = 0;

    if (!arguments_parse(&engine, &argc, &argv, &error)) {
        g_printerr("%s\n", error->message);
        return 2;
    }
    g_set_prgname("oriel-engine");
    umask(077);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* no program that it starts has more rights than it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk: it pauses the machine */
    signal(SIGHUP, SIG_IGN);  /* closing a terminal or a window never stops a machine */
    engine.loop = g_main_loop_new(NULL, FALSE);
    if (engine_start(&engine, &error)) {
        ready_write(&engine, "ready\n");
        if (engine.ready_fd >= 0) {
            close(engine.ready_fd);
        }
        g_timeout_add_seconds(WORKED_SECONDS, on_worked, &engine);
        if (engine.saved) {
            g_clear_pointer(&engine.saved, saved_free);
            oriel_saved_clean(engine.folder); /* what the start has used up */
        }
        g_unix_signal_add(SIGTERM, on_signal, &engine);
        g_unix_signal_add(SIGINT, on_signal, &engine);
        if (engine.until_fd >= 0) {
            g_unix_fd_add(engine.until_fd, G_IO_HUP | G_IO_ERR, on_caller_gone, &engine);
        }
        g_main_loop_run(engine.loop);
    } else {
        g_printerr("%s\n", error->message);
        if (engine.lock >= 0) {
            oriel_machine_lock_ending(engine.lock);
        }
        code = oriel_error_exit_code(error);
    }
    engine_end(&engine);
    if (error) {
        ready_fail(&engine, error); /* last, so that who hears of it finds the machine free */
    }
    return code;
}
