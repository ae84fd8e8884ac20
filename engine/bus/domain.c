/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus/domain.h"

#include <glib.h>
#include <stdatomic.h>

#include "bus/clock.h"
#include "machine/machine_private.h"

void domain_init(struct domain *domain, struct clock *clock)
{
    *domain = (struct domain){ .clock = clock };
    pthread_mutex_init(&domain->lock, NULL);
}

void domain_destroy(struct domain *domain)
{
    pthread_mutex_destroy(&domain->lock);
}

bool domain_inside(struct domain *domain)
{
    return atomic_load_explicit(&domain->holder, memory_order_relaxed) == pthread_self();
}

void domain_enter(struct domain *domain)
{
    g_assert(!domain_inside(domain));
    pthread_mutex_lock(&domain->lock);
    atomic_store_explicit(&domain->holder, pthread_self(), memory_order_relaxed);
}

/* Runs each task that was asked for before now once. */
static void tasks_run(struct domain *domain)
{
    struct machine_device *device = domain->tasks;

    domain->tasks = NULL;
    while (device) {
        struct machine_device *next = device->next_with_tasks;
        uint32_t tasks = device->tasks;

        device->next_with_tasks = NULL;
        device->tasks = 0;
        for (unsigned task = 0; tasks != 0; task++, tasks >>= 1) {
            if (tasks & 1) {
                device->class->on_task(device->device, task);
            }
        }
        device = next;
    }
}

void domain_leave(struct domain *domain)
{
    bool more = false;

    if (domain->tasks) {
        tasks_run(domain);
        more = domain->tasks != NULL;
    }
    atomic_store_explicit(&domain->holder, (pthread_t)0, memory_order_relaxed);
    pthread_mutex_unlock(&domain->lock);
    if (more) {
        clock_take_left_over(domain->clock, domain);
    }
}

void domain_defer(struct domain *domain, struct machine_device *device, unsigned task)
{
    if (device->tasks == 0) {
        device->next_with_tasks = domain->tasks;
        domain->tasks = device;
    }
    device->tasks |= 1u << task;
}
