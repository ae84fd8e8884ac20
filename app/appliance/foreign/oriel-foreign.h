/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptions of machines in the formats of other programs than those that write OVF, read into
 * the same structure (oriel-ovf.h): VMware's .vmx, VirtualBox's .vbox, libvirt's domain XML, UTM's
 * config.plist (versions 2 to 4), Quickemu's .conf and Hyper-V's .xml of 2008 to 2012 R2.
 *
 * They are texts of strangers: nothing in them is run, no file that they name is opened here, and
 * what is refused or noted follows oriel-ovf.h. A path that leads out of the description's folder
 * becomes a plain name with OrielOvfFile.outside set.
 *
 * Threads: any; nothing is shared.
 */
#ifndef ORIEL_FOREIGN_H
#define ORIEL_FOREIGN_H

#include "appliance/ovf/oriel-ovf.h"

typedef enum {
    ORIEL_FOREIGN_UNKNOWN,
    ORIEL_FOREIGN_OVF,
    ORIEL_FOREIGN_VMWARE,
    ORIEL_FOREIGN_VIRTUALBOX,
    ORIEL_FOREIGN_LIBVIRT,
    ORIEL_FOREIGN_UTM,
    ORIEL_FOREIGN_QUICKEMU,
    ORIEL_FOREIGN_HYPER_V,
} OrielForeign;

enum {
    ORIEL_FOREIGN_LOOK = 64 << 10, /* bytes from its beginning that tell what a text is */
};

/* "ovf", "vmware", "virtualbox", ...; NULL for UNKNOWN; static. */
const char *oriel_foreign_name(OrielForeign format);

/* Which description begins with these bytes. */
OrielForeign oriel_foreign_recognise(const char *text, gsize length);

/*
 * Reads a description of a known format. `name` is that of its file, for messages and for machines
 * that have no other name. INVALID with a sentence if it is damaged or refused, or is that of a
 * machine which is not a PC.
 */
OrielAppliance *oriel_foreign_parse(OrielForeign format, const char *text, gsize length,
                                    const char *name, GError **error);

#endif
