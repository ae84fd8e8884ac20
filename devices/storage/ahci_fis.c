/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a drive sends: received FISes (AHCI 1.3.1 section 4.2.1, Serial ATA 3.0 section 10.3) and
 * the copy of the drive's status in PxTFD.
 *
 * Drivers look in both places. Firmware reads the copy in memory as soon as an interrupt bit
 * appears, so the order is always: memory, PxTFD, and last, by the caller, PxIS.
 *
 * A PIO command of several blocks would send a PIO setup FIS for each; only the last one stays in
 * memory, and only that one is written.
 */
#include "ahci.h"
#include "bytes.h"
#include "services.h"

enum {
    AREA_DMA_SETUP = 0x00,
    AREA_PIO_SETUP = 0x20,
    AREA_REGISTER = 0x40,
    AREA_SET_DEVICE_BITS = 0x58,

    FIS_REGISTER = 0x34,
    FIS_DMA_SETUP = 0x41,
    FIS_PIO_SETUP = 0x5f,
    FIS_SET_DEVICE_BITS = 0xa1,

    FIS_TO_HOST = 0x20,
    FIS_INTERRUPT = 0x40,

    STATUS_SET_BY_BITS = 0x77, /* a set device bits FIS leaves BSY and DRQ alone */
};

static bool fis_post(struct ahci_port *port, unsigned at, const uint8_t *fis, size_t length)
{
    if (!(port->cmd & CMD_FRE)) {
        return true;
    }
    if (dev_ram_write(port_device(port), port->fis_area + at, fis, length) == 0) {
        return true;
    }
    guest_error(port_device(port), "port %u: the FIS area at %#llx is not RAM", port->number,
                (unsigned long long)port->fis_area);
    ahci_port_fatal(port, IS_HBFS);
    return false;
}

/* The part that register and PIO setup FISes have in common. */
static void fis_fill(uint8_t *fis, const struct ata_registers *registers)
{
    fis[2] = registers->status;
    fis[3] = registers->error;
    fis[4] = (uint8_t)registers->lba;
    fis[5] = (uint8_t)(registers->lba >> 8);
    fis[6] = (uint8_t)(registers->lba >> 16);
    fis[7] = registers->device;
    fis[8] = (uint8_t)(registers->lba >> 24);
    fis[9] = (uint8_t)(registers->lba >> 32);
    fis[10] = (uint8_t)(registers->lba >> 40);
    store_le16(fis + 12, registers->count);
}

bool fis_register(struct ahci_port *port, const struct ata_registers *registers, bool interrupt)
{
    uint8_t fis[20] = { FIS_REGISTER, interrupt ? FIS_INTERRUPT : 0 };

    fis_fill(fis, registers);
    if (!fis_post(port, AREA_REGISTER, fis, sizeof(fis))) {
        return false;
    }
    port->tfd = (uint16_t)(registers->error << 8 | registers->status);
    return true;
}

bool fis_pio_setup(struct ahci_port *port, const struct ata_registers *registers, bool to_host,
                   bool interrupt, uint16_t count)
{
    uint8_t fis[20] = { FIS_PIO_SETUP };

    fis[1] = (uint8_t)((to_host ? FIS_TO_HOST : 0) | (interrupt ? FIS_INTERRUPT : 0));
    fis_fill(fis, registers);
    fis[2] = STATUS_GOOD | STATUS_DRQ;
    fis[15] = registers->status;
    store_le16(fis + 16, count);
    if (!fis_post(port, AREA_PIO_SETUP, fis, sizeof(fis))) {
        return false;
    }
    port->tfd = (uint16_t)(registers->error << 8 | registers->status);
    return true;
}

bool fis_dma_setup(struct ahci_port *port, uint8_t tag, bool to_host, uint32_t count)
{
    uint8_t fis[28] = { FIS_DMA_SETUP, to_host ? FIS_TO_HOST : 0 };

    fis[4] = tag;
    store_le32(fis + 20, count);
    return fis_post(port, AREA_DMA_SETUP, fis, sizeof(fis));
}

bool fis_set_device_bits(struct ahci_port *port, uint8_t status, uint8_t error, uint32_t finished)
{
    uint8_t fis[8] = { FIS_SET_DEVICE_BITS, FIS_INTERRUPT, status & STATUS_SET_BY_BITS, error };

    store_le32(fis + 4, finished);
    if (!fis_post(port, AREA_SET_DEVICE_BITS, fis, sizeof(fis))) {
        return false;
    }
    port->tfd = (uint16_t)(error << 8 | (port->tfd & (uint8_t)~STATUS_SET_BY_BITS) |
                           (status & STATUS_SET_BY_BITS));
    port->sact &= ~finished;
    return true;
}
