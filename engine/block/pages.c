/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pages.h. Each page has one place in the cache, found by its number. */
#include "pages.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "bytes.h"

enum {
    PAGE = 4096,
    PAGES = 256,
};

struct pages {
    struct storage *storage;
    pthread_mutex_t lock;
    uint64_t numbers[PAGES]; /* page number + 1; 0: nothing there */
    uint8_t *bytes[PAGES];
};

struct pages *pages_new(struct storage *storage)
{
    struct pages *pages = g_new0(struct pages, 1);

    pages->storage = storage;
    pthread_mutex_init(&pages->lock, NULL);
    return pages;
}

void pages_free(struct pages *pages)
{
    if (pages != NULL) {
        for (unsigned i = 0; i < PAGES; i++) {
            g_free(pages->bytes[i]);
        }
        pthread_mutex_destroy(&pages->lock);
        g_free(pages);
    }
}

/* Lock held. */
static int page_load(struct pages *pages, uint64_t number)
{
    unsigned place = number % PAGES;
    int result = 0;

    if (pages->numbers[place] != number + 1) {
        if (pages->bytes[place] == NULL) {
            pages->bytes[place] = g_malloc(PAGE);
        }
        pages->numbers[place] = 0;
        result = storage_read(pages->storage, number * PAGE, pages->bytes[place], PAGE);
        if (result == 0) {
            pages->numbers[place] = number + 1;
        }
    }
    return result;
}

int pages_read(struct pages *pages, uint64_t offset, void *bytes, size_t length)
{
    uint8_t *to = bytes;
    int result = 0;

    if (!range_fits(offset, length, storage_size(pages->storage))) {
        return -EUCLEAN;
    }
    pthread_mutex_lock(&pages->lock);
    while (length > 0 && result == 0) {
        size_t skip = offset % PAGE, part = MIN(length, PAGE - skip);

        result = page_load(pages, offset / PAGE);
        if (result == 0) {
            memcpy(to, pages->bytes[offset / PAGE % PAGES] + skip, part);
        }
        to += part;
        offset += part;
        length -= part;
    }
    pthread_mutex_unlock(&pages->lock);
    return result;
}
