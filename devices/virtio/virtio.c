/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a virtio device: status, features, queues, reset, state. See virtio.h.
 *
 * Virtio 1.2, chapters 2 and 3. Offered to every driver: VERSION_1, INDIRECT_DESC, EVENT_IDX. A
 * driver that does not accept VERSION_1 does not get FEATURES_OK. Left out: legacy interface,
 * packed rings, in-order use, resetting single queues, notification data.
 *
 * How it fails: the driver's mistakes in rings set DEVICE_NEEDS_RESET with a configuration
 * interrupt, and nothing moves until it resets the device; writes that the specification forbids
 * are counted and do nothing.
 */
#include <errno.h>
#include <string.h>

#include "services.h"
#include "virtio_private.h"

enum {
    TASK_KICK,
    TASK_PUBLISH,
};

static const uint64_t features_of_all =
    VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;

/* --- Stopping on a mistake -------------------------------------------------------------------- */

bool virtio_is_broken(const struct virtio_device *virtio)
{
    return (virtio->status & STATUS_NEEDS_RESET) != 0;
}

void virtio_needs_reset(struct virtio_device *virtio)
{
    if (virtio_is_broken(virtio)) {
        return;
    }
    virtio->status |= STATUS_NEEDS_RESET;
    if (virtio->status & STATUS_DRIVER_OK) {
        virtio_pci_interrupt(virtio, ISR_CONFIG, virtio->config_vector);
    }
}

void virtio_config_changed(struct virtio_device *virtio)
{
    virtio->config_generation++;
    if ((virtio->status & STATUS_DRIVER_OK) && !virtio_is_broken(virtio)) {
        virtio_pci_interrupt(virtio, ISR_CONFIG, virtio->config_vector);
    }
}

/* --- Buffers ---------------------------------------------------------------------------------- */

bool virtio_queue_live(const struct virtio_device *virtio, unsigned queue)
{
    return queue < virtio->n_queues && virtio->queues[queue].enabled &&
           (virtio->status & STATUS_DRIVER_OK) && !virtio_is_broken(virtio) &&
           pci_bus_master(&virtio->pci);
}

bool virtio_has(const struct virtio_device *virtio, uint64_t feature)
{
    return (virtio->status & STATUS_FEATURES_OK) && (virtio->driver_features & feature) == feature;
}

bool virtio_pop(struct virtio_device *virtio, unsigned queue, struct vq_chain *chain)
{
    if (!virtio_queue_live(virtio, queue)) {
        return false;
    }
    if (virtio->budget == 0) {
        virtio_kick_later(virtio, queue);
        return false;
    }
    virtio->budget--;
    switch (vq_pop(&virtio->queues[queue], chain)) {
    case VQ_CHAIN:
        return true;
    case VQ_EMPTY:
        return false;
    case VQ_BROKEN:
        break;
    }
    virtio_needs_reset(virtio);
    return false;
}

void virtio_put_back(struct virtio_device *virtio, unsigned queue, const struct vq_chain *chain)
{
    vq_put_back(&virtio->queues[queue], chain);
}

bool virtio_again(struct virtio_device *virtio, unsigned queue, uint16_t head,
                  struct vq_chain *chain)
{
    if (!virtio_queue_live(virtio, queue)) {
        return false;
    }
    if (vq_again(&virtio->queues[queue], head, chain) == VQ_CHAIN) {
        return true;
    }
    virtio_needs_reset(virtio);
    return false;
}

void virtio_push(struct virtio_device *virtio, unsigned queue, uint16_t head, uint32_t written)
{
    if (!virtio_is_broken(virtio) && virtio->queues[queue].enabled &&
        (!pci_bus_master(&virtio->pci) || !vq_push(&virtio->queues[queue], head, written))) {
        virtio_broken(virtio, "queue %u: buffer %u cannot be given back", queue, head);
    }
}

