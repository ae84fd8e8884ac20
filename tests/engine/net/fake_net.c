/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands in for oriel-net in test_net_card.c. What it does is in the variable FAKE_NET:
 *
 *   echo     sends every frame back, offloads and all
 *   garbage  answers each frame with many messages that are none, then with the frame
 *   leaves   ends at the first frame
 *   liar     answers its second request with too few bytes
 *   many     answers a request for connections with more than there can be
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/wire.h"

static const char *what;
static uint8_t message[sizeof(struct wire_frame) + NET_FRAME_MAX + 1000];

static bool is(const char *name)
{
    return strcmp(what, name) == 0;
}

static void give(const void *bytes, size_t n)
{
    send(WIRE_FRAMES_FD, bytes, n, MSG_NOSIGNAL);
}

static void garbage(void)
{
    static uint8_t bytes[sizeof(message)];
    uint32_t seed = 1;

    for (unsigned i = 0; i < 400; i++) {
        size_t n = 1 + (i < 20 ? i : seed % (i % 50 == 0 ? sizeof(bytes) : 200));

        for (size_t b = 0; b < n; b++) {
            seed = seed * 1664525 + 1013904223;
            bytes[b] = (uint8_t)(seed >> 24);
        }
        bytes[0] |= 0x80; /* no flag that there is: never taken for a frame */
        give(bytes, n);
    }
}

static void frame(void)
{
    ssize_t n = recv(WIRE_FRAMES_FD, message, sizeof(message), 0);

    if (n <= 0 || is("leaves")) {
        exit(0);
    }
    if (is("garbage")) {
        garbage();
    }
    give(message, (size_t)n);
}

static void request(void)
{
    static unsigned requests;
    struct wire_request request;
    struct wire_reply reply = { 0 };
    ssize_t n = recv(WIRE_CONTROL_FD, &request, sizeof(request), 0);

    if (n <= 0) {
        exit(0);
    }
    if (is("many") && request.op == WIRE_CONNECTIONS) {
        reply.n = UINT32_MAX;
    }
    send(WIRE_CONTROL_FD, &reply, is("liar") && requests++ > 0 ? 3 : sizeof(reply), MSG_NOSIGNAL);
}

int main(void)
{
    struct pollfd fds[] = { { .fd = WIRE_FRAMES_FD, .events = POLLIN },
                            { .fd = WIRE_CONTROL_FD, .events = POLLIN } };

    what = getenv("FAKE_NET");
    for (;;) {
        poll(fds, 2, -1);
        if (fds[1].revents) {
            request();
        }
        if (fds[0].revents) {
            frame();
        }
    }
}
