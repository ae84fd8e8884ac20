/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports and PCI configuration space. */
#ifndef WELCOME_IO_H
#define WELCOME_IO_H

#include <stdint.h>

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/* A doubleword of the configuration space of bus 0; `function` is device * 8 + function. */
static inline uint32_t pci_read(unsigned function, unsigned offset)
{
    outl(0xCF8, 0x80000000u | function << 8 | (offset & 0xFC));
    return inl(0xCFC);
}

static inline void pci_write(unsigned function, unsigned offset, uint32_t value)
{
    outl(0xCF8, 0x80000000u | function << 8 | (offset & 0xFC));
    outl(0xCFC, value);
}

#endif