void virtio_publish(struct virtio_device *virtio, unsigned queue)
{
    if (virtio_queue_live(virtio, queue) && vq_publish(&virtio->queues[queue])) {
        virtio_pci_interrupt(virtio, ISR_QUEUE, virtio->queues[queue].vector);
    }
}

void virtio_publish_later(struct virtio_device *virtio, unsigned queue)
{
    virtio->unpublished |= 1u << queue;
    dev_defer(virtio_to_device(virtio), TASK_PUBLISH);
}

/* Whoever kicks from outside, a key say, has to wait while the machine stands still. */
static bool is_halted(struct virtio_device *virtio)
{
    struct device *device = virtio_to_device(virtio);

    return device->services->halted(device);
}

void virtio_kick(struct virtio_device *virtio, unsigned queue)
{
    if (queue >= virtio->n_queues) {
        return;
    }
    if (virtio->regain || is_halted(virtio)) {
        virtio_kick_later(virtio, queue); /* what was held before the load comes first */
    } else if (virtio_queue_live(virtio, queue)) {
        virtio->budget = VIRTIO_BUDGET;
        virtio->type->on_queue(virtio, queue);
    }
}

void virtio_kick_later(struct virtio_device *virtio, unsigned queue)
{
    virtio->kicks |= 1u << queue;
    dev_defer(virtio_to_device(virtio), TASK_KICK);
}

void virtio_kick_all(struct virtio_device *virtio)
{
    for (unsigned queue = 0; queue < virtio->n_queues; queue++) {
        if (virtio->queues[queue].enabled) {
            virtio_kick_later(virtio, queue);
        }
    }
}

/* What is in the buffer but not in RAM. */
static void no_memory(struct virtio_device *virtio, uint64_t offset, uint64_t n, uint64_t length)
{
    if (offset <= length && n <= length - offset) {
        virtio_broken(virtio, "a buffer that is not in memory");
    }
}

bool virtio_read(struct virtio_device *virtio, const struct vq_chain *chain, uint64_t offset,
                 void *bytes, size_t n)
{
    bool good = vq_read(virtio_to_device(virtio), chain, offset, bytes, n);

    if (!good) {
        no_memory(virtio, offset, n, chain->out_length);
    }
    return good;
}

bool virtio_write(struct virtio_device *virtio, const struct vq_chain *chain, uint64_t offset,
                  const void *bytes, size_t n)
{
    bool good = vq_write(virtio_to_device(virtio), chain, offset, bytes, n);

    if (!good) {
        no_memory(virtio, offset, n, chain->in_length);
    }
    return good;
}

unsigned virtio_spans(struct virtio_device *virtio, const struct vq_part *part,
                      struct block_span *spans, unsigned max)
{
    unsigned n = vq_spans(virtio_to_device(virtio), part, spans, max);

    if (n == 0) {
        no_memory(virtio, part->offset, part->length,
                  part->writable ? part->chain->in_length : part->chain->out_length);
    }
    return n;
}

/* --- Reset ------------------------------------------------------------------------------------ */

static bool requests_are_out(struct virtio_device *virtio)
{
    struct device *device = virtio_to_device(virtio);

    return device->class->idle && !device->class->idle(device);
}

static void forget_driver(struct virtio_device *virtio, bool machine)
{
    virtio->driver_features = 0;
    virtio->device_feature_select = virtio->driver_feature_select = 0;
    virtio->queue_select = 0;
    virtio->config_vector = VQ_NO_VECTOR;
    virtio->status = virtio->isr = virtio->config_generation = 0;
    virtio->kicks = virtio->unpublished = 0;
    virtio->regain = false;
    virtio->budget = 0;
    for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
        vq_reset(&virtio->queues[queue], VQ_SIZE_MAX);
    }
    if (virtio->type->reset) {
        virtio->type->reset(virtio, machine);
    }
    virtio_pci_line_update(virtio);
}

