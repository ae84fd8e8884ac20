/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The envelope: references, disks, licences, and one after the other the systems. */
#include "oriel-ovf.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "config/config.h"
#include "oriel-ovf-private.h"

enum {
    SYSTEMS_MAX = 64,
    LIST_MAX = 4096, /* files, disks */
    EULAS_MAX = 64,
};

#define CAPACITY_MAX (UINT64_C(1) << 56)

/* --- References, disks ------------------------------------------------------------------------ */

static gboolean invalid(struct ovf *ovf, GError **error, const char *problem)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The appliance “%s” cannot be used: %s."), ovf->name, problem);
    return FALSE;
}

static gboolean file_read(struct ovf *ovf, xmlNode *node, GError **error)
{
    g_autofree char *id = ovf_attribute(node, "id");
    g_autofree char *href = ovf_attribute(node, "href");
    g_autofree char *size = ovf_attribute(node, "size");
    g_autofree char *chunk = ovf_attribute(node, "chunkSize");
    g_autofree char *compression = ovf_attribute(node, "compression");
    OrielOvfFile *file;

    if (!id || !href) {
        ovf_note(ovf->appliance, _("A file without an id or a name is left out."));
        return TRUE;
    }
    if (oriel_appliance_file(ovf->appliance, id)) {
        ovf_note(ovf->appliance, _("The file id “%s” is there twice; the first one is used."), id);
        return TRUE;
    }
    if (ovf->appliance->files->len >= LIST_MAX) {
        return invalid(ovf, error, _("it has too many files"));
    }
    file = g_new0(OrielOvfFile, 1);
    g_ptr_array_add(ovf->appliance->files, file);
    file->id = g_steal_pointer(&id);
    file->href = g_uri_unescape_string(href, "/");
    if (!file->href) { /* a per cent sign that means itself */
        file->href = g_steal_pointer(&href);
    }
    ovf_number(size, CAPACITY_MAX, &file->size);
    if (chunk && (!ovf_number(chunk, CAPACITY_MAX, &file->chunk_size) || !file->chunk_size)) {
        return invalid(ovf, error, _("a file has a chunk size that is not a size"));
    }
    file->gzip = compression && g_ascii_strcasecmp(compression, "gzip") == 0;
    if (compression && !file->gzip && g_ascii_strcasecmp(compression, "identity") != 0) {
        return invalid(ovf, error,
                       _("a file in it is compressed in a way that Oriel does not know"));
    }
    return TRUE;
}

/* What the format's address means, if it is one of those in use. */
static const char *format_of(const char *uri)
{
    static const struct {
        const char *part, *format;
    } formats[] = {
        { "vmdk", "vmdk" },    { "bb676673", "vhd" }, { "vhdx", "vhdx" }, { "qcow", "qcow2" },
        { "ecma-119", "iso" }, { "vdi", "vdi" },      { "vhd", "vhd" },
    };
    g_autofree char *lower = uri ? g_ascii_strdown(uri, -1) : NULL;

    for (gsize i = 0; lower && i < G_N_ELEMENTS(formats); i++) {
        if (strstr(lower, formats[i].part)) {
            return formats[i].format;
        }
    }
    return NULL;
}

static guint64 capacity_of(struct ovf *ovf, xmlNode *node, const char *id)
{
    g_autofree char *capacity = ovf_attribute(node, "capacity");
    g_autofree char *units = ovf_attribute(node, "capacityAllocationUnits");
    guint64 unit = ovf_unit(units), number;

    if (!capacity) {
        return 0;
    }
    if (!unit || !ovf_number(capacity, CAPACITY_MAX / unit, &number)) {
        ovf_note(
            ovf->appliance,
            _("The size of the disk “%s” is not understood (“%.40s”); that of its image counts."),
            id, capacity);
        return 0;
    }
    return number * unit;
}

static gboolean disk_read(struct ovf *ovf, xmlNode *node, GError **error)
{
    g_autofree char *id = ovf_attribute(node, "diskId");
    g_autofree char *parent = ovf_attribute(node, "parentRef");
    g_autofree char *format = ovf_attribute(node, "format");
    OrielOvfDisk *disk;

    if (!id || oriel_appliance_disk(ovf->appliance, id)) {
        ovf_note(ovf->appliance, _("A disk without an id of its own is left out."));
        return TRUE;
    }
    if (parent) {
        return invalid(ovf, error,
                       _("a disk in it is only a difference to another one. Consolidate the "
                         "snapshots where it was made, and export it again"));
    }
    if (ovf->appliance->disks->len >= LIST_MAX) {
        return invalid(ovf, error, _("it has too many disks"));
    }
    disk = g_new0(OrielOvfDisk, 1);
    g_ptr_array_add(ovf->appliance->disks, disk);
    disk->capacity = capacity_of(ovf, node, id);
    disk->id = g_steal_pointer(&id);
    disk->file = ovf_attribute(node, "fileRef");
    disk->format = g_strdup(format_of(format));
    disk->interface = ovf_attribute(node, "disk-interface");
    return TRUE;
}

