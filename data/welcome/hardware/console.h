/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine says on its first serial port, for tests and for the curious. */
#ifndef WELCOME_CONSOLE_H
#define WELCOME_CONSOLE_H

void console_start(void);

/* A line that begins with "welcome: ". Understands what text_format() does. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
