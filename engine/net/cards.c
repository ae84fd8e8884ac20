/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The thread behind all network cards of a machine. A descriptor of frames is watched for its
 * edges: a card reads until nothing is left or its guest has no buffers, and then goes on when it
 * has.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config/runtime.h"
#include "net/card_private.h"

enum {
    EVENTS_AT_ONCE = 8,
    GOOD_SECONDS = 30,   /* after which a process is one that works */
    RETRY_MS = 100,      /* until the next start; doubled with each failure */
    RETRY_DOUBLINGS = 8, /* at most */
    WATCHED = EPOLLIN | EPOLLRDHUP | EPOLLET,
};

/* --- Entering owners -------------------------------------------------------------------------- */

/* Waits until the thread may enter owners; false: it shall end. */
static bool begin(struct net_cards *cards)
{
    bool go_on;

    pthread_mutex_lock(&cards->lock);
    while (!cards->running && !cards->quit) {
        pthread_cond_wait(&cards->changed, &cards->lock);
    }
    go_on = !cards->quit;
    cards->busy = go_on;
    pthread_mutex_unlock(&cards->lock);
    return go_on;
}

/* False: it shall end. The turn may have taken the wake-up that came with that. */
static bool end(struct net_cards *cards)
{
    bool go_on;

    pthread_mutex_lock(&cards->lock);
    cards->busy = false;
    go_on = !cards->quit;
    pthread_cond_broadcast(&cards->changed);
    pthread_mutex_unlock(&cards->lock);
    return go_on;
}

static void wake(const struct net_cards *cards)
{
    const uint64_t one = 1;

    if (write(cards->wake, &one, sizeof(one)) != sizeof(one)) {
        g_warning("the network's thread cannot be woken");
    }
}

/* --- Processes -------------------------------------------------------------------------------- */

static void retry_later(struct net_card *card)
{
    gint64 now = g_get_monotonic_time();

    if (card->started_at != 0 && now - card->started_at > GOOD_SECONDS * G_USEC_PER_SEC) {
        card->failures = 0;
    }
    card->retry_at = now + ((gint64)RETRY_MS * 1000 << MIN(card->failures, RETRY_DOUBLINGS));
    card->failures++;
    card->started_at = 0;
}

/* Outside of the owner. */
static bool process_start(struct net_card *card)
{
    struct epoll_event event = { .events = WATCHED, .data.ptr = card };
    g_autoptr(GError) error = NULL;
    struct net_process process;
    bool good = net_process_start(&process, &card->start, &error);

    card->retry_at = 0;
    if (!good) {
        if (card->failures == 0) {
            g_warning("%s: %s", card->id, error->message);
        }
        retry_later(card);
        return false;
    }
    pthread_mutex_lock(&card->lock);
    card->process = process;
    card_configure(card);
    pthread_mutex_unlock(&card->lock);
    card->started_at = g_get_monotonic_time();
    card->polled = process.frames;
    epoll_ctl(card->cards->epoll, EPOLL_CTL_ADD, process.frames, &event);
    return true;
}

static void process_end(struct net_card *card)
{
    pthread_mutex_lock(&card->lock);
    net_process_end(&card->process);
    pthread_mutex_unlock(&card->lock);
    card->polled = -1;
}

/* --- Events; the thread may enter ------------------------------------------------------------- */

static void card_change(struct net_card *card, int fd)
{
    const struct net_owner *functions = &card->cards->functions;

    functions->enter(card->owner);
    card_attach(card, fd);
    card->counters.restarts += fd < 0 && !card->starts;
    card->starts = false;
    functions->on_net(card->owner);
    functions->leave(card->owner);
}

static void card_ended(struct net_card *card)
{
    g_message("%s: the network's process has ended; the cable is out until there is a new one",
              card->id);
    card_change(card, -1);
    process_end(card);
    retry_later(card);
}

static void card_event(struct net_card *card, uint32_t events)
{
    const struct net_owner *functions = &card->cards->functions;
    struct epoll_event watched = { .events = WATCHED, .data.ptr = card };

    functions->enter(card->owner);
    card->drained = false;
    if (card->stuck && (events & EPOLLOUT)) {
        card->stuck = false;
        epoll_ctl(card->cards->epoll, EPOLL_CTL_MOD, card->fd, &watched);
    }
    functions->on_net(card->owner);
    functions->leave(card->owner);
    if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
        card_ended(card);
    }
}

void card_wait_for_room(struct net_card *card)
{
    struct epoll_event watched = { .events = WATCHED | EPOLLOUT, .data.ptr = card };

    card->stuck = true;
    epoll_ctl(card->cards->epoll, EPOLL_CTL_MOD, card->fd, &watched);
}

/* The cable was out for the time of a save: both ends see it come back. */
static void card_release(struct net_card *card)
{
    const struct net_owner *functions = &card->cards->functions;

    functions->enter(card->owner);
    if (card->held) {
        functions->on_net(card->owner);
        card->held = false;
        functions->on_net(card->owner);
    }
    functions->leave(card->owner);
}

