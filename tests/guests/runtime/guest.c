/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guest.h"
#include "board.h"
#include "cpu.h"
#include "io.h"
#include "layout.h"

#include <stdarg.h>

#define DEBUG_PORT 0x402

struct test_totals test_totals;

static const char *running;
static bool running_failed;

struct line {
    char text[256];
    size_t used;
};

static void line_put(struct line *line, char c)
{
    if (line->used < sizeof(line->text))
        line->text[line->used++] = c;
}

static void line_put_text(struct line *line, const char *text)
{
    while (*text)
        line_put(line, *text++);
}

static void line_put_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        line_put(line, digits[--count]);
}

static void line_put_format(struct line *line, const char *format, va_list arguments)
{
    for (; *format; format++) {
        bool wide = false;
        int64_t value;

        if (*format != '%') {
            line_put(line, *format);
            continue;
        }
        if (*++format == 'l') {
            wide = true;
            format++;
        }
        switch (*format) {
        case 's':
            line_put_text(line, va_arg(arguments, const char *));
            break;
        case 'd':
            value = wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            if (value < 0)
                line_put(line, '-');
            line_put_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
            break;
        case 'u':
        case 'x':
            line_put_number(line, wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned),
                            *format == 'u' ? 10 : 16);
            break;
        default:
            line_put(line, *format);
        }
    }
}

static void line_write(const struct line *line)
{
    const char *text = line->text;
    size_t count = line->used;
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(count) : "d"(DEBUG_PORT) : "memory");
}

void print(const char *format, ...)
{
    struct line line = { .used = 0 };
    va_list arguments;

    va_start(arguments, format);
    line_put_format(&line, format, arguments);
    va_end(arguments);
    line_write(&line);
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
    struct line line = { .used = 0 };
    va_list arguments;

    line_put_text(&line, "FAIL ");
    line_put_text(&line, running ? running : "guest");
    line_put_text(&line, ": ");
    va_start(arguments, format);
    line_put_format(&line, format, arguments);
    va_end(arguments);
    line_put(&line, '\n');
    line_write(&line);
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

void *memset(void *to, int value, size_t size)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, size_t size)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a, *right = b;

    for (; size; size--, left++, right++) {
        if (*left != *right)
            return *left < *right ? -1 : 1;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}
