/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says what kind of /dev/kvm this host has, by measuring it: a loop of two instructions runs at
 * ring 0 in a guest of one page. With hardware virtualization it runs at the speed of the
 * processor, billions of instructions a second; a host that emulates ring 0 reaches a few millions,
 * with which no real operating system boots in reasonable time.
 *
 * Prints one line, "fast: ...", "slow: ..." or "absent: ...", with the reason; the exit status is
 * 0, 1 or 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GUEST_BYTES                  4096
#define FIRST_LOOPS                  50000
#define INSTRUCTIONS_PER_LOOP        2
/* Between the slowest that boots systems (the lab, hundreds of millions) and the fastest emulation
 * of ring 0. */
#define FAST_INSTRUCTIONS_PER_SECOND 50e6
/* A shorter run says more about the first entry into the guest than about its speed. */
#define WORTHWHILE_SECONDS           0.1
#define PATIENCE_SECONDS             20

/* Real mode: dec ecx; jnz to it; hlt */
static const uint8_t guest_code[] = { 0x66, 0x49, 0x75, 0xfc, 0xf4 };

__attribute__((noreturn, format(printf, 1, 2))) static void absent(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("absent: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(2);
}

static int kvm_call(int file, unsigned long request, const char *name, uintptr_t argument)
{
    int result = ioctl(file, request, argument);

    if (result < 0)
        absent("/dev/kvm refused %s: %s", name, strerror(errno));
    return result;
}

static int vm_create(int kvm)
{
    int vm = kvm_call(kvm, KVM_CREATE_VM, "KVM_CREATE_VM", 0);
    uint8_t *page =
        mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        absent("no memory for a guest of one page: %s", strerror(errno));
    memcpy(page, guest_code, sizeof(guest_code));
    struct kvm_userspace_memory_region region = {
        .memory_size = GUEST_BYTES,
        .userspace_addr = (uintptr_t)page,
    };
    kvm_call(vm, KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", (uintptr_t)&region);
    return vm;
}

static int vcpu_create(int vm)
{
    int vcpu = kvm_call(vm, KVM_CREATE_VCPU, "KVM_CREATE_VCPU", 0);
    struct kvm_sregs sregs;

    kvm_call(vcpu, KVM_GET_SREGS, "KVM_GET_SREGS", (uintptr_t)&sregs);
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    kvm_call(vcpu, KVM_SET_SREGS, "KVM_SET_SREGS", (uintptr_t)&sregs);
    return vcpu;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void on_alarm(int number)
{
    (void)number;
}

/* Seconds that the guest takes for so many loops. */
static double guest_run(int vcpu, const struct kvm_run *run, uint32_t loops)
{
    struct kvm_regs regs = { .rcx = loops, .rflags = 2 };

    kvm_call(vcpu, KVM_SET_REGS, "KVM_SET_REGS", (uintptr_t)&regs);
    double start = now();
    if (ioctl(vcpu, KVM_RUN, 0) < 0) {
        if (errno != EINTR)
            absent("/dev/kvm refused KVM_RUN: %s", strerror(errno));
        printf("slow: /dev/kvm did not run %u instructions in %d seconds\n",
               loops * INSTRUCTIONS_PER_LOOP, PATIENCE_SECONDS);
        exit(1);
    }
    if (run->exit_reason != KVM_EXIT_HLT)
        absent("the guest that measures ended with KVM exit reason %u", run->exit_reason);
    return now() - start;
}

/* Instructions a second, of a run long enough to mean something. */
static double guest_rate(int vcpu, const struct kvm_run *run)
{
    uint32_t loops = FIRST_LOOPS;
    double seconds = guest_run(vcpu, run, loops);

    while (seconds < WORTHWHILE_SECONDS && loops < UINT32_MAX / 4) {
        loops *= 4;
        seconds = guest_run(vcpu, run, loops);
    }
    return (double)loops * INSTRUCTIONS_PER_LOOP / seconds;
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_alarm };
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (kvm < 0)
        absent("/dev/kvm cannot be opened: %s", strerror(errno));
    int run_bytes = kvm_call(kvm, KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0);
    int vcpu = vcpu_create(vm_create(kvm));
    const struct kvm_run *run =
        mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        absent("the processor's page cannot be mapped: %s", strerror(errno));

    sigaction(SIGALRM, &action, NULL);
    alarm(PATIENCE_SECONDS);
    double rate = guest_rate(vcpu, run);
    int fast = rate >= FAST_INSTRUCTIONS_PER_SECOND;
    printf("%s: /dev/kvm runs ring 0 at %.1f million instructions a second (%.0f or more boot real "
           "systems)\n",
           fast ? "fast" : "slow", rate / 1e6, FAST_INSTRUCTIONS_PER_SECOND / 1e6);
    return fast ? 0 : 1;
}
