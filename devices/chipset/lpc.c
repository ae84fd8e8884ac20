/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ICH9 LPC bridge (function 1f.0): places the power management block (pm.c), routes the PCI
 * interrupts to the ISA controllers, holds the chipset configuration registers (RCBA) and a few
 * fixed ports: 80 (POST code), 92 (fast A20 and reset), B2/B3 (APM command and status), F0 (FERR).
 *
 * ICH9 datasheet (316972), sections 13.1 (D31:F0), 13.7 and 10.1 (RCBA).
 *
 * The interrupt routing words of RCBA are fixed at their reset values: pin A..D of every chipset
 * device is PIRQA..D. GCS says that the TCO watchdog cannot reset the machine, so drivers leave it
 * alone.
 *
 * Left out: 8237 DMA controllers (their ports read as ones, which is how Linux finds that there are
 * none; only a floppy drive would use them), general purpose I/O, SMI, the SPI flash interface, the
 * LPC decode ranges: every legacy device is a device of its own. The interrupt controllers, their
 * ELCR and the timer 8254 are in the kernel. A20 is always on. Nothing here fails; a guest that
 * routes a PIRQ to a reserved interrupt has it disconnected.
 */
#include "bytes.h"
#include "pci.h"
#include "pm.h"
#include "services.h"

enum {
    PMBASE = 0x40,
    ACPI_CNTL = 0x44,
    PIRQA_ROUT = 0x60,
    PIRQE_ROUT = 0x68,
    GEN_PMCON_1 = 0xa0,
    RCBA = 0xf0,

    PMBASE_RESET = 1,
    PMBASE_MASK = 0xff80,
    ACPI_ENABLE = 1u << 7,
    PIRQ_RESET = 0x80,
    PIRQ_DISABLED = 0x80,
    PIRQS = 8,
    SMI_LOCK = 1u << 4,
    GEN_PMCON_1_MASK = 0x04af,
    RCBA_ENABLE = 1u << 0,
    RCBA_SIZE = 16 << 10,
    RCBA_GCS = 0x3410,
    GCS_NO_REBOOT = 1u << 5,

    PORT_92_RESET = 1u << 0,
    PORT_92_A20 = 1u << 1,
};

#define RCBA_MASK 0xffffc000u

/* Regions, in the order of the class's table; the first four follow PMBASE. */
enum {
    REGION_PM1,
    REGION_PM_TIMER,
    REGION_GPE0,
    REGION_SMI,
    REGION_RCBA,
    REGION_POST,
    REGION_PORT_92,
    REGION_APM,
    REGION_FERR,
};

struct lpc {
    struct pci_device pci;
    struct pm pm;
    uint8_t post_code; /* port 80 */
    uint8_t port_92;
    uint8_t apm[2]; /* B2 command, B3 status */
};

static struct lpc *to_lpc(struct device *device)
{
    return (struct lpc *)device;
}

struct pm *pm_of(struct device *device)
{
    return &to_lpc(device)->pm;
}

bool pm_smi_locked(struct device *device)
{
    return (to_pci(device)->config[GEN_PMCON_1] & SMI_LOCK) != 0;
}

/* --- Fixed ports ------------------------------------------------------------------------------ */

static uint64_t post_read(struct device *device, uint64_t offset, unsigned size)
{
    return to_lpc(device)->post_code;
}

static void post_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    to_lpc(device)->post_code = (uint8_t)value;
}

static uint64_t port_92_read(struct device *device, uint64_t offset, unsigned size)
{
    return to_lpc(device)->port_92 | PORT_92_A20;
}

static void port_92_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct lpc *lpc = to_lpc(device);
    bool rising = (value & PORT_92_RESET) && !(lpc->port_92 & PORT_92_RESET);

    lpc->port_92 = (uint8_t)value;
    if (rising) {
        dev_request(device, REQUEST_RESET, 0);
    }
}

static uint64_t apm_read(struct device *device, uint64_t offset, unsigned size)
{
    return to_lpc(device)->apm[offset];
}

static void apm_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    to_lpc(device)->apm[offset] = (uint8_t)value;
}

/* The processor itself tells the interrupt controller; the write is taken so that it is no error.
 */
static void ferr_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
}

/* --- Chipset configuration registers ---------------------------------------------------------- */

static const struct {
    uint16_t offset;
    uint16_t value;
} rcba_words[] = {
    { 0x3140, 0x3210 }, /* D31IR */
    { 0x3144, 0x3210 }, /* D29IR */
    { 0x3146, 0x3210 }, /* D28IR */
    { 0x3148, 0x3210 }, /* D27IR */
    { 0x314c, 0x3210 }, /* D26IR */
    { 0x3150, 0x3210 }, /* D25IR */
    { RCBA_GCS, GCS_NO_REBOOT },
};

