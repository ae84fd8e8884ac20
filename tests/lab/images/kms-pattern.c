/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shows a known pattern on every connected monitor of /dev/dri/card0 at the size that the monitor
 * prefers, and a cursor on the first; does so again when the kernel says that something about the
 * monitors has changed. Each monitor that shows something else than before is one line:
 *
 *     gpu: display 1 shows 1280x720
 *     gpu: display 2 is off
 *
 * "kms-pattern expect DISPLAY WIDTH HEIGHT" writes what the picture is then: red, green and blue of
 * each pixel, one byte each.
 *
 * The kernel's interface by itself (drm/drm.h, drm/drm_mode.h): old mode setting, dumb buffers.
 */
#include <drm.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pattern.h"

enum {
    DISPLAYS_MAX = 4,
    MODES_MAX = 256,
    CURSOR_SIDE = 64,
    CURSOR_X = 40,
    CURSOR_Y = 30,
    CURSOR_WIDTH = 20, /* what of it is not transparent */
    CURSOR_HEIGHT = 12,
    CURSOR_COLOUR = 0x2080e0,
};

static bool under_cursor(unsigned display, uint32_t x, uint32_t y)
{
    return display == 1 && x - CURSOR_X < CURSOR_WIDTH && y - CURSOR_Y < CURSOR_HEIGHT;
}

static int expect(unsigned display, uint32_t width, uint32_t height)
{
    for (uint32_t i = 0; i < width * height; i++) {
        uint32_t x = i % width, y = i / width;
        uint32_t pixel = under_cursor(display, x, y) ? CURSOR_COLOUR : pattern(display, x, y);

        putchar((int)(pixel >> 16 & 255));
        putchar((int)(pixel >> 8 & 255));
        putchar((int)(pixel & 255));
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

/* --- Cards ------------------------------------------------------------------------------------ */

struct display {
    uint32_t connector, crtc;
    uint32_t width, height; /* shown; 0: nothing */
    uint32_t framebuffer, handle;
};

static int card;
static struct display displays[DISPLAYS_MAX];
static unsigned n_displays;

static void card_do(unsigned long request, void *argument, const char *what)
{
    while (ioctl(card, request, argument) < 0) {
        if (errno != EINTR && errno != EAGAIN) {
            printf("gpu: FAILED: %s: %s\n", what, strerror(errno));
            exit(1);
        }
    }
}

static void displays_find(void)
{
    uint32_t connectors[DISPLAYS_MAX], crtcs[DISPLAYS_MAX];
    struct drm_mode_card_res resources = { 0 };

    card_do(DRM_IOCTL_MODE_GETRESOURCES, &resources, "resources");
    n_displays = resources.count_connectors;
    if (n_displays < 1 || n_displays > DISPLAYS_MAX || resources.count_crtcs != n_displays) {
        printf("gpu: FAILED: %u connectors, %u crtcs\n", n_displays, resources.count_crtcs);
        exit(1);
    }
    resources = (struct drm_mode_card_res){ .count_connectors = n_displays,
                                            .count_crtcs = n_displays,
                                            .connector_id_ptr = (uintptr_t)connectors,
                                            .crtc_id_ptr = (uintptr_t)crtcs };
    card_do(DRM_IOCTL_MODE_GETRESOURCES, &resources, "resources");
    for (unsigned i = 0; i < n_displays; i++) {
        displays[i] = (struct display){ .connector = connectors[i], .crtc = crtcs[i] };
    }
}

/* The mode that the monitor prefers; false: there is no monitor. */
static bool mode_preferred(const struct display *display, struct drm_mode_modeinfo *mode)
{
    static struct drm_mode_modeinfo modes[MODES_MAX];
    struct drm_mode_get_connector connector = { .connector_id = display->connector };

    card_do(DRM_IOCTL_MODE_GETCONNECTOR, &connector, "connector"); /* looks at the monitor */
    if (connector.connection != 1 || connector.count_modes == 0) {
        return false;
    }
    connector = (struct drm_mode_get_connector){ .connector_id = display->connector,
                                                 .count_modes = connector.count_modes < MODES_MAX
                                                                    ? connector.count_modes
                                                                    : MODES_MAX,
                                                 .modes_ptr = (uintptr_t)modes };
    card_do(DRM_IOCTL_MODE_GETCONNECTOR, &connector, "modes");
    *mode = modes[0];
    for (unsigned i = 0; i < connector.count_modes && i < MODES_MAX; i++) {
        if (modes[i].type & DRM_MODE_TYPE_PREFERRED) {
            *mode = modes[i];
            break;
        }
    }
    return true;
}

/* Memory of a picture, mapped; *pitch is bytes from one line to the next. */
static uint32_t *buffer_new(uint32_t width, uint32_t height, uint32_t *handle, uint32_t *pitch)
{
    struct drm_mode_create_dumb create = { .width = width, .height = height, .bpp = 32 };
    struct drm_mode_map_dumb map = { 0 };
    void *pixels;

    card_do(DRM_IOCTL_MODE_CREATE_DUMB, &create, "buffer");
    map.handle = create.handle;
    card_do(DRM_IOCTL_MODE_MAP_DUMB, &map, "map of a buffer");
    pixels = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)map.offset);
    if (pixels == MAP_FAILED) {
        printf("gpu: FAILED: mmap: %s\n", strerror(errno));
        exit(1);
    }
    *handle = create.handle;
    *pitch = create.pitch;
    return pixels;
}

