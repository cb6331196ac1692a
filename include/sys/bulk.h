/* SPDX-License-Identifier: MIT */
/*
 * Test data that nothing on the way can make smaller. It is written from memory: a block that stays in the caches is
 * copied faster than the kernel walks the pages of a file for sendfile(2), and needs no file.
 */
#ifndef SYS_BULK_H
#define SYS_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fault.h"

/* One block, sent again and again. Larger than any compressor's window that a middlebox would have. */
#define BULK_BLOCK (UINT32_C(512) << 10)

struct bulk {
	/* private */
	uint64_t seed;
	bool full;
};

/* Nothing but a seed is needed before the first byte is sent. */
bool bulk_open(struct bulk *b, struct fault *why);

/* BULK_BLOCK bytes, the same for the whole process. */
const char *bulk_block(struct bulk *b);

#endif
