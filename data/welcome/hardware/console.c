/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A 16550 at 3F8, polled; when nobody takes the bytes they are dropped rather than waited for. */
#include "console.h"
#include "io.h"

#define PORT          0x3F8
#define LINE_STATUS   (PORT + 5)
#define TRANSMIT_FREE 0x20
#define PATIENCE      2000

void console_start(void)
{
    outb(PORT + 1, 0x00); /* no interrupts */
    outb(PORT + 3, 0x80); /* divisor */
    outb(PORT + 0, 1);    /* 115200 baud */
    outb(PORT + 1, 0);
    outb(PORT + 3, 0x03); /* 8n1 */
    outb(PORT + 2, 0x07); /* FIFO on and empty */
    outb(PORT + 4, 0x03); /* DTR, RTS */
}

static void console_put(char c)
{
    for (unsigned i = 0; i < PATIENCE && !(inb(LINE_STATUS) & TRANSMIT_FREE); i++)
        __asm__ volatile("pause");
    outb(PORT, (uint8_t)c);
}

void console_print(const char *format, ...)
{
    char line[160] = "welcome: ";
    va_list arguments;

    va_start(arguments, format);
    text_format_list(line + 9, sizeof(line) - 9, format, arguments);
    va_end(arguments);
    for (const char *c = line; *c; c++) {
        if (*c == '\n')
            console_put('\r');
        console_put(*c);
    }
}

static size_t put_number(char *text, size_t room, unsigned value, unsigned base, unsigned digits)
{
    char reversed[12];
    size_t count = 0, used = 0;

    do {
        reversed[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || count < digits);
    while (count && used < room)
        text[used++] = reversed[--count];
    return used;
}

void text_format_list(char *text, size_t size, const char *format, va_list arguments)
{
    size_t used = 0, room = size - 1;

    for (; *format && used < room; format++) {
        unsigned digits = 1;

        if (*format != '%') {
            text[used++] = *format;
            continue;
        }
        if (*++format == '0') {
            digits = (unsigned)(format[1] - '0');
            format += 2;
        }
        if (*format == 's') {
            for (const char *s = va_arg(arguments, const char *); *s && used < room; s++)
                text[used++] = *s;
        } else if (*format == 'c') {
            text[used++] = (char)va_arg(arguments, int);
        } else {
            used += put_number(text + used, room - used, va_arg(arguments, unsigned),
                               *format == 'x' ? 16 : 10, digits);
        }
    }
    text[used] = '\0';
}

void text_format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_format_list(text, size, format, arguments);
    va_end(arguments);
}
