/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Framebuffers: what is refused of memory that somebody else gives. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display/picture/oriel-framebuffer.h"
#include "test.h"

static int memory_new(size_t size, int seals)
{
    int fd = memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    CHECK(fd >= 0);
    CHECK(ftruncate(fd, (off_t)size) == 0);
    CHECK(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

/* Whether it is refused; closes the descriptor. */
static bool is_refused(int fd, guint width, guint height, guint stride)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrielFramebuffer) framebuffer =
        oriel_framebuffer_new_for_memfd(fd, width, height, stride, &error);

    close(fd);
    CHECK(framebuffer != NULL || error->domain == G_IO_ERROR);
    CHECK(framebuffer != NULL || strlen(error->message) > 20);
    return framebuffer == NULL;
}

TEST(memory_that_may_shrink_is_refused)
{
    CHECK(is_refused(memory_new(64 * 64 * 4, 0), 64, 64, 256));
    CHECK(is_refused(memory_new(64 * 64 * 4, F_SEAL_GROW), 64, 64, 256));
    CHECK(!is_refused(memory_new(64 * 64 * 4, F_SEAL_SHRINK), 64, 64, 256));
    CHECK(!is_refused(memory_new(64 * 64 * 4, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 64, 64,
                      256));
}

TEST(what_is_no_sealed_memory_is_refused)
{
    int pipes[2];

    CHECK(is_refused(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), 64, 64, 256));
    CHECK(is_refused(open("/dev/zero", O_RDWR | O_CLOEXEC), 64, 64, 256));
    CHECK(pipe2(pipes, O_CLOEXEC) == 0);
    CHECK(is_refused(pipes[0], 64, 64, 256));
    close(pipes[1]);
}

TEST(too_small_memory_and_absurd_sizes_are_refused)
{
    const guint max = ORIEL_FRAMEBUFFER_MAX;

    CHECK(is_refused(memory_new(64 * 64 * 4 - 1, F_SEAL_SHRINK), 64, 64, 256));
    CHECK(is_refused(memory_new(0, F_SEAL_SHRINK), 1, 1, 4));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 0, 64, 256));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 64, 0, 256));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), max + 1, 1, (max + 1) * 4));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 1, max + 1, 4));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 64, 64, 252));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 64, 64, 257));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 0x40000001, 1, 4));
    CHECK(is_refused(memory_new(1 << 20, F_SEAL_SHRINK), 64, max, G_MAXUINT & ~3u));
    CHECK(!is_refused(memory_new(256 * 63 + 10 * 4, F_SEAL_SHRINK), 10, 64, 256));
}

TEST(bytes_outlive_their_framebuffer)
{
    int fd = memory_new(64 * 64 * 4, F_SEAL_SHRINK);
    OrielFramebuffer *framebuffer = oriel_framebuffer_new_for_memfd(fd, 60, 64, 256, NULL);
    GBytes *bytes = oriel_framebuffer_get_bytes(framebuffer, 10, 20, 30, 40);
    const guint8 *data;
    gsize size;

    g_object_unref(framebuffer);
    data = g_bytes_get_data(bytes, &size);
    CHECK_EQ(size, 39 * 256 + 30 * 4);
    CHECK_EQ(data[0], 0);
    CHECK(pwrite(fd, "x", 1, 20 * 256 + 10 * 4) == 1);
    CHECK_EQ(data[0], 'x');
    g_bytes_unref(bytes);
    close(fd);
}

TEST(memory_of_our_own)
{
    g_autoptr(OrielFramebuffer) framebuffer = oriel_framebuffer_new(1920, 1080);

    CHECK_EQ(oriel_framebuffer_get_stride(framebuffer), 1920 * 4);
    CHECK_EQ(oriel_framebuffer_get_pixels(framebuffer)[1920 * 1080 * 4 - 1], 0);
    CHECK(oriel_framebuffer_new(0, 1) == NULL);
    CHECK(oriel_framebuffer_new(1, ORIEL_FRAMEBUFFER_MAX + 1) == NULL);
}

TEST_MAIN(T(memory_that_may_shrink_is_refused), T(what_is_no_sealed_memory_is_refused),
          T(too_small_memory_and_absurd_sizes_are_refused), T(bytes_outlive_their_framebuffer),
          T(memory_of_our_own))
