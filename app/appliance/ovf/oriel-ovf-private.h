/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the OVF reader share. */
#ifndef ORIEL_OVF_PRIVATE_H
#define ORIEL_OVF_PRIVATE_H

#include <libxml/tree.h>

#include "oriel-ovf.h"

struct ovf {
    OrielAppliance *appliance;
    xmlNode *envelope;
    const char *name;     /* of the descriptor, for messages */
    char *configuration;  /* the default one of DeploymentOptionSection, or NULL */
    GHashTable *messages; /* msgid -> xmlNode of the Msg */
    guint items;
};

/* --- XML by local names (oriel-ovf-xml.c) --- */

/* Parses under the limits of oriel-ovf.h; xmlFreeDoc(). */
xmlDoc *ovf_xml_read(const char *data, gsize length, const char *name, GError **error);
gboolean ovf_is(const xmlNode *node, const char *name);
/* The first child element with that name, or NULL; `node` may be NULL. */
xmlNode *ovf_child(const xmlNode *node, const char *name);
/* The next element among siblings, `node` itself included, with that name. */
xmlNode *ovf_next(xmlNode *node, const char *name);
/* The first element below `node` with that name, at any depth. */
xmlNode *ovf_below(const xmlNode *node, const char *name);
/* Trimmed UTF-8, NULL if absent or empty. g_free(). */
char *ovf_attribute(const xmlNode *node, const char *name);
char *ovf_text(const xmlNode *node);
char *ovf_child_text(const xmlNode *node, const char *name);
/* A whole decimal number in the range; otherwise FALSE and *value is 0. */
gboolean ovf_number(const char *text, guint64 maximum, guint64 *value);
/* Whether a boolean attribute or text says yes. */
gboolean ovf_yes(const char *text);
/*
 * "byte * 2^20", "MegaBytes", "GB", ... as a number of bytes; NULL or empty: 1; 0 if it is not
 * understood.
 */
guint64 ovf_unit(const char *text);

void ovf_note(OrielAppliance *appliance, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* --- Parts of a virtual system --- */

/* VirtualHardwareSection. */
gboolean ovf_hardware_read(struct ovf *ovf, OrielOvfMachine *system, xmlNode *section,
                           GError **error);
/* vmw:Config, vbox:Machine, oVirt's and XenServer's own elements. After the hardware. */
void ovf_vendor_read(struct ovf *ovf, OrielOvfMachine *system, xmlNode *node, xmlNode *hardware);
/* A VirtualBox Machine element: what is not known yet, and what only it says. */
void ovf_virtualbox_read(OrielOvfMachine *system, const xmlNode *machine);
/* The system that a producer's word for it means ("Debian_64", "windows9-64"), or NULL; static. */
const char *ovf_os_of(const char *text);
/* OperatingSystemSection. */
void ovf_os_read(OrielOvfMachine *system, xmlNode *section);
/* Separators and case away: "08:00:27:aa:bb:cc", or NULL if it is no address of a card. */
char *ovf_mac(const char *text);

#endif
