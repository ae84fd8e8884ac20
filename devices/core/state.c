/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Saving, loading and dumping device state by field tables. See devices/include/state.h for the
 * form.
 *
 * A load works in two passes over the same bytes: the first checks everything, the second stores,
 * so that a refused load leaves the device as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "pci.h"
#include "state.h"

enum {
    STATE_MAGIC = 0x5645444f, /* "ODEV" */
    HEADER_SIZE = 16,
};

/* What the polynomial 0x82f63b78 makes of each four bits. */
static const uint32_t crc32c_of_nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc32c(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ crc32c_of_nibble[crc & 15];
        crc = crc >> 4 ^ crc32c_of_nibble[crc & 15];
    }
    return ~crc;
}

static unsigned value_size(enum field_type type)
{
    switch (type) {
    case FIELD_BOOL:
    case FIELD_U8:
        return 1;
    case FIELD_U16:
        return 2;
    case FIELD_U32:
        return 4;
    case FIELD_U64:
        return 8;
    case FIELD_STRUCTS:
        break;
    }
    return 0;
}

static uint64_t value_get(const struct state_field *field, const char *base, uint32_t i)
{
    const char *p = base + field->offset + (size_t)i * value_size(field->type);

    switch (field->type) {
    case FIELD_BOOL:
        return *(const bool *)p;
    case FIELD_U8:
        return *(const uint8_t *)p;
    case FIELD_U16:
        return *(const uint16_t *)p;
    case FIELD_U32:
        return *(const uint32_t *)p;
    case FIELD_U64:
        return *(const uint64_t *)p;
    case FIELD_STRUCTS:
        break;
    }
    return 0;
}

static void value_set(const struct state_field *field, char *base, uint32_t i, uint64_t value)
{
    char *p = base + field->offset + (size_t)i * value_size(field->type);

    switch (field->type) {
    case FIELD_BOOL:
        *(bool *)p = value != 0;
        break;
    case FIELD_U8:
        *(uint8_t *)p = (uint8_t)value;
        break;
    case FIELD_U16:
        *(uint16_t *)p = (uint16_t)value;
        break;
    case FIELD_U32:
        *(uint32_t *)p = (uint32_t)value;
        break;
    case FIELD_U64:
        *(uint64_t *)p = value;
        break;
    case FIELD_STRUCTS:
        break;
    }
}

static const char *struct_at(const struct state_field *field, const char *base, uint32_t i)
{
    return base + field->offset + (size_t)i * field->stride;
}

static size_t payload_size(const struct state_field *fields, const char *base)
{
    size_t size = 0;

    for (const struct state_field *f = fields; f && f->name; f++) {
        size += 1 + strlen(f->name) + 1 + 4;
        if (f->type != FIELD_STRUCTS) {
            size += (size_t)f->count * value_size(f->type);
            continue;
        }
        for (uint32_t i = 0; i < f->count; i++) {
            size += 4 + payload_size(f->fields, struct_at(f, base, i));
        }
    }
    return size;
}

static uint8_t *payload_write(const struct state_field *fields, const char *base, uint8_t *out)
{
    for (const struct state_field *f = fields; f && f->name; f++) {
        size_t name_length = strlen(f->name);

        *out++ = (uint8_t)name_length;
        memcpy(out, f->name, name_length);
        out += name_length;
        *out++ = (uint8_t)f->type;
        store_le32(out, f->count);
        out += 4;
        for (uint32_t i = 0; i < f->count; i++) {
            if (f->type == FIELD_STRUCTS) {
                const char *at = struct_at(f, base, i);

                store_le32(out, (uint32_t)payload_size(f->fields, at));
                out = payload_write(f->fields, at, out + 4);
            } else {
                store_le(out, value_size(f->type), value_get(f, base, i));
                out += value_size(f->type);
            }
        }
    }
    return out;
}

size_t device_state_size(const struct device *device)
{
    return HEADER_SIZE + payload_size(device->class->fields, (const char *)device);
}

size_t device_save(const struct device *device, uint8_t *bytes, size_t capacity)
{
    size_t size = device_state_size(device);

    if (size > capacity) {
        return 0;
    }
    payload_write(device->class->fields, (const char *)device, bytes + HEADER_SIZE);
    store_le32(bytes, STATE_MAGIC);
    store_le32(bytes + 4, device->class->version);
    store_le32(bytes + 8, (uint32_t)(size - HEADER_SIZE));
    store_le32(bytes + 12, crc32c(bytes + HEADER_SIZE, size - HEADER_SIZE));
    return size;
}

