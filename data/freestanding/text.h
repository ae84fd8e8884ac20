/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Formatted text. Understands %s, %c, %d, %u and %x; %ld, %lu and %lx of 64 bits; and at least so
 * many digits of a number, as in %02u.
 */
#ifndef FREESTANDING_TEXT_H
#define FREESTANDING_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* Fills a text of `size` bytes, at least 1, and ends it with a zero; what does not fit is cut.
 * Returns how many bytes stand before the zero. */
size_t text_format(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t text_format_list(char *text, size_t size, const char *format, va_list arguments);

#endif
