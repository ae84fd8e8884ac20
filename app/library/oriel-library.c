/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-library.h. */
#include "oriel-library.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/runtime.h"
#include "config/saved.h"

#define FOLDER_SUFFIX ".oriel"

void oriel_machine_free(OrielMachine *machine)
{
    g_free(machine->folder);
    g_free(machine->name);
    g_clear_pointer(&machine->config, oriel_config_free);
    g_clear_error(&machine->problem);
    g_free(machine);
}

OrielMachine *oriel_machine_copy(const OrielMachine *machine)
{
    OrielMachine *copy = g_new0(OrielMachine, 1);

    copy->folder = g_strdup(machine->folder);
    copy->name = g_strdup(machine->name);
    copy->config = machine->config ? oriel_config_copy(machine->config) : NULL;
    copy->problem = machine->problem ? g_error_copy(machine->problem) : NULL;
    return copy;
}

char *oriel_library_folder(gboolean create, GError **error)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "oriel", "machines", NULL);

    if (create && g_mkdir_with_parents(folder, 0700) != 0) {
        oriel_error_set_errno(error, errno, _("The folder “%s” for machines cannot be made"),
                              folder);
        return NULL;
    }
    return g_steal_pointer(&folder);
}

static gboolean is_same_folder(const char *first, const char *second)
{
    struct stat a, b;

    return stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

gboolean oriel_library_is_own(const char *folder)
{
    g_autofree char *own = oriel_library_folder(FALSE, NULL);

    return is_same_folder(folder, own);
}

char *oriel_library_find_folder(const char *folder)
{
    g_auto(GStrv) folders = oriel_library_folders();

    for (char **known = folders; *known; known++) {
        if (is_same_folder(*known, folder)) {
            return g_strdup(*known);
        }
    }
    return NULL;
}

static char *registry_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "oriel", "folders", NULL);
}

/* The registered folders outside the library's own; NULL with *error set if there is a list that
 * cannot be read. */
static GStrv registry_read(GError **error)
{
    g_autofree char *path = registry_path();
    g_autofree char *text = NULL;
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    g_autoptr(GError) cause = NULL;

    if (g_file_get_contents(path, &text, NULL, &cause)) {
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++) {
            if (g_path_is_absolute(*line)) {
                g_strv_builder_add(folders, *line);
            }
        }
    } else if (!g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_set_error(error, ORIEL_ERROR,
                    g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_ACCES)
                        ? ORIEL_ERROR_PERMISSION
                        : ORIEL_ERROR_HOST,
                    _("The list of machines, “%s”, cannot be read: %s."), path, cause->message);
        return NULL;
    }
    return g_strv_builder_end(folders);
}

static gboolean registry_write(const char *const *folders, GError **error)
{
    g_autofree char *path = registry_path();
    g_autofree char *text = g_strjoinv("\n", (char **)folders);
    g_autoptr(GError) cause = NULL;

    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &cause)) {
        g_set_error(error, ORIEL_ERROR,
                    g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC) ? ORIEL_ERROR_NO_SPACE
                                                                             : ORIEL_ERROR_HOST,
                    _("The list of machines, “%s”, cannot be changed: %s."), path, cause->message);
        return FALSE;
    }
    return TRUE;
}

/* Writes the registry with `folder` in it or not. */
static gboolean registry_change(const char *folder, gboolean listed, GError **error)
{
    g_auto(GStrv) folders = registry_read(error);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!folders) {
        return FALSE; /* written anew, it would have lost all the others */
    }
    if (!!g_strv_contains((const char *const *)folders, folder) == listed) {
        return TRUE;
    }
    for (char **f = folders; *f; f++) {
        if (strcmp(*f, folder) != 0) {
            g_strv_builder_add(builder, *f);
        }
    }
    if (listed) {
        g_strv_builder_add(builder, folder);
    }
    g_auto(GStrv) changed = g_strv_builder_end(builder);

    return registry_write((const char *const *)changed, error);
}

