/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log of a VHDX image, [MS-VHDX] 2.3: a ring of entries that say which 4 KiB pages are to be
 * written. It is replayed into memory; the file is left as it is.
 */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "bytes.h"
#include "config/config.h"
#include "crc32c.h"
#include "vhdx.h"

enum {
    SECTOR = 4096,
    ENTRY_HEADER = 64,
    DESCRIPTOR = 32,
    LOG_BYTES_MAX = 64 << 20,
    PAGES_MAX = 1 << 18, /* 1 GiB that a log may change */
    WORK_MAX = 16,       /* times the log's length that checksums are taken over */
};

enum log_field {
    LOG_ENTRY_LENGTH = 8,
    LOG_TAIL = 12,
    LOG_SEQUENCE = 16,
    LOG_DESCRIPTORS = 24,
    LOG_GUID = 32,
    LOG_FLUSHED = 48,
    LOG_LAST = 56,
};

/* --- A storage with pages laid over it -------------------------------------------------------- */

struct overlay {
    struct storage storage;
    struct storage *base;
    GHashTable *pages; /* page number -> bytes */
    uint64_t laid;     /* pages that were written, each as often as it was */
};

static const uint8_t zero_page[SECTOR];

static int overlay_read(struct storage *storage, uint64_t offset, const struct iovec *spans,
                        unsigned n)
{
    struct overlay *overlay = (struct overlay *)storage;
    int result = storage_readv(overlay->base, offset, spans, n);

    for (unsigned i = 0; i < n && result == 0; i++) {
        uint64_t end = offset + spans[i].iov_len;

        for (uint64_t at = offset; at < end;) {
            uint64_t skip = at % SECTOR, part = MIN(end - at, SECTOR - skip);
            const uint8_t *page =
                g_hash_table_lookup(overlay->pages, GSIZE_TO_POINTER(at / SECTOR));

            if (page != NULL) {
                memcpy((uint8_t *)spans[i].iov_base + (at - offset), page + skip, part);
            }
            at += part;
        }
        offset = end;
    }
    return result;
}

static int overlay_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    *data = true;
    return 0;
}

static void page_free(gpointer data)
{
    if (data != zero_page) {
        g_free(data);
    }
}

/* Takes `bytes`. False: a log does not change so much. */
static bool page_lay(struct overlay *overlay, uint64_t number, const uint8_t *bytes)
{
    g_hash_table_insert(overlay->pages, GSIZE_TO_POINTER(number), (gpointer)bytes);
    return ++overlay->laid <= PAGES_MAX;
}

static void overlay_free(struct storage *storage)
{
    struct overlay *overlay = (struct overlay *)storage;

    storage_free(overlay->base);
    g_hash_table_unref(overlay->pages);
    g_free(storage->name);
    g_free(storage);
}

static const struct storage_class overlay_class = {
    .read = overlay_read,
    .extent = overlay_extent,
    .free = overlay_free,
};

static struct overlay *overlay_new(struct storage *base)
{
    struct overlay *overlay = g_new0(struct overlay, 1);

    overlay->storage.class = &overlay_class;
    overlay->storage.name = g_strdup(base->name);
    overlay->storage.read_only = true;
    overlay->storage.size = storage_size(base);
    overlay->base = base;
    overlay->pages = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, page_free);
    return overlay;
}

/* --- Entries ---------------------------------------------------------------------------------- */

struct entry {
    uint32_t position, length, tail, descriptors;
    uint64_t sequence, flushed, last;
    bool follows; /* another one leads to it */
};

struct log {
    uint8_t *bytes;
    uint32_t length;
    uint8_t guid[16];
    uint64_t work;       /* bytes that checksums were taken over */
    GHashTable *entries; /* position -> entry */
};

static const uint8_t *log_at(const struct log *log, uint64_t position)
{
    return log->bytes + position % log->length;
}

static bool crc_good(struct log *log, uint32_t position, uint32_t length)
{
    uint8_t first[SECTOR];
    uint32_t expected = load_le32(log_at(log, position) + VHDX_CRC), crc;

    memcpy(first, log_at(log, position), SECTOR);
    store_le32(first + VHDX_CRC, 0);
    crc = crc32c(0, first, SECTOR);
    for (uint32_t at = SECTOR; at < length; at += SECTOR) {
        crc = crc32c(crc, log_at(log, (uint64_t)position + at), SECTOR);
    }
    log->work += length;
    return crc == expected;
}

