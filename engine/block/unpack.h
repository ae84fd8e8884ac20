/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decompressor of the calling thread, made when it is first asked for. Private to block/. */
#ifndef ENGINE_BLOCK_UNPACK_H
#define ENGINE_BLOCK_UNPACK_H

#include <libdeflate.h>

/* Owned by the thread; NULL if there is no memory for it. */
struct libdeflate_decompressor *unpack_deflater(void);

#endif