static void framebuffer_drop(struct display *display)
{
    struct drm_mode_destroy_dumb destroy = { .handle = display->handle };

    if (display->framebuffer != 0) {
        card_do(DRM_IOCTL_MODE_RMFB, &display->framebuffer, "end of a framebuffer");
        card_do(DRM_IOCTL_MODE_DESTROY_DUMB, &destroy, "end of a buffer");
    }
    display->framebuffer = 0;
    display->width = display->height = 0;
}

/* --- Pictures --------------------------------------------------------------------------------- */

static void show(unsigned number, const struct drm_mode_modeinfo *mode)
{
    struct display *display = &displays[number - 1], fresh = *display;
    struct drm_mode_fb_cmd framebuffer = {
        .width = mode->hdisplay, .height = mode->vdisplay, .bpp = 32, .depth = 24
    };
    uint32_t *pixels =
        buffer_new(mode->hdisplay, mode->vdisplay, &framebuffer.handle, &framebuffer.pitch);

    for (uint32_t y = 0; y < mode->vdisplay; y++) {
        for (uint32_t x = 0; x < mode->hdisplay; x++) {
            pixels[y * (framebuffer.pitch / 4) + x] = pattern(number, x, y);
        }
    }
    munmap(pixels, (size_t)framebuffer.pitch * mode->vdisplay);
    card_do(DRM_IOCTL_MODE_ADDFB, &framebuffer, "framebuffer");
    struct drm_mode_crtc crtc = { .crtc_id = display->crtc,
                                  .fb_id = framebuffer.fb_id,
                                  .set_connectors_ptr = (uintptr_t)&display->connector,
                                  .count_connectors = 1,
                                  .mode_valid = 1,
                                  .mode = *mode };
    struct drm_mode_fb_dirty_cmd dirty = { .fb_id = framebuffer.fb_id };

    card_do(DRM_IOCTL_MODE_SETCRTC, &crtc, "mode");
    card_do(DRM_IOCTL_MODE_DIRTYFB, &dirty, "flush");
    framebuffer_drop(display);
    fresh.framebuffer = framebuffer.fb_id;
    fresh.handle = framebuffer.handle;
    fresh.width = mode->hdisplay;
    fresh.height = mode->vdisplay;
    *display = fresh;
    printf("gpu: display %u shows %ux%u\n", number, fresh.width, fresh.height);
}

static void hide(unsigned number)
{
    struct display *display = &displays[number - 1];
    struct drm_mode_crtc crtc = { .crtc_id = display->crtc };

    card_do(DRM_IOCTL_MODE_SETCRTC, &crtc, "end of a mode");
    framebuffer_drop(display);
    printf("gpu: display %u is off\n", number);
}

static void cursor_show(void)
{
    struct drm_mode_cursor2 cursor = { .flags = DRM_MODE_CURSOR_BO,
                                       .crtc_id = displays[0].crtc,
                                       .width = CURSOR_SIDE,
                                       .height = CURSOR_SIDE,
                                       .hot_x = 2,
                                       .hot_y = 1 };
    uint32_t pitch, *pixels = buffer_new(CURSOR_SIDE, CURSOR_SIDE, &cursor.handle, &pitch);

    for (uint32_t i = 0; i < CURSOR_SIDE * CURSOR_SIDE; i++) {
        bool inside = i % CURSOR_SIDE < CURSOR_WIDTH && i / CURSOR_SIDE < CURSOR_HEIGHT;

        pixels[i] = inside ? 0xff000000 | CURSOR_COLOUR : 0;
    }
    card_do(DRM_IOCTL_MODE_CURSOR2, &cursor, "cursor");
    cursor.flags = DRM_MODE_CURSOR_MOVE;
    cursor.x = CURSOR_X;
    cursor.y = CURSOR_Y;
    card_do(DRM_IOCTL_MODE_CURSOR2, &cursor, "place of the cursor");
}

static void monitors_follow(void)
{
    for (unsigned number = 1; number <= n_displays; number++) {
        struct display *display = &displays[number - 1];
        struct drm_mode_modeinfo mode;

        if (!mode_preferred(display, &mode)) {
            if (display->width > 0) {
                hide(number);
            }
        } else if (mode.hdisplay != display->width || mode.vdisplay != display->height) {
            show(number, &mode);
        }
    }
}

/* --- Messages of the kernel ------------------------------------------------------------------- */

static int uevents_open(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
    int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        printf("gpu: FAILED: no messages from the kernel: %s\n", strerror(errno));
        exit(1);
    }
    return fd;
}

/* Waits for one about monitors. */
static void hotplug_wait(int fd)
{
    char message[4096];
    ssize_t n;

    while ((n = recv(fd, message, sizeof(message) - 1, 0)) >= 0 || errno == EINTR ||
           errno == ENOBUFS) {
        for (ssize_t at = 0; at < n; at += (ssize_t)strlen(message + at) + 1) {
            message[n] = '\0';
            if (strcmp(message + at, "HOTPLUG=1") == 0) {
                return;
            }
        }
    }
}

int main(int argc, char **argv)
{
    int uevents;

    if (argc == 5 && strcmp(argv[1], "expect") == 0) {
        return expect((unsigned)atoi(argv[2]), (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    if (card < 0) {
        printf("gpu: FAILED: /dev/dri/card0: %s\n", strerror(errno));
        return 1;
    }
    uevents = uevents_open();
    displays_find();
    monitors_follow();
    cursor_show();
    printf("gpu: ready\n");
    for (;;) {
        hotplug_wait(uevents);
        monitors_follow();
    }
}
