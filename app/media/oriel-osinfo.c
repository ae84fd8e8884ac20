/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module: see oriel-osinfo.h. */
#include "oriel-osinfo.h"

#include <gmodule.h>
#include <osinfo/osinfo.h>
#include <string.h>

static GMutex osinfo_lock;

/* The database, or NULL if none is installed. Under the lock. */
static OsinfoDb *database(void)
{
    static OsinfoLoader *loader;

    if (!loader) {
        g_autoptr(GError) error = NULL;

        loader = osinfo_loader_new();
        osinfo_loader_process_default_path(loader, &error);
        if (error) {
            g_debug("osinfo-db: %s", error->message);
        }
    }
    return osinfo_loader_get_db(loader);
}

static const char *family_of(OsinfoOs *os)
{
    const char *family = osinfo_os_get_family(os);

    if (!family) {
        return "other";
    }
    if (g_str_has_prefix(family, "win")) {
        return "windows";
    }
    if (strstr(family, "bsd")) {
        return "bsd";
    }
    return strcmp(family, "linux") == 0 ? "linux" : "other";
}

static gboolean is_for_pc(const char *architecture)
{
    return !architecture || strcmp(architecture, "x86_64") == 0 ||
           strcmp(architecture, "i686") == 0 || strcmp(architecture, "i386") == 0 ||
           strcmp(architecture, "all") == 0;
}

/* What the 64-bit release needs; the first that fits a PC otherwise. */
static void resources_take(OsinfoResourcesList *list, guint64 *memory, guint64 *disk, guint *cpus)
{
    OsinfoResources *chosen = NULL;

    for (int i = 0; i < osinfo_list_get_length(OSINFO_LIST(list)); i++) {
        OsinfoResources *each = OSINFO_RESOURCES(osinfo_list_get_nth(OSINFO_LIST(list), i));
        const char *architecture = osinfo_resources_get_architecture(each);

        if (is_for_pc(architecture) && (!chosen || g_strcmp0(architecture, "x86_64") == 0)) {
            chosen = each;
        }
    }
    if (chosen) {
        *memory = (guint64)MAX(osinfo_resources_get_ram(chosen), 0);
        *disk = (guint64)MAX(osinfo_resources_get_storage(chosen), 0);
        *cpus = (guint)MAX(osinfo_resources_get_n_cpus(chosen), 0);
    }
}

/* True if the system says it does not start from a BIOS. */
static gboolean wants_uefi(OsinfoOs *os)
{
    g_autoptr(OsinfoFirmwareList) list = osinfo_os_get_complete_firmware_list(os, NULL);
    gboolean uefi = FALSE, bios = TRUE;

    for (int i = 0; i < osinfo_list_get_length(OSINFO_LIST(list)); i++) {
        OsinfoFirmware *firmware = OSINFO_FIRMWARE(osinfo_list_get_nth(OSINFO_LIST(list), i));
        const char *type = osinfo_firmware_get_firmware_type(firmware);

        if (is_for_pc(osinfo_firmware_get_architecture(firmware)) && type) {
            uefi |= strcmp(type, "efi") == 0 && osinfo_firmware_is_supported(firmware);
            bios &= strcmp(type, "bios") != 0 || osinfo_firmware_is_supported(firmware);
        }
    }
    return uefi && !bios;
}

/* True if the system itself brings a driver for the PCI device that a list of ids names so or so.
 */
