/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The copying itself. The disk is cut into chunks; threads take the next chunk that may hold data,
 * read it, look for zeroes, compress, and hand it to the writer, in order where that is asked for.
 * The calling thread looks on and reports. See convert.h.
 */
#include "convert.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "config/config.h"
#include "writer.h"

enum {
    CHUNK = 2 << 20, /* a multiple of every unit */
    THREADS_MAX = 8,
    REPORT_MS = 100,
    LOOKS_MAX = 4096,      /* at the source's map, before others have their turn */
    WRITE_BACK = 32 << 20, /* bytes after which the host's disk is given work */
};

struct conversion {
    struct image *source;
    struct writer *writer;
    bool top_only; /* what the backing image has is not copied */
    uint64_t size;

    pthread_mutex_t writing; /* held for each write: the kernel lets one into a file at a time, and
                                waiting there is dearer */
    pthread_mutex_t lock;
    pthread_cond_t turn_changed, ended;
    /* Below: under the lock. */
    uint64_t next; /* bytes that were given out */
    uint64_t sequence, turn;
    uint64_t done;
    uint64_t dirty; /* bytes that were written since the host's disk was given work */
    unsigned running;
    bool stop;
    int result;
    bool source_failed; /* `result` is the source's */
};

/* One chunk in the hands of a thread. */
struct chunk {
    uint64_t offset, length, sequence;
    enum image_kind kind; /* DATA or ZERO */
};

struct worker {
    struct conversion *conversion;
    pthread_t thread;
    uint8_t *bytes;  /* a chunk */
    uint8_t *packed; /* packed_max for each unit */
    size_t *n_packed;
    void *packer;
};

static bool is_zero(const uint8_t *bytes, size_t n)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* --- Taking chunks ---------------------------------------------------------------------------- */

static int status(struct conversion *c, uint64_t offset, uint64_t length, enum image_kind *kind,
                  uint64_t *known)
{
    int result;

    if (!c->top_only) {
        return image_status(c->source, offset, length, kind, known);
    }
    result = image_status_top(c->source, offset, length, kind, known);
    if (result == 0 && *kind == IMAGE_COMPRESSED) {
        *kind = IMAGE_DATA;
    }
    return result;
}

/* Moves `next` past what need not be copied. Lock held, but for a moment now and then. */
static int skip_empty(struct conversion *c, struct chunk *chunk)
{
    int result = 0;

    for (unsigned looks = 1; c->next < c->size && result == 0 && !c->stop; looks++) {
        enum image_kind kind;
        uint64_t known;

        if (looks % LOOKS_MAX == 0) { /* a large map: whoever looks on has something to say */
            pthread_mutex_unlock(&c->lock);
            sched_yield();
            pthread_mutex_lock(&c->lock);
            continue;
        }
        result = status(c, c->next, c->size - c->next, &kind, &known);
        if (result < 0) {
            c->source_failed = true;
            break;
        }
        chunk->kind = kind;
        chunk->length = known;
        if (kind == IMAGE_DATA) {
            break;
        }
        if (kind == IMAGE_ZERO && c->writer->class->put_zero != NULL && c->top_only) {
            break;
        }
        c->next += known;
        c->done += known;
    }
    return result;
}

/* Lock held. False when there is nothing left or the work is to end. */
static bool chunk_take(struct conversion *c, struct chunk *chunk)
{
    uint64_t start, end;
    int result;

    *chunk = (struct chunk){ .kind = IMAGE_ZERO };
    result = c->stop ? 0 : skip_empty(c, chunk);
    if (result < 0) {
        c->result = result;
        c->stop = true;
    }
    if (c->stop || c->next >= c->size) {
        return false;
    }
    start = c->next / CHUNK * CHUNK; /* units stay whole: what was skipped before is zero */
    chunk->offset = c->next;
    if (chunk->kind == IMAGE_DATA) {
        chunk->offset = MAX(start, c->next / c->writer->unit * c->writer->unit);
        end = MIN(start + CHUNK, c->size);
        if (c->top_only) { /* what follows may be the backing image's, which is not zero */
            end = MIN(end, c->next + chunk->length);
        }
        chunk->length = end - chunk->offset;
    }
    c->next = chunk->offset + chunk->length;
    chunk->sequence = c->sequence++;
    return true;
}

/* --- Working on one --------------------------------------------------------------------------- */

