/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ACPI power management registers of the ICH9: PM1 events and control, the power management timer,
 * general purpose events, SMI enable.
 *
 * ACPI 6.4 section 4.8 (fixed hardware registers); ICH9 datasheet section 13.8.3. There is no
 * system management mode: SCI_EN is set from power on (no ACPI enable handshake), and APMC_EN of
 * SMI_EN is set so that firmware takes SMM for initialised. Sleep types are those of the DSDT: 0 is
 * S5, 1 S3, 2 S4.
 *
 * TMR_STS is worked out when somebody looks: the tick of the timer's next bit 23 toggle is
 * remembered when the bit is cleared. A host timer runs only while the guest has TMR_EN set and the
 * bit is clear.
 *
 * Left out: TCO watchdog (lpc.c answers that it is disabled by a strap), thermal throttling, GPE
 * sources other than bit 5 (VM generation id changed), SMI. Nothing here fails.
 */
#include "bytes.h"
#include "pm.h"
#include "services.h"

enum {
    PM1_TIMER = 1u << 0,
    PM1_POWER_BUTTON = 1u << 8,
    PM1_SLEEP_BUTTON = 1u << 9,
    PM1_WAKE = 1u << 15,
    PM1_STATUS_MASK = 0x8731, /* TMR, BM, GBL, PWRBTN, SLPBTN, RTC, WAK */
    PM1_ENABLE_MASK = 0x0721, /* TMR, GBL, PWRBTN, SLPBTN, RTC */

    PM1_SCI_ENABLE = 1u << 0,
    PM1_SLEEP_TYPE_SHIFT = 10,
    PM1_SLEEP_ENABLE = 1u << 13,
    PM1_CONTROL_MASK = 0x1c03, /* SCI_EN, BM_RLD, SLP_TYP */

    GPE0_GENERATION = 1u << 5,

    SMI_ENABLE = 0, /* offsets in the SMI group */
    SMI_STATUS = 4,
    SMI_GLOBAL_ENABLE = 1u << 0,
    SMI_APMC_ENABLE = 1u << 5,
    SMI_ENABLE_MASK = 0x0006687f,

    TIMER_HZ = 3579545,
    TIMER_MASK = 0xffffff,
    TIMER_HALF = 0x800000, /* ticks from one toggle of bit 23 to the next */
};

#define NS_PER_SECOND UINT64_C(1000000000)

/* --- The timer -------------------------------------------------------------------------------- */

static uint64_t ticks_of(uint64_t ns)
{
    return ns / NS_PER_SECOND * TIMER_HZ + ns % NS_PER_SECOND * TIMER_HZ / NS_PER_SECOND;
}

/* The first nanosecond at which the timer shows `ticks`. */
static uint64_t ns_of(uint64_t ticks)
{
    return ticks / TIMER_HZ * NS_PER_SECOND +
           (ticks % TIMER_HZ * NS_PER_SECOND + TIMER_HZ - 1) / TIMER_HZ;
}

uint64_t pm_timer_read(struct device *device, uint64_t offset, unsigned size)
{
    return ticks_of(dev_now_ns(device)) & TIMER_MASK;
}

static void timer_mark_set(struct device *device)
{
    pm_of(device)->timer_mark = (ticks_of(dev_now_ns(device)) | (TIMER_HALF - 1)) + 1;
}

/* --- Events ----------------------------------------------------------------------------------- */

static void outputs_update(struct device *device)
{
    struct pm *pm = pm_of(device);
    bool pending = (pm->pm1_status & pm->pm1_enable) || (pm->gpe0_status & pm->gpe0_enable);

    dev_irq_set(device, PM_IRQ_SCI, pending && (pm->pm1_control & PM1_SCI_ENABLE));

    bool wanted = (pm->pm1_enable & PM1_TIMER) && !(pm->pm1_status & PM1_TIMER);

    dev_timer_arm(device, PM_TIMER_OVERFLOW, wanted ? ns_of(pm->timer_mark) : TIMER_OFF);
}

void pm_update(struct device *device)
{
    struct pm *pm = pm_of(device);

    if (ticks_of(dev_now_ns(device)) >= pm->timer_mark) {
        pm->pm1_status |= PM1_TIMER;
    }
    outputs_update(device);
}

void pm_event(struct device *device, enum device_event event)
{
    struct pm *pm = pm_of(device);

    switch (event) {
    case EVENT_POWER_BUTTON:
        pm->pm1_status |= PM1_POWER_BUTTON;
        break;
    case EVENT_SLEEP_BUTTON:
        pm->pm1_status |= PM1_SLEEP_BUTTON;
        break;
    case EVENT_WAKE:
        pm->pm1_status |= PM1_WAKE;
        break;
    case EVENT_CLOCK:
        return;
    case EVENT_GENERATION:
        pm->gpe0_status |= GPE0_GENERATION;
        break;
    }
    pm_update(device);
}

