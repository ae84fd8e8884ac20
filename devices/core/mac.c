/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of network cards (IEEE 802, EUI-48) as text. */
#include "net.h"

#include <errno.h>
#include <stdlib.h>

#include "device.h"

static bool mac_parse(const char *text, uint8_t mac[NET_MAC_SIZE])
{
    for (unsigned i = 0; i < NET_MAC_SIZE; i++) {
        char *end;
        unsigned long long byte = strtoull(text, &end, 16);

        if (end != text + 2 || byte > 0xff || *end != (i + 1 < NET_MAC_SIZE ? ':' : '\0')) {
            return false;
        }
        mac[i] = (uint8_t)byte;
        text = end + 1;
    }
    return (mac[0] & 1) == 0;
}

int net_mac_parse(const struct device *card, const char *text, uint8_t mac[NET_MAC_SIZE],
                  struct dev_error *error)
{
    if (mac_parse(text, mac)) {
        return 0;
    }
    dev_error_set(error,
                  "“%s” is no address for the network card “%s”: it must be six pairs of hex "
                  "digits with colons between, the first pair even.",
                  text, card->name);
    return -EINVAL;
}
