/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine has few timers (some twenty), so the earliest is found by looking at all of them.
 *
 * A timer's handler runs in its device's domain. The domain is entered first and the deadline
 * looked at again inside, so a timer that the device has disarmed or moved meanwhile does not fire.
 */
#include "bus/clock.h"

#include <errno.h>
#include <glib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bus/domain.h"
#include "machine/machine_private.h"

#define NS_PER_SECOND UINT64_C(1000000000)

static uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(const struct clock *clock)
{
    uint64_t frozen = atomic_load_explicit(&clock->frozen_ns, memory_order_acquire);

    if (frozen != UINT64_MAX) {
        return frozen;
    }
    return monotonic_ns() - atomic_load_explicit(&clock->zero_ns, memory_order_relaxed);
}

uint64_t clock_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* --- Arming; under the lock ------------------------------------------------------------------ */

static void timerfd_arm(struct clock *clock, uint64_t deadline_ns)
{
    struct itimerspec when = { 0 };

    if (deadline_ns == clock->armed_ns) {
        return;
    }
    clock->armed_ns = deadline_ns;
    if (deadline_ns != UINT64_MAX) {
        uint64_t zero = atomic_load_explicit(&clock->zero_ns, memory_order_relaxed);
        int64_t host = (int64_t)(MIN(deadline_ns, UINT64_MAX / 4) + zero);

        /* Of a machine that is older than its host the past lies before the host's zero; and zero
         * would disarm. */
        host = MAX(host, 1);
        when.it_value.tv_sec = (time_t)((uint64_t)host / NS_PER_SECOND);
        when.it_value.tv_nsec = (long)((uint64_t)host % NS_PER_SECOND);
    }
    timerfd_settime(clock->timerfd, TFD_TIMER_ABSTIME, &when, NULL);
}

static struct clock_timer *earliest(struct clock *clock)
{
    struct clock_timer *first = clock->timers;

    for (struct clock_timer *t = first; t; t = t->next) {
        if (t->deadline_ns < first->deadline_ns) {
            first = t;
        }
    }
    return first;
}

/* Arms the timerfd for what comes next; 0 means at once. */
static void rearm(struct clock *clock)
{
    struct clock_timer *first = earliest(clock);

    if (clock->quit || (clock->running && clock->left_over)) {
        timerfd_arm(clock, 0);
    } else if (!clock->running || !first) {
        timerfd_arm(clock, UINT64_MAX);
    } else {
        timerfd_arm(clock, first->deadline_ns);
    }
}

void clock_arm(struct clock *clock, struct clock_timer *timer, uint64_t deadline_ns)
{
    pthread_mutex_lock(&clock->lock);
    if (timer->deadline_ns != deadline_ns) {
        timer->deadline_ns = deadline_ns;
        rearm(clock);
    }
    pthread_mutex_unlock(&clock->lock);
}

void clock_take_left_over(struct clock *clock, struct domain *domain)
{
    pthread_mutex_lock(&clock->lock);
    if (!domain->left_over) {
        struct domain **last = &clock->left_over;

        while (*last) {
            last = &(*last)->next_left_over;
        }
        domain->left_over = true;
        domain->next_left_over = NULL;
        *last = domain;
        rearm(clock);
    }
    pthread_mutex_unlock(&clock->lock);
}

/* --- The thread ------------------------------------------------------------------------------ */

/* Calls the timer's handler if it is still due. Without the lock. */
static void timer_fire(struct clock *clock, struct clock_timer *timer)
{
    struct machine_device *owner = timer->owner;
    bool due;

    domain_enter(owner->domain);
    pthread_mutex_lock(&clock->lock);
    due = timer->deadline_ns <= clock_now_ns(clock);
    if (due) {
        timer->deadline_ns = UINT64_MAX;
    }
    pthread_mutex_unlock(&clock->lock);
    if (due) {
        atomic_fetch_add_explicit(&clock->fired, 1, memory_order_relaxed);
        owner->class->on_timer(owner->device, timer->number);
    }
    domain_leave(owner->domain);
}

/* Runs the tasks of the domain that has waited longest. With the lock, given up meanwhile. */
static void left_over_run(struct clock *clock)
{
    struct domain *domain = clock->left_over;

    clock->left_over = domain->next_left_over;
    domain->left_over = false;
    pthread_mutex_unlock(&clock->lock);
    domain_enter(domain);
    domain_leave(domain);
    pthread_mutex_lock(&clock->lock);
}

