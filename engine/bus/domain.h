/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Domains: who may be inside a device. A domain is one lock and the devices under it. Every PCI
 * function has a domain of its own; the chips that a board has always had (timers, keyboard
 * controller, serial ports, ...) share one. Everything that enters a device - guest accesses,
 * timers, deferred tasks, completions, the main loop - goes through domain_enter() and
 * domain_leave().
 *
 * Lock order, outermost first. A thread that holds one may take those further down, never up:
 *
 *   1. control      machine.c: one transition of the machine (pause, reset, ...) at a time
 *   2. coalesced    bus.c: drains writes that the kernel has batched
 *   3. chips        the domain of the board's own chips, because the hook of fw_cfg reads
 *                   configuration space
 *   4. host bridge  its domain, because configuration accesses lead into other functions
 *   5. functions    the domain of any other PCI function; never two of them
 *   6. memory map   memory/memory_map.c: what memory the guest sees where. Its holder may wait
 *                   until no vCPU runs guest code, which no vCPU delays by waiting for a lock.
 *   7. leaves       bus, irq, clock, serial, drive pool, statistics: held for a few instructions or
 *                   one system call, never while calling out
 *
 * Deferred tasks run when the domain is left, by the thread that leaves it. A task that asks for
 * another run gets it from the clock's thread, so that no device can keep a vCPU for itself.
 */
#ifndef ENGINE_DOMAIN_H
#define ENGINE_DOMAIN_H

#include <pthread.h>
#include <stdbool.h>

struct clock;
struct machine_device;

struct domain {
    pthread_mutex_t lock;
    struct clock *clock;           /* whose thread runs what is left over */
    struct machine_device *tasks;  /* devices with tasks to run, newest first */
    struct domain *next_left_over; /* clock.c's list */
    bool left_over;                /* in that list; under the clock's lock */
    _Atomic(pthread_t) holder;     /* 0: nobody */
};

void domain_init(struct domain *domain, struct clock *clock);
void domain_destroy(struct domain *domain);
/* Waits until nobody else is inside. Not to be nested. */
void domain_enter(struct domain *domain);
/* Runs what was deferred, then lets others in. */
void domain_leave(struct domain *domain);
/* True if the calling thread is inside. */
bool domain_inside(struct domain *domain);
/* Notes that task `task` of a device in this domain shall run. Inside the domain. */
void domain_defer(struct domain *domain, struct machine_device *device, unsigned task);

#endif
