/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hyper-V's description of a machine in XML, as Windows Server 2008 to 2012 R2 wrote it. Later ones
 * are binary (.vmcx) and not documented.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "oriel-foreign-private.h"

static guint64 number_of(const xmlNode *node, guint64 maximum)
{
    g_autofree char *text = ovf_text(node);
    guint64 number;

    ovf_number(text, maximum, &number);
    return number;
}

/* Each pathname stands in a place of a controller: <controller0><drive0><pathname>. */
static void drives_read(struct foreign *foreign, const xmlNode *node, guint *n)
{
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE) {
            continue;
        }
        if (!g_str_has_prefix((const char *)child->name, "drive")) {
            drives_read(foreign, child, n);
            continue;
        }
        g_autofree char *path = ovf_child_text(child, "pathname");
        g_autofree char *type = ovf_child_text(child, "type");

        if (!type || ++*n > ORIEL_OVF_ITEMS_MAX) {
            continue;
        }
        if (g_ascii_strcasecmp(type, "VHD") == 0 && path) {
            foreign_add_disk(foreign, ORIEL_OVF_BUS_NONE, path);
        } else if (g_ascii_strcasecmp(type, "ISO") == 0) {
            foreign_add_cdrom(foreign, path);
        } else if (g_ascii_strcasecmp(type, "NONE") != 0) {
            ovf_note(foreign->appliance,
                     _("A drive that is one of its computer’s own is left out."));
        }
    }
}

static void cards_read(struct foreign *foreign, const xmlNode *node)
{
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE) {
            continue;
        }
        g_autofree char *mac = ovf_child_text(child, "MACAddress");

        if (mac) {
            foreign_add_card(foreign, "synthetic", mac, NULL, TRUE);
        } else {
            cards_read(foreign, child);
        }
    }
}

gboolean foreign_read_hyper_v(struct foreign *foreign, const char *text, gsize length,
                              GError **error)
{
    xmlDoc *document = ovf_xml_read(text, length, foreign->name, error);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *properties = ovf_child(root, "properties"), *settings = ovf_child(root, "settings");
    OrielOvfMachine *machine = foreign->machine;
    g_autofree char *name = ovf_child_text(properties, "name");
    g_autofree char *subtype = ovf_child_text(properties, "subtype");
    guint n = 0;

    if (!properties || !settings) {
        if (document) {
            foreign_invalid(foreign, error, _("it describes no machine of Hyper-V"));
        }
        xmlFreeDoc(document);
        return FALSE;
    }
    foreign_set(&machine->name, name);
    machine->cpus = (guint)number_of(ovf_below(ovf_child(settings, "processors"), "count"), 1024);
    machine->memory = number_of(ovf_below(ovf_child(settings, "memory"), "size"), 1 << 24) << 20;
    machine->firmware =
        g_strcmp0(subtype, "1") == 0 ? ORIEL_OVF_FIRMWARE_UEFI : ORIEL_OVF_FIRMWARE_BIOS;
    drives_read(foreign, root, &n);
    cards_read(foreign, root);
    xmlFreeDoc(document);
    return TRUE;
}
