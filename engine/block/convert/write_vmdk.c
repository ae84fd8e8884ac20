/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stream-optimized VMDK, "Virtual Disk Format 5.0": header and description, then compressed grains
 * in ascending order, after each 512 of them their table, at the end the directory, a footer and
 * the end-of-stream marker, behind which nothing follows. See writer.h.
 */
#include <glib/gi18n-lib.h>
#include <libdeflate.h>
#include <string.h>

#include "../formats/vmdk.h"
#include "bytes.h"
#include "config/config.h"
#include "writer.h"

enum {
    GRAIN = 64 << 10,
    GRAIN_SECTORS = GRAIN / IMAGE_SECTOR,
    OVER_HEAD = 128, /* sectors before the first grain */
    DESCRIPTOR_SECTORS = 20,
    MARKER = 12,       /* before a grain's data */
    DEFLATE_LEVEL = 5, /* as small as zlib's 6 */
    HEADS = 255,
    SECTORS_A_TRACK = 63,
};

#define VMDK_FLAGS_STREAM UINT32_C(0x30001)
#define VMDK_DISK_MAX     (UINT64_C(2) << 40) /* sector numbers of grains have 32 bits */

struct vmdk_writer {
    struct writer writer;
    uint64_t at;    /* sector that is written next */
    uint64_t table; /* number of the grain table that is being filled */
    bool table_used;
    uint32_t entries[VMDK_GTES_PER_GT];
    uint32_t *directory;
    uint32_t n_directory;
};

static struct vmdk_writer *vmdk_of(struct writer *writer)
{
    return (struct vmdk_writer *)writer;
}

static int append(struct vmdk_writer *vmdk, const uint8_t *bytes, size_t n)
{
    int result = storage_write(vmdk->writer.storage, vmdk->at * IMAGE_SECTOR, bytes, n);

    vmdk->at += n / IMAGE_SECTOR;
    return result;
}

static int append_marker(struct vmdk_writer *vmdk, uint64_t sectors, uint32_t type)
{
    uint8_t marker[IMAGE_SECTOR] = { 0 };

    store_le64(marker, sectors);
    store_le32(marker + 12, type);
    return append(vmdk, marker, sizeof(marker));
}

