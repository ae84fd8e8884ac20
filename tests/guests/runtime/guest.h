/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every test guest uses: the report on the debug port, time, and memory.
 *
 * A guest program defines guest_main(), which calls RUN(function) for each test. It runs on the
 * first processor at CPL 3 with interrupts off and with all ports and all memory open to it, so
 * that it runs at full speed where the host emulates ring 0 slowly. ring0() of cpu.h does the
 * rest. When guest_main() returns, the machine is powered off.
 *
 * The report, on port 0x402: "PASS name" or "FAIL name: why" for each test, at the end
 * "DONE n passed, n failed".
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

/* The guest's own program. */
void guest_main(void);

/* Runs one test and reports it under the name of its function. */
#define RUN(function) test_run(#function, function)
void test_run(const char *name, void (*function)(void));

/* Ends the running test as failed with a sentence. Returns, so that the test can return too. */
void test_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether the running test has failed, for loops and helpers with CHECKs of their own. */
bool test_failed(void);

/* Results so far; a guest that goes on after a reset carries them over. */
struct test_totals {
    uint32_t passed;
    uint32_t failed;
};
extern struct test_totals test_totals;

/* Prints the last line of the report and powers the machine off. Does not return. */
_Noreturn void test_done(void);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail("line %d: %s", __LINE__, #condition);                                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(found, expected)                                                                  \
    do {                                                                                           \
        uint64_t found_ = (found), expected_ = (expected);                                         \
        if (found_ != expected_) {                                                                 \
            test_fail("line %d: %s is 0x%lx, not 0x%lx", __LINE__, #found, found_, expected_);     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Writes to the debug port, at most 255 bytes at once; see text.h for the format. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Time since the start of the guest in ticks of the ACPI power management timer (3.579545 MHz).
 * Call it on the first processor only, and every 4 s at least: the timer has 24 bits.
 */
uint64_t clock_ticks(void);
#define CLOCK_HZ                3579545u
#define CLOCK_MS(ms)            ((uint64_t)(ms)*CLOCK_HZ / 1000)

/*
 * Wait until the condition holds; give up after so many milliseconds. Their value tells whether
 * the condition held. WAIT_FOR lets interrupts in meanwhile, POLL_FOR does not.
 */
#define WAIT_FOR(condition, ms) WAIT_WITH(condition, ms, interrupt_window())
#define POLL_FOR(condition, ms) WAIT_WITH(condition, ms, (void)0)
#define WAIT_WITH(condition, ms, meanwhile)                                                        \
    ({                                                                                             \
        uint64_t end_ = clock_ticks() + CLOCK_MS(ms);                                              \
        bool held_;                                                                                \
        while (!(held_ = (condition)) && clock_ticks() < end_)                                     \
            meanwhile;                                                                             \
        held_ || (condition);                                                                      \
    })
void interrupt_window(void);

/* Long enough for anything that must happen, on the slowest host. */
#define LONG_MS  20000
/* Short, to see that something does not happen. */
#define SHORT_MS 20

/* Memory for devices: aligned (a power of two), zeroed, never freed. Fails the guest when full. */
void *buffer_alloc(size_t size, size_t alignment);

#endif