/* Descriptors fill the sectors after the entry's header. */
static const uint8_t *descriptor_at(const struct log *log, const struct entry *entry, uint32_t i)
{
    uint64_t offset = ENTRY_HEADER + (uint64_t)i * DESCRIPTOR;

    return log_at(log, entry->position + offset / SECTOR * SECTOR) + offset % SECTOR;
}

static uint32_t descriptor_sectors(const struct entry *entry)
{
    return (uint32_t)((ENTRY_HEADER + (uint64_t)entry->descriptors * DESCRIPTOR + SECTOR - 1) /
                      SECTOR);
}

static bool descriptors_good(const struct log *log, const struct entry *entry)
{
    uint32_t data = descriptor_sectors(entry);

    for (uint32_t i = 0; i < entry->descriptors; i++) {
        const uint8_t *descriptor = descriptor_at(log, entry, i);
        bool is_data = memcmp(descriptor, "desc", 4) == 0;
        const uint8_t *sector = log_at(log, (uint64_t)entry->position + (uint64_t)data * SECTOR);

        if ((!is_data && memcmp(descriptor, "zero", 4) != 0) ||
            load_le64(descriptor + 24) != entry->sequence ||
            load_le64(descriptor + 16) % SECTOR != 0) {
            return false;
        }
        if (is_data &&
            ((uint64_t)(data + 1) * SECTOR > entry->length || memcmp(sector, "data", 4) != 0 ||
             load_le32(sector + 4) != (uint32_t)(entry->sequence >> 32) ||
             load_le32(sector + SECTOR - 4) != (uint32_t)entry->sequence)) {
            return false;
        }
        data += is_data;
    }
    return true;
}

static struct entry *entry_read(struct log *log, uint32_t position)
{
    const uint8_t *header = log_at(log, position);
    struct entry entry = {
        .position = position,
        .length = load_le32(header + LOG_ENTRY_LENGTH),
        .tail = load_le32(header + LOG_TAIL),
        .sequence = load_le64(header + LOG_SEQUENCE),
        .descriptors = load_le32(header + LOG_DESCRIPTORS),
        .flushed = load_le64(header + LOG_FLUSHED),
        .last = load_le64(header + LOG_LAST),
    };

    if (memcmp(header, "loge", 4) != 0 || memcmp(header + LOG_GUID, log->guid, 16) != 0 ||
        entry.length < SECTOR || entry.length % SECTOR != 0 || entry.length > log->length ||
        entry.sequence == 0 || entry.tail % SECTOR != 0 || entry.tail >= log->length ||
        entry.descriptors > entry.length / DESCRIPTOR ||
        (uint64_t)descriptor_sectors(&entry) * SECTOR > entry.length ||
        !crc_good(log, position, entry.length) || !descriptors_good(log, &entry)) {
        return NULL;
    }
    return g_memdup2(&entry, sizeof(entry));
}

static struct entry *entry_after(const struct log *log, const struct entry *entry)
{
    uint32_t position = (uint32_t)(((uint64_t)entry->position + entry->length) % log->length);
    struct entry *next = g_hash_table_lookup(log->entries, GSIZE_TO_POINTER(position));

    return next != NULL && next->sequence == entry->sequence + 1 ? next : NULL;
}

static bool entries_find(struct log *log)
{
    GHashTableIter iter;
    struct entry *entry;

    for (uint32_t position = 0; position < log->length; position += SECTOR) {
        entry = entry_read(log, position);
        if (entry != NULL) {
            g_hash_table_insert(log->entries, GSIZE_TO_POINTER(position), entry);
        }
        if (log->work > (uint64_t)log->length * WORK_MAX) {
            return false;
        }
    }
    g_hash_table_iter_init(&iter, log->entries);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&entry)) {
        struct entry *next = entry_after(log, entry);

        if (next != NULL) {
            next->follows = true;
        }
    }
    return true;
}

/* The head of the newest sequence that holds its own tail, and that tail. */
static struct entry *sequence_find(struct log *log, struct entry **tail)
{
    struct entry *best = NULL, *start;
    GHashTableIter iter;