void virtio_class_reset(struct device *device, enum reset_kind kind)
{
    struct virtio_device *virtio = to_virtio(device);

    (void)kind; /* nothing of a virtio device survives either */
    forget_driver(virtio, true);
    virtio->features =
        features_of_all | (virtio->type->features ? virtio->type->features(virtio) : 0);
    virtio->status_before = 0;
}

uint8_t virtio_status_read(struct virtio_device *virtio)
{
    if (virtio->status_before != 0 && !requests_are_out(virtio)) {
        virtio->status_before = 0;
    }
    return virtio->status | virtio->status_before;
}

/* --- Status and features ---------------------------------------------------------------------- */

static void features_take(struct virtio_device *virtio)
{
    uint64_t wanted = virtio->driver_features;

    if ((wanted & ~virtio->features) != 0 || !(wanted & VIRTIO_F_VERSION_1)) {
        guest_error(virtio_to_device(virtio), "features %#llx cannot be had",
                    (unsigned long long)wanted);
        return;
    }
    virtio->status |= STATUS_FEATURES_OK;
}

/* What the queues need to know of the features. */
static void queues_tell(struct virtio_device *virtio)
{
    for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
        virtio->queues[queue].indirect = virtio_has(virtio, VIRTIO_F_INDIRECT_DESC);
        virtio->queues[queue].event_index = virtio_has(virtio, VIRTIO_F_EVENT_IDX);
    }
}

static void driver_ready(struct virtio_device *virtio)
{
    if (!(virtio->status & STATUS_FEATURES_OK)) {
        guest_error(virtio_to_device(virtio), "the driver starts without FEATURES_OK");
        return;
    }
    virtio->status |= STATUS_DRIVER_OK;
    if (virtio->type->start) {
        virtio->type->start(virtio);
    }
    virtio_kick_all(virtio);
}

void virtio_status_write(struct virtio_device *virtio, uint8_t value)
{
    uint8_t fresh = value & STATUS_DRIVERS & (uint8_t)~virtio->status;

    if (value == 0) {
        uint8_t before = virtio->status | virtio->status_before;

        forget_driver(virtio, false);
        virtio->status_before = requests_are_out(virtio) ? before : 0;
        return;
    }
    if (virtio->status & STATUS_DRIVERS & ~value) {
        guest_error(virtio_to_device(virtio), "status %#x takes back bits of %#x", value,
                    virtio->status);
    }
    virtio->status_before = 0;
    virtio->status |= fresh & (STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FAILED);
    if (fresh & STATUS_FEATURES_OK) {
        features_take(virtio);
        queues_tell(virtio);
    }
    if (fresh & STATUS_DRIVER_OK) {
        driver_ready(virtio);
    }
}

void virtio_queue_enable(struct virtio_device *virtio, unsigned queue)
{
    const char *wrong;

    if (!(virtio->status & STATUS_FEATURES_OK)) {
        guest_error(virtio_to_device(virtio), "queue %u is enabled without FEATURES_OK", queue);
        return;
    }
    wrong = vq_enable(&virtio->queues[queue]);
    if (wrong) {
        virtio_broken(virtio, "queue %u cannot be enabled: %s", queue, wrong);
    }
}

/* --- The class's functions -------------------------------------------------------------------- */

int virtio_class_create(struct device *device, struct dev_error *error)
{
    struct virtio_device *virtio = to_virtio(device);

    virtio->type = device->class->virtio;
    virtio->n_queues = virtio->type->n_queues;
    for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
        virtio->queues[queue].device = device;
    }
    if (virtio->type->create) {
        int result = virtio->type->create(virtio, error);

        if (result != 0) {
            return result;
        }
    }
    return virtio_pci_create(virtio);
}

void virtio_class_destroy(struct device *device)
{
    struct virtio_device *virtio = to_virtio(device);

    if (virtio->type->destroy) {
        virtio->type->destroy(virtio);
    }
}

