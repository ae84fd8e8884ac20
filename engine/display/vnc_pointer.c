/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pointer of a VNC client, and the QEMU Pointer Motion Change of RFB (pseudo-encoding -257;
 * "The RFB Protocol", community edition): a rectangle of it with x 1 says that the client's pointer
 * events give places, one with x 0 that they give motion, 0x7fff being none. Motion is for a guest
 * that reads a mouse. One that reads nothing has no use for either; places leave the client its
 * pointer then.
 */
#include "display/vnc_viewer_private.h"

enum {
    ENCODING_POINTER_MOTION_CHANGE = -257,
    MOTION_ZERO = 0x7fff,
    MASK_LEFT = 1 << 0,
    MASK_MIDDLE = 1 << 1,
    MASK_RIGHT = 1 << 2,
    MASK_UP = 1 << 3,
    MASK_DOWN = 1 << 4,
};

static bool motion_is_wanted(struct vnc_viewer *viewer)
{
    bool wanted;

    pthread_mutex_lock(&viewer->mutex);
    wanted = viewer->motion_wanted;
    pthread_mutex_unlock(&viewer->mutex);
    return wanted;
}

static bool mode_send(struct vnc_viewer *viewer, rfbClientPtr client)
{
    return vnc_client_announce(client, ENCODING_POINTER_MOTION_CHANGE,
                               viewer->gives_motion ? 0 : 1);
}

static rfbBool encoding_enable(rfbClientPtr client, void **data, int encoding)
{
    struct vnc_viewer *viewer = client->screen->screenData;

    if (encoding != ENCODING_POINTER_MOTION_CHANGE) {
        return FALSE;
    }
    viewer->knows_motion = true;
    viewer->gives_motion = motion_is_wanted(viewer);
    return mode_send(viewer, client);
}

static rfbBool client_accept(rfbClientPtr client, void **data)
{
    return TRUE;
}

void vnc_pointer_register(void)
{
    static int encodings[] = { ENCODING_POINTER_MOTION_CHANGE, 0 };
    static rfbProtocolExtension extension = {
        .newClient = client_accept,
        .pseudoEncodings = encodings,
        .enablePseudoEncoding = encoding_enable,
    };

    rfbRegisterProtocolExtension(&extension);
}

void vnc_pointer_begin(struct vnc_viewer *viewer)
{
    viewer->buttons = 0;
    viewer->knows_motion = viewer->gives_motion = false;
}

void vnc_pointer_publish(struct vnc_viewer *viewer)
{
    bool wanted = motion_is_wanted(viewer);

    if (viewer->client && viewer->knows_motion && viewer->gives_motion != wanted) {
        viewer->gives_motion = wanted;
        if (!mode_send(viewer, viewer->client)) {
            rfbCloseClient(viewer->client);
        }
    }
}

void vnc_pointer_event(struct vnc_viewer *viewer, int mask, int x, int y, struct input_event *event)
{
    int pressed = mask & ~viewer->buttons;

    *event = (struct input_event){
        .kind = viewer->gives_motion ? EVENT_MOTION : EVENT_POINTER,
        .width = viewer->width,
        .height = viewer->height,
        .buttons = (mask & MASK_LEFT ? POINTER_LEFT : 0u) |
                   (mask & MASK_MIDDLE ? POINTER_MIDDLE : 0u) |
                   (mask & MASK_RIGHT ? POINTER_RIGHT : 0u),
        .wheel = (pressed & MASK_UP ? 1 : 0) - (pressed & MASK_DOWN ? 1 : 0),
    };
    if (viewer->gives_motion) {
        event->dx = x - MOTION_ZERO;
        event->dy = y - MOTION_ZERO;
    } else {
        event->x = (uint32_t)CLAMP(x, 0, (int)viewer->width - 1);
        event->y = (uint32_t)CLAMP(y, 0, (int)viewer->height - 1);
    }
    viewer->buttons = mask;
}
