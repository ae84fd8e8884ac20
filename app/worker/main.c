/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-worker: see oriel-worker.h and worker-protocol.h. */
#include <fcntl.h>
#include <gio/gio.h>
#include <iconv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/runtime.h"
#include "media/oriel-system.h"
#include "oriel-locale.h"
#include "worker/worker-operations.h"
#include "worker/worker-protocol.h"
#include "worker/worker-sandbox.h"

enum {
    PROGRESS_US = 100000,
    EXIT_USAGE = 2,
};

static const char introspection[] =
    "<node><interface name='" WORKER_INTERFACE "'>"
    "<method name='" WORKER_RUN "'><arg type='s' direction='in'/>"
    "<arg type='a{sv}' direction='in'/><arg type='a{sv}' direction='out'/></method>"
    "<method name='" WORKER_CANCEL "'/>"
    "<signal name='" WORKER_PROGRESS "'><arg type='t'/><arg type='t'/></signal>"
    "</interface></node>";

/* The one piece of work. */
struct work {
    GDBusConnection *connection;
    GDBusMethodInvocation *invocation; /* NULL: not yet asked for */
    GCancellable *cancellable;
    int file;
    gint64 told; /* when progress was last told, monotonic time in microseconds */
};

static void progress(guint64 done, guint64 total, gpointer data)
{
    struct work *work = data;
    gint64 now = g_get_monotonic_time();

    if (now - work->told < PROGRESS_US) {
        return;
    }
    work->told = now;
    g_dbus_connection_emit_signal(work->connection, NULL, WORKER_PATH, WORKER_INTERFACE,
                                  WORKER_PROGRESS, g_variant_new("(tt)", done, total), NULL);
}

static gpointer work_run(gpointer data)
{
    struct work *work = data;
    GVariant *parameters = g_dbus_method_invocation_get_parameters(work->invocation);
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters, 1);
    g_autoptr(GVariantDict) dict = g_variant_dict_new(options);
    const struct worker_call call = { dict, work->file, progress, work, work->cancellable };
    GError *error = NULL;
    const char *name;
    GVariant *answer;

    g_variant_get_child(parameters, 0, "&s", &name);
    answer = worker_operation_run(name, &call, &error);
    if (answer) {
        g_dbus_method_invocation_return_value(work->invocation, g_variant_new("(@a{sv})", answer));
    } else {
        /* Names of files need not be what a message can hold. */
        g_autofree char *message = g_utf8_make_valid(error->message, -1);

        g_dbus_method_invocation_return_error_literal(work->invocation, error->domain, error->code,
                                                      message);
        g_error_free(error);
    }
    return NULL;
}

static int file_of(GDBusMethodInvocation *invocation)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
    GUnixFDList *files = g_dbus_message_get_unix_fd_list(message);

    return files && g_unix_fd_list_get_length(files) > 0 ? g_unix_fd_list_get(files, 0, NULL) : -1;
}

static void method_call(GDBusConnection *connection, const char *sender, const char *path,
                        const char *interface, const char *method, GVariant *parameters,
                        GDBusMethodInvocation *invocation, gpointer data)
{
    struct work *work = data;

    if (strcmp(method, WORKER_CANCEL) == 0) {
        g_cancellable_cancel(work->cancellable);
        g_dbus_method_invocation_return_value(invocation, NULL);
    } else if (work->invocation) {
        g_dbus_method_invocation_return_error(invocation, ORIEL_ERROR, ORIEL_ERROR_STATE,
                                              "The worker has its work already.");
    } else {
        work->invocation = invocation;
        work->file = file_of(invocation);
        g_thread_unref(g_thread_new("work", work_run, work));
    }
}

/* The caller has its answer, or is no more. What was half done is its to remove, or nameless. */
static void closed(void)
{
    _exit(0);
}

static gboolean serve(GMainLoop *loop, GError **error)
{
    static const GDBusInterfaceVTable table = { .method_call = method_call };
    static struct work work = { .file = -1 };
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(introspection, error);
    g_autoptr(GSocket) socket = node ? g_socket_new_from_fd(WORKER_FD, error) : NULL;
    g_autoptr(GSocketConnection) stream =
        socket ? g_socket_connection_factory_create_connection(socket) : NULL;

    if (!stream) {
        return FALSE;
    }
    work.cancellable = g_cancellable_new();
    work.connection =
        g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                   G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                       G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                   NULL, NULL, error);
    if (!work.connection ||
        g_dbus_connection_register_object(work.connection, WORKER_PATH, node->interfaces[0], &table,
                                          &work, NULL, error) == 0) {
        return FALSE;
    }
    g_signal_connect(work.connection, "closed", G_CALLBACK(closed), NULL);
    g_dbus_connection_start_message_processing(work.connection);
    g_main_loop_run(loop);
    return TRUE;
}

static gboolean rights_read(struct worker_rights *rights, int argc, char **argv)
{
    guint reads = 0, changes = 0, fills = 0;

    for (int i = 1; i < argc; i++) {
        gboolean more = i + 1 < argc;

        if (strcmp(argv[i], WORKER_SYSTEMS) == 0) {
            rights->systems = TRUE;
        } else if (strcmp(argv[i], WORKER_TEXTS) == 0) {
            rights->texts = TRUE;
        } else if (more && strcmp(argv[i], WORKER_READ) == 0 && reads < WORKER_PATHS_MAX) {
            rights->reads[reads++] = argv[++i];
        } else if (more && strcmp(argv[i], WORKER_CHANGE) == 0 && changes < WORKER_PATHS_MAX) {
            rights->changes[changes++] = argv[++i];
        } else if (more && strcmp(argv[i], WORKER_FILL) == 0 && fills < WORKER_PATHS_MAX) {
            rights->fills[fills++] = argv[++i];
        } else {
            return FALSE;
        }
    }
    return TRUE;
}

/*
 * Their code must be there before the sandbox is entered. Images name others in the first one only,
 * descriptions come in all of them.
 */
static void encodings_load(gboolean all)
{
    static const char *const names[] = { "UTF-16",       "ISO-8859-1", "ISO-8859-15",
                                         "WINDOWS-1252", "SHIFT_JIS",  "EUC-JP",
                                         "GBK",          "BIG5",       "EUC-KR" };

    for (gsize i = 0; i < (all ? G_N_ELEMENTS(names) : 1); i++) {
        iconv_open("UTF-8", names[i]); /* what is closed may be unloaded */
    }
}

int main(int argc, char **argv)
{
    struct worker_rights rights = { .systems = FALSE };
    g_autoptr(GError) error = NULL;
    struct stat status;

    if (!rights_read(&rights, argc, argv) || fstat(WORKER_FD, &status) != 0 ||
        !S_ISSOCK(status.st_mode)) {
        fprintf(stderr, "oriel-worker is a part of Oriel that its programs start.\n");
        return EXIT_USAGE;
    }
    fcntl(WORKER_FD, F_SETFD, FD_CLOEXEC);
    /* From the terminal they reach the caller, who cancels the work. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    /* A file that may not grow is an error like any other. */
    signal(SIGXFSZ, SIG_IGN);
    /* No modules: code is loaded no more from here on. */
    g_setenv("GIO_USE_VFS", "local", TRUE);
    g_setenv("GIO_MODULE_DIR", "/nonexistent", TRUE);
    encodings_load(rights.texts);
    oriel_locale_load_messages();
    if (rights.systems) {
        oriel_system_prepare();
    }
    worker_sandbox_enter(&rights);
    oriel_error_register_dbus();
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    if (!serve(loop, &error)) {
        fprintf(stderr, "oriel-worker: %s\n", error->message);
    }
    return 1;
}
