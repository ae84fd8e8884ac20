/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PS/2 mouse: "IBM PS/2 Hardware Interface Technical Reference, Mouse"; Microsoft's IntelliMouse
 * (a wheel) after sample rates 200, 100, 80 and IntelliMouse Explorer (wheel, five buttons) after
 * 200, 200, 80.
 *
 * Packets are made when the buttons change and otherwise only when the guest has taken all before:
 * what moves meanwhile is added up. There is no clock, so the guest's pace is the sample rate;
 * that, the resolution and the scaling are stored and reported but do not change the motion,
 * because how fast the pointer moves is the viewer's business.
 */
#include "ps2.h"

enum {
    SCALE_SINGLE = 0xe6,
    SCALE_DOUBLE = 0xe7,
    SET_RESOLUTION = 0xe8,
    STATUS = 0xe9,
    STREAM_MODE = 0xea,
    READ_DATA = 0xeb,
    WRAP_MODE_END = 0xec,
    WRAP_MODE = 0xee,
    REMOTE_MODE = 0xf0,
    IDENTIFY = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    RESEND = 0xfe,
    RESET = 0xff,
    COMMAND_FIRST = SCALE_SINGLE, /* no argument is as large */

    STATUS_REMOTE = 0x40,
    STATUS_REPORTING = 0x20,
    STATUS_DOUBLE_SCALE = 0x10,

    TYPE_STANDARD = 0,
    TYPE_WHEEL = 3,
    TYPE_EXPLORER = 4,

    PACKET_ALWAYS = 0x08,
    PACKET_X_NEGATIVE = 0x10,
    PACKET_Y_NEGATIVE = 0x20,
    PACKET_MAX = 4,
    PACKET_MOTION = 255, /* in one packet; the rest goes into the next */
    PACKET_WHEEL = 7,
    MOTION_MAX = 1 << 16, /* that is remembered */
    BUTTONS = POINTER_LEFT | POINTER_RIGHT | POINTER_MIDDLE,
    BUTTONS_EXPLORER = BUTTONS | POINTER_SIDE | POINTER_EXTRA,
};

static int32_t clamp(int64_t value, int32_t limit)
{
    return (int32_t)(value < -limit ? -limit : value > limit ? limit : value);
}

static uint32_t motion_add(uint32_t motion, int64_t more)
{
    return (uint32_t)clamp((int32_t)motion + more, MOTION_MAX);
}

/* Takes up to `limit` of the motion. */
static int32_t motion_take(uint32_t *motion, int32_t limit)
{
    int32_t part = clamp((int32_t)*motion, limit);

    *motion -= (uint32_t)part;
    return part;
}

static void motion_clear(struct ps2_mouse *m)
{
    m->dx = 0;
    m->dy = 0;
    m->dz = 0;
}

static bool moved(const struct ps2_mouse *m)
{
    return m->dx != 0 || m->dy != 0 || (m->dz != 0 && m->type != TYPE_STANDARD);
}

static void packet_put(struct ps2_mouse *m, struct ps2_queue *q)
{
    int32_t dx = motion_take(&m->dx, PACKET_MOTION), dy = motion_take(&m->dy, PACKET_MOTION);
    int32_t dz = motion_take(&m->dz, PACKET_WHEEL);

    ps2_queue_put(q,
                  (uint8_t)(PACKET_ALWAYS | (m->buttons & BUTTONS) |
                            (dx < 0 ? PACKET_X_NEGATIVE : 0) | (dy < 0 ? PACKET_Y_NEGATIVE : 0)));
    ps2_queue_put(q, (uint8_t)dx);
    ps2_queue_put(q, (uint8_t)dy);
    if (m->type == TYPE_WHEEL) {
        ps2_queue_put(q, (uint8_t)dz);
    } else if (m->type == TYPE_EXPLORER) {
        ps2_queue_put(q, (uint8_t)((dz & 0x0f) | (m->buttons & ~BUTTONS) << 1));
    }
    m->sent_buttons = m->buttons;
}

bool mouse_reports(const struct ps2_mouse *m)
{
    return m->reporting || m->remote;
}

void mouse_move(struct ps2_mouse *m, const struct pointer_event *event)
{
    bool streaming = m->reporting && !m->remote && !m->wrap;

    m->buttons =
        (uint8_t)(event->buttons & (m->type == TYPE_EXPLORER ? BUTTONS_EXPLORER : BUTTONS));
    if (!mouse_reports(m)) {
        m->sent_buttons = m->buttons;
        return;
    }
    m->dx = motion_add(m->dx, event->dx);
    m->dy = motion_add(m->dy, -(int64_t)event->dy);
    m->dz = motion_add(m->dz, -(int64_t)event->wheel);
    if (streaming && m->buttons != m->sent_buttons && ps2_queue_room(&m->packets) >= PACKET_MAX) {
        packet_put(m, &m->packets);
    }
}

/* --- Commands --------------------------------------------------------------------------------- */

static void defaults_set(struct ps2_mouse *m)
{
    ps2_queue_clear(&m->packets);
    motion_clear(m);
    m->sent_buttons = m->buttons;
    m->command = 0;
    m->rates[0] = 100;
    m->resolution = 2;
    m->double_scale = false;
    m->reporting = false;
    m->remote = false;
    m->wrap = false;
}

static bool refuse(struct ps2_mouse *m)
{
    ps2_queue_clear(&m->answers);
    ps2_queue_put(&m->answers, PS2_RESEND);
    return false;
}

