/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Routes: GSI 0 reaches IOAPIC pin 2, where the ACPI tables announce the timer, and not pin 0 as in
 * the kernel's default table; GSI 2 is the cascade and reaches nothing. Messages are sent without
 * routes.
 */
#include "bus/irq.h"

#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "cpu/kvm.h"

enum {
    PIC_PINS = 8,
    ROUTES = IRQ_ISA - 1 + IRQ_LINES - 1,
};

static void route(struct kvm_irq_routing *table, unsigned gsi, unsigned chip, unsigned pin)
{
    table->entries[table->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

static void routes_fill(struct kvm_irq_routing *table)
{
    for (unsigned gsi = 0; gsi < IRQ_LINES; gsi++) {
        if (gsi == 2) {
            continue;
        }
        if (gsi < IRQ_ISA) {
            route(table, gsi, gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                  gsi % PIC_PINS);
        }
        route(table, gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? 2 : gsi);
    }
}

bool irq_init(struct irq *irq, struct kvm *kvm, GError **error)
{
    g_autofree struct kvm_irq_routing *table =
        g_malloc0(sizeof(*table) + ROUTES * sizeof(table->entries[0]));

    *irq = (struct irq){ .kvm = kvm };
    pthread_mutex_init(&irq->lock, NULL);
    memset(irq->pirq_route, 0x80, sizeof(irq->pirq_route));
    routes_fill(table);
    if (kvm_ioctl(kvm->vm, KVM_SET_GSI_ROUTING, table) < 0) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                    "/dev/kvm refused the machine's interrupt routes (%s).", g_strerror(errno));
        return false;
    }
    return true;
}

void irq_destroy(struct irq *irq)
{
    pthread_mutex_destroy(&irq->lock);
}

uint8_t irq_pci_line(unsigned slot, unsigned pin)
{
    /* Slots 0-24 go to PIRQ E-H in rotation, the chipset's own slots to A-D. */
    return (uint8_t)(IRQ_PIRQ_FIRST + (slot <= 24 ? 4 + (slot + pin) % 4 : pin % 4));
}

/* --- Lines; under the lock ------------------------------------------------------------------- */

static bool line_level(const struct irq *irq, unsigned line)
{
    bool level = irq->asserted[line] > 0;

    for (unsigned pirq = 0; line < IRQ_ISA && pirq < IRQ_PIRQS; pirq++) {
        level |= irq->pirq_route[pirq] == line && irq->pirq_asserted[pirq] > 0;
    }
    return level;
}

static void line_update(struct irq *irq, unsigned line)
{
    struct kvm_irq_level level = { .irq = line, .level = line_level(irq, line) };

    if (irq->level[line] == (level.level != 0)) {
        return;
    }
    irq->level[line] = level.level != 0;
    if (level.level) {
        atomic_fetch_add_explicit(&irq->raised, 1, memory_order_relaxed);
    }
    kvm_ioctl(irq->kvm->vm, KVM_IRQ_LINE, &level);
}

/* Counts a source in or out, as its level and the HPET say. */
static void source_update(struct irq *irq, struct irq_source *source)
{
    bool counts = source->level && !(source->hpet_replaces && irq->hpet_legacy);
    unsigned line = source->line;
    int step = (int)counts - (int)source->counted;

    if (step == 0) {
        return;
    }
    source->counted = counts;
    irq->asserted[line] = (uint16_t)(irq->asserted[line] + step);
    line_update(irq, line);
    if (source->pirq) {
        unsigned pirq = line - IRQ_PIRQ_FIRST;

        irq->pirq_asserted[pirq] = (uint16_t)(irq->pirq_asserted[pirq] + step);
        if (irq->pirq_route[pirq] < IRQ_ISA) {
            line_update(irq, irq->pirq_route[pirq]);
        }
    }
}

/* Holds the PIT's and the RTC's interrupts back, or gives them free. */
static void hpet_legacy_set(struct irq *irq, bool on)
{
    struct kvm_pit_state2 pit;

    if (irq->hpet_legacy == on) {
        return;
    }
    irq->hpet_legacy = on;
    if (kvm_ioctl(irq->kvm->vm, KVM_GET_PIT2, &pit) == 0) {
        pit.flags &= ~(uint32_t)KVM_PIT_FLAGS_HPET_LEGACY;
        pit.flags |= on ? KVM_PIT_FLAGS_HPET_LEGACY : 0;
        kvm_ioctl(irq->kvm->vm, KVM_SET_PIT2, &pit);
    }
    if (irq->replaced) {
        source_update(irq, irq->replaced);
    }
}

