/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See saved.h. */
#include "saved.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAVED         "saved"
#define HIDDEN_PREFIX ".saved-"

gboolean oriel_saved_exists(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, SAVED, NULL);
    struct stat status;

    return lstat(path, &status) == 0;
}

static gboolean folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean good = fd >= 0 && fsync(fd) == 0;
    int number = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = number;
    return good;
}

char *oriel_saved_begin(const char *folder, GError **error)
{
    g_autofree char *hidden = g_build_filename(folder, HIDDEN_PREFIX "XXXXXX", NULL);

    if (!g_mkdtemp_full(hidden, 0700)) {
        oriel_error_set_errno(error, errno, _("The state cannot be saved in “%s”"), folder);
        return NULL;
    }
    return g_steal_pointer(&hidden);
}

gboolean oriel_saved_commit(const char *folder, const char *hidden, GError **error)
{
    g_autofree char *saved = g_build_filename(folder, SAVED, NULL);
    int number;

    if (folder_sync(hidden) && g_rename(hidden, saved) == 0) {
        if (folder_sync(folder)) {
            return TRUE;
        }
        number = errno;
        g_rename(saved, hidden);
        errno = number;
    }
    oriel_error_set_errno(error, errno, _("The state cannot be saved as “%s”"), saved);
    return FALSE;
}

gboolean oriel_saved_retire(const char *folder, GError **error)
{
    g_autofree char *saved = g_build_filename(folder, SAVED, NULL);
    g_autofree char *hidden = oriel_saved_begin(folder, error);

    if (!hidden) {
        return FALSE;
    }
    /* An empty folder gives way to the renamed one; what is no folder goes by itself. */
    if ((g_rename(saved, hidden) == 0 || (errno == EISDIR && g_unlink(saved) == 0)) &&
        folder_sync(folder)) {
        return TRUE;
    }
    oriel_error_set_errno(error, errno, _("The saved state “%s” cannot be put away"), saved);
    return FALSE;
}

/* A folder of files; follows no links. */
static void hidden_remove(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autofree char *path = fd >= 0 ? g_strdup_printf("/proc/self/fd/%d", fd) : NULL;
    g_autoptr(GDir) dir = path ? g_dir_open(path, 0, NULL) : NULL;
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        unlinkat(fd, file, 0);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno == ENOTDIR) {
        unlinkat(parent, name, 0);
    }
}

void oriel_saved_clean(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *name;

    while (dir && fd >= 0 && (name = g_dir_read_name(dir))) {
        if (g_str_has_prefix(name, HIDDEN_PREFIX) &&
            strlen(name) == strlen(HIDDEN_PREFIX "XXXXXX")) {
            hidden_remove(fd, name);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* --- Settings ------------------------------------------------------------------------------- */

/* What is the user's or the host's alone, other than the media of drives. */
static gboolean is_unseen(const OrielConfig *config, const char *key)
{
    static const char *const keys[] = { "generation-id", "vnc.listen", "vnc.password", NULL };

    static const char *const parts[] = { ".mode", ".network", ".host-access", NULL };

    for (const char *const *part = parts; *part; part++) {
        if (g_str_has_suffix(key, *part)) {
            return TRUE; /* what is behind a network card */
        }
    }
    return g_strv_contains(keys, key) ||
           (oriel_config_key_live(config, key) && !g_str_has_suffix(key, ".path"));
}

void oriel_config_take_unseen(OrielConfig *to, const OrielConfig *from)
{
    g_auto(GStrv) keys = oriel_config_keys(to);

    for (char **key = keys; *key; key++) {
        g_autofree char *value = oriel_config_get(from, *key, NULL);

        if (value && is_unseen(to, *key) && !oriel_config_key_fixed(to, *key)) {
            oriel_config_set(to, *key, value, NULL);
        }
    }
    g_free(to->generation_id);
    to->generation_id = g_strdup(from->generation_id);
}

char *oriel_config_guest_difference(const OrielConfig *a, const OrielConfig *b)
{
    g_auto(GStrv) keys = oriel_config_differences(a, b);

    for (char **key = keys; *key; key++) {
        if (!is_unseen(a, *key)) {
            return g_strdup(*key);
        }
    }
    /* A drive's place is its port, unless it is in a slot. */
    for (guint i = 0; i < a->drives->len && i < b->drives->len; i++) {
        const OrielDrive *mine = a->drives->pdata[i], *theirs = b->drives->pdata[i];

        if ((mine->port == 0 || theirs->port == 0) && strcmp(mine->id, theirs->id) != 0) {
            return g_strdup(mine->id);
        }
    }
    return NULL;
}
