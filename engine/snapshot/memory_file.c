/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * See memory_file.h. The threads take one chunk after the other from a common counter. A writer
 * compresses into a buffer of its own and takes the next free place in the file for it.
 */
#include "snapshot/memory_file.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "bytes.h"
#include "config/config.h"

enum {
    LEVEL = 1,
    THREADS_MAX = 16,
    SAMPLES = 32,
    REGION_ENTRY_SIZE = MEMORY_REGION_NAME_SIZE + 8,
    CHUNK_ENTRY_SIZE = 20,
};

/* One chunk that is in the file. */
struct chunk {
    uint32_t region, number;
    uint64_t offset;
    uint32_t length;
};

/* What the threads of one write or read share. */
struct job {
    int fd;
    const struct memory_region *regions;
    unsigned n_regions;
    struct memory_work *work; /* of a write */
    GMutex lock;
    GArray *chunks; /* struct chunk; a writer adds to it under the lock */
    uint64_t total; /* a write: chunks in all regions; a read: in the file */
    _Atomic uint64_t next;
    _Atomic uint64_t end; /* of the file */
    _Atomic int failure;  /* an errno value; 0: none */
};

static uint64_t chunks_of(const struct memory_region *region)
{
    return (region->size + MEMORY_CHUNK - 1) / MEMORY_CHUNK;
}

static size_t chunk_size(const struct memory_region *region, uint64_t number)
{
    uint64_t left = region->size - number * MEMORY_CHUNK;

    return left < MEMORY_CHUNK ? (size_t)left : MEMORY_CHUNK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* The region and number of the chunk that comes as the `index`th of all. */
static struct chunk chunk_at(const struct memory_region *regions, uint64_t index)
{
    struct chunk chunk = { 0 };

    while (index >= chunks_of(&regions[chunk.region])) {
        index -= chunks_of(&regions[chunk.region]);
        chunk.region++;
    }
    chunk.number = (uint32_t)index;
    return chunk;
}

static uint64_t chunks_total(const struct memory_region *regions, unsigned n)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < n; i++) {
        total += chunks_of(&regions[i]);
    }
    return total;
}

/* --- Threads -------------------------------------------------------------------------------- */

static void job_fail(struct job *job, int number)
{
    int none = 0;

    atomic_compare_exchange_strong(&job->failure, &none, number);
}

static bool job_goes_on(struct job *job)
{
    if (job->work && atomic_load(&job->work->cancelled)) {
        job_fail(job, ECANCELED);
    }
    return atomic_load(&job->failure) == 0;
}

static bool job_run(struct job *job, GThreadFunc function)
{
    unsigned wanted = MIN(MIN(g_get_num_processors(), THREADS_MAX), job->total);
    GThread *threads[THREADS_MAX];
    unsigned n = 0;

    /* This thread works too, so that at least one does. */
    while (n + 1 < wanted && (threads[n] = g_thread_try_new("save", function, job, NULL))) {
        n++;
    }
    function(job);
    while (n > 0) {
        g_thread_join(threads[--n]);
    }
    return atomic_load(&job->failure) == 0;
}

/* --- Writing -------------------------------------------------------------------------------- */

static int write_at(int fd, const uint8_t *bytes, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)offset);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            bytes += n;
            offset += (uint64_t)n;
            length -= (size_t)n;
        }
    }
    return 0;
}

static ZSTD_CCtx *compressor_new(void)
{
    ZSTD_CCtx *compressor = ZSTD_createCCtx();

    if (compressor) {
        ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1);
    }
    return compressor;
}

static void chunk_write(struct job *job, ZSTD_CCtx *compressor, uint8_t *buffer, size_t capacity,
                        struct chunk chunk)
{
    const struct memory_region *region = &job->regions[chunk.region];
    const uint8_t *bytes = region->bytes + (uint64_t)chunk.number * MEMORY_CHUNK;
    size_t size = chunk_size(region, chunk.number), length;
    int number;

