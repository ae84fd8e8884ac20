/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The caller's side. See oriel-worker.h. */
#include "worker/oriel-worker.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n-lib.h>
#include <linux/landlock.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "config/runtime.h"
#include "worker/worker-protocol.h"

enum {
    TICK_MS = 100,
    PATIENCE_MS = 5000, /* from cancelling to the end of a process that does not heed it */
    TEXT_LOOK = 21,     /* as long as the first line of a VMDK's description */
};

struct OrielWorker {
    pid_t pid;
    GMainContext *context;
    GDBusConnection *connection;
    OrielProgress progress;
    gpointer data;
    guint64 done, total;
    const OrielWorkerRequest *request;
    GVariant *options;
    gboolean cancelled;
    gboolean begun; /* the work was asked for */
    gboolean ended; /* one of these is there: */
    GVariant *reply;
    GError *cause;
};

/* --- The process ------------------------------------------------------------------------------ */

/* Beside the caller, where it was built, or where it was installed. */
static char *program_find(void)
{
    static const char *const places[] = { ".", "../app" };
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self ? self : ".");

    if (g_getenv("ORIEL_WORKER")) {
        return g_strdup(g_getenv("ORIEL_WORKER"));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], "oriel-worker", NULL);

        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            return g_canonicalize_filename(path, NULL);
        }
    }
    return g_strdup(ORIEL_LIBEXEC_DIR "/oriel-worker");
}

static GStrv arguments_make(const OrielWorkerRequest *request, const char *program)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    g_strv_builder_add(builder, program);
    for (gsize i = 0; i < G_N_ELEMENTS(request->reads); i++) {
        if (request->reads[i]) {
            g_strv_builder_add_many(builder, WORKER_READ, request->reads[i], NULL);
        }
    }
    if (request->change) {
        g_strv_builder_add_many(builder, WORKER_CHANGE, request->change, NULL);
    }
    if (request->fill) {
        g_strv_builder_add_many(builder, WORKER_FILL, request->fill, NULL);
    }
    if (request->systems) {
        g_strv_builder_add(builder, WORKER_SYSTEMS);
    }
    if (request->texts) {
        g_strv_builder_add(builder, WORKER_TEXTS);
    }
    return g_strv_builder_end(builder);
}

/* Without a fork: the caller may have a large memory map and locks. */
static int spawn(const OrielWorkerRequest *request, int socket, pid_t *pid)
{
    g_autofree char *program = program_find();
    g_auto(GStrv) arguments = arguments_make(request, program);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int result;

    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, WORKER_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_FD + 1);
    result = posix_spawn(pid, program, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/* Starts the process; returns the caller's end of the pair of sockets, or -1. */
static int start(OrielWorker *worker, const OrielWorkerRequest *request, GError **error)
{
    int pair[2], copy, result;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        oriel_error_set_errno(error, errno, _("The helper program oriel-worker cannot be started"));
        return -1;
    }
    /* A copy that is not in the way where the process expects it. */
    copy = fcntl(pair[1], F_DUPFD_CLOEXEC, WORKER_FD + 1);
    result = copy < 0 ? errno : spawn(request, copy, &worker->pid);
    if (copy >= 0) {
        close(copy);
    }
    close(pair[1]);
    if (result == 0) {
        return pair[0];
    }
    close(pair[0]);
    worker->pid = 0;
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                _("The helper program oriel-worker cannot be started: %s. Install Oriel again."),
                g_strerror(result));
    return -1;
}

/* The status that it ended with. */
static int process_end(OrielWorker *worker)
{
    int status = 0;

    if (worker->connection) {
        g_dbus_connection_close_sync(worker->connection, NULL, NULL);
        g_clear_object(&worker->connection);
    }
    if (worker->pid != 0) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
        }
        worker->pid = 0;
    }
    return status;
}

void oriel_worker_end(OrielWorker *worker)
{
    process_end(worker);
    g_clear_pointer(&worker->reply, g_variant_unref);
    g_clear_pointer(&worker->options, g_variant_unref);
    g_clear_error(&worker->cause);
    g_main_context_pop_thread_default(worker->context);
    /* What the closed connection still had to say. */
    while (g_main_context_iteration(worker->context, FALSE)) {
    }
    g_main_context_unref(worker->context);
    g_free(worker);
}

