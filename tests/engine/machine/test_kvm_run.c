/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running code on /dev/kvm: the way in and out of the guest, and what a user does to a running
 * machine. */
#include "machine_fixture.h"
#include "test.h"

#include "machine/machine_control.h"
#include "machine/machine_private.h"
#include "machine/plug.h"

PAYLOAD(hello, PRINT("text_hello") STOP "text_hello: .asciz \"hello from the guest\\n\"\n");

TEST(runs_code_and_prints)
{
    struct fixture *f = fixture_start(hello, hello_end);

    CHECK(fixture_wait_text(f, "hello from the guest\n"));
    CHECK(fixture_wait_state(f, MACHINE_RUNNING));
    CHECK(machine_pause(f->machine, NULL));
    CHECK(fixture_figure(f, "exits.io") >= 21);
    CHECK_EQ(fixture_figure(f, "devices.debug-port.debug.writes"), 21);
    fixture_free(f);
}

TEST(is_freed_without_being_started)
{
    struct fixture *f = fixture_prepare(hello, hello_end);

    fixture_make(f);
    CHECK_EQ(machine_state(f->machine, NULL), MACHINE_NEW);
    fixture_free(f);
}

/* Counts in RAM and prints a line whenever 16 bits have gone round. */
PAYLOAD(counter, "xorw %ax, %ax\n"
                 "movw %ax, %ds\n"
                 "movw $0x402, %dx\n"
                 "3: incw 0x500\n"
                 "testw $0x3fff, 0x500\n"
                 "jnz 3b\n"
                 "movb $'.', %al\n"
                 "outb %al, %dx\n"
                 "movb $10, %al\n"
                 "outb %al, %dx\n"
                 "jmp 3b\n");

TEST(stands_still_while_paused)
{
    struct fixture *f = fixture_start(counter, counter_end);
    g_autoptr(GError) error = NULL;
    guint64 exits, time;

    CHECK(fixture_wait_text(f, ".\n.\n"));
    CHECK(machine_pause(f->machine, &error));
    CHECK(fixture_wait_state(f, MACHINE_PAUSED));
    CHECK_EQ(f->reason, REASON_USER);
    fixture_run(f, 50);
    exits = fixture_figure(f, "exits.io");
    time = fixture_figure(f, "uptime-ms");
    g_string_truncate(f->log, 0);
    fixture_run(f, 400);
    CHECK_EQ(fixture_figure(f, "exits.io"), exits);
    CHECK_EQ(fixture_figure(f, "uptime-ms"), time);
    CHECK_EQ(f->log->len, 0);
    CHECK(machine_pause(f->machine, &error)); /* a second time changes nothing */
    CHECK(machine_resume(f->machine, &error));
    CHECK(fixture_wait_text(f, ".\n.\n"));
    CHECK(machine_resume(f->machine, &error));
    fixture_free(f);
}