    if (!is_zero(bytes, size)) {
        length = ZSTD_compress2(compressor, buffer, capacity, bytes, size);
        if (ZSTD_isError(length)) {
            job_fail(job, ENOMEM);
            return;
        }
        chunk.length = (uint32_t)length;
        chunk.offset = atomic_fetch_add(&job->end, length);
        number = write_at(job->fd, buffer, length, chunk.offset);
        if (number != 0) {
            job_fail(job, number);
            return;
        }
        g_mutex_lock(&job->lock);
        g_array_append_val(job->chunks, chunk);
        g_mutex_unlock(&job->lock);
    }
    atomic_fetch_add(&job->work->done, size);
}

static gpointer writer(gpointer data)
{
    struct job *job = data;
    ZSTD_CCtx *compressor = compressor_new();
    size_t capacity = ZSTD_compressBound(MEMORY_CHUNK);
    g_autofree uint8_t *buffer = g_malloc(capacity);
    uint64_t index;

    if (!compressor) {
        job_fail(job, ENOMEM);
    }
    while (job_goes_on(job) && (index = atomic_fetch_add(&job->next, 1)) < job->total) {
        chunk_write(job, compressor, buffer, capacity, chunk_at(job->regions, index));
    }
    ZSTD_freeCCtx(compressor);
    return NULL;
}

static void append_le32(GByteArray *to, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    g_byte_array_append(to, bytes, sizeof(bytes));
}

static void append_le64(GByteArray *to, uint64_t value)
{
    append_le32(to, (uint32_t)value);
    append_le32(to, (uint32_t)(value >> 32));
}

static void index_write(const struct job *job, GByteArray *index)
{
    append_le32(index, job->n_regions);
    for (unsigned i = 0; i < job->n_regions; i++) {
        uint8_t name[MEMORY_REGION_NAME_SIZE] = { 0 };

        memcpy(name, job->regions[i].name, strlen(job->regions[i].name));
        g_byte_array_append(index, name, sizeof(name));
        append_le64(index, job->regions[i].size);
    }
    append_le32(index, job->chunks->len);
    for (guint i = 0; i < job->chunks->len; i++) {
        const struct chunk *chunk = &g_array_index(job->chunks, struct chunk, i);

        append_le32(index, chunk->region);
        append_le32(index, chunk->number);
        append_le64(index, chunk->offset);
        append_le32(index, chunk->length);
    }
}

bool memory_file_write(int fd, const char *path, const struct memory_region *regions, unsigned n,
                       struct memory_work *work, GByteArray *index, GError **error)
{
    struct job job = {
        .fd = fd,
        .regions = regions,
        .n_regions = n,
        .work = work,
        .chunks = g_array_new(FALSE, FALSE, sizeof(struct chunk)),
        .total = chunks_total(regions, n),
    };
    bool good;

    for (unsigned i = 0; i < n; i++) {
        atomic_fetch_add(&work->total, regions[i].size);
    }
    g_mutex_init(&job.lock);
    good = job_run(&job, writer);
    if (good) {
        index_write(&job, index);
    } else if (job.failure == ECANCELED) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "Saving was cancelled; the machine goes on as before.");
    } else {
        oriel_error_set_errno(error, job.failure, "The memory cannot be saved as “%s”", path);
    }
    g_array_unref(job.chunks);
    g_mutex_clear(&job.lock);
    return good;
}

uint64_t memory_file_estimate(const struct memory_region *regions, unsigned n)
{
    uint64_t total = chunks_total(regions, n), step = MAX(total / SAMPLES, 1), sum = 0;
    size_t capacity = ZSTD_compressBound(MEMORY_CHUNK);
    g_autofree uint8_t *buffer = g_malloc(capacity);

    for (uint64_t i = step / 2; i < total; i += step) {
        struct chunk chunk = chunk_at(regions, i);
        const struct memory_region *region = &regions[chunk.region];
        const uint8_t *bytes = region->bytes + (uint64_t)chunk.number * MEMORY_CHUNK;
        size_t size = chunk_size(region, chunk.number);
        size_t length =
            is_zero(bytes, size) ? 0 : ZSTD_compress(buffer, capacity, bytes, size, LEVEL);

        sum += ZSTD_isError(length) ? size : length;
    }
    return sum * step;
}

/* --- Reading -------------------------------------------------------------------------------- */

static bool corrupt(const char *path, GError **error)
{
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_CORRUPT, "“%s” is damaged.", path);
    return false;
}

