/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cpu/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot/boot.h"
#include "config/config.h"

/* Three pages behind the identity map page (Intel hosts without unrestricted guest need them). */
#define TSS_PAGES (BOOT_KVM_PAGES + 0x1000)

int kvm_ioctl(int fd, unsigned long request, void *argument)
{
    int result;

    do {
        result = ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result;
}

int kvm_capability(const struct kvm *kvm, unsigned capability)
{
    int result = ioctl(kvm->vm, KVM_CHECK_EXTENSION, (unsigned long)capability);

    return result < 0 ? 0 : result;
}

static bool device_open(struct kvm *kvm, GError **error)
{
    kvm->system = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm->system >= 0) {
        return true;
    }
    if (errno == EACCES || errno == EPERM) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_PERMISSION,
                    "You may not use /dev/kvm. Add yourself to the group “kvm” (sudo usermod -aG "
                    "kvm $USER) and log in again.");
    } else {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_KVM,
                    "/dev/kvm cannot be opened (%s). Turn on virtualization (VT-x or AMD-V) in the "
                    "computer's firmware and load the kernel module kvm_intel or kvm_amd.",
                    g_strerror(errno));
    }
    return false;
}

static bool version_check(struct kvm *kvm, GError **error)
{
    int version = ioctl(kvm->system, KVM_GET_API_VERSION, 0ul);
    int size = ioctl(kvm->system, KVM_GET_VCPU_MMAP_SIZE, 0ul);

    if (version != KVM_API_VERSION || size < (int)sizeof(struct kvm_run)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_KVM,
                    "/dev/kvm has interface version %d; this program needs version %d. Update the "
                    "kernel.",
                    version, KVM_API_VERSION);
        return false;
    }
    kvm->run_size = (size_t)size;
    return true;
}

static bool step_failed(GError **error, const char *what)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_HOST,
                "/dev/kvm refused to %s (%s). The machine cannot run on this kernel.", what,
                g_strerror(errno));
    return false;
}

static bool vm_create(struct kvm *kvm, GError **error)
{
    uint64_t identity = BOOT_KVM_PAGES;
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

    do {
        kvm->vm = ioctl(kvm->system, KVM_CREATE_VM, 0ul);
    } while (kvm->vm < 0 && errno == EINTR);
    if (kvm->vm < 0) {
        return step_failed(error, "make a virtual machine");
    }
    if (kvm_capability(kvm, KVM_CAP_IMMEDIATE_EXIT) == 0 ||
        kvm_capability(kvm, KVM_CAP_READONLY_MEM) == 0 ||
        kvm_capability(kvm, KVM_CAP_SIGNAL_MSI) == 0 ||
        kvm_capability(kvm, KVM_CAP_IRQ_ROUTING) == 0) {
        errno = EOPNOTSUPP;
        return step_failed(error, "offer the functions of Linux 4.11 or later");
    }
    if (kvm_ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
        ioctl(kvm->vm, KVM_SET_TSS_ADDR, (unsigned long)TSS_PAGES) < 0) {
        return step_failed(error, "set its own pages aside");
    }
    if (kvm_ioctl(kvm->vm, KVM_CREATE_IRQCHIP, NULL) < 0) {
        return step_failed(error, "make the interrupt controllers");
    }
    if (kvm_ioctl(kvm->vm, KVM_CREATE_PIT2, &pit) < 0) {
        return step_failed(error, "make the interval timer");
    }
    return true;
}

static bool capability_enable(struct kvm *kvm, unsigned capability, uint64_t argument)
{
    struct kvm_enable_cap enable = { .cap = capability, .args = { argument } };

    return kvm_capability(kvm, capability) != 0 && kvm_ioctl(kvm->vm, KVM_ENABLE_CAP, &enable) == 0;
}

static void capabilities_probe(struct kvm *kvm)
{
    int vcpus = kvm_capability(kvm, KVM_CAP_MAX_VCPUS);

    kvm->vcpus_max = vcpus > 0 ? (unsigned)vcpus : 4;
    kvm->coalesced_page = (unsigned)kvm_capability(kvm, KVM_CAP_COALESCED_MMIO);
    kvm->coalesced_pio = kvm->coalesced_page > 0 && kvm_capability(kvm, KVM_CAP_COALESCED_PIO) > 0;
    kvm->tsc_deadline = kvm_capability(kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    kvm->x2apic_32bit =
        capability_enable(kvm, KVM_CAP_X2APIC_API,
                          KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
    kvm->user_msr = capability_enable(kvm, KVM_CAP_X86_USER_SPACE_MSR,
                                      KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
    kvm->emulation_exit = capability_enable(kvm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
}

bool kvm_open(struct kvm *kvm, GError **error)
{
    *kvm = (struct kvm){ .system = -1, .vm = -1 };
    if (!device_open(kvm, error) || !version_check(kvm, error) || !vm_create(kvm, error)) {
        kvm_close(kvm);
        return false;
    }
    capabilities_probe(kvm);
    return true;
}

void kvm_close(struct kvm *kvm)
{
    if (kvm->vm >= 0) {
        close(kvm->vm);
    }
    if (kvm->system >= 0) {
        close(kvm->system);
    }
    kvm->vm = kvm->system = -1;
}
