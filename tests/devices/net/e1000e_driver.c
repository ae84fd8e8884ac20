/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "e1000e_driver.h"

#include <string.h>

#include "bytes.h"

void card_open(struct card *card)
{
    static const struct option_value values[] = { { "mac", "52:4f:00:01:02:03" }, { NULL, NULL } };

    memset(card, 0, sizeof(*card));
    card->fake = fake_new(CARD_RAM);
    card->device = fake_add(card->fake, "e1000e", values);
    device_reset(card->device, RESET_COLD);
    fake_map_bar(card->device, 0, CARD_REGISTERS);
    fake_map_bar(card->device, 1, CARD_FLASH);
    fake_map_bar(card->device, 2, CARD_PORTS);
    fake_map_bar(card->device, 3, CARD_MSIX);
}

void card_close(struct card *card)
{
    fake_free(card->fake);
}

uint32_t card_read(struct card *card, unsigned offset)
{
    return (uint32_t)fake_read(card->fake, CARD_REGISTERS + offset, 4);
}

void card_write(struct card *card, unsigned offset, uint32_t value)
{
    fake_write(card->fake, CARD_REGISTERS + offset, 4, value);
}

static void ring_make(struct card *card, unsigned at, uint64_t base, unsigned entry)
{
    card_write(card, at, (uint32_t)base);
    card_write(card, at + 0x04, 0);
    card_write(card, at + 0x08, CARD_ENTRIES * entry);
    card_write(card, at + 0x10, 0);
    card_write(card, at + 0x18, 0);
}

void card_start(struct card *card)
{
    for (unsigned q = 0; q < 2; q++) {
        ring_make(card, TDBAL + 0x100 * q, CARD_TX_RING + CARD_RING_STRIDE * q, 16);
        ring_make(card, RDBAL + 0x100 * q, CARD_RX_RING + CARD_RING_STRIDE * q, 16);
    }
    card_write(card, RFCTL, 1u << 15);                     /* EXSTEN */
    card_write(card, RCTL, 1u << 1 | 1u << 15 | 1u << 26); /* EN, BAM, SECRC */
    card_write(card, TCTL, 1u << 1 | 1u << 3);             /* EN, PSP */
}

void card_msix(struct card *card)
{
    unsigned at = (unsigned)fake_config_read(card->device, 0x34, 1);

    for (unsigned vector = 0; vector < 5; vector++) {
        fake_write(card->fake, CARD_MSIX + vector * 16, 8, CARD_MSI_ADDRESS);
        fake_write(card->fake, CARD_MSIX + vector * 16 + 8, 4, CARD_MSI_DATA + vector);
        fake_write(card->fake, CARD_MSIX + vector * 16 + 12, 4, 0);
    }
    while (fake_config_read(card->device, at, 1) != 0x11) {
        at = (unsigned)fake_config_read(card->device, at + 1, 1);
    }
    fake_config_write(card->device, at + 2, 2, 0x8000);
    card_write(card, IVAR, 0xcba98);
}

void card_descriptor(struct card *card, unsigned queue, uint64_t address, uint32_t lower,
                     uint32_t upper)
{
    uint8_t *at = card_sent(card, queue, card->tx_tail[queue]);

    store_le64(at, address);
    store_le32(at + 8, lower);
    store_le32(at + 12, upper);
    card->tx_tail[queue] = (card->tx_tail[queue] + 1) % CARD_ENTRIES;
}

void card_send(struct card *card, unsigned queue)
{
    card_write(card, TDBAL + 0x100 * queue + 0x18, card->tx_tail[queue]);
}

uint8_t *card_sent(struct card *card, unsigned queue, unsigned index)
{
    return fake_ram(card->fake) + CARD_TX_RING + CARD_RING_STRIDE * queue + 16 * index;
}

uint8_t *card_received(struct card *card, unsigned queue, unsigned index, unsigned size)
{
    return fake_ram(card->fake) + CARD_RX_RING + CARD_RING_STRIDE * queue + size * index;
}

static uint64_t buffer_address(unsigned queue, unsigned index)
{
    return CARD_BUFFERS + 0x10000 * queue + 0x1000 * index;
}

uint8_t *card_buffer(struct card *card, unsigned queue, unsigned index)
{
    return fake_ram(card->fake) + buffer_address(queue, index);
}

void card_buffers(struct card *card, unsigned queue, unsigned n, unsigned size)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned index = card->rx_tail[queue];
        uint8_t *at = card_received(card, queue, index, size);

        memset(at, 0, size);
        for (unsigned buffer = 0; buffer < (size == 32 ? 4 : 1); buffer++) {
            store_le64(at + 8 * buffer, buffer_address(queue, index) + 1024 * buffer);
        }
        card->rx_tail[queue] = (index + 1) % CARD_ENTRIES;
    }
    card_write(card, RDBAL + 0x100 * queue + 0x18, card->rx_tail[queue]);
}
