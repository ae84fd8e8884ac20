/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-session.h. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/runtime.h"
#include "config/saved.h"
#include "oriel-session-private.h"

enum {
    RETRY_MS = 10,
};

/* --- Finding ---------------------------------------------------------------------------------- */

static char *socket_path(const OrielMachine *machine, GError **error)
{
    g_autofree char *folder = oriel_runtime_folder(machine->config->uuid, error);

    return folder ? g_build_filename(folder, "engine", NULL) : NULL;
}

GSocketConnection *oriel_session_connect_socket(const char *path, GCancellable *cancellable,
                                                GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);

    g_socket_client_set_enable_proxy(client, FALSE);
    for (int tries = ORIEL_SESSION_PATIENCE * 1000 / RETRY_MS;; tries--) {
        g_autoptr(GError) cause = NULL;
        GSocketConnection *stream =
            g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), cancellable, &cause);

        if (stream || tries == 0 || !g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
            if (cause) {
                g_propagate_error(error, g_steal_pointer(&cause));
            }
            return stream;
        }
        /* Too many wait to be accepted; GIO cannot wait with them. */
        g_usleep(RETRY_MS * 1000);
    }
}

/* Of the process that listens, if it is ours; otherwise 0. */
static pid_t peer_pid(GSocketConnection *stream)
{
    g_autoptr(GCredentials) credentials =
        g_socket_get_credentials(g_socket_connection_get_socket(stream), NULL);
    pid_t pid = credentials && g_credentials_get_unix_user(credentials, NULL) == getuid()
                    ? g_credentials_get_unix_pid(credentials, NULL)
                    : 0;

    return MAX(pid, 0);
}

/*
 * Copies of a machine's folder have one UUID and so one socket: whose engine is it? A folder that
 * was moved while its machine runs is no longer where the engine saw it, but it is locked.
 */
static gboolean is_of_folder(OrielEngine *engine, const char *folder)
{
    const char *theirs = oriel_engine_get_folder(engine);
    struct stat a, b;

    if (!theirs || stat(theirs, &a) != 0) {
        return oriel_machine_is_locked(folder);
    }
    return stat(folder, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static gboolean not_running(const OrielMachine *machine, OrielFound *found, GError **error)
{
    *found = ORIEL_FOUND_NOTHING;
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                _("“%s” is not running; start it with “orielctl start”."), machine->name);
    return FALSE;
}

static gboolean makes_no_sense(const OrielMachine *machine, const GError *cause, OrielFound *found,
                               GError **error)
{
    if (!oriel_machine_is_locked(machine->folder)) {
        return not_running(machine, found, error); /* it is the engine of a copy */
    }
    *found = ORIEL_FOUND_NO_SENSE;
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_propagate_error(error, g_error_copy(cause));
    } else {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    _("The engine of “%s” gives no answer that makes sense: %s."), machine->name,
                    cause->message);
    }
    return FALSE;
}

/* Whether what the proxy found speaks the contract, for this machine, in this version. */
static gboolean engine_judge(OrielEngine *engine, const OrielMachine *machine, OrielFound *found,
                             GError **error)
{
    g_autoptr(GVariant) version =
        g_dbus_proxy_get_cached_property(G_DBUS_PROXY(engine), "ProtocolVersion");

    if (!version || !g_variant_is_of_type(version, G_VARIANT_TYPE_UINT32)) {
        g_autoptr(GError) cause =
            g_error_new_literal(ORIEL_ERROR, ORIEL_ERROR_HOST, _("it does not speak the contract"));

        return makes_no_sense(machine, cause, found, error);
    }
    if (g_variant_get_uint32(version) != ORIEL_PROTOCOL_VERSION) {
        *found = ORIEL_FOUND_OTHER;
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("“%s” runs with another version of Oriel; shut it down from inside, then "
                      "start it again."),
                    machine->name);
        return FALSE;
    }
    if (!is_of_folder(engine, machine->folder)) {
        *found = ORIEL_FOUND_NOTHING;
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    _("The machine in “%s” is not running; the one that runs is its copy in “%s”."),
                    machine->folder, oriel_engine_get_folder(engine));
        return FALSE;
    }
    *found = ORIEL_FOUND_ENGINE;
    return TRUE;
}

