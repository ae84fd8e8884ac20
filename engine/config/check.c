/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes a configuration usable beyond the limits of single settings. See config.h. */
#include "setting.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#define DISKS_FOLDER "disks/"

G_GNUC_PRINTF(2, 3)
static gboolean refuse(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, message);
    return FALSE;
}

static gboolean check_name(const char *name, GError **error)
{
    if (strchr(name, '/') != NULL || name[0] == '.') {
        return refuse(error,
                      _("“%s” cannot be a machine’s name: it must not begin with a dot or contain "
                        "a slash, because the machine’s folder is called by it."),
                      name);
    }
    if (g_ascii_isspace(name[0]) || g_ascii_isspace(name[strlen(name) - 1])) {
        return refuse(error, _("The name “%s” must not begin or end with a blank."), name);
    }
    return TRUE;
}

static gboolean check_numbers(const OrielConfig *config, GError **error)
{
    if (config->memory % (1 << 20) != 0) {
        return refuse(error, _("“memory” must be a whole number of megabytes (such as 1536M)."));
    }
    if ((config->video_memory & (config->video_memory - 1)) != 0) {
        return refuse(error, _("“video-memory” must be 8M, 16M, 32M, 64M, 128M or 256M."));
    }
    return TRUE;
}

/* No way out of the folder, and no way to the files in it that are not disks. */
static gboolean check_path_inside(const OrielDrive *drive, GError **error)
{
    g_auto(GStrv) parts = NULL;

    parts = g_strsplit(drive->path, "/", -1);
    for (char **part = parts; *part != NULL; part++) {
        if ((*part)[0] == '\0' || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0) {
            return refuse(error,
                          _("The image of “%s” is “%s”, which leads out of the machine’s folder or "
                            "is not a file."),
                          drive->id, drive->path);
        }
    }
    return TRUE;
}

static gboolean check_disk_path(const OrielDrive *drive, GError **error)
{
    if (drive->path == NULL) {
        return refuse(error, _("The disk “%s” has no image: “%s.path” is empty."), drive->id,
                      drive->id);
    }
    if (!g_str_has_prefix(drive->path, DISKS_FOLDER)) {
        return refuse(
            error,
            _("The image of “%s” is “%s”, but a machine’s disks are in its own folder, under %s."),
            drive->id, drive->path, DISKS_FOLDER);
    }
    return check_path_inside(drive, error);
}

/* An image that came with the machine lies in its folder, others are the user's. */
static gboolean check_cd_path(const OrielDrive *drive, GError **error)
{
    if (drive->path == NULL || drive->path[0] == '/') {
        return TRUE;
    }
    if (!g_str_has_prefix(drive->path, DISKS_FOLDER)) {
        return refuse(error,
                      _("“%s.path” must be an absolute path, or one of the machine’s own folder "
                        "under %s, not “%s”."),
                      drive->id, DISKS_FOLDER, drive->path);
    }
    return check_path_inside(drive, error);
}

static gboolean check_id(const char *id, GError **error)
{
    gboolean good = g_ascii_islower(id[0]);

    for (const char *p = id; *p != '\0'; p++) {
        good = good && (g_ascii_islower(*p) || g_ascii_isdigit(*p) || *p == '-');
    }
    return good || refuse(error,
                          _("“%s” cannot be a drive’s id: use small letters, digits and hyphens, a "
                            "letter first."),
                          id);
}

static gboolean check_drive(const OrielConfig *config, guint index, GError **error)
{
    const OrielDrive *drive = config->drives->pdata[index];

    for (const struct setting *setting = drive_settings; setting->key != NULL; setting++) {
        if (!setting_check(setting, drive, error)) {
            g_prefix_error(error, _("drive %u: "), index + 1);
            return FALSE;
        }
    }
    if (!check_id(drive->id, error)) {
        return FALSE;
    }
    if (drive->kind == ORIEL_DRIVE_DISK) {
        if (!check_disk_path(drive, error)) {
            return FALSE;
        }
    } else if (drive->controller != ORIEL_CONTROLLER_AHCI) {
        return refuse(error, _("“%s.controller” must be ahci: the others have disks only."),
                      drive->id);
    } else if (drive->cache != ORIEL_CACHE_WRITEBACK) {
        return refuse(error, _("“%s.cache” must be writeback: only disks have direct I/O."),
                      drive->id);
    } else if (!drive->read_only) {
        return refuse(error, _("“%s.read-only” must be true: a CD cannot be written."), drive->id);
    } else if (!check_cd_path(drive, error)) {
        return FALSE;
    }
    for (guint i = 0; i < index; i++) {
        const OrielDrive *other = config->drives->pdata[i];

        if (strcmp(other->id, drive->id) == 0) {
            return refuse(error, _("Two drives are called “%s”."), drive->id);
        }
        if (drive->kind == ORIEL_DRIVE_DISK && g_strcmp0(other->path, drive->path) == 0) {
            return refuse(error, _("“%s” and “%s” are the same image, “%s”."), other->id, drive->id,
                          drive->path);
        }
    }
    return TRUE;
}