static bool regions_check(const uint8_t *index, const struct memory_region *regions, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *entry = index + 4 + (size_t)i * REGION_ENTRY_SIZE;
        uint8_t name[MEMORY_REGION_NAME_SIZE] = { 0 };

        memcpy(name, regions[i].name, strlen(regions[i].name));
        if (memcmp(entry, name, sizeof(name)) != 0 ||
            load_le64(entry + MEMORY_REGION_NAME_SIZE) != regions[i].size) {
            return false;
        }
    }
    return true;
}

/* The chunks of the index; NULL if anything about it is wrong. */
static GArray *index_read(const uint8_t *index, size_t length, uint64_t file_length,
                          const struct memory_region *regions, unsigned n)
{
    g_autoptr(GArray) chunks = g_array_new(FALSE, FALSE, sizeof(struct chunk));
    size_t head = 4 + (size_t)n * REGION_ENTRY_SIZE;
    uint64_t total = chunks_total(regions, n), before = 0;
    g_autofree bool *seen = g_new0(bool, total);
    uint32_t n_chunks;

    if (length < head + 4 || load_le32(index) != n || !regions_check(index, regions, n)) {
        return NULL;
    }
    n_chunks = load_le32(index + head);
    if (n_chunks > total || length != head + 4 + (size_t)n_chunks * CHUNK_ENTRY_SIZE) {
        return NULL;
    }
    for (uint32_t i = 0; i < n_chunks; i++) {
        const uint8_t *entry = index + head + 4 + (size_t)i * CHUNK_ENTRY_SIZE;
        struct chunk chunk = { load_le32(entry), load_le32(entry + 4), load_le64(entry + 8),
                               load_le32(entry + 16) };

        if (chunk.region >= n || chunk.number >= chunks_of(&regions[chunk.region]) ||
            chunk.length == 0 || chunk.length > ZSTD_compressBound(MEMORY_CHUNK) ||
            !range_fits(chunk.offset, chunk.length, file_length)) {
            return NULL;
        }
        before = chunks_total(regions, chunk.region);
        if (seen[before + chunk.number]) {
            return NULL;
        }
        seen[before + chunk.number] = true;
        g_array_append_val(chunks, chunk);
    }
    return g_steal_pointer(&chunks);
}

static int read_at(int fd, uint8_t *bytes, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t n = pread(fd, bytes, length, (off_t)offset);

        if (n == 0) {
            return EBADMSG;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            bytes += n;
            offset += (uint64_t)n;
            length -= (size_t)n;
        }
    }
    return 0;
}

static gpointer reader(gpointer data)
{
    struct job *job = data;
    ZSTD_DCtx *decompressor = ZSTD_createDCtx();
    g_autofree uint8_t *buffer = g_malloc(ZSTD_compressBound(MEMORY_CHUNK));
    uint64_t index;

    if (!decompressor) {
        job_fail(job, ENOMEM);
    }
    while (job_goes_on(job) && (index = atomic_fetch_add(&job->next, 1)) < job->total) {
        const struct chunk *chunk = &g_array_index(job->chunks, struct chunk, index);
        const struct memory_region *region = &job->regions[chunk->region];
        size_t size = chunk_size(region, chunk->number);
        int number = read_at(job->fd, buffer, chunk->length, chunk->offset);

        if (number == 0 && ZSTD_decompressDCtx(
                               decompressor, region->bytes + (uint64_t)chunk->number * MEMORY_CHUNK,
                               size, buffer, chunk->length) != size) {
            number = EBADMSG;
        }
        if (number != 0) {
            job_fail(job, number);
        }
    }
    ZSTD_freeDCtx(decompressor);
    return NULL;
}

bool memory_file_read(int fd, const char *path, uint64_t length, const uint8_t *index,
                      size_t index_length, const struct memory_region *regions, unsigned n,
                      GError **error)
{
    struct job job = { .fd = fd, .regions = regions, .n_regions = n };
    bool good;

    job.chunks = index_read(index, index_length, length, regions, n);
    if (!job.chunks) {
        return corrupt(path, error);
    }
    job.total = job.chunks->len;
    good = job.total == 0 || job_run(&job, reader);
    if (!good && job.failure == EBADMSG) {
        corrupt(path, error);
    } else if (!good) {
        oriel_error_set_errno(error, job.failure, "“%s” cannot be read", path);
    }
    g_array_unref(job.chunks);
    return good;
}
