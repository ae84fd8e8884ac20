/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Doorbells: writes of the guest to a device's register that KVM turns into an event (ioeventfd),
 * so that the vCPU goes on at once and the device works on a thread of its own. Where KVM refuses
 * one, the write exits to the bus like any other.
 *
 * One thread hears all doorbells of the machine. Those of devices with disks can be heard
 * elsewhere, by the thread that has the disks' I/O, which then starts what was asked for without a
 * change of threads. While the machine stands still nothing is lost: what rang before is carried
 * out by doorbells_halt().
 *
 * Threads: doorbells_init() and doorbells_destroy() from one; doorbell_bind() and
 * doorbells_remove() while the machine stands still; doorbells_placed() and doorbells_enable() in
 * the owner's domain; doorbells_go() and doorbells_halt() under control, no domain held.
 */
#ifndef ENGINE_DOORBELL_H
#define ENGINE_DOORBELL_H

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm;
struct machine_device;

struct doorbell {
    struct machine_device *owner;
    unsigned region, number; /* of the owner's */
    uint64_t offset;         /* in the region */
    int fd;
    bool disabled;
    uint64_t base;    /* of the region; REGION_UNPLACED: nowhere */
    uint64_t address; /* where KVM has it; REGION_UNPLACED: nowhere */
};

struct doorbells {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* running, quit or busy */
    struct kvm *kvm;
    GPtrArray *all; /* struct doorbell */
    int epoll, end; /* the end of the thread is an event, too */
    int disks;      /* epoll of the doorbells of disks; an event itself, until they are taken */
    pthread_t thread;
    bool started, running, quit;
    bool taken;        /* by whoever calls doorbells_hear_disks() */
    unsigned busy;     /* threads that are inside a device */
    unsigned removals; /* by doorbells_remove() */
    _Atomic uint64_t rung;
};

void doorbells_init(struct doorbells *doorbells, struct kvm *kvm);
/* Ends the thread. No domain may be held. Like doorbells_destroy() it does nothing when
 * doorbells_init() was not called (all is zero). */
void doorbells_stop(struct doorbells *doorbells);
/* After the devices are gone. */
void doorbells_destroy(struct doorbells *doorbells);
/* See services.h, doorbell_bind. */
void doorbell_bind(struct doorbells *doorbells, struct machine_device *owner, unsigned region,
                   uint64_t offset, unsigned number);
/* Forgets those of the owner, whose regions are placed nowhere, while the machine stands still. */
void doorbells_remove(struct doorbells *doorbells, struct machine_device *owner);
/* A region of the owner's is at `base` now; REGION_UNPLACED: nowhere. */
void doorbells_placed(struct doorbells *doorbells, struct machine_device *owner, unsigned region,
                      uint64_t base);
/* See services.h, doorbell_enable. */
void doorbells_enable(struct doorbells *doorbells, struct machine_device *owner, unsigned number,
                      bool enable);
/*
 * Hears the doorbells of devices with drives; to be called when `disks` can be read, and from the
 * first call on by its caller alone. False: not while the machine stands still. The context is a
 * struct doorbells.
 */
bool doorbells_hear_disks(void *context);
/* From now on the thread enters devices; it is made the first time. */
void doorbells_go(struct doorbells *doorbells);
/* On return the thread is in no device, and everything that rang has been carried out. vCPUs are
 * parked. */
void doorbells_halt(struct doorbells *doorbells);

#endif
