/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions of <string.h>, as the C standard has them; the compiler expects the first three. */
#ifndef FREESTANDING_MEMORY_H
#define FREESTANDING_MEMORY_H

#include <stddef.h>

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
int strcmp(const char *a, const char *b);

#endif