static gboolean nobody_listens(const GError *cause)
{
    return g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
           g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

OrielEngine *oriel_session_find(const OrielMachine *machine, OrielFound *found, pid_t *pid,
                                GCancellable *cancellable, GError **error)
{
    g_autofree char *path = socket_path(machine, error);
    g_autoptr(GSocketConnection) stream = NULL;
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(OrielEngine) engine = NULL;
    g_autoptr(GError) cause = NULL;

    *found = ORIEL_FOUND_NOTHING;
    if (!path) {
        return NULL;
    }
    oriel_error_register_dbus();
    stream = oriel_session_connect_socket(path, cancellable, &cause);
    if (!stream) {
        nobody_listens(cause) ? not_running(machine, found, error)
                              : makes_no_sense(machine, cause, found, error);
        return NULL;
    }
    *pid = peer_pid(stream);
    connection = g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                                            cancellable, &cause);
    if (connection) {
        engine = oriel_engine_proxy_new_sync(connection, G_DBUS_PROXY_FLAGS_NONE, NULL,
                                             ORIEL_ENGINE_PATH, cancellable, &cause);
    }
    if (!engine) {
        makes_no_sense(machine, cause, found, error);
        return NULL;
    }
    if (!engine_judge(engine, machine, found, error)) {
        return NULL;
    }
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(engine), G_MAXINT);
    return g_steal_pointer(&engine);
}

/* Cancels what takes too long; the thread that waits here ends with it. */
struct deadline {
    GCancellable *cancellable;
    GMutex lock;
    GCond changed;
    gboolean over;
};

static gpointer deadline_wait(gpointer data)
{
    struct deadline *deadline = data;
    gint64 end = g_get_monotonic_time() + ORIEL_SESSION_PATIENCE * G_TIME_SPAN_SECOND;
    gboolean in_time = TRUE;

    g_mutex_lock(&deadline->lock);
    while (!deadline->over && in_time) {
        in_time = g_cond_wait_until(&deadline->changed, &deadline->lock, end);
    }
    g_mutex_unlock(&deadline->lock);
    if (!in_time) {
        g_cancellable_cancel(deadline->cancellable);
    }
    return NULL;
}

static OrielEngine *find_in_time(const OrielMachine *machine, OrielFound *found, GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    struct deadline deadline = { .cancellable = cancellable };
    pid_t pid;

    g_mutex_init(&deadline.lock);
    g_cond_init(&deadline.changed);
    GThread *thread = g_thread_new("deadline", deadline_wait, &deadline);
    OrielEngine *engine = oriel_session_find(machine, found, &pid, cancellable, error);

    g_mutex_lock(&deadline.lock);
    deadline.over = TRUE;
    g_cond_signal(&deadline.changed);
    g_mutex_unlock(&deadline.lock);
    g_thread_join(thread);
    g_mutex_clear(&deadline.lock);
    g_cond_clear(&deadline.changed);
    return engine;
}

static OrielEngine *connect_in_time(const OrielMachine *machine, OrielFound *found, GError **error)
{
    g_autofree char *path = socket_path(machine, error);
    g_autoptr(GError) cause = NULL;
    OrielEngine *engine;

    *found = ORIEL_FOUND_NOTHING;
    if (!path) {
        return NULL;
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        not_running(machine, found, error);
        return NULL;
    }
    engine = find_in_time(machine, found, &cause);
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT,
                    _("The engine of “%s” has not answered for %d seconds. Try again; if it stays "
                      "so, end it with “orielctl kill”."),
                    machine->name, ORIEL_SESSION_PATIENCE);
    } else if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
    }
    return engine;
}

OrielEngine *oriel_session_connect(const OrielMachine *machine, GError **error)
{
    OrielFound found;

    return connect_in_time(machine, &found, error);
}

/* --- Ending it -------------------------------------------------------------------------------- */

