/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pause of several seconds, which the run makes when the report says PAUSE: the clocks of the
 * machine have stood still together, only the real-time clock shows the present, and so does KVM's
 * wall clock when it is asked again (Documentation/virt/kvm/x86/msr.rst).
 */
#include "runtime/board.h"
#include "runtime/cpu.h"
#include "io.h"

#define HPET_CONFIG            0xFED00010u
#define HPET_COUNTER           0xFED000F0u
#define HPET_MHZ               100 /* its period is 10 ns */

#define KVM_SIGNATURE_LEAF     0x40000000u
#define KVM_FEATURES_LEAF      0x40000001u
#define KVM_FEATURE_CLOCK      (1u << 3)
#define MSR_KVM_WALL_CLOCK     0x4B564D00u
#define MSR_KVM_SYSTEM_TIME    0x4B564D01u
#define KVM_SYSTEM_TIME_ENABLE 1u

#define DAY                    86400
#define PAUSE_MS               4000 /* the least that counts as one */
#define SLACK_MS               1500 /* half a second of it for the real-time clock's whole seconds */
#define LIMIT_MS               120000

struct kvm_time {
    uint32_t version, padding;
    uint64_t tsc_timestamp, system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags, more[2];
};

struct kvm_wall {
    uint32_t version, seconds, nanoseconds;
};

static struct kvm_time *kvm_time;
static struct kvm_wall *kvm_wall;
static uint64_t tsc_khz;

/* --- Clocks, in milliseconds ------------------------------------------------------------------ */

static uint64_t machine_ms(void)
{
    return clock_ticks() * 1000 / CLOCK_HZ;
}

static uint64_t hpet_ms(void)
{
    return read64(HPET_COUNTER) / (HPET_MHZ * 1000);
}

static uint64_t tsc_ms(void)
{
    return rdtsc() / tsc_khz;
}

static uint64_t kvm_ms(void)
{
    volatile struct kvm_time *time = kvm_time;
    uint32_t version;
    uint64_t ns;

    do {
        uint64_t delta;

        version = time->version;
        barrier();
        delta = rdtsc() - time->tsc_timestamp;
        delta = time->tsc_shift < 0 ? delta >> -time->tsc_shift : delta << time->tsc_shift;
        ns = time->system_time +
             (uint64_t)((unsigned __int128)delta * time->tsc_to_system_mul >> 32);
        barrier();
    } while (version % 2 || version != time->version);
    return ns / 1000000;
}

static unsigned rtc_field(uint8_t index)
{
    uint8_t value = cmos_read(index);

    return cmos_read(0x0B) & 4 ? value : (value >> 4) * 10u + value % 16;
}

/* The second of the day, read twice alike. */
static unsigned rtc_seconds(void)
{
    unsigned before, now = DAY;

    do {
        before = now;
        now = rtc_field(0) + 60 * rtc_field(2) + 3600 * rtc_field(4);
    } while (now != before);
    return now;
}

static uint64_t rtc_ms_since(unsigned seconds)
{
    return (uint64_t)(rtc_seconds() + DAY - seconds) % DAY * 1000;
}

/* --- The pause -------------------------------------------------------------------------------- */

static bool has_kvm_clock(void)
{
    return cpu_id(KVM_SIGNATURE_LEAF, 0).ebx == 0x4B4D564B && /* "KVMK" */
           (cpu_id(KVM_FEATURES_LEAF, 0).eax & KVM_FEATURE_CLOCK);
}

static void setup(void)
{
    uint64_t ticks = clock_ticks(), tsc = rdtsc();

    POLL_FOR(false, 1000);
    tsc_khz = (rdtsc() - tsc) * CLOCK_HZ / (clock_ticks() - ticks) / 1000;
    write64(HPET_CONFIG, 1);
    kvm_time = buffer_alloc(sizeof(*kvm_time), 64);
    kvm_wall = buffer_alloc(sizeof(*kvm_wall), 64);
    if (has_kvm_clock())
        cpu_write_msr(MSR_KVM_SYSTEM_TIME, (uint64_t)kvm_time | KVM_SYSTEM_TIME_ENABLE);
}

#define CHECK_PASSED(clock, before, passed)                                                        \
    do {                                                                                           \
        uint64_t its_ = clock() - (before), passed_ = (passed);                                    \
        if (its_ > passed_ + SLACK_MS || its_ + SLACK_MS < passed_) {                              \
            test_fail("line %d: %lu ms by %s, %lu ms in the machine", __LINE__, its_, #clock,      \
                      passed_);                                                                    \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static void clocks_stand_still(void)
{
    uint64_t machine, hpet, tsc, kvm, passed;
    unsigned rtc;

    setup();
    machine = machine_ms();
    hpet = hpet_ms();
    tsc = tsc_ms();
    kvm = has_kvm_clock() ? kvm_ms() : 0;
    rtc = rtc_seconds();
    print("PAUSE\n");
    CHECK(POLL_FOR(rtc_ms_since(rtc) > machine_ms() - machine + PAUSE_MS, LIMIT_MS));
    passed = machine_ms() - machine;
    print("%lu ms here, %lu ms by the real-time clock%s\n", passed, rtc_ms_since(rtc),
          has_kvm_clock() ? "" : "; no KVM clock");
    CHECK_PASSED(hpet_ms, hpet, passed);
    if (has_kvm_clock())
        CHECK_PASSED(kvm_ms, kvm, passed);
    if (tsc_ms() - tsc > passed + PAUSE_MS) {
        print("the TSC is not one that can be moved\n");
        passed = rtc_ms_since(rtc);
    }
    CHECK_PASSED(tsc_ms, tsc, passed);
}

static void wall_clock_is_the_present(void)
{
    uint64_t ms;
    unsigned now;

    if (!has_kvm_clock())
        return;
    cpu_write_msr(MSR_KVM_WALL_CLOCK, (uint64_t)kvm_wall);
    barrier();
    ms = kvm_wall->seconds * UINT64_C(1000) + kvm_wall->nanoseconds / 1000000 + kvm_ms();
    now = (unsigned)(ms / 1000 % DAY);
    CHECK((rtc_seconds() + DAY - now + 2) % DAY <= 4);
}

void guest_main(void)
{
    RUN(clocks_stand_still);
    RUN(wall_clock_is_the_present);
}
