/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Machine time and the timers of the devices. Machine time starts at 0 with the machine and stands
 * still while it is paused. One thread sleeps on one timerfd, which is armed for the earliest timer
 * and not at all when there is none: an idle machine causes no wake-up.
 *
 * Threads: all functions from any thread, except as said.
 */
#ifndef ENGINE_CLOCK_H
#define ENGINE_CLOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct domain;
struct machine_device;

struct clock_timer {
    struct machine_device *owner;
    unsigned number;      /* of the owner's timers */
    uint64_t deadline_ns; /* machine time, UINT64_MAX: off */
    struct clock_timer *next;
};

struct clock {
    pthread_mutex_t lock;
    pthread_t thread;
    bool started, quit;
    int timerfd;
    uint64_t armed_ns;          /* machine time for which the timerfd is armed; UINT64_MAX: not */
    struct clock_timer *timers; /* all, armed or not */
    struct domain *left_over;   /* domains with tasks to run, in the order they came */
    bool running;
    bool busy; /* the thread is inside a device */
    pthread_cond_t idle;
    _Atomic uint64_t frozen_ns; /* machine time while it stands still; UINT64_MAX: it runs */
    _Atomic uint64_t zero_ns;   /* CLOCK_MONOTONIC at machine time 0; two's complement, as a machine
                                   that was saved can be older than its host */
    _Atomic uint64_t wakeups, fired;
};

/* Standing still at 0. False with errno set if the host gives no timerfd. */
bool clock_init(struct clock *clock);
/* Ends the thread. No domain may be held. */
void clock_destroy(struct clock *clock);

/* Adds a timer, which the caller owns and keeps until clock_remove() or clock_destroy(). While time
 * stands still. */
void clock_add(struct clock *clock, struct clock_timer *timer);
/* Takes a timer off again, while time stands still. */
void clock_remove(struct clock *clock, struct clock_timer *timer);
/* Sets or, with UINT64_MAX, clears a deadline. In the owner's domain. */
void clock_arm(struct clock *clock, struct clock_timer *timer, uint64_t deadline_ns);

/* Lets time pass; makes the thread the first time. */
void clock_run(struct clock *clock);
/* Stops time; on return no timer's handler runs. No domain may be held. */
void clock_freeze(struct clock *clock);

/* Sets machine time, which stands still. */
void clock_set(struct clock *clock, uint64_t now_ns);

uint64_t clock_now_ns(const struct clock *clock);
/* The host's wall clock: nanoseconds since 1970, UTC. */
uint64_t clock_wall_ns(void);
/* Has the thread enter and leave the domain soon, which runs its tasks. No domain held. */
void clock_take_left_over(struct clock *clock, struct domain *domain);

#endif
