/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a machine boots from and what its firmware is told: the firmware image, the UEFI variable
 * store, the content of fw_cfg (memory map, ACPI and SMBIOS tables, boot order, kernel) and the
 * bytes of CMOS.
 *
 *     boot_prepare()  reads and checks every file; nothing of the machine exists yet
 *     boot_install()  fills fw_cfg; the board calls it once the fw_cfg device exists
 *     boot_cmos()     fills CMOS
 *     boot_reset()    at every machine reset
 *
 * Firmware is looked for as config/firmware_files.h says. The ACPI tables are made anew when the
 * firmware selects them, because only then the PCI windows are known.
 *
 * The machine described is pc-1: addresses below are its own, not settings.
 *
 * Threads: one at a time. After boot_install() the fw_cfg hook enters under that device's domain
 * lock.
 */
#ifndef ENGINE_BOOT_H
#define ENGINE_BOOT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "device.h"

#define BOOT_ECAM_BASE     UINT64_C(0xb0000000)
#define BOOT_ECAM_SIZE     UINT64_C(0x10000000)
#define BOOT_PCI32_BASE    UINT64_C(0xc0000000) /* 32-bit PCI window, up to the IOAPIC */
#define BOOT_PCI32_END     UINT64_C(0xfec00000)
#define BOOT_KVM_PAGES     UINT64_C(0xfeffc000) /* identity map page and three TSS pages */
#define BOOT_RAM_HIGH_BASE UINT64_C(0x100000000)
#define BOOT_PM_BASE       0x600

enum {
    BOOT_ROOT_PORTS_MAX = 16,
    BOOT_PORTS_SLOT = 28, /* on bus 0, of the root ports, which are its functions */
    BOOT_DRIVE_SLOT = 16, /* on bus 0, of drive 0 with a controller of its own; the others follow */
    /* SLP_TYP of the sleep states in the power management block. */
    BOOT_SLEEP_TYPE_S5 = 0,
    BOOT_SLEEP_TYPE_S3 = 1,
    BOOT_SLEEP_TYPE_S4 = 2,
};

/* How much of `memory` bytes of RAM lies below 4 GiB: all, or 2 GiB if that would reach the PCI
 * window. */
uint64_t boot_ram_low(uint64_t memory);

/* What the board has built. */
struct boot_board {
    unsigned n_cpus;
    const uint32_t *apic_ids;  /* n_cpus of them, vCPU 0 first */
    uint64_t ram_low;          /* bytes from address 0, at most 0xb0000000 */
    uint64_t ram_high;         /* bytes from 4 GiB */
    bool hyper_transport_hole; /* host CPU is AMD's: nothing may lie at 0xfd00000000 */
    bool suspend;              /* the chipset carries out S3 */
    unsigned n_serials;        /* COM1, COM2 */
    unsigned n_root_ports;
    uint8_t root_ports[BOOT_ROOT_PORTS_MAX]; /* device << 3 | function on bus 0 */
    unsigned physical_bits;                  /* guest physical address bits that CPUID reports */

    /* Reads PCI configuration space as the guest would. Called from the fw_cfg hook. */
    uint32_t (*pci_read)(void *context, unsigned bdf, unsigned offset, unsigned size);
    /* The firmware has put the page with the VM generation id at `gpa`; the id is 40 bytes into it.
     * Called from the fw_cfg hook. NULL: the machine has no generation id. */
    void (*generation_page)(void *context, uint64_t gpa);
    void *context;
};

struct boot;

/*
 * Finds the firmware, makes the machine's own UEFI variables (FOLDER/firmware/OVMF_VARS.fd, from
 * the packaged template) if they are not there, and reads kernel and initrd. Errors: NOT_FOUND (the
 * sentence names the file and the package), INVALID, PERMISSION, NO_SPACE, HOST.
 */
struct boot *boot_prepare(const OrielConfig *config, const char *folder, GError **error);
/* After the fw_cfg device is gone. */
void boot_free(struct boot *boot);

/* The firmware's image, in whole pages, to be mapped read-only so that it ends at 4 GiB; its last
 * 128 KiB also at 0xe0000. */
const void *boot_firmware(const struct boot *boot, size_t *size);
/* The same, to be replaced, while no guest runs, by what a saved machine ran with. */
void *boot_firmware_bytes(struct boot *boot, size_t *size);
/* Path of the variable store, to be mapped right below the image, and its size; NULL with a BIOS.
 */
const char *boot_variables(const struct boot *boot, size_t *size);

/*
 * Fills fw_cfg. `board` is copied; the bytes given to fw_cfg stay with `boot`. board->ram_low is
 * boot_ram_low() of the configuration's memory, for which the kernel was laid out.
 */
void boot_install(struct boot *boot, const struct boot_board *board, struct device *fw_cfg);
/* Calls `set` for each byte of CMOS that describes the machine (not time and date). */
void boot_cmos(const struct boot *boot, const struct boot_board *board,
               void (*set)(void *context, uint8_t index, uint8_t value), void *context);
/* Under fw_cfg's domain lock: the firmware starts over and places the generation id's page again.
 */
void boot_reset(struct boot *boot);

/*
 * What the firmware has told, for a saved machine, and back: then the configuration spaces of the
 * PCI functions are as they were. Under the lock of fw_cfg's domain.
 */
uint64_t boot_save(const struct boot *boot);
void boot_restore(struct boot *boot, uint64_t saved);

#endif
