/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of an image, read through a cache of 1 MiB at most, so that neither the time to open an
 * image nor its memory grows with its tables. Any thread, several at a time.
 */
#ifndef ENGINE_BLOCK_PAGES_H
#define ENGINE_BLOCK_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "storage.h"

struct pages;

/* Reads `storage`, which must outlive it. */
struct pages *pages_new(struct storage *storage);
void pages_free(struct pages *pages);
/* Up to 4096 bytes; -EUCLEAN behind the storage's end, else what the storage says. */
int pages_read(struct pages *pages, uint64_t offset, void *bytes, size_t length);

#endif
