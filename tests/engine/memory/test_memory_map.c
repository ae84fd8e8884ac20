/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory map: which slots KVM is told of, and which of them a change touches. There is no KVM:
 * the test takes ioctl()'s place and keeps the slots as KVM would.
 */
#include "memory/memory_map.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "config/config.h"
#include "cpu/kvm.h"
#include "cpu/vcpu.h"
#include "parts_fixture.h"
#include "test.h"

#define KIB       UINT64_C(0x400)
#define MIB       UINT64_C(0x100000)
#define PAM_START UINT64_C(0xc0000)
#define PAM_LAST  UINT64_C(0xf0000)
#define RAM_SIZE  (3 * 1024 * MIB) /* 2 GiB at 0, 1 GiB at 4 GiB */

static struct {
    struct kvm_userspace_memory_region slots[MEMORY_SLOTS_MAX];
    unsigned calls;       /* since calls_forget() */
    uint64_t lowest, end; /* of the addresses that they were about */
    uint64_t refused;     /* a slot that begins here is not taken; 0: none */
} fake_kvm;

static void calls_forget(void)
{
    fake_kvm.calls = 0;
    fake_kvm.lowest = UINT64_MAX;
    fake_kvm.end = 0;
}

static void call_note(const struct kvm_userspace_memory_region *region)
{
    if (region->memory_size > 0) {
        fake_kvm.lowest = MIN(fake_kvm.lowest, region->guest_phys_addr);
        fake_kvm.end = MAX(fake_kvm.end, region->guest_phys_addr + region->memory_size);
    }
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    struct kvm_userspace_memory_region *region;
    va_list arguments;

    va_start(arguments, request);
    region = va_arg(arguments, struct kvm_userspace_memory_region *);
    va_end(arguments);
    if (fd != -1 || request != KVM_SET_USER_MEMORY_REGION || region->slot >= MEMORY_SLOTS_MAX ||
        (fake_kvm.refused != 0 && region->guest_phys_addr == fake_kvm.refused)) {
        errno = EINVAL;
        return -1;
    }
    fake_kvm.calls++;
    call_note(&fake_kvm.slots[region->slot]);
    call_note(region);
    fake_kvm.slots[region->slot] = *region;
    return 0;
}

/* The slot at an address, NULL if there is none. Ends the test if there are two. */
static const struct kvm_userspace_memory_region *slot_at(uint64_t gpa)
{
    const struct kvm_userspace_memory_region *found = NULL;

    for (unsigned i = 0; i < MEMORY_SLOTS_MAX; i++) {
        const struct kvm_userspace_memory_region *slot = &fake_kvm.slots[i];

        if (slot->memory_size > 0 && gpa >= slot->guest_phys_addr &&
            gpa - slot->guest_phys_addr < slot->memory_size) {
            CHECK(!found);
            found = slot;
        }
    }
    return found;
}

static _Alignas(MEMORY_PAGE) uint8_t firmware[256 * KIB];

struct rig {
    struct parts parts;
    struct vcpus vcpus; /* none */
    struct memory_map map;
};

static void rig_init(struct rig *rig)
{
    g_autoptr(GError) error = NULL;

    memset(&fake_kvm, 0, sizeof(fake_kvm));
    memset(&rig->vcpus, 0, sizeof(rig->vcpus));
    parts_init(&rig->parts);
    CHECK(memory_map_init(&rig->map, &rig->parts.kvm, &rig->vcpus, &rig->parts.bus, RAM_SIZE,
                          &error));
    memory_map_set_firmware(&rig->map, firmware, sizeof(firmware));
}

static void rig_start(struct rig *rig)
{
    g_autoptr(GError) error = NULL;

    rig_init(rig);
    CHECK(memory_map_build(&rig->map, &error));
    calls_forget();
}

static void rig_destroy(struct rig *rig)
{
    memory_map_destroy(&rig->map);
    parts_destroy(&rig->parts);
}

/* --- PAM ------------------------------------------------------------------------------------- */

static uint64_t segment_start(unsigned segment)
{
    return segment == 0 ? PAM_LAST : PAM_START + (segment - 1) * 16 * KIB;
}

