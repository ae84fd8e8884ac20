/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Known: WAIT, FNINIT, FNCLEX, FNOP and the 8087's no-ops, FLDCW, FNSTCW, FNSTSW, EMMS, LDMXCSR,
 * STMXCSR, FXSAVE, FXRSTOR, the fences, CLFLUSH, CLFLUSHOPT, CLWB, prefetches and hints, PAUSE,
 * INVD, WBINVD. Left out: pending x87 exceptions at WAIT (treated as none), page protection of the
 * operands (what is mapped is accessed), operands outside RAM, and every other instruction.
 *
 * Intel SDM volume 2, chapter 2 (instruction format); volume 1, sections 8.1 and 10.5 (x87 and
 * FXSAVE).
 */
#include "cpu/emulate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "cpu/fpu.h"
#include "machine/machine_private.h"

enum {
    INSTRUCTION_MAX = 15,
    FXSAVE_SIZE = 512,
    MXCSR_MASK = 0xffff,
    VECTOR_UD = 6,
    VECTOR_GP = 13,
    CR0_PE = 1 << 0,
    EFER_LMA = 1 << 10,
};

struct instruction {
    struct vcpu *vcpu;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    uint8_t bytes[INSTRUCTION_MAX];
    unsigned n, at; /* bytes there, and decoded so far */
    bool bad;       /* ran out of bytes, or an operand cannot be reached */
    bool fault;     /* raises #GP instead of completing */

    bool long_mode;        /* 64-bit code */
    unsigned address_size; /* bytes: 2, 4, 8 */
    bool prefix_66, prefix_f2, prefix_f3;
    uint8_t rex;
    const struct kvm_segment *segment; /* override, or NULL */
    uint8_t modrm;
    uint64_t operand; /* linear address, when modrm names memory */
};

/* --- Guest memory by linear address ---------------------------------------------------------- */

static bool linear_copy(struct vcpu *vcpu, uint64_t linear, void *bytes, size_t length, bool write)
{
    struct memory_map *map = &vcpu->machine->memory_map;
    uint8_t *at = bytes;

    while (length > 0) {
        struct kvm_translation translation = { .linear_address = linear };
        size_t piece = 4096 - (linear & 4095), got;
        uint8_t *host;

        piece = piece < length ? piece : length;
        got = piece;
        if (kvm_ioctl(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid) {
            return false;
        }
        host = write ? ram_at(&map->ram, translation.physical_address, &got)
                     : memory_map_seen(map, translation.physical_address, &got);
        if (!host || got < piece) {
            return false;
        }
        memcpy(write ? host : at, write ? at : host, piece);
        at += piece;
        linear += piece;
        length -= piece;
    }
    return true;
}

/* As many of the `n` bytes as can be read, from the first on; how many. */
static unsigned linear_read(struct vcpu *vcpu, uint64_t linear, unsigned char *bytes, unsigned n)
{
    unsigned got = 0;

    while (got < n && linear_copy(vcpu, linear + got, bytes + got, 1, false)) {
        got++;
    }
    return got;
}

unsigned emulate_fetch(struct vcpu *vcpu, unsigned char *bytes)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
        kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
        return 0;
    }
    return linear_read(vcpu, (sregs.cs.l ? 0 : sregs.cs.base) + regs.rip, bytes, INSTRUCTION_MAX);
}

unsigned emulate_stack(struct vcpu *vcpu, unsigned char *bytes, unsigned n, unsigned *width)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    uint64_t top;

    if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) < 0 ||
        kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
        return 0;
    }
    *width = sregs.cs.l ? 8 : sregs.cs.db ? 4 : 2;
    top = sregs.cs.l    ? regs.rsp
          : sregs.ss.db ? sregs.ss.base + (uint32_t)regs.rsp
                        : sregs.ss.base + (uint16_t)regs.rsp;
    return linear_read(vcpu, top, bytes, n);
}

/* --- Decoding -------------------------------------------------------------------------------- */

static uint8_t next_byte(struct instruction *in)
{
    if (in->at >= in->n) {
        in->bad = true;
        return 0;
    }
    return in->bytes[in->at++];
}

static int64_t next_displacement(struct instruction *in, unsigned size)
{
    uint8_t bytes[4] = { 0 };

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = next_byte(in);
    }
    switch (size) {
    case 1:
        return (int8_t)bytes[0];
    case 2:
        return (int16_t)load_le16(bytes);
    case 4:
        return (int32_t)load_le32(bytes);
    }
    return 0;
}

static uint64_t register_value(const struct instruction *in, unsigned number)
{
    const struct kvm_regs *r = &in->regs;
    const uint64_t values[16] = { r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                                  r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15 };

    return values[number & 15];
}

