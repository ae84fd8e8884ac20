/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See power_cut.h. */
#include "power_cut.h"

#include <pthread.h>
#include <string.h>

enum {
    SECTOR = 512,
};

enum kind {
    KIND_WRITE,
    KIND_FLUSH,
    KIND_RESIZE,
};

struct operation {
    enum kind kind;
    uint64_t offset; /* or the new size */
    uint64_t length;
    uint8_t *bytes; /* NULL: zeroes */
};

struct power_cut {
    pthread_mutex_t lock;
    GArray *operations;
    uint8_t *start;
    size_t n_start;
};

/* A disk; with `cut` it records. */
struct memory {
    struct storage storage;
    struct power_cut *cut;
    pthread_mutex_t lock;
    uint8_t *bytes;
    size_t room;
};

static struct memory *memory_of(struct storage *storage)
{
    return (struct memory *)storage;
}

static void memory_reach(struct memory *memory, uint64_t end)
{
    if (end > memory->room) {
        size_t room = MAX(end, memory->room * 2);

        memory->bytes = g_realloc(memory->bytes, room);
        memset(memory->bytes + memory->room, 0, room - memory->room);
        memory->room = room;
    }
    storage_grown(&memory->storage, end);
}

static void record(struct memory *memory, struct operation operation)
{
    if (memory->cut != NULL) {
        pthread_mutex_lock(&memory->cut->lock);
        g_array_append_val(memory->cut->operations, operation);
        pthread_mutex_unlock(&memory->cut->lock);
    } else {
        g_free(operation.bytes);
    }
}

static int memory_read(struct storage *storage, uint64_t offset, const struct iovec *spans,
                       unsigned n)
{
    struct memory *memory = memory_of(storage);

    pthread_mutex_lock(&memory->lock);
    for (unsigned i = 0; i < n; i++) {
        size_t there = offset < storage->size ? MIN(spans[i].iov_len, storage->size - offset) : 0;

        if (there > 0) {
            memcpy(spans[i].iov_base, memory->bytes + offset, there);
        }
        memset((uint8_t *)spans[i].iov_base + there, 0, spans[i].iov_len - there);
        offset += spans[i].iov_len;
    }
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int memory_write(struct storage *storage, uint64_t offset, const struct iovec *spans,
                        unsigned n)
{
    struct memory *memory = memory_of(storage);
    struct operation operation = { KIND_WRITE, offset, 0, NULL };

    for (unsigned i = 0; i < n; i++) {
        operation.length += spans[i].iov_len;
    }
    operation.bytes = g_malloc(operation.length + 1);
    pthread_mutex_lock(&memory->lock);
    memory_reach(memory, offset + operation.length);
    for (unsigned i = 0, at = 0; i < n; i++) {
        memcpy(operation.bytes + at, spans[i].iov_base, spans[i].iov_len);
        at += (unsigned)spans[i].iov_len;
    }
    memcpy(memory->bytes + offset, operation.bytes, operation.length);
    record(memory, operation);
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int memory_clear(struct storage *storage, uint64_t offset, uint64_t length, bool release)
{
    struct memory *memory = memory_of(storage);

    pthread_mutex_lock(&memory->lock);
    if (offset < storage->size) {
        length = MIN(length, storage->size - offset);
        memset(memory->bytes + offset, 0, length);
        record(memory, (struct operation){ KIND_WRITE, offset, length, NULL });
    }
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int memory_flush(struct storage *storage)
{
    struct memory *memory = memory_of(storage);

    pthread_mutex_lock(&memory->lock);
    record(memory, (struct operation){ .kind = KIND_FLUSH });
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int memory_resize(struct storage *storage, uint64_t size)
{
    struct memory *memory = memory_of(storage);

    pthread_mutex_lock(&memory->lock);
    if (size < storage->size) {
        memset(memory->bytes + size, 0, storage->size - size);
        storage->size = size;
    }
    memory_reach(memory, size);
    record(memory, (struct operation){ .kind = KIND_RESIZE, .offset = size });
    pthread_mutex_unlock(&memory->lock);
    return 0;
}

static int memory_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    *data = true;
    return 0;
}

static void memory_free(struct storage *storage)
{
    struct memory *memory = memory_of(storage);

    pthread_mutex_destroy(&memory->lock);
    g_free(memory->bytes);
    g_free(storage->name);
    g_free(memory);
}

static const struct storage_class memory_class = {
    .read = memory_read,
    .write = memory_write,
    .clear = memory_clear,
    .flush = memory_flush,
    .resize = memory_resize,
    .extent = memory_extent,
    .free = memory_free,
};

static struct memory *memory_new(const struct power_cut *cut)
{
    struct memory *memory = g_new0(struct memory, 1);

    memory->storage.class = &memory_class;
    memory->storage.name = g_strdup("memory");
    memory->storage.releases = true;
    pthread_mutex_init(&memory->lock, NULL);
    memory_reach(memory, cut->n_start);
    if (cut->n_start > 0) {
        memcpy(memory->bytes, cut->start, cut->n_start);
    }
    return memory;
}

struct power_cut *power_cut_new(const uint8_t *bytes, size_t n)
{
    struct power_cut *cut = g_new0(struct power_cut, 1);

    pthread_mutex_init(&cut->lock, NULL);
    cut->operations = g_array_new(FALSE, FALSE, sizeof(struct operation));
    cut->start = g_memdup2(bytes, n);
    cut->n_start = n;
    return cut;
}

void power_cut_free(struct power_cut *cut)
{
    for (guint i = 0; i < cut->operations->len; i++) {
        g_free(g_array_index(cut->operations, struct operation, i).bytes);
    }
    g_array_unref(cut->operations);
    pthread_mutex_destroy(&cut->lock);
    g_free(cut->start);
    g_free(cut);
}

struct storage *power_cut_storage(struct power_cut *cut)
{
    struct memory *memory = memory_new(cut);

    memory->cut = cut;
    return &memory->storage;
}

unsigned power_cut_moments(const struct power_cut *cut)
{
    return cut->operations->len;
}

static uint32_t chance(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A write of which only some sectors arrived; sectors begin at multiples of 512 of the disk. */
static void apply(struct memory *memory, const struct operation *operation, bool some,
                  uint32_t *state)
{
    uint64_t at = operation->offset, end = at + operation->length;
    struct storage *storage = &memory->storage;

    if (operation->kind == KIND_RESIZE) {
        if (!some || chance(state) & 1) {
            memory_resize(storage, operation->offset);
        }
        return;
    }
    while (at < end && operation->kind == KIND_WRITE) {
        uint64_t part = MIN(end - at, SECTOR - at % SECTOR);

        if (!some || chance(state) & 1) {
            memory_reach(memory, at + part);
            if (operation->bytes != NULL) {
                memcpy(memory->bytes + at, operation->bytes + (at - operation->offset), part);
            } else {
                memset(memory->bytes + at, 0, part);
            }
        }
        at += part;
    }
}

struct storage *power_cut_replay(const struct power_cut *cut, unsigned moment, unsigned choice)
{
    struct memory *memory = memory_new(cut);
    uint32_t state = 0x9e3779b9u * (choice + 1) + moment;
    unsigned flushed = 0;

    for (unsigned i = 0; i < moment; i++) {
        if (g_array_index(cut->operations, struct operation, i).kind == KIND_FLUSH) {
            flushed = i + 1;
        }
    }
    for (unsigned i = 0; i < (choice == 1 ? flushed : moment); i++) {
        const struct operation *operation = &g_array_index(cut->operations, struct operation, i);

        apply(memory, operation, i >= flushed && choice > 1, &state);
    }
    return &memory->storage;
}
