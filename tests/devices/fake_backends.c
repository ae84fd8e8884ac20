/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and back ends of the fake machine: what runs when the test lets it run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fake_private.h"

static struct fake_device *record(struct device *device)
{
    return device->host;
}

static void drive_execute(struct fake_drive *drive, struct block_request *request)
{
    uint64_t done = 0;

    request->status = 0;
    if (drive->failures > 0) {
        drive->failures--;
        request->status = drive->status;
        return;
    }
    if (request->op == BLOCK_FLUSH) {
        drive->flushes++;
        return;
    }
    if (!drive->info.present) {
        request->status = -ENOMEDIUM;
        return;
    }
    if (!range_fits(request->offset, request->length, drive->info.size)) {
        request->status = -EINVAL;
        return;
    }
    if (request->op != BLOCK_READ && drive->info.read_only) {
        request->status = -EROFS;
        return;
    }
    if (request->op == BLOCK_DISCARD || request->op == BLOCK_WRITE_ZEROES) {
        memset(drive->bytes + request->offset, 0, request->length);
        drive->flushes += request->fua;
        return;
    }
    for (unsigned i = 0; i < request->n_spans; i++) {
        uint8_t *at = drive->bytes + request->offset + done;

        if (request->op == BLOCK_READ) {
            memcpy(request->spans[i].base, at, request->spans[i].length);
        } else {
            memcpy(at, request->spans[i].base, request->spans[i].length);
        }
        done += request->spans[i].length;
    }
    drive->flushes += request->fua;
}

/* Answers all requests of a drive before anything else happens, as a batch; true if there were any.
 */
static bool drive_step(struct fake_device *d, unsigned i)
{
    struct block_request *request = d->drive[i].held ? NULL : d->drive[i].first;

    if (!request) {
        return false;
    }
    d->drive[i].first = NULL;
    d->drive[i].last = &d->drive[i].first;
    while (request) {
        struct block_request *next = request->next;

        drive_execute(&d->drive[i], request);
        d->device->class->on_block(d->device, request);
        request = next;
    }
    return true;
}

/* Each task once, the requests and the due timers of a device; true if there was anything to do. */
static bool device_step(struct fake_device *d)
{
    const struct device_class *class = d->device->class;
    bool busy = false;

    for (unsigned i = 0; i < class->n_tasks; i++) {
        if (d->deferred & 1u << i) {
            d->deferred &= ~(1u << i);
            class->on_task(d->device, i);
            busy |= !d->fake->halted; /* otherwise it may defer itself until that has ended */
        }
    }
    for (unsigned i = 0; i < FAKE_DRIVES_MAX; i++) {
        busy |= drive_step(d, i);
    }
    for (unsigned i = 0; i < class->n_timers; i++) {
        if (d->deadline[i] <= d->fake->now) {
            d->deadline[i] = TIMER_OFF;
            class->on_timer(d->device, i);
            busy = true;
        }
    }
    return busy;
}

void fake_run(struct fake *fake)
{
    bool busy = true;

    for (unsigned rounds = 0; busy; rounds++) {
        if (rounds > 1000000) {
            fake_bug("a device never comes to rest");
        }
        busy = false;
        for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
            if (fake->devices[i].device) {
                busy |= device_step(&fake->devices[i]);
            }
        }
    }
}

void fake_set_halted(struct fake *fake, bool halted)
{
    fake->halted = halted;
}

static uint64_t deadline_next(struct fake *fake)
{
    uint64_t next = TIMER_OFF;

    for (unsigned i = 0; i < FAKE_DEVICES_MAX; i++) {
        for (unsigned t = 0; fake->devices[i].device && t < FAKE_TIMERS_MAX; t++) {
            if (fake->devices[i].deadline[t] < next) {
                next = fake->devices[i].deadline[t];
            }
        }
    }
    return next;
}

void fake_advance(struct fake *fake, uint64_t ns)
{
    uint64_t end = fake->now + ns;

    fake_run(fake);
    while (deadline_next(fake) <= end) {
        if (deadline_next(fake) > fake->now) {
            fake->now = deadline_next(fake);
        }
        fake_run(fake);
    }
    fake->now = end;
}

void fake_late(struct fake *fake, uint64_t ns)
{
    fake_run(fake);
    fake->now += ns;
    fake_run(fake);
}

uint64_t fake_now(struct fake *fake)
{
    return fake->now;
}

void fake_set_wall_clock(struct fake *fake, uint64_t ns_since_1970)
{
    fake->wall_at_zero = ns_since_1970 - fake->now;
}

/* --- Drives and character ports --------------------------------------------------------------- */

void fake_drive(struct device *device, unsigned drive, const struct block_info *info,
                uint8_t *bytes)
{
    struct fake_drive *d = &record(device)->drive[drive];

    d->attached = true;
    d->info = *info;
    d->bytes = bytes;
}

void fake_drive_fail(struct device *device, unsigned drive, unsigned failures, int status)
{
    record(device)->drive[drive].failures = failures;
    record(device)->drive[drive].status = status;
}

void fake_drive_hold(struct device *device, unsigned drive, bool hold)
{
    record(device)->drive[drive].held = hold;
}

unsigned fake_drive_flushes(struct device *device, unsigned drive)
{
    return record(device)->drive[drive].flushes;
}

void fake_drive_change(struct device *device, unsigned drive, const struct block_info *info,
                       uint8_t *bytes)
{
    struct fake_drive *d = &record(device)->drive[drive];
    uint64_t generation = d->info.generation + 1;

    d->info = *info;
    d->info.generation = generation;
    d->bytes = bytes;
    device->class->on_media(device, drive);
}

struct fake_char *fake_char_port(struct device *device, unsigned port)
{
    if (port >= FAKE_PORTS_MAX || port >= device->class->n_ports) {
        fake_bug("a character port that the class does not have");
    }
    if (!record(device)->port[port]) {
        record(device)->port[port] = calloc(1, sizeof(struct fake_char));
    }
    return record(device)->port[port];
}

const char *fake_char_output(struct device *device, unsigned port)
{
    struct fake_char *c = fake_char_port(device, port);

    c->out[c->out_length] = '\0';
    c->out_length = 0;
    return c->out;
}

void fake_char_input(struct device *device, unsigned port, const void *bytes, size_t n)
{
    struct fake_char *c = fake_char_port(device, port);

    memmove(c->in, c->in + c->in_taken, c->in_length - c->in_taken);
    c->in_length -= c->in_taken;
    c->in_taken = 0;
    if (n > sizeof(c->in) - c->in_length) {
        fake_bug("too much character input");
    }
    memcpy(c->in + c->in_length, bytes, n);
    c->in_length += n;
    if (device->class->on_char) {
        device->class->on_char(device, port);
    }
}

unsigned fake_char_waiting(struct device *device, unsigned port)
{
    const struct fake_char *c = fake_char_port(device, port);

    return (unsigned)(c->in_length - c->in_taken);
}
