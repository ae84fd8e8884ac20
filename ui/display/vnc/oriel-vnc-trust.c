/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-vnc-trust.h. */
#include "oriel-vnc-trust.h"

#define KEY "certificate"

static GMutex mutex; /* of the file: threads of several connections */

static char *file_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "oriel", "remote-screens", NULL);
}

/* An address as a key file can have it for a group. */
static char *group_of(const char *address)
{
    return g_uri_escape_string(address, ":/", FALSE);
}

/* NULL with *error set if there is a file that cannot be read. */
static GKeyFile *file_load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) problem = NULL;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_KEEP_COMMENTS, &problem) &&
        !g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&file);
}

gboolean oriel_vnc_trust_look(const char *address, char **fingerprint, GError **error)
{
    g_autofree char *path = file_path(), *group = group_of(address);
    g_autoptr(GKeyFile) file = NULL;

    *fingerprint = NULL;
    g_mutex_lock(&mutex);
    file = file_load(path, error);
    g_mutex_unlock(&mutex);
    if (!file) {
        return FALSE;
    }
    if (!g_key_file_has_group(file, group)) {
        return TRUE;
    }
    *fingerprint = g_key_file_get_string(file, group, KEY, error);
    return *fingerprint != NULL;
}

gboolean oriel_vnc_trust_set(const char *address, const char *fingerprint, GError **error)
{
    g_autofree char *path = file_path(), *group = group_of(address);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GKeyFile) file = NULL;
    gboolean done = FALSE;

    g_mutex_lock(&mutex);
    file = file_load(path, error);
    if (file) {
        g_key_file_set_string(file, group, KEY, fingerprint);
        g_mkdir_with_parents(folder, 0700); /* if it fails, so does the next */
        done = g_key_file_save_to_file(file, path, error);
    }
    g_mutex_unlock(&mutex);
    return done;
}
