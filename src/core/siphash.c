/* SPDX-License-Identifier: MIT */
#include "core/siphash.h"

/* Up to eight bytes, least significant first. */
static uint64_t little_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static uint64_t rotate(uint64_t v, unsigned bits)
{
	return v << bits | v >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void compress(uint64_t v[4], uint64_t block)
{
	v[3] ^= block;
	rounds(v, 2);
	v[0] ^= block;
}

uint64_t siphash(const uint8_t key[static 16], const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
	uint64_t last = (uint64_t)n << 56;
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575), /* the letters of "somepseudorandomlygeneratedbytes" */
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; n >= 8; at += 8, n -= 8)
		compress(v, little_endian(at, 8));
	compress(v, last | little_endian(at, n));
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
