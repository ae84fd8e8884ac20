/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest can do to the machine that is no device's affair: the shadow of the firmware under
 * PAM, MSRs that nobody knows, instructions that nobody can emulate, memory maps that change all
 * the time.
 */
#include "display/console.h"
#include "input/input_router.h"
#include "machine_fixture.h"
#include "test.h"

/* Sets PAM register `index` (0x90 + n) of the host bridge to the value in al. */
#define SET_PAM(n)                                                                                 \
    "movb %al, %bl\n"                                                                              \
    "movw $0xcf8, %dx\n"                                                                           \
    "movl $(0x80000090 + (" n " & 0xfc)), %eax\n"                                                  \
    "outl %eax, %dx\n"                                                                             \
    "movw $(0xcfc + (" n " & 3)), %dx\n"                                                           \
    "movb %bl, %al\n"                                                                              \
    "outb %al, %dx\n"
/* Prints al as two digits. */
#define HEX_CODE(name)                                                                             \
    "hex_" name ": pushw %ax\n"                                                                    \
    "shrb $4, %al\n"                                                                               \
    "call digit_" name "\n"                                                                        \
    "popw %ax\n"                                                                                   \
    "digit_" name ": andb $15, %al\n"                                                              \
    "addb $'0', %al\n"                                                                             \
    "cmpb $'9', %al\n"                                                                             \
    "jbe 5f\n"                                                                                     \
    "addb $('a' - '9' - 1), %al\n"                                                                 \
    "5: movw $0x402, %dx\n"                                                                        \
    "outb %al, %dx\n"                                                                              \
    "ret\n"
#define NEW_LINE "movw $0x402, %dx\n movb $10, %al\n outb %al, %dx\n"
#define STACK    "xorw %ax, %ax\n movw %ax, %ss\n movw $0x7000, %sp\n"

/* D000:0000 is under PAM3 low, E000:0000 under PAM5 low, where the firmware's image shows through.
 */
PAYLOAD(shadow, STACK "movw $0xd000, %ax\n movw %ax, %ds\n"
                      "movb $0x11, 0\n"
                      "movb 0, %al\n call hex_shadow\n" /* off: nothing there */
                      "movb $0x33, %al\n" SET_PAM("3")  /* open: RAM */
        "movb $0x22, 0\n"
        "movb 0, %al\n call hex_shadow\n"
        "movb $0x11, %al\n" SET_PAM("3") /* read only */
        "movb $0x33, 0\n"
        "movb 0, %al\n call hex_shadow\n"
        "movb $0x22, %al\n" SET_PAM("3") /* write only */
        "movb $0x44, 0\n"
        "movb 0, %al\n call hex_shadow\n"
        "movb $0x11, %al\n" SET_PAM(
            "3") "movb 0, %al\n call hex_shadow\n"
                 "movw $0xe000, %ax\n movw %ax, %ds\n"
                 "movb 0x100, %al\n call hex_shadow\n" /* the image's filler */
                 "movb $0x22, %al\n" SET_PAM(
                     "5") "movb $0x55, 0x100\n"
                          "movb 0x100, %al\n call hex_shadow\n"
                          "movb $0x33, %al\n" SET_PAM(
                              "5") "movb 0x100, %al\n call hex_shadow\n" NEW_LINE STOP
                              HEX_CODE("shadow"));

TEST(pam_decides_between_firmware_ram_and_nothing)
{
    struct fixture *f = fixture_start(shadow, shadow_end);

    CHECK(fixture_wait_text(f, "\n"));
    CHECK_STR(f->log->str, "ff"
                           "22"
                           "22"
                           "ff"
                           "44"
                           "ff"
                           "ff"
                           "55"
                           "\n");
    fixture_free(f);
}

