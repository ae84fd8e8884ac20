/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See drive_rig.h. */
#include "drive_rig.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

enum drive_engine rig_engine(void)
{
    return g_strcmp0(g_getenv("DRIVE_RIG"), "threads") == 0 ? DRIVE_ENGINE_THREADS
                                                            : DRIVE_ENGINE_BEST;
}

bool rig_direct(const char *folder)
{
    g_autofree char *path = NULL;
    int fd;

    if (g_strcmp0(g_getenv("DRIVE_RIG"), "direct") != 0) {
        return false;
    }
    path = g_build_filename(folder, "probe", NULL);
    fd = open(path, O_RDWR | O_CREAT | O_DIRECT, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

void rig_on_done(void *context, struct block_request *requests)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->lock);
    rig->calls++;
    rig->done_thread = pthread_self();
    for (; requests != NULL; requests = requests->next) {
        if (rig->done < G_N_ELEMENTS(rig->order)) {
            rig->order[rig->done] = requests;
        }
        rig->done++;
    }
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

void rig_on_stalled(void *context, struct drive *drive, int error, const char *message)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->lock);
    rig->stalls++;
    rig->stall_error = error;
    g_free(rig->stall_message);
    rig->stall_message = g_strdup(message);
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

void rig_wait_for(struct rig *rig, const unsigned *counter, unsigned value)
{
    pthread_mutex_lock(&rig->lock);
    while (*counter < value) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

char *rig_path(const struct rig *rig, const char *name)
{
    return g_build_filename(rig->folder, name, NULL);
}

void rig_make_file(const struct rig *rig, const char *name, const void *bytes, size_t length)
{
    g_autofree char *path = rig_path(rig, name);

    CHECK(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

struct rig *rig_new_in(const char *parent, bool optical)
{
    struct drive_events events = { .done = rig_on_done, .stalled = rig_on_stalled };
    struct rig *rig = g_new0(struct rig, 1);
    g_autofree char *disks = NULL;

    fault_clear();
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    rig->folder = g_build_filename(parent, "oriel-drive-XXXXXX", NULL);
    CHECK(g_mkdtemp(rig->folder) != NULL);
    disks = rig_path(rig, "disks");
    CHECK(g_mkdir(disks, 0700) == 0);
    events.context = rig;
    rig->pool = drive_pool_new(&events, rig_engine());
    rig->drive = drive_new(rig->pool, optical ? "cdrom0" : "disk0", UUID, optical);
    if (!optical && rig_direct(rig->folder)) {
        drive_set_direct(rig->drive);
    }
    return rig;
}

struct rig *rig_new(bool optical)
{
    return rig_new_in(g_get_tmp_dir(), optical);
}

void rig_make_raw(const char *path, uint64_t bytes)
{
    CHECK(g_file_set_contents(path, "", 0, NULL));
    CHECK(truncate(path, (off_t)bytes) == 0);
}

struct rig *rig_with_image(enum image_format format)
{
    struct rig *rig = rig_new(false);
    g_autofree char *path = rig_path(rig, "disks/a.raw");
    g_autoptr(GError) error = NULL;

    if (format == IMAGE_RAW) {
        rig_make_raw(path, DISK_BYTES);
    } else if (!drive_create_qcow2(path, DISK_BYTES, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    if (!drive_open(rig->drive, rig->folder, "disks/a.raw", format, false, &error)) {
        test_fail(__FILE__, __LINE__, "%s", error->message);
    }
    return rig;
}

struct rig *rig_with_disk(void)
{
    return rig_with_image(IMAGE_RAW);
}

bool rig_uses_ring_always(const struct rig *rig)
{
    return rig_direct(rig->folder) && drive_pool_has_ring(rig->pool);
}

void rig_free(struct rig *rig)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", rig->folder);

    fault_clear();
    drive_pool_free(rig->pool);
    CHECK(system(command) == 0);
    pthread_mutex_destroy(&rig->lock);
    pthread_cond_destroy(&rig->changed);
    g_free(rig->folder);
    g_free(rig->stall_message);
    g_free(rig);
}

/* Submits and waits; the status. */
int rig_run(struct rig *rig, struct block_request *request)
{
    unsigned before = rig->done;

    drive_submit(rig->drive, request);
    rig_wait_for(rig, &rig->done, before + 1);
    return request->status;
}

int rig_transfer(struct rig *rig, enum block_op op, uint64_t offset, void *bytes, size_t length)
{
    struct block_span span = { bytes, length };
    struct block_request request = {
        .op = op, .offset = offset, .length = length, .spans = &span, .n_spans = 1
    };

    return rig_run(rig, &request);
}

int rig_command(struct rig *rig, enum block_op op, uint64_t offset, uint64_t length)
{
    struct block_request request = { .op = op, .offset = offset, .length = length };

    return rig_run(rig, &request);
}
