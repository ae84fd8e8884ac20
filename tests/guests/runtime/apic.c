/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "apic.h"
#include "io.h"

#define IOAPIC_BASE 0xFEC00000u

uint32_t apic_read(unsigned offset)
{
    return read32(APIC_BASE + offset);
}

void apic_write(unsigned offset, uint32_t value)
{
    write32(APIC_BASE + offset, value);
}

void apic_enable(void)
{
    apic_write(APIC_SVR, 0x100 | APIC_SPURIOUS_VECTOR);
    apic_write(APIC_TPR, 0);
}

uint32_t apic_id(void)
{
    return apic_read(APIC_ID) >> 24;
}

void apic_command(uint32_t destination, uint32_t command)
{
    apic_write(APIC_ICR_HIGH, destination << 24);
    apic_write(APIC_ICR, command);
    while (apic_read(APIC_ICR) & 0x1000)
        __asm__ volatile("pause");
}

void apic_end(struct interrupt_frame *frame)
{
    (void)frame;
    apic_write(APIC_EOI, 0);
}

uint32_t ioapic_read(unsigned index)
{
    write32(IOAPIC_BASE, index);
    return read32(IOAPIC_BASE + 0x10);
}

void ioapic_write(unsigned index, uint32_t value)
{
    write32(IOAPIC_BASE, index);
    write32(IOAPIC_BASE + 0x10, value);
}

void ioapic_route(unsigned pin, uint32_t low, uint32_t destination)
{
    ioapic_write(0x10 + 2 * pin, IOAPIC_MASKED);
    ioapic_write(0x11 + 2 * pin, destination << 24);
    ioapic_write(0x10 + 2 * pin, low);
}

uint32_t ioapic_entry(unsigned pin)
{
    return ioapic_read(0x10 + 2 * pin);
}

void pic_setup(uint8_t base, uint16_t open)
{
    outb(0x20, 0x11); /* ICW1: edge, cascade, ICW4 follows */
    outb(0x21, base);
    outb(0x21, 0x04); /* the second chip sits on line 2 */
    outb(0x21, 0x01); /* 8086 mode, explicit end of interrupt */
    outb(0xA0, 0x11);
    outb(0xA1, (uint8_t)(base + 8));
    outb(0xA1, 0x02);
    outb(0xA1, 0x01);
    pic_mask(open);
}

void pic_mask(uint16_t open)
{
    outb(0x21, (uint8_t)~open);
    outb(0xA1, (uint8_t)(~open >> 8));
}

void pic_end(unsigned irq)
{
    if (irq >= 8)
        outb(0xA0, 0x20);
    outb(0x20, 0x20);
}

void pit_start(uint16_t divisor)
{
    outb(0x43, 0x34); /* counter 0, both bytes, mode 2 */
    outb(0x40, (uint8_t)divisor);
    outb(0x40, (uint8_t)(divisor >> 8));
}

void pit_stop(void)
{
    outb(0x43, 0x30); /* mode 0 does not count before a count is written */
}