/* Reads and writes MSR 0x12345 (nobody's) and 0xc0010062 (P-state control, quiet). */
PAYLOAD(unknown_msrs,
        STACK "movw %ax, %ds\n"
              "movw $(gp_handler - payload_start), 13 * 4\n"
              "movw $0xf000, 13 * 4 + 2\n"
              "xorw %bp, %bp\n"
              "movl $0x12345, %ecx\n rdmsr\n"
              "movl $0x12345, %ecx\n wrmsr\n"
              "movw %bp, %ax\n call hex_msrs\n"
              "movl $0xc0010062, %ecx\n rdmsr\n"
              "orl %edx, %eax\n"
              "movw %bp, %ax\n call hex_msrs\n" NEW_LINE STOP
              /* Both instructions have two bytes; the return address lies at the stack's top. */
              "gp_handler: incw %bp\n"
              "pushw %bp\n movw %sp, %bp\n addw $2, 2(%bp)\n popw %bp\n iretw\n" HEX_CODE("msrs"));

TEST(unknown_msrs_fault_and_quiet_ones_do_not)
{
    struct fixture *f = fixture_start(unknown_msrs, unknown_msrs_end);

    CHECK(fixture_wait_text(f, "\n"));
    CHECK_STR(f->log->str, "0202\n");
    fixture_free(f);
}

/*
 * A descriptor cache that no processor lets through: on hardware the entry to the guest may fail or
 * the instruction runs; on a KVM that emulates, VMREAD-like opcodes cannot be emulated. The opcode
 * is one that no processor defines for real mode.
 */
PAYLOAD(hopeless, PRINT("text_hopeless") "pushw $0x5afe\n"
                                         "pushw $0x0bad\n"
                                         "lidtl %cs:(hopeless_idtr - payload_start)\n"
                                         ".byte 0x0f, 0x38, 0xf0, 0xc0\n" STOP
                                         "hopeless_idtr: .word 0; .long 0\n"
                                         "text_hopeless: .asciz \"hopeless\\n\"\n");

/* A guest that cannot go on crashes or resets, as the host's KVM has it; the machine stays usable.
 */
TEST(a_guest_that_cannot_go_on_can_be_reset)
{
    struct fixture *f = fixture_start(hopeless, hopeless_end);
    g_autoptr(GError) error = NULL;

    CHECK(fixture_wait_text(f, "hopeless\n"));
    fixture_run(f, 1000);
    if (f->state == MACHINE_CRASHED) {
        g_autofree char *report = machine_crash_report(f->machine);
        struct surface picture;

        CHECK(f->reason == REASON_EMULATION || f->reason == REASON_KVM);
        CHECK(f->message && strstr(f->message, "Reset the machine or turn it off"));
        CHECK(report && strstr(report, "rip ") && strstr(report, "cr0 ") &&
              strstr(report, "stack, top first\n  0bad 5afe ") && strstr(report, "last exits"));
        CHECK(!machine_pause(f->machine, &error));
        CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
        g_clear_error(&error);
        CHECK(!machine_resume(f->machine, &error));
        g_clear_error(&error);
        console_copy(machine_console(f->machine, 0), &picture);
        CHECK(picture.width > 0 && picture.pixels[0] >= DISPLAY_OPAQUE);
        g_free(picture.pixels);
        g_string_truncate(f->log, 0);
        CHECK(machine_reset(f->machine, &error));
        CHECK(fixture_wait_text(f, "hopeless\n"));
    } else {
        printf("# this host's KVM runs the instruction\n");
    }
    machine_stop(f->machine, REASON_USER);
    CHECK(fixture_wait_state(f, MACHINE_STOPPED));
    fixture_free(f);
}

/* Opens and closes the shadow for ever, and says so now and then. */
PAYLOAD(remapper, STACK
        "xorw %di, %di\n"
        "movw $0xd000, %ax\n movw %ax, %ds\n"
        "4: movb $0x33, %al\n" SET_PAM(
            "3") "movw %di, 0\n"
                 "movb $0x11, %al\n" SET_PAM(
                     "3") "cmpw %di, 0\n"
                          "jne 7f\n"
                          "movb $0x00, %al\n" SET_PAM(
                              "3") "cmpw $0xffff, 0\n"
                                   "jne 7f\n"
                                   "incw %di\n"
                                   "testw $15, %di\n"
                                   "jnz 4b\n"
                                   "movb $'.', %al\n movw $0x402, %dx\n outb %al, %dx\n" NEW_LINE
                                   "jmp 4b\n"
                                   "7: movb $'X', %al\n movw $0x402, %dx\n outb %al, %dx\n" NEW_LINE
                                       STOP);

