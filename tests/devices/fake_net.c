/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network of the fake machine: the services, and the test's side of it. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fake_private.h"

static struct fake_device *record(struct device *device)
{
    return device->host;
}

/* --- Services --------------------------------------------------------------------------------- */

/* Everything that net.h promises of a frame that a card sends. */
static void frame_check(const struct net_frame *frame)
{
    const struct net_offload *offload = &frame->offload;
    uint64_t sum = 0;

    for (unsigned i = 0; i < frame->n_spans; i++) {
        sum += frame->spans[i].length;
    }
    if (sum != frame->length || frame->length < NET_FRAME_MIN || frame->length > NET_FRAME_MAX) {
        fake_bug("net_send() of a frame whose length is wrong");
    }
    if ((offload->flags & NET_NEEDS_CSUM) &&
        !range_fits((uint64_t)offload->csum_start + offload->csum_offset, 2, frame->length)) {
        fake_bug("net_send() with a checksum outside the frame");
    }
    if (offload->gso > NET_GSO_TCP6 ||
        (offload->gso != NET_GSO_NONE &&
         (offload->gso_size == 0 || !(offload->flags & NET_NEEDS_CSUM)))) {
        fake_bug("net_send() with a segmentation that does not exist");
    }
}

static void frame_keep(struct fake_net *net, const struct net_frame *frame)
{
    struct fake_frame *kept = &net->out[net->n_out];
    uint32_t done = 0;

    frame_check(frame);
    net->sent++;
    if (net->n_out == FAKE_FRAMES_MAX) {
        return;
    }
    net->n_out++;
    kept->offload = frame->offload;
    kept->length = frame->length;
    kept->bytes = malloc(frame->length);
    for (unsigned i = 0; i < frame->n_spans; i++) {
        memcpy(kept->bytes + done, frame->spans[i].base, frame->spans[i].length);
        done += (uint32_t)frame->spans[i].length;
    }
}

bool fake_service_net_link(struct device *device)
{
    return !record(device)->net.unplugged;
}

unsigned fake_service_net_send(struct device *device, const struct net_frame *frames, unsigned n)
{
    struct fake_net *net = &record(device)->net;
    unsigned spans = 0;

    if (n == 0 || n > NET_BATCH_MAX) {
        fake_bug("net_send() of no frame or too many");
    }
    for (unsigned i = 0; i < n; i++) {
        spans += frames[i].n_spans;
        frame_check(&frames[i]);
    }
    if (spans > NET_SPANS_MAX) {
        fake_bug("net_send() of too many spans");
    }
    for (unsigned i = 0; i < n; i++) {
        if (net->unplugged) {
            continue;
        }
        if (net->limited && net->room == 0) {
            return i;
        }
        net->room -= net->limited;
        frame_keep(net, &frames[i]);
    }
    return n;
}

const struct net_received *fake_service_net_peek(struct device *device)
{
    struct fake_net *net = &record(device)->net;

    if (net->n_in == 0) {
        return NULL;
    }
    net->received =
        (struct net_received){ net->in[0].offload, net->in[0].length, net->in[0].bytes };
    return &net->received;
}

void fake_service_net_drop(struct device *device)
{
    struct fake_net *net = &record(device)->net;

    if (net->n_in == 0) {
        fake_bug("net_drop() of no frame");
    }
    free(net->in[0].bytes);
    net->n_in--;
    memmove(&net->in[0], &net->in[1], net->n_in * sizeof(net->in[0]));
}

void fake_service_net_accept(struct device *device, unsigned accept)
{
    record(device)->net.accept = accept;
}

/* --- The test --------------------------------------------------------------------------------- */

void fake_net_link(struct device *device, bool up)
{
    record(device)->net.unplugged = !up;
    device->class->on_net(device);
}

void fake_net_room(struct device *device, unsigned room)
{
    struct fake_net *net = &record(device)->net;

    net->limited = room != UINT_MAX;
    net->room = room;
    device->class->on_net(device);
}

bool fake_net_receive(struct device *device, const struct net_offload *offload, const void *bytes,
                      uint32_t length)
{
    static const struct net_offload none;
    struct fake_net *net = &record(device)->net;
    struct fake_frame *frame = &net->in[net->n_in];

    if (net->n_in == FAKE_FRAMES_MAX) {
        return false;
    }
    net->n_in++;
    frame->offload = offload ? *offload : none;
    frame->length = length;
    frame->bytes = malloc(length);
    memcpy(frame->bytes, bytes, length);
    device->class->on_net(device);
    return true;
}

unsigned fake_net_waiting(struct device *device)
{
    return record(device)->net.n_in;
}

unsigned fake_net_accepted(struct device *device)
{
    return record(device)->net.accept;
}

unsigned fake_net_sent(struct device *device)
{
    return record(device)->net.n_out;
}

const uint8_t *fake_net_frame(struct device *device, unsigned i, uint32_t *length,
                              struct net_offload *offload)
{
    const struct fake_net *net = &record(device)->net;

    if (i >= net->n_out) {
        fake_bug("a frame that was not sent");
    }
    if (length) {
        *length = net->out[i].length;
    }
    if (offload) {
        *offload = net->out[i].offload;
    }
    return net->out[i].bytes;
}

void fake_net_forget(struct device *device)
{
    struct fake_net *net = &record(device)->net;

    for (unsigned i = 0; i < net->n_out; i++) {
        free(net->out[i].bytes);
    }
    net->n_out = 0;
}

void fake_net_clear(struct fake_net *net)
{
    for (unsigned i = 0; i < net->n_in; i++) {
        free(net->in[i].bytes);
    }
    for (unsigned i = 0; i < net->n_out; i++) {
        free(net->out[i].bytes);
    }
    net->n_in = net->n_out = 0;
}
