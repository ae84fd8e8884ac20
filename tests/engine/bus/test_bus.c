/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bus without a guest: who answers where, and what happens when that changes under way. */
#include "../parts_fixture.h"
#include "test.h"

/* A device that remembers the last write and answers reads with a number of its own and the offset.
 */
struct probe {
    struct device device;
    uint64_t number, last_offset, last_value;
    unsigned last_size, writes;
};

static uint64_t probe_read(struct device *device, uint64_t offset, unsigned size)
{
    struct probe *p = (struct probe *)device;

    return p->number << 8 | offset;
}

static void probe_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct probe *p = (struct probe *)device;

    p->last_offset = offset;
    p->last_value = value;
    p->last_size = size;
    p->writes++;
}

#define REGION(space_, base_, size_, sizes_)                                                       \
    {                                                                                              \
        .name = "region", .space = (space_), .base = (base_), .size = (size_),                     \
        .read_sizes = (sizes_), .write_sizes = (sizes_), .read = probe_read, .write = probe_write  \
    }

static const struct region_desc wide_regions[] = {
    REGION(REGION_PIO, 0xcf8, 4, SIZE_ANY),
    REGION(REGION_MMIO, 0x10000, 0x1000, SIZE_ANY),
    REGION(REGION_MMIO, REGION_UNPLACED, 0x1000, SIZE_ANY),
};
static const struct region_desc narrow_regions[] = {
    REGION(REGION_PIO, 0xcf9, 1, SIZE_1),
    REGION(REGION_MMIO, 0x10800, 0x10, SIZE_ANY),
};
static const struct region_desc byte_regions[] = {
    REGION(REGION_PIO, 0x60, 1, SIZE_1),
};
static const struct region_desc next_regions[] = {
    REGION(REGION_PIO, 0x61, 1, SIZE_1),
};

#define CLASS(regions_)                                                                            \
    {                                                                                              \
        .name = "probe", .state_size = sizeof(struct probe), .regions = (regions_),                \
        .n_regions = G_N_ELEMENTS(regions_)                                                        \
    }

static const struct device_class wide = CLASS(wide_regions), narrow = CLASS(narrow_regions),
                                 byte = CLASS(byte_regions), next = CLASS(next_regions);

TEST(smaller_ports_lie_inside_larger_ones)
{
    struct probe a = { .number = 0xa }, b = { .number = 0xb };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);
    struct machine_device *rb = parts_device_new(&p, &narrow, &b.device);

    CHECK_EQ(parts_in(&p, 0xcf8, 4), 0xa00);
    CHECK_EQ(parts_in(&p, 0xcf9, 1), 0x00); /* b, its low byte */
    parts_out(&p, 0xcf9, 1, 6);
    CHECK_EQ(b.last_value, 6);
    CHECK_EQ(a.writes, 0);
    parts_out(&p, 0xcf8, 4, 0x80000000);
    CHECK_EQ(a.last_value, 0x80000000);
    CHECK_EQ(b.writes, 1);
    bus_place(&p.bus, &rb->regions[0], REGION_UNPLACED);
    parts_out(&p, 0xcf9, 1, 7);
    CHECK_EQ(a.last_value, 7);
    CHECK_EQ(a.last_offset, 1);
    parts_destroy(&p);
    parts_device_free(ra);
    parts_device_free(rb);
}

TEST(wide_port_accesses_reach_neighbours)
{
    struct probe a = { .number = 1 }, b = { .number = 2 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &byte, &a.device);
    struct machine_device *rb = parts_device_new(&p, &next, &b.device);

    parts_out(&p, 0x60, 2, 0x1234);
    CHECK_EQ(a.last_value, 0x34);
    CHECK_EQ(b.last_value, 0x12);
    parts_out(&p, 0x5f, 4, 0xddccbbaa); /* nobody, a, b, nobody */
    CHECK_EQ(a.last_value, 0xbb);
    CHECK_EQ(b.last_value, 0xcc);
    CHECK_EQ(parts_in(&p, 0x61, 4) & 0xffffff00, 0xffffff00);
    CHECK_EQ(atomic_load(&p.reader.unclaimed_writes), 2);
    CHECK_EQ(atomic_load(&p.reader.unclaimed_reads), 3);
    parts_out(&p, 0xffff, 4, 0); /* around the end of the port space */
    parts_destroy(&p);
    parts_device_free(ra);
    parts_device_free(rb);
}

