/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See saved.h. */
#include "snapshot/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "config/runtime.h"
#include "config/saved.h"
#include "snapshot/manifest.h"

enum {
    STATE_SIZE_MAX = 256 << 20,
    SPACE_RESERVE = 1 << 20, /* for manifest, state and picture */
};

struct saved {
    struct manifest manifest;
    char *ram_path; /* for messages */
    uint8_t *state;
    GArray *sections;
    int ram;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}
#define AUTO_CLOSE __attribute__((cleanup(close_fd))) int

bool saved_refuse(const OrielConfig *config, GError **error, OrielError code, const char *why, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, why);
    text = g_strdup_vprintf(why, arguments);
    va_end(arguments);
    g_set_error(error, ORIEL_ERROR, code,
                "“%s” cannot go on from its saved state: %s. Nothing is lost if you put that "
                "right; “Start Afresh” in the window, or “orielctl start --discard-saved”, forgets "
                "the state and starts the machine anew.",
                config->name, text);
    return false;
}

/* --- Writing -------------------------------------------------------------------------------- */

bool saved_check_space(const char *folder, const struct memory_region *regions, unsigned n,
                       GError **error)
{
    uint64_t needed = memory_file_estimate(regions, n) + SPACE_RESERVE;
    struct statvfs status;

    if (statvfs(folder, &status) == 0 && (uint64_t)status.f_bavail * status.f_frsize < needed) {
        g_autofree char *there = g_format_size_full((uint64_t)status.f_bavail * status.f_frsize,
                                                    G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *wanted = g_format_size_full(needed, G_FORMAT_SIZE_IEC_UNITS);

        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_NO_SPACE,
                    "The machine cannot be saved in “%s”: it takes about %s, and there is room for "
                    "%s. Make space and save it again.",
                    folder, wanted, there);
        return false;
    }
    return true;
}

/* An empty file in the hidden folder; -1 with *error set. */
static int part_create(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        oriel_error_set_errno(error, errno, "The state cannot be saved as “%s”", path);
    }
    return fd;
}

static bool part_sync(int fd, const char *path, GError **error)
{
    if (fsync(fd) < 0) {
        oriel_error_set_errno(error, errno, "The state cannot be saved as “%s”", path);
        return false;
    }
    return true;
}

static bool part_write(const char *hidden, const char *name, const void *bytes, size_t length,
                       GError **error)
{
    g_autofree char *path = g_build_filename(hidden, name, NULL);
    AUTO_CLOSE fd = part_create(path, error);
    const uint8_t *at = bytes;

    while (fd >= 0 && length > 0) {
        ssize_t n = write(fd, at, length);

        if (n < 0 && errno != EINTR) {
            oriel_error_set_errno(error, errno, "The state cannot be saved as “%s”", path);
            return false;
        }
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
    }
    return fd >= 0 && part_sync(fd, path, error);
}

static bool ram_write_out(const struct saved_content *content, const char *hidden, uint64_t *length,
                          GError **error)
{
    g_autofree char *path = g_build_filename(hidden, "ram", NULL);
    g_autoptr(GByteArray) index = g_byte_array_new();
    AUTO_CLOSE fd = part_create(path, error);
    struct stat status;

    if (fd < 0 ||
        !memory_file_write(fd, path, content->regions, content->n_regions, content->work, index,
                           error) ||
        !part_sync(fd, path, error)) {
        return false;
    }
    if (fstat(fd, &status) < 0) {
        oriel_error_set_errno(error, errno, "“%s” cannot be read", path);
        return false;
    }
    *length = (uint64_t)status.st_size;
    sections_add(content->state, "memory", "index", 1, index->data, index->len);
    return true;
}

/* Manifest last, under the lock that keeps the settings from changing. */
static bool manifest_write_and_commit(const struct saved_content *content, const char *hidden,
                                      uint64_t ram_length, GError **error)
{
    AUTO_CLOSE lock = oriel_machine_lock_edit(content->folder, error);
    g_autoptr(OrielConfig) settings = lock >= 0 ? oriel_config_load(content->folder, error) : NULL;
    g_autofree char *text = NULL;

    if (!settings) {
        return false;
    }
    text = manifest_text(content, settings, content->state->len,
                         (uint32_t)crc32(0, content->state->data, content->state->len), ram_length,
                         error);
    if (!text || !part_write(hidden, "manifest.json", text, strlen(text), error)) {
        return false;
    }
    if (atomic_load(&content->work->cancelled)) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "Saving was cancelled; the machine goes on as before.");
        return false;
    }
    return oriel_saved_commit(content->folder, hidden, error);
}