/* --- Systems ---------------------------------------------------------------------------------- */

/* The text of an element, or, if it is empty, the message that it names. */
static char *message(struct ovf *ovf, const xmlNode *node)
{
    g_autofree char *text = ovf_text(node);
    g_autofree char *id = ovf_attribute(node, "msgid");

    if (text || !id) {
        return g_steal_pointer(&text);
    }
    return ovf_text(g_hash_table_lookup(ovf->messages, id));
}

static char *product_of(struct ovf *ovf, xmlNode *section)
{
    g_autofree char *product = message(ovf, ovf_child(section, "Product"));
    g_autofree char *vendor = message(ovf, ovf_child(section, "Vendor"));
    g_autofree char *full = ovf_child_text(section, "FullVersion");
    g_autofree char *version = full ? g_strdup(full) : ovf_child_text(section, "Version");

    g_autofree char *name = version ? g_strjoin(" ", product, version, NULL) : g_strdup(product);

    /* Translators: a product with its version, and who made it. */
    return product && vendor ? g_strdup_printf(C_("product", "%s of %s"), name, vendor)
           : product         ? g_steal_pointer(&name)
                             : NULL;
}

/* In 0.9 a section's name is that of its type. */
static gboolean section_is(const xmlNode *node, const char *name)
{
    g_autofree char *type = ovf_is(node, "Section") ? ovf_attribute(node, "type") : NULL;
    const char *colon = type ? strrchr(type, ':') : NULL;
    const char *bare = colon ? colon + 1 : type;

    return ovf_is(node, name) || (bare && g_str_has_prefix(bare, name));
}

static void section_read(struct ovf *ovf, OrielOvfMachine *system, xmlNode *node)
{
    if (section_is(node, "OperatingSystemSection")) {
        ovf_os_read(system, node);
    } else if (section_is(node, "AnnotationSection") && !system->annotation) {
        system->annotation = message(ovf, ovf_child(node, "Annotation"));
    } else if (section_is(node, "ProductSection") && !system->product) {
        system->product = product_of(ovf, node);
        if (ovf_child(node, "Property")) {
            ovf_note(ovf->appliance,
                     _("Its properties are not given to the guest; set them up inside it."));
        }
    } else if (section_is(node, "EulaSection")) {
        g_autofree char *licence = message(ovf, ovf_child(node, "License"));

        if (licence && ovf->appliance->eulas->len <= EULAS_MAX &&
            !g_ptr_array_find_with_equal_func(ovf->appliance->eulas, licence, g_str_equal, NULL)) {
            g_ptr_array_add(ovf->appliance->eulas, g_steal_pointer(&licence));
        }
    } else if (section_is(node, "InstallSection")) {
        ovf_note(ovf->appliance, _("It wants to be started once to install itself; start it."));
    }
}

static char *name_of(struct ovf *ovf, xmlNode *node)
{
    g_autofree char *name = message(ovf, ovf_child(node, "Name"));
    g_autofree char *id = ovf_attribute(node, "id");

    return name ? g_steal_pointer(&name) : id ? g_steal_pointer(&id) : g_strdup("Appliance");
}

static gboolean system_read(struct ovf *ovf, xmlNode *node, GError **error)
{
    OrielOvfMachine *system;
    xmlNode *hardware = NULL;

    if (ovf->appliance->systems->len >= SYSTEMS_MAX) {
        return invalid(ovf, error, _("it has too many machines"));
    }
    system = oriel_ovf_machine_new();
    g_ptr_array_add(ovf->appliance->systems, system);
    system->name = name_of(ovf, node);
    for (xmlNode *child = node->children; child; child = child->next) {
        if (section_is(child, "VirtualHardwareSection") && !hardware) {
            hardware = child;
        } else if (child->type == XML_ELEMENT_NODE) {
            section_read(ovf, system, child);
        }
    }
    if (hardware && !ovf_hardware_read(ovf, system, hardware, error)) {
        return FALSE;
    }
    ovf_vendor_read(ovf, system, node, hardware);
    return TRUE;
}

static gboolean is_system(const xmlNode *node)
{
    g_autofree char *type = ovf_is(node, "Content") ? ovf_attribute(node, "type") : NULL;

    return ovf_is(node, "VirtualSystem") || (type && g_str_has_suffix(type, "VirtualSystem_Type"));
}

