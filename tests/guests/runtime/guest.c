/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guest.h"
#include "board.h"
#include "cpu.h"
#include "io.h"
#include "layout.h"
#include "text.h"

#include <stdarg.h>

#define DEBUG_PORT 0x402

struct test_totals test_totals;

static const char *running;
static bool running_failed;

static void debug_write(const char *text, size_t length)
{
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(DEBUG_PORT) : "memory");
}

void print(const char *format, ...)
{
    char line[256];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = text_format_list(line, sizeof(line), format, arguments);
    va_end(arguments);
    debug_write(line, length);
}

void test_run(const char *name, void (*function)(void))
{
    running = name;
    running_failed = false;
    function();
    running = NULL;
    if (running_failed)
        return;
    test_totals.passed++;
    print("PASS %s\n", name);
}

void test_fail(const char *format, ...)
{
    char line[256];
    va_list arguments;
    size_t used = text_format(line, sizeof(line), "FAIL %s: ", running ? running : "guest");

    va_start(arguments, format);
    used += text_format_list(line + used, sizeof(line) - used, format, arguments);
    va_end(arguments);
    line[used++] = '\n'; /* over the zero */
    debug_write(line, used);
    if (!running_failed)
        test_totals.failed++;
    running_failed = true;
}

bool test_failed(void)
{
    return running_failed;
}

_Noreturn void test_done(void)
{
    print("DONE %u passed, %u failed\n", test_totals.passed, test_totals.failed);
    board_power_off();
}

uint64_t clock_ticks(void)
{
    static uint64_t total;
    static uint32_t last;
    uint32_t now = inl(BOARD_PM_BASE + 8) & 0xFFFFFF;

    total += (now - last) & 0xFFFFFF;
    last = now;
    return total;
}

void *buffer_alloc(size_t size, size_t alignment)
{
    static uint64_t next = LAYOUT_BUFFERS;
    uint64_t start = (next + alignment - 1) & ~(uint64_t)(alignment - 1);

    if (start + size > LAYOUT_CPU_AREAS) {
        test_fail("out of memory for buffers");
        test_done();
    }
    next = start + size;
    return memset((void *)start, 0, size);
}