/* --- PM1 -------------------------------------------------------------------------------------- */

static void sleep_enter(struct device *device, unsigned type)
{
    static const enum machine_request requests[] = {
        REQUEST_POWER_OFF,
        REQUEST_SUSPEND,
        REQUEST_HIBERNATE,
    };

    if (type < sizeof(requests) / sizeof(requests[0])) {
        dev_request(device, requests[type], 0);
    } else {
        guest_error(device, "sleep type %u, which the ACPI tables do not name", type);
    }
}

uint64_t pm1_read(struct device *device, uint64_t offset, unsigned size)
{
    struct pm *pm = pm_of(device);
    uint8_t bytes[8] = { 0 };

    pm_update(device);
    store_le16(bytes, pm->pm1_status);
    store_le16(bytes + 2, pm->pm1_enable);
    store_le16(bytes + 4, pm->pm1_control);
    return load_le(bytes + offset, size);
}

static void pm1_status_clear(struct device *device, uint16_t bits)
{
    struct pm *pm = pm_of(device);

    pm->pm1_status &= (uint16_t)~bits;
    if (bits & PM1_TIMER) {
        timer_mark_set(device);
    }
}

void pm1_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pm *pm = pm_of(device);
    unsigned shift = offset % 2 * 8;
    uint16_t bits = (uint16_t)(value << shift), lanes = (uint16_t)(ones(size) << shift);

    pm_update(device); /* a toggle that has happened is there before it is cleared */
    switch (offset / 2) {
    case 0:
        pm1_status_clear(device, bits & PM1_STATUS_MASK);
        break;
    case 1:
        pm->pm1_enable = (pm->pm1_enable & ~lanes) | (bits & PM1_ENABLE_MASK);
        break;
    case 2:
        pm->pm1_control = (pm->pm1_control & ~lanes) | (bits & PM1_CONTROL_MASK);
        if (bits & PM1_SLEEP_ENABLE) {
            sleep_enter(device, pm->pm1_control >> PM1_SLEEP_TYPE_SHIFT & 7);
        }
        break;
    default:
        break; /* the upper half of PM1_CNT is reserved */
    }
    pm_update(device);
}

/* --- GPE0: 8 bytes of status, 8 of enable ----------------------------------------------------- */

uint64_t gpe0_read(struct device *device, uint64_t offset, unsigned size)
{
    struct pm *pm = pm_of(device);
    uint8_t bytes[16];

    store_le64(bytes, pm->gpe0_status);
    store_le64(bytes + 8, pm->gpe0_enable);
    return load_le(bytes + offset, size);
}

void gpe0_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pm *pm = pm_of(device);
    unsigned shift = offset % 8 * 8;

    if (offset < 8) {
        pm->gpe0_status &= ~(value << shift);
    } else {
        pm->gpe0_enable = (pm->gpe0_enable & ~(ones(size) << shift)) | value << shift;
    }
    pm_update(device);
}

/* --- SMI -------------------------------------------------------------------------------------- */

uint64_t smi_read(struct device *device, uint64_t offset, unsigned size)
{
    return offset == SMI_ENABLE ? pm_of(device)->smi_enable : 0;
}

void smi_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct pm *pm = pm_of(device);
    uint32_t mask = SMI_ENABLE_MASK;

    if (offset != SMI_ENABLE) {
        return; /* SMI_STS: no bit is ever set that a write could clear */
    }
    if (pm_smi_locked(device)) {
        mask &= ~(uint32_t)SMI_GLOBAL_ENABLE;
    }
    pm->smi_enable = (pm->smi_enable & ~mask) | ((uint32_t)value & mask);
}

/* --- Life ------------------------------------------------------------------------------------- */

void pm_reset(struct device *device)
{
    *pm_of(device) = (struct pm){
        .pm1_control = PM1_SCI_ENABLE,
        .smi_enable = SMI_APMC_ENABLE,
    };
    timer_mark_set(device);
    pm_update(device);
}

void pm_restored(struct device *device)
{
    struct pm *pm = pm_of(device);

    /* A toggle is never further away than half a period, whatever the saved state says. */
    if (pm->timer_mark > ticks_of(dev_now_ns(device)) + TIMER_HALF) {
        timer_mark_set(device);
    }
    outputs_update(device);
}

const struct state_field pm_fields[] = {
    FIELD(struct pm, pm1_status),  FIELD(struct pm, pm1_enable),
    FIELD(struct pm, pm1_control), FIELD(struct pm, timer_mark),
    FIELD(struct pm, gpe0_status), FIELD(struct pm, gpe0_enable),
    FIELD(struct pm, smi_enable),  FIELD_END,
};
