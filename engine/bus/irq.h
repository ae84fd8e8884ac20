/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Interrupt lines and messages. The controllers (two 8259, IOAPIC, LAPICs, PIT) are the kernel's;
 * this is the wiring in front of them: ISA lines, which reach the 8259s and the IOAPIC, and the
 * eight PIRQs of the south bridge, which reach IOAPIC pins 16-23 and, as the guest routes them, ISA
 * lines. Lines are shared: one is high while any of its sources is.
 *
 * Threads: any, from inside a domain or outside. Leaf.
 */
#ifndef ENGINE_IRQ_H
#define ENGINE_IRQ_H

#include <glib.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm;

enum {
    IRQ_LINES = 24, /* GSIs: pins of the IOAPIC */
    IRQ_ISA = 16,
    IRQ_PIRQS = 8,
    IRQ_PIRQ_FIRST = 16, /* lines 16-23 are PIRQ A-H */
    IRQ_NONE = 0xff,
    IRQ_HPET_LEGACY = 0xfe, /* no interrupt: while high the HPET stands in for PIT and RTC */
    IRQ_CHIPS = 3,          /* two 8259, one IOAPIC */
};

/* One interrupt output of one device. */
struct irq_source {
    uint8_t line;       /* 0-15 ISA, 16-23 inputs of the IOAPIC, or IRQ_NONE: wired to nothing */
    bool pirq;          /* lines 16-23: it is PIRQ A-H, which may also be routed to an ISA line */
    bool hpet_replaces; /* does not count while the HPET stands in for it */
    bool level;
    bool counted; /* in irq.asserted */
};

struct irq {
    struct kvm *kvm;
    pthread_mutex_t lock;
    uint16_t asserted[IRQ_LINES];      /* sources that are high */
    uint16_t pirq_asserted[IRQ_PIRQS]; /* those of them that are PIRQs */
    struct irq_source *replaced;       /* the one with hpet_replaces */
    bool hpet_legacy;
    uint8_t pirq_route[IRQ_PIRQS]; /* ISA line, 0x80 or above: none */
    bool level[IRQ_LINES];         /* as KVM was told */
    _Atomic uint64_t raised, messages;

    struct kvm_irqchip power_on[IRQ_CHIPS];
    struct kvm_pit_state2 pit_power_on;
    bool saved;
};

/* Sets up the routes of pc-1. False with *error set if KVM refuses. */
bool irq_init(struct irq *irq, struct kvm *kvm, GError **error);
void irq_destroy(struct irq *irq);
/* A source, low; before the machine runs. The caller keeps it. */
void irq_add(struct irq *irq, struct irq_source *source);
/* The output goes high or low. */
void irq_set(struct irq *irq, struct irq_source *source, bool level);
/* The south bridge leads PIRQ `pirq` (0..IRQ_PIRQS - 1) to an ISA line, too; from 0x80 on: to none.
 */
void irq_pirq_route(struct irq *irq, unsigned pirq, uint8_t isa_line);
/* A message signalled interrupt (Intel SDM volume 3, section 10.11). */
void irq_msi(struct irq *irq, uint64_t address, uint32_t data);
/* Remembers the state of the controllers and the PIT, and puts them back to it: vCPUs parked. */
void irq_save_power_on(struct irq *irq);
void irq_reset(struct irq *irq);

/* The state of the controllers for a saved machine, vCPUs parked. False if KVM refuses. */
bool irq_get(struct irq *irq, struct kvm_irqchip chips[IRQ_CHIPS]);
/*
 * Puts it back, once the sources are as they were then: what that did to the controllers, which had
 * not been told yet what they had already delivered, is undone by it.
 */
bool irq_restore(struct irq *irq, const struct kvm_irqchip chips[IRQ_CHIPS]);

/* Where the INTx pin (0..3) of the function in `slot` of bus 0 is wired to: a line. */
uint8_t irq_pci_line(unsigned slot, unsigned pin);

#endif
