/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must hold for every device of the registry, whatever it is: sound tables, reset, saved
 * state, any access of any size. A device that is added is covered at once.
 */
#include "test.h"

#include "bytes.h"
#include "fake_private.h"
#include "input.h"
#include "pci.h"
#include "rig.h"
#include "state.h"

enum {
    OFFSETS_MAX = 4096, /* of a region, tried one by one; larger ones are sampled */
    POKES = 2000,
};

static const struct device_class *class;
static struct rig rig;

#define CHECK_CLASS(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, "%s: not true: %s", class->name, #condition);            \
        }                                                                                          \
    } while (0)

#define FOR_EVERY_CLASS for (unsigned class_ = 0; (class = device_classes[class_]); class_++)

/* --- Tables ----------------------------------------------------------------------------------- */

TEST(classes_are_sound)
{
    FOR_EVERY_CLASS
    {
        CHECK_CLASS(device_class_find(class->name) == class);
        CHECK_CLASS(class->name[0] != '\0' && strlen(class->name) < DEVICE_NAME_MAX);
        CHECK_CLASS(class->version >= 1);
        CHECK_CLASS(class->description && class->description[0] != '\0');
        CHECK_CLASS(class->state_size >=
                    (class->pci ? sizeof(struct pci_device) : sizeof(struct device)));
        CHECK_CLASS(class->n_timers == 0 || class->on_timer);
        CHECK_CLASS(class->n_tasks == 0 || class->on_task);
        CHECK_CLASS(class->n_drives == 0 || (class->on_block && class->on_media && class->idle));
        for (const struct option_desc *o = class->options; o && o->name; o++) {
            CHECK_CLASS(o->help && o->help[0] != '\0');
            CHECK_CLASS(o->offset >= sizeof(struct device) && o->offset < class->state_size);
        }
    }
}

TEST(regions_and_windows_are_sound)
{
    FOR_EVERY_CLASS
    {
        for (unsigned i = 0; i < class->n_regions; i++) {
            const struct region_desc *r = &class->regions[i];

            CHECK_CLASS(r->name && r->name[0] != '\0' && r->size > 0);
            CHECK_CLASS((r->read_sizes & ~SIZE_ANY) == 0 && (r->write_sizes & ~SIZE_ANY) == 0);
            CHECK_CLASS((r->read != NULL) == (r->read_sizes != 0));
            CHECK_CLASS((r->write != NULL) == (r->write_sizes != 0));
            CHECK_CLASS(r->space == REGION_MMIO || r->size <= 0x10000);
            CHECK_CLASS(r->base == REGION_UNPLACED || r->base + r->size > r->base);
        }
        for (unsigned i = 0; i < class->n_windows; i++) {
            CHECK_CLASS(class->windows[i].memory < class->n_memories);
        }
        for (unsigned i = 0; i < class->n_memories; i++) {
            CHECK_CLASS(class->memories[i].size % 4096 == 0);
        }
    }
}

static void fields_check(const struct state_field *fields, size_t limit)
{
    for (const struct state_field *f = fields; f && f->name; f++) {
        CHECK_CLASS(f->count > 0 && strlen(f->name) < 256);
        if (f->type == FIELD_STRUCTS) {
            CHECK_CLASS(f->offset + f->count * f->stride <= limit);
            fields_check(f->fields, f->stride);
        } else {
            CHECK_CLASS(f->offset < limit);
        }
        for (const struct state_field *g = fields; g != f; g++) {
            CHECK_CLASS(strcmp(g->name, f->name) != 0);
        }
    }
}

TEST(fields_are_sound)
{
    FOR_EVERY_CLASS
    {
        fields_check(class->fields, class->state_size);
    }
}

TEST(unknown_option_is_refused)
{
    FOR_EVERY_CLASS
    {
        struct fake *fake = fake_new(RIG_RAM_SIZE);
        struct option_value values[] = { { "no such option", "1" }, { NULL, NULL } };
        struct dev_error error = { "" };

        CHECK_CLASS(!fake_try_add_class(fake, class, values, &error));
        CHECK_CLASS(strstr(error.message, "no such option"));
        fake_free(fake);
    }
}

/* --- Disturbing a device ---------------------------------------------------------------------- */

static const unsigned sizes[] = { 1, 2, 4, 8 };