/* A bounded view of the bytes being loaded. */
struct cursor {
    const uint8_t *at;
    size_t left;
};

static const uint8_t *cursor_take(struct cursor *cursor, size_t n)
{
    const uint8_t *at = cursor->at;

    if (n > cursor->left) {
        return NULL;
    }
    cursor->at += n;
    cursor->left -= n;
    return at;
}

static bool payload_read(const struct state_field *fields, char *base, struct cursor *in,
                         bool store);

/* Name, type and count of the next field must be the table's: the order is part of the format. */
static bool field_header_read(const struct state_field *f, struct cursor *in)
{
    size_t name_length = strlen(f->name);
    const uint8_t *p = cursor_take(in, 1 + name_length + 1 + 4);

    return p && p[0] == name_length && memcmp(p + 1, f->name, name_length) == 0 &&
           p[1 + name_length] == (uint8_t)f->type && load_le32(p + 2 + name_length) == f->count;
}

static bool field_structs_read(const struct state_field *f, char *base, struct cursor *in,
                               bool store)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const uint8_t *length = cursor_take(in, 4);
        struct cursor nested;

        if (!length) {
            return false;
        }
        nested.left = load_le32(length);
        nested.at = cursor_take(in, nested.left);
        if (!nested.at ||
            !payload_read(f->fields, base + f->offset + (size_t)i * f->stride, &nested, store)) {
            return false;
        }
    }
    return true;
}

static bool payload_read(const struct state_field *fields, char *base, struct cursor *in,
                         bool store)
{
    for (const struct state_field *f = fields; f && f->name; f++) {
        if (!field_header_read(f, in)) {
            return false;
        }
        if (f->type == FIELD_STRUCTS) {
            if (!field_structs_read(f, base, in, store)) {
                return false;
            }
            continue;
        }
        for (uint32_t i = 0; i < f->count; i++) {
            const uint8_t *p = cursor_take(in, value_size(f->type));

            if (!p) {
                return false;
            }
            uint64_t value = load_le(p, value_size(f->type));

            if (value > f->maximum || (f->type == FIELD_BOOL && value > 1)) {
                return false;
            }
            if (store) {
                value_set(f, base, i, value);
            }
        }
    }
    return in->left == 0;
}

static int refuse(struct device *device, struct dev_error *error, const char *why)
{
    dev_error_set(error, "The saved state of “%s” %s, so it was not loaded.", device->name, why);
    return -EINVAL;
}

static int state_validate(struct device *device, struct dev_error *error)
{
    if (device->class->pci && pci_validate(to_pci(device), error) != 0) {
        return -EINVAL;
    }
    return device->class->validate ? device->class->validate(device, error) : 0;
}

int device_load(struct device *device, const uint8_t *bytes, size_t length, struct dev_error *error)
{
    const struct state_field *fields = device->class->fields;
    struct cursor in = { bytes + HEADER_SIZE, length - HEADER_SIZE };

    if (length < HEADER_SIZE || load_le32(bytes) != STATE_MAGIC ||
        load_le32(bytes + 8) != length - HEADER_SIZE) {
        return refuse(device, error, "is damaged");
    }
    if (load_le32(bytes + 4) != device->class->version) {
        return refuse(device, error, "is of another version of Oriel");
    }
    if (load_le32(bytes + 12) != crc32c(bytes + HEADER_SIZE, length - HEADER_SIZE)) {
        return refuse(device, error, "is damaged");
    }
    struct cursor check = in;

    if (!payload_read(fields, (char *)device, &check, false)) {
        return refuse(device, error, "has a field that is missing, unknown or out of its limits");
    }

    size_t backup_size = device_state_size(device);
    uint8_t *backup = malloc(backup_size);

    if (!backup) {
        abort(); /* bounded by the class */
    }
    device_save(device, backup, backup_size);
    payload_read(fields, (char *)device, &in, true);

    int result = state_validate(device, error);

    if (result != 0) {
        struct cursor undo = { backup + HEADER_SIZE, backup_size - HEADER_SIZE };

        payload_read(fields, (char *)device, &undo, true);
    }
    free(backup);
    return result;
}

void device_restored(struct device *device)
{
    if (device->class->pci) {
        pci_restored(to_pci(device));
    }
    if (device->class->restored) {
        device->class->restored(device);
    }
}