/* After a load: the buffers that the device held. */
static void held_give(struct virtio_device *virtio)
{
    for (unsigned queue = 0; queue < virtio->n_queues; queue++) {
        for (uint16_t head = 0; head < VQ_SIZE_MAX; head++) {
            if (vq_holds(&virtio->queues[queue], head) && virtio_queue_live(virtio, queue)) {
                virtio->type->again(virtio, queue, head);
            }
        }
    }
}

static void kicks_carry_out(struct virtio_device *virtio)
{
    uint32_t kicks = virtio->kicks;

    if (is_halted(virtio)) {
        dev_defer(virtio_to_device(virtio), TASK_KICK);
        return;
    }
    virtio->kicks = 0;
    if (virtio->regain) {
        virtio->regain = false;
        held_give(virtio);
    }
    for (unsigned queue = 0; queue < virtio->n_queues; queue++) {
        if (kicks & 1u << queue) {
            virtio_kick(virtio, queue);
        }
    }
}

void virtio_class_on_task(struct device *device, unsigned task)
{
    struct virtio_device *virtio = to_virtio(device);
    uint32_t unpublished = virtio->unpublished;

    if (task == TASK_KICK) {
        kicks_carry_out(virtio);
        return;
    }
    virtio->unpublished = 0;
    for (unsigned queue = 0; queue < virtio->n_queues; queue++) {
        if (unpublished & 1u << queue) {
            virtio_publish(virtio, queue);
        }
    }
}

void virtio_class_on_doorbell(struct device *device, unsigned doorbell)
{
    virtio_kick(to_virtio(device), doorbell);
}

/* --- State ------------------------------------------------------------------------------------ */

int virtio_class_validate(struct device *device, struct dev_error *error)
{
    struct virtio_device *virtio = to_virtio(device);
    bool started = virtio->status & STATUS_DRIVER_OK;
    bool good = (virtio->status & ~(STATUS_DRIVERS | STATUS_NEEDS_RESET)) == 0 &&
                (!started || (virtio->status & STATUS_FEATURES_OK));

    if (virtio->status & STATUS_FEATURES_OK) {
        good = good && (virtio->driver_features & VIRTIO_F_VERSION_1) &&
               (virtio->driver_features & ~virtio->features) == 0;
    }
    for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
        const struct vq *vq = &virtio->queues[queue];

        good = good && vq_valid(vq) && (!vq->enabled || queue < virtio->n_queues) &&
               (virtio->type->again || virtio_is_broken(virtio) || vq->avail == vq->used);
    }
    if (!good) {
        dev_error_set(error,
                      "The saved state of “%s” is one that no driver leads to, or of a device with "
                      "other features, so it was not loaded.",
                      device->name);
        return -EINVAL;
    }
    return virtio->type->validate ? virtio->type->validate(virtio, error) : 0;
}

void virtio_class_restored(struct device *device)
{
    struct virtio_device *virtio = to_virtio(device);

    for (unsigned queue = 0; queue < VIRTIO_QUEUES_MAX; queue++) {
        virtio->queues[queue].published = virtio->queues[queue].used;
    }
    queues_tell(virtio);
    virtio_pci_line_update(virtio);
    if (virtio->type->restored) {
        virtio->type->restored(virtio);
    }
    virtio->status_before = 0;
    virtio->kicks = virtio->unpublished = 0;
    virtio->regain = virtio->type->again != NULL;
    virtio_kick_all(virtio);
}

const struct state_field virtio_fields[] = {
    FIELD_STRUCT(struct virtio_device, pci, pci_fields),
    FIELD(struct virtio_device, driver_features),
    FIELD(struct virtio_device, device_feature_select),
    FIELD(struct virtio_device, driver_feature_select),
    FIELD(struct virtio_device, queue_select),
    FIELD(struct virtio_device, config_vector),
    FIELD(struct virtio_device, status),
    FIELD_MAX(struct virtio_device, isr, ISR_QUEUE | ISR_CONFIG),
    FIELD(struct virtio_device, config_generation),
    FIELD_STRUCTS_ARRAY(struct virtio_device, queues, vq_fields),
    FIELD_END,
};