/* Whether the process ends within ORIEL_SESSION_PATIENCE, whatever signals come meanwhile. */
static gboolean ends_in_time(int process)
{
    gint64 end = g_get_monotonic_time() + ORIEL_SESSION_PATIENCE * G_TIME_SPAN_SECOND, left;
    struct pollfd wait = { .fd = process, .events = POLLIN };
    int n;

    do {
        left = MAX(end - g_get_monotonic_time(), 0) / G_TIME_SPAN_MILLISECOND;
        n = poll(&wait, 1, (int)left);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

gboolean oriel_session_end_process(int process, gboolean ask, const OrielMachine *machine,
                                   GError **error)
{
    for (int number = ask ? SIGTERM : SIGKILL;; number = SIGKILL) {
        if (pidfd_send_signal(process, number, NULL, 0) != 0 && errno != ESRCH) {
            oriel_error_set_errno(error, errno, _("The engine of “%s” cannot be ended"),
                                  machine->name);
            return FALSE;
        }
        if (ends_in_time(process)) {
            return TRUE;
        }
        if (number == SIGKILL) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT,
                        _("The engine of “%s” has been told to end, but the system still holds it; "
                          "wait for a disk or network that does not answer."),
                        machine->name);
            return FALSE;
        }
    }
}

gboolean oriel_session_kill(const OrielMachine *machine, GError **error)
{
    g_autofree char *path = socket_path(machine, error);
    g_autoptr(GSocketConnection) stream = NULL;
    g_autoptr(GError) cause = NULL;
    OrielFound found;
    pid_t pid;
    int process;

    if (!path) {
        return FALSE;
    }
    if (!oriel_machine_is_locked(machine->folder)) {
        return not_running(machine, &found, error); /* if an engine is there, it is a copy's */
    }
    stream = oriel_session_connect_socket(path, NULL, &cause);
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_TIMEOUT,
                    _("The engine of “%s” takes no calls, and too many wait for it; end the "
                      "process oriel-engine of this machine."),
                    machine->name);
        return FALSE;
    }
    pid = stream ? peer_pid(stream) : 0;
    /* The process is that which listens as long as somebody does. */
    process = pid > 0 ? pidfd_open(pid, 0) : -1;
    g_clear_object(&stream);
    stream = process >= 0 ? oriel_session_connect_socket(path, NULL, NULL) : NULL;
    if (!stream || peer_pid(stream) != pid) {
        if (process >= 0) {
            close(process);
        }
        return not_running(machine, &found, error);
    }
    gboolean good = oriel_session_end_process(process, FALSE, machine, error);

    close(process);
    return good;
}

/* --- Looking ---------------------------------------------------------------------------------- */

gboolean oriel_session_screenshot(OrielEngine *engine, guint display, const char *path,
                                  guint *width, guint *height, GCancellable *cancellable,
                                  GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    g_autoptr(GUnixFDList) fds = NULL;
    int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0644);

    if (fd < 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), path);
        return FALSE;
    }
    fds = g_unix_fd_list_new_from_array(&fd, 1);
    gboolean good = oriel_engine_call_screenshot_sync(engine, display, g_variant_new_handle(0), fds,
                                                      width, height, NULL, cancellable, error);

    if (!good && error && *error) {
        g_dbus_error_strip_remote_error(*error);
    }
    if (good && g_rename(temporary, path) != 0) {
        oriel_error_set_errno(error, errno, _("“%s” cannot be written"), path);
        good = FALSE;
    }
    if (!good) {
        g_unlink(temporary);
    }
    return good;
}

/* --- Its state -------------------------------------------------------------------------------- */

const char *oriel_session_state(const OrielMachine *machine, char **message)
{
    g_autoptr(OrielEngine) engine = NULL;
    g_autoptr(GError) error = NULL;
    OrielFound found = ORIEL_FOUND_NOTHING;

    if (message) {
        *message = NULL;
    }
    if (machine->problem) {
        if (message) {
            *message = g_strdup(machine->problem->message);
        }
        return g_file_test(machine->folder, G_FILE_TEST_IS_DIR) ? "damaged" : "unavailable";
    }
    /* Without a lock nobody is asked: a copy's engine may be slow to say that it is another's. */
    engine =
        oriel_machine_is_locked(machine->folder) ? connect_in_time(machine, &found, &error) : NULL;
    if (!engine && found != ORIEL_FOUND_NOTHING) {
        if (message) {
            *message = g_strdup(error->message);
        }
        return "unresponsive";
    }
    if (!engine) {
        return oriel_saved_exists(machine->folder) ? "saved" : "stopped";
    }
    if (message && *oriel_engine_get_message(engine)) {
        *message = oriel_engine_dup_message(engine);
    }
    return g_intern_string(oriel_engine_get_state(engine));
}
