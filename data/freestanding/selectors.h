/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Segment selectors, by the order of GDT_SEGMENTS in descriptors.h. Also for assembly. */
#ifndef FREESTANDING_SELECTORS_H
#define FREESTANDING_SELECTORS_H

#define SELECTOR_CODE32    0x08
#define SELECTOR_DATA      0x10
#define SELECTOR_CODE64    0x18
#define SELECTOR_USER_DATA 0x23
#define SELECTOR_USER_CODE 0x2B
#define SELECTOR_TSS       0x30 /* the first processor's; the others follow, 16 bytes apart */

#endif
