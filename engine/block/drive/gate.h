/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A gate that many pass through at once, or one alone. Unlike a lock of pthreads it may be left by
 * another thread than the one that entered: a request enters where it is submitted and leaves where
 * its completion arrives. Whoever wants to be alone goes before those who come later.
 *
 * Threads: all functions from any thread, but init and clear.
 */
#ifndef ENGINE_BLOCK_GATE_H
#define ENGINE_BLOCK_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside;
    unsigned closers; /* want to be alone, or are */
    bool alone;
};

void gate_init(struct gate *gate);
void gate_clear(struct gate *gate);
/* Waits while somebody is alone inside or wants to be. Not to be nested. */
void gate_enter(struct gate *gate);
/* The same, but false where gate_enter() would wait. */
bool gate_enter_now(struct gate *gate);
void gate_leave(struct gate *gate);
/* Waits until nobody is inside, and keeps everybody out until gate_open(). */
void gate_close(struct gate *gate);
void gate_open(struct gate *gate);

#endif
