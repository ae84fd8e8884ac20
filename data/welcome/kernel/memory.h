/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef WELCOME_MEMORY_H
#define WELCOME_MEMORY_H

#include <stddef.h>

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
