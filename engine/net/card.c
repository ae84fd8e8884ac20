/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frames of a card. What comes from oriel-net may come from another machine, so its offloads
 * are checked, and what the card does not take is done here.
 */
#include <errno.h>

#include "net/card_private.h"

bool net_card_link(struct net_card *card)
{
    return card->plugged && !card->held && (card->fd >= 0 || card->starts);
}

/* --- Sending ---------------------------------------------------------------------------------- */

static void message_fill(struct net_card *card, unsigned i, const struct net_frame *frame,
                         struct iovec *iov)
{
    card->headers[i] = (struct wire_frame){ .offload = frame->offload, .accept = card->accept };
    iov[0] = (struct iovec){ &card->headers[i], sizeof(card->headers[i]) };
    for (unsigned s = 0; s < frame->n_spans; s++) {
        iov[s + 1] = (struct iovec){ frame->spans[s].base, frame->spans[s].length };
    }
    card->messages[i] = (struct mmsghdr){
        .msg_hdr = { .msg_iov = iov, .msg_iovlen = frame->n_spans + 1 },
    };
}

/* Sends messages from..n; how many were taken. Those that no socket takes are lost. */
static unsigned messages_send(struct net_card *card, unsigned from, unsigned n)
{
    int sent = sendmmsg(card->fd, card->messages + from, n - from, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent > 0) {
        return (unsigned)sent;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM) {
        return 0;
    }
    card->counters.dropped++;
    return 1;
}

unsigned net_card_send(struct net_card *card, const struct net_frame *frames, unsigned n)
{
    struct iovec *iov = card->iov;
    unsigned sent = 0, spans = 0;

    for (unsigned i = 0; i < n; i++) {
        spans += frames[i].n_spans;
    }
    g_assert(n <= NET_BATCH_MAX && spans <= NET_SPANS_MAX);
    if (!net_card_link(card)) {
        card->counters.dropped += n;
        return n;
    }
    if (card->fd < 0) {
        return 0; /* on_net() follows when there is a process */
    }
    for (unsigned i = 0; i < n; i++) {
        message_fill(card, i, &frames[i], iov);
        iov += frames[i].n_spans + 1;
    }
    while (sent < n) {
        unsigned taken = messages_send(card, sent, n);

        for (unsigned i = sent; i < sent + taken; i++) {
            card->counters.frames_sent++;
            card->counters.bytes_sent += frames[i].length;
        }
        sent += taken;
        if (taken == 0) {
            card_wait_for_room(card);
            break;
        }
    }
    return sent;
}

/* --- Receiving -------------------------------------------------------------------------------- */

static bool receive_batch(struct net_card *card)
{
    struct mmsghdr messages[RECEIVE_BATCH] = { 0 };
    struct iovec iov[RECEIVE_BATCH];
    int n;

    card->n = card->next = 0;
    if (card->fd < 0 || card->drained) {
        return false;
    }
    if (!card->slots) {
        card->slots = g_malloc((gsize)RECEIVE_BATCH * SLOT_SIZE);
    }
    for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
        iov[i] = (struct iovec){ card->slots + (size_t)i * SLOT_SIZE, SLOT_SIZE };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
    }
    n = recvmmsg(card->fd, messages, RECEIVE_BATCH, MSG_DONTWAIT, NULL);
    card->drained = n < RECEIVE_BATCH;
    for (int i = 0; i < n; i++) {
        bool cut_off = messages[i].msg_hdr.msg_flags & MSG_TRUNC;

        card->lengths[i] = cut_off ? 0 : messages[i].msg_len;
        if (messages[i].msg_len == 0) {
            n = i; /* the end: the thread sees it, too */
            break;
        }
    }
    card->n = n > 0 ? (unsigned)n : 0;
    return card->n > 0;
}

static bool is_accepted(const struct net_card *card, const struct net_offload *offload)
{
    unsigned needs = NET_ACCEPT_CSUM |
                     (offload->gso == NET_GSO_TCP4 ? NET_ACCEPT_TCP4 : NET_ACCEPT_TCP6) |
                     (offload->flags & NET_ECN ? NET_ACCEPT_ECN : 0);

    return (card->accept & needs) == needs;
}

/* Makes the next frame of the batch the current one; false if it is none. */
static bool slot_show(struct net_card *card)
{
    uint8_t *slot = card->slots + (size_t)card->next * SLOT_SIZE;
    uint32_t length = card->lengths[card->next];
    struct wire_frame header;

    if (length < sizeof(header) + NET_FRAME_MIN || !card->plugged || card->held) {
        card->counters.refused += card->plugged && !card->held;
        return false;
    }
    memcpy(&header, slot, sizeof(header));
    slot += sizeof(header);
    length -= (uint32_t)sizeof(header);
    if (!offload_valid(&header.offload, slot, length)) {
        card->counters.refused++;
        return false;
    }
    if (header.offload.gso != NET_GSO_NONE && !is_accepted(card, &header.offload)) {
        offload_cut_start(&card->cut, &header.offload, slot, length, header.offload.gso_size);
        card->cutting = true;
        return false;
    }
    if (header.offload.gso == NET_GSO_NONE && !(card->accept & NET_ACCEPT_CSUM)) {
        offload_checksum(&header.offload, slot, length);
        memcpy(slot - sizeof(header), &header, sizeof(header));
    }
    card->current = (struct net_received){ header.offload, length, slot };
    return true;
}

const struct net_received *net_card_peek(struct net_card *card)
{
    while (!card->shown) {
        if (card->cutting) {
            uint32_t length = offload_cut_next(&card->cut, card->cut_bytes);

            card->current =
                (struct net_received){ { .flags = NET_CSUM_VALID }, length, card->cut_bytes };
            card->shown = length > 0;
            card->cutting = card->shown;
            card->next += !card->shown;
        } else if (card->next < card->n) {
            card->shown = slot_show(card);
            card->next += !card->shown && !card->cutting;
        } else if (!receive_batch(card)) {
            return NULL;
        }
    }
    return &card->current;
}

void net_card_drop(struct net_card *card)
{
    g_assert(card->shown);
    card->counters.frames_received++;
    card->counters.bytes_received += card->current.length;
    card->shown = false;
    card->next += !card->cutting;
}

void net_card_accept(struct net_card *card, unsigned accept)
{
    if (card->accept != accept && !card->cutting) {
        card->shown = false; /* it is looked at again */
    }
    card->accept = (uint8_t)accept;
}

void card_attach(struct net_card *card, int fd)
{
    card->fd = fd;
    card->n = card->next = 0;
    card->shown = card->cutting = card->stuck = card->drained = false;
}

void net_card_counters(struct net_card *card, struct net_counters *counters)
{
    card->cards->functions.enter(card->owner);
    *counters = card->counters;
    card->cards->functions.leave(card->owner);
}
