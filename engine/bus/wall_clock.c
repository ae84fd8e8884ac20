/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus/wall_clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    NEVER_SECONDS = 0x7fffffff, /* in 2038, and then again */
    AGAIN_SECONDS = 3600,
};

struct watch {
    GSource source;
    int fd;
    void (*stepped)(void *context);
    void *context;
};

/* For a moment that hardly comes: what is of interest is that the timer is cancelled. */
static bool arm(int fd)
{
    struct itimerspec when = { .it_value.tv_sec = NEVER_SECONDS };
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    if (now >= NEVER_SECONDS) {
        when.it_value.tv_sec = now + AGAIN_SECONDS;
    }
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct watch *watch = (struct watch *)source;
    uint64_t expirations;

    if (read(watch->fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED) {
        watch->stepped(watch->context);
    }
    return arm(watch->fd) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void finalize(GSource *source)
{
    close(((struct watch *)source)->fd);
}

static GSourceFuncs functions = { .dispatch = dispatch, .finalize = finalize };

GSource *wall_clock_watch(void (*stepped)(void *context), void *context)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    GSource *source;
    struct watch *watch;

    if (fd < 0 || !arm(fd)) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    source = g_source_new(&functions, sizeof(struct watch));
    watch = (struct watch *)source;
    watch->fd = fd;
    watch->stepped = stepped;
    watch->context = context;
    g_source_add_unix_fd(source, fd, G_IO_IN);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}
