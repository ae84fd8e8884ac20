/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Split virtqueues. See vq.h for what is refused.
 *
 * A queue is three areas in guest memory: the descriptor table (16 bytes each), the driver area
 * (available ring: flags, idx, heads, used_event) and the device area (used ring: flags, idx, pairs
 * of head and length, avail_event). idx runs freely over 16 bits.
 *
 * Notifications with VIRTIO_F_EVENT_IDX (section 2.7.10): the driver notifies when idx passes
 * avail_event, so vq_pop() moves that to the present place when it finds nothing, and then looks
 * once more, because a buffer may have come in between. The device interrupts when its idx passes
 * used_event. Without it the device never asks for silence, and obeys the driver's flag.
 *
 * Virtio 1.2, section 2.7. Left out: packed rings.
 */
#include "vq.h"

#include <string.h>

#include "bytes.h"
#include "services.h"

enum {
    DESCRIPTOR_SIZE = 16,
    DESC_F_NEXT = 1,
    DESC_F_WRITE = 2,
    DESC_F_INDIRECT = 4,
    AVAIL_F_NO_INTERRUPT = 1,

    RING_FLAGS = 0,
    RING_IDX = 2,
    RING_ENTRIES = 4,
    AVAIL_ENTRY = 2,
    USED_ENTRY = 8,
};

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

/* --- Guest memory ----------------------------------------------------------------------------- */

/* `length` bytes of RAM as one piece, or NULL. */
static uint8_t *area(const struct vq *vq, uint64_t gpa, size_t length)
{
    size_t got = length;
    uint8_t *at = vq->device->services->ram_map(vq->device, gpa, &got);

    return at && got >= length ? at : NULL;
}

static size_t driver_area_size(const struct vq *vq)
{
    return RING_ENTRIES + (size_t)AVAIL_ENTRY * vq->size + 2;
}

static size_t device_area_size(const struct vq *vq)
{
    return RING_ENTRIES + (size_t)USED_ENTRY * vq->size + 2;
}

static uint8_t *driver_area(const struct vq *vq)
{
    return area(vq, vq->driver_area, driver_area_size(vq));
}

static uint8_t *device_area(const struct vq *vq)
{
    return area(vq, vq->device_area, device_area_size(vq));
}

/*
 * The areas are aligned to two bytes at least: see vq_enable(). Everything that the other side
 * looks at after its own store is in one order with that (what the specification calls a memory
 * barrier): an index is stored, then the other side's event is loaded.
 */
static uint16_t ring_load(const uint8_t *at)
{
    return __atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_SEQ_CST);
}

static void ring_store(uint8_t *at, uint16_t value)
{
    __atomic_store_n((uint16_t *)(void *)at, value, __ATOMIC_SEQ_CST);
}

static enum vq_result broken(const struct vq *vq, const char *what, unsigned value)
{
    guest_error(vq->device, "queue: %s (%u)", what, value);
    return VQ_BROKEN;
}

/* --- Life ------------------------------------------------------------------------------------- */

void vq_reset(struct vq *vq, uint16_t size)
{
    struct device *device = vq->device;

    *vq = (struct vq){ .device = device, .size = size, .vector = VQ_NO_VECTOR };
}

static bool size_is_valid(unsigned size)
{
    return size > 0 && size <= VQ_SIZE_MAX && (size & (size - 1)) == 0;
}

static bool areas_are_aligned(const struct vq *vq)
{
    return vq->descriptor_area % 16 == 0 && vq->driver_area % 2 == 0 && vq->device_area % 4 == 0;
}

const char *vq_enable(struct vq *vq)
{
    if (!size_is_valid(vq->size)) {
        return "its size is no power of two";
    }
    if (!areas_are_aligned(vq)) {
        return "its areas are not aligned";
    }
    if (!area(vq, vq->descriptor_area, (size_t)DESCRIPTOR_SIZE * vq->size) || !driver_area(vq) ||
        !device_area(vq)) {
        return "its areas are not in memory";
    }
    vq->enabled = true;
    return NULL;
}

