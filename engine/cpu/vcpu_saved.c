/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See vcpu_saved.h. The order is KVM's. Saving: the processor's mode of waiting first, because to
 * ask for it carries out pending INIT and SIPI. Restoring: CPUID before all that it allows; special
 * registers before the local APIC, whose base and mode they hold; general registers before events,
 * because setting them forgets exceptions; the TSC before the APIC's deadline in it.
 *
 * Kernels differ in which MSRs they let be written, even of those that they list. One that is
 * refused and has its value already is no loss. Any other matters only if programs see it.
 *
 * Linux Documentation/virt/kvm/api.rst.
 */
#include "cpu/vcpu_saved.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bytes.h"
#include "cpu/kvm.h"
#include "cpu/vcpu.h"
#include "machine/machine_private.h"
#include "snapshot/sections.h"

enum {
    MSR_TSC = 0x10,
    MSR_TSC_DEADLINE = 0x6e0,
    MSRS_MAX = 1024,
    MSR_ENTRY_SIZE = 12,
    XSAVE_MAX = 64 << 10,
};

/* MSRs without which programs of the guest would go wrong at once. */
static bool msr_matters(uint32_t msr)
{
    return (msr >= 0x174 && msr <= 0x176) || (msr >= 0xc0000080 && msr <= 0xc0000084) ||
           (msr >= 0xc0000100 && msr <= 0xc0000103) || msr == 0x277 /* PAT */ ||
           (msr >= 0x4b564d00 && msr <= 0x4b564d05) || msr == 0x11 || msr == 0x12;
}

static size_t xsave_size(struct vcpu *vcpu)
{
    int size = kvm_capability(&vcpu->machine->kvm, KVM_CAP_XSAVE2);

    return size > (int)sizeof(struct kvm_xsave) ? (size_t)size : sizeof(struct kvm_xsave);
}

/* --- Saving --------------------------------------------------------------------------------- */

static void section_put(struct vcpu *vcpu, GByteArray *state, const char *kind, const void *bytes,
                        size_t length)
{
    char name[SECTION_NAME_SIZE];

    g_snprintf(name, sizeof(name), "%u", vcpu->index);
    sections_add(state, kind, name, 1, bytes, length);
}

static bool msrs_save(struct vcpu *vcpu, GByteArray *state)
{
    g_autoptr(GArray) values = vcpu_msrs_get(vcpu);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (guint i = 0; i < values->len; i++) {
        const struct kvm_msr_entry *msr = &g_array_index(values, struct kvm_msr_entry, i);
        uint8_t entry[MSR_ENTRY_SIZE];

        /* The TSC stands still for us, but not for KVM: it is a section of its own. */
        if (msr->index != MSR_TSC) {
            store_le32(entry, msr->index);
            store_le64(entry + 4, msr->data);
            g_byte_array_append(bytes, entry, sizeof(entry));
        }
    }
    section_put(vcpu, state, "vcpu-msrs", bytes->data, bytes->len);
    return bytes->len > 0;
}

static bool xsave_save(struct vcpu *vcpu, GByteArray *state)
{
    size_t size = xsave_size(vcpu);
    g_autofree void *xsave = g_malloc0(size);
    unsigned long request = size > sizeof(struct kvm_xsave) ? KVM_GET_XSAVE2 : KVM_GET_XSAVE;
    bool good = kvm_ioctl(vcpu->fd, request, xsave) == 0;

    section_put(vcpu, state, "vcpu-xsave", xsave, size);
    return good;
}

void vcpu_save(struct vcpu *vcpu, void *context)
{
    struct vcpu_saving *saving = context;
    GByteArray *state = saving->state;
    bool has_xcrs = kvm_capability(&vcpu->machine->kvm, KVM_CAP_XCRS) > 0;
    struct kvm_mp_state mp = { 0 };
    struct kvm_regs regs = { 0 };
    struct kvm_sregs sregs = { 0 };
    struct kvm_lapic_state lapic = { 0 };
    struct kvm_vcpu_events events = { 0 };
    struct kvm_debugregs debug = { 0 };
    struct kvm_xcrs xcrs = { 0 };
    uint8_t tsc[8];

    saving->good = kvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp) == 0 &&
                   kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) == 0 &&
                   kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) == 0 &&
                   kvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &lapic) == 0 &&
                   kvm_ioctl(vcpu->fd, KVM_GET_DEBUGREGS, &debug) == 0 &&
                   (!has_xcrs || kvm_ioctl(vcpu->fd, KVM_GET_XCRS, &xcrs) == 0) &&
                   xsave_save(vcpu, state) && msrs_save(vcpu, state) &&
                   kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) == 0;
    store_le64(tsc, vcpu_time_tsc(vcpu));
    section_put(vcpu, state, "vcpu-mp", &mp, sizeof(mp));
    section_put(vcpu, state, "vcpu-regs", &regs, sizeof(regs));
    section_put(vcpu, state, "vcpu-sregs", &sregs, sizeof(sregs));
    section_put(vcpu, state, "vcpu-lapic", &lapic, sizeof(lapic));
    section_put(vcpu, state, "vcpu-events", &events, sizeof(events));
    section_put(vcpu, state, "vcpu-debug", &debug, sizeof(debug));
    section_put(vcpu, state, "vcpu-tsc", tsc, sizeof(tsc));
    if (has_xcrs) {
        section_put(vcpu, state, "vcpu-xcrs", &xcrs, sizeof(xcrs));
    }
}

/* --- Restoring ------------------------------------------------------------------------------ */