static uint64_t operand_16(struct instruction *in, bool *stack)
{
    static const uint8_t base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 }; /* BX BX BP BP SI DI BP BX */
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;
    uint64_t address = 0;

    if (mod == 0 && rm == 6) {
        return (uint64_t)next_displacement(in, 2) & 0xffff;
    }
    address = register_value(in, base[rm]);
    if (rm < 4) {
        address += register_value(in, rm & 1 ? 7 : 6);
    }
    *stack = base[rm] == 5;
    return (address + (uint64_t)next_displacement(in, mod)) & 0xffff;
}

static uint64_t operand_sib(struct instruction *in, bool *stack)
{
    unsigned sib = next_byte(in), mod = in->modrm >> 6;
    unsigned index = (sib >> 3 & 7) | (in->rex & 2u) << 2, base = (sib & 7) | (in->rex & 1u) << 3;
    uint64_t address = 0;

    if (index != 4) {
        address = register_value(in, index) << (sib >> 6);
    }
    if (mod == 0 && (base & 7) == 5) {
        return address + (uint64_t)next_displacement(in, 4);
    }
    *stack = base == 4 || base == 5;
    return address + register_value(in, base);
}

static uint64_t operand_32(struct instruction *in, bool *stack, bool *relative)
{
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;
    uint64_t address;

    if (rm == 4) {
        address = operand_sib(in, stack);
    } else if (mod == 0 && rm == 5) {
        *relative = in->long_mode;
        return (uint64_t)next_displacement(in, 4);
    } else {
        *stack = rm == 5 && !(in->rex & 1);
        address = register_value(in, rm | (in->rex & 1u) << 3);
    }
    return address + (uint64_t)next_displacement(in, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* Reads the ModRM byte; for a memory operand everything up to its linear address. */
static void modrm_decode(struct instruction *in)
{
    bool stack = false, relative = false;
    uint64_t address;

    in->modrm = next_byte(in);
    if (in->modrm >= 0xc0) {
        return;
    }
    address = in->address_size == 2 ? operand_16(in, &stack) : operand_32(in, &stack, &relative);
    if (relative) {
        address += in->regs.rip + in->at; /* none of the known ones has an immediate */
    }
    if (in->address_size == 4) {
        address &= 0xffffffff;
    }
    if (in->long_mode) {
        bool based = in->segment == &in->sregs.fs || in->segment == &in->sregs.gs;

        in->operand = address + (based ? in->segment->base : 0);
        return;
    }
    const struct kvm_segment *segment = in->segment ? in->segment
                                        : stack     ? &in->sregs.ss
                                                    : &in->sregs.ds;

    in->operand = (segment->base + address) & 0xffffffff;
}

/* The prefixes; returns the first byte of the opcode. */
static uint8_t prefixes_decode(struct instruction *in)
{
    bool prefix_67 = false;
    uint8_t byte;

    for (;;) {
        byte = next_byte(in);
        switch (byte) {
        case 0x26:
            in->segment = &in->sregs.es;
            break;
        case 0x2e:
            in->segment = &in->sregs.cs;
            break;
        case 0x36:
            in->segment = &in->sregs.ss;
            break;
        case 0x3e:
            in->segment = &in->sregs.ds;
            break;
        case 0x64:
            in->segment = &in->sregs.fs;
            break;
        case 0x65:
            in->segment = &in->sregs.gs;
            break;
        case 0x66:
            in->prefix_66 = true;
            break;
        case 0x67:
            prefix_67 = true;
            break;
        case 0xf2:
            in->prefix_f2 = true;
            break;
        case 0xf3:
            in->prefix_f3 = true;
            break;
        default:
            if (in->long_mode && byte >= 0x40 && byte <= 0x4f) {
                in->rex = byte;
                byte = next_byte(in);
            }
            in->address_size = in->long_mode ? 8 : in->sregs.cs.db ? 4 : 2;
            if (prefix_67) {
                in->address_size = in->address_size == 4 ? (in->long_mode ? 4 : 2) : 4;
            }
            return byte;
        }
    }
}

/* --- Operands -------------------------------------------------------------------------------- */

static bool operand_is_memory(const struct instruction *in)
{
    return in->modrm < 0xc0;
}

static void operand_read(struct instruction *in, void *bytes, size_t length)
{
    in->bad |= !linear_copy(in->vcpu, in->operand, bytes, length, false);
}

static void operand_write(struct instruction *in, const void *bytes, size_t length)
{
    in->bad |= !linear_copy(in->vcpu, in->operand, (void *)bytes, length, true);
}

static void store_word(struct instruction *in, uint16_t value)
{
    uint8_t bytes[2];

    store_le16(bytes, value);
    operand_write(in, bytes, sizeof(bytes));
}

/* --- x87 ------------------------------------------------------------------------------------- */

static void fpu_init(struct kvm_fpu *fpu)
{
    fpu->fcw = 0x37f;
    fpu->fsw = 0;
    fpu->ftwx = 0; /* all registers empty */
    fpu->last_opcode = 0;
    fpu->last_ip = 0;
    fpu->last_dp = 0;
}

static bool x87_execute(struct instruction *in, uint8_t opcode)
{
    unsigned reg;
    uint8_t bytes[2];

    modrm_decode(in);
    reg = in->modrm >> 3 & 7;
    switch (opcode << 8 | in->modrm) {
    case 0xd9d0: /* FNOP */
    case 0xdbe0: /* FENI, FDISI, FSETPM: no-ops since the 80387 */
    case 0xdbe1:
    case 0xdbe4:
        return true;
    case 0xdbe2: /* FNCLEX */
        in->fpu.fsw &= 0x7f00;
        return true;
    case 0xdbe3: /* FNINIT */
        fpu_init(&in->fpu);
        return true;
    case 0xdfe0: /* FNSTSW AX */
        in->regs.rax = (in->regs.rax & ~UINT64_C(0xffff)) | in->fpu.fsw;
        return true;
    }
    if (!operand_is_memory(in)) {
        return false;
    }
    if (opcode == 0xd9 && reg == 5) { /* FLDCW */
        operand_read(in, bytes, sizeof(bytes));
        in->fpu.fcw = load_le16(bytes) | 0x40; /* bit 6 is always set */
        return true;
    }
    if (opcode == 0xd9 && reg == 7) { /* FNSTCW */
        store_word(in, in->fpu.fcw);
        return true;
    }
    if (opcode == 0xdd && reg == 7) { /* FNSTSW */
        store_word(in, in->fpu.fsw);
        return true;
    }
    return false;
}

/* --- SSE control ----------------------------------------------------------------------------- */

static void mxcsr_load(struct instruction *in, uint32_t value)
{
    if (value & ~(uint32_t)MXCSR_MASK) {
        in->fault = true;
    } else {
        in->fpu.mxcsr = value;
    }
}

static void fxsave(struct instruction *in)
{
    uint8_t area[FXSAVE_SIZE];

    /* The last 96 bytes and the reserved ones stay as they are. */
    operand_read(in, area, sizeof(area));
    store_le16(area, in->fpu.fcw);
    store_le16(area + 2, in->fpu.fsw);
    area[4] = in->fpu.ftwx;
    area[5] = 0;
    store_le16(area + 6, in->fpu.last_opcode);
    store_le64(area + 8, in->fpu.last_ip);
    store_le64(area + 16, in->fpu.last_dp);
    store_le32(area + 24, in->fpu.mxcsr);
    store_le32(area + 28, MXCSR_MASK);
    memcpy(area + 32, in->fpu.fpr, 8 * 16);
    memcpy(area + 160, in->fpu.xmm, in->long_mode ? 16 * 16 : 8 * 16);
    if (!in->bad) {
        operand_write(in, area, sizeof(area));
    }
}

static void fxrstor(struct instruction *in)
{
    uint8_t area[FXSAVE_SIZE];

    operand_read(in, area, sizeof(area));
    if (in->bad) {
        return;
    }
    mxcsr_load(in, load_le32(area + 24));
    in->fpu.fcw = load_le16(area);
    in->fpu.fsw = load_le16(area + 2);
    in->fpu.ftwx = area[4];
    in->fpu.last_opcode = load_le16(area + 6);
    in->fpu.last_ip = load_le64(area + 8);
    in->fpu.last_dp = load_le64(area + 16);
    memcpy(in->fpu.fpr, area + 32, 8 * 16);
    memcpy(in->fpu.xmm, area + 160, in->long_mode ? 16 * 16 : 8 * 16);
}

/* 0F AE */
static bool group_15(struct instruction *in)
{
    uint8_t bytes[4];
    unsigned reg;

    modrm_decode(in);
    reg = in->modrm >> 3 & 7;
    if (!operand_is_memory(in)) {
        return reg >= 5; /* LFENCE, MFENCE, SFENCE */
    }
    if (in->prefix_66) {
        return reg >= 6; /* CLWB, CLFLUSHOPT */
    }
    switch (reg) {
    case 0:
        fxsave(in);
        return true;
    case 1:
        fxrstor(in);
        return true;
    case 2: /* LDMXCSR */
        operand_read(in, bytes, sizeof(bytes));
        mxcsr_load(in, load_le32(bytes));
        return true;
    case 3: /* STMXCSR */
        store_le32(bytes, in->fpu.mxcsr);
        operand_write(in, bytes, sizeof(bytes));
        return true;
    case 7: /* CLFLUSH */
        return true;
    }
    return false;
}

static bool two_byte_execute(struct instruction *in)
{
    uint8_t opcode = next_byte(in);

    switch (opcode) {
    case 0x08: /* INVD */
    case 0x09: /* WBINVD */
        return true;
    case 0x77: /* EMMS */
        in->fpu.ftwx = 0;
        return true;
    case 0xae:
        return group_15(in);
    case 0x0d: /* PREFETCH, PREFETCHW */
        modrm_decode(in);
        return operand_is_memory(in);
    }
    if (opcode >= 0x18 && opcode <= 0x1f) { /* prefetches and hints, ENDBR among them */
        modrm_decode(in);
        return true;
    }
    return false;
}

static bool execute(struct instruction *in)
{
    uint8_t opcode = prefixes_decode(in);

    switch (opcode) {
    case 0x0f:
        return two_byte_execute(in);
    case 0x90: /* NOP, PAUSE; with REX.B it is an exchange */
        return !(in->rex & 1);
    case 0x9b: /* WAIT */
        return true;
    case 0xd9:
    case 0xdb:
    case 0xdd:
    case 0xdf:
        return x87_execute(in, opcode);
    }
    return false;
}

/* --- Interface ------------------------------------------------------------------------------- */

static bool instruction_start(struct instruction *in)
{
    struct kvm_run *run = in->vcpu->run;

    if (kvm_ioctl(in->vcpu->fd, KVM_GET_REGS, &in->regs) < 0 ||
        kvm_ioctl(in->vcpu->fd, KVM_GET_SREGS, &in->sregs) < 0 ||
        !fpu_get(in->vcpu->fd, &in->fpu)) {
        return false;
    }
    in->long_mode = (in->sregs.efer & EFER_LMA) && in->sregs.cs.l;
    if (run->emulation_failure.ndata >= 3 &&
        (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
        in->n = run->emulation_failure.insn_size;
        in->n = in->n < INSTRUCTION_MAX ? in->n : INSTRUCTION_MAX;
        memcpy(in->bytes, run->emulation_failure.insn_bytes, in->n);
    } else {
        in->n = emulate_fetch(in->vcpu, in->bytes);
    }
    return true;
}

static void bytes_name(const struct instruction *in, char *title, size_t size)
{
    size_t used = (size_t)g_snprintf(title, size, "KVM cannot emulate the instruction");

    for (unsigned i = 0; i < in->n && used < size; i++) {
        used += (size_t)g_snprintf(title + used, size - used, " %02x", in->bytes[i]);
    }
}

/* False if the vCPU is delivering an exception already. */
static bool exception_raise(struct vcpu *vcpu, uint8_t vector, bool has_error_code)
{
    struct kvm_vcpu_events events;

    if (kvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0 || events.exception.injected) {
        return false;
    }
    events.exception.injected = 1;
    events.exception.nr = vector;
    events.exception.has_error_code = has_error_code;
    events.exception.error_code = 0;
    return kvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

/* Code of programs, not of a kernel or firmware; also what runs in virtual-8086 mode. */
static bool in_user_mode(const struct instruction *in)
{
    return (in->sregs.cr0 & CR0_PE) && in->sregs.ss.dpl == 3;
}

enum emulated emulate_instruction(struct vcpu *vcpu, char *title, size_t size)
{
    struct instruction in = { .vcpu = vcpu };

    if (!instruction_start(&in)) {
        g_snprintf(title, size, "KVM cannot emulate an instruction");
        return EMULATED_NOT;
    }
    bytes_name(&in, title, size);
    if (!execute(&in) || in.bad) {
        return in_user_mode(&in) && exception_raise(vcpu, VECTOR_UD, false) ? EMULATED_REFUSED
                                                                            : EMULATED_NOT;
    }
    if (in.fault) {
        return exception_raise(vcpu, VECTOR_GP, true) ? EMULATED : EMULATED_NOT;
    }
    in.regs.rip += in.at;
    if (!in.long_mode) {
        in.regs.rip &= in.sregs.cs.db ? 0xffffffff : 0xffff;
    }
    return fpu_set(vcpu->fd, &in.fpu) && kvm_ioctl(vcpu->fd, KVM_SET_REGS, &in.regs) == 0
               ? EMULATED
               : EMULATED_NOT;
}
