/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small requests on a qcow2 image, as the engine's disk threads make them:
 *
 *     disk_requests IMAGE read|write|flush COUNT
 *
 * prints the seconds that COUNT requests of 4 KiB took, from four threads; places are the multiples
 * of 12345 pages, as `qemu-img bench -S` walks them.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/chain.h"

enum {
    THREADS = 4,
    PAGE = 4096,
    STEP = 12345,
    FLUSH_EVERY = 64,
};

static struct image *image;
static const char *what;
static int next, count;

static void *work(void *data)
{
    g_autofree uint8_t *bytes = g_malloc0(PAGE);

    for (int i = g_atomic_int_add(&next, 1); i < count; i = g_atomic_int_add(&next, 1)) {
        uint64_t offset = (uint64_t)i * STEP * PAGE % image->size;
        int result = strcmp(what, "read") == 0 ? image_read(image, offset, bytes, PAGE)
                                               : image_write(image, offset, bytes, PAGE);

        if (result == 0 && strcmp(what, "flush") == 0 && i % FLUSH_EVERY == FLUSH_EVERY - 1) {
            result = image_flush(image);
        }
        if (result < 0) {
            fprintf(stderr, "disk_requests: %s\n", g_strerror(-result));
            exit(1);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct chain_request request = { .path = argv[1], .format = IMAGE_QCOW2 };
    g_autoptr(GError) error = NULL;
    pthread_t threads[THREADS];
    gint64 start;

    if (argc != 4) {
        fprintf(stderr, "usage: disk_requests IMAGE read|write|flush COUNT\n");
        return 2;
    }
    what = argv[2];
    count = atoi(argv[3]);
    image = chain_open(&request, &error);
    if (image == NULL) {
        fprintf(stderr, "disk_requests: %s\n", error->message);
        return 1;
    }
    start = g_get_monotonic_time();
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%.6f\n", (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC);
    image_free(image);
    return 0;
}
