/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that looks into frames: offloads in software, whom the guest talks to, names.
 *
 * The input: a struct wire_frame as it is between processes, then the frame.
 */
#include <stdlib.h>
#include <string.h>

#include "net/helper/helper.h"
#include "net/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every check is of memory: these are exactly as large as they may be written. */
static void offloads(const struct net_offload *offload, const uint8_t *bytes, uint32_t length)
{
    uint8_t *copy = malloc(length);
    uint8_t *out = malloc(256 + (offload->gso_size > 1500 ? offload->gso_size : 1500));
    struct net_offload left = *offload;
    struct offload_cut cut;
    uint32_t n, done = 0, segments = 0;

    memcpy(copy, bytes, length);
    if (offload->gso != NET_GSO_NONE) {
        offload_cut_start(&cut, offload, copy, length, offload->gso_size);
        while ((n = offload_cut_next(&cut, out)) > 0) {
            done += n - cut.data;
            segments++;
        }
        if (done != length - cut.data || segments > 65536) {
            abort();
        }
        offload_whole(&left, copy, length);
    } else {
        offload_checksum(&left, copy, length);
    }
    if (left.flags & NET_NEEDS_CSUM) {
        abort();
    }
    offload_mss_set(copy, length, 40000, 40000);
    done = 0;
    while (offload_fragment(copy, length, 1500, &done, out) > 0) {
    }
    if (offload_large(&left, copy, length, 1500) && !offload_valid(&left, copy, length) &&
        length <= 60000) {
        abort();
    }
    free(out);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct flows *flows;
    static struct wire_connection connections[WIRE_CONNECTIONS_MAX];
    struct wire_frame header;
    uint8_t *bytes;
    uint32_t length;

    if (!flows) {
        flows = flows_new();
    }
    if (size < sizeof(header)) {
        return 0;
    }
    memcpy(&header, data, sizeof(header));
    length = (uint32_t)(size - sizeof(header));
    bytes = malloc(length + (length == 0)); /* exactly, so that nothing behind it is read */
    memcpy(bytes, data + sizeof(header), length);
    if (offload_valid(&header.offload, bytes, length)) {
        offloads(&header.offload, bytes, length);
    }
    flows_note(flows, header.accept & 1, bytes, length);
    if (header.accept == 0xff && flows_list(flows, connections) > WIRE_CONNECTIONS_MAX) {
        abort();
    }
    free(bytes);
    return 0;
}
