/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine for tests and fuzzers: RAM, an address map, a clock that only the test moves, drives in
 * memory, recorded interrupts. No KVM, no threads, no files. Several can live side by side.
 */
#ifndef TESTS_FAKE_MACHINE_H
#define TESTS_FAKE_MACHINE_H

#include "device.h"
#include "services.h"

enum {
    FAKE_DEVICES_MAX = 32,
    FAKE_IRQS_MAX = 32,
    FAKE_CHAR_MAX = 65536,
    FAKE_DOORBELLS_MAX = 32,
};

struct fake;

/* RAM of `ram_size` bytes at address 0. */
struct fake *fake_new(size_t ram_size);
void fake_free(struct fake *fake);

/*
 * Adds a device of the class; `values` ends with a NULL name and may be NULL. Its regions with a
 * base are placed. PCI functions get the next slot. Aborts the test program if that fails;
 * fake_try_add() returns NULL with *error filled instead.
 */
struct device *fake_add(struct fake *fake, const char *class, const struct option_value *values);
struct device *fake_try_add(struct fake *fake, const char *class, const struct option_value *values,
                            struct dev_error *error);
/* The same for a class that is not in the registry: one of a test's own. */
struct device *fake_add_class(struct fake *fake, const struct device_class *class,
                              const struct option_value *values);
struct device *fake_try_add_class(struct fake *fake, const struct device_class *class,
                                  const struct option_value *values, struct dev_error *error);
void fake_remove(struct fake *fake, struct device *device);
unsigned fake_bdf(struct device *device);

/* Guest accesses. Unclaimed addresses read as ones. RAM and windows answer before regions. */
uint64_t fake_in(struct fake *fake, uint16_t port, unsigned size);
void fake_out(struct fake *fake, uint16_t port, unsigned size, uint64_t value);
uint64_t fake_read(struct fake *fake, uint64_t address, unsigned size);
void fake_write(struct fake *fake, uint64_t address, unsigned size, uint64_t value);
uint32_t fake_config_read(struct device *device, unsigned offset, unsigned size);
void fake_config_write(struct device *device, unsigned offset, unsigned size, uint32_t value);
/* Where a region is placed now; REGION_UNPLACED if it is not. Windows likewise. */
uint64_t fake_region_base(struct device *device, unsigned region);
uint64_t fake_window_base(struct device *device, unsigned window);
uint64_t fake_window_length(struct device *device, unsigned window);
/* What the device has last asked for with doorbell_enable(). */
bool fake_doorbell_enabled(struct device *device, unsigned doorbell);
uint8_t *fake_ram(struct fake *fake);
/* Programs a BAR of a PCI function to `address` and turns on decoding and bus mastering. */
void fake_map_bar(struct device *device, unsigned bar, uint64_t address);

/* Runs deferred tasks, block requests and due timers until nothing is left to do now. */
void fake_run(struct fake *fake);
/* Moves the clock, running timers at their times. */
void fake_advance(struct fake *fake, uint64_t ns);
/* The same for a machine whose timers could not run meanwhile: each runs once, late. */
void fake_late(struct fake *fake, uint64_t ns);
uint64_t fake_now(struct fake *fake);
/* The machine stands still, or goes on; fake_run() follows. */
void fake_set_halted(struct fake *fake, bool halted);
void fake_set_wall_clock(struct fake *fake, uint64_t ns_since_1970);

/* What the device has done to the world outside. */
bool fake_irq(struct device *device, unsigned irq);
unsigned fake_irq_edges(struct device *device, unsigned irq); /* rising */
unsigned fake_msi_count(struct device *device);
uint64_t fake_msi_address(struct device *device); /* of the last one */
uint32_t fake_msi_data(struct device *device);
unsigned fake_guest_errors(struct device *device);
const char *fake_last_guest_error(struct device *device);
unsigned fake_input_changes(struct device *device); /* calls of input_changed() */
unsigned fake_requests(struct fake *fake, enum machine_request request); /* how often asked */
unsigned fake_last_request_argument(struct fake *fake);
bool fake_pam(struct fake *fake, unsigned segment, bool *write_ram); /* returns read_ram */
uint8_t fake_pirq(struct fake *fake, unsigned pirq);
uint64_t fake_discarded(struct device *device);               /* bytes given to ram_discard */
uint64_t fake_synced(struct device *device, unsigned memory); /* bytes given to memory_sync */

/*
 * Back ends. A drive answers in fake_run(), in order. `bytes` is the caller's, of info->size bytes.
 * The next `failures` requests end with `status`; while held, requests wait.
 */
void fake_drive(struct device *device, unsigned drive, const struct block_info *info,
                uint8_t *bytes);
void fake_drive_fail(struct device *device, unsigned drive, unsigned failures, int status);
void fake_drive_hold(struct device *device, unsigned drive, bool hold);
unsigned fake_drive_flushes(struct device *device, unsigned drive);
/* Changes the medium and tells the device; info->present false: removed. */
void fake_drive_change(struct device *device, unsigned drive, const struct block_info *info,
                       uint8_t *bytes);
/* What the device wrote to a character port since the last call; zero-terminated, kept by the fake.
 */
const char *fake_char_output(struct device *device, unsigned port);
void fake_char_input(struct device *device, unsigned port, const void *bytes, size_t n);
unsigned fake_char_waiting(struct device *device, unsigned port); /* input not yet taken */

/*
 * Network. Of the frames that the device sends the first FAKE_FRAMES_MAX are kept. `room` is how
 * many it may send until fake_net_room() is called again; UINT_MAX: any number. Received frames
 * wait until the device takes them; false: too many wait already.
 */
void fake_net_link(struct device *device, bool up);
void fake_net_room(struct device *device, unsigned room);
bool fake_net_receive(struct device *device, const struct net_offload *offload, const void *bytes,
                      uint32_t length);
unsigned fake_net_waiting(struct device *device);
unsigned fake_net_accepted(struct device *device); /* NET_ACCEPT_* */
/* Frames sent since the last fake_net_forget(), at most FAKE_FRAMES_MAX. */
unsigned fake_net_sent(struct device *device);
const uint8_t *fake_net_frame(struct device *device, unsigned i, uint32_t *length,
                              struct net_offload *offload);
void fake_net_forget(struct device *device);

/* Resets one device, and all (as the machine does). */
void fake_reset(struct fake *fake, enum reset_kind kind);
/*
 * Saves the device, loads the result into a second instance of the same options, compares what that
 * one saves, and loads it back into the first. False (with a line on stdout) if any step fails.
 */
bool fake_save_load(struct device *device);

#endif
