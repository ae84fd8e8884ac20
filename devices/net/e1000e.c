/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network card Intel 82574L (8086:10D3), after the "Intel 82574 GbE Controller Family Datasheet":
 * the card whose driver every system of the last fifteen years brings along. PCI Express, MSI-X
 * with five vectors, MSI, INTx; two queues each way.
 *
 * BAR 0 has the registers, BAR 1 a flash that is not there, BAR 2 the registers through an index at
 * ports, BAR 3 the MSI-X table.
 *
 * Doorbells are exits: their value is needed, which an ioeventfd does not keep.
 *
 * Left out: loopback (what is sent then is lost), wake-up, manageability, flash, time stamps, flow
 * control (the back end has no pause frames), half duplex.
 *
 * How it fails: what cannot be sent or a buffer that is no RAM is a guest error, and the descriptor
 * comes back; a ring whose registers make no sense is not used.
 */
#include "e1000e.h"

enum {
    REGION_REGISTERS,
    REGION_FLASH,
    REGION_IO,
    REGION_MSIX,

    IO_ADDRESS = 0,
    IO_DATA = 4,
    REGISTERS_SIZE = 0x20000,
    FLASH_SIZE = 0x10000,
    MSIX_SIZE = 0x1000,
};

/* --- What the other files use ----------------------------------------------------------------- */

bool e1000e_may_dma(struct e1000e *e1000e)
{
    return pci_bus_master(&e1000e->pci) &&
           !(*e1000e_reg(e1000e, REG_CTRL) & CTRL_GIO_MASTER_DISABLE);
}

bool e1000e_loopback(struct e1000e *e1000e)
{
    return (*e1000e_reg(e1000e, REG_RCTL) & RCTL_LBM) || e1000e_phy_loopback(e1000e);
}

struct e1000e_ring e1000e_ring(struct e1000e *e1000e, unsigned at, unsigned entry_size)
{
    struct e1000e_ring ring = {
        .at = at,
        .base = (*e1000e_reg(e1000e, at + RING_BAL) & ~UINT64_C(15)) |
                (uint64_t)*e1000e_reg(e1000e, at + RING_BAH) << 32,
        .entries = (*e1000e_reg(e1000e, at + RING_LEN) & 0xfff80) / entry_size,
        .head = *e1000e_reg(e1000e, at + RING_HEAD) & 0xffff,
        .tail = *e1000e_reg(e1000e, at + RING_TAIL) & 0xffff,
    };

    if (ring.head >= ring.entries || ring.tail >= ring.entries) {
        ring.entries = 0;
    }
    return ring;
}

void e1000e_count(struct e1000e *e1000e, unsigned offset, uint32_t n)
{
    uint32_t *counter = e1000e_reg(e1000e, offset);

    *counter = *counter > UINT32_MAX - n ? UINT32_MAX : *counter + n;
}

static void count_long(struct e1000e *e1000e, unsigned offset, uint32_t n)
{
    uint32_t *low = e1000e_reg(e1000e, offset), *high = e1000e_reg(e1000e, offset + 4);
    uint64_t value = (uint64_t)*high << 32 | *low;

    value = value > UINT64_MAX - n ? UINT64_MAX : value + n;
    *low = (uint32_t)value;
    *high = (uint32_t)(value >> 32);
}

void e1000e_count_frame(struct e1000e *e1000e, bool received, const uint8_t *bytes, uint32_t length)
{
    static const uint32_t sizes[] = { 64, 127, 255, 511, 1023 };
    bool multicast = bytes[0] & 1, broadcast = load_le32(bytes) == UINT32_MAX;
    unsigned class = 0;

    while (class < sizeof(sizes) / sizeof(sizes[0]) && length > sizes[class]) {
        class ++;
    }
    e1000e_count(e1000e, (received ? STAT_PRC64 : STAT_PTC64) + 4 * class, 1);
    e1000e_count(e1000e, received ? STAT_TPR : STAT_TPT, 1);
    e1000e_count(e1000e, received ? STAT_GPRC : STAT_GPTC, 1);
    count_long(e1000e, received ? STAT_TOR : STAT_TOT, length);
    count_long(e1000e, received ? STAT_GORC : STAT_GOTC, length);
    if (broadcast) {
        e1000e_count(e1000e, received ? STAT_BPRC : STAT_BPTC, 1);
    } else if (multicast) {
        e1000e_count(e1000e, received ? STAT_MPRC : STAT_MPTC, 1);
    }
}

