/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PCI configuration space through ports CF8 and CFC. */
#ifndef FREESTANDING_PCI_H
#define FREESTANDING_PCI_H

#include <stdint.h>

#define PCI_FUNCTION(bus, device, function) ((bus) << 8 | (device) << 3 | (function))

/* A register of 1, 2 or 4 bytes, aligned to its size. What is not there reads as ones. */
uint32_t pci_read(unsigned function, unsigned offset, unsigned size);
void pci_write(unsigned function, unsigned offset, unsigned size, uint32_t value);

#endif
