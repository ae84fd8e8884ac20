/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting an engine, which says itself when it is ready. See oriel-session.h. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "oriel-session-private.h"

enum {
    READY_FD = 3, /* in the engine */
    READY_MAX = 8192,
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

gboolean oriel_session_end(GSubprocess *process, const OrielMachine *machine, GError **error)
{
    const char *id = g_subprocess_get_identifier(process);
    int fd = id ? pidfd_open((pid_t)atoi(id), 0) : -1;
    gboolean good = TRUE;

    if (fd >= 0) {
        good = oriel_session_end_process(fd, TRUE, machine, error);
        close(fd);
    } else if (id && errno != ESRCH) {
        oriel_error_set_errno(error, errno, _("The engine of “%s” cannot be ended"), machine->name);
        good = FALSE;
    }
    return good;
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
                _("The engine of “%s” ended without a word; “%s/log/engine.log” may say why."),
                machine->name, machine->folder);
    return FALSE;
}

static gboolean start(const OrielMachine *machine, GPtrArray *arguments,
                      GSubprocessLauncher *launcher, GSubprocess **process_out,
                      GCancellable *cancellable, GError **error)
{
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) cause = NULL;
    int pipe_fds[2];

    if (!g_unix_open_pipe(pipe_fds, FD_CLOEXEC, error)) {
        return FALSE;
    }
    g_subprocess_launcher_take_fd(launcher, pipe_fds[1], READY_FD);
    g_subprocess_launcher_set_child_setup(launcher, detach, NULL, NULL);
    g_ptr_array_add(arguments, NULL);
    process = g_subprocess_launcher_spawnv(launcher, (const char *const *)arguments->pdata, &cause);
    g_subprocess_launcher_close(launcher); /* or the pipe would never end */
    if (!process) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                    _("The engine “%s” cannot be started: %s. Install Oriel again."),
                    (const char *)arguments->pdata[0], cause->message);
        close(pipe_fds[0]);
        return FALSE;
    }
    g_autofree char *line = ready_read(pipe_fds[0], cancellable, error);

    close(pipe_fds[0]);
    if (!line) {
        oriel_session_end(process, machine, NULL); /* its start is not wanted any more */
        return FALSE;
    }
    if (!ready_judge(machine, line, error)) {
        return FALSE;
    }
    if (process_out) {
        *process_out = g_steal_pointer(&process);
    }
    return TRUE;
}

static GPtrArray *arguments_new(const OrielMachine *machine)
{
    const char *const always[] = { "--folder", machine->folder, "--ready-fd", "3" };
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(arguments, engine_path());
    for (gsize i = 0; i < G_N_ELEMENTS(always); i++) {
        g_ptr_array_add(arguments, g_strdup(always[i]));
    }
    return arguments;
}

static GSubprocessLauncher *launcher_new(void)
{
    return g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                     G_SUBPROCESS_FLAGS_STDERR_SILENCE);
}

gboolean oriel_session_start(const OrielMachine *machine, OrielStartFlags flags,
                             GSubprocess **process, GCancellable *cancellable, GError **error)
{
    g_autoptr(GPtrArray) arguments = arguments_new(machine);
    g_autoptr(GSubprocessLauncher) launcher = launcher_new();

    if (flags & ORIEL_START_PAUSED) {
        g_ptr_array_add(arguments, g_strdup("--paused"));
    }
    if (flags & ORIEL_START_DISCARD_SAVED) {
        g_ptr_array_add(arguments, g_strdup("--discard-saved"));
    }
    return start(machine, arguments, launcher, process, cancellable, error);
}

gboolean oriel_session_start_lent(const OrielMachine *machine, const OrielLoan *loans, guint n,
                                  GSubprocess **process, int *until, GCancellable *cancellable,
                                  GError **error)
{
    g_autoptr(GPtrArray) arguments = arguments_new(machine);
    g_autoptr(GSubprocessLauncher) launcher = launcher_new();
    int pipe_fds[2], until_fd = READY_FD + 1 + (int)n;

    if (!g_unix_open_pipe(pipe_fds, FD_CLOEXEC, error)) {
        return FALSE;
    }
    g_subprocess_launcher_take_fd(launcher, pipe_fds[0], until_fd);
    g_ptr_array_add(arguments, g_strdup("--until-fd"));
    g_ptr_array_add(arguments, g_strdup_printf("%d", until_fd));
    for (guint i = 0; i < n; i++) {
        int fd = fcntl(loans[i].fd, F_DUPFD_CLOEXEC, 0), target = READY_FD + 1 + (int)i;

        g_subprocess_launcher_take_fd(launcher, fd, target);
        g_ptr_array_add(arguments, g_strdup("--lend"));
        g_ptr_array_add(arguments,
                        g_strdup_printf("%s=%d:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                                        loans[i].name, target, loans[i].offset, loans[i].size));
    }
    if (!start(machine, arguments, launcher, process, cancellable, error)) {
        close(pipe_fds[1]);
        return FALSE;
    }
    *until = pipe_fds[1];
    return TRUE;
}