TEST(pauses_and_resumes_many_times)
{
    struct fixture *f = fixture_start(counter, counter_end);

    for (unsigned i = 0; i < 200; i++) {
        CHECK(machine_pause(f->machine, NULL));
        CHECK(machine_resume(f->machine, NULL));
    }
    g_string_truncate(f->log, 0);
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

PAYLOAD(greeter, PRINT("text_greeting") "8: jmp 8b\n"
                                        "text_greeting: .asciz \"good morning\\n\"\n");

TEST(starts_over_after_a_reset)
{
    struct fixture *f = fixture_start(greeter, greeter_end);
    g_autoptr(GError) error = NULL;

    CHECK(fixture_wait_text(f, "good morning\n"));
    for (unsigned i = 0; i < 5; i++) {
        g_string_truncate(f->log, 0);
        CHECK(machine_reset(f->machine, &error));
        CHECK(fixture_wait_resets(f, i + 1));
        CHECK(fixture_wait_text(f, "good morning\n"));
    }
    CHECK(machine_pause(f->machine, &error));
    g_string_truncate(f->log, 0);
    CHECK(machine_reset(f->machine, &error)); /* a reset also ends a pause */
    CHECK(fixture_wait_text(f, "good morning\n"));
    CHECK_EQ(machine_state(f->machine, NULL), MACHINE_RUNNING);
    fixture_free(f);
}

/* Of the processor nothing is left but what power on gives it. */
TEST(msrs_are_as_after_power_on_after_a_reset)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
    } changed[] = {
        { 0x174, 0x18 },               /* SYSENTER_CS */
        { 0x200, 0x80000006 },         /* MTRR_PHYSBASE0 */
        { 0x250, 0x0606060606060606 }, /* MTRR_FIX64K_00000 */
        { 0x277, 0x0606060606060606 }, /* PAT */
        { 0x2ff, 0xc06 },              /* MTRR_DEF_TYPE */
        { 0x400, UINT64_MAX },         /* MC0_CTL */
        { 0xc0000082, 0x1234 },        /* LSTAR */
    };
    struct fixture *f = fixture_prepare(greeter, greeter_end);
    uint64_t before[G_N_ELEMENTS(changed)], value;
    struct vcpu *vcpu;

    fixture_make(f);
    CHECK(machine_start(f->machine, true, NULL));
    vcpu = &f->machine->vcpus.all[0];
    for (unsigned i = 0; i < G_N_ELEMENTS(changed); i++) {
        CHECK(vcpu_msr_get(vcpu, changed[i].msr, &before[i]));
        CHECK(vcpu_msr_set(vcpu, changed[i].msr, changed[i].value));
    }
    CHECK(machine_reset(f->machine, NULL));
    CHECK(machine_pause(f->machine, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(changed); i++) {
        CHECK(vcpu_msr_get(vcpu, changed[i].msr, &value));
        CHECK_EQ(value, before[i]);
    }
    fixture_free(f);
}

/* Resets the machine, and says so if it gets beyond that. */
PAYLOAD(resetter,
        PRINT("text_resetter") "movw $0xcf9, %dx\n"
                               "movb $0x02, %al\n"
                               "outb %al, %dx\n"
                               "movb $0x06, %al\n"
                               "outb %al, %dx\n"
                               "movw $0x402, %dx\n"
                               "movb $'!', %al\n"
                               "outb %al, %dx\n" STOP "text_resetter: .asciz \"before\\n\"\n");

static bool reset_is_pending(struct machine *machine)
{
    bool pending;

    pthread_mutex_lock(&machine->lock);
    pending = machine->pending & PENDING_RESET;
    pthread_mutex_unlock(&machine->lock);
    return pending;
}

/* The control thread comes to a guest's request only after the user has paused and resumed. */
TEST(a_resume_does_not_overtake_a_reset)
{
    struct fixture *f = fixture_prepare(resetter, resetter_end);

    fixture_make(f);
    CHECK(machine_start(f->machine, true, NULL));
    pthread_mutex_lock(&f->machine->control);
    control_state_set(f->machine, MACHINE_RUNNING, REASON_USER, NULL);
    machine_take_up_kept(f->machine);
    while (!reset_is_pending(f->machine)) {
        fixture_run(f, 1);
    }
    control_halt(f->machine);
    control_state_set(f->machine, MACHINE_PAUSED, REASON_USER, NULL);
    control_state_set(f->machine, MACHINE_RUNNING, REASON_USER, NULL);
    machine_take_up_kept(f->machine);
    fixture_run(f, 200);
    pthread_mutex_unlock(&f->machine->control);
    CHECK(fixture_wait_resets(f, 2));
    CHECK(!strchr(f->log->str, '!'));
    fixture_free(f);
}

static gpointer cable_pull(gpointer data)
{
    struct fixture *f = data;
    GError *error = NULL;

    return machine_set_link(f->machine, "net0", false, &error) ? NULL : error;
}

