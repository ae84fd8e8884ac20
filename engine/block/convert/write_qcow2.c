/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qcow2 images, plain or compressed, written through the image itself. See writer.h. */
#include "config/config.h"
#include "writer.h"

struct qcow2_writer {
    struct writer writer;
    struct image *image;
    bool finished;
};

static struct image *image_of(struct writer *writer)
{
    return ((struct qcow2_writer *)writer)->image;
}

static int put_plain(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
                     const uint8_t *packed, size_t n_packed)
{
    return image_write(image_of(writer), offset, bytes, MIN(n, writer->size - offset));
}

static int put_packed(struct writer *writer, uint64_t offset, const uint8_t *bytes, size_t n,
                      const uint8_t *packed, size_t n_packed)
{
    return qcow2_write_compressed(image_of(writer), offset, bytes, packed, n_packed);
}

static int put_zero(struct writer *writer, uint64_t offset, uint64_t length)
{
    return image_zero(image_of(writer), offset, length, true);
}

static int finish(struct writer *writer)
{
    ((struct qcow2_writer *)writer)->finished = true;
    return image_flush(image_of(writer));
}

static void free_writer(struct writer *writer)
{
    struct qcow2_writer *qcow2 = (struct qcow2_writer *)writer;

    /* What is given up is not flushed. */
    qcow2->image->read_only |= !qcow2->finished;
    image_free(qcow2->image);
    g_free(writer);
}

static void *packer_new(struct writer *writer)
{
    return qcow2_packer_new(image_of(writer));
}

static void packer_free(void *packer)
{
    qcow2_packer_free(packer);
}

static size_t pack(void *packer, struct writer *writer, const uint8_t *bytes, uint8_t *packed)
{
    return qcow2_pack(packer, bytes, packed);
}

static const struct writer_class plain_class = {
    .put = put_plain,
    .put_zero = put_zero,
    .finish = finish,
    .free = free_writer,
};

static const struct writer_class packed_class = {
    .packer_new = packer_new,
    .packer_free = packer_free,
    .pack = pack,
    .put = put_packed,
    .finish = finish,
    .free = free_writer,
};

struct writer *writer_qcow2(struct storage *storage, uint64_t size,
                            const struct convert_options *options, GError **error)
{
    struct qcow2_options qcow2 = options->qcow2;
    struct qcow2_writer *writer;
    struct image *image;

    qcow2.size = qcow2.size ? qcow2.size : size;
    if (!qcow2_create(storage, &qcow2, error)) {
        storage_free(storage);
        return NULL;
    }
    image = qcow2_open(storage, NULL, error);
    if (image == NULL) {
        return NULL;
    }
    writer = g_new0(struct qcow2_writer, 1);
    writer->image = image;
    writer->writer.class = options->compress ? &packed_class : &plain_class;
    writer->writer.storage = storage;
    writer->writer.size = size;
    writer->writer.unit = image->unit;
    writer->writer.packed_max = image->unit;
    writer->writer.ordered = options->compress;
    return &writer->writer;
}