void e1000e_mac_reset(struct e1000e *e1000e)
{
    e1000e_registers_reset(e1000e);
    e1000e_interrupts_reset(e1000e);
    e1000e->context = (struct e1000e_context){ .mss = 0 };
    e1000e->skipping[0] = e1000e->skipping[1] = false;
    e1000e->stuck = false;
}

/* --- Ports ------------------------------------------------------------------------------------ */

static uint64_t io_read(struct device *device, uint64_t offset, unsigned size)
{
    struct e1000e *e1000e = to_e1000e(device);

    switch (offset) {
    case IO_ADDRESS:
        return e1000e->ioaddr;
    case IO_DATA:
        return e1000e->ioaddr < REGISTERS_SIZE
                   ? e1000e_registers_read(device, e1000e->ioaddr & ~3u, size)
                   : 0;
    default:
        return 0;
    }
}

static void io_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct e1000e *e1000e = to_e1000e(device);

    if (offset == IO_ADDRESS) {
        e1000e->ioaddr = (uint32_t)value;
    } else if (offset == IO_DATA && e1000e->ioaddr < REGISTERS_SIZE) {
        e1000e_registers_write(device, e1000e->ioaddr & ~3u, size, value);
    } else {
        guest_error(device, "write of %#llx to port %#llx, index %#x, which is no register",
                    (unsigned long long)value, (unsigned long long)offset, e1000e->ioaddr);
    }
}

/* --- The outside ------------------------------------------------------------------------------ */

static void e1000e_on_net(struct device *device)
{
    struct e1000e *e1000e = to_e1000e(device);
    bool link = device->services->net_link(device);

    if (link != e1000e->link) {
        e1000e->link = link;
        e1000e_raise(e1000e, ICR_LSC);
    }
    e1000e_receive(e1000e);
    if (e1000e->stuck) {
        e1000e_transmit(e1000e);
    }
}

static void e1000e_on_task(struct device *device, unsigned task)
{
    if (task == TASK_TRANSMIT) {
        e1000e_transmit(to_e1000e(device));
    } else {
        e1000e_receive(to_e1000e(device));
    }
}

static void e1000e_on_timer(struct device *device, unsigned timer)
{
    e1000e_interrupt_timer(to_e1000e(device), timer);
}

