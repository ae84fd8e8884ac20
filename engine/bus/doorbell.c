/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus/doorbell.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus/domain.h"
#include "cpu/kvm.h"
#include "device.h"
#include "machine/machine_private.h"

enum {
    EVENTS_AT_ONCE = 32,
    ANY_LENGTH = 0, /* a write of any size rings */
};

/* --- KVM's side; under the lock -------------------------------------------------------------- */

static bool assign(struct doorbells *doorbells, const struct doorbell *doorbell, uint64_t address,
                   bool on)
{
    struct kvm_ioeventfd event = {
        .addr = address,
        .len = ANY_LENGTH,
        .fd = doorbell->fd,
        .flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
    };

    return kvm_ioctl(doorbells->kvm->vm, KVM_IOEVENTFD, &event) == 0;
}

/* KVM has it where its region is now, if it is to be a doorbell at all. */
static void update(struct doorbells *doorbells, struct doorbell *doorbell)
{
    bool placed = doorbell->base != REGION_UNPLACED && !doorbell->disabled;
    uint64_t address = placed ? doorbell->base + doorbell->offset : REGION_UNPLACED;

    if (doorbell->address == address) {
        return;
    }
    if (doorbell->address != REGION_UNPLACED) {
        assign(doorbells, doorbell, doorbell->address, false);
        doorbell->address = REGION_UNPLACED;
    }
    if (address != REGION_UNPLACED && assign(doorbells, doorbell, address, true)) {
        doorbell->address = address;
    }
}

void doorbells_placed(struct doorbells *doorbells, struct machine_device *owner, unsigned region,
                      uint64_t base)
{
    if (owner->class->n_doorbells == 0) {
        return;
    }
    pthread_mutex_lock(&doorbells->lock);
    for (unsigned i = 0; i < doorbells->all->len; i++) {
        struct doorbell *doorbell = g_ptr_array_index(doorbells->all, i);

        if (doorbell->owner == owner && doorbell->region == region) {
            doorbell->base = base;
            update(doorbells, doorbell);
        }
    }
    pthread_mutex_unlock(&doorbells->lock);
}

void doorbells_enable(struct doorbells *doorbells, struct machine_device *owner, unsigned number,
                      bool enable)
{
    pthread_mutex_lock(&doorbells->lock);
    for (unsigned i = 0; i < doorbells->all->len; i++) {
        struct doorbell *doorbell = g_ptr_array_index(doorbells->all, i);

        if (doorbell->owner == owner && doorbell->number == number) {
            doorbell->disabled = !enable;
            update(doorbells, doorbell);
        }
    }
    pthread_mutex_unlock(&doorbells->lock);
}

static int set_of(const struct doorbells *doorbells, const struct machine_device *owner)
{
    return owner->class->n_drives > 0 ? doorbells->disks : doorbells->epoll;
}

void doorbell_bind(struct doorbells *doorbells, struct machine_device *owner, unsigned region,
                   uint64_t offset, unsigned number)
{
    struct doorbell *doorbell = g_new(struct doorbell, 1);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = doorbell };
    int set = set_of(doorbells, owner);

    *doorbell = (struct doorbell){ .owner = owner,
                                   .region = region,
                                   .number = number,
                                   .offset = offset,
                                   .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                   .base = REGION_UNPLACED,
                                   .address = REGION_UNPLACED };
    if (doorbell->fd < 0 || epoll_ctl(set, EPOLL_CTL_ADD, doorbell->fd, &event) != 0) {
        if (doorbell->fd >= 0) {
            close(doorbell->fd);
        }
        g_free(doorbell); /* no descriptors left: the writes exit */
        return;
    }
    g_ptr_array_add(doorbells->all, doorbell);
}

void doorbells_remove(struct doorbells *doorbells, struct machine_device *owner)
{
    pthread_mutex_lock(&doorbells->lock);
    for (unsigned i = doorbells->all->len; i > 0; i--) {
        struct doorbell *doorbell = g_ptr_array_index(doorbells->all, i - 1);

        if (doorbell->owner == owner) {
            epoll_ctl(set_of(doorbells, owner), EPOLL_CTL_DEL, doorbell->fd, NULL);
            g_ptr_array_remove_index_fast(doorbells->all, i - 1); /* frees it */
            doorbells->removals++;
        }
    }
    pthread_mutex_unlock(&doorbells->lock);
}

/* --- The thread ------------------------------------------------------------------------------ */

/* Enters the device if its doorbell has rung. */
static void answer(struct doorbells *doorbells, struct doorbell *doorbell)
{
    struct machine_device *owner = doorbell->owner;
    uint64_t count;

    if (read(doorbell->fd, &count, sizeof(count)) != sizeof(count)) {
        return;
    }
    atomic_fetch_add_explicit(&doorbells->rung, count, memory_order_relaxed);
    domain_enter(owner->domain);
    owner->class->on_doorbell(owner->device, doorbell->number);
    domain_leave(owner->domain);
}

