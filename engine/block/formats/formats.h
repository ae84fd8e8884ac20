/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening images of the formats that need no module of their own. Each takes over the storage, also
 * on failure, and refuses what is wrong with ORIEL_ERROR_INVALID and a sentence.
 */
#ifndef ENGINE_BLOCK_FORMATS_H
#define ENGINE_BLOCK_FORMATS_H

#include "../image.h"

/* Raw; `sector` is what the size is rounded up to. Read and write. */
struct image *image_raw_open(struct storage *storage, uint32_t sector, GError **error);

/*
 * VMDK in one file: monolithicSparse and streamOptimized, after VMware's "Virtual Disk Format 5.0".
 * A descriptor that names other files is refused; see vmdk_open_files().
 */
struct image *vmdk_open(struct storage *storage, GError **error);

/* Opens a file that a descriptor names, by its plain name; NULL with *error set. */
typedef struct storage *(*vmdk_opener)(void *context, const char *name, GError **error);

/* VMDK of any number of files (flat, split): `opener` is asked for each. */
struct image *vmdk_open_files(struct storage *storage, vmdk_opener opener, void *context,
                              GError **error);

/* VirtualBox's VDI, dynamic, fixed and (with the parent's UUID as its backing name) differencing.
 */
struct image *vdi_open(struct storage *storage, GError **error);

/* Microsoft's "Virtual Hard Disk Image Format Specification": fixed, dynamic, differencing. */
struct image *vhd_open(struct storage *storage, GError **error);

/* [MS-VHDX]; an unfinished log is replayed in memory, and the file is left alone. */
struct image *vhdx_open(struct storage *storage, GError **error);

#endif
