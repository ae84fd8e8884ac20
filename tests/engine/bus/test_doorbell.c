/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Doorbells: heard on their own thread, held back while the machine stands still, none lost; those
 * of disks wherever their I/O is. KVM's
 * part is played by writing to the event that it would signal; where /dev/kvm can be opened, also
 * that it takes them.
 */
#include <poll.h>
#include <unistd.h>

#include "bus/doorbell.h"
#include "cpu/kvm.h"
#include "../parts_fixture.h"
#include "test.h"

enum {
    BELLS = 3,
    LIMIT_MS = 60000,
    OFFSET = 0x3000,
    BASE = 0xe0000000,
};

#define ELSEWHERE UINT64_C(0x180000000)

struct listener {
    struct device device;
    struct domain *domain;
    _Atomic unsigned heard[BELLS];
    bool inside; /* the domain was held each time */
    pthread_t thread;
};

static void listener_on_doorbell(struct device *device, unsigned doorbell)
{
    struct listener *l = (struct listener *)device;

    l->inside = l->inside && domain_inside(l->domain);
    l->thread = pthread_self();
    atomic_fetch_add(&l->heard[doorbell], 1);
}

static const struct device_class listener_class = {
    .name = "listener",
    .state_size = sizeof(struct listener),
    .n_doorbells = BELLS,
    .on_doorbell = listener_on_doorbell,
};

static const struct device_class disk_class = {
    .name = "disk",
    .state_size = sizeof(struct listener),
    .n_doorbells = BELLS,
    .n_drives = 1,
    .on_doorbell = listener_on_doorbell,
};

struct place {
    struct parts parts;
    struct listener listener;
    struct machine_device *record;
    struct doorbells doorbells;
};

static void place_open_with(struct place *p, const struct device_class *class)
{
    parts_init(&p->parts);
    p->record = parts_device_new(&p->parts, class, &p->listener.device);
    p->listener.domain = p->record->domain;
    p->listener.inside = true;
    doorbells_init(&p->doorbells, &p->parts.kvm);
    for (unsigned i = 0; i < BELLS; i++) {
        doorbell_bind(&p->doorbells, p->record, 0, OFFSET + 4 * i, i);
    }
}

static void place_open(struct place *p)
{
    place_open_with(p, &listener_class);
}

static void place_close(struct place *p)
{
    doorbells_stop(&p->doorbells);
    doorbells_destroy(&p->doorbells);
    parts_destroy(&p->parts);
    parts_device_free(p->record);
}

static struct doorbell *bell(struct place *p, unsigned i)
{
    return g_ptr_array_index(p->doorbells.all, i);
}

static void ring(struct place *p, unsigned i)
{
    const uint64_t one = 1;

    CHECK(write(bell(p, i)->fd, &one, sizeof(one)) == sizeof(one));
}

static bool heard(struct place *p, unsigned i, unsigned times)
{
    for (unsigned ms = 0; ms < LIMIT_MS; ms++) {
        if (atomic_load(&p->listener.heard[i]) >= times) {
            return true;
        }
        g_usleep(1000);
    }
    return false;
}

TEST(heard_on_a_thread_of_its_own)
{
    struct place p = { 0 };

    place_open(&p);
    doorbells_go(&p.doorbells);
    ring(&p, 0);
    CHECK(heard(&p, 0, 1));
    ring(&p, 2);
    CHECK(heard(&p, 2, 1));
    ring(&p, 0);
    CHECK(heard(&p, 0, 2));
    doorbells_halt(&p.doorbells);
    CHECK(p.listener.inside);
    CHECK(!pthread_equal(p.listener.thread, pthread_self()));
    CHECK_EQ(atomic_load(&p.listener.heard[1]), 0);
    CHECK_EQ(atomic_load(&p.doorbells.rung), 3);
    place_close(&p);
}

/* What rings while nobody may enter the device is carried out by whoever stops the machine. */
TEST(halt_carries_out_what_rang)
{
    struct place p = { 0 };

    place_open(&p);
    ring(&p, 1);
    ring(&p, 1); /* two are one */
    doorbells_halt(&p.doorbells);
    CHECK_EQ(atomic_load(&p.listener.heard[1]), 1);
    CHECK(pthread_equal(p.listener.thread, pthread_self()));
    doorbells_halt(&p.doorbells);
    CHECK_EQ(atomic_load(&p.listener.heard[1]), 1);
    place_close(&p);
}

TEST(nothing_is_heard_while_halted)
{
    struct place p = { 0 };

    place_open(&p);
    doorbells_go(&p.doorbells);
    ring(&p, 0);
    CHECK(heard(&p, 0, 1));
    doorbells_halt(&p.doorbells);
    ring(&p, 0);
    g_usleep(50000);
    CHECK_EQ(atomic_load(&p.listener.heard[0]), 1);
    doorbells_go(&p.doorbells);
    CHECK(heard(&p, 0, 2));
    place_close(&p);
}