/* The same, one process at a time. */
static gboolean registry_change_alone(const char *folder, gboolean listed, GError **error)
{
    g_autofree char *path = registry_path();
    g_autofree char *lock_path = g_strconcat(path, ".lock", NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    int lock;

    g_mkdir_with_parents(parent, 0700);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) {
        oriel_error_set_errno(error, errno, _("The list of machines, “%s”, cannot be changed"),
                              path);
        return FALSE;
    }
    while (flock(lock, LOCK_EX) < 0 && errno == EINTR) {
    }
    gboolean good = registry_change(folder, listed, error);

    close(lock);
    return good;
}

gboolean oriel_library_check_folder(const char *folder, GError **error)
{
    if (!g_utf8_validate(folder, -1, NULL)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("No machine can be in “%s”: the folder’s path is not UTF-8."), folder);
        return FALSE;
    }
    if (strchr(folder, '\n')) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("No machine can be in “%s”: the folder’s path has a line break."), folder);
        return FALSE;
    }
    return TRUE;
}

gboolean oriel_library_register(const char *folder, GError **error)
{
    return oriel_library_check_folder(folder, error) && registry_change_alone(folder, TRUE, error);
}

gboolean oriel_library_forget(const char *folder, GError **error)
{
    g_auto(GStrv) folders = registry_read(NULL);

    return !folders || !g_strv_contains((const char *const *)folders, folder) ||
           registry_change_alone(folder, FALSE, error);
}

char *oriel_library_clean_name(const char *wish)
{
    g_autofree char *valid = g_utf8_make_valid(wish, -1);
    GString *name = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c == '/' || g_unichar_iscntrl(c)) {
            c = ' ';
        }
        if (name->len == 0 && (c == '.' || c == ' ')) {
            continue;
        }
        /* Room for a number behind it. */
        if (name->len + 16 > CONFIG_NAME_MAX) {
            break;
        }
        g_string_append_unichar(name, c);
    }
    g_strchomp(name->str);
    return g_string_free(name, FALSE);
}

/* A folder may be called anything, also what is no text. */
static char *name_from_folder(const char *folder)
{
    g_autofree char *base = g_path_get_basename(folder);

    if (g_str_has_suffix(base, FOLDER_SUFFIX)) {
        base[strlen(base) - strlen(FOLDER_SUFFIX)] = '\0';
    }
    g_autofree char *name = oriel_library_clean_name(base);

    return *name ? g_steal_pointer(&name) : g_strdup("?");
}

OrielMachine *oriel_machine_load(const char *folder)
{
    OrielMachine *machine = g_new0(OrielMachine, 1);

    machine->folder = g_canonicalize_filename(folder, NULL);
    machine->config = oriel_config_load(machine->folder, &machine->problem);
    machine->name =
        machine->config ? g_strdup(machine->config->name) : name_from_folder(machine->folder);
    return machine;
}

static int machine_compare(gconstpointer a, gconstpointer b)
{
    const OrielMachine *first = *(OrielMachine *const *)a, *second = *(OrielMachine *const *)b;

    return g_utf8_collate(first->name, second->name);
}

char **oriel_library_folders(void)
{
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    g_autofree char *own = oriel_library_folder(FALSE, NULL);
    g_autoptr(GDir) dir = g_dir_open(own, 0, NULL);
    g_auto(GStrv) others = registry_read(NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (*name != '.' && g_str_has_suffix(name, FOLDER_SUFFIX) &&
            oriel_library_check_folder(name, NULL)) {
            g_autofree char *folder = g_build_filename(own, name, NULL);

            g_strv_builder_add(folders, folder);
        }
    }
    for (char **other = others; other && *other; other++) {
        if (oriel_library_check_folder(*other, NULL)) {
            g_strv_builder_add(folders, *other);
        }
    }
    return g_strv_builder_end(folders);
}

