/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cpu/crash.h"

#include "cpu/emulate.h"
#include "machine/machine_private.h"
#include "machine/stats.h"

static void registers_append(GString *text, struct vcpu *vcpu)
{
    struct kvm_regs r;

    if (kvm_ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0) {
        g_string_append(text, "registers cannot be read\n");
        return;
    }
    g_string_append_printf(text,
                           "rip %016llx  rflags %08llx\n"
                           "rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n"
                           "rsi %016llx  rdi %016llx  rbp %016llx  rsp %016llx\n"
                           "r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx\n"
                           "r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx\n",
                           r.rip, r.rflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp,
                           r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15);
}

static void segment_append(GString *text, const char *name, const struct kvm_segment *s)
{
    g_string_append_printf(text,
                           "%-4s %04x base %016llx limit %08x type %x s %u dpl %u present %u "
                           "db %u l %u g %u unusable %u\n",
                           name, s->selector, s->base, s->limit, s->type, s->s, s->dpl, s->present,
                           s->db, s->l, s->g, s->unusable);
}

static void special_registers_append(GString *text, struct vcpu *vcpu)
{
    struct kvm_sregs s;

    if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0) {
        g_string_append(text, "special registers cannot be read\n");
        return;
    }
    g_string_append_printf(text, "cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %08llx\n",
                           s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
    segment_append(text, "cs", &s.cs);
    segment_append(text, "ss", &s.ss);
    segment_append(text, "ds", &s.ds);
    segment_append(text, "es", &s.es);
    segment_append(text, "fs", &s.fs);
    segment_append(text, "gs", &s.gs);
    segment_append(text, "tr", &s.tr);
    segment_append(text, "ldt", &s.ldt);
    g_string_append_printf(text, "gdt base %016llx limit %04x  idt base %016llx limit %04x\n",
                           s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit);
}

static void code_append(GString *text, struct vcpu *vcpu)
{
    unsigned char bytes[15];
    unsigned n = emulate_fetch(vcpu, bytes);

    g_string_append(text, "code");
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(text, " %02x", bytes[i]);
    }
    g_string_append(text, n > 0 ? "\n" : " cannot be read\n");
}

static void stack_append(GString *text, struct vcpu *vcpu)
{
    unsigned char bytes[128];
    unsigned width = 2, n = emulate_stack(vcpu, bytes, sizeof(bytes), &width);

    g_string_append(text, n >= width ? "stack, top first" : "stack cannot be read");
    for (unsigned at = 0; at + width <= n; at += width) {
        g_string_append(text, at % (8 * width) == 0 ? "\n " : "");
        g_string_append_c(text, ' ');
        for (unsigned i = width; i-- > 0;) {
            g_string_append_printf(text, "%02x", bytes[at + i]);
        }
    }
    g_string_append_c(text, '\n');
}

static void exits_append(GString *text, const struct vcpu *vcpu)
{
    unsigned n = MIN(vcpu->next_exit, VCPU_EXITS_KEPT);

    g_string_append(text, "last exits, newest first\n");
    for (unsigned i = 1; i <= n; i++) {
        const struct vcpu_exit *e = &vcpu->exits[(vcpu->next_exit - i) % VCPU_EXITS_KEPT];

        g_string_append_printf(text, "  %-14s %s %u bytes at %#llx: %#llx\n",
                               stats_exit_name(e->reason), e->write ? "write" : "read ", e->size,
                               (unsigned long long)e->address, (unsigned long long)e->value);
    }
}

void crash_report(struct vcpu *vcpu, enum machine_reason reason, const char *title)
{
    struct machine *machine = vcpu->machine;
    GString *text = g_string_new(NULL);
    g_autofree char *sentence = NULL;

    g_string_append_printf(text, "%s (processor %u)\n", title, vcpu->index);
    registers_append(text, vcpu);
    special_registers_append(text, vcpu);
    code_append(text, vcpu);
    stack_append(text, vcpu);
    exits_append(text, vcpu);
    pthread_mutex_lock(&machine->lock);
    if (!machine->crash_report) { /* the first one tells most */
        machine->crash_report = g_string_free(g_steal_pointer(&text), FALSE);
    }
    pthread_mutex_unlock(&machine->lock);
    if (text) {
        g_string_free(text, TRUE);
    }
    sentence =
        g_strdup_printf("The guest cannot go on: %s. Reset the machine or turn it off.", title);
    vcpu_hold(vcpu);
    machine_trouble(machine, PENDING_CRASH, reason, sentence);
}
