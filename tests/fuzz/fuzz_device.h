/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One input of the device fuzzer: a byte string read as operations on one device. */
#ifndef TESTS_FUZZ_DEVICE_H
#define TESTS_FUZZ_DEVICE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "device.h"

/*
 * Performs the input on a fresh device of the class. Aborts if the device breaks its contract. With
 * `trace` every operation is printed there, one a line.
 */
void fuzz_device(const struct device_class *class, const uint8_t *data, size_t size, FILE *trace);

#endif
