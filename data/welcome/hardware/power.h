/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Soft off, the power button and restart, by way of the ACPI tables. */
#ifndef WELCOME_POWER_H
#define WELCOME_POWER_H

#include <stdbool.h>

/* Finds the registers and lets the power button raise IRQ 9. */
void power_start(void);

/* Whether the power button was pressed since the last call. */
bool power_button(void);

/* Neither returns unless the machine lacks what it takes. */
void power_off(void);
void power_restart(void);

#endif
