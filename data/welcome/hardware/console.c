/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A 16550 at 3F8, polled; when nobody takes the bytes they are dropped rather than waited for. */
#include "console.h"
#include "io.h"
#include "text.h"

#include <stdarg.h>

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
