/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole state of a vCPU as sections of a saved machine (snapshot/sections.h): KVM's own
 * structures, whose form is fixed by the kernel's interface.
 *
 * Threads: the vCPU's own, parked (vcpu_call()).
 */
#ifndef ENGINE_VCPU_SAVED_H
#define ENGINE_VCPU_SAVED_H

#include <glib.h>
#include <stdbool.h>

struct vcpu;

struct vcpu_saving {
    GByteArray *state;   /* of a save: sections are added */
    const GArray *saved; /* of a restore: struct section */
    bool good;           /* the result */
    const char *what;    /* of a failed restore: what KVM refused */
};

/* `context` is a struct vcpu_saving. The clocks of the vCPUs are stopped. */
void vcpu_save(struct vcpu *vcpu, void *context);
/* The memory that the state refers to is in place. On failure the vCPU has anything. */
void vcpu_restore(struct vcpu *vcpu, void *context);

#endif
