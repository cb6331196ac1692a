/* SPDX-License-Identifier: MIT */
#include "sys/bulk.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sys/random.h"

static char block[BULK_PLAIN];

/* xorshift64 (Marsaglia 2003): not secret, only without structure that a compressor could use. */
static uint64_t scramble(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static uint64_t fill(uint64_t x)
{
	for (size_t i = 0; i < sizeof(block); i++) {
		x = scramble(x);
		block[i] = (char)(x >> 32);
	}
	return x;
}

bool bulk_open(struct bulk *b, struct fault *why)
{
	uint64_t seed;

	if (!random_fill(&seed, sizeof(seed), why))
		return false;
	seed |= 1;
	*b = (struct bulk){ .fd = memfd_create("sonde", MFD_CLOEXEC), .plain = block };
	for (size_t n = 0; b->fd >= 0 && n < BULK_BLOCK; n += sizeof(block)) {
		seed = fill(seed);
		if (write(b->fd, block, sizeof(block)) != (ssize_t)sizeof(block)) {
			close(b->fd);
			b->fd = -1;
		}
	}
	fill(seed);
	return true;
}