static unsigned in_flight_count(const struct vq *vq)
{
    unsigned n = 0;

    for (unsigned i = 0; i < VQ_SIZE_MAX / 64; i++) {
        for (uint64_t heads = vq->in_flight[i]; heads != 0; heads &= heads - 1) {
            n++;
        }
    }
    return n;
}

bool vq_valid(const struct vq *vq)
{
    for (unsigned head = vq->size; head < VQ_SIZE_MAX; head++) {
        if (vq->in_flight[head / 64] >> head % 64 & 1) {
            return false;
        }
    }
    return size_is_valid(vq->size) && (uint16_t)(vq->avail - vq->used) == in_flight_count(vq) &&
           (vq->enabled ? areas_are_aligned(vq) : vq->avail == 0 && vq->used == 0);
}

/* --- Heads that the device holds -------------------------------------------------------------- */

bool vq_holds(const struct vq *vq, uint16_t head)
{
    return head < vq->size && (vq->in_flight[head / 64] >> head % 64 & 1);
}

static void hold(struct vq *vq, uint16_t head, bool on)
{
    uint64_t bit = UINT64_C(1) << head % 64;

    if (on) {
        vq->in_flight[head / 64] |= bit;
    } else {
        vq->in_flight[head / 64] &= ~bit;
    }
}

/* --- Chains ----------------------------------------------------------------------------------- */

static struct descriptor descriptor_copy(const uint8_t *table, unsigned index)
{
    uint8_t bytes[DESCRIPTOR_SIZE];

    memcpy(bytes, table + (size_t)DESCRIPTOR_SIZE * index, sizeof(bytes));
    /* The guest may write to the table now; from here on it is this copy that counts. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return (struct descriptor){ load_le64(bytes), load_le32(bytes + 8), load_le16(bytes + 12),
                                load_le16(bytes + 14) };
}

static enum vq_result segment_add(const struct vq *vq, struct vq_chain *chain,
                                  const struct descriptor *d)
{
    unsigned n = (unsigned)chain->n_out + chain->n_in;
    uint32_t *length = d->flags & DESC_F_WRITE ? &chain->in_length : &chain->out_length;

    if (!(d->flags & DESC_F_WRITE) && chain->n_in > 0) {
        return broken(vq, "a descriptor to be read behind one to be written", n);
    }
    if (d->length > UINT32_MAX - chain->out_length - (uint64_t)chain->in_length) {
        return broken(vq, "a chain of 4 GiB or more", n);
    }
    if (d->length > UINT64_MAX - d->address) {
        return broken(vq, "a descriptor beyond the end of memory", n);
    }
    if (d->length == 0) {
        return VQ_CHAIN;
    }
    if (n >= VQ_CHAIN_MAX) {
        return broken(vq, "a chain with too many descriptors", n);
    }
    chain->segments[n] = (struct vq_segment){ d->address, d->length };
    *length += d->length;
    if (d->flags & DESC_F_WRITE) {
        chain->n_in++;
    } else {
        chain->n_out++;
    }
    return VQ_CHAIN;
}

/*
 * Walks a table of n descriptors from `index` on. Returns VQ_EMPTY when the chain goes on in an
 * indirect table, which *last then describes.
 */
static enum vq_result table_walk(const struct vq *vq, struct vq_chain *chain, const uint8_t *table,
                                 unsigned n, unsigned index, struct descriptor *last)
{
    for (unsigned steps = 0; steps < n; steps++) {
        if (index >= n) {
            return broken(vq, "a descriptor outside its table", index);
        }
        *last = descriptor_copy(table, index);
        if (last->flags & DESC_F_INDIRECT) {
            return last->flags & DESC_F_NEXT
                       ? broken(vq, "an indirect descriptor with a next one", index)
                       : VQ_EMPTY;
        }
        enum vq_result result = segment_add(vq, chain, last);

        if (result != VQ_CHAIN || !(last->flags & DESC_F_NEXT)) {
            return result;
        }
        index = last->next;
    }
    return broken(vq, "a chain that is longer than its table", n);
}

static enum vq_result indirect_walk(const struct vq *vq, struct vq_chain *chain,
                                    const struct descriptor *indirect)
{
    unsigned n = indirect->length / DESCRIPTOR_SIZE;
    struct descriptor last;

    if (!vq->indirect) {
        return broken(vq, "an indirect descriptor without the feature", indirect->length);
    }
    if (n == 0 || indirect->length % DESCRIPTOR_SIZE != 0 || n > VQ_CHAIN_MAX) {
        return broken(vq, "an indirect table of a wrong length", indirect->length);
    }
    const uint8_t *table = area(vq, indirect->address, indirect->length);

    if (!table) {
        return broken(vq, "an indirect table that is not in memory", indirect->length);
    }
    enum vq_result result = table_walk(vq, chain, table, n, 0, &last);

    return result == VQ_EMPTY ? broken(vq, "an indirect table in another", n) : result;
}

static enum vq_result chain_read(const struct vq *vq, uint16_t head, struct vq_chain *chain)
{
    const uint8_t *table = area(vq, vq->descriptor_area, (size_t)DESCRIPTOR_SIZE * vq->size);
    struct descriptor last;