/* --- The call --------------------------------------------------------------------------------- */

static void on_progress(GDBusConnection *connection, const char *sender, const char *path,
                        const char *interface, const char *signal_name, GVariant *parameters,
                        gpointer data)
{
    OrielWorker *worker = data;

    if (g_variant_is_of_type(parameters, G_VARIANT_TYPE("(tt)"))) {
        g_variant_get(parameters, "(tt)", &worker->done, &worker->total);
    }
}

/* Also when there is nothing new: whoever wants to cancel is asked here. */
static gboolean on_tick(gpointer data)
{
    OrielWorker *worker = data;

    if (worker->progress) {
        worker->progress(MIN(worker->done, worker->total), worker->total, worker->data);
    }
    return G_SOURCE_CONTINUE;
}

/* Whether a wish to cancel may come too late. */
static gboolean goes_on(const OrielWorker *worker)
{
    return worker->begun && worker->request->finishes;
}

static gboolean on_patience(gpointer data)
{
    const OrielWorker *worker = data;

    if (!goes_on(worker)) {
        kill(worker->pid, SIGKILL);
    }
    return G_SOURCE_REMOVE;
}

static GSource *source_attach(OrielWorker *worker, GSource *source, GSourceFunc function)
{
    g_source_set_callback(source, function, worker, NULL);
    g_source_attach(source, worker->context);
    return source;
}

static void cancel_call(OrielWorker *worker)
{
    g_dbus_connection_call(worker->connection, NULL, WORKER_PATH, WORKER_INTERFACE, WORKER_CANCEL,
                           NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static gboolean on_cancelled(GCancellable *cancellable, gpointer data)
{
    OrielWorker *worker = data;

    worker->cancelled = TRUE;
    if (worker->connection) {
        cancel_call(worker);
    }
    g_source_unref(source_attach(worker, g_timeout_source_new(PATIENCE_MS), on_patience));
    return G_SOURCE_REMOVE;
}

static void on_answer(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielWorker *worker = data;

    worker->reply = g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(object), NULL,
                                                                    result, &worker->cause);
    worker->ended = TRUE;
}

static void call(OrielWorker *worker)
{
    const int *file = worker->request->file;
    g_autoptr(GUnixFDList) files = file ? g_unix_fd_list_new() : NULL;

    worker->begun = TRUE;
    if (files) {
        g_unix_fd_list_append(files, *file, NULL);
    }
    g_dbus_connection_signal_subscribe(worker->connection, NULL, WORKER_INTERFACE, WORKER_PROGRESS,
                                       WORKER_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE,
                                       on_progress, worker, NULL);
    g_dbus_connection_call_with_unix_fd_list(
        worker->connection, NULL, WORKER_PATH, WORKER_INTERFACE, WORKER_RUN,
        g_variant_new("(s@a{sv})", worker->request->operation, worker->options),
        G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, files, NULL, on_answer,
        worker);
}

static void on_connected(GObject *object, GAsyncResult *result, gpointer data)
{
    OrielWorker *worker = data;

    worker->connection = g_dbus_connection_new_finish(result, &worker->cause);
    if (worker->connection && !worker->cancelled) {
        call(worker);
    } else {
        worker->ended = TRUE;
    }
}

/* Until there is an answer, or the process is no more. */
static void converse(OrielWorker *worker, int fd, GCancellable *cancellable)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, &worker->cause);
    g_autoptr(GSocketConnection) stream = NULL;
    g_autofree char *guid = g_dbus_generate_guid();
    GSource *cancelled = cancellable ? g_cancellable_source_new(cancellable) : NULL;
    GSource *tick = source_attach(worker, g_timeout_source_new(TICK_MS), on_tick);

    if (cancelled) {
        source_attach(worker, cancelled, G_SOURCE_FUNC(on_cancelled));
        g_source_unref(cancelled);
    }
    if (socket) {
        stream = g_socket_connection_factory_create_connection(socket);
        g_dbus_connection_new(G_IO_STREAM(stream), guid,
                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER, NULL, NULL,
                              on_connected, worker);
    } else {
        close(fd);
        worker->ended = TRUE;
    }
    while (!worker->ended) {
        g_main_context_iteration(worker->context, TRUE);
    }
    g_source_destroy(tick);
    g_source_unref(tick);
}