static gboolean check_boot(const OrielConfig *config, GError **error)
{
    g_auto(GStrv) order = NULL;

    if (config->kernel == NULL && (config->initrd != NULL || config->append != NULL)) {
        return refuse(error, _("“%s” needs “kernel” as well."),
                      config->initrd != NULL ? "initrd" : "append");
    }
    if (config->boot_order == NULL) {
        return TRUE;
    }
    order = g_strsplit(config->boot_order, ",", -1);
    for (guint i = 0; order[i] != NULL; i++) {
        if (oriel_config_find_drive(config, order[i]) == NULL) {
            return refuse(error,
                          _("“boot-order” names “%s”, but the machine has no such drive. Write the "
                            "drives’ ids with commas between them, such as cdrom0,disk0."),
                          order[i]);
        }
        for (guint j = 0; j < i; j++) {
            if (strcmp(order[i], order[j]) == 0) {
                return refuse(error, _("“boot-order” names “%s” twice."), order[i]);
            }
        }
    }
    return TRUE;
}

static gboolean listen_is_valid(const char *text)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *host = NULL;
    g_autoptr(GInetAddress) address = NULL;
    guint64 port;
    size_t length;

    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL)) {
        return FALSE;
    }
    host = g_strndup(text, (gsize)(colon - text));
    length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        address = g_inet_address_new_from_string(host + 1);
        return address != NULL && g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
    }
    address = g_inet_address_new_from_string(host);
    return strcmp(host, "localhost") == 0 ||
           (address != NULL && g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4);
}

static gboolean check_vnc(const OrielConfig *config, GError **error)
{
    if (config->vnc_listen == NULL) {
        return TRUE;
    }
    if (!listen_is_valid(config->vnc_listen)) {
        return refuse(error,
                      _("“vnc.listen” must be an address and a port, such as 127.0.0.1:5900 or "
                        "[::1]:5900, not “%s”."),
                      config->vnc_listen);
    }
    if (config->vnc_password == NULL) {
        return refuse(error,
                      _("“vnc.listen” needs “vnc.password” as well: otherwise anybody who reaches "
                        "%s could use the machine."),
                      config->vnc_listen);
    }
    return TRUE;
}

static gboolean check_port(const OrielConfig *config, const char *id, guint port, guint *taken,
                           GError **error)
{
    if (port == 0) {
        return TRUE;
    }
    if (!config->hotplug) {
        return refuse(error,
                      _("“%s.port” is %u, but the machine has no slots: “hotplug” is false."), id,
                      port);
    }
    if (*taken & 1u << port) {
        return refuse(error, _("“%s.port” is %u, and something else is in that slot already."), id,
                      port);
    }
    *taken |= 1u << port;
    return TRUE;
}

static gboolean check_ports(const OrielConfig *config, GError **error)
{
    guint taken = 0;

    for (guint i = 0; i < config->drives->len; i++) {
        const OrielDrive *drive = config->drives->pdata[i];

        if (drive->port > 0 && drive->controller == ORIEL_CONTROLLER_AHCI) {
            return refuse(error,
                          _("“%s.port” must be 0: a drive of the SATA controller cannot be in a "
                            "slot. Choose another “%s.controller”."),
                          drive->id, drive->id);
        }
        if (!check_port(config, drive->id, drive->port, &taken, error)) {
            return FALSE;
        }
    }
    for (guint i = 0; i < config->networks->len; i++) {
        const OrielNetwork *network = config->networks->pdata[i];

        if (!check_port(config, network->id, network->port, &taken, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

gboolean oriel_config_check(const OrielConfig *config, GError **error)
{
    for (const struct setting *setting = config_settings; setting->key != NULL; setting++) {
        if (!setting_check(setting, config, error)) {
            return FALSE;
        }
    }
    if (config->drives->len > CONFIG_DRIVES_MAX) {
        return refuse(error, _("A machine has at most %d drives."), CONFIG_DRIVES_MAX);
    }
    for (guint i = 0; i < config->drives->len; i++) {
        if (!check_drive(config, i, error)) {
            return FALSE;
        }
    }
    return check_name(config->name, error) && check_numbers(config, error) &&
           check_boot(config, error) && check_vnc(config, error) && networks_check(config, error) &&
           check_ports(config, error);
}