/* What has come or gone while the machine stood still; true if the card takes part in this turn. */
static bool card_look(struct net_card *card)
{
    bool leaves, arrives;

    pthread_mutex_lock(&card->cards->lock);
    leaves = card->leaves;
    arrives = card->arrives;
    if (card->arrives && card->mode != ORIEL_NETWORK_NONE) {
        card->retry_at = g_get_monotonic_time();
    }
    card->arrives = false;
    pthread_mutex_unlock(&card->cards->lock);
    if (leaves) {
        process_end(card);
        card->retry_at = 0;
        pthread_mutex_lock(&card->cards->lock);
        card->used = card->leaves = false;
        pthread_cond_broadcast(&card->cards->changed);
        pthread_mutex_unlock(&card->cards->lock);
    }
    return card->used && !arrives;
}

/* --- The thread ------------------------------------------------------------------------------- */

/* Milliseconds until the next start of a process; -1: none is due. */
static int timeout_next(const struct net_cards *cards)
{
    gint64 next = G_MAXINT64, now = g_get_monotonic_time();

    for (guint i = 0; i < cards->all->len; i++) {
        const struct net_card *card = cards->all->pdata[i];

        if (card->retry_at != 0) {
            next = MIN(next, card->retry_at);
        }
    }
    return next == G_MAXINT64 ? -1 : (int)(MAX(next - now, 0) / 1000 + (next > now));
}

static void events_take(struct net_cards *cards, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t count;

        struct net_card *card = events[i].data.ptr;

        if (card) {
            if (card->used) {
                card_event(card, events[i].events);
            }
        } else if (read(cards->wake, &count, sizeof(count)) != sizeof(count)) {
            continue;
        }
    }
}

static void *cards_thread(void *context)
{
    struct net_cards *cards = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    bool fresh[CONFIG_NETWORKS_MAX];

    pthread_setname_np(pthread_self(), "network");
    for (;;) {
        int n = epoll_wait(cards->epoll, events, EVENTS_AT_ONCE, timeout_next(cards));
        gint64 now = g_get_monotonic_time();

        for (guint i = 0; i < cards->all->len; i++) {
            struct net_card *card = cards->all->pdata[i];

            fresh[i] = card->retry_at != 0 && card->retry_at <= now && process_start(card);
        }
        if (!begin(cards)) {
            return NULL;
        }
        for (guint i = 0; i < cards->all->len; i++) {
            struct net_card *card = cards->all->pdata[i];

            if (!card_look(card)) {
                continue;
            }
            card_release(card);
            if (fresh[i]) {
                card_change(card, card->polled);
            } else if (card->starts && card->retry_at != 0) {
                card_change(card, -1); /* the first start has failed */
            }
        }
        events_take(cards, events, n);
        if (!end(cards)) {
            return NULL;
        }
    }
}

/* --- Life ------------------------------------------------------------------------------------- */

/* Under the lock. */
static bool any_used(const struct net_cards *cards)
{
    bool used = false;

    for (guint i = 0; i < cards->all->len; i++) {
        used |= ((const struct net_card *)cards->all->pdata[i])->used;
    }
    return used;
}

void net_cards_go(struct net_cards *cards)
{
    pthread_mutex_lock(&cards->lock);
    cards->running = true;
    pthread_cond_broadcast(&cards->changed);
    if (!cards->started && any_used(cards)) {
        cards->started = pthread_create(&cards->thread, NULL, cards_thread, cards) == 0;
        g_assert(cards->started);
    }
    pthread_mutex_unlock(&cards->lock);
    wake(cards);
}

void net_cards_halt(struct net_cards *cards)
{
    pthread_mutex_lock(&cards->lock);
    cards->running = false;
    while (cards->busy) {
        pthread_cond_wait(&cards->changed, &cards->lock);
    }
    pthread_mutex_unlock(&cards->lock);
}

void net_cards_replug(struct net_cards *cards)
{
    for (guint i = 0; i < cards->all->len; i++) {
        struct net_card *card = cards->all->pdata[i];

        if (!card->used) {
            continue;
        }
        cards->functions.enter(card->owner);
        card->held = true;
        cards->functions.leave(card->owner);
    }
}

void net_cards_stop(struct net_cards *cards)
{
    if (cards->started) {
        pthread_mutex_lock(&cards->lock);
        cards->quit = true;
        pthread_cond_broadcast(&cards->changed);
        pthread_mutex_unlock(&cards->lock);
        wake(cards);
        pthread_join(cards->thread, NULL);
        cards->started = false;
    }
    for (guint i = 0; i < cards->all->len; i++) {
        struct net_card *card = cards->all->pdata[i];

        card->fd = -1;
        process_end(card);
    }
}

static void card_free(gpointer data)
{
    struct net_card *card = data;

    g_array_unref(card->forwards);
    pthread_mutex_destroy(&card->lock);
    g_free(card->slots);
    g_free(card->id);
    g_free(card);
}