static uint64_t number(uint64_t *seed)
{
    uint64_t r = rig_random(seed);

    switch (r >> 60) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
    case 3:
    case 4:
        return UINT64_C(1) << (r & 63);
    case 5:
    case 6:
    case 7:
    case 8:
        return r & 0xff;
    case 9:
    case 10:
    case 11:
        return r & (RIG_RAM_SIZE - 1) & ~UINT64_C(127); /* something in RAM */
    default:
        return r;
    }
}

static void config_poke(uint64_t *seed)
{
    unsigned size = sizes[rig_random(seed) % 3];
    unsigned offset = (unsigned)(rig_random(seed) % 256) & ~(size - 1);

    if (rig_random(seed) % 2) {
        fake_config_write(rig.device, offset, size, (uint32_t)number(seed));
    } else {
        fake_config_read(rig.device, offset, size);
    }
}

static void region_poke(uint64_t *seed)
{
    const struct region_desc *region = &class->regions[rig_random(seed) % class->n_regions];
    unsigned size = sizes[rig_random(seed) % 4];
    uint64_t offset = rig_random(seed) % region->size;

    if (rig_random(seed) % 4) {
        offset &= ~(uint64_t)(size - 1);
    }
    if (rig_random(seed) % 4) {
        region_write(rig.device, region, offset, size, number(seed));
    } else {
        region_read(rig.device, region, offset, size);
    }
}

/* Many accesses that mean something to some device, and some events from outside. */
static void disturb(uint64_t seed)
{
    for (size_t i = 0; i + 8 <= RIG_RAM_SIZE; i += 8 * 37) {
        store_le64(fake_ram(rig.fake) + i, number(&seed));
    }
    for (unsigned i = 0; i < POKES; i++) {
        unsigned kind = (unsigned)(rig_random(&seed) % 64);

        if (kind < 4 && class->pci) {
            config_poke(&seed);
        } else if (kind == 5) {
            fake_advance(rig.fake, rig_random(&seed) % 200000);
        } else if (kind == 6 && class->input && class->input->key) {
            class->input->key(rig.device, (uint16_t)(rig_random(&seed) % 256), kind & 1);
        } else if (kind == 7 && class->n_ports > 0) {
            fake_char_input(rig.device, 0, &seed, sizeof(seed));
        } else if (class->n_regions > 0) {
            region_poke(&seed);
        }
    }
}

/* --- Reset ------------------------------------------------------------------------------------ */

/* Battery-backed memory survives every reset. */
static bool state_survives_reset(void)
{
    return strcmp(class->name, "cmos-rtc") == 0;
}

static void check_quiet(void)
{
    for (unsigned i = 0; i < class->n_irqs + (class->pci ? 1 : 0); i++) {
        CHECK_CLASS(!fake_irq(rig.device, i));
    }
}

TEST(cold_reset_restores_everything)
{
    FOR_EVERY_CLASS
    {
        size_t size, size_after;
        uint8_t *fresh, *after, *again;

        rig_open(&rig, class);
        fresh = rig_save(&rig, &size);
        rig_map(&rig);
        disturb(1);
        rig_settle(&rig);
        /* Back to the time of the first save: the clock shows in the state of some devices. */
        rig.fake->wall_at_zero -= rig.fake->now;
        rig.fake->now = 0;
        device_reset(rig.device, RESET_COLD);
        check_quiet();
        after = rig_save(&rig, &size_after);
        CHECK_CLASS(size_after == size);
        CHECK_CLASS(state_survives_reset() || memcmp(fresh, after, size) == 0);
        device_reset(rig.device, RESET_COLD);
        again = rig_save(&rig, &size_after);
        CHECK_CLASS(memcmp(after, again, size) == 0);
        free(fresh);
        free(after);
        free(again);
        rig_close(&rig);
    }
}

TEST(reset_and_removal_in_the_middle)
{
    FOR_EVERY_CLASS
    {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            rig_open(&rig, class);
            rig_map(&rig);
            for (unsigned i = 0; i < RIG_DRIVES_MAX; i++) {
                if (rig_has_drive(&rig, i)) {
                    fake_drive_hold(rig.device, i, true);
                }
            }
            disturb(seed);
            if (seed > 1) {
                device_reset(rig.device, seed % 2 ? RESET_COLD : RESET_WARM);
                check_quiet();
                disturb(seed + 100);
                device_reset(rig.device, RESET_COLD);
                rig_settle(&rig);
                CHECK_CLASS(!class->idle || class->idle(rig.device));
                check_quiet();
            }
            rig_close(&rig);
        }
    }
}

/* --- Saved state ------------------------------------------------------------------------------ */

