/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of a machine without the machine: a clock, a bus that no KVM stands behind, and devices of
 * a test's own class in a domain.
 */
#ifndef TESTS_PARTS_FIXTURE_H
#define TESTS_PARTS_FIXTURE_H

#include "machine/machine_private.h"

struct parts {
    struct kvm kvm;
    struct clock clock;
    struct bus bus;
    struct bus_reader reader;
};

void parts_init(struct parts *parts);
void parts_destroy(struct parts *parts);
/*
 * A record and a device of the class in a domain of its own; its regions are on the bus and placed
 * as described. parts_device_free() after parts_destroy().
 */
struct machine_device *parts_device_new(struct parts *parts, const struct device_class *class,
                                        struct device *device);
void parts_device_free(struct machine_device *record);
/* Single guest accesses. */
uint64_t parts_in(struct parts *parts, uint16_t port, unsigned size);
void parts_out(struct parts *parts, uint16_t port, unsigned size, uint64_t value);
uint64_t parts_read(struct parts *parts, struct bus_reader *reader, uint64_t address,
                    unsigned size);
void parts_write(struct parts *parts, struct bus_reader *reader, uint64_t address, unsigned size,
                 uint64_t value);

#endif
