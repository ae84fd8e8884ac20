/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-session.h. */
#include "oriel-session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/runtime.h"

enum {
    READY_FD = 3, /* in the engine */
    READY_MAX = 8192,
    CONNECT_SECONDS = 10, /* longer than any engine's main loop is busy */
};

/* Beside this program in the build folder, otherwise where it was installed. */
static char *engine_path(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : ".");
    g_autofree char *built = g_build_filename(folder, "..", "engine", "oriel-engine", NULL);
    const char *chosen = g_getenv("ORIEL_ENGINE");

    if (chosen) {
        return g_strdup(chosen);
    }
    if (g_file_test(built, G_FILE_TEST_IS_EXECUTABLE)) {
        return g_canonicalize_filename(built, NULL);
    }
    return g_strdup(ORIEL_LIBEXEC_DIR "/oriel-engine");
}

/* In the child: a session of its own, so that no terminal and no window takes the machine with it.
 */
static void detach(gpointer data)
{
    setsid();
}

/* What the engine says about its start: up to a newline or the end of the pipe. */
static char *ready_read(int fd, GCancellable *cancellable, GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    GPollFD fds[2] = { { .fd = fd, .events = G_IO_IN } };
    guint n_fds = 1;
    char bytes[512];

    if (cancellable && g_cancellable_make_pollfd(cancellable, &fds[1])) {
        n_fds = 2;
    }
    while (!strchr(line->str, '\n') && line->len < READY_MAX) {
        g_poll(fds, n_fds, -1);
        if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
            break;
        }
        ssize_t n = read(fd, bytes, sizeof(bytes));

        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
            break;
        }
        if (n > 0) {
            g_string_append_len(line, bytes, n);
        }
    }
    if (n_fds == 2) {
        g_cancellable_release_fd(cancellable);
    }
    return g_cancellable_is_cancelled(cancellable) ? NULL
                                                   : g_string_free(g_steal_pointer(&line), FALSE);
}

/* Turns the engine's line into a result. */
static gboolean ready_judge(const OrielMachine *machine, const char *line, GError **error)
{
    g_autoptr(JsonNode) root = NULL;

    if (strcmp(line, "ready\n") == 0) {
        return TRUE;
    }
    root = json_from_string(line, NULL);
    if (root && JSON_NODE_HOLDS_OBJECT(root)) {
        JsonObject *object = json_node_get_object(root);
        gint64 code = json_object_get_int_member_with_default(object, "code", ORIEL_ERROR_HOST);
        const char *message = json_object_get_string_member_with_default(object, "message", "");

        g_set_error_literal(error, ORIEL_ERROR, (int)code, message);
        return FALSE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                "The engine of “%s” ended without a word; “%s/log/engine.log” may say why.",
                machine->name, machine->folder);
    return FALSE;
}

gboolean oriel_session_start(const OrielMachine *machine, gboolean paused,
                             GCancellable *cancellable, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) cause = NULL;
    g_autofree char *engine = engine_path();
    const char *arguments[] = { engine,       "--folder", machine->folder,
                                "--ready-fd", "3",        paused ? "--paused" : NULL,
                                NULL };
    int pipe_fds[2];

    if (!g_unix_open_pipe(pipe_fds, FD_CLOEXEC, error)) {
        return FALSE;
    }
    g_subprocess_launcher_take_fd(launcher, pipe_fds[1], READY_FD);
    g_subprocess_launcher_set_child_setup(launcher, detach, NULL, NULL);
    process = g_subprocess_launcher_spawnv(launcher, arguments, &cause);
    g_subprocess_launcher_close(launcher); /* or the pipe would never end */
    if (!process) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    "The engine “%s” cannot be started: %s. Reinstall Oriel.", engine,
                    cause->message);
        close(pipe_fds[0]);
        return FALSE;
    }
    g_autofree char *line = ready_read(pipe_fds[0], cancellable, error);

    close(pipe_fds[0]);
    if (!line) {
        g_subprocess_send_signal(process, SIGTERM);
        return FALSE;
    }
    return ready_judge(machine, line, error);
}

/* Cancels blocking calls that an engine does not answer in time; a thread, since the caller waits.
 */
struct watch {
    GMutex mutex;
    GCond ended;
    gboolean is_over;
    GCancellable *cancellable;
    GThread *thread;
};

static gpointer watch_run(gpointer data)
{
    struct watch *watch = data;
    gint64 end = g_get_monotonic_time() + CONNECT_SECONDS * G_USEC_PER_SEC;

    g_mutex_lock(&watch->mutex);
    while (!watch->is_over && g_cond_wait_until(&watch->ended, &watch->mutex, end)) {
    }
    if (!watch->is_over) {
        g_cancellable_cancel(watch->cancellable);
    }
    g_mutex_unlock(&watch->mutex);
    return NULL;
}

