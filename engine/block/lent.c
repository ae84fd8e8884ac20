/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See lent.h. */
#include "lent.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "config/config.h"

enum {
    NAME_MAX_BYTES = 32,
};

struct loan {
    char name[NAME_MAX_BYTES];
    int fd;
    uint64_t offset, size;
};

struct part {
    struct storage storage;
    int fd;
    uint64_t offset; /* in the file */
};

static GArray *loans; /* struct loan; NULL: none */

/* --- A part of a file ------------------------------------------------------------------------- */

static struct part *part_of(struct storage *storage)
{
    return (struct part *)storage;
}

static int fill(int fd, uint64_t offset, uint8_t *bytes, uint64_t length)
{
    while (length > 0) {
        ssize_t n = pread(fd, bytes, length, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -EIO; /* cut short since it was lent */
        }
        bytes += n;
        offset += (uint64_t)n;
        length -= (uint64_t)n;
    }
    return 0;
}

static int part_read(struct storage *storage, uint64_t offset, const struct iovec *spans,
                     unsigned n)
{
    const struct part *part = part_of(storage);
    int result = 0;

    for (unsigned i = 0; i < n && result == 0; i++) {
        uint64_t there = offset < storage->size ? MIN(storage->size - offset, spans[i].iov_len) : 0;

        result = fill(part->fd, part->offset + offset, spans[i].iov_base, there);
        memset((uint8_t *)spans[i].iov_base + there, 0, spans[i].iov_len - there);
        offset += spans[i].iov_len;
    }
    return result;
}

static int part_extent(struct storage *storage, uint64_t offset, uint64_t *length, bool *data)
{
    *data = offset < storage->size;
    if (*data) {
        *length = MIN(*length, storage->size - offset);
    }
    return 0;
}

static void part_free(struct storage *storage)
{
    close(part_of(storage)->fd);
    g_free(storage->name);
    g_free(storage);
}

static const struct storage_class part_class = {
    .read = part_read,
    .extent = part_extent,
    .free = part_free,
};

/* --- Loans ------------------------------------------------------------------------------------ */

bool lent_add(const char *text, GError **error)
{
    struct loan loan;
    struct stat status;
    int used = 0;

    if (sscanf(text, "%31[a-z0-9]=%d:%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT "%n", loan.name,
               &loan.fd, &loan.offset, &loan.size, &used) != 4 ||
        text[used] != '\0' || fstat(loan.fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        !range_fits(loan.offset, loan.size, (uint64_t)status.st_size)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_INVALID, _("“%s” is not part of an open file."),
                    text);
        return false;
    }
    fcntl(loan.fd, F_SETFD, FD_CLOEXEC);
    if (loans == NULL) {
        loans = g_array_new(FALSE, FALSE, sizeof(struct loan));
    }
    g_array_append_val(loans, loan);
    return true;
}

struct storage *lent_open(const char *backing_name, GError **error)
{
    for (unsigned i = 0; g_str_has_prefix(backing_name, LENT_PREFIX) && loans && i < loans->len;
         i++) {
        const struct loan *loan = &g_array_index(loans, struct loan, i);
        struct part *part;
        int fd;

        if (strcmp(loan->name, backing_name + strlen(LENT_PREFIX)) != 0) {
            continue;
        }
        fd = fcntl(loan->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0) {
            oriel_error_set_errno(error, errno, _("“%s” cannot be opened"), backing_name);
            return NULL;
        }
        part = g_new0(struct part, 1);
        part->fd = fd;
        part->offset = loan->offset;
        part->storage.class = &part_class;
        part->storage.name = g_strdup(backing_name);
        part->storage.size = loan->size;
        part->storage.read_only = true;
        return &part->storage;
    }
    return NULL;
}
