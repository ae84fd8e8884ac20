/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disk images from any bytes. The input is a sequence of pieces {u32 little-endian place in KiB,
 * u16 length, bytes} that are laid into a file, whose size is that of the last piece's end; so
 * seeds stay small although formats put things megabytes apart. Each program has its format.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "block/formats/formats.h"
#include "block/qcow2/qcow2.h"
#include "bytes.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FILE_MAX = 16 << 20,
    READ = 64 << 10,
    STEPS = 200,
    PIECE_HEADER = 6,
};

/* The file that the input describes. */
static int file_make(const uint8_t *data, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    g_assert_true(fd >= 0);
    while (size > PIECE_HEADER) {
        uint64_t place = (uint64_t)load_le32(data) % (FILE_MAX / 1024) * 1024;
        size_t n = MIN(load_le16(data + 4), size - PIECE_HEADER);

        g_assert_true(pwrite(fd, data + PIECE_HEADER, n, (off_t)place) == (ssize_t)n);
        data += PIECE_HEADER + n;
        size -= PIECE_HEADER + n;
    }
    return fd;
}

static struct storage *storage_make(const uint8_t *data, size_t size, bool read_only)
{
    return storage_file_new(file_make(data, size), "input", read_only, NULL);
}

/* Reads at the start, the end, and where the map says that something changes. */
static void image_read_some(struct image *image)
{
    g_autofree uint8_t *bytes = g_malloc(READ);
    uint64_t offset = 0, known;
    enum image_kind kind;

    for (unsigned i = 0; i < STEPS && offset < image->size; i++) {
        if (image_status(image, offset, image->size - offset, &kind, &known) < 0) {
            known = MIN(image->size - offset, image->unit);
        }
        g_assert_true(known > 0 && known <= image->size - offset);
        image_read(image, offset, bytes, MIN(known, (uint64_t)READ));
        offset += known;
    }
    known = MIN(image->size, (uint64_t)READ);
    image_read(image, image->size - known, bytes, known);
    g_ptr_array_unref(image_describe(image));
}

static void qcow2_use(const uint8_t *data, size_t size)
{
    struct image *image = qcow2_open_for_repair(storage_make(data, size, false), NULL);
    struct qcow2_report report = { 0 };
    g_autofree uint8_t *bytes = g_malloc0(READ);
    GPtrArray *snapshots;

    if (image == NULL) {
        return;
    }
    snapshots = qcow2_snapshots(image, NULL);
    if (snapshots != NULL && snapshots->len <= 2) {
        qcow2_check(image, NULL, &report, NULL);
        g_clear_pointer(&report.first, g_free);
        if (snapshots->len > 0) {
            qcow2_snapshot_delete(image, ((struct qcow2_snapshot *)snapshots->pdata[0])->id, NULL);
        }
    }
    image_write(image, 0, bytes, MIN((uint64_t)READ, image->size));
    image_zero(image, 0, MIN(image->size, UINT64_C(1) << 30), true);
    image_write(image, image->size / 2 / 512 * 512, bytes, 512);
    image_flush(image);
    if (snapshots != NULL && snapshots->len <= 2 && qcow2_repair(image, NULL, &report, NULL) &&
        report.lost == 0) {
        image_read_some(image);
    }
    g_free(report.first);
    g_clear_pointer(&snapshots, g_ptr_array_unref);
    image_free(image);
}

#if FUZZ_FORMAT == 2 /* VMDK's descriptor too, with one file for every name */
static struct storage *opener(void *context, const char *name, GError **error)
{
    int fd = memfd_create("extent", MFD_CLOEXEC);

    g_assert_true(ftruncate(fd, 1 << 20) == 0);
    return storage_file_new(fd, name, true, error);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    struct image *image;
    enum image_format format;
    struct storage *storage = storage_make(data, size, true);

    image_detect(storage, &format, NULL);
#if FUZZ_FORMAT == 2
    image = vmdk_open_files(storage, opener, NULL, &error);
#else
    image = image_open(storage, FUZZ_FORMAT, &error);
#endif
    if (image != NULL) {
        image_read_some(image);
        image_free(image);
    } else {
        g_assert_true(error->domain == ORIEL_ERROR && error->message[0] != '\0');
    }
    if (FUZZ_FORMAT == IMAGE_QCOW2) {
        qcow2_use(data, size);
    }
    return 0;
}