TEST(repeats_at_one_port)
{
    uint8_t data[8] = { 1, 0, 2, 0, 3, 0, 4, 0 };
    struct bus_access access = { 0xcf8, 2, 4, true, data };
    struct probe a = { .number = 1 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);

    bus_ports(&p.bus, &p.reader, &access);
    CHECK_EQ(a.writes, 4);
    CHECK_EQ(a.last_value, 4);
    CHECK_EQ(a.last_offset, 0);
    CHECK_EQ(atomic_load(&ra->regions[0].writes), 4);
    parts_destroy(&p);
    parts_device_free(ra);
}

TEST(memory_regions_are_found_at_their_edges)
{
    struct probe a = { .number = 1 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);

    CHECK_EQ(parts_read(&p, &p.reader, 0xfffc, 4), 0xffffffff);
    CHECK_EQ(parts_read(&p, &p.reader, 0x10000, 2), 0x100);
    parts_write(&p, &p.reader, 0x10ffc, 4, 0x11223344);
    CHECK_EQ(a.last_offset, 0xffc);
    CHECK_EQ(a.last_value, 0x11223344);
    parts_write(&p, &p.reader, 0x10fff, 4, 0x55667788); /* only the first byte is inside */
    CHECK_EQ(a.last_size, 1);
    CHECK_EQ(a.last_value, 0x88);
    CHECK_EQ(parts_read(&p, &p.reader, 0x11000, 8), UINT64_MAX);
    CHECK_EQ(parts_read(&p, &p.reader, UINT64_MAX - 1, 2), 0xffff);
    parts_destroy(&p);
    parts_device_free(ra);
}

TEST(regions_move)
{
    struct probe a = { .number = 1 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);

    CHECK_EQ(parts_read(&p, &p.reader, 0x20004, 2), 0xffff);
    CHECK(bus_place(&p.bus, &ra->regions[2], 0x20000)); /* the board's: windows must look again */
    CHECK(!bus_place(&p.bus, &ra->regions[2], 0x20000));
    CHECK_EQ(parts_read(&p, &p.reader, 0x20004, 2), 0x104);
    bus_place(&p.bus, &ra->regions[2], 0x30000);
    CHECK_EQ(parts_read(&p, &p.reader, 0x20004, 2), 0xffff);
    CHECK_EQ(parts_read(&p, &p.reader, 0x30004, 2), 0x104);
    CHECK(bus_board_overlaps(&p.bus, 0x2f000, 0x1001));
    CHECK(!bus_board_overlaps(&p.bus, 0x2f000, 0x1000));
    bus_place(&p.bus, &ra->regions[2], REGION_UNPLACED);
    CHECK_EQ(parts_read(&p, &p.reader, 0x30004, 2), 0xffff);
    parts_destroy(&p);
    parts_device_free(ra);
}

TEST(regions_go)
{
    struct probe a = { .number = 1 }, b = { .number = 2 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);
    struct machine_device *rb = parts_device_new(&p, &byte, &b.device);

    CHECK_EQ(parts_read(&p, &p.reader, 0x10000, 2), 0x100);
    for (unsigned i = 0; i < wide.n_regions; i++) {
        bus_remove(&p.bus, &ra->regions[i]);
    }
    CHECK_EQ(p.bus.regions->len, 1);
    CHECK_EQ(parts_read(&p, &p.reader, 0x10000, 2), 0xffff);
    CHECK_EQ(parts_in(&p, 0xcf8, 1), 0xff);
    CHECK_EQ(parts_in(&p, 0x60, 1), 0x00); /* the other one answers, by its new number */
    parts_write(&p, &p.reader, 0x10000, 2, 7);
    CHECK_EQ(a.writes, 0);
    parts_destroy(&p);
    parts_device_free(ra);
    parts_device_free(rb);
}

TEST(the_board_wins_over_bars_and_the_first_over_the_second)
{
    struct probe a = { .number = 1 }, b = { .number = 2 };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);
    struct machine_device *rb = parts_device_new(&p, &wide, &b.device);

    ra->regions[2].bar = rb->regions[2].bar = true;
    bus_place(&p.bus, &ra->regions[2], 0x40000);
    CHECK(!bus_place(&p.bus, &rb->regions[2], 0x40800)); /* collides: nobody sees it */
    CHECK_EQ(parts_read(&p, &p.reader, 0x40ffe, 2), 0x100 | 0xffe);
    CHECK_EQ(parts_read(&p, &p.reader, 0x41000, 2), 0xffff);
    bus_place(&p.bus, &ra->regions[2], 0x50000); /* makes room */
    CHECK_EQ(parts_read(&p, &p.reader, 0x41000, 2), 0x200 | 0x800);
    bus_place(&p.bus, &rb->regions[2], 0x10000); /* over the board's own region of a */
    CHECK_EQ(parts_read(&p, &p.reader, 0x10000, 2), 0x100);
    bus_place(&p.bus, &ra->regions[1], REGION_UNPLACED);
    bus_place(&p.bus, &rb->regions[1], REGION_UNPLACED);
    CHECK_EQ(parts_read(&p, &p.reader, 0x10000, 2), 0x200);
    parts_destroy(&p);
    parts_device_free(ra);
    parts_device_free(rb);
}

