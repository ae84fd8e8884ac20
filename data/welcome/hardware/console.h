/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine says on its first serial port, for tests and for the curious. */
#ifndef WELCOME_CONSOLE_H
#define WELCOME_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

void console_start(void);

/* A line that begins with "welcome: ". Understands what text_format() does. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fills a text of `size` bytes; cuts what does not fit. Understands %s %c %u %02u %x. */
void text_format(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void text_format_list(char *text, size_t size, const char *format, va_list arguments);

#endif
