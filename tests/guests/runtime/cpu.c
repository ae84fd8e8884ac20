/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptor tables, interrupt dispatch and processor start. Each processor has an area of
 * memory with its state at the bottom, then its user stack, then its ring 0 stack, so the stack
 * pointer tells which processor runs.
 */
#include "cpu.h"
#include "apic.h"
#include "board.h"
#include "descriptors.h"
#include "io.h"
#include "layout.h"
#include "selectors.h"

struct cpu {
    unsigned number;
    struct fault_context *fault;
    struct task_state task;
};

/* Read by the trampoline and start.S. */
uint64_t cpu_gdt[SELECTOR_TSS / 8 + 2 * LAYOUT_MAX_CPUS] = { GDT_SEGMENTS };
volatile uint32_t cpu_next_number;

volatile uint32_t interrupt_count[256];

static struct gate idt[256];
static interrupt_handler handlers[256];
static volatile uint32_t cpus_done;
static void (*others_work)(unsigned number);

extern const char trampoline_start[], trampoline_end[];

/* Called by start.S only. */
void cpu_ring0_setup(unsigned number);
_Noreturn void cpu_main(unsigned number);

static struct cpu *cpu_current(void)
{
    uint64_t stack;
    /* An interrupt may arrive with the stack still empty, when RSP is the end of the area. */
    __asm__ volatile("leaq -8(%%rsp), %0" : "=r"(stack));
    return (struct cpu *)(stack & ~(uint64_t)(LAYOUT_CPU_AREA - 1));
}

unsigned cpu_number(void)
{
    return cpu_current()->number;
}

const struct reset_record *reset_record(void)
{
    return (const struct reset_record *)LAYOUT_RESET_RECORD;
}

static void fatal_exception(const struct interrupt_frame *frame)
{
    test_fail("exception %lu, error 0x%lx at 0x%lx (selector 0x%lx, stack 0x%lx, flags 0x%lx)",
              frame->vector, frame->error, frame->rip, frame->cs, frame->rsp, frame->rflags);
    test_done();
}

void interrupt_dispatch(struct interrupt_frame *frame)
{
    unsigned vector = (uint8_t)frame->vector;
    struct cpu *cpu = cpu_current();

    __atomic_fetch_add(&interrupt_count[vector], 1, __ATOMIC_SEQ_CST);
    if (handlers[vector]) {
        handlers[vector](frame);
    } else if (vector < 32) {
        struct fault_context *fault = cpu->fault;
        if (!fault)
            fatal_exception(frame);
        cpu->fault = NULL;
        fault->error = frame->error;
        frame->rax = vector;
        frame->rbx = fault->rbx;
        frame->rbp = fault->rbp;
        frame->r12 = fault->r12;
        frame->r13 = fault->r13;
        frame->r14 = fault->r14;
        frame->r15 = fault->r15;
        frame->rsp = fault->rsp;
        frame->rip = fault->rip;
        frame->cs = SELECTOR_USER_CODE;
        frame->ss = SELECTOR_USER_DATA;
    }
}

int fault_error_of(void (*function)(uint64_t), uint64_t argument, uint64_t *error)
{
    struct fault_context context = { .error = 0 };
    struct cpu *cpu = cpu_current();
    int vector;

    cpu->fault = &context;
    vector = fault_catch(&context, function, argument);
    cpu->fault = NULL;
    *error = context.error;
    return vector;
}

int fault_of(void (*function)(uint64_t), uint64_t argument)
{
    uint64_t error;
    return fault_error_of(function, argument, &error);
}

void interrupt_handle(unsigned vector, interrupt_handler handler)
{
    handlers[vector] = handler;
    interrupt_count[vector] = 0;
}

static uint64_t window(uint64_t unused)
{
    /* Reading a register makes the host look for interrupts also where it emulates several
     * instructions in one go. */
    __asm__ volatile("sti; nop; inl %%dx, %%eax; nop; cli"
                     :
                     : "d"(BOARD_PM_BASE + 8)
                     : "eax", "memory");
    return unused;
}

void interrupt_window(void)
{
    ring0(window, 0);
}

static uint64_t halt(uint64_t unused)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
    return unused;
}

