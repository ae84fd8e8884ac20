/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of this folder share. */
#ifndef ORIEL_FOREIGN_PRIVATE_H
#define ORIEL_FOREIGN_PRIVATE_H

#include "oriel-foreign.h"
#include "appliance/ovf/oriel-ovf-private.h"

/* A description that is being read: an appliance of one machine. */
struct foreign {
    OrielAppliance *appliance;
    OrielOvfMachine *machine;
    const char *name; /* of the description, for messages */
};

/* Sets *error to "... cannot be used: PROBLEM."; returns FALSE. */
gboolean foreign_invalid(const struct foreign *foreign, GError **error, const char *problem);

/* The file at `path` as the description writes it; the same one if it was there before. */
OrielOvfFile *foreign_file(struct foreign *foreign, const char *path);
/* Drives, in the order in which the guest meets them. `path` NULL: an empty CD drive. */
void foreign_add_disk(struct foreign *foreign, OrielOvfBus bus, const char *path);
void foreign_add_cdrom(struct foreign *foreign, const char *path);
void foreign_add_floppy(struct foreign *foreign);
/* Texts may be NULL. */
void foreign_add_card(struct foreign *foreign, const char *model, const char *mac,
                      const char *network, gboolean connected);

/* Sets a text of the machine, if there is one. */
void foreign_set(char **text, const char *value);
/* The system by a producer's word for it. */
void foreign_set_os(OrielOvfMachine *machine, const char *text);

/* The readers: each gets the whole text, with a zero behind it. */
gboolean foreign_read_vmware(struct foreign *foreign, const char *text, gsize length,
                             GError **error);
gboolean foreign_read_virtualbox(struct foreign *foreign, const char *text, gsize length,
                                 GError **error);
gboolean foreign_read_libvirt(struct foreign *foreign, const char *text, gsize length,
                              GError **error);
gboolean foreign_read_utm(struct foreign *foreign, const char *text, gsize length, GError **error);
gboolean foreign_read_quickemu(struct foreign *foreign, const char *text, gsize length,
                               GError **error);
gboolean foreign_read_hyper_v(struct foreign *foreign, const char *text, gsize length,
                              GError **error);

#endif
