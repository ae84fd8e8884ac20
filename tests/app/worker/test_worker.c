/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-worker: what its sandbox forbids, and what its caller says when it fails. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/import/oriel-import.h"
#include "config/config.h"
#include "test.h"
#include "worker/oriel-worker.h"
#include "worker/worker-sandbox.h"

static char *folder, *inside, *outside, *outside_file, *image;

static void set_up(void)
{
    folder = g_dir_make_tmp("oriel-worker-XXXXXX", NULL);
    inside = g_build_filename(folder, "inside", NULL);
    outside = g_build_filename(folder, "outside", NULL);
    outside_file = g_build_filename(outside, "file", NULL);
    image = g_build_filename(inside, "image", NULL);
    g_mkdir(inside, 0700);
    g_mkdir(outside, 0700);
    g_file_set_contents(outside_file, "QFI", 3, NULL);
    g_file_set_contents(image, "something", 9, NULL);
}

/* --- The sandbox ------------------------------------------------------------------------------ */

/* The error number that opening gives, 0 if it does not fail. */
static int opening(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600), number = errno;

    if (fd < 0) {
        return number;
    }
    close(fd);
    return 0;
}

static int failing(long result)
{
    return result < 0 ? errno : 0;
}

static gpointer thread(gpointer data)
{
    return data;
}

/* Runs `attempt` in the sandbox, in a process of its own; returns what it returned. */
static int sandboxed(int (*attempt)(void))
{
    const struct worker_rights rights = { .reads = { image }, .fills = { inside } };
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        worker_sandbox_enter(&rights);
        _exit(attempt());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_read_outside(void)
{
    return opening(outside_file, O_RDONLY);
}

static int try_read_system(void)
{
    return opening("/etc/passwd", O_RDONLY);
}

static int try_make_outside(void)
{
    g_autofree char *path = g_build_filename(outside, "new", NULL);

    return opening(path, O_RDWR | O_CREAT);
}

static int try_leave_by_dots(void)
{
    g_autofree char *path = g_build_filename(inside, "..", "outside", "file", NULL);

    return opening(path, O_RDONLY);
}

static int try_inside(void)
{
    g_autofree char *path = g_build_filename(inside, "new", NULL);
    int number = opening(image, O_RDONLY);

    return number ? number : opening(path, O_RDWR | O_CREAT);
}

static int try_link(void)
{
    g_autofree char *path = g_build_filename(inside, "link", NULL);

    return failing(symlink("/etc/passwd", path));
}

static int try_remove(void)
{
    return failing(unlink(image));
}

static int try_socket(void)
{
    return failing(socket(AF_INET, SOCK_STREAM, 0)) && failing(socket(AF_UNIX, SOCK_STREAM, 0))
               ? errno
               : 0;
}

static int try_program(void)
{
    char name[] = "true", *const arguments[] = { name, NULL };

    return failing(execv("/bin/true", arguments));
}

static int try_process(void)
{
    return failing(fork());
}

static int try_code(void)
{
    void *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return code == MAP_FAILED ? errno : 0;
}

static int try_signal(void)
{
    return failing(kill(getppid(), 0));
}

/* The kernel would send it for us. */
static int try_signal_by_descriptor(void)
{
    return failing(fcntl(STDOUT_FILENO, F_SETOWN, getppid()));
}

static int try_thread(void)
{
    return g_thread_join(g_thread_new("thread", thread, folder)) == folder ? 0 : 1;
}

TEST(sandbox_files)
{
    if (!oriel_worker_has_landlock()) {
        printf("# this kernel has no Landlock\n");
        return;
    }
    CHECK_EQ(sandboxed(try_inside), 0);
    CHECK_EQ(sandboxed(try_read_outside), EACCES);
    CHECK_EQ(sandboxed(try_read_system), EACCES);
    CHECK_EQ(sandboxed(try_make_outside), EACCES);
    CHECK_EQ(sandboxed(try_leave_by_dots), EACCES);
}

TEST(sandbox_calls)
{
#ifndef HAVE_SECCOMP
    printf("# this build has no seccomp\n");
    return;
#endif
    CHECK_EQ(sandboxed(try_thread), 0);
    CHECK_EQ(sandboxed(try_socket), EPERM);
    CHECK_EQ(sandboxed(try_program), EPERM);
    CHECK_EQ(sandboxed(try_process), EPERM);
    CHECK_EQ(sandboxed(try_code), EPERM);
    CHECK_EQ(sandboxed(try_signal), EPERM);
    CHECK_EQ(sandboxed(try_signal_by_descriptor), EPERM);
    CHECK_EQ(sandboxed(try_link), EPERM);
    CHECK_EQ(sandboxed(try_remove), EPERM);
    CHECK(g_file_test(image, G_FILE_TEST_EXISTS));
}

/* --- Its caller ------------------------------------------------------------------------------- */

static GVariant *info(const char *path, const char *reads, GError **error)
{
    const OrielWorkerRequest request = {
        .operation = "disk-info",
        .options = oriel_worker_texts("path", path, NULL),
        .reads = { reads },
    };

    return oriel_worker_run(&request, NULL, NULL, NULL, error);
}

/* The worker is told to do what it may not. */
TEST(worker_keeps_to_its_rights)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = info(image, image, &error);

    CHECK(answer);
    if (oriel_worker_has_landlock()) {
        CHECK(!info(outside_file, image, &error));
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION));
        CHECK(strstr(error->message, outside_file));
    }
}