static void rate_set(struct ps2_mouse *m, uint8_t rate)
{
    m->rates[2] = m->rates[1];
    m->rates[1] = m->rates[0];
    m->rates[0] = rate;
    if (m->rates[2] == 200 && rate == 80 && (m->rates[1] == 100 || m->rates[1] == 200)) {
        m->type = m->rates[1] == 100 ? TYPE_WHEEL : TYPE_EXPLORER;
        ps2_queue_clear(&m->packets); /* packets are longer from now on */
    }
}

static void status_answer(struct ps2_mouse *m)
{
    uint8_t swapped = (m->buttons & POINTER_LEFT ? 4 : 0) | (m->buttons & POINTER_MIDDLE ? 2 : 0) |
                      (m->buttons & POINTER_RIGHT ? 1 : 0);

    ps2_queue_put(&m->answers, (uint8_t)((m->remote ? STATUS_REMOTE : 0) |
                                         (m->reporting ? STATUS_REPORTING : 0) |
                                         (m->double_scale ? STATUS_DOUBLE_SCALE : 0) | swapped));
    ps2_queue_put(&m->answers, m->resolution);
    ps2_queue_put(&m->answers, m->rates[0]);
}

/* The modes in which the mouse speaks, and whether it does at all. */
static void mode_set(struct ps2_mouse *m, uint8_t command)
{
    ps2_queue_clear(&m->packets);
    motion_clear(m);
    m->sent_buttons = m->buttons;
    if (command == ENABLE || command == DISABLE) {
        m->reporting = command == ENABLE;
    } else if (command == WRAP_MODE || command == WRAP_MODE_END) {
        m->wrap = command == WRAP_MODE;
    } else {
        m->remote = command == REMOTE_MODE;
    }
}

static bool argument_write(struct ps2_mouse *m, uint8_t byte)
{
    uint8_t command = m->command;

    m->command = 0;
    if (command == SET_RATE) {
        rate_set(m, byte);
    } else if (byte <= 3) {
        m->resolution = byte;
    } else {
        return refuse(m);
    }
    return true;
}

static bool command_write(struct ps2_mouse *m, uint8_t byte)
{
    switch (byte) {
    case SCALE_SINGLE:
    case SCALE_DOUBLE:
        m->double_scale = byte == SCALE_DOUBLE;
        return true;
    case SET_RESOLUTION:
    case SET_RATE:
        m->command = byte;
        return true;
    case STATUS:
        status_answer(m);
        return true;
    case READ_DATA:
        packet_put(m, &m->answers);
        return true;
    case STREAM_MODE:
    case REMOTE_MODE:
    case WRAP_MODE:
    case WRAP_MODE_END:
    case ENABLE:
    case DISABLE:
        mode_set(m, byte);
        return true;
    case IDENTIFY:
        ps2_queue_put(&m->answers, m->type);
        return true;
    case DEFAULTS:
        defaults_set(m);
        return true;
    case RESEND:
        ps2_queue_clear(&m->answers);
        ps2_queue_put(&m->answers, m->last);
        return true;
    case RESET:
        defaults_set(m);
        m->type = TYPE_STANDARD;
        ps2_queue_put(&m->answers, PS2_SELF_TEST_PASSED);
        ps2_queue_put(&m->answers, m->type);
        return true;
    default:
        return refuse(m);
    }
}

bool mouse_write(struct ps2_mouse *m, uint8_t byte)
{
    ps2_queue_clear(&m->answers);
    if (m->wrap && byte != WRAP_MODE_END && byte != RESET) {
        ps2_queue_put(&m->answers, byte);
        return true;
    }
    ps2_queue_put(&m->answers, PS2_ACKNOWLEDGE);
    if (m->command != 0 && byte < COMMAND_FIRST) {
        return argument_write(m, byte);
    }
    m->command = 0;
    return command_write(m, byte);
}

bool mouse_take(struct ps2_mouse *m, uint8_t *byte)
{
    bool streaming = m->reporting && !m->remote && !m->wrap;

    if (m->answers.count == 0 && m->packets.count == 0 && streaming &&
        (moved(m) || m->buttons != m->sent_buttons)) {
        packet_put(m, &m->packets);
    }
    if (m->answers.count > 0) {
        *byte = ps2_queue_take(&m->answers);
    } else if (m->packets.count > 0 && m->command == 0) {
        *byte = ps2_queue_take(&m->packets);
    } else {
        return false;
    }
    m->last = *byte;
    return true;
}

void mouse_reset(struct ps2_mouse *m)
{
    *m = (struct ps2_mouse){ .type = TYPE_STANDARD };
    defaults_set(m);
}

const struct state_field ps2_mouse_fields[] = {
    FIELD_STRUCT(struct ps2_mouse, answers, ps2_queue_fields),
    FIELD_STRUCT(struct ps2_mouse, packets, ps2_queue_fields),
    FIELD(struct ps2_mouse, command),
    FIELD_MAX(struct ps2_mouse, type, TYPE_EXPLORER),
    FIELD_ARRAY(struct ps2_mouse, rates),
    FIELD_MAX(struct ps2_mouse, resolution, 3),
    FIELD(struct ps2_mouse, double_scale),
    FIELD(struct ps2_mouse, reporting),
    FIELD(struct ps2_mouse, remote),
    FIELD(struct ps2_mouse, wrap),
    FIELD_MAX(struct ps2_mouse, buttons, BUTTONS_EXPLORER),
    FIELD_MAX(struct ps2_mouse, sent_buttons, BUTTONS_EXPLORER),
    FIELD(struct ps2_mouse, dx),
    FIELD(struct ps2_mouse, dy),
    FIELD(struct ps2_mouse, dz),
    FIELD(struct ps2_mouse, last),
    FIELD_END,
};
