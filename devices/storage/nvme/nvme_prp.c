/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Physical region pages (NVMe 1.4 section 4.3): where in guest memory the data of a command is.
 * PRP1 names the first bytes, up to the end of their page. PRP2 names the second page if that is
 * all, otherwise a list of pages whose last entry, if more remain than its page can name, is
 * the address of the next list.
 *
 * Every entry is the guest's and is fetched once. A list after the first starts at the beginning of
 * a page, so that each names at least 511 pages and the walk is bounded by the transfer's length,
 * which is at most NVME_TRANSFER_MAX.
 */
#include <string.h>

#include "nvme.h"
#include "services.h"

enum {
    ENTRY = 8,
    SQE_PRP1 = 24,
    SQE_PRP2 = 32,
};

static unsigned page_offset(uint64_t address)
{
    return (unsigned)(address % NVME_PAGE);
}

/* Adds [address, address + n), which lies in one page; it may lengthen the last span. */
static unsigned span_add(struct nvme *nvme, struct nvme_request *request, uint64_t address,
                         size_t n)
{
    struct device *device = nvme_device(nvme);

    while (n > 0) {
        size_t piece = n;
        uint8_t *base = device->services->ram_map(device, address, &piece);

        if (!base || piece == 0) {
            return STATUS_DATA_TRANSFER_ERROR;
        }
        struct block_span *last =
            request->n_spans > 0 ? &request->spans[request->n_spans - 1] : NULL;

        if (last && (uint8_t *)last->base + last->length == base &&
            request->address[request->n_spans - 1] + last->length == address) {
            last->length += piece;
        } else if (request->n_spans == NVME_SPANS_MAX) {
            return STATUS_DATA_TRANSFER_ERROR;
        } else {
            request->address[request->n_spans] = address;
            request->spans[request->n_spans++] = (struct block_span){ base, piece };
        }
        address += piece;
        n -= piece;
    }
    return STATUS_SUCCESS;
}

static unsigned list_walk(struct nvme *nvme, struct nvme_request *request, uint64_t list,
                          size_t left)
{
    uint8_t entries[NVME_PAGE];
    unsigned at = page_offset(list), status;

    while (left > 0) {
        size_t pages = (left + NVME_PAGE - 1) / NVME_PAGE;
        size_t bytes = NVME_PAGE - at < pages * ENTRY ? NVME_PAGE - at : pages * ENTRY;

        if (at % ENTRY != 0) {
            return STATUS_PRP_OFFSET_INVALID;
        }
        if (dev_ram_read(nvme_device(nvme), list, entries, bytes) != 0) {
            return STATUS_DATA_TRANSFER_ERROR;
        }
        size_t n = bytes / ENTRY;
        bool chained = n < pages;

        for (size_t i = 0; i < (chained ? n - 1 : n); i++) {
            uint64_t page = load_le64(entries + i * ENTRY);
            size_t piece = left < NVME_PAGE ? left : NVME_PAGE;

            if (page_offset(page) != 0) {
                return STATUS_PRP_OFFSET_INVALID;
            }
            status = span_add(nvme, request, page, piece);
            if (status != STATUS_SUCCESS) {
                return status;
            }
            left -= piece;
        }
        if (chained) {
            list = load_le64(entries + (n - 1) * ENTRY);
            at = page_offset(list);
            if (at != 0) {
                return STATUS_PRP_OFFSET_INVALID;
            }
        }
    }
    return STATUS_SUCCESS;
}

unsigned nvme_prp_map(struct nvme *nvme, unsigned index, size_t length)
{
    const uint8_t *sqe = nvme->commands[index].sqe;
    struct nvme_request *request = nvme_request(nvme, index);
    uint64_t prp1 = load_le64(sqe + SQE_PRP1), prp2 = load_le64(sqe + SQE_PRP2);
    size_t first = NVME_PAGE - page_offset(prp1);
    unsigned status;

    request->n_spans = 0;
    if (length == 0 || length > NVME_TRANSFER_MAX) {
        return STATUS_INVALID_FIELD;
    }
    if (prp1 % 4 != 0) {
        return STATUS_PRP_OFFSET_INVALID;
    }
    if (first > length) {
        first = length;
    }
    status = span_add(nvme, request, prp1, first);
    if (status != STATUS_SUCCESS || length == first) {
        return status;
    }
    if (length - first <= NVME_PAGE) {
        return page_offset(prp2) != 0 ? (unsigned)STATUS_PRP_OFFSET_INVALID
                                      : span_add(nvme, request, prp2, length - first);
    }
    return list_walk(nvme, request, prp2, length - first);
}

void nvme_copy_out(struct nvme *nvme, struct nvme_request *request, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;

    for (unsigned i = 0; i < request->n_spans && n > 0; i++) {
        size_t piece = request->spans[i].length < n ? request->spans[i].length : n;

        memcpy(request->spans[i].base, from, piece);
        from += piece;
        n -= piece;
    }
    nvme_spans_written(nvme, request);
}

void nvme_copy_in(struct nvme_request *request, void *bytes, size_t n)
{
    uint8_t *to = bytes;

    for (unsigned i = 0; i < request->n_spans && n > 0; i++) {
        size_t piece = request->spans[i].length < n ? request->spans[i].length : n;

        memcpy(to, request->spans[i].base, piece);
        to += piece;
        n -= piece;
    }
}

void nvme_spans_written(struct nvme *nvme, const struct nvme_request *request)
{
    struct device *device = nvme_device(nvme);

    for (unsigned i = 0; i < request->n_spans; i++) {
        device->services->ram_written(device, request->address[i], request->spans[i].length);
    }
}

unsigned nvme_reply(struct nvme *nvme, unsigned index, const void *bytes, size_t n)
{
    unsigned status = nvme_prp_map(nvme, index, n);

    if (status == STATUS_SUCCESS) {
        nvme_copy_out(nvme, nvme->commands[index].request, bytes, n);
    }
    return status;
}
