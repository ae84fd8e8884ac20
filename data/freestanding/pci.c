/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pci.h"
#include "io.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA    0xCFC

uint32_t pci_read(unsigned function, unsigned offset, unsigned size)
{
    uint16_t port = (uint16_t)(CONFIG_DATA + (offset & 3));

    outl(CONFIG_ADDRESS, 0x80000000u | function << 8 | (offset & 0xFC));
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

void pci_write(unsigned function, unsigned offset, unsigned size, uint32_t value)
{
    uint16_t port = (uint16_t)(CONFIG_DATA + (offset & 3));

    outl(CONFIG_ADDRESS, 0x80000000u | function << 8 | (offset & 0xFC));
    if (size == 1)
        outb(port, (uint8_t)value);
    else if (size == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, value);
}
