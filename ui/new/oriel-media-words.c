/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-media-words.h. */
#include "new/oriel-media-words.h"

#include <glib/gi18n.h>
#include <string.h>

char *media_problem(const OrielMedia *media)
{
    g_autofree char *base = g_filename_display_basename(media->path);

    switch (media->kind) {
    case ORIEL_MEDIA_ISO:
    case ORIEL_MEDIA_KERNEL:
    case ORIEL_MEDIA_MACHINE:
    case ORIEL_MEDIA_OVA:
    case ORIEL_MEDIA_OVF:
    case ORIEL_MEDIA_ARCHIVE:
        return NULL;
    case ORIEL_MEDIA_DISK:
        if (oriel_disk_format_runs(media->format)) {
            return NULL;
        }
        return g_strdup_printf(
            _("“%s” is a disk image of the format %s, which Oriel does not read yet. Convert it to "
              "qcow2, with “qemu-img convert” for example."),
            base, media->format);
    case ORIEL_MEDIA_UNKNOWN:
    default:
        return g_strdup_printf(_("“%s” is not a CD image, disk image or machine. If it was "
                                 "downloaded, the download may not be complete."),
                               base);
    }
}

gboolean media_is_appliance(const OrielMedia *media)
{
    return media && (media->kind == ORIEL_MEDIA_OVA || media->kind == ORIEL_MEDIA_OVF ||
                     media->kind == ORIEL_MEDIA_ARCHIVE);
}

const char *media_title(const OrielMedia *media)
{
    if (media->kind == ORIEL_MEDIA_DISK) {
        return _("Disk image");
    }
    if (media->kind == ORIEL_MEDIA_KERNEL) {
        return _("Linux kernel");
    }
    if (!media->bootable) {
        return _("CD that is not bootable");
    }
    return media->live ? _("Live CD") : _("Installer or live CD");
}

char *media_machine_name(const OrielMedia *media, const char *system)
{
    g_autofree char *name = NULL;
    char *dot;

    if (media->system) {
        return g_strdup(system);
    }
    name = g_filename_display_basename(media->path);
    dot = strrchr(name, '.');
    if (dot && dot != name) {
        *dot = '\0';
    }
    return g_steal_pointer(&name);
}
