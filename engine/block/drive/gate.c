/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See gate.h. */
#include "gate.h"

void gate_init(struct gate *gate)
{
    *gate = (struct gate){ 0 };
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

void gate_clear(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
    pthread_cond_destroy(&gate->changed);
}

void gate_enter(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->closers > 0) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    gate->inside++;
    pthread_mutex_unlock(&gate->lock);
}

bool gate_enter_now(struct gate *gate)
{
    bool entered;

    pthread_mutex_lock(&gate->lock); /* held for a few instructions only */
    entered = gate->closers == 0;
    gate->inside += entered;
    pthread_mutex_unlock(&gate->lock);
    return entered;
}

void gate_leave(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->inside--;
    if (gate->inside == 0 && gate->closers > 0) {
        pthread_cond_broadcast(&gate->changed);
    }
    pthread_mutex_unlock(&gate->lock);
}

void gate_close(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->closers++;
    while (gate->inside > 0 || gate->alone) {
        pthread_cond_wait(&gate->changed, &gate->lock);
    }
    gate->alone = true;
    pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->alone = false;
    gate->closers--;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}
