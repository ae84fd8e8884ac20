/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host side of the VM generation id (devices/legacy/vmgenid.c).
 *
 * The firmware downloads the page etc/vmgenid_guid from fw_cfg (engine/boot/ makes it), and writes
 * where it has put it into etc/vmgenid_addr; who serves that file tells the device.
 * EVENT_GENERATION then puts the id of the option "guid" into the page; the PM block raises the
 * event that makes the guest look.
 *
 * Threads: under the lock of the device's domain.
 */
#ifndef DEVICES_VMGENID_H
#define DEVICES_VMGENID_H

#include "device.h"

enum {
    VMGENID_PAGE_SIZE = 4096,
    VMGENID_OFFSET = 40, /* of the id in its page */
};

/* The firmware has put the page at guest physical address `gpa`; 0: it is nowhere. Any value is
 * safe. */
void vmgenid_set_page(struct device *vmgenid, uint64_t gpa);

#endif
