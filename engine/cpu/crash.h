/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a guest cannot go on: a report for people instead of a dead process. */
#ifndef ENGINE_CRASH_H
#define ENGINE_CRASH_H

#include "machine.h"

struct vcpu;

/*
 * Writes the report - registers, the bytes at the instruction pointer, the last exits - and has the
 * machine stop as crashed. The vCPU is held until a reset. Its own thread.
 */
void crash_report(struct vcpu *vcpu, enum machine_reason reason, const char *title);

#endif
