/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts Xorg and shows a known pattern on each of its monitors, side by side, at the size that the
 * monitor prefers, which xrandr sets; does so again when Xorg says that something about the
 * monitors has changed. Each monitor that shows something else than before is one line:
 *
 *     x: display 1 shows 1280x720
 *     x: display 2 is off
 *
 * "x-pattern expect DISPLAY WIDTH HEIGHT" writes what the picture is then: red, green and blue of
 * each pixel, one byte each.
 */
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/Xrandr.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pattern.h"

enum {
    DISPLAYS_MAX = 4,
    COMMAND_SIZE = 1024,
};

struct shown {
    unsigned width, height; /* 0: nothing */
};

static Display *server;
static Window root;
static struct shown shown[DISPLAYS_MAX];

static int expect(unsigned display, uint32_t width, uint32_t height)
{
    for (uint32_t i = 0; i < width * height; i++) {
        uint32_t pixel = pattern(display, i % width, i / width);

        putchar((int)(pixel >> 16 & 255));
        putchar((int)(pixel >> 8 & 255));
        putchar((int)(pixel & 255));
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

static void fail(const char *what)
{
    printf("x: FAILED: %s\n", what);
    exit(1);
}

static void server_start(void)
{
    if (fork() == 0) {
        execl("/usr/bin/Xorg", "Xorg", ":0", "-nocursor", "-noreset", "-s", "0", "-nolisten", "tcp",
              (char *)NULL);
        _exit(1);
    }
    while (!(server = XOpenDisplay(":0"))) {
        usleep(200000);
    }
    root = DefaultRootWindow(server);
    if (DefaultDepth(server, DefaultScreen(server)) != 24) {
        fail("the screen has no 24 bits of depth");
    }
}

/* Whether the monitor shows something else than it prefers. */
static bool output_differs(XRRScreenResources *resources, const XRROutputInfo *output)
{
    XRRCrtcInfo *crtc;
    bool differs;

    if (output->connection != RR_Connected || output->crtc == None) {
        return (output->connection == RR_Connected) != (output->crtc != None);
    }
    crtc = XRRGetCrtcInfo(server, resources, output->crtc);
    differs = output->nmode > 0 && crtc->mode != output->modes[0];
    XRRFreeCrtcInfo(crtc);
    return differs;
}

/* All monitors at the size that they prefer, the first one to the left. */
static void monitors_set(XRRScreenResources *resources)
{
    char command[COMMAND_SIZE] = "xrandr -d :0", before[64] = "";
    bool differs = false;

    for (int i = 0; i < resources->noutput; i++) {
        XRROutputInfo *output = XRRGetOutputInfo(server, resources, resources->outputs[i]);
        size_t n = strlen(command);

        differs |= output_differs(resources, output);
        if (output->connection != RR_Connected) {
            snprintf(command + n, sizeof(command) - n, " --output %s --off", output->name);
        } else {
            snprintf(command + n, sizeof(command) - n, " --output %s --preferred%s%s", output->name,
                     before[0] ? " --right-of " : " --pos 0x0", before);
            snprintf(before, sizeof(before), "%s", output->name);
        }
        XRRFreeOutputInfo(output);
    }
    if (differs && system(command) != 0) {
        printf("x: refused: %s\n", command);
    }
}

static void pattern_put(unsigned number, const XRRCrtcInfo *crtc)
{
    XImage *image = XCreateImage(server, DefaultVisual(server, DefaultScreen(server)), 24, ZPixmap,
                                 0, malloc((size_t)crtc->width * crtc->height * 4), crtc->width,
                                 crtc->height, 32, 0);
    GC gc = XCreateGC(server, root, 0, NULL);

    for (uint32_t y = 0; y < crtc->height; y++) {
        for (uint32_t x = 0; x < crtc->width; x++) {
            XPutPixel(image, (int)x, (int)y, pattern(number, x, y));
        }
    }
    XPutImage(server, root, gc, image, 0, 0, crtc->x, crtc->y, crtc->width, crtc->height);
    XFreeGC(server, gc);
    XDestroyImage(image);
}

/* What monitor `number` shows by now. */
static struct shown monitor_draw(XRRScreenResources *resources, unsigned number)
{
    XRROutputInfo *output = XRRGetOutputInfo(server, resources, resources->outputs[number - 1]);
    struct shown now = { 0 };

    if (output->crtc != None) {
        XRRCrtcInfo *crtc = XRRGetCrtcInfo(server, resources, output->crtc);

        now = (struct shown){ crtc->width, crtc->height };
        pattern_put(number, crtc);
        XRRFreeCrtcInfo(crtc);
    }
    XRRFreeOutputInfo(output);
    return now;
}

static void monitors_follow(void)
{
    XRRScreenResources *resources = XRRGetScreenResources(server, root); /* looks at the monitors */
    struct shown now[DISPLAYS_MAX];

    if (!resources || resources->noutput < 1 || resources->noutput > DISPLAYS_MAX) {
        fail("no outputs, or too many");
    }
    monitors_set(resources);
    XRRFreeScreenResources(resources);
    resources = XRRGetScreenResourcesCurrent(server, root);
    for (int i = 0; i < resources->noutput; i++) {
        now[i] = monitor_draw(resources, (unsigned)i + 1);
    }
    XSync(server, False);
    for (int i = 0; i < resources->noutput; i++) {
        if (now[i].width == 0 && shown[i].width != 0) {
            printf("x: display %d is off\n", i + 1);
        } else if (now[i].width != shown[i].width || now[i].height != shown[i].height) {
            printf("x: display %d shows %ux%u\n", i + 1, now[i].width, now[i].height);
        }
        shown[i] = now[i];
    }
    XRRFreeScreenResources(resources);
}

int main(int argc, char **argv)
{
    int first, errors;

    if (argc == 5 && strcmp(argv[1], "expect") == 0) {
        return expect((unsigned)atoi(argv[2]), (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[4]));
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    server_start();
    if (!XRRQueryExtension(server, &first, &errors)) {
        fail("the server has no RandR");
    }
    XRRSelectInput(server, root, RRScreenChangeNotifyMask | RROutputChangeNotifyMask);
    monitors_follow();
    printf("x: ready\n");
    for (;;) {
        XEvent event;

        XNextEvent(server, &event);
        XRRUpdateConfiguration(&event);
        while (XPending(server) > 0) {
            XNextEvent(server, &event);
            XRRUpdateConfiguration(&event);
        }
        monitors_follow();
    }
}