/* --- Moving under way ------------------------------------------------------------------------ */

struct traffic {
    struct parts *parts;
    struct bus_reader reader;
    _Atomic bool *stop;
    unsigned hits, misses, wrong;
};

static void *traffic_thread(void *context)
{
    struct traffic *t = context;

    while (!atomic_load(t->stop)) {
        uint64_t value = parts_read(t->parts, &t->reader, 0x60008, 2);

        if (value == 0x708) {
            t->hits++;
        } else if (value == 0xffff) {
            t->misses++;
        } else {
            t->wrong++;
        }
    }
    return NULL;
}

TEST(accesses_and_moves_at_the_same_time)
{
    struct probe a = { .number = 7 };
    struct traffic traffic[3];
    pthread_t threads[3];
    _Atomic bool stop = false;
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &wide, &a.device);

    for (unsigned i = 0; i < 3; i++) {
        traffic[i] = (struct traffic){ .parts = &p, .stop = &stop };
        bus_add_reader(&p.bus, &traffic[i].reader);
    }
    for (unsigned i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, traffic_thread, &traffic[i]) == 0);
    }
    for (unsigned i = 0; i < 3000; i++) {
        domain_enter(ra->domain);
        bus_place(&p.bus, &ra->regions[2], i % 3 == 0 ? REGION_UNPLACED : 0x60000);
        domain_leave(ra->domain);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(traffic[i].wrong, 0);
    }
    CHECK(p.bus.retired->len <= 4); /* replaced maps do not pile up */
    parts_destroy(&p);
    parts_device_free(ra);
}

/* --- Batched writes -------------------------------------------------------------------------- */

enum {
    MORE = 1000, /* writes that come while others are carried out */
};

static union {
    struct kvm_coalesced_mmio_ring ring;
    uint8_t page[4096];
} shared;

static void ring_put(uint16_t port, uint8_t value)
{
    const unsigned slots =
        (sizeof(shared) - sizeof(shared.ring)) / sizeof(struct kvm_coalesced_mmio);

    shared.ring.coalesced_mmio[shared.ring.last] =
        (struct kvm_coalesced_mmio){ .phys_addr = port, .len = 1, .pio = 1, .data = { value } };
    shared.ring.last = (shared.ring.last + 1) % slots;
}

/* As if another processor had written to the port in the meantime. */
static void eager_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
    struct probe *p = (struct probe *)device;

    probe_write(device, offset, size, value);
    if (p->writes < MORE) {
        ring_put(0x80, (uint8_t)p->writes);
    }
}

static const struct region_desc eager_regions[] = {
    { .name = "eager",
      .space = REGION_PIO,
      .base = 0x80,
      .size = 1,
      .write_sizes = SIZE_1,
      .write = eager_write },
};
static const struct device_class eager = CLASS(eager_regions);

TEST(draining_ends_while_others_write_on)
{
    struct probe a = { .number = 0xa };
    struct parts p;

    parts_init(&p);
    struct machine_device *ra = parts_device_new(&p, &eager, &a.device);

    p.bus.coalesced_ring = &shared.ring;
    ring_put(0x80, 0x11);
    ring_put(0x80, 0x22);
    bus_drain(&p.bus);
    CHECK_EQ(a.writes, 2);
    CHECK_EQ(a.last_value, 0x22);
    bus_drain(&p.bus); /* the next one carries out what came meanwhile */
    CHECK_EQ(a.writes, 4);
    CHECK_EQ(a.last_value, 2);
    parts_destroy(&p);
    parts_device_free(ra);
}

TEST_MAIN(T(smaller_ports_lie_inside_larger_ones), T(wide_port_accesses_reach_neighbours),
          T(repeats_at_one_port), T(memory_regions_are_found_at_their_edges), T(regions_go),
          T(regions_move), T(the_board_wins_over_bars_and_the_first_over_the_second),
          T(accesses_and_moves_at_the_same_time), T(draining_ends_while_others_write_on))