TEST(ram_and_firmware_are_there_from_the_start)
{
    struct rig rig;

    rig_start(&rig);
    CHECK_EQ(slot_at(0)->memory_size, RAM_VGA_START);
    CHECK(!slot_at(RAM_VGA_START) && !slot_at(PAM_START));
    CHECK_EQ(slot_at(0xe0000)->memory_size, 128 * KIB);
    CHECK_EQ(slot_at(0xe0000)->userspace_addr, (uintptr_t)firmware + 128 * KIB);
    CHECK_EQ(slot_at(0xe0000)->flags, KVM_MEM_READONLY);
    CHECK_EQ(slot_at(MIB)->guest_phys_addr, MIB);
    CHECK_EQ(slot_at(MIB)->memory_size, 2048 * MIB - MIB);
    CHECK_EQ(slot_at(RAM_HIGH_BASE - 1)->userspace_addr, (uintptr_t)firmware);
    CHECK_EQ(slot_at(RAM_HIGH_BASE)->memory_size, 1024 * MIB);
    rig_destroy(&rig);
}

TEST(pam_never_touches_the_slots_of_ram)
{
    struct rig rig;

    rig_start(&rig);
    /* Back and forth through every state, with the other segments first ROM, then RAM. */
    for (unsigned others = 0; others < 2; others++) {
        for (unsigned segment = 0; segment < PAM_SEGMENTS; segment++) {
            for (unsigned state = 1; state <= 4; state++) {
                memory_map_pam(&rig.map, segment, state & 1, state & 2);
            }
        }
        for (unsigned segment = 0; segment < PAM_SEGMENTS; segment++) {
            memory_map_pam(&rig.map, segment, others == 0, others == 0);
        }
    }
    CHECK(fake_kvm.calls > 0);
    CHECK_EQ(fake_kvm.lowest, PAM_START);
    CHECK_EQ(fake_kvm.end, MIB);
    CHECK_EQ(slot_at(MIB)->guest_phys_addr, MIB);
    rig_destroy(&rig);
}

TEST(a_segment_costs_what_changes)
{
    struct rig rig;

    rig_start(&rig);
    memory_map_pam(&rig.map, 0, true, true); /* the firmware's slot gives half of itself up */
    CHECK_EQ(fake_kvm.calls, 3);
    CHECK_EQ(fake_kvm.lowest, 0xe0000);
    CHECK_EQ(fake_kvm.end, MIB);
    calls_forget();
    memory_map_pam(&rig.map, 0, true, true);
    CHECK_EQ(fake_kvm.calls, 0);
    memory_map_pam(&rig.map, 1, true, true); /* nothing was there */
    CHECK_EQ(fake_kvm.calls, 1);
    rig_destroy(&rig);
}

TEST(neighbours_are_one_slot)
{
    struct rig rig;

    rig_start(&rig);
    for (unsigned segment = 0; segment < PAM_SEGMENTS; segment++) {
        memory_map_pam(&rig.map, segment, true, true);
    }
    CHECK_EQ(slot_at(PAM_START)->guest_phys_addr, PAM_START);
    CHECK_EQ(slot_at(PAM_START)->memory_size, MIB - PAM_START);
    CHECK_EQ(slot_at(PAM_START)->userspace_addr, (uintptr_t)rig.map.ram.low + PAM_START);
    CHECK_EQ(slot_at(PAM_START)->flags, 0);
    rig_destroy(&rig);
}

TEST(each_state_of_a_segment)
{
    struct rig rig;
    uint8_t byte = 0x5a;
    uint8_t *ram;

    rig_start(&rig);
    for (unsigned segment = 0; segment < PAM_SEGMENTS; segment++) {
        uint64_t gpa = segment_start(segment);
        bool has_firmware = gpa >= 0xe0000;

        ram = rig.map.ram.low + gpa;
        for (unsigned state = 1; state <= 4; state++) {
            const struct kvm_userspace_memory_region *slot;
            bool read = state & 1, write = state & 2;

            memory_map_pam(&rig.map, segment, read, write);
            slot = slot_at(gpa);
            CHECK(!!slot == (read || has_firmware));
            if (slot) {
                uintptr_t host = slot->userspace_addr + (gpa - slot->guest_phys_addr);
                uintptr_t below = (uintptr_t)firmware + sizeof(firmware) - (MIB - gpa);

                CHECK_EQ(host, read ? (uintptr_t)ram : below);
                CHECK_EQ(slot->flags, read && write ? 0 : KVM_MEM_READONLY);
            }
            /* What the guest writes without a slot that takes it. */
            *ram = 0;
            CHECK(memory_map_write_exit(&rig.map, gpa, &byte, 1));
            CHECK_EQ(*ram, write ? byte : 0);
        }
    }
    CHECK(!memory_map_write_exit(&rig.map, PAM_START - 1, &byte, 1));
    CHECK(!memory_map_write_exit(&rig.map, MIB, &byte, 1));
    rig_destroy(&rig);
}