static int put_plain(struct worker *worker, const struct chunk *chunk, uint64_t length)
{
    struct writer *writer = worker->conversion->writer;
    uint64_t from = 0;
    int result = 0;

    while (from < length && result == 0) {
        uint64_t to = from;

        while (to < length && !is_zero(worker->bytes + to, writer->unit)) {
            to += writer->unit;
        }
        if (to > from) {
            result = writer->class->put(writer, chunk->offset + from, worker->bytes + from,
                                        to - from, NULL, 0);
        } else {
            while (to < length && is_zero(worker->bytes + to, writer->unit)) {
                to += writer->unit;
            }
            if (worker->conversion->top_only && writer->class->put_zero != NULL) {
                uint64_t end = MIN(chunk->offset + to, worker->conversion->size);

                result = writer->class->put_zero(writer, chunk->offset + from,
                                                 end - chunk->offset - from);
            }
        }
        from = to;
    }
    return result;
}

static void pack(struct worker *worker, uint64_t length)
{
    struct writer *writer = worker->conversion->writer;

    for (uint64_t i = 0; i * writer->unit < length; i++) {
        const uint8_t *bytes = worker->bytes + i * writer->unit;

        worker->n_packed[i] = SIZE_MAX;
        if (!is_zero(bytes, writer->unit)) {
            worker->n_packed[i] = writer->class->pack(worker->packer, writer, bytes,
                                                      worker->packed + i * writer->packed_max);
        }
    }
}

static int put_packed(struct worker *worker, const struct chunk *chunk, uint64_t length)
{
    struct writer *writer = worker->conversion->writer;
    int result = 0;

    for (uint64_t i = 0; i * writer->unit < length && result == 0; i++) {
        if (worker->n_packed[i] != SIZE_MAX) {
            result = writer->class->put(
                writer, chunk->offset + i * writer->unit, worker->bytes + i * writer->unit,
                writer->unit, worker->packed + i * writer->packed_max, worker->n_packed[i]);
        }
    }
    return result;
}

/* Waits for this chunk's turn; false if the work is to end. */
static bool turn_wait(struct conversion *c, uint64_t sequence)
{
    bool good;

    pthread_mutex_lock(&c->lock);
    while (c->turn != sequence && !c->stop) {
        pthread_cond_wait(&c->turn_changed, &c->lock);
    }
    good = !c->stop;
    pthread_mutex_unlock(&c->lock);
    return good;
}

static int chunk_work(struct worker *worker, const struct chunk *chunk, bool *source_failed)
{
    struct conversion *c = worker->conversion;
    struct writer *writer = c->writer;
    uint64_t length = chunk->length;
    int result = 0;

    if (chunk->kind == IMAGE_DATA) {
        length = (length + writer->unit - 1) / writer->unit * writer->unit;
        result = image_read(c->source, chunk->offset, worker->bytes, chunk->length);
        memset(worker->bytes + chunk->length, 0, length - chunk->length);
        *source_failed = result < 0;
    }
    if (result == 0 && chunk->kind == IMAGE_DATA && writer->class->pack != NULL) {
        pack(worker, length);
    }
    if (result < 0 || (writer->ordered && !turn_wait(c, chunk->sequence))) {
        return result;
    }
    if (chunk->kind == IMAGE_ZERO) {
        return writer->class->put_zero(writer, chunk->offset, chunk->length);
    }
    pthread_mutex_lock(&c->writing);
    result = writer->class->pack != NULL ? put_packed(worker, chunk, length)
                                         : put_plain(worker, chunk, length);
    pthread_mutex_unlock(&c->writing);
    return result;
}