static uint64_t rcba_read(struct device *device, uint64_t offset, unsigned size)
{
    uint8_t dword[4] = { 0 };

    for (unsigned i = 0; i < sizeof(rcba_words) / sizeof(rcba_words[0]); i++) {
        if (rcba_words[i].offset / 4 == offset / 4) {
            store_le16(dword + rcba_words[i].offset % 4, rcba_words[i].value);
        }
    }
    return load_le(dword, size);
}

static void rcba_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset / 4 != RCBA_GCS / 4) {
        guest_error(device, "write of %#llx to chipset configuration register %#llx",
                    (unsigned long long)value, (unsigned long long)offset);
    }
}

/* --- Effects of the configuration space ------------------------------------------------------- */

static void pm_place(struct lpc *lpc)
{
    static const uint8_t offsets[] = {
        [REGION_PM1] = PM1_OFFSET,
        [REGION_PM_TIMER] = PM_TIMER_OFFSET,
        [REGION_GPE0] = GPE0_OFFSET,
        [REGION_SMI] = SMI_OFFSET,
    };
    struct device *device = &lpc->pci.device;
    uint16_t base = load_le16(lpc->pci.config + PMBASE) & PMBASE_MASK;
    bool enabled = (lpc->pci.config[ACPI_CNTL] & ACPI_ENABLE) && base > 0;

    for (unsigned i = 0; i < sizeof(offsets); i++) {
        if (enabled) {
            dev_region_place(device, i, base + offsets[i]);
        } else {
            device->services->region_remove(device, i);
        }
    }
}

static void rcba_place(struct lpc *lpc)
{
    struct device *device = &lpc->pci.device;
    uint32_t value = load_le32(lpc->pci.config + RCBA);
    uint32_t base = value & RCBA_MASK;

    if ((value & RCBA_ENABLE) && base > 0) {
        dev_region_place(device, REGION_RCBA, base);
    } else {
        device->services->region_remove(device, REGION_RCBA);
    }
}

/* Where PIRQ `pirq` is routed: bit 7 set, none; interrupts 0, 1, 2, 8 and 13 are reserved. */
static uint8_t pirq_target(struct lpc *lpc, unsigned pirq)
{
    uint8_t route = lpc->pci.config[pirq < 4 ? PIRQA_ROUT + pirq : PIRQE_ROUT + pirq - 4];
    unsigned irq = route & 0xf;

    if (route & PIRQ_DISABLED) {
        return PIRQ_DISABLED;
    }
    if (irq <= 2 || irq == 8 || irq == 13) {
        guest_error(&lpc->pci.device, "PIRQ%c routed to the reserved interrupt %u",
                    (char)('A' + pirq), irq);
        return PIRQ_DISABLED;
    }
    return (uint8_t)irq;
}

static void pirqs_route(struct lpc *lpc)
{
    for (unsigned pirq = 0; pirq < PIRQS; pirq++) {
        lpc->pci.device.services->pirq_route(&lpc->pci.device, pirq, pirq_target(lpc, pirq));
    }
}

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned length)
{
    return offset < first + length && offset + size > first;
}

