/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See oriel-vnc-link.h. */
#include "oriel-vnc-link.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "display/oriel-display-backend.h"

OrielVncLink *oriel_vnc_link_new(int socket, gboolean local)
{
    OrielVncLink *link = g_new0(OrielVncLink, 1);

    g_atomic_ref_count_init(&link->references);
    g_mutex_init(&link->mutex);
    g_cond_init(&link->credentials_given);
    g_queue_init(&link->commands);
    link->socket = socket;
    link->local = local;
    link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    link->leds = ORIEL_LEDS_UNKNOWN;
    link->absolute = TRUE;
    return link;
}

OrielVncLink *oriel_vnc_link_ref(OrielVncLink *link)
{
    g_atomic_ref_count_inc(&link->references);
    return link;
}

void oriel_vnc_cursor_free(OrielVncCursor *cursor)
{
    g_clear_pointer(&cursor->pixels, g_bytes_unref);
    g_free(cursor);
}

void oriel_vnc_certificate_free(OrielVncCertificate *certificate)
{
    g_free(certificate->fingerprint);
    g_free(certificate->name);
    g_free(certificate);
}

void oriel_vnc_link_unref(OrielVncLink *link)
{
    if (!g_atomic_ref_count_dec(&link->references)) {
        return;
    }
    close(link->socket);
    if (link->wake >= 0) {
        close(link->wake);
    }
    g_queue_clear_full(&link->commands, g_free);
    g_clear_object(&link->framebuffer);
    g_clear_pointer(&link->damage, cairo_region_destroy);
    g_clear_pointer(&link->cursor, oriel_vnc_cursor_free);
    g_clear_pointer(&link->certificate, oriel_vnc_certificate_free);
    g_free(link->identity);
    g_free(link->trust);
    g_free(link->trusted);
    g_free(link->title);
    g_free(link->problem);
    g_free(link->user_name);
    g_free(link->password);
    g_mutex_clear(&link->mutex);
    g_cond_clear(&link->credentials_given);
    g_free(link);
}

static gboolean on_main(gpointer data)
{
    OrielVncLink *link = data;

    g_mutex_lock(&link->mutex);
    link->posted = FALSE;
    g_mutex_unlock(&link->mutex);
    if (link->backend) {
        link->notify(link);
    }
    return G_SOURCE_REMOVE;
}

void oriel_vnc_link_post(OrielVncLink *link)
{
    if (!link->posted) {
        link->posted = TRUE;
        g_idle_add_full(G_PRIORITY_DEFAULT, on_main, oriel_vnc_link_ref(link),
                        (GDestroyNotify)oriel_vnc_link_unref);
    }
}

void oriel_vnc_link_end(OrielVncLink *link, const char *problem)
{
    g_mutex_lock(&link->mutex);
    link->ended = TRUE;
    link->problem = g_strdup(problem);
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
}

void oriel_vnc_link_wake(OrielVncLink *link)
{
    guint64 one = 1;

    if (write(link->wake, &one, sizeof(one)) < 0) {
        g_warn_if_fail(errno == EAGAIN); /* then it is awake already */
    }
}