static void *bother(void *context)
{
    struct fixture *f = context;

    for (unsigned i = 0; i < 60; i++) {
        g_autofree char *stats = NULL;

        machine_pause(f->machine, NULL);
        stats = machine_stats(f->machine);
        machine_resume(f->machine, NULL);
        g_usleep(2000);
    }
    return NULL;
}

TEST(memory_changes_while_others_pause_and_look)
{
    struct fixture *f = fixture_start(remapper, remapper_end);
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, bother, f) == 0);
    for (unsigned i = 0; i < 60; i++) {
        struct surface picture;

        console_copy(machine_console(f->machine, 0), &picture);
        g_free(picture.pixels);
        fixture_run(f, 5);
    }
    pthread_join(thread, NULL);
    CHECK(fixture_wait_text(f, ".\n.\n.\n"));
    CHECK(!strchr(f->log->str, 'X'));
    fixture_free(f);
}

TEST(resets_from_two_sides)
{
    struct fixture *f = fixture_start(remapper, remapper_end);
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, bother, f) == 0);
    for (unsigned i = 0; i < 20; i++) {
        machine_reset(f->machine, NULL);
        fixture_run(f, 5);
    }
    pthread_join(thread, NULL);
    CHECK(machine_resume(f->machine, NULL));
    g_string_truncate(f->log, 0);
    CHECK(fixture_wait_text(f, ".\n"));
    fixture_free(f);
}

/* Writes `value` (a string) to the 32-bit configuration register `at` of the LPC bridge. */
#define SET_LPC(at, value)                                                                         \
    "movw $0xcf8, %dx\n movl $(0x8000f800 + " at "), %eax\n outl %eax, %dx\n"                      \
    "movw $0xcfc, %dx\n movl $" value ", %eax\n outl %eax, %dx\n"

/* Falls asleep (S3); after that the shutdown code in CMOS says that the firmware has to wake the
 * system. */
PAYLOAD(sleeper, STACK
        "movb $0x0f, %al\n outb %al, $0x70\n inb $0x71, %al\n"
        "cmpb $0xfe, %al\n je 6f\n"
        "movl $0x12345678, %es:0x600\n" PRINT("text_sleeping") SET_LPC("0x40", "0x601")
            SET_LPC("0x44", "0x80") "movw $0x604, %dx\n movw $0x2400, %ax\n outw %ax, %dx\n" STOP
                                    "6: cmpl $0x12345678, %es:0x600\n jne 9b\n"
                                    /* where it was put before: it has survived */
                                    "movw $0x600, %dx\n inw %dx, %ax\n cmpw $0xffff, %ax\n je 9b\n"
                                    "testw $0x8000, %ax\n jz 9b\n" PRINT("text_awake") STOP
        "text_sleeping: .asciz \"good night\\n\"\n"
        "text_awake: .asciz \"good morning\\n\"\n");

TEST(sleeps_and_wakes_by_the_power_button)
{
    struct fixture *f = fixture_start(sleeper, sleeper_end);

    CHECK(fixture_wait_text(f, "good night\n"));
    fixture_run(f, 500);
    CHECK(!strstr(f->log->str, "good morning"));
    CHECK_EQ(machine_state(f->machine, NULL), MACHINE_RUNNING);
    CHECK(machine_pause(f->machine, NULL)); /* also while it sleeps */
    CHECK(machine_resume(f->machine, NULL));
    fixture_run(f, 100);
    CHECK(!strstr(f->log->str, "good morning"));
    CHECK(machine_power_button(f->machine, NULL));
    CHECK(fixture_wait_text(f, "good morning\n"));
    fixture_free(f);
}

/* Turns itself off (S5). */
PAYLOAD(leaver,
        SET_LPC("0x40", "0x601")
            SET_LPC("0x44", "0x80") "movw $0x604, %dx\n movw $0x2000, %ax\n outw %ax, %dx\n" STOP);