    chain->head = head;
    chain->n_out = chain->n_in = 0;
    chain->out_length = chain->in_length = 0;
    if (!table) {
        return broken(vq, "the descriptor table is not in memory", head);
    }
    enum vq_result result = table_walk(vq, chain, table, vq->size, head, &last);

    return result == VQ_EMPTY ? indirect_walk(vq, chain, &last) : result;
}

/* --- The rings -------------------------------------------------------------------------------- */

/* Asks the driver to notify of the next buffer; true if it is there already. */
static bool notifications_on(const struct vq *vq, const uint8_t *driver)
{
    uint8_t *device = device_area(vq);

    if (!vq->event_index || !device) {
        return false;
    }
    ring_store(device + device_area_size(vq) - 2, vq->avail);
    return ring_load(driver + RING_IDX) != vq->avail;
}

enum vq_result vq_pop(struct vq *vq, struct vq_chain *chain)
{
    const uint8_t *driver = driver_area(vq);

    if (!driver) {
        return broken(vq, "the available ring is not in memory", vq->avail);
    }
    uint16_t waiting = (uint16_t)(ring_load(driver + RING_IDX) - vq->avail);

    if (waiting == 0 && !notifications_on(vq, driver)) {
        return VQ_EMPTY;
    }
    waiting = (uint16_t)(ring_load(driver + RING_IDX) - vq->avail);
    if (waiting > vq->size) {
        return broken(vq, "more buffers than the queue holds", waiting);
    }
    uint16_t head = ring_load(driver + RING_ENTRIES + (size_t)AVAIL_ENTRY * (vq->avail % vq->size));

    if (head >= vq->size) {
        return broken(vq, "a head outside the table", head);
    }
    if (vq_holds(vq, head)) {
        return broken(vq, "a head that is in use", head);
    }
    enum vq_result result = chain_read(vq, head, chain);

