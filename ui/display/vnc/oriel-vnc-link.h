/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a VNC backend (main thread) and its connection's thread share. LibVNCClient blocks, so it
 * has the thread for itself; nothing else touches its client.
 *
 * The thread notes what happened under the mutex and lets the main context look
 * (oriel_vnc_link_post()); the backend queues commands and wakes the thread. shutdown(2) of
 * `socket` ends whatever the thread waits for.
 */
#ifndef ORIEL_VNC_LINK_H
#define ORIEL_VNC_LINK_H

#include <cairo.h>
#include <gio/gio.h>

#include "display/picture/oriel-framebuffer.h"

typedef enum {
    ORIEL_VNC_KEY,
    ORIEL_VNC_POINTER,
} OrielVncCommandKind;

typedef struct {
    OrielVncCommandKind kind;
    guint xt, keysym; /* a key; either may be 0 */
    gboolean down;
    guint x, y, mask; /* RFB button mask */
} OrielVncCommand;

/* A cursor that the server sent. */
typedef struct {
    GBytes *pixels; /* premultiplied BGRA; NULL: hidden */
    guint width, height;
    int hot_x, hot_y;
} OrielVncCursor;

/* A certificate that a server showed and that is not trusted. */
typedef struct {
    char *fingerprint;   /* SHA-256, "AB:CD:..."; NULL: it showed none */
    char *name;          /* that it gives itself; NULL: none */
    gint64 expires;      /* seconds since 1970; 0: unknown */
    gboolean is_changed; /* another one is trusted at this address */
} OrielVncCertificate;

typedef struct _OrielVncLink OrielVncLink;
struct _OrielVncLink {
    gatomicrefcount references;
    gpointer backend;               /* main thread's; NULL when it is closed */
    void (*notify)(OrielVncLink *); /* called on the main thread after a post */

    /* Constant while the thread runs. */
    int socket; /* a descriptor of our own */
    int wake;   /* eventfd */
    gboolean local;
    char *identity;  /* of the other side, for what is trusted there */
    char *trust;     /* the fingerprint that the user has just accepted; NULL: none */
    gboolean forget; /* what was trusted before is not looked at */

    /* The thread's. */
    char *trusted; /* fingerprint; NULL: none is */
    gboolean is_verified;

    GMutex mutex;
    GCond credentials_given;
    gboolean posted;

    /* For the thread, under the mutex. */
    GQueue commands;
    gboolean quit;
    gboolean unshown; /* a frame that the widget has not drawn: nothing more is read */
    char *user_name, *password;
    gboolean has_credentials;

    /* For the main thread, under the mutex. */
    OrielFramebuffer *framebuffer; /* a new one */
    cairo_region_t *damage;
    OrielVncCursor *cursor; /* a new one */
    char *title;            /* once */
    guint leds;             /* ORIEL_LEDS_UNKNOWN: not told */
    gboolean absolute;
    gboolean connected, ended;
    char *problem;    /* why it ended; NULL: the server closed it */
    gboolean refused; /* the password, or the name with it, was not the right one */
    gboolean needs_user_name, needs_password;
    OrielVncCertificate *certificate; /* why it ended, if it did by that */
};

OrielVncLink *oriel_vnc_link_new(int socket, gboolean local);
OrielVncLink *oriel_vnc_link_ref(OrielVncLink *link);
void oriel_vnc_link_unref(OrielVncLink *link);
/* Any thread, mutex held: the main context shall look. */
void oriel_vnc_link_post(OrielVncLink *link);
/* The thread: the connection has ended, why unless the server closed it. */
void oriel_vnc_link_end(OrielVncLink *link, const char *problem);
void oriel_vnc_link_wake(OrielVncLink *link);
void oriel_vnc_cursor_free(OrielVncCursor *cursor);
void oriel_vnc_certificate_free(OrielVncCertificate *certificate);

/* The thread's function, in the module oriel-vncclient. It uses of the program what is declared
 * here, in oriel-vnc-trust.h and in oriel-framebuffer.h. */
gpointer oriel_vnc_thread_run(gpointer link);

/* oriel-vnc-extension.c, on the thread. */
extern const char oriel_vnc_link_tag;    /* of the client's data: the link */
void oriel_vnc_extension_register(void); /* once */

#endif