/* Somebody pulls the cable of a card while it is being taken out. */
TEST(a_card_that_is_gone_has_no_cable)
{
    struct fixture *f = fixture_prepare(counter, counter_end);
    g_autoptr(GError) error = NULL;
    OrielNetwork *network;
    GThread *thread;

    f->config->hotplug = TRUE;
    g_ptr_array_set_size(f->config->networks, 0);
    network = oriel_config_add_network(f->config, &error);
    network->mode = ORIEL_NETWORK_NONE;
    network->port = 1;
    fixture_make(f);
    CHECK(machine_start(f->machine, false, &error));
    CHECK(fixture_wait_text(f, ".\n"));
    pthread_mutex_lock(&f->machine->control);
    thread = g_thread_new("cable", cable_pull, f);
    fixture_run(f, 100); /* it waits for its turn now, or comes later, which is as well */
    pthread_mutex_lock(&f->machine->lock);
    f->machine->slots_off = 1u << 0;
    pthread_mutex_unlock(&f->machine->lock);
    plug_cards_let_go(f->machine);
    pthread_mutex_unlock(&f->machine->control);
    error = g_thread_join(thread);
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_NOT_FOUND));
    fixture_free(f);
}

TEST(stops_for_good)
{
    struct fixture *f = fixture_start(counter, counter_end);
    g_autoptr(GError) error = NULL;

    CHECK(fixture_wait_text(f, ".\n"));
    machine_stop(f->machine, REASON_USER);
    CHECK(fixture_wait_state(f, MACHINE_STOPPED));
    CHECK(!machine_resume(f->machine, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    g_clear_error(&error);
    CHECK(!machine_reset(f->machine, &error));
    g_clear_error(&error);
    CHECK(!machine_start(f->machine, false, &error));
    machine_stop(f->machine, REASON_USER);
    fixture_free(f);
}

/* In protected mode, without a table of handlers, any exception ends in a shutdown of the
 * processor. */
PAYLOAD(triple_fault,
        PRINT("text_fault") "lgdtl %cs:(fault_gdtr - payload_start)\n"
                            "lidtl %cs:(fault_idtr - payload_start)\n"
                            "movl %cr0, %eax\n"
                            "orb $1, %al\n"
                            "movl %eax, %cr0\n"
                            "ljmpl $8, $(fault_32 - payload_start + 0xf0000)\n"
                            ".code32\n"
                            "fault_32: ud2\n"
                            "fault_idtr: .word 0; .long 0\n"
                            "fault_gdtr: .word 15; .long fault_gdt - payload_start + 0xf0000\n"
                            "fault_gdt: .quad 0, 0x00cf9b000000ffff\n"
                            "text_fault: .asciz \"about to fault\\n\"\n");

TEST(resets_after_a_triple_fault)
{
    struct fixture *f = fixture_start(triple_fault, triple_fault_end);

    CHECK(fixture_wait_text(f, "about to fault\n"));
    CHECK(fixture_wait_resets(f, 2));
    CHECK_EQ(f->state, MACHINE_RUNNING);
    fixture_free(f);
}

TEST(several_machines_at_once)
{
    struct fixture *a = fixture_start(greeter, greeter_end);
    struct fixture *b = fixture_start(counter, counter_end);

    CHECK(fixture_wait_text(a, "good morning\n"));
    CHECK(fixture_wait_text(b, ".\n"));
    fixture_free(a);
    g_string_truncate(b->log, 0);
    CHECK(fixture_wait_text(b, ".\n"));
    fixture_free(b);
}

jmp_buf test_failed;

int main(void)
{
    static const struct test tests[] = {
        T(runs_code_and_prints),
        T(is_freed_without_being_started),
        T(stands_still_while_paused),
        T(pauses_and_resumes_many_times),
        T(starts_over_after_a_reset),
        T(a_resume_does_not_overtake_a_reset),
        T(msrs_are_as_after_power_on_after_a_reset),
        T(a_card_that_is_gone_has_no_cable),
        T(stops_for_good),
        T(resets_after_a_triple_fault),
        T(several_machines_at_once),
    };

    fixture_need_kvm();
    return test_main(tests, G_N_ELEMENTS(tests));
}