static bool goes_on(const struct clock *clock)
{
    return clock->running && !clock->quit;
}

/*
 * Fires one timer and runs one domain's tasks, if there are any: neither can keep the thread from
 * the other. False if there was nothing to do. Called and returns with the lock held.
 */
static bool step(struct clock *clock)
{
    struct clock_timer *first = earliest(clock);
    bool done = false;

    if (goes_on(clock) && first && first->deadline_ns <= clock_now_ns(clock)) {
        pthread_mutex_unlock(&clock->lock);
        timer_fire(clock, first);
        pthread_mutex_lock(&clock->lock);
        done = true;
    }
    if (goes_on(clock) && clock->left_over) {
        left_over_run(clock);
        done = true;
    }
    return done;
}

static void *clock_thread(void *context)
{
    struct clock *clock = context;
    uint64_t expirations;

    pthread_setname_np(pthread_self(), "clock");
    pthread_mutex_lock(&clock->lock);
    while (!clock->quit) {
        clock->busy = true;
        while (step(clock)) {
        }
        clock->busy = false;
        pthread_cond_broadcast(&clock->idle);
        clock->armed_ns = UINT64_MAX - 1; /* it may have expired: set it anew in any case */
        rearm(clock);
        pthread_mutex_unlock(&clock->lock);
        while (read(clock->timerfd, &expirations, sizeof(expirations)) < 0 && errno == EINTR) {
        }
        atomic_fetch_add_explicit(&clock->wakeups, 1, memory_order_relaxed);
        pthread_mutex_lock(&clock->lock);
    }
    pthread_mutex_unlock(&clock->lock);
    return NULL;
}

/* --- Life ------------------------------------------------------------------------------------ */

bool clock_init(struct clock *clock)
{
    *clock = (struct clock){ .armed_ns = UINT64_MAX };
    clock->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    pthread_mutex_init(&clock->lock, NULL);
    pthread_cond_init(&clock->idle, NULL);
    return clock->timerfd >= 0;
}

void clock_destroy(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    clock->quit = true;
    rearm(clock);
    pthread_mutex_unlock(&clock->lock);
    if (clock->started) {
        pthread_join(clock->thread, NULL);
    }
    if (clock->timerfd >= 0) {
        close(clock->timerfd);
    }
    pthread_cond_destroy(&clock->idle);
    pthread_mutex_destroy(&clock->lock);
}

void clock_add(struct clock *clock, struct clock_timer *timer)
{
    pthread_mutex_lock(&clock->lock);
    timer->deadline_ns = UINT64_MAX;
    timer->next = clock->timers;
    clock->timers = timer;
    pthread_mutex_unlock(&clock->lock);
}

void clock_remove(struct clock *clock, struct clock_timer *timer)
{
    struct clock_timer **at = &clock->timers;

    pthread_mutex_lock(&clock->lock);
    while (*at != timer) {
        at = &(*at)->next;
    }
    *at = timer->next;
    rearm(clock);
    pthread_mutex_unlock(&clock->lock);
}

void clock_run(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    if (!clock->running) {
        uint64_t now = clock_now_ns(clock);

        atomic_store_explicit(&clock->zero_ns, monotonic_ns() - now, memory_order_relaxed);
        atomic_store_explicit(&clock->frozen_ns, UINT64_MAX, memory_order_release);
        clock->running = true;
        clock->armed_ns = UINT64_MAX - 1; /* the zero has moved */
        rearm(clock);
    }
    if (!clock->started) {
        clock->started = pthread_create(&clock->thread, NULL, clock_thread, clock) == 0;
        g_assert(clock->started);
    }
    pthread_mutex_unlock(&clock->lock);
}

void clock_set(struct clock *clock, uint64_t now_ns)
{
    pthread_mutex_lock(&clock->lock);
    g_assert(!clock->running);
    atomic_store_explicit(&clock->frozen_ns, now_ns, memory_order_release);
    pthread_mutex_unlock(&clock->lock);
}

void clock_freeze(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    if (clock->running) {
        atomic_store_explicit(&clock->frozen_ns, clock_now_ns(clock), memory_order_release);
        clock->running = false;
        rearm(clock);
    }
    while (clock->busy) {
        pthread_cond_wait(&clock->idle, &clock->lock);
    }
    pthread_mutex_unlock(&clock->lock);
}
