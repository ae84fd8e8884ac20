/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fake_machine.c (the services) and fake_control.c (the test's side) share. */
#ifndef TESTS_FAKE_PRIVATE_H
#define TESTS_FAKE_PRIVATE_H

#include "fake_machine.h"

enum {
    FAKE_REGIONS_MAX = 16,
    FAKE_WINDOWS_MAX = 8,
    FAKE_MEMORIES_MAX = 4,
    FAKE_TIMERS_MAX = 8,
    FAKE_DRIVES_MAX = 8,
    FAKE_PORTS_MAX = 4,
    FAKE_FRAMES_MAX = 64,
};

struct fake_frame {
    struct net_offload offload;
    uint32_t length;
    uint8_t *bytes;
};

struct fake_net {
    bool unplugged;
    unsigned accept;
    unsigned room; /* frames that may still be sent while limited */
    bool limited;
    struct fake_frame in[FAKE_FRAMES_MAX], out[FAKE_FRAMES_MAX];
    unsigned n_in, n_out;
    uint64_t sent;
    struct net_received received;
};

struct fake_window {
    uint64_t base, offset, length;
    bool placed;
};

struct fake_drive {
    bool attached, held;
    struct block_info info;
    uint8_t *bytes;
    struct block_request *first, **last;
    unsigned failures, flushes;
    int status;
};

struct fake_char {
    char out[FAKE_CHAR_MAX + 1];
    size_t out_length;
    uint8_t in[FAKE_CHAR_MAX];
    size_t in_length, in_taken;
};

struct fake_device {
    struct fake *fake;
    struct device *device;
    unsigned bdf;
    bool irq[FAKE_IRQS_MAX];
    unsigned edges[FAKE_IRQS_MAX];
    bool doorbells_disabled[FAKE_DOORBELLS_MAX];
    unsigned msi_count;
    uint64_t msi_address;
    uint32_t msi_data;
    uint64_t region_base[FAKE_REGIONS_MAX];
    struct fake_window window[FAKE_WINDOWS_MAX];
    uint8_t *memory[FAKE_MEMORIES_MAX], *shadow[FAKE_MEMORIES_MAX];
    uint64_t memory_size[FAKE_MEMORIES_MAX], synced[FAKE_MEMORIES_MAX];
    uint64_t deadline[FAKE_TIMERS_MAX];
    uint32_t deferred;
    unsigned guest_errors;
    unsigned input_changes;
    uint64_t discarded;
    char guest_error[256];
    struct fake_drive drive[FAKE_DRIVES_MAX];
    struct fake_char *port[FAKE_PORTS_MAX]; /* from first use */
    struct fake_net net;
    struct option_value values[16];
    size_t n_values;
};

struct fake {
    uint8_t *ram;
    size_t ram_size;
    uint64_t now, wall_at_zero, random;
    bool halted;
    unsigned requests[16], request_argument;
    bool pam_read[PAM_SEGMENTS], pam_write[PAM_SEGMENTS];
    uint8_t pirq[8];
    unsigned next_slot;
    struct fake_device devices[FAKE_DEVICES_MAX];
};

extern const struct services fake_services;

/* A device broke its contract with the machine: stops the program, whatever the input was. */
void fake_bug(const char *what) __attribute__((noreturn));
/* Services of fake_net.c. */
bool fake_service_net_link(struct device *device);
unsigned fake_service_net_send(struct device *device, const struct net_frame *frames, unsigned n);
const struct net_received *fake_service_net_peek(struct device *device);
void fake_service_net_drop(struct device *device);
void fake_service_net_accept(struct device *device, unsigned accept);
void fake_net_clear(struct fake_net *net);
struct fake_char *fake_char_port(struct device *device, unsigned port);
uint64_t fake_memory_size(struct device *device, unsigned memory);

#endif