TEST(removed_ones_are_not_heard)
{
    struct place p = { 0 };
    unsigned n;

    place_open(&p);
    n = p.doorbells.all->len;
    doorbells_go(&p.doorbells);
    ring(&p, 0);
    CHECK(heard(&p, 0, 1));
    doorbells_halt(&p.doorbells);
    ring(&p, 0); /* the thread may have heard it already */
    doorbells_remove(&p.doorbells, p.record);
    CHECK(n > 0);
    CHECK_EQ(p.doorbells.all->len, 0);
    doorbells_go(&p.doorbells);
    g_usleep(20000);
    doorbells_halt(&p.doorbells);
    CHECK_EQ(atomic_load(&p.listener.heard[0]), 1);
    place_close(&p);
}

static bool can_be_read(int fd)
{
    struct pollfd event = { fd, POLLIN, 0 };

    return poll(&event, 1, 0) == 1;
}

TEST(disks_are_heard_by_whoever_takes_them)
{
    struct place p = { 0 };

    place_open_with(&p, &disk_class);
    doorbells_go(&p.doorbells);
    ring(&p, 0);
    CHECK(heard(&p, 0, 1)); /* by the thread, because nobody has taken them */
    CHECK(doorbells_hear_disks(&p.doorbells));
    CHECK_EQ(atomic_load(&p.listener.heard[0]), 1);
    ring(&p, 0);
    ring(&p, 1);
    CHECK(can_be_read(p.doorbells.disks));
    g_usleep(20000);
    CHECK_EQ(atomic_load(&p.listener.heard[0]), 1);
    CHECK(doorbells_hear_disks(&p.doorbells));
    CHECK_EQ(atomic_load(&p.listener.heard[0]), 2);
    CHECK_EQ(atomic_load(&p.listener.heard[1]), 1);
    CHECK(pthread_equal(p.listener.thread, pthread_self()));
    CHECK(p.listener.inside);
    CHECK(!can_be_read(p.doorbells.disks));
    doorbells_halt(&p.doorbells);
    ring(&p, 2);
    CHECK(!doorbells_hear_disks(&p.doorbells));
    CHECK_EQ(atomic_load(&p.listener.heard[2]), 0);
    doorbells_go(&p.doorbells);
    CHECK(doorbells_hear_disks(&p.doorbells));
    CHECK_EQ(atomic_load(&p.listener.heard[2]), 1);
    ring(&p, 2);
    doorbells_halt(&p.doorbells);
    CHECK_EQ(atomic_load(&p.listener.heard[2]), 2);
    ring(&p, 2);
    doorbells_remove(&p.doorbells, p.record);
    CHECK(!can_be_read(p.doorbells.disks));
    place_close(&p);
}

TEST(end_while_it_rings)
{
    for (unsigned round = 0; round < 50; round++) {
        struct place p = { 0 };

        place_open(&p);
        doorbells_go(&p.doorbells);
        for (unsigned i = 0; i < BELLS; i++) {
            ring(&p, i);
        }
        place_close(&p);
    }
}

TEST(kvm_takes_them)
{
    g_autoptr(GError) error = NULL;
    struct place p = { 0 };

    place_open(&p);
    if (!kvm_open(&p.parts.kvm, &error)) {
        printf("# not tried: %s\n", error->message);
        place_close(&p);
        return;
    }
    doorbells_placed(&p.doorbells, p.record, 1, BASE); /* another region */
    CHECK_EQ(bell(&p, 0)->address, REGION_UNPLACED);
    doorbells_placed(&p.doorbells, p.record, 0, BASE);
    for (unsigned i = 0; i < BELLS; i++) {
        CHECK_EQ(bell(&p, i)->address, BASE + OFFSET + 4 * i);
    }
    doorbells_enable(&p.doorbells, p.record, 1, false);
    CHECK_EQ(bell(&p, 1)->address, REGION_UNPLACED);
    CHECK_EQ(bell(&p, 2)->address, BASE + OFFSET + 8);
    doorbells_placed(&p.doorbells, p.record, 0, ELSEWHERE);
    CHECK_EQ(bell(&p, 1)->address, REGION_UNPLACED);
    CHECK_EQ(bell(&p, 2)->address, ELSEWHERE + OFFSET + 8);
    doorbells_enable(&p.doorbells, p.record, 1, true);
    CHECK_EQ(bell(&p, 1)->address, ELSEWHERE + OFFSET + 4);
    doorbells_placed(&p.doorbells, p.record, 0, BASE);
    /* One place has one doorbell: of two devices that the guest puts there, the later exits. */
    doorbell_bind(&p.doorbells, p.record, 1, OFFSET, 0);
    doorbells_placed(&p.doorbells, p.record, 1, BASE);
    CHECK_EQ(bell(&p, BELLS)->address, REGION_UNPLACED);
    doorbells_placed(&p.doorbells, p.record, 0, REGION_UNPLACED);
    CHECK_EQ(bell(&p, 0)->address, REGION_UNPLACED);
    doorbells_placed(&p.doorbells, p.record, 1, BASE);
    CHECK_EQ(bell(&p, BELLS)->address, BASE + OFFSET);
    kvm_close(&p.parts.kvm);
    place_close(&p);
}

TEST_MAIN(T(heard_on_a_thread_of_its_own), T(halt_carries_out_what_rang),
          T(removed_ones_are_not_heard), T(nothing_is_heard_while_halted),
          T(disks_are_heard_by_whoever_takes_them), T(end_while_it_rings), T(kvm_takes_them))
