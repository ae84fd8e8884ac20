/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which name the guest has asked for when it got an address: from answers of name servers (RFC
 * 1035, 3596), for showing to people only. Answers are anybody's. The latest NAMES_MAX addresses
 * are kept.
 */
#include <string.h>

#include "bytes.h"
#include "helper.h"

enum {
    NAMES_MAX = 512,
    NAME_SIZE = sizeof(((struct wire_connection *)0)->peer_name),
    HEADER = 12,
    FLAGS = 2,
    FLAG_RESPONSE = 0x8000,
    QUESTIONS = 4,
    ANSWERS = 6,
    RECORD = 10, /* bytes of a record behind its name: type, class, time to live, length */
    TYPE_A = 1,
    TYPE_AAAA = 28,
    CLASS_IN = 1,
    LABEL_POINTER = 0xc0,
    RECORDS_MAX = 64,
};

struct name {
    uint8_t address[WIRE_ADDRESS_SIZE];
    bool ipv6;
    char text[NAME_SIZE];
};

struct names {
    struct name all[NAMES_MAX];
    unsigned next;
};

struct names *names_new(void)
{
    return g_new0(struct names, 1);
}

/* Behind the name at `at`; 0: it does not end well. */
static uint32_t name_skip(const uint8_t *bytes, uint32_t length, uint32_t at)
{
    while (at < length) {
        if (bytes[at] == 0) {
            return at + 1;
        }
        if ((bytes[at] & LABEL_POINTER) == LABEL_POINTER) {
            return at + 2 <= length ? at + 2 : 0;
        }
        at += 1u + bytes[at];
    }
    return 0;
}

/* The name of a question, without pointers; false if it is too long or not plain. */
static bool question_read(const uint8_t *bytes, uint32_t length, char text[NAME_SIZE])
{
    uint32_t at = HEADER, n = 0;

    while (at < length && bytes[at] != 0) {
        uint32_t label = bytes[at++];

        if (label > 63 || !range_fits(at, label, length) || n + label + 1 >= NAME_SIZE) {
            return false;
        }
        for (uint32_t i = 0; i < label; i++, at++) {
            char c = (char)bytes[at];

            if (!g_ascii_isalnum(c) && c != '-' && c != '_') {
                return false;
            }
            text[n++] = (char)g_ascii_tolower(c);
        }
        text[n++] = '.';
    }
    text[n > 0 ? n - 1 : 0] = '\0';
    return n > 0 && at < length;
}

static void name_keep(struct names *names, const uint8_t *address, bool ipv6, const char *text)
{
    struct name *name = &names->all[names->next++ % NAMES_MAX];

    *name = (struct name){ .ipv6 = ipv6 };
    memcpy(name->address, address, ipv6 ? 16 : 4);
    memcpy(name->text, text, NAME_SIZE);
}

void names_note(struct names *names, const uint8_t *bytes, uint32_t length)
{
    char text[NAME_SIZE] = "";
    uint32_t at;
    unsigned n;

    if (length < HEADER || !(load_be16(bytes + FLAGS) & FLAG_RESPONSE) ||
        load_be16(bytes + QUESTIONS) != 1 || !question_read(bytes, length, text)) {
        return;
    }
    at = name_skip(bytes, length, HEADER) + 4;
    n = MIN(load_be16(bytes + ANSWERS), RECORDS_MAX);
    for (unsigned i = 0; i < n && at < length; i++) {
        at = name_skip(bytes, length, at);
        if (at == 0 || !range_fits(at, RECORD, length)) {
            return;
        }
        uint16_t type = load_be16(bytes + at), size = load_be16(bytes + at + 8);

        if (!range_fits(at + RECORD, size, length)) {
            return;
        }
        if (load_be16(bytes + at + 2) == CLASS_IN &&
            ((type == TYPE_A && size == 4) || (type == TYPE_AAAA && size == 16))) {
            name_keep(names, bytes + at + RECORD, type == TYPE_AAAA, text);
        }
        at += RECORD + size;
    }
}

const char *names_find(const struct names *names, const uint8_t *address, bool ipv6)
{
    for (unsigned i = 1; i <= MIN(names->next, NAMES_MAX); i++) {
        const struct name *name = &names->all[(names->next - i) % NAMES_MAX];

        if (name->ipv6 == ipv6 && memcmp(name->address, address, ipv6 ? 16 : 4) == 0) {
            return name->text;
        }
    }
    return NULL;
}