/* --- Windows --------------------------------------------------------------------------------- */

static const struct memory_desc memory_desc = { "vram", 64 * KIB, MEMORY_RAM };
static const struct window_desc window_desc = { "window", 0, 0 };
static uint8_t memory_bytes[64 * KIB];

static void window_init(struct rig *rig, struct window *window, struct device_memory *memory,
                        bool bar)
{
    *memory =
        (struct device_memory){ &memory_desc, memory_bytes, sizeof(memory_bytes), NULL, -1, NULL };
    *window = (struct window){ .desc = &window_desc, .memory = memory, .bar = bar };
    memory_map_add_window(&rig->map, window);
}

TEST(windows_do_not_hide_ram)
{
    static const uint64_t taken[] = {
        0,          0xb8000,    PAM_START,          0xf8000, 2048 * MIB - 4 * KIB,
        0xfec00000, 0xfee10000, RAM_HIGH_BASE + MIB
    };
    struct rig rig;
    struct device_memory memory;
    struct window window;
    size_t length = 4;

    rig_start(&rig);
    window_init(&rig, &window, &memory, true);
    for (size_t i = 0; i < G_N_ELEMENTS(taken); i++) {
        bool vga = taken[i] == 0xb8000;

        memory_map_place(&rig.map, &window, taken[i], 0, vga ? 32 * KIB : 64 * KIB);
        CHECK_EQ(window.shown, vga); /* the display's own place is no RAM */
    }
    memory_map_place(&rig.map, &window, 0xc0000000, 0, sizeof(memory_bytes));
    CHECK(window.shown);
    CHECK_EQ(slot_at(0xc0000000)->userspace_addr, (uintptr_t)memory_bytes);
    CHECK(memory_map_dma(&rig.map, 0xc000fffe, &length) == memory_bytes + 0xfffe);
    CHECK_EQ(length, 2);
    memory_map_remove_window(&rig.map, &window);
    CHECK(!slot_at(0xc0000000));
    rig_destroy(&rig);
}

TEST(who_comes_first_is_shown)
{
    struct rig rig;
    struct device_memory memory;
    struct window first, second, board;

    rig_start(&rig);
    window_init(&rig, &first, &memory, true);
    window_init(&rig, &second, &memory, true);
    window_init(&rig, &board, &memory, false);
    memory_map_place(&rig.map, &first, 0xc0000000, 0, 64 * KIB);
    memory_map_place(&rig.map, &second, 0xc0008000, 0, 64 * KIB);
    CHECK(first.shown && !second.shown);
    memory_map_place(&rig.map, &board, 0xc000c000, 0, 16 * KIB);
    CHECK(board.shown && !first.shown && !second.shown);
    memory_map_remove(&rig.map, &board);
    CHECK(first.shown && !second.shown);
    memory_map_remove(&rig.map, &first);
    CHECK(second.shown);
    rig_destroy(&rig);
}

/* --- Refusals -------------------------------------------------------------------------------- */

TEST(what_kvm_refuses_is_said)
{
    struct rig rig;
    g_autoptr(GError) error = NULL;

    rig_init(&rig);
    fake_kvm.refused = MIB;
    CHECK(!memory_map_build(&rig.map, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_HOST));
    CHECK(strstr(error->message, "/dev/kvm refused") != NULL);
    CHECK_EQ(rig.map.refused, 1);
    rig_destroy(&rig);
}

TEST_MAIN(T(ram_and_firmware_are_there_from_the_start), T(pam_never_touches_the_slots_of_ram),
          T(a_segment_costs_what_changes), T(neighbours_are_one_slot), T(each_state_of_a_segment),
          T(windows_do_not_hide_ram), T(who_comes_first_is_shown), T(what_kvm_refuses_is_said))
