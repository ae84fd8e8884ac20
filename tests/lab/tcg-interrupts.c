/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A preload for the lab's QEMU, which mends how its TCG keeps the interrupts that wait for an
 * emulated processor (seen in 7.2 and 11.1).
 *
 * CPUState.interrupt_request is a word of bits that other threads set under QEMU's big lock. The
 * processor's own thread changes it without that lock: VMRUN sets the bit of the virtual interrupt,
 * #VMEXIT clears it, and a write of CR8 does either, where an assertion about the lock then ends
 * the process. A bit that another thread sets at that moment is lost, or one that was cleared comes
 * back, and systems in the lab stand still or take an interrupt that nobody sent.
 *
 * So every change becomes atomic and needs no lock: cpu_interrupt() and cpu_reset_interrupt() lead
 * here, and the two instructions of VMRUN and #VMEXIT get a shorter form with a LOCK prefix. Where
 * the code is not the one that is known, everything is left as it is, and a line says so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LONG_FORM = 10, /* op, ModRM, displacement 32, immediate 32 */
    JUMP = 14,      /* jmp *0(%rip), and the address */
    FUNCTION_MAX = 2048,
    BASES_APART = 1 << 16, /* between CPUState and the CPUX86State in it, at most */
};

static void (*kick)(void *cpu);
static int32_t request_offset; /* of interrupt_request in CPUState */

static uint32_t *request_of(void *cpu)
{
    return (uint32_t *)((char *)cpu + request_offset);
}

static void interrupt(void *cpu, int mask)
{
    __atomic_fetch_or(request_of(cpu), (uint32_t)mask, __ATOMIC_SEQ_CST);
    kick(cpu);
}

static void reset_interrupt(void *cpu, int mask)
{
    __atomic_fetch_and(request_of(cpu), ~(uint32_t)mask, __ATOMIC_SEQ_CST);
}

/* --- Code ------------------------------------------------------------------------------------- */

static bool code_write(uint8_t *at, const uint8_t *bytes, size_t length)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)at & ~(page - 1);
    size_t size = (uintptr_t)at + length - first;

    if (mprotect((void *)first, size, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        return false;
    }
    memcpy(at, bytes, length);
    return mprotect((void *)first, size, PROT_READ | PROT_EXEC) == 0;
}

static bool code_jump(uint8_t *from, void (*to)(void *, int))
{
    uint8_t bytes[JUMP] = { 0xff, 0x25 };

    memcpy(bytes + 6, &to, sizeof(to));
    return code_write(from, bytes, sizeof(bytes));
}

static int32_t displacement(const uint8_t *instruction)
{
    int32_t value;

    memcpy(&value, instruction + 2, sizeof(value));
    return value;
}

/*
 * The one instruction "OP $immediate, displacement(register)" between the two, OP being the group's
 * number in ModRM (1: OR, 4: AND). NULL if there is none or more than one.
 */
static uint8_t *find_immediate(uint8_t *from, uint8_t *to, unsigned op, uint32_t immediate)
{
    uint8_t *found = NULL;

    for (uint8_t *at = from + 1; at + LONG_FORM <= to; at++) {
        if (at[0] == 0x81 && (at[1] & 0xf8) == (0x80 | op << 3) && (at[1] & 7) != 4 &&
            (at[-1] & 0xf0) != 0x40 && memcmp(at + 6, &immediate, sizeof(immediate)) == 0) {
            if (found) {
                return NULL;
            }
            found = at;
        }
    }
    return found;
}

/* The same on the second byte of the word alone, which is two bytes shorter, locked. */
static bool lock_immediate(uint8_t *at, uint8_t immediate)
{
    uint8_t bytes[LONG_FORM] = { 0xf0, 0x80, at[1], 0, 0, 0, 0, immediate, 0x66, 0x90 };
    int32_t second = displacement(at) + 1;

    memcpy(bytes + 3, &second, sizeof(second));
    return code_write(at, bytes, sizeof(bytes));
}

/* The displacement of "or %esi, displacement(%rdi)" at the start of cpu_interrupt(). */
static bool find_offset(const uint8_t *function)
{
    for (unsigned i = 0; i < 64; i++) {
        if (function[i] == 0x09 && function[i + 1] == 0xb7) {
            request_offset = displacement(function + i);
            return true;
        }
    }
    return false;
}

static bool mend(uint8_t *cpu_interrupt, uint8_t *cpu_reset_interrupt, uint8_t *cpu_vmexit,
                 uint8_t *do_vmexit)
{
    uint8_t *set, *clear;

    if (!cpu_interrupt || !cpu_reset_interrupt || !cpu_vmexit || !do_vmexit ||
        do_vmexit < cpu_vmexit || !find_offset(cpu_interrupt)) {
        return false;
    }
    clear = find_immediate(do_vmexit, do_vmexit + FUNCTION_MAX, 4, 0xfffffeff);
    set = find_immediate(cpu_vmexit, do_vmexit, 1, 0x100); /* VMRUN stands between them */
    return clear && set && displacement(clear) == displacement(set) &&
           displacement(clear) < request_offset &&
           displacement(clear) > request_offset - BASES_APART && lock_immediate(clear, 0xfe) &&
           lock_immediate(set, 0x01) && code_jump(cpu_interrupt, interrupt) &&
           code_jump(cpu_reset_interrupt, reset_interrupt);
}

__attribute__((constructor)) static void start(void)
{
    kick = (void (*)(void *))dlsym(RTLD_DEFAULT, "qemu_cpu_kick");
    if (kick &&
        !mend(dlsym(RTLD_DEFAULT, "cpu_interrupt"), dlsym(RTLD_DEFAULT, "cpu_reset_interrupt"),
              dlsym(RTLD_DEFAULT, "cpu_vmexit"), dlsym(RTLD_DEFAULT, "do_vmexit"))) {
        fprintf(stderr, "lab: this QEMU is not one whose interrupts can be mended; it may stand "
                        "still, or end where a UEFI guest writes CR8\n");
    }
}
