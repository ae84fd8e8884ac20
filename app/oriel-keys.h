/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and numbers of keys, the same for the window and the engine: see common/keys.h. */
#ifndef ORIEL_KEYS_H
#define ORIEL_KEYS_H

#include "common/keys.h"

#endif