void cpu_halt(void)
{
    ring0(halt, 0);
}

static uint64_t read_msr(uint64_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"((uint32_t)index));
    return (uint64_t)high << 32 | low;
}

uint64_t cpu_read_msr(uint32_t index)
{
    return ring0(read_msr, index);
}

static uint64_t write_msr(uint64_t pair)
{
    const uint64_t *values = (const uint64_t *)pair;
    __asm__ volatile("wrmsr"
                     :
                     : "c"((uint32_t)values[0]), "a"((uint32_t)values[1]),
                       "d"((uint32_t)(values[1] >> 32))
                     : "memory");
    return 0;
}

void cpu_write_msr(uint32_t index, uint64_t value)
{
    uint64_t values[2] = { index, value };
    ring0(write_msr, (uint64_t)values);
}

struct cpuid cpu_id(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid id;
    __asm__ volatile("cpuid"
                     : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
                     : "a"(leaf), "c"(subleaf));
    return id;
}

bool cpu_is_oracle(void)
{
    struct cpuid id = cpu_id(0x40000000, 0);
    return id.ebx == 0x54474354 && id.ecx == 0x43544743 && id.edx == 0x47435447; /* "TCG" 4 times */
}

static uint64_t reload_page_tables(uint64_t unused)
{
    __asm__ volatile("movq %%cr3, %%rax; movq %%rax, %%cr3" : : : "rax", "memory");
    return unused;
}

void cpu_map(uint64_t address)
{
    static uint64_t next_directory = LAYOUT_PD_MORE;
    uint64_t *pdpt = (uint64_t *)LAYOUT_PDPT, *entry = &pdpt[address >> 30 & 511], *directory;

    if (address >> 39 || (!*entry && next_directory == LAYOUT_PD_END)) {
        test_fail("the guest cannot map 0x%lx", address);
        test_done();
    }
    if (!*entry) {
        memset((void *)next_directory, 0, 4096);
        *entry = next_directory | 7;
        next_directory += 4096;
    }
    directory = (uint64_t *)(*entry & ~0xFFFull);
    directory[address >> 21 & 511] = (address & ~0x1FFFFFull) | 0x87;
    ring0(reload_page_tables, 0);
}

/* Only the gate into ring 0 is filled here; cpu_main() fills the others at CPL 3, for speed. */
void cpu_ring0_setup(unsigned number)
{
    const struct descriptor_tables tables = { cpu_gdt, idt, sizeof(cpu_gdt), sizeof(idt) };
    struct cpu *cpu = cpu_current();

    cpu->number = number;
    cpu->fault = NULL;
    memset(cpu->task.io_bits, 0, sizeof(cpu->task.io_bits));
    if (number == 0)
        gate_set(&idt[VECTOR_INVALID_OPCODE], invalid_opcode_entry);
    descriptors_load(&tables, SELECTOR_TSS + 16 * number, &cpu->task,
                     (uint64_t)cpu + LAYOUT_CPU_AREA);
}

_Noreturn void cpu_main(unsigned number)
{
    if (number == 0) {
        for (unsigned vector = 0; vector < 256; vector++) {
            if (vector != VECTOR_INVALID_OPCODE)
                gate_set(&idt[vector], interrupt_entries + 16 * vector);
        }
        cpu_next_number = 1;
        board_setup();
        guest_main();
        test_done();
    }
    others_work(number);
    __atomic_fetch_add(&cpus_done, 1, __ATOMIC_SEQ_CST);
    for (;;)
        cpu_halt();
}

unsigned cpu_start_others(unsigned expected, void (*work)(unsigned number))
{
    others_work = work;
    cpus_done = 0;
    cpu_next_number = 1;
    memcpy((void *)LAYOUT_TRAMPOLINE, trampoline_start,
           (size_t)(trampoline_end - trampoline_start));
    apic_enable();
    apic_command(0, APIC_INIT | APIC_ALL_BUT_SELF);
    WAIT_FOR(false, 10);
    apic_command(0, APIC_STARTUP | APIC_ALL_BUT_SELF | LAYOUT_TRAMPOLINE >> 12);
    WAIT_FOR(cpus_done >= expected, LONG_MS);
    return cpus_done;
}
