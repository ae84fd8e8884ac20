/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pseudo-encodings of RFB ("The RFB Protocol", community edition) that LibVNCClient 0.9.14 does not
 * know: QEMU Pointer Motion Change (-257), QEMU LED State (-261), Cursor With Alpha (-314). All
 * they say is checked: the server may be anybody.
 */
#include <rfb/rfbclient.h>

#include "oriel-vnc-link.h"

enum {
    ENCODING_POINTER_MOTION_CHANGE = -257,
    ENCODING_LED_STATE = -261,
    ENCODING_ALPHA_CURSOR = -314,
    CURSOR_MAX = 512, /* pixels a side */
    LEDS_ALL = 7,
};

const char oriel_vnc_link_tag = 0;

/* Server's bytes R, G, B, A, premultiplied; ours are B, G, R, A. No colour exceeds its alpha. */
static void pixels_convert(guint8 *pixels, gsize n)
{
    for (gsize i = 0; i < n; i++, pixels += 4) {
        guint8 red = MIN(pixels[0], pixels[3]);

        pixels[0] = MIN(pixels[2], pixels[3]);
        pixels[1] = MIN(pixels[1], pixels[3]);
        pixels[2] = red;
    }
}

/* An S32 encoding, then the pixels in it; we take them raw. */
static rfbBool alpha_cursor_read(rfbClient *client, OrielVncLink *link,
                                 const rfbFramebufferUpdateRectHeader *rect)
{
    OrielVncCursor *cursor;
    guint32 encoding;
    gsize size = (gsize)rect->r.w * rect->r.h * 4;

    if (rect->r.w > CURSOR_MAX || rect->r.h > CURSOR_MAX ||
        !ReadFromRFBServer(client, (char *)&encoding, sizeof(encoding)) ||
        GUINT32_FROM_BE(encoding) != rfbEncodingRaw) {
        return FALSE;
    }
    cursor = g_new0(OrielVncCursor, 1);
    if (size > 0) {
        guint8 *pixels = g_malloc(size);

        if (!ReadFromRFBServer(client, (char *)pixels, (unsigned)size)) {
            g_free(pixels);
            oriel_vnc_cursor_free(cursor);
            return FALSE;
        }
        pixels_convert(pixels, size / 4);
        cursor->pixels = g_bytes_new_take(pixels, size);
    }
    cursor->width = rect->r.w;
    cursor->height = rect->r.h;
    cursor->hot_x = rect->r.x;
    cursor->hot_y = rect->r.y;
    g_mutex_lock(&link->mutex);
    g_clear_pointer(&link->cursor, oriel_vnc_cursor_free);
    link->cursor = cursor;
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
    return TRUE;
}

static rfbBool led_state_read(rfbClient *client, OrielVncLink *link)
{
    guint8 leds;

    if (!ReadFromRFBServer(client, (char *)&leds, sizeof(leds))) {
        return FALSE;
    }
    g_mutex_lock(&link->mutex);
    link->leds = leds & LEDS_ALL;
    oriel_vnc_link_post(link);
    g_mutex_unlock(&link->mutex);
    return TRUE;
}

static rfbBool encoding_handle(rfbClient *client, rfbFramebufferUpdateRectHeader *rect)
{
    OrielVncLink *link = rfbClientGetClientData(client, (void *)&oriel_vnc_link_tag);

    switch ((gint32)rect->encoding) {
    case ENCODING_POINTER_MOTION_CHANGE:
        g_mutex_lock(&link->mutex);
        link->absolute = rect->r.x != 0;
        oriel_vnc_link_post(link);
        g_mutex_unlock(&link->mutex);
        return TRUE;
    case ENCODING_LED_STATE:
        return led_state_read(client, link);
    case ENCODING_ALPHA_CURSOR:
        return alpha_cursor_read(client, link, rect);
    default:
        return FALSE;
    }
}

void oriel_vnc_extension_register(void)
{
    static int encodings[] = { ENCODING_POINTER_MOTION_CHANGE, ENCODING_LED_STATE,
                               ENCODING_ALPHA_CURSOR, 0 };
    static rfbClientProtocolExtension extension = { .encodings = encodings,
                                                    .handleEncoding = encoding_handle };

    rfbClientRegisterExtension(&extension);
}
