/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints the frequency of this processor's time stamp counter in kHz. The lab's kernel is told it:
 * QEMU's TCG passes the counter on as it is, and what the kernel would measure on a busy computer
 * can be wrong by a factor of five.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define MEASURE_NS 100000000
#define TRIES      20

/* A point in time by both clocks, as close together as they come. */
static void both_clocks(uint64_t *counter, int64_t *nanoseconds)
{
    uint64_t best = UINT64_MAX;

    for (int try = 0; try < TRIES; try++) {
        struct timespec time;
        uint64_t before = __rdtsc();

        clock_gettime(CLOCK_MONOTONIC_RAW, &time);
        uint64_t after = __rdtsc();
        if (after - before < best) {
            best = after - before;
            *counter = before;
            *nanoseconds = time.tv_sec * 1000000000LL + time.tv_nsec;
        }
    }
}

int main(void)
{
    uint64_t counter_begin, counter_end;
    int64_t begin, end;

    both_clocks(&counter_begin, &begin);
    nanosleep(&(struct timespec){ .tv_nsec = MEASURE_NS }, NULL);
    both_clocks(&counter_end, &end);
    double khz = (double)(counter_end - counter_begin) / (double)(end - begin) * 1e6;
    printf("%.0f\n", khz);
    return 0;
}
