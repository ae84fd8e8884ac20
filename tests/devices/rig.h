/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fake machine with one device of any class in it and everything the class can use: drives, BARs
 * that are placed, content to serve. For the tests that run over the whole registry and for the
 * fuzzer.
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "fake_machine.h"

enum {
    RIG_RAM_SIZE = 512 << 10, /* ends below the legacy video window */
    RIG_DRIVES_MAX = 8,
    RIG_MEDIUM_SIZE = 1 << 20,
};

struct rig {
    struct fake *fake;
    struct device *device;
    uint8_t *media[RIG_DRIVES_MAX];
};

/*
 * Every third drive is a disk, an optical drive, and a disk that cannot be written; the last drive
 * of a class that can have several is absent.
 */
void rig_open(struct rig *rig, const struct device_class *class);
/* Frees everything, with whatever is still in flight. */
void rig_close(struct rig *rig);
/* Takes the device out, with whatever is still in flight, and puts a new one of its class in. */
void rig_replug(struct rig *rig);
/* Places the BARs of a PCI function at addresses of their own and turns on decoding. */
void rig_map(struct rig *rig);
/* What drive `drive` of the rig holds, present or not. */
void rig_drive_info(unsigned drive, bool present, struct block_info *info);
bool rig_has_drive(const struct rig *rig, unsigned drive);
/* Lets held requests go and runs until nothing is left to do. */
void rig_settle(struct rig *rig);
/* The device's saved state; the caller frees it. */
uint8_t *rig_save(struct rig *rig, size_t *size);
/* Makes the checksum of a saved state right again after its payload was changed. */
void rig_state_seal(uint8_t *bytes, size_t size);

/* A small generator of numbers, the same everywhere: xorshift64*. The state must not be 0. */
static inline uint64_t rig_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
