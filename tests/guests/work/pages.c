/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests/bench/: fills the first GiB of memory as a system in use does - a quarter is zero, a
 * quarter cannot be compressed, the rest is between - says "filled", and does nothing more.
 */
#include "runtime/cpu.h"
#include "runtime/layout.h"

#define END   0x40000000u
#define BLOCK 0x100000u

static uint64_t seed = 88172645463325252;

static uint64_t noise(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void block_fill(uint64_t *words, unsigned kind)
{
    for (unsigned i = 0; i < BLOCK / sizeof(*words); i++) {
        if (kind == 1) {
            words[i] = noise();
        } else if (kind == 2) {
            words[i] = 0xFFFF888000000000u | (noise() & 0xFFFFF8); /* like pointers */
        } else {
            words[i] = i % 512 < 128 ? noise() & 0x7F7F7F7F7F7F7F7Fu : i / 64; /* a bit of each */
        }
    }
}

void guest_main(void)
{
    for (uint64_t at = LAYOUT_FREE; at < END; at += BLOCK) {
        unsigned kind = (unsigned)(at / BLOCK % 4);

        if (kind != 0) {
            block_fill((uint64_t *)at, kind);
        }
    }
    print("filled\n");
    for (;;) {
        cpu_halt();
    }
}
