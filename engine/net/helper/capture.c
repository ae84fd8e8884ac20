/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames into a file, as pcapng (draft-ietf-opsawg-pcapng): section, one Ethernet interface, an
 * enhanced packet block for each frame with its direction. Large segments are there as they went
 * by. A file that cannot be written any more ends the capture.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "helper.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    LINK_ETHERNET = 1,
    OPTION_EPB_FLAGS = 2,
    DIRECTION_IN = 1,
    DIRECTION_OUT = 2,
    PACKET_HEADER = 28,
    PACKET_TRAILER = 16, /* option flags, end of options, length */
};

struct capture {
    FILE *file;
};

struct capture *capture_new(int fd)
{
    struct capture *capture = g_new0(struct capture, 1);
    uint8_t section[28] = { 0 }, interface[20] = { 0 };

    store_le32(section, BLOCK_SECTION);
    store_le32(section + 4, sizeof(section));
    store_le32(section + 8, BYTE_ORDER_MAGIC);
    store_le16(section + 12, 1);
    store_le64(section + 16, UINT64_MAX); /* length not known */
    store_le32(section + 24, sizeof(section));
    store_le32(interface, BLOCK_INTERFACE);
    store_le32(interface + 4, sizeof(interface));
    store_le16(interface + 8, LINK_ETHERNET);
    store_le32(interface + 16, sizeof(interface));
    capture->file = fdopen(fd, "w");
    if (capture->file) {
        fwrite(section, sizeof(section), 1, capture->file);
        fwrite(interface, sizeof(interface), 1, capture->file);
        fflush(capture->file);
    }
    return capture;
}

void capture_free(struct capture *capture)
{
    if (capture && capture->file) {
        fclose(capture->file);
    }
    g_free(capture);
}

void capture_note(struct capture *capture, bool to_guest, const uint8_t *bytes, uint32_t length)
{
    static const uint8_t padding[4];
    uint8_t header[PACKET_HEADER] = { 0 }, trailer[PACKET_TRAILER] = { 0 };
    uint32_t pad = -length & 3, size = PACKET_HEADER + length + pad + PACKET_TRAILER;
    uint64_t now = (uint64_t)g_get_real_time();

    if (!capture || !capture->file) {
        return;
    }
    store_le32(header, BLOCK_PACKET);
    store_le32(header + 4, size);
    store_le32(header + 12, (uint32_t)(now >> 32));
    store_le32(header + 16, (uint32_t)now);
    store_le32(header + 20, length);
    store_le32(header + 24, length);
    store_le16(trailer, OPTION_EPB_FLAGS);
    store_le16(trailer + 2, 4);
    store_le32(trailer + 4, to_guest ? DIRECTION_IN : DIRECTION_OUT);
    store_le32(trailer + 12, size);
    fwrite(header, sizeof(header), 1, capture->file);
    fwrite(bytes, length, 1, capture->file);
    fwrite(padding, pad, 1, capture->file);
    fwrite(trailer, sizeof(trailer), 1, capture->file);
    if (fflush(capture->file) != 0) {
        g_warning("the capture has ended: %s", g_strerror(errno));
        fclose(capture->file);
        capture->file = NULL;
    }
}