bool saved_write(const struct saved_content *content, GError **error)
{
    g_autofree char *hidden = oriel_saved_begin(content->folder, error);
    uint64_t ram_length = 0;
    gsize size = 0;
    const void *picture = content->picture ? g_bytes_get_data(content->picture, &size) : NULL;
    bool good = hidden && ram_write_out(content, hidden, &ram_length, error) &&
                part_write(hidden, "state", content->state->data, content->state->len, error) &&
                (!picture || part_write(hidden, "thumbnail.png", picture, size, error)) &&
                manifest_write_and_commit(content, hidden, ram_length, error);

    if (!good) {
        oriel_saved_clean(content->folder);
    }
    return good;
}

/* --- Reading -------------------------------------------------------------------------------- */

/* A regular file of at most `limit` bytes; NULL if it cannot be read. g_free(). */
static uint8_t *part_read(int directory, const char *name, size_t limit, size_t *length)
{
    AUTO_CLOSE fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    g_autofree uint8_t *bytes = NULL;
    struct stat status;
    size_t done = 0;

    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size < 0 ||
        (uint64_t)status.st_size > limit) {
        return NULL;
    }
    *length = (size_t)status.st_size;
    bytes = g_malloc(*length + 1);
    while (done < *length) {
        ssize_t n = read(fd, bytes + done, *length - done);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return NULL;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return g_steal_pointer(&bytes);
}

static bool state_open(struct saved *saved, int directory, const OrielConfig *config,
                       GError **error)
{
    size_t length = 0;

    saved->state = part_read(directory, "state", STATE_SIZE_MAX, &length);
    if (!saved->state || length != saved->manifest.state_length ||
        saved->manifest.state_crc != (uint32_t)crc32(0, saved->state, (uInt)length)) {
        return saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its file “state” is damaged");
    }
    saved->sections = sections_parse(saved->state, length);
    return saved->sections ||
           saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its file “state” is damaged");
}

static bool ram_open(struct saved *saved, int directory, const OrielConfig *config, GError **error)
{
    struct stat status;

    saved->ram = openat(directory, "ram", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return (saved->ram >= 0 && fstat(saved->ram, &status) == 0 && S_ISREG(status.st_mode) &&
            (uint64_t)status.st_size == saved->manifest.ram_length) ||
           saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its file “ram” is damaged");
}

struct saved *saved_open(const char *folder, const OrielConfig *config, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "saved", NULL);
    AUTO_CLOSE directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct saved *saved = g_new0(struct saved, 1);
    g_autofree uint8_t *text = NULL;
    size_t length = 0;
    bool good;

    saved->ram = -1;
    saved->ram_path = g_build_filename(path, "ram", NULL);
    text =
        directory >= 0 ? part_read(directory, "manifest.json", MANIFEST_SIZE_MAX, &length) : NULL;
    if (!text) {
        good = saved_refuse(config, error, ORIEL_ERROR_CORRUPT, "its manifest cannot be read");
    } else {
        good = manifest_read(&saved->manifest, (char *)text, length, folder, config, error) &&
               state_open(saved, directory, config, error) &&
               ram_open(saved, directory, config, error);
    }
    if (!good) {
        g_clear_pointer(&saved, saved_free);
    }
    return saved;
}

void saved_free(struct saved *saved)
{
    if (!saved) {
        return;
    }
    manifest_clear(&saved->manifest);
    g_clear_pointer(&saved->sections, g_array_unref);
    g_free(saved->state);
    g_free(saved->ram_path);
    close_fd(&saved->ram);
    g_free(saved);
}

const OrielConfig *saved_config(const struct saved *saved)
{
    return saved->manifest.config;
}

const GArray *saved_sections(const struct saved *saved)
{
    return saved->sections;
}

bool saved_check_devices(const struct saved *saved, const struct saved_device *devices, unsigned n,
                         GError **error)
{
    g_autofree char *which = NULL;

    if (!manifest_has_devices(&saved->manifest, devices, n, &which)) {
        return saved_refuse(saved->manifest.config, error, ORIEL_ERROR_INVALID,
                            "it was saved by another version of Oriel, whose device “%s” differs",
                            which ? which : "?");
    }
    return true;
}

bool saved_read_memory(const struct saved *saved, const struct memory_region *regions, unsigned n,
                       GError **error)
{
    const struct section *index = sections_find(saved->sections, "memory", "index");
    g_autoptr(GError) why = NULL;

    if (!index || index->version != 1) {
        return saved_refuse(saved->manifest.config, error, ORIEL_ERROR_CORRUPT,
                            "its file “state” is damaged");
    }
    if (!memory_file_read(saved->ram, saved->ram_path, saved->manifest.ram_length, index->bytes,
                          index->length, regions, n, &why)) {
        if (g_str_has_suffix(why->message, ".")) {
            why->message[strlen(why->message) - 1] = '\0';
        }
        return saved_refuse(saved->manifest.config, error, why->code, "%s", why->message);
    }
    return true;
}

bool saved_manifest_check(const char *text, size_t length, const char *folder,
                          const OrielConfig *config, GError **error)
{
    struct manifest manifest;
    bool good = manifest_read(&manifest, text, length, folder, config, error);

    manifest_clear(&manifest);
    return good;
}
