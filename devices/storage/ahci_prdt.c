/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The physical region descriptor table: where in guest memory the data of a command is (AHCI 1.3.1
 * section 4.2.3.3).
 *
 * Everything in it is the guest's and may change while it is read. Each entry is fetched once; its
 * address is used only through services that refuse what is not RAM; its length has 22 bits; the
 * table has at most 65535 entries. Addresses and lengths are even, as the format demands, so that
 * BLOCK_SPANS_MAX entries always hold at least one sector.
 *
 * A request takes whole sectors. When the spans of one do not end at a sector, what is over stays
 * at the front for the next request.
 */
#include <string.h>

#include "ahci.h"
#include "bytes.h"
#include "services.h"

enum {
    PRD_SIZE = 16,
    PRD_LENGTH_MASK = 0x3fffff, /* bytes - 1 */
};
#define PRD_INTERRUPT 0x80000000u

_Static_assert(BLOCK_SPANS_MAX * 2 >= CD_SECTOR, "a request can always hold one sector");

void prdt_start(struct ahci_prdt *prdt, uint64_t table, uint32_t n)
{
    *prdt = (struct ahci_prdt){ .table = table, .n = n };
}

/* Makes sure that there is something left in the current entry; false at the end or at a fault. */
static bool prdt_load(struct ahci_command *command)
{
    struct ahci_prdt *prdt = &command->prdt;
    uint8_t entry[PRD_SIZE];

    if (prdt->left > 0) {
        return true;
    }
    if (prdt->fault || prdt->next >= prdt->n) {
        return false;
    }
    uint64_t at = prdt->table + (uint64_t)prdt->next * PRD_SIZE;

    if (at < prdt->table ||
        dev_ram_read(port_device(command->port), at, entry, sizeof(entry)) != 0) {
        prdt->fault = true;
        return false;
    }
    uint32_t control = load_le32(entry + 12);

    prdt->next++;
    prdt->address = load_le64(entry) & ~UINT64_C(1);
    prdt->left = ((control & PRD_LENGTH_MASK) | 1) + 1;
    prdt->entry_interrupts = (control & PRD_INTERRUPT) != 0;
    return true;
}

static void prdt_advance(struct ahci_prdt *prdt, size_t n)
{
    prdt->address += n;
    prdt->left -= (uint32_t)n;
    if (prdt->left == 0 && prdt->entry_interrupts) {
        prdt->interrupt = true;
    }
}

static size_t prdt_copy(struct ahci_command *command, void *to, const void *from, size_t n)
{
    struct device *device = port_device(command->port);
    struct ahci_prdt *prdt = &command->prdt;
    size_t moved = 0;

    while (moved < n && prdt_load(command)) {
        size_t piece = prdt->left < n - moved ? prdt->left : n - moved;
        int result =
            from ? dev_ram_write(device, prdt->address, (const uint8_t *)from + moved, piece)
                 : dev_ram_read(device, prdt->address, (uint8_t *)to + moved, piece);

        if (result != 0) {
            prdt->fault = true;
            break;
        }
        prdt_advance(prdt, piece);
        moved += piece;
    }
    command->moved += (uint32_t)moved;
    return moved;
}

size_t prdt_copy_out(struct ahci_command *command, const void *bytes, size_t n)
{
    return prdt_copy(command, NULL, bytes, n);
}

size_t prdt_copy_in(struct ahci_command *command, void *bytes, size_t n)
{
    return prdt_copy(command, bytes, NULL, n);
}

/* Adds [base, base + n), at guest address `address`, to the spans; it may lengthen the last one. */
static void span_add(struct ahci_command *command, void *base, uint64_t address, size_t n)
{
    struct ahci_spans *spans = command->spans;
    unsigned last = command->n_spans - 1;

    if (command->n_spans > 0 && spans->address[last] + spans->span[last].length == address &&
        (uint8_t *)spans->span[last].base + spans->span[last].length == (uint8_t *)base) {
        spans->span[last].length += n;
        return;
    }
    spans->span[command->n_spans] = (struct block_span){ base, n };
    spans->address[command->n_spans++] = address;
}

/* Points the request at the first `total` bytes of the spans. */
static void request_cut(struct ahci_command *command, size_t total)
{
    struct block_request *request = &command->request;
    size_t sum = 0;

    request->spans = command->spans->span;
    request->n_spans = 0;
    command->cut = 0;
    while (sum < total) {
        sum += command->spans->span[request->n_spans++].length;
    }
    if (sum > total) {
        command->cut = sum - total;
        command->spans->span[request->n_spans - 1].length -= command->cut;
    }
}

size_t prdt_collect(struct ahci_command *command, size_t want)
{
    struct device *device = port_device(command->port);
    struct ahci_prdt *prdt = &command->prdt;
    size_t total = 0;

    for (unsigned i = 0; i < command->n_spans; i++) {
        total += command->spans->span[i].length;
    }
    while (total < want && command->n_spans < BLOCK_SPANS_MAX && prdt_load(command)) {
        size_t piece = prdt->left < want - total ? prdt->left : want - total;
        void *base = device->services->ram_map(device, prdt->address, &piece);

        if (!base || piece == 0) {
            prdt->fault = true;
            return 0;
        }
        span_add(command, base, prdt->address, piece);
        prdt_advance(prdt, piece);
        total += piece;
    }
    total = total < want ? total : want;
    total -= total % command->unit;
    request_cut(command, total);
    return total;
}

void prdt_consume(struct ahci_command *command, bool written)
{
    struct device *device = port_device(command->port);
    struct ahci_spans *spans = command->spans;
    unsigned used = command->request.n_spans;

    for (unsigned i = 0; written && i < used; i++) {
        device->services->ram_written(device, spans->address[i], spans->span[i].length);
    }
    if (used > 0 && command->cut > 0) {
        used--;
        spans->span[used].base = (uint8_t *)spans->span[used].base + spans->span[used].length;
        spans->address[used] += spans->span[used].length;
        spans->span[used].length = command->cut;
    }
    command->cut = 0;
    command->request.n_spans = 0;
    command->n_spans -= used;
    memmove(spans->span, spans->span + used, command->n_spans * sizeof(spans->span[0]));
    memmove(spans->address, spans->address + used, command->n_spans * sizeof(spans->address[0]));
}
