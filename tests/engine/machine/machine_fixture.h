/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine that runs a few instructions of a test's own instead of a firmware. They are written in
 * the test's C file, in real mode; what they write to port 0x402 a line at a time is the test's
 * log.
 */
#ifndef TESTS_MACHINE_FIXTURE_H
#define TESTS_MACHINE_FIXTURE_H

#include <glib.h>

#include "config/config.h"
#include "machine.h"

enum {
    FIXTURE_LIMIT = 240, /* seconds that anything may take */
};

/*
 * A payload called `name`: 16-bit code that starts at F000:0000 with interrupts off. Labels that it
 * refers to absolutely are given as OFFSET(label).
 */
#define PAYLOAD(name, code)                                                                        \
    extern const char name[], name##_end[];                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            ".globl " #name "\n" #name ":\n"                                                       \
            ".set payload_start, " #name "\n"                                                      \
            ".code16\n" code "\n"                                                                  \
            ".code64\n"                                                                            \
            ".globl " #name "_end\n" #name "_end:\n"                                               \
            ".popsection\n")
/* Writes the zero-terminated text at `label` of the payload to the debug port. */
#define PRINT(label)                                                                               \
    "movw $(" label " - payload_start), %si\n"                                                     \
    "movw $0x402, %dx\n"                                                                           \
    "1: movb %cs:(%si), %al\n"                                                                     \
    "incw %si\n"                                                                                   \
    "testb %al, %al\n"                                                                             \
    "jz 2f\n"                                                                                      \
    "outb %al, %dx\n"                                                                              \
    "jmp 1b\n"                                                                                     \
    "2:\n"
#define STOP "9: cli; hlt; jmp 9b\n"

struct fixture {
    char *folder;
    OrielConfig *config;
    struct machine *machine;
    GString *log;             /* what came out of the debug port */
    enum machine_state state; /* as last told by the machine */
    enum machine_reason reason;
    char *message;
    unsigned resets;
    unsigned media_changes;
};

/* Ends the test program's test list as skipped (and the process) if there is no usable /dev/kvm. */
void fixture_need_kvm(void);
/* A machine with this payload, not started; change fixture->config before with fixture_prepare().
 */
struct fixture *fixture_prepare(const char *code, const char *end);
void fixture_make(struct fixture *fixture);
/* Both and started. */
struct fixture *fixture_start(const char *code, const char *end);
void fixture_free(struct fixture *fixture);

/* Run the main loop until it is so; false after FIXTURE_LIMIT seconds. */
bool fixture_wait_text(struct fixture *fixture, const char *text);
bool fixture_wait_state(struct fixture *fixture, enum machine_state state);
bool fixture_wait_resets(struct fixture *fixture, unsigned resets);
/* Runs the main loop for that long. */
void fixture_run(struct fixture *fixture, unsigned milliseconds);
/* A figure of machine_stats() by its path, "exits.io"; 0 if it is not there. */
guint64 fixture_figure(struct fixture *fixture, const char *path);

#endif