void irq_add(struct irq *irq, struct irq_source *source)
{
    if (source->hpet_replaces) {
        irq->replaced = source;
    }
}

void irq_set(struct irq *irq, struct irq_source *source, bool level)
{
    pthread_mutex_lock(&irq->lock);
    if (source->line == IRQ_HPET_LEGACY) {
        hpet_legacy_set(irq, level);
    } else if (source->line < IRQ_LINES) {
        source->level = level;
        source_update(irq, source);
    }
    pthread_mutex_unlock(&irq->lock);
}

void irq_pirq_route(struct irq *irq, unsigned pirq, uint8_t isa_line)
{
    uint8_t before;

    pthread_mutex_lock(&irq->lock);
    before = irq->pirq_route[pirq];
    irq->pirq_route[pirq] = isa_line;
    if (before < IRQ_ISA) {
        line_update(irq, before);
    }
    if (isa_line < IRQ_ISA) {
        line_update(irq, isa_line);
    }
    pthread_mutex_unlock(&irq->lock);
}

void irq_save_power_on(struct irq *irq)
{
    irq->saved = kvm_ioctl(irq->kvm->vm, KVM_GET_PIT2, &irq->pit_power_on) == 0;
    for (unsigned i = 0; i < IRQ_CHIPS; i++) {
        irq->power_on[i].chip_id = i;
        irq->saved &= kvm_ioctl(irq->kvm->vm, KVM_GET_IRQCHIP, &irq->power_on[i]) == 0;
        if (i < KVM_IRQCHIP_IOAPIC) {
            /* An 8259 delivers nothing before its first initialization, which opens the mask. */
            irq->power_on[i].chip.pic.imr = 0xff;
            kvm_ioctl(irq->kvm->vm, KVM_SET_IRQCHIP, &irq->power_on[i]);
        }
    }
}

void irq_reset(struct irq *irq)
{
    pthread_mutex_lock(&irq->lock);
    for (unsigned i = 0; irq->saved && i < IRQ_CHIPS; i++) {
        kvm_ioctl(irq->kvm->vm, KVM_SET_IRQCHIP, &irq->power_on[i]);
    }
    if (irq->saved) {
        kvm_ioctl(irq->kvm->vm, KVM_SET_PIT2, &irq->pit_power_on);
    }
    /* The controllers forgot their inputs: low, then as the sources say. */
    for (unsigned line = 0; line < IRQ_LINES; line++) {
        struct kvm_irq_level low = { .irq = line, .level = 0 };

        kvm_ioctl(irq->kvm->vm, KVM_IRQ_LINE, &low);
        irq->level[line] = false;
        line_update(irq, line);
    }
    pthread_mutex_unlock(&irq->lock);
}

bool irq_get(struct irq *irq, struct kvm_irqchip chips[IRQ_CHIPS])
{
    bool good = true;

    for (unsigned i = 0; i < IRQ_CHIPS; i++) {
        chips[i] = (struct kvm_irqchip){ .chip_id = i };
        good &= kvm_ioctl(irq->kvm->vm, KVM_GET_IRQCHIP, &chips[i]) == 0;
    }
    return good;
}

bool irq_restore(struct irq *irq, const struct kvm_irqchip chips[IRQ_CHIPS])
{
    bool good = true;

    pthread_mutex_lock(&irq->lock);
    for (unsigned i = 0; i < IRQ_CHIPS; i++) {
        struct kvm_irqchip chip = chips[i];

        chip.chip_id = i;
        good &= kvm_ioctl(irq->kvm->vm, KVM_SET_IRQCHIP, &chip) == 0;
    }
    pthread_mutex_unlock(&irq->lock);
    return good;
}

void irq_msi(struct irq *irq, uint64_t address, uint32_t data)
{
    struct kvm_msi msi = {
        .address_lo = (uint32_t)address,
        .address_hi = (uint32_t)(address >> 32),
        .data = data,
    };

    atomic_fetch_add_explicit(&irq->messages, 1, memory_order_relaxed);
    /* An address or vector that leads nowhere is the guest's affair, as on hardware. */
    kvm_ioctl(irq->kvm->vm, KVM_SIGNAL_MSI, &msi);
}