/* Waits until the thread may enter devices; false: it shall end. */
static bool begin(struct doorbells *doorbells)
{
    bool go_on;

    pthread_mutex_lock(&doorbells->lock);
    while (!doorbells->running && !doorbells->quit) {
        pthread_cond_wait(&doorbells->changed, &doorbells->lock);
    }
    go_on = !doorbells->quit;
    doorbells->busy += go_on;
    pthread_mutex_unlock(&doorbells->lock);
    return go_on;
}

static void end(struct doorbells *doorbells)
{
    pthread_mutex_lock(&doorbells->lock);
    doorbells->busy--;
    pthread_cond_broadcast(&doorbells->changed);
    pthread_mutex_unlock(&doorbells->lock);
}

/* Inside begin() and end(), so none of them is removed meanwhile. */
static void disks_answer(struct doorbells *doorbells)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(doorbells->disks, events, EVENTS_AT_ONCE, 0);

    for (int i = 0; i < n; i++) {
        answer(doorbells, events[i].data.ptr);
    }
}

bool doorbells_hear_disks(void *context)
{
    struct doorbells *doorbells = context;

    pthread_mutex_lock(&doorbells->lock);
    if (!doorbells->running) {
        pthread_mutex_unlock(&doorbells->lock);
        return false;
    }
    doorbells->busy++;
    if (!doorbells->taken) {
        doorbells->taken = true;
        epoll_ctl(doorbells->epoll, EPOLL_CTL_DEL, doorbells->disks, NULL);
    }
    pthread_mutex_unlock(&doorbells->lock);
    disks_answer(doorbells);
    end(doorbells);
    return true;
}

static void *doorbells_thread(void *context)
{
    struct doorbells *doorbells = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    unsigned removals = 0;

    pthread_setname_np(pthread_self(), "doorbells");
    for (;;) {
        int n = epoll_wait(doorbells->epoll, events, EVENTS_AT_ONCE, -1);

        if (!begin(doorbells)) {
            return NULL;
        }
        if (doorbells->removals != removals) {
            removals = doorbells->removals;
            n = 0; /* they may be about what is gone; the others are told again */
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == doorbells) {
                disks_answer(doorbells);
            } else if (events[i].data.ptr) {
                answer(doorbells, events[i].data.ptr);
            }
        }
        end(doorbells);
    }
}

void doorbells_go(struct doorbells *doorbells)
{
    pthread_mutex_lock(&doorbells->lock);
    doorbells->running = true;
    pthread_cond_broadcast(&doorbells->changed);
    if (!doorbells->started && doorbells->all->len > 0) {
        doorbells->started =
            pthread_create(&doorbells->thread, NULL, doorbells_thread, doorbells) == 0;
        g_assert(doorbells->started);
    }
    pthread_mutex_unlock(&doorbells->lock);
}

void doorbells_halt(struct doorbells *doorbells)
{
    pthread_mutex_lock(&doorbells->lock);
    doorbells->running = false;
    while (doorbells->busy > 0) {
        pthread_cond_wait(&doorbells->changed, &doorbells->lock);
    }
    pthread_mutex_unlock(&doorbells->lock);
    for (unsigned i = 0; i < doorbells->all->len; i++) {
        answer(doorbells, g_ptr_array_index(doorbells->all, i));
    }
}

/* --- Life ------------------------------------------------------------------------------------ */

static void doorbell_free(gpointer data)
{
    struct doorbell *doorbell = data;

    close(doorbell->fd);
    g_free(doorbell);
}

void doorbells_init(struct doorbells *doorbells, struct kvm *kvm)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    struct epoll_event disks = { .events = EPOLLIN, .data.ptr = doorbells };

    *doorbells = (struct doorbells){ .kvm = kvm };
    pthread_mutex_init(&doorbells->lock, NULL);
    pthread_cond_init(&doorbells->changed, NULL);
    doorbells->all = g_ptr_array_new_with_free_func(doorbell_free);
    doorbells->epoll = epoll_create1(EPOLL_CLOEXEC);
    doorbells->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_ctl(doorbells->epoll, EPOLL_CTL_ADD, doorbells->end, &event);
    doorbells->disks = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(doorbells->epoll, EPOLL_CTL_ADD, doorbells->disks, &disks);
}

void doorbells_stop(struct doorbells *doorbells)
{
    const uint64_t one = 1;

    if (!doorbells->all || !doorbells->started) {
        return;
    }
    pthread_mutex_lock(&doorbells->lock);
    doorbells->quit = true;
    pthread_cond_broadcast(&doorbells->changed);
    pthread_mutex_unlock(&doorbells->lock);
    if (write(doorbells->end, &one, sizeof(one)) != sizeof(one)) {
        g_error("the doorbells' thread cannot be told to end");
    }
    pthread_join(doorbells->thread, NULL);
    doorbells->started = false;
}

void doorbells_destroy(struct doorbells *doorbells)
{
    if (!doorbells->all) {
        return;
    }
    g_ptr_array_free(doorbells->all, TRUE);
    close(doorbells->epoll);
    close(doorbells->disks);
    close(doorbells->end);
    pthread_cond_destroy(&doorbells->changed);
    pthread_mutex_destroy(&doorbells->lock);
}
