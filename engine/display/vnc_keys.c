/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The QEMU extended key event of RFB (pseudo-encoding -258, client message 255 submessage 0; "The
 * RFB Protocol", community edition, sections 7.5.12 and 7.8.13): keys come with their XT scancode,
 * so that they mean the same place on every layout. The server says that it knows them by a
 * rectangle of that pseudo-encoding.
 */
#include <stdlib.h>

#include "display/vnc_private.h"
#include "common/keys.h"

enum {
    SUBMESSAGE_KEY = 0,
};

static rfbBool encoding_enable(rfbClientPtr client, void **data, int encoding)
{
    return encoding == (int)rfbEncodingQemuExtendedKeyEvent &&
           vnc_client_announce(client, encoding, 0);
}

static rfbBool message_handle(rfbClientPtr client, void *data, const rfbClientToServerMsg *message)
{
    rfbQemuExtendedKeyEventMsg key;

    if (message->type != rfbQemuEvent) {
        return FALSE;
    }
    key.type = message->type;
    if (rfbReadExact(client, (char *)&key + 1, sz_rfbQemuExtendedKeyEventMsg - 1) <= 0 ||
        key.subtype != SUBMESSAGE_KEY) {
        rfbCloseClient(client);
        return TRUE;
    }
    vnc_client_key(client, key_from_xt(Swap32IfLE(key.keycode)), Swap16IfLE(key.down) != 0);
    return TRUE;
}

static rfbBool client_accept(rfbClientPtr client, void **data)
{
    return TRUE;
}

static int encodings[] = { (int)rfbEncodingQemuExtendedKeyEvent, 0 };

static rfbProtocolExtension extension = {
    .newClient = client_accept,
    .pseudoEncodings = encodings,
    .enablePseudoEncoding = encoding_enable,
    .handleMessage = message_handle,
};

void vnc_keys_register(void)
{
    rfbRegisterProtocolExtension(&extension);
}

/* LibVNCServer 0.9.14 frees these nowhere; rfbDisableExtension() takes them off its list only. */
void vnc_keys_client_gone(rfbClientPtr client)
{
    rfbExtensionData *next;

    for (rfbExtensionData *one = client->extensions; one; one = next) {
        next = one->next;
        free(one);
    }
    client->extensions = NULL;
}
