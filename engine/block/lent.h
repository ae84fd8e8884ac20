/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Backing images that lie inside other files: parts of files that whoever started the engine has
 * opened and lends to it, so that an appliance can be tried as it is. A qcow2 image builds on one
 * if its backing name is "lent:" and the part's name; no file can be called so (chain.h), and
 * without the loan such an image is refused.
 *
 * Threads: lent_add() before the first image is opened; the rest any.
 */
#ifndef ENGINE_BLOCK_LENT_H
#define ENGINE_BLOCK_LENT_H

#include "storage.h"

#define LENT_PREFIX "lent:"

/*
 * Takes a loan, "NAME=FD:OFFSET:SIZE" in bytes; the descriptor, of a file open for reading, is the
 * process's from here on. INVALID.
 */
bool lent_add(const char *loan, GError **error);
/* The part of that backing name as a read-only storage. NULL: there is none, or *error is set. */
struct storage *lent_open(const char *backing_name, GError **error);

#endif