static void lpc_on_config(struct device *device, unsigned offset, unsigned size)
{
    struct lpc *lpc = to_lpc(device);

    if (touches(offset, size, PMBASE, 8)) {
        pm_place(lpc);
    }
    if (touches(offset, size, PIRQA_ROUT, 4) || touches(offset, size, PIRQE_ROUT, 4)) {
        pirqs_route(lpc);
    }
    if (touches(offset, size, GEN_PMCON_1, 1) && pm_smi_locked(device)) {
        lpc->pci.write_mask[GEN_PMCON_1] &= (uint8_t)~SMI_LOCK;
    }
    if (touches(offset, size, RCBA, 4)) {
        rcba_place(lpc);
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

static int lpc_create(struct device *device, struct dev_error *error)
{
    struct pci_device *pci = to_pci(device);

    pci_config_set(pci, PMBASE, 4, PMBASE_RESET);
    pci_config_writable(pci, PMBASE, 2, PMBASE_MASK);
    pci_config_writable(pci, ACPI_CNTL, 1, ACPI_ENABLE);
    pci_config_writable(pci, PIRQA_ROUT, 4, 0x8f8f8f8f);
    pci_config_writable(pci, PIRQE_ROUT, 4, 0x8f8f8f8f);
    pci_config_writable(pci, GEN_PMCON_1, 2, GEN_PMCON_1_MASK);
    pci_config_writable(pci, RCBA, 4, RCBA_MASK | RCBA_ENABLE);
    return 0;
}

static void lpc_reset(struct device *device, enum reset_kind kind)
{
    struct lpc *lpc = to_lpc(device);

    for (unsigned i = 0; i < 4; i++) {
        pci_config_set(&lpc->pci, PIRQA_ROUT + i, 1, PIRQ_RESET);
        pci_config_set(&lpc->pci, PIRQE_ROUT + i, 1, PIRQ_RESET);
    }
    pci_config_set(&lpc->pci, GEN_PMCON_1, 2, 0);
    pci_config_writable(&lpc->pci, GEN_PMCON_1, 2, GEN_PMCON_1_MASK | SMI_LOCK);
    lpc->post_code = 0;
    lpc->port_92 = 0;
    lpc->apm[0] = 0;
    lpc->apm[1] = 0;
    pm_place(lpc);
    rcba_place(lpc);
    pirqs_route(lpc);
    pm_reset(device);
}

static void lpc_on_timer(struct device *device, unsigned timer)
{
    pm_update(device);
}

static void lpc_restored(struct device *device)
{
    struct lpc *lpc = to_lpc(device);
    uint32_t lock = pm_smi_locked(device) ? 0 : SMI_LOCK;

    pci_config_writable(&lpc->pci, GEN_PMCON_1, 2, GEN_PMCON_1_MASK | lock);
    pm_place(lpc);
    rcba_place(lpc);
    pirqs_route(lpc);
    pm_restored(device);
}

static const struct region_desc lpc_regions[] = {
    [REGION_PM1] = { .name = "PM1",
                     .space = REGION_PIO,
                     .size = 8,
                     .base = REGION_UNPLACED,
                     .read_sizes = SIZE_1 | SIZE_2,
                     .write_sizes = SIZE_1 | SIZE_2,
                     .read = pm1_read,
                     .write = pm1_write },
    [REGION_PM_TIMER] = { .name = "PM timer",
                          .space = REGION_PIO,
                          .size = 4,
                          .base = REGION_UNPLACED,
                          .read_sizes = SIZE_4,
                          .flags = REGION_LOCKLESS_READ,
                          .read = pm_timer_read },
    [REGION_GPE0] = { .name = "GPE0",
                      .space = REGION_PIO,
                      .size = 16,
                      .base = REGION_UNPLACED,
                      .read_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                      .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                      .read = gpe0_read,
                      .write = gpe0_write },
    [REGION_SMI] = { .name = "SMI",
                     .space = REGION_PIO,
                     .size = 8,
                     .base = REGION_UNPLACED,
                     .read_sizes = SIZE_4,
                     .write_sizes = SIZE_4,
                     .read = smi_read,
                     .write = smi_write },
    [REGION_RCBA] = { .name = "RCBA",
                      .space = REGION_MMIO,
                      .size = RCBA_SIZE,
                      .base = REGION_UNPLACED,
                      .read_sizes = SIZE_4,
                      .write_sizes = SIZE_1 | SIZE_2 | SIZE_4,
                      .read = rcba_read,
                      .write = rcba_write },
    [REGION_POST] = { .name = "POST code",
                      .space = REGION_PIO,
                      .size = 1,
                      .base = 0x80,
                      .read_sizes = SIZE_1,
                      .write_sizes = SIZE_1,
                      .flags = REGION_COALESCE,
                      .read = post_read,
                      .write = post_write },
    [REGION_PORT_92] = { .name = "port 92",
                         .space = REGION_PIO,
                         .size = 1,
                         .base = 0x92,
                         .read_sizes = SIZE_1,
                         .write_sizes = SIZE_1,
                         .read = port_92_read,
                         .write = port_92_write },
    [REGION_APM] = { .name = "APM",
                     .space = REGION_PIO,
                     .size = 2,
                     .base = 0xb2,
                     .read_sizes = SIZE_1,
                     .write_sizes = SIZE_1,
                     .read = apm_read,
                     .write = apm_write },
    [REGION_FERR] = { .name = "FERR",
                      .space = REGION_PIO,
                      .size = 1,
                      .base = 0xf0,
                      .write_sizes = SIZE_1,
                      .write = ferr_write },
};

static const struct state_field lpc_fields[] = {
    FIELD_STRUCT(struct lpc, pci, pci_fields),
    FIELD_STRUCT(struct lpc, pm, pm_fields),
    FIELD(struct lpc, post_code),
    FIELD(struct lpc, port_92),
    FIELD_ARRAY(struct lpc, apm),
    FIELD_END,
};

static const struct pci_info lpc_pci = {
    .vendor = 0x8086,
    .device = 0x2918,
    .revision = 2,
    .class_code = 0x060100,
    .multifunction = true,
};

const struct device_class lpc_class = {
    .name = "ich9-lpc",
    .version = 1,
    .state_size = sizeof(struct lpc),
    .description = "ICH9 LPC bridge: power management, interrupt routing, fixed ports",
    .regions = lpc_regions,
    .n_regions = sizeof(lpc_regions) / sizeof(lpc_regions[0]),
    .n_irqs = 1, /* the SCI */
    .n_timers = 1,
    .fields = lpc_fields,
    .pci = &lpc_pci,
    .create = lpc_create,
    .reset = lpc_reset,
    .on_timer = lpc_on_timer,
    .on_event = pm_event,
    .on_config = lpc_on_config,
    .restored = lpc_restored,
};