    g_hash_table_iter_init(&iter, log->entries);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&start)) {
        for (struct entry *head = start; !start->follows && head != NULL;
             head = entry_after(log, head)) {
            struct entry *end = g_hash_table_lookup(log->entries, GSIZE_TO_POINTER(head->tail));

            if (end != NULL && end->sequence >= start->sequence &&
                end->sequence <= head->sequence &&
                (best == NULL || head->sequence > best->sequence)) {
                best = head;
                *tail = end;
            }
        }
    }
    return best;
}

/* --- Replay ----------------------------------------------------------------------------------- */

static bool zeroes_lay(struct overlay *overlay, uint64_t offset, uint64_t length)
{
    if (length % SECTOR != 0 || length / SECTOR > PAGES_MAX ||
        !range_fits(offset, length, IMAGE_BYTES_MAX)) {
        return false;
    }
    for (uint64_t at = offset; at < offset + length; at += SECTOR) {
        if (!page_lay(overlay, at / SECTOR, zero_page)) {
            return false;
        }
    }
    return true;
}

static bool entry_lay(const struct log *log, const struct entry *entry, struct overlay *overlay)
{
    uint32_t data = descriptor_sectors(entry);

    for (uint32_t i = 0; i < entry->descriptors; i++) {
        const uint8_t *descriptor = descriptor_at(log, entry, i), *sector;
        uint64_t offset = load_le64(descriptor + 16);
        uint8_t *page;

        if (memcmp(descriptor, "zero", 4) == 0) {
            if (!zeroes_lay(overlay, offset, load_le64(descriptor + 8))) {
                return false;
            }
            continue;
        }
        if (offset >= IMAGE_BYTES_MAX) {
            return false;
        }
        sector = log_at(log, (uint64_t)entry->position + (uint64_t)data++ * SECTOR);
        page = g_memdup2(sector, SECTOR);
        memcpy(page, descriptor + 8, 8);
        memcpy(page + SECTOR - 4, descriptor + 4, 4);
        if (!page_lay(overlay, offset / SECTOR, page)) {
            return false;
        }
    }
    return true;
}

static const char *replay(struct log *log, struct overlay *overlay)
{
    struct entry *tail = NULL, *head;

    if (!entries_find(log)) {
        return _("its log is damaged");
    }
    head = sequence_find(log, &tail);
    if (head == NULL) {
        return _("its log is damaged");
    }
    if (storage_size(overlay->base) < head->flushed) {
        return _("it is cut short");
    }
    if (head->last > IMAGE_BYTES_MAX) {
        return _("its log is damaged");
    }
    for (struct entry *entry = tail; entry != NULL; entry = entry_after(log, entry)) {
        if (!entry_lay(log, entry, overlay)) {
            return _("its log changes more than a log can");
        }
        if (entry == head) {
            break;
        }
    }
    storage_grown(&overlay->storage, head->last);
    return NULL;
}

static const char *log_read(struct log *log, struct storage *storage, const uint8_t *header)
{
    uint64_t offset = load_le64(header + VHDX_LOG_OFFSET);

    log->length = load_le32(header + VHDX_LOG_LENGTH);
    if (load_le16(header + VHDX_LOG_VERSION) != 0 || log->length == 0 ||
        log->length % VHDX_MIB != 0 || log->length > LOG_BYTES_MAX || offset % VHDX_MIB != 0 ||
        offset == 0) {
        return _("its log is not like that of any version that is supported");
    }
    if (!range_fits(offset, log->length, storage_size(storage))) {
        return _("its log is cut short");
    }
    memcpy(log->guid, header + VHDX_LOG_GUID, sizeof(log->guid));
    log->bytes = g_malloc(log->length);
    return storage_read(storage, offset, log->bytes, log->length) < 0 ? _("its log cannot be read")
                                                                      : NULL;
}

struct storage *vhdx_log_replay(struct storage *storage, const uint8_t *header, GError **error)
{
    static const uint8_t empty[16];
    struct log log = { .entries = NULL };
    struct overlay *overlay;
    const char *problem;

    if (memcmp(header + VHDX_LOG_GUID, empty, sizeof(empty)) == 0) {
        return storage;
    }
    overlay = overlay_new(storage);
    log.entries = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    problem = log_read(&log, storage, header);
    if (problem == NULL) {
        problem = replay(&log, overlay);
    }
    g_hash_table_unref(log.entries);
    g_free(log.bytes);
    if (problem != NULL) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID,
                    _("“%s” cannot be used as a VHDX image: %s."), storage->name, problem);
        storage_free(&overlay->storage);
        return NULL;
    }
    return &overlay->storage;
}
