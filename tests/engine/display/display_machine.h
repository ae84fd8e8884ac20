/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine of tests of engine/control: a console with an adapter, a keyboard and a tablet of
 * their own, and what engine/control asks of a machine. Commands that change one are not for it.
 */
#ifndef TESTS_DISPLAY_MACHINE_H
#define TESTS_DISPLAY_MACHINE_H

#include "adapter.h"
#include "config/config.h"
#include "control/control.h"
#include "display/desktop.h"
#include "input/input_router.h"

struct machine {
    struct adapter adapter;
    struct display_ops ops;
    struct device_class class;
    struct device keyboard, tablet;
    unsigned lamps;
    struct pointer_event pointed; /* the last that the tablet got */
    struct desktop desktop;
    struct input *input;
    OrielConfig *config;
};

/* With a keyboard and two heads. */
void display_machine_init(struct machine *machine);
void display_machine_add_tablet(struct machine *machine);
void display_machine_clear(struct machine *machine);

#endif
