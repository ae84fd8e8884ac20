/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A preload for the lab's QEMU, which runs UEFI guests inside an emulated AMD processor.
 *
 * When such a guest writes CR8 while a virtual interrupt waits, QEMU's TCG calls cpu_interrupt()
 * without its big lock and then asserts that it holds it (seen in 7.2 and 11.1). VMRUN has already
 * set the flag that this call would set, so the call may be left out: the failed assertion unwinds
 * to the caller of the function that failed instead of aborting. Every other assertion aborts as it
 * always does.
 */
#define _GNU_SOURCE
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void g_assertion_message_expr(const char *domain, const char *file, int line, const char *function,
                              const char *expression);

static bool is_lock_assertion(const char *function, const char *expression)
{
    if (!function || !expression)
        return false;
    if (strcmp(function, "tcg_handle_interrupt") && strcmp(function, "cpu_interrupt"))
        return false;
    return strstr(expression, "qemu_mutex_iothread_locked") || strstr(expression, "bql_locked");
}

/* Never inlined: it counts the frames above it. */
__attribute__((noinline)) static void return_from_caller(void)
{
    unw_context_t context;
    unw_cursor_t cursor;

    if (unw_getcontext(&context) || unw_init_local(&cursor, &context))
        return;
    /* Out of this function, out of g_assertion_message_expr(), out of the function that asserted.
     */
    for (int frame = 0; frame < 3; frame++) {
        if (unw_step(&cursor) <= 0)
            return;
    }
    unw_resume(&cursor);
}

/* Replaces GLib's function of the same name; it returns only by way of return_from_caller(). */
void g_assertion_message_expr(const char *domain, const char *file, int line, const char *function,
                              const char *expression)
{
    if (is_lock_assertion(function, expression))
        return_from_caller();
    fprintf(stderr, "%s:%s:%d:%s: assertion failed: %s\n", domain ? domain : "", file, line,
            function ? function : "", expression ? expression : "");
    abort();
}
