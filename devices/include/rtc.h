/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The host side of the clock and its CMOS memory (devices/legacy/rtc.c). */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "device.h"

/* Bytes that firmware and operating systems expect the machine to have filled in. */
enum {
    CMOS_FIRST = 0x0e, /* below are the clock and its registers */
    CMOS_SHUTDOWN_CODE = 0x0f,
    CMOS_FLOPPY_TYPES = 0x10,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_MEMORY = 0x15,       /* 2 bytes, KiB below 1 MiB */
    CMOS_EXTENDED_MEMORY = 0x17,   /* 2 bytes, KiB above 1 MiB, at most 0xffff */
    CMOS_EXTENDED_MEMORY_2 = 0x30, /* the same again */
    CMOS_CENTURY = 0x32,
    CMOS_MEMORY_ABOVE_16M = 0x34, /* 2 bytes, units of 64 KiB */
    CMOS_BOOT_FLAGS = 0x38,
    CMOS_BOOT_ORDER = 0x3d,
    CMOS_MEMORY_ABOVE_4G = 0x5b, /* 3 bytes, units of 64 KiB */
    CMOS_CPUS_MINUS_1 = 0x5f,
    CMOS_SIZE = 0x80,

    CMOS_SHUTDOWN_S3 = 0xfe, /* of CMOS_SHUTDOWN_CODE: the firmware shall wake the system up */
};

/*
 * Sets a byte of the CMOS memory: CMOS_FIRST <= index < CMOS_SIZE, and not CMOS_CENTURY, which
 * belongs to the clock. The memory has a battery: it survives both kinds of reset, and the guest
 * may change it. Threads: before the machine runs, or under the lock of the device's domain.
 */
void rtc_set_byte(struct device *rtc, unsigned index, uint8_t value);

#endif