TEST(worker_answers_with_errors)
{
    g_autoptr(GError) missing = NULL, unknown = NULL, nothing = NULL;
    const OrielWorkerRequest request = {
        .operation = "nonsense",
        .options = oriel_worker_texts("path", image, NULL),
    };
    const OrielWorkerRequest incomplete = {
        .operation = "disk-convert",
        .options = oriel_worker_texts("path", image, NULL),
    };

    CHECK(!info("/nowhere", "/nowhere", &missing));
    CHECK(g_error_matches(missing, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    CHECK_STR(missing->message, "“/nowhere” is not there.");
    CHECK(!oriel_worker_run(&request, NULL, NULL, NULL, &unknown));
    CHECK(g_error_matches(unknown, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    CHECK(!oriel_worker_run(&incomplete, NULL, NULL, NULL, &nothing));
    CHECK(g_error_matches(nothing, ORIEL_ERROR, ORIEL_ERROR_INVALID));
}

/* Names of files need not be texts. */
TEST(worker_takes_any_name)
{
    g_autofree char *path = g_build_filename(inside, "a\xff\xfe b", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = NULL;

    CHECK(!info(path, path, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    CHECK(g_utf8_validate(error->message, -1, NULL));
    CHECK(g_file_set_contents(path, "something", 9, NULL));
    answer = info(path, path, NULL);
    CHECK(answer);
}

TEST(worker_that_is_none)
{
    g_autofree char *right = g_strdup(g_getenv("ORIEL_WORKER"));
    g_autoptr(GError) absent = NULL, silent = NULL;

    g_setenv("ORIEL_WORKER", "/nowhere/oriel-worker", TRUE);
    CHECK(!info(image, image, &absent));
    CHECK(g_error_matches(absent, ORIEL_ERROR, ORIEL_ERROR_HOST));
    CHECK(strstr(absent->message, "cannot be started"));
    g_setenv("ORIEL_WORKER", "/bin/true", TRUE);
    CHECK(!info(image, image, &silent));
    CHECK(g_error_matches(silent, ORIEL_ERROR, ORIEL_ERROR_HOST));
    CHECK(strstr(silent->message, "ended in the middle of its work"));
    g_setenv("ORIEL_WORKER", right, TRUE);
}

/* --- What it may read ------------------------------------------------------------------------- */

TEST(texts_have_folders)
{
    static const struct {
        const char *bytes;
        gsize length;
        bool text;
    } files[] = {
        { "# Disk DescriptorFile\nversion=1\n\0\0", 34, true },
        { "<?xml version=\"1.0\"?>\n<Envelope/>", 33, true },
        { "\xff\xfe<\0?\0x\0", 8, true },
        { "QFI\xfb\0\0\0\3", 8, false },
        { "", 0, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *found = NULL;

        CHECK(g_file_set_contents(outside_file, files[i].bytes, (gssize)files[i].length, NULL));
        found = oriel_worker_folder_of_text(outside_file);
        CHECK_EQ(found != NULL, files[i].text);
        CHECK(!found || strcmp(found, outside) == 0);
    }
    CHECK(!oriel_worker_folder_of_text(outside));
    CHECK(!oriel_worker_folder_of_text("/nowhere"));
}

TEST(set_up_files)
{
    set_up();
    CHECK(g_file_test(image, G_FILE_TEST_EXISTS));
}

/* Also before the process can be spoken to. */
TEST(looking_at_an_appliance_can_be_cancelled)
{
    const OrielImportOptions options = { .folder = inside };
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    OrielImport *import = oriel_import_open(image, &options, NULL, &error);

    CHECK(!import && g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_INVALID));
    g_clear_error(&error);
    g_cancellable_cancel(cancellable);
    CHECK(!oriel_import_open(image, &options, cancellable, &error));
    CHECK(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

TEST(remove_files)
{
    CHECK(oriel_folder_remove(folder, NULL));
}

TEST_MAIN(T(set_up_files), T(sandbox_files), T(sandbox_calls), T(worker_keeps_to_its_rights),
          T(worker_answers_with_errors), T(worker_takes_any_name), T(worker_that_is_none),
          T(texts_have_folders), T(looking_at_an_appliance_can_be_cancelled), T(remove_files))
