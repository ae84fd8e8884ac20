/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Locks of machines and the folders of running ones. Locks taken twice in one process exclude each
 * other as those of two processes do. */
#include "../test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/config.h"
#include "config/runtime.h"

static const char uuid[] = "6f1d2c3b-4a59-4687-9788-a9bacbdcedfe";

/* A folder that is both a machine's and that for running machines. */
static char *new_folder(void)
{
    char *folder = g_dir_make_tmp("oriel-run-XXXXXX", NULL);

    CHECK(folder != NULL);
    g_setenv("XDG_RUNTIME_DIR", folder, TRUE);
    return folder;
}

static void remove_folder(char *folder)
{
    g_autofree char *lock = g_build_filename(folder, "lock", NULL);
    g_autofree char *oriel = g_build_filename(folder, "oriel", NULL);

    g_unlink(lock);
    g_rmdir(oriel);
    CHECK_EQ(g_rmdir(folder), 0);
    g_free(folder);
}

static void check_locked(const GError *error, const char *part)
{
    CHECK(error != NULL && error->domain == ORIEL_ERROR);
    CHECK_EQ(error->code, ORIEL_ERROR_LOCKED);
    CHECK(strstr(error->message, part) != NULL);
}

TEST(a_machine_has_one_holder)
{
    char *folder = new_folder();
    g_autoptr(GError) error = NULL;
    int first = oriel_machine_lock(folder, NULL);

    CHECK(first >= 0);
    CHECK_EQ(oriel_machine_lock(folder, &error), -1);
    check_locked(error, "in use");
    close(first);
    first = oriel_machine_lock(folder, NULL);
    CHECK(first >= 0);
    close(first);
    remove_folder(folder);
}

TEST(a_copy_of_the_descriptor_does_not_keep_the_lock)
{
    char *folder = new_folder();
    int first = oriel_machine_lock(folder, NULL);
    int copy = dup(first); /* as a process has it between its making and its program */

    CHECK(first >= 0 && copy >= 0);
    oriel_machine_unlock(first);
    first = oriel_machine_lock(folder, NULL);
    CHECK(first >= 0);
    oriel_machine_unlock(first);
    close(copy);
    remove_folder(folder);
}

TEST(a_machine_whose_lock_is_passed_on_is_no_remains)
{
    char *folder = new_folder();
    int passing = oriel_machine_lock_edit(folder, NULL), lock;

    CHECK(passing >= 0);
    CHECK_EQ(oriel_machine_lock_remains(folder), -1);
    lock = oriel_machine_lock(folder, NULL); /* which that has not kept */
    CHECK(lock >= 0);
    oriel_machine_unlock(passing);
    CHECK_EQ(oriel_machine_lock_remains(folder), -1);
    oriel_machine_unlock(lock);
    lock = oriel_machine_lock_remains(folder);
    CHECK(lock >= 0);
    oriel_machine_unlock(lock);
    remove_folder(folder);
}

static gpointer lock_in_thread(gpointer folder)
{
    return GINT_TO_POINTER(oriel_machine_lock(folder, NULL));
}

TEST(a_holder_that_is_ending_is_waited_for)
{
    char *folder = new_folder();
    int ending = oriel_machine_lock(folder, NULL);

    CHECK(ending >= 0);
    oriel_machine_lock_ending(ending);
    GThread *thread = g_thread_new("next", lock_in_thread, folder);

    g_usleep(50 * 1000); /* most likely it waits by now; if not, it finds the lock free */
    close(ending);
    int next = GPOINTER_TO_INT(g_thread_join(thread));

    CHECK(next >= 0);
    /* The next holder is not ending because the last one was. */
    CHECK_EQ(oriel_machine_lock(folder, NULL), -1);
    close(next);
    remove_folder(folder);
}

TEST(the_folder_of_a_running_machine_is_private_and_emptied)
{
    char *folder = new_folder();
    g_autoptr(GError) error = NULL;
    struct stat status;
    int lock = -1, other = -1;
    g_autofree char *runtime = oriel_runtime_create(uuid, &lock, NULL);

    CHECK(runtime != NULL && lock >= 0);
    CHECK_EQ(stat(runtime, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0700);
    CHECK(oriel_runtime_create(uuid, &other, &error) == NULL);
    check_locked(error, "same identity");

    /* As a killed engine leaves it: files inside, no lock. */
    g_autofree char *file = g_build_filename(runtime, "engine", NULL);

    CHECK(g_file_set_contents(file, "x", 1, NULL));
    close(lock);
    g_autofree char *again = oriel_runtime_create(uuid, &lock, NULL);

    CHECK(again != NULL);
    CHECK(!g_file_test(file, G_FILE_TEST_EXISTS));
    oriel_runtime_remove(again, lock);
    CHECK(!g_file_test(runtime, G_FILE_TEST_EXISTS));
    remove_folder(folder);
}

/* Engines of one machine and its copies that come and go: never two at once, never a folder that is
 * gone. */
static gpointer come_and_go(gpointer data)
{
    static gint inside;

    for (int i = 0; i < 200; i++) {
        int lock = -1;
        char *folder = oriel_runtime_create(uuid, &lock, NULL);

        if (!folder) {
            continue;
        }
        if (g_atomic_int_add(&inside, 1) != 0 || !g_file_test(folder, G_FILE_TEST_IS_DIR)) {
            g_atomic_int_set((gint *)data, 1);
        }
        g_atomic_int_add(&inside, -1);
        oriel_runtime_remove(folder, lock);
        g_free(folder);
    }
    return NULL;
}

TEST(those_who_come_and_go_never_meet)
{
    char *folder = new_folder();
    GThread *threads[4];
    gint met = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("engine", come_and_go, &met);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_thread_join(threads[i]);
    }
    CHECK_EQ(met, 0);
    remove_folder(folder);
}

/* Connects as soon as there is a socket; returns what the first one said. */
static gpointer connect_early(gpointer path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int error = ENOENT;

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    while (error == ENOENT) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        error = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
        close(fd);
    }
    return GINT_TO_POINTER(error);
}

TEST(a_socket_that_is_seen_can_be_connected_to)
{
    char *folder = new_folder();
    int lock;

    for (unsigned i = 0; i < 20; i++) {
        g_autofree char *runtime = oriel_runtime_create(uuid, &lock, NULL);
        g_autofree char *path = g_build_filename(runtime, "engine", NULL);
        GThread *thread = g_thread_new("client", connect_early, path);
        g_autoptr(GDBusServer) server = oriel_runtime_listen(path, NULL, NULL);

        CHECK(server != NULL);
        CHECK_EQ(GPOINTER_TO_INT(g_thread_join(thread)), 0);
        CHECK(oriel_runtime_listen(path, NULL, NULL) == NULL); /* there is one */
        g_clear_object(&server);
        oriel_runtime_remove(runtime, lock);
    }
    remove_folder(folder);
}

TEST_MAIN(T(a_machine_has_one_holder), T(a_copy_of_the_descriptor_does_not_keep_the_lock),
          T(a_machine_whose_lock_is_passed_on_is_no_remains),
          T(a_holder_that_is_ending_is_waited_for),
          T(the_folder_of_a_running_machine_is_private_and_emptied),
          T(those_who_come_and_go_never_meet), T(a_socket_that_is_seen_can_be_connected_to))