static void watch_start(struct watch *watch)
{
    g_mutex_init(&watch->mutex);
    g_cond_init(&watch->ended);
    watch->cancellable = g_cancellable_new();
    watch->thread = g_thread_new("watch", watch_run, watch);
}

static void watch_end(struct watch *watch)
{
    g_mutex_lock(&watch->mutex);
    watch->is_over = TRUE;
    g_cond_signal(&watch->ended);
    g_mutex_unlock(&watch->mutex);
    g_thread_join(watch->thread);
    g_object_unref(watch->cancellable);
    g_cond_clear(&watch->ended);
    g_mutex_clear(&watch->mutex);
}

static void set_silent(const OrielMachine *machine, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT,
                "The engine of “%s” has not answered for %d seconds. Try again; if it stays so, "
                "kill the process “oriel-engine --folder %s”.",
                machine->name, CONNECT_SECONDS, machine->folder);
}

/*
 * Copies of a machine's folder have one UUID and so one socket: whose engine is it? A folder that
 * was moved while its machine runs is no longer where the engine saw it.
 */
static gboolean is_of_folder(OrielEngine *engine, const char *folder)
{
    const char *theirs = oriel_engine_get_folder(engine);
    struct stat a, b;

    if (!theirs || stat(theirs, &a) != 0) {
        return TRUE;
    }
    return stat(folder, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static gboolean engine_check(const OrielMachine *machine, OrielEngine *engine, GError **error)
{
    if (oriel_engine_get_protocol_version(engine) != ORIEL_PROTOCOL_VERSION) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "“%s” runs with another version of Oriel; shut it down from inside, then start "
                    "it again.",
                    machine->name);
        return FALSE;
    }
    if (!is_of_folder(engine, machine->folder)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "The machine in “%s” is not running; the one that runs is its copy in “%s”.",
                    machine->folder, oriel_engine_get_folder(engine));
        return FALSE;
    }
    return TRUE;
}

static OrielEngine *engine_connect(const OrielMachine *machine, GCancellable *cancellable,
                                   GError **error)
{
    g_autofree char *folder = oriel_runtime_folder(machine->config->uuid, error);
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(GError) cause = NULL;

    if (!folder) {
        return NULL;
    }
    oriel_error_register_dbus();
    g_autofree char *socket = g_build_filename(folder, "engine", NULL);
    g_autofree char *escaped = g_dbus_address_escape_value(socket);
    g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);

    connection = g_dbus_connection_new_for_address_sync(
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, cancellable, &cause);
    if (!connection && g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        set_silent(machine, error);
        return NULL;
    }
    if (!connection) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "“%s” is not running; start it with “orielctl start”.", machine->name);
        return NULL;
    }
    OrielEngine *engine = oriel_engine_proxy_new_sync(connection, G_DBUS_PROXY_FLAGS_NONE, NULL,
                                                      ORIEL_ENGINE_PATH, cancellable, &cause);

    if (!engine && g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        set_silent(machine, error);
        return NULL;
    }
    if (!engine) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST, "The engine of “%s” does not answer: %s.",
                    machine->name, cause->message);
        return NULL;
    }
    if (!engine_check(machine, engine, error)) {
        g_clear_object(&engine);
    }
    return engine;
}

OrielEngine *oriel_session_connect(const OrielMachine *machine, GError **error)
{
    struct watch watch = { .is_over = FALSE };

    watch_start(&watch);
    OrielEngine *engine = engine_connect(machine, watch.cancellable, error);

    watch_end(&watch);
    return engine;
}

const char *oriel_session_state(const OrielMachine *machine, char **message)
{
    g_autoptr(OrielEngine) engine = NULL;
    g_autoptr(GError) error = NULL;

    if (message) {
        *message = NULL;
    }
    if (machine->problem) {
        if (message) {
            *message = g_strdup(machine->problem->message);
        }
        return g_file_test(machine->folder, G_FILE_TEST_IS_DIR) ? "damaged" : "unavailable";
    }
    engine = oriel_session_connect(machine, &error);
    if (g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT)) {
        if (message) {
            *message = g_strdup(error->message);
        }
        return "unresponsive";
    }
    if (!engine) {
        return "stopped";
    }
    if (message && *oriel_engine_get_message(engine)) {
        *message = oriel_engine_dup_message(engine);
    }
    return g_intern_string(oriel_engine_get_state(engine));
}
