/* SPDX-License-Identifier: MIT */
/* Test data that nothing on the way can make smaller. Calls: memfd_create, write. */
#ifndef SYS_BULK_H
#define SYS_BULK_H

#include "core/fault.h"

/* One block, sent again and again. Larger than any compressor's window that a middlebox would have. */
#define BULK_BLOCK (UINT32_C(1) << 20)
#define BULK_PLAIN (UINT32_C(64) << 10)

struct bulk {
	int fd;            /* a memfd of BULK_BLOCK bytes, or -1 where there is none */
	uint32_t at;       /* where in the block the next send begins */
	const char *plain; /* BULK_PLAIN bytes, for a kernel that cannot send from a file */
};

/* Fills one block; there is one for the whole process. */
bool bulk_open(struct bulk *b, struct fault *why);

#endif