/* A table of 32 bit numbers, filled up to a whole sector. */
static int append_numbers(struct vmdk_writer *vmdk, const uint32_t *numbers, uint32_t n,
                          uint32_t type)
{
    size_t length = ((size_t)n * 4 + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    g_autofree uint8_t *bytes = g_malloc0(length);
    int result = append_marker(vmdk, length / IMAGE_SECTOR, type);

    for (uint32_t i = 0; i < n; i++) {
        store_le32(bytes + (gsize)i * 4, numbers[i]);
    }
    return result < 0 ? result : append(vmdk, bytes, length);
}

static int table_end(struct vmdk_writer *vmdk)
{
    int result = 0;

    if (vmdk->table_used) {
        vmdk->directory[vmdk->table] = (uint32_t)(vmdk->at + 1);
        result = append_numbers(vmdk, vmdk->entries, VMDK_GTES_PER_GT, VMDK_MARKER_GT);
        memset(vmdk->entries, 0, sizeof(vmdk->entries));
        vmdk->table_used = false;
    }
    return result;
}

/* `packed` is the grain with its marker, padded. */
static int put(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
               const uint8_t *packed, size_t n_packed)
{
    struct vmdk_writer *vmdk = vmdk_of(writer);
    uint64_t grain = offset / GRAIN;
    g_autofree uint8_t *block = NULL;
    size_t length = (MARKER + n_packed + IMAGE_SECTOR - 1) / IMAGE_SECTOR * IMAGE_SECTOR;
    int result = 0;

    if (grain / VMDK_GTES_PER_GT != vmdk->table) {
        result = table_end(vmdk);
        vmdk->table = grain / VMDK_GTES_PER_GT;
    }
    block = g_malloc(length);
    store_le64(block, offset / IMAGE_SECTOR);
    store_le32(block + 8, (uint32_t)n_packed);
    memcpy(block + MARKER, packed, n_packed);
    memset(block + MARKER + n_packed, 0, length - MARKER - n_packed);
    vmdk->entries[grain % VMDK_GTES_PER_GT] = (uint32_t)vmdk->at;
    vmdk->table_used = true;
    return result < 0 ? result : append(vmdk, block, length);
}

static void *packer_new(struct writer *writer)
{
    return libdeflate_alloc_compressor(DEFLATE_LEVEL);
}

static void packer_free(void *packer)
{
    libdeflate_free_compressor(packer);
}

static size_t pack(void *packer, struct writer *writer, const uint8_t *bytes, uint8_t *packed)
{
    return libdeflate_zlib_compress(packer, bytes, GRAIN, packed, writer->packed_max);
}

static void header_fill(const struct vmdk_writer *vmdk, uint8_t *header, uint64_t gd_offset)
{
    memset(header, 0, VMDK_HEADER_BYTES);
    memcpy(header, "KDMV", 4);
    store_le32(header + VMDK_VERSION, 3);
    store_le32(header + VMDK_FLAGS, VMDK_FLAGS_STREAM);
    store_le64(header + VMDK_CAPACITY, vmdk->writer.size / IMAGE_SECTOR);
    store_le64(header + VMDK_GRAIN_SIZE, GRAIN_SECTORS);
    store_le64(header + VMDK_DESCRIPTOR_OFFSET, 1);
    store_le64(header + VMDK_DESCRIPTOR_SIZE, DESCRIPTOR_SECTORS);
    store_le32(header + VMDK_NUM_GTES_PER_GT, VMDK_GTES_PER_GT);
    store_le64(header + VMDK_GD_OFFSET, gd_offset);
    store_le64(header + VMDK_OVER_HEAD, OVER_HEAD);
    memcpy(header + VMDK_NEWLINES, "\n \r\n", 4);
    store_le16(header + VMDK_COMPRESS_ALGORITHM, 1);
}

static int finish(struct writer *writer)
{
    struct vmdk_writer *vmdk = vmdk_of(writer);
    uint8_t header[VMDK_HEADER_BYTES];
    uint64_t gd;
    int result = table_end(vmdk);

    gd = vmdk->at + 1;
    if (result == 0) {
        result = append_numbers(vmdk, vmdk->directory, vmdk->n_directory, VMDK_MARKER_GD);
    }
    if (result == 0) {
        result = append_marker(vmdk, 1, VMDK_MARKER_FOOTER);
    }
    header_fill(vmdk, header, gd);
    if (result == 0) {
        result = append(vmdk, header, sizeof(header));
    }
    if (result == 0) {
        result = append_marker(vmdk, 0, VMDK_MARKER_EOS);
    }
    return result < 0 ? result : storage_flush(writer->storage);
}

static void free_writer(struct writer *writer)
{
    storage_free(writer->storage);
    g_free(vmdk_of(writer)->directory);
    g_free(writer);
}

static const struct writer_class vmdk_writer_class = {
    .packer_new = packer_new,
    .packer_free = packer_free,
    .pack = pack,
    .put = put,
    .finish = finish,
    .free = free_writer,
};

static char *descriptor_text(const struct vmdk_writer *vmdk, const char *name)
{
    uint64_t sectors = vmdk->writer.size / IMAGE_SECTOR;
    uint32_t cid = g_random_int() & 0x7fffffff; /* never one of the two that have a meaning */
    g_autofree char *safe = g_strdelimit(g_strdup(name), "\"\n\r", '_');

    return g_strdup_printf("# Disk DescriptorFile\n"
                           "version=1\n"
                           "CID=%08x\n"
                           "parentCID=ffffffff\n"
                           "createType=\"streamOptimized\"\n"
                           "\n"
                           "# Extent description\n"
                           "RW %" G_GUINT64_FORMAT " SPARSE \"%s\"\n"
                           "\n"
                           "# The Disk Data Base\n"
                           "#DDB\n"
                           "\n"
                           "ddb.adapterType = \"lsilogic\"\n"
                           "ddb.geometry.cylinders = \"%" G_GUINT64_FORMAT "\"\n"
                           "ddb.geometry.heads = \"%d\"\n"
                           "ddb.geometry.sectors = \"%d\"\n"
                           "ddb.longContentID = \"%08x%08x%08x%08x\"\n"
                           "ddb.toolsInstallType = \"4\"\n"
                           "ddb.toolsVersion = \"2147483647\"\n"
                           "ddb.virtualHWVersion = \"4\"\n",
                           cid, sectors, safe, MIN(sectors / (HEADS * SECTORS_A_TRACK), 65535),
                           HEADS, SECTORS_A_TRACK, g_random_int(), g_random_int(), g_random_int(),
                           cid);
}

/* Header and description, and room up to the first grain. */
static int start(struct vmdk_writer *vmdk, const char *name)
{
    g_autofree uint8_t *bytes = g_malloc0(OVER_HEAD * IMAGE_SECTOR);
    g_autofree char *text = descriptor_text(vmdk, name);

    header_fill(vmdk, bytes, VMDK_GD_AT_END);
    g_strlcpy((char *)bytes + IMAGE_SECTOR, text, DESCRIPTOR_SECTORS * IMAGE_SECTOR);
    return append(vmdk, bytes, OVER_HEAD * IMAGE_SECTOR);
}

struct writer *writer_vmdk(struct storage *storage, uint64_t size, const char *name, GError **error)
{
    struct vmdk_writer *vmdk = g_new0(struct vmdk_writer, 1);
    int result;

    vmdk->writer = (struct writer){
        .class = &vmdk_writer_class,
        .storage = storage,
        .size = size,
        .unit = GRAIN,
        .packed_max = GRAIN + 1024, /* what does not get smaller is stored as it is */
        .ordered = true,
    };
    if (size > VMDK_DISK_MAX) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("A stream-optimized VMDK image holds at most 2T; convert to qcow2 or vhdx."));
        free_writer(&vmdk->writer);
        return NULL;
    }
    vmdk->n_directory = (uint32_t)((size - 1) / ((uint64_t)GRAIN * VMDK_GTES_PER_GT) + 1);
    vmdk->directory = g_new0(uint32_t, vmdk->n_directory);
    result = start(vmdk, name != NULL ? name : "disk.vmdk");
    if (result < 0) {
        oriel_error_set_errno(error, -result, _("“%s” cannot be written"), storage->name);
        free_writer(&vmdk->writer);
        return NULL;
    }
    return &vmdk->writer;
}
