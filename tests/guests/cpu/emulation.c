/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that firmware and kernels execute in ring 0 and that some hosts leave to the virtual
 * machine monitor: set-up of the FPU and of SSE, cache control. Each is executed in ring 0, in
 * 64-bit and, where firmware uses it so, in 32-bit code, and its result is compared. At the end one
 * that nobody emulates.
 */
#include "runtime/cpu.h"
#include "runtime/layout.h"

#define MXCSR_RESET   0x1F80u
#define MXCSR_FLUSH   0x9F80u /* flush to zero */
#define FCW_RESET     0x037Fu
#define FCW_DOUBLE    0x027Fu /* 53 bits of precision */
#define CPUID_CLFLUSH 0x00080000u
#define HPET          0xFED00000u

static uint16_t control_words[4] __attribute__((used)) = { FCW_RESET, FCW_DOUBLE, 0x007F, 0x0F7F };
static uint32_t mxcsr_words[2] __attribute__((used)) = { MXCSR_RESET, MXCSR_FLUSH };
static uint8_t area[512] __attribute__((aligned(64), used)),
    area_after[512] __attribute__((aligned(64)));

static uint64_t initialize(uint64_t unused)
{
    uint16_t control = 0, status = 0xFFFF;

    __asm__ volatile("fninit; fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return unused | (uint64_t)status << 16 | control;
}

static void fninit_resets_the_fpu(void)
{
    CHECK_EQ(ring0(initialize, 0), FCW_RESET);
}

static uint64_t initialize_and_wait(uint64_t unused)
{
    uint16_t control = 0;

    /* As compilers write FINIT: WAIT belongs to no other instruction. */
    __asm__ volatile("fwait; fninit; fwait; fnstcw %0" : "=m"(control));
    return unused | control;
}

static void wait_goes_on(void)
{
    CHECK_EQ(ring0(initialize_and_wait, 0), FCW_RESET);
}

static uint64_t load_control(uint64_t word)
{
    uint16_t from = (uint16_t)word, to = 0;

    __asm__ volatile("fldcw %1; fnstcw %0" : "=m"(to) : "m"(from));
    return to;
}

static void fldcw_sets_the_control_word(void)
{
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(ring0(load_control, control_words[i]), control_words[i]);
    ring0(initialize, 0);
}

/* The operand in every form of address. */
static uint64_t load_control_by_address(uint64_t form)
{
    uint16_t to = 0;

    switch (form) {
    case 0:
        __asm__ volatile("fldcw control_word_pair(%rip)");
        break;
    case 1:
        __asm__ volatile("fldcw control_word_pair");
        break;
    case 2:
        __asm__ volatile("fldcw -6(%0)" : : "r"((uint64_t)&control_words[1] + 6));
        break;
    case 3:
        __asm__ volatile("fldcw 0x1000(%0)" : : "r"((uint64_t)&control_words[1] - 0x1000));
        break;
    case 4:
        __asm__ volatile("fldcw (%0, %1, 2)" : : "r"(control_words), "r"(1ull));
        break;
    case 5:
        __asm__ volatile("movq %0, %%r13; fldcw (%%r13)" : : "r"(&control_words[1]) : "r13");
        break;
    case 6:
        __asm__ volatile("movq %0, %%r12; fldcw (%%r12)" : : "r"(&control_words[1]) : "r12");
        break;
    case 7:
        __asm__ volatile("movq $1, %%r14; fldcw control_word_pair - 2(, %%r14, 2)" : : : "r14");
        break;
    case 8:
        __asm__ volatile("pushq %0; fldcw (%%rsp); addq $8, %%rsp" : : "r"((uint64_t)FCW_DOUBLE));
        break;
    case 9:
        __asm__ volatile("fldcw (%%eax)" : : "a"(&control_words[1]));
        break;
    }
    __asm__ volatile("fnstcw %0" : "=m"(to));
    return to;
}
__asm__(".pushsection .data; .balign 4; control_word_pair: .word 0x027F; .popsection");

static void operands_are_found_by_every_address(void)
{
    for (unsigned form = 0; form < 10; form++) {
        ring0(initialize, 0);
        CHECK_EQ(ring0(load_control_by_address, form), FCW_DOUBLE);
    }
    ring0(initialize, 0);
}

static uint64_t status_word(uint64_t unused)
{
    uint64_t status = 0xFFFF;

    __asm__ volatile("fninit; fnstsw %%ax; fnclex" : "+a"(status));
    return unused | status;
}

static void fnstsw_reaches_the_register(void)
{
    CHECK_EQ(ring0(status_word, 0) & 0xFFFF, 0);
}

static uint64_t load_mxcsr(uint64_t word)
{
    uint32_t from = (uint32_t)word, to = 0;

    __asm__ volatile("ldmxcsr %1; stmxcsr %0" : "=m"(to) : "m"(from));
    return to;
}

static void ldmxcsr_sets_the_register(void)
{
    CHECK_EQ(ring0(load_mxcsr, mxcsr_words[1]), MXCSR_FLUSH);
    CHECK_EQ(ring0(load_mxcsr, mxcsr_words[0]), MXCSR_RESET);
}

static uint64_t save(uint64_t to)
{
    __asm__ volatile("fxsave (%0)" : : "r"(to) : "memory");
    return 0;
}

static uint64_t restore(uint64_t from)
{
    __asm__ volatile("fxrstor (%0)" : : "r"(from) : "memory");
    return 0;
}

/* FCW at 0, MXCSR at 24, ST0 at 32, XMM0 at 160. */
static void fxsave_and_fxrstor_agree(void)
{
    ring0(initialize, 0);
    ring0(save, (uint64_t)area);
    CHECK_EQ(*(uint16_t *)area, FCW_RESET);
    CHECK_EQ(*(uint32_t *)(area + 24), MXCSR_RESET);
    *(uint16_t *)area = FCW_DOUBLE;
    *(uint32_t *)(area + 24) = MXCSR_FLUSH;
    for (unsigned i = 0; i < 10; i++)
        area[32 + i] = (uint8_t)(0x31 + i);
    for (unsigned i = 0; i < 256; i++)
        area[160 + i] = (uint8_t)(i * 11 + 5);
    area[4] = 0xFF; /* all registers of the FPU are in use */
    ring0(restore, (uint64_t)area);
    ring0(save, (uint64_t)area_after);
    CHECK_EQ(*(uint16_t *)area_after, FCW_DOUBLE);
    CHECK_EQ(*(uint32_t *)(area_after + 24), MXCSR_FLUSH);
    CHECK(!memcmp(area + 32, area_after + 32, 10));
    CHECK(!memcmp(area + 160, area_after + 160, 256));
    CHECK_EQ(area_after[4], 0xFF);
    ring0(load_mxcsr, MXCSR_RESET);
}

static uint64_t empty_tags(uint64_t unused)
{
    __asm__ volatile("emms" : : : "memory");
    return unused;
}

static void emms_empties_the_fpu(void)
{
    ring0(empty_tags, 0);
    ring0(save, (uint64_t)area_after);
    CHECK_EQ(area_after[4], 0);
    ring0(initialize, 0);
}

static uint64_t cache_control(uint64_t address)
{
    __asm__ volatile("clflush (%0); prefetchnta (%0); prefetcht0 64(%0); prefetcht1 (%0);"
                     "prefetcht2 (%0); mfence; lfence; sfence; pause; wbinvd; nopw 0x10(%0, %0)"
                     :
                     : "r"(address)
                     : "memory");
    return 0;
}

static void cache_control_changes_nothing(void)
{
    area[0] = 0x77;
    ring0(cache_control, (uint64_t)area);
    CHECK_EQ(area[0], 0x77);
}

static uint64_t store_past_the_cache(uint64_t value)
{
    uint64_t to = 0;

    __asm__ volatile("movnti %1, %0; sfence" : "=m"(to) : "r"(value));
    return to;
}

static void movnti_stores(void)
{
    CHECK_EQ(ring0(store_past_the_cache, 0x0123456789ABCDEF), 0x0123456789ABCDEF);
}

static uint64_t copy_by_sse(uint64_t unused)
{
    __asm__ volatile("movups area, %%xmm1; movaps %%xmm1, area_copy" : : : "memory");
    return unused;
}
__asm__(".pushsection .bss; .balign 16; area_copy: .skip 16; .popsection");
extern uint8_t area_copy[16];

static void sse_moves_memory(void)
{
    for (unsigned i = 0; i < 16; i++)
        area[i] = (uint8_t)(i + 0x40);
    ring0(copy_by_sse, 0);
    CHECK(!memcmp(area, area_copy, 16));
}

/*
 * 32-bit code in ring 0: what UEFI firmware does first. Far jumps lead into a 32-bit segment and
 * back; the control words are stored in the two variables.
 */
static volatile uint16_t control_32 __attribute__((used));
static volatile uint32_t mxcsr_32 __attribute__((used));
__asm__(".text\n"
        "set_up_in_32_bits:\n"
        "    pushq $0x08\n" /* SELECTOR_CODE32 */
        "    pushq $1f\n"
        "    lretq\n"
        "    .code32\n"
        "1:  fwait\n"
        "    fninit\n"
        "    fldcw control_words + 2\n"
        "    movl $mxcsr_words, %ecx\n"
        "    ldmxcsr 4(%ecx)\n"
        "    fnstcw control_32\n"
        "    stmxcsr mxcsr_32\n"
        "    ljmp $0x18, $2f\n" /* SELECTOR_CODE64 */
        "    .code64\n"
        "2:  ret\n");
uint64_t set_up_in_32_bits(uint64_t unused);

static void fpu_set_up_in_32_bit_code(void)
{
    ring0(set_up_in_32_bits, 0);
    CHECK_EQ(control_32, FCW_DOUBLE);
    CHECK_EQ(mxcsr_32, MXCSR_FLUSH);
    ring0(initialize, 0);
    ring0(load_mxcsr, MXCSR_RESET);
}

static void privileged_instruction(uint64_t unused)
{
    (void)unused;
    __asm__ volatile("hlt");
}

static void invalid_instruction(uint64_t unused)
{
    (void)unused;
    __asm__ volatile("ud2");
}

static uint64_t read_bad_msr(uint64_t unused)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x4F4F4F4F));
    return unused + low;
}