/* Bus mastering, MSI or MSI-X may have been turned on. */
static void e1000e_on_config(struct device *device, unsigned offset, unsigned size)
{
    struct e1000e *e1000e = to_e1000e(device);

    (void)offset;
    (void)size;
    e1000e_interrupts_update(e1000e);
    if (e1000e_may_dma(e1000e)) {
        e1000e_receive(e1000e);
        e1000e_transmit(e1000e);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int e1000e_create(struct device *device, struct dev_error *error)
{
    struct e1000e *e1000e = to_e1000e(device);

    return net_mac_parse(device, e1000e->mac_text, e1000e->permanent, error);
}

static void e1000e_reset(struct device *device, enum reset_kind kind)
{
    struct e1000e *e1000e = to_e1000e(device);

    (void)kind;
    e1000e_nvm_reset(e1000e);
    e1000e_phy_reset(e1000e);
    e1000e_mac_reset(e1000e);
    e1000e->ioaddr = 0;
    e1000e->link = device->services->net_link(device);
    device->services->net_accept(device, 0);
}

static void e1000e_restored(struct device *device)
{
    struct e1000e *e1000e = to_e1000e(device);

    device->services->net_accept(device, 0);
    e1000e_interrupts_restored(e1000e);
    dev_defer(device, TASK_TRANSMIT);
    dev_defer(device, TASK_RECEIVE);
}

static const struct option_desc e1000e_options[] = {
    { "mac", OPTION_STRING, offsetof(struct e1000e, mac_text), 0,
      sizeof(((struct e1000e *)0)->mac_text), "02:00:00:00:00:01", "address of the card" },
    { NULL },
};

static const struct state_field e1000e_fields[] = {
    FIELD_STRUCT(struct e1000e, pci, pci_fields),
    FIELD_ARRAY(struct e1000e, reg),
    FIELD(struct e1000e, ioaddr),
    FIELD_ARRAY(struct e1000e, nvm),
    FIELD_ARRAY(struct e1000e, phy),
    FIELD(struct e1000e, link),
    FIELD(struct e1000e, mng_reserved),
    FIELD_MAX(struct e1000e, active, ICR_CAUSES),
    FIELD_MAX(struct e1000e, due, 0x01f00000),
    FIELD_ARRAY(struct e1000e, throttle),
    FIELD_STRUCTS_ARRAY(struct e1000e, delays, e1000e_delay_fields),
    FIELD_STRUCT(struct e1000e, context, e1000e_context_fields),
    FIELD_ARRAY(struct e1000e, skipping),
    FIELD_END,
};

static const struct region_desc e1000e_regions[] = {
    [REGION_REGISTERS] = { .name = "registers",
                           .space = REGION_MMIO,
                           .size = REGISTERS_SIZE,
                           .base = REGION_UNPLACED,
                           .read_sizes = SIZE_4,
                           .write_sizes = SIZE_4,
                           .read = e1000e_registers_read,
                           .write = e1000e_registers_write },
    [REGION_FLASH] = { .name = "flash",
                       .space = REGION_MMIO,
                       .size = FLASH_SIZE,
                       .base = REGION_UNPLACED },
    [REGION_IO] = { .name = "io",
                    .space = REGION_PIO,
                    .size = 32,
                    .base = REGION_UNPLACED,
                    .read_sizes = SIZE_4,
                    .write_sizes = SIZE_4,
                    .read = io_read,
                    .write = io_write },
    [REGION_MSIX] = { .name = "msix",
                      .space = REGION_MMIO,
                      .size = MSIX_SIZE,
                      .base = REGION_UNPLACED,
                      .read_sizes = SIZE_4 | SIZE_8,
                      .write_sizes = SIZE_4 | SIZE_8,
                      .read = pci_msix_read,
                      .write = pci_msix_write },
};

static const struct pci_info e1000e_pci = {
    .vendor = 0x8086,
    .device = 0x10d3,
    .subsystem_vendor = 0x8086,
    .subsystem = 0x0000,
    .class_code = 0x020000,
    .interrupt_pin = 1,
    .bars[0] = { .kind = PCI_BAR_MMIO32, .index = REGION_REGISTERS, .size = REGISTERS_SIZE },
    .bars[1] = { .kind = PCI_BAR_MMIO32, .index = REGION_FLASH, .size = FLASH_SIZE },
    .bars[2] = { .kind = PCI_BAR_PIO, .index = REGION_IO, .size = 32 },
    .bars[3] = { .kind = PCI_BAR_MMIO32, .index = REGION_MSIX, .size = MSIX_SIZE },
    .pcie = PCIE_INTEGRATED_ENDPOINT,
    .msi_vectors = 1,
    .msi_no_mask = true,
    .msix_vectors = E1000E_VECTORS,
    .msix_bar = 3,
    .power_management = true,
};

const struct device_class e1000e_class = {
    .name = "e1000e",
    .version = 1,
    .state_size = sizeof(struct e1000e),
    .description = "Intel 82574L network card",
    .options = e1000e_options,
    .regions = e1000e_regions,
    .n_regions = sizeof(e1000e_regions) / sizeof(e1000e_regions[0]),
    .n_timers = E1000E_TIMERS,
    .n_tasks = E1000E_TASKS,
    .fields = e1000e_fields,
    .pci = &e1000e_pci,
    .create = e1000e_create,
    .reset = e1000e_reset,
    .on_timer = e1000e_on_timer,
    .on_task = e1000e_on_task,
    .on_net = e1000e_on_net,
    .on_config = e1000e_on_config,
    .restored = e1000e_restored,
};
