/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of a device as a table of fields. One table drives saving, loading with limits, dumping
 * as text, and fuzzing. Loaded state is hostile: every value is checked against its limits before
 * anything is stored, then class->validate() checks what single limits cannot.
 *
 * Saved form, little endian: u32 magic "ODEV", u32 class version, u32 payload length, u32 CRC-32C
 * of the payload; payload: for each field u8 name length, name, u8 type, u32 count, then count
 * values (for FIELD_STRUCTS: count times u32 length and a nested payload). An unknown field, a
 * missing one, another count or a value out of limits refuses the whole.
 */
#ifndef DEVICES_STATE_H
#define DEVICES_STATE_H

#include "device.h"

enum field_type {
    FIELD_BOOL,
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_U64,
    FIELD_STRUCTS, /* an array of structures with a table of their own */
};

struct state_field {
    const char *name;
    enum field_type type;
    size_t offset;    /* in the state structure */
    uint32_t count;   /* 1 for a scalar */
    uint64_t maximum; /* largest valid value; the type's own maximum if there is no limit */
    const struct state_field *fields; /* FIELD_STRUCTS */
    size_t stride;                    /* FIELD_STRUCTS: bytes from one to the next */
};

/* The formatter takes the colons for bit fields. */
/* clang-format off */
#define FIELD_TYPE_OF(member)                                                                      \
    _Generic((member), bool: FIELD_BOOL, uint8_t: FIELD_U8, uint16_t: FIELD_U16,                   \
             uint32_t: FIELD_U32, uint64_t: FIELD_U64)
/* clang-format on */

/* A scalar member that may take any value of its type. */
#define FIELD(type_, member_)                                                                      \
    {                                                                                              \
        .name = #member_, .type = FIELD_TYPE_OF(((type_ *)0)->member_),                            \
        .offset = offsetof(type_, member_), .count = 1, .maximum = UINT64_MAX                      \
    }
/* A scalar member whose value must not exceed maximum_: an index, a level, an enumeration. */
#define FIELD_MAX(type_, member_, maximum_)                                                        \
    {                                                                                              \
        .name = #member_, .type = FIELD_TYPE_OF(((type_ *)0)->member_),                            \
        .offset = offsetof(type_, member_), .count = 1, .maximum = (maximum_)                      \
    }
/* A member that is an array of scalars. */
#define FIELD_ARRAY(type_, member_)                                                                \
    {                                                                                              \
        .name = #member_, .type = FIELD_TYPE_OF(((type_ *)0)->member_[0]),                         \
        .offset = offsetof(type_, member_),                                                        \
        .count = sizeof(((type_ *)0)->member_) / sizeof(((type_ *)0)->member_[0]),                 \
        .maximum = UINT64_MAX                                                                      \
    }
/* A member that is an array of structures, each described by table_. */
#define FIELD_STRUCTS_ARRAY(type_, member_, table_)                                                \
    {                                                                                              \
        .name = #member_, .type = FIELD_STRUCTS, .offset = offsetof(type_, member_),               \
        .count = sizeof(((type_ *)0)->member_) / sizeof(((type_ *)0)->member_[0]),                 \
        .fields = (table_), .stride = sizeof(((type_ *)0)->member_[0])                             \
    }
/* A member that is one structure, described by table_ (struct pci_device: pci_fields). */
#define FIELD_STRUCT(type_, member_, table_)                                                       \
    {                                                                                              \
        .name = #member_, .type = FIELD_STRUCTS, .offset = offsetof(type_, member_), .count = 1,   \
        .fields = (table_), .stride = sizeof(((type_ *)0)->member_)                                \
    }
#define FIELD_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Bytes that device_save() will write. */
size_t device_state_size(const struct device *device);
/* Writes the state; returns the bytes written, 0 if `capacity` is too small. Changes nothing. */
size_t device_save(const struct device *device, uint8_t *bytes, size_t capacity);
/*
 * Replaces the state. 0, or -EINVAL with *error filled and the device unchanged. The caller then
 * calls class->restored through device_restored() once every device of the machine has been loaded.
 */
int device_load(struct device *device, const uint8_t *bytes, size_t length,
                struct dev_error *error);
void device_restored(struct device *device);

#endif