static void read_bad_msr_in_ring0(uint64_t unused)
{
    ring0(read_bad_msr, unused);
}

static void restore_unaligned(uint64_t from)
{
    ring0(restore, from);
}

static void faults_arrive(void)
{
    CHECK_EQ((uint64_t)fault_of(privileged_instruction, 0), 13);
    CHECK_EQ((uint64_t)fault_of(invalid_instruction, 0), 6);
    if (!cpu_is_oracle()) /* QEMU without KVM reads zeros from registers that do not exist */
        CHECK_EQ((uint64_t)fault_of(read_bad_msr_in_ring0, 0), 13);
    CHECK_EQ((uint64_t)fault_of(restore_unaligned, (uint64_t)area + 8), 13);
}

static void add_from_device(uint64_t address)
{
    __asm__ volatile("paddb (%0), %%xmm2" : : "r"(address) : "memory");
}

/*
 * A program's access to a device by an instruction that no monitor emulates. Hardware carries it
 * out; where that cannot be, the program has to bear it and not its system.
 */
static void programs_do_not_end_the_machine(void)
{
    for (unsigned i = 0; i < 20; i++) {
        int vector = fault_of(add_from_device, HPET);

        CHECK(vector == -1 || vector == 6);
    }
    CHECK_EQ((uint64_t)fault_of(invalid_instruction, 0), 6);
}

void guest_main(void)
{
    RUN(fninit_resets_the_fpu);
    RUN(wait_goes_on);
    RUN(fldcw_sets_the_control_word);
    RUN(operands_are_found_by_every_address);
    RUN(fnstsw_reaches_the_register);
    RUN(ldmxcsr_sets_the_register);
    RUN(fxsave_and_fxrstor_agree);
    RUN(emms_empties_the_fpu);
    if (cpu_id(1, 0).edx & CPUID_CLFLUSH)
        RUN(cache_control_changes_nothing);
    RUN(movnti_stores);
    RUN(sse_moves_memory);
    RUN(fpu_set_up_in_32_bit_code);
    RUN(faults_arrive);
    RUN(programs_do_not_end_the_machine);
}
