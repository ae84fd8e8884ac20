/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What card.c (frames), cards.c (thread) and card_control.c (what the user does) share. */
#ifndef ENGINE_NET_CARD_PRIVATE_H
#define ENGINE_NET_CARD_PRIVATE_H

#include <pthread.h>
#include <sys/socket.h>

#include "net/card.h"
#include "net/offload.h"
#include "net/process.h"

enum {
    RECEIVE_BATCH = 16,
    SLOT_SIZE = sizeof(struct wire_frame) + NET_FRAME_MAX,
};

struct net_card {
    struct net_cards *cards;
    void *owner;

    /* Under the lock of all. */
    bool used;    /* it is a card of the machine, */
    bool arrives; /* which the thread has not seen yet, */
    bool leaves;  /* or which the thread has to take leave of before the place is free */
    char *id;
    OrielNetworkMode mode;
    struct wire_start start;

    /* Inside the owner. */
    int fd;       /* frames; -1: none, or the cable is out */
    bool starts;  /* the first process is on its way: frames wait for it */
    bool plugged; /* by the user */
    bool held;    /* out until the next net_cards_go() */
    bool stuck;   /* not all could be sent */
    uint8_t accept;
    uint8_t *slots; /* RECEIVE_BATCH of SLOT_SIZE bytes, from the first receive on */
    uint32_t lengths[RECEIVE_BATCH];
    unsigned n, next; /* received, and of them the current one */
    bool drained;     /* nothing more has come until the descriptor's next edge */
    bool shown;       /* `current` is valid */
    bool cutting;     /* the current one is being cut */
    struct offload_cut cut;
    uint8_t cut_bytes[256 + 65536];
    struct net_received current;
    struct net_counters counters;
    struct wire_frame headers[NET_BATCH_MAX];
    struct iovec iov[NET_SPANS_MAX + NET_BATCH_MAX];
    struct mmsghdr messages[NET_BATCH_MAX];

    /* The process and what it shall do. Taken outside of the owner. */
    pthread_mutex_t lock;
    struct net_process process;
    GArray *forwards; /* OrielForward */
    struct wire_limits limits;

    /* The thread's. */
    int polled;        /* descriptor in its epoll set, -1 */
    gint64 retry_at;   /* monotonic microseconds; 0: no start is due */
    unsigned failures; /* in a row */
    gint64 started_at;
};

struct net_cards {
    struct net_owner functions;
    GPtrArray *all; /* struct net_card, CONFIG_NETWORKS_MAX: places, perhaps not used */
    int epoll, wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* running, quit, busy, or a place that is free now */
    bool started, running, quit;
    bool busy; /* the thread may be inside an owner */
};

/* Inside the owner: frames go through this descriptor from now on; -1: the cable is out. What has
 * come through the old one is gone. */
void card_attach(struct net_card *card, int fd);
/* Asks the thread to say when there is room to send again. */
void card_wait_for_room(struct net_card *card);
/* A new process of the card gets all forwards and limits. Under the card's lock. */
void card_configure(struct net_card *card);

#endif