/* Keeps the host's disk busy while there is more to come. Lock held, but while that takes. */
static void write_back(struct conversion *c, const struct chunk *chunk)
{
    c->dirty += chunk->kind == IMAGE_DATA ? chunk->length : 0;
    if (c->dirty >= WRITE_BACK) {
        c->dirty = 0;
        pthread_mutex_unlock(&c->lock);
        storage_write_back(c->writer->storage);
        pthread_mutex_lock(&c->lock);
    }
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct conversion *c = worker->conversion;
    struct chunk chunk;

    pthread_mutex_lock(&c->lock);
    while (chunk_take(c, &chunk)) {
        bool source_failed = false;
        int result;

        pthread_mutex_unlock(&c->lock);
        result = chunk_work(worker, &chunk, &source_failed);
        pthread_mutex_lock(&c->lock);
        if (result < 0 && !c->stop) {
            c->result = result;
            c->source_failed = source_failed;
        }
        c->stop |= result < 0;
        c->done += chunk.length;
        c->turn++;
        pthread_cond_broadcast(&c->turn_changed);
        if (!c->stop) {
            write_back(c, &chunk);
        }
    }
    c->running--;
    pthread_cond_broadcast(&c->turn_changed);
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* --- Threads ---------------------------------------------------------------------------------- */

static void worker_init(struct worker *worker, struct conversion *c)
{
    struct writer *writer = c->writer;

    worker->conversion = c;
    worker->bytes = g_malloc(CHUNK + writer->unit);
    if (writer->class->pack != NULL) {
        worker->packed = g_malloc((CHUNK / writer->unit + 1) * writer->packed_max);
        worker->n_packed = g_new0(size_t, CHUNK / writer->unit + 1);
        worker->packer = writer->class->packer_new(writer);
    }
}

static void worker_clear(struct worker *worker)
{
    if (worker->packer != NULL) {
        worker->conversion->writer->class->packer_free(worker->packer);
    }
    g_free(worker->bytes);
    g_free(worker->packed);
    g_free(worker->n_packed);
}

/* Reports while the threads work; lock held. True if the user wants to stop. */
static bool look_on(struct conversion *c, const struct convert_options *options)
{
    bool cancelled = false;

    while (c->running > 0) {
        gint64 until = g_get_real_time() + REPORT_MS * G_TIME_SPAN_MILLISECOND;
        struct timespec deadline = { .tv_sec = until / G_USEC_PER_SEC,
                                     .tv_nsec = until % G_USEC_PER_SEC * 1000 };
        uint64_t done;

        pthread_cond_timedwait(&c->ended, &c->lock, &deadline);
        done = MIN(c->done, c->size);
        pthread_mutex_unlock(&c->lock);
        if (options->progress != NULL && !options->progress(done, c->size, options->context)) {
            cancelled = true;
        }
        pthread_mutex_lock(&c->lock);
        if (cancelled && !c->stop) {
            c->stop = true;
            pthread_cond_broadcast(&c->turn_changed);
        }
    }
    return cancelled;
}

static bool run(struct conversion *c, const struct convert_options *options)
{
    unsigned n = options->threads ? options->threads : g_get_num_processors(), started = 0;
    struct worker workers[THREADS_MAX] = { 0 };
    bool cancelled;

    n = CLAMP(n, 1, THREADS_MAX);
    pthread_mutex_lock(&c->lock);
    for (; started < n; started++) {
        worker_init(&workers[started], c);
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
            worker_clear(&workers[started]);
            break;
        }
        c->running++;
    }
    if (started == 0) {
        c->result = -EAGAIN;
    }
    cancelled = look_on(c, options);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        worker_clear(&workers[i]);
    }
    return cancelled;
}

static struct writer *writer_new(struct storage *target, uint64_t size,
                                 const struct convert_options *options, GError **error)
{
    switch (options->format) {
    case IMAGE_RAW:
        return writer_raw(target, size, error);
    case IMAGE_QCOW2:
        return writer_qcow2(target, size, options, error);
    case IMAGE_VMDK:
        return writer_vmdk(target, size, options->name, error);
    case IMAGE_VHD:
        return writer_vhd(target, size, options->fixed, error);
    case IMAGE_VHDX:
        return writer_vhdx(target, size, options->fixed, error);
    default:
        break;
    }
    g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                _("The format “%s” is only read; choose qcow2, raw, vmdk, vhd or vhdx."),
                image_format_name(options->format));
    storage_free(target);
    return NULL;
}

bool image_convert(struct image *source, struct storage *target,
                   const struct convert_options *options, GError **error)
{
    g_autofree char *name = g_strdup(target->name);
    struct conversion c = { .source = source, .size = source->size };
    bool cancelled;

    c.writer = writer_new(target, source->size, options, error);
    if (c.writer == NULL) {
        return false;
    }
    c.top_only = options->format == IMAGE_QCOW2 && options->qcow2.backing_name != NULL;
    pthread_mutex_init(&c.writing, NULL);
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.turn_changed, NULL);
    pthread_cond_init(&c.ended, NULL);
    cancelled = run(&c, options);
    if (c.result == 0 && !cancelled) {
        c.result = c.writer->class->finish(c.writer);
    }
    c.writer->class->free(c.writer);
    pthread_mutex_destroy(&c.writing);
    pthread_mutex_destroy(&c.lock);
    pthread_cond_destroy(&c.turn_changed);
    pthread_cond_destroy(&c.ended);
    if (cancelled) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                    _("Cancelled; nothing was changed or left behind."));
    } else if (c.result < 0 && c.source_failed) {
        image_set_error(source, c.result, error);
    } else if (c.result < 0) {
        oriel_error_set_errno(error, -c.result, _("“%s” cannot be written"), name);
    }
    return c.result == 0 && !cancelled;
}
