/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory balloon (virtio 1.2, section 5.5) with statistics and free page reporting.
 *
 * Pages that the guest puts into the balloon, and free pages that it reports, go back to the host
 * at once. When the guest takes pages out again it finds zeroes in them; nothing has to be done.
 *
 * Statistics: the driver leaves a buffer with numbers; the device keeps it until somebody wants
 * newer ones, and gives it back then, which makes the driver fill it anew.
 *
 * Queues: the specification numbers them 0 inflate, 1 deflate, 2 statistics, 3 hints, 4 reporting.
 * Linux leaves no gap for those that were not negotiated, so reporting is also what comes right
 * after the last one that was.
 *
 * Left out: free page hints, page poison (reported pages may lose what is in them), MUST_TELL_HOST.
 *
 * How it fails: pages that are not RAM are left alone; of a longer list only the first PAGES_MAX
 * pages are taken, and it is counted.
 */
#include "balloon.h"

#include <string.h>

#include "bytes.h"
#include "virtio.h"

enum {
    BALLOON_ID = 5,
    QUEUE_INFLATE = 0,
    QUEUE_DEFLATE = 1,
    QUEUE_STATS = 2,
    QUEUES = 5,

    CONFIG_NUM_PAGES = 0,
    CONFIG_ACTUAL = 4,
    CONFIG_SIZE = 8,

    PAGE_SHIFT = 12,
    PAGES_MAX = 4096, /* of one buffer */
    PIECE = 256,      /* page numbers read at once */
    STAT_SIZE = 10,   /* le16 tag, le64 value */
};

#define BALLOON_F_STATS_VQ       (UINT64_C(1) << 1)
#define BALLOON_F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define BALLOON_F_REPORTING      (UINT64_C(1) << 5)

struct balloon {
    struct virtio_device virtio; /* first */
    uint32_t target, actual;     /* pages in the balloon: wanted, and as the driver says */
    uint32_t known;
    uint64_t stats[BALLOON_STATS];
    bool stats_held; /* the driver's buffer is here, */
    uint16_t stats_head;
};

static struct balloon *to_balloon(struct virtio_device *virtio)
{
    return (struct balloon *)virtio;
}

/* --- Pages ------------------------------------------------------------------------------------ */

/* Neighbouring pages, which go back to the host together. */
struct run {
    uint64_t first, n;
};

static void run_end(struct device *device, struct run *run)
{
    if (run->n > 0) {
        device->services->ram_discard(device, run->first << PAGE_SHIFT, run->n << PAGE_SHIFT);
    }
    run->n = 0;
}

static void run_add(struct device *device, struct run *run, uint32_t page)
{
    if (run->n > 0 && page == run->first + run->n) {
        run->n++;
    } else if (run->n > 0 && (uint64_t)page + 1 == run->first) {
        run->first--;
        run->n++;
    } else {
        run_end(device, run);
        *run = (struct run){ page, 1 };
    }
}

static void pages_take(struct virtio_device *virtio, const struct vq_chain *chain)
{
    struct device *device = virtio_to_device(virtio);
    uint32_t n = chain->out_length / 4;
    uint8_t numbers[PIECE * 4];
    struct run run = { 0, 0 };

    if (n > PAGES_MAX) {
        guest_error(device, "%u pages in one buffer", n);
        n = PAGES_MAX;
    }
    for (uint32_t done = 0, piece; done < n; done += piece) {
        piece = n - done < PIECE ? n - done : PIECE;
        if (!virtio_read(virtio, chain, (uint64_t)done * 4, numbers, (size_t)piece * 4)) {
            break;
        }
        for (uint32_t i = 0; i < piece; i++) {
            run_add(device, &run, load_le32(numbers + 4 * i));
        }
    }
    run_end(device, &run);
}

/* Free pages: the buffer is made of them. */
static void free_pages_take(struct virtio_device *virtio, const struct vq_chain *chain)
{
    struct device *device = virtio_to_device(virtio);

    for (unsigned i = chain->n_out; i < (unsigned)chain->n_out + chain->n_in; i++) {
        device->services->ram_discard(device, chain->segments[i].gpa, chain->segments[i].length);
    }
}

/* --- Statistics ------------------------------------------------------------------------------- */

static void stats_take(struct balloon *balloon, const struct vq_chain *chain)
{
    struct virtio_device *virtio = &balloon->virtio;
    uint8_t stat[STAT_SIZE];

    /* More numbers than there are kinds say something twice. */
    for (unsigned i = 0; i < BALLOON_STATS && (i + 1) * STAT_SIZE <= chain->out_length; i++) {
        if (!virtio_read(virtio, chain, i * STAT_SIZE, stat, sizeof(stat))) {
            return;
        }
        unsigned tag = load_le16(stat);

        if (tag < BALLOON_STATS) {
            balloon->stats[tag] = load_le64(stat + 2);
            balloon->known |= 1u << tag;
        }
    }
}

static void stats_give_back(struct balloon *balloon)
{
    if (balloon->stats_held && virtio_queue_live(&balloon->virtio, QUEUE_STATS)) {
        balloon->stats_held = false;
        virtio_push(&balloon->virtio, QUEUE_STATS, balloon->stats_head, 0);
        virtio_publish(&balloon->virtio, QUEUE_STATS);
    }
}

