/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the VNC module share. Threads: the VNC thread only. */
#ifndef ENGINE_VNC_PRIVATE_H
#define ENGINE_VNC_PRIVATE_H

#include <rfb/rfb.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    VNC_KEYS_MAX = 256, /* evdev codes that a client can press */
};

/* A client's own: rfbClientPtr->clientData. */
struct vnc_client {
    bool pressed[VNC_KEYS_MAX];
    int buttons; /* RFB button mask as last sent */
};

/* A key of a client, by evdev code; 0 is ignored. */
void vnc_client_key(rfbClientPtr client, uint16_t code, bool down);

/* Makes the QEMU extended key event known to LibVNCServer; once or again. */
void vnc_keys_register(void);

#endif