static gboolean knows_device(OsinfoOs *os, const char *const *ids)
{
    g_autoptr(OsinfoDeviceList) list = osinfo_os_get_all_devices(os, NULL);

    for (int i = 0; i < osinfo_list_get_length(OSINFO_LIST(list)); i++) {
        OsinfoEntity *device = osinfo_list_get_nth(OSINFO_LIST(list), i);

        for (gsize n = 0; ids[n]; n++) {
            if (g_str_has_suffix(osinfo_entity_get_id(device), ids[n])) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

/* A system by its short id; borrowed. Under the lock. */
static OsinfoOs *os_find(const char *id)
{
    static GHashTable *systems; /* short id -> OsinfoOs */

    if (!systems) {
        g_autoptr(OsinfoOsList) list = osinfo_db_get_os_list(database());

        systems = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
        for (int i = 0; i < osinfo_list_get_length(OSINFO_LIST(list)); i++) {
            OsinfoEntity *os = osinfo_list_get_nth(OSINFO_LIST(list), i);
            const char *short_id = osinfo_product_get_short_id(OSINFO_PRODUCT(os));

            if (short_id && !g_hash_table_contains(systems, short_id)) {
                g_hash_table_insert(systems, g_strdup(short_id), g_object_ref(os));
            }
        }
    }
    return g_hash_table_lookup(systems, id);
}

static OrielSystem *system_find(const char *id)
{
    static const char *const virtio_disks[] = { "/1af4/1001", "/1af4/1042", "/1af4-1001",
                                                "/1af4-1042", NULL };
    static const char *const virtio_displays[] = { "/1af4/1050", "/1af4-1050", NULL };
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&osinfo_lock);
    OsinfoOs *os = os_find(id);
    OrielSystem *system;

    if (!os) {
        return NULL;
    }
    g_autoptr(OsinfoResourcesList) minimum = osinfo_os_get_minimum_resources(os);
    g_autoptr(OsinfoResourcesList) recommended = osinfo_os_get_recommended_resources(os);
    const char *name = osinfo_product_get_name(OSINFO_PRODUCT(os));

    system = g_new0(OrielSystem, 1);
    system->id = g_strdup(id);
    system->name = g_strdup(name ? name : id);
    system->family = g_strdup(family_of(os));
    resources_take(minimum, &system->memory_minimum, &system->disk_minimum, &system->cpus_minimum);
    resources_take(recommended, &system->memory_recommended, &system->disk_recommended,
                   &system->cpus_recommended);
    system->uefi = wants_uefi(os);
    system->virtio = knows_device(os, virtio_disks);
    system->virtio_display = knows_device(os, virtio_displays);
    system->clock_local = strcmp(system->family, "windows") == 0;
    return system;
}

/* Systems that run on a PC: those with media, images or resources for one. */
static gboolean runs_on_pc(OsinfoOs *os)
{
    const char *family = osinfo_os_get_family(os);
    g_autoptr(OsinfoResourcesList) resources = osinfo_os_get_minimum_resources(os);
    int n = osinfo_list_get_length(OSINFO_LIST(resources));
    gboolean pc = n == 0;

    for (int i = 0; i < n && !pc; i++) {
        pc = is_for_pc(osinfo_resources_get_architecture(
            OSINFO_RESOURCES(osinfo_list_get_nth(OSINFO_LIST(resources), i))));
    }
    return pc && g_strcmp0(family, "darwin") != 0;
}

static char **system_ids(void)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&osinfo_lock);
    g_autoptr(OsinfoOsList) list = osinfo_db_get_os_list(database());
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();

    for (int i = 0; i < osinfo_list_get_length(OSINFO_LIST(list)); i++) {
        OsinfoOs *os = OSINFO_OS(osinfo_list_get_nth(OSINFO_LIST(list), i));
        const char *id = osinfo_product_get_short_id(OSINFO_PRODUCT(os));

        if (id && runs_on_pc(os)) {
            g_strv_builder_add(ids, id);
        }
    }
    return g_strv_builder_end(ids);
}

static gboolean media_identify(OrielMedia *media, GCancellable *cancellable)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&osinfo_lock);
    g_autofree char *uri = g_filename_to_uri(media->path, NULL, NULL);
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(OsinfoMedia) found = NULL;
    OsinfoOs *os;
    const char *id;

    if (!uri) {
        return FALSE;
    }
    /* libosinfo runs the thread's main context until it is done: not the one of the window. */
    g_main_context_push_thread_default(context);
    found = osinfo_media_create_from_location_with_flags(uri, cancellable, 0, NULL);
    g_main_context_pop_thread_default(context);
    if (!found || !osinfo_db_identify_media(database(), found)) {
        return FALSE;
    }
    g_object_get(found, "os", &os, NULL);
    id = os ? osinfo_product_get_short_id(OSINFO_PRODUCT(os)) : NULL;
    media->system = g_strdup(id);
    media->live = osinfo_media_get_live(found) && !osinfo_media_get_installer(found);
    g_clear_object(&os);
    return media->system != NULL;
}

G_MODULE_EXPORT const struct osinfo_functions osinfo_functions = {
    .system_find = system_find,
    .system_ids = system_ids,
    .media_identify = media_identify,
};