GPtrArray *oriel_library_list(void)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func((GDestroyNotify)oriel_machine_free);
    g_auto(GStrv) folders = oriel_library_folders();

    for (char **folder = folders; *folder; folder++) {
        g_ptr_array_add(machines, oriel_machine_load(*folder));
    }
    g_ptr_array_sort(machines, machine_compare);
    return machines;
}

static gboolean has_uuid(const OrielMachine *machine, const char *uuid)
{
    return machine->config && g_ascii_strcasecmp(machine->config->uuid, uuid) == 0;
}

OrielMachine *oriel_library_look_up(const char *name, GError **error)
{
    g_autoptr(GPtrArray) machines = NULL;
    const OrielMachine *found = NULL;

    if (strchr(name, '/')) {
        return oriel_machine_load(name);
    }
    machines = oriel_library_list();
    for (guint i = 0; i < machines->len; i++) {
        const OrielMachine *candidate = g_ptr_array_index(machines, i);

        if (strcmp(candidate->name, name) == 0) {
            found = candidate;
            break;
        }
        if (!found && has_uuid(candidate, name)) {
            found = candidate;
        }
    }
    if (found) {
        return oriel_machine_load(found->folder);
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND,
                _("There is no machine called “%s”; “orielctl list” shows those there are."), name);
    return NULL;
}

OrielMachine *oriel_library_find(const char *name, GError **error)
{
    g_autoptr(OrielMachine) machine = oriel_library_look_up(name, error);

    if (machine && machine->problem) {
        g_propagate_error(error, g_steal_pointer(&machine->problem));
        return NULL;
    }
    return g_steal_pointer(&machine);
}

static gboolean name_valid(const char *name)
{
    if (!*name || *name == '.' || *name == ' ' || strlen(name) > CONFIG_NAME_MAX ||
        !g_utf8_validate(name, -1, NULL)) {
        return FALSE;
    }
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c == '/' || g_unichar_iscntrl(c)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean oriel_library_check_name(const char *name, GError **error)
{
    g_autoptr(GPtrArray) machines = oriel_library_list();

    if (!name_valid(name)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A machine cannot be called “%s”: use 1 to %d bytes without slashes or "
                      "control characters, not starting with a dot or a blank."),
                    name, CONFIG_NAME_MAX);
        return FALSE;
    }
    for (guint i = 0; i < machines->len; i++) {
        OrielMachine *machine = g_ptr_array_index(machines, i);

        if (strcmp(machine->name, name) == 0) {
            g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_EXISTS,
                        _("There is already a machine called “%s”; choose another name."), name);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean oriel_machine_check_saved(const char *folder, const OrielConfig *config, const char *key,
                                   GError **error)
{
    if (!oriel_saved_exists(folder)) {
        return TRUE;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                _("“%s” is saved, so its “%s” cannot be changed. Start it and shut it down first, "
                  "or forget its saved state: “Start Afresh” in the window, “orielctl start "
                  "--discard-saved” in a terminal."),
                config->name, key);
    return FALSE;
}

/* The guest of a saved state must find its machine as it was. */
static gboolean saved_allows(const char *folder, const OrielConfig *old, const OrielConfig *new,
                             GError **error)
{
    g_autofree char *key = oriel_config_guest_difference(old, new);

    return !key || oriel_machine_check_saved(folder, old, key, error);
}

gboolean oriel_machine_edit(const char *folder,
                            gboolean (*change)(OrielConfig *config, gpointer data, GError **error),
                            gpointer data, GError **error)
{
    int fd = oriel_machine_lock_edit(folder, error);

    if (fd < 0) {
        return FALSE;
    }
    g_autoptr(OrielConfig) config = oriel_config_load(folder, error);
    g_autoptr(OrielConfig) old = config ? oriel_config_copy(config) : NULL;
    gboolean good = config && change(config, data, error) &&
                    saved_allows(folder, old, config, error) &&
                    oriel_config_save(config, folder, error);

    oriel_machine_unlock(fd);
    return good;
}