    if (result == VQ_CHAIN) {
        hold(vq, head, true);
        vq->avail++;
    }
    return result;
}

void vq_put_back(struct vq *vq, const struct vq_chain *chain)
{
    hold(vq, chain->head, false);
    vq->avail--;
}

enum vq_result vq_again(struct vq *vq, uint16_t head, struct vq_chain *chain)
{
    return vq_holds(vq, head) ? chain_read(vq, head, chain) : VQ_EMPTY;
}

bool vq_push(struct vq *vq, uint16_t head, uint32_t written)
{
    uint8_t *device = device_area(vq);

    if (!device || !vq_holds(vq, head)) {
        return false;
    }
    uint8_t *entry = device + RING_ENTRIES + (size_t)USED_ENTRY * (vq->used % vq->size);

    store_le32(entry, head);
    store_le32(entry + 4, written);
    hold(vq, head, false);
    vq->used++;
    return true;
}

bool vq_publish(struct vq *vq)
{
    uint8_t *device = device_area(vq), *driver = driver_area(vq);
    uint16_t before = vq->published, now = vq->used;

    vq->published = now;
    if (!device || !driver || before == now) {
        return false;
    }
    ring_store(device + RING_IDX, now);
    vq->device->services->ram_written(vq->device, vq->device_area, device_area_size(vq));
    if (!vq->event_index) {
        return !(ring_load(driver + RING_FLAGS) & AVAIL_F_NO_INTERRUPT);
    }
    uint16_t event = ring_load(driver + driver_area_size(vq) - 2);

    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

/* --- Data ------------------------------------------------------------------------------------- */

/* A walk over one part of a chain. */
struct walk {
    const struct vq_segment *segment;
    uint64_t skip; /* bytes of the segment that are done */
};

/* False if the part does not reach so far. */
static bool walk_start(struct walk *walk, const struct vq_part *part)
{
    const struct vq_chain *chain = part->chain;

    if (!range_fits(part->offset, part->length,
                    part->writable ? chain->in_length : chain->out_length)) {
        return false;
    }
    walk->segment = chain->segments + (part->writable ? chain->n_out : 0);
    walk->skip = part->offset;
    return true;
}

/* The next piece of at most `want` bytes, of which there are that many left. */
static uint64_t walk_next(struct walk *walk, uint64_t want, size_t *length)
{
    while (walk->skip >= walk->segment->length) {
        walk->skip -= walk->segment->length;
        walk->segment++;
    }
    uint64_t gpa = walk->segment->gpa + walk->skip;
    uint64_t left = walk->segment->length - walk->skip;

    *length = (size_t)(want < left ? want : left);
    walk->skip += *length;
    return gpa;
}

bool vq_read(struct device *device, const struct vq_chain *chain, uint64_t offset, void *bytes,
             size_t n)
{
    struct walk walk;
    size_t piece;

    if (!walk_start(&walk, &(struct vq_part){ chain, false, offset, n })) {
        return false;
    }
    for (size_t done = 0; done < n; done += piece) {
        uint64_t gpa = walk_next(&walk, n - done, &piece);

        if (dev_ram_read(device, gpa, (uint8_t *)bytes + done, piece) != 0) {
            return false;
        }
    }
    return true;
}

bool vq_write(struct device *device, const struct vq_chain *chain, uint64_t offset,
              const void *bytes, size_t n)
{
    struct walk walk;
    size_t piece;

    if (!walk_start(&walk, &(struct vq_part){ chain, true, offset, n })) {
        return false;
    }
    for (size_t done = 0; done < n; done += piece) {
        uint64_t gpa = walk_next(&walk, n - done, &piece);

        if (dev_ram_write(device, gpa, (const uint8_t *)bytes + done, piece) != 0) {
            return false;
        }
    }
    return true;
}

unsigned vq_spans(struct device *device, const struct vq_part *part, struct block_span *spans,
                  unsigned max)
{
    struct walk walk;
    unsigned n = 0;
    size_t piece;

    if (!walk_start(&walk, part)) {
        return 0;
    }
    for (uint64_t done = 0; done < part->length; done += piece) {
        uint64_t gpa = walk_next(&walk, part->length - done, &piece);
        size_t got = piece;
        uint8_t *base = device->services->ram_map(device, gpa, &got);

        if (!base || got < piece) {
            return 0;
        }
        if (n > 0 && (uint8_t *)spans[n - 1].base + spans[n - 1].length == base) {
            spans[n - 1].length += piece;
        } else if (n < max) {
            spans[n++] = (struct block_span){ base, piece };
        } else {
            return 0;
        }
    }
    return n;
}

void vq_spans_written(struct device *device, const struct vq_part *part)
{
    struct walk walk;
    size_t piece;

    if (!walk_start(&walk, part)) {
        return;
    }
    for (uint64_t done = 0; done < part->length; done += piece) {
        uint64_t gpa = walk_next(&walk, part->length - done, &piece);

        device->services->ram_written(device, gpa, piece);
    }
}

/* --- State ------------------------------------------------------------------------------------ */

const struct state_field vq_fields[] = {
    FIELD(struct vq, descriptor_area), FIELD(struct vq, driver_area),
    FIELD(struct vq, device_area),     FIELD_MAX(struct vq, size, VQ_SIZE_MAX),
    FIELD(struct vq, vector),          FIELD(struct vq, enabled),
    FIELD(struct vq, avail),           FIELD(struct vq, used),
    FIELD_ARRAY(struct vq, in_flight), FIELD_END,
};
