/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of a boxed list with a spin button: a count, or a size of memory or disk.
 *
 * Properties: those of AdwActionRow; "value", "lower", "upper", "step" (double); "sizes" (b,
 * construct only): the value is in MiB and shown and read as a size ("4 GiB", "512M"; a bare number
 * is GiB). "value" notifies when the user has finished a change, not at every digit.
 */
#ifndef ORIEL_SPIN_ROW_H
#define ORIEL_SPIN_ROW_H

#include <adwaita.h>

#define ORIEL_TYPE_SPIN_ROW (oriel_spin_row_get_type())
G_DECLARE_FINAL_TYPE(OrielSpinRow, oriel_spin_row, ORIEL, SPIN_ROW, AdwActionRow)

/* What is typed and not yet entered counts, if it is a value. */
double oriel_spin_row_get_value(OrielSpinRow *row);
void oriel_spin_row_set_value(OrielSpinRow *row, double value);
/* Also moves a value outside to the nearer end. */
void oriel_spin_row_set_range(OrielSpinRow *row, double lower, double upper);

/* A size as rows show it, "4 GiB", "1.5 GiB", "512 MiB": as many digits as it takes to be exact,
 * three at most. g_free(). */
char *oriel_spin_row_size_text(double mib);

#endif
