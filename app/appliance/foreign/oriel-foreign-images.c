/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Machines of which only the disks are known: one loose image, the box of a provider that describes
 * nothing, an export of Hyper-V, whose .vmcx cannot be read. Firmware and system are told by what
 * is on the first disk.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"
#include "appliance/import/oriel-import-private.h"

/* Whether another image is a difference to this one: then the machine uses that. */
static gboolean is_parent(const char *name, const GPtrArray *parents)
{
    g_autofree char *base = g_path_get_basename(name);

    for (guint i = 0; i < parents->len; i++) {
        if (g_ascii_strcasecmp(base, parents->pdata[i]) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static void disks_add(OrielImport *import, struct foreign *foreign, const GPtrArray *images)
{
    g_autoptr(GPtrArray) parents = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; images->len > 1 && i < images->len; i++) {
        const OrielOvfFile file = { .href = images->pdata[i] };
        char *parent = import_image_parent(import, &file, NULL);

        if (parent) {
            g_ptr_array_add(parents, parent);
        }
    }
    for (guint i = 0; i < images->len; i++) {
        if (!is_parent(images->pdata[i], parents)) {
            foreign_add_disk(foreign, ORIEL_OVF_BUS_NONE, images->pdata[i]);
        }
    }
    if (parents->len > 0) {
        ovf_note(foreign->appliance, _("Its snapshots are left out; it gets what it has now."));
    }
}

/* What is on the first disk; and images of QEMU's own formats come from machines with virtio. */
static gboolean disk_look(OrielImport *import, struct foreign *foreign, GError **error)
{
    const OrielAppliance *appliance = foreign->appliance;
    OrielOvfMachine *machine = foreign->machine;
    const struct import_drive drive = { .file = appliance->files->pdata[0] };
    struct image *image = import_image_open(import, &drive, NULL, NULL, error);
    const char *system;
    gboolean virtio;

    if (!image) {
        return FALSE;
    }
    system = import_image_system(image);
    virtio = image->class->format == IMAGE_QCOW2 || image->class->format == IMAGE_RAW;
    image_free(image);
    if (!machine->os) {
        foreign_set(&machine->os, system);
    }
    if (!machine->os || !g_str_has_prefix(machine->os, "win")) {
        for (guint i = 0; virtio && i < machine->drives->len; i++) {
            ((OrielOvfDrive *)machine->drives->pdata[i])->bus = ORIEL_OVF_BUS_VIRTIO;
        }
    }
    return TRUE;
}

/* "debian-12.img.xz": without what says how it is packed. */
static char *name_make(const char *title)
{
    static const char *const ends[] = {
        ".xz",  ".gz",    ".zst", ".bz2",  ".zip", ".tar", ".box",
        ".img", ".qcow2", ".raw", ".vmdk", ".vdi", ".vhd", ".vhdx"
    };
    g_autofree char *name = g_utf8_make_valid(title, -1);

    for (guint pass = 0; pass < 3; pass++) {
        for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
            gsize n = strlen(name), m = strlen(ends[i]);

            if (n > m && g_ascii_strcasecmp(name + n - m, ends[i]) == 0) {
                name[n - m] = '\0';
            }
        }
    }
    return g_steal_pointer(&name);
}

OrielAppliance *import_images_describe(OrielImport *import, GError **error)
{
    const GPtrArray *images = oriel_appliance_source_images(import->source);
    const char *title = oriel_appliance_source_name(import->source);
    struct foreign foreign = { .name = title };

    foreign.appliance = oriel_appliance_new();
    foreign.appliance->format = _("disk image");
    foreign.machine = oriel_ovf_machine_new();
    g_ptr_array_add(foreign.appliance->systems, foreign.machine);
    foreign.machine->name = name_make(title);
    foreign_set_os(foreign.machine, foreign.machine->name);
    g_clear_pointer(&foreign.machine->os_text, g_free);
    disks_add(import, &foreign, images);
    foreign_add_card(&foreign, NULL, NULL, NULL, TRUE);
    ovf_note(foreign.appliance, _("There is no description that could be read: processors, memory, "
                                  "system and firmware are guessed."));
    if (foreign.appliance->files->len == 0) {
        foreign_invalid(&foreign, error, _("its disks build on each other in a circle"));
    }
    import->appliance = foreign.appliance; /* which opening the disks looks into */
    if (foreign.appliance->files->len == 0 || !disk_look(import, &foreign, error)) {
        import->appliance = NULL;
        oriel_appliance_free(foreign.appliance);
        return NULL;
    }
    return foreign.appliance;
}
