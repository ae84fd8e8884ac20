/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk in memory that records everything that is done to it, and shows afterwards what it may
 * hold if the power is cut at any moment: all that was flushed, and of the sectors written since
 * any choice, in any order.
 */
#ifndef TESTS_POWER_CUT_H
#define TESTS_POWER_CUT_H

#include "block/storage.h"

struct power_cut; /* what was recorded; outlives its storages */

/* Starts with these bytes, as durable. */
struct power_cut *power_cut_new(const uint8_t *bytes, size_t n);
void power_cut_free(struct power_cut *cut);
/* The disk, recording; any number of threads. Closing it leaves the record. */
struct storage *power_cut_storage(struct power_cut *cut);
/* Moments at which the power can go: 0 (before anything was done) to this. */
unsigned power_cut_moments(const struct power_cut *cut);
/*
 * What the disk may hold at that moment, as a new storage of its own. `choice` 0 keeps every
 * operation before it, 1 only what was flushed; any other number keeps each sector written since
 * the last flush or not, by chance, always the same way.
 */
struct storage *power_cut_replay(const struct power_cut *cut, unsigned moment, unsigned choice);

#endif
