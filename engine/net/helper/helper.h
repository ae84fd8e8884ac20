/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of oriel-net, the process behind one network card of a running machine (see wire.h).
 * One thread; main.c has the loop. What the guest, the engine and other machines send is not
 * trusted.
 */
#ifndef ENGINE_NET_HELPER_H
#define ENGINE_NET_HELPER_H

#include <glib.h>
#include <poll.h>
#include <stdbool.h>

#include "net/wire.h"

enum {
    HELPER_MTU = 1500,
};

/* --- Frames to the engine (frames.c) ---------------------------------------------------------- */

struct bucket {
    uint64_t rate; /* bytes a second; 0: no limit */
    int64_t tokens;
    gint64 filled_at;
};

void bucket_set(struct bucket *bucket, uint64_t rate);
void bucket_take(struct bucket *bucket, uint32_t bytes);
/* Milliseconds until the next may go; 0: now. */
int bucket_wait(struct bucket *bucket);

struct frames {
    int fd;
    GQueue waiting; /* GBytes, whole messages */
    gsize waiting_bytes;
    uint64_t dropped;
    struct capture *capture;
    struct flows *flows;
    struct bucket to_guest;
};

/*
 * Sends a frame to the guest, or keeps it while the engine takes none; more than some megabytes are
 * dropped. `bytes` has sizeof(struct wire_frame) bytes of room in front of it.
 */
void frames_give(struct frames *frames, const struct net_offload *offload, uint8_t *bytes,
                 uint32_t length);
/* Sends what waits. */
void frames_flush(struct frames *frames);
static inline bool frames_wait(const struct frames *frames)
{
    return frames->waiting.length > 0;
}

/* --- What is behind the card ---------------------------------------------------------------------
 *
 * Each of the two has: a function that adds descriptors to poll and shortens the time in
 * milliseconds (-1: endless), one that looks at what poll() said, and one that takes a frame of the
 * guest, whose bytes it may change.
 */

struct user; /* user.c: libslirp */
struct user *user_new(const struct wire_start *start, struct frames *frames);
void user_fill(struct user *user, GArray *pollfds, int *timeout);
void user_poll(struct user *user, GArray *pollfds);
void user_input(struct user *user, const struct wire_frame *header, uint8_t *bytes,
                uint32_t length);
/* errno values. */
int user_forward(struct user *user, const struct wire_forward *forward, bool add);

struct private_network; /* private.c: machines of this user */
/* NULL with errno set. */
struct private_network *private_new(const struct wire_start *start, struct frames *frames);
void private_fill(struct private_network *network, GArray *pollfds, int *timeout);
void private_poll(struct private_network *network, GArray *pollfds);
void private_input(struct private_network *network, const struct wire_frame *header,
                   const uint8_t *bytes, uint32_t length);
/* True while a frame waits for another machine: no more may be given. */
bool private_busy(const struct private_network *network);
void private_end(struct private_network *network);

/* --- Looking on ------------------------------------------------------------------------------- */

struct flows; /* flows.c: who talks to whom */
struct flows *flows_new(void);
/* A frame of the guest, or to it. */
void flows_note(struct flows *flows, bool to_guest, const uint8_t *bytes, uint32_t length);
/* The latest, at most WIRE_CONNECTIONS_MAX. */
unsigned flows_list(const struct flows *flows, struct wire_connection *connections);

struct names; /* names.c: addresses that the guest has asked names for */
struct names *names_new(void);
/* The data of an UDP packet from port 53. */
void names_note(struct names *names, const uint8_t *bytes, uint32_t length);
/* NULL: unknown. */
const char *names_find(const struct names *names, const uint8_t *address, bool ipv6);

struct capture; /* capture.c: pcapng */
/* Takes the descriptor. */
struct capture *capture_new(int fd);
void capture_free(struct capture *capture);
void capture_note(struct capture *capture, bool to_guest, const uint8_t *bytes, uint32_t length);

/* --- Sandbox (sandbox.c) ---------------------------------------------------------------------- */

/*
 * From here on: no new privileges, no files but the ones that say which name servers this computer
 * uses (user) or the folder of the private network, no system calls but what the loop needs. Where
 * the kernel lacks a part the others hold.
 */
void sandbox_enter(const struct wire_start *start);
/* False if the computer's name servers are now in a file that the sandbox keeps out: only a new
 * process can read it. Looks at most once a second. */
bool sandbox_resolver_reachable(void);

#endif