/* The envelope or a collection. */
static gboolean systems_read(struct ovf *ovf, xmlNode *parent, GError **error)
{
    for (xmlNode *node = parent->children; node; node = node->next) {
        gboolean good = is_system(node) ? system_read(ovf, node, error)
                        : ovf_is(node, "VirtualSystemCollection") || ovf_is(node, "Content")
                            ? systems_read(ovf, node, error)
                            : TRUE;

        if (!good) {
            return FALSE;
        }
        if (section_is(node, "EulaSection")) { /* of all systems */
            OrielOvfMachine nobody = { 0 };

            section_read(ovf, &nobody, node);
        }
    }
    return TRUE;
}

/* --- Envelope --------------------------------------------------------------------------------- */

static void version_read(struct ovf *ovf)
{
    const char *uri = ovf->envelope->ns ? (const char *)ovf->envelope->ns->href : "";
    g_autofree char *version = ovf_attribute(ovf->envelope, "version");

    ovf->appliance->version = version                                ? g_steal_pointer(&version)
                              : strstr(uri, "vmware.com/schema")     ? g_strdup("0.9")
                              : g_str_has_suffix(uri, "/envelope/2") ? g_strdup("2.0")
                                                                     : g_strdup("1.0");
}

/* Those that come first count. */
static void messages_read(struct ovf *ovf)
{
    for (xmlNode *strings = ovf_child(ovf->envelope, "Strings"); strings;
         strings = ovf_next(strings->next, "Strings")) {
        for (xmlNode *entry = ovf_child(strings, "Msg"); entry;
             entry = ovf_next(entry->next, "Msg")) {
            g_autofree char *id = ovf_attribute(entry, "msgid");

            if (id && !g_hash_table_contains(ovf->messages, id)) {
                g_hash_table_insert(ovf->messages, g_steal_pointer(&id), entry);
            }
        }
    }
}

/* The configuration whose items count. */
static void configuration_read(struct ovf *ovf)
{
    xmlNode *section = ovf_child(ovf->envelope, "DeploymentOptionSection");
    xmlNode *first = ovf_child(section, "Configuration"), *chosen = first;

    for (xmlNode *node = first; node; node = ovf_next(node->next, "Configuration")) {
        g_autofree char *is_default = ovf_attribute(node, "default");

        if (ovf_yes(is_default)) {
            chosen = node;
            break;
        }
    }
    ovf->configuration = ovf_attribute(chosen, "id");
    if (first && first != chosen) {
        ovf_note(ovf->appliance, _("Of its configurations “%s” is used."),
                 ovf->configuration ? ovf->configuration : "");
    }
}

static gboolean lists_read(struct ovf *ovf, GError **error)
{
    for (xmlNode *node = ovf->envelope->children; node; node = node->next) {
        gboolean files = ovf_is(node, "References");
        gboolean disks = section_is(node, "DiskSection");

        for (xmlNode *child = files || disks ? node->children : NULL; child; child = child->next) {
            if ((files && ovf_is(child, "File") && !file_read(ovf, child, error)) ||
                (disks && ovf_is(child, "Disk") && !disk_read(ovf, child, error))) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean envelope_read(struct ovf *ovf, GError **error)
{
    if (!ovf_is(ovf->envelope, "Envelope")) {
        return invalid(ovf, error, _("its description is not an OVF envelope"));
    }
    version_read(ovf);
    messages_read(ovf);
    configuration_read(ovf);
    if (!lists_read(ovf, error) || !systems_read(ovf, ovf->envelope, error)) {
        return FALSE;
    }
    if (ovf->appliance->systems->len == 0) {
        return invalid(ovf, error, _("it describes no machine"));
    }
    if (ovf->appliance->eulas->len > EULAS_MAX) {
        return invalid(ovf, error, _("it has too many licences"));
    }
    return TRUE;
}

OrielAppliance *oriel_ovf_parse(const char *data, gsize length, const char *name, GError **error)
{
    xmlDoc *document = ovf_xml_read(data, length, name, error);
    struct ovf ovf = { .name = name };

    if (!document) {
        return NULL;
    }
    ovf.appliance = oriel_appliance_new();
    ovf.appliance->format = "OVF";
    ovf.envelope = xmlDocGetRootElement(document);
    ovf.messages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!envelope_read(&ovf, error)) {
        g_clear_pointer(&ovf.appliance, oriel_appliance_free);
    }
    g_hash_table_unref(ovf.messages);
    g_free(ovf.configuration);
    xmlFreeDoc(document);
    return ovf.appliance;
}
