/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See runtime.h. */
#include "config/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/config.h"

enum {
    SOCKET_NAME_MAX = 10, /* bytes of the longest name, with its slash: "/firmware" */
    ENDING_LOOK_MS = 20,
    ENDING_LOOKS = 3000, /* a minute: disks may still have to be flushed */
    KILLED_LOOKS = 50,   /* a second */
};

/* A folder of ours that nobody else may enter; made if it is missing. */
static gboolean private_folder(const char *path, GError **error)
{
    struct stat status;

    if (g_mkdir_with_parents(path, 0700) != 0 || lstat(path, &status) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    _("The folder “%s” for running machines cannot be made: %s."), path,
                    g_strerror(errno));
        return FALSE;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != getuid() || (status.st_mode & 077) != 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION,
                    _("The folder “%s” for running machines is open to other users; remove it or "
                      "set XDG_RUNTIME_DIR."),
                    path);
        return FALSE;
    }
    return TRUE;
}

char *oriel_runtime_base(GError **error)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *base = NULL;

    if (!runtime || !g_path_is_absolute(runtime)) {
        g_autofree char *name = g_strdup_printf("oriel-%u", (unsigned)getuid());

        base = g_build_filename(g_get_tmp_dir(), name, NULL);
        return private_folder(base, error) ? g_steal_pointer(&base) : NULL;
    }
    if (g_file_test("/.flatpak-info", G_FILE_TEST_EXISTS)) {
        return g_build_filename(runtime, "app", ORIEL_APP_ID, NULL);
    }
    return g_build_filename(runtime, "oriel", NULL);
}

char *oriel_runtime_folder(const char *uuid, GError **error)
{
    g_autofree char *base = oriel_runtime_base(error);
    g_autofree char *folder = base ? g_build_filename(base, uuid, NULL) : NULL;

    if (folder && strlen(folder) + SOCKET_NAME_MAX >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        g_set_error(
            error, ORIEL_ERROR, ORIEL_ERROR_HOST,
            _("The path “%s” is too long for sockets. Set XDG_RUNTIME_DIR to a shorter one."),
            folder);
        return NULL;
    }
    return g_steal_pointer(&folder);
}

static void folder_empty(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_unlink(path);
    }
}

/* Copies of a machine's folder have one uuid, and so one runtime folder. Returns the lock, or -1.
 */
static int folder_take(const char *folder, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return fd;
    }
    g_set_error(
        error, ORIEL_ERROR, errno == EWOULDBLOCK ? ORIEL_ERROR_LOCKED : ORIEL_ERROR_HOST,
        errno == EWOULDBLOCK
            ? _("A copy of this machine, with the same identity, is running already (“%s” is in "
                "use). Stop that one first; “orielctl clone” makes copies that run side by side.")
            : _("The folder “%s” for the running machine cannot be locked."),
        folder);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

