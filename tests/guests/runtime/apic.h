/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupt controllers: the local APIC, the I/O APIC, the two 8259 and the 8254 that ticks. */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "cpu.h"

/* Local APIC registers (Intel SDM volume 3, chapter 11). */
#define APIC_BASE            0xFEE00000u
#define APIC_ID              0x020
#define APIC_VERSION         0x030
#define APIC_TPR             0x080
#define APIC_EOI             0x0B0
#define APIC_SVR             0x0F0
#define APIC_IRR             0x200
#define APIC_ICR             0x300
#define APIC_ICR_HIGH        0x310
#define APIC_LVT_TIMER       0x320
#define APIC_LVT_LINT0       0x350
#define APIC_LVT_LINT1       0x360
#define APIC_LVT_ERROR       0x370
#define APIC_TIMER_INITIAL   0x380
#define APIC_TIMER_CURRENT   0x390
#define APIC_TIMER_DIVIDE    0x3E0

#define APIC_MASKED          0x10000u
#define APIC_PERIODIC        0x20000u
#define APIC_DEADLINE        0x40000u
#define APIC_EXTINT          0x700u

#define APIC_FIXED           0x4000u
#define APIC_NMI             0x4400u
#define APIC_INIT            0x4500u
#define APIC_STARTUP         0x4600u
#define APIC_SELF            0x40000u
#define APIC_ALL             0x80000u
#define APIC_ALL_BUT_SELF    0xC0000u

#define APIC_SPURIOUS_VECTOR 0xFF

uint32_t apic_read(unsigned offset);
void apic_write(unsigned offset, uint32_t value);

/* Software-enables the local APIC of this processor, all priorities open. */
void apic_enable(void);
uint32_t apic_id(void);

/* Sends through the ICR and waits until it is sent. */
void apic_command(uint32_t destination, uint32_t command);

/* A handler that only ends the interrupt, and the call that ends it in other handlers. */
void apic_end(struct interrupt_frame *frame);

/* I/O APIC (82093AA): redirection entry of one pin, low and high half. */
#define IOAPIC_MASKED 0x10000u
#define IOAPIC_LEVEL  0x8000u
#define IOAPIC_REMOTE 0x4000u
#define IOAPIC_PINS   24
uint32_t ioapic_read(unsigned index);
void ioapic_write(unsigned index, uint32_t value);
void ioapic_route(unsigned pin, uint32_t low, uint32_t destination);
uint32_t ioapic_entry(unsigned pin);

/* 8259 pair: edge mode, vectors `base` to `base` + 15, the given lines open (bit n: IRQ n). */
void pic_setup(uint8_t base, uint16_t open);
void pic_mask(uint16_t open);
void pic_end(unsigned irq);

/* 8254 counter 0 as a rate generator, in ticks of 1.193182 MHz; 65536 is 0. */
void pit_start(uint16_t divisor);
void pit_stop(void);

#endif
