/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guest's processors say they are, made of what a host offers. There is no KVM: the test
 * takes ioctl()'s place and offers a processor of its own.
 */
#include "cpu/cpuid.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "config/config.h"
#include "machine/machine_private.h"
#include "test.h"

enum {
    HOST_ENTRIES = 32,
    TSC_KHZ = 2500000,
};

/* An AMD processor with every feature, 16 cores and no name. */
static const struct kvm_cpuid_entry2 host_full[] = {
    { .function = 0, .eax = 0x10, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65 },
    { .function = 1, .eax = 0x830f10, .ebx = 0x05100800, .ecx = ~0x81000000u, .edx = ~0u },
    { .function = 4, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 0x3c004121 },
    { .function = 4, .index = 1, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 0x3c03c163 },
    { .function = 6, .eax = ~0u, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
    { .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = ~0u },
    { .function = 0xa, .eax = ~0u, .ebx = ~0u },
    { .function = 0xb, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = 1, .ebx = 2 },
    { .function = 0x12, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .eax = ~0u },
    { .function = 0x40000000, .eax = 0x40000001 },
    { .function = 0x40000001, .eax = ~0u },
    { .function = 0x80000001, .ecx = ~0u, .edx = ~0u },
    { .function = 0x80000002 },
    { .function = 0x80000003 },
    { .function = 0x80000004 },
    { .function = 0x80000008, .eax = 0x3030, .ecx = 0x700f },
    { .function = 0x8000001e, .eax = 5, .ebx = 0x102, .ecx = 0x101 },
};

static struct {
    struct kvm_cpuid_entry2 entries[HOST_ENTRIES];
    unsigned n;
    bool refuses;
    struct kvm_cpuid_entry2 given[HOST_ENTRIES]; /* to the last vCPU */
    unsigned n_given;
} host;

static void host_init(void)
{
    memset(&host, 0, sizeof(host));
    memcpy(host.entries, host_full, sizeof(host_full));
    host.n = G_N_ELEMENTS(host_full);
}

static struct kvm_cpuid_entry2 *host_leaf(uint32_t leaf)
{
    for (unsigned i = 0; i < host.n; i++) {
        if (host.entries[i].function == leaf) {
            return &host.entries[i];
        }
    }
    test_fail(__FILE__, __LINE__, "no leaf %#x", leaf);
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    struct kvm_cpuid2 *table;
    va_list arguments;

    va_start(arguments, request);
    table = va_arg(arguments, struct kvm_cpuid2 *);
    va_end(arguments);
    if (request == KVM_GET_TSC_KHZ) {
        return TSC_KHZ;
    }
    if (host.refuses || (request != KVM_GET_SUPPORTED_CPUID && request != KVM_SET_CPUID2)) {
        errno = EINVAL;
        return -1;
    }
    if (request == KVM_GET_SUPPORTED_CPUID) {
        table->nent = host.n;
        memcpy(table->entries, host.entries, host.n * sizeof(host.entries[0]));
    } else {
        host.n_given = MIN(table->nent, HOST_ENTRIES);
        memcpy(host.given, table->entries, host.n_given * sizeof(host.given[0]));
    }
    return 0;
}

static struct cpuid *cpuid_make(unsigned n_cpus, bool tsc_deadline)
{
    const struct kvm kvm = { .system = -1, .vm = -1, .tsc_deadline = tsc_deadline };
    struct cpuid *cpuid = cpuid_new(&kvm, n_cpus, NULL);

    CHECK(cpuid != NULL);
    return cpuid;
}

/* A leaf as the guest gets it; NULL if it gets none. */
static const struct kvm_cpuid_entry2 *leaf(const struct cpuid *cpuid, uint32_t number,
                                           uint32_t index)
{
    size_t length;
    const struct kvm_cpuid_entry2 *entries = cpuid_bytes(cpuid, &length);

    for (size_t i = 0; i < length / sizeof(entries[0]); i++) {
        if (entries[i].function == number && entries[i].index == index) {
            return &entries[i];
        }
    }
    return NULL;
}

/* --- What is offered ------------------------------------------------------------------------- */

TEST(the_hosts_affairs_are_left_out)
{
    struct cpuid *cpuid;

    host_init();
    cpuid = cpuid_make(2, false);
    /* Monitoring, debug stores, nesting, performance counters; but there is a hypervisor. */
    CHECK_EQ(leaf(cpuid, 1, 0)->ecx, (~0x810081fcu & ~0x81000000u) | 1u << 31);
    CHECK_EQ(leaf(cpuid, 1, 0)->edx & 0xa0600000, 0);
    CHECK_EQ(leaf(cpuid, 6, 0)->eax, 1u << 2);
    CHECK_EQ(leaf(cpuid, 7, 0)->ebx & 0x02000004, 0); /* processor trace, SGX */
    CHECK_EQ(leaf(cpuid, 0xa, 0)->eax | leaf(cpuid, 0xa, 0)->ebx, 0);
    CHECK(!leaf(cpuid, 0x12, 0));
    CHECK_EQ(leaf(cpuid, 0x80000001, 0)->ecx & 4, 0); /* SVM */
    cpuid_free(cpuid);
    cpuid = cpuid_make(2, true);
    CHECK(leaf(cpuid, 1, 0)->ecx & 1u << 24);
    cpuid_free(cpuid);
}

TEST(one_socket_of_cores)
{
    struct cpuid *cpuid;

    host_init();
    cpuid = cpuid_make(3, false); /* two bits of an APIC id */
    CHECK_EQ(leaf(cpuid, 1, 0)->ebx & 0xffff00, 0x040800);
    CHECK(leaf(cpuid, 1, 0)->edx & 1u << 28);
    CHECK_EQ(leaf(cpuid, 4, 0)->eax >> 14 & 0xfff, 0); /* a first level for each */
    CHECK_EQ(leaf(cpuid, 4, 1)->eax >> 14 & 0xfff, 3); /* one third level for all */
    CHECK_EQ(leaf(cpuid, 4, 1)->eax >> 26, 3);
    CHECK_EQ(leaf(cpuid, 0xb, 0)->ebx, 1);
    CHECK_EQ(leaf(cpuid, 0xb, 0)->ecx, 0x100);
    CHECK_EQ(leaf(cpuid, 0xb, 1)->eax, 2);
    CHECK_EQ(leaf(cpuid, 0xb, 1)->ebx, 3);
    CHECK_EQ(leaf(cpuid, 0xb, 1)->ecx, 0x201);
    CHECK(leaf(cpuid, 0x80000001, 0)->ecx & 2);
    CHECK_EQ(leaf(cpuid, 0x80000008, 0)->ecx, 2 | 2 << 12);
    cpuid_free(cpuid);
    cpuid = cpuid_make(1, false);
    CHECK_EQ(leaf(cpuid, 1, 0)->edx & 1u << 28, 0);
    CHECK_EQ(leaf(cpuid, 0x80000001, 0)->ecx & 2, 0);
    cpuid_free(cpuid);
}

TEST(a_processor_without_a_name_gets_one)
{
    struct cpuid *cpuid;

    host_init();
    cpuid = cpuid_make(1, false);
    CHECK(memcmp(&leaf(cpuid, 0x80000002, 0)->eax, "Oriel virtual pr", 16) == 0);
    CHECK(memcmp(&leaf(cpuid, 0x80000003, 0)->eax, "ocessor", 8) == 0);
    cpuid_free(cpuid);
    host_leaf(0x80000002)->eax = 0x20444d41;
    cpuid = cpuid_make(1, false);
    CHECK_EQ(leaf(cpuid, 0x80000002, 0)->eax, 0x20444d41);
    CHECK_EQ(leaf(cpuid, 0x80000003, 0)->eax, 0);
    cpuid_free(cpuid);
}

TEST(kvm_says_how_fast_the_clocks_are)
{
    struct cpuid *cpuid;

    host_init();
    cpuid = cpuid_make(1, false);
    CHECK_EQ(leaf(cpuid, 0x40000000, 0)->eax, 0x40000010);
    CHECK_EQ(leaf(cpuid, 0x40000010, 0)->eax, TSC_KHZ);
    CHECK_EQ(leaf(cpuid, 0x40000001, 0)->eax & (1u << 4 | 1u << 10 | 1u << 14), 0);
    CHECK_EQ(cpuid_physical_bits(cpuid), 48);
    CHECK(cpuid_is_amd(cpuid));
    cpuid_free(cpuid);
}

TEST(what_systems_will_miss_is_said)
{
    struct cpuid *cpuid;
    g_autofree char *nothing = NULL, *some = NULL;

    host_init();
    cpuid = cpuid_make(1, false);
    nothing = cpuid_warning(cpuid);
    CHECK(!nothing);
    cpuid_free(cpuid);
    host_leaf(1)->ecx &= ~(1u << 0 | 1u << 20);
    cpuid = cpuid_make(1, false);
    some = cpuid_warning(cpuid);
    CHECK(some && strstr(some, "does not offer SSE3, SSE4.2."));
    cpuid_free(cpuid);
}

/* --- What a vCPU gets ------------------------------------------------------------------------ */

TEST(each_has_its_own_number)
{
    g_autofree struct machine *machine = g_new0(struct machine, 1);
    struct vcpu vcpu = { .machine = machine, .fd = -1 };
    g_autoptr(GError) error = NULL;
    unsigned seen = 0;

    host_init();
    machine->cpuid = cpuid_make(4, false);
    for (vcpu.apic_id = 0; vcpu.apic_id < 4; vcpu.apic_id++) {
        CHECK(cpuid_set(&vcpu, &error));
        for (unsigned i = 0; i < host.n_given; i++) {
            const struct kvm_cpuid_entry2 *e = &host.given[i];

            seen += e->function == 1 && e->ebx >> 24 == vcpu.apic_id;
            seen += e->function == 0xb && e->edx == vcpu.apic_id;
            seen += e->function == 0x8000001e && e->eax == vcpu.apic_id && e->ecx == 0;
        }
    }
    CHECK_EQ(seen, 4 * 4); /* 0xb is there twice */
    host.refuses = true;
    CHECK(!cpuid_set(&vcpu, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_HOST));
    cpuid_free(machine->cpuid);
}

TEST(a_host_that_offers_nothing_is_an_error)
{
    const struct kvm kvm = { .system = -1, .vm = -1 };
    g_autoptr(GError) error = NULL;

    host_init();
    host.refuses = true;
    CHECK(!cpuid_new(&kvm, 1, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_HOST));
}

/* --- Saved machines -------------------------------------------------------------------------- */

/* Whether leaves that were saved on the full host are taken by the present one, or what is said. */
static void adopt(const struct cpuid *saved, const char *expected)
{
    struct cpuid *cpuid = cpuid_make(2, false);
    g_autofree char *why = NULL;
    size_t length;
    const void *bytes = cpuid_bytes(saved, &length);
    bool good = cpuid_adopt(cpuid, bytes, length, &why);

    CHECK_EQ(good, expected == NULL);
    CHECK(good || strstr(why, expected) != NULL);
    if (good) {
        CHECK(memcmp(cpuid_bytes(cpuid, &length), bytes, length) == 0);
    }
    cpuid_free(cpuid);
}

TEST(saved_leaves_need_a_host_that_can_do_as_much)
{
    struct cpuid *saved;

    host_init();
    saved = cpuid_make(2, false);
    adopt(saved, NULL);
    host_leaf(0)->eax = 0x20; /* more than it had */
    adopt(saved, NULL);
    host_leaf(7)->ebx &= ~(1u << 5);
    adopt(saved, "CPUID leaf 0x7: 0, 0x20, 0, 0");
    host_init();
    host_leaf(0)->ebx = 0x756e6547;
    adopt(saved, "another maker");
    host_init();
    host_leaf(0x80000008)->eax = 0x3027;
    adopt(saved, "less memory");
    cpuid_free(saved);
}

TEST(saved_leaves_that_are_damaged_are_refused)
{
    static const size_t lengths[] = { 0, 1, sizeof(struct kvm_cpuid_entry2) - 1,
                                      257 * sizeof(struct kvm_cpuid_entry2) };
    g_autofree void *bytes = g_malloc0(257 * sizeof(struct kvm_cpuid_entry2));
    struct cpuid *cpuid;

    host_init();
    cpuid = cpuid_make(1, false);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *why = NULL;

        CHECK(!cpuid_adopt(cpuid, bytes, lengths[i], &why));
        CHECK_STR(why, "its file “state” is damaged");
    }
    CHECK(leaf(cpuid, 1, 0)->ecx != 0); /* as before */
    cpuid_free(cpuid);
}

TEST_MAIN(T(the_hosts_affairs_are_left_out), T(one_socket_of_cores),
          T(a_processor_without_a_name_gets_one), T(kvm_says_how_fast_the_clocks_are),
          T(what_systems_will_miss_is_said), T(each_has_its_own_number),
          T(a_host_that_offers_nothing_is_an_error),
          T(saved_leaves_need_a_host_that_can_do_as_much),
          T(saved_leaves_that_are_damaged_are_refused))
