/* SPDX-License-Identifier: MIT */
/* Chance that comes out the same on every run and on every machine. */
#ifndef RNG_H
#define RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t s;
};

static inline uint64_t rng_next(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s * UINT64_C(0x2545f4914f6cdd1d);
}

/* Neighbouring seeds give unlike sequences. */
static inline struct rng rng_of(uint64_t seed)
{
	struct rng r = { (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1 };

	for (int i = 0; i < 8; i++)
		rng_next(&r);
	return r;
}

/* 0..@n - 1 */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return (rng_next(r) >> 11) % n;
}

static inline bool rng_chance(struct rng *r, unsigned ppm)
{
	return rng_below(r, 1000000) < ppm;
}

#endif
