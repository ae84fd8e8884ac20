/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/* A text that is being filled; there is always room for the zero at its end. */
struct text {
    char *bytes;
    size_t used, room;
};

static void put(struct text *text, char c)
{
    if (text->used < text->room)
        text->bytes[text->used++] = c;
}

static void put_text(struct text *text, const char *from)
{
    while (*from)
        put(text, *from++);
}

static void put_number(struct text *text, uint64_t value, unsigned base, unsigned digits)
{
    char reversed[20];
    unsigned count = 0;

    do {
        reversed[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || (count < digits && count < sizeof(reversed)));
    while (count)
        put(text, reversed[--count]);
}

static void put_signed(struct text *text, int64_t value, unsigned digits)
{
    if (value < 0)
        put(text, '-');
    put_number(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, digits);
}

size_t text_format_list(char *bytes, size_t size, const char *format, va_list arguments)
{
    struct text text = { bytes, 0, size - 1 };

    for (; *format; format++) {
        unsigned digits = 1;
        bool wide;

        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        if (*++format == '0') {
            digits = (unsigned)(format[1] - '0');
            format += 2;
        }
        wide = *format == 'l';
        format += wide;
        switch (*format) {
        case 's':
            put_text(&text, va_arg(arguments, const char *));
            break;
        case 'c':
            put(&text, (char)va_arg(arguments, int));
            break;
        case 'd':
            put_signed(&text, wide ? va_arg(arguments, int64_t) : va_arg(arguments, int), digits);
            break;
        case 'u':
        case 'x':
            put_number(&text, wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned),
                       *format == 'u' ? 10 : 16, digits);
            break;
        default:
            put(&text, *format);
        }
    }
    text.bytes[text.used] = '\0';
    return text.used;
}

size_t text_format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = text_format_list(text, size, format, arguments);
    va_end(arguments);
    return length;
}