/* The folder where the machines of a private network meet; empty if there can be none. */
static void private_place(struct net_card *card, const OrielConfig *config, const char *network)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = oriel_runtime_base(&error);
    g_autofree char *folder = base ? g_build_filename(base, "networks", network, NULL) : NULL;

    card->start.mode = WIRE_PRIVATE;
    g_snprintf(card->start.name, sizeof(card->start.name), "%.8s-%s", config->uuid, card->id);
    if (folder && strlen(folder) + 1 + strlen(card->start.name) < WIRE_PATH_SIZE &&
        g_mkdir_with_parents(folder, 0700) == 0) {
        g_strlcpy(card->start.folder, folder, sizeof(card->start.folder));
        return;
    }
    g_warning(
        "%s: the private network “%s” cannot be reached: its folder “%s” cannot be made or its "
        "path is too long. Set XDG_RUNTIME_DIR to a shorter one.",
        card->id, network, folder ? folder : "");
    card->mode = ORIEL_NETWORK_NONE;
}

static void mac_take(uint8_t mac[NET_MAC_SIZE], const char *text)
{
    for (guint i = 0; i < NET_MAC_SIZE; i++) {
        mac[i] = (uint8_t)(g_ascii_xdigit_value(text[3 * i]) << 4 |
                           g_ascii_xdigit_value(text[3 * i + 1]));
    }
}

static struct net_card *place_new(struct net_cards *cards)
{
    struct net_card *card = g_new0(struct net_card, 1);

    card->cards = cards;
    card->mode = ORIEL_NETWORK_NONE;
    card->fd = card->polled = -1;
    card->process = (struct net_process){ .frames = -1, .control = -1 };
    card->forwards = g_array_new(FALSE, FALSE, sizeof(OrielForward));
    pthread_mutex_init(&card->lock, NULL);
    return card;
}

/* A place that is free becomes a card. */
static void card_fill(struct net_card *card, const OrielConfig *config, const OrielNetwork *network)
{
    g_free(card->id);
    g_array_unref(card->forwards);
    card->id = g_strdup(network->id);
    card->mode = network->mode;
    card->plugged = !network->link_down;
    card->held = card->starts = card->arrives = false;
    card->accept = 0;
    card->failures = 0;
    card->started_at = 0;
    card->counters = (struct net_counters){ 0 };
    card->limits = (struct wire_limits){ 0 };
    card_attach(card, -1);
    card->forwards = oriel_forwards_parse(network->forwards ? network->forwards : "", NULL);
    card->start = (struct wire_start){ .mode = WIRE_USER,
                                       .mtu = 1500,
                                       .host_access = network->host_access != FALSE };
    mac_take(card->start.mac, network->mac);
    if (card->mode == ORIEL_NETWORK_PRIVATE) {
        private_place(card, config, network->network);
    }
    card->starts = card->arrives = card->mode != ORIEL_NETWORK_NONE;
    card->used = true;
}

struct net_card *net_cards_add(struct net_cards *cards, const OrielConfig *config,
                               const OrielNetwork *network, GError **error)
{
    struct net_card *found = NULL;

    pthread_mutex_lock(&cards->lock);
    for (guint i = 0; i < cards->all->len && !found; i++) {
        struct net_card *card = cards->all->pdata[i];

        found = card->used ? NULL : card;
    }
    if (found) {
        /* A command that came too late for the card before may still be looking at the place. */
        pthread_mutex_lock(&found->lock);
        card_fill(found, config, network);
        pthread_mutex_unlock(&found->lock);
    }
    pthread_mutex_unlock(&cards->lock);
    if (!found) {
        g_set_error(error, ORIEL_ERROR, ORIEL_ERROR_STATE,
                    "“%s” is still busy with taking a network card out; try again.", config->name);
    }
    return found;
}

void net_cards_remove(struct net_card *card)
{
    pthread_mutex_lock(&card->cards->lock);
    card->leaves = true;
    card->owner = NULL;
    card_attach(card, -1);
    card->starts = false;
    pthread_mutex_unlock(&card->cards->lock);
}

struct net_cards *net_cards_new(const OrielConfig *config, const struct net_owner *functions)
{
    struct net_cards *cards = g_new0(struct net_cards, 1);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    cards->functions = *functions;
    cards->all = g_ptr_array_new_with_free_func(card_free);
    pthread_mutex_init(&cards->lock, NULL);
    pthread_cond_init(&cards->changed, NULL);
    cards->epoll = epoll_create1(EPOLL_CLOEXEC);
    cards->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_ctl(cards->epoll, EPOLL_CTL_ADD, cards->wake, &event);
    for (guint i = 0; i < CONFIG_NETWORKS_MAX; i++) {
        g_ptr_array_add(cards->all, place_new(cards));
    }
    for (guint i = 0; i < config->networks->len; i++) {
        net_cards_add(cards, config, config->networks->pdata[i], NULL);
    }
    return cards;
}

void net_cards_free(struct net_cards *cards)
{
    if (!cards) {
        return;
    }
    net_cards_stop(cards);
    g_ptr_array_free(cards->all, TRUE);
    close(cards->epoll);
    close(cards->wake);
    pthread_cond_destroy(&cards->changed);
    pthread_mutex_destroy(&cards->lock);
    g_free(cards);
}