static void stats_on_queue(struct balloon *balloon)
{
    struct vq_chain chain;

    while (virtio_pop(&balloon->virtio, QUEUE_STATS, &chain)) {
        stats_give_back(balloon); /* a driver has one; of two the older goes back */
        stats_take(balloon, &chain);
        balloon->stats_held = true;
        balloon->stats_head = chain.head;
    }
}

/* --- Queues ----------------------------------------------------------------------------------- */

static void balloon_on_queue(struct virtio_device *virtio, unsigned queue)
{
    struct vq_chain chain;

    if (queue == QUEUE_STATS && virtio_has(virtio, BALLOON_F_STATS_VQ)) {
        stats_on_queue(to_balloon(virtio));
        return;
    }
    while (virtio_pop(virtio, queue, &chain)) {
        if (queue == QUEUE_INFLATE) {
            pages_take(virtio, &chain);
        } else if (queue != QUEUE_DEFLATE && virtio_has(virtio, BALLOON_F_REPORTING)) {
            free_pages_take(virtio, &chain);
        }
        virtio_push(virtio, queue, chain.head, 0);
    }
    virtio_publish(virtio, queue);
}

static void balloon_again(struct virtio_device *virtio, unsigned queue, uint16_t head)
{
    struct balloon *balloon = to_balloon(virtio);

    if (queue == QUEUE_STATS && !balloon->stats_held) {
        balloon->stats_held = true;
        balloon->stats_head = head;
    } else {
        virtio_push(virtio, queue, head, 0); /* only a changed state has such a one */
        virtio_publish(virtio, queue);
    }
}

/* --- Configuration, the host side ------------------------------------------------------------- */

static uint64_t balloon_features(struct virtio_device *virtio)
{
    (void)virtio;
    return BALLOON_F_STATS_VQ | BALLOON_F_DEFLATE_ON_OOM | BALLOON_F_REPORTING;
}

static void balloon_config_read(struct virtio_device *virtio, uint8_t *config)
{
    store_le32(config + CONFIG_NUM_PAGES, to_balloon(virtio)->target);
    store_le32(config + CONFIG_ACTUAL, to_balloon(virtio)->actual);
}

static void balloon_config_write(struct virtio_device *virtio, unsigned offset, unsigned size,
                                 uint32_t value)
{
    if (offset == CONFIG_ACTUAL && size == 4) {
        to_balloon(virtio)->actual = value;
    } else {
        guest_error(virtio_to_device(virtio), "write of %#x to configuration %#x", value, offset);
    }
}

void balloon_set_target(struct device *device, uint64_t bytes)
{
    struct virtio_device *virtio = to_virtio(device);
    uint64_t pages = bytes >> PAGE_SHIFT;

    to_balloon(virtio)->target = pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
    virtio_config_changed(virtio);
}

void balloon_look(struct device *device, struct balloon_report *report)
{
    struct balloon *balloon = to_balloon(to_virtio(device));

    *report = (struct balloon_report){ .target = (uint64_t)balloon->target << PAGE_SHIFT,
                                       .actual = (uint64_t)balloon->actual << PAGE_SHIFT,
                                       .known = balloon->known };
    memcpy(report->stats, balloon->stats, sizeof(report->stats));
    stats_give_back(balloon);
}

/* --- Life ------------------------------------------------------------------------------------- */

static void balloon_reset(struct virtio_device *virtio, bool machine)
{
    struct balloon *balloon = to_balloon(virtio);

    (void)machine; /* what the host wants outlasts the guest's life */
    balloon->actual = 0;
    balloon->known = 0;
    memset(balloon->stats, 0, sizeof(balloon->stats));
    balloon->stats_held = false;
    balloon->stats_head = 0;
}

static void balloon_restored(struct virtio_device *virtio)
{
    to_balloon(virtio)->stats_held = false; /* again() brings it */
    to_balloon(virtio)->stats_head = 0;
}

static const struct state_field balloon_fields[] = {
    FIELD_STRUCT(struct balloon, virtio, virtio_fields),
    FIELD(struct balloon, target),
    FIELD(struct balloon, actual),
    FIELD_MAX(struct balloon, known, (1u << BALLOON_STATS) - 1),
    FIELD_ARRAY(struct balloon, stats),
    FIELD_END,
};

static const struct virtio_type balloon_type = {
    .id = BALLOON_ID,
    .n_queues = QUEUES,
    .config_size = CONFIG_SIZE,
    .restored = balloon_restored,
    .features = balloon_features,
    .reset = balloon_reset,
    .on_queue = balloon_on_queue,
    .again = balloon_again,
    .config_read = balloon_config_read,
    .config_write = balloon_config_write,
};

static const struct pci_info balloon_pci = VIRTIO_PCI_INFO(BALLOON_ID, 0x00ff00, QUEUES);

const struct device_class virtio_balloon_class = {
    .name = "virtio-balloon",
    .version = 1,
    .state_size = sizeof(struct balloon),
    .description = "virtio memory balloon",
    .fields = balloon_fields,
    .pci = &balloon_pci,
    .virtio = &balloon_type,
    .n_doorbells = QUEUES,
    VIRTIO_CLASS_FUNCTIONS,
};