TEST(turns_itself_off)
{
    struct fixture *f = fixture_start(leaver, leaver_end);
    g_autoptr(GError) error = NULL;

    CHECK(fixture_wait_state(f, MACHINE_STOPPED));
    CHECK_EQ(f->reason, REASON_GUEST);
    CHECK(!machine_power_button(f->machine, &error));
    CHECK(g_error_matches(error, ORIEL_ERROR, ORIEL_ERROR_STATE));
    fixture_free(f);
}

/* The keyboard's lamps: caps lock and scroll lock on. */
PAYLOAD(lamps, "movb $0xed, %al\n outb %al, $0x60\n"
               "movb $0x05, %al\n outb %al, $0x60\n" STOP);

static void lamps_changed(void *context)
{
    *(bool *)context = true;
}

TEST(lamps_are_told_on_the_main_loop)
{
    struct fixture *f = fixture_prepare(lamps, lamps_end);
    struct input *input;
    bool changed = false;

    fixture_make(f);
    input = machine_input(f->machine);
    input_listen(input, &(struct input_listener){ lamps_changed, &changed });
    CHECK_EQ(input_leds(input), 0);
    CHECK(machine_start(f->machine, false, NULL));
    for (unsigned i = 0; i < FIXTURE_LIMIT * 100 && !changed; i++) {
        fixture_run(f, 10);
    }
    CHECK(changed);
    CHECK_EQ(input_leds(input), 5);
    /* They go dark, and are lit again: maybe too quickly for the main loop to see a change. */
    CHECK(machine_reset(f->machine, NULL));
    for (unsigned i = 0; i < FIXTURE_LIMIT * 100 && input_leds(input) != 5; i++) {
        fixture_run(f, 10);
    }
    CHECK_EQ(input_leds(input), 5);
    fixture_free(f);
}

/* The mouse is told to report, and its line closed when the keyboard gives a byte. */
PAYLOAD(mouse, "movb $0xd4, %al\n outb %al, $0x64\n"
               "movb $0xf4, %al\n outb %al, $0x60\n"
               "1: inb $0x64, %al\n andb $0x21, %al\n cmpb $0x01, %al\n je 2f\n"
               "testb $0x01, %al\n jz 1b\n inb $0x60, %al\n jmp 1b\n"
               "2: movb $0xa7, %al\n outb %al, $0x64\n" STOP);

static bool run_until_mode(struct fixture *f, enum pointer_mode mode)
{
    struct input *input = machine_input(f->machine);

    for (unsigned i = 0; i < FIXTURE_LIMIT * 100 && input_pointer_mode(input) != mode; i++) {
        fixture_run(f, 10);
    }
    return input_pointer_mode(input) == mode;
}

TEST(the_use_of_the_mouse_is_told)
{
    struct fixture *f = fixture_prepare(mouse, mouse_end);

    fixture_make(f);
    CHECK_EQ(input_pointer_mode(machine_input(f->machine)), POINTER_MODE_NONE);
    CHECK(machine_start(f->machine, false, NULL));
    CHECK(run_until_mode(f, POINTER_MODE_RELATIVE));
    input_key(machine_input(f->machine), 30, true);
    CHECK(run_until_mode(f, POINTER_MODE_NONE));
    fixture_free(f);
}

jmp_buf test_failed;

int main(void)
{
    static const struct test tests[] = {
        T(pam_decides_between_firmware_ram_and_nothing),
        T(unknown_msrs_fault_and_quiet_ones_do_not),
        T(a_guest_that_cannot_go_on_can_be_reset),
        T(sleeps_and_wakes_by_the_power_button),
        T(turns_itself_off),
        T(lamps_are_told_on_the_main_loop),
        T(the_use_of_the_mouse_is_told),
        T(memory_changes_while_others_pause_and_look),
        T(resets_from_two_sides),
    };

    fixture_need_kvm();
    return test_main(tests, G_N_ELEMENTS(tests));
}
