/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The power management block of the ICH9, which is part of its LPC function: lpc.c owns the device,
 * names the regions in its class and places them at PMBASE; the registers and their behaviour are
 * in pm.c.
 */
#ifndef DEVICES_CHIPSET_PM_H
#define DEVICES_CHIPSET_PM_H

#include "device.h"
#include "state.h"

/* Offsets of the register groups from PMBASE. */
enum {
    PM1_OFFSET = 0x00,
    PM_TIMER_OFFSET = 0x08,
    GPE0_OFFSET = 0x20,
    SMI_OFFSET = 0x30,
    PM_BLOCK_SIZE = 0x80,
};

struct pm {
    uint16_t pm1_status, pm1_enable, pm1_control;
    uint64_t timer_mark; /* tick at which bit 23 of the timer toggles next and TMR_STS is due */
    uint64_t gpe0_status, gpe0_enable;
    uint32_t smi_enable;
};

extern const struct state_field pm_fields[];

/* The block's place in its device's state, and the numbers of its interrupt output and its timer.
 */
struct pm *pm_of(struct device *device);
enum {
    PM_IRQ_SCI = 1,
    PM_TIMER_OVERFLOW = 0,
};

void pm_reset(struct device *device);
/* Looks whether the timer has toggled, sets the SCI, arms the timer. */
void pm_update(struct device *device);
/* After a load: the outputs follow the registers, which stay as they were loaded. */
void pm_restored(struct device *device);
void pm_event(struct device *device, enum device_event event);
/* True once SMI_LOCK (GEN_PMCON_1 bit 4) is set: the global SMI enable can no longer be changed. */
bool pm_smi_locked(struct device *device);

uint64_t pm1_read(struct device *device, uint64_t offset, unsigned size);
void pm1_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);
uint64_t pm_timer_read(struct device *device, uint64_t offset, unsigned size);
uint64_t gpe0_read(struct device *device, uint64_t offset, unsigned size);
void gpe0_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);
uint64_t smi_read(struct device *device, uint64_t offset, unsigned size);
void smi_write(struct device *device, uint64_t offset, unsigned size, uint64_t value);

#endif
