/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entropy device: fills the driver's buffers with random bytes of the host (virtio 1.2, section
 * 5.4). A buffer is filled up to RNG_FILL_MAX bytes, which the used length says.
 *
 * Left out: nothing. A buffer without room is counted as a mistake and given back empty.
 */
#include "virtio.h"

enum {
    RNG_ID = 4,
    RNG_QUEUES = 1,
    RNG_FILL_MAX = 4096, /* bytes for one buffer */
};

struct rng {
    struct virtio_device virtio; /* first */
};

/* The bytes written; the device may be broken afterwards. */
static uint32_t fill(struct virtio_device *virtio, const struct vq_chain *chain)
{
    struct device *device = virtio_to_device(virtio);
    uint32_t want = chain->in_length < RNG_FILL_MAX ? chain->in_length : RNG_FILL_MAX;
    uint8_t bytes[RNG_FILL_MAX];

    if (want == 0) {
        guest_error(device, "a buffer without room for random bytes");
        return 0;
    }
    device->services->random(device, bytes, want);
    return virtio_write(virtio, chain, 0, bytes, want) ? want : 0;
}

static void rng_on_queue(struct virtio_device *virtio, unsigned queue)
{
    struct vq_chain chain;

    while (virtio_pop(virtio, queue, &chain)) {
        virtio_push(virtio, queue, chain.head, fill(virtio, &chain));
    }
    virtio_publish(virtio, queue);
}

static const struct state_field rng_fields[] = {
    FIELD_STRUCT(struct rng, virtio, virtio_fields),
    FIELD_END,
};

static const struct virtio_type rng_type = {
    .id = RNG_ID,
    .n_queues = RNG_QUEUES,
    .on_queue = rng_on_queue,
};

static const struct pci_info rng_pci = VIRTIO_PCI_INFO(RNG_ID, 0x00ff00, RNG_QUEUES);

const struct device_class virtio_rng_class = {
    .name = "virtio-rng",
    .version = 1,
    .state_size = sizeof(struct rng),
    .description = "entropy device",
    .fields = rng_fields,
    .pci = &rng_pci,
    .virtio = &rng_type,
    .n_doorbells = RNG_QUEUES,
    VIRTIO_CLASS_FUNCTIONS,
};