/* An error of the operation stays as it is; that of a process which is no more is put in words. */
static void failure(OrielWorker *worker, GCancellable *cancellable, GError **error)
{
    gboolean remote = worker->cause && g_dbus_error_is_remote_error(worker->cause);
    gboolean told = remote && g_error_matches(worker->cause, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    int status = process_end(worker);

    if (g_cancellable_is_cancelled(cancellable) && !told && !goes_on(worker)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                    _("Cancelled; nothing was changed or left behind."));
    } else if (remote) {
        g_dbus_error_strip_remote_error(worker->cause);
        g_propagate_error(error, g_steal_pointer(&worker->cause));
    } else {
        const char *why =
            WIFSIGNALED(status) ? g_strsignal(WTERMSIG(status)) : worker->cause->message;
        const char *changed = worker->request->change;

        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_HOST,
            changed
                ? _("The helper program oriel-worker ended in the middle of its work (%s). Check "
                    "“%s” with “orielctl disk check”.")
                : _("The helper program oriel-worker ended in the middle of its work (%s). What it "
                    "had begun is removed; try again, with more free memory if that was short."),
            why, changed);
    }
}

OrielWorker *oriel_worker_run_and_hold(const OrielWorkerRequest *request, GVariant **answer,
                                       OrielProgress progress, gpointer data,
                                       GCancellable *cancellable, GError **error)
{
    OrielWorker *worker = g_new0(OrielWorker, 1);
    int fd;

    *answer = NULL;
    oriel_error_register_dbus();
    worker->request = request;
    worker->options = g_variant_ref_sink(request->options);
    worker->progress = progress;
    worker->data = data;
    worker->context = g_main_context_new();
    g_main_context_push_thread_default(worker->context);
    fd = start(worker, request, error);
    if (fd >= 0) {
        converse(worker, fd, cancellable);
        if (worker->reply) {
            *answer = g_variant_get_child_value(worker->reply, 0);
            return worker;
        }
        failure(worker, cancellable, error);
    }
    oriel_worker_end(worker);
    return NULL;
}

GVariant *oriel_worker_run(const OrielWorkerRequest *request, OrielProgress progress, gpointer data,
                           GCancellable *cancellable, GError **error)
{
    GVariant *answer;
    OrielWorker *worker =
        oriel_worker_run_and_hold(request, &answer, progress, data, cancellable, error);

    if (worker) {
        oriel_worker_end(worker);
    }
    return answer;
}

/* --- Requests --------------------------------------------------------------------------------- */

GVariant *oriel_worker_texts(const char *key, ...)
{
    GVariantDict dict;
    va_list arguments;

    g_variant_dict_init(&dict, NULL);
    va_start(arguments, key);
    for (; key; key = va_arg(arguments, const char *)) {
        const char *value = va_arg(arguments, const char *);

        if (value) { /* not a string, which names of files need not be */
            g_variant_dict_insert_value(&dict, key, g_variant_new_bytestring(value));
        }
    }
    va_end(arguments);
    return g_variant_dict_end(&dict);
}

gboolean oriel_worker_has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

/* --- What it may read ------------------------------------------------------------------------- */

static gboolean is_text(const char *bytes, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (g_ascii_iscntrl(bytes[i]) && !g_ascii_isspace(bytes[i])) {
            return FALSE;
        }
    }
    return TRUE;
}

char *oriel_worker_folder_of_text(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char bytes[TEXT_LOOK];
    struct stat status;
    ssize_t n = 0;

    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        n = pread(fd, bytes, sizeof(bytes), 0);
    }
    close(fd);
    if (n < 2) {
        return NULL;
    }
    /* UTF-16 has zeroes, and begins with its mark. */
    gboolean text = memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0;

    return text || is_text(bytes, (gsize)n) ? g_path_get_dirname(path) : NULL;
}