/* An engine that ends may have removed the folder before its lock was taken. */
static gboolean folder_is_there(const char *folder, int fd)
{
    struct stat named, opened;

    return stat(folder, &named) == 0 && fstat(fd, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

char *oriel_runtime_create(const char *uuid, int *lock, GError **error)
{
    g_autofree char *folder = oriel_runtime_folder(uuid, error);

    if (!folder) {
        return NULL;
    }
    for (;;) {
        *lock = private_folder(folder, error) ? folder_take(folder, error) : -1;
        if (*lock < 0) {
            return NULL;
        }
        if (folder_is_there(folder, *lock)) {
            break;
        }
        close(*lock);
    }
    folder_empty(folder);
    return g_steal_pointer(&folder);
}

void oriel_runtime_remove(const char *folder, int lock)
{
    folder_empty(folder);
    g_rmdir(folder);
    flock(lock, LOCK_UN);
    close(lock);
}

/* Between bind() and listen() a socket refuses everybody, so it gets its name after both. */
GDBusServer *oriel_runtime_listen(const char *path, GDBusAuthObserver *observer, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *bound = g_build_filename(folder, "bound", NULL);
    g_autofree char *escaped = g_dbus_address_escape_value(bound);
    g_autofree char *address = g_strdup_printf("unix:path=%s", escaped);
    g_autofree char *guid = g_dbus_generate_guid();
    g_autoptr(GDBusServer) server =
        g_dbus_server_new_sync(address, G_DBUS_SERVER_FLAGS_NONE, guid, observer, NULL, error);

    if (!server) {
        return NULL;
    }
    /* A link and not another name: in the end GLib removes the name that it has bound. */
    if (link(bound, path) != 0) {
        g_set_error_literal(error, G_IO_ERROR, g_io_error_from_errno(errno), g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&server);
}

/* Bytes of the file “lock”, each a lock of its own. */
enum {
    LOCK_MACHINE = 0,
    LOCK_EDIT = 1,
    LOCK_ENDING = 2, /* held beside LOCK_MACHINE by who is about to let go of both */
};

static struct flock byte_lock(off_t byte)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
}

static int lock_open(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        int code = errno == EACCES || errno == EROFS ? ORIEL_ERROR_PERMISSION
                   : errno == ENOENT                 ? ORIEL_ERROR_NOT_FOUND
                   : errno == ENOSPC                 ? ORIEL_ERROR_NO_SPACE
                                                     : ORIEL_ERROR_HOST;

        g_set_error(error, ORIEL_ERROR, code, _("The machine in “%s” cannot be locked: %s."),
                    folder, g_strerror(errno));
    }
    return fd;
}

int oriel_machine_lock_edit(const char *folder, GError **error)
{
    struct flock lock = byte_lock(LOCK_EDIT);
    int fd = lock_open(folder, error);

    while (fd >= 0 && fcntl(fd, F_OFD_SETLKW, &lock) != 0 && errno == EINTR) {
    }
    return fd;
}

static gboolean is_ending(int fd)
{
    struct flock lock = byte_lock(LOCK_ENDING);

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* Looks again and again as long as the holder is ending, and `looks` times in any case. */
static gboolean lock_take(int fd, unsigned looks)
{
    struct flock lock = byte_lock(LOCK_MACHINE);

    for (unsigned look = 0; look < ENDING_LOOKS; look++) {
        /* Asked first: a holder that ends in between has let go. */
        gboolean ending = is_ending(fd);

        if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
            return TRUE;
        }
        if (!ending && look >= looks) {
            break;
        }
        g_usleep(ENDING_LOOK_MS * 1000);
    }
    return FALSE;
}

static int machine_lock(const char *folder, unsigned looks, GError **error)
{
    int fd = lock_open(folder, error);

    if (fd >= 0 && !lock_take(fd, looks)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_LOCKED,
                    _("The machine in “%s” is in use: it is running or being changed. Stop it, or "
                      "try again in a moment."),
                    folder);
        close(fd);
        fd = -1;
    }
    return fd;
}

int oriel_machine_lock(const char *folder, GError **error)
{
    return machine_lock(folder, 0, error);
}

int oriel_machine_lock_remains(const char *folder)
{
    struct flock edit = byte_lock(LOCK_EDIT);
    int fd = machine_lock(folder, 0, NULL);

    if (fd >= 0 && (fcntl(fd, F_OFD_GETLK, &edit) != 0 || edit.l_type != F_UNLCK)) {
        oriel_machine_unlock(fd);
        fd = -1;
    }
    return fd;
}

int oriel_machine_lock_to_run(const char *folder, GError **error)
{
    return machine_lock(folder, KILLED_LOOKS, error);
}

gboolean oriel_machine_is_locked(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    struct flock lock = byte_lock(LOCK_MACHINE);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    gboolean locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (fd >= 0) {
        close(fd);
    }
    return locked;
}

void oriel_machine_unlock(int lock)
{
    struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    fcntl(lock, F_OFD_SETLK, &all);
    close(lock);
}

void oriel_machine_lock_ending(int lock)
{
    struct flock ending = byte_lock(LOCK_ENDING);

    fcntl(lock, F_OFD_SETLK, &ending);
}

void oriel_error_register_dbus(void)
{
    static const GDBusErrorEntry entries[] = {
        { ORIEL_ERROR_INVALID, "io.github.oriel_vm.Oriel.Error.Invalid" },
        { ORIEL_ERROR_NOT_FOUND, "io.github.oriel_vm.Oriel.Error.NotFound" },
        { ORIEL_ERROR_EXISTS, "io.github.oriel_vm.Oriel.Error.Exists" },
        { ORIEL_ERROR_CORRUPT, "io.github.oriel_vm.Oriel.Error.Corrupt" },
        { ORIEL_ERROR_LOCKED, "io.github.oriel_vm.Oriel.Error.Locked" },
        { ORIEL_ERROR_NO_KVM, "io.github.oriel_vm.Oriel.Error.NoKvm" },
        { ORIEL_ERROR_PERMISSION, "io.github.oriel_vm.Oriel.Error.Permission" },
        { ORIEL_ERROR_NO_SPACE, "io.github.oriel_vm.Oriel.Error.NoSpace" },
        { ORIEL_ERROR_STATE, "io.github.oriel_vm.Oriel.Error.State" },
        { ORIEL_ERROR_TIMEOUT, "io.github.oriel_vm.Oriel.Error.Timeout" },
        { ORIEL_ERROR_HOST, "io.github.oriel_vm.Oriel.Error.Host" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_dbus_error_register_error(ORIEL_ERROR, entries[i].error_code, entries[i].dbus_error_name);
    }
}