/* Copies a section of exactly this length. */
static bool section_take(const struct vcpu *vcpu, const GArray *saved, const char *kind,
                         void *bytes, size_t length)
{
    char name[SECTION_NAME_SIZE];
    const void *found;

    g_snprintf(name, sizeof(name), "%u", vcpu->index);
    found = sections_bytes(saved, kind, name, 1, length);
    if (found) {
        memcpy(bytes, found, length);
    }
    return found != NULL;
}

static const struct section *section_of(const struct vcpu *vcpu, const GArray *saved,
                                        const char *kind)
{
    char name[SECTION_NAME_SIZE];

    g_snprintf(name, sizeof(name), "%u", vcpu->index);
    return sections_find(saved, kind, name);
}

/* One structure and the call that takes it. */
static bool set(struct vcpu *vcpu, const GArray *saved, const char *kind, unsigned long request,
                size_t length)
{
    g_autofree void *bytes = g_malloc0(length);

    return section_take(vcpu, saved, kind, bytes, length) &&
           kvm_ioctl(vcpu->fd, request, bytes) == 0;
}

static bool xsave_restore(struct vcpu *vcpu, const GArray *saved)
{
    const struct section *section = section_of(vcpu, saved, "vcpu-xsave");
    size_t size = xsave_size(vcpu);
    g_autofree uint8_t *xsave = NULL;

    if (!section || section->version != 1 || section->length < sizeof(struct kvm_xsave) ||
        section->length > XSAVE_MAX) {
        return false;
    }
    xsave = g_malloc0(MAX(size, section->length));
    memcpy(xsave, section->bytes, section->length);
    return kvm_ioctl(vcpu->fd, KVM_SET_XSAVE, xsave) == 0;
}

static bool msr_restore(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    uint64_t now = 0;

    if (vcpu_msr_set(vcpu, msr, value) || (vcpu_msr_get(vcpu, msr, &now) && now == value)) {
        return true;
    }
    g_message("processor %u: KVM does not take back the value %#llx of MSR %#x", vcpu->index,
              (unsigned long long)value, msr);
    return !msr_matters(msr);
}

static bool msrs_restore(struct vcpu *vcpu, const GArray *saved)
{
    const struct section *section = section_of(vcpu, saved, "vcpu-msrs");
    g_autofree struct kvm_msr_list *list = vcpu_msr_list(vcpu);
    uint64_t deadline = 0;

    if (!section || section->version != 1 || section->length % MSR_ENTRY_SIZE != 0 ||
        section->length > MSRS_MAX * MSR_ENTRY_SIZE) {
        return false;
    }
    for (uint32_t at = 0; at < section->length; at += MSR_ENTRY_SIZE) {
        uint32_t msr = load_le32(section->bytes + at);
        uint64_t value = load_le64(section->bytes + at + 4);

        if (msr == MSR_TSC_DEADLINE) {
            deadline = value;
        } else if (msr == MSR_TSC || !vcpu_msr_listed(list, msr)) {
            /* Of another kernel; nothing that runs here can have been told of it. */
            if (msr_matters(msr)) {
                return false;
            }
        } else if (!msr_restore(vcpu, msr, value)) {
            return false;
        }
    }
    return deadline == 0 || msr_restore(vcpu, MSR_TSC_DEADLINE, deadline);
}

/* A kernel without system management mode has no place for its flags. */
static bool events_restore(struct vcpu *vcpu, const GArray *saved)
{
    struct kvm_vcpu_events events;

    if (!section_take(vcpu, saved, "vcpu-events", &events, sizeof(events))) {
        return false;
    }
    if (kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0) {
        return true;
    }
    events.flags &= ~(uint32_t)KVM_VCPUEVENT_VALID_SMM;
    return events.smi.smm == 0 && kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

static bool tsc_restore(struct vcpu *vcpu, const GArray *saved)
{
    uint8_t tsc[8];

    if (!section_take(vcpu, saved, "vcpu-tsc", tsc, sizeof(tsc))) {
        return false;
    }
    vcpu_time_set_tsc(vcpu, load_le64(tsc));
    return true;
}

void vcpu_restore(struct vcpu *vcpu, void *context)
{
    struct vcpu_saving *saving = context;
    const GArray *saved = saving->saved;

#define TRY(text, condition) (saving->what = (text), (condition))
    saving->good =
        TRY("registers", set(vcpu, saved, "vcpu-sregs", KVM_SET_SREGS, sizeof(struct kvm_sregs))) &&
        set(vcpu, saved, "vcpu-regs", KVM_SET_REGS, sizeof(struct kvm_regs)) &&
        TRY("extended control registers",
            !section_of(vcpu, saved, "vcpu-xcrs") ||
                set(vcpu, saved, "vcpu-xcrs", KVM_SET_XCRS, sizeof(struct kvm_xcrs))) &&
        TRY("floating point registers", xsave_restore(vcpu, saved)) &&
        TRY("time stamp counter", tsc_restore(vcpu, saved)) &&
        TRY("local APIC",
            set(vcpu, saved, "vcpu-lapic", KVM_SET_LAPIC, sizeof(struct kvm_lapic_state))) &&
        TRY("model-specific registers", msrs_restore(vcpu, saved)) &&
        TRY("debug registers",
            set(vcpu, saved, "vcpu-debug", KVM_SET_DEBUGREGS, sizeof(struct kvm_debugregs))) &&
        TRY("mode of waiting",
            set(vcpu, saved, "vcpu-mp", KVM_SET_MP_STATE, sizeof(struct kvm_mp_state))) &&
        TRY("pending events", events_restore(vcpu, saved));
#undef TRY
}