TEST(state_goes_round)
{
    FOR_EVERY_CLASS
    {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            rig_open(&rig, class);
            rig_map(&rig);
            disturb(seed);
            rig_settle(&rig);
            CHECK_CLASS(fake_save_load(rig.device));
            disturb(seed + 100);
            rig_close(&rig);
        }
    }
}

TEST(truncated_state_is_refused)
{
    FOR_EVERY_CLASS
    {
        struct dev_error error = { "" };
        size_t size, size_after;
        uint8_t *saved, *after;

        rig_open(&rig, class);
        rig_map(&rig);
        disturb(3);
        rig_settle(&rig);
        saved = rig_save(&rig, &size);
        for (size_t cut = 0; cut < size; cut += cut < 64 || size - cut < 64 ? 1 : 61) {
            CHECK_CLASS(device_load(rig.device, saved, cut, &error) != 0);
            CHECK_CLASS(strstr(error.message, rig.device->name));
        }
        after = rig_save(&rig, &size_after);
        CHECK_CLASS(size_after == size && memcmp(saved, after, size) == 0);
        free(saved);
        free(after);
        rig_close(&rig);
    }
}

/* Whatever is accepted must leave a device that works: nothing may break in what follows. */
TEST(changed_state_is_refused_or_harmless)
{
    FOR_EVERY_CLASS
    {
        uint64_t seed = 7;

        for (unsigned round = 0; round < 200; round++) {
            struct dev_error error = { "" };
            size_t size;
            uint8_t *state;

            rig_open(&rig, class);
            rig_map(&rig);
            state = rig_save(&rig, &size);
            for (unsigned i = 0; i < 1 + round % 8 && size > 16; i++) {
                state[16 + rig_random(&seed) % (size - 16)] = (uint8_t)rig_random(&seed);
            }
            rig_state_seal(state, size);
            if (device_load(rig.device, state, size, &error) == 0) {
                device_restored(rig.device);
                fake_advance(rig.fake, 1000000);
                if (round % 10 == 0) {
                    disturb(seed);
                }
                rig_settle(&rig);
                device_reset(rig.device, RESET_COLD);
                check_quiet();
            } else {
                CHECK_CLASS(error.message[0] != '\0');
            }
            free(state);
            rig_close(&rig);
        }
    }
}

/* --- Accesses --------------------------------------------------------------------------------- */

static void region_access(const struct region_desc *region, uint64_t offset)
{
    static const uint64_t values[] = { 0, UINT64_MAX, UINT64_C(0x5555555555555555),
                                       UINT64_C(0x0000000100000001) };

    for (unsigned s = 0; s < 4; s++) {
        for (unsigned v = 0; v < 4; v++) {
            region_write(rig.device, region, offset, sizes[s], values[v]);
        }
        region_read(rig.device, region, offset, sizes[s]);
    }
}

TEST(every_access_is_survived)
{
    FOR_EVERY_CLASS
    {
        rig_open(&rig, class);
        rig_map(&rig);
        for (unsigned i = 0; i < class->n_regions; i++) {
            const struct region_desc *region = &class->regions[i];
            uint64_t step = region->size > OFFSETS_MAX ? region->size / OFFSETS_MAX + 1 : 1;

            for (uint64_t offset = 0; offset < region->size; offset += step) {
                region_access(region, offset);
            }
            region_access(region, region->size - 1);
        }
        rig_settle(&rig);
        device_reset(rig.device, RESET_COLD);
        CHECK_CLASS(fake_save_load(rig.device));
        rig_close(&rig);
    }
}

TEST(beyond_a_region_is_ones)
{
    FOR_EVERY_CLASS
    {
        rig_open(&rig, class);
        for (unsigned i = 0; i < class->n_regions; i++) {
            const struct region_desc *region = &class->regions[i];

            CHECK_CLASS(region_read(rig.device, region, region->size - 1, 8) >> 8 == ones(7));
            CHECK_CLASS(region_read(rig.device, region, region->size, 4) == ones(4));
            region_write(rig.device, region, region->size, 4, 0);
        }
        rig_close(&rig);
    }
}

TEST_MAIN(T(classes_are_sound), T(regions_and_windows_are_sound), T(fields_are_sound),
          T(unknown_option_is_refused), T(cold_reset_restores_everything),
          T(reset_and_removal_in_the_middle), T(state_goes_round), T(truncated_state_is_refused),
          T(changed_state_is_refused_or_harmless), T(every_access_is_survived),
          T(beyond_a_region_is_ones))
