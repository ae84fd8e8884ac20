/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A VNC server of 1920 x 1080 pixels that changes when its client has taken the last change, at
 * most RATE times a second.
 *
 * usage: vnc_source full|small RATE SECONDS
 *
 * Waits for a client at the Unix socket PATH, lets it have a second, then prints "begin", and after
 * SECONDS "frames N".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <rfb/rfb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    WIDTH = 1920,
    HEIGHT = 1080,
    SMALL = 64,
};

static uint32_t pixels[WIDTH * HEIGHT];
static unsigned long frames;
static int side_x, side_y;
static bool is_due;
static double interval, next_change;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void change(rfbScreenInfoPtr screen)
{
    frames++;
    for (int y = 0; y < side_y; y++) {
        memset(pixels + (size_t)y * WIDTH, (int)frames, (size_t)side_x * sizeof(pixels[0]));
    }
    rfbMarkRectAsModified(screen, 0, 0, side_x, side_y);
}

static void on_sent(rfbClientPtr client, int result)
{
    is_due = true;
}

static void log_quietly(const char *format, ...)
{
}

static int client_accept(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        perror("vnc_source");
        exit(1);
    }
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    client = accept(fd, NULL, NULL);
    close(fd);
    return client;
}

static void run(rfbScreenInfoPtr screen, double seconds)
{
    double end = now() + seconds;

    while (now() < end && screen->clientHead) {
        rfbProcessEvents(screen, 1000);
        if (is_due && now() >= next_change) {
            is_due = false;
            next_change = now() + interval;
            change(screen);
        }
    }
}

int main(int argc, char **argv)
{
    rfbScreenInfoPtr screen;
    unsigned long before;

    if (argc != 4) {
        fprintf(stderr, "usage: vnc_source full|small RATE SECONDS\n");
        return 2;
    }
    side_x = strcmp(argv[1], "full") == 0 ? WIDTH : SMALL;
    side_y = strcmp(argv[1], "full") == 0 ? HEIGHT : SMALL;
    interval = 1 / atof(argv[2]);
    rfbLog = rfbErr = log_quietly;
    screen = rfbGetScreen(NULL, NULL, WIDTH, HEIGHT, 8, 3, 4);
    screen->frameBuffer = (char *)pixels;
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
    screen->deferUpdateTime = 0;
    screen->port = screen->ipv6port = -1;
    screen->cursor = NULL;
    screen->displayFinishedHook = on_sent;
    rfbNewClient(screen, client_accept());
    change(screen);
    run(screen, 1);
    printf("begin\n");
    fflush(stdout);
    before = frames;
    run(screen, atof(argv[3]));
    printf("frames %lu\n", frames - before);
    fflush(stdout);
    return 0;
}
