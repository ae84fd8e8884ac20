/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the machine know of each other: machine.c and its neighbours in engine/ only.
 */
#ifndef ENGINE_MACHINE_PRIVATE_H
#define ENGINE_MACHINE_PRIVATE_H

#include <glib.h>
#include <pthread.h>

#include "block/drive/drive.h"
#include "machine/board.h"
#include "boot/boot.h"
#include "display/desktop.h"
#include "bus/bus.h"
#include "bus/clock.h"
#include "bus/doorbell.h"
#include "cpu/cpuid.h"
#include "bus/domain.h"
#include "bus/irq.h"
#include "cpu/kvm.h"
#include "machine.h"
#include "memory/memory_map.h"
#include "machine/serial.h"
#include "net/card.h"
#include "services.h"
#include "snapshot/memory_file.h"
#include "cpu/vcpu.h"

/* The machine's record of one device: device->host. Made before the device, freed after it. */
struct machine_device {
    struct machine *machine;
    const struct device_class *class;
    struct device *device;
    struct domain *domain;
    unsigned bdf;  /* bus << 8 | device << 3 | function; BDF_NONE */
    unsigned slot; /* of a root port that it is in, from 1; 0: in none */
    struct bus_region *regions;
    struct device_memory *memories;
    struct window *windows;
    struct clock_timer *timers;
    struct irq_source *irqs; /* for PCI functions 0 is INTx */
    struct drive *drives[CONFIG_DRIVES_MAX];
    struct net_card *card; /* what is behind a network card */
    unsigned first_port;   /* of machine.serials */
    unsigned first_drive;  /* of machine.board.drives */

    uint32_t tasks; /* to run; in the domain */
    struct machine_device *next_with_tasks;

    /* Mistakes of the guest; in the domain, except for reading the count. */
    _Atomic uint64_t guest_errors;
    unsigned errors_logged;
    uint64_t log_again_ns;
};

enum {
    BDF_NONE = 0xffff,
    MACHINE_DOMAINS_MAX = 64,
    MSRS_NOTED = 64,
    TRIPLE_FAULTS_LOGGED = 8, /* a guest that does nothing else shall not fill the log */
    REFUSED_LOGGED = 8,       /* nor shall a program that does nothing else */
};

/* What is to be done to the machine, by its control thread: bits of machine.pending. */
enum {
    PENDING_RESET = 1u << 0,
    PENDING_POWER_OFF = 1u << 1,
    PENDING_SUSPEND = 1u << 2,
    PENDING_CRASH = 1u << 3,
    PENDING_STALL = 1u << 4,
    PENDING_EJECT = 1u << 5,
    PENDING_QUIT = 1u << 6,
    PENDING_UNPLUG = 1u << 7,
    /* After these the guest does not execute another instruction of its own. */
    PENDING_ENDS_EXECUTION = PENDING_RESET | PENDING_POWER_OFF | PENDING_SUSPEND,
};

/* Something to tell the owner on the main loop. */
struct machine_notice {
    enum { NOTICE_STATE, NOTICE_RESET, NOTICE_MEDIA } kind;
    enum machine_state state;
    enum machine_reason reason;
    char *text; /* message, or name of the drive; g_free() */
};

struct machine {
    OrielConfig *config;
    char *folder;
    struct machine_callbacks callbacks;

    struct kvm kvm;
    struct cpuid *cpuid;
    struct vcpus vcpus;
    struct bus bus;
    struct memory_map memory_map;
    struct irq irq;
    struct clock clock;
    struct doorbells doorbells;
    struct serials serials;
    struct drive_pool *drives;
    struct net_cards *networks;
    struct boot *boot;
    struct board board;
    GPtrArray *devices; /* struct machine_device, in the order of their making */
    /*
     * Held while what the machine consists of changes: devices, board.drives and the lists of
     * config. Who is under control, or knows that nothing comes or goes, reads them without. Taken
     * before all other locks but control.
     */
    pthread_mutex_t parts;
    struct domain chips;
    struct domain functions[MACHINE_DOMAINS_MAX];
    unsigned n_functions;
    struct desktop desktop;
    struct input *input;

    /* One transition at a time; taken first of all locks. */
    pthread_mutex_t control;
    bool suspended;             /* in S3: running for the user, parked until something wakes it */
    _Atomic bool vcpus_running; /* changed under control; read by devices, too */

    /* State, and what is asked of the control thread. Leaf. */
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    pthread_t control_thread;
    bool control_started;
    unsigned pending;
    unsigned kept;          /* what could not be done while paused: pending again with the resume */
    unsigned ejected;       /* by the guest, a bit a drive */
    unsigned locked;        /* trays that the guest has locked, a bit a drive */
    unsigned slots_off;     /* cards that the guest has let go of, a bit a slot */
    unsigned slots_waiting; /* cards that somebody waits to be let go of, a bit a slot */
    pthread_cond_t unplugged; /* slots_waiting has changed, or the machine stops */
    enum machine_state state;
    enum machine_reason reason;
    enum machine_reason trouble; /* with PENDING_CRASH and PENDING_STALL: which, */
    char *trouble_text;          /* and the sentence for the user */
    char *crash_report;
    GQueue notices;
    GSource *notice_source;
    GSource *wall_clock;       /* tells when it was set; NULL: the host cannot */
    uint32_t msrs[MSRS_NOTED]; /* unknown ones that were logged */
    unsigned n_msrs;
    unsigned triple_faults;
    unsigned refused; /* instructions of programs that were not emulated */
    uint64_t resets;

    struct memory_work save; /* of machine_save() */
    _Atomic bool saving;
};

extern const struct services machine_services;

/* Any thread, also inside a domain: carried out later by the control thread. */
void machine_request(struct machine *machine, enum machine_request request, unsigned argument);
/* The same for trouble; `text` is a sentence for the user, copied. */
void machine_trouble(struct machine *machine, unsigned pending, enum machine_reason reason,
                     const char *text);
/* What was kept while the machine was paused is carried out first, or it goes on. Under control. */
void machine_take_up_kept(struct machine *machine);
/* "“Name” cannot be WHAT: it is STATE."; returns false. */
bool machine_wrong_state(struct machine *machine, const char *what, GError **error);
/* Logs an MSR that KVM does not know, once each. */
void machine_note_msr(struct machine *machine, uint32_t msr, bool write, uint64_t value);
/* Logs that a program has got #UD because of `what`, the first few times. */
void machine_note_refused(struct machine *machine, const char *what);
/* Logs a triple fault, the first few. */
void machine_note_triple_fault(struct machine *machine, unsigned cpu);
/* The source on the calling thread's main loop that gives the callbacks. */
GSource *machine_notices_source_new(struct machine *machine);
/* Queues a callback for the main loop; `text` is copied. */
void machine_notify(struct machine *machine, struct machine_notice notice);

static inline struct machine_device *record_of(struct device *device)
{
    return device->host;
}

/* Entering and leaving a device from outside, with the batched writes carried out first. */
void machine_device_enter(struct device *device);
void machine_device_leave(struct device *device);

#endif
