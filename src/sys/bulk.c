/* SPDX-License-Identifier: MIT */
#include "sys/bulk.h"

#include "sys/random.h"

static uint64_t block[BULK_BLOCK / sizeof(uint64_t)];

/* xorshift64 (Marsaglia 2003): not secret, only without structure that a compressor could use. */
static uint64_t scramble(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

bool bulk_open(struct bulk *b, struct fault *why)
{
	b->full = false;
	return random_fill(&b->seed, sizeof(b->seed), why);
}

const char *bulk_block(struct bulk *b)
{
	uint64_t x = b->seed | 1;

	for (size_t i = 0; i < sizeof(block) / sizeof(block[0]) && !b->full; i++)
		block[i] = x = scramble(x);
	b->full = true;
	return (const char *)block;
}
